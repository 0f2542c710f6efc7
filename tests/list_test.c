/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/list.h"

#include "base/mem.h"
#include "tests/support/suite.h"

#include <stdio.h>

#define MODEL_MAX 10000
#define FROZEN_MAX 3

/* The model: elements by number; a number says what its bytes are. */
struct model {
	uint64_t at[MODEL_MAX];
	size_t count;
};

struct frozen {
	struct list_big *list;
	struct list_cursor cursor;
	struct model *model; /* as it was */
	size_t seen;
};

struct fixture {
	struct test_random random;
	struct list_limits limits;
	struct entry *e;
	struct model *model;
	struct frozen frozen[FROZEN_MAX];
	uint8_t bytes[200000];
	struct buf items;
};

/* The bytes of an element: some are integers, some are long. */
static struct slice element(struct fixture *f, uint64_t number)
{
	struct test_random r = { number };
	size_t size, i;

	switch (number % 8) {
	case 0:
		size = num_format_i64((char *)f->bytes, (int64_t)(number / 8) -
								50);
		break;
	case 1:
		size = num_format_i64((char *)f->bytes,
				      (int64_t)(test_random_next(&r) >>
						test_random_below(&r, 64)));
		break;
	case 2:
		size = number % 50 == 2 ? 9000 : number % 300;
		break;
	default:
		size = number % 41;
	}
	if (number % 8 > 1)
		for (i = 0; i < size; i++)
			f->bytes[i] = (uint8_t)test_random_next(&r);
	return slice_of(f->bytes, size);
}

static uint64_t new_number(struct fixture *f)
{
	return test_random_below(&f->random, 100000);
}

static void put_item(struct buf *items, struct slice s)
{
	uint8_t *p = buf_reserve(items, VARINT_SIZE_MAX + s.size);

	p = put_varint(p, s.size);
	p = put_bytes(p, s.data, s.size);
	items->size = (size_t)(p - items->data);
}

static void fixture_init(struct fixture *f, int64_t directive)
{
	*f = (struct fixture){ .limits = list_limits_of(directive) };
	f->random.state = test_seed();
	f->model = mem_calloc(1, sizeof(*f->model));
	f->e = list_new(slice_str("key"), 0);
}

static void frozen_release(struct frozen *z)
{
	if (z->list)
		list_frozen_free(z->list);
	mem_free(z->model);
	*z = (struct frozen){ 0 };
}

static void fixture_release(struct fixture *f)
{
	int i;

	for (i = 0; i < FROZEN_MAX; i++)
		frozen_release(&f->frozen[i]);
	list_free(f->e);
	mem_free(f->model);
	buf_release(&f->items);
}

static void model_insert(struct model *m, size_t index, uint64_t number)
{
	memmove(&m->at[index + 1], &m->at[index],
		(m->count - index) * sizeof(m->at[0]));
	m->at[index] = number;
	m->count++;
}

static void model_remove(struct model *m, size_t index, size_t count)
{
	memmove(&m->at[index], &m->at[index + count],
		(m->count - index - count) * sizeof(m->at[0]));
	m->count -= count;
}

static void do_push(struct fixture *f)
{
	enum list_end at = test_random_below(&f->random, 2);
	size_t n = 1 + test_random_below(&f->random, 20), i, count;

	if (f->model->count + n > MODEL_MAX)
		return;
	f->items.size = 0;
	for (i = 0; i < n; i++) {
		uint64_t number = new_number(f);

		put_item(&f->items, element(f, number));
		model_insert(f->model, at == LIST_LEFT ? 0 : f->model->count,
			     number);
	}
	f->e = list_push(f->e, at, buf_slice(&f->items), &f->limits, &count);
	ck_assert_uint_eq(count, n);
}

/* How many elements to take: few, or a good part; never all. */
static size_t some(struct fixture *f)
{
	size_t most = f->model->count - 1;

	if (most > 10 && test_random_below(&f->random, 20) > 0)
		most = 10;
	else if (test_random_below(&f->random, 3) > 0)
		most = most / 4;
	return most ? 1 + test_random_below(&f->random, most) : 0;
}

static void do_pop(struct fixture *f)
{
	enum list_end at = test_random_below(&f->random, 2);
	size_t count = some(f);

	if (count == 0)
		return;
	model_remove(f->model, at == LIST_LEFT ? 0 : f->model->count - count,
		     count);
	f->e = list_pop(f->e, at, count, &f->limits);
}

static void do_set(struct fixture *f)
{
	size_t index = test_random_below(&f->random, f->model->count);
	uint64_t number = new_number(f);

	f->model->at[index] = number;
	f->e = list_set(f->e, index, element(f, number), &f->limits);
}

