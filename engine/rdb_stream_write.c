/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams as payloads hold them:
 *
 *   stream  := nodes, (ID, listpack)…, length, last ID, first ID, highest ID
 *              deleted, entries ever, groups, group…
 *   group   := name, last ID, entries read, pending, (ID, time, deliveries)…,
 *              consumers, consumer…
 *   consumer := name, time seen, time active, pending, ID…
 *
 * A listpack has the fields of its first entry at its head; an entry that has
 * the same ones leaves them out:
 *
 *   head    := entries, deleted, fields, field…, 0
 *   entry   := flags, ms, seq (from the node's ID), [fields], [field] value…,
 *              elements
 *
 * What is released has no place in this layout: it is written as pending since
 * 0 for a consumer without a name, in the order in which it was released.
 * Marks of messages have none either; they are left out.
 *
 * I1. A node holds up to NODE_ENTRIES_MAX entries and NODE_SIZE bytes and one
 *     entry more.
 */
#include "engine/rdb_write.h"

#include <assert.h>

#include "engine/rdb.h"
#include "types/stream_group.h"

#define NODE_ENTRIES_MAX 100
#define NODE_SIZE 4096
#define LISTPACK_HEAD 6
#define COUNT_UNKNOWN 0xffff
#define NEVER UINT64_MAX /* when a consumer was active */

/* --- listpacks ------------------------------------------------------------ */

/* The size of the element that begins at `from`, for going backwards. */
static void put_back_size(struct buf *out, size_t from)
{
	size_t size = out->size - from;
	unsigned bytes = size < 128 ? 1 : size < 16383 ? 2 :
			 size < 2097151 ? 3 : size < 268435455 ? 4 : 5;

	unsigned i;

	for (i = bytes; i > 0; i--) {
		uint8_t b = (size >> (7 * (i - 1))) & 0x7f;

		buf_put_byte(out, i == bytes ? b : (b | 0x80));
	}
}

static void put_element_number(struct buf *out, int64_t v)
{
	size_t from = out->size;

	if (v >= 0 && v < 128) {
		buf_put_byte(out, (uint8_t)v);
	} else if (v >= -4096 && v < 4096) {
		buf_put_byte(out, (uint8_t)(0xc0 | ((v >> 8) & 0x1f)));
		buf_put_byte(out, (uint8_t)v);
	} else if (v == (int16_t)v) {
		buf_put_byte(out, 0xf1);
		rdb_put_fixed(out, (uint64_t)v, 2);
	} else if (v == (int32_t)v) {
		buf_put_byte(out, 0xf3);
		rdb_put_fixed(out, (uint64_t)v, 4);
	} else {
		buf_put_byte(out, 0xf4);
		rdb_put_fixed(out, (uint64_t)v, 8);
	}
	put_back_size(out, from);
}

static void put_element(struct buf *out, struct slice s)
{
	size_t from = out->size;
	int64_t v;

	if (s.size < NUM_I64_SIZE && num_parse_i64(s, &v)) {
		put_element_number(out, v);
		return;
	}
	if (s.size < 64) {
		buf_put_byte(out, (uint8_t)(0x80 | s.size));
	} else if (s.size < 4096) {
		buf_put_byte(out, (uint8_t)(0xe0 | s.size >> 8));
		buf_put_byte(out, (uint8_t)s.size);
	} else {
		buf_put_byte(out, 0xf0);
		rdb_put_fixed(out, s.size, 4);
	}
	buf_put_slice(out, s);
	put_back_size(out, from);
}

/* --- entries -------------------------------------------------------------- */

/* A node in the making. */
struct node {
	struct stream_id first;
	struct buf fields;      /* of the first entry: elements */
	uint32_t field_count;
	struct buf entries;     /* elements */
	uint32_t entry_count;
	uint64_t element_count; /* of entries */
	struct buf these;       /* fields of the entry at hand */
	struct buf values;      /* likewise */
	struct buf pairs;       /* both, one by one */
};

static void node_release(struct node *n)
{
	buf_release(&n->fields);
	buf_release(&n->entries);
	buf_release(&n->these);
	buf_release(&n->values);
	buf_release(&n->pairs);
}

/* Fills these, values and pairs. */
static void take_apart(struct node *n, struct stream_entry *e)
{
	uint32_t i;

	n->these.size = 0;
	n->values.size = 0;
	n->pairs.size = 0;
	for (i = 0; i < e->pairs; i++) {
		struct stream_pair pair;

		stream_entry_pair(e, &pair);
		put_element(&n->these, pair.field);
		put_element(&n->values, pair.value);
		put_element(&n->pairs, pair.field);
		put_element(&n->pairs, pair.value);
	}
}

static void add_entry(struct node *n, struct stream_entry *e)
{
	uint32_t pairs = e->pairs;
	uint64_t elements = pairs + 3;
	bool same;

	take_apart(n, e);
	if (n->entry_count++ == 0) {
		n->first = e->id;
		n->field_count = pairs;
		n->fields.size = 0;
		buf_put_slice(&n->fields, buf_slice(&n->these));
	}
	same = pairs == n->field_count &&
	       slice_equal(buf_slice(&n->fields), buf_slice(&n->these));
	put_element_number(&n->entries, same ? RDB_ENTRY_SAME_FIELDS : 0);
	put_element_number(&n->entries, (int64_t)(e->id.ms - n->first.ms));
	put_element_number(&n->entries, (int64_t)(e->id.seq - n->first.seq));
	if (same) {
		buf_put_slice(&n->entries, buf_slice(&n->values));
	} else {
		put_element_number(&n->entries, pairs);
		buf_put_slice(&n->entries, buf_slice(&n->pairs));
		elements = 2 * (uint64_t)pairs + 4;
	}
	put_element_number(&n->entries, (int64_t)elements);
	n->element_count += elements + 1;
}

static void put_big_endian(uint8_t *p, struct stream_id id)
{
	put_u64(p, __builtin_bswap64(id.ms));
	put_u64(p + 8, __builtin_bswap64(id.seq));
}

/* The node as key and listpack; n is empty afterwards. */
static void end_node(struct buf *out, struct node *n, bool compress)
{
	uint64_t elements = n->element_count + n->field_count + 4;
	struct buf pack = { 0 };
	uint8_t key[16];

	buf_reserve(&pack, LISTPACK_HEAD);
	pack.size = LISTPACK_HEAD;
	put_element_number(&pack, n->entry_count);
	put_element_number(&pack, 0); /* deleted */
	put_element_number(&pack, n->field_count);
	buf_put_slice(&pack, buf_slice(&n->fields));
	put_element_number(&pack, 0);
	buf_put_slice(&pack, buf_slice(&n->entries));
	buf_put_byte(&pack, 0xff);
	put_u32(pack.data, (uint32_t)pack.size);
	put_u16(pack.data + 4, (uint16_t)(elements < COUNT_UNKNOWN ?
					  elements : COUNT_UNKNOWN));
	put_big_endian(key, n->first);
	rdb_put_string(out, slice_of(key, sizeof(key)), false);
	rdb_put_string(out, buf_slice(&pack), compress);
	buf_release(&pack);
	n->entries.size = 0;
	n->entry_count = 0;
	n->element_count = 0;
}

static void put_nodes(struct buf *out, const struct stream *s, bool compress)
{
	size_t count_at = out->size;
	struct node n = { .entry_count = 0 };
	struct stream_cursor c;
	struct stream_entry e;
	uint64_t nodes = 0;

	buf_put_byte(out, RDB_LENGTH_64);
	rdb_put_fixed(out, 0, 8);
	stream_seek(&c, s, (struct stream_id){ 0, 0 });
	while (stream_next(&c, &e)) {
		add_entry(&n, &e);
		if (n.entry_count < NODE_ENTRIES_MAX &&
		    n.entries.size < NODE_SIZE) /* I1 */
			continue;
		end_node(out, &n, compress);
		nodes++;
	}
	if (n.entry_count) {
		end_node(out, &n, compress);
		nodes++;
	}
	node_release(&n);
	nodes = __builtin_bswap64(nodes);
	memcpy(out->data + count_at + 1, &nodes, 8);
}

/* --- groups --------------------------------------------------------------- */

static void put_id(struct buf *out, struct stream_id id)
{
	rdb_put_length(out, id.ms);
	rdb_put_length(out, id.seq);
}

static void put_raw_id(struct buf *out, struct stream_id id)
{
	uint8_t raw[16];

	put_big_endian(raw, id);
	buf_put(out, raw, sizeof(raw));
}

static void put_ids(struct buf *out, struct stream_pending_cursor *c)
{
	const struct stream_pending *p;

	while ((p = stream_pending_next(c)) != NULL)
		put_raw_id(out, p->id);
}

static void put_released(struct buf *out, const struct stream_group *g)
{
	struct stream_pending_cursor c;

	stream_pending_seek_released(&c, g);
	put_ids(out, &c);
}

static void put_consumer(struct buf *out, const struct stream_group *g,
			 const struct stream_consumer *of, bool compress)
{
	uint64_t released = of->name_size ? 0 : g->released.entries;
	struct stream_pending_cursor c;

	rdb_put_string(out, stream_consumer_name(of), compress);
	rdb_put_fixed(out, of->seen_ms, 8);
	rdb_put_fixed(out, of->active_ms ? of->active_ms : NEVER, 8);
	rdb_put_length(out, of->pending.entries + released);
	if (released)
		put_released(out, g);
	stream_pending_seek(&c, g, of, (struct stream_id){ 0, 0 });
	put_ids(out, &c);
}

/* The consumers, and for what is released one more if nobody has its name. */
static void put_consumers(struct buf *out, const struct stream_group *g,
			  bool compress)
{
	struct slice nobody = slice_of("", 0);
	bool more = g->released.entries && !stream_consumer_find(g, nobody);
	uint32_t i;

	rdb_put_length(out, g->consumer_count + more);
	if (more) {
		rdb_put_string(out, nobody, compress);
		rdb_put_fixed(out, 0, 8);
		rdb_put_fixed(out, NEVER, 8);
		rdb_put_length(out, g->released.entries);
		put_released(out, g);
	}
	for (i = 0; i < g->consumer_count; i++)
		put_consumer(out, g, g->consumers[i], compress);
}

static void put_group(struct buf *out, const struct stream_group *g,
		      bool compress)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;

	rdb_put_string(out, stream_group_name(g), compress);
	put_id(out, g->last);
	rdb_put_length(out, (uint64_t)g->read); /* unknown: all ones */
	rdb_put_length(out, stream_pending_count(g));
	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	while ((p = stream_pending_next(&c)) != NULL) {
		put_raw_id(out, p->id);
		rdb_put_fixed(out, stream_pending_time(p), 8);
		rdb_put_length(out, (uint64_t)stream_pending_deliveries(p));
	}
	put_consumers(out, g, compress);
}

void rdb_write_stream(struct buf *out, const struct entry *e, bool compress)
{
	const struct stream *s = entry_pointer(e);
	uint32_t i;

	assert(entry_type(e) == VALUE_stream);
	buf_put_byte(out, RDB_STREAM_3);
	put_nodes(out, s, compress);
	rdb_put_length(out, stream_length(s));
	put_id(out, s->last);
	put_id(out, stream_first(s));
	put_id(out, s->max_deleted);
	rdb_put_length(out, s->added);
	rdb_put_length(out, s->group_count);
	for (i = 0; i < s->group_count; i++)
		put_group(out, s->groups[i], compress);
}
