/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big lists: parts, blocks, slots, and the two ends.
 *
 * I1. Used parts of the array and used slots of a block are together; neither
 *     a part nor a slot is ever empty.
 * I2. A slot or a block is written only while its block has one holder; bytes
 *     of a node only while the node has.
 * I3. Elements are taken off a node by moving the slot's begin or end, so what
 *     others hold of the node stays as it is.
 */
#include "types/list_big.h"

#include "base/mem.h"
#include "base/reaper.h"
#include "types/list_run.h"

#include <assert.h>

#define PARTS_MIN 4
#define BLOCK_MIN 4
#define NODE_MIN 512 /* bytes a first node starts with */
/* A block with as many nodes is of a list that goes on growing. */
#define NODES_MANY 8
/* So many bytes go back to the system when they have been freed. */
#define PURGE_FROM ((size_t)32 << 20)
/* To tell the bytes of a list by. */
#define PARTS_LOOKED_AT 64

static size_t block_bytes(size_t capacity)
{
	return sizeof(struct list_block) + capacity * sizeof(struct list_slot);
}

static struct list_node *node_new(size_t capacity)
{
	struct list_node *node = mem_alloc(sizeof(*node) + capacity);

	atomic_init(&node->refs, 1);
	return node;
}

/* Any thread. Whether the node is gone. */
static bool node_release(struct list_node *node)
{
	if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) > 1)
		return false;
	mem_free(node);
	return true;
}

static void node_hold(struct list_node *node)
{
	atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
}

static struct list_block *block_new(uint16_t capacity)
{
	struct list_block *b = mem_alloc(block_bytes(capacity));

	atomic_init(&b->refs, 1);
	b->first = 0;
	b->count = 0;
	b->capacity = capacity;
	return b;
}

/* Any thread. How many bytes of nodes are gone. */
static size_t block_release(struct list_block *b)
{
	size_t bytes = 0;
	uint32_t i;

	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1)
		return 0;
	for (i = 0; i < b->count; i++)
		if (node_release(block_slot(b, i)->node))
			bytes += block_slot(b, i)->capacity;
	mem_free(b);
	return bytes;
}

struct list_big *big_new(void)
{
	return mem_calloc(1, sizeof(struct list_big));
}

struct list_big *big_copy(const struct list_big *l)
{
	struct list_big *copy = mem_alloc(sizeof(*copy));
	uint32_t i;

	*copy = *l;
	copy->first = 0;
	copy->capacity = l->part_count;
	copy->parts = mem_realloc_array(NULL, l->part_count,
					sizeof(l->parts[0]));
	for (i = 0; i < l->part_count; i++) {
		copy->parts[i] = *big_part(l, i);
		atomic_fetch_add_explicit(&copy->parts[i].block->refs, 1,
					  memory_order_relaxed);
	}
	return copy;
}

/* In the freeing thread. */
static void big_destroy(void *p)
{
	struct list_big *l = p;
	size_t bytes = 0;
	uint32_t i;

	for (i = 0; i < l->part_count; i++)
		bytes += block_release(big_part(l, i)->block);
	mem_free(l->parts);
	mem_free(l);
	if (bytes >= PURGE_FROM)
		mem_purge();
}

void big_free(struct list_big *l)
{
	reaper_free(big_destroy, l);
}

void slot_init(struct list_slot *s, size_t capacity)
{
	*s = (struct list_slot){ .node = node_new(capacity),
				 .capacity = capacity };
}

void slot_release(struct list_slot *s)
{
	node_release(s->node);
}

void slot_move(struct list_slot *s, size_t capacity, size_t begin)
{
	size_t used = slot_used(s);
	struct list_slot fresh;

	assert(begin + used <= capacity);
	slot_init(&fresh, capacity);
	memcpy(fresh.node->data + begin, slot_begin(s), used);
	fresh.begin = (uint32_t)begin;
	fresh.end = begin + used;
	fresh.count = s->count;
	slot_release(s);
	*s = fresh;
}

