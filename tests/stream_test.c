/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream_trim.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/support/pending.h"
#include "tests/support/suite.h"

#define MODEL_MAX 4000
#define TEXT_MAX 80

static const struct stream_limits limits = { 4096, 100 };

/* One entry of the plain model: its ID and what it was made from. */
struct model_entry {
	struct stream_id id;
	uint64_t seed;
};

struct model {
	struct model_entry at[MODEL_MAX];
	size_t count;
};

static void put_item(struct buf *b, struct slice s)
{
	uint8_t *p = buf_reserve(b, VARINT_SIZE_MAX + s.size);

	p = put_varint(p, s.size);
	p = put_bytes(p, s.data, s.size);
	b->size = (size_t)(p - b->data);
}

/* Text number i of an entry: words, numbers of all sizes, long texts. */
static size_t text_of(uint64_t seed, uint32_t i, char *out)
{
	struct test_random r = { seed ^ i };
	uint64_t v = test_random_next(&r);

	switch (test_random_below(&r, 5)) {
	case 0:
		return (size_t)snprintf(out, TEXT_MAX, "%lld",
					(long long)(int64_t)v >>
						test_random_below(&r, 64));
	case 1:
		memset(out, 'a' + (int)(v % 26), TEXT_MAX);
		return v % TEXT_MAX;
	case 2:
		return (size_t)snprintf(out, TEXT_MAX, "0%u", (unsigned)v % 9);
	default:
		return (size_t)snprintf(out, TEXT_MAX, "w%u", (unsigned)v % 99);
	}
}

static uint32_t pairs_of(uint64_t seed)
{
	return seed % 7 ? 2 : 1 + seed % 5;
}

/* Fields are mostly the same ones. */
static size_t field_of(uint64_t seed, uint32_t i, char *out)
{
	if (seed % 7)
		return (size_t)snprintf(out, TEXT_MAX, "field%u", i);
	return text_of(~seed, i, out);
}

static void items_of(struct buf *items, uint64_t seed)
{
	char text[TEXT_MAX];
	uint32_t i;

	items->size = 0;
	for (i = 0; i < pairs_of(seed); i++) {
		put_item(items, slice_of(text, field_of(seed, i, text)));
		put_item(items, slice_of(text, text_of(seed, i, text)));
	}
}

static void assert_entry(struct stream_entry e, const struct model_entry *m)
{
	char text[TEXT_MAX];
	struct stream_pair pair;
	uint32_t i;

	ck_assert(stream_id_equal(e.id, m->id));
	ck_assert_uint_eq(e.pairs, pairs_of(m->seed));
	for (i = 0; i < pairs_of(m->seed); i++) {
		stream_entry_pair(&e, &pair);
		ck_assert(slice_equal(pair.field,
				      slice_of(text, field_of(m->seed, i,
							      text))));
		ck_assert(slice_equal(pair.value,
				      slice_of(text, text_of(m->seed, i,
							     text))));
	}
}

/* Both directions, from the ends. */
static void assert_same(const struct stream *s, const struct model *m)
{
	static struct stream_back back;
	struct stream_cursor c;
	struct stream_entry e;
	size_t i;

	stream_check(s);
	ck_assert_uint_eq(stream_length(s), m->count);
	stream_seek(&c, s, (struct stream_id){ 0, 0 });
	for (i = 0; i < m->count; i++) {
		ck_assert(stream_next(&c, &e));
		assert_entry(e, &m->at[i]);
	}
	ck_assert(!stream_next(&c, &e));
	stream_seek_back(&back, s, STREAM_ID_MAX);
	for (i = m->count; i > 0; i--) {
		ck_assert(stream_previous(&back, &e));
		assert_entry(e, &m->at[i - 1]);
	}
	ck_assert(!stream_previous(&back, &e));
}

static struct stream_id next_id(struct test_random *r, struct stream_id last)
{
	struct stream_id id = last;

	if (test_random_below(r, 3))
		id.seq += 1 + test_random_below(r, 3);
	else
		id = (struct stream_id){
			last.ms + 1 + test_random_below(r, 300),
			test_random_below(r, 5),
		};
	return id;
}

