/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/frame.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "tests/support/suite.h"

static const struct frame_seed seed = { 11, 22 };

static struct frame_header example(void)
{
	return (struct frame_header){ .length = 100,
				      .flags = FRAME_GROUP_END,
				      .first_lsn = 7,
				      .count = 3,
				      .epoch = 2,
				      .durable_lsn = 6,
				      .content_check = 0x1234,
				      .raw_length = 100 };
}

START_TEST(frame__reads_back)
{
	struct frame_header h = example(), back;
	uint8_t bytes[FRAME_HEADER_SIZE];

	frame_encode(bytes, &h, &seed, 8192);
	ck_assert(frame_decode(bytes, &seed, 8192, &back));
	ck_assert_uint_eq(back.length, h.length);
	ck_assert_uint_eq(back.flags, h.flags);
	ck_assert_uint_eq(back.first_lsn, h.first_lsn);
	ck_assert_uint_eq(back.count, h.count);
	ck_assert_uint_eq(back.epoch, h.epoch);
	ck_assert_uint_eq(back.durable_lsn, h.durable_lsn);
	ck_assert_uint_eq(back.content_check, h.content_check);
	ck_assert_uint_eq(back.raw_length, h.raw_length);
}
END_TEST

START_TEST(frame__of_another_place_life_or_store_is_refused)
{
	struct frame_header h = example(), back;
	struct frame_seed other_salt = { 11, 23 };
	uint8_t bytes[FRAME_HEADER_SIZE];

	frame_encode(bytes, &h, &seed, 8192);
	ck_assert(!frame_decode(bytes, &seed, 12288, &back));
	ck_assert(!frame_decode(bytes, &other_salt, 8192, &back));
	ck_assert_uint_ne(frame_content_check(SLICE_LITERAL("abc"), &seed),
			  frame_content_check(SLICE_LITERAL("abc"),
					      &(struct frame_seed){ 12, 22 }));
	/* it travels: the salt is not in it */
	ck_assert_uint_eq(
		frame_content_check(SLICE_LITERAL("abc"), &seed),
		frame_content_check(SLICE_LITERAL("abc"), &other_salt));
}
END_TEST

START_TEST(frame__any_flipped_bit_is_found)
{
	struct frame_header h = example(), back;
	uint8_t bytes[FRAME_HEADER_SIZE];
	unsigned bit;

	frame_encode(bytes, &h, &seed, 0);
	for (bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!frame_decode(bytes, &seed, 0, &back));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert(frame_decode(bytes, &seed, 0, &back));
}
END_TEST

START_TEST(frame__length_is_known_though_the_rest_is_damaged)
{
	struct frame_header h = example(), back;
	uint8_t bytes[FRAME_HEADER_SIZE];
	uint32_t length = 0;

	frame_encode(bytes, &h, &seed, 0);
	bytes[20] ^= 1;
	ck_assert(!frame_decode(bytes, &seed, 0, &back));
	ck_assert(frame_length(bytes, &length));
	ck_assert_uint_eq(length, 100);
	bytes[5] ^= 1;
	ck_assert(!frame_length(bytes, &length));
	memset(bytes, 0, sizeof(bytes));
	ck_assert(!frame_length(bytes, &length));
}
END_TEST

/* Makes both checks right again. */
static void rehash(uint8_t *bytes)
{
	uint8_t place[16];

	put_u64(put_u64(place, seed.salt), 0);
	put_u32(bytes + 12, crc32c(0, bytes, 12));
	put_u32(bytes + 60, crc32c(crc32c(0, place, 16), bytes, 60));
}

START_TEST(frame__headers_with_right_checks_may_still_lie)
{
	struct frame_header h = example(), back;
	uint8_t good[FRAME_HEADER_SIZE], bad[FRAME_HEADER_SIZE];

	frame_encode(good, &h, &seed, 0);
	memcpy(bad, good, sizeof(bad));
	rehash(bad);
	ck_assert_mem_eq(bad, good, sizeof(bad));
	put_u32(bad + 4, FRAME_CONTENT_MAX + 1);
	put_u64(bad + 48, FRAME_CONTENT_MAX + 1);
	rehash(bad);
	ck_assert(!frame_decode(bad, &seed, 0, &back));
	memcpy(bad, good, sizeof(bad));
	put_u16(bad + 8, 1 << 9); /* a flag nobody knows */
	rehash(bad);
	ck_assert(!frame_decode(bad, &seed, 0, &back));
	memcpy(bad, good, sizeof(bad));
	put_u64(bad + 48, 99); /* not compressed, but another size */
	rehash(bad);
	ck_assert(!frame_decode(bad, &seed, 0, &back));
	memcpy(bad, good, sizeof(bad));
	bad[56] = 1;
	rehash(bad);
	ck_assert(!frame_decode(bad, &seed, 0, &back));
}
END_TEST

int main(void)
{
	return RUN_TESTS("frame", frame__reads_back,
			 frame__of_another_place_life_or_store_is_refused,
			 frame__any_flipped_bit_is_found,
			 frame__length_is_known_though_the_rest_is_damaged,
			 frame__headers_with_right_checks_may_still_lie);
}
