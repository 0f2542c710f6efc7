/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams out of payloads; their layout stands in rdb_stream_write.c.  The
 * first version has neither first ID, highest ID deleted, entries ever nor
 * entries read, the second no time active.
 *
 * I1. The stream is built aside, then dumped into records like any other: what
 *     a payload says cannot reach the keyspace in another form than ours.
 * I2. IDs rise, numbers agree with what was counted, and every pending entry
 *     belongs to one consumer; those pending since 0 for one without a name are
 *     released.
 */
#include "engine/rdb_read.h"

#include "engine/items.h"
#include "engine/rdb.h"
#include "engine/rdb_packed.h"
#include "types/stream_group.h"

#define NEVER UINT64_MAX /* when a consumer was active */

struct stream_reader {
	struct reader *in;
	unsigned type;
	struct stream *s;
	struct stream_limits limits; /* none */
	struct stream_id previous; /* entry, deleted or not */
	bool any;                  /* there has been one */
	struct rdb_string text;
	struct buf fields;         /* of the node at hand: items */
	struct buf items;          /* of the entry */
	struct buf released;       /* IDs, of the group at hand */
};

/* --- entries -------------------------------------------------------------- */

static bool next_number(struct packed *p, int64_t *out)
{
	struct slice s;

	return packed_next(p, &s) && num_parse_i64(s, out);
}

/* count elements as items. */
static bool take_items(struct packed *p, struct buf *out, uint64_t count)
{
	struct slice s;

	for (; count > 0; count--) {
		if (!packed_next(p, &s))
			return false;
		items_put(out, s);
	}
	return true;
}

/* The values of an entry that has the node's fields. */
static bool take_values(struct stream_reader *r, struct packed *p)
{
	struct reader fields = reader_of(buf_slice(&r->fields));
	struct slice value;

	while (reader_left(&fields)) {
		items_put(&r->items, read_string(&fields));
		if (!packed_next(p, &value))
			return false;
		items_put(&r->items, value);
	}
	return true;
}

/* Fields and values into r->items; false: damage. */
static bool take_pairs(struct stream_reader *r, struct packed *p,
		       int64_t flags, int64_t fields)
{
	int64_t elements, pairs = fields;

	r->items.size = 0;
	if (flags & RDB_ENTRY_SAME_FIELDS)
		return take_values(r, p) && next_number(p, &elements) &&
		       elements == fields + 3;
	return next_number(p, &pairs) && pairs > 0 &&
	       pairs <= INT32_MAX &&
	       take_items(p, &r->items, 2 * (uint64_t)pairs) &&
	       next_number(p, &elements) && elements == 2 * pairs + 4;
}

static bool add_entry(struct stream_reader *r, struct stream_id id)
{
	if (r->items.size == 0 || r->items.size > STREAM_ENTRY_SIZE_MAX)
		return false;
	stream_add(r->s, id, buf_slice(&r->items), &r->limits);
	return true;
}

/* An entry behind its flags. */
static bool take_entry(struct stream_reader *r, struct packed *p,
		       const struct stream_id *node, int64_t flags,
		       int64_t fields)
{
	struct stream_id id;
	int64_t ms, seq;

	if (!next_number(p, &ms) || !next_number(p, &seq))
		return false;
	id.ms = node->ms + (uint64_t)ms;
	id.seq = node->seq + (uint64_t)seq;
	if ((r->any && !stream_id_below(r->previous, id)) ||
	    stream_id_zero(id)) /* I2 */
		return false;
	r->previous = id;
	r->any = true;
	if (!take_pairs(r, p, flags, fields))
		return false;
	return (flags & RDB_ENTRY_DELETED) || add_entry(r, id);
}