void slot_trim(struct list_slot *s)
{
	size_t used = slot_used(s);

	if (s->capacity - used > s->capacity / 8 && !slot_shared(s))
		slot_move(s, used, 0);
}

/* A block of its own with the same slots, in place of a shared one. */
static struct list_block *block_copy(struct list_part *part)
{
	struct list_block *old = part->block;
	struct list_block *b = block_new(old->capacity);
	uint32_t i;

	b->first = old->first;
	b->count = old->count;
	for (i = 0; i < b->count; i++) {
		*block_slot(b, i) = *block_slot(old, i);
		node_hold(block_slot(b, i)->node);
	}
	block_release(old);
	part->block = b;
	return b;
}

struct list_block *big_own(struct list_big *l, uint32_t part)
{
	struct list_part *p = big_part(l, part);

	if (atomic_load_explicit(&p->block->refs, memory_order_acquire) > 1)
		return block_copy(p);
	return p->block;
}

/* Makes room in the array of parts for one at index, and moves those behind
 * it; ends get room for more of their kind. */
static struct list_part *parts_open(struct list_big *l, uint32_t index)
{
	struct list_part *from = l->parts ? big_part(l, 0) : NULL;
	uint32_t capacity = l->capacity, first;
	struct list_part *to = l->parts;

	if (index == l->part_count && l->first + l->part_count < capacity) {
		l->part_count++;
		return big_part(l, index);
	}
	if (index == 0 && l->first > 0) {
		l->first--;
		l->part_count++;
		return big_part(l, 0);
	}
	if (l->part_count + l->part_count / 4 + 1 >= capacity) {
		capacity = capacity ? 2 * capacity : PARTS_MIN;
		to = mem_realloc_array(NULL, capacity, sizeof(*to));
	}
	first = (capacity - l->part_count - 1) / 2;
	if (to != l->parts && l->part_count == 0) {
		mem_free(l->parts);
	} else if (to != l->parts) {
		put_bytes((uint8_t *)(to + first), from,
			  index * sizeof(*to));
		put_bytes((uint8_t *)(to + first + index + 1), from + index,
			  (l->part_count - index) * sizeof(*to));
		mem_free(l->parts);
	} else if (first < l->first) {
		memmove(to + first, from, index * sizeof(*to));
		memmove(to + first + index + 1, from + index,
			(l->part_count - index) * sizeof(*to));
	} else {
		memmove(to + first + index + 1, from + index,
			(l->part_count - index) * sizeof(*to));
		memmove(to + first, from, index * sizeof(*to));
	}
	l->parts = to;
	l->capacity = capacity;
	l->first = first;
	l->part_count++;
	return big_part(l, index);
}

/* Removes parts from the array; their blocks are somebody else's now. */
static void parts_close(struct list_big *l, uint32_t index, uint32_t count)
{
	uint32_t behind = l->part_count - index - count;

	if (index < behind) {
		memmove(big_part(l, count), big_part(l, 0),
			index * sizeof(l->parts[0]));
		l->first += count;
	} else {
		memmove(big_part(l, index), big_part(l, index + count),
			behind * sizeof(l->parts[0]));
	}
	l->part_count -= count;
}

/* Moves the used slots of a block so that they begin at first, with a gap of
 * one at index; the block has room. */
static void block_shift(struct list_block *b, uint32_t index, uint32_t first)
{
	struct list_slot *from = b->slots + b->first, *to = b->slots + first;
	size_t before = index * sizeof(*to);
	size_t behind = (b->count - index) * sizeof(*to);

	if (to <= from) {
		memmove(to, from, before);
		memmove(to + index + 1, from + index, behind);
	} else {
		memmove(to + index + 1, from + index, behind);
		memmove(to, from, before);
	}
	b->first = (uint16_t)first;
	b->count++;
}

/* Opens a gap of one slot in a block that is not full: at an end where it has
 * room, else by moving what is nearer. */
static void block_open(struct list_block *b, uint32_t index)
{
	bool left = b->first > 0;
	bool right = b->first + b->count < b->capacity;

	assert(left || right);
	if (left && (!right || index < b->count / 2u))
		block_shift(b, index, b->first - 1u);
	else
		block_shift(b, index, b->first);
}

