/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/segment.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/err.h"
#include "tests/support/suite.h"

static struct segment_identity example_identity(void)
{
	return (struct segment_identity){
		.store = { { 1, 2, 3 }, { 4, 5 } },
		.sequence = 9,
		.salt = 77,
		.size = 1 << 20,
		.align = 4096,
	};
}

static struct segment_use example_use(void)
{
	struct segment_use u = { .sequence = 9,
				 .epoch = 2,
				 .first_lsn = 5,
				 .chain = 6,
				 .base = true,
				 .durable_lsn = 4,
				 .created_ms = 8 };

	epoch_history_add(&u.history, 1, 1);
	epoch_history_add(&u.history, 2, 5);
	return u;
}

START_TEST(segment__identity_reads_back)
{
	struct segment_identity i = example_identity(), back;
	uint8_t bytes[IDENTITY_SIZE];

	identity_encode(bytes, &i);
	ck_assert_int_eq(identity_decode(bytes, &back), OK);
	ck_assert_mem_eq(&back.store, &i.store, sizeof(i.store));
	ck_assert_uint_eq(back.sequence, 9);
	ck_assert_uint_eq(back.salt, 77);
	ck_assert_uint_eq(back.size, 1 << 20);
	ck_assert_uint_eq(back.align, 4096);
}
END_TEST

