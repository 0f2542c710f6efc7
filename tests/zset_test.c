/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/zset.h"

#include "base/grave.h"
#include "base/mem.h"
#include "base/slab.h"
#include "tests/support/suite.h"
#include "types/zset_big.h"
#include "types/zset_packed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t hash_key[2] = { 0x0123456789abcdef, 42 };

/* A sorted set and its model: an array that is sorted when asked for. */
struct model_item {
	double score;
	struct slice member;
	bool in;
};

struct fixture {
	struct entry *e;
	struct model_item *items;
	struct model_item **order; /* those that are in, in order */
	size_t item_count, in_count;
	struct test_random random;
};

static int compare_items(const void *a, const void *b)
{
	const struct model_item *x = *(struct model_item *const *)a;
	const struct model_item *y = *(struct model_item *const *)b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return zset_compare_bytes(x->member, y->member);
}

/* Members of many lengths, some of them long, prefixes of each other. */
static struct slice make_member(size_t i)
{
	size_t size = i % 50 == 49 ? 40 + i % 300 : 0;
	char *text = mem_alloc(24 + size);
	int used = sprintf(text, i % 3 ? "%zu" : "member:%zu", i);

	memset(text + used, 'x', size);
	return slice_of(text, (size_t)used + size);
}

static void fixture_init(struct fixture *f, size_t item_count)
{
	size_t i;

	*f = (struct fixture){ .item_count = item_count };
	f->random.state = test_seed();
	f->e = zset_new(slice_str("key"), 0);
	f->items = mem_calloc(item_count, sizeof(*f->items));
	f->order = mem_calloc(item_count, sizeof(*f->order));
	for (i = 0; i < item_count; i++)
		f->items[i].member = make_member(i);
}

static void fixture_release(struct fixture *f)
{
	size_t i;

	zset_free(f->e);
	grave_finish();
	for (i = 0; i < f->item_count; i++)
		mem_free((void *)f->items[i].member.data);
	mem_free(f->items);
	mem_free(f->order);
	slab_check();
}

static void fixture_set(struct fixture *f, struct model_item *m, double score)
{
	struct zset_item item = { score, m->member };
	bool added;

	f->e = zset_add(f->e, hash_key, &item, &added);
	ck_assert_int_eq(added, !m->in);
	f->in_count += !m->in;
	m->in = true;
	m->score = score;
}

static void fixture_remove(struct fixture *f, struct model_item *m)
{
	bool removed;

	f->e = zset_remove(f->e, m->member, &removed);
	ck_assert_int_eq(removed, m->in);
	f->in_count -= m->in;
	m->in = false;
}

#define SCORE_KINDS 6

static double random_score(struct fixture *f, unsigned kind)
{
	uint64_t r = test_random_next(&f->random);
	double v;

	switch (kind) {
	case 0: /* many equal ones */
		return (double)(r % 7) - 3;
	case 1:
		return (double)(r % 1000000);
	case 2:
		return (double)(int64_t)r / 1e17;
	case 3: /* a time */
		return 1.7e12 + (double)(r % 100000);
	case 4: /* keys that differ in bits 40 to 62: the last alone */
		return 1 + (double)(r % (3 << 11)) / 2048;
	default: /* anything */
		memcpy(&v, &r, sizeof(v));
		return isnan(v) ? -0.0 : v;
	}
}

static void make_order(struct fixture *f)
{
	size_t i, count = 0;

	for (i = 0; i < f->item_count; i++)
		if (f->items[i].in)
			f->order[count++] = &f->items[i];
	ck_assert_uint_eq(count, f->in_count);
	qsort(f->order, count, sizeof(*f->order), compare_items);
}

static void same_item(const struct zset_item *item, const struct model_item *m)
{
	ck_assert(slice_equal(item->member, m->member));
	ck_assert(memcmp(&item->score, &m->score, sizeof(double)) == 0);
}

static void check_ranks(struct fixture *f, const struct model_item *m,
			size_t rank)
{
	size_t got, below = 0, up_to = 0;
	double score;

	ck_assert(zset_rank(f->e, m->member, &got, &score));
	ck_assert_uint_eq(got, rank);
	ck_assert(memcmp(&score, &m->score, sizeof(double)) == 0);
	while (below < f->in_count && f->order[below]->score < m->score)
		below++;
	up_to = below;
	while (up_to < f->in_count && f->order[up_to]->score == m->score)
		up_to++;
	ck_assert_uint_eq(zset_rank_of_score(f->e, m->score, false), below);
	ck_assert_uint_eq(zset_rank_of_score(f->e, m->score, true), up_to);
}

