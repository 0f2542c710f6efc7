/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Estimates beside the keyspace: what is remembered of a key's entry is of its
 * value as it is, whatever records came between.
 */
#include "engine/estimates.h"

#include <stdio.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "engine/apply.h"
#include "engine/config.h"
#include "engine/keyspace.h"
#include "tests/support/suite.h"
#include "types/str.h"

#define DBS 2
#define KEYS 6

static const uint64_t hash_key[2] = { 1, 2 };

static struct slice key_of(char text[8], unsigned index)
{
	snprintf(text, 8, "k%u", index);
	return slice_str(text);
}

static void apply_record(struct keyspace *ks, struct record r)
{
	keyspace_forget(ks);
	r.lsn = ks->applied_lsn + 1;
	r.key_hash = keyspace_hash(ks, r.key);
	r.cause = CAUSE_set;
	if (record_fits(ks, &r, NULL) == OK)
		apply(ks, &r);
}

/* Stands for the estimate: whatever depends on all bytes. */
static uint64_t count_of(const struct entry *e)
{
	char scratch[NUM_I64_SIZE];
	struct slice value;

	if (entry_type(e) != VALUE_string || !str_whole(e, scratch, &value))
		return 0;
	return crc32c(0, value.data, value.size);
}

/* What is remembered is right; then it is remembered. */
static bool look(struct keyspace *ks, uint32_t db, struct slice key)
{
	const struct entry *e = keyspace_find(ks, db, key);
	uint64_t count;
	bool known;

	if (!e)
		return false;
	known = keyspace_estimate(ks, key, e, &count);
	if (known)
		ck_assert_uint_eq(count, count_of(e));
	keyspace_keep_estimate(ks, key, e, count_of(e));
	ck_assert(keyspace_estimate(ks, key, e, &count));
	return known;
}

/* A record of any kind that strings meet. */
static struct record random_record(struct test_random *r, struct record rec)
{
	static const uint8_t types[] = {
		REC_str_set, REC_str_set, REC_str_write, REC_str_write,
		REC_key_del, REC_key_expire, REC_key_move, REC_key_copy,
		REC_db_flush, REC_all_flush, REC_db_swap,
	};

	rec.type = types[test_random_below(r, ARRAY_LEN(types))];
	rec.db = (uint32_t)test_random_below(r, DBS);
	rec.other_db = test_random_below(r, DBS);
	rec.offset = test_random_below(r, 40);
	if (rec.type == REC_key_expire || rec.type == REC_key_copy)
		rec.deadline = test_random_below(r, 2) * (1 << 20);
	return rec;
}

START_TEST(estimates__are_of_the_value_as_it_is_after_any_record)
{
	struct test_random r = { test_seed() };
	struct config *config = config_new();
	struct keyspace ks;
	unsigned step, known = 0;

	keyspace_init(&ks, config, hash_key);
	for (step = 0; step < 200000; step++) {
		char key[8], other[8], value[8];
		struct record rec = {
			.key = key_of(key, (unsigned)test_random_below(&r,
								       KEYS)),
			.other = key_of(other, (unsigned)test_random_below(
						       &r, KEYS)),
			.value = key_of(value, (unsigned)test_random_below(
						       &r, 100)),
		};

		if (test_random_below(&r, 3))
			known += look(&ks, (uint32_t)test_random_below(&r, DBS),
				      rec.key);
		else
			apply_record(&ks, random_record(&r, rec));
		keyspace_bury(&ks, 1);
	}
	ck_assert_uint_gt(known, 1000);
	keyspace_release(&ks);
	config_free(config);
}
END_TEST

START_TEST(estimates__a_write_to_another_key_keeps_them)
{
	struct config *config = config_new();
	struct keyspace ks;
	struct record a = { .type = REC_str_set, .key = slice_str("a"),
			    .value = slice_str("x") };
	struct record b = { .type = REC_str_set, .key = slice_str("b"),
			    .value = slice_str("y") };

	keyspace_init(&ks, config, hash_key);
	apply_record(&ks, a);
	ck_assert(!look(&ks, 0, a.key));
	apply_record(&ks, b);
	ck_assert(look(&ks, 0, a.key));
	apply_record(&ks, a);
	ck_assert(!look(&ks, 0, a.key));
	keyspace_release(&ks);
	config_free(config);
}
END_TEST

START_TEST(estimates__keys_of_one_slot_are_told_apart)
{
	struct estimates *all = NULL;
	static const uint8_t blocks[2];
	const struct entry *one = (const struct entry *)&blocks[0];
	const struct entry *two = (const struct entry *)&blocks[1];
	uint64_t count;

	ck_assert(!estimates_find(all, 7, one, &count));
	estimates_keep(&all, &(struct estimate){ one, 7, 100 });
	ck_assert(estimates_find(all, 7, one, &count));
	ck_assert_uint_eq(count, 100);
	ck_assert(!estimates_find(all, 7, two, &count));
	ck_assert(!estimates_find(all, 7 + ESTIMATE_SLOTS, one, &count));
	estimates_drop(all, 7 + ESTIMATE_SLOTS);
	ck_assert(estimates_find(all, 7, one, &count));
	estimates_keep(&all, &(struct estimate){ two, 7 + ESTIMATE_SLOTS, 5 });
	ck_assert(!estimates_find(all, 7, one, &count));
	estimates_drop(all, 7 + ESTIMATE_SLOTS);
	ck_assert(!estimates_find(all, 7 + ESTIMATE_SLOTS, two, &count));
	mem_free(all);
}
END_TEST

int main(void)
{
	return RUN_TESTS("estimates",
		estimates__are_of_the_value_as_it_is_after_any_record,
		estimates__a_write_to_another_key_keeps_them,
		estimates__keys_of_one_slot_are_told_apart);
}
