/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed elements: the byte form of the members of small collections.
 *
 *   00 … 7f              bytes, that many, follow
 *   80 … bf              the integer 0 … 63
 *   c0 … c7              an integer of 1 … 8 bytes, two's complement, follows
 *   d0 … df, 1 byte      bytes: size in 12 bits, the high four here
 *   e0, 4 bytes          bytes: size in 32 bits
 *
 * Canonical decimal integers are stored as integers, in the shortest form, so
 * equal elements have equal bytes.  Elements are read forwards; who needs to go
 * back adds lengths of its own.  In memory only: not a file format.
 */
#ifndef REDOUBT_TYPES_PACK_H
#define REDOUBT_TYPES_PACK_H

#include "base/coding.h"
#include "base/num.h"
#include "base/slice.h"

#define PACK_SMALL_MAX 0x7f
#define PACK_NUMBER 0x80
#define PACK_NUMBER_MAX 63
#define PACK_INTEGER 0xc0
#define PACK_MEDIUM 0xd0
#define PACK_MEDIUM_MAX 0xfff
#define PACK_LARGE 0xe0
#define PACK_SIZE_MAX UINT32_MAX /* bytes an element may have */
#define PACK_HEAD_MAX 9          /* bytes in front of, or instead of, those */

/* An element as it was found. */
struct pack_item {
	bool is_number;
	int64_t number;     /* if is_number */
	struct slice bytes; /* else: inside the packed bytes */
};

/* What an element would be packed as: computed once, for many comparisons. */
struct pack_key {
	struct slice bytes; /* the caller's */
	uint8_t head[PACK_HEAD_MAX];
	uint8_t head_size;
	bool is_number; /* head is all of it */
};

/* Prepares s, which must live as long as the key. */
struct pack_key pack_key(struct slice s);

/* Likewise, where s is known to be the decimal text of v, or of no number. */
struct pack_key pack_key_number(struct slice s, int64_t v);
struct pack_key pack_key_bytes(struct slice s);

/* Bytes the element takes. */
static inline size_t pack_key_size(const struct pack_key *k)
{
	return k->head_size + (k->is_number ? 0 : k->bytes.size);
}

/* Writes the element, returns where the next one goes. */
static inline uint8_t *pack_put_key(uint8_t *p, const struct pack_key *k)
{
	p = put_bytes(p, k->head, k->head_size);
	return k->is_number ? p : put_bytes(p, k->bytes.data, k->bytes.size);
}

/* Whether s is a short word that cannot be a number: most are. */
static inline bool pack_is_plain(struct slice s)
{
	return s.size - 1 < PACK_SMALL_MAX && s.data[0] > '9';
}

/* Of what is not plain, or may not be. */
size_t pack_size_slow(struct slice s);
/* Likewise. */
uint8_t *pack_put_slow(uint8_t *p, struct slice s);

/* As above in one call each; s is looked at twice. */
static inline size_t pack_size(struct slice s)
{
	return pack_is_plain(s) ? 1 + s.size : pack_size_slow(s);
}

static inline uint8_t *pack_put(uint8_t *p, struct slice s)
{
	if (!pack_is_plain(s))
		return pack_put_slow(p, s);
	*p++ = (uint8_t)s.size;
	return put_bytes(p, s.data, s.size);
}

/* Bytes before the content, and bytes of content, of the element at p. */
static inline size_t pack_head(const uint8_t *p, size_t *content)
{
	if (*p <= PACK_SMALL_MAX) {
		*content = *p;
		return 1;
	}
	if (*p < PACK_INTEGER) {
		*content = 0;
		return 1;
	}
	if (*p < PACK_MEDIUM) {
		*content = (size_t)(*p - PACK_INTEGER) + 1;
		return 1;
	}
	if (*p < PACK_LARGE) {
		*content = (size_t)(*p & 15) << 8 | p[1];
		return 2;
	}
	*content = get_u32(p + 1);
	return 5;
}

/* Behind the element at p. */
static inline const uint8_t *pack_skip(const uint8_t *p)
{
	size_t content, head = pack_head(p, &content);

	return p + head + content;
}

/* Reads the element at p and returns where the next one begins. */
const uint8_t *pack_next(const uint8_t *p, struct pack_item *out);

/* The bytes of an item; of a number its decimal text, in scratch. */
struct slice pack_slice(const struct pack_item *i, char scratch[NUM_I64_SIZE]);

/* Whether the element at p is the key's; *behind (may be NULL) gets what
 * pack_skip returns. */
static inline bool pack_match(const uint8_t *p, const struct pack_key *k,
			      const uint8_t **behind)
{
	const uint8_t *next = pack_skip(p);

	if (behind)
		*behind = next;
	if ((size_t)(next - p) != pack_key_size(k) ||
	    memcmp(p, k->head, k->head_size) != 0)
		return false;
	return k->is_number || k->bytes.size == 0 ||
	       memcmp(p + k->head_size, k->bytes.data, k->bytes.size) == 0;
}

/* Whether size bytes at p are whole elements, for checks; *count gets how
 * many. */
bool pack_check(const uint8_t *p, size_t size, size_t *count);

#endif
