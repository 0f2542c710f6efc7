/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big sorted sets: a table of members by hash beside the tree that has them in
 * order.  types/zset*.c, and engine/value_zset.c, which walks the table.
 *
 * A walk begun on `members` sees every member as it was when the walk began.
 * Who walks sets `held`: a sorted set that is given up meanwhile is then only
 * marked, and who ends the walk calls zset_big_release.
 */
#ifndef REDOUBT_TYPES_ZSET_BIG_H
#define REDOUBT_TYPES_ZSET_BIG_H

#include "types/table.h"
#include "types/zset.h"
#include "types/zset_tree.h"

#define ZSET_MEMO_MAX 47

/* The last lookup: a handler looks a member up, then apply does. Not state. */
struct zset_memo {
	uint64_t hash;
	struct table_ref ref; /* slot NULL: absent */
	bool valid;
	uint8_t size;
	uint8_t bytes[ZSET_MEMO_MAX];
};

struct zset {
	struct table members; /* of struct zset_member */
	struct zset_tree tree;
	const uint64_t *hash_key;
	size_t member_bytes; /* of the slab */
	struct zset *next, *previous; /* in the line of those without order */
	struct zset_memo memo;
	uint64_t position; /* of the taking apart */
	bool ordered;      /* the tree is there */
	bool held;         /* somebody walks the members */
	bool abandoned;    /* its entry is gone */
};

/* An empty one; count: members to come, 0 if unknown. */
struct zset *zset_big_new(const uint64_t *hash_key, size_t count);

/* One with these items; the last of one member counts. It gets its order when
 * somebody asks for it. */
struct zset *zset_big_of(const uint64_t *hash_key,
			 const struct zset_item *items, size_t count);

/* As the functions of types/zset.h. */
bool zset_big_add(struct zset *z, const struct zset_item *item);
bool zset_big_remove(struct zset *z, struct slice member);
struct zset_member *zset_big_find(struct zset *z, struct slice member);
struct zset *zset_big_copy(struct zset *z);
size_t zset_big_memory(const struct zset *z);
void zset_big_check(const struct zset *z);

/* Makes the tree if there is none yet. */
void zset_big_order(struct zset *z);

/* Gives it up: taken apart in steps, or left to who holds it. */
void zset_big_free(struct zset *z);

/* Ends the hold; takes it apart if it was given up meanwhile. */
void zset_big_release(struct zset *z);

#endif
