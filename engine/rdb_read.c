/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser of DUMP payloads.
 *
 * I1. Total over any bytes: everything is read through `struct reader`, and no
 *     number in the payload sizes an allocation that its bytes do not back
 *     (LZF unpacks to at most LZF_RATIO_MAX times its size).
 * I2. An object is read to its last byte, and a collection has an element.
 * I3. What has been read is complete in v before anybody emits anything.
 */
#include "engine/rdb_read.h"

#include <assert.h>
#include <liblzf/lzf.h>
#include <math.h>

#include "base/crc64.h"
#include "engine/rdb.h"
#include "engine/rdb_packed.h"

/* Bytes that one byte of LZF can become, at most. */
#define LZF_RATIO_MAX 88

bool rdb_payload_open(struct slice payload, struct slice *object)
{
	const uint8_t *footer;
	uint64_t crc;

	if (payload.size <= RDB_FOOTER_SIZE)
		return false;
	footer = payload.data + payload.size - RDB_FOOTER_SIZE;
	if (get_u16(footer) > RDB_VERSION_MAX)
		return false;
	crc = get_u64(footer + 2);
	*object = slice_of(payload.data, payload.size - RDB_FOOTER_SIZE);
	return crc == crc64(0, payload.data, payload.size - 8);
}

void rdb_string_release(struct rdb_string *s)
{
	buf_release(&s->unpacked);
}

static uint64_t length_behind(struct reader *in, uint8_t b)
{
	uint64_t v;

	switch (b >> 6) {
	case 0:
		return b;
	case 1:
		v = (uint64_t)(b & 0x3f) << 8;
		return v | read_byte(in);
	}
	if (b == RDB_LENGTH_32)
		return __builtin_bswap32(read_u32(in));
	if (b == RDB_LENGTH_64)
		return __builtin_bswap64(read_u64(in));
	reader_fail(in);
	return 0;
}

uint64_t rdb_read_length(struct reader *in)
{
	return length_behind(in, read_byte(in));
}

static void read_integer(struct reader *in, unsigned width,
			 struct rdb_string *out)
{
	struct slice s = read_bytes(in, width);
	int64_t v = 0;

	if (s.size != width)
		return;
	if (width == 1)
		v = (int8_t)s.data[0];
	else if (width == 2)
		v = (int16_t)get_u16(s.data);
	else
		v = (int32_t)get_u32(s.data);
	out->s = slice_of(out->number, num_format_i64(out->number, v));
}

static void read_packed_string(struct reader *in, struct rdb_string *out)
{
	uint64_t packed_size = rdb_read_length(in);
	uint64_t size = rdb_read_length(in);
	struct slice packed = read_bytes(in, packed_size);

	if (in->bad || size == 0 || size > RDB_STRING_MAX ||
	    packed_size > RDB_STRING_MAX ||
	    size / LZF_RATIO_MAX > packed_size) { /* I1 */
		reader_fail(in);
		return;
	}
	out->unpacked.size = 0;
	buf_reserve(&out->unpacked, size);
	out->unpacked.size = size;
	if (lzf_decompress(packed.data, (unsigned)packed.size,
			   out->unpacked.data, (unsigned)size) != size)
		reader_fail(in);
	out->s = buf_slice(&out->unpacked);
}

bool rdb_read_string(struct reader *in, struct rdb_string *out)
{
	uint8_t b = read_byte(in);

	out->s = slice_of("", 0);
	if (b < RDB_ENCODED) {
		out->s = read_bytes(in, length_behind(in, b));
		if (out->s.size > RDB_STRING_MAX)
			reader_fail(in);
		return !in->bad;
	}
	switch (b - RDB_ENCODED) {
	case RDB_INT8:
		read_integer(in, 1, out);
		break;
	case RDB_INT16:
		read_integer(in, 2, out);
		break;
	case RDB_INT32:
		read_integer(in, 4, out);
		break;
	case RDB_LZF:
		read_packed_string(in, out);
		break;
	default:
		reader_fail(in);
	}
	return !in->bad;
}

/* --- one string for each element ----------------------------------------- */

static void read_elements(struct reader *in, unsigned type,
			  struct rdb_value *v)
{
	uint64_t count = rdb_read_length(in);
	struct rdb_string s = { 0 };

	if (type != RDB_LIST)
		rdb_value_expect(v, count, reader_left(in));
	for (; count > 0 && !v->bad && rdb_read_string(in, &s); count--) {
		if (type == RDB_LIST)
			rdb_value_element(v, s.s);
		else
			rdb_value_member(v, s.s);
	}
	rdb_string_release(&s);
}

