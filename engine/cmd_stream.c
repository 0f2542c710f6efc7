/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stream commands that write entries.
 *
 * I1. An entry is one record with its ID; trimming is one more, by the ID of
 *     the last entry that goes, whatever the client asked for.
 * I2. IDs go up: an ID is above the last one given, also of an empty stream.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

/* Trimming with ~ and no LIMIT: so many blocks' worth of entries at most. */
#define TRIM_BLOCKS 100
#define TRIM_LIMIT_MIN 10000
#define TRIM_LIMIT_MAX 1000000

/* What XADD and XTRIM take besides fields. */
struct options {
	bool no_make; /* NOMKSTREAM */
	bool trim;
	bool limit_given;
	struct stream_trim_wish wish;
};

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

/* MAXLEN or MINID at *index with its threshold; *index goes to the last
 * argument of it. */
static bool parse_threshold(struct cmd *c, unsigned *index, struct options *o)
{
	bool by_id = arg_is(c, *index, "minid");
	unsigned i = *index + 1;
	int64_t length;

	if (o->trim)
		return fail(c, "ERR syntax error, MAXLEN and MINID options at "
			       "the same time are not compatible");
	o->trim = true;
	o->wish.by_id = by_id;
	if (i + 1 < c->argc && (arg_is(c, i, "~") || arg_is(c, i, "=")))
		o->wish.whole = arg_is(c, i++, "~");
	*index = i;
	if (by_id)
		return stream_id_arg(c, i, 0, &o->wish.min);
	if (!arg_i64(c, i, &length))
		return false;
	if (length < 0)
		return fail(c, "ERR The MAXLEN argument must be >= 0.");
	o->wish.length = (uint64_t)length;
	return true;
}

static bool parse_limit(struct cmd *c, unsigned index, struct options *o)
{
	int64_t limit;

	if (!arg_i64(c, index, &limit))
		return false;
	if (limit < 0)
		return fail(c, "ERR The LIMIT argument must be >= 0.");
	o->wish.limit = (uint64_t)limit;
	o->limit_given = true;
	return true;
}

/* After all options: what they mean together. */
static bool options_finish(struct cmd *c, struct options *o)
{
	uint64_t limit = TRIM_BLOCKS * (uint64_t)c->ks->stream_limits.entries;

	if (o->limit_given && !o->trim)
		return fail(c, "ERR syntax error, LIMIT cannot be used without "
			       "specifying a trimming strategy");
	if (o->limit_given && !o->wish.whole)
		return fail(c, "ERR syntax error, LIMIT cannot be used without "
			       "the special ~ option");
	if (!o->limit_given && o->wish.whole) {
		if (limit == 0)
			limit = TRIM_LIMIT_MIN;
		o->wish.limit = limit < TRIM_LIMIT_MAX ? limit :
							 TRIM_LIMIT_MAX;
	}
	return true;
}

/* Parses options from *index on; of XADD up to the ID, where *index is then. */
static bool options_parse(struct cmd *c, bool add, unsigned *index,
			  struct options *o)
{
	unsigned i;

