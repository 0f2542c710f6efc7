/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/gates.h"

#include "base/mem.h"

#include <assert.h>
#include <stddef.h>

static void place(struct gates *g, unsigned index, struct gate_wait *w)
{
	g->heap[index] = w;
	w->place = index + 1;
}

/* Gates mostly come in rising order: then this is one comparison. */
static void sift_up(struct gates *g, unsigned index, struct gate_wait *w)
{
	while (index > 0) {
		unsigned parent = (index - 1) / 2;

		if (g->heap[parent]->lsn <= w->lsn)
			break;
		place(g, index, g->heap[parent]);
		index = parent;
	}
	place(g, index, w);
}

static void sift_down(struct gates *g, unsigned index, struct gate_wait *w)
{
	for (;;) {
		unsigned child = index * 2 + 1;

		if (child >= g->count)
			break;
		if (child + 1 < g->count &&
		    g->heap[child + 1]->lsn < g->heap[child]->lsn)
			child++;
		if (w->lsn <= g->heap[child]->lsn)
			break;
		place(g, index, g->heap[child]);
		index = child;
	}
	place(g, index, w);
}

void gates_add(struct gates *g, struct gate_wait *w, uint64_t lsn)
{
	assert(w->place == 0);
	if (g->count == g->capacity) {
		g->capacity = g->capacity ? g->capacity * 2 : 64;
		g->heap = mem_realloc_array(g->heap, g->capacity,
					    sizeof(struct gate_wait *));
	}
	w->lsn = lsn;
	sift_up(g, g->count++, w);
}

void gates_remove(struct gates *g, struct gate_wait *w)
{
	unsigned index = w->place;
	struct gate_wait *last;

	if (index-- == 0)
		return;
	assert(g->heap[index] == w);
	w->place = 0;
	last = g->heap[--g->count];
	if (last == w)
		return;
	if (last->lsn < w->lsn)
		sift_up(g, index, last);
	else
		sift_down(g, index, last);
}

struct gate_wait *gates_next(struct gates *g, uint64_t released)
{
	struct gate_wait *w;

	if (g->count == 0 || g->heap[0]->lsn > released)
		return NULL;
	w = g->heap[0];
	gates_remove(g, w);
	return w;
}

void gates_release(struct gates *g)
{
	mem_free(g->heap);
	*g = (struct gates){ 0 };
}

void gates_check(const struct gates *g)
{
	unsigned i;

	for (i = 0; i < g->count; i++) {
		assert(g->heap[i]->place == i + 1);
		assert(i == 0 || g->heap[(i - 1) / 2]->lsn <= g->heap[i]->lsn);
	}
}
