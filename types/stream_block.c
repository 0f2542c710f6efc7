/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed blocks.
 *
 *   block   := pairs field… entry…
 *   entry   := ms seq own (value… | (field value)…)
 *   element := small integer, integer or bytes: see below
 *
 * B1. IDs are differences to the base (the node's first): ms, and seq too if
 *     ms is the same. They depend on no other entry, so entries can be cut out.
 * B2. own is 0 for an entry with the block's fields, else its number of pairs.
 * B3. A decimal integer in its canonical form is stored as one, so that its
 *     digits come back as they were.
 * B4. Blocks in memory are well formed: ours, or checked when they came in.
 */
#include "types/stream_block.h"

#include <assert.h>

#define SMALL_MAX 0x7f    /* 0 … 0x7f: the integer itself */
#define TAG_BYTES 0x80    /* … 0xbf: 0 to 63 bytes */
#define BYTES_SHORT_MAX 63
#define TAG_INT13 0xc0    /* … 0xdf: 128 and up, five bits and a byte */
#define INT13_MIN 128
#define INT13_MAX (INT13_MIN + 0x1fff)
#define TAG_INT16 0xe0    /* two's complement, little-endian */
#define TAG_INT24 0xe1
#define TAG_INT32 0xe2
#define TAG_INT64 0xe3
#define TAG_LONG 0xe4     /* varint size, bytes */

#define ELEMENT_EXTRA 6 /* bytes an element takes beside its own, at most */
#define ENTRY_EXTRA (3 * VARINT_SIZE_MAX)

/* Bytes of an integer behind tags TAG_INT16 and up. */
static const uint8_t int_sizes[] = { 2, 3, 4, 8 };

/* The trusted counterpart of read_varint. (B4) */
static inline const uint8_t *get_varint(const uint8_t *p, uint64_t *out)
{
	uint64_t v = *p & 0x7f;
	int shift = 7;

	while (*p++ >= 0x80) {
		v |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
	}
	*out = v;
	return p;
}

static uint8_t *put_integer(uint8_t *p, int64_t v)
{
	int i;

	if (v >= 0 && v <= SMALL_MAX) {
		*p++ = (uint8_t)v;
		return p;
	}
	if (v >= 0 && v <= INT13_MAX) {
		v -= INT13_MIN;
		*p++ = (uint8_t)(TAG_INT13 | v >> 8);
		*p++ = (uint8_t)v;
		return p;
	}
	for (i = 0; i < 3; i++) {
		int64_t half = (int64_t)1 << (8 * int_sizes[i] - 1);

		if (v >= -half && v < half)
			break;
	}
	*p++ = (uint8_t)(TAG_INT16 + i);
	return put_bytes(p, &v, int_sizes[i]);
}

/* Whether it is worth looking closer. */
static inline bool may_be_integer(struct slice s)
{
	return s.size > 0 && s.size < NUM_I64_SIZE &&
	       (s.data[0] == '-' || (s.data[0] >= '0' && s.data[0] <= '9'));
}

static uint8_t *put_element(uint8_t *p, struct slice s)
{
	int64_t v;

	if (may_be_integer(s) && num_parse_i64(s, &v)) /* B3 */
		return put_integer(p, v);
	if (s.size <= BYTES_SHORT_MAX) {
		*p++ = (uint8_t)(TAG_BYTES | s.size);
	} else {
		*p++ = TAG_LONG;
		p = put_varint(p, s.size);
	}
	return put_bytes(p, s.data, s.size);
}

static const uint8_t *get_integer(const uint8_t *p, int64_t *out)
{
	uint8_t tag = *p++, size;
	uint64_t v = 0;

	if (tag <= SMALL_MAX) {
		*out = tag;
		return p;
	}
	if (tag < TAG_INT16) {
		*out = INT13_MIN + ((tag & 0x1f) << 8 | *p);
		return p + 1;
	}
	size = int_sizes[tag - TAG_INT16];
	memcpy(&v, p, size);
	*out = (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
	return p + size;
}

/* The text of an element; integers are written to scratch. */
static const uint8_t *get_element(const uint8_t *p, struct slice *out,
				  char *scratch)
{
	uint64_t size;
	int64_t v;

	if ((*p & 0xc0) == TAG_BYTES) {
		*out = slice_of(p + 1, *p & BYTES_SHORT_MAX);
		return p + 1 + out->size;
	}
	if (*p == TAG_LONG) {
		p = get_varint(p + 1, &size);
		*out = slice_of(p, size);
		return p + size;
	}
	p = get_integer(p, &v);
	*out = slice_of(scratch, num_format_i64(scratch, v));
	return p;
}

static inline const uint8_t *skip_element(const uint8_t *p)
{
	uint64_t size;

	if (*p <= SMALL_MAX)
		return p + 1;
	if (*p < TAG_INT13)
		return p + 1 + (*p & BYTES_SHORT_MAX);
	if (*p < TAG_INT16)
		return p + 2;
	if (*p < TAG_LONG)
		return p + 1 + int_sizes[*p - TAG_INT16];
	p = get_varint(p + 1, &size);
	return p + size;
}

static inline bool element_is(const uint8_t **p, struct slice s)
{
	char scratch[NUM_I64_SIZE];
	struct slice own;

	*p = get_element(*p, &own, scratch);
	return slice_equal(own, s);
}

struct stream_shape stream_block_shape(const struct stream_node *n,
				       struct slice items)
{
	struct stream_shape shape = { .items = items };
	struct reader in = reader_of(items);
	const uint8_t *field = NULL;
	uint64_t pairs = 0;

	if (n)
		field = get_varint(n->data, &pairs);
	shape.like_first = n != NULL;
	while (reader_left(&in)) {
		struct slice name = read_string(&in);
		struct slice value = read_string(&in);

		if (shape.like_first)
			shape.like_first = shape.pairs < pairs &&
					   element_is(&field, name);
		shape.size += name.size + value.size;
		shape.pairs++;
	}
	assert(!in.bad && shape.pairs > 0);
	shape.like_first = shape.like_first && shape.pairs == pairs;
	shape.room = shape.size + ENTRY_EXTRA +
		     (size_t)shape.pairs * 2 * ELEMENT_EXTRA;
	return shape;
}

void stream_block_append(struct stream_node *n, struct stream_id id,
			 const struct stream_shape *shape)
{
	struct reader in = reader_of(shape->items);
	uint8_t *p = n->data + n->used;

	p = put_varint(p, id.ms - n->first.ms); /* B1 */
	p = put_varint(p, id.ms == n->first.ms ? id.seq - n->first.seq :
						 id.seq);
	p = put_varint(p, shape->like_first ? 0 : shape->pairs);
	while (reader_left(&in)) {
		struct slice name = read_string(&in);

		if (!shape->like_first)
			p = put_element(p, name);
		p = put_element(p, read_string(&in));
	}
	n->used = (uint32_t)(p - n->data);
	n->last = id;
	assert(n->used <= n->capacity);
}

struct stream_node *stream_block_new(struct stream_id id,
				     const struct stream_shape *shape,
				     size_t hint)
{
	struct stream_shape first = *shape;
	struct reader in = reader_of(shape->items);
	struct stream_node *n;
	uint8_t *p;

	if (hint < first.room + VARINT_SIZE_MAX)
		hint = first.room + VARINT_SIZE_MAX;
	n = stream_node_new(hint);
	n->first = id;
	p = put_varint(n->data, first.pairs);
	while (reader_left(&in)) {
		p = put_element(p, read_string(&in));
		read_string(&in);
	}
	n->used = (uint32_t)(p - n->data);
	first.like_first = true;
	stream_block_append(n, id, &first);
	n->count = n->ever = 1;
	return n;
}

struct stream_block_at stream_block_open(const struct stream_node *n)
{
	struct stream_block_at b = {
		.end = n->data + n->used,
		.base = n->first,
	};
	uint64_t pairs, i;

	b.fields = b.at = get_varint(n->data, &pairs);
	b.pairs = (uint32_t)pairs;
	for (i = 0; i < pairs; i++)
		b.at = skip_element(b.at);
	return b;
}

bool stream_block_next(struct stream_block_at *b, struct stream_entry *e)
{
	uint64_t ms, seq, own, elements;
	const uint8_t *p = b->at;

	if (p == b->end)
		return false;
	p = get_varint(p, &ms);
	p = get_varint(p, &seq);
	p = get_varint(p, &own);
	e->id.ms = b->base.ms + ms;
	e->id.seq = ms == 0 ? b->base.seq + seq : seq;
	e->pairs = own ? (uint32_t)own : b->pairs;
	e->fields = own ? NULL : b->fields;
	e->values = p;
	elements = own ? 2 * own : b->pairs;
	while (elements--)
		p = skip_element(p);
	b->at = p;
	return true;
}

void stream_block_cut(struct stream_node *n, size_t from, size_t to)
{
	assert(from <= to && to <= n->used);
	memmove(n->data + from, n->data + to, n->used - to);
	n->used -= (uint32_t)(to - from);
}

void stream_entry_pair(struct stream_entry *e, struct stream_pair *out)
{
	if (e->fields)
		e->fields = get_element(e->fields, &out->field,
					out->scratch[0]);
	else
		e->values = get_element(e->values, &out->field,
					out->scratch[0]);
	e->values = get_element(e->values, &out->value, out->scratch[1]);
}

/* Skips elements that may be anything; false: not well formed. */
static bool check_elements(struct reader *in, uint64_t count)
{
	while (count-- && !in->bad) {
		uint8_t tag = read_byte(in);

		if (tag <= SMALL_MAX)
			continue;
		if (tag < TAG_INT13)
			read_bytes(in, tag & BYTES_SHORT_MAX);
		else if (tag < TAG_INT16)
			read_byte(in);
		else if (tag < TAG_LONG)
			read_bytes(in, int_sizes[tag - TAG_INT16]);
		else if (tag == TAG_LONG)
			read_string(in);
		else
			reader_fail(in);
	}
	return !in->bad;
}

/* One entry that may be anything; its ID. */
static bool check_entry(struct reader *in, uint64_t pairs,
			struct stream_id base, struct stream_id *id)
{
	uint64_t ms = read_varint(in), seq = read_varint(in);
	uint64_t own = read_varint(in);

	if (own > reader_left(in) ||
	    __builtin_add_overflow(base.ms, ms, &id->ms))
		return false;
	if (ms == 0 && __builtin_add_overflow(base.seq, seq, &seq))
		return false;
	id->seq = seq;
	return check_elements(in, own ? 2 * own : pairs);
}

const char *stream_packed_fits(const struct stream_packed *packed)
{
	struct reader in = reader_of(packed->data);
	struct stream_id previous = packed->first, id = { 0, 0 };
	uint64_t pairs = read_varint(&in);
	uint32_t count = 0;

	if (packed->data.size > UINT32_MAX || pairs == 0 ||
	    pairs > reader_left(&in) || !check_elements(&in, pairs))
		return "the block is not well formed";
	for (; reader_left(&in); count++, previous = id) {
		if (!check_entry(&in, pairs, packed->first, &id))
			return "the block is not well formed";
		if (count ? !stream_id_below(previous, id)
			  : stream_id_below(id, previous))
			return "IDs of the block are not in order";
	}
	if (count == 0 || count > STREAM_BLOCK_ENTRIES_MAX ||
	    count != packed->count)
		return "the block has another number of entries";
	if (!stream_id_equal(id, packed->last))
		return "the block has another last ID";
	return NULL;
}
