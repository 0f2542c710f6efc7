/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups, consumers, pending entries.
 *
 * G1. Every pending entry of a group is in the index of the consumer it names,
 *     or in the queue of those released, and nothing else is.  In `pending`
 *     there are others besides: those that are gone (types/stream_gone.h).
 * G2. Groups and consumers are in order of name (bytes, then size).
 * G3. The data of pending nodes are leaves (types/stream_leaf.h).
 * G4. A consumer's number is an index in `numbers`; numbers of consumers that
 *     are gone are given again, when no entry has them.
 * G5. A place in line is above those that are taken. Only their order is state.
 */
#include "types/stream_group.h"

#include "base/mem.h"
#include "base/reaper.h"
#include "types/stream_ages.h"
#include "types/stream_gone.h"
#include "types/stream_leaf.h"
#include "types/stream_names.h"

#include <assert.h>

#define FREE_INLINE 64  /* pending; more go to the freeing thread */
#define DELETE_INLINE 128 /* likewise of a consumer; more are swept */

/* --- pending entries ------------------------------------------------------ */

#define PENDING_SIZE sizeof(struct stream_pending)
#define ID_SIZE sizeof(struct stream_id)
#define RELEASED_SIZE sizeof(struct stream_released)

const struct stream_pending *stream_pending_find(const struct stream_group *g,
						 struct stream_id id)
{
	const struct stream_pending *found;
	struct stream_place p;
	uint32_t index;

	if (!stream_leaf_find(&g->pending, id, PENDING_SIZE, &p, &index))
		return NULL;
	found = (const struct stream_pending *)
		(stream_tree_node(&g->pending, p)->data +
		 index * PENDING_SIZE);
	return stream_is_gone(g, found) ? NULL : found;
}

/* Takes p, as it was, out of what it stands in besides. (G1) */
static void unlist(struct stream_group *g, const struct stream_pending *p)
{
	bool free = p->consumer == STREAM_NOBODY;
	struct stream_tree *t =
		free ? &g->released : &g->numbers[p->consumer]->pending;
	struct stream_id id = free ? (struct stream_id){ p->time_ms, 0 } :
				     p->id;
	size_t size = free ? RELEASED_SIZE : ID_SIZE;
	struct stream_place place;
	uint32_t index;
	bool found;

	if (stream_is_gone(g, p)) {
		stream_gone_left(g, p->consumer);
		return;
	}
	found = stream_leaf_find(t, id, size, &place, &index);
	assert(found);
	stream_leaf_remove(t, place, index, size);
}

/* Puts it there. */
static void list(struct stream_group *g, const struct stream_pending *p)
{
	if (p->consumer == STREAM_NOBODY) {
		struct stream_released r = { { p->time_ms, 0 }, p->id };

		stream_leaf_insert(&g->released, &r, RELEASED_SIZE);
		return;
	}
	assert(p->consumer < g->number_count);
	assert(g->numbers[p->consumer] != NULL);
	stream_leaf_insert(&g->numbers[p->consumer]->pending, &p->id, ID_SIZE);
}

/* Whether it stays where it stands but for itself. */
static bool stays_listed(const struct stream_pending *old,
			 const struct stream_pending *fresh)
{
	return old->consumer == fresh->consumer &&
	       fresh->consumer != STREAM_NOBODY;
}

void stream_pending_put(struct stream_group *g,
			const struct stream_pending *fresh)
{
	struct stream_pending *old;
	struct stream_place p;
	struct stream_node *n;
	uint32_t index;

	if (!stream_leaf_find(&g->pending, fresh->id, PENDING_SIZE, &p,
			      &index)) {
		p = stream_leaf_insert(&g->pending, fresh, PENDING_SIZE);
		stream_ages_added(g, p, fresh);
		list(g, fresh);
		return;
	}
	n = stream_tree_own(&g->pending, p, 0);
	old = (struct stream_pending *)(n->data + index * PENDING_SIZE);
	stream_ages_left(n, index);
	if (!stays_listed(old, fresh)) {
		unlist(g, old);
		list(g, fresh);
	}
	*old = *fresh;
	stream_ages_added(g, p, fresh);
}

