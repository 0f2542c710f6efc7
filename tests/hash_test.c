/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hash.h"

#include "base/buf.h"
#include "base/grave.h"
#include "base/mem.h"
#include "base/slab.h"
#include "tests/support/suite.h"

#include <stdio.h>

static const uint64_t hash_key[2] = { 0x0123456789abcdef, 42 };
static const struct hash_env env = { hash_key, 1000, 0 };

/* A hash and its model: every field that may be in it. */
struct model_field {
	struct slice name;
	struct slice value; /* data NULL: not in the hash */
	uint64_t deadline_ms;
	unsigned seen;
};

struct fixture {
	struct entry *e; /* NULL while there is no field */
	struct model_field *fields;
	size_t field_count, in_count;
	struct test_random random;
	struct buf items;
};

static struct slice make_text(struct fixture *f, const char *form, size_t i)
{
	size_t more = test_random_below(&f->random, 40) ? 0 : 300;
	char *text = mem_alloc(64 + more);
	int size = sprintf(text, form, i);

	if (more)
		memset(text + size, 'x', more);
	return slice_of(text, (size_t)size + more);
}

static void fixture_init(struct fixture *f, size_t field_count, size_t limit)
{
	size_t i;

	*f = (struct fixture){ .field_count = field_count };
	f->random.state = test_seed();
	f->fields = mem_calloc(field_count, sizeof(*f->fields));
	hash_limits(limit, 64);
	for (i = 0; i < field_count; i++)
		f->fields[i].name =
			make_text(f, i % 2 ? "%zu" : "field:%zu", i);
}

static void set_value(struct model_field *m, struct slice value)
{
	mem_free((void *)m->value.data);
	m->value = value;
}

static void fixture_release(struct fixture *f)
{
	size_t i;

	if (f->e)
		hash_free(f->e);
	grave_finish();
	for (i = 0; i < f->field_count; i++) {
		set_value(&f->fields[i], slice_of(NULL, 0));
		mem_free((void *)f->fields[i].name.data);
	}
	mem_free(f->fields);
	buf_release(&f->items);
	slab_check();
}

static void put(struct fixture *f, struct slice s)
{
	uint8_t *p = buf_reserve(&f->items, VARINT_SIZE_MAX + s.size);

	p = put_bytes(put_varint(p, s.size), s.data, s.size);
	f->items.size = (size_t)(p - f->items.data);
}

/* --- the model ---------------------------------------------------------- */

static struct model_field *some_field(struct fixture *f)
{
	return &f->fields[test_random_below(&f->random, f->field_count)];
}

static void do_set(struct fixture *f, uint64_t deadline_ms)
{
	size_t n = 1 + test_random_below(&f->random, 6), added, expected = 0;

	f->items.size = 0;
	while (n--) {
		struct model_field *m = some_field(f);
		bool number = test_random_below(&f->random, 2);
		size_t v = (size_t)test_random_next(&f->random);

		expected += m->value.data == NULL;
		set_value(m, make_text(f, number ? "%zd" : "value-%zu", v));
		if (deadline_ms != HASH_DEADLINE_KEEP)
			m->deadline_ms = deadline_ms;
		put(f, m->name);
		put(f, m->value);
	}
	if (f->e)
		f->e = hash_set(f->e, &env, buf_slice(&f->items), deadline_ms,
				&added);
	else
		f->e = hash_new(&env, SLICE_LITERAL("key"),
				buf_slice(&f->items), deadline_ms, &added);
	ck_assert_uint_eq(added, expected);
	f->in_count += added;
}

static void forget(struct fixture *f, struct model_field *m)
{
	set_value(m, slice_of(NULL, 0));
	m->deadline_ms = 0;
	f->in_count--;
}

static void drop_empty(struct fixture *f)
{
	ck_assert_uint_eq(hash_empty(f->e), f->in_count == 0);
	if (f->in_count)
		return;
	hash_free(f->e);
	f->e = NULL;
}

static void do_del(struct fixture *f)
{
	size_t n = 1 + test_random_below(&f->random, 6), removed, expected = 0;

	f->items.size = 0;
	while (n--) {
		struct model_field *m = some_field(f);

		put(f, m->name);
		if (!m->value.data)
			continue;
		forget(f, m);
		expected++;
	}
	f->e = hash_del(f->e, buf_slice(&f->items), &removed);
	ck_assert_uint_eq(removed, expected);
	drop_empty(f);
}

