/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole tree at once: sort, fill leaves, then the levels above.
 *
 * Sorting is by the digits of the score keys, lowest first (radix sort), from
 * the lowest bit in which any two differ to the highest; members of one score
 * are then put in order among themselves: only they are looked at.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "types/zset_node.h"

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* So few members of one score are sorted by insertion. */
#define FEW 24

/* Members of scores that have several are fetched that far ahead. */
#define AHEAD 32

/* How full nodes are made: room for some inserts before the first splits. */
#define LEAF_FILL (LEAF_MAX * 9 / 10)
#define INNER_FILL (INNER_MAX * 9 / 10)

static unsigned digit_of(uint64_t key, unsigned shift)
{
	return (unsigned)(key >> shift) & (DIGITS - 1);
}

/* One pass from pairs to spare; false: nothing to do, all digits are equal. */
static bool sort_pass(const struct zset_pair *pairs, struct zset_pair *spare,
		      size_t count, unsigned shift)
{
	size_t starts[DIGITS] = { 0 }, i, sum = 0;

	for (i = 0; i < count; i++)
		starts[digit_of(pairs[i].key, shift)]++;
	if (starts[digit_of(pairs[0].key, shift)] == count)
		return false;
	for (i = 0; i < DIGITS; i++) {
		size_t n = starts[i];

		starts[i] = sum;
		sum += n;
	}
	for (i = 0; i < count; i++)
		spare[starts[digit_of(pairs[i].key, shift)]++] = pairs[i];
	return true;
}

/* The bits in which keys differ. */
static uint64_t differing_bits(const struct zset_pair *pairs, size_t count)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 1; i < count; i++)
		bits |= pairs[i].key ^ pairs[0].key;
	return bits;
}

static int compare_members(const void *a, const void *b)
{
	const struct zset_pair *x = a, *y = b;

	return zset_compare_bytes(zset_member_bytes(x->member),
				  zset_member_bytes(y->member));
}

static void sort_members(struct zset_pair *pairs, size_t count)
{
	size_t i, at;

	if (count > FEW) {
		qsort(pairs, count, sizeof(*pairs), compare_members);
		return;
	}
	for (i = 1; i < count; i++) {
		struct zset_pair moved = pairs[i];

		for (at = i; at && compare_members(&pairs[at - 1], &moved) > 0;
		     at--)
			pairs[at] = pairs[at - 1];
		pairs[at] = moved;
	}
}

/* Puts members of one score in order. */
static void sort_scores(struct zset_pair *pairs, size_t count)
{
	size_t first, i, fetched = 0;

	for (first = 0; first < count; first = i) {
		for (i = first + 1; i < count; i++)
			if (pairs[i].key != pairs[first].key)
				break;
		if (i - first == 1)
			continue;
		if (fetched < i)
			fetched = i;
		for (; fetched < count && fetched < i + AHEAD; fetched++)
			__builtin_prefetch(pairs[fetched].member);
		sort_members(pairs + first, i - first);
	}
}

/* Returns which of the two has them in order. */
static struct zset_pair *sort_pairs(struct zset_pair *pairs,
				    struct zset_pair *spare, size_t count)
{
	uint64_t bits = differing_bits(pairs, count);
	unsigned shift = bits ? (unsigned)__builtin_ctzll(bits) : 0;

	for (; shift < 64 && bits >> shift; shift += DIGIT_BITS) {
		struct zset_pair *sorted = spare;

		if (!sort_pass(pairs, spare, count, shift))
			continue;
		spare = pairs;
		pairs = sorted;
	}
	sort_scores(pairs, count);
	return pairs;
}

/* A leaf of sorted pairs, whose codes need no look at members. */
static struct zset_leaf *leaf_of(const struct zset_pair *pairs, unsigned count)
{
	struct zset_leaf *leaf = mem_alloc(sizeof(*leaf));
	uint64_t range = pairs[count - 1].key - pairs[0].key;
	unsigned i;

	leaf->next = leaf->previous = NULL;
	leaf->base = pairs[0].key;
	leaf->shift = 0;
	if (range > ZSET_CODE_MAX)
		leaf->shift = (uint8_t)(64 - __builtin_clzll(range) - 16);
	leaf->count = (uint8_t)count;
	for (i = 0; i < count; i++)
		leaf->refs[i] = zset_ref(leaf, pairs[i].member, pairs[i].key);
	return leaf;
}

/* What a level of the tree is made of: its nodes, each with what its parent
 * says of it. */
struct level {
	void **nodes;
	uint64_t *keys;
	uint64_t *counts;
	struct zset_member **low;
	size_t count;
};

static struct level level_new(size_t count)
{
	return (struct level){
		.nodes = mem_calloc(count, sizeof(void *)),
		.keys = mem_calloc(count, sizeof(uint64_t)),
		.counts = mem_calloc(count, sizeof(uint64_t)),
		.low = mem_calloc(count, sizeof(struct zset_member *)),
		.count = count,
	};
}

static void level_release(struct level *l)
{
	mem_free(l->nodes);
	mem_free(l->keys);
	mem_free(l->counts);
	mem_free(l->low);
}

/* Item i of `parts` even shares of count begins here. */
static size_t share(size_t count, size_t parts, size_t i)
{
	return (size_t)((unsigned __int128)count * i / parts);
}

static struct level leaves_of(const struct zset_pair *pairs, size_t count)
{
	struct level l = level_new((count + LEAF_FILL - 1) / LEAF_FILL);
	struct zset_leaf *last = NULL;
	size_t i;

	for (i = 0; i < l.count; i++) {
		size_t first = share(count, l.count, i);
		size_t next = share(count, l.count, i + 1);
		struct zset_leaf *leaf =
			leaf_of(pairs + first, (unsigned)(next - first));

		leaf->previous = last;
		if (last)
			last->next = leaf;
		last = leaf;
		l.nodes[i] = leaf;
		l.keys[i] = pairs[first].key;
		l.counts[i] = next - first;
		l.low[i] = pairs[first].member;
	}
	return l;
}

static struct zset_inner *inner_of(const struct level *l, size_t first,
				   size_t count)
{
	struct zset_inner *node = mem_alloc(sizeof(*node));

	node->count = (unsigned)count;
	memcpy(node->keys, l->keys + first, count * sizeof(*l->keys));
	memcpy(node->counts, l->counts + first, count * sizeof(*l->counts));
	memcpy(node->low, l->low + first, count * sizeof(*l->low));
	memcpy(node->children, l->nodes + first, count * sizeof(*l->nodes));
	return node;
}

/* The level above. */
static struct level parents_of(const struct level *below)
{
	struct level l = level_new((below->count + INNER_FILL - 1) /
				   INNER_FILL);
	size_t i;

	for (i = 0; i < l.count; i++) {
		size_t first = share(below->count, l.count, i);
		size_t next = share(below->count, l.count, i + 1);

		l.nodes[i] = inner_of(below, first, next - first);
		l.keys[i] = below->keys[first];
		l.counts[i] = zset_node_size(l.nodes[i], 1);
		l.low[i] = below->low[first];
	}
	return l;
}

void zset_tree_build(struct zset_tree *t, struct zset_pair *pairs,
		     struct zset_pair *spare, size_t count)
{
	struct level l;

	assert(t->root == NULL);
	if (count == 0)
		return;
	l = leaves_of(sort_pairs(pairs, spare, count), count);
	t->count = count;
	t->leaf_count = l.count;
	while (l.count > 1) {
		struct level above = parents_of(&l);

		level_release(&l);
		l = above;
		t->depth++;
		t->inner_count += l.count;
	}
	t->root = l.nodes[0];
	level_release(&l);
}
