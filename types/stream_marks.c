/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marks of messages.
 *
 *   marks      nodes of items, in order of age: number, entry's ID, time,
 *              producer's name, message
 *   producer   the numbers of its marks, in order; a table from a hash of the
 *              message to the number
 *
 * M1. A mark's number is above those of all older ones. Numbers and tables are
 *     not state: they may differ where the marks are the same.
 * M2. A producer is there as long as it has a mark; it has its marks' numbers,
 *     and nobody else has them.
 * M3. A table is made when a message is first looked for, then kept; never is
 *     it more than half full.
 * M4. Copies that are only read have no producers.
 * M5. What is over at the time of the youngest mark is not state, and nobody is
 *     shown it: it is there until stream_marks_put has come to it.
 */
#include "types/stream_marks.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "types/stream_leaf.h"
#include "types/stream_names.h"

#include <assert.h>

#define NODE_SIZE 2048     /* bytes of items; a bigger item is alone */
#define NODE_MARKS 64
#define SLOTS_START 8
#define OVER_AT_ONCE 16    /* marks whose time is over, taken out per one put */
#define FREE_INLINE 64     /* marks; more go to the freeing thread */
#define ID_SIZE sizeof(struct stream_id)

struct slot {
	uint64_t number; /* 0: free */
	uint64_t hash;
};

struct stream_producer {
	struct stream_tree numbers; /* of its marks, as IDs */
	struct slot *slots;         /* NULL: not made yet */
	uint32_t slot_count;        /* a power of two */
	uint32_t name_size;
	uint8_t name[];
};

/* In front of the name and the message of an item. */
struct item {
	uint64_t number;
	struct stream_id id;
	uint64_t time_ms;
	uint32_t producer_size, message_size;
};

static struct stream_id key_of(uint64_t number)
{
	return (struct stream_id){ number, 0 };
}

static uint64_t hash_of(struct slice message)
{
	return content_hash(message.data, message.size, 0);
}

/* Walks the numbers of a producer's marks, in order. */
struct number_cursor {
	const struct stream_tree *numbers;
	struct stream_place place;
	uint32_t index;
};

static bool number_next(struct number_cursor *c, uint64_t *number)
{
	const struct stream_node *n;

	if (c->place.chunk >= c->numbers->count)
		return false;
	n = stream_tree_node(c->numbers, c->place);
	*number = stream_leaf_id(n, c->index, ID_SIZE).ms;
	if (++c->index == n->count) {
		c->index = 0;
		stream_place_next(c->numbers, &c->place);
	}
	return true;
}

/* --- items ---------------------------------------------------------------- */

static size_t item_size(const struct item *i)
{
	return sizeof(*i) + i->producer_size + i->message_size;
}

/* The item at an offset of a node. */
static struct item item_at(const struct stream_node *n, size_t offset)
{
	struct item i;

	memcpy(&i, n->data + offset, sizeof(i));
	return i;
}

static struct stream_mark mark_at(const struct stream_node *n, size_t offset)
{
	struct item i = item_at(n, offset);
	const uint8_t *text = n->data + offset + sizeof(i);

	return (struct stream_mark){
		.producer = slice_of(text, i.producer_size),
		.message = slice_of(text + i.producer_size, i.message_size),
		.id = i.id,
		.time_ms = i.time_ms,
	};
}

/* Where the mark of this number is, which is there. */
static size_t find_number(const struct stream_marks *m, uint64_t number,
			  struct stream_place *p)
{
	const struct stream_node *n;
	size_t offset = 0;
	struct item i;
	bool found = stream_tree_find(&m->marks, key_of(number), p);

	assert(found);
	n = stream_tree_node(&m->marks, *p);
	while ((i = item_at(n, offset)).number != number) {
		offset += item_size(&i);
		assert(offset < n->used);
	}
	return offset;
}

static struct stream_mark mark_of(const struct stream_marks *m, uint64_t number)
{
	struct stream_place p;
	size_t offset = find_number(m, number, &p);

	return mark_at(stream_tree_node(&m->marks, p), offset);
}