static void add(struct stream *s, struct model *m, struct test_random *r,
		const struct stream_limits *l)
{
	struct model_entry e = { next_id(r, s->last), test_random_next(r) };
	struct buf items = { 0 };

	if (m->count == MODEL_MAX)
		return;
	items_of(&items, e.seed);
	stream_add(s, e.id, buf_slice(&items), l);
	m->at[m->count++] = e;
	buf_release(&items);
}

static void drop(struct model *m, size_t from, size_t count)
{
	m->count -= count;
	memmove(m->at + from, m->at + from + count,
		(m->count - from) * sizeof(m->at[0]));
}

/* Removes an entry that is there, and asks for one that is not. */
static void delete_some(struct stream *s, struct model *m,
			struct test_random *r)
{
	struct stream_id id;
	size_t i;

	if (m->count == 0)
		return;
	i = test_random_below(r, m->count);
	id = m->at[i].id;
	ck_assert(stream_has(s, id));
	ck_assert(stream_delete(s, id));
	ck_assert(!stream_has(s, id));
	ck_assert(!stream_delete(s, id));
	if (stream_id_below(s->max_deleted, id))
		s->max_deleted = id;
	drop(m, i, 1);
}

/* A plan of any kind, checked against the model, and done. */
static void trim_some(struct stream *s, struct model *m, struct test_random *r)
{
	struct stream_trim_wish wish = { .by_id = test_random_below(r, 2) };
	struct stream_id through = { 0, 0 };
	uint64_t planned;
	size_t wanted;

	if (m->count == 0)
		return;
	wanted = test_random_below(r, test_random_below(r, 8) ?
			1 + m->count / 20 : m->count + 1);
	wish.length = m->count - wanted;
	wish.min = wanted < m->count ? m->at[wanted].id : STREAM_ID_MAX;
	wish.whole = test_random_below(r, 3) == 0;
	wish.limit = wish.whole && test_random_below(r, 2) ?
		     test_random_below(r, 200) : 0;
	planned = stream_trim_plan(s, &wish, &through);
	if (!wish.whole)
		ck_assert_uint_eq(planned, wanted);
	ck_assert_uint_le(planned, wanted);
	if (wish.limit)
		ck_assert_uint_le(planned, wish.limit);
	if (planned == 0)
		return;
	ck_assert(stream_id_equal(through, m->at[planned - 1].id));
	ck_assert_uint_eq(stream_trim(s, through), planned);
	drop(m, 0, planned);
}

/* Random ranges, both directions. */
static void seek_some(const struct stream *s, const struct model *m,
		      struct test_random *r)
{
	static struct stream_back back;
	struct stream_id id = { test_random_below(r, s->last.ms + 2),
				test_random_below(r, 5) };
	struct stream_cursor c;
	struct stream_entry e;
	size_t i = 0;

	while (i < m->count && stream_id_below(m->at[i].id, id))
		i++;
	stream_seek(&c, s, id);
	ck_assert_int_eq(stream_next(&c, &e), i < m->count);
	if (i < m->count)
		assert_entry(e, &m->at[i]);
	if (i < m->count && stream_id_equal(m->at[i].id, id))
		i++;
	stream_seek_back(&back, s, id);
	ck_assert_int_eq(stream_previous(&back, &e), i > 0);
	if (i > 0)
		assert_entry(e, &m->at[i - 1]);
}

static void random_step(struct stream *s, struct model *m,
			struct test_random *r, const struct stream_limits *l)
{
	switch (test_random_below(r, 40)) {
	case 0:
		trim_some(s, m, r);
		break;
	case 1:
	case 2:
	case 3:
	case 4:
		delete_some(s, m, r);
		break;
	case 5:
		seek_some(s, m, r);
		break;
	default:
		add(s, m, r, l);
	}
}

static void random_run(struct test_random *r, const struct stream_limits *l)
{
	static struct model m, frozen_model;
	struct stream *s = stream_new(), *frozen = NULL;
	int i;

	m.count = 0;
	for (i = 0; i < 2500; i++) {
		random_step(s, &m, r, l);
		if (i % 500 == 0) {
			frozen = stream_copy(s);
			frozen_model = m;
		} else if (i % 500 == 250) {
			assert_same(frozen, &frozen_model);
			stream_free(frozen);
			assert_same(s, &m);
		}
	}
	stream_free(s);
}

