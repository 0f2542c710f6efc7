/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups, consumers, pending entries.
 *
 * G1. Every pending entry of a group is in the index of the consumer it names,
 *     and nothing else is.
 * G2. Groups and consumers are in order of name (bytes, then size).
 * G3. The data of pending nodes are items of one size with the ID first;
 *     first and last of a node are its items' exactly.
 * G4. A consumer's number is an index in `numbers`; numbers of consumers that
 *     are gone are given again.
 */
#include "types/stream_group.h"

#include "base/mem.h"
#include "base/reaper.h"

#include <assert.h>

#define LEAF_MAX 128    /* items in a node */
#define LEAF_START 4    /* items a first node has room for */
#define FREE_INLINE 64  /* pending; more go to the freeing thread */

static int name_compare(struct slice a, struct slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

/* --- leaves: items of one size, ordered by ID (G3) ------------------------ */

static struct stream_id item_id(const struct stream_node *n, uint32_t index,
				size_t size)
{
	struct stream_id id;

	memcpy(&id, n->data + index * size, sizeof(id));
	return id;
}

/* Index of the first item of the node that is not below id, or count. */
static uint32_t item_find(const struct stream_node *n, struct stream_id id,
			  size_t size)
{
	uint32_t low = 0, high = n->count;

	if (n->count == 0 || stream_id_below(n->last, id))
		return n->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (stream_id_below(item_id(n, middle, size), id))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* After a change of the items. */
static void leaf_bounds(struct stream_node *n, size_t size)
{
	n->first = item_id(n, 0, size);
	n->last = item_id(n, n->count - 1, size);
}

/* Where the item of this ID is; false: absent. */
static bool leaf_find(const struct stream_tree *t, struct stream_id id,
		      size_t size, struct stream_place *p, uint32_t *index)
{
	const struct stream_node *n;

	if (!stream_tree_find(t, id, p))
		return false;
	n = stream_tree_node(t, *p);
	*index = item_find(n, id, size);
	return stream_id_equal(item_id(n, *index, size), id);
}

/* A node of its own with one item. */
static void leaf_new(struct stream_tree *t, struct stream_place p,
		     const void *item, size_t size)
{
	struct stream_node *n =
		stream_node_new((t->count ? LEAF_MAX : LEAF_START) * size);

	memcpy(n->data, item, size);
	n->used = (uint32_t)size;
	n->count = 1;
	leaf_bounds(n, size);
	stream_tree_insert(t, p, n);
}

/* Moves the upper half of the node at p to a new one behind it. */
static void leaf_split(struct stream_tree *t, struct stream_place p,
		       size_t size)
{
	struct stream_node *n = stream_tree_own(t, p, 0);
	struct stream_node *fresh = stream_node_new(LEAF_MAX * size);
	uint32_t half = n->count / 2;

	fresh->count = (uint16_t)(n->count - half);
	fresh->used = (uint32_t)(fresh->count * size);
	memcpy(fresh->data, n->data + half * size, fresh->used);
	leaf_bounds(fresh, size);
	n->used = (uint32_t)(half * size);
	stream_tree_counted(t, p, -(int64_t)fresh->count);
	leaf_bounds(n, size);
	if (++p.node == t->at[p.chunk]->count) {
		p.node = 0; /* stream_tree_insert: before the next chunk's */
		p.chunk++;
	}
	stream_tree_insert(t, p, fresh);
}

/* Puts an item of an ID that is not there. */
static void leaf_insert(struct stream_tree *t, const void *item, size_t size)
{
	struct stream_id id;
	struct stream_place p;
	struct stream_node *n;
	uint32_t index;
	bool behind;

	memcpy(&id, item, sizeof(id));
	behind = !stream_tree_find(t, id, &p);
	if (behind && !stream_tree_last(t, &p)) {
		leaf_new(t, p, item, size);
		return;
	}
	if (stream_tree_node(t, p)->count >= LEAF_MAX) {
		if (behind) {
			p = (struct stream_place){ t->count, 0 };
			leaf_new(t, p, item, size);
			return;
		}
		leaf_split(t, p, size);
		stream_tree_find(t, id, &p);
	}
	n = stream_tree_own(t, p, size);
	index = item_find(n, id, size);
	memmove(n->data + (index + 1) * size, n->data + index * size,
		n->used - index * size);
	memcpy(n->data + index * size, item, size);
	n->used += (uint32_t)size;
	stream_tree_counted(t, p, 1);
	leaf_bounds(n, size);
}

static void leaf_remove(struct stream_tree *t, struct stream_place p,
			uint32_t index, size_t size)
{
	struct stream_node *n;

	if (stream_tree_node(t, p)->count == 1) {
		stream_tree_remove(t, p);
		return;
	}
	n = stream_tree_own(t, p, 0);
	memmove(n->data + index * size, n->data + (index + 1) * size,
		n->used - (index + 1) * size);
	n->used -= (uint32_t)size;
	stream_tree_counted(t, p, -1);
	leaf_bounds(n, size);
	if (n->used < n->capacity / 4)
		stream_tree_fit(t, p);
}

/* --- pending entries ------------------------------------------------------ */

#define PENDING_SIZE sizeof(struct stream_pending)
#define ID_SIZE sizeof(struct stream_id)

const struct stream_pending *stream_pending_find(const struct stream_group *g,
						 struct stream_id id)
{
	struct stream_place p;
	uint32_t index;

	if (!leaf_find(&g->pending, id, PENDING_SIZE, &p, &index))
		return NULL;
	return (const struct stream_pending *)
		(stream_tree_node(&g->pending, p)->data +
		 index * PENDING_SIZE);
}

/* Takes an ID out of a consumer's index. (G1) */
static void unlist(struct stream_group *g, uint32_t number,
		   struct stream_id id)
{
	struct stream_consumer *c = g->numbers[number];
	struct stream_place p;
	uint32_t index;
	bool found = leaf_find(&c->pending, id, ID_SIZE, &p, &index);

	assert(found);
	leaf_remove(&c->pending, p, index, ID_SIZE);
}

void stream_pending_put(struct stream_group *g,
			const struct stream_pending *fresh)
{
	struct stream_pending *old;
	struct stream_place p;
	struct stream_node *n;
	uint32_t index;

	assert(fresh->consumer < g->number_count);
	assert(g->numbers[fresh->consumer] != NULL);
	if (!leaf_find(&g->pending, fresh->id, PENDING_SIZE, &p, &index)) {
		leaf_insert(&g->pending, fresh, PENDING_SIZE);
		leaf_insert(&g->numbers[fresh->consumer]->pending, &fresh->id,
			    ID_SIZE);
		return;
	}
	n = stream_tree_own(&g->pending, p, 0);
	old = (struct stream_pending *)(n->data + index * PENDING_SIZE);
	if (old->consumer != fresh->consumer) {
		unlist(g, old->consumer, fresh->id);
		leaf_insert(&g->numbers[fresh->consumer]->pending, &fresh->id,
			    ID_SIZE);
	}
	*old = *fresh;
}

bool stream_pending_remove(struct stream_group *g, struct stream_id id)
{
	const struct stream_pending *old;
	struct stream_place p;
	uint32_t index;

	if (!leaf_find(&g->pending, id, PENDING_SIZE, &p, &index))
		return false;
	old = (const struct stream_pending *)
		(stream_tree_node(&g->pending, p)->data +
		 index * PENDING_SIZE);
	unlist(g, old->consumer, id);
	leaf_remove(&g->pending, p, index, PENDING_SIZE);
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
		c->index = item_find(stream_tree_node(c->tree, c->place), id,
				     of ? ID_SIZE : PENDING_SIZE);
}

const struct stream_pending *
stream_pending_next(struct stream_pending_cursor *c)
{
	bool all = c->tree == &c->g->pending;
	size_t size = all ? PENDING_SIZE : ID_SIZE;
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
	if (all)
		return item;
	item = stream_pending_find(c->g, *(const struct stream_id *)item);
	assert(item != NULL); /* G1 */
	return item;
}

struct stream_id stream_pending_first(const struct stream_group *g)
{
	assert(g->pending.count > 0);
	return g->pending.at[0]->at[0]->first;
}

struct stream_id stream_pending_last(const struct stream_group *g)
{
	struct stream_place p;
	bool found = stream_tree_last(&g->pending, &p);

	assert(found);
	return stream_tree_node(&g->pending, p)->last;
}

/* --- consumers ------------------------------------------------------------ */

/* Index of the consumer of this name, or where it would be. */
static uint32_t consumer_index(const struct stream_group *g, struct slice name,
			       bool *found)
{
	uint32_t low = 0, high = g->consumer_count;

	*found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = name_compare(
			stream_consumer_name(g->consumers[middle]), name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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
	g->consumers = mem_realloc_array(g->consumers, g->consumer_count + 1u,
					 sizeof(g->consumers[0]));
	memmove(g->consumers + index + 1, g->consumers + index,
		(g->consumer_count - index) * sizeof(g->consumers[0]));
	g->consumers[index] = c;
	g->consumer_count++;
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
	while (c->pending.entries > 0)
		stream_pending_remove(g, c->pending.at[0]->at[0]->first);
	g->numbers[c->number] = NULL;
	g->consumer_count--;
	memmove(g->consumers + index, g->consumers + index + 1,
		(g->consumer_count - index) * sizeof(g->consumers[0]));
	consumer_free(c);
	return true;
}

/* --- groups --------------------------------------------------------------- */

static uint32_t group_index(const struct stream *s, struct slice name,
			    bool *found)
{
	uint32_t low = 0, high = s->group_count;

	*found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = name_compare(stream_group_name(s->groups[middle]),
					 name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
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
	s->groups = mem_realloc_array(s->groups, s->group_count + 1u,
				      sizeof(s->groups[0]));
	memmove(s->groups + index + 1, s->groups + index,
		(s->group_count - index) * sizeof(s->groups[0]));
	s->groups[index] = g;
	s->group_count++;
	return g;
}

static void group_free(void *object)
{
	struct stream_group *g = object;
	uint32_t i;

	for (i = 0; i < g->consumer_count; i++)
		consumer_free(g->consumers[i]);
	stream_tree_release(&g->pending);
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
	s->group_count--;
	memmove(s->groups + index, s->groups + index + 1,
		(s->group_count - index) * sizeof(s->groups[0]));
	if (g->pending.entries + g->consumer_count > FREE_INLINE)
		reaper_free(group_free, g);
	else
		group_free(g);
	return true;
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
	for (i = 0; i < g->consumer_count; i++) {
		const struct stream_consumer *from = g->consumers[i];
		struct stream_consumer *c =
			consumer_new(stream_consumer_name(from));

		c->number = from->number;
		c->seen_ms = from->seen_ms;
		c->active_ms = from->active_ms;
		stream_tree_copy(&c->pending, &from->pending);
		copy->consumers[i] = copy->numbers[c->number] = c;
	}
	return copy;
}

void stream_groups_copy(struct stream *copy, const struct stream *s)
{
	uint32_t i;

	if (s->group_count == 0)
		return;
	copy->groups = mem_calloc(s->group_count, sizeof(s->groups[0]));
	copy->group_count = s->group_count;
	for (i = 0; i < s->group_count; i++)
		copy->groups[i] = group_copy(s->groups[i]);
}

size_t stream_groups_memory(const struct stream *s)
{
	size_t bytes = s->group_count * sizeof(s->groups[0]);
	uint32_t i, j;

	for (i = 0; i < s->group_count; i++) {
		const struct stream_group *g = s->groups[i];

		bytes += sizeof(*g) + g->name_size +
			 stream_tree_memory(&g->pending) +
			 ((size_t)g->consumer_count + g->number_count) *
				 sizeof(g->consumers[0]);
		for (j = 0; j < g->consumer_count; j++)
			bytes += sizeof(*g->consumers[j]) +
				 g->consumers[j]->name_size +
				 stream_tree_memory(&g->consumers[j]->pending);
	}
	return bytes;
}

/* That the items of each node are where its bounds say. (G3) */
static void leaves_check(const struct stream_tree *t, size_t size)
{
	struct stream_place p = { 0, 0 };
	uint32_t i;

	stream_tree_check(t);
	for (; p.chunk < t->count; stream_place_next(t, &p)) {
		const struct stream_node *n = stream_tree_node(t, p);

		assert(n->count <= LEAF_MAX && n->used == n->count * size);
		assert(stream_id_equal(n->first, item_id(n, 0, size)));
		assert(stream_id_equal(n->last,
				       item_id(n, n->count - 1, size)));
		for (i = 1; i < n->count; i++)
			assert(stream_id_below(item_id(n, i - 1, size),
					       item_id(n, i, size)));
	}
}

static void group_check(const struct stream_group *g)
{
	struct stream_pending_cursor c;
	uint64_t pending = 0;
	uint32_t i;

	leaves_check(&g->pending, PENDING_SIZE);
	for (i = 0; i < g->consumer_count; i++) {
		struct stream_consumer *of = g->consumers[i];
		const struct stream_pending *p;

		assert(of->number < g->number_count);
		assert(g->numbers[of->number] == of);
		if (i > 0)
			assert(name_compare(
				stream_consumer_name(g->consumers[i - 1]),
				stream_consumer_name(of)) < 0);
		leaves_check(&of->pending, ID_SIZE);
		pending += of->pending.entries;
		stream_pending_seek(&c, g, of, (struct stream_id){ 0, 0 });
		while ((p = stream_pending_next(&c)) != NULL)
			assert(p->consumer == of->number);
	}
	assert(pending == g->pending.entries);
}

void stream_groups_check(const struct stream *s)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++) {
		if (i > 0)
			assert(name_compare(stream_group_name(s->groups[i - 1]),
					    stream_group_name(s->groups[i])) <
			       0);
		group_check(s->groups[i]);
	}
}
