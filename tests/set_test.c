/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/set.h"

#include "base/grave.h"
#include "base/mem.h"
#include "base/slab.h"
#include "tests/support/suite.h"

#include <stdio.h>

static const uint64_t hash_key[2] = { 0x0123456789abcdef, 42 };

#define TEXT_SIZE 320

/* A member of the model; of many kinds and lengths. */
struct item {
	char text[TEXT_SIZE];
	size_t size;
	bool in;
	unsigned seen;
};

struct fixture {
	struct entry *e;
	struct item *items;
	size_t item_count, in_count;
	struct test_random random;
};

enum kind { INTEGERS, WORDS, MIXED };

static void make_item(struct item *item, size_t i, enum kind kind,
		      struct test_random *random)
{
	int64_t v = (int64_t)(test_random_next(random) >>
			      test_random_below(random, 64));
	bool number = kind == INTEGERS || (kind == MIXED && i % 2);

	if (number && i < 64)
		v = (int64_t)i - 20;
	if (number)
		item->size = (size_t)sprintf(item->text, "%lld", (long long)v);
	else
		item->size = (size_t)sprintf(item->text, "word:%zu", i);
	if (!number && i % 16 == 0) {
		size_t more = test_random_below(random, 280);

		memset(item->text + item->size, 'x', more);
		item->size += more;
	}
}

static void fixture_init(struct fixture *f, size_t item_count, enum kind kind)
{
	size_t i;

	*f = (struct fixture){ .item_count = item_count };
	f->random.state = test_seed();
	f->e = set_new(slice_str("key"), 0);
	f->items = mem_calloc(item_count, sizeof(*f->items));
	for (i = 0; i < item_count; i++)
		make_item(&f->items[i], i, kind, &f->random);
}

static void fixture_release(struct fixture *f)
{
	struct slab_stats stats;

	if (f->e)
		set_free(f->e);
	grave_finish();
	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 0);
	mem_free(f->items);
}

static struct set_member member_of(const struct item *item)
{
	return (struct set_member){
		.bytes = slice_of(item->text, item->size)
	};
}

static void add(struct fixture *f, struct item *item)
{
	struct set_member m = member_of(item);
	bool added;

	if (test_random_below(&f->random, 2))
		set_find(f->e, &m); /* fills the hash in */
	f->e = set_add(f->e, hash_key, &m, &added);
	ck_assert_int_eq(added, !item->in);
	f->in_count += !item->in;
	item->in = true;
}

static void take(struct fixture *f, struct item *item)
{
	struct set_member m = member_of(item);
	bool removed;

	f->e = set_remove(f->e, &m, &removed);
	ck_assert_int_eq(removed, item->in);
	f->in_count -= item->in;
	item->in = false;
}

static struct item *some_item(struct fixture *f)
{
	return &f->items[test_random_below(&f->random, f->item_count)];
}

static struct item *item_of(struct fixture *f, struct slice s)
{
	size_t i;

	for (i = 0; i < f->item_count; i++)
		if (slice_equal(s, slice_of(f->items[i].text,
					    f->items[i].size)))
			return &f->items[i];
	ck_abort_msg("a member that nobody has added");
	return NULL;
}

static void check_model(struct fixture *f)
{
	struct set_iterator it;
	struct slice s;
	size_t i, count = 0;

	set_check(f->e);
	ck_assert_uint_eq(set_count(f->e), f->in_count);
	for (i = 0; i < f->item_count; i++) {
		struct item *item = &f->items[i];

		item->seen = 0;
		ck_assert_int_eq(set_has(f->e, member_of(item).bytes),
				 item->in);
	}
	set_iterate(&it, f->e);
	while (set_next(&it, &s)) {
		struct item *item = item_of(f, s);

		ck_assert(item->in);
		ck_assert_uint_eq(item->seen++, 0);
		count++;
	}
	ck_assert_uint_eq(count, f->in_count);
}

/* Doubles among random numbers would make the model lie. */
static void drop_doubles(struct fixture *f)
{
	size_t i, k;

	for (i = 0; i < f->item_count; i++)
		for (k = 0; k < i; k++)
			if (slice_equal(member_of(&f->items[i]).bytes,
					member_of(&f->items[k]).bytes))
				f->items[i].size = (size_t)sprintf(
					f->items[i].text, "%zu00000", i + 1000);
}

static void random_steps(size_t item_count, enum kind kind, int steps)
{
	struct fixture f;
	int i;

	fixture_init(&f, item_count, kind);
	drop_doubles(&f);
	for (i = 0; i < steps; i++) {
		if (test_random_below(&f.random, 5) < 3)
			add(&f, some_item(&f));
		else
			take(&f, some_item(&f));
		if (i % 7 == 0)
			check_model(&f);
	}
	check_model(&f);
	fixture_release(&f);
}

