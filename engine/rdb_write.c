/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the records that rebuild a value to a payload.
 *
 * I1. The number of elements stands before them and is known behind them: it
 *     has a field of four or eight bytes that is filled at the end.
 * I2. Deadlines of fields are written from the earliest one on, so that one is
 *     found first, in a pass of its own.
 */
#include "engine/rdb_write.h"

#include <assert.h>
#include <liblzf/lzf.h>

#include "base/coding.h"
#include "base/crc64.h"
#include "engine/rdb.h"
#include "engine/value_ops.h"
#include "types/str.h"

#define PACK_FROM 21 /* shorter strings are not compressed */
#define PACK_ROOM 32 /* for the head, in front of what is compressed */
#define NUMBER_TEXT_MAX 11

struct writer {
	struct buf *out;
	bool compress;
	size_t count_at;    /* where the number of elements stands */
	uint64_t count;
	uint64_t first;     /* hash: earliest deadline of a field; 0: none */
};

void rdb_put_fixed(struct buf *out, uint64_t v, unsigned bytes)
{
	buf_put(out, &v, bytes); /* base/coding.h: little-endian */
}

void rdb_put_length(struct buf *out, uint64_t v)
{
	if (v < 1 << 6) {
		buf_put_byte(out, (uint8_t)v);
	} else if (v < 1 << 14) {
		buf_put_byte(out, (uint8_t)(0x40 | v >> 8));
		buf_put_byte(out, (uint8_t)v);
	} else if (v <= UINT32_MAX) {
		buf_put_byte(out, RDB_LENGTH_32);
		rdb_put_fixed(out, __builtin_bswap32((uint32_t)v), 4);
	} else {
		buf_put_byte(out, RDB_LENGTH_64);
		rdb_put_fixed(out, __builtin_bswap64(v), 8);
	}
}

static bool put_as_integer(struct buf *out, struct slice s)
{
	int64_t v;

	if (s.size > NUMBER_TEXT_MAX || !num_parse_i64(s, &v) ||
	    v != (int32_t)v)
		return false;
	if (v == (int8_t)v) {
		buf_put_byte(out, RDB_ENCODED | RDB_INT8);
		rdb_put_fixed(out, (uint64_t)v, 1);
	} else if (v == (int16_t)v) {
		buf_put_byte(out, RDB_ENCODED | RDB_INT16);
		rdb_put_fixed(out, (uint64_t)v, 2);
	} else {
		buf_put_byte(out, RDB_ENCODED | RDB_INT32);
		rdb_put_fixed(out, (uint64_t)v, 4);
	}
	return true;
}

/* Packs behind a head that is written when the size is known. False: it would
 * not become smaller. */
static bool put_packed(struct buf *out, struct slice s)
{
	uint8_t *p = buf_reserve(out, s.size + PACK_ROOM);
	struct buf head = { 0 };
	size_t size = lzf_compress(s.data, (unsigned)s.size, p + PACK_ROOM,
				   (unsigned)s.size - 4);

	if (size == 0)
		return false;
	buf_put_byte(&head, RDB_ENCODED | RDB_LZF);
	rdb_put_length(&head, size);
	rdb_put_length(&head, s.size);
	memcpy(p, head.data, head.size);
	memmove(p + head.size, p + PACK_ROOM, size);
	out->size += head.size + size;
	buf_release(&head);
	return true;
}

void rdb_put_string(struct buf *out, struct slice s, bool compress)
{
	if (put_as_integer(out, s))
		return;
	if (compress && s.size >= PACK_FROM && s.size <= RDB_STRING_MAX &&
	    put_packed(out, s))
		return;
	rdb_put_length(out, s.size);
	buf_put_slice(out, s);
}

/* --- strings ------------------------------------------------------------- */