static void check_model(struct fixture *f)
{
	size_t i, step = f->in_count / 20 + 1;
	struct zset_item item;
	struct zset_iter it;

	zset_check(f->e);
	make_order(f);
	ck_assert_uint_eq(zset_count(f->e), f->in_count);
	zset_seek(&it, f->e, 0);
	for (i = 0; i < f->in_count; i++) {
		ck_assert(zset_next(&it, &item));
		same_item(&item, f->order[i]);
	}
	ck_assert(!zset_next(&it, &item));
	while (i-- > 0) {
		ck_assert(zset_previous(&it, &item));
		same_item(&item, f->order[i]);
	}
	ck_assert(!zset_previous(&it, &item));
	for (i = 0; i < f->in_count; i += step) {
		check_ranks(f, f->order[i], i);
		zset_seek(&it, f->e, i + 1);
		ck_assert(zset_previous(&it, &item));
		same_item(&item, f->order[i]);
		ck_assert(zset_next(&it, &item));
		same_item(&item, f->order[i]);
	}
}

/* steps changes; check every so many; first half grows, second shrinks. */
static void random_changes(struct fixture *f, size_t steps, size_t check_each,
			   unsigned kind)
{
	size_t i;

	for (i = 0; i < steps; i++) {
		struct model_item *m = &f->items[test_random_below(
			&f->random, f->item_count)];
		bool grow = test_random_below(&f->random, 10) <
			    (i < steps / 2 ? 7u : 3u);
		double score;

		if (grow)
			fixture_set(f, m, random_score(f, kind));
		else
			fixture_remove(f, m);
		ck_assert_int_eq(zset_score(f->e, m->member, &score), grow);
		if (i % check_each == 0)
			check_model(f);
	}
	check_model(f);
}

/* Random changes of so many members, for each kind of scores. encoding: what
 * must have come out; NULL: anything. */
static void check_against_model(size_t members, size_t steps,
				size_t check_each, const char *encoding)
{
	struct fixture f;
	unsigned kind;

	for (kind = 0; kind < SCORE_KINDS; kind++) {
		fixture_init(&f, members);
		random_changes(&f, steps, check_each, kind);
		if (encoding)
			ck_assert_str_eq(zset_encoding_name(f.e), encoding);
		fixture_release(&f);
	}
}

START_TEST(zset__packed_ones_agree_with_a_model_after_every_step)
{
	zset_limits(1000, 400);
	check_against_model(100, 200, 1, "listpack");
}
END_TEST

START_TEST(zset__small_trees_agree_with_a_model_after_every_step)
{
	zset_limits(0, 0);
	check_against_model(300, 200, 1, "skiplist");
}
END_TEST

START_TEST(zset__big_trees_agree_with_a_model)
{
	zset_limits(128, 64);
	check_against_model(4000, 16000, 4000, NULL);
}
END_TEST

START_TEST(zset__becomes_big_behind_either_limit_and_stays_so)
{
	struct fixture f;
	size_t i;

	zset_limits(10, 20);
	fixture_init(&f, 100);
	for (i = 0; i < 10; i++)
		fixture_set(&f, &f.items[i], 1);
	ck_assert_str_eq(zset_encoding_name(f.e), "listpack");
	fixture_set(&f, &f.items[0], 2);
	ck_assert_str_eq(zset_encoding_name(f.e), "listpack");
	fixture_set(&f, &f.items[10], 2);
	ck_assert_str_eq(zset_encoding_name(f.e), "skiplist");
	for (i = 1; i <= 10; i++)
		fixture_remove(&f, &f.items[i]);
	ck_assert_str_eq(zset_encoding_name(f.e), "skiplist");
	check_model(&f);
	fixture_release(&f);

	fixture_init(&f, 100);
	fixture_set(&f, &f.items[49], 1); /* a long member */
	ck_assert_str_eq(zset_encoding_name(f.e), "skiplist");
	fixture_release(&f);
}
END_TEST

/* In order, forwards or backwards, then all removed. */
static void in_order(double from, double step)
{
	struct fixture f;
	size_t i;

	zset_limits(128, 64);
	fixture_init(&f, 8000);
	for (i = 0; i < f.item_count; i++)
		fixture_set(&f, &f.items[i], from + step * (double)i);
	check_model(&f);
	ck_assert_uint_le(zset_big(f.e)->tree.leaf_count,
			  f.item_count / LEAF_MAX * 23 / 20 + 2);
	for (i = 0; i < f.item_count; i++)
		fixture_remove(&f, &f.items[i]);
	check_model(&f);
	ck_assert_uint_eq(zset_big(f.e)->tree.leaf_count, 0);
	fixture_release(&f);
}

