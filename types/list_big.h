/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big lists: nodes of packed elements, found through two arrays.
 *
 *   parts   [block, elements]  [block, elements]  …        one array
 *   block   [slot] [slot] …    up to LIST_BLOCK_MAX
 *   slot    node, the part of its bytes that is ours, elements
 *   node    bytes: a run (types/list_run.h)
 *
 * An index is found by adding up parts, then slots, then elements; the ends are
 * there at once.  Blocks and nodes count who holds them: a snapshot or a copy
 * holds blocks, a copied block holds nodes, and who writes to what is held by
 * somebody else copies it first.  Taking elements off a node writes only to its
 * slot.  Only types/list*.c include this.  Engine thread, but for letting go.
 */
#ifndef REDOUBT_TYPES_LIST_BIG_H
#define REDOUBT_TYPES_LIST_BIG_H

#include "types/list.h"

#include <stdatomic.h>

#define LIST_BLOCK_MAX 254 /* a full block is 8 KiB less a few bytes */

struct list_node {
	atomic_size_t refs;
	uint8_t data[];
};

/* Only the owner of the one reference to the block changes a slot. */
struct list_slot {
	struct list_node *node;
	size_t capacity; /* of node->data */
	size_t end;      /* our elements are the bytes from begin to end */
	uint32_t begin;
	uint32_t count; /* elements; never 0 */
};

struct list_block {
	atomic_size_t refs;
	uint16_t first; /* used slots are together */
	uint16_t count;
	uint16_t capacity;
	struct list_slot slots[];
};

struct list_part {
	struct list_block *block;
	uint64_t count; /* elements */
};

struct list_big {
	uint64_t count; /* elements */
	struct list_part *parts;
	uint32_t first; /* used parts are together */
	uint32_t part_count;
	uint32_t capacity;
};

/* Where an element is. */
struct list_place {
	uint32_t part; /* counted from big->first */
	uint32_t slot; /* counted from block->first */
	uint32_t index; /* in the slot */
};

static inline struct list_part *big_part(const struct list_big *l,
					 uint32_t index)
{
	return &l->parts[l->first + index];
}

static inline struct list_slot *block_slot(struct list_block *b, uint32_t index)
{
	return &b->slots[b->first + index];
}

static inline const uint8_t *slot_begin(const struct list_slot *s)
{
	return s->node->data + s->begin;
}

static inline const uint8_t *slot_end(const struct list_slot *s)
{
	return s->node->data + s->end;
}

static inline size_t slot_used(const struct list_slot *s)
{
	return s->end - s->begin;
}

/* An empty list. */
struct list_big *big_new(void);

/* A list of the same elements, which shares the blocks. */
struct list_big *big_copy(const struct list_big *l);

/* Hands the list, or what a frozen one holds of it, to the freeing thread. */
void big_free(struct list_big *l);

/* Adds the bytes of a whole run at the right end, as a node of its own. */
void big_add_run(struct list_big *l, struct slice run, uint32_t count);

/* One element more at an end. */
void big_push(struct list_big *l, enum list_end at, const struct pack_key *k,
	      const struct list_limits *limits);

/* The strings of a run at the right end, one by one; how many they were. */
size_t big_append(struct list_big *l, struct reader *in,
		  const struct list_limits *limits);

/* Takes count elements off an end; there are that many. */
void big_pop(struct list_big *l, enum list_end at, uint64_t count);

/* Where the element of this index is; index is below the count. */
struct list_place big_find(const struct list_big *l, uint64_t index);

/* In the middle (list_edit.c). */
void big_set(struct list_big *l, uint64_t index, const struct pack_key *k,
	     const struct list_limits *limits);
void big_insert(struct list_big *l, uint64_t index, const struct pack_key *k,
		const struct list_limits *limits);
void big_remove(struct list_big *l, uint64_t index, uint64_t count,
		const struct list_limits *limits);

/* Bytes of all nodes; of a list of very many, an estimate. */
size_t big_stored(const struct list_big *l);

/* Invariants as code. */
void big_check(const struct list_big *l);

/* What list_big.c and list_edit.c share. */

/* The block of a part, ours alone. */
struct list_block *big_own(struct list_big *l, uint32_t part);

/* Makes room for one slot at `slot` of the part's block, which may have to be
 * cut in two: *place says where the new slot is. Its node is not set. */
struct list_slot *big_add_slot(struct list_big *l, struct list_place *place);

/* Takes slots out, and lets go of their nodes; the part goes with its last. */
void big_remove_slots(struct list_big *l, uint32_t part, uint32_t slot,
		      uint32_t count);

/* Takes parts out, and hands their blocks to the freeing thread. */
void big_remove_parts(struct list_big *l, uint32_t part, uint32_t count);

/* A node for a slot: capacity bytes, count 0. */
void slot_init(struct list_slot *s, size_t capacity);

/* Lets go of the slot's node. */
void slot_release(struct list_slot *s);

/* Gives the slot a node of this capacity, ours alone, with the same elements
 * from `begin` on; capacity is enough. */
void slot_move(struct list_slot *s, size_t capacity, size_t begin);

/* Whether the node is held by others, too. */
static inline bool slot_shared(const struct list_slot *s)
{
	return atomic_load_explicit(&s->node->refs, memory_order_acquire) > 1;
}

/* Gives back what a node has too much, if that is worth it. */
void slot_trim(struct list_slot *s);

#endif
