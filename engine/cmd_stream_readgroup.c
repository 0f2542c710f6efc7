/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XREADGROUP: delivers entries to a consumer of a group.
 *
 * I1. Everything that can be refused is looked at before the first record.
 * I2. Entries are replied, then the records say that they are pending; what is
 *     read after a record is looked up again.
 * I3. New entries are those above the group's last ID. A consumer's history
 *     is what is pending for it; to read it is to have it delivered again.
 * I4. With CLAIM, what has been pending for long enough comes before what is
 *     new.  Which IDs that are is noted before the first of them is claimed;
 *     IDs whose entries are gone are taken off and do not count.
 */
#include "engine/stream_reads.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

/* Pending entries looked at in one go, where some turned out to be gone. */
#define LOOK_AHEAD 4096

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

/* When what may be claimed was delivered at the latest. */
static uint64_t claim_until(const struct cmd *c, const struct stream_read *r)
{
	uint64_t idle_ms = (uint64_t)r->claim_ms;

	return c->now_ms > idle_ms ? c->now_ms - idle_ms : 0;
}

/* Whether key i, with its group g, has something to reply. */
static bool has_something(struct cmd *c, const struct stream_read *r,
			  unsigned i, const struct stream *s,
			  struct stream_group *g)
{
	struct buf *ids;

	if (!wants_new(c, r, i))
		return true;
	if (stream_length(s) > 0 && stream_id_below(g->last, stream_top(s)))
		return true;
	if (r->claim_ms < 0)
		return false;
	ids = items_scratch(c);
	stream_pending_idle(g, claim_until(c, r), 1, ids);
	return ids->size > 0;
}

/* Bytes of log that reading key i, with its group g, may take. */
static uint64_t room_for(const struct cmd *c, const struct stream_read *r,
			 unsigned i, const struct stream *s,
			 const struct stream_group *g)
{
	size_t names = c->argv[r->keys + i].size + group_name(c, r).size +
		       c->argv[r->group + 1].size;
	uint64_t pending = r->claim_ms >= 0 ? stream_pending_count(g) : 0;
	uint64_t count = stream_length(s) + pending;
	uint64_t gone = items_room(names, pending / LOOK_AHEAD,
				   pending * STREAM_IDS_SIZE_MAX);

	if (count > (uint64_t)r->count)
		count = (uint64_t)r->count;
	/* the consumer twice, what is claimed, what is new, what is gone */
	return gone + items_room(names, 5, count * PENDING_RUN_SIZE_MAX);
}

/* Checks key i and its ID. *more: it has something to reply. (I1) */
static bool check(struct cmd *c, const struct stream_read *r, unsigned i,
		  bool *more, uint64_t *room)
{
	struct slice key = c->argv[r->keys + i], name = group_name(c, r);
	unsigned at = r->keys + r->streams + i;
	struct stream_group *g = NULL;
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
	*more = has_something(c, r, i, s, g);
	*room += room_for(c, r, i, s, g);
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

/* Replies an entry; with CLAIM also how long it was idle and how often it was
 * delivered before. */
static void reply_delivered(const struct delivery *d,
			    const struct stream_entry *e, uint64_t idle_ms,
			    int64_t deliveries)
{
	if (d->r->claim_ms < 0) {
		stream_reply_entry(d->c, *e);
		return;
	}
	reply_array(d->c, 4);
	stream_reply_id(d->c, e->id);
	stream_reply_fields(d->c, *e);
	reply_i64(d->c, (int64_t)idle_ms);
	reply_i64(d->c, deliveries);
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
		reply_delivered(d, &e, 0, 0);
		read = stream_read_next(s, read, given ? previous : g->last,
					e.id);
		ids_run_put(run, &previous, e.id);
		given++;
	}
	if (given > 0)
		emit_new(d, run, previous, read);
	return given;
}

/* Takes the IDs of a run off what is pending; the run is empty then. */
static void emit_gone(const struct delivery *d, struct buf *run)
{
	struct record r = record_of(d, REC_stream_pending_del);

	if (run->size == 0)
		return;
	r.value = buf_slice(run);
	emit(d->c, &r);
	run->size = 0;
}

/* Takes off those of the IDs whose entries are gone, until `count` others have
 * been found; only these are left. */
static void drop_gone(const struct delivery *d, struct buf *ids, uint64_t count)
{
	const struct stream *s = stream_again(d->c, d->key);
	struct buf *run = items_scratch(d->c);
	struct stream_id id, previous = { 0, 0 };
	size_t i, all = ids->size / sizeof(id), left = 0;

	for (i = 0; i < all && left < count; i++) {
		memcpy(&id, ids->data + i * sizeof(id), sizeof(id));
		if (stream_has(s, id)) {
			memcpy(ids->data + left++ * sizeof(id), &id,
			       sizeof(id));
			continue;
		}
		ids_run_put(run, &previous, id);
		if (run->size < ITEMS_SIZE_MAX)
			continue;
		emit_gone(d, run);
		s = stream_again(d->c, d->key);
		previous = (struct stream_id){ 0, 0 };
	}
	emit_gone(d, run);
	ids->size = left * sizeof(id);
}