static void do_expire(struct fixture *f, uint64_t deadline_ms)
{
	size_t n = 1 + test_random_below(&f->random, 4);

	f->items.size = 0;
	while (n--) {
		struct model_field *m = some_field(f);

		put(f, m->name);
		if (m->value.data)
			m->deadline_ms = deadline_ms;
	}
	f->e = hash_expire(f->e, &env, buf_slice(&f->items), deadline_ms);
}

static struct model_field *find_model(struct fixture *f, struct slice name)
{
	size_t i;

	for (i = 0; i < f->field_count; i++)
		if (slice_equal(f->fields[i].name, name))
			return &f->fields[i];
	ck_abort_msg("a field that nobody has set");
	return NULL;
}

static bool collect_due(void *ctx, const struct hash_item *item)
{
	struct fixture *f = ctx;

	put(f, item->field);
	return true;
}

/* Removes what is due, as the expiry of the engine does. */
static void do_due(struct fixture *f, uint64_t now_ms)
{
	size_t i, removed, expected = 0;

	f->items.size = 0;
	hash_due(f->e, now_ms, SIZE_MAX, collect_due, f);
	f->e = hash_del(f->e, buf_slice(&f->items), &removed);
	for (i = 0; i < f->field_count; i++) {
		struct model_field *m = &f->fields[i];
		struct hash_item item;

		if (!m->value.data || !m->deadline_ms ||
		    m->deadline_ms > now_ms ||
		    (m->deadline_ms + 16 > now_ms && /* may be late */
		     hash_find(f->e, m->name, &item)))
			continue;
		forget(f, m);
		expected++;
	}
	ck_assert_uint_eq(removed, expected);
	drop_empty(f);
}

static void see(void *ctx, const struct hash_item *item)
{
	struct model_field *m = find_model(ctx, item->field);

	ck_assert(m->value.data != NULL);
	ck_assert(slice_equal(item->value, m->value));
	ck_assert_uint_eq(item->deadline_ms, m->deadline_ms);
	m->seen++;
}

static void see_all(const struct entry *e, struct fixture *f)
{
	size_t i;

	for (i = 0; i < f->field_count; i++)
		f->fields[i].seen = 0;
	hash_each(e, see, f);
	for (i = 0; i < f->field_count; i++)
		ck_assert_uint_eq(f->fields[i].seen,
				  f->fields[i].value.data != NULL);
}

static void check(struct fixture *f)
{
	uint64_t first = 0;
	size_t i;

	if (!f->e) {
		ck_assert_uint_eq(f->in_count, 0);
		return;
	}
	hash_check(f->e);
	ck_assert_uint_eq(hash_count(f->e), f->in_count);
	see_all(f->e, f);
	for (i = 0; i < f->field_count; i++) {
		struct model_field *m = &f->fields[i];
		struct hash_item item;

		ck_assert_uint_eq(hash_find(f->e, m->name, &item),
				  m->value.data != NULL);
		if (m->deadline_ms && (!first || m->deadline_ms < first))
			first = m->deadline_ms;
	}
	ck_assert_uint_eq(hash_earliest(f->e) != 0, first != 0);
	ck_assert_uint_le(hash_earliest(f->e), first);
}

static void step(struct fixture *f, uint64_t now_ms, bool deadlines)
{
	uint64_t later = now_ms + 1 + test_random_below(&f->random, 5000);
	unsigned kind = (unsigned)test_random_below(&f->random, 16);

	if (!f->e || kind < 6)
		do_set(f, 0);
	else if (kind < 8)
		do_set(f, HASH_DEADLINE_KEEP);
	else if (kind < 12 || !deadlines)
		do_del(f);
	else if (kind == 12)
		do_set(f, later);
	else if (kind == 13)
		do_expire(f, later);
	else if (kind == 14)
		do_expire(f, 0);
	else
		do_due(f, now_ms);
}

static void agree(size_t field_count, size_t limit, int steps, bool deadlines)
{
	struct fixture f;
	int i;

	fixture_init(&f, field_count, limit);
	for (i = 0; i < steps; i++) {
		step(&f, 1000 + (uint64_t)i * 20, deadlines);
		if (steps < 5000 || i % 100 == 0)
			check(&f);
	}
	check(&f);
	fixture_release(&f);
}

START_TEST(hash__small_ones_agree_with_a_model)
{
	agree(1, 512, 500, true);
	agree(8, 512, 3000, false);
	agree(20, 512, 3000, true);
}
END_TEST

