/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/table.h"

#include "base/mem.h"
#include "tests/support/suite.h"

#include <stdio.h>

struct item {
	uint64_t key;
	uint32_t value;
	uint16_t seen; /* visits of the scan or walk under test */
	bool in;       /* the model: whether the table has it */
	bool stable;
};

/* A table and its model: every item that may be in it. */
struct fixture {
	struct table t;
	struct item *items;
	size_t item_count;
	size_t in_count;
	struct test_random random;
	size_t hash_count; /* how often the table has asked for one */
};

static uint64_t key_hash(uint64_t key)
{
	struct test_random r = { key };

	return test_random_next(&r);
}

static uint64_t item_hash(const void *ctx, const void *entry)
{
	size_t *count = (size_t *)ctx;

	(*count)++;
	return key_hash(((const struct item *)entry)->key);
}

static bool item_match(const void *entry, const void *key)
{
	return ((const struct item *)entry)->key == *(const uint64_t *)key;
}

static void fixture_init(struct fixture *f, size_t item_count)
{
	size_t i;

	*f = (struct fixture){ .item_count = item_count };
	f->random.state = test_seed();
	f->items = mem_calloc(item_count, sizeof(f->items[0]));
	for (i = 0; i < item_count; i++)
		f->items[i].key = i;
	table_init(&f->t, item_hash, &f->hash_count);
}

static void fixture_release(struct fixture *f)
{
	table_release(&f->t, NULL, NULL);
	ck_assert_uint_eq(f->t.count, 0);
	mem_free(f->items);
}

static struct table_ref item_find(struct fixture *f, const struct item *item)
{
	return table_find(&f->t, key_hash(item->key), item_match, &item->key);
}

static void item_insert(struct fixture *f, struct item *item)
{
	uint64_t hash = key_hash(item->key);

	table_walk_touch(&f->t, hash);
	table_insert(&f->t, hash, item);
	item->in = true;
	f->in_count++;
}

static void item_remove(struct fixture *f, struct item *item)
{
	uint64_t hash = key_hash(item->key);

	table_walk_touch(&f->t, hash);
	table_remove(&f->t, hash, item_find(f, item));
	item->in = false;
	f->in_count--;
}

static struct item *any_item(struct fixture *f)
{
	return &f->items[test_random_below(&f->random, f->item_count)];
}

/* Puts items in, or takes them out, until the table has this many. */
static void resize_to(struct fixture *f, size_t count)
{
	while (f->in_count != count) {
		struct item *item = any_item(f);

		if (f->in_count < count && !item->in)
			item_insert(f, item);
		else if (f->in_count > count && item->in && !item->stable)
			item_remove(f, item);
	}
}

static void check_model(struct fixture *f)
{
	size_t i;

	table_check(&f->t);
	ck_assert_uint_eq(f->t.count, f->in_count);
	for (i = 0; i < f->item_count; i++) {
		struct table_ref ref = item_find(f, &f->items[i]);

		if (f->items[i].in != (ref.slot != NULL))
			ck_abort_msg("item %zu", i);
		if (ref.slot != NULL && table_ref_entry(ref) != &f->items[i])
			ck_abort_msg("item %zu is another", i);
	}
}

static void scan_visit(void *ctx, void *entry)
{
	struct item *item = entry;

	(void)ctx;
	item->seen++;
}

START_TEST(table__an_empty_one_costs_no_memory)
{
	struct fixture f;
	uint64_t position = 0;

	fixture_init(&f, 1);
	ck_assert_uint_eq(table_memory(&f.t), 0);
	ck_assert_ptr_null(item_find(&f, &f.items[0]).slot);
	ck_assert_ptr_null(table_random(&f.t, 5));
	ck_assert_uint_eq(table_scan(&f.t, 0, NULL, NULL), 0);
	table_walk_begin(&f.t, NULL, scan_visit, NULL);
	ck_assert(!table_walk_next(&f.t, &position));
	table_walk_end(&f.t);
	table_check(&f.t);
	fixture_release(&f);
}
END_TEST