static void do_insert(struct fixture *f)
{
	size_t index = test_random_below(&f->random, f->model->count + 1);
	size_t n = 1 + test_random_below(&f->random, 10);

	while (n-- > 0 && f->model->count < MODEL_MAX) {
		uint64_t number = new_number(f);

		model_insert(f->model, index, number);
		f->e = list_insert(f->e, index, element(f, number),
				   &f->limits);
	}
}

static void do_remove(struct fixture *f)
{
	size_t count = some(f), index;

	if (count == 0)
		return;
	index = test_random_below(&f->random, f->model->count - count + 1);
	model_remove(f->model, index, count);
	f->e = list_remove(f->e, index, count, &f->limits);
}

static void do_copy(struct fixture *f)
{
	struct entry *copy = list_copy(f->e, slice_str("other"), 77);

	list_check(copy);
	ck_assert_uint_eq(entry_deadline(copy), 77);
	if (test_random_below(&f->random, 2)) {
		list_free(f->e);
		f->e = copy;
	} else {
		list_free(copy);
	}
}

/* Reads a frozen list on, or freezes anew. */
static void do_frozen(struct fixture *f)
{
	struct frozen *z = &f->frozen[test_random_below(&f->random,
							FROZEN_MAX)];
	size_t n = test_random_below(&f->random, 3000);
	struct slice got;

	if (z->list == NULL) {
		if (entry_encoding(f->e) == ENC_RAW)
			return;
		z->list = list_freeze(f->e, &z->cursor);
		z->model = mem_alloc(sizeof(*z->model));
		*z->model = *f->model;
		return;
	}
	while (n-- > 0 && list_next(&z->cursor, &got)) {
		ck_assert_uint_lt(z->seen, z->model->count);
		ck_assert(slice_equal(got, element(f,
						   z->model->at[z->seen++])));
	}
	if (z->seen < z->model->count)
		return;
	ck_assert(!list_next(&z->cursor, &got));
	frozen_release(z);
}

static void assert_read_both_ways(struct fixture *f)
{
	struct list_cursor c;
	struct slice got;
	size_t i;

	list_check(f->e);
	ck_assert_uint_eq(list_count(f->e), f->model->count);
	list_seek(&c, f->e, 0);
	for (i = 0; i < f->model->count; i++) {
		ck_assert(list_next(&c, &got));
		ck_assert(slice_equal(got, element(f, f->model->at[i])));
	}
	ck_assert(!list_next(&c, &got));
	while (i-- > 0) {
		ck_assert(list_previous(&c, &got));
		ck_assert(slice_equal(got, element(f, f->model->at[i])));
	}
	ck_assert(!list_previous(&c, &got));
}

/* A few indexes, found and compared. */
static void assert_found(struct fixture *f)
{
	size_t index = test_random_below(&f->random, f->model->count);
	struct slice want = element(f, f->model->at[index]);
	struct pack_key key = pack_key(want);
	struct list_cursor c;
	bool is = false;

	ck_assert(slice_equal(list_get(&c, f->e, index), want));
	ck_assert(list_next_is(&c, &key, &is));
	ck_assert(is);
	is = false;
	ck_assert(list_previous_is(&c, &key, &is));
	ck_assert(is);
}

static void run(int64_t directive, int steps)
{
	static void (*const operations[])(struct fixture *) = {
		do_push, do_push, do_push, do_pop, do_pop, do_set, do_insert,
		do_remove, do_copy, do_frozen, do_frozen,
	};
	struct fixture *f = mem_alloc(sizeof(*f));
	int i;

	fixture_init(f, directive);
	do_push(f);
	for (i = 0; i < steps; i++) {
		/* times of growth and of shrinking */
		size_t most = i / 800 % 2 ? 6 : ARRAY_LEN(operations);

		operations[test_random_below(&f->random, most)](f);
		assert_found(f);
		if (i % 50 == 0)
			assert_read_both_ways(f);
		if (i % 1200 == 1199) {
			f->model->count = 1;
			f->e = list_remove(f->e, 1, list_count(f->e) - 1,
					   &f->limits);
		}
	}
	assert_read_both_ways(f);
	fixture_release(f);
	mem_free(f);
}

START_TEST(list__follows_its_model_with_nodes_of_8_kib)
{
	run(-2, 5000);
}
END_TEST

START_TEST(list__follows_its_model_with_big_nodes)
{
	run(-5, 4000);
}
END_TEST

START_TEST(list__follows_its_model_with_nodes_of_few_elements)
{
	run(1, 1000);
	run(3, 3000);
	run(0, 500);
}
END_TEST

