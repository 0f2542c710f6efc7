/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XINFO: what streams, groups and consumers are like.
 *
 * Names of fields are those of Redis 7.2.  Its radix trees are ours of nodes:
 * keys are blocks.  Fields of later versions are shown where there is something
 * to show in them: some clients refuse replies with fields they do not know.
 */
#include "engine/cmd_stream.h"

#include "types/stream_marks.h"

#define FULL_COUNT 10 /* entries shown unless said */

/* The stream at argv[2]; NULL: replied. */
static const struct stream *open_stream(struct cmd *c)
{
	const struct stream *s;

	if (!stream_lookup(c, c->argv[2], &s))
		return NULL;
	if (!s)
		reply_error(c, "ERR no such key");
	return s;
}

static void put_id(struct cmd *c, const char *name, struct stream_id id)
{
	reply_bulk_str(c, name);
	stream_reply_id(c, id);
}

static void put_number(struct cmd *c, const char *name, uint64_t v)
{
	reply_bulk_str(c, name);
	reply_i64(c, (int64_t)v);
}

/* Milliseconds since `then`; -1: never. */
static int64_t since(const struct cmd *c, uint64_t then)
{
	if (then == 0)
		return -1;
	return c->now_ms > then ? (int64_t)(c->now_ms - then) : 0;
}

static void put_progress(struct cmd *c, const struct stream *s,
			 const struct stream_group *g)
{
	int64_t lag;

	put_id(c, "last-delivered-id", g->last);
	reply_bulk_str(c, "entries-read");
	if (g->read == STREAM_READ_UNKNOWN)
		reply_null(c);
	else
		reply_i64(c, g->read);
	reply_bulk_str(c, "lag");
	if (stream_lag(s, g, &lag))
		reply_i64(c, lag);
	else
		reply_null(c);
}

/* XINFO GROUPS key. */
void cmd_xinfo_groups(struct cmd *c)
{
	const struct stream *s = open_stream(c);
	uint32_t i;

	if (!s)
		return;
	reply_array(c, s->group_count);
	for (i = 0; i < s->group_count; i++) {
		const struct stream_group *g = s->groups[i];

		reply_map(c, 6);
		reply_bulk_str(c, "name");
		reply_bulk(c, stream_group_name(g));
		put_number(c, "consumers", g->consumer_count);
		put_number(c, "pending", stream_pending_count(g));
		put_progress(c, s, g);
	}
}

/* XINFO CONSUMERS key group. */
void cmd_xinfo_consumers(struct cmd *c)
{
	const struct stream *s = open_stream(c);
	const struct stream_group *g;
	uint32_t i;

	if (!s)
		return;
	g = stream_group_find(s, c->argv[3]);
	if (!g) {
		reply_errorf(c, "NOGROUP No such consumer group '%.*s' for key "
				"name '%.*s'",
			     (int)c->argv[3].size, c->argv[3].data,
			     (int)c->argv[2].size, c->argv[2].data);
		return;
	}
	reply_array(c, g->consumer_count);
	for (i = 0; i < g->consumer_count; i++) {
		const struct stream_consumer *of = g->consumers[i];
		uint64_t seen = of->seen_ms ? of->seen_ms : 1;

		reply_map(c, 4);
		reply_bulk_str(c, "name");
		reply_bulk(c, stream_consumer_name(of));
		put_number(c, "pending", of->pending.entries);
		put_number(c, "idle", (uint64_t)since(c, seen));
		put_number(c, "inactive", (uint64_t)since(c, of->active_ms));
	}
}

/* Six pairs. */
static void put_marks(struct cmd *c, const struct stream_marks *m)
{
	uint64_t marks, producers;

	stream_marks_alive(m, c->now_ms, &marks, &producers);
	put_number(c, "idmp-duration", m->duration_ms / 1000);
	put_number(c, "idmp-maxsize", m->limit);
	put_number(c, "pids-tracked", producers);
	put_number(c, "iids-tracked", marks);
	put_number(c, "iids-added", m->added);
	put_number(c, "iids-duplicates", m->duplicates);
}

/* What both forms of XINFO STREAM begin with, of a map with `more` pairs behind
 * it. */
static void put_stream(struct cmd *c, const struct stream *s, size_t more)
{
	size_t nodes = stream_tree_nodes(&s->entries);

	reply_map(c, 7 + (s->marks ? 6 : 0) + more);
	put_number(c, "length", stream_length(s));
	put_number(c, "radix-tree-keys", nodes);
	put_number(c, "radix-tree-nodes", nodes + 1);
	put_id(c, "last-generated-id", s->last);
	put_id(c, "max-deleted-entry-id", s->max_deleted);
	put_number(c, "entries-added", s->added);
	put_id(c, "recorded-first-entry-id", stream_first(s));
	if (s->marks)
		put_marks(c, s->marks);
}