START_TEST(table__small_ones_agree_with_a_model_after_every_step)
{
	struct fixture f;
	int i;

	fixture_init(&f, 1200);
	for (i = 0; i < 5000; i++) {
		/* up, then down again */
		bool add = test_random_below(&f.random, 100) <
			   (i < 2500 ? 75u : 25u);
		struct item *item = any_item(&f);

		if (add && !item->in)
			item_insert(&f, item);
		else if (!add && item->in)
			item_remove(&f, item);
		table_check(&f.t);
		ck_assert_uint_eq(f.t.count, f.in_count);
	}
	check_model(&f);
	resize_to(&f, 0);
	check_model(&f);
	fixture_release(&f);
}
END_TEST

START_TEST(table__big_ones_agree_with_a_model)
{
	static const size_t sizes[] = { 3000,  60000, 20000, 200000,
					90000, 150000, 500,   30000, 0, 40 };
	struct fixture f;
	size_t i;

	fixture_init(&f, 210000);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		resize_to(&f, sizes[i]);
		check_model(&f);
	}
	fixture_release(&f);
}
END_TEST

START_TEST(table__a_ref_takes_another_pointer)
{
	struct fixture f;
	struct item moved = { .key = 7 };
	struct table_ref ref;

	fixture_init(&f, 100);
	resize_to(&f, 100);
	ref = item_find(&f, &f.items[7]);
	table_ref_set(ref, &moved);
	ck_assert_ptr_eq(table_ref_entry(item_find(&f, &moved)), &moved);
	table_check(&f.t);
	fixture_release(&f);
}
END_TEST

START_TEST(table__takes_less_than_eleven_bytes_per_key)
{
	struct fixture f;
	double bytes = 0, fill = 0;
	size_t i, samples = 0;

	fixture_init(&f, 200000);
	for (i = 0; i < f.item_count; i++) {
		item_insert(&f, &f.items[i]);
		if (i >= 100000 && i % 500 == 0) {
			bytes += (double)table_memory(&f.t) / (double)i;
			fill += (double)i / (double)f.t.bucket_count / 8;
			samples++;
		}
	}
	printf("mean: %.2f B/key, fill %.3f\n", bytes / (double)samples,
	       fill / (double)samples);
	ck_assert_double_le(bytes / (double)samples, 10.8);
	ck_assert_double_ge(fill / (double)samples, 0.78);
	fixture_release(&f);
}
END_TEST

START_TEST(table__memory_comes_back_when_keys_leave)
{
	struct fixture f;

	fixture_init(&f, 150000);
	resize_to(&f, 150000);
	resize_to(&f, 15000);
	ck_assert_uint_le(table_memory(&f.t), 15000 * 30);
	table_check(&f.t);
	resize_to(&f, 300);
	ck_assert_uint_le(table_memory(&f.t), 12 * 1024);
	check_model(&f);
	resize_to(&f, 0);
	ck_assert_uint_le(table_memory(&f.t), 1024);
	fixture_release(&f);
}
END_TEST

START_TEST(table__reserved_room_is_used_without_growth)
{
	static const size_t counts[] = { 1, 10, 100, 1000, 5000, 100000 };
	struct fixture f;
	size_t i, segments;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		fixture_init(&f, counts[i]);
		table_reserve(&f.t, counts[i]);
		table_check(&f.t);
		segments = f.t.segment_count;
		resize_to(&f, counts[i]);
		ck_assert_uint_eq(f.t.segment_count, segments);
		check_model(&f);
		fixture_release(&f);
	}
}
END_TEST

static void note_seen(void *ctx, void *entry)
{
	(void)ctx;
	((struct item *)entry)->seen++;
}

START_TEST(table__release_in_steps_meets_every_entry_once)
{
	struct fixture f;
	uint64_t position = 0;
	size_t i, before;
	bool more;

	fixture_init(&f, 300000);
	resize_to(&f, 300000);
	do {
		before = f.t.count;
		more = table_release_step(&f.t, &position, note_seen, NULL);
		ck_assert_uint_le(before - f.t.count, 300);
	} while (more);
	ck_assert_uint_eq(f.t.count, 0);
	ck_assert_uint_eq(table_memory(&f.t), 0);
	for (i = 0; i < f.item_count; i++)
		ck_assert_uint_eq(f.items[i].seen, 1);
	fixture_release(&f);
}
END_TEST

/* --- scans -------------------------------------------------------------- */