START_TEST(zset__members_in_order_fill_their_leaves)
{
	in_order(0, 1);
	in_order(1.7e12, 3);
	in_order(-5e300, 1e296);
	in_order(1e9, -1);
}
END_TEST

START_TEST(zset__members_of_one_score_have_ranks_by_bytes)
{
	unsigned limit;

	for (limit = 0; limit <= 1000; limit += 1000) {
		struct fixture f;
		size_t i;

		zset_limits(limit, 1000);
		fixture_init(&f, limit ? 300 : 3000);
		for (i = 0; i < f.item_count; i += 2)
			fixture_set(&f, &f.items[i], 5);
		make_order(&f);
		for (i = 0; i < f.item_count; i++) {
			struct slice s = f.items[i].member;
			size_t below = 0;

			while (below < f.in_count &&
			       zset_compare_bytes(f.order[below]->member, s) <
				       0)
				below++;
			ck_assert_uint_eq(zset_rank_of_member(f.e, s, false),
					  below);
			ck_assert_uint_eq(zset_rank_of_member(f.e, s, true),
					  below + f.items[i].in);
		}
		fixture_release(&f);
	}
}
END_TEST

START_TEST(zset__members_that_rise_with_scores_have_ranks_by_bytes)
{
	unsigned limit;

	for (limit = 0; limit <= 1000; limit += 1000) {
		struct fixture f;
		size_t i;

		zset_limits(limit, 1000);
		fixture_init(&f, limit ? 300 : 3000);
		for (i = 0; i < f.item_count; i++)
			fixture_set(&f, &f.items[i], 5);
		make_order(&f);
		for (i = 0; i < f.item_count; i++)
			fixture_set(&f, f.order[i], (double)(i / 3));
		for (i = 0; i < f.item_count; i++) {
			struct slice s = f.order[i]->member;

			ck_assert_uint_eq(zset_rank_of_member(f.e, s, false),
					  i);
			ck_assert_uint_eq(zset_rank_of_member(f.e, s, true),
					  i + 1);
		}
		fixture_release(&f);
	}
}
END_TEST

