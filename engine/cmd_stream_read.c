/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading streams: XRANGE, XREVRANGE, XREAD.
 *
 * I1. How many entries a reply has is known when they have been written: its
 *     header is then moved to the front.
 */
#include "engine/cmd_stream.h"

#include "engine/stream_reads.h"

/* Replies the entries from one ID to another, upwards. */
static void reply_up(struct cmd *c, const struct stream *s,
		     struct stream_id from, struct stream_id to,
		     uint64_t count)
{
	size_t start = c->out->size;
	struct stream_cursor at;
	struct stream_entry e;
	uint64_t given = 0;

	stream_seek(&at, s, from);
	while (given < count && stream_next(&at, &e) &&
	       !stream_id_below(to, e.id)) {
		stream_reply_entry(c, e);
		given++;
	}
	stream_reply_count(c, start, given); /* I1 */
}

static void reply_down(struct cmd *c, const struct stream *s,
		       struct stream_id from, struct stream_id to,
		       uint64_t count)
{
	size_t start = c->out->size;
	struct stream_back at;
	struct stream_entry e;
	uint64_t given = 0;

	stream_seek_back(&at, s, to);
	while (given < count && stream_previous(&at, &e) &&
	       !stream_id_below(e.id, from)) {
		stream_reply_entry(c, e);
		given++;
	}
	stream_reply_count(c, start, given);
}

static void range(struct cmd *c, bool up)
{
	struct stream_id from, to;
	const struct stream *s;
	int64_t count = INT64_MAX;
	unsigned i;

	if (!stream_range_args(c, up ? 2 : 3, up ? 3 : 2, &from, &to))
		return;
	for (i = 4; i < c->argc; i += 2) {
		if (i + 1 == c->argc || !arg_is(c, i, "count")) {
			reply_syntax_error(c);
			return;
		}
		if (!arg_i64(c, i + 1, &count))
			return;
	}
	if (!stream_lookup(c, c->argv[1], &s))
		return;
	if (!s)
		reply_array(c, 0);
	else if (count <= 0)
		reply_null_array(c);
	else if (up)
		reply_up(c, s, from, to, (uint64_t)count);
	else
		reply_down(c, s, from, to, (uint64_t)count);
}

/* XRANGE key start end [COUNT count]. */
void cmd_xrange(struct cmd *c)
{
	range(c, true);
}

/* XREVRANGE key end start [COUNT count]. */
void cmd_xrevrange(struct cmd *c)
{
	range(c, false);
}

int keys_xread(const struct slice *argv, unsigned argc, unsigned *out)
{
	unsigned i, streams = 0, keys;

	for (i = 1; i < argc && !streams; i++) {
		if (slice_is(argv[i], "block") || slice_is(argv[i], "count") ||
		    slice_is(argv[i], "claim"))
			i++;
		else if (slice_is(argv[i], "group"))
			i += 2;
		else if (slice_is(argv[i], "streams"))
			streams = i + 1;
		else if (!slice_is(argv[i], "noack"))
			return -1;
	}
	keys = streams ? argc - streams : 0;
	if (keys == 0 || keys % 2)
		return -1;
	for (i = 0; i < keys / 2; i++)
		out[i] = streams + i;
	return (int)(keys / 2);
}

static bool parse_block(struct cmd *c, unsigned index)
{
	int64_t ms;

	if (!num_parse_i64(c->argv[index], &ms)) {
		reply_error(c, "ERR timeout is not an integer or out of range");
		return false;
	}
	if (ms < 0) {
		reply_error(c, "ERR timeout is negative");
		return false;
	}
	return true;
}

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

static bool parse_claim(struct cmd *c, struct stream_read *r, unsigned index)
{
	if (!r->for_group)
		return fail(c, "ERR The CLAIM option is only supported by "
			       "XREADGROUP. You called XREAD instead.");
	if (!num_parse_i64(c->argv[index], &r->claim_ms))
		return fail(c, "ERR min-idle-time is not an integer or out of "
			       "range");
	return r->claim_ms >= 0 ||
	       fail(c, "ERR min-idle-time must be a positive integer");
}