/* A block twice as big with the same slots; front: the new room is in front. */
static struct list_block *block_grow(struct list_part *part, bool front)
{
	struct list_block *b = part->block;
	uint16_t capacity = (uint16_t)(2 * b->capacity);

	if (capacity > LIST_BLOCK_MAX)
		capacity = LIST_BLOCK_MAX;
	b = mem_realloc(b, block_bytes(capacity));
	if (front) {
		uint16_t first = (uint16_t)(b->first + capacity - b->capacity);

		memmove(b->slots + first, b->slots + b->first,
			b->count * sizeof(b->slots[0]));
		b->first = first;
	}
	b->capacity = capacity;
	part->block = b;
	return b;
}

static uint64_t block_elements(struct list_block *b)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < b->count; i++)
		count += block_slot(b, i)->count;
	return count;
}

/* A part with an empty block at index. */
static void part_add(struct list_big *l, uint32_t index, uint16_t capacity,
		     bool front)
{
	struct list_part *part = parts_open(l, index);

	part->block = block_new(capacity);
	part->block->first = front ? capacity : 0;
	part->count = 0;
}

/* Cuts a full block in two halves. */
static void part_split(struct list_big *l, uint32_t index)
{
	struct list_block *from, *to;
	uint16_t keep;

	part_add(l, index + 1, LIST_BLOCK_MAX, false);
	from = big_part(l, index)->block;
	to = big_part(l, index + 1)->block;
	keep = from->count / 2;
	to->count = (uint16_t)(from->count - keep);
	memcpy(to->slots, block_slot(from, keep),
	       to->count * sizeof(to->slots[0]));
	from->count = keep;
	big_part(l, index + 1)->count = block_elements(to);
	big_part(l, index)->count -= big_part(l, index + 1)->count;
}

/* A full block in the way of a new slot: at an end of the list a new block
 * begins, else the block is cut. Changes place accordingly. */
static void part_make_room(struct list_big *l, struct list_place *place)
{
	struct list_block *b = big_part(l, place->part)->block;
	uint32_t kept;

	if (place->part + 1 == l->part_count && place->slot == b->count) {
		part_add(l, ++place->part, LIST_BLOCK_MAX, false);
		place->slot = 0;
	} else if (place->part == 0 && place->slot == 0) {
		part_add(l, 0, LIST_BLOCK_MAX, true);
	} else {
		part_split(l, place->part);
		kept = big_part(l, place->part)->block->count;
		if (place->slot > kept) {
			place->part++;
			place->slot -= kept;
		}
	}
}

struct list_slot *big_add_slot(struct list_big *l, struct list_place *place)
{
	struct list_block *b;

	if (l->part_count == 0) {
		*place = (struct list_place){ 0 };
		part_add(l, 0, BLOCK_MIN, false);
	}
	b = big_own(l, place->part);
	if (b->count == LIST_BLOCK_MAX) {
		part_make_room(l, place);
		b = big_part(l, place->part)->block;
	} else if (b->count == b->capacity) {
		b = block_grow(big_part(l, place->part), place->slot == 0);
	}
	block_open(b, place->slot);
	return block_slot(b, place->slot);
}

void big_remove_slots(struct list_big *l, uint32_t part, uint32_t slot,
		      uint32_t count)
{
	struct list_block *b = big_own(l, part);
	uint64_t elements = 0;
	uint32_t i;

	assert(slot + count <= b->count);
	for (i = slot; i < slot + count; i++) {
		elements += block_slot(b, i)->count;
		slot_release(block_slot(b, i));
	}
	if (slot == 0)
		b->first = (uint16_t)(b->first + count);
	else
		memmove(block_slot(b, slot), block_slot(b, slot + count),
			(b->count - slot - count) * sizeof(b->slots[0]));
	b->count = (uint16_t)(b->count - count);
	big_part(l, part)->count -= elements;
	l->count -= elements;
	if (b->count > 0)
		return;
	block_release(b);
	parts_close(l, part, 1);
}

