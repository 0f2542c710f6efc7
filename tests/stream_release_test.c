/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream_trim.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tests/support/pending.h"
#include "tests/support/suite.h"

#define IDS 400
#define CONSUMERS 4
#define NOBODY (CONSUMERS + 1)

static const struct stream_limits limits = { 4096, 7 };

/* What is pending, by ID; who: 0: not pending, NOBODY: released. */
struct row {
	uint32_t who, count;
	uint64_t time_ms; /* of what is released: the step when it was */
};

struct model {
	struct row rows[IDS];
	uint64_t step;
};

static int released_first(const struct row *a, const struct row *b)
{
	if ((a->who == NOBODY) != (b->who == NOBODY))
		return a->who == NOBODY ? -1 : 1;
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int compare_rows(const void *a, const void *b)
{
	return released_first(*(const struct row *const *)a,
			      *(const struct row *const *)b);
}

/* What may be claimed, by sorting all. */
static void assert_idle(struct stream_group *g, const struct model *m,
			uint64_t until_ms, uint64_t count)
{
	const struct row *sorted[IDS];
	struct buf ids = { 0 };
	struct stream_id id;
	size_t i, n = 0;

	for (i = 0; i < IDS; i++)
		if (m->rows[i].who == NOBODY ||
		    (m->rows[i].who && m->rows[i].time_ms <= until_ms))
			sorted[n++] = &m->rows[i];
	qsort(sorted, n, sizeof(sorted[0]), compare_rows);
	if (n > count)
		n = count;
	stream_pending_idle(g, until_ms, count, &ids);
	ck_assert_uint_eq(ids.size, n * sizeof(id));
	for (i = 0; i < n; i++) {
		memcpy(&id, ids.data + i * sizeof(id), sizeof(id));
		ck_assert_uint_eq(id.ms, (uint64_t)(sorted[i] - m->rows));
	}
	buf_release(&ids);
}

static void assert_same(struct stream_group *g, const struct model *m)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;
	uint64_t released = 0;
	uint32_t i;

	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	for (i = 0; i < IDS; i++) {
		const struct row *row = &m->rows[i];

		if (!row->who)
			continue;
		p = stream_pending_next(&c);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->id.ms, i);
		ck_assert_uint_eq(p->count, row->count);
		released += row->who == NOBODY;
		ck_assert_uint_eq(stream_pending_time(p),
				  row->who == NOBODY ? 0 : row->time_ms);
		pending_assert_owner(g, p, row->who == NOBODY ? 0 : row->who);
	}
	ck_assert_ptr_null(stream_pending_next(&c));
	ck_assert_uint_eq(g->released.entries, released);
}

static void drop_consumer(struct stream_group *g, struct model *m, uint32_t who)
{
	size_t i;

	pending_forget(g, who);
	for (i = 0; i < IDS; i++)
		if (m->rows[i].who == who)
			m->rows[i].who = 0;
}

static void step(struct stream_group *g, struct model *m,
		 struct test_random *r)
{
	uint32_t i = (uint32_t)test_random_below(r, IDS);
	uint32_t who = 1 + (uint32_t)test_random_below(r, CONSUMERS);
	struct stream_pending p = { .id = { i, 3 } };
	struct row *row = &m->rows[i];

	m->step++;
	if (test_random_below(r, 500) == 0) {
		drop_consumer(g, m, who);
	} else if (test_random_below(r, 4) == 0) {
		ck_assert_int_eq(stream_pending_remove(g, p.id),
				 row->who != 0);
		row->who = 0;
	} else if (test_random_below(r, 3) == 0) {
		*row = (struct row){ NOBODY, i, m->step };
		stream_pending_release(g, p.id, i);
	} else {
		*row = (struct row){ who, 1, test_random_below(r, 50) + 1 };
		p.time_ms = row->time_ms;
		p.count = 1;
		pending_put(g, who, p);
	}
}

START_TEST(stream__released_entries_are_claimed_first_then_the_idlest)
{
	static struct model m, frozen_model;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *frozen;
	struct slice name = SLICE_LITERAL("g");
	struct stream_group *g = stream_group_make(s, name);
	int i;

	memset(&m, 0, sizeof(m));
	for (i = 0; i < 20000; i++) {
		step(g, &m, &r);
		if (i > 5000 && i % 50 == 0) /* from now on with an index */
			assert_idle(g, &m, test_random_below(&r, 60),
				    test_random_below(&r, IDS));
		if (i % 1000)
			continue;
		frozen = stream_copy(s);
		frozen_model = m;
		step(g, &m, &r);
		stream_check(frozen);
		assert_same(stream_group_find(frozen, name), &frozen_model);
		assert_idle(stream_group_find(frozen, name), &frozen_model, 30,
			    IDS);
		stream_free(frozen);
		stream_check(s);
		assert_same(g, &m);
	}
	stream_free(s);
}
END_TEST