/* One option at *index; false: replied an error. */
static bool parse_option(struct cmd *c, struct stream_read *r, unsigned *index)
{
	unsigned i = *index, left = c->argc - i - 1;

	if (left && arg_is(c, i, "block")) {
		r->block = true;
		*index += 1;
		return parse_block(c, i + 1);
	}
	if (left && arg_is(c, i, "count")) {
		*index += 1;
		if (!arg_i64(c, i + 1, &r->count))
			return false;
		if (r->count <= 0)
			r->count = INT64_MAX;
		return true;
	}
	if (left >= 2 && arg_is(c, i, "group")) {
		if (!r->for_group)
			return fail(c, "ERR The GROUP option is only supported "
				       "by XREADGROUP. You called XREAD "
				       "instead.");
		r->group = i + 1;
		*index += 2;
		return true;
	}
	if (left && arg_is(c, i, "claim")) {
		*index += 1;
		return parse_claim(c, r, i + 1);
	}
	if (arg_is(c, i, "noack")) {
		if (!r->for_group)
			return fail(c, "ERR The NOACK option is only supported "
				       "by XREADGROUP. You called XREAD "
				       "instead.");
		r->noack = true;
		return true;
	}
	reply_syntax_error(c);
	return false;
}

bool stream_read_parse(struct cmd *c, bool for_group, struct stream_read *r)
{
	unsigned i, left = 0;

	*r = (struct stream_read){ .for_group = for_group,
				   .count = INT64_MAX,
				   .claim_ms = -1 };
	for (i = 1; i < c->argc; i++) {
		left = c->argc - i - 1;
		if (left && arg_is(c, i, "streams"))
			break;
		if (!parse_option(c, r, &i))
			return false;
	}
	if (i >= c->argc) {
		reply_syntax_error(c);
		return false;
	}
	if (left % 2) {
		reply_errorf(c, "ERR Unbalanced '%s' list of streams: for each "
				"stream key an ID or '%s' must be specified.",
			     c->command->name, for_group ? ">" : "$");
		return false;
	}
	r->keys = i + 1;
	r->streams = left / 2;
	if (for_group && !r->group)
		return fail(c, "ERR Missing GROUP option for XREADGROUP");
	return true;
}

void stream_read_waits(struct cmd *c, const struct stream_read *r)
{
	if (r->block)
		reply_error(c, "ERR there is nothing to read yet, and waiting "
			       "with BLOCK is not supported");
	else
		reply_null_array(c);
}

/* Where stream i is to be read from: entries above *id. False: an error. */
static bool start_of(struct cmd *c, const struct stream_read *r, unsigned i,
		     const struct stream *s, struct stream_id *id)
{
	unsigned at = r->keys + r->streams + i;

	if (arg_is(c, at, "$")) {
		*id = s ? s->last : (struct stream_id){ 0, 0 };
		return true;
	}
	if (arg_is(c, at, "+")) {
		*id = s ? stream_top(s) : (struct stream_id){ 0, 0 };
		stream_id_decrement(id);
		return true;
	}
	if (arg_is(c, at, ">"))
		return fail(c, "ERR The > ID can be specified only when "
			       "calling XREADGROUP using the GROUP <group> "
			       "<consumer> option.");
	return stream_id_arg(c, at, 0, id);
}

/* The stream at key i if it has something to give, above *id. False: replied
 * an error. */
static bool ready(struct cmd *c, const struct stream_read *r, unsigned i,
		  const struct stream **s, struct stream_id *id)
{
	if (!stream_lookup(c, c->argv[r->keys + i], s) ||
	    !start_of(c, r, i, *s, id))
		return false;
	if (*s && (stream_length(*s) == 0 ||
		   !stream_id_below(*id, stream_top(*s))))
		*s = NULL;
	return true;
}

void stream_read_head(struct cmd *c, size_t streams)
{
	if (c->session->protocol == 3)
		reply_map(c, streams);
	else
		reply_array(c, streams);
}

void stream_read_key(struct cmd *c, struct slice key)
{
	if (c->session->protocol != 3)
		reply_array(c, 2);
	reply_bulk(c, key);
}

/* XREAD [COUNT count] [BLOCK ms] STREAMS key [key ...] id [id ...]. */
void cmd_xread(struct cmd *c)
{
	const struct stream *s;
	struct stream_read r;
	struct stream_id id;
	unsigned i, given = 0;

	if (!stream_read_parse(c, false, &r))
		return;
	for (i = 0; i < r.streams; i++) {
		if (!ready(c, &r, i, &s, &id))
			return;
		given += s != NULL;
	}
	if (given == 0) {
		stream_read_waits(c, &r);
		return;
	}
	stream_read_head(c, given);
	for (i = 0; i < r.streams; i++) {
		ready(c, &r, i, &s, &id);
		if (!s)
			continue;
		stream_id_increment(&id);
		stream_read_key(c, c->argv[r.keys + i]);
		reply_up(c, s, id, STREAM_ID_MAX, (uint64_t)r.count);
	}
}
