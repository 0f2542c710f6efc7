/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trimming streams: XTRIM, and what XADD has of it.
 *
 * I1. Entries that go from the first on are one record, by the ID of the last
 *     of them, whatever the client asked for.
 * I2. Where entries stay that a group has still to do with (ACKED), those
 *     behind them go by their IDs.
 * I3. What is pending of entries that go (DELREF) goes before them: while they
 *     are there, it can be told from what has lost its entry before.
 */
#include "engine/stream_options.h"

#include "engine/items.h"
#include "engine/stream_runs.h"

/* Trimming with ~ and no LIMIT: so many blocks' worth of entries at most. */
#define TRIM_BLOCKS 100
#define TRIM_LIMIT_MIN 10000
#define TRIM_LIMIT_MAX 1000000

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

/* MAXLEN or MINID at *index with its threshold; *index goes to the last
 * argument of it. */
static bool parse_threshold(struct cmd *c, unsigned *index,
			    struct stream_options *o)
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

static bool parse_limit(struct cmd *c, unsigned index,
			struct stream_options *o)
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
static bool options_finish(struct cmd *c, bool add, struct stream_options *o)
{
	uint64_t limit = TRIM_BLOCKS * (uint64_t)c->ks->stream_limits.entries;

	if (o->wish.limit > 0 && !o->trim)
		return fail(c, "ERR syntax error, LIMIT cannot be used without "
			       "specifying a trimming strategy");
	if (!add && !o->trim)
		return fail(c, "ERR syntax error, XTRIM must be called with a "
			       "trimming strategy");
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

/* The option at *index, which goes to its last argument. *known: it is one.
 * False: replied an error. */
static bool parse_option(struct cmd *c, unsigned *index, bool *known,
			 struct stream_options *o)
{
	bool more = *index + 1 < c->argc;

	*known = true;
	if (more && (arg_is(c, *index, "maxlen") || arg_is(c, *index, "minid")))
		return parse_threshold(c, index, o);
	if (more && arg_is(c, *index, "limit"))
		return parse_limit(c, ++*index, o);
	*known = stream_reference_arg(c, *index, &o->reference);
	return true;
}

/* IDMP or IDMPAUTO at *index, which goes to its last argument. */
static bool parse_message(struct cmd *c, unsigned *index,
			  struct stream_options *o)
{
	unsigned i = *index;

	if (o->producer)
		return fail(c, "ERR IDMP/IDMPAUTO specified multiple times");
	o->automatic = arg_is(c, i, "idmpauto");
	o->producer = i + 1;
	*index = o->automatic ? i + 1 : i + 2;
	if (c->argv[i + 1].size == 0)
		return fail(c, o->automatic ?
			    "ERR IDMPAUTO requires a non-empty producer ID" :
			    "ERR IDMP requires a non-empty producer ID");
	if (!o->automatic && c->argv[i + 2].size == 0)
		return fail(c, "ERR IDMP requires a non-empty idempotent ID");
	if (c->argv[i + 1].size > STREAM_ENTRY_SIZE_MAX / 2 ||
	    c->argv[*index].size > STREAM_ENTRY_SIZE_MAX / 2)
		return fail(c, "ERR Elements are too large to be stored");
	return true;
}

/* The same of what only XADD has. */
static bool parse_add_option(struct cmd *c, unsigned *index, bool *known,
			     struct stream_options *o)
{
	unsigned left = c->argc - *index - 1;

	*known = true;
	if (arg_is(c, *index, "nomkstream"))
		o->no_make = true;
	else if ((left >= 1 && arg_is(c, *index, "idmpauto")) ||
		 (left >= 2 && arg_is(c, *index, "idmp")))
		return parse_message(c, index, o);
	else
		*known = false;
	return true;
}

bool stream_options_parse(struct cmd *c, bool add, unsigned *index,
			  struct stream_options *o)
{
	bool known = false;
	unsigned i;

	*o = (struct stream_options){ 0 };
	for (i = *index; i < c->argc; i++) {
		if (add && !parse_add_option(c, &i, &known, o))
			return false;
		if (!known && !parse_option(c, &i, &known, o))
			return false;
		if (!known && add)
			break;
		if (!known) {
			reply_syntax_error(c);
			return false;
		}
		known = false;
	}
	*index = i;
	return options_finish(c, add, o);
}

/* Whether entries go in another way than from the first on. */
static bool by_reference(const struct stream *s, const struct stream_options *o)
{
	return s && s->group_count > 0 && o->trim &&
	       (o->reference == STREAM_DELETE_REFERENCES ||
		o->reference == STREAM_ONLY_ACKNOWLEDGED);
}

bool stream_trim_room(struct cmd *c, const struct stream *s,
		      const struct stream_options *o, uint64_t bytes)
{
	struct stream_trim_wish exact = o->wish;
	size_t key_size = c->argv[1].size;
	struct stream_id through;
	uint64_t ids;
	uint32_t i;

	if (!by_reference(s, o))
		return true;
	exact.whole = false;
	ids = stream_trim_plan(s, &exact, &through) + 1; /* one is added */
	bytes += items_room(key_size, 1, ids * STREAM_IDS_SIZE_MAX);
	for (i = 0; o->reference == STREAM_DELETE_REFERENCES &&
		    i < s->group_count; i++)
		bytes += items_room(
			key_size + s->groups[i]->name_size, 1,
			ids * STREAM_IDS_SIZE_MAX);
	return cmd_room(c, bytes);
}

/* Removes the entries up to and with this ID. */
static uint64_t trim_through(struct cmd *c, struct stream_id through)
{
	struct record r = stream_record(c, REC_stream_trim, CAUSE_xtrim,
					c->argv[1]);

	r.ms = through.ms;
	r.seq = through.seq;
	emit(c, &r);
	return c->ks->result;
}

/* Removes some of the entries from *from on that nobody has to do with, until a
 * record is full; *from goes behind them. How many. (I2) */
static uint64_t trim_some_acked(struct cmd *c,
				const struct stream_trim_wish *wish,
				struct stream_id *from)
{
	struct record r = stream_record(c, REC_stream_del, CAUSE_xtrim,
					c->argv[1]);
	struct buf *run = items_scratch(c);
	struct stream_id id, previous = { 0, 0 };
	struct stream_acked_walk w;

	stream_acked_begin(&w, stream_again(c, c->argv[1]), wish, *from);
	while (run->size < ITEMS_SIZE_MAX && stream_acked_next(&w, &id))
		ids_run_put(run, &previous, id);
	if (run->size == 0)
		return 0;
	*from = previous;
	r.value = buf_slice(run);
	emit(c, &r);
	return c->ks->result;
}

static uint64_t trim_acked(struct cmd *c, const struct stream *s,
			   const struct stream_trim_wish *wish)
{
	struct stream_id through, bound, from = { 0, 0 };
	struct stream_trim_wish left = *wish;
	uint64_t gone = 0, some;

	if (!stream_trim_plan(s, wish, &through))
		return 0;
	if (!stream_referenced_from(s, &bound) ||
	    stream_id_below(through, bound))
		return trim_through(c, through);
	do {
		some = trim_some_acked(c, &left, &from);
		gone += some;
		if (left.whole && left.limit && some >= left.limit)
			break;
		left.limit -= left.limit ? some : 0;
	} while (some > 0);
	return gone;
}

/* Takes what is pending of entries up to and with `through` off group number
 * `index`, from *from on, until a record is full; *from goes behind it. False:
 * that was all. (I3) */
static bool forget_some(struct cmd *c, uint32_t index, struct stream_id through,
			struct stream_id *from)
{
	struct record r = stream_record(c, REC_stream_pending_del, CAUSE_xtrim,
					c->argv[1]);
	const struct stream *s = stream_again(c, c->argv[1]);
	const struct stream_group *g = s->groups[index];
	struct stream_pending_cursor at;
	const struct stream_pending *p;
	struct buf *run = items_scratch(c);
	struct stream_id previous = { 0, 0 };

	stream_pending_seek(&at, g, NULL, *from);
	while (run->size < ITEMS_SIZE_MAX &&
	       (p = stream_pending_next(&at)) != NULL &&
	       !stream_id_below(through, p->id))
		if (stream_has(s, p->id))
			ids_run_put(run, &previous, p->id);
	if (run->size == 0)
		return false;
	*from = previous;
	r.group = stream_group_name(g);
	r.value = buf_slice(run);
	emit(c, &r);
	return true;
}

static uint64_t trim_with_references(struct cmd *c, const struct stream *s,
				     const struct stream_trim_wish *wish)
{
	uint32_t i, groups = s->group_count;
	struct stream_id through;

	if (!stream_trim_plan(s, wish, &through))
		return 0;
	for (i = 0; i < groups; i++) {
		struct stream_id from = { 0, 0 };

		while (forget_some(c, i, through, &from))
			continue;
	}
	return trim_through(c, through);
}

uint64_t stream_trim_wished(struct cmd *c, const struct stream *s,
			    const struct stream_options *o)
{
	struct stream_id through;

	if (!by_reference(s, o))
		return stream_trim_plan(s, &o->wish, &through) ?
		       trim_through(c, through) : 0;
	if (o->reference == STREAM_ONLY_ACKNOWLEDGED)
		return trim_acked(c, s, &o->wish);
	return trim_with_references(c, s, &o->wish);
}

/* XTRIM key trimming. */
void cmd_xtrim(struct cmd *c)
{
	struct stream_options o;
	const struct stream *s;
	unsigned at = 2;

	if (!stream_options_parse(c, false, &at, &o) ||
	    !stream_lookup_write(c, c->argv[1], &s))
		return;
	if (!s)
		reply_i64(c, 0);
	else if (stream_trim_room(c, s, &o, 0))
		reply_i64(c, (int64_t)stream_trim_wished(c, s, &o));
}