START_TEST(stream__random_operations_agree_with_a_plain_model)
{
	static const struct stream_limits some_limits[] = {
		{ 4096, 100 }, { 0, 0 }, { 64, 3 }, { 1, 1 }, { 0, 7 },
	};
	struct test_random r = { test_seed() };
	size_t i;

	for (i = 0; i < ARRAY_LEN(some_limits); i++)
		random_run(&r, &some_limits[i]);
}
END_TEST

START_TEST(stream__a_copy_survives_the_original)
{
	static struct model m;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *copy;
	int i;

	m.count = 0;
	for (i = 0; i < 3000; i++)
		add(s, &m, &r, &limits);
	copy = stream_copy(s);
	stream_free(s);
	assert_same(copy, &m);
	stream_free(copy);
}
END_TEST

START_TEST(stream__blocks_that_are_packed_load_again)
{
	static struct model m;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *loaded = stream_new();
	struct stream_place p = { 0, 0 };
	struct stream_packed packed;
	int i;

	m.count = 0;
	for (i = 0; i < 3000; i++) {
		add(s, &m, &r, &limits);
		if (i % 3 == 0)
			delete_some(s, &m, &r);
	}
	loaded->last = s->last;
	loaded->added = s->added;
	while (stream_pack(s, p, &packed)) {
		ck_assert_ptr_null(stream_packed_fits(&packed));
		stream_load(loaded, &packed);
		stream_place_next(&s->entries, &p);
	}
	assert_same(loaded, &m);
	add(loaded, &m, &r, &limits);
	assert_same(loaded, &m);
	stream_free(s);
	stream_free(loaded);
}
END_TEST

START_TEST(stream__damaged_blocks_are_refused_or_well_formed)
{
	static struct model m;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *loaded;
	struct stream_place p = { 0, 0 };
	struct stream_packed packed;
	uint8_t copy[8192];
	int i;

	m.count = 0;
	for (i = 0; i < 90; i++)
		add(s, &m, &r, &limits);
	ck_assert(stream_pack(s, p, &packed));
	ck_assert_uint_le(packed.data.size, sizeof(copy));
	for (i = 0; i < 20000; i++) {
		struct stream_packed bad = packed;
		int flips = 1 + (int)test_random_below(&r, 3);

		memcpy(copy, packed.data.data, packed.data.size);
		while (flips--)
			copy[test_random_below(&r, packed.data.size)] ^=
				1 << test_random_below(&r, 8);
		bad.data = slice_of(copy, packed.data.size);
		if (stream_packed_fits(&bad))
			continue;
		loaded = stream_new();
		loaded->last = s->last;
		loaded->added = s->added;
		stream_load(loaded, &bad);
		stream_check(loaded);
		stream_free(loaded);
	}
	stream_free(s);
}
END_TEST

START_TEST(stream__an_entry_of_usual_shape_takes_few_bytes)
{
	struct stream *s = stream_new();
	struct buf items = { 0 };
	char text[32];
	int i;

	for (i = 0; i < 100000; i++) {
		items.size = 0;
		put_item(&items, SLICE_LITERAL("type"));
		put_item(&items, SLICE_LITERAL("click"));
		put_item(&items, SLICE_LITERAL("user"));
		snprintf(text, sizeof(text), "%d", i % 1000);
		put_item(&items, slice_str(text));
		put_item(&items, SLICE_LITERAL("page"));
		snprintf(text, sizeof(text), "/p/%d", i % 97);
		put_item(&items, slice_str(text));
		stream_add(s, (struct stream_id){ 1700000000000u +
						  (uint64_t)i / 50, i % 50 },
			   buf_slice(&items), &limits);
	}
	ck_assert_uint_le(stream_memory(s) / 100000, 22);
	buf_release(&items);
	stream_free(s);
}
END_TEST

