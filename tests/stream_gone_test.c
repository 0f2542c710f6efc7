/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream_gone.h"

#include "base/buf.h"
#include "base/grave.h"
#include "tests/support/pending.h"
#include "tests/support/suite.h"

#define IDS 4000
#define CONSUMERS 4
#define MANY 100000

static const struct slice group = SLICE_LITERAL("g");

/* Whose an ID is; 0: nobody's. */
struct model {
	uint32_t who[IDS];
	uint64_t time_ms[IDS];
	uint64_t count;
};

static void put(struct stream_group *g, uint64_t id, uint32_t who,
		uint64_t time_ms)
{
	pending_put(g, who, (struct stream_pending){
			.id = { id, 0 }, .time_ms = time_ms });
}

static void assert_same(struct stream_group *g, const struct model *m)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;
	struct stream_id id;
	uint32_t i, last = 0;
	bool first = true;

	ck_assert_uint_eq(stream_pending_count(g), m->count);
	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	for (i = 0; i < IDS; i++) {
		id = (struct stream_id){ i, 0 };
		p = stream_pending_find(g, id);
		ck_assert(!p == !m->who[i]);
		if (!p)
			continue;
		if (first)
			ck_assert_uint_eq(stream_pending_first(g).ms, i);
		first = false;
		last = i;
		ck_assert_ptr_eq(stream_pending_next(&c), p);
		ck_assert_uint_eq(p->time_ms, m->time_ms[i]);
		pending_assert_owner(g, p, m->who[i]);
	}
	ck_assert_ptr_null(stream_pending_next(&c));
	if (!first)
		ck_assert_uint_eq(stream_pending_last(g).ms, last);
}

/* The idlest, by looking at all. */
static void assert_idlest(struct stream_group *g, const struct model *m)
{
	struct buf ids = { 0 };
	struct stream_id id;
	uint32_t i, best = IDS;

	for (i = 0; i < IDS; i++)
		if (m->who[i] && (best == IDS ||
				  m->time_ms[i] < m->time_ms[best]))
			best = i;
	stream_pending_idle(g, UINT64_MAX, 1, &ids);
	ck_assert_uint_eq(ids.size, best == IDS ? 0 : sizeof(id));
	if (best < IDS) {
		memcpy(&id, ids.data, sizeof(id));
		ck_assert_uint_eq(id.ms, best);
	}
	buf_release(&ids);
}

static void delete(struct stream_group *g, struct model *m, uint32_t who)
{
	uint32_t i;

	pending_forget(g, who);
	for (i = 0; i < IDS; i++)
		if (m->who[i] == who) {
			m->who[i] = 0;
			m->count--;
		}
}

static void step(struct stream_group *g, struct model *m,
		 struct test_random *r)
{
	uint32_t i = (uint32_t)test_random_below(r, IDS);
	uint32_t who = 1 + (uint32_t)test_random_below(r, CONSUMERS);

	if (test_random_below(r, 1500) == 0) {
		delete(g, m, who);
	} else if (test_random_below(r, 300) == 0) {
		grave_turn(64);
	} else if (test_random_below(r, 5) == 0) {
		ck_assert(stream_pending_remove(
				  g, (struct stream_id){ i, 0 }) ==
			  (m->who[i] != 0));
		m->count -= m->who[i] != 0;
		m->who[i] = 0;
	} else {
		m->count += m->who[i] == 0;
		m->who[i] = who;
		m->time_ms[i] = 1 + test_random_below(r, 100000);
		put(g, i, who, m->time_ms[i]);
	}
}

static void sweep_all(void)
{
	while (grave_turn(128))
		;
}

START_TEST(gone__what_was_a_deleted_consumers_is_not_seen_before_it_is_swept)
{
	static struct model m, copied;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *copy = NULL;
	struct stream_group *g = stream_group_make(s, group);
	uint64_t swept_later = 0;
	int i;

	memset(&m, 0, sizeof(m));
	for (i = 0; i < 30000; i++) {
		step(g, &m, &r);
		swept_later += g->gone > 0;
		if (i % 100 == 0)
			assert_idlest(g, &m);
		if (i % 2000 == 0) {
			if (copy)
				stream_free(copy);
			copy = i % 4000 ? stream_copy(s) :
					  stream_copy_to_read(s);
			copied = m;
		}
		if (i % 1000)
			continue;
		stream_check(s);
		assert_same(g, &m);
		stream_check(copy);
		assert_same(stream_group_find(copy, group), &copied);
	}
	ck_assert_uint_gt(swept_later, 100);
	sweep_all();
	ck_assert_uint_eq(g->gone, 0);
	ck_assert_ptr_null(g->sweep);
	stream_check(s);
	assert_same(g, &m);
	stream_free(copy);
	stream_free(s);
}
END_TEST

