/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is pending: XACK, XPENDING.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

/* XACK key group id [id ...]. */
void cmd_xack(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_pending_del, CAUSE_xack,
					c->argv[1]);
	struct buf *ids = items_scratch(c);
	struct stream_id id, previous = { 0, 0 };
	const struct stream_group *g = NULL;
	const struct stream *s;
	unsigned i;

	if (!stream_lookup_write(c, c->argv[1], &s))
		return;
	if (s)
		g = stream_group_find(s, c->argv[2]);
	if (g && !stream_ids_args(c, 3))
		return;
	for (i = 3; g && i < c->argc; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (stream_pending_find(g, id))
			ids_run_put(ids, &previous, id);
	}
	if (ids->size == 0) {
		reply_i64(c, 0);
		return;
	}
	r.group = c->argv[2];
	r.value = buf_slice(ids);
	emit(c, &r);
	reply_i64(c, (int64_t)c->ks->result);
}

/* XPENDING key group. */
static void summary(struct cmd *c, const struct stream_group *g)
{
	uint32_t i, busy = 0;

	reply_array(c, 4);
	reply_i64(c, (int64_t)stream_pending_count(g));
	if (stream_pending_count(g) == 0) {
		reply_null(c);
		reply_null(c);
		reply_null_array(c);
		return;
	}
	stream_reply_id(c, stream_pending_first(g));
	stream_reply_id(c, stream_pending_last(g));
	for (i = 0; i < g->consumer_count; i++)
		busy += g->consumers[i]->pending.entries > 0;
	reply_array(c, busy);
	for (i = 0; i < g->consumer_count; i++) {
		const struct stream_consumer *of = g->consumers[i];

		if (of->pending.entries == 0)
			continue;
		reply_array(c, 2);
		reply_bulk(c, stream_consumer_name(of));
		reply_bulk_i64(c, (int64_t)of->pending.entries);
	}
}

struct options {
	int64_t idle_ms, count;
	struct stream_id from, to;
	unsigned consumer; /* index of the argument; 0: all consumers */
};

static bool options_parse(struct cmd *c, struct options *o)
{
	unsigned start = 3;

	*o = (struct options){ 0 };
	if (c->argc >= 6 && arg_is(c, 3, "idle")) {
		if (!arg_i64(c, 4, &o->idle_ms))
			return false;
		start = 5;
	}
	if (c->argc < start + 3 || c->argc > 9) {
		reply_syntax_error(c);
		return false;
	}
	if (c->argc > start + 3)
		o->consumer = start + 3;
	return arg_i64(c, start + 2, &o->count) &&
	       stream_range_args(c, start, start + 1, &o->from, &o->to);
}

static uint64_t idle_ms(const struct cmd *c, const struct stream_pending *p)
{
	uint64_t then = stream_pending_time(p);

	return c->now_ms > then ? c->now_ms - then : 0;
}

/* XPENDING key group [IDLE ms] start end count [consumer]. */
static void list(struct cmd *c, const struct stream_group *g,
		 const struct options *o)
{
	const struct stream_consumer *of = NULL;
	size_t start = c->out->size;
	struct stream_pending_cursor at;
	const struct stream_pending *p;
	int64_t given = 0;

	if (o->consumer)
		of = stream_consumer_find(g, c->argv[o->consumer]);
	if (o->consumer && !of) {
		reply_array(c, 0);
		return;
	}
	stream_pending_seek(&at, g, of, o->from);
	while (given < o->count && (p = stream_pending_next(&at)) != NULL) {
		if (stream_id_below(o->to, p->id))
			break;
		if (o->idle_ms > 0 && idle_ms(c, p) < (uint64_t)o->idle_ms)
			continue;
		reply_array(c, 4);
		stream_reply_id(c, p->id);
		reply_bulk(c, stream_pending_owner(g, p));
		reply_i64(c, p->consumer == STREAM_NOBODY ?
			     -1 : (int64_t)idle_ms(c, p));
		reply_i64(c, stream_pending_deliveries(p));
		given++;
	}
	stream_reply_count(c, start, given);
}

void cmd_xpending(struct cmd *c)
{
	const struct stream_group *g;
	struct options o;

	if (c->argc > 3 && !options_parse(c, &o))
		return;
	g = stream_group_arg(c, 1, 2);
	if (!g)
		return;
	if (c->argc == 3)
		summary(c, g);
	else
		list(c, g, &o);
}
