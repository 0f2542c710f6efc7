/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XREADGROUP: delivers entries to a consumer of a group.
 *
 * I1. Everything that can be refused is looked at before the first record.
 * I2. Entries are replied, then the records say that they are pending; what is
 *     read after a record is looked up again.
 * I3. New entries are those above the group's last ID. A consumer's history
 *     is what is pending for it; to read it is to have it delivered again.
 */
#include "engine/stream_reads.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

/* Bytes of log per entry that is delivered, at most. */
#define ENTRY_RECORD_SIZE PENDING_RUN_SIZE_MAX

struct delivery {
	struct cmd *c;
	const struct stream_read *r;
	struct slice key, group, consumer;
};

static struct slice group_name(const struct cmd *c, const struct stream_read *r)
{
	return c->argv[r->group];
}

static bool wants_new(const struct cmd *c, const struct stream_read *r,
		      unsigned i)
{
	return arg_is(c, r->keys + r->streams + i, ">");
}

/* Checks key i and its ID. *more: it has something to reply. (I1) */
static bool check(struct cmd *c, const struct stream_read *r, unsigned i,
		  bool *more, uint64_t *room)
{
	struct slice key = c->argv[r->keys + i], name = group_name(c, r);
	unsigned at = r->keys + r->streams + i;
	const struct stream_group *g = NULL;
	const struct stream *s;
	struct stream_id id;

	if (!stream_lookup(c, key, &s))
		return false;
	if (s)
		g = stream_group_find(s, name);
	if (!g) {
		reply_errorf(c, "NOGROUP No such key '%.*s' or consumer group "
				"'%.*s' in XREADGROUP with GROUP option",
			     (int)key.size, key.data, (int)name.size,
			     name.data);
		return false;
	}
	if (arg_is(c, at, "$") || arg_is(c, at, "+")) {
		reply_errorf(c, "ERR The %c ID is meaningless in the context "
				"of XREADGROUP: you want to read the history "
				"of this consumer by specifying a proper ID, "
				"or use the > ID to get new messages. The %c ID"
				" would just return an empty result set.",
			     c->argv[at].data[0], c->argv[at].data[0]);
		return false;
	}
	*more = !wants_new(c, r, i) ||
		(stream_length(s) > 0 &&
		 stream_id_below(g->last, stream_top(s)));
	*room += stream_length(s) < (uint64_t)r->count ? stream_length(s) :
							 (uint64_t)r->count;
	return wants_new(c, r, i) || stream_id_arg(c, at, 0, &id);
}

static struct record record_of(const struct delivery *d, enum record_type type)
{
	struct record r = stream_record(d->c, type, CAUSE_xreadgroup, d->key);

	r.group = d->group;
	r.consumer = d->consumer;
	return r;
}

/* Notes that the entries up to `last` are delivered, and (unless NOACK) those
 * of the run pending. */
static void emit_new(const struct delivery *d, struct buf *run,
		     struct stream_id last, int64_t read)
{
	struct record r = record_of(d, d->r->noack ? REC_stream_group_set :
						     REC_stream_deliver);

	r.read = read;
	if (d->r->noack) {
		r.ms = last.ms;
		r.seq = last.seq;
	} else {
		r.active_ms = d->c->now_ms;
		r.value = buf_slice(run);
	}
	emit(d->c, &r);
	run->size = 0;
}

/* Replies entries above the group's last ID until a record is full, and emits
 * it. How many. (I2) */
static uint64_t deliver_some(const struct delivery *d, uint64_t count)
{
	struct cmd *c = d->c;
	struct buf *run = items_scratch(c);
	const struct stream *s = stream_again(c, d->key);
	const struct stream_group *g = stream_group_find(s, d->group);
	struct stream_id from = g->last, previous = { 0, 0 };
	int64_t read = g->read;
	struct stream_cursor at;
	struct stream_entry e;
	uint64_t given = 0;

	if (!stream_id_increment(&from))
		return 0;
	stream_seek(&at, s, from);
	while (given < count && run->size < ITEMS_SIZE_MAX &&
	       stream_next(&at, &e)) {
		stream_reply_entry(c, e);
		ids_run_put(run, &previous, e.id);
		read = stream_read_next(s, read, e.id);
		given++;
	}
	if (given > 0)
		emit_new(d, run, previous, read);
	return given;
}

/* What is new, for a consumer that is there. */
static void deliver_new(const struct delivery *d)
{
	struct cmd *c = d->c;
	uint64_t count = (uint64_t)d->r->count, given = 0, some;
	size_t start = c->out->size, head;

	do {
		some = deliver_some(d, count - given);
		given += some;
	} while (some > 0 && given < count);
	head = c->out->size;
	reply_array(c, given);
	stream_reply_front(c, start, head);
}

