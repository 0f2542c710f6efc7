/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small sets: the bytes inside an entry (ENC_RAW).  For set.c.
 *
 *   byte 0     2, 4 or 8: integers of that many bytes follow, in order
 *              0: packed elements (types/pack.h), in the order they came
 *   byte 1-2   of packed elements: how many
 *
 * The width is the least that holds all integers there have been.
 */
#ifndef REDOUBT_TYPES_SET_SMALL_H
#define REDOUBT_TYPES_SET_SMALL_H

#include "types/entry.h"
#include "types/pack.h"

#define SET_INTEGERS_HEAD 1
#define SET_PACKED_HEAD 3
#define SET_SMALL_SIZE_MAX 65535 /* bytes, whatever the limits say */

/* A small set as it stands. */
struct set_small {
	const uint8_t *at;  /* of the first member */
	const uint8_t *end;
	size_t count;
	uint8_t width;      /* 0: packed elements */
};

/* The set in e as it stands; dies with the next change. */
struct set_small set_small_of(const struct entry *e);

static inline int64_t set_integer(const uint8_t *p, unsigned width)
{
	switch (width) {
	case 2:
		return (int16_t)get_u16(p);
	case 4:
		return (int32_t)get_u32(p);
	default:
		return (int64_t)get_u64(p);
	}
}

/* Where v stands among the integers, or would. */
bool set_integers_find(const struct set_small *s, int64_t v, size_t *index);

/* Inserts v, which is not there, before index. Wider ones are made of all
 * integers if it needs that. */
struct entry *set_integers_insert(struct entry *e, size_t index, int64_t v);

/* Takes the integer at index out. */
struct entry *set_integers_remove(struct entry *e, size_t index);

/* The packed element that is k; NULL if there is none. */
const uint8_t *set_packed_find(const struct set_small *s,
			       const struct pack_key *k);

/* Puts k, which is not there, behind the others. */
struct entry *set_packed_append(struct entry *e, const struct pack_key *k);

/* Takes the element at `at` out. */
struct entry *set_packed_remove(struct entry *e, const uint8_t *at);

/* Bytes the integers would take as packed elements with their head; *longest
 * gets the most digits of one. */
size_t set_integers_packed_size(const struct set_small *s, size_t *longest);

/* Makes packed elements of the integers; size is set_integers_packed_size. */
struct entry *set_integers_pack(struct entry *e, size_t size);

#endif
