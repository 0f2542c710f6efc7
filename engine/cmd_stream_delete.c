/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XDELEX and XACKDEL: entries go together with what groups know of them.
 *
 * I1. Arguments are checked before the first record; then each ID is a step of
 *     its own, so that one that is named twice is seen as the first left it.
 */
#include "engine/cmd_stream.h"

#include "engine/items.h"
#include "engine/stream_runs.h"
#include "types/stream_trim.h"

/* What is replied for an ID. */
#define NOT_FOUND (-1)
#define DELETED 1
#define KEPT 2

struct options {
	enum stream_reference reference;
	unsigned ids, ids_end; /* indexes of the first ID and behind the last */
};

static bool fail(struct cmd *c, const char *text)
{
	reply_error(c, text);
	return false;
}

/* "IDS n id [id ...]" at *index, which goes to the last of it. */
static bool parse_ids(struct cmd *c, unsigned *index, struct options *o)
{
	unsigned i = *index;
	int64_t count;

	if (!num_parse_i64(c->argv[i + 1], &count) || count < 1)
		return fail(c, "ERR Number of IDs must be a positive integer");
	o->ids = i + 2;
	if ((uint64_t)count > c->argc - o->ids)
		return fail(c, "ERR The `numids` parameter must match the "
			       "number of arguments");
	o->ids_end = o->ids + (unsigned)count;
	*index = o->ids_end - 1;
	return true;
}

/* [KEEPREF|DELREF|ACKED] IDS n id [id ...], in any order. */
static bool options_parse(struct cmd *c, unsigned index, struct options *o)
{
	struct stream_id id;
	unsigned i;

	*o = (struct options){ 0 };
	for (i = index; i < c->argc; i++) {
		if (stream_reference_arg(c, i, &o->reference))
			continue;
		if (!o->ids && i + 1 < c->argc && arg_is(c, i, "ids")) {
			if (!parse_ids(c, &i, o))
				return false;
			continue;
		}
		o->ids = 0;
		break;
	}
	if (!o->ids) {
		reply_syntax_error(c);
		return false;
	}
	for (i = o->ids; i < o->ids_end; i++)
		if (!stream_id_arg(c, i, 0, &id))
			return false;
	return true;
}

/* Bytes of log that the deletion may take. */
static uint64_t room_for(const struct cmd *c, const struct stream *s,
			 const struct options *o)
{
	uint64_t ids = o->ids_end - o->ids, size;
	size_t key_size = c->argv[1].size;
	uint32_t i;

	size = items_room(key_size, ids, ids * STREAM_IDS_SIZE_MAX);
	if (o->reference != STREAM_DELETE_REFERENCES)
		return size;
	for (i = 0; i < s->group_count; i++) {
		const struct stream_group *g = s->groups[i];
		uint64_t pending = stream_pending_count(g);
		uint64_t most = pending < ids ? pending : ids;

		size += items_room(key_size + g->name_size, most,
					    most * STREAM_IDS_SIZE_MAX);
	}
	return size;
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

	if (o->reference == STREAM_ONLY_ACKNOWLEDGED &&
	    stream_referenced(s, id))
		return KEPT;
	if (stream_has(s, id))
		emit_id(c, REC_stream_del, slice_of("", 0), id);
	if (o->reference == STREAM_DELETE_REFERENCES)
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
	    (s && !cmd_room(c, room_for(c, s, &o))))
		return;
	reply_array(c, o.ids_end - o.ids);
	for (i = o.ids; i < o.ids_end; i++) {
		stream_id_parse(c->argv[i], 0, &id);
		if (s && stream_has(stream_again(c, c->argv[1]), id)) {
			reply_i64(c, delete_entry(c, &o, id));
			continue;
		}
		if (s && o.reference == STREAM_DELETE_REFERENCES)
			forget(c, id); /* of an entry that went before */
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
	uint64_t acks;
	unsigned i;

	if (!options_parse(c, 3, &o) ||
	    !stream_lookup_write(c, c->argv[1], &s))
		return;
	acks = items_room(c->argv[1].size + c->argv[2].size,
				   o.ids_end - o.ids,
				   (uint64_t)c->argc * STREAM_IDS_SIZE_MAX);
	if (s && !cmd_room(c, acks + room_for(c, s, &o)))
		return;
	reply_array(c, o.ids_end - o.ids);
	for (i = o.ids; i < o.ids_end; i++) {
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