/* Replies one pending entry of a consumer's history. */
static void reply_pending(struct cmd *c, const struct stream *s,
			  struct stream_id id, bool *there)
{
	struct stream_cursor at;
	struct stream_entry e;

	stream_seek(&at, s, id);
	*there = stream_next(&at, &e) && stream_id_equal(e.id, id);
	if (*there) {
		stream_reply_entry(c, e);
		return;
	}
	reply_array(c, 2);
	stream_reply_id(c, id);
	reply_null_array(c);
}

static void emit_again(const struct delivery *d, struct buf *run)
{
	struct record r = record_of(d, REC_stream_pending_set);

	if (run->size == 0)
		return;
	r.value = buf_slice(run);
	emit(d->c, &r);
}

/* Replies pending entries above *id until a record is full. How many; *id
 * becomes the last of them. */
static uint64_t history_some(const struct delivery *d, uint64_t count,
			     struct stream_id *id)
{
	struct cmd *c = d->c;
	struct buf *run = items_scratch(c);
	const struct stream *s = stream_again(c, d->key);
	const struct stream_group *g = stream_group_find(s, d->group);
	struct stream_pending previous = { .count = 0 };
	const struct stream_pending *p;
	struct stream_pending_cursor at;
	struct stream_id from = *id;
	uint64_t given = 0;

	if (!stream_id_increment(&from))
		return 0;
	stream_pending_seek(&at, g, stream_consumer_find(g, d->consumer), from);
	while (given < count && run->size < ITEMS_SIZE_MAX &&
	       (p = stream_pending_next(&at)) != NULL) {
		struct stream_pending again = *p;
		bool there;

		reply_pending(c, s, p->id, &there);
		*id = p->id;
		given++;
		if (!there)
			continue;
		again.time_ms = c->now_ms;
		again.count += again.count < UINT32_MAX;
		pending_run_put(run, &previous, &again);
	}
	emit_again(d, run);
	return given;
}

/* What is pending above the ID. (I3) */
static void deliver_history(const struct delivery *d, struct stream_id id)
{
	struct cmd *c = d->c;
	uint64_t count = (uint64_t)d->r->count, given = 0, some;
	size_t start = c->out->size, head;

	do {
		some = history_some(d, count - given, &id);
		given += some;
	} while (some > 0 && given < count);
	head = c->out->size;
	reply_array(c, given);
	stream_reply_front(c, start, head);
}

/* Whether key i has something to reply: of a key named twice, perhaps not any
 * more. */
static bool has_more(struct cmd *c, const struct stream_read *r, unsigned i)
{
	const struct stream *s = stream_again(c, c->argv[r->keys + i]);
	const struct stream_group *g = stream_group_find(s, group_name(c, r));

	return !wants_new(c, r, i) ||
	       (stream_length(s) > 0 &&
		stream_id_below(g->last, stream_top(s)));
}

static void deliver(struct cmd *c, const struct stream_read *r, unsigned i)
{
	struct delivery d = {
		.c = c,
		.r = r,
		.key = c->argv[r->keys + i],
		.group = group_name(c, r),
		.consumer = c->argv[r->group + 1],
	};
	struct stream_id id = { 0, 0 };

	stream_read_key(c, d.key);
	if (wants_new(c, r, i)) {
		deliver_new(&d);
		return;
	}
	stream_id_parse(c->argv[r->keys + r->streams + i], 0, &id);
	deliver_history(&d, id);
}

/* XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key
 * [key ...] id [id ...]. */
void cmd_xreadgroup(struct cmd *c)
{
	size_t start = c->out->size, head;
	struct stream_read r;
	uint64_t room = 0;
	unsigned i, given = 0;
	bool more;

	if (!stream_read_parse(c, true, &r))
		return;
	for (i = 0; i < r.streams; i++) {
		if (!check(c, &r, i, &more, &room))
			return;
		given += more;
	}
	if (given == 0 && r.block) {
		stream_read_waits(c, &r);
		return;
	}
	if (!cmd_room(c, room * ENTRY_RECORD_SIZE))
		return;
	for (i = 0; i < r.streams; i++)
		stream_consumer_touch(c, c->argv[r.keys + i],
				      group_name(c, &r), c->argv[r.group + 1]);
	if (given == 0) {
		stream_read_waits(c, &r);
		return;
	}
	for (i = 0, given = 0; i < r.streams; i++) {
		if (!has_more(c, &r, i))
			continue;
		deliver(c, &r, i);
		given++;
	}
	head = c->out->size;
	stream_read_head(c, given);
	stream_reply_front(c, start, head);
}