static bool take_node(struct stream_reader *r, struct packed *p,
		      const struct stream_id *node)
{
	int64_t live, deleted, fields, end, flags;

	r->fields.size = 0;
	if (!next_number(p, &live) || !next_number(p, &deleted) ||
	    !next_number(p, &fields) || fields < 0 ||
	    !take_items(p, &r->fields, (uint64_t)fields) ||
	    !next_number(p, &end) || end != 0)
		return false;
	while (next_number(p, &flags)) {
		if (!take_entry(r, p, node, flags, fields))
			return false;
		if (flags & RDB_ENTRY_DELETED)
			deleted--;
		else
			live--;
	}
	return packed_whole(p) && live == 0 && deleted == 0; /* I2 */
}

static struct stream_id raw_id(struct reader *in)
{
	struct stream_id id;

	id.ms = __builtin_bswap64(read_u64(in));
	id.seq = __builtin_bswap64(read_u64(in));
	return id;
}

static bool read_nodes(struct stream_reader *r)
{
	uint64_t count = rdb_read_length(r->in);
	struct stream_id node;
	struct reader key;
	struct packed p;

	for (; count > 0 && rdb_read_string(r->in, &r->text); count--) {
		if (r->text.s.size != 16)
			return false;
		key = reader_of(r->text.s);
		node = raw_id(&key);
		if (!rdb_read_string(r->in, &r->text) ||
		    !packed_open(&p, PACKED_LISTPACK, r->text.s) ||
		    !take_node(r, &p, &node))
			return false;
	}
	return !r->in->bad;
}

static struct stream_id read_id(struct reader *in)
{
	struct stream_id id;

	id.ms = rdb_read_length(in);
	id.seq = rdb_read_length(in);
	return id;
}

/* What stands behind the nodes. */
static bool read_meta(struct stream_reader *r)
{
	uint64_t length = rdb_read_length(r->in);
	struct stream *s = r->s;

	s->last = read_id(r->in);
	s->added = length;
	s->max_deleted = (struct stream_id){ 0, 0 };
	if (r->type != RDB_STREAM) {
		read_id(r->in); /* the first one's: it is known */
		s->max_deleted = read_id(r->in);
		s->added = rdb_read_length(r->in);
	}
	return !r->in->bad && length == stream_length(s) &&
	       s->added >= length && s->added <= INT64_MAX &&
	       !stream_id_below(s->last, stream_top(s)) &&
	       !stream_id_below(s->last, s->max_deleted);
}

/* --- groups --------------------------------------------------------------- */

#define UNSAID (UINT32_MAX - 1) /* the consumer of a pending entry */

/* The pending entries of a group, in order of ID; without consumers. */
static bool read_pending(struct stream_reader *r, struct buf *list)
{
	uint64_t count = rdb_read_length(r->in);
	struct stream_pending p = { .consumer = UNSAID };

	for (; count > 0 && !r->in->bad; count--) {
		struct stream_id before = p.id;
		uint64_t deliveries;

		p.id = raw_id(r->in);
		p.time_ms = read_u64(r->in);
		deliveries = rdb_read_length(r->in);
		p.count = deliveries < UINT32_MAX ? (uint32_t)deliveries :
						    UINT32_MAX;
		if ((list->size && !stream_id_below(before, p.id)) ||
		    p.time_ms > DEADLINE_MAX_MS)
			return false;
		buf_put(list, &p, sizeof(p));
	}
	return !r->in->bad;
}

/* The one of this ID, or NULL. */
static struct stream_pending *find_pending(const struct buf *list,
					   struct stream_id id)
{
	struct stream_pending *all = (struct stream_pending *)list->data;
	size_t low = 0, high = list->size / sizeof(*all), end = high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stream_id_below(all[middle].id, id))
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && stream_id_equal(all[low].id, id) ? &all[low] :
							       NULL;
}