START_TEST(zset__loaded_without_order_has_it_at_the_end)
{
	unsigned kind;

	for (kind = 0; kind < SCORE_KINDS; kind++) {
		struct fixture f;
		size_t i;

		zset_limits(128, 64);
		fixture_init(&f, 6000);
		zset_loading(true);
		for (i = 0; i < f.item_count; i++)
			fixture_set(&f, &f.items[i], random_score(&f, kind));
		for (i = 0; i < f.item_count; i += 3)
			fixture_remove(&f, &f.items[i]);
		for (i = 0; i < f.item_count; i += 4)
			fixture_set(&f, &f.items[i], random_score(&f, kind));
		ck_assert(!zset_big(f.e)->ordered);
		zset_loading(false);
		ck_assert(zset_big(f.e)->ordered);
		check_model(&f);
		random_changes(&f, 2000, 1000, kind);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(zset__a_set_freed_without_order_leaves_the_line)
{
	struct fixture f;
	size_t i;

	zset_limits(0, 0);
	zset_loading(true);
	fixture_init(&f, 100);
	for (i = 0; i < f.item_count; i++)
		fixture_set(&f, &f.items[i], 1);
	fixture_release(&f);
	zset_loading(false);
}
END_TEST

START_TEST(zset__made_at_once_is_the_same_as_one_by_one)
{
	unsigned kind, round;

	zset_limits(128, 64);
	for (kind = 0; kind < 5; kind++) {
		for (round = 0; round < 10; round++) {
			struct fixture f;
			struct zset_item *items;
			size_t i;

			fixture_init(&f, 1 + round * (round < 9 ? 20 : 150));
			items = mem_calloc(f.item_count, sizeof(*items));
			for (i = 0; i < f.item_count; i++) {
				double score = random_score(&f, kind);

				fixture_set(&f, &f.items[i], score);
				items[i] = (struct zset_item){
					score, f.items[i].member };
			}
			zset_free(f.e);
			f.e = zset_of(slice_str("key"), hash_key, items,
				      f.item_count);
			ck_assert_ptr_nonnull(f.e);
			zset_check(f.e);
			check_model(&f);
			random_changes(&f, 40, 20, kind);
			check_model(&f);
			mem_free(items);
			fixture_release(&f);
		}
	}
}
END_TEST

START_TEST(zset__of_few_with_one_twice_none_is_made)
{
	struct zset_item items[] = {
		{ 1, slice_str("a") }, { 2, slice_str("b") },
		{ 3, slice_str("a") },
	};
	struct entry *e;
	double score;

	zset_limits(128, 64);
	ck_assert_ptr_null(zset_of(slice_str("key"), hash_key, items, 3));
	zset_limits(1, 64);
	e = zset_of(slice_str("key"), hash_key, items, 3);
	ck_assert_uint_eq(zset_count(e), 2);
	ck_assert(zset_score(e, slice_str("a"), &score));
	ck_assert(score == 3);
	zset_check(e);
	zset_free(e);
	zset_limits(128, 64);
}
END_TEST

START_TEST(zset__a_copy_is_equal_and_its_own)
{
	size_t count;

	for (count = 10; count < 10000; count *= 10) {
		struct fixture f;
		struct entry *original;
		size_t i;

		zset_limits(128, 64);
		fixture_init(&f, count);
		for (i = 0; i < count; i++)
			fixture_set(&f, &f.items[i], random_score(&f, 1));
		original = f.e;
		f.e = zset_copy(original, slice_str("other"), 77);
		ck_assert_uint_eq(entry_deadline(f.e), 77);
		zset_free(original);
		grave_finish();
		check_model(&f);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(zset__a_held_one_is_taken_apart_when_it_is_let_go)
{
	struct fixture f;
	struct zset *z;
	size_t i, objects;
	struct slab_stats st;

	slab_stats(&st);
	objects = st.objects;
	zset_limits(0, 0);
	fixture_init(&f, 5000);
	for (i = 0; i < f.item_count; i++)
		fixture_set(&f, &f.items[i], random_score(&f, 1));
	z = zset_big(f.e);
	z->held = true;
	zset_free(f.e);
	grave_finish();
	zset_big_check(z);
	zset_big_release(z);
	while (grave_turn(100))
		;
	slab_stats(&st);
	ck_assert_uint_eq(st.objects, objects);
	f.e = zset_new(slice_str("key"), 0);
	fixture_release(&f);
}
END_TEST

START_TEST(zset__scores_survive_packing_bit_by_bit)
{
	static const double scores[] = {
		0.0, -0.0, 1, -1, 240, 241, 32767, -32767, -32768, 32768,
		2147483647, -2147483647, -2147483648.0, 2147483648.0, 0.1,
		1e300, -1e-300, INFINITY, -INFINITY, 5e-324,
	};
	struct fixture f;
	size_t i;

	zset_limits(128, 64);
	fixture_init(&f, ARRAY_LEN(scores));
	for (i = 0; i < ARRAY_LEN(scores); i++) {
		fixture_set(&f, &f.items[i], scores[i]);
		check_model(&f);
	}
	fixture_release(&f);
}
END_TEST

START_TEST(zset__big_ones_take_less_than_fifty_bytes_a_member)
{
	struct entry *e = zset_new(slice_str("board"), 0);
	uint64_t i, count = 200000;
	bool added;

	zset_limits(128, 64);
	for (i = 0; i < count; i++) {
		char text[32];
		int size = sprintf(text, "player:%d", (int)i);
		struct zset_item item = {
			(double)(i * 2654435761u % 1000003),
			slice_of(text, (size_t)size),
		};

		e = zset_add(e, hash_key, &item, &added);
	}
	ck_assert_uint_lt(zset_memory(e), 50 * count);
	zset_free(e);
	grave_finish();
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"zset", zset__packed_ones_agree_with_a_model_after_every_step,
		zset__small_trees_agree_with_a_model_after_every_step,
		zset__big_trees_agree_with_a_model,
		zset__becomes_big_behind_either_limit_and_stays_so,
		zset__members_in_order_fill_their_leaves,
		zset__members_of_one_score_have_ranks_by_bytes,
		zset__members_that_rise_with_scores_have_ranks_by_bytes,
		zset__loaded_without_order_has_it_at_the_end,
		zset__a_set_freed_without_order_leaves_the_line,
		zset__made_at_once_is_the_same_as_one_by_one,
		zset__of_few_with_one_twice_none_is_made,
		zset__a_copy_is_equal_and_its_own,
		zset__a_held_one_is_taken_apart_when_it_is_let_go,
		zset__scores_survive_packing_bit_by_bit,
		zset__big_ones_take_less_than_fifty_bytes_a_member);
}
