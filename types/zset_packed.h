/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small sorted sets: members in order, one behind the other, in the entry.
 *
 *   2 bytes   how many
 *   each      score, varint size, bytes
 *   score     00 … f0: that number; f1, f2: an integer of 2 or 4 bytes;
 *             f3: the 8 bytes of a double
 *
 * In memory only: not a file format.
 */
#ifndef REDOUBT_TYPES_ZSET_PACKED_H
#define REDOUBT_TYPES_ZSET_PACKED_H

#include "types/zset.h"
#include "types/zset_tree.h"

#define ZSET_PACKED_COUNT_MAX 65535
#define ZSET_PACKED_SIZE_MAX 65536 /* bytes, whatever zset_limits says */
#define ZSET_PACKED_HEAD 2
#define ZSET_PACKED_MORE_MAX 19 /* bytes a member takes beside its own */

/* A member as it was found. */
struct zset_spot {
	bool found;
	size_t rank;
	size_t at, size; /* in the blob */
	double score;
};

/* Reads the member at p; returns where the next one begins. */
const uint8_t *zset_packed_next(const uint8_t *p, struct zset_item *out);

/* Where member stands. */
struct zset_spot zset_packed_find(struct slice blob, struct slice member);

/* How many members are before the place. */
size_t zset_packed_rank(struct slice blob, const struct zset_place *p);

/* An entry without members. */
struct entry *zset_packed_new(struct slice key, uint64_t deadline_ms);

/* An entry with these items, which are in order. */
struct entry *zset_packed_of(struct slice key, const struct zset_item *items,
			     size_t count);

/* Adds the item, or moves it from its spot; returns where the entry is. */
struct entry *zset_packed_put(struct entry *e, const struct zset_item *item,
			      const struct zset_spot *spot);

/* Takes the member at the spot out; returns where the entry is. */
struct entry *zset_packed_take(struct entry *e, const struct zset_spot *spot);

/* Invariants as code, for tests. */
void zset_packed_check(struct slice blob);

static inline size_t zset_packed_count(struct slice blob)
{
	return get_u16(blob.data);
}

#endif
