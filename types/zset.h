/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted sets: members with a score, ordered by (score, bytes of the member).
 *
 * A small one is packed into its entry (types/zset_packed.h), a big one is a
 * struct zset (types/zset_tree.h): a hash table of members beside a B+tree with
 * counts.  Which of the two is not state; one becomes big by zset_limits and
 * stays so.  A range of scores or of members is a range of ranks: ask for the
 * ranks of its two ends, then iterate.
 *
 * Functions that change return where the entry is now. Slices of members die at
 * the next change. Scores are any double but NaN; -0 orders as 0. Engine
 * thread.
 */
#ifndef REDOUBT_TYPES_ZSET_H
#define REDOUBT_TYPES_ZSET_H

#include "types/entry.h"

struct zset;
struct zset_leaf;

struct zset_item {
	double score;
	struct slice member;
};

/* An entry without members, for zset_add; never leave it so. */
struct entry *zset_new(struct slice key, uint64_t deadline_ms);

/* Likewise one that is about to get count members (0: unknown): if so many make
 * it big it is so at once, with room for them. */
struct entry *zset_new_for(struct slice key, const uint64_t *hash_key,
			   size_t count);

/* An entry with these members at once, which puts the items in another order.
 * NULL: they have to be added one by one, as one of a few comes twice. */
struct entry *zset_of(struct slice key, const uint64_t *hash_key,
		      struct zset_item *items, size_t count);

/* From how many members on, or bytes in one, a sorted set is big. Holds for
 * what changes afterwards. */
void zset_limits(size_t count_max, size_t member_size_max);

/* Gives member this score; *added: it is new. hash_key: the store's, must stay
 * where it is. */
struct entry *zset_add(struct entry *e, const uint64_t *hash_key,
		       const struct zset_item *item, bool *added);

/* Takes member out. *removed: it was there. The caller removes an entry that
 * has become empty. */
struct entry *zset_remove(struct entry *e, struct slice member, bool *removed);

/* Members. */
size_t zset_count(const struct entry *e);

/* Whether member is there; its score. */
bool zset_score(const struct entry *e, struct slice member, double *score);

/* Whether member is there; how many are before it, and its score. */
bool zset_rank(const struct entry *e, struct slice member, size_t *rank,
	       double *score);

/* How many members have a lower score (equal: or the same one). */
size_t zset_rank_of_score(const struct entry *e, double score, bool equal);

/* How many members are before these bytes (equal: or the same), in a sorted
 * set whose members are in order of their bytes, too: as when all scores are
 * equal. In any other the answer is some number up to zset_count. */
size_t zset_rank_of_member(const struct entry *e, struct slice member,
			   bool equal);

/* A place between two members; dies at the next change. */
#define ZSET_WINDOW 32
struct zset_iter {
	const struct entry *e;
	size_t rank; /* of the member behind the place */
	const struct zset_leaf *leaf; /* big: that member's leaf */
	unsigned index;               /* big: and its place in there */
	const uint8_t *at;            /* packed: that member */
	size_t window; /* packed, backward: rank of the first in offsets */
	uint32_t offsets[ZSET_WINDOW];
};

/* Puts the place before the member of this rank; rank == count: at the end. */
void zset_seek(struct zset_iter *it, const struct entry *e, size_t rank);

/* The member behind (before) the place, which moves over it. False: none. */
bool zset_next(struct zset_iter *it, struct zset_item *out);
bool zset_previous(struct zset_iter *it, struct zset_item *out);

/* "listpack" or "skiplist": the words clients know. */
const char *zset_encoding_name(const struct entry *e);

/* All bytes. */
size_t zset_memory(const struct entry *e);

/* A copy under another key. */
struct entry *zset_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms);

/* Frees the entry; what is big is taken apart later, in steps. */
void zset_free(struct entry *e);

/* The structure of a big one, NULL of a packed one. (engine/value_zset.c) */
struct zset *zset_big(const struct entry *e);

/*
 * While loading is on, big ones get no order; switched off, all of them are
 * put in order at once, which is far faster than one by one.
 */
void zset_loading(bool on);

/* Invariants as code, for tests. */
void zset_check(const struct entry *e);

#endif