/* Writes an item behind all others. */
static void append(struct stream_marks *m, uint64_t number,
		   const struct stream_mark *mark)
{
	struct item i = {
		.number = number,
		.id = mark->id,
		.time_ms = mark->time_ms,
		.producer_size = (uint32_t)mark->producer.size,
		.message_size = (uint32_t)mark->message.size,
	};
	size_t size = item_size(&i);
	struct stream_node *n = NULL;
	struct stream_place p;
	uint8_t *at;

	if (stream_tree_last(&m->marks, &p))
		n = stream_tree_node(&m->marks, p);
	if (n && n->used + size <= NODE_SIZE && n->count < NODE_MARKS) {
		n = stream_tree_own(&m->marks, p, size);
		stream_tree_counted(&m->marks, p, 1);
	} else {
		n = stream_node_new(size > NODE_SIZE || m->marks.count == 0 ?
				    size : NODE_SIZE);
		n->first = n->last = key_of(number);
		n->count = 1;
		stream_tree_insert(&m->marks,
				   (struct stream_place){ m->marks.count, 0 },
				   n);
	}
	at = n->data + n->used;
	memcpy(at, &i, sizeof(i));
	at = put_bytes(at + sizeof(i), mark->producer.data, i.producer_size);
	put_bytes(at, mark->message.data, i.message_size);
	n->used += (uint32_t)size;
	n->last = key_of(number);
}

/* Cuts the item at an offset out of the node at p. */
static void cut(struct stream_marks *m, struct stream_place p, size_t offset)
{
	struct stream_node *n = stream_tree_node(&m->marks, p);
	struct item gone = item_at(n, offset), i;
	size_t size = item_size(&gone), at = 0;

	if (n->count == 1) {
		stream_tree_remove(&m->marks, p);
		return;
	}
	n = stream_tree_own(&m->marks, p, 0);
	memmove(n->data + offset, n->data + offset + size,
		n->used - offset - size);
	n->used -= (uint32_t)size;
	stream_tree_counted(&m->marks, p, -1);
	if (offset < n->used)
		return;
	for (; at < n->used; at += item_size(&i)) { /* it was the last */
		i = item_at(n, at);
		n->last = key_of(i.number);
	}
}

/* --- tables --------------------------------------------------------------- */

/* The slot of a hash and number, or a free one for them. */
static struct slot *slot_of(struct stream_producer *p, uint64_t hash,
			    uint64_t number)
{
	uint32_t mask = p->slot_count - 1, i = (uint32_t)hash & mask;

	while (p->slots[i].number != 0 && p->slots[i].number != number)
		i = (i + 1) & mask;
	return &p->slots[i];
}

static void table_resize(struct stream_producer *p, uint32_t count)
{
	struct slot *old = p->slots;
	uint32_t i, old_count = old ? p->slot_count : 0;

	p->slots = mem_calloc(count, sizeof(p->slots[0]));
	p->slot_count = count;
	for (i = 0; i < old_count; i++)
		if (old[i].number)
			*slot_of(p, old[i].hash, old[i].number) = old[i];
	mem_free(old);
}

static void table_add(struct stream_producer *p, uint64_t hash, uint64_t number)
{
	if (p->numbers.entries * 2 > p->slot_count) /* M3 */
		table_resize(p, p->slot_count * 2);
	*slot_of(p, hash, number) = (struct slot){ number, hash };
}

/* Takes a mark out; those behind it that could not have their place move up. */
static void table_remove(struct stream_producer *p, uint64_t hash,
			 uint64_t number)
{
	uint32_t mask = p->slot_count - 1, free, i;

	free = (uint32_t)(slot_of(p, hash, number) - p->slots);
	assert(p->slots[free].number == number);
	for (i = (free + 1) & mask; p->slots[i].number; i = (i + 1) & mask) {
		uint32_t home = (uint32_t)p->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - free) & mask))
			continue;
		p->slots[free] = p->slots[i];
		free = i;
	}
	p->slots[free].number = 0;
}