static void put_entry(struct cmd *c, const char *name, bool found,
		      const struct stream_entry *e)
{
	reply_bulk_str(c, name);
	if (found)
		stream_reply_entry(c, *e);
	else
		reply_null(c);
}

/* XINFO STREAM key. */
static void brief(struct cmd *c, const struct stream *s)
{
	struct stream_cursor up;
	struct stream_entry e;
	bool found;

	put_stream(c, s, 3);
	put_number(c, "groups", s->group_count);
	stream_seek(&up, s, (struct stream_id){ 0, 0 });
	found = stream_next(&up, &e);
	put_entry(c, "first-entry", found, &e);
	stream_seek(&up, s, stream_top(s));
	found = stream_next(&up, &e);
	put_entry(c, "last-entry", found, &e);
}

/* What is pending, of a consumer or (NULL) of all, who are named then. */
static void put_pending(struct cmd *c, const struct stream_group *g,
			const struct stream_consumer *of, uint64_t count)
{
	uint64_t all = of ? of->pending.entries : stream_pending_count(g), i;
	struct stream_pending_cursor at;

	if (count == 0 || count > all)
		count = all;
	reply_array(c, count);
	stream_pending_seek(&at, g, of, (struct stream_id){ 0, 0 });
	for (i = 0; i < count; i++) {
		const struct stream_pending *p = stream_pending_next(&at);

		reply_array(c, of ? 3 : 4);
		stream_reply_id(c, p->id);
		if (!of)
			reply_bulk(c, stream_pending_owner(g, p));
		reply_i64(c, (int64_t)stream_pending_time(p));
		reply_i64(c, stream_pending_deliveries(p));
	}
}

static void put_group(struct cmd *c, const struct stream *s,
		      const struct stream_group *g, uint64_t count)
{
	uint64_t released = g->released.entries;
	uint32_t i;

	reply_map(c, released ? 8 : 7);
	reply_bulk_str(c, "name");
	reply_bulk(c, stream_group_name(g));
	put_progress(c, s, g);
	put_number(c, "pel-count", stream_pending_count(g));
	if (released)
		put_number(c, "nacked-count", released);
	reply_bulk_str(c, "pending");
	put_pending(c, g, NULL, count);
	reply_bulk_str(c, "consumers");
	reply_array(c, g->consumer_count);
	for (i = 0; i < g->consumer_count; i++) {
		const struct stream_consumer *of = g->consumers[i];

		reply_map(c, 5);
		reply_bulk_str(c, "name");
		reply_bulk(c, stream_consumer_name(of));
		put_number(c, "seen-time", of->seen_ms);
		put_number(c, "active-time",
			   of->active_ms ? of->active_ms : (uint64_t)-1);
		put_number(c, "pel-count", of->pending.entries);
		reply_bulk_str(c, "pending");
		put_pending(c, g, of, count);
	}
}

/* XINFO STREAM key FULL [COUNT count]. */
static void full(struct cmd *c, const struct stream *s, uint64_t count)
{
	struct stream_cursor up;
	struct stream_entry e;
	uint64_t shown = stream_length(s), i;

	if (count > 0 && count < shown)
		shown = count;
	put_stream(c, s, 2);
	reply_bulk_str(c, "entries");
	reply_array(c, shown);
	stream_seek(&up, s, (struct stream_id){ 0, 0 });
	for (i = 0; i < shown && stream_next(&up, &e); i++)
		stream_reply_entry(c, e);
	reply_bulk_str(c, "groups");
	reply_array(c, s->group_count);
	for (i = 0; i < s->group_count; i++)
		put_group(c, s, s->groups[i], count);
}

/* XINFO STREAM key [FULL [COUNT count]]. */
void cmd_xinfo_stream(struct cmd *c)
{
	int64_t count = FULL_COUNT;
	const struct stream *s = open_stream(c);

	if (!s)
		return;
	if (c->argc > 3 &&
	    (!arg_is(c, 3, "full") || (c->argc != 4 && c->argc != 6) ||
	     (c->argc == 6 && !arg_is(c, 4, "count")))) {
		reply_errorf(c, "ERR unknown subcommand or wrong number of "
				"arguments for '%.*s'. Try XINFO HELP.",
			     (int)c->argv[1].size, c->argv[1].data);
		return;
	}
	if (c->argc == 6 && !arg_i64(c, 5, &count))
		return;
	if (count < 0)
		count = FULL_COUNT;
	if (c->argc == 3)
		brief(c, s);
	else
		full(c, s, (uint64_t)count);
}
