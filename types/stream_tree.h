/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What streams are made of: nodes in order of stream IDs, found by ID.
 *
 * A node holds some entries (or pending entries) in its data; a chunk holds up
 * to STREAM_CHUNK_MAX nodes, a tree an array of chunks.  Nodes and chunks are
 * reference-counted, so a second tree of the same contents costs one count per
 * chunk; who changes a shared one copies it first.  What the data of a node
 * means is its user's business (types/stream_block.h, types/stream_leaf.h,
 * types/stream_marks.c).
 * Only types/stream*.c include this.  Engine thread, but for release.
 */
#ifndef REDOUBT_TYPES_STREAM_TREE_H
#define REDOUBT_TYPES_STREAM_TREE_H

#include "types/stream_id.h"

#include <stdatomic.h>

#define STREAM_CHUNK_MAX 256

struct stream_node {
	atomic_uint refs;
	uint16_t count;    /* entries */
	uint16_t ever;     /* of a block: with those removed since */
	uint32_t used;     /* bytes of data */
	uint32_t capacity; /* bytes allocated for data */
	struct stream_id first; /* no entry is below; base of a block */
	struct stream_id last;  /* of the last entry */
	uint64_t oldest; /* of pending entries: types/stream_ages.h */
	uint8_t data[];
};

struct stream_chunk {
	atomic_uint refs;
	uint32_t count;    /* nodes */
	uint32_t capacity;
	uint64_t entries;  /* in its nodes */
	size_t bytes;      /* allocated for its nodes */
	uint64_t oldest;   /* no node's is below */
	struct stream_node *at[];
};

/* All zero is an empty tree. */
struct stream_tree {
	struct stream_chunk **at;
	uint32_t count;    /* chunks, none of them empty */
	uint32_t capacity;
	uint64_t entries;
};

/* A node's place; chunk == count: behind the last. Dies when nodes come or
 * go. */
struct stream_place {
	uint32_t chunk;
	uint32_t node;
};

static inline struct stream_node *stream_tree_node(const struct stream_tree *t,
						   struct stream_place p)
{
	return t->at[p.chunk]->at[p.node];
}

/* The first node whose last ID is not below id; false if there is none. */
bool stream_tree_find(const struct stream_tree *t, struct stream_id id,
		      struct stream_place *p);

/* The last node; false if there is none. */
bool stream_tree_last(const struct stream_tree *t, struct stream_place *p);

/* To the next or the previous node; false at the end. */
bool stream_place_next(const struct stream_tree *t, struct stream_place *p);
bool stream_place_previous(const struct stream_tree *t,
			   struct stream_place *p);

/* A node of no entries with room for this much data. */
struct stream_node *stream_node_new(size_t capacity);

/* Puts a node with its entries before place p, or behind the last. Returns
 * where it is. */
struct stream_place stream_tree_insert(struct stream_tree *t,
				       struct stream_place p,
				       struct stream_node *n);

/* Takes the node at p out and releases it. */
void stream_tree_remove(struct stream_tree *t, struct stream_place p);

/* The node at p, for this tree alone, with room for `more` bytes of data. */
struct stream_node *stream_tree_own(struct stream_tree *t,
				    struct stream_place p, size_t more);

/* Says that the owned node at p has `more` entries more. */
void stream_tree_counted(struct stream_tree *t, struct stream_place p,
			 int64_t more);

/* Gives back what the node at p has allocated and does not use, if that is
 * worth it. */
void stream_tree_fit(struct stream_tree *t, struct stream_place p);

/* Takes all nodes before place p out; many of them go to the freeing thread.
 * The first node left is at place 0 0. */
void stream_tree_cut(struct stream_tree *t, struct stream_place p);

/* Makes *copy a tree of the same contents. */
void stream_tree_copy(struct stream_tree *copy, const struct stream_tree *t);

/* Releases everything; any thread. */
void stream_tree_release(struct stream_tree *t);

/* Nodes, and bytes allocated. */
size_t stream_tree_nodes(const struct stream_tree *t);
size_t stream_tree_memory(const struct stream_tree *t);

/* Invariants as code, for tests. */
void stream_tree_check(const struct stream_tree *t);

#endif