	*o = (struct options){ 0 };
	for (i = *index; i < c->argc; i++) {
		bool more = i + 1 < c->argc;

		if (add && arg_is(c, i, "nomkstream")) {
			o->no_make = true;
		} else if (more && (arg_is(c, i, "maxlen") ||
				    arg_is(c, i, "minid"))) {
			if (!parse_threshold(c, &i, o))
				return false;
		} else if (more && arg_is(c, i, "limit")) {
			if (!parse_limit(c, ++i, o))
				return false;
		} else if (add) {
			break;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	*index = i;
	return options_finish(c, o);
}

/* Trims as wished. (I1) Replies nothing; the number that went. */
static uint64_t trim(struct cmd *c, const struct stream *s,
		     const struct stream_trim_wish *wish)
{
	struct record r = stream_record(c, REC_stream_trim, CAUSE_xtrim,
					c->argv[1]);
	struct stream_id through;

	if (!stream_trim_plan(s, wish, &through))
		return 0;
	r.ms = through.ms;
	r.seq = through.seq;
	emit(c, &r);
	return c->ks->result;
}

/* The ID that follows the last one by the clock. (I2) */
static bool next_id(struct cmd *c, struct stream_id last, struct stream_id *id)
{
	*id = (struct stream_id){ c->now_ms, 0 };
	if (stream_id_below(last, *id))
		return true;
	*id = last;
	return stream_id_increment(id);
}

/* "ms-*": *id gets the ms. */
static bool is_partial(struct slice text, struct stream_id *id)
{
	return text.size > 2 && text.data[text.size - 1] == '*' &&
	       text.data[text.size - 2] == '-' &&
	       stream_id_parse(slice_of(text.data, text.size - 2), 0, id);
}

static bool id_exhausted(struct cmd *c)
{
	return fail(c, "ERR The stream has exhausted the last possible ID, "
		       "unable to add more items");
}

static bool id_too_small(struct cmd *c)
{
	return fail(c, "ERR The ID specified in XADD is equal or smaller than "
		       "the target stream top item");
}

/* The ID of the new entry; false: replied an error. */
static bool choose_id(struct cmd *c, struct slice text, struct stream_id last,
		      struct stream_id *id)
{
	struct stream_id max = STREAM_ID_MAX;

	if (slice_is(text, "*"))
		return next_id(c, last, id) || id_exhausted(c);
	if (stream_id_equal(last, max))
		return id_exhausted(c);
	if (is_partial(text, id)) {
		if (id->ms == last.ms && last.seq == UINT64_MAX)
			return id_too_small(c);
		if (id->ms == last.ms)
			id->seq = last.seq + 1;
	}
	return stream_id_below(last, *id) || id_too_small(c);
}

/* The arguments' form from the ID on, before anything is looked up. */
static bool check_id(struct cmd *c, unsigned index)
{
	struct stream_id id;
	bool whole = index < c->argc && !arg_is(c, index, "*") &&
		     !is_partial(c->argv[index], &id);

	if (whole && !stream_id_arg(c, index, 0, &id))
		return false;
	if (index + 3 > c->argc || (c->argc - index) % 2 == 0) {
		reply_wrong_arity(c);
		return false;
	}
	if (whole && stream_id_zero(id))
		return fail(c, "ERR The ID specified in XADD must be greater "
			       "than 0-0");
	return true;
}

/* The fields and values from index on; false: too big. */
static bool put_fields(struct cmd *c, unsigned index, struct buf *items)
{
	size_t size = 0;
	unsigned i;

	for (i = index; i < c->argc; i++)
		size += c->argv[i].size + VARINT_SIZE_MAX;
	if (size > STREAM_ENTRY_SIZE_MAX)
		return fail(c, "ERR Elements are too large to be stored");
	for (i = index; i < c->argc; i++)
		items_put(items, c->argv[i]);
	return true;
}

/* XADD key [NOMKSTREAM] [trimming] id field value [field value ...]. */
void cmd_xadd(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_add, CAUSE_xadd,
					c->argv[1]);
	struct buf *items = items_scratch(c);
	struct stream_id id, last = { 0, 0 };
	const struct stream *s;
	struct options o;
	unsigned at = 2;

	if (!options_parse(c, true, &at, &o))
		return;
	if (!check_id(c, at) || !stream_lookup_write(c, c->argv[1], &s))
		return;
	if (!s && o.no_make) {
		reply_null(c);
		return;
	}
	if (s)
		last = s->last;
	stream_id_parse(c->argv[at], 0, &id);
	if (!choose_id(c, c->argv[at], last, &id) ||
	    !put_fields(c, at + 1, items))
		return;
	r.ms = id.ms;
	r.seq = id.seq;
	r.value = buf_slice(items);
	emit(c, &r);
	stream_reply_id(c, id);
	if (o.trim)
		trim(c, stream_again(c, c->argv[1]), &o.wish);
}

/* XTRIM key trimming. */
void cmd_xtrim(struct cmd *c)
{
	const struct stream *s;
	struct options o;
	unsigned at = 2;

	if (!options_parse(c, false, &at, &o) ||
	    !stream_lookup_write(c, c->argv[1], &s))
		return;
	if (!o.trim) {
		reply_error(c, "ERR syntax error, XTRIM must be called with a "
			       "trimming strategy");
		return;
	}
	reply_i64(c, s ? (int64_t)trim(c, s, &o.wish) : 0);
}

/* XDEL key id [id ...]. */
void cmd_xdel(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_del, CAUSE_xdel,
					c->argv[1]);
	struct buf *ids = items_scratch(c);
	struct stream_id id, previous = { 0, 0 };
	const struct stream *s;
	unsigned i;

