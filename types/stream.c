/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: entries.
 *
 * S1. Entries are in order of their IDs; none is above `last`.
 * S2. A block ends when the next entry would pass the limits, for which those
 *     that have been removed count; only the last block grows. What it does
 *     not use by then is given back.
 * S3. How entries lie in blocks is not state: trims and deletions are by ID.
 */
#include "types/stream_block.h"

#include "base/mem.h"
#include "base/reaper.h"
#include "types/stream_group.h"
#include "types/stream_marks.h"

#include <assert.h>

#define BLOCK_BYTES_MAX (64u << 10)
#define FREE_INLINE 64 /* entries; bigger ones go to the freeing thread */

struct stream *stream_new(void)
{
	return mem_calloc(1, sizeof(struct stream));
}

static void destroy(void *object)
{
	struct stream *s = object;

	stream_groups_free(s);
	if (s->marks)
		stream_marks_free(s->marks);
	stream_tree_release(&s->entries);
	mem_free(s);
}

void stream_free(struct stream *s)
{
	stream_groups_forget(s);
	if (stream_length(s) <= FREE_INLINE && s->group_count == 0 &&
	    !s->marks)
		destroy(s);
	else
		reaper_free(destroy, s);
}

static struct stream *copy_of(const struct stream *s, bool to_read)
{
	struct stream *copy = stream_new();

	copy->last = s->last;
	copy->max_deleted = s->max_deleted;
	copy->added = s->added;
	stream_tree_copy(&copy->entries, &s->entries);
	stream_groups_copy(copy, s, to_read);
	if (s->marks)
		copy->marks = stream_marks_copy(s->marks, to_read);
	return copy;
}

struct stream *stream_copy(const struct stream *s)
{
	return copy_of(s, false);
}

struct stream *stream_copy_to_read(const struct stream *s)
{
	return copy_of(s, true);
}

size_t stream_memory(const struct stream *s)
{
	return sizeof(*s) + stream_tree_memory(&s->entries) +
	       stream_groups_memory(s) +
	       (s->marks ? stream_marks_memory(s->marks) : 0);
}

/* Whether an entry goes to the block n. (S2) */
static bool block_takes(const struct stream_node *n,
			const struct stream_shape *shape,
			const struct stream_limits *limits)
{
	uint32_t entries = limits->entries, bytes = limits->bytes;

	if (entries == 0 || entries > STREAM_BLOCK_ENTRIES_MAX)
		entries = STREAM_BLOCK_ENTRIES_MAX;
	if (bytes == 0 || bytes > BLOCK_BYTES_MAX)
		bytes = BLOCK_BYTES_MAX;
	return n->ever < entries && n->used + shape->size < bytes;
}

void stream_add(struct stream *s, struct stream_id id, struct slice items,
		const struct stream_limits *limits)
{
	struct stream_tree *t = &s->entries;
	struct stream_shape shape;
	struct stream_node *n = NULL;
	struct stream_place p;
	size_t hint = 0;

	assert(stream_id_below(s->last, id)); /* S1 */
	if (stream_tree_last(t, &p))
		n = stream_tree_node(t, p);
	shape = stream_block_shape(n, items);
	if (n && block_takes(n, &shape, limits)) {
		n = stream_tree_own(t, p, shape.room);
		stream_block_append(n, id, &shape);
		n->ever++;
		stream_tree_counted(t, p, 1);
	} else {
		if (n) {
			hint = n->used;
			stream_tree_fit(t, p);
		}
		n = stream_block_new(id, &shape, hint);
		stream_tree_insert(t, (struct stream_place){ t->count, 0 }, n);
	}
	s->last = id;
	s->added++;
}

/* Cuts the entries at [from, to) out of the block at p, which keeps some. */
static void block_cut(struct stream *s, struct stream_place p, size_t from,
		      size_t to)
{
	struct stream_node *n = stream_tree_own(&s->entries, p, 0);

	stream_block_cut(n, from, to);
	if (n->used < n->capacity / 2)
		stream_tree_fit(&s->entries, p);
}

bool stream_delete(struct stream *s, struct stream_id id)
{
	struct stream_id previous = { 0, 0 };
	struct stream_block_at b;
	struct stream_entry e;
	struct stream_place p;
	struct stream_node *n;
	size_t from, to;

	if (!stream_tree_find(&s->entries, id, &p))
		return false;
	n = stream_tree_node(&s->entries, p);
	b = stream_block_open(n);
	do {
		from = (size_t)(b.at - n->data);
		if (!stream_block_next(&b, &e) || stream_id_below(id, e.id))
			return false;
		if (stream_id_equal(e.id, id))
			break;
		previous = e.id;
	} while (true);
	if (n->count == 1) {
		stream_tree_remove(&s->entries, p);
		return true;
	}
	to = (size_t)(b.at - n->data);
	n = stream_tree_own(&s->entries, p, 0);
	if (stream_id_equal(n->last, id))
		n->last = previous;
	block_cut(s, p, from, to);
	stream_tree_counted(&s->entries, p, -1);
	return true;
}

