/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a big sorted set: a B+tree with counts over its members.
 *
 * A member is one object of the slab that the member table and the tree both
 * point to.  The tree keeps its members in order of (score, bytes); it does not
 * own them.  A leaf holds references of 8 bytes: the pointer, and in the upper
 * 16 bits a code of the score relative to the leaf, so that a search touches
 * members only where codes are equal.  An inner node has for each child its
 * lowest member, that one's score and how many members are below.
 * One thread, but for zset_tree_free.
 */
#ifndef REDOUBT_TYPES_ZSET_TREE_H
#define REDOUBT_TYPES_ZSET_TREE_H

#include "base/coding.h"

struct zset_member {
	double score;
	uint8_t rest[]; /* varint size, bytes */
};

#define LEAF_MAX 60

struct zset_leaf {
	struct zset_leaf *next, *previous;
	uint64_t base; /* score key of code 0 */
	uint8_t shift; /* code = (key - base) >> shift */
	uint8_t count;
	uint64_t refs[LEAF_MAX];
};

_Static_assert(sizeof(struct zset_leaf) == 512, "a class of the allocator");

struct zset_tree {
	void *root;     /* NULL: empty */
	unsigned depth; /* 0: the root is a leaf */
	size_t count;
	size_t leaf_count, inner_count;
};

/* A place in the order: before or behind all members with a score, or all that
 * also have these bytes, or (where bytes rise with scores) all with these
 * bytes. */
struct zset_place {
	uint64_t key;
	bool whole;   /* the score alone says */
	bool unkeyed; /* the bytes alone say */
	bool behind;
	struct slice member;
};

/* A member with its key, for zset_tree_build. */
struct zset_pair {
	uint64_t key;
	struct zset_member *member;
};

/* A number that orders as the score does; -0 as 0. */
static inline uint64_t zset_key(double score)
{
	uint64_t bits;

	if (score == 0)
		score = 0; /* also -0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline struct slice zset_member_bytes(const struct zset_member *m)
{
	return sized_at(m->rest);
}

static inline struct zset_member *zset_leaf_member(const struct zset_leaf *leaf,
						   unsigned index)
{
	return (struct zset_member *)(uintptr_t)(leaf->refs[index] << 16 >> 16);
}

/* Bytes as memcmp has them, the shorter first. */
static inline int zset_compare_bytes(struct slice a, struct slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* < 0: the place is before a member of this key and these bytes; > 0: behind
 * it; 0: it is that member's own. */
static inline int zset_place_order(const struct zset_place *p, uint64_t key,
				   struct slice member)
{
	int order;

	if (p->key != key && !p->unkeyed)
		return p->key < key ? -1 : 1;
	if (p->whole)
		return p->behind ? 1 : -1;
	order = zset_compare_bytes(p->member, member);
	return order ? order : p->behind;
}

/* Adds a member that is not in the tree. */
void zset_tree_insert(struct zset_tree *t, struct zset_member *m);

/* Takes out a member that is there, with the score it was put in with. */
void zset_tree_remove(struct zset_tree *t, struct zset_member *m);

/* How many members are before the place. */
size_t zset_tree_rank(const struct zset_tree *t, const struct zset_place *p);

/* The leaf of the member of this rank (< count), and its index there. */
const struct zset_leaf *zset_tree_at(const struct zset_tree *t, size_t rank,
				     unsigned *index);

/* Fills an empty tree from pairs in any order, which it sorts; spare has room
 * for as many. */
void zset_tree_build(struct zset_tree *t, struct zset_pair *pairs,
		     struct zset_pair *spare, size_t count);

/* Bytes of the nodes. */
size_t zset_tree_memory(const struct zset_tree *t);

/* Frees the nodes. Any thread. */
void zset_tree_free(struct zset_tree *t);

/* Invariants as code, for tests: order, codes, counts, lowest members. */
void zset_tree_check(const struct zset_tree *t);

#endif
