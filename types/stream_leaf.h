/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Items of one size in a stream tree, in order of the IDs they begin with: what
 * is pending in groups (types/stream_group.h), and whose marks are which
 * (types/stream_marks.h).  Only types/stream*.c include this.
 */
#ifndef REDOUBT_TYPES_STREAM_LEAF_H
#define REDOUBT_TYPES_STREAM_LEAF_H

#include "types/stream_tree.h"

/* The ID of the item at this index. */
static inline struct stream_id
stream_leaf_id(const struct stream_node *n, uint32_t index, size_t size)
{
	struct stream_id id;

	memcpy(&id, n->data + index * size, sizeof(id));
	return id;
}

/* Index of the first item of the node that is not below id, or the count. */
static inline uint32_t stream_leaf_index(const struct stream_node *n,
					 struct stream_id id, size_t size)
{
	uint32_t low = 0, high = n->count;

	if (n->count == 0 || stream_id_below(n->last, id))
		return n->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (stream_id_below(stream_leaf_id(n, middle, size), id))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where the item of this ID is; false: absent. */
static inline bool stream_leaf_find(const struct stream_tree *t,
				    struct stream_id id, size_t size,
				    struct stream_place *p, uint32_t *index)
{
	const struct stream_node *n;

	if (!stream_tree_find(t, id, p))
		return false;
	n = stream_tree_node(t, *p);
	*index = stream_leaf_index(n, id, size);
	return stream_id_equal(stream_leaf_id(n, *index, size), id);
}

/* Puts an item of an ID that is not there. Returns where its node is. */
struct stream_place stream_leaf_insert(struct stream_tree *t, const void *item,
				       size_t size);

/* Takes out the item at a place. */
void stream_leaf_remove(struct stream_tree *t, struct stream_place p,
			uint32_t index, size_t size);

/* Invariants as code, for tests. */
void stream_leaf_check(const struct stream_tree *t, size_t size);

#endif