uint64_t stream_trim(struct stream *s, struct stream_id through)
{
	uint64_t before = stream_length(s);
	struct stream_tree *t = &s->entries;
	struct stream_id above = through;
	struct stream_block_at b;
	struct stream_entry e;
	struct stream_place p;
	struct stream_node *n;
	size_t from, to;
	int64_t count = -1;

	if (!stream_id_increment(&above) || !stream_tree_find(t, above, &p))
		p = (struct stream_place){ t->count, 0 };
	stream_tree_cut(t, p);
	if (t->count == 0)
		return before;
	p = (struct stream_place){ 0, 0 };
	n = stream_tree_node(t, p);
	b = stream_block_open(n);
	from = (size_t)(b.at - n->data);
	do {
		to = (size_t)(b.at - n->data);
		count++;
	} while (stream_block_next(&b, &e) && !stream_id_below(through, e.id));
	if (count > 0) {
		block_cut(s, p, from, to);
		stream_tree_counted(t, p, -count);
	}
	return before - stream_length(s);
}

struct stream_id stream_first(const struct stream *s)
{
	struct stream_entry e = { 0 };
	struct stream_block_at b;

	if (s->entries.count == 0)
		return e.id;
	b = stream_block_open(s->entries.at[0]->at[0]);
	stream_block_next(&b, &e);
	return e.id;
}

struct stream_id stream_top(const struct stream *s)
{
	struct stream_place p;

	if (!stream_tree_last(&s->entries, &p))
		return (struct stream_id){ 0, 0 };
	return stream_tree_node(&s->entries, p)->last;
}

bool stream_has(const struct stream *s, struct stream_id id)
{
	struct stream_cursor c;
	struct stream_entry e;

	stream_seek(&c, s, id);
	return stream_next(&c, &e) && stream_id_equal(e.id, id);
}

void stream_seek(struct stream_cursor *c, const struct stream *s,
		 struct stream_id id)
{
	c->s = s;
	c->from = id;
	c->more = stream_tree_find(&s->entries, id, &c->place);
	if (c->more)
		c->block = stream_block_open(
			stream_tree_node(&s->entries, c->place));
}

bool stream_next(struct stream_cursor *c, struct stream_entry *e)
{
	const struct stream_tree *t = &c->s->entries;

	while (c->more) {
		while (stream_block_next(&c->block, e))
			if (!stream_id_below(e->id, c->from))
				return true;
		c->more = stream_place_next(t, &c->place);
		if (c->more)
			c->block = stream_block_open(
				stream_tree_node(t, c->place));
	}
	return false;
}

/* Notes where the entries of the block lie. */
static void back_open(struct stream_back *c)
{
	const struct stream_node *n =
		stream_tree_node(&c->s->entries, c->place);
	struct stream_block_at b = stream_block_open(n);
	struct stream_entry e;
	const uint8_t *at;

	c->left = 0;
	for (at = b.at; stream_block_next(&b, &e); at = b.at) {
		if (stream_id_below(c->from, e.id))
			break;
		assert(c->left < STREAM_BLOCK_ENTRIES_MAX);
		c->offsets[c->left++] = (uint32_t)(at - n->data);
	}
}

void stream_seek_back(struct stream_back *c, const struct stream *s,
		      struct stream_id id)
{
	c->s = s;
	c->from = id;
	c->more = stream_tree_find(&s->entries, id, &c->place) ||
		  stream_tree_last(&s->entries, &c->place);
	if (c->more)
		back_open(c);
}

bool stream_previous(struct stream_back *c, struct stream_entry *e)
{
	const struct stream_tree *t = &c->s->entries;

	while (c->more) {
		if (c->left > 0) {
			const struct stream_node *n =
				stream_tree_node(t, c->place);
			struct stream_block_at b = stream_block_open(n);

			b.at = n->data + c->offsets[--c->left];
			return stream_block_next(&b, e);
		}
		c->more = stream_place_previous(t, &c->place);
		if (c->more)
			back_open(c);
	}
	return false;
}

bool stream_pack(const struct stream *s, struct stream_place place,
		 struct stream_packed *out)
{
	const struct stream_node *n;

	if (place.chunk >= s->entries.count)
		return false;
	n = stream_tree_node(&s->entries, place);
	*out = (struct stream_packed){
		.first = n->first,
		.last = n->last,
		.count = n->count,
		.data = slice_of(n->data, n->used),
	};
	return true;
}

void stream_load(struct stream *s, const struct stream_packed *p)
{
	struct stream_node *n = stream_node_new(p->data.size);

	assert(!stream_id_below(s->last, p->last));
	n->first = p->first;
	n->last = p->last;
	n->count = n->ever = (uint16_t)p->count;
	n->used = (uint32_t)p->data.size;
	memcpy(n->data, p->data.data, p->data.size);
	stream_tree_insert(&s->entries,
			   (struct stream_place){ s->entries.count, 0 }, n);
}

void stream_check(const struct stream *s)
{
	struct stream_place p = { 0, 0 };
	struct stream_packed packed;

	stream_tree_check(&s->entries);
	assert(!stream_id_below(s->last, stream_top(s)));
	assert(!stream_id_below(s->last, s->max_deleted));
	assert(s->added >= stream_length(s));
	while (stream_pack(s, p, &packed)) {
		assert(stream_packed_fits(&packed) == NULL);
		stream_place_next(&s->entries, &p);
	}
	stream_groups_check(s);
	if (s->marks)
		stream_marks_check(s->marks);
}
