/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stream commands that write entries.
 *
 * I1. An entry is one record with its ID; trimming has records of its own
 *     (cmd_stream_trim.c).
 * I2. IDs go up: an ID is above the last one given, also of an empty stream.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_options.h"
#include "engine/stream_runs.h"

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
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

/* Adds the entry of these items. */
static void add_entry(struct cmd *c, struct stream_id id, struct slice items)
{
	struct record r = stream_record(c, REC_stream_add, CAUSE_xadd,
					c->argv[1]);

	r.ms = id.ms;
	r.seq = id.seq;
	r.value = items;
	emit(c, &r);
	stream_reply_id(c, id);
}

/* XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMP producer message |
 * IDMPAUTO producer] [trimming] id field value [field value ...]. */
void cmd_xadd(struct cmd *c)
{
	static const struct stream_options no_options;
	const struct stream_options *o = &no_options;
	struct buf *items = items_scratch(c);
	struct stream_id id, last = { 0, 0 };
	struct stream_options given;
	struct stream_message m;
	const struct stream *s;
	unsigned at = 2;

	if (!arg_is(c, 2, "*")) {
		if (!stream_options_parse(c, true, &at, &given))
			return;
		o = &given;
	}
	if (!check_id(c, at) || !stream_lookup_write(c, c->argv[1], &s))
		return;
	if (o->producer && !arg_is(c, at, "*")) {
		reply_error(c, "ERR IDMP/IDMPAUTO can be used only with "
			       "auto-generated IDs");
		return;
	}
	if (!s && o->no_make) {
		reply_null(c);
		return;
	}
	if (s)
		last = s->last;
	stream_id_parse(c->argv[at], 0, &id);
	if (!put_fields(c, at + 1, items))
		return;
	if (o->producer) {
		stream_message_of(c, o, buf_slice(items), &m);
		if (stream_message_known(c, s, &m))
			return;
	}
	if (!choose_id(c, c->argv[at], last, &id) ||
	    !stream_trim_room(c, s, o, items->size))
		return;
	add_entry(c, id, buf_slice(items));
	if (o->producer)
		stream_message_added(c, &m, id);
	if (o->trim)
		stream_trim_wished(c, stream_again(c, c->argv[1]), o);
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
static bool setid_options(struct cmd *c, struct stream_id id, int64_t *added,
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
			if (stream_id_below(id, *deleted))
				return fail(c, "ERR The ID specified in XSETID "
					       "is smaller than the provided "
					       "max_deleted_entry_id");
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

	if (!stream_id_arg(c, 2, 0, &id) ||
	    !setid_options(c, id, &added, &deleted))
		return;
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
