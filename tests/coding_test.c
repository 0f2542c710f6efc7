/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/coding.h"

#include "tests/support/suite.h"

START_TEST(coding__fixed_integers_are_little_endian)
{
	uint8_t bytes[14], *p = bytes;

	p = put_u16(p, 0x0102);
	p = put_u32(p, 0x03040506);
	p = put_u64(p, 0x0708090a0b0c0d0e);
	ck_assert_ptr_eq(p, bytes + 14);
	ck_assert_mem_eq(bytes,
			 "\x02\x01\x06\x05\x04\x03"
			 "\x0e\x0d\x0c\x0b\x0a\x09\x08\x07",
			 14);
	ck_assert_uint_eq(get_u16(bytes), 0x0102);
	ck_assert_uint_eq(get_u32(bytes + 2), 0x03040506);
	ck_assert_uint_eq(get_u64(bytes + 6), 0x0708090a0b0c0d0e);
}
END_TEST

static void check_varint(uint64_t v)
{
	uint8_t bytes[VARINT_SIZE_MAX];
	size_t size = (size_t)(put_varint(bytes, v) - bytes);
	struct reader r = reader_of(slice_of(bytes, size));

	ck_assert_uint_eq(size, varint_size(v));
	ck_assert_uint_le(size, VARINT_SIZE_MAX);
	ck_assert_uint_eq(read_varint(&r), v);
	ck_assert(!r.bad);
	ck_assert_uint_eq(reader_left(&r), 0);
	while (size-- > 0) {
		r = reader_of(slice_of(bytes, size));
		ck_assert_uint_eq(read_varint(&r), 0);
		ck_assert(r.bad);
	}
}

START_TEST(coding__varints_of_every_length_come_back)
{
	struct test_random random = { test_seed() };
	int bit, i;

	check_varint(0);
	check_varint(UINT64_MAX);
	for (bit = 0; bit < 64; bit++) {
		check_varint((uint64_t)1 << bit);
		check_varint(((uint64_t)1 << bit) - 1);
		for (i = 0; i < 100; i++)
			check_varint(test_random_next(&random) >> bit);
	}
}
END_TEST

START_TEST(coding__only_the_shortest_varint_is_valid)
{
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = {
		{ "\x80\x00", 2 },
		{ "\xff\x80\x00", 3 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
		{ "", 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct reader r =
			reader_of(slice_of(bad[i].bytes, bad[i].size));

		ck_assert_uint_eq(read_varint(&r), 0);
		ck_assert(r.bad);
		ck_assert_uint_eq(reader_left(&r), 0);
	}
}
END_TEST

START_TEST(coding__zigzag_maps_small_to_small)
{
	static const int64_t values[] = { 0,  -1, 1,         -2,
					  63, 64, INT64_MAX, INT64_MIN };
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_int_eq(unzigzag(zigzag(values[i])), values[i]);
	ck_assert_uint_eq(zigzag(-1), 1);
	ck_assert_uint_eq(zigzag(1), 2);
	ck_assert_uint_eq(zigzag(INT64_MIN), UINT64_MAX);
}
END_TEST

START_TEST(coding__a_bad_reader_stays_bad_and_empty)
{
	struct reader r = reader_of(SLICE_LITERAL("\x05"
						  "abcd"));
	struct slice s = read_string(&r);

	ck_assert(r.bad);
	ck_assert_uint_eq(s.size, 0);
	ck_assert_uint_eq(read_byte(&r), 0);
	ck_assert_uint_eq(read_u32(&r), 0);
	ck_assert_uint_eq(read_u64(&r), 0);
	ck_assert_uint_eq(read_varint(&r), 0);
	ck_assert(r.bad);
}
END_TEST

START_TEST(coding__a_length_of_2_to_the_64_is_refused)
{
	struct reader r = reader_of(
		SLICE_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
			      "abc"));

	ck_assert_uint_eq(read_string(&r).size, 0);
	ck_assert(r.bad);
}
END_TEST

int main(void)
{
	return RUN_TESTS("coding", coding__fixed_integers_are_little_endian,
			 coding__varints_of_every_length_come_back,
			 coding__only_the_shortest_varint_is_valid,
			 coding__zigzag_maps_small_to_small,
			 coding__a_bad_reader_stays_bad_and_empty,
			 coding__a_length_of_2_to_the_64_is_refused);
}
