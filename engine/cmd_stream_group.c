/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XGROUP: groups and their consumers.
 */
#include "engine/cmd_stream.h"

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

/* The stream at argv[2], which may lack if `may_lack`. False: replied. */
static bool open_stream(struct cmd *c, bool may_lack, const struct stream **s)
{
	if (!stream_lookup_write(c, c->argv[2], s))
		return false;
	if (*s || may_lack)
		return true;
	return fail(c, "ERR The XGROUP subcommand requires the key to exist. "
		       "Note that for CREATE you may want to use the MKSTREAM "
		       "option to create an empty stream automatically.");
}

/* The group argv[3] of the stream at argv[2]; NULL: replied. */
static const struct stream_group *open_group(struct cmd *c)
{
	const struct stream_group *g;
	const struct stream *s;

	if (!open_stream(c, false, &s))
		return NULL;
	g = stream_group_find(s, c->argv[3]);
	if (!g)
		reply_errorf(c, "NOGROUP No such consumer group '%.*s' for key "
				"name '%.*s'",
			     (int)c->argv[3].size, c->argv[3].data,
			     (int)c->argv[2].size, c->argv[2].data);
	return g;
}

struct options {
	bool make;
	int64_t read;
	struct stream_id id;
	bool last; /* $: the stream's last ID */
};

static bool unknown_words(struct cmd *c)
{
	reply_errorf(c, "ERR unknown subcommand or wrong number of arguments "
			"for '%.*s'. Try XGROUP HELP.",
		     (int)c->argv[1].size, c->argv[1].data);
	return false;
}

/* The ID at argument 4 and what follows it. */
static bool options_parse(struct cmd *c, bool create, struct options *o)
{
	unsigned i;

	*o = (struct options){ .read = STREAM_READ_UNKNOWN };
	for (i = 5; i < c->argc; i++) {
		if (create && arg_is(c, i, "mkstream")) {
			o->make = true;
		} else if (i + 1 < c->argc && arg_is(c, i, "entriesread")) {
			if (!arg_i64(c, ++i, &o->read))
				return false;
			if (o->read < STREAM_READ_UNKNOWN)
				return fail(c, "ERR value for ENTRIESREAD must "
					       "be positive or -1");
		} else {
			return unknown_words(c);
		}
	}
	return c->argc <= (create ? 8 : 7) || unknown_words(c);
}

/* After the key has been found. A group that is there may be set to - or +. */
static bool options_id(struct cmd *c, bool create, struct options *o)
{
	o->last = arg_is(c, 4, "$");
	if (!create && arg_is(c, 4, "+"))
		o->id = STREAM_ID_MAX;
	return o->last || (!create && (arg_is(c, 4, "-") ||
				       arg_is(c, 4, "+"))) ||
	       stream_id_arg(c, 4, 0, &o->id);
}

static void emit_group(struct cmd *c, const struct stream *s,
		       const struct options *o, enum record_cause cause)
{
	struct record r = stream_record(c, REC_stream_group_set, cause,
					c->argv[2]);
	struct stream_id id = o->last ? s->last : o->id;

	r.group = c->argv[3];
	r.ms = id.ms;
	r.seq = id.seq;
	r.read = o->read;
	emit(c, &r);
	reply_ok(c);
}

/* XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]. */
void cmd_xgroup_create(struct cmd *c)
{
	const struct stream *s;
	struct options o;
	struct record r;

	if (!options_parse(c, true, &o) || !open_stream(c, o.make, &s) ||
	    !options_id(c, true, &o))
		return;
	if (s && stream_group_find(s, c->argv[3])) {
		reply_error(c, "BUSYGROUP Consumer Group name already exists");
		return;
	}
	if (!s) {
		r = stream_record(c, REC_stream_meta, CAUSE_xgroup_create,
				  c->argv[2]);
		emit(c, &r);
		s = stream_again(c, c->argv[2]);
	}
	emit_group(c, s, &o, CAUSE_xgroup_create);
}

/* XGROUP SETID key group id|$ [ENTRIESREAD n]. */
void cmd_xgroup_setid(struct cmd *c)
{
	struct options o;

	if (!options_parse(c, false, &o) || !open_group(c) ||
	    !options_id(c, false, &o))
		return;
	emit_group(c, stream_again(c, c->argv[2]), &o, CAUSE_xgroup_setid);
}

/* XGROUP DESTROY key group. */
void cmd_xgroup_destroy(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_group_del,
					CAUSE_xgroup_destroy, c->argv[2]);
	const struct stream *s;

	if (!open_stream(c, false, &s))
		return;
	if (!stream_group_find(s, c->argv[3])) {
		reply_i64(c, 0);
		return;
	}
	r.group = c->argv[3];
	emit(c, &r);
	reply_i64(c, 1);
}

/* XGROUP CREATECONSUMER key group consumer. */
void cmd_xgroup_createconsumer(struct cmd *c)
{
	const struct stream_group *g = open_group(c);

	if (!g)
		return;
	if (stream_consumer_find(g, c->argv[4])) {
		reply_i64(c, 0);
		return;
	}
	stream_consumer_touch(c, c->argv[2], c->argv[3], c->argv[4]);
	reply_i64(c, 1);
}

/* XGROUP DELCONSUMER key group consumer. */
void cmd_xgroup_delconsumer(struct cmd *c)
{
	struct record r = stream_record(c, REC_stream_consumer_del,
					CAUSE_xgroup_delconsumer, c->argv[2]);
	const struct stream_group *g = open_group(c);

	if (!g)
		return;
	if (!stream_consumer_find(g, c->argv[4])) {
		reply_i64(c, 0);
		return;
	}
	r.group = c->argv[3];
	r.consumer = c->argv[4];
	emit(c, &r);
	reply_i64(c, (int64_t)c->ks->result);
}
