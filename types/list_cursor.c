/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/list.h"

#include "base/mem.h"
#include "types/list_big.h"
#include "types/list_run.h"

#include <assert.h>

#define COUNT_SIZE 2

/* Sets the run to that of the cursor's slot. */
static void enter(struct list_cursor *c)
{
	const struct list_slot *s =
		block_slot(c->parts[c->part].block, c->slot);

	c->begin = slot_begin(s);
	c->end = slot_end(s);
}

/* Whether there is a run behind the cursor's; goes to its beginning. */
static bool next_run(struct list_cursor *c)
{
	if (c->parts == NULL)
		return false;
	if (c->slot + 1u < c->parts[c->part].block->count) {
		c->slot++;
	} else {
		if (c->part + 1 >= c->part_count)
			return false;
		c->part++;
		c->slot = 0;
	}
	enter(c);
	c->at = c->begin;
	return true;
}

/* Whether there is a run before the cursor's; goes to its end. */
static bool previous_run(struct list_cursor *c)
{
	if (c->parts == NULL)
		return false;
	if (c->slot > 0) {
		c->slot--;
	} else {
		if (c->part == 0)
			return false;
		c->part--;
		c->slot = c->parts[c->part].block->count - 1u;
	}
	enter(c);
	c->at = c->end;
	return true;
}

/* Whether the cursor stands before an element. */
static inline bool at_element(struct list_cursor *c)
{
	return c->at < c->end || next_run(c);
}

/* Whether the cursor stands behind an element. */
static inline bool behind_element(struct list_cursor *c)
{
	return c->at > c->begin || previous_run(c);
}

/* The cursor of a big list, before its element of this index. */
static void seek_big(struct list_cursor *c, const struct list_big *l,
		     uint64_t index)
{
	struct list_place place = { 0 };
	const struct list_slot *s;
	bool end = index == l->count;

	*c = (struct list_cursor){
		.parts = big_part(l, 0),
		.part_count = l->part_count,
	};
	place = big_find(l, end ? index - 1 : index);
	c->part = place.part;
	c->slot = place.slot;
	enter(c);
	s = block_slot(c->parts[c->part].block, c->slot);
	c->at = run_seek(c->begin, c->end, s->count, place.index + end);
}

void list_seek(struct list_cursor *c, const struct entry *e, uint64_t index)
{
	struct slice blob;

	assert(entry_type(e) == VALUE_list);
	assert(index <= list_count(e));
	if (entry_encoding(e) != ENC_RAW) {
		seek_big(c, entry_pointer(e), index);
		return;
	}
	blob = entry_blob(e);
	c->begin = blob.data + COUNT_SIZE;
	c->end = blob.data + blob.size;
	c->parts = NULL;
	c->at = run_seek(c->begin, c->end, get_u16(blob.data), index);
}

static struct slice element(struct list_cursor *c, const uint8_t *p)
{
	struct pack_item item;

	pack_next(p, &item);
	return pack_slice(&item, c->scratch);
}

bool list_next(struct list_cursor *c, struct slice *out)
{
	if (!at_element(c))
		return false;
	*out = element(c, c->at);
	c->at = run_next(c->at);
	return true;
}

bool list_previous(struct list_cursor *c, struct slice *out)
{
	if (!behind_element(c))
		return false;
	c->at = run_previous(c->at);
	*out = element(c, c->at);
	return true;
}

bool list_next_is(struct list_cursor *c, const struct pack_key *k, bool *is)
{
	if (!at_element(c))
		return false;
	*is = pack_match(c->at, k, NULL);
	c->at = run_next(c->at);
	return true;
}

bool list_previous_is(struct list_cursor *c, const struct pack_key *k,
		      bool *is)
{
	if (!behind_element(c))
		return false;
	c->at = run_previous(c->at);
	*is = pack_match(c->at, k, NULL);
	return true;
}

struct slice list_get(struct list_cursor *c, const struct entry *e,
		      uint64_t index)
{
	list_seek(c, e, index);
	assert(c->at < c->end);
	return element(c, c->at);
}

bool list_take(struct list_cursor *c, struct buf *out, size_t size_max)
{
	struct slice s;
	bool any = false;

	while (out->size < size_max && list_next(c, &s)) {
		uint8_t *p = buf_reserve(out, VARINT_SIZE_MAX + s.size);

		p = put_varint(p, s.size);
		p = put_bytes(p, s.data, s.size);
		out->size = (size_t)(p - out->data);
		any = true;
	}
	return any;
}

/* Another list that shares the blocks: whoever writes to the first one copies
 * them. */
struct list_big *list_freeze(const struct entry *e, struct list_cursor *c)
{
	struct list_big *frozen = big_copy(entry_pointer(e));

	seek_big(c, frozen, 0);
	return frozen;
}

void list_frozen_free(struct list_big *frozen)
{
	big_free(frozen);
}
