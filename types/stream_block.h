/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed blocks: the data of the nodes that hold a stream's entries, and of
 * stream_load records (FORMAT.md section 4 has the grammar).
 *
 * Only types/stream*.c include this.
 */
#ifndef REDOUBT_TYPES_STREAM_BLOCK_H
#define REDOUBT_TYPES_STREAM_BLOCK_H

#include "types/stream.h"

/* An entry that is to be written. */
struct stream_shape {
	struct slice items; /* field, value, … in record form */
	uint32_t pairs;
	bool like_first;    /* has the fields the block's first one had */
	size_t size;        /* bytes of fields and values */
	size_t room;        /* bytes it takes at most */
};

/* Measures items; n is the block they may go to, or NULL. */
struct stream_shape stream_block_shape(const struct stream_node *n,
				       struct slice items);

/* A block of one entry; `hint` bytes are to be expected. */
struct stream_node *stream_block_new(struct stream_id id,
				     const struct stream_shape *shape,
				     size_t hint);

/* Writes an entry behind the others; n has room and is owned. Does not
 * count. */
void stream_block_append(struct stream_node *n, struct stream_id id,
			 const struct stream_shape *shape);

/* Before the first entry of a block. */
struct stream_block_at stream_block_open(const struct stream_node *n);

/* The next entry; false at the end. */
bool stream_block_next(struct stream_block_at *b, struct stream_entry *e);

/* Removes the bytes from one place to another, as b.at had them, out of an
 * owned block. */
void stream_block_cut(struct stream_node *n, size_t from, size_t to);

#endif