START_TEST(table__scan_returns_each_key_once_if_nothing_changes)
{
	struct fixture f;
	uint64_t position = 0, last = 0;
	size_t i;

	fixture_init(&f, 20000);
	resize_to(&f, 20000);
	do {
		last = position;
		position = table_scan(&f.t, position, scan_visit, NULL);
		ck_assert(position > last || position == 0);
		ck_assert_uint_eq(position % TABLE_POSITION_STEP, 0);
	} while (position != 0);
	for (i = 0; i < f.item_count; i++)
		ck_assert_uint_eq(f.items[i].seen, 1);
	fixture_release(&f);
}
END_TEST

/* Scans while the table changes its size between `low` and `high`. */
static void scan_under_changes(size_t start, size_t low, size_t high)
{
	struct fixture f;
	uint64_t position = 0;
	size_t i, steps = 0, target = high;

	fixture_init(&f, 60000);
	resize_to(&f, start);
	for (i = 0; i < f.item_count; i++)
		f.items[i].stable = f.items[i].in && i % 16 == 0;
	do {
		size_t step = test_random_below(&f.random, 60);

		position = table_scan(&f.t, position, scan_visit, NULL);
		if (f.in_count == target)
			target = target == high ? low : high;
		if (f.in_count < target)
			resize_to(&f, f.in_count + step > target
					      ? target
					      : f.in_count + step);
		else
			resize_to(&f, f.in_count < target + step
					      ? target
					      : f.in_count - step);
		ck_assert_uint_lt(++steps, 100000);
	} while (position != 0);
	table_check(&f.t);
	for (i = 0; i < f.item_count; i++)
		if (f.items[i].stable && f.items[i].seen == 0)
			ck_abort_msg("item %zu was not returned", i);
	fixture_release(&f);
}

START_TEST(table__scan_misses_no_stable_key_while_sizes_change)
{
	scan_under_changes(2000, 2000, 55000);
	scan_under_changes(50000, 4000, 50000);
	scan_under_changes(700, 100, 3000);
	scan_under_changes(20, 10, 40);
}
END_TEST

/* --- growth ------------------------------------------------------------- */

START_TEST(table__growth_seldom_reads_the_entries)
{
	struct fixture f;
	size_t before, count;

	fixture_init(&f, 250000);
	resize_to(&f, 5000);
	before = f.hash_count;
	/* Five doublings: one of them asks all that are there then, so that
	 * tags get sharp again. If each did, it would be 200000 or more. */
	resize_to(&f, 160000);
	count = f.hash_count - before;
	ck_assert_uint_ge(count, 5000);
	ck_assert_uint_le(count, 160000);
	check_model(&f);
	resize_to(&f, 20000);
	check_model(&f);
	fixture_release(&f);
}
END_TEST

/* --- the walk ----------------------------------------------------------- */

struct walk_check {
	struct fixture *f;
	size_t visits;
	uint64_t sum; /* of key and value, order-independent */
};

static uint64_t item_digest(const struct item *item)
{
	return key_hash(item->key * 1000003 + item->value + 17);
}

static void walk_visit(void *ctx, void *entry)
{
	struct walk_check *c = ctx;
	struct item *item = entry;

	if (item->seen++ != 0)
		ck_abort_msg("item %zu is visited again", (size_t)item->key);
	c->visits++;
	c->sum += item_digest(item);
}

/* What a writer does: the bucket is visited before the entry changes. */
static void item_change(struct fixture *f, struct item *item)
{
	table_walk_touch(&f->t, key_hash(item->key));
	item->value++;
}

/* Walks while up to `changes` random changes happen per bucket; what is asked
 * for tends towards more keys or towards fewer. */
