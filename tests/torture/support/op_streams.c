/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: the operations on consumer groups.
 */
#include "tests/torture/support/op_streams.h"

#define DELIVER_MAX 9  /* COUNT of XREADGROUP */
#define CLAIM_MAX 5    /* COUNT of XAUTOCLAIM */
#define LINE_MAX 3     /* COUNT of XREADGROUP with CLAIM */
#define COUNT_MAX INT64_MAX /* deliveries, and one more */

/* --- the state ------------------------------------------------------------ */

void groups_empty(struct buf *side)
{
	static const struct groups none;

	side->size = 0;
	buf_put(side, &none, sizeof(none));
}

size_t pending_place(const struct entry *e, unsigned group, int64_t id)
{
	const struct pending *all = pending_of(e);
	size_t i = 0, count = pending_count(&e->side);

	while (i < count && (all[i].group < group ||
			     (all[i].group == group && all[i].id < id)))
		i++;
	return i;
}

struct pending *pending_find(const struct entry *e, unsigned group,
			     int64_t id)
{
	size_t i = pending_place(e, group, id);
	struct pending *p = pending_of(e) + i;

	if (i == pending_count(&e->side) || p->group != group || p->id != id)
		return NULL;
	return p;
}

void pending_remove(struct entry *e, const struct pending *p)
{
	size_t at = (size_t)((const uint8_t *)p - e->side.data);
	size_t behind = at + sizeof(*p);

	groups_of(e)->groups[p->group].consumers[p->consumer].pending--;
	memmove(e->side.data + at, e->side.data + behind,
		e->side.size - behind);
	e->side.size -= sizeof(*p);
}

/* In place of one of this ID, if there is one. */
static void pending_put(struct entry *e, const struct pending *p)
{
	const struct pending *old = pending_find(e, p->group, p->id);
	struct pending *all;
	size_t i, count;

	if (old)
		pending_remove(e, old);
	i = pending_place(e, p->group, p->id);
	count = pending_count(&e->side);
	buf_put(&e->side, p, sizeof(*p));
	all = pending_of(e);
	memmove(&all[i + 1], &all[i], (count - i) * sizeof(*all));
	all[i] = *p;
	groups_of(e)->groups[p->group].consumers[p->consumer].pending++;
}

/* --- groups --------------------------------------------------------------- */

/* The group of the operation; NULL, and an error expected: there is none. */
static struct group *group_of(struct entry *to, const struct op *op,
			      struct expect *e)
{
	struct group *g = NULL;

	if (to->present)
		g = &groups_of(to)->groups[op_group(op)];
	if (g && g->there)
		return g;
	expect_type(e, EXPECT_ERROR);
	return NULL;
}

static struct consumer *consumer_of(struct group *g, const struct op *op)
{
	struct consumer *c = &g->consumers[op_consumer(op)];

	c->there = 1;
	return c;
}

/* XGROUP CREATE … MKSTREAM. */
static void create(struct model *m, const struct op *op, struct expect *e,
		   bool at_end, int64_t read)
{
	struct entry *to = entry_opened(m, op, op->key);
	struct group *g = &groups_of(to)->groups[op_group(op)];

	if (g->there) {
		expect_type(e, EXPECT_ERROR);
		return;
	}
	to->present = true;
	*g = (struct group){ .there = 1, .read = read };
	if (at_end)
		g->last = groups_of(to)->last;
	expect_type(e, EXPECT_OK);
}

static void exec_create(struct model *m, const struct op *op, struct expect *e)
{
	create(m, op, e, false, READ_UNKNOWN);
}

static void exec_create_end(struct model *m, const struct op *op,
			    struct expect *e)
{
	create(m, op, e, true, READ_UNKNOWN);
}

static void exec_create_read(struct model *m, const struct op *op,
			     struct expect *e)
{
	create(m, op, e, false, 3);
}

static void exec_setid(struct model *m, const struct op *op, struct expect *e)
{
	struct group *g = group_of(entry_of(m, op, op->key), op, e);

	if (!g)
		return;
	g->last = op_id(op, true);
	g->read = READ_UNKNOWN;
	expect_type(e, EXPECT_OK);
}

