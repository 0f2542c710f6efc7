/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted sets made by a command as a whole: what ZUNIONSTORE and its kin,
 * ZRANGESTORE and the geo commands store.
 */
#ifndef REDOUBT_ENGINE_ZSET_STORE_H
#define REDOUBT_ENGINE_ZSET_STORE_H

#include "engine/cmd.h"
#include "types/zset.h"

/* A sorted set to be: a run of scored items (engine/items.h), appended to with
 * items_put_scored. */
struct zset_result {
	struct buf run;
	size_t count;
};

static inline void zset_result_init(struct zset_result *r)
{
	*r = (struct zset_result){ 0 };
}

/* Copies the item to the end. */
void zset_result_put(struct zset_result *r, const struct zset_item *item);

/* The items in order, in an array that points into the result. mem_free. */
struct zset_item *zset_result_sorted(const struct zset_result *r);

/* Finds members of a result again, by a hash of their bytes. */
struct zset_index {
	uint64_t *cells; /* 0, or where the item is, plus 1, below a tag */
	size_t mask;
	uint64_t seed;
};

/* Room for so many members. seed: of the hash. */
void zset_index_init(struct zset_index *x, size_t count_max, uint64_t seed);
void zset_index_release(struct zset_index *x);

/* Where the score of item's member is in the result, 8 bytes; *added: the item
 * has just been put there. */
uint8_t *zset_index_put(struct zset_index *x, struct zset_result *r,
			const struct zset_item *item, bool *added);

/* Puts the result in place of what stands at key (nothing, if it is empty),
 * and replies how many members it has; or replies why not. Frees it. */
void zset_result_store(struct cmd *c, struct zset_result *r, struct slice key,
		       enum record_cause cause);

#endif