/* A stream of entries 1-0 … n-0. */
static struct stream *plain_stream(uint64_t n)
{
	static const uint8_t items[] = { 1, 'f', 1, 'v' };
	struct stream *s = stream_new();
	uint64_t i;

	for (i = 1; i <= n; i++)
		stream_add(s, (struct stream_id){ i, 0 },
			   slice_of(items, sizeof(items)), &limits);
	return s;
}

/* Two groups that have come to somewhere, with some pending. */
static void read_some(struct stream *s, struct test_random *r)
{
	static const char *const names[] = { "a", "b" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		struct stream_group *g =
			stream_group_make(s, slice_str(names[i]));
		struct stream_consumer *c =
			stream_consumer_make(g, slice_str("c"));
		uint64_t last = test_random_below(r, s->last.ms + 2), id;

		g->last = (struct stream_id){ last, 0 };
		for (id = 1; id <= last; id += 1 + test_random_below(r, 9)) {
			struct stream_pending p = {
				.id = { id, 0 },
				.consumer = c->number,
			};

			if (test_random_below(r, 3) == 0)
				stream_pending_put(g, &p);
		}
	}
}

/* What a walk gives, against a look at every entry. */
static void assert_walk(const struct stream *s,
			const struct stream_trim_wish *wish)
{
	struct stream_id id, first = { 0, 0 };
	struct stream_acked_walk w;
	uint64_t gone = 0, i;
	bool found = false;

	stream_acked_begin(&w, s, wish, first);
	for (i = 1; i <= s->last.ms; i++) {
		struct stream_id at = { i, 0 };

		if (wish->by_id ? !stream_id_below(at, wish->min) :
		    stream_length(s) - gone <= wish->length)
			break;
		if (stream_referenced(s, at)) {
			if (!found)
				first = at;
			found = true;
			continue;
		}
		ck_assert(stream_acked_next(&w, &id));
		ck_assert(stream_id_equal(id, at));
		gone++;
	}
	ck_assert(!stream_acked_next(&w, &id));
	ck_assert_uint_eq(w.gone, gone);
	if (!found)
		return;
	ck_assert(stream_referenced_from(s, &id));
	ck_assert(!stream_id_below(first, id));
}

START_TEST(stream__a_walk_leaves_out_what_groups_have_still_to_do_with)
{
	struct test_random r = { test_seed() };
	struct stream_trim_wish wish = { 0 };
	int i;

	for (i = 0; i < 500; i++) {
		struct stream *s = plain_stream(test_random_below(&r, 80));

		if (i % 5)
			read_some(s, &r);
		wish.by_id = i % 2;
		wish.length = test_random_below(&r, 90);
		wish.min = (struct stream_id){ test_random_below(&r, 90), 0 };
		assert_walk(s, &wish);
		stream_free(s);
	}
}
END_TEST

START_TEST(stream__a_walk_in_whole_blocks_ends_where_one_may_not_go)
{
	struct stream *s = plain_stream(20); /* blocks of 7, 7 and 6 */
	struct stream_trim_wish wish = { .whole = true, .length = 5 };
	struct stream_group *g = stream_group_make(s, slice_str("g"));
	struct stream_pending p = { .id = { 3, 0 } };
	struct stream_acked_walk w;
	struct stream_id id;

	g->last = (struct stream_id){ 20, 0 };
	p.consumer = stream_consumer_make(g, slice_str("c"))->number;
	stream_pending_put(g, &p);
	stream_acked_begin(&w, s, &wish, (struct stream_id){ 0, 0 });
	while (stream_acked_next(&w, &id))
		;
	ck_assert_uint_eq(w.gone, 13); /* but for 3-0, and not the last block */
	wish.limit = 8;
	stream_acked_begin(&w, s, &wish, (struct stream_id){ 0, 0 });
	while (stream_acked_next(&w, &id))
		;
	ck_assert_uint_eq(w.gone, 6);
	stream_free(s);
}
END_TEST

int main(void)
{
	return RUN_TESTS("stream_release",
		stream__released_entries_are_claimed_first_then_the_idlest,
		stream__a_walk_leaves_out_what_groups_have_still_to_do_with,
		stream__a_walk_in_whole_blocks_ends_where_one_may_not_go);
}
