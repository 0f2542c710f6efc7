/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/str.h"

#include "base/mem.h"
#include "types/str_chunks.h"

#include <assert.h>

/* Longer strings are "raw" to clients: what Redis replies. */
#define EMBSTR_SIZE_MAX 44

/* "-9223372036854775808" */
#define INT_TEXT_MAX (NUM_I64_SIZE - 1)

static inline uint8_t *value_field(struct entry *e)
{
	return (uint8_t *)entry_value_field(e);
}

/* --- the three forms ---------------------------------------------------- */

/* log2 of the bytes that hold v */
static inline unsigned int_width(int64_t v)
{
	if (v == (int8_t)v)
		return 0;
	if (v == (int16_t)v)
		return 1;
	return v == (int32_t)v ? 2 : 3;
}

static int64_t read_int(const struct entry *e)
{
	const uint8_t *p = entry_value_field(e);

	switch ((e->flags & ENTRY_WIDTH_MASK) >> ENTRY_WIDTH_SHIFT) {
	case 0:
		return (int8_t)p[0];
	case 1:
		return (int16_t)get_u16(p);
	case 2:
		return (int32_t)get_u32(p);
	default:
		return (int64_t)get_u64(p);
	}
}

static void put_int(struct entry *e, int64_t v, unsigned width)
{
	entry_set_kind(e, VALUE_string, ENC_INT);
	e->flags = (uint8_t)((e->flags & ~ENTRY_WIDTH_MASK) |
			     width << ENTRY_WIDTH_SHIFT);
	/* little-endian: the low bytes come first */
	memcpy(value_field(e), &v, (size_t)1 << width);
}

static void put_raw(struct entry *e, struct slice value)
{
	uint8_t *p;

	entry_set_kind(e, VALUE_string, ENC_RAW);
	p = put_varint(value_field(e), value.size);
	put_bytes(p, value.data, value.size);
}

static void put_chunks(struct entry *e, struct str_chunks *c)
{
	entry_set_kind(e, VALUE_string, ENC_CHUNKS);
	memcpy(value_field(e), &c, sizeof(c));
}

static struct slice read_raw(const struct entry *e)
{
	const uint8_t *p = entry_value_field(e);
	struct reader r;
	uint64_t size;

	if (*p < 0x80)
		return slice_of(p + 1, *p);
	r = reader_of(slice_of(p, VARINT_SIZE_MAX));
	size = read_varint(&r);
	return slice_of(r.at, size);
}

static inline size_t raw_size(size_t size)
{
	return varint_size(size) + size;
}

static inline bool parse_int(struct slice value, int64_t *out)
{
	/* most values are told from an integer by their length or start */
	return value.size - 1 < INT_TEXT_MAX &&
	       (value.data[0] == '-' ||
		(value.data[0] >= '0' && value.data[0] <= '9')) &&
	       num_parse_i64(value, out);
}

static struct str_chunks *chunks_of(struct slice value)
{
	struct str_chunks *c = str_chunks_new();

	str_chunks_write(c, 0, value);
	return c;
}

/* --- making and changing ------------------------------------------------ */

struct entry *str_new(struct slice key, struct slice value,
		      uint64_t deadline_ms)
{
	struct entry *e;
	int64_t v;

	if (parse_int(value, &v)) {
		unsigned width = int_width(v);

		e = entry_alloc(key, deadline_ms, (size_t)1 << width);
		put_int(e, v, width);
	} else if (value.size <= STR_CHUNK_SIZE) {
		e = entry_alloc(key, deadline_ms, raw_size(value.size));
		put_raw(e, value);
	} else {
		e = entry_alloc(key, deadline_ms, sizeof(void *));
		put_chunks(e, chunks_of(value));
	}
	return e;
}

struct entry *str_set(struct entry *e, struct slice value,
		      uint64_t deadline_ms)
{
	int64_t v;

	if (entry_encoding(e) == ENC_CHUNKS)
		str_chunks_free(entry_pointer(e));
	if (parse_int(value, &v)) {
		unsigned width = int_width(v);

		e = entry_reshape(e, deadline_ms, (size_t)1 << width, 0, false);
		put_int(e, v, width);
	} else if (value.size <= STR_CHUNK_SIZE) {
		e = entry_reshape(e, deadline_ms, raw_size(value.size), 0,
				  false);
		put_raw(e, value);
	} else {
		e = entry_reshape(e, deadline_ms, sizeof(void *), 0, false);
		put_chunks(e, chunks_of(value));
	}
	return e;
}

/* The string as chunks, with what it holds now. */
static struct entry *become_chunks(struct entry *e)
{
	char scratch[NUM_I64_SIZE];
	struct slice value;
	struct str_chunks *c;

	if (!str_whole(e, scratch, &value))
		return e;
	c = chunks_of(value);
	e = entry_reshape(e, entry_deadline(e), sizeof(void *), 0, false);
	put_chunks(e, c);
	return e;
}

/* Writes to a string that is and stays inline, making it `size` long. */
static struct entry *write_raw(struct entry *e, uint64_t offset,
			       struct slice bytes, size_t size)
{
	size_t old = read_raw(e).size;
	size_t shift = varint_size(size) - varint_size(old);
	uint8_t *field, *data;