static double text_score(struct reader *in)
{
	uint8_t size = read_byte(in);
	double score = 0;

	if (size == RDB_SCORE_INF)
		return INFINITY;
	if (size == RDB_SCORE_MINUS_INF)
		return -INFINITY;
	if (size == RDB_SCORE_NAN ||
	    !num_parse_double(read_bytes(in, size), &score))
		reader_fail(in);
	return score;
}

static double binary_score(struct reader *in)
{
	uint64_t bits = read_u64(in);
	double score;

	memcpy(&score, &bits, sizeof(score));
	if (!isnan(score))
		return score;
	reader_fail(in);
	return 0;
}

static void read_scored(struct reader *in, unsigned type, struct rdb_value *v)
{
	uint64_t count = rdb_read_length(in);
	struct rdb_string s = { 0 };

	rdb_value_expect(v, count, reader_left(in));
	for (; count > 0 && !v->bad && rdb_read_string(in, &s); count--) {
		double score = type == RDB_ZSET ? text_score(in) :
						  binary_score(in);

		if (!in->bad)
			rdb_value_scored(v, score, s.s);
	}
	rdb_string_release(&s);
}

/* The deadline of a field, from the first one among all: 0 is none. */
static uint64_t field_deadline(struct reader *in, uint64_t first)
{
	uint64_t later = rdb_read_length(in), deadline;

	if (later == 0)
		return 0;
	if (__builtin_add_overflow(first, later - 1, &deadline) ||
	    deadline == 0 || deadline > DEADLINE_MAX_MS)
		reader_fail(in);
	return deadline;
}

static void read_fields(struct reader *in, unsigned type, struct rdb_value *v)
{
	uint64_t first = type == RDB_HASH_EX ? read_u64(in) : 0;
	uint64_t count = rdb_read_length(in), deadline = 0;
	struct rdb_string field = { 0 }, value = { 0 };

	rdb_value_expect(v, count, reader_left(in));
	for (; count > 0 && !v->bad && !in->bad; count--) {
		if (type == RDB_HASH_EX)
			deadline = field_deadline(in, first);
		if (rdb_read_string(in, &field) && rdb_read_string(in, &value))
			rdb_value_field(v, field.s, value.s, deadline);
	}
	rdb_string_release(&field);
	rdb_string_release(&value);
}

/* --- many elements in a string ------------------------------------------- */

/* Of a pair, the first must outlive the call that reads the second. */
static struct slice keep_number(const struct packed *p, struct slice s,
				char text[NUM_I64_SIZE])
{
	if (s.data != (const uint8_t *)p->scratch)
		return s;
	memcpy(text, s.data, s.size);
	return slice_of(text, s.size);
}

static bool packed_elements(struct packed *p, bool list, struct rdb_value *v)
{
	struct slice s;

	while (!v->bad && packed_next(p, &s)) {
		if (list)
			rdb_value_element(v, s);
		else
			rdb_value_member(v, s);
	}
	return packed_whole(p);
}

static bool packed_scored(struct packed *p, struct rdb_value *v)
{
	char text[NUM_I64_SIZE];
	struct slice member, s;
	double score;

	while (!v->bad && packed_next(p, &member)) {
		member = keep_number(p, member, text);
		if (!packed_next(p, &s) || !num_parse_double(s, &score))
			return false;
		rdb_value_scored(v, score, member);
	}
	return packed_whole(p);
}

/* with_deadlines: field, value, deadline (0: none); else field, value. */
static bool packed_fields(struct packed *p, bool with_deadlines,
			  struct rdb_value *v)
{
	char text[2][NUM_I64_SIZE];
	struct slice field, value, s;
	uint64_t deadline = 0;

	while (!v->bad && packed_next(p, &field)) {
		field = keep_number(p, field, text[0]);
		if (!packed_next(p, &value))
			return false;
		value = keep_number(p, value, text[1]);
		if (with_deadlines &&
		    (!packed_next(p, &s) || !num_parse_u64(s, &deadline) ||
		     deadline > DEADLINE_MAX_MS))
			return false;
		rdb_value_field(v, field, value, deadline);
	}
	return packed_whole(p);
}