void big_remove_parts(struct list_big *l, uint32_t part, uint32_t count)
{
	struct list_big *dead = big_new();
	uint32_t i;

	assert(part + count <= l->part_count);
	dead->part_count = count;
	dead->parts = mem_realloc_array(NULL, count, sizeof(dead->parts[0]));
	for (i = 0; i < count; i++) {
		dead->parts[i] = *big_part(l, part + i);
		l->count -= dead->parts[i].count;
	}
	parts_close(l, part, count);
	big_free(dead);
}

/* Bytes a new node at an end gets, for an element of this size. */
static size_t end_capacity(const struct list_big *l, size_t size,
			   const struct list_limits *limits)
{
	bool growing = l->part_count > 1 ||
		       (l->part_count == 1 &&
			big_part(l, 0)->block->count >= NODES_MANY);
	size_t capacity = NODE_MIN;

	if (size > limits->size)
		return size;
	if (growing && limits->count == UINT32_MAX)
		return limits->size;
	while (capacity < size)
		capacity *= 2;
	return capacity < limits->size ? capacity : limits->size;
}

/* A new node at an end, for an element of this size. */
static struct list_slot *end_add(struct list_big *l, enum list_end at,
				 size_t size, const struct list_limits *limits)
{
	size_t capacity = end_capacity(l, size, limits);
	struct list_place place = { 0 };
	struct list_slot *s;

	if (l->part_count > 0) {
		struct list_block *b;

		place.part = at == LIST_LEFT ? 0 : l->part_count - 1;
		b = big_own(l, place.part);
		place.slot = at == LIST_LEFT ? 0 : b->count;
		slot_trim(block_slot(b, at == LIST_LEFT ? 0 :
						    b->count - 1u));
	}
	s = big_add_slot(l, &place);
	slot_init(s, capacity);
	if (at == LIST_LEFT) {
		s->begin = (uint32_t)capacity;
		s->end = capacity;
	}
	return s;
}

/* Tries to find room for `size` bytes at an end of a node that has none there,
 * or is shared: by moving its elements, or to a bigger node. A node that is
 * nearly full is left as it is: false. */
static bool end_make_room(struct list_slot *s, enum list_end at, size_t size,
			  size_t size_max)
{
	size_t used = slot_used(s), need = used + size;
	size_t capacity = s->capacity, begin;

	if (need > capacity - capacity / 4) {
		if (capacity >= size_max)
			return false;
		capacity = 2 * capacity < size_max ? 2 * capacity : size_max;
		if (capacity < need)
			capacity = need;
	}
	begin = at == LIST_LEFT ? capacity - used : 0;
	if (capacity != s->capacity || slot_shared(s)) {
		slot_move(s, capacity, begin);
		return true;
	}
	memmove(s->node->data + begin, slot_begin(s), used);
	s->begin = (uint32_t)begin;
	s->end = begin + used;
	return true;
}

/* The slot at an end with room for `size` bytes there. */
static struct list_slot *end_slot(struct list_big *l, enum list_end at,
				  size_t size, const struct list_limits *limits)
{
	struct list_block *b;
	struct list_slot *s;
	size_t room;

	if (l->part_count == 0)
		return end_add(l, at, size, limits);
	b = big_own(l, at == LIST_LEFT ? 0 : l->part_count - 1);
	s = block_slot(b, at == LIST_LEFT ? 0 : b->count - 1u);
	if (s->count >= limits->count || slot_used(s) + size > limits->size)
		return end_add(l, at, size, limits);
	room = at == LIST_LEFT ? s->begin : s->capacity - s->end;
	if (__builtin_expect(room >= size && !slot_shared(s), 1))
		return s;
	if (end_make_room(s, at, size, limits->size))
		return s;
	return end_add(l, at, size, limits);
}