	if (!stream_lookup_write(c, c->argv[1], &s) ||
	    (s && !stream_ids_args(c, 2)))
		return;
	for (i = 2; s && i < c->argc; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (stream_has(s, id))
			ids_run_put(ids, &previous, id);
	}
	if (ids->size == 0) {
		reply_i64(c, 0);
		return;
	}
	r.value = buf_slice(ids);
	emit(c, &r);
	reply_i64(c, (int64_t)c->ks->result);
}

/* XLEN key. */
void cmd_xlen(struct cmd *c)
{
	const struct stream *s;

	if (stream_lookup(c, c->argv[1], &s))
		reply_i64(c, s ? (int64_t)stream_length(s) : 0);
}

/* The options of XSETID from argument 3 on. */
static bool setid_options(struct cmd *c, int64_t *added,
			  struct stream_id *deleted)
{
	unsigned i;

	for (i = 3; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;

		if (more && arg_is(c, i, "entriesadded")) {
			if (!arg_i64(c, i + 1, added))
				return false;
			if (*added < 0)
				return fail(c, "ERR entries_added must be "
					       "positive");
		} else if (more && arg_is(c, i, "maxdeletedid")) {
			if (!stream_id_arg(c, i + 1, 0, deleted))
				return false;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Whether the stream can have these; replies why not. */
static bool setid_possible(struct cmd *c, const struct stream *s,
			   struct stream_id id, int64_t added)
{
	if (stream_id_below(id, s->max_deleted))
		return fail(c, "ERR The ID specified in XSETID is smaller than "
			       "current max_deleted_entry_id");
	if (stream_length(s) == 0)
		return true;
	if (stream_id_below(id, stream_top(s)))
		return fail(c, "ERR The ID specified in XSETID is smaller than "
			       "the target stream top item");
	if (added >= 0 && (uint64_t)added < stream_length(s))
		return fail(c, "ERR The entries_added specified in XSETID is "
			       "smaller than the target stream length");
	return true;
}

/* XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]. */
void cmd_xsetid(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_meta, CAUSE_xsetid,
					c->argv[1]);
	struct stream_id id, deleted = { 0, 0 };
	const struct stream *s;
	int64_t added = -1;

	if (!stream_id_arg(c, 2, 0, &id) || !setid_options(c, &added, &deleted))
		return;
	if (stream_id_below(id, deleted)) {
		reply_error(c, "ERR The ID specified in XSETID is smaller than "
			       "the provided max_deleted_entry_id");
		return;
	}
	if (!stream_lookup_write(c, c->argv[1], &s))
		return;
	if (!s) {
		reply_error(c, "ERR no such key");
		return;
	}
	if (!setid_possible(c, s, id, added))
		return;
	if (stream_id_zero(deleted))
		deleted = s->max_deleted;
	r.ms = id.ms;
	r.seq = id.seq;
	r.count = added >= 0 ? (uint64_t)added : s->added;
	r.other_ms = deleted.ms;
	r.other_seq = deleted.seq;
	emit(c, &r);
	reply_ok(c);
}
