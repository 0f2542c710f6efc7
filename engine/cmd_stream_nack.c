/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XNACK: what is pending goes back to the group, for any consumer to claim at
 * once.
 *
 * I1. What is released is gathered, and written as one run. An ID that may be
 *     there twice is looked up after the record of its first time.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

enum mode { SILENT, FAIL, FATAL };

struct options {
	enum mode mode;
	bool force;
	int64_t retries;       /* -1: as the mode says */
	unsigned ids, ids_end; /* indexes of the first ID and behind the last */
};

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

static bool parse_mode(struct cmd *c, enum mode *mode)
{
	if (arg_is(c, 3, "silent"))
		*mode = SILENT;
	else if (arg_is(c, 3, "fail"))
		*mode = FAIL;
	else if (arg_is(c, 3, "fatal"))
		*mode = FATAL;
	else
		return fail(c, "ERR mode must be SILENT, FAIL, or FATAL");
	return true;
}

/* "IDS n id [id ...]" at *index, which goes to the last of it. */
static bool parse_ids(struct cmd *c, unsigned *index, struct options *o)
{
	struct stream_id id;
	int64_t count;
	unsigned i;

	if (!num_parse_i64(c->argv[*index + 1], &count) || count < 1)
		return fail(c, "ERR numids must be a positive integer");
	o->ids = *index + 2;
	if ((uint64_t)count > c->argc - o->ids)
		return fail(c, "ERR number of IDs doesn't match numids");
	o->ids_end = o->ids + (unsigned)count;
	*index = o->ids_end - 1;
	for (i = o->ids; i < o->ids_end; i++)
		if (!stream_id_arg(c, i, 0, &id))
			return false;
	return true;
}

/* The option at *index, which goes to its last argument. */
static bool parse_option(struct cmd *c, unsigned *index, struct options *o)
{
	bool more = *index + 1 < c->argc;

	if (more && !o->ids && arg_is(c, *index, "ids"))
		return parse_ids(c, index, o);
	if (more && arg_is(c, *index, "retrycount")) {
		if (!arg_i64(c, ++*index, &o->retries))
			return false;
		return o->retries >= 0 ||
		       fail(c, "ERR Invalid RETRYCOUNT value, must be >= 0");
	}
	if (arg_is(c, *index, "force")) {
		o->force = true;
		return true;
	}
	reply_errorf(c, "ERR Unrecognized XNACK option '%.*s'",
		     (int)c->argv[*index].size, c->argv[*index].data);
	return false;
}

static bool options_parse(struct cmd *c, struct options *o)
{
	unsigned i;

	*o = (struct options){ .retries = -1 };
	if (!parse_mode(c, &o->mode))
		return false;
	for (i = 4; i < c->argc; i++)
		if (!parse_option(c, &i, o))
			return false;
	return o->ids || fail(c, "ERR syntax error, expected IDS keyword");
}

/* Deliveries afterwards of what was pending as p says; NULL: it was not. */
static uint32_t deliveries(const struct options *o,
			   const struct stream_pending *p)
{
	uint32_t count = p ? p->count : 0;

	if (o->retries >= 0)
		return o->retries < STREAM_DELIVERIES_MAX ?
		       (uint32_t)o->retries : STREAM_DELIVERIES_MAX;
	if (o->mode == FATAL)
		return STREAM_DELIVERIES_MAX;
	if (o->mode == SILENT && count > 0 && count < STREAM_DELIVERIES_MAX)
		return count - 1;
	return count;
}

/* Releases what has been gathered. */
static void flush(struct cmd *c, struct buf *run)
{
	struct record r = stream_record(c, REC_stream_release, CAUSE_xnack,
					c->argv[1]);

	if (run->size == 0)
		return;
	r.group = c->argv[2];
	r.value = buf_slice(run);
	emit(c, &r);
	run->size = 0;
}

/* Releases the wanted IDs; how many. */
static int64_t release(struct cmd *c, const struct options *o)
{
	struct stream_pending previous = { .count = 0 };
	struct buf *run = items_scratch(c);
	struct stream_id highest = { 0, 0 };
	int64_t released = 0;
	unsigned i;

	for (i = o->ids; i < o->ids_end; i++) {
		struct stream_pending free = { .count = 0 };
		const struct stream_pending *p;
		const struct stream_group *g;
		const struct stream *s;

		stream_id_parse(c->argv[i], 0, &free.id);
		if (!stream_id_below(highest, free.id) ||
		    run->size >= ITEMS_SIZE_MAX) { /* I1 */
			flush(c, run);
			previous = (struct stream_pending){ .count = 0 };
		}
		if (stream_id_below(highest, free.id))
			highest = free.id;
		s = stream_again(c, c->argv[1]);
		g = stream_group_find(s, c->argv[2]);
		p = stream_pending_find(g, free.id);
		if (!p && !(o->force && stream_has(s, free.id)))
			continue;
		free.count = deliveries(o, p);
		pending_run_put(run, &previous, &free);
		released++;
	}
	flush(c, run);
	return released;
}

/* Bytes of log that releasing the IDs may take: each may be in a run of its
 * own. (I1) */
static uint64_t room_for(const struct cmd *c, const struct options *o)
{
	uint64_t ids = o->ids_end - o->ids;

	return items_room(c->argv[1].size + c->argv[2].size, ids,
				   ids * PENDING_RUN_SIZE_MAX);
}

/* XNACK key group SILENT|FAIL|FATAL IDS n id [id ...] [RETRYCOUNT count]
 * [FORCE]. */
void cmd_xnack(struct cmd *c)
{
	struct options o;

	if (!stream_group_arg(c, 1, 2) || !options_parse(c, &o) ||
	    !cmd_room(c, room_for(c, &o)))
		return;
	reply_i64(c, release(c, &o));
}
