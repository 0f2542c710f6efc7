/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/bits.h"

#include "tests/support/suite.h"

#define ROUNDS 2000

static bool bit_of(const uint8_t *data, size_t index)
{
	return data[index / 8] >> (7 - index % 8) & 1;
}

static void fill(struct test_random *r, uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (uint8_t)test_random_next(r);
}

START_TEST(bits__count_agrees_with_one_bit_at_a_time)
{
	struct test_random r = { test_seed() };
	uint8_t data[2500];
	size_t size, i;

	for (size = 0; size < sizeof(data); size += 1 + size / 100) {
		uint64_t wanted = 0, count;
		unsigned way;

		fill(&r, data, size);
		for (i = 0; i < size * 8; i++)
			wanted += bit_of(data, i);
		ck_assert_uint_eq(bits_count(data, size), wanted);
		for (way = 0; bits_count_by(way, data, size, &count); way++)
			ck_assert_uint_eq(count, wanted);
		ck_assert_uint_gt(way, 0);
	}
	memset(data, 0xff, sizeof(data));
	ck_assert_uint_eq(bits_count(data, sizeof(data)), sizeof(data) * 8);
}
END_TEST

START_TEST(bits__find_byte_stops_at_the_first_byte_with_the_bit)
{
	uint8_t data[100];
	size_t size, at;
	int bit;

	for (bit = 0; bit < 2; bit++) {
		memset(data, bit ? 0 : 0xff, sizeof(data));
		for (size = 0; size < sizeof(data); size++) {
			ck_assert_uint_eq(bits_find_byte(data, size, bit),
					  size);
			for (at = 0; at < size; at += 7) {
				data[at] ^= 0x10;
				ck_assert_uint_eq(
					bits_find_byte(data, size, bit), at);
				data[at] ^= 0x10;
			}
		}
	}
}
END_TEST

START_TEST(bits__first_counts_from_the_top)
{
	ck_assert_uint_eq(bits_first(0x80, true), 0);
	ck_assert_uint_eq(bits_first(0x01, true), 7);
	ck_assert_uint_eq(bits_first(0x00, true), 8);
	ck_assert_uint_eq(bits_first(0xff, false), 8);
	ck_assert_uint_eq(bits_first(0xfe, false), 7);
	ck_assert_uint_eq(bits_first(0x7f, false), 0);
}
END_TEST

START_TEST(bits__what_is_put_is_got_and_nothing_else_changes)
{
	struct test_random r = { test_seed() };
	unsigned shift, width, i, round;

	for (round = 0; round < ROUNDS; round++) {
		uint8_t before[BITS_FIELD_BYTES], after[BITS_FIELD_BYTES];
		uint64_t value = test_random_next(&r), low;

		shift = (unsigned)test_random_below(&r, 8);
		width = 1 + (unsigned)test_random_below(&r, 64);
		low = width == 64 ? value :
				    value & ((UINT64_C(1) << width) - 1);
		fill(&r, before, sizeof(before));
		memcpy(after, before, sizeof(after));
		bits_put(after, shift, width, value);
		ck_assert_uint_eq(bits_get(after, shift, width), low);
		for (i = 0; i < sizeof(before) * 8; i++)
			if (i < shift || i >= shift + width)
				ck_assert(bit_of(before, i) ==
					  bit_of(after, i));
	}
}
END_TEST

START_TEST(bits__operators_work_on_every_size)
{
	struct test_random r = { test_seed() };
	uint8_t a[77], b[77], into[77];
	size_t size, i;

	for (size = 0; size <= sizeof(a); size++) {
		fill(&r, a, size);
		fill(&r, b, size);
#define CHECK_OPERATOR(call, expression)                         \
	memcpy(into, a, size);                                   \
	call;                                                    \
	for (i = 0; i < size; i++)                               \
		ck_assert_uint_eq(into[i], (uint8_t)(expression))
		CHECK_OPERATOR(bits_and(into, b, size), a[i] & b[i]);
		CHECK_OPERATOR(bits_or(into, b, size), a[i] | b[i]);
		CHECK_OPERATOR(bits_xor(into, b, size), a[i] ^ b[i]);
		CHECK_OPERATOR(bits_and_not(into, b, size), a[i] & ~b[i]);
		CHECK_OPERATOR(bits_not(into, size), ~a[i]);
	}
}
END_TEST

START_TEST(bits__zeros_are_seen_at_every_place)
{
	uint8_t data[40] = { 0 };
	size_t i;

	ck_assert(bits_are_zero(data, 0));
	ck_assert(bits_are_zero(data, sizeof(data)));
	for (i = 0; i < sizeof(data); i++) {
		data[i] = 1;
		ck_assert(!bits_are_zero(data, sizeof(data)));
		ck_assert(bits_are_zero(data, i));
		data[i] = 0;
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS("bits", bits__count_agrees_with_one_bit_at_a_time,
			 bits__find_byte_stops_at_the_first_byte_with_the_bit,
			 bits__first_counts_from_the_top,
			 bits__what_is_put_is_got_and_nothing_else_changes,
			 bits__operators_work_on_every_size,
			 bits__zeros_are_seen_at_every_place);
}