static void walk_under_changes(size_t start, unsigned changes, bool shrink)
{
	struct fixture f;
	struct walk_check c = { .f = &f };
	uint64_t position = 0, sum = 0;
	size_t i;

	fixture_init(&f, 40000);
	resize_to(&f, start);
	for (i = 0; i < f.item_count; i++)
		if (f.items[i].in)
			sum += item_digest(&f.items[i]);
	table_walk_begin(&f.t, NULL, walk_visit, &c);
	while (table_walk_next(&f.t, &position)) {
		unsigned left = (unsigned)test_random_below(&f.random,
							    changes + 1);

		for (; left > 0; left--) {
			struct item *item = any_item(&f);
			bool add = test_random_below(&f.random, 8) <
				   (shrink ? 2u : 6u);

			if (item->in && !add)
				item_remove(&f, item);
			else if (!item->in && add)
				item_insert(&f, item);
			else if (item->in)
				item_change(&f, item);
		}
	}
	table_walk_end(&f.t);
	table_check(&f.t);
	ck_assert_uint_eq(c.visits, start);
	ck_assert_uint_eq(c.sum, sum);
	fixture_release(&f);
}

START_TEST(table__walk_sees_the_state_at_its_start_exactly_once)
{
	walk_under_changes(0, 3, false);
	walk_under_changes(30, 3, false);
	walk_under_changes(30, 3, true);
	walk_under_changes(3000, 40, false);
	walk_under_changes(3000, 20, true);
	walk_under_changes(30000, 0, false);
	walk_under_changes(30000, 12, false);
	walk_under_changes(30000, 30, true);
}
END_TEST

START_TEST(table__walks_follow_one_another)
{
	struct fixture f;
	struct walk_check c = { .f = &f };
	uint64_t position;
	int round;
	size_t i;

	fixture_init(&f, 10000);
	resize_to(&f, 9000);
	for (round = 0; round < 4; round++) {
		size_t start = f.in_count;

		for (i = 0; i < f.item_count; i++)
			f.items[i].seen = 0;
		c.visits = 0;
		position = 0;
		table_walk_begin(&f.t, NULL, walk_visit, &c);
		/* every other one is abandoned half-way */
		for (i = 0; table_walk_next(&f.t, &position); i++)
			if (round % 2 == 0 && i == 500)
				break;
		table_walk_end(&f.t);
		if (round % 2 == 1)
			ck_assert_uint_eq(c.visits, start);
		resize_to(&f, f.in_count - 1500);
	}
	fixture_release(&f);
}
END_TEST

START_TEST(table__memory_comes_back_under_a_walk)
{
	struct fixture f;
	struct walk_check c = { .f = &f };

	fixture_init(&f, 60000);
	resize_to(&f, 60000);
	table_walk_begin(&f.t, NULL, walk_visit, &c);
	resize_to(&f, 600);
	ck_assert_uint_le(table_memory(&f.t), 32 * 1024);
	ck_assert_uint_le(c.visits, 60000);
	ck_assert_uint_ge(c.visits, 59400);
	table_walk_end(&f.t);
	table_check(&f.t);
	fixture_release(&f);
}
END_TEST

/* --- random entries ----------------------------------------------------- */

static void random_fairness(size_t count, size_t draws_each)
{
	struct fixture f;
	size_t i, most = 0;

	fixture_init(&f, count);
	resize_to(&f, count);
	for (i = 0; i < count * draws_each; i++) {
		uint64_t r = test_random_next(&f.random);

		((struct item *)table_random(&f.t, r))->seen++;
	}
	for (i = 0; i < count; i++) {
		ck_assert_uint_gt(f.items[i].seen, 0);
		if (f.items[i].seen > most)
			most = f.items[i].seen;
	}
	ck_assert_uint_le(most, draws_each * 3);
	fixture_release(&f);
}

START_TEST(table__random_entries_are_drawn_evenly)
{
	random_fairness(1, 10);
	random_fairness(5, 100);
	random_fairness(300, 60);
	random_fairness(3000, 60);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"table", table__an_empty_one_costs_no_memory,
		table__small_ones_agree_with_a_model_after_every_step,
		table__big_ones_agree_with_a_model,
		table__a_ref_takes_another_pointer,
		table__takes_less_than_eleven_bytes_per_key,
		table__memory_comes_back_when_keys_leave,
		table__reserved_room_is_used_without_growth,
		table__release_in_steps_meets_every_entry_once,
		table__scan_returns_each_key_once_if_nothing_changes,
		table__scan_misses_no_stable_key_while_sizes_change,
		table__growth_seldom_reads_the_entries,
		table__walk_sees_the_state_at_its_start_exactly_once,
		table__walks_follow_one_another,
		table__memory_comes_back_under_a_walk,
		table__random_entries_are_drawn_evenly);
}
