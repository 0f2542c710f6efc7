/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Integers as bytes: little-endian, and LEB128 varints (FORMAT.md section 1).
 *
 * put_* write to memory that the caller has made sure of and return the first
 * byte behind.  A `struct reader` walks bytes that may be hostile: it never
 * reads outside them and remembers that something was wrong.
 */
#ifndef REDOUBT_BASE_CODING_H
#define REDOUBT_BASE_CODING_H

#include "base/slice.h"

#define VARINT_SIZE_MAX 10

static inline uint8_t *put_u16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint16_t get_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t get_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The 0 to 7 bytes at p, in the low end of a word. */
static inline uint64_t get_tail(const uint8_t *p, size_t size)
{
	if (size >= 4)
		return get_u32(p) | (uint64_t)get_u32(p + size - 4)
					    << (size - 4) * 8;
	if (size == 0)
		return 0;
	/* first, middle and last byte; they overlap when there are fewer */
	return p[0] | (uint64_t)p[size / 2] << size / 2 * 8 |
	       (uint64_t)p[size - 1] << (size - 1) * 8;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "put_/get_ copy bytes: a big-endian port swaps here");

static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)v | 0x80;
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/* The bytes that stand at p behind their size, in memory of ours. */
static inline struct slice sized_at(const uint8_t *p)
{
	uint64_t size = *p++;
	int shift;

	if (size >= 0x80) {
		size &= 0x7f;
		for (shift = 7; *p >= 0x80; shift += 7)
			size |= (uint64_t)(*p++ & 0x7f) << shift;
		size |= (uint64_t)*p++ << shift;
	}
	return slice_of(p, size);
}

static inline size_t varint_size(uint64_t v)
{
	return ((size_t)(63 - __builtin_clzll(v | 1)) * 9 + 73) / 64;
}

static inline uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline uint8_t *put_bytes(uint8_t *p, const void *data, size_t size)
{
	if (size)
		memcpy(p, data, size);
	return p + size;
}

/* Reads bytes that may be hostile.  After a failed read `bad` is true, and
 * every further read gives 0 or an empty slice: check once, at the end. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static inline struct reader reader_of(struct slice s)
{
	/* nothing may be NULL, to which nothing may be added */
	return (struct reader){ s.data, s.size ? s.data + s.size : s.data,
				false };
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static inline uint8_t read_byte(struct reader *r)
{
	if (r->at == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->at++;
}

/* Marks the reader bad and empty. */
static inline void reader_fail(struct reader *r)
{
	r->bad = true;
	r->at = r->end;
}

/* Only the shortest form is valid, so that one value has one encoding. */
static inline uint64_t read_varint(struct reader *r)
{
	uint64_t v = 0;
	int shift;

	if (__builtin_expect(r->at < r->end && *r->at < 0x80, 1))
		return *r->at++;
	for (shift = 0; shift < 70 && r->at < r->end; shift += 7) {
		uint8_t b = *r->at++;

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			if (b == 0)
				break;
			return v;
		}
	}
	reader_fail(r);
	return 0;
}

static inline struct slice read_bytes(struct reader *r, uint64_t size)
{
	struct slice s = { r->at, (size_t)size };

	if (size > reader_left(r)) {
		reader_fail(r);
		return (struct slice){ r->end, 0 };
	}
	r->at += size;
	return s;
}

/* varint length, then the bytes */
static inline struct slice read_string(struct reader *r)
{
	return read_bytes(r, read_varint(r));
}

static inline uint32_t read_u32(struct reader *r)
{
	struct slice s = read_bytes(r, 4);

	return s.size == 4 ? get_u32(s.data) : 0;
}

static inline uint64_t read_u64(struct reader *r)
{
	struct slice s = read_bytes(r, 8);

	return s.size == 8 ? get_u64(s.data) : 0;
}

#endif