/* Makes the table. (M3) */
static void table_make(const struct stream_marks *m, struct stream_producer *p)
{
	struct number_cursor c = { .numbers = &p->numbers };
	uint32_t count = SLOTS_START;
	uint64_t number;

	while (count < p->numbers.entries * 2)
		count *= 2;
	table_resize(p, count);
	while (number_next(&c, &number)) {
		uint64_t hash = hash_of(mark_of(m, number).message);

		*slot_of(p, hash, number) = (struct slot){ number, hash };
	}
}

/* The number of a producer's mark for this message; 0: none. */
static uint64_t table_find(const struct stream_marks *m,
			   struct stream_producer *p, struct slice message)
{
	uint64_t hash = hash_of(message);
	uint32_t mask, i;

	if (!p->slots)
		table_make(m, p);
	mask = p->slot_count - 1;
	for (i = (uint32_t)hash & mask; p->slots[i].number; i = (i + 1) & mask)
		if (p->slots[i].hash == hash &&
		    slice_equal(mark_of(m, p->slots[i].number).message,
				message))
			return p->slots[i].number;
	return 0;
}

/* --- producers ------------------------------------------------------------ */

static struct slice producer_name(const void *producer)
{
	const struct stream_producer *p = producer;

	return slice_of(p->name, p->name_size);
}

static uint32_t producer_index(const struct stream_marks *m, struct slice name,
			       bool *found)
{
	return stream_name_find(m->producers, m->producer_count, producer_name,
				name, found);
}

static struct stream_producer *producer_new(struct slice name)
{
	struct stream_producer *p = mem_alloc(sizeof(*p) + name.size);

	*p = (struct stream_producer){ .name_size = (uint32_t)name.size };
	memcpy(p->name, name.data, name.size);
	return p;
}

static void producer_free(struct stream_producer *p)
{
	stream_tree_release(&p->numbers);
	mem_free(p->slots);
	mem_free(p);
}

static struct stream_producer *producer_make(struct stream_marks *m,
					     struct slice name)
{
	bool found;
	uint32_t index = producer_index(m, name, &found);
	struct stream_producer *p;

	if (found)
		return m->producers[index];
	p = producer_new(name);
	m->producers = stream_names_open(m->producers, m->producer_count++,
					 index);
	m->producers[index] = p;
	return p;
}

static void producer_drop(struct stream_marks *m, struct slice name)
{
	bool found;
	uint32_t index = producer_index(m, name, &found);

	assert(found);
	producer_free(m->producers[index]);
	stream_names_close(m->producers, m->producer_count--, index);
}

/* --- marks ---------------------------------------------------------------- */

void stream_marks_free(struct stream_marks *m)
{
	uint32_t i;

	for (i = 0; i < m->producer_count; i++)
		producer_free(m->producers[i]);
	stream_tree_release(&m->marks);
	mem_free(m->producers);
	mem_free(m);
}

static void destroy(void *marks)
{
	stream_marks_free(marks);
}

struct stream_marks *stream_marks_set(struct stream_marks *m,
				      uint64_t duration_ms, uint64_t limit)
{
	struct stream_marks *fresh;

	if (m && m->duration_ms == duration_ms && m->limit == limit)
		return m;
	fresh = mem_calloc(1, sizeof(*fresh));
	fresh->duration_ms = duration_ms;
	fresh->limit = limit;
	if (!m)
		return fresh;
	fresh->added = m->added;
	fresh->duplicates = m->duplicates;
	if (stream_marks_count(m) > FREE_INLINE)
		reaper_free(destroy, m);
	else
		stream_marks_free(m);
	return fresh;
}

struct stream_marks *stream_marks_copy(const struct stream_marks *m,
				       bool to_read)
{
	struct stream_marks *copy = mem_alloc(sizeof(*copy));
	uint32_t i;

	*copy = *m;
	copy->producers = NULL;
	copy->producer_count = 0;
	stream_tree_copy(&copy->marks, &m->marks);
	if (to_read) /* M4 */
		return copy;
	copy->producers = mem_calloc(m->producer_count + 1u,
				     sizeof(copy->producers[0]));
	copy->producer_count = m->producer_count;
	for (i = 0; i < m->producer_count; i++) {
		copy->producers[i] =
			producer_new(producer_name(m->producers[i]));
		stream_tree_copy(&copy->producers[i]->numbers,
				 &m->producers[i]->numbers);
	}
	return copy;
}

