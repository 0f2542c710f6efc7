/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XCLAIM and XAUTOCLAIM: pending entries change hands.
 *
 * I1. What is claimed is gathered and replied before the records: one run of
 *     what is pending now, one of what is pending no more since its entry is
 *     gone, and then (I2) that the consumer got something. An ID that may be
 *     there twice is looked up after the records of its first time.
 * I2. Only a consumer that really got entries was active.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

#define AUTOCLAIM_COUNT 100
#define AUTOCLAIM_ATTEMPTS 10 /* entries looked at for one that is wanted */

/* A claim on its way. */
struct claim {
	struct cmd *c;
	enum record_cause cause;
	bool just_id, force;
	int64_t retries; /* -1: one more */
	uint64_t idle_ms;
	uint64_t time_ms;
	struct stream_id last; /* LASTID */
	struct buf gone; /* run of IDs */
	struct buf *run; /* of pending entries */
	struct stream_id previous_gone;
	struct stream_pending previous;
	uint64_t given;
};

static struct record record_of(const struct claim *m, enum record_type type)
{
	struct cmd *c = m->c;
	struct record r = stream_record(c, type, m->cause, c->argv[1]);

	r.group = c->argv[2];
	r.consumer = c->argv[3];
	return r;
}

static void emit_run(const struct claim *m, enum record_type type,
		     const struct buf *run)
{
	struct record r = record_of(m, type);

	if (run->size == 0)
		return;
	r.value = buf_slice(run);
	emit(m->c, &r);
}

/* The records of what has been gathered so far. */
static void claim_flush(struct claim *m)
{
	emit_run(m, REC_stream_pending_del, &m->gone);
	emit_run(m, REC_stream_pending_set, m->run);
	m->gone.size = m->run->size = 0;
	m->previous_gone = (struct stream_id){ 0, 0 };
	m->previous = (struct stream_pending){ .count = 0 };
}

/* All records. (I1) */
static void claim_end(struct claim *m)
{
	struct cmd *c = m->c;
	struct record r = record_of(m, REC_stream_consumer_set);

	claim_flush(m);
	if (m->given > 0) { /* I2 */
		r.seen_ms = r.active_ms = c->now_ms;
		emit(c, &r);
	}
	buf_release(&m->gone);
}

static bool idle_enough(const struct claim *m, const struct stream_pending *p)
{
	uint64_t now = m->c->now_ms, then = stream_pending_time(p);

	return p->consumer == STREAM_NOBODY ||
	       (then <= now && now - then >= m->idle_ms);
}

/* The entry of this ID. */
static bool find_entry(const struct stream *s, struct stream_id id,
		       struct stream_entry *e)
{
	struct stream_cursor at;

	stream_seek(&at, s, id);
	return stream_next(&at, e) && stream_id_equal(e->id, id);
}

static void claim_gone(struct claim *m, struct stream_id id)
{
	ids_run_put(&m->gone, &m->previous_gone, id);
}

/* Bytes of log for claiming `count` entries in so many runs, at most. */
static uint64_t room_for(const struct cmd *c, uint64_t count, uint64_t runs)
{
	size_t names = c->argv[1].size + c->argv[2].size + c->argv[3].size;

	/* the consumer twice, and the group; a run is of what is gone, too */
	return items_room(names, 3 + 2 * runs, count * PENDING_RUN_SIZE_MAX);
}

/* Claims what is pending as p says, of which e is the entry. */
static void claim_entry(struct claim *m, const struct stream_pending *p,
			const struct stream_entry *e)
{
	struct stream_pending fresh = *p;

	fresh.time_ms = m->time_ms;
	if (m->retries >= 0)
		fresh.count = m->retries > UINT32_MAX ? UINT32_MAX :
							(uint32_t)m->retries;
	else if (!m->just_id && fresh.count < UINT32_MAX)
		fresh.count++;
	pending_run_put(m->run, &m->previous, &fresh);
	if (m->just_id)
		stream_reply_id(m->c, p->id);
	else
		stream_reply_entry(m->c, *e);
	m->given++;
}

/* --- XCLAIM --------------------------------------------------------------- */