	if (size > old)
		e = entry_reshape(e, entry_deadline(e), raw_size(size),
				  raw_size(old), old > 0);
	field = value_field(e);
	data = field + varint_size(size);
	if (shift != 0)
		memmove(data, data - shift, old);
	put_varint(field, size);
	if (offset > old)
		memset(data + old, 0, offset - old);
	memcpy(data + offset, bytes.data, bytes.size);
	return e;
}

struct entry *str_write(struct entry *e, uint64_t offset, struct slice bytes)
{
	uint64_t size = str_size(e), end = offset + bytes.size;
	char scratch[NUM_I64_SIZE];
	int64_t v;

	if (bytes.size == 0)
		return e;
	if (end > size)
		size = end;
	if (entry_encoding(e) == ENC_CHUNKS || size > STR_CHUNK_SIZE) {
		e = become_chunks(e);
		str_chunks_write(entry_pointer(e), offset, bytes);
		return e;
	}
	if (str_int(e, &v)) {
		struct slice text = slice_of(scratch,
					     num_format_i64(scratch, v));

		e = entry_reshape(e, entry_deadline(e), raw_size(text.size), 0,
				  true);
		put_raw(e, text);
	}
	return write_raw(e, offset, bytes, (size_t)size);
}

struct entry *str_copy(const struct entry *e, struct slice key,
		       uint64_t deadline_ms)
{
	size_t size = entry_value_size(e);
	struct entry *copy;

	copy = entry_alloc(key, deadline_ms, size);
	copy->kind = e->kind;
	copy->flags |= e->flags & ENTRY_WIDTH_MASK;
	if (entry_encoding(e) == ENC_CHUNKS)
		put_chunks(copy, str_chunks_copy(entry_pointer(e)));
	else
		memcpy(value_field(copy), entry_value_field(e), size);
	return copy;
}

/* --- reading ------------------------------------------------------------ */

uint64_t str_size(const struct entry *e)
{
	char scratch[NUM_I64_SIZE];

	switch (entry_encoding(e)) {
	case ENC_INT:
		return num_format_i64(scratch, read_int(e));
	case ENC_CHUNKS:
		return ((struct str_chunks *)entry_pointer(e))->size;
	default:
		return read_raw(e).size;
	}
}

bool str_int(const struct entry *e, int64_t *out)
{
	if (entry_encoding(e) != ENC_INT)
		return false;
	*out = read_int(e);
	return true;
}

bool str_whole(const struct entry *e, char scratch[NUM_I64_SIZE],
	       struct slice *out)
{
	switch (entry_encoding(e)) {
	case ENC_INT:
		*out = slice_of(scratch, num_format_i64(scratch, read_int(e)));
		return true;
	case ENC_RAW:
		*out = read_raw(e);
		return true;
	default:
		assert(entry_encoding(e) == ENC_CHUNKS);
		return false;
	}
}

struct slice str_piece(const struct entry *e, uint64_t offset,
		       char scratch[NUM_I64_SIZE])
{
	const struct str_chunks *c;
	struct slice value;

	if (str_whole(e, scratch, &value)) {
		assert(offset <= value.size);
		return slice_of(value.data + offset,
				value.size - (size_t)offset);
	}
	c = entry_pointer(e);
	return str_chunks_piece(c->at, c->size, offset, NULL);
}

void str_copy_out(const struct entry *e, uint64_t offset, size_t size,
		  uint8_t *out)
{
	char scratch[NUM_I64_SIZE];

	while (size > 0) {
		struct slice piece = str_piece(e, offset, scratch);

		assert(piece.size > 0);
		if (piece.size > size)
			piece.size = size;
		memcpy(out, piece.data, piece.size);
		out += piece.size;
		offset += piece.size;
		size -= piece.size;
	}
}

const char *str_encoding_name(const struct entry *e)
{
	if (entry_encoding(e) == ENC_INT)
		return "int";
	/* what has been written to in parts is "raw" in Redis, too */
	if (entry_encoding(e) == ENC_RAW && !(e->flags & ENTRY_GROWN) &&
	    read_raw(e).size <= EMBSTR_SIZE_MAX)
		return "embstr";
	return "raw";
}

void str_check(const struct entry *e)
{
	int64_t v;

	assert(entry_type(e) == VALUE_string);
	if (str_int(e, &v))
		assert(entry_value_size(e) == (size_t)1 << int_width(v));
	else if (entry_encoding(e) == ENC_CHUNKS)
		str_chunks_check(entry_pointer(e));
	else
		assert(read_raw(e).size <= STR_CHUNK_SIZE);
}

/* --- frozen strings ----------------------------------------------------- */

struct str_frozen {
	uint64_t size;
	size_t count;
	struct str_chunk *at[];
};

struct str_frozen *str_freeze(const struct entry *e)
{
	const struct str_chunks *c = entry_pointer(e);
	struct str_frozen *f;
	size_t size; /* a count of chunks in memory cannot overflow it */

	assert(entry_encoding(e) == ENC_CHUNKS);
	size = sizeof(*f) + c->count * sizeof(f->at[0]);
	f = mem_alloc(size);
	f->size = c->size;
	f->count = c->count;
	str_chunks_hold(c, f->at);
	return f;
}

uint64_t str_frozen_size(const struct str_frozen *f)
{
	return f->size;
}

struct slice str_frozen_piece(const struct str_frozen *f, uint64_t offset,
			      bool *hole)
{
	return str_chunks_piece(f->at, f->size, offset, hole);
}

void str_frozen_release(struct str_frozen *f)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (f->at[i] != NULL)
			str_chunk_release(f->at[i]);
	mem_free(f);
}
