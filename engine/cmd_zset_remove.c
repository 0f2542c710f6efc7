/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of members that go: ZREMRANGEBY…, ZPOPMIN, ZPOPMAX, ZMPOP.
 *
 * I1. A run that is the whole set is one key_del: freeing it is taken apart in
 *     steps, and the log stays short.
 * I2. Members are removed in records of bounded size; after each the run is
 *     looked up again: what is left of it begins at the same rank.
 * I3. Room in the log is asked for before the first emit, for the bytes that
 *     will really be written.
 */
#include "engine/cmd_zset.h"

#include <assert.h>

#include "engine/zset_range.h"
#include "engine/zset_records.h"

/* Members, and their bytes, that the dispatcher's asking covers. */
#define ROOM_UNASKED 64
#define ROOM_UNASKED_BYTES 512

/* Whether there is room in the log for removing the run; else replied. (I3) */
static bool room_for(struct cmd *c, struct slice key, const struct entry *e,
		     struct zset_span span)
{
	struct zset_item item;
	struct zset_iter it;
	size_t bytes = 0, i;

	zset_seek(&it, e, span.first);
	for (i = 0; i < span.count && zset_next(&it, &item); i++)
		bytes += item.member.size;
	return (i <= ROOM_UNASKED && bytes < ROOM_UNASKED_BYTES) ||
	       cmd_room(c, zset_records_size(key, i, bytes));
}

/* Removes span.count members from rank span.first on, upwards. */
static void remove_span(struct cmd *c, struct slice key, struct zset_span span,
			enum record_cause cause)
{
	struct zset_writer w = zset_writer(c, key, REC_zset_del, cause);
	size_t left = span.count;

	while (left > 0) {
		const struct entry *e = lookup_write(c, key);
		unsigned emitted = w.emitted;
		struct zset_item item;
		struct zset_iter it;

		assert(e != NULL);
		zset_seek(&it, e, span.first); /* I2 */
		while (left > 0 && w.emitted == emitted &&
		       zset_next(&it, &item)) {
			left--;
			zset_writer_del(&w, item.member);
		}
		zset_writer_flush(&w);
	}
	assert(w.changed == span.count);
}

/* Removes the run if there is room; false: an error was replied. */
static bool remove_run(struct cmd *c, struct slice key, const struct entry *e,
		       struct zset_span span, enum record_cause cause)
{
	if (span.count == zset_count(e)) { /* I1 */
		emit_key_del(c, key, cause);
		return true;
	}
	if (!room_for(c, key, e, span))
		return false;
	remove_span(c, key, span, cause);
	return true;
}

static void zremrange(struct cmd *c, enum zset_range_by by,
		      enum record_cause cause)
{
	struct zset_range r = { .by = by };
	const struct entry *e;
	struct zset_span span;

	if (!zset_range_ends(c, 2, &r) ||
	    !lookup_typed_write(c, c->argv[1], VALUE_zset, &e))
		return;
	span = zset_range_span(&r, e);
	if (span.count == 0 || remove_run(c, c->argv[1], e, span, cause))
		reply_i64(c, (int64_t)span.count);
}

/* ZREMRANGEBYRANK key start stop. */
void cmd_zremrangebyrank(struct cmd *c)
{
	zremrange(c, BY_RANK, CAUSE_zremrangebyrank);
}

/* ZREMRANGEBYSCORE key min max. */
void cmd_zremrangebyscore(struct cmd *c)
{
	zremrange(c, BY_SCORE, CAUSE_zremrangebyscore);
}

/* ZREMRANGEBYLEX key min max. */
void cmd_zremrangebylex(struct cmd *c)
{
	zremrange(c, BY_LEX, CAUSE_zremrangebylex);
}

/* --- pops ---------------------------------------------------------------- */

/* The outermost members at one end. */
static struct zset_span end_span(const struct entry *e, bool highest,
				 uint64_t count)
{
	size_t all = zset_count(e);
	struct zset_span span = { .reverse = highest };

	span.count = count < all ? (size_t)count : all;
	span.first = highest ? all - 1 : 0;
	return span;
}

/* Removes what end_span has shown. */
static void remove_end(struct cmd *c, struct slice key, const struct entry *e,
		       struct zset_span span)
{
	enum record_cause cause = span.reverse ? CAUSE_zpopmax : CAUSE_zpopmin;

	if (span.count == zset_count(e)) { /* I1 */
		emit_key_del(c, key, cause);
		return;
	}
	if (span.reverse)
		span.first = span.first + 1 - span.count;
	remove_span(c, key, span, cause);
}