void big_push(struct list_big *l, enum list_end at, const struct pack_key *k,
	      const struct list_limits *limits)
{
	size_t size = run_size(k);
	struct list_slot *s = end_slot(l, at, size, limits);

	if (at == LIST_LEFT) {
		s->begin -= (uint32_t)size;
		run_put(s->node->data + s->begin, k);
		big_part(l, 0)->count++;
	} else {
		run_put(s->node->data + s->end, k);
		s->end += size;
		big_part(l, l->part_count - 1)->count++;
	}
	s->count++;
	l->count++;
}

/* Writes an element in front of `full`; what is behind it, or NULL: no room.
 * Short words at once. */
static inline uint8_t *put_before(uint8_t *p, const uint8_t *full,
				  struct slice s)
{
	struct pack_key k;

	if (pack_is_plain(s) && s.size < PACK_SMALL_MAX) { /* back in a byte */
		if ((size_t)(full - p) < s.size + 2)
			return NULL;
		*p++ = (uint8_t)s.size;
		p = put_bytes(p, s.data, s.size);
		*p++ = (uint8_t)(s.size + 1);
		return p;
	}
	k = pack_key(s);
	return run_size(&k) <= (size_t)(full - p) ? run_put(p, &k) : NULL;
}

/* Puts what of `in` there is room for into a node; how many. */
static uint32_t fill_end(struct list_slot *s, struct reader *in,
			 const struct list_limits *limits)
{
	uint8_t *p = s->node->data + s->end, *next;
	uint32_t before = s->count, count = before;
	size_t most = s->begin + limits->size;
	const uint8_t *full = s->node->data +
			      (s->capacity < most ? s->capacity : most);

	while (count < limits->count && reader_left(in)) {
		struct reader behind = *in;

		next = put_before(p, full, read_string(&behind));
		if (next == NULL)
			break;
		p = next;
		*in = behind;
		count++;
	}
	s->end = (size_t)(p - s->node->data);
	s->count = count;
	return count - before;
}

size_t big_append(struct list_big *l, struct reader *in,
		  const struct list_limits *limits)
{
	uint64_t before = l->count;

	while (reader_left(in)) {
		struct reader peek = *in;
		struct pack_key k = pack_key(read_string(&peek));
		size_t size = run_size(&k);
		uint32_t added;

		if (size > limits->size) { /* a node of its own */
			big_push(l, LIST_RIGHT, &k, limits);
			*in = peek;
			continue;
		}
		added = fill_end(end_slot(l, LIST_RIGHT, size, limits), in,
				 limits);
		assert(added > 0);
		big_part(l, l->part_count - 1)->count += added;
		l->count += added;
	}
	return l->count - before;
}

void big_add_run(struct list_big *l, struct slice run, uint32_t count)
{
	struct list_place place = { 0 };
	struct list_slot *s;

	if (l->part_count > 0) {
		place.part = l->part_count - 1;
		place.slot = big_part(l, place.part)->block->count;
	}
	s = big_add_slot(l, &place);
	slot_init(s, run.size);
	memcpy(s->node->data, run.data, run.size);
	s->end = run.size;
	s->count = count;
	big_part(l, place.part)->count += count;
	l->count += count;
}

/* Takes count elements, not all of them, off an end of a slot. */
static void slot_pop(struct list_slot *s, enum list_end at, uint32_t count)
{
	const uint8_t *to;

	if (at == LIST_LEFT) {
		to = run_seek(slot_begin(s), slot_end(s), s->count, count);
		s->begin = (uint32_t)(to - s->node->data);
	} else {
		to = run_seek(slot_begin(s), slot_end(s), s->count,
			      s->count - count);
		s->end = (size_t)(to - s->node->data);
	}
	s->count -= count;
}

/* Takes whole parts off an end; returns what is left to take. */
static uint64_t pop_parts(struct list_big *l, enum list_end at, uint64_t count)
{
	uint32_t parts = 0;

	while (parts < l->part_count) {
		uint32_t next = at == LIST_LEFT ? parts
						: l->part_count - 1 - parts;

		if (big_part(l, next)->count > count)
			break;
		count -= big_part(l, next)->count;
		parts++;
	}
	if (parts > 0)
		big_remove_parts(l, at == LIST_LEFT ? 0 : l->part_count - parts,
				 parts);
	return count;
}