/* What is pending in the group, of all or of one consumer, goes. How much. */
static int64_t drop_pending(struct entry *to, unsigned group, int consumer)
{
	int64_t dropped = 0;
	size_t i = 0;

	while (i < pending_count(&to->side)) {
		const struct pending *p = &pending_of(to)[i];

		if (p->group == group &&
		    (consumer < 0 || p->consumer == (unsigned)consumer)) {
			pending_remove(to, p);
			dropped++;
		} else {
			i++;
		}
	}
	return dropped;
}

static void exec_destroy(struct model *m, const struct op *op,
			 struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);

	if (!g) {
		if (to->present)
			expect_integer(e, 0);
		return;
	}
	drop_pending(to, op_group(op), -1);
	*g = (struct group){ 0 };
	expect_integer(e, 1);
}

static void exec_make_consumer(struct model *m, const struct op *op,
			       struct expect *e)
{
	struct group *g = group_of(entry_of(m, op, op->key), op, e);

	if (!g)
		return;
	expect_integer(e, !g->consumers[op_consumer(op)].there);
	consumer_of(g, op);
}

static void exec_drop_consumer(struct model *m, const struct op *op,
			       struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	unsigned n = op_consumer(op);

	if (!g)
		return;
	expect_integer(e, drop_pending(to, op_group(op), (int)n));
	g->consumers[n] = (struct consumer){ 0 };
}

/* --- delivery ------------------------------------------------------------- */

/* How many entries g, which is before this one, has read behind it. */
static int64_t read_after(const struct entry *e, const struct group *g,
			  int64_t id)
{
	const struct groups *all = groups_of(e);
	int64_t first = id_at(e, 0), before = all->added - (int64_t)id_count(e);
	bool holes = all->deleted >= first;

	if (g->read != READ_UNKNOWN && g->last >= first &&
	    !(holes && all->deleted >= g->last))
		return g->read + 1;
	if (id == all->last)
		return all->added;
	return id == first && !holes ? before + 1 : READ_UNKNOWN;
}

/* Entries above the group's last one, at most so many. How many. */
static unsigned deliver(struct entry *to, const struct op *op, bool noack,
			unsigned most)
{
	struct group *g = &groups_of(to)->groups[op_group(op)];
	struct pending p = { .group = op_group(op),
			     .consumer = op_consumer(op),
			     .count = 1,
			     .time = span_from_now(op, 0) };
	unsigned given = 0;
	size_t i;

	for (i = 0; i < id_count(to) && given < most; i++) {
		p.id = id_at(to, i);
		if (p.id <= g->last)
			continue;
		g->read = read_after(to, g, p.id);
		g->last = p.id;
		given++;
		if (noack)
			continue;
		pending_put(to, &p);
		g = &groups_of(to)->groups[op_group(op)]; /* it moved */
		g->consumers[op_consumer(op)].active = p.time;
	}
	return given;
}

static void read_new(struct model *m, const struct op *op, struct expect *e,
		     bool noack)
{
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	unsigned given;

	if (!g)
		return;
	consumer_of(g, op);
	given = deliver(to, op, noack, DELIVER_MAX);
	expect_scalars(e, given ? 1 + 3 * (int64_t)given : 0);
}

static void exec_read(struct model *m, const struct op *op, struct expect *e)
{
	read_new(m, op, e, false);
}

static void exec_read_noack(struct model *m, const struct op *op,
			    struct expect *e)
{
	read_new(m, op, e, true);
}

/* What is pending for the consumer is delivered again. */
static void exec_read_again(struct model *m, const struct op *op,
			    struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	int64_t scalars = 1;
	unsigned given = 0;
	size_t i;

	if (!g)
		return;
	consumer_of(g, op);
	for (i = 0; i < pending_count(&to->side) && given < DELIVER_MAX; i++) {
		struct pending *p = &pending_of(to)[i];

		if (p->group != op_group(op) || p->consumer != op_consumer(op))
			continue;
		given++;
		scalars += has_id(to, p->id) ? 3 : 1;
		if (!has_id(to, p->id))
			continue;
		p->count += p->count < COUNT_MAX;
		p->time = span_from_now(op, 0);
	}
	expect_scalars(e, scalars);
}