/* Puts the IDs of what may be claimed into ids, count at most; what was found
 * to be gone is taken off. (I4) */
static void find_claimable(const struct delivery *d, uint64_t count,
			   struct buf *ids)
{
	uint64_t look = count, found;

	for (;; look = look > LOOK_AHEAD ? look : LOOK_AHEAD) {
		const struct stream *s = stream_again(d->c, d->key);

		ids->size = 0;
		stream_pending_idle(stream_group_find(s, d->group),
				    claim_until(d->c, d->r), look, ids);
		found = ids->size / sizeof(struct stream_id);
		drop_gone(d, ids, count);
		if (found < look || ids->size / sizeof(struct stream_id) ==
					    count)
			return;
	}
}

/* Claims the IDs from *at on until a record is full; *at goes behind them. */
static void claim_some(const struct delivery *d, const struct buf *ids,
		       size_t *at)
{
	struct cmd *c = d->c;
	struct record r = record_of(d, REC_stream_pending_set);
	const struct stream *s = stream_again(c, d->key);
	const struct stream_group *g = stream_group_find(s, d->group);
	struct stream_pending previous = { .count = 0 };
	struct buf *run = items_scratch(c);
	struct stream_cursor cursor;
	struct stream_entry e;
	struct stream_id id;

	for (; *at < ids->size && run->size < ITEMS_SIZE_MAX;
	     *at += sizeof(id)) {
		struct stream_pending p;
		uint64_t then;

		memcpy(&id, ids->data + *at, sizeof(id));
		p = *stream_pending_find(g, id);
		then = stream_pending_time(&p);
		stream_seek(&cursor, s, id);
		stream_next(&cursor, &e);
		reply_delivered(d, &e, c->now_ms > then ? c->now_ms - then : 0,
				stream_pending_deliveries(&p));
		p.time_ms = c->now_ms;
		p.count += p.count < STREAM_DELIVERIES_MAX;
		pending_run_put(run, &previous, &p);
	}
	r.value = buf_slice(run);
	emit(c, &r);
}

/* Claims what may be, count at most. How many. (I4) */
static uint64_t deliver_claimed(const struct delivery *d, uint64_t count)
{
	struct record r = record_of(d, REC_stream_consumer_set);
	struct cmd *c = d->c;
	struct buf ids = { 0 };
	uint64_t given;
	size_t at = 0;

	find_claimable(d, count, &ids);
	while (at < ids.size)
		claim_some(d, &ids, &at);
	given = ids.size / sizeof(struct stream_id);
	buf_release(&ids);
	if (given > 0) {
		r.seen_ms = r.active_ms = c->now_ms;
		emit(c, &r);
	}
	return given;
}

/* What is new, for a consumer that is there; how many. */
static uint64_t deliver_new(const struct delivery *d)
{
	struct cmd *c = d->c;
	uint64_t count = (uint64_t)d->r->count, given = 0, some;
	size_t start = c->out->size;

	if (d->r->claim_ms >= 0)
		given = deliver_claimed(d, count);
	do {
		some = deliver_some(d, count - given);
		given += some;
	} while (some > 0 && given < count);
	stream_reply_count(c, start, given);
	return given;
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
	size_t start = c->out->size;

	do {
		some = history_some(d, count - given, &id);
		given += some;
	} while (some > 0 && given < count);
	stream_reply_count(c, start, given);
}

/* Whether key i has something to reply: of a key named twice, perhaps not any
 * more. */
static bool has_more(struct cmd *c, const struct stream_read *r, unsigned i)
{
	const struct stream *s = stream_again(c, c->argv[r->keys + i]);

	return has_something(c, r, i, s,
			     stream_group_find(s, group_name(c, r)));
}

/* Replies what key i has; false: nothing after all, and no reply. */
static bool deliver(struct cmd *c, const struct stream_read *r, unsigned i)
{
	size_t start = c->out->size;
	struct delivery d = {
		.c = c,
		.r = r,
		.key = c->argv[r->keys + i],
		.group = group_name(c, r),
		.consumer = c->argv[r->group + 1],
	};
	struct stream_id id = { 0, 0 };

	stream_read_key(c, d.key);
	if (!wants_new(c, r, i)) {
		stream_id_parse(c->argv[r->keys + r->streams + i], 0, &id);
		deliver_history(&d, id);
		return true;
	}
	if (deliver_new(&d) > 0)
		return true;
	c->out->size = start; /* what was to be claimed is gone */
	return false;
}

/* XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [CLAIM ms] [NOACK]
 * STREAMS key [key ...] id [id ...]. */
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
	if (!cmd_room(c, room))
		return;
	for (i = 0; i < r.streams; i++)
		stream_consumer_touch(c, c->argv[r.keys + i],
				      group_name(c, &r), c->argv[r.group + 1]);
	if (given == 0) {
		stream_read_waits(c, &r);
		return;
	}
	for (i = 0, given = 0; i < r.streams; i++) {
		if (has_more(c, &r, i))
			given += deliver(c, &r, i);
	}
	if (given == 0) {
		reply_null_array(c);
		return;
	}
	head = c->out->size;
	stream_read_head(c, given);
	stream_reply_front(c, start, head);
}
