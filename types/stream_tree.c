/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trees of stream nodes.
 *
 * I1. Nodes are in order: the last ID of one is below the first of the next.
 *     No node and no chunk of a tree is empty.
 * I2. What is changed has one holder: stream_tree_own copies first the chunk,
 *     then the node, if others hold them. A chunk's copy holds its nodes too.
 * I3. Nodes and chunks come from base/mem.h, so any thread may release them.
 */
#include "types/stream_tree.h"

#include "base/mem.h"
#include "base/reaper.h"

#include <assert.h>

#define CHUNK_START 4 /* nodes a first chunk has room for */
#define TREE_START 2  /* chunks a tree has room for at first */
#define CUT_INLINE 16 /* nodes that are released on the spot */

static size_t node_bytes(const struct stream_node *n)
{
	return sizeof(*n) + n->capacity;
}

struct stream_node *stream_node_new(size_t capacity)
{
	struct stream_node *n = mem_alloc(sizeof(*n) + capacity);

	assert(capacity <= UINT32_MAX);
	*n = (struct stream_node){
		.capacity = (uint32_t)capacity,
		.oldest = UINT64_MAX,
	};
	atomic_init(&n->refs, 1);
	return n;
}

static bool shared(const atomic_uint *refs)
{
	return atomic_load_explicit(refs, memory_order_acquire) > 1;
}

static void node_release(struct stream_node *n)
{
	if (!shared(&n->refs) ||
	    atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) == 1)
		mem_free(n);
}

static void chunk_release(struct stream_chunk *c)
{
	uint32_t i;

	if (shared(&c->refs) &&
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (i = 0; i < c->count; i++)
		node_release(c->at[i]);
	mem_free(c);
}

static size_t chunk_bytes(uint32_t capacity)
{
	return sizeof(struct stream_chunk) +
	       capacity * sizeof(struct stream_node *);
}

static struct stream_chunk *chunk_new(uint32_t capacity)
{
	struct stream_chunk *c = mem_alloc(chunk_bytes(capacity));

	*c = (struct stream_chunk){
		.capacity = capacity,
		.oldest = UINT64_MAX,
	};
	atomic_init(&c->refs, 1);
	return c;
}

/* The chunk for this tree alone. (I2) */
static struct stream_chunk *chunk_own(struct stream_tree *t, uint32_t index)
{
	struct stream_chunk *old = t->at[index], *c;
	uint32_t i;

	if (!shared(&old->refs))
		return old;
	c = chunk_new(old->capacity);
	c->count = old->count;
	c->entries = old->entries;
	c->bytes = old->bytes;
	c->oldest = old->oldest;
	for (i = 0; i < old->count; i++) {
		c->at[i] = old->at[i];
		atomic_fetch_add_explicit(&c->at[i]->refs, 1,
					  memory_order_relaxed);
	}
	chunk_release(old);
	t->at[index] = c;
	return c;
}

/* Index of the first chunk whose last ID is not below id, or count. */
static uint32_t find_chunk(const struct stream_tree *t, struct stream_id id)
{
	uint32_t low = 0, high = t->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct stream_chunk *c = t->at[middle];

		if (stream_id_below(c->at[c->count - 1]->last, id))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool stream_tree_find(const struct stream_tree *t, struct stream_id id,
		      struct stream_place *p)
{
	const struct stream_chunk *c;
	uint32_t low = 0, high;

	*p = (struct stream_place){ find_chunk(t, id), 0 };
	if (p->chunk == t->count)
		return false;
	c = t->at[p->chunk];
	high = c->count - 1; /* which is one that is not below */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (stream_id_below(c->at[middle]->last, id))
			low = middle + 1;
		else
			high = middle;
	}
	p->node = low;
	return true;
}

bool stream_tree_last(const struct stream_tree *t, struct stream_place *p)
{
	*p = (struct stream_place){ 0, 0 };
	if (t->count == 0)
		return false;
	p->chunk = t->count - 1;
	p->node = t->at[p->chunk]->count - 1;
	return true;
}

bool stream_place_next(const struct stream_tree *t, struct stream_place *p)
{
	if (p->chunk < t->count && ++p->node == t->at[p->chunk]->count) {
		p->chunk++;
		p->node = 0;
	}
	return p->chunk < t->count;
}

bool stream_place_previous(const struct stream_tree *t, struct stream_place *p)
{
	if (p->node > 0) {
		p->node--;
		return true;
	}
	if (p->chunk == 0)
		return false;
	p->chunk--;
	p->node = t->at[p->chunk]->count - 1;
	return true;
}

/* Puts a chunk at an index of the tree's array. */
static void chunk_insert(struct stream_tree *t, uint32_t index,
			 struct stream_chunk *c)
{
	assert(index <= t->count);
	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : TREE_START;
		t->at = mem_realloc_array(t->at, t->capacity,
					  sizeof(t->at[0]));
	}
	memmove(t->at + index + 1, t->at + index,
		(t->count - index) * sizeof(t->at[0]));
	t->at[index] = c;
	t->count++;
}

