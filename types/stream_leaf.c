/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leaves: items of one size in the nodes of a stream tree.
 *
 * L1. An item begins with its ID; items are in order of IDs, which differ.
 * L2. First and last of a node are its items' exactly.
 */
#include "types/stream_leaf.h"

#include <assert.h>

#define LEAF_MAX 128 /* items in a node */
#define LEAF_START 4 /* items a first node has room for */

/* After a change of the items. */
static void leaf_bounds(struct stream_node *n, size_t size)
{
	n->first = stream_leaf_id(n, 0, size);
	n->last = stream_leaf_id(n, n->count - 1, size);
}

/* A node of its own with one item. */
static struct stream_place leaf_new(struct stream_tree *t,
				    struct stream_place p, const void *item,
				    size_t size)
{
	struct stream_node *n =
		stream_node_new((t->count ? LEAF_MAX : LEAF_START) * size);

	memcpy(n->data, item, size);
	n->used = (uint32_t)size;
	n->count = 1;
	leaf_bounds(n, size);
	return stream_tree_insert(t, p, n);
}

/* Moves the upper half of the node at p to a new one behind it. */
static void leaf_split(struct stream_tree *t, struct stream_place p,
		       size_t size)
{
	struct stream_node *n = stream_tree_own(t, p, 0);
	struct stream_node *fresh = stream_node_new(LEAF_MAX * size);
	uint32_t half = n->count / 2;

	fresh->count = (uint16_t)(n->count - half);
	fresh->used = (uint32_t)(fresh->count * size);
	fresh->oldest = n->oldest;
	memcpy(fresh->data, n->data + half * size, fresh->used);
	leaf_bounds(fresh, size);
	n->used = (uint32_t)(half * size);
	stream_tree_counted(t, p, -(int64_t)fresh->count);
	leaf_bounds(n, size);
	if (++p.node == t->at[p.chunk]->count) {
		p.node = 0; /* stream_tree_insert: before the next chunk's */
		p.chunk++;
	}
	stream_tree_insert(t, p, fresh);
}

struct stream_place stream_leaf_insert(struct stream_tree *t, const void *item,
				       size_t size)
{
	struct stream_id id;
	struct stream_place p;
	struct stream_node *n;
	uint32_t index;
	bool behind;

	memcpy(&id, item, sizeof(id));
	behind = !stream_tree_find(t, id, &p);
	if (behind && !stream_tree_last(t, &p))
		return leaf_new(t, p, item, size);
	if (stream_tree_node(t, p)->count >= LEAF_MAX) {
		if (behind) {
			p = (struct stream_place){ t->count, 0 };
			return leaf_new(t, p, item, size);
		}
		leaf_split(t, p, size);
		stream_tree_find(t, id, &p);
	}
	n = stream_tree_own(t, p, size);
	index = stream_leaf_index(n, id, size);
	memmove(n->data + (index + 1) * size, n->data + index * size,
		n->used - index * size);
	memcpy(n->data + index * size, item, size);
	n->used += (uint32_t)size;
	stream_tree_counted(t, p, 1);
	leaf_bounds(n, size);
	return p;
}

void stream_leaf_remove(struct stream_tree *t, struct stream_place p,
			uint32_t index, size_t size)
{
	struct stream_node *n;

	if (stream_tree_node(t, p)->count == 1) {
		stream_tree_remove(t, p);
		return;
	}
	n = stream_tree_own(t, p, 0);
	memmove(n->data + index * size, n->data + (index + 1) * size,
		n->used - (index + 1) * size);
	n->used -= (uint32_t)size;
	stream_tree_counted(t, p, -1);
	leaf_bounds(n, size);
	if (n->used < n->capacity / 4)
		stream_tree_fit(t, p);
}

void stream_leaf_check(const struct stream_tree *t, size_t size)
{
	struct stream_place p = { 0, 0 };
	uint32_t i;

	stream_tree_check(t);
	for (; p.chunk < t->count; stream_place_next(t, &p)) {
		const struct stream_node *n = stream_tree_node(t, p);

		assert(n->count <= LEAF_MAX && n->used == n->count * size);
		assert(stream_id_equal(n->first, stream_leaf_id(n, 0, size)));
		assert(stream_id_equal(n->last,
				       stream_leaf_id(n, n->count - 1, size)));
		for (i = 1; i < n->count; i++)
			assert(stream_id_below(stream_leaf_id(n, i - 1, size),
					       stream_leaf_id(n, i, size)));
	}
}