/* Members with their scores, from span.first on; nested: each in an array. */
static void reply_popped(struct cmd *c, const struct entry *e,
			 struct zset_span span, bool nested)
{
	struct zset_item item;
	struct zset_iter it;
	size_t i;

	reply_array(c, nested ? span.count : 2 * span.count);
	zset_span_seek(&it, e, span);
	for (i = 0; i < span.count; i++) {
		bool more = zset_span_next(&it, span.reverse, &item);

		assert(more);
		if (nested)
			reply_array(c, 2);
		reply_bulk(c, item.member);
		reply_double(c, item.score);
	}
}

static bool pop_room(struct cmd *c, struct slice key, const struct entry *e,
		     struct zset_span span)
{
	if (span.count == zset_count(e))
		return true;
	if (span.reverse)
		span.first = span.first + 1 - span.count;
	return room_for(c, key, e, span);
}

static void zpop(struct cmd *c, bool highest)
{
	const struct entry *e;
	struct zset_span span;
	int64_t count = 1;

	if (c->argc > 3) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 3 && !arg_i64_range(c, 2, 0, INT64_MAX, &count))
		return;
	if (!lookup_typed_write(c, c->argv[1], VALUE_zset, &e))
		return;
	if (!e || count == 0) {
		reply_array(c, 0);
		return;
	}
	span = end_span(e, highest, (uint64_t)count);
	if (!pop_room(c, c->argv[1], e, span))
		return;
	reply_popped(c, e, span, c->argc == 3 && c->session->protocol == 3);
	remove_end(c, c->argv[1], e, span);
}

/* ZPOPMIN key [count]. */
void cmd_zpopmin(struct cmd *c)
{
	zpop(c, false);
}

/* ZPOPMAX key [count]. */
void cmd_zpopmax(struct cmd *c)
{
	zpop(c, true);
}

/* --- ZMPOP --------------------------------------------------------------- */

struct zmpop {
	int64_t keys; /* how many, from argument 2 on */
	int64_t count;
	bool highest;
};

static bool zmpop_args(struct cmd *c, struct zmpop *z)
{
	unsigned where;

	z->count = 1;
	if (!num_parse_i64(c->argv[1], &z->keys) || z->keys < 1) {
		reply_error(c, "ERR numkeys should be greater than 0");
		return false;
	}
	if (z->keys > (int64_t)c->argc - 3) {
		reply_syntax_error(c);
		return false;
	}
	where = 2 + (unsigned)z->keys;
	z->highest = arg_is(c, where, "max");
	if ((!z->highest && !arg_is(c, where, "min")) ||
	    (c->argc != where + 1 &&
	     (c->argc < where + 3 || !arg_is(c, where + 1, "count")))) {
		reply_syntax_error(c);
		return false;
	}
	if (c->argc == where + 1)
		return true;
	if (!num_parse_i64(c->argv[where + 2], &z->count) || z->count < 1) {
		reply_error(c, "ERR count should be greater than 0");
		return false;
	}
	if (c->argc > where + 3)
		reply_syntax_error(c);
	return c->argc == where + 3;
}

/* ZMPOP numkeys key [key ...] MIN|MAX [COUNT count]. */
void cmd_zmpop(struct cmd *c)
{
	struct zmpop z;
	unsigned i;

	if (!zmpop_args(c, &z))
		return;
	for (i = 2; i < 2 + (unsigned)z.keys; i++) {
		const struct entry *e;
		struct zset_span span;

		if (!lookup_typed_write(c, c->argv[i], VALUE_zset, &e))
			return;
		if (!e)
			continue;
		span = end_span(e, z.highest, (uint64_t)z.count);
		if (!pop_room(c, c->argv[i], e, span))
			return;
		reply_array(c, 2);
		reply_bulk(c, c->argv[i]);
		reply_popped(c, e, span, true);
		remove_end(c, c->argv[i], e, span);
		return;
	}
	reply_null_array(c);
}

/* The key arguments of ZMPOP, for COMMAND GETKEYS and the dispatcher. */
int keys_zmpop(const struct slice *argv, unsigned argc, unsigned *out)
{
	int64_t count;
	int i;

	if (argc < 4 || !num_parse_i64(argv[1], &count) || count < 1 ||
	    count > (int64_t)argc - 3)
		return -1;
	for (i = 0; i < (int)count; i++)
		out[i] = 2 + (unsigned)i;
	return (int)count;
}