uint64_t stream_marks_last_ms(const struct stream_marks *m)
{
	struct stream_place p;

	if (!stream_tree_last(&m->marks, &p))
		return 0;
	return mark_of(m, stream_tree_node(&m->marks, p)->last.ms).time_ms;
}

uint64_t stream_marks_time(const struct stream_marks *m, uint64_t clock_ms)
{
	uint64_t last_ms = stream_marks_last_ms(m);

	return clock_ms > last_ms ? clock_ms : last_ms; /* M5 */
}

bool stream_marks_find(const struct stream_marks *m, struct slice producer,
		       struct slice message, struct stream_mark *out)
{
	bool found;
	uint32_t index = producer_index(m, producer, &found);
	uint64_t number;

	if (!found)
		return false;
	number = table_find(m, m->producers[index], message);
	if (number)
		*out = mark_of(m, number);
	return number != 0;
}

/* Takes out a mark of this producer, which stays even if it was its last. */
static void take_out(struct stream_marks *m, struct stream_producer *p,
		     uint64_t number)
{
	struct stream_place place;
	uint32_t index;
	size_t offset;
	bool found = stream_leaf_find(&p->numbers, key_of(number), ID_SIZE,
				      &place, &index);

	assert(found); /* M2 */
	stream_leaf_remove(&p->numbers, place, index, ID_SIZE);
	offset = find_number(m, number, &place);
	if (p->slots)
		table_remove(p, hash_of(mark_at(stream_tree_node(&m->marks,
								 place),
						offset).message),
			     number);
	cut(m, place, offset);
}

/* Takes out some of the marks whose time is over. */
static void take_out_over(struct stream_marks *m, uint64_t now_ms)
{
	unsigned left = OVER_AT_ONCE;

	while (left-- > 0 && m->marks.count > 0) {
		const struct stream_node *n = m->marks.at[0]->at[0];
		struct stream_mark oldest = mark_at(n, 0);
		struct stream_producer *p;
		uint32_t index;
		bool found;

		if (!stream_mark_over(m, oldest.time_ms, now_ms))
			return;
		index = producer_index(m, oldest.producer, &found);
		assert(found); /* M2 */
		p = m->producers[index];
		take_out(m, p, item_at(n, 0).number);
		if (p->numbers.entries == 0)
			producer_drop(m, producer_name(p));
	}
}

void stream_marks_put(struct stream_marks *m, const struct stream_mark *mark)
{
	struct stream_producer *p;
	struct stream_place place;
	struct stream_id number = { 1, 0 };
	uint64_t before;

	assert(mark->time_ms >= stream_marks_last_ms(m));
	take_out_over(m, mark->time_ms);
	p = producer_make(m, mark->producer);
	before = table_find(m, p, mark->message);
	if (before)
		take_out(m, p, before);
	while (p->numbers.entries >= m->limit)
		take_out(m, p, p->numbers.at[0]->at[0]->first.ms);
	if (stream_tree_last(&m->marks, &place))
		number.ms = stream_tree_node(&m->marks, place)->last.ms + 1;
	append(m, number.ms, mark); /* M1 */
	stream_leaf_insert(&p->numbers, &number, ID_SIZE);
	table_add(p, hash_of(mark->message), number.ms);
	m->added++;
}

/* Whether all marks before this node are over. */
static bool over_before(const struct stream_marks *m,
			const struct stream_node *n, uint64_t now_ms)
{
	return stream_mark_over(m, item_at(n, 0).time_ms, now_ms);
}

