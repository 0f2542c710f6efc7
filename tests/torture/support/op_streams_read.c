/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams and their consumer groups as the store has them: the reply of XINFO
 * STREAM FULL, and how it compares with the model.
 */
#include "tests/torture/support/op_streams.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* --- comparison ----------------------------------------------------------- */

static bool consumer_agrees(const struct consumer *a, const struct consumer *b)
{
	return a->there == b->there && a->pending == b->pending &&
	       span_holds(a->active, b->active);
}

static bool group_agrees(const struct group *a, const struct group *b)
{
	for (unsigned i = 0; i <= NOBODY; i++)
		if (!consumer_agrees(&a->consumers[i], &b->consumers[i]))
			return false;
	return a->there == b->there && a->last == b->last &&
	       a->read == b->read;
}

static bool pending_agrees(const struct pending *a, const struct pending *b)
{
	return a->group == b->group && a->consumer == b->consumer &&
	       a->id == b->id && a->count == b->count &&
	       span_holds(a->time, b->time);
}

bool groups_agree(const struct entry *e, const struct entry *read)
{
	const struct groups *a = groups_of(e), *b = groups_of(read);
	size_t i, count = pending_count(&e->side);

	if (a->last != b->last || a->added != b->added ||
	    a->deleted != b->deleted || e->side.size != read->side.size ||
	    memcmp(&a->marks, &b->marks, sizeof(a->marks)) != 0)
		return false;
	for (i = 0; i < STREAM_GROUPS; i++)
		if (!group_agrees(&a->groups[i], &b->groups[i]))
			return false;
	for (i = 0; i < count; i++)
		if (!pending_agrees(&pending_of(e)[i], &pending_of(read)[i]))
			return false;
	return true;
}

static void describe_group(struct buf *out, const struct group *g)
{
	buf_printf(out, " [%" PRId64 " last %" PRId64 " read %" PRId64,
		   g->there, g->last, g->read);
	for (unsigned i = 0; i <= NOBODY; i++)
		buf_printf(out, " c%u %" PRId64 " %" PRId64 " %" PRId64
			   "..%" PRId64, i, g->consumers[i].there,
			   g->consumers[i].pending, g->consumers[i].active.low,
			   g->consumers[i].active.high);
	buf_put_byte(out, ']');
}

static void describe_marks(struct buf *out, const struct marks *m)
{
	if (m->duration == 0)
		return;
	buf_printf(out, " marks %" PRId64 " of %" PRId64 " producers, %" PRId64
		   " s, at most %" PRId64 " each, %" PRId64 " added, %" PRId64
		   " came again", m->tracked, m->producers, m->duration,
		   m->limit, m->added, m->duplicates);
}

void groups_describe(struct buf *out, const struct entry *e)
{
	const struct groups *all = groups_of(e);
	const struct pending *p = pending_of(e);

	buf_printf(out, " last %" PRId64 " added %" PRId64 " deleted %" PRId64,
		   all->last, all->added, all->deleted);
	describe_marks(out, &all->marks);
	for (unsigned i = 0; i < STREAM_GROUPS; i++)
		describe_group(out, &all->groups[i]);
	for (size_t i = 0; i < pending_count(&e->side) && i < 20; i++)
		buf_printf(out, " %" PRId64 "(g%u c%u %" PRId64 " %" PRId64
			   "..%" PRId64 ")", p[i].id, p[i].group,
			   p[i].consumer, p[i].count, p[i].time.low,
			   p[i].time.high);
}

/* The reading of XINFO STREAM FULL, word by word. */
struct reading {
	struct entry *e;
	const char *at, *end;
	unsigned group;
	struct consumer *consumer; /* NULL: the group itself */
	int64_t pending;           /* how many follow */
};

/* A number, or an ID as one. */
static int64_t next_number(struct reading *r)
{
	const char *word = next_word(&r->at, r->end);
	char *behind;
	int64_t n = strtoll(word, &behind, 10);

	if (strcmp(word, "nil") == 0)
		return READ_UNKNOWN;
	if (*behind != '-' || n == 0)
		return n;
	if (n < ID_BASE)
		return -n; /* none of the model's */
	return (n - ID_BASE) << ID_SEQ_BITS | strtoll(behind + 1, NULL, 10);
}