void stream_pending_release(struct stream_group *g, struct stream_id id,
			    uint32_t count)
{
	struct stream_pending fresh = {
		.id = id,
		.time_ms = 1,
		.count = count,
		.consumer = STREAM_NOBODY,
	};
	struct stream_place p;

	if (stream_tree_last(&g->released, &p)) /* G5 */
		fresh.time_ms = stream_tree_node(&g->released, p)->last.ms + 1;
	stream_pending_put(g, &fresh);
}

bool stream_pending_remove(struct stream_group *g, struct stream_id id)
{
	const struct stream_pending *old;
	struct stream_place p;
	struct stream_node *n;
	uint32_t index;

	if (!stream_leaf_find(&g->pending, id, PENDING_SIZE, &p, &index))
		return false;
	n = stream_tree_node(&g->pending, p);
	old = (const struct stream_pending *)(n->data + index * PENDING_SIZE);
	if (stream_is_gone(g, old))
		return false;
	unlist(g, old);
	stream_ages_left(stream_tree_own(&g->pending, p, 0), index);
	stream_leaf_remove(&g->pending, p, index, PENDING_SIZE);
	return true;
}

void stream_pending_seek(struct stream_pending_cursor *c,
			 const struct stream_group *g,
			 const struct stream_consumer *of,
			 struct stream_id id)
{
	c->g = g;
	c->tree = of ? &of->pending : &g->pending;
	c->more = stream_tree_find(c->tree, id, &c->place);
	if (c->more)
		c->index = stream_leaf_index(
			stream_tree_node(c->tree, c->place), id,
			of ? ID_SIZE : PENDING_SIZE);
}

void stream_pending_seek_released(struct stream_pending_cursor *c,
				  const struct stream_group *g)
{
	*c = (struct stream_pending_cursor){
		.g = g,
		.tree = &g->released,
		.more = g->released.count > 0,
	};
}

/* The pending entry that an item of another tree than `pending` names. */
static const struct stream_pending *
pending_of(const struct stream_pending_cursor *c, const void *item)
{
	const struct stream_pending *p;
	struct stream_id id;

	if (c->tree == &c->g->released)
		id = ((const struct stream_released *)item)->id;
	else
		id = *(const struct stream_id *)item;
	p = stream_pending_find(c->g, id);
	assert(p != NULL); /* G1 */
	return p;
}

/* The next item, of whichever kind; NULL: there is none. */
static const void *next_item(struct stream_pending_cursor *c, bool all)
{
	size_t size = all ? PENDING_SIZE :
		      c->tree == &c->g->released ? RELEASED_SIZE : ID_SIZE;
	const struct stream_node *n;
	const void *item;

	if (!c->more)
		return NULL;
	n = stream_tree_node(c->tree, c->place);
	item = n->data + c->index * size;
	if (++c->index == n->count) {
		c->index = 0;
		c->more = stream_place_next(c->tree, &c->place);
	}
	return item;
}

const struct stream_pending *
stream_pending_next(struct stream_pending_cursor *c)
{
	bool all = c->tree == &c->g->pending;
	const void *item;

	do
		item = next_item(c, all);
	while (item && all && stream_is_gone(c->g, item));
	return all || !item ? item : pending_of(c, item);
}

void stream_pending_idle(struct stream_group *g, uint64_t until_ms,
			 uint64_t count, struct buf *ids)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;

	stream_pending_seek_released(&c, g);
	for (; count > 0 && (p = stream_pending_next(&c)) != NULL; count--)
		buf_put(ids, &p->id, sizeof(p->id));
	if (count > 0)
		stream_ages_until(g, until_ms, count, ids);
}

struct stream_id stream_pending_first(const struct stream_group *g)
{
	struct stream_pending_cursor c;

	assert(stream_pending_count(g) > 0);
	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	return stream_pending_next(&c)->id;
}

struct stream_id stream_pending_last(const struct stream_group *g)
{
	const struct stream_pending *at;
	struct stream_place p;
	uint32_t i;

	assert(stream_pending_count(g) > 0);
	stream_tree_last(&g->pending, &p);
	for (;;) {
		const struct stream_node *n = stream_tree_node(&g->pending, p);

		at = (const struct stream_pending *)n->data;
		for (i = n->count; i-- > 0;)
			if (!stream_is_gone(g, &at[i]))
				return at[i].id;
		stream_place_previous(&g->pending, &p);
	}
}

/* --- consumers ------------------------------------------------------------ */

static struct slice consumer_name(const void *consumer)
{
	return stream_consumer_name(consumer);
}