uint64_t stream_marks_seek(struct stream_marks_cursor *c,
			   const struct stream_marks *m, uint64_t now_ms)
{
	const struct stream_tree *t = &m->marks;
	struct stream_marks_cursor next;
	struct stream_place *p = &c->place;
	struct stream_mark mark;
	uint64_t before = 0;

	*c = (struct stream_marks_cursor){ .m = m };
	while (p->chunk + 1 < t->count &&
	       over_before(m, t->at[p->chunk + 1]->at[0], now_ms))
		before += t->at[p->chunk++]->entries;
	while (p->chunk < t->count && p->node + 1 < t->at[p->chunk]->count &&
	       over_before(m, t->at[p->chunk]->at[p->node + 1], now_ms))
		before += t->at[p->chunk]->at[p->node++]->count;
	for (next = *c; stream_marks_next(&next, &mark) &&
			stream_mark_over(m, mark.time_ms, now_ms); before++)
		*c = next;
	return before;
}

bool stream_marks_next(struct stream_marks_cursor *c, struct stream_mark *out)
{
	const struct stream_tree *t = &c->m->marks;
	const struct stream_node *n;
	struct item i;

	if (c->place.chunk >= t->count)
		return false;
	n = stream_tree_node(t, c->place);
	*out = mark_at(n, c->offset);
	i = item_at(n, c->offset);
	c->offset += (uint32_t)item_size(&i);
	if (c->offset == n->used) {
		c->offset = 0;
		stream_place_next(t, &c->place);
	}
	return true;
}

void stream_marks_alive(const struct stream_marks *m, uint64_t clock_ms,
			uint64_t *marks, uint64_t *producers)
{
	uint64_t now_ms = stream_marks_time(m, clock_ms);
	struct stream_marks_cursor c;
	struct stream_mark mark;
	struct stream_place p;
	uint32_t i;

	*marks = stream_marks_count(m) - stream_marks_seek(&c, m, now_ms);
	*producers = 0;
	for (i = 0; i < m->producer_count; i++) {
		const struct stream_tree *t = &m->producers[i]->numbers;
		bool any = stream_tree_last(t, &p);

		assert(any); /* M2 */
		mark = mark_of(m, stream_tree_node(t, p)->last.ms);
		*producers += !stream_mark_over(m, mark.time_ms, now_ms);
	}
}

size_t stream_marks_memory(const struct stream_marks *m)
{
	size_t bytes = sizeof(*m) + stream_tree_memory(&m->marks) +
		       m->producer_count * sizeof(m->producers[0]);
	uint32_t i;

	for (i = 0; i < m->producer_count; i++) {
		const struct stream_producer *p = m->producers[i];

		bytes += sizeof(*p) + p->name_size +
			 stream_tree_memory(&p->numbers) +
			 (p->slots ? p->slot_count * sizeof(p->slots[0]) : 0);
	}
	return bytes;
}

static void producer_check(const struct stream_marks *m,
			   struct stream_producer *p)
{
	struct number_cursor c = { .numbers = &p->numbers };
	struct stream_mark mark;
	uint64_t number;

	stream_leaf_check(&p->numbers, ID_SIZE);
	assert(p->numbers.entries > 0);
	assert(p->numbers.entries <= m->limit);
	assert(!p->slots || p->numbers.entries * 2 <= p->slot_count);
	while (number_next(&c, &number)) {
		mark = mark_of(m, number);
		assert(slice_equal(mark.producer, producer_name(p)));
		assert(table_find(m, p, mark.message) == number);
	}
}

void stream_marks_check(const struct stream_marks *m)
{
	struct stream_marks_cursor c = { .m = m };
	struct stream_mark mark;
	uint64_t count = 0, last_ms = 0;
	uint32_t i;

	stream_tree_check(&m->marks);
	while (stream_marks_next(&c, &mark)) {
		assert(mark.time_ms >= last_ms);
		last_ms = mark.time_ms;
		count++;
	}
	assert(count == stream_marks_count(m));
	assert(m->added >= count);
	count = 0;
	for (i = 0; i < m->producer_count; i++) {
		if (i > 0)
			assert(stream_name_compare(
				producer_name(m->producers[i - 1]),
				producer_name(m->producers[i])) < 0);
		producer_check(m, m->producers[i]);
		count += m->producers[i]->numbers.entries;
	}
	assert(count == stream_marks_count(m));
}