static void chunk_remove(struct stream_tree *t, uint32_t index)
{
	t->count--;
	memmove(t->at + index, t->at + index + 1,
		(t->count - index) * sizeof(t->at[0]));
}

/* Moves the second half of an owned chunk to a new one behind it. */
static void chunk_split(struct stream_tree *t, uint32_t index)
{
	struct stream_chunk *c = t->at[index];
	struct stream_chunk *fresh = chunk_new(STREAM_CHUNK_MAX);
	uint32_t half = c->count / 2, i;

	fresh->oldest = c->oldest;
	for (i = half; i < c->count; i++) {
		fresh->at[fresh->count++] = c->at[i];
		fresh->entries += c->at[i]->count;
		fresh->bytes += node_bytes(c->at[i]);
	}
	c->count = half;
	c->entries -= fresh->entries;
	c->bytes -= fresh->bytes;
	chunk_insert(t, index + 1, fresh);
}

/* An owned chunk that has room for a node, and where in it p is. */
static struct stream_chunk *chunk_with_room(struct stream_tree *t,
					    struct stream_place *p)
{
	struct stream_chunk *c;

	if (p->chunk == t->count && t->count > 0) { /* behind the last */
		p->chunk--;
		p->node = t->at[p->chunk]->count;
	}
	if (t->count == 0 || (p->chunk == t->count - 1 &&
			      p->node == STREAM_CHUNK_MAX)) {
		p->chunk = t->count;
		p->node = 0;
		chunk_insert(t, p->chunk, chunk_new(t->count ?
					STREAM_CHUNK_MAX : CHUNK_START));
	}
	c = chunk_own(t, p->chunk);
	if (c->count == STREAM_CHUNK_MAX) {
		chunk_split(t, p->chunk);
		if (p->node > c->count) {
			p->node -= c->count;
			p->chunk++;
		}
		c = t->at[p->chunk];
	}
	if (c->count == c->capacity) {
		c->capacity *= 2;
		c = mem_realloc(c, chunk_bytes(c->capacity));
		t->at[p->chunk] = c;
	}
	return c;
}

struct stream_place stream_tree_insert(struct stream_tree *t,
				       struct stream_place p,
				       struct stream_node *n)
{
	struct stream_chunk *c = chunk_with_room(t, &p);

	assert(n->count > 0);
	assert(c->count < c->capacity && p.node <= c->count);
	memmove(c->at + p.node + 1, c->at + p.node,
		(c->count - p.node) * sizeof(c->at[0]));
	c->at[p.node] = n;
	c->count++;
	c->entries += n->count;
	c->bytes += node_bytes(n);
	if (n->oldest < c->oldest)
		c->oldest = n->oldest;
	t->entries += n->count;
	return p;
}

void stream_tree_remove(struct stream_tree *t, struct stream_place p)
{
	struct stream_chunk *c = chunk_own(t, p.chunk);
	struct stream_node *n = c->at[p.node];

	c->count--;
	c->entries -= n->count;
	c->bytes -= node_bytes(n);
	t->entries -= n->count;
	memmove(c->at + p.node, c->at + p.node + 1,
		(c->count - p.node) * sizeof(c->at[0]));
	node_release(n);
	if (c->count > 0)
		return;
	chunk_release(c);
	chunk_remove(t, p.chunk);
}

/* Another node in place of one that is shared or too small. */
static struct stream_node *node_replace(struct stream_chunk *c, uint32_t index,
					size_t capacity)
{
	struct stream_node *old = c->at[index], *n;

	assert(capacity >= old->used && capacity <= UINT32_MAX);
	c->bytes -= node_bytes(old);
	if (shared(&old->refs)) {
		n = stream_node_new(capacity);
		n->count = old->count;
		n->ever = old->ever;
		n->used = old->used;
		n->first = old->first;
		n->last = old->last;
		n->oldest = old->oldest;
		memcpy(n->data, old->data, old->used);
		node_release(old);
	} else {
		n = mem_realloc(old, sizeof(*n) + capacity);
		n->capacity = (uint32_t)capacity;
	}
	c->bytes += node_bytes(n);
	c->at[index] = n;
	return n;
}

struct stream_node *stream_tree_own(struct stream_tree *t,
				    struct stream_place p, size_t more)
{
	struct stream_chunk *c = chunk_own(t, p.chunk);
	struct stream_node *n = c->at[p.node];
	size_t need = n->used + more;

	if (__builtin_expect(need > n->capacity, 0))
		return node_replace(c, p.node, need + need / 2);
	if (__builtin_expect(shared(&n->refs), 0))
		return node_replace(c, p.node, n->capacity);
	return n;
}