static void exec_ack(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	const int64_t ids[2] = { op->amount, op->amount2 };
	int64_t acked = 0;

	for (unsigned i = 0; i < 2 && group_of(to, op, NULL); i++) {
		const struct pending *p = pending_find(to, op_group(op),
						       ids[i]);

		if (!p)
			continue;
		pending_remove(to, p);
		acked++;
	}
	expect_integer(e, acked);
}

/* --- claims --------------------------------------------------------------- */

struct claim {
	bool force, just_id;
	int64_t retries; /* -1: one more */
	struct span time;
};

/* One ID; whether it was claimed. */
static bool claim_id(struct entry *to, const struct op *op, int64_t id,
		     const struct claim *c)
{
	const struct pending *old = pending_find(to, op_group(op), id);
	struct pending p = { .group = op_group(op), .id = id, .count = 1 };

	if (!has_id(to, id)) {
		if (old)
			pending_remove(to, old);
		return false;
	}
	if (!old && !c->force)
		return false;
	if (old)
		p = *old;
	if (old)
		pending_remove(to, old);
	p.consumer = op_consumer(op);
	p.line = 0;
	p.time = c->time;
	if (c->retries >= 0)
		p.count = c->retries;
	else
		p.count += !c->just_id && p.count < COUNT_MAX;
	pending_put(to, &p);
	return true;
}

/* The consumer got something. */
static void note_active(struct entry *to, const struct op *op)
{
	struct group *g = &groups_of(to)->groups[op_group(op)];

	g->consumers[op_consumer(op)].active = span_from_now(op, 0);
}

static void claim(struct model *m, const struct op *op, struct expect *e,
		  const struct claim *c)
{
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	int64_t given;

	if (!g)
		return;
	consumer_of(g, op);
	given = claim_id(to, op, op->amount, c);
	given += claim_id(to, op, op->amount2, c);
	if (given > 0)
		note_active(to, op);
	expect_scalars(e, given * (c->just_id ? 1 : 3));
}

static void exec_claim(struct model *m, const struct op *op, struct expect *e)
{
	claim(m, op, e, &(struct claim){ .retries = -1,
					 .time = span_from_now(op, 0) });
}

static void exec_claim_id(struct model *m, const struct op *op,
			  struct expect *e)
{
	claim(m, op, e, &(struct claim){ .retries = -1,
					 .just_id = true,
					 .time = span_from_now(op, 0) });
}

static void exec_claim_force(struct model *m, const struct op *op,
			     struct expect *e)
{
	claim(m, op, e, &(struct claim){ .retries = -1,
					 .force = true,
					 .time = span_from_now(op, 0) });
}

static void exec_claim_at(struct model *m, const struct op *op,
			  struct expect *e)
{
	claim(m, op, e, &(struct claim){
		.retries = 7, .time = { op_past(op), op_past(op) } });
}

/* The next that may be claimed: of all that is pending, in order of ID behind
 * *id, or of what is nobody's the one that stands first in line. */
static bool next_claimed(const struct entry *e, unsigned group, bool all,
			 int64_t *id)
{
	size_t i = pending_place(e, group, all ? *id + 1 : 0);
	size_t end = pending_place(e, group, INT64_MAX);
	const struct pending *p = pending_of(e), *first = NULL;

	for (; i < end; i++) {
		if (!all && p[i].consumer != NOBODY)
			continue;
		if (!first || p[i].line < first->line)
			first = &p[i];
		if (all)
			break;
	}
	if (first)
		*id = first->id;
	return first != NULL;
}

