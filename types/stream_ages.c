/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pending entries by age.
 *
 * A1. `oldest` of a node is not above the time of any of its entries that is
 *     pending for a consumer, be that one deleted (types/stream_gone.h) or not;
 *     that of a chunk is not above those of its nodes.
 * A2. It may be below: what has left lets it stand, and who comes by puts it
 *     right.  It is about the contents, so those who share a node may write it.
 * A3. Chunks, nodes and entries wait in one heap, by (time, ID), each with the
 *     least it may have.  What comes out as an entry is before all that is left
 *     in it.
 */
#include "types/stream_ages.h"

#include "base/mem.h"
#include "types/stream_gone.h"

#include <assert.h>

#define IS_CHUNK UINT32_MAX       /* as a node's index */
#define IS_ENTRY (UINT32_MAX - 1) /* likewise */

/* What waits: a chunk, a node, or an entry. */
struct waiting {
	uint64_t time_ms;
	struct stream_id id;
	struct stream_place place;
};

struct heap {
	struct waiting *at;
	size_t count, capacity;
	uint64_t until_ms; /* what is younger does not come in */
};

static inline bool before(const struct waiting *a, const struct waiting *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms;
	return stream_id_below(a->id, b->id);
}

static void heap_put(struct heap *h, struct waiting w)
{
	size_t i = h->count, up;

	if (w.time_ms > h->until_ms)
		return;
	if (h->count == h->capacity) {
		h->capacity = h->capacity ? 2 * h->capacity : 64;
		h->at = mem_realloc_array(h->at, h->capacity, sizeof(w));
	}
	for (h->count++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(&w, &h->at[up]))
			break;
		h->at[i] = h->at[up];
	}
	h->at[i] = w;
}

static struct waiting heap_take(struct heap *h)
{
	struct waiting first = h->at[0], w = h->at[--h->count];
	size_t i = 0, down;

	while ((down = 2 * i + 1) < h->count) {
		if (down + 1 < h->count &&
		    before(&h->at[down + 1], &h->at[down]))
			down++;
		if (!before(&h->at[down], &w))
			break;
		h->at[i] = h->at[down];
		i = down;
	}
	h->at[i] = w;
	return first;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline const struct stream_pending *entries(const struct stream_node *n)
{
	return (const struct stream_pending *)n->data;
}

/* When it was delivered; what is released was not. */
static inline uint64_t time_of(const struct stream_pending *p)
{
	return p->consumer == STREAM_NOBODY ? UINT64_MAX : p->time_ms;
}

void stream_ages_added(struct stream_group *g, struct stream_place p,
		       const struct stream_pending *entry)
{
	struct stream_chunk *c = g->pending.at[p.chunk];
	struct stream_node *n = c->at[p.node];

	n->oldest = least(n->oldest, time_of(entry));
	c->oldest = least(c->oldest, n->oldest);
}

static uint64_t oldest_of(const struct stream_node *n)
{
	uint64_t oldest = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < n->count; i++)
		oldest = least(oldest, time_of(&entries(n)[i]));
	return oldest;
}

/* Entries are delivered in runs: if a neighbour has the same time, nothing
 * changes. */
void stream_ages_left(struct stream_node *n, uint32_t index)
{
	const struct stream_pending *p = &entries(n)[index];
	uint64_t oldest = UINT64_MAX;
	uint32_t i;

	if (time_of(p) != n->oldest ||
	    (index > 0 && time_of(p - 1) == n->oldest) ||
	    (index + 1 < n->count && time_of(p + 1) == n->oldest))
		return;
	for (i = 0; i < n->count; i++)
		if (i != index)
			oldest = least(oldest, time_of(&entries(n)[i]));
	n->oldest = oldest;
}

/* Nodes of a chunk come in its place. */
static void open_chunk(struct heap *h, struct stream_chunk *c, uint32_t index)
{
	uint64_t oldest = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < c->count; i++) {
		const struct stream_node *n = c->at[i];

		oldest = least(oldest, n->oldest);
		heap_put(h, (struct waiting){
			n->oldest, n->first, { index, i } });
	}
	c->oldest = oldest; /* A2 */
}

/* Likewise entries of a node. */
static void open_node(struct heap *h, const struct stream_group *g,
		      struct stream_node *n)
{
	uint32_t i;

	n->oldest = oldest_of(n); /* A2 */
	for (i = 0; i < n->count; i++) {
		const struct stream_pending *p = &entries(n)[i];

		if (!stream_is_gone(g, p))
			heap_put(h, (struct waiting){
				time_of(p), p->id, { 0, IS_ENTRY } });
	}
}

void stream_ages_until(struct stream_group *g, uint64_t until_ms,
		       uint64_t count, struct buf *ids)
{
	/* what is released has the latest time there is */
	struct heap h = { .until_ms = least(until_ms, UINT64_MAX - 1) };
	struct stream_tree *t = &g->pending;
	uint32_t i;

	for (i = 0; i < t->count; i++)
		heap_put(&h, (struct waiting){ t->at[i]->oldest,
			t->at[i]->at[0]->first, { i, IS_CHUNK } });
	while (count > 0 && h.count > 0) {
		struct waiting w = heap_take(&h); /* A3 */

		if (w.place.node == IS_CHUNK) {
			open_chunk(&h, t->at[w.place.chunk], w.place.chunk);
		} else if (w.place.node != IS_ENTRY) {
			open_node(&h, g, stream_tree_node(t, w.place));
		} else {
			buf_put(ids, &w.id, sizeof(w.id));
			count--;
		}
	}
	mem_free(h.at);
}

void stream_ages_check(const struct stream_group *g)
{
	struct stream_place p = { 0, 0 };

	for (; p.chunk < g->pending.count; stream_place_next(&g->pending, &p)) {
		const struct stream_node *n = stream_tree_node(&g->pending, p);

		assert(n->oldest <= oldest_of(n)); /* A1 */
		assert(n->oldest >= g->pending.at[p.chunk]->oldest);
	}
}