START_TEST(stream__ids_count_up_and_down)
{
	struct stream_id id = { 5, UINT64_MAX };

	ck_assert(stream_id_increment(&id));
	ck_assert(id.ms == 6 && id.seq == 0);
	ck_assert(stream_id_decrement(&id));
	ck_assert(id.ms == 5 && id.seq == UINT64_MAX);
	id = STREAM_ID_MAX;
	ck_assert(!stream_id_increment(&id));
	id = (struct stream_id){ 0, 0 };
	ck_assert(!stream_id_decrement(&id));
}
END_TEST

/* --- groups --------------------------------------------------------------- */

#define PENDING_IDS 2000
#define CONSUMERS 5

/* What is pending, by ID; consumer 0: nothing. */
struct pending_model {
	uint32_t consumer[PENDING_IDS];
	uint32_t count[PENDING_IDS];
	size_t total;
};

static void assert_pending(const struct stream_group *g,
			   const struct pending_model *m)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;
	uint32_t i, of;

	ck_assert_uint_eq(stream_pending_count(g), m->total);
	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	for (i = 0; i < PENDING_IDS; i++) {
		if (!m->consumer[i])
			continue;
		p = stream_pending_next(&c);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->id.ms, i);
		ck_assert_uint_eq(p->count, m->count[i]);
		pending_assert_owner(g, p, m->consumer[i]);
	}
	ck_assert_ptr_null(stream_pending_next(&c));
	for (of = 1; of <= CONSUMERS; of++) {
		const struct stream_consumer *owner = pending_consumer(g, of);

		if (!owner)
			continue;
		stream_pending_seek(&c, g, owner, (struct stream_id){ 0, 0 });
		for (i = 0; i < PENDING_IDS; i++)
			if (m->consumer[i] == of)
				ck_assert_uint_eq(
					stream_pending_next(&c)->id.ms, i);
		ck_assert_ptr_null(stream_pending_next(&c));
	}
}

static void pending_step(struct stream_group *g, struct pending_model *m,
			 struct test_random *r)
{
	uint32_t i = (uint32_t)test_random_below(r, PENDING_IDS), of, j;
	struct stream_pending p = { .id = { i, 7 } };

	of = 1 + (uint32_t)test_random_below(r, CONSUMERS);
	if (test_random_below(r, 3000) == 0) {
		pending_forget(g, of);
		for (j = 0; j < PENDING_IDS; j++)
			if (m->consumer[j] == of) {
				m->consumer[j] = 0;
				m->total--;
			}
		return;
	}
	if (test_random_below(r, 5) < 2) {
		ck_assert_int_eq(stream_pending_remove(g, p.id),
				 m->consumer[i] != 0);
		m->total -= m->consumer[i] != 0;
		m->consumer[i] = 0;
		return;
	}
	p.count = (uint32_t)test_random_below(r, 1000);
	pending_put(g, of, p);
	m->total += m->consumer[i] == 0;
	m->consumer[i] = of;
	m->count[i] = p.count;
}

START_TEST(stream__pending_entries_agree_with_a_plain_model)
{
	static struct pending_model m, frozen_model;
	struct test_random r = { test_seed() };
	struct stream *s = stream_new(), *frozen = NULL;
	struct slice name = SLICE_LITERAL("group");
	struct stream_group *g = stream_group_make(s, name);
	int i;

	memset(&m, 0, sizeof(m));
	for (i = 0; i < 60000; i++) {
		pending_step(g, &m, &r);
		if (i % 5000 == 2500) {
			frozen = stream_copy(s);
			frozen_model = m;
		}
		if (i % 5000 == 4999) {
			stream_check(frozen);
			assert_pending(stream_group_find(frozen, name),
				       &frozen_model);
			stream_free(frozen);
			stream_check(s);
			assert_pending(g, &m);
		}
	}
	ck_assert(stream_group_delete(s, name));
	ck_assert(!stream_group_delete(s, name));
	stream_free(s);
}
END_TEST