START_TEST(segment__identity_with_any_flipped_bit_is_refused)
{
	struct segment_identity i = example_identity(), back;
	uint8_t bytes[IDENTITY_SIZE];
	unsigned bit;

	identity_encode(bytes, &i);
	for (bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_lt(identity_decode(bytes, &back), 0);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_eq(identity_decode(bytes, &back), ERR_NOT_FOUND);
}
END_TEST

START_TEST(segment__identity_of_a_later_version_is_known_as_such)
{
	struct segment_identity i = example_identity(), back;
	uint8_t bytes[IDENTITY_SIZE];

	identity_encode(bytes, &i);
	put_u32(bytes + 4, SEGMENT_VERSION + 1);
	put_u32(bytes + 92, crc32c(0, bytes, 92));
	ck_assert_int_eq(identity_decode(bytes, &back), ERR_VERSION);
	put_u32(bytes + 4, SEGMENT_VERSION);
	put_u32(bytes + 64, 4097); /* align */
	put_u32(bytes + 92, crc32c(0, bytes, 92));
	ck_assert_int_eq(identity_decode(bytes, &back), ERR_CORRUPT);
}
END_TEST

START_TEST(segment__use_reads_back_under_its_salt_only)
{
	struct segment_use u = example_use(), back;
	uint8_t bytes[USE_SIZE];

	use_encode(bytes, &u, 77);
	ck_assert_int_eq(use_decode(bytes, 77, &back), OK);
	ck_assert_uint_eq(back.sequence, 9);
	ck_assert_uint_eq(back.epoch, 2);
	ck_assert_uint_eq(back.first_lsn, 5);
	ck_assert_uint_eq(back.chain, 6);
	ck_assert(back.base);
	ck_assert_uint_eq(back.durable_lsn, 4);
	ck_assert_uint_eq(back.created_ms, 8);
	ck_assert_uint_eq(back.history.count, 2);
	ck_assert_uint_eq(back.history.at[1].first_lsn, 5);
	ck_assert_int_eq(use_decode(bytes, 78, &back), ERR_NOT_FOUND);
}
END_TEST

START_TEST(segment__use_with_any_flipped_bit_is_refused)
{
	struct segment_use u = example_use(), back;
	uint8_t bytes[USE_SIZE];
	unsigned bit;

	use_encode(bytes, &u, 77);
	for (bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(use_decode(bytes, 77, &back), ERR_NOT_FOUND);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

START_TEST(segment__use_with_a_durable_lsn_of_its_own_is_refused)
{
	struct segment_use u = example_use(), back;
	uint8_t bytes[USE_SIZE];

	u.durable_lsn = u.first_lsn - 1;
	use_encode(bytes, &u, 77);
	ck_assert_int_eq(use_decode(bytes, 77, &back), OK);
	u.durable_lsn = u.first_lsn;
	use_encode(bytes, &u, 77);
	ck_assert_int_eq(use_decode(bytes, 77, &back), ERR_NOT_FOUND);
	u.durable_lsn = UINT64_MAX;
	use_encode(bytes, &u, 77);
	ck_assert_int_eq(use_decode(bytes, 77, &back), ERR_NOT_FOUND);
}
END_TEST

/* Puts the check of a use block right, under salt 77. */
static void check_again(uint8_t bytes[USE_SIZE])
{
	uint8_t salt[8];
	uint32_t crc;

	put_u64(salt, 77);
	crc = crc32c(crc32c(0, salt, sizeof(salt)), bytes, 92);
	put_u32(bytes + 92, crc32c(crc, bytes + 96, USE_SIZE - 96));
}

START_TEST(segment__use_with_an_epoch_of_later_is_refused)
{
	struct segment_use u = example_use(), back;
	uint8_t bytes[USE_SIZE];

	use_encode(bytes, &u, 77);
	put_u32(bytes + 96 + 12, 3); /* the block is of epoch 2 */
	check_again(bytes);
	ck_assert_int_eq(use_decode(bytes, 77, &back), ERR_NOT_FOUND);
}
END_TEST

START_TEST(segment__use_whose_epoch_began_behind_it_is_refused)
{
	struct segment_use u = example_use(), back;
	uint8_t bytes[USE_SIZE];

	use_encode(bytes, &u, 77);
	put_u64(bytes + 96 + 16, u.first_lsn);
	check_again(bytes);
	ck_assert_int_eq(use_decode(bytes, 77, &back), OK);
	put_u64(bytes + 96 + 16, u.first_lsn + 1);
	check_again(bytes);
	ck_assert_int_eq(use_decode(bytes, 77, &back), ERR_NOT_FOUND);
}
END_TEST

START_TEST(segment__seal_reads_back)
{
	struct segment_seal s = { .record_count = 1,
				  .last_lsn = 2,
				  .chain = 3,
				  .next_sequence = 4,
				  .next_salt = 5,
				  .payload_size = 6,
				  .reason = SEAL_CUT };
	struct segment_seal back;
	uint8_t bytes[SEAL_SIZE];

	seal_encode(bytes, &s);
	ck_assert(seal_decode(slice_of(bytes, sizeof(bytes)), &back));
	ck_assert(back.record_count == 1 && back.last_lsn == 2);
	ck_assert(back.chain == 3 && back.next_sequence == 4);
	ck_assert(back.next_salt == 5 && back.payload_size == 6);
	ck_assert_uint_eq(back.reason, SEAL_CUT);
	ck_assert(!seal_decode(slice_of(bytes, sizeof(bytes) - 1), &back));
	bytes[48] = 4; /* a reason nobody knows */
	ck_assert(!seal_decode(slice_of(bytes, sizeof(bytes)), &back));
	bytes[48] = SEAL_CUT;
	bytes[63] = 1;
	ck_assert(!seal_decode(slice_of(bytes, sizeof(bytes)), &back));
}
END_TEST

START_TEST(segment__history_keeps_the_newest_epochs)
{
	struct epoch_history h = { 0 };
	uint32_t i;

	for (i = 1; i <= EPOCH_HISTORY_MAX + 3; i++)
		epoch_history_add(&h, i, i * 10);
	ck_assert_uint_eq(h.count, EPOCH_HISTORY_MAX);
	ck_assert_uint_eq(h.at[0].epoch, 4);
	ck_assert_uint_eq(h.at[h.count - 1].first_lsn,
			  (EPOCH_HISTORY_MAX + 3) * 10);
}
END_TEST

START_TEST(segment__chain_depends_on_order_place_and_content)
{
	struct frame_header a = {
		.first_lsn = 1, .count = 2, .epoch = 1, .content_check = 5
	};
	struct frame_header b = {
		.first_lsn = 3, .count = 1, .epoch = 1, .content_check = 6
	};
	uint64_t start = chain_start(0, 1, 1);
	uint64_t ab = chain_frame(chain_frame(start, &a), &b);

	ck_assert_uint_ne(ab, chain_frame(chain_frame(start, &b), &a));
	ck_assert_uint_ne(start, chain_start(0, 2, 1));
	ck_assert_uint_ne(start, chain_start(1, 1, 1));
	b.durable_lsn = 2; /* local: a replica's differs */
	ck_assert_uint_eq(ab, chain_frame(chain_frame(start, &a), &b));
	b.content_check = 7;
	ck_assert_uint_ne(ab, chain_frame(chain_frame(start, &a), &b));
}
END_TEST

START_TEST(segment__names_are_sixteen_digits)
{
	char name[SEGMENT_NAME_SIZE];
	uint64_t sequence = 0;

	segment_name(name, 1);
	ck_assert_str_eq(name, "0000000000000001.seg");
	segment_name(name, 1234567890123456);
	ck_assert(segment_parse_name(name, &sequence));
	ck_assert_uint_eq(sequence, 1234567890123456);
	ck_assert(!segment_parse_name("0000000000000000.seg", &sequence));
	ck_assert(!segment_parse_name("000000000000001.seg", &sequence));
	ck_assert(!segment_parse_name("0000000000000001.seg2", &sequence));
	ck_assert(!segment_parse_name("0000000000000001.torn", &sequence));
	ck_assert(!segment_parse_name("00000000000000x1.seg", &sequence));
	ck_assert(!segment_parse_name("", &sequence));
}
END_TEST

int main(void)
{
	return RUN_TESTS("segment", segment__identity_reads_back,
			 segment__identity_with_any_flipped_bit_is_refused,
			 segment__identity_of_a_later_version_is_known_as_such,
			 segment__use_reads_back_under_its_salt_only,
			 segment__use_with_any_flipped_bit_is_refused,
			 segment__use_with_a_durable_lsn_of_its_own_is_refused,
			 segment__use_with_an_epoch_of_later_is_refused,
			 segment__use_whose_epoch_began_behind_it_is_refused,
			 segment__seal_reads_back,
			 segment__history_keeps_the_newest_epochs,
			 segment__chain_depends_on_order_place_and_content,
			 segment__names_are_sixteen_digits);
}