static bool read_packed(struct slice bytes, unsigned type, struct rdb_value *v)
{
	static const uint8_t forms[] = {
		[RDB_HASH_ZIPMAP] = PACKED_ZIPMAP,
		[RDB_LIST_ZIPLIST] = PACKED_ZIPLIST,
		[RDB_SET_INTSET] = PACKED_INTSET,
		[RDB_ZSET_ZIPLIST] = PACKED_ZIPLIST,
		[RDB_HASH_ZIPLIST] = PACKED_ZIPLIST,
		[RDB_HASH_LISTPACK] = PACKED_LISTPACK,
		[RDB_ZSET_LISTPACK] = PACKED_LISTPACK,
		[RDB_SET_LISTPACK] = PACKED_LISTPACK,
		[RDB_HASH_LISTPACK_EX] = PACKED_LISTPACK,
	};
	struct packed p;

	assert(type < ARRAY_LEN(forms));
	if (!packed_open(&p, forms[type], bytes))
		return false;
	switch (type) {
	case RDB_LIST_ZIPLIST:
		return packed_elements(&p, true, v);
	case RDB_SET_INTSET:
	case RDB_SET_LISTPACK:
		return packed_elements(&p, false, v);
	case RDB_ZSET_ZIPLIST:
	case RDB_ZSET_LISTPACK:
		return packed_scored(&p, v);
	default:
		return packed_fields(&p, type == RDB_HASH_LISTPACK_EX, v);
	}
}

static void read_packed_string_of(struct reader *in, unsigned type,
				  struct rdb_value *v)
{
	struct rdb_string s = { 0 };

	if (type == RDB_HASH_LISTPACK_EX)
		read_u64(in); /* the first deadline: it is found anyway */
	if (rdb_read_string(in, &s) && !read_packed(s.s, type, v))
		reader_fail(in);
	rdb_string_release(&s);
}

static void read_quicklist(struct reader *in, unsigned type,
			   struct rdb_value *v)
{
	uint64_t nodes = rdb_read_length(in);
	struct rdb_string s = { 0 };
	struct packed p;

	for (; nodes > 0 && !v->bad && !in->bad; nodes--) {
		enum packed_form form = PACKED_ZIPLIST;
		uint64_t container = RDB_NODE_PACKED;

		if (type == RDB_LIST_QUICKLIST_2) {
			form = PACKED_LISTPACK;
			container = rdb_read_length(in);
		}
		if (!rdb_read_string(in, &s))
			break;
		if (container == RDB_NODE_PLAIN)
			rdb_value_element(v, s.s);
		else if (container != RDB_NODE_PACKED ||
			 !packed_open(&p, form, s.s) ||
			 !packed_elements(&p, true, v))
			reader_fail(in);
	}
	rdb_string_release(&s);
}

/* --- all ----------------------------------------------------------------- */

static void read_string_value(struct reader *in, struct rdb_value *v)
{
	struct rdb_string s = { 0 };

	if (rdb_read_string(in, &s))
		rdb_value_string(v, s.s);
	rdb_string_release(&s);
}

static void read_object(struct reader *in, unsigned type, struct rdb_value *v)
{
	switch (type) {
	case RDB_STRING:
		read_string_value(in, v);
		break;
	case RDB_LIST:
	case RDB_SET:
		read_elements(in, type, v);
		break;
	case RDB_ZSET:
	case RDB_ZSET_2:
		read_scored(in, type, v);
		break;
	case RDB_HASH:
	case RDB_HASH_EX:
		read_fields(in, type, v);
		break;
	case RDB_HASH_ZIPMAP:
	case RDB_LIST_ZIPLIST:
	case RDB_SET_INTSET:
	case RDB_ZSET_ZIPLIST:
	case RDB_HASH_ZIPLIST:
	case RDB_HASH_LISTPACK:
	case RDB_ZSET_LISTPACK:
	case RDB_SET_LISTPACK:
	case RDB_HASH_LISTPACK_EX:
		read_packed_string_of(in, type, v);
		break;
	case RDB_LIST_QUICKLIST:
	case RDB_LIST_QUICKLIST_2:
		read_quicklist(in, type, v);
		break;
	case RDB_STREAM:
	case RDB_STREAM_2:
	case RDB_STREAM_3:
		rdb_read_stream(in, type, v);
		break;
	default:
		reader_fail(in);
	}
}

bool rdb_read(struct slice object, struct rdb_value *v)
{
	struct reader in = reader_of(object);
	unsigned type = read_byte(&in);

	read_object(&in, type, v);
	rdb_value_end(v);
	if (in.bad || v->bad || reader_left(&in) != 0) /* I2 */
		return false;
	return rdb_value_exists(v) || v->dropped > 0;
}
