/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big strings: an array of pointers to reference-counted chunks.
 *
 * A chunk covers STR_CHUNK_SIZE bytes of the string and stores a prefix of
 * them, what is behind reads as zeros; a missing chunk is all zeros.  Who
 * writes to a chunk that somebody else holds copies it first.  Only types/
 * includes this.  Engine thread, but for releasing chunks.
 */
#ifndef REDOUBT_TYPES_STR_CHUNKS_H
#define REDOUBT_TYPES_STR_CHUNKS_H

#include "base/slice.h"

#include <stdatomic.h>

struct str_chunk {
	atomic_uint refs;
	uint32_t used;     /* bytes stored: the first of the chunk */
	uint32_t capacity; /* bytes allocated behind data */
	uint8_t *data;
};

struct str_chunks {
	uint64_t size;     /* of the string, bytes */
	size_t count;      /* chunks that size takes */
	size_t capacity;   /* of the array `at` */
	size_t stored;     /* bytes allocated for chunks */
	struct str_chunk **at; /* NULL: zeros */
};

/* An empty big string. */
struct str_chunks *str_chunks_new(void);

/* Another string of the same bytes, which shares the chunks. */
struct str_chunks *str_chunks_copy(const struct str_chunks *c);

/* Hands the string to the freeing thread. */
void str_chunks_free(struct str_chunks *c);

/* Writes bytes at offset; makes the string longer if need be. */
void str_chunks_write(struct str_chunks *c, uint64_t offset,
		      struct slice bytes);

/* The bytes from offset on that lie together, of `count` chunks of a string of
 * this size; *hole (may be NULL) says that they are zeros and not stored. */
struct slice str_chunks_piece(struct str_chunk *const *at, uint64_t size,
			      uint64_t offset, bool *hole);

/* One more holder of every chunk of c, whose pointers go to out. */
void str_chunks_hold(const struct str_chunks *c, struct str_chunk **out);

/* One holder less. Any thread. */
void str_chunk_release(struct str_chunk *chunk);

/* Bytes allocated for the string; shared chunks count for each. */
size_t str_chunks_memory(const struct str_chunks *c);

/* Invariants as code, for tests. */
void str_chunks_check(const struct str_chunks *c);

/* Bytes to allocate for something of `size` that goes on growing: an eighth or
 * less is spare. */
static inline size_t str_grown_size(size_t size)
{
	size_t step = size < 64 ? 8 : (size_t)1 << (60 - __builtin_clzll(size));

	return (size + step - 1) & ~(step - 1);
}

#endif