void stream_tree_counted(struct stream_tree *t, struct stream_place p,
			 int64_t more)
{
	struct stream_chunk *c = t->at[p.chunk];

	c->at[p.node]->count += (uint16_t)more;
	c->entries += (uint64_t)more;
	t->entries += (uint64_t)more;
}

void stream_tree_fit(struct stream_tree *t, struct stream_place p)
{
	struct stream_node *n = stream_tree_node(t, p);

	if (n->capacity - n->used <= n->used / 16)
		return;
	node_replace(chunk_own(t, p.chunk), p.node, n->used);
}

/* Chunks on their way to the freeing thread. */
struct cut {
	uint32_t count;
	struct stream_chunk **at;
};

static void cut_free(void *object)
{
	struct cut *cut = object;
	uint32_t i;

	for (i = 0; i < cut->count; i++)
		chunk_release(cut->at[i]);
	mem_free(cut->at);
	mem_free(cut);
}

/* Takes the first `count` chunks out. */
static void cut_chunks(struct stream_tree *t, uint32_t count)
{
	struct cut *cut = mem_alloc(sizeof(*cut));
	uint32_t i;

	cut->count = count;
	cut->at = mem_realloc_array(NULL, count, sizeof(cut->at[0]));
	for (i = 0; i < count; i++) {
		cut->at[i] = t->at[i];
		t->entries -= t->at[i]->entries;
	}
	t->count -= count;
	memmove(t->at, t->at + count, t->count * sizeof(t->at[0]));
	if (count == 1 && cut->at[0]->count <= CUT_INLINE)
		cut_free(cut);
	else
		reaper_free(cut_free, cut);
}

void stream_tree_cut(struct stream_tree *t, struct stream_place p)
{
	struct stream_chunk *c;
	uint32_t i;

	if (p.chunk > 0)
		cut_chunks(t, p.chunk);
	if (p.node == 0)
		return;
	c = chunk_own(t, 0);
	assert(p.node < c->count);
	for (i = 0; i < p.node; i++) {
		c->entries -= c->at[i]->count;
		t->entries -= c->at[i]->count;
		c->bytes -= node_bytes(c->at[i]);
		node_release(c->at[i]);
	}
	c->count -= p.node;
	memmove(c->at, c->at + p.node, c->count * sizeof(c->at[0]));
}

void stream_tree_copy(struct stream_tree *copy, const struct stream_tree *t)
{
	uint32_t i;

	*copy = (struct stream_tree){
		.count = t->count,
		.capacity = t->count,
		.entries = t->entries,
	};
	if (t->count == 0)
		return;
	copy->at = mem_realloc_array(NULL, t->count, sizeof(t->at[0]));
	for (i = 0; i < t->count; i++) {
		copy->at[i] = t->at[i];
		atomic_fetch_add_explicit(&t->at[i]->refs, 1,
					  memory_order_relaxed);
	}
}

void stream_tree_release(struct stream_tree *t)
{
	uint32_t i;

	for (i = 0; i < t->count; i++)
		chunk_release(t->at[i]);
	mem_free(t->at);
	*t = (struct stream_tree){ 0 };
}

size_t stream_tree_nodes(const struct stream_tree *t)
{
	size_t nodes = 0;
	uint32_t i;

	for (i = 0; i < t->count; i++)
		nodes += t->at[i]->count;
	return nodes;
}

size_t stream_tree_memory(const struct stream_tree *t)
{
	size_t bytes = t->capacity * sizeof(t->at[0]);
	uint32_t i;

	for (i = 0; i < t->count; i++)
		bytes += chunk_bytes(t->at[i]->capacity) + t->at[i]->bytes;
	return bytes;
}

static void chunk_check(const struct stream_chunk *c, struct stream_id *below)
{
	uint64_t entries = 0;
	size_t bytes = 0;
	uint32_t i;

	assert(c->count > 0 && c->count <= c->capacity);
	assert(c->capacity <= STREAM_CHUNK_MAX);
	for (i = 0; i < c->count; i++) {
		const struct stream_node *n = c->at[i];

		assert(n->count > 0 && n->used <= n->capacity);
		assert(!stream_id_below(n->first, *below));
		assert(!stream_id_below(n->last, n->first));
		assert(n->oldest >= c->oldest);
		*below = n->last;
		entries += n->count;
		bytes += node_bytes(n);
		if (i + 1 < c->count)
			assert(stream_id_below(n->last, c->at[i + 1]->first));
	}
	assert(entries == c->entries);
	assert(bytes == c->bytes);
}

void stream_tree_check(const struct stream_tree *t)
{
	struct stream_id below = { 0, 0 };
	uint64_t entries = 0;
	uint32_t i;

	assert(t->count <= t->capacity);
	for (i = 0; i < t->count; i++) {
		chunk_check(t->at[i], &below);
		entries += t->at[i]->entries;
	}
	assert(entries == t->entries);
}