START_TEST(stream__groups_and_consumers_are_in_order_of_name)
{
	static const char *const names[] = { "b", "a", "", "ab", "aa", "c" };
	static const char *const sorted[] = { "", "a", "aa", "ab", "b", "c" };
	struct stream *s = stream_new();
	struct stream_group *g;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		g = stream_group_make(s, slice_str(names[i]));
		ck_assert_ptr_eq(g, stream_group_make(s, slice_str(names[i])));
	}
	for (i = 0; i < ARRAY_LEN(names); i++)
		stream_consumer_make(g, slice_str(names[i]));
	for (i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert(slice_equal(stream_group_name(s->groups[i]),
				      slice_str(sorted[i])));
		ck_assert(slice_equal(stream_consumer_name(g->consumers[i]),
				      slice_str(sorted[i])));
	}
	ck_assert(stream_consumer_delete(g, slice_str("aa")));
	ck_assert(!stream_consumer_delete(g, slice_str("aa")));
	ck_assert_uint_eq(stream_consumer_make(g, slice_str("x"))->number, 4);
	stream_check(s);
	stream_free(s);
}
END_TEST

/* A stream of entries 1-0 … n-0. */
static struct stream *plain_stream(uint64_t n)
{
	struct stream *s = stream_new();
	struct buf items = { 0 };
	uint64_t i;

	put_item(&items, slice_str("f"));
	put_item(&items, slice_str("v"));
	for (i = 1; i <= n; i++)
		stream_add(s, (struct stream_id){ i, 0 }, buf_slice(&items),
			   &limits);
	buf_release(&items);
	return s;
}

START_TEST(stream__the_lag_is_known_unless_holes_are_ahead)
{
	struct stream *s = plain_stream(5);
	struct stream_group *g = stream_group_make(s, slice_str("g"));
	int64_t lag;

	g->read = STREAM_READ_UNKNOWN;
	ck_assert(stream_lag(s, g, &lag));
	ck_assert_int_eq(lag, 5);
	g->last = (struct stream_id){ 3, 0 };
	ck_assert(!stream_lag(s, g, &lag));
	g->read = 3;
	ck_assert(stream_lag(s, g, &lag));
	ck_assert_int_eq(lag, 2);
	stream_delete(s, (struct stream_id){ 4, 0 });
	s->max_deleted = (struct stream_id){ 4, 0 };
	ck_assert(!stream_lag(s, g, &lag));
	g->last = (struct stream_id){ 5, 0 };
	g->read = STREAM_READ_UNKNOWN;
	ck_assert(stream_lag(s, g, &lag));
	ck_assert_int_eq(lag, 0);
	stream_free(s);
}
END_TEST

START_TEST(stream__what_a_group_has_read_counts_entries_that_went_ahead)
{
	struct stream *s = plain_stream(5);
	struct stream_group *g = stream_group_make(s, slice_str("g"));
	const struct stream_id id[6] = { { 0, 0 }, { 1, 0 }, { 2, 0 },
					 { 3, 0 }, { 4, 0 }, { 5, 0 } };
	int64_t lag;

	ck_assert_int_eq(stream_read_next(s, 1, id[1], id[2]), 2);
	stream_delete(s, id[3]);
	s->max_deleted = id[3];
	ck_assert_int_eq(stream_read_next(s, 2, id[3], id[5]), 5);
	ck_assert_int_eq(stream_read_next(s, 2, id[2], id[4]),
			 STREAM_READ_UNKNOWN);
	stream_delete(s, id[1]);
	stream_delete(s, id[2]);
	g->last = id[1];
	g->read = 1;
	ck_assert(stream_lag(s, g, &lag));
	ck_assert_int_eq(lag, 2);
	ck_assert_int_eq(stream_read_next(s, 1, id[1], id[4]), 4);
	stream_free(s);
}
END_TEST

int main(void)
{
	return RUN_TESTS("stream",
		stream__ids_count_up_and_down,
		stream__random_operations_agree_with_a_plain_model,
		stream__a_copy_survives_the_original,
		stream__blocks_that_are_packed_load_again,
		stream__damaged_blocks_are_refused_or_well_formed,
		stream__an_entry_of_usual_shape_takes_few_bytes,
		stream__pending_entries_agree_with_a_plain_model,
		stream__groups_and_consumers_are_in_order_of_name,
		stream__the_lag_is_known_unless_holes_are_ahead,
		stream__what_a_group_has_read_counts_entries_that_went_ahead);
}