START_TEST(hash__big_ones_agree_with_a_model)
{
	agree(20, 0, 3000, true);
	agree(500, 0, 10000, false);
	agree(500, 0, 10000, true);
}
END_TEST

START_TEST(hash__conversions_lose_nothing)
{
	int i;

	for (i = 0; i < 30; i++)
		agree(40, 16, 200, true);
}
END_TEST

START_TEST(hash__a_copy_is_equal_and_its_own)
{
	size_t limit;
	int i;

	for (limit = 0; limit <= 512; limit += 512) {
		struct fixture f;
		struct entry *copy;

		fixture_init(&f, 200, limit);
		for (i = 0; i < 300; i++)
			step(&f, 1000, true);
		if (!f.e)
			do_set(&f, 0);
		copy = hash_copy(f.e, SLICE_LITERAL("other"), 77);
		ck_assert_uint_eq(entry_deadline(copy), 77);
		hash_check(copy);
		hash_free(f.e);
		f.e = copy;
		check(&f);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(hash__of_equal_fields_in_a_run_the_last_wins)
{
	struct fixture f;
	struct hash_item item;
	size_t added;

	fixture_init(&f, 1, 512);
	put(&f, SLICE_LITERAL("f"));
	put(&f, SLICE_LITERAL("1"));
	put(&f, SLICE_LITERAL("f"));
	put(&f, SLICE_LITERAL("2"));
	f.e = hash_new(&env, SLICE_LITERAL("k"), buf_slice(&f.items), 0,
		       &added);
	ck_assert_uint_eq(added, 1);
	ck_assert(hash_find(f.e, SLICE_LITERAL("f"), &item));
	ck_assert(slice_equal(item.value, SLICE_LITERAL("2")));
	ck_assert_uint_eq(hash_count(f.e), 1);
	fixture_release(&f);
}
END_TEST

START_TEST(hash__a_value_of_a_megabyte_stays_whole)
{
	struct fixture f;
	struct hash_item item;
	size_t added, size = 1 << 20;
	uint8_t *bytes = mem_calloc(1, size);
	int i;

	fixture_init(&f, 1, 512);
	bytes[size - 1] = 7;
	for (i = 0; i < 3; i++) {
		f.items.size = 0;
		put(&f, SLICE_LITERAL("f"));
		put(&f, slice_of(bytes, i == 1 ? 10 : size));
		if (f.e)
			f.e = hash_set(f.e, &env, buf_slice(&f.items), 0,
				       &added);
		else
			f.e = hash_new(&env, SLICE_LITERAL("k"),
				       buf_slice(&f.items), 0, &added);
		ck_assert_uint_eq(added, i == 0);
	}
	ck_assert(hash_find(f.e, SLICE_LITERAL("f"), &item));
	ck_assert(slice_equal(item.value, slice_of(bytes, size)));
	mem_free(bytes);
	fixture_release(&f);
}
END_TEST

START_TEST(hash__a_small_one_takes_little)
{
	struct fixture f;
	size_t added, j;
	char text[32];

	fixture_init(&f, 1, 512);
	for (j = 0; j < 8; j++) {
		put(&f, slice_of(text, (size_t)sprintf(text, "field%zu", j)));
		put(&f, slice_of(text, (size_t)sprintf(text, "value-%d-%zu",
						       123456, j)));
	}
	f.e = hash_new(&env, SLICE_LITERAL("h:123456"), buf_slice(&f.items), 0,
		       &added);
	ck_assert_str_eq(hash_encoding_name(f.e), "listpack");
	ck_assert_uint_le(hash_memory(f.e), 8 * 25);
	fixture_release(&f);
}
END_TEST

/* --- the walk ----------------------------------------------------------- */

struct walk_fixture {
	struct fixture *f;
	size_t visits;
};

static void walk_see(void *ctx, const struct hash_item *item)
{
	struct walk_fixture *w = ctx;
	struct model_field *m = find_model(w->f, item->field);

	m->seen++;
	w->visits++;
	ck_assert_uint_gt(item->value.size, 0);
}

static void walk_under_changes(bool remove)
{
	struct fixture f;
	struct walk_fixture w = { &f, 0 };
	struct hash *h;
	uint64_t position = 0;
	size_t i, before;
	bool *was;

	fixture_init(&f, 1000, 0);
	was = mem_calloc(f.field_count, sizeof(*was));
	for (i = 0; i < 2000; i++)
		do_set(&f, 0);
	before = f.in_count;
	for (i = 0; i < f.field_count; i++)
		was[i] = f.fields[i].value.data != NULL;
	h = hash_walk_begin(f.e, walk_see, &w);
	for (i = 0; hash_walk_next(h, &position); i++) {
		if (remove && i == 20) {
			hash_free(f.e);
			f.e = NULL;
			remove = false;
			break;
		}
		step(&f, 1000, true);
	}
	while (hash_walk_next(h, &position))
		;
	hash_walk_end(h);
	ck_assert_uint_eq(w.visits, before);
	for (i = 0; i < f.field_count; i++)
		ck_assert_uint_eq(f.fields[i].seen, was[i]);
	mem_free(was);
	fixture_release(&f);
}

START_TEST(hash__a_walk_sees_the_state_at_its_start_exactly_once)
{
	walk_under_changes(false);
}
END_TEST

START_TEST(hash__a_walk_outlives_the_entry)
{
	walk_under_changes(true);
}
END_TEST

/* --- deadlines ---------------------------------------------------------- */

START_TEST(hash__the_index_of_deadlines_does_not_grow_without_end)
{
	struct fixture f;
	size_t added, after, i;

	fixture_init(&f, 1, 0);
	put(&f, SLICE_LITERAL("f"));
	put(&f, SLICE_LITERAL("v"));
	f.e = hash_new(&env, SLICE_LITERAL("k"), buf_slice(&f.items), 0,
		       &added);
	for (i = 0; i < 200000; i++) {
		f.items.size = 0;
		put(&f, SLICE_LITERAL("f"));
		f.e = hash_expire(f.e, &env, buf_slice(&f.items),
				  1000000 + i);
		f.e = hash_expire(f.e, &env, buf_slice(&f.items), 0);
	}
	hash_check(f.e);
	after = hash_memory(f.e);
	ck_assert_uint_le(after, 200000);
	fixture_release(&f);
}
END_TEST

START_TEST(hash__due_fields_come_a_bounded_number_at_a_time)
{
	struct fixture f;
	size_t limit;

	for (limit = 0; limit <= 512; limit += 512) {
		size_t added, removed, i, rounds = 0;
		char text[32];

		fixture_init(&f, 1, limit);
		for (i = 0; i < 300; i++) {
			int size = sprintf(text, "f%zu", i);

			put(&f, slice_of(text, (size_t)size));
			put(&f, SLICE_LITERAL("v"));
		}
		f.e = hash_new(&env, SLICE_LITERAL("k"), buf_slice(&f.items),
			       5000, &added);
		ck_assert_uint_eq(added, 300);
		f.items.size = 0;
		hash_due(f.e, 4000, 100, collect_due, &f);
		ck_assert_uint_eq(f.items.size, 0);
		while (!hash_empty(f.e) && rounds++ < 100) {
			f.items.size = 0;
			hash_due(f.e, 6000, 100, collect_due, &f);
			f.e = hash_del(f.e, buf_slice(&f.items), &removed);
			ck_assert_uint_le(removed, 100);
		}
		ck_assert(hash_empty(f.e));
		ck_assert_uint_ge(rounds, 3);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(hash__random_fields_are_all_drawn)
{
	struct fixture f;
	size_t limit, i;

	for (limit = 0; limit <= 512; limit += 512) {
		fixture_init(&f, 100, limit);
		hash_limits(limit, 1000);
		for (i = 0; i < 200; i++)
			do_set(&f, 0);
		for (i = 0; i < f.field_count; i++)
			f.fields[i].seen = 0;
		for (i = 0; i < 5000; i++) {
			struct hash_item item;

			hash_random(f.e, test_random_next(&f.random), &item);
			see(&f, &item);
		}
		for (i = 0; i < f.field_count; i++)
			ck_assert_uint_eq(f.fields[i].seen > 0,
					  f.fields[i].value.data != NULL);
		fixture_release(&f);
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"hash", hash__small_ones_agree_with_a_model,
		hash__big_ones_agree_with_a_model,
		hash__conversions_lose_nothing,
		hash__a_copy_is_equal_and_its_own,
		hash__of_equal_fields_in_a_run_the_last_wins,
		hash__a_value_of_a_megabyte_stays_whole,
		hash__a_small_one_takes_little,
		hash__a_walk_sees_the_state_at_its_start_exactly_once,
		hash__a_walk_outlives_the_entry,
		hash__the_index_of_deadlines_does_not_grow_without_end,
		hash__due_fields_come_a_bounded_number_at_a_time,
		hash__random_fields_are_all_drawn);
}