static void with_limits(uint64_t integers, uint64_t packed, uint64_t size)
{
	struct set_limits l = { integers, packed, size };

	set_limits(&l);
}

START_TEST(set__every_layout_agrees_with_a_model)
{
	static const uint64_t limits[][3] = {
		{ 512, 128, 64 },	{ 8, 12, 300 }, { 0, 0, 0 },
		{ 0, 1000, 1000 },	{ 1u << 20, 1u << 20, 1u << 20 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(limits); i++) {
		with_limits(limits[i][0], limits[i][1], limits[i][2]);
		random_steps(30, INTEGERS, 600);
		random_steps(30, WORDS, 600);
		random_steps(30, MIXED, 600);
		random_steps(300, MIXED, 1500);
	}
	with_limits(512, 128, 64);
}
END_TEST

START_TEST(set__integers_keep_the_least_width)
{
	static const int64_t values[] = { 0, -1, INT16_MAX, INT16_MIN,
					  INT16_MAX + 1, INT32_MIN,
					  (int64_t)INT32_MAX + 1, INT64_MIN,
					  INT64_MAX };
	static const size_t sizes[] = { 3, 5, 7, 9, 21, 25, 57, 65, 73 };
	struct fixture f;
	size_t i;

	fixture_init(&f, ARRAY_LEN(values), INTEGERS);
	for (i = 0; i < ARRAY_LEN(values); i++) {
		struct item *item = &f.items[i];

		item->size = (size_t)sprintf(item->text, "%lld",
					     (long long)values[i]);
		add(&f, item);
		ck_assert_str_eq(set_encoding_name(f.e), "intset");
		ck_assert_uint_eq(entry_blob(f.e).size, sizes[i]);
		check_model(&f);
	}
	fixture_release(&f);
}
END_TEST

START_TEST(set__words_that_look_like_numbers_are_words)
{
	static const char *const words[] = { "", "-", "+1", "01", "-0", "1 ",
					     "9223372036854775808", "0x1",
					     "-9223372036854775809" };
	struct fixture f;
	size_t i;

	fixture_init(&f, ARRAY_LEN(words), WORDS);
	for (i = 0; i < ARRAY_LEN(words); i++) {
		f.items[i].size = (size_t)sprintf(f.items[i].text, "%s",
						  words[i]);
		add(&f, &f.items[i]);
		check_model(&f);
	}
	ck_assert_str_eq(set_encoding_name(f.e), "listpack");
	fixture_release(&f);
}
END_TEST

START_TEST(set__small_ones_stay_below_64_kib)
{
	struct fixture f;
	size_t i;

	with_limits(1u << 20, 1u << 20, 1u << 20);
	fixture_init(&f, 9000, INTEGERS);
	for (i = 0; i < f.item_count; i++) {
		f.items[i].size = (size_t)sprintf(f.items[i].text, "%zu",
						  i << 40);
		add(&f, &f.items[i]);
	}
	ck_assert_str_eq(set_encoding_name(f.e), "hashtable");
	set_check(f.e);
	fixture_release(&f);
	with_limits(512, 128, 64);
}
END_TEST

START_TEST(set__copies_share_nothing)
{
	static const size_t counts[] = { 5, 40, 3000 };
	struct entry *copy;
	struct fixture f;
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		fixture_init(&f, counts[i], i ? WORDS : INTEGERS);
		for (k = 0; k < counts[i]; k++)
			add(&f, &f.items[k]);
		copy = set_copy(f.e, slice_str("other"), 12345);
		ck_assert(slice_equal(entry_key(copy), slice_str("other")));
		ck_assert_uint_eq(entry_deadline(copy), 12345);
		set_check(copy);
		for (k = 0; k < counts[i]; k += 2)
			take(&f, &f.items[k]);
		ck_assert_uint_eq(set_count(copy), counts[i]);
		set_free(copy);
		set_check(f.e);
		fixture_release(&f);
	}
}
END_TEST

/* --- drawing ------------------------------------------------------------ */

static void draw_evenly(size_t count, enum kind kind)
{
	size_t i, draws = count * 200;
	char scratch[NUM_I64_SIZE];
	struct fixture f;

	fixture_init(&f, count, kind);
	drop_doubles(&f);
	for (i = 0; i < count; i++)
		add(&f, &f.items[i]);
	for (i = 0; i < draws; i++) {
		const uint8_t *ref;

		ref = set_random(f.e, test_random_next(&f.random));
		item_of(&f, set_bytes(f.e, ref, scratch))->seen++;
	}
	for (i = 0; i < count; i++) {
		ck_assert_uint_ge(f.items[i].seen, 100);
		ck_assert_uint_le(f.items[i].seen, 320);
	}
	fixture_release(&f);
}

START_TEST(set__members_are_drawn_evenly)
{
	draw_evenly(20, INTEGERS);
	draw_evenly(20, WORDS);
	draw_evenly(400, MIXED);
}
END_TEST