/* Index of the consumer of this name, or where it would be. */
static uint32_t consumer_index(const struct stream_group *g, struct slice name,
			       bool *found)
{
	return stream_name_find(g->consumers, g->consumer_count, consumer_name,
				name, found);
}

struct stream_consumer *stream_consumer_find(const struct stream_group *g,
					     struct slice name)
{
	bool found;
	uint32_t index = consumer_index(g, name, &found);

	return found ? g->consumers[index] : NULL;
}

/* A free number. (G4) */
static uint32_t number_take(struct stream_group *g)
{
	uint32_t i;

	if (g->consumer_count < g->number_count)
		for (i = 0; i < g->number_count; i++)
			if (!g->numbers[i])
				return i;
	g->numbers = mem_realloc_array(g->numbers, g->number_count + 1u,
				       sizeof(g->numbers[0]));
	g->numbers[g->number_count] = NULL;
	return g->number_count++;
}

static struct stream_consumer *consumer_new(struct slice name)
{
	struct stream_consumer *c = mem_alloc(sizeof(*c) + name.size);

	*c = (struct stream_consumer){ .name_size = (uint32_t)name.size };
	memcpy(c->name, name.data, name.size);
	return c;
}

static void consumer_free(struct stream_consumer *c)
{
	stream_tree_release(&c->pending);
	mem_free(c);
}

struct stream_consumer *stream_consumer_make(struct stream_group *g,
					     struct slice name)
{
	struct stream_consumer *c;
	bool found;
	uint32_t index = consumer_index(g, name, &found);

	if (found)
		return g->consumers[index];
	c = consumer_new(name);
	c->number = number_take(g);
	g->numbers[c->number] = c;
	g->consumers = stream_names_open(g->consumers, g->consumer_count++,
					 index);
	g->consumers[index] = c;
	return c;
}

bool stream_consumer_delete(struct stream_group *g, struct slice name)
{
	struct stream_consumer *c;
	bool found;
	uint32_t index = consumer_index(g, name, &found);

	if (!found)
		return false;
	c = g->consumers[index];
	if (c->pending.entries <= DELETE_INLINE)
		while (c->pending.entries > 0)
			stream_pending_remove(
				g, c->pending.at[0]->at[0]->first);
	stream_names_close(g->consumers, g->consumer_count--, index);
	stream_gone_add(g, c);
	return true;
}

/* --- groups --------------------------------------------------------------- */

static struct slice group_name(const void *group)
{
	return stream_group_name(group);
}

static uint32_t group_index(const struct stream *s, struct slice name,
			    bool *found)
{
	return stream_name_find(s->groups, s->group_count, group_name, name,
				found);
}

struct stream_group *stream_group_find(const struct stream *s,
				       struct slice name)
{
	bool found;
	uint32_t index = group_index(s, name, &found);

	return found ? s->groups[index] : NULL;
}

static struct stream_group *group_new(struct slice name)
{
	struct stream_group *g = mem_alloc(sizeof(*g) + name.size);

	*g = (struct stream_group){ .name_size = (uint32_t)name.size };
	memcpy(g->name, name.data, name.size);
	return g;
}

struct stream_group *stream_group_make(struct stream *s, struct slice name)
{
	struct stream_group *g;
	bool found;
	uint32_t index = group_index(s, name, &found);

	if (found)
		return s->groups[index];
	g = group_new(name);
	s->groups = stream_names_open(s->groups, s->group_count++, index);
	s->groups[index] = g;
	return g;
}

static void group_free(void *object)
{
	struct stream_group *g = object;
	uint32_t i;

	assert(!g->sweep);
	for (i = 0; i < g->number_count; i++)
		if (g->numbers[i])
			consumer_free(g->numbers[i]);
	stream_tree_release(&g->pending);
	stream_tree_release(&g->released);
	mem_free(g->consumers);
	mem_free(g->numbers);
	mem_free(g);
}

bool stream_group_delete(struct stream *s, struct slice name)
{
	struct stream_group *g;
	bool found;
	uint32_t index = group_index(s, name, &found);

	if (!found)
		return false;
	g = s->groups[index];
	stream_names_close(s->groups, s->group_count--, index);
	stream_gone_forget(g);
	if (g->pending.entries + g->consumer_count > FREE_INLINE)
		reaper_free(group_free, g);
	else
		group_free(g);
	return true;
}