static bool bad_option(struct cmd *c, const char *name)
{
	reply_errorf(c, "ERR Invalid %s option argument for XCLAIM", name);
	return false;
}

/* The option at *i; false: replied an error. */
static bool claim_option(struct claim *m, unsigned *i, int64_t *time)
{
	struct cmd *c = m->c;
	bool more = *i + 1 < c->argc;
	int64_t v;

	if (arg_is(c, *i, "force")) {
		m->force = true;
	} else if (arg_is(c, *i, "justid")) {
		m->just_id = true;
	} else if (more && arg_is(c, *i, "idle")) {
		if (!num_parse_i64(c->argv[++*i], &v))
			return bad_option(c, "IDLE");
		if (__builtin_sub_overflow((int64_t)c->now_ms, v, time))
			*time = INT64_MAX;
	} else if (more && arg_is(c, *i, "time")) {
		if (!num_parse_i64(c->argv[++*i], time))
			return bad_option(c, "TIME");
	} else if (more && arg_is(c, *i, "retrycount")) {
		if (!num_parse_i64(c->argv[++*i], &m->retries))
			return bad_option(c, "RETRYCOUNT");
	} else if (more && arg_is(c, *i, "lastid")) {
		return stream_id_arg(c, ++*i, 0, &m->last);
	} else {
		reply_errorf(c, "ERR Unrecognized XCLAIM option '%.*s'",
			     (int)c->argv[*i].size, c->argv[*i].data);
		return false;
	}
	return true;
}

/* From the first argument on that is no ID. */
static bool claim_options(struct claim *m, unsigned *ids_end)
{
	struct cmd *c = m->c;
	int64_t time = -1, idle;
	struct stream_id id;
	unsigned i;

	if (!num_parse_i64(c->argv[4], &idle)) {
		reply_error(c, "ERR Invalid min-idle-time argument for XCLAIM");
		return false;
	}
	m->idle_ms = idle > 0 ? (uint64_t)idle : 0;
	for (i = 5; i < c->argc; i++)
		if (!stream_id_parse(c->argv[i], 0, &id))
			break;
	*ids_end = i;
	for (; i < c->argc; i++)
		if (!claim_option(m, &i, &time))
			return false;
	m->time_ms = time < 0 || (uint64_t)time > c->now_ms ? c->now_ms :
							      (uint64_t)time;
	return true;
}

static void claim_one(struct claim *m, const struct stream *s,
		      const struct stream_group *g, struct stream_id id)
{
	const struct stream_pending *p = stream_pending_find(g, id);
	struct stream_pending fresh = { .id = id, .count = 1 };
	struct stream_entry e;

	if (!find_entry(s, id, &e)) {
		if (p)
			claim_gone(m, id);
		return;
	}
	if (!p && !m->force)
		return;
	if (p && m->idle_ms > 0 && !idle_enough(m, p))
		return;
	claim_entry(m, p ? p : &fresh, &e);
}

/* LASTID moves the group on, never back. */
static void claim_last_id(const struct claim *m)
{
	struct cmd *c = m->c;
	const struct stream *s = stream_again(c, c->argv[1]);
	const struct stream_group *g = stream_group_find(s, c->argv[2]);
	struct record r = record_of(m, REC_stream_group_set);

	if (!stream_id_below(g->last, m->last))
		return;
	r.ms = m->last.ms;
	r.seq = m->last.seq;
	r.read = g->read;
	emit(c, &r);
}

/* XCLAIM key group consumer min-idle-time id [id ...] [options]. */
void cmd_xclaim(struct cmd *c)
{
	struct claim m = { .c = c, .cause = CAUSE_xclaim, .retries = -1 };
	const struct stream_group *g = stream_group_arg(c, 1, 2);
	size_t start = c->out->size;
	struct stream_id id, highest = { 0, 0 };
	const struct stream *s;
	unsigned i, end;

	if (!g || !claim_options(&m, &end) ||
	    !cmd_room(c, room_for(c, end - 5, end - 5)))
		return;
	stream_consumer_touch(c, c->argv[1], c->argv[2], c->argv[3]);
	claim_last_id(&m);
	s = stream_again(c, c->argv[1]);
	g = stream_group_find(s, c->argv[2]);
	m.run = items_scratch(c);
	for (i = 5; i < end; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (!stream_id_below(highest, id)) { /* perhaps again */
			claim_flush(&m);
			s = stream_again(c, c->argv[1]);
			g = stream_group_find(s, c->argv[2]);
		} else {
			highest = id;
		}
		claim_one(&m, s, g, id);
	}
	stream_reply_count(c, start, m.given);
	claim_end(&m);
}

