/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The nodes of a sorted set's tree: searching in one, and the codes of a leaf.
 * Only zset_tree.c, zset_node.c and zset_build.c include this.
 */
#ifndef REDOUBT_TYPES_ZSET_NODE_H
#define REDOUBT_TYPES_ZSET_NODE_H

#include "types/zset_tree.h"

#define INNER_MAX 63

#define ZSET_CODE_MAX 0xffff
#define ZSET_CODE_SHIFT 48

/* Children and, for each, its lowest member, the key of its score, and the
 * number of members below. */
struct zset_inner {
	unsigned count;
	uint64_t keys[INNER_MAX];
	struct zset_member *low[INNER_MAX];
	void *children[INNER_MAX];
	uint64_t counts[INNER_MAX];
};

static inline int zset_place_compare(const struct zset_place *p,
				     const struct zset_member *m)
{
	return zset_place_order(p, zset_key(m->score), zset_member_bytes(m));
}

/* The code of a key in this leaf, cut off at both ends. */
static inline uint64_t zset_code(const struct zset_leaf *leaf, uint64_t key)
{
	uint64_t code;

	if (key <= leaf->base)
		return 0;
	code = (key - leaf->base) >> leaf->shift;
	return code < ZSET_CODE_MAX ? code : ZSET_CODE_MAX;
}

static inline uint64_t zset_ref(const struct zset_leaf *leaf,
				const struct zset_member *m, uint64_t key)
{
	return (uint64_t)(uintptr_t)m | zset_code(leaf, key)
						<< ZSET_CODE_SHIFT;
}

/* How many of count rising numbers are below bound. */
static inline unsigned zset_below(const uint64_t *numbers, unsigned count,
				  uint64_t bound)
{
	const uint64_t *at = numbers;

	while (count > 1) {
		unsigned half = count / 2;

		at += at[half - 1] < bound ? half : 0;
		count -= half;
	}
	at += count && *at < bound;
	return (unsigned)(at - numbers);
}

/* How many members of the leaf are before the place; the first `from` are, and
 * those behind the next `count` are not. */
unsigned zset_leaf_search(const struct zset_leaf *leaf, unsigned from,
			  unsigned count, const struct zset_place *p);

/* As zset_leaf_search, among members that have the code of the one at from. */
unsigned zset_leaf_ties(const struct zset_leaf *leaf, unsigned from,
			const struct zset_place *p);

/* How many members of the leaf are before the place. */
static inline unsigned zset_leaf_find(const struct zset_leaf *leaf,
				      const struct zset_place *p)
{
	uint64_t code = zset_code(leaf, p->key);
	unsigned from;

	if (__builtin_expect(p->unkeyed, 0))
		return zset_leaf_search(leaf, 0, leaf->count, p);
	from = zset_below(leaf->refs, leaf->count, code << ZSET_CODE_SHIFT);
	if (from == leaf->count || leaf->refs[from] >> ZSET_CODE_SHIFT != code)
		return from;
	return zset_leaf_ties(leaf, from, p);
}

/* How many children begin at or before the place; the first `from` do, and
 * those behind the next `count` do not. */
unsigned zset_inner_search(const struct zset_inner *node, unsigned from,
			   unsigned count, const struct zset_place *p);

/* As zset_inner_search, among children whose lowest score is the place's; from
 * is the first of them. */
unsigned zset_inner_ties(const struct zset_inner *node, unsigned from,
			 const struct zset_place *p);

/* The child in which the place is. */
static inline unsigned zset_inner_find(const struct zset_inner *node,
				       const struct zset_place *p)
{
	unsigned from;

	if (__builtin_expect(p->unkeyed, 0)) {
		from = zset_inner_search(node, 0, node->count, p);
		return from ? from - 1 : 0;
	}
	from = zset_below(node->keys, node->count, p->key);
	if (from < node->count && node->keys[from] == p->key)
		from = zset_inner_ties(node, from, p);
	return from ? from - 1 : 0;
}

/* Members below a node. */
static inline uint64_t zset_node_size(const void *node, unsigned depth)
{
	const struct zset_inner *inner = node;
	uint64_t size = 0;
	unsigned i;

	if (depth == 0)
		return ((const struct zset_leaf *)node)->count;
	for (i = 0; i < inner->count; i++)
		size += inner->counts[i];
	return size;
}

/* Members of a leaf or children of an inner node. */
static inline unsigned zset_node_width(const void *node, unsigned depth)
{
	return depth ? ((const struct zset_inner *)node)->count
		     : ((const struct zset_leaf *)node)->count;
}

/* The lowest member below a node that is not empty. */
static inline struct zset_member *zset_node_low(const void *node,
						unsigned depth)
{
	return depth ? ((const struct zset_inner *)node)->low[0]
		     : zset_leaf_member(node, 0);
}

/* Chooses the leaf's code anew for what it holds. */
void zset_leaf_recode(struct zset_leaf *leaf);

/* Chooses it so that it covers key, too, with room for more like it. */
void zset_leaf_stretch(struct zset_leaf *leaf, uint64_t key);

#endif