/* Pending by turns for two consumers. */
static struct stream_group *two_consumers(struct stream *s)
{
	struct stream_group *g = stream_group_make(s, group);
	uint64_t i;

	for (i = 1; i <= MANY; i++)
		put(g, i, 1 + (i & 1), i);
	return g;
}

START_TEST(gone__deleting_a_consumer_leaves_its_entries_to_a_sweep_in_steps)
{
	struct stream *s = stream_new();
	struct stream_group *g = two_consumers(s);
	uint64_t before;
	unsigned steps = 0;

	ck_assert(stream_consumer_delete(g, slice_str("c1")));
	ck_assert_uint_eq(stream_pending_count(g), MANY / 2);
	ck_assert_uint_eq(g->pending.entries, MANY);
	do {
		before = g->gone;
		steps++;
		if (!grave_turn(128))
			break;
		ck_assert_uint_le(before - g->gone, 256);
	} while (g->gone > 0);
	ck_assert_uint_ge(steps, MANY / 2 / 256);
	ck_assert_uint_eq(g->pending.entries, MANY / 2);
	/* numbers: the one that was c1's is given again */
	ck_assert_uint_lt(
		stream_consumer_make(g, slice_str("x"))->number, 2);
	stream_check(s);
	stream_free(s);
}
END_TEST

START_TEST(gone__the_last_consumer_with_entries_takes_all_at_once)
{
	struct stream *s = stream_new();
	struct stream_group *g = two_consumers(s);

	ck_assert(stream_consumer_delete(g, slice_str("c1")));
	ck_assert(stream_consumer_delete(g, slice_str("c2")));
	ck_assert_uint_eq(g->pending.entries, 0);
	ck_assert_uint_eq(g->gone, 0);
	stream_check(s);
	put(g, 7, 1, 1);
	ck_assert_uint_eq(stream_pending_count(g), 1);
	sweep_all();
	stream_check(s);
	stream_free(s);
}
END_TEST

START_TEST(gone__a_group_may_go_before_its_sweep)
{
	struct stream *s = stream_new();
	struct stream_group *g = two_consumers(s);

	ck_assert(stream_consumer_delete(g, slice_str("c2")));
	ck_assert(grave_turn(128));
	ck_assert(stream_group_delete(s, group));
	sweep_all();
	g = two_consumers(s);
	ck_assert(stream_consumer_delete(g, slice_str("c2")));
	stream_free(s);
	sweep_all();
	ck_assert_uint_eq(grave_pending(), 0);
}
END_TEST

START_TEST(gone__entries_go_on_being_swept_while_consumers_come_and_go)
{
	struct stream *s = stream_new();
	struct stream_group *g = two_consumers(s);
	uint64_t id = MANY + 1, i, round;

	ck_assert(stream_consumer_delete(g, slice_str("c1")));
	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 200; i++)
			put(g, id + i, 3, id);
		id += 200;
		ck_assert(stream_consumer_delete(g, slice_str("c3")));
		grave_turn(1024);
	}
	ck_assert_uint_lt(g->gone, MANY);
	ck_assert_uint_eq(stream_pending_count(g), MANY / 2);
	stream_check(s);
	stream_free(s);
}
END_TEST

int main(void)
{
	return RUN_TESTS("stream_gone",
	  gone__what_was_a_deleted_consumers_is_not_seen_before_it_is_swept,
	  gone__deleting_a_consumer_leaves_its_entries_to_a_sweep_in_steps,
	  gone__the_last_consumer_with_entries_takes_all_at_once,
	  gone__a_group_may_go_before_its_sweep,
	  gone__entries_go_on_being_swept_while_consumers_come_and_go);
}
