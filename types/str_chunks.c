/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/str_chunks.h"

#include "base/mem.h"
#include "base/reaper.h"
#include "types/str.h"

#include <assert.h>

/* A chunk that is to hold more than this is allocated whole. */
#define CHUNK_WHOLE_FROM (STR_CHUNK_SIZE / 4 * 3)
/* Whole chunks are whole pages of memory. */
#define CHUNK_ALIGN 4096

static uint8_t zeros[STR_CHUNK_SIZE]; /* never written */

/* A chunk with room for `size` bytes, none of them stored yet. */
static struct str_chunk *chunk_new(size_t size)
{
	struct str_chunk *chunk = mem_alloc(sizeof(*chunk));
	bool whole = size > CHUNK_WHOLE_FROM;

	assert(size <= STR_CHUNK_SIZE);
	size = whole ? STR_CHUNK_SIZE : str_grown_size(size);
	atomic_init(&chunk->refs, 1);
	chunk->used = 0;
	chunk->capacity = (uint32_t)size;
	chunk->data = whole ? mem_alloc_aligned(CHUNK_ALIGN, size)
			    : mem_alloc(size);
	return chunk;
}

void str_chunk_release(struct str_chunk *chunk)
{
	if (atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) >
	    1)
		return;
	mem_free(chunk->data);
	mem_free(chunk);
}

struct str_chunks *str_chunks_new(void)
{
	return mem_calloc(1, sizeof(struct str_chunks));
}

/* Makes the string at least this long. */
static void chunks_extend(struct str_chunks *c, uint64_t size)
{
	size_t count = (size + STR_CHUNK_SIZE - 1) / STR_CHUNK_SIZE;

	if (count > c->capacity) {
		size_t capacity = str_grown_size(count);

		c->at = mem_realloc_array(c->at, capacity, sizeof(c->at[0]));
		memset(c->at + c->capacity, 0,
		       (capacity - c->capacity) * sizeof(c->at[0]));
		c->capacity = capacity;
	}
	if (count > c->count)
		c->count = count;
	if (size > c->size)
		c->size = size;
}

/* Puts a chunk with room for `size` bytes, holding what it held, in place of
 * one that is missing, too small or shared. */
static struct str_chunk *chunk_replace(struct str_chunks *c, size_t index,
				       size_t size)
{
	struct str_chunk *old = c->at[index];
	struct str_chunk *chunk = chunk_new(old && old->used > size ? old->used
								    : size);

	c->stored += chunk->capacity;
	c->at[index] = chunk;
	if (old == NULL)
		return chunk;
	memcpy(chunk->data, old->data, old->used);
	chunk->used = old->used;
	c->stored -= old->capacity;
	str_chunk_release(old);
	return chunk;
}

static bool all_zero(const uint8_t *data, size_t size)
{
	return memcmp(data, zeros, size) == 0;
}

/* Writes inside one chunk. */
static void chunk_write(struct str_chunks *c, size_t index, size_t begin,
			const uint8_t *data, size_t size)
{
	struct str_chunk *chunk = c->at[index];
	size_t end = begin + size;

	if ((chunk == NULL || begin >= chunk->used) && all_zero(data, size))
		return; /* reads as zeros already */
	if (chunk == NULL || end > chunk->capacity ||
	    atomic_load_explicit(&chunk->refs, memory_order_acquire) > 1)
		chunk = chunk_replace(c, index, end);
	if (begin > chunk->used)
		memset(chunk->data + chunk->used, 0, begin - chunk->used);
	memcpy(chunk->data + begin, data, size);
	if (end > chunk->used)
		chunk->used = (uint32_t)end;
}

void str_chunks_write(struct str_chunks *c, uint64_t offset,
		      struct slice bytes)
{
	size_t done = 0;

	if (bytes.size == 0)
		return;
	chunks_extend(c, offset + bytes.size);
	while (done < bytes.size) {
		size_t index = (offset + done) / STR_CHUNK_SIZE;
		size_t begin = (offset + done) % STR_CHUNK_SIZE;
		size_t size = STR_CHUNK_SIZE - begin;

		if (size > bytes.size - done)
			size = bytes.size - done;
		chunk_write(c, index, begin, bytes.data + done, size);
		done += size;
	}
}

struct slice str_chunks_piece(struct str_chunk *const *at, uint64_t size,
			      uint64_t offset, bool *hole)
{
	const struct str_chunk *chunk;
	size_t begin = offset % STR_CHUNK_SIZE, end = STR_CHUNK_SIZE;
	bool stored;

	assert(offset <= size);
	if (hole != NULL)
		*hole = false;
	if (offset == size)
		return slice_of(zeros, 0);
	if (size - offset < end - begin)
		end = begin + (size_t)(size - offset);
	chunk = at[offset / STR_CHUNK_SIZE];
	stored = chunk != NULL && begin < chunk->used;
	if (hole != NULL)
		*hole = !stored;
	if (!stored)
		return slice_of(zeros, end - begin);
	if (chunk->used < end)
		end = chunk->used;
	return slice_of(chunk->data + begin, end - begin);
}

void str_chunks_hold(const struct str_chunks *c, struct str_chunk **out)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		out[i] = c->at[i];
		if (out[i] != NULL)
			atomic_fetch_add_explicit(&out[i]->refs, 1,
						  memory_order_relaxed);
	}
}

struct str_chunks *str_chunks_copy(const struct str_chunks *c)
{
	struct str_chunks *copy = str_chunks_new();

	chunks_extend(copy, c->size);
	str_chunks_hold(c, copy->at);
	copy->stored = c->stored;
	return copy;
}

/* In the freeing thread. */
static void chunks_destroy(void *p)
{
	struct str_chunks *c = p;
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->at[i] != NULL)
			str_chunk_release(c->at[i]);
	mem_free(c->at);
	mem_free(c);
}

void str_chunks_free(struct str_chunks *c)
{
	reaper_free(chunks_destroy, c);
}

size_t str_chunks_memory(const struct str_chunks *c)
{
	return sizeof(*c) + c->capacity * sizeof(c->at[0]) + c->stored;
}

void str_chunks_check(const struct str_chunks *c)
{
	size_t i, stored = 0;

	assert(c->count <= c->capacity);
	assert(c->count == (c->size + STR_CHUNK_SIZE - 1) / STR_CHUNK_SIZE);
	for (i = 0; i < c->capacity; i++) {
		const struct str_chunk *chunk = c->at[i];

		if (chunk == NULL)
			continue;
		assert(i < c->count);
		assert(atomic_load(&chunk->refs) > 0);
		assert(chunk->used <= chunk->capacity);
		assert(i * STR_CHUNK_SIZE + chunk->used <= c->size);
		stored += chunk->capacity;
	}
	assert(stored == c->stored);
}