/* What may be claimed, then what is new. */
static void read_claim(struct model *m, const struct op *op, struct expect *e,
		       bool all)
{
	const struct claim c = { .retries = -1, .time = span_from_now(op, 0) };
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	int64_t id = -1, given = 0, most = all ? INT32_MAX : LINE_MAX;

	if (!g)
		return;
	consumer_of(g, op);
	while (given < most && next_claimed(to, op_group(op), all, &id))
		given += claim_id(to, op, id, &c);
	if (given > 0)
		note_active(to, op);
	given += deliver(to, op, false, (unsigned)(most - given));
	expect_scalars(e, given ? 1 + 5 * given : 0);
}

static void exec_read_claim(struct model *m, const struct op *op,
			    struct expect *e)
{
	read_claim(m, op, e, true);
}

static void exec_read_line(struct model *m, const struct op *op,
			   struct expect *e)
{
	read_claim(m, op, e, false);
}

enum nack { FAIL, SILENT, FATAL, FORCED };

/* How often it counts as delivered then. */
static int64_t nack_count(const struct pending *old, enum nack how)
{
	int64_t count = old ? old->count : 0;

	if (how == FATAL)
		return COUNT_MAX;
	return how == SILENT && count > 0 && count < COUNT_MAX ? count - 1 :
								 count;
}

/* It is nobody's then, the last in line; what was not pending becomes so if
 * there is such an entry and it is forced. */
static int64_t nack_id(struct entry *to, const struct op *op, int64_t id,
		       enum nack how)
{
	const struct pending *old = pending_find(to, op_group(op), id);
	struct pending p = { .group = op_group(op), .consumer = NOBODY,
			     .id = id, .count = nack_count(old, how) };

	if (!old && !(how == FORCED && has_id(to, id)))
		return 0;
	p.line = ++groups_of(to)->lines;
	pending_put(to, &p);
	return 1;
}

static void nack(struct model *m, const struct op *op, struct expect *e,
		 enum nack how)
{
	struct entry *to = entry_of(m, op, op->key);
	int64_t count;

	if (!group_of(to, op, e))
		return;
	count = nack_id(to, op, op->amount, how);
	count += nack_id(to, op, op->amount2, how);
	expect_integer(e, count);
}

static void exec_nack(struct model *m, const struct op *op, struct expect *e)
{
	nack(m, op, e, FAIL);
}

static void exec_nack_silent(struct model *m, const struct op *op,
			     struct expect *e)
{
	nack(m, op, e, SILENT);
}

static void exec_nack_fatal(struct model *m, const struct op *op,
			    struct expect *e)
{
	nack(m, op, e, FATAL);
}

static void exec_nack_force(struct model *m, const struct op *op,
			    struct expect *e)
{
	nack(m, op, e, FORCED);
}

static void exec_autoclaim(struct model *m, const struct op *op,
			   struct expect *e)
{
	const struct claim c = { .retries = -1, .time = span_from_now(op, 0) };
	struct entry *to = entry_of(m, op, op->key);
	struct group *g = group_of(to, op, e);
	unsigned tries, given = 0, gone = 0;
	int64_t id = -1;

	if (!g)
		return;
	consumer_of(g, op);
	for (tries = 0; tries < CLAIM_MAX; tries++) {
		size_t i = pending_place(to, op_group(op), id + 1);

		if (i == pending_count(&to->side) ||
		    pending_of(to)[i].group != op_group(op))
			break;
		id = pending_of(to)[i].id;
		if (claim_id(to, op, id, &c))
			given++;
		else
			gone++;
	}
	if (given > 0)
		note_active(to, op);
	expect_scalars(e, 1 + 3 * (int64_t)given + gone);
}

int64_t op_some_id(const struct op *op, const struct entry *e,
		   struct random *r)
{
	uint64_t dice = random_below(r, 8);
	size_t count, from;

	if (e->present && dice == 0 && id_count(e) > 0)
		return id_at(e, random_below(r, id_count(e)));
	if (!e->present || dice == 1)
		return op_id(op, true);
	from = pending_place(e, op_group(op), 0);
	count = pending_place(e, op_group(op), INT64_MAX) - from;
	return count ? pending_of(e)[from + random_below(r, count)].id :
		       op_id(op, true);
}

bool stream_settled(const struct entry *e)
{
	return e->present && groups_of(e)->last > 0;
}

