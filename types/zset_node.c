/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes of a sorted set's tree: ties, codes, ranks, checks.
 */
#include "types/zset_node.h"

#include <assert.h>

#include "base/mem.h"

unsigned zset_leaf_search(const struct zset_leaf *leaf, unsigned from,
			  unsigned count, const struct zset_place *p)
{
	while (count > 0) {
		unsigned half = count / 2;

		if (zset_place_compare(p, zset_leaf_member(leaf, from + half)) >
		    0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

unsigned zset_leaf_ties(const struct zset_leaf *leaf, unsigned from,
			const struct zset_place *p)
{
	uint64_t code = leaf->refs[from] >> ZSET_CODE_SHIFT;
	uint64_t last = code << ZSET_CODE_SHIFT |
			((UINT64_C(1) << ZSET_CODE_SHIFT) - 1);

	return zset_leaf_search(leaf, from,
				zset_below(leaf->refs + from,
					   leaf->count - from, last), p);
}

unsigned zset_inner_search(const struct zset_inner *node, unsigned from,
			   unsigned count, const struct zset_place *p)
{
	while (count > 0) {
		unsigned half = count / 2;

		if (zset_place_compare(p, node->low[from + half]) >= 0) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

unsigned zset_inner_ties(const struct zset_inner *node, unsigned from,
			 const struct zset_place *p)
{
	unsigned count = node->count - from;

	if (p->key != UINT64_MAX)
		count = zset_below(node->keys + from, count, p->key + 1);
	return zset_inner_search(node, from, count, p);
}

/* --- codes --------------------------------------------------------------- */

static uint64_t leaf_key(const struct zset_leaf *leaf, unsigned i)
{
	return zset_key(zset_leaf_member(leaf, i)->score);
}

/* Codes for keys from low to high. */
static void leaf_code(struct zset_leaf *leaf, uint64_t low, uint64_t high)
{
	uint64_t range = high - low;
	unsigned i;

	leaf->base = low;
	leaf->shift = 0;
	if (range > ZSET_CODE_MAX)
		leaf->shift = (uint8_t)(64 - __builtin_clzll(range) - 16);
	for (i = 0; i < leaf->count; i++) {
		struct zset_member *m = zset_leaf_member(leaf, i);

		leaf->refs[i] = zset_ref(leaf, m, zset_key(m->score));
	}
}

void zset_leaf_recode(struct zset_leaf *leaf)
{
	if (leaf->count > 0)
		leaf_code(leaf, leaf_key(leaf, 0),
			  leaf_key(leaf, leaf->count - 1));
}

void zset_leaf_stretch(struct zset_leaf *leaf, uint64_t key)
{
	uint64_t low = key, high = key, range;

	if (leaf->count > 0) {
		low = leaf_key(leaf, 0);
		high = leaf_key(leaf, leaf->count - 1);
	}
	if (key > high) {
		range = key - low;
		high = key > UINT64_MAX - range ? UINT64_MAX : key + range;
	} else if (key < low) {
		range = high - key;
		low = key < range ? 0 : key - range;
	}
	leaf_code(leaf, low, high);
}

/* --- ranks --------------------------------------------------------------- */

size_t zset_tree_rank(const struct zset_tree *t, const struct zset_place *p)
{
	const void *node = t->root;
	unsigned depth;
	size_t rank = 0;

	if (!node)
		return 0;
	for (depth = t->depth; depth > 0; depth--) {
		const struct zset_inner *inner = node;
		unsigned i, child = zset_inner_find(inner, p);

		for (i = 0; i < child; i++)
			rank += inner->counts[i];
		node = inner->children[child];
	}
	return rank + zset_leaf_find(node, p);
}

const struct zset_leaf *zset_tree_at(const struct zset_tree *t, size_t rank,
				     unsigned *index)
{
	const void *node = t->root;
	unsigned depth;

	assert(rank < t->count);
	for (depth = t->depth; depth > 0; depth--) {
		const struct zset_inner *inner = node;
		unsigned i = 0;

		while (rank >= inner->counts[i])
			rank -= inner->counts[i++];
		node = inner->children[i];
	}
	*index = (unsigned)rank;
	return node;
}

/* --- memory -------------------------------------------------------------- */

size_t zset_tree_memory(const struct zset_tree *t)
{
	return t->leaf_count * sizeof(struct zset_leaf) +
	       t->inner_count * sizeof(struct zset_inner);
}

static void node_free(void *node, unsigned depth)
{
	struct zset_inner *inner = node;
	unsigned i;

	for (i = 0; depth > 0 && i < inner->count; i++)
		node_free(inner->children[i], depth - 1);
	mem_free(node);
}

void zset_tree_free(struct zset_tree *t)
{
	if (t->root)
		node_free(t->root, t->depth);
	*t = (struct zset_tree){ 0 };
}

/* --- checks -------------------------------------------------------------- */

/* What a check has met so far, from left to right. */
struct checker {
	const struct zset_member *last;
	const struct zset_leaf *leaf;
	size_t leaf_count, inner_count;
};

static void check_order(struct checker *k, const struct zset_member *m)
{
	struct zset_place p = {
		.key = zset_key(m->score),
		.member = zset_member_bytes(m),
	};

	if (k->last)
		assert(zset_place_compare(&p, k->last) > 0);
	k->last = m;
}

static void leaf_check(struct checker *k, const struct zset_leaf *leaf)
{
	unsigned i;

	assert(leaf->count > 0);
	assert(leaf->count <= LEAF_MAX);
	assert(leaf->previous == k->leaf);
	if (k->leaf)
		assert(k->leaf->next == leaf);
	for (i = 0; i < leaf->count; i++) {
		const struct zset_member *m = zset_leaf_member(leaf, i);

		assert(leaf->refs[i] == zset_ref(leaf, m, zset_key(m->score)));
		check_order(k, m);
	}
	k->leaf = leaf;
	k->leaf_count++;
}

static void node_check(struct checker *k, const void *node, unsigned depth)
{
	const struct zset_inner *inner = node;
	unsigned i;

	if (depth == 0) {
		leaf_check(k, node);
		return;
	}
	assert(inner->count > 0);
	assert(inner->count <= INNER_MAX);
	for (i = 0; i < inner->count; i++) {
		const void *child = inner->children[i];

		assert(inner->counts[i] == zset_node_size(child, depth - 1));
		assert(inner->low[i] == zset_node_low(child, depth - 1));
		assert(inner->keys[i] == zset_key(inner->low[i]->score));
		node_check(k, child, depth - 1);
	}
	k->inner_count++;
}

void zset_tree_check(const struct zset_tree *t)
{
	struct checker k = { 0 };

	if (!t->root) {
		assert(t->count == 0);
		return;
	}
	assert(t->count == zset_node_size(t->root, t->depth));
	if (t->depth > 0)
		assert(((const struct zset_inner *)t->root)->count > 1);
	node_check(&k, t->root, t->depth);
	assert(k.leaf->next == NULL);
	assert(k.leaf_count == t->leaf_count);
	assert(k.inner_count == t->inner_count);
}
