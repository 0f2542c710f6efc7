/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big lists: changes in the middle.
 *
 * I1. An element that does not fit into a full node cuts the node in two where
 *     it goes, so that many inserts at one place find room.
 * I2. A node that has lost elements and its neighbour in the block become one
 *     when they fill half of one.
 */
#include "types/list_big.h"

#include "types/list_run.h"

#include <assert.h>

/* Whether the node may have one element of `size` bytes more. */
static bool slot_takes(const struct list_slot *s, size_t size,
		       const struct list_limits *limits)
{
	return s->count < limits->count &&
	       slot_used(s) + size <= limits->size;
}

/* Replaces `old` bytes at `at` (from the slot's begin) by a hole of `fresh`
 * bytes; returns the hole. */
static uint8_t *slot_splice(struct list_slot *s, size_t at, size_t old,
			    size_t fresh)
{
	size_t behind = slot_used(s) - at - old, capacity;
	struct list_slot to;

	if (!slot_shared(s) && s->end - old + fresh <= s->capacity) {
		uint8_t *hole = s->node->data + s->begin + at;

		memmove(hole + fresh, hole + old, behind);
		s->end = s->end - old + fresh;
		return hole;
	}
	capacity = at + fresh + behind;
	if (s->count > 1) /* goes on being changed, perhaps */
		capacity += capacity / 8;
	slot_init(&to, capacity);
	memcpy(to.node->data, slot_begin(s), at);
	memcpy(to.node->data + at + fresh, slot_begin(s) + at + old, behind);
	to.end = at + fresh + behind;
	to.count = s->count;
	slot_release(s);
	*s = to;
	return to.node->data + at;
}

/* Bytes before the element of this index in the slot. */
static size_t slot_offset(const struct list_slot *s, uint32_t index)
{
	return (size_t)(run_seek(slot_begin(s), slot_end(s), s->count, index) -
			slot_begin(s));
}

/* Puts an element before the one at `at` bytes. */
static void slot_put(struct list_big *l, const struct list_place *place,
		     size_t at, const struct pack_key *k)
{
	struct list_slot *s = block_slot(big_own(l, place->part), place->slot);

	run_put(slot_splice(s, at, 0, run_size(k)), k);
	s->count++;
	big_part(l, place->part)->count++;
	l->count++;
}

/* Cuts the node before the element of this index, which is not its first:
 * place becomes the new slot. */
static void slot_cut(struct list_big *l, struct list_place *place)
{
	struct list_slot *s = block_slot(big_own(l, place->part), place->slot);
	struct list_slot to;
	size_t at = slot_offset(s, place->index);
	uint32_t elements = s->count - place->index;

	slot_init(&to, slot_used(s) - at);
	to.end = to.capacity;
	to.count = elements;
	memcpy(to.node->data, slot_begin(s) + at, to.capacity);
	s->end = s->begin + at;
	s->count = place->index;
	big_part(l, place->part)->count -= elements;
	slot_trim(s);

	place->slot++;
	place->index = 0;
	*big_add_slot(l, place) = to;
	big_part(l, place->part)->count += elements;
}

/* A slot of its own for the element, at place. */
static void slot_alone(struct list_big *l, struct list_place *place,
		       const struct pack_key *k)
{
	struct list_slot *s = big_add_slot(l, place);

	slot_init(s, run_size(k));
	s->end = s->capacity;
	s->count = 1;
	run_put(s->node->data, k);
	big_part(l, place->part)->count++;
	l->count++;
}

/* Puts the element at the end of the slot before place, if it has room. */
static bool slot_append_before(struct list_big *l,
			       const struct list_place *place,
			       const struct pack_key *k,
			       const struct list_limits *limits)
{
	struct list_place before = *place;
	const struct list_slot *s;

	if (place->slot == 0)
		return false;
	before.slot--;
	s = block_slot(big_part(l, place->part)->block, before.slot);
	if (!slot_takes(s, run_size(k), limits))
		return false;
	slot_put(l, &before, slot_used(s), k);
	return true;
}