START_TEST(list__limits_may_change_at_any_time)
{
	static const int64_t directives[] = { -5, 3, -1, 100, -2 };
	struct fixture *f = mem_alloc(sizeof(*f));
	int i;

	fixture_init(f, -2);
	do_push(f);
	for (i = 0; i < 2000; i++) {
		f->limits = list_limits_of(directives[i / 50 % 5]);
		do_push(f);
		do_insert(f);
		do_set(f);
		do_remove(f);
		do_pop(f);
		do_frozen(f);
		if (i % 20 == 0)
			assert_read_both_ways(f);
	}
	fixture_release(f);
	mem_free(f);
}
END_TEST

START_TEST(list__is_small_as_long_as_it_fits_and_again_at_half)
{
	struct list_limits limits = list_limits_of(4);
	struct buf items = { 0 };
	struct entry *e = list_new(slice_str("k"), 1234);
	size_t count;
	int i;

	put_item(&items, slice_str("a"));
	for (i = 0; i < 4; i++)
		e = list_push(e, LIST_LEFT, buf_slice(&items), &limits, &count);
	ck_assert_str_eq(list_encoding_name(e), "listpack");
	e = list_push(e, LIST_LEFT, buf_slice(&items), &limits, &count);
	ck_assert_str_eq(list_encoding_name(e), "quicklist");
	e = list_pop(e, LIST_LEFT, 2, &limits);
	ck_assert_str_eq(list_encoding_name(e), "quicklist");
	e = list_pop(e, LIST_RIGHT, 1, &limits);
	ck_assert_str_eq(list_encoding_name(e), "listpack");
	ck_assert_uint_eq(entry_deadline(e), 1234);
	list_check(e);
	list_free(e);
	buf_release(&items);
}
END_TEST

START_TEST(list__takes_little_memory_and_freezes_at_once)
{
	struct list_limits limits = list_limits_of(LIST_LIMITS_DEFAULT);
	struct entry *e = list_new(slice_str("queue"), 0);
	struct list_cursor c;
	struct list_big *frozen;
	struct buf items = { 0 };
	size_t count, before = mem_used(), i, own;
	struct slice got;
	char text[40];

	for (i = 0; i < 300000; i++) {
		items.size = 0;
		snprintf(text, sizeof(text), "job-%012zu-payload", i);
		put_item(&items, slice_str(text));
		e = list_push(e, LIST_RIGHT, buf_slice(&items), &limits,
			      &count);
	}
	own = mem_used() - before;
	ck_assert_uint_lt(own, 7920000);
	ck_assert_uint_lt(list_memory(e), 7920000);
	frozen = list_freeze(e, &c);
	ck_assert_uint_lt(mem_used() - before - own, 100000);
	e = list_remove(e, 10, 299980, &limits);
	ck_assert_uint_eq(list_count(e), 20);
	for (i = 0; i < 300000; i++) {
		snprintf(text, sizeof(text), "job-%012zu-payload", i);
		ck_assert(list_next(&c, &got));
		ck_assert(slice_equal(got, slice_str(text)));
	}
	list_frozen_free(frozen);
	list_check(e);
	list_free(e);
	buf_release(&items);
}
END_TEST

START_TEST(list__memory_of_very_many_nodes_is_told_by_some)
{
	struct list_limits limits = list_limits_of(1);
	struct entry *e = list_new(slice_str("queue"), 0);
	static char bytes[4000];
	struct buf items = { 0 };
	size_t count, expected = 0, got;
	unsigned i;

	for (i = 0; i < 40000; i++) {
		size_t size = i < 20000 ? 600 : 4000;

		items.size = 0;
		put_item(&items, slice_of(bytes, size));
		e = list_push(e, LIST_RIGHT, buf_slice(&items), &limits,
			      &count);
		expected += size;
	}
	got = list_memory(e);
	ck_assert_uint_gt(got, expected);
	ck_assert_uint_lt(got, expected + expected / 5);
	e = list_pop(e, LIST_RIGHT, 30000, &limits); /* few enough for all */
	got = list_memory(e);
	ck_assert_uint_gt(got, 10000 * 600);
	ck_assert_uint_lt(got, 10000 * 720);
	list_check(e);
	list_free(e);
	buf_release(&items);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"list", list__follows_its_model_with_nodes_of_8_kib,
		list__follows_its_model_with_big_nodes,
		list__follows_its_model_with_nodes_of_few_elements,
		list__limits_may_change_at_any_time,
		list__is_small_as_long_as_it_fits_and_again_at_half,
		list__takes_little_memory_and_freezes_at_once,
		list__memory_of_very_many_nodes_is_told_by_some);
}