/* --- held sets ----------------------------------------------------------- */

static void see(void *ctx, void *member)
{
	struct fixture *f = ctx;
	char scratch[NUM_I64_SIZE];
	struct slice s = set_member_bytes(member, scratch);
	int64_t i = -1;

	ck_assert(num_parse_i64(slice_of(s.data + 5, s.size - 5), &i));
	f->items[i].seen++;
}

static void fill(struct fixture *f, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		f->items[i].size =
			(size_t)sprintf(f->items[i].text, "word:%zu", i);
		add(f, &f->items[i]);
	}
}

/* The model's state when the hold began is in `was`. */
static void check_seen(const struct fixture *f, const bool *was)
{
	size_t i;

	for (i = 0; i < f->item_count; i++)
		ck_assert_uint_eq(f->items[i].seen, was[i]);
}

static void hold(size_t change_percent, bool freed)
{
	struct set_table *held;
	uint64_t position = 0;
	struct fixture f;
	bool *was;
	size_t i;

	fixture_init(&f, 20000, WORDS);
	fill(&f, 20000);
	for (i = 0; i < 8000; i++)
		take(&f, some_item(&f));
	was = mem_calloc(f.item_count, sizeof(*was));
	for (i = 0; i < f.item_count; i++)
		was[i] = f.items[i].in;
	held = set_hold(f.e, see, &f);
	while (set_hold_next(held, &position)) {
		struct item *item = some_item(&f);

		if (f.e == NULL ||
		    test_random_below(&f.random, 100) >= change_percent)
			continue;
		if (item->in)
			take(&f, item);
		else
			add(&f, item);
		if (freed && test_random_below(&f.random, 200) == 0) {
			set_free(f.e);
			f.e = NULL;
		}
	}
	check_seen(&f, was);
	set_release(held);
	mem_free(was);
	fixture_release(&f);
}

START_TEST(set__a_hold_gives_what_was_there_once)
{
	hold(0, false);
	hold(100, false);
}
END_TEST

START_TEST(set__a_held_set_outlives_its_entry)
{
	hold(100, true);
}
END_TEST

START_TEST(set__a_hold_may_end_early)
{
	struct set_table *held;
	uint64_t position = 0;
	struct fixture f;
	int i;

	fixture_init(&f, 5000, WORDS);
	fill(&f, 5000);
	held = set_hold(f.e, see, &f);
	for (i = 0; i < 20; i++)
		set_hold_next(held, &position);
	set_release(held);
	held = set_hold(f.e, see, &f);
	set_free(f.e);
	f.e = NULL;
	set_release(held);
	fixture_release(&f);
}
END_TEST

/* --- memory -------------------------------------------------------------- */

START_TEST(set__a_big_one_takes_less_than_31_bytes_a_member)
{
	static const size_t counts[] = { 100000, 125000, 150000, 175000 };
	size_t i, sum = 0, members = 0;
	struct fixture f;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		fixture_init(&f, 1, WORDS);
		f.e = set_add(f.e, hash_key,
			      &(struct set_member){
				      .bytes = slice_str("first") },
			      &f.items[0].in);
		for (size_t k = 1; k < counts[i]; k++) {
			char text[32];
			bool added;
			struct set_member m = {
				.bytes = slice_of(text, (size_t)sprintf(
					text, "member:%zu", k)),
			};

			f.e = set_add(f.e, hash_key, &m, &added);
		}
		sum += set_memory(f.e);
		members += counts[i];
		fixture_release(&f);
	}
	printf("%.1f bytes a member\n", (double)sum / (double)members);
	ck_assert_uint_le(sum, members * 28);
}
END_TEST

START_TEST(set__a_freed_one_goes_in_bounded_steps)
{
	struct slab_stats before, after;
	struct fixture f;
	int turns = 0;

	fixture_init(&f, 30000, WORDS);
	fill(&f, 30000);
	set_free(f.e);
	f.e = NULL;
	do {
		slab_stats(&before);
		turns++;
		if (!grave_turn(1000))
			break;
		slab_stats(&after);
		ck_assert_uint_le(before.objects - after.objects, 2100);
	} while (true);
	ck_assert_int_ge(turns, 15);
	fixture_release(&f);
}
END_TEST

int main(void)
{
	return RUN_TESTS("set", set__every_layout_agrees_with_a_model,
			 set__integers_keep_the_least_width,
			 set__words_that_look_like_numbers_are_words,
			 set__small_ones_stay_below_64_kib,
			 set__copies_share_nothing,
			 set__members_are_drawn_evenly,
			 set__a_hold_gives_what_was_there_once,
			 set__a_held_set_outlives_its_entry,
			 set__a_hold_may_end_early,
			 set__a_big_one_takes_less_than_31_bytes_a_member,
			 set__a_freed_one_goes_in_bounded_steps);
}
