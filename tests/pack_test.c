/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/pack.h"

#include <stdlib.h>

#include "tests/support/suite.h"

#define BYTES_MAX 6000

static void check_round_trip(struct slice s)
{
	static uint8_t packed[BYTES_MAX + 16];
	char scratch[NUM_I64_SIZE];
	struct pack_key key = pack_key(s);
	uint8_t *end = pack_put(packed, s);
	const uint8_t *behind;
	struct pack_item item;
	size_t count;

	ck_assert_uint_eq((size_t)(end - packed), pack_size(s));
	ck_assert_uint_eq(pack_key_size(&key), pack_size(s));
	ck_assert_ptr_eq(pack_skip(packed), end);
	ck_assert_ptr_eq(pack_next(packed, &item), end);
	ck_assert(slice_equal(pack_slice(&item, scratch), s));
	ck_assert(pack_match(packed, &key, &behind));
	ck_assert_ptr_eq(behind, end);
	ck_assert(pack_check(packed, (size_t)(end - packed), &count));
	ck_assert_uint_eq(count, 1);
	ck_assert(!pack_check(packed, (size_t)(end - packed) - 1, &count) ||
		  end - packed == 1);
}

START_TEST(pack__every_integer_width_comes_back)
{
	char text[NUM_I64_SIZE];
	int bit, near;

	for (bit = 0; bit < 64; bit++)
		for (near = -2; near <= 2; near++) {
			uint64_t u = (UINT64_C(1) << bit) + (uint64_t)near;

			check_round_trip(slice_of(
				text, num_format_i64(text, (int64_t)u)));
			check_round_trip(slice_of(
				text, num_format_i64(text, (int64_t)-u)));
		}
}
END_TEST

START_TEST(pack__bytes_of_every_size_come_back)
{
	static uint8_t bytes[BYTES_MAX];
	size_t size;

	memset(bytes, 'x', sizeof(bytes));
	for (size = 0; size < BYTES_MAX; size += size < 4100 ? 1 : 97)
		check_round_trip(slice_of(bytes, size));
}
END_TEST

START_TEST(pack__only_canonical_numbers_become_integers)
{
	static const char *const words[] = { "007", "+1", "-0", "1 ", " 1",
		"-", "", "9223372036854775808", "-9223372036854775809", "1.0" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		ck_assert(!pack_key(slice_str(words[i])).is_number);
		check_round_trip(slice_str(words[i]));
	}
	ck_assert_uint_eq(pack_size(SLICE_LITERAL("63")), 1);
	ck_assert_uint_eq(pack_size(SLICE_LITERAL("64")), 2);
	ck_assert_uint_eq(pack_size(SLICE_LITERAL("-1")), 2);
	ck_assert_uint_eq(pack_size(SLICE_LITERAL("128")), 3);
}
END_TEST

START_TEST(pack__different_elements_do_not_match)
{
	static const char *const words[] = { "", "1", "2", "63", "64", "-64",
		"a", "b", "ab", "300", "65536", "x300" };
	uint8_t packed[64];
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(words); i++)
		for (j = 0; j < ARRAY_LEN(words); j++) {
			struct pack_key key = pack_key(slice_str(words[j]));

			pack_put(packed, slice_str(words[i]));
			ck_assert(pack_match(packed, &key, NULL) == (i == j));
		}
}
END_TEST

int main(void)
{
	return RUN_TESTS("pack", pack__every_integer_width_comes_back,
			 pack__bytes_of_every_size_come_back,
			 pack__only_canonical_numbers_become_integers,
			 pack__different_elements_do_not_match);
}