/* The number at the end of a name; count: there is none. */
static unsigned next_name(struct reading *r, unsigned count)
{
	const char *word = next_word(&r->at, r->end);

	return word[0] ? (unsigned)strtoul(word + 1, NULL, 10) % count : count;
}

static void take_entries(struct reading *r)
{
	while (r->at < r->end && strcmp(r->at, "groups") != 0) {
		int64_t id = next_number(r);

		buf_put(&r->e->value, &id, 8);
		next_word(&r->at, r->end); /* its one field */
		next_word(&r->at, r->end);
	}
}

/* A group's, or a consumer's: behind the name comes another word. */
static void take_name(struct reading *r)
{
	const char *ahead = r->at;

	next_word(&ahead, r->end);
	if (strcmp(next_word(&ahead, r->end), "last-delivered-id") == 0) {
		r->group = next_name(r, STREAM_GROUPS) % STREAM_GROUPS;
		r->consumer = NULL;
		groups_of(r->e)->groups[r->group].there = 1;
		return;
	}
	r->consumer = &groups_of(r->e)->groups[r->group]
			       .consumers[next_name(r, CONSUMERS)];
	r->consumer->there = 1;
}

/* The group's have all of it; a consumer's only say so again. */
static void take_pending(struct reading *r)
{
	for (; r->pending > 0 && r->at < r->end; r->pending--) {
		struct pending p = { .group = r->group, .id = next_number(r) };

		if (!r->consumer)
			p.consumer = next_name(r, CONSUMERS);
		p.time.low = p.time.high = next_number(r);
		p.count = next_number(r);
		if (!r->consumer)
			buf_put(&r->e->side, &p, sizeof(p));
	}
}

/* The numbers of a stream by their names. */
static const struct {
	const char *name;
	size_t offset; /* in struct groups */
} stream_numbers[] = {
	{ "last-generated-id", offsetof(struct groups, last) },
	{ "entries-added", offsetof(struct groups, added) },
	{ "max-deleted-entry-id", offsetof(struct groups, deleted) },
	{ "idmp-duration", offsetof(struct groups, marks.duration) },
	{ "idmp-maxsize", offsetof(struct groups, marks.limit) },
	{ "pids-tracked", offsetof(struct groups, marks.producers) },
	{ "iids-tracked", offsetof(struct groups, marks.tracked) },
	{ "iids-added", offsetof(struct groups, marks.added) },
	{ "iids-duplicates", offsetof(struct groups, marks.duplicates) },
};

static void take_number(struct reading *r, const char *name, int64_t n)
{
	struct groups *all = groups_of(r->e);
	struct group *g = &all->groups[r->group];

	for (unsigned i = 0; i < ARRAY_LEN(stream_numbers); i++)
		if (strcmp(name, stream_numbers[i].name) == 0)
			memcpy((uint8_t *)all + stream_numbers[i].offset, &n,
			       sizeof(n));
	if (strcmp(name, "last-delivered-id") == 0)
		g->last = n;
	else if (strcmp(name, "entries-read") == 0)
		g->read = n;
	else if (strcmp(name, "nacked-count") == 0)
		g->consumers[NOBODY].pending = n;
	else if (strcmp(name, "pel-count") == 0)
		r->pending = n;
	if (strcmp(name, "pel-count") == 0 && r->consumer)
		r->consumer->pending = n;
	if (strcmp(name, "active-time") == 0 && n > 0)
		r->consumer->active = (struct span){ n, n };
}

static int by_group(const void *a, const void *b)
{
	const struct pending *p = a, *q = b;

	if (p->group != q->group)
		return p->group < q->group ? -1 : 1;
	return p->id < q->id ? -1 : p->id > q->id;
}

void stream_take(struct entry *e, const char *at, const char *end)
{
	struct reading r = { .e = e, .at = at, .end = end };

	groups_empty(&e->side);
	e->value.size = 0;
	while (r.at < r.end) {
		const char *name = next_word(&r.at, r.end);

		if (strcmp(name, "entries") == 0)
			take_entries(&r);
		else if (strcmp(name, "name") == 0)
			take_name(&r);
		else if (strcmp(name, "pending") == 0)
			take_pending(&r);
		else if (strcmp(name, "groups") != 0 &&
			 strcmp(name, "consumers") != 0)
			take_number(&r, name, next_number(&r));
	}
	qsort(pending_of(e), pending_count(&e->side), sizeof(struct pending),
	      by_group);
}