/* Gives an ID of the payload to the consumer. */
static bool read_pending_id(struct stream_reader *r, struct stream_consumer *c,
			    const struct buf *list)
{
	struct stream_id id = raw_id(r->in);
	struct stream_pending *p = find_pending(list, id);

	if (!p || p->consumer != UNSAID) /* I2 */
		return false;
	p->consumer = c->number;
	if (c->name_size > 0 || p->time_ms > 0)
		return true;
	p->consumer = STREAM_NOBODY;
	buf_put(&r->released, &id, sizeof(id));
	return true;
}

static bool read_consumer(struct stream_reader *r, struct stream_group *g,
			  const struct buf *list)
{
	struct stream_consumer *c;
	uint64_t count, released;

	if (!rdb_read_string(r->in, &r->text) ||
	    stream_consumer_find(g, r->text.s))
		return false;
	c = stream_consumer_make(g, r->text.s);
	c->seen_ms = read_u64(r->in);
	c->active_ms = r->type == RDB_STREAM_3 ? read_u64(r->in) : c->seen_ms;
	if (c->active_ms == NEVER)
		c->active_ms = 0;
	if (c->seen_ms > DEADLINE_MAX_MS || c->active_ms > DEADLINE_MAX_MS)
		return false;
	count = released = rdb_read_length(r->in);
	for (; count > 0 && !r->in->bad; count--)
		if (!read_pending_id(r, c, list))
			return false;
	released -= r->released.size / sizeof(struct stream_id);
	if (c->name_size == 0 && c->seen_ms == 0 && r->released.size > 0 &&
	    released == 0) /* it was there for these alone */
		stream_consumer_delete(g, stream_consumer_name(c));
	return !r->in->bad;
}

/* The ID's, which is there. */
static void release(struct stream_group *g, const struct buf *list,
		    struct stream_id id)
{
	stream_pending_release(g, id, find_pending(list, id)->count);
}

static bool read_members(struct stream_reader *r, struct stream_group *g,
			 struct buf *list)
{
	struct stream_id id;
	uint64_t count;
	size_t at;

	r->released.size = 0;
	if (!read_pending(r, list))
		return false;
	count = rdb_read_length(r->in);
	for (; count > 0; count--)
		if (!read_consumer(r, g, list))
			return false;
	for (at = 0; at < list->size; at += sizeof(struct stream_pending)) {
		struct stream_pending p;

		memcpy(&p, list->data + at, sizeof(p));
		if (p.consumer == UNSAID) /* I2 */
			return false;
		if (p.consumer != STREAM_NOBODY)
			stream_pending_put(g, &p);
	}
	for (at = 0; at < r->released.size; at += sizeof(id)) {
		memcpy(&id, r->released.data + at, sizeof(id));
		release(g, list, id);
	}
	return true;
}

static bool read_group(struct stream_reader *r)
{
	struct buf list = { 0 };
	struct stream_group *g;
	bool ok;

	if (!rdb_read_string(r->in, &r->text) ||
	    stream_group_find(r->s, r->text.s))
		return false;
	g = stream_group_make(r->s, r->text.s);
	g->last = read_id(r->in);
	g->read = stream_read_estimate(r->s, g->last);
	if (r->type != RDB_STREAM)
		g->read = (int64_t)rdb_read_length(r->in);
	ok = g->read >= STREAM_READ_UNKNOWN && read_members(r, g, &list);
	buf_release(&list);
	return ok;
}

static bool read_groups(struct stream_reader *r)
{
	uint64_t count = rdb_read_length(r->in);

	for (; count > 0; count--)
		if (!read_group(r))
			return false;
	return !r->in->bad;
}

void rdb_read_stream(struct reader *in, unsigned type, struct rdb_value *v)
{
	struct stream_reader r = { .in = in, .type = type };

	r.s = stream_new();
	v->stream = entry_new_pointer(VALUE_stream, slice_of("", 0),
				      v->deadline, r.s);
	if (!read_nodes(&r) || !read_meta(&r) || !read_groups(&r))
		reader_fail(in);
	rdb_string_release(&r.text);
	buf_release(&r.fields);
	buf_release(&r.items);
	buf_release(&r.released);
}
