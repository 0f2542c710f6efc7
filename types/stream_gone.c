/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sweeping: nodes in order of ID, some at a time, in the line of what is taken
 * apart (base/grave.h).
 *
 * W1. A group's `gone` is the number of entries of deleted consumers; that of
 *     such a consumer how many of these have its number.  When none is left the
 *     number is free.
 * W2. A sweep goes round until there are none. What was gone when a round began
 *     is out at its end, however many come meanwhile.
 * W3. A group that has some has a sweep, but for copies that are only read.
 */
#include "types/stream_gone.h"

#include "base/grave.h"
#include "base/mem.h"

#include <assert.h>

#define PENDING_SIZE sizeof(struct stream_pending)

struct stream_sweep {
	struct stream_group *g; /* NULL: it needs no sweep any more */
	struct stream_id from;
};

static void all_gone(struct stream_group *g, struct stream_consumer *c)
{
	assert(c->gone == 0);
	g->numbers[c->number] = NULL;
	stream_tree_release(&c->pending);
	mem_free(c);
}

void stream_gone_left(struct stream_group *g, uint32_t number)
{
	struct stream_consumer *c = g->numbers[number];

	assert(c->gone > 0 && g->gone > 0);
	g->gone--;
	if (--c->gone == 0)
		all_gone(g, c);
}

/* Takes those that are gone out of the node at p; true: that was all of it. */
static bool sweep_node(struct stream_group *g, struct stream_place p)
{
	struct stream_node *n = stream_tree_node(&g->pending, p);
	const struct stream_pending *old = (const void *)n->data;
	struct stream_pending *at;
	uint32_t i, count = n->count, kept = 0;

	for (i = 0; i < count; i++)
		kept += !stream_is_gone(g, &old[i]);
	if (kept == count)
		return false;
	n = stream_tree_own(&g->pending, p, 0);
	at = (struct stream_pending *)n->data;
	for (i = 0, kept = 0; i < count; i++) {
		if (stream_is_gone(g, &at[i]))
			stream_gone_left(g, at[i].consumer);
		else
			at[kept++] = at[i];
	}
	if (kept == 0) {
		stream_tree_remove(&g->pending, p);
		return true;
	}
	n->used = (uint32_t)(kept * PENDING_SIZE);
	stream_tree_counted(&g->pending, p, (int64_t)kept - count);
	n->first = at[0].id;
	n->last = at[kept - 1].id;
	if (n->used < n->capacity / 4)
		stream_tree_fit(&g->pending, p);
	return false;
}

/* Sweeps about `work` entries; true: there are more. */
static bool sweep_some(void *object, unsigned work)
{
	struct stream_sweep *sweep = object;
	struct stream_group *g = sweep->g;
	struct stream_place p;
	unsigned seen = 0;

	while (g && g->gone > 0 && seen < work) {
		const struct stream_node *n;

		if (!stream_tree_find(&g->pending, sweep->from, &p))
			p = (struct stream_place){ 0, 0 }; /* W2 */
		assert(g->pending.count > 0); /* W1 */
		n = stream_tree_node(&g->pending, p);
		seen += n->count;
		sweep->from = n->last;
		if (!sweep_node(g, p))
			stream_id_increment(&sweep->from);
	}
	if (g && g->gone > 0)
		return true;
	if (g)
		g->sweep = NULL;
	mem_free(sweep);
	return false;
}

void stream_gone_forget(struct stream_group *g)
{
	if (g->sweep)
		g->sweep->g = NULL;
	g->sweep = NULL;
}

void stream_gone_sweep(struct stream_group *g)
{
	if (g->gone == 0 || g->sweep)
		return;
	g->sweep = mem_calloc(1, sizeof(*g->sweep));
	g->sweep->g = g;
	grave_add(sweep_some, g->sweep, g->pending.entries);
}

/* Nothing else is pending: entries and numbers of all that are gone go. */
static void drop_all(struct stream_group *g)
{
	struct stream_place end = { g->pending.count, 0 };
	uint32_t i;

	stream_gone_forget(g);
	stream_tree_cut(&g->pending, end);
	g->gone = 0;
	for (i = 0; i < g->number_count; i++) {
		if (!g->numbers[i] || g->numbers[i]->gone == 0)
			continue;
		g->numbers[i]->gone = 0;
		all_gone(g, g->numbers[i]);
	}
}

void stream_gone_add(struct stream_group *g, struct stream_consumer *c)
{
	struct stream_place end = { c->pending.count, 0 };

	c->gone = c->pending.entries;
	if (c->gone == 0) {
		all_gone(g, c);
		return;
	}
	g->gone += c->gone;
	stream_tree_cut(&c->pending, end);
	if (g->gone == g->pending.entries)
		drop_all(g);
	stream_gone_sweep(g); /* W3 */
}

void stream_gone_check(const struct stream_group *g)
{
	uint64_t gone = 0;
	uint32_t i;

	for (i = 0; i < g->number_count; i++)
		if (g->numbers[i])
			gone += g->numbers[i]->gone;
	assert(gone == g->gone);
	assert(!g->sweep || g->sweep->g == g);
}