static void write_string(struct writer *w, const struct entry *e)
{
	uint64_t size = str_size(e);
	char scratch[NUM_I64_SIZE];
	struct slice whole;
	struct buf text = { 0 };

	buf_put_byte(w->out, RDB_STRING);
	if (str_whole(e, scratch, &whole)) {
		rdb_put_string(w->out, whole, w->compress);
		return;
	}
	if (!w->compress) {
		rdb_put_length(w->out, size);
		str_copy_out(e, 0, size, buf_reserve(w->out, size));
		w->out->size += size;
		return;
	}
	str_copy_out(e, 0, size, buf_reserve(&text, size));
	text.size = size;
	rdb_put_string(w->out, buf_slice(&text), true);
	buf_release(&text);
}

/* --- collections --------------------------------------------------------- */

static void begin_count(struct writer *w)
{
	w->count_at = w->out->size;
	buf_put_byte(w->out, RDB_LENGTH_64);
	rdb_put_fixed(w->out, 0, 8);
}

static void end_count(struct writer *w)
{
	uint64_t big_endian = __builtin_bswap64(w->count);

	memcpy(w->out->data + w->count_at + 1, &big_endian, 8); /* I1 */
}

static void put_items(struct writer *w, const struct record *r)
{
	struct reader in = reader_of(r->value);

	for (; reader_left(&in); w->count++)
		rdb_put_string(w->out, read_string(&in), w->compress);
	assert(!in.bad);
}

static void put_scored(struct writer *w, const struct record *r)
{
	struct reader in = reader_of(r->value);

	for (; reader_left(&in); w->count++) {
		uint64_t score = read_u64(&in);

		rdb_put_string(w->out, read_string(&in), w->compress);
		rdb_put_fixed(w->out, score, 8);
	}
	assert(!in.bad);
}

static void put_fields(struct writer *w, const struct record *r)
{
	struct reader in = reader_of(r->value);
	uint64_t later = r->deadline > DEADLINE_KEEP ?
			 r->deadline - w->first + 1 : 0;

	for (; reader_left(&in); w->count++) {
		if (w->first)
			rdb_put_length(w->out, later);
		rdb_put_string(w->out, read_string(&in), w->compress);
		rdb_put_string(w->out, read_string(&in), w->compress);
	}
	assert(!in.bad);
}

static void put_record(void *ctx, struct record *r)
{
	struct writer *w = ctx;

	switch (r->type) {
	case REC_list_push:
	case REC_set_add:
		put_items(w, r);
		break;
	case REC_zset_add:
		put_scored(w, r);
		break;
	case REC_hash_set:
		put_fields(w, r);
		break;
	default:
		assert(r->type == REC_key_expire);
	}
}

static void note_deadline(void *ctx, struct record *r)
{
	struct writer *w = ctx;

	if (r->type == REC_hash_set && r->deadline > DEADLINE_KEEP &&
	    (w->first == 0 || r->deadline < w->first))
		w->first = r->deadline; /* I2 */
}

static void write_collection(struct writer *w, const struct entry *e,
			     enum rdb_type type)
{
	if (type == RDB_HASH) {
		value_ops(e)->dump(e, 0, note_deadline, w);
		type = w->first ? RDB_HASH_EX : RDB_HASH;
	}
	buf_put_byte(w->out, (uint8_t)type);
	if (type == RDB_HASH_EX)
		rdb_put_fixed(w->out, w->first, 8);
	begin_count(w);
	value_ops(e)->dump(e, 0, put_record, w);
	end_count(w);
}

bool rdb_write(struct buf *out, const struct entry *e, bool compress)
{
	struct writer w = { .out = out, .compress = compress };
	size_t start = out->size;

	switch (entry_type(e)) {
	case VALUE_string:
		write_string(&w, e);
		break;
	case VALUE_list:
		write_collection(&w, e, RDB_LIST);
		break;
	case VALUE_set:
		write_collection(&w, e, RDB_SET);
		break;
	case VALUE_zset:
		write_collection(&w, e, RDB_ZSET_2);
		break;
	case VALUE_hash:
		write_collection(&w, e, RDB_HASH);
		break;
	case VALUE_stream:
		rdb_write_stream(out, e, compress);
		break;
	default:
		return false;
	}
	rdb_put_fixed(out, w.first ? RDB_VERSION_EX : RDB_VERSION, 2);
	rdb_put_fixed(out, crc64(0, out->data + start, out->size - start), 8);
	return true;
}
