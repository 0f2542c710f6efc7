/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XDELEX and XACKDEL: entries go together with what groups know of them.
 *
 * I1. Arguments are checked before the first record; then each ID is a step of
 *     its own, so that one that is named twice is seen as the first left it.
 * I2. An entry is done with when every group has passed it and none has it
 *     pending.
 */
#include "engine/cmd_stream.h"

#include "engine/stream_runs.h"

enum reference { KEEP_REFERENCES, DELETE_REFERENCES, ONLY_ACKNOWLEDGED };

/* What is replied for an ID. */
#define NOT_FOUND (-1)
#define DELETED 1
#define KEPT 2

struct options {
	enum reference reference;
	unsigned ids; /* index of the first ID */
};

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

/* [KEEPREF|DELREF|ACKED] IDS n id [id ...], in any order. */
static bool options_parse(struct cmd *c, unsigned index, struct options *o)
{
	int64_t count;
	unsigned i;

	*o = (struct options){ .reference = KEEP_REFERENCES };
	for (i = index; i < c->argc; i++) {
		if (arg_is(c, i, "keepref")) {
			o->reference = KEEP_REFERENCES;
		} else if (arg_is(c, i, "delref")) {
			o->reference = DELETE_REFERENCES;
		} else if (arg_is(c, i, "acked")) {
			o->reference = ONLY_ACKNOWLEDGED;
		} else if (arg_is(c, i, "ids") && i + 1 < c->argc) {
			break;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	if (i >= c->argc) {
		reply_syntax_error(c);
		return false;
	}
	if (!num_parse_i64(c->argv[i + 1], &count) || count < 1)
		return fail(c, "ERR Number of IDs must be a positive integer");
	o->ids = i + 2;
	if ((uint64_t)count != c->argc - o->ids)
		return fail(c, "ERR The `numids` parameter must match the "
			       "number of arguments");
	return stream_ids_args(c, o->ids);
}

/* A record with a run of this one ID. */
static void emit_id(struct cmd *c, enum record_type type, struct slice group,
		    struct stream_id id)
{
	bool entry = type == REC_stream_del;
	struct record r = stream_record(c, type, entry ? CAUSE_xdel :
					CAUSE_xack, c->argv[1]);
	struct stream_id before = { 0, 0 };
	uint8_t run[STREAM_IDS_SIZE_MAX];

	r.group = group;
	r.value = slice_of(run, (size_t)(stream_ids_put(run, before, id) -
					 run));
	emit(c, &r);
}

/* Whether some group still has to do with the entry. (I2) */
static bool referenced(const struct stream *s, struct stream_id id)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++)
		if (stream_id_below(s->groups[i]->last, id) ||
		    stream_pending_find(s->groups[i], id))
			return true;
	return false;
}

/* Takes the ID off what is pending in any group. */
static void forget(struct cmd *c, struct stream_id id)
{
	const struct stream *s = stream_again(c, c->argv[1]);
	uint32_t i, count = s->group_count;

	for (i = 0; i < count; i++) {
		const struct stream_group *g =
			stream_again(c, c->argv[1])->groups[i];

		if (stream_pending_find(g, id))
			emit_id(c, REC_stream_pending_del,
				stream_group_name(g), id);
	}
}

/* Deletes the entry as far as wanted; what is replied. */
static int delete_entry(struct cmd *c, const struct options *o,
			struct stream_id id)
{
	const struct stream *s = stream_again(c, c->argv[1]);

	if (o->reference == ONLY_ACKNOWLEDGED && referenced(s, id))
		return KEPT;
	if (stream_has(s, id))
		emit_id(c, REC_stream_del, slice_of("", 0), id);
	if (o->reference == DELETE_REFERENCES)
		forget(c, id);
	return DELETED;
}

/* XDELEX key [KEEPREF|DELREF|ACKED] IDS n id [id ...]. */
void cmd_xdelex(struct cmd *c)
{
	const struct stream *s;
	struct stream_id id;
	struct options o;
	unsigned i;

	if (!options_parse(c, 2, &o) ||
	    !stream_lookup_write(c, c->argv[1], &s) ||
	    !cmd_room(c, (uint64_t)c->argc * 128))
		return;
	reply_array(c, c->argc - o.ids);
	for (i = o.ids; i < c->argc; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (s && stream_has(stream_again(c, c->argv[1]), id))
			reply_i64(c, delete_entry(c, &o, id));
		else
			reply_i64(c, NOT_FOUND);
	}
}

/* XACKDEL key group [KEEPREF|DELREF|ACKED] IDS n id [id ...]. */
void cmd_xackdel(struct cmd *c)
{
	const struct stream_group *g = NULL;
	const struct stream *s;
	struct stream_id id;
	struct options o;
	unsigned i;

	if (!options_parse(c, 3, &o) ||
	    !stream_lookup_write(c, c->argv[1], &s) ||
	    !cmd_room(c, (uint64_t)c->argc * (128 + c->argv[2].size)))
		return;
	reply_array(c, c->argc - o.ids);
	for (i = o.ids; i < c->argc; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (s)
			g = stream_group_find(stream_again(c, c->argv[1]),
					      c->argv[2]);
		if (!g || !stream_pending_find(g, id)) {
			reply_i64(c, NOT_FOUND);
			continue;
		}
		emit_id(c, REC_stream_pending_del, c->argv[2], id);
		reply_i64(c, delete_entry(c, &o, id));
	}
}