void big_pop(struct list_big *l, enum list_end at, uint64_t count)
{
	assert(count <= l->count);
	if (count > 1)
		count = pop_parts(l, at, count);
	while (count > 0) {
		uint32_t part = at == LIST_LEFT ? 0 : l->part_count - 1;
		struct list_block *b = big_own(l, part);
		uint32_t slot = at == LIST_LEFT ? 0 : b->count - 1u;
		struct list_slot *s = block_slot(b, slot);

		if (s->count <= count) {
			count -= s->count;
			big_remove_slots(l, part, slot, 1);
			continue;
		}
		slot_pop(s, at, (uint32_t)count);
		big_part(l, part)->count -= count;
		l->count -= count;
		return;
	}
}

/* The part with the element, index becomes one in the part. */
static uint32_t find_part(const struct list_big *l, uint64_t *index)
{
	uint64_t back = l->count - *index;
	uint32_t part;

	if (*index < back) {
		for (part = 0; *index >= big_part(l, part)->count; part++)
			*index -= big_part(l, part)->count;
		return part;
	}
	for (part = l->part_count - 1; back > big_part(l, part)->count; part--)
		back -= big_part(l, part)->count;
	*index = big_part(l, part)->count - back;
	return part;
}

/* The slot with the element of this index in a part of `count` elements; index
 * becomes one in the slot. */
static uint32_t find_slot(struct list_block *b, uint64_t count,
			  uint64_t *index)
{
	uint64_t back = count - *index;
	uint32_t slot;

	if (*index < back) {
		for (slot = 0; *index >= block_slot(b, slot)->count; slot++)
			*index -= block_slot(b, slot)->count;
		return slot;
	}
	for (slot = b->count - 1u; back > block_slot(b, slot)->count; slot--)
		back -= block_slot(b, slot)->count;
	*index = block_slot(b, slot)->count - back;
	return slot;
}

struct list_place big_find(const struct list_big *l, uint64_t index)
{
	struct list_place place = { 0 };
	const struct list_part *part;

	assert(index < l->count);
	place.part = find_part(l, &index);
	part = big_part(l, place.part);
	place.slot = find_slot(part->block, part->count, &index);
	place.index = (uint32_t)index;
	return place;
}

size_t big_stored(const struct list_big *l)
{
	uint32_t i, j, step = 1 + l->part_count / (PARTS_LOOKED_AT + 1);
	size_t bytes = 0, looked = 0;

	for (i = 0; i < l->part_count; i += step, looked++) {
		struct list_block *b = big_part(l, i)->block;

		for (j = 0; j < b->count; j++)
			bytes += block_slot(b, j)->capacity;
	}
	return looked ? bytes * l->part_count / looked : 0;
}

/* A slot's elements are as many as it says, and read the same from behind. */
static void slot_check(const struct list_slot *s)
{
	const uint8_t *p, *next;
	uint32_t count = 0;

	assert(s->count > 0);
	assert(s->begin < s->end);
	assert(s->end <= s->capacity);
	for (p = slot_begin(s); p < slot_end(s); p = next) {
		next = run_next(p);
		assert(run_previous(next) == p);
		count++;
	}
	assert(p == slot_end(s));
	assert(count == s->count);
}

void big_check(const struct list_big *l)
{
	uint64_t count = 0;
	uint32_t i, j;

	assert(l->first + l->part_count <= l->capacity);
	for (i = 0; i < l->part_count; i++) {
		struct list_block *b = big_part(l, i)->block;

		assert(b->count > 0);
		assert(b->first + b->count <= b->capacity);
		assert(b->capacity <= LIST_BLOCK_MAX);
		assert(atomic_load(&b->refs) > 0);
		for (j = 0; j < b->count; j++)
			slot_check(block_slot(b, j));
		assert(block_elements(b) == big_part(l, i)->count);
		count += big_part(l, i)->count;
	}
	assert(count == l->count);
}