/* --- XAUTOCLAIM ----------------------------------------------------------- */

static bool auto_options(struct claim *m, int64_t *count)
{
	struct cmd *c = m->c;
	unsigned i;

	for (i = 6; i < c->argc; i++) {
		bool more = i + 1 < c->argc;

		if (more && arg_is(c, i, "count")) {
			if (!num_parse_i64(c->argv[++i], count) || *count < 1 ||
			    *count > INT64_MAX / 16) {
				reply_error(c, "ERR COUNT must be > 0");
				return false;
			}
		} else if (arg_is(c, i, "justid")) {
			m->just_id = true;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Claims from `from` on; the ID where to go on, 0-0 at the end. */
static struct stream_id auto_walk(struct claim *m, const struct stream *s,
				  const struct stream_group *g,
				  struct stream_id from, int64_t count)
{
	int64_t attempts = count * AUTOCLAIM_ATTEMPTS;
	struct stream_pending_cursor at;
	const struct stream_pending *p;
	struct stream_entry e;

	stream_pending_seek(&at, g, NULL, from);
	while ((p = stream_pending_next(&at)) != NULL) {
		if (attempts-- == 0 || count == 0)
			return p->id;
		if (!find_entry(s, p->id, &e)) {
			claim_gone(m, p->id);
			count--;
			continue;
		}
		if (m->idle_ms > 0 && !idle_enough(m, p))
			continue;
		claim_entry(m, p, &e);
		count--;
	}
	return (struct stream_id){ 0, 0 };
}

/* The IDs of a run, as an array. */
static void reply_run(struct cmd *c, struct slice run)
{
	size_t start = c->out->size, given = 0;
	struct reader in = reader_of(run);
	struct stream_id id = { 0, 0 };

	while (reader_left(&in)) {
		id = stream_ids_read(&in, id);
		stream_reply_id(c, id);
		given++;
	}
	stream_reply_count(c, start, given);
}

/* The reply from `start` on is the claimed entries; puts in front how many they
 * are, the ID where to go on, and behind them those that are gone. */
static void auto_reply(struct claim *m, size_t start, struct stream_id next)
{
	struct cmd *c = m->c;
	size_t head;

	stream_reply_count(c, start, m->given);
	head = c->out->size;
	stream_reply_id(c, next);
	stream_reply_front(c, start, head);
	stream_reply_count(c, start, 3);
	reply_run(c, buf_slice(&m->gone));
}

/* XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID]. */
void cmd_xautoclaim(struct cmd *c)
{
	struct claim m = { .c = c, .cause = CAUSE_xautoclaim, .retries = -1,
			   .time_ms = c->now_ms };
	size_t start = c->out->size;
	const struct stream_group *g;
	int64_t count = AUTOCLAIM_COUNT, idle;
	uint64_t most = 0;
	struct stream_id from, next;
	const struct stream *s;

	if (!num_parse_i64(c->argv[4], &idle)) {
		reply_error(c, "ERR Invalid min-idle-time argument for "
			       "XAUTOCLAIM");
		return;
	}
	m.idle_ms = idle > 0 ? (uint64_t)idle : 0;
	if (!stream_start_arg(c, 5, &from) ||
	    !auto_options(&m, &count))
		return;
	g = stream_group_arg(c, 1, 2);
	if (g)
		most = stream_pending_count(g);
	if (most > (uint64_t)count)
		most = (uint64_t)count;
	if (!g || !cmd_room(c, room_for(c, most, 1)))
		return;
	stream_consumer_touch(c, c->argv[1], c->argv[2], c->argv[3]);
	s = stream_again(c, c->argv[1]);
	g = stream_group_find(s, c->argv[2]);
	m.run = items_scratch(c);
	next = auto_walk(&m, s, g, from, count);
	auto_reply(&m, start, next);
	claim_end(&m);
}