void stream_groups_forget(struct stream *s)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++)
		stream_gone_forget(s->groups[i]);
}

void stream_groups_free(struct stream *s)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++)
		group_free(s->groups[i]);
	mem_free(s->groups);
	s->groups = NULL;
	s->group_count = 0;
}

static struct stream_consumer *consumer_copy(const struct stream_consumer *c)
{
	struct stream_consumer *copy = consumer_new(stream_consumer_name(c));

	copy->number = c->number;
	copy->seen_ms = c->seen_ms;
	copy->active_ms = c->active_ms;
	copy->gone = c->gone;
	stream_tree_copy(&copy->pending, &c->pending);
	return copy;
}

static struct stream_group *group_copy(const struct stream_group *g)
{
	struct stream_group *copy = group_new(stream_group_name(g));
	uint32_t i;

	copy->last = g->last;
	copy->read = g->read;
	copy->consumer_count = g->consumer_count;
	copy->number_count = g->number_count;
	copy->consumers = mem_calloc(g->consumer_count + 1u,
				     sizeof(g->consumers[0]));
	copy->numbers = mem_calloc(g->number_count + 1u,
				   sizeof(g->numbers[0]));
	stream_tree_copy(&copy->pending, &g->pending);
	stream_tree_copy(&copy->released, &g->released);
	copy->gone = g->gone;
	for (i = 0; i < g->number_count; i++)
		if (g->numbers[i])
			copy->numbers[i] = consumer_copy(g->numbers[i]);
	for (i = 0; i < g->consumer_count; i++)
		copy->consumers[i] = copy->numbers[g->consumers[i]->number];
	return copy;
}

void stream_groups_copy(struct stream *copy, const struct stream *s,
			bool to_read)
{
	uint32_t i;

	if (s->group_count == 0)
		return;
	copy->groups = mem_calloc(s->group_count, sizeof(s->groups[0]));
	copy->group_count = s->group_count;
	for (i = 0; i < s->group_count; i++) {
		copy->groups[i] = group_copy(s->groups[i]);
		if (!to_read)
			stream_gone_sweep(copy->groups[i]);
	}
}

size_t stream_groups_memory(const struct stream *s)
{
	size_t bytes = s->group_count * sizeof(s->groups[0]);
	uint32_t i, j;

	for (i = 0; i < s->group_count; i++) {
		const struct stream_group *g = s->groups[i];

		bytes += sizeof(*g) + g->name_size +
			 stream_tree_memory(&g->pending) +
			 stream_tree_memory(&g->released) +
			 ((size_t)g->consumer_count + g->number_count) *
				 sizeof(g->consumers[0]);
		for (j = 0; j < g->consumer_count; j++)
			bytes += sizeof(*g->consumers[j]) +
				 g->consumers[j]->name_size +
				 stream_tree_memory(&g->consumers[j]->pending);
	}
	return bytes;
}

static void group_check(const struct stream_group *g)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;
	uint64_t pending = 0;
	uint32_t i;

	stream_leaf_check(&g->pending, PENDING_SIZE);
	stream_leaf_check(&g->released, RELEASED_SIZE);
	stream_ages_check(g);
	stream_gone_check(g);
	stream_pending_seek_released(&c, g);
	for (; (p = stream_pending_next(&c)) != NULL; pending++)
		assert(p->consumer == STREAM_NOBODY);
	for (i = 0; i < g->consumer_count; i++) {
		struct stream_consumer *of = g->consumers[i];

		assert(of->number < g->number_count);
		assert(g->numbers[of->number] == of);
		if (i > 0)
			assert(stream_name_compare(
				stream_consumer_name(g->consumers[i - 1]),
				stream_consumer_name(of)) < 0);
		stream_leaf_check(&of->pending, ID_SIZE);
		pending += of->pending.entries;
		stream_pending_seek(&c, g, of, (struct stream_id){ 0, 0 });
		while ((p = stream_pending_next(&c)) != NULL)
			assert(p->consumer == of->number);
	}
	assert(pending == stream_pending_count(g));
}

void stream_groups_check(const struct stream *s)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++) {
		if (i > 0)
			assert(stream_name_compare(
				stream_group_name(s->groups[i - 1]),
				stream_group_name(s->groups[i])) < 0);
		group_check(s->groups[i]);
	}
}