void big_insert(struct list_big *l, uint64_t index, const struct pack_key *k,
		const struct list_limits *limits)
{
	struct list_place place;
	const struct list_slot *s;

	assert(index <= l->count);
	if (index == 0 || index == l->count) {
		big_push(l, index == 0 ? LIST_LEFT : LIST_RIGHT, k, limits);
		return;
	}
	place = big_find(l, index);
	s = block_slot(big_part(l, place.part)->block, place.slot);
	if (slot_takes(s, run_size(k), limits)) {
		slot_put(l, &place, slot_offset(s, place.index), k);
		return;
	}
	if (place.index > 0)
		slot_cut(l, &place); /* I1 */
	if (slot_append_before(l, &place, k, limits))
		return;
	s = block_slot(big_part(l, place.part)->block, place.slot);
	if (slot_takes(s, run_size(k), limits))
		slot_put(l, &place, 0, k);
	else
		slot_alone(l, &place, k);
}

/* Makes one of a slot and the one behind it, if they fill half a node or less.
 * (I2) */
static bool slot_merge(struct list_big *l, uint32_t part, uint32_t slot,
		       const struct list_limits *limits)
{
	struct list_block *b = big_own(l, part);
	struct list_slot *s, *behind;
	size_t used;
	uint32_t count;

	if (slot + 1 >= b->count)
		return false;
	s = block_slot(b, slot);
	behind = block_slot(b, slot + 1);
	used = slot_used(behind);
	count = behind->count;
	if (slot_used(s) + used > limits->size / 2 ||
	    s->count + count > limits->count / 2)
		return false;
	memcpy(slot_splice(s, slot_used(s), 0, used), slot_begin(behind),
	       used);
	s->count += count;
	big_part(l, part)->count += count;
	l->count += count;
	big_remove_slots(l, part, slot + 1, 1);
	return true;
}

/* Merges a slot that has become smaller with a neighbour if it can. (I2) */
static void slot_shrunk(struct list_big *l, uint32_t part, uint32_t slot,
			const struct list_limits *limits)
{
	if (!slot_merge(l, part, slot, limits) && slot > 0)
		slot_merge(l, part, slot - 1, limits);
}

void big_set(struct list_big *l, uint64_t index, const struct pack_key *k,
	     const struct list_limits *limits)
{
	struct list_place place = big_find(l, index);
	struct list_slot *s = block_slot(big_own(l, place.part), place.slot);
	size_t at = slot_offset(s, place.index), fresh = run_size(k);
	const uint8_t *p = slot_begin(s) + at;
	size_t old = (size_t)(run_next(p) - p);

	if (s->count == 1 || slot_used(s) - old + fresh <= limits->size) {
		run_put(slot_splice(s, at, old, fresh), k);
		if (fresh < old / 2)
			slot_shrunk(l, place.part, place.slot, limits);
		return;
	}
	big_remove(l, index, 1, limits);
	big_insert(l, index, k, limits);
}

/* Removes elements of one slot, not all of them. */
static void slot_remove(struct list_big *l, const struct list_place *place,
			uint32_t count, const struct list_limits *limits)
{
	struct list_slot *s = block_slot(big_own(l, place->part), place->slot);
	size_t at = slot_offset(s, place->index);
	size_t end = slot_offset(s, place->index + count);

	if (at == 0)
		s->begin += (uint32_t)end;
	else if (end == slot_used(s))
		s->end = s->begin + at;
	else
		slot_splice(s, at, end - at, 0);
	s->count -= count;
	big_part(l, place->part)->count -= count;
	l->count -= count;
	slot_shrunk(l, place->part, place->slot, limits);
}

/* Whole parts that the count elements from index on cover, and that begin with
 * the element at place. */
static uint32_t parts_covered(const struct list_big *l,
			      const struct list_place *place, uint64_t count)
{
	uint32_t parts = 0;

	if (place->slot > 0 || place->index > 0)
		return 0;
	while (place->part + parts < l->part_count &&
	       big_part(l, place->part + parts)->count <= count)
		count -= big_part(l, place->part + parts++)->count;
	return parts;
}

void big_remove(struct list_big *l, uint64_t index, uint64_t count,
		const struct list_limits *limits)
{
	uint64_t end = l->count - count;

	assert(count <= l->count);
	assert(index <= end);
	while (l->count > end) {
		struct list_place place = big_find(l, index);
		uint32_t parts = parts_covered(l, &place, l->count - end);
		const struct list_slot *s = block_slot(
			big_part(l, place.part)->block, place.slot);
		uint64_t here = s->count - place.index;

		if (here > l->count - end)
			here = l->count - end;
		if (parts > 0)
			big_remove_parts(l, place.part, parts);
		else if (here == s->count)
			big_remove_slots(l, place.part, place.slot, 1);
		else
			slot_remove(l, &place, (uint32_t)here, limits);
	}
}