void groups_pin(struct entry *e, const struct entry *read)
{
	const struct groups *from = groups_of(read);
	size_t i;

	for (i = 0; i < STREAM_GROUPS * CONSUMERS; i++)
		groups_of(e)->groups[i / CONSUMERS]
			.consumers[i % CONSUMERS].active =
			from->groups[i / CONSUMERS]
				.consumers[i % CONSUMERS].active;
	for (i = 0; i < pending_count(&e->side); i++)
		pending_of(e)[i].time = pending_of(read)[i].time;
}

/* --- the table ------------------------------------------------------------ */

const struct op_row stream_rows[] = {
	{ "XGROUP CREATE $k $g 0 MKSTREAM", 12, STREAMS, 0, 0, exec_create },
	{ "XGROUP CREATE $k $g $$ MKSTREAM", 4, STREAMS, 0, 0,
	  exec_create_end },
	{ "XGROUP CREATE $k $g 0 MKSTREAM ENTRIESREAD 3", 4, STREAMS, 0, 0,
	  exec_create_read },
	{ "XGROUP SETID $k $g $J", 4, STREAMS, 0, 0, exec_setid },
	{ "XGROUP DESTROY $k $g", 3, STREAMS, 0, 0, exec_destroy },
	{ "XGROUP CREATECONSUMER $k $g $y", 5, STREAMS, 0, 0,
	  exec_make_consumer },
	{ "XGROUP DELCONSUMER $k $g $y", 4, STREAMS, 0, 0,
	  exec_drop_consumer },
	{ "XREADGROUP GROUP $g $y COUNT 9 STREAMS $k >", 60, STREAMS, 0, 0,
	  exec_read },
	{ "XREADGROUP GROUP $g $y COUNT 9 NOACK STREAMS $k >", 5, STREAMS, 0,
	  0, exec_read_noack },
	{ "XREADGROUP GROUP $g $y COUNT 9 STREAMS $k 0", 10, STREAMS, 0, 0,
	  exec_read_again },
	{ "XREADGROUP GROUP $g $y COUNT 1000000 CLAIM 0 STREAMS $k >", 4,
	  STREAMS, 0, NOT_REDIS, exec_read_claim },
	{ "XREADGROUP GROUP $g $y COUNT 3 CLAIM 99999999 STREAMS $k >", 8,
	  STREAMS, 0, NOT_REDIS, exec_read_line },
	{ "XNACK $k $g FAIL IDS 2 $A $B", 5, STREAMS, SOME_IDS, NOT_REDIS,
	  exec_nack },
	{ "XNACK $k $g FAIL IDS 2 $A $B FORCE", 4, STREAMS, SOME_IDS,
	  NOT_REDIS, exec_nack_force },
	{ "XNACK $k $g SILENT IDS 2 $A $B", 3, STREAMS, SOME_IDS, NOT_REDIS,
	  exec_nack_silent },
	{ "XNACK $k $g FATAL IDS 2 $A $B", 2, STREAMS, SOME_IDS, NOT_REDIS,
	  exec_nack_fatal },
	{ "XACK $k $g $A $B", 50, STREAMS, SOME_IDS, 0, exec_ack },
	{ "XCLAIM $k $g $y 0 $A $B", 12, STREAMS, SOME_IDS, 0,
	  exec_claim },
	{ "XCLAIM $k $g $y 0 $A $B JUSTID", 6, STREAMS, SOME_IDS, 0,
	  exec_claim_id },
	{ "XCLAIM $k $g $y 0 $A $B FORCE", 6, STREAMS, SOME_IDS, 0,
	  exec_claim_force },
	{ "XCLAIM $k $g $y 0 $A $B TIME $t RETRYCOUNT 7", 6, STREAMS,
	  SOME_IDS, 0, exec_claim_at },
	{ "XAUTOCLAIM $k $g $y 0 0-0 COUNT 5", 8, STREAMS, 0, 0,
	  exec_autoclaim },
};
const unsigned stream_row_count = ARRAY_LEN(stream_rows);
