/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/list.h"

#include "base/mem.h"
#include "types/list_big.h"
#include "types/list_run.h"

#include <assert.h>

#define COUNT_SIZE 2 /* in front of a small list's elements */
#define NODE_SIZE_DEFAULT 8192

struct list_limits list_limits_of(int64_t directive)
{
	struct list_limits limits = { NODE_SIZE_DEFAULT, UINT32_MAX };

	if (directive < -5)
		directive = -5;
	if (directive < 0)
		limits.size = (size_t)2048 << -directive;
	else
		limits.count = directive < UINT16_MAX ? (uint32_t)directive
						      : UINT16_MAX;
	if (limits.count == 0)
		limits.count = 1;
	limits.size -= sizeof(struct list_node); /* one block, a power of two */
	return limits;
}

static bool is_small(const struct entry *e)
{
	return entry_encoding(e) == ENC_RAW;
}

static struct list_big *big_of(const struct entry *e)
{
	return entry_pointer(e);
}

static uint32_t small_count(const struct entry *e)
{
	return get_u16(entry_blob(e).data);
}

static void small_set_count(struct entry *e, uint32_t count)
{
	assert(count <= UINT16_MAX);
	put_u16((uint8_t *)entry_blob(e).data, (uint16_t)count);
}

static const uint8_t *small_begin(const struct entry *e)
{
	return entry_blob(e).data + COUNT_SIZE;
}

static const uint8_t *small_end(const struct entry *e)
{
	struct slice blob = entry_blob(e);

	return blob.data + blob.size;
}

/* Where the element of this index begins in the blob. */
static size_t small_offset(const struct entry *e, uint64_t index)
{
	struct slice blob = entry_blob(e);

	return (size_t)(run_seek(blob.data + COUNT_SIZE, blob.data + blob.size,
				 get_u16(blob.data), index) - blob.data);
}

struct entry *list_new(struct slice key, uint64_t deadline_ms)
{
	uint8_t *bytes;
	struct entry *e = entry_new_blob(VALUE_list, key, deadline_ms,
					 COUNT_SIZE, &bytes);

	put_u16(bytes, 0);
	return e;
}

struct entry *list_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms)
{
	struct slice blob;
	struct entry *copy;
	uint8_t *bytes;

	if (!is_small(e))
		return entry_new_pointer(VALUE_list, key, deadline_ms,
					 big_copy(big_of(e)));
	blob = entry_blob(e);
	copy = entry_new_blob(VALUE_list, key, deadline_ms, blob.size, &bytes);
	memcpy(bytes, blob.data, blob.size);
	return copy;
}

void list_free(struct entry *e)
{
	if (!is_small(e))
		big_free(big_of(e));
	entry_free(e);
}

uint64_t list_count(const struct entry *e)
{
	return is_small(e) ? small_count(e) : big_of(e)->count;
}

const char *list_encoding_name(const struct entry *e)
{
	return is_small(e) ? "listpack" : "quicklist";
}

size_t list_memory(const struct entry *e)
{
	const struct list_big *l;

	if (is_small(e))
		return entry_memory(e);
	l = big_of(e);
	return entry_memory(e) + sizeof(*l) +
	       l->capacity * sizeof(l->parts[0]) + big_stored(l);
}

/* Makes a small list big. */
static struct entry *grow(struct entry *e)
{
	struct list_big *l = big_new();
	uint32_t count = small_count(e);
	const uint8_t *begin = small_begin(e);

	if (count > 0)
		big_add_run(l, slice_of(begin,
					(size_t)(small_end(e) - begin)), count);
	return entry_to_pointer(e, l);
}

/* Makes a big list of one node small if it fits twice. */
static struct entry *shrink(struct entry *e, const struct list_limits *limits)
{
	struct list_big *l = big_of(e);
	const struct list_slot *s;
	uint8_t *p;
	size_t size;

	if (l->part_count != 1 || big_part(l, 0)->block->count != 1)
		return e;
	s = block_slot(big_part(l, 0)->block, 0);
	if (slot_used(s) > limits->size / 2 || s->count > limits->count / 2 ||
	    s->count > UINT16_MAX)
		return e;
	size = COUNT_SIZE + slot_used(s);
	e = entry_reshape(e, entry_deadline(e), varint_size(size) + size, 0,
			  false);
	p = put_varint((uint8_t *)entry_value_field(e), size);
	p = put_u16(p, (uint16_t)s->count);
	memcpy(p, slot_begin(s), slot_used(s));
	entry_set_kind(e, VALUE_list, ENC_RAW);
	big_free(l);
	return e;
}

/* Writes the elements of items into a hole that is as big as they are. */
static void fill(uint8_t *hole, size_t size, enum list_end at,
		 struct slice items)
{
	struct reader in = reader_of(items);
	uint8_t *p = at == LIST_LEFT ? hole + size : hole;

	while (reader_left(&in)) {
		struct pack_key k = pack_key(read_string(&in));

		if (at == LIST_LEFT) {
			p -= run_size(&k);
			run_put(p, &k);
		} else {
			p = run_put(p, &k);
		}
	}
}

/* Bytes that items take as elements, and how many there are; stops when they
 * are more than size_max. */
static size_t measure(struct slice items, size_t size_max, size_t *count)
{
	struct reader in = reader_of(items);
	size_t size = 0;

	*count = 0;
	while (reader_left(&in) && size <= size_max) {
		struct pack_key k = pack_key(read_string(&in));

		size += run_size(&k);
		++*count;
	}
	return size;
}

/* Pushes all of items to a small list if it stays one. */
static bool push_small(struct entry **e, enum list_end at, struct slice items,
		       const struct list_limits *limits, size_t *count)
{
	struct slice blob = entry_blob(*e);
	uint32_t before = get_u16(blob.data);
	uint8_t *hole;
	size_t size;

	if (blob.size >= limits->size)
		return false;
	size = measure(items, limits->size - blob.size, count);
	if (size > limits->size - blob.size ||
	    *count > limits->count - before || before > limits->count ||
	    before + *count > UINT16_MAX)
		return false;
	*e = entry_blob_splice(*e, at == LIST_LEFT ? COUNT_SIZE : blob.size, 0,
			       size, &hole);
	fill(hole, size, at, items);
	small_set_count(*e, before + (uint32_t)*count);
	return true;
}

struct entry *list_push(struct entry *e, enum list_end at, struct slice items,
			const struct list_limits *limits, size_t *count)
{
	struct reader in = reader_of(items);
	struct list_big *l;

	if (is_small(e)) {
		if (push_small(&e, at, items, limits, count))
			return e;
		e = grow(e);
	}
	l = big_of(e);
	*count = 0;
	if (at == LIST_RIGHT)
		*count = big_append(l, &in, limits);
	while (reader_left(&in)) {
		struct pack_key k = pack_key(read_string(&in));

		big_push(l, at, &k, limits);
		++*count;
	}
	return e;
}

struct entry *list_pop(struct entry *e, enum list_end at, uint64_t count,
		       const struct list_limits *limits)
{
	if (!is_small(e)) {
		big_pop(big_of(e), at, count);
		return shrink(e, limits);
	}
	return list_remove(e, at == LIST_LEFT ? 0 : small_count(e) - count,
			   count, limits);
}

struct entry *list_set(struct entry *e, uint64_t index, struct slice value,
		       const struct list_limits *limits)
{
	struct pack_key k = pack_key(value);
	struct slice blob;
	size_t at, old;
	uint8_t *hole;

	assert(index < list_count(e));
	if (is_small(e)) {
		blob = entry_blob(e);
		at = small_offset(e, index);
		old = (size_t)(run_next(blob.data + at) - (blob.data + at));
		if (blob.size - old + run_size(&k) <= limits->size) {
			e = entry_blob_splice(e, at, old, run_size(&k), &hole);
			run_put(hole, &k);
			return e;
		}
		e = grow(e);
	}
	big_set(big_of(e), index, &k, limits);
	return shrink(e, limits);
}

struct entry *list_insert(struct entry *e, uint64_t index, struct slice value,
			  const struct list_limits *limits)
{
	struct pack_key k = pack_key(value);
	uint32_t count;
	uint8_t *hole;

	assert(index <= list_count(e));
	if (is_small(e)) {
		count = small_count(e);
		if (entry_blob(e).size + run_size(&k) <= limits->size &&
		    count < limits->count && count < UINT16_MAX) {
			e = entry_blob_splice(e, small_offset(e, index), 0,
					      run_size(&k), &hole);
			run_put(hole, &k);
			small_set_count(e, count + 1);
			return e;
		}
		e = grow(e);
	}
	big_insert(big_of(e), index, &k, limits);
	return e;
}

struct entry *list_remove(struct entry *e, uint64_t index, uint64_t count,
			  const struct list_limits *limits)
{
	uint32_t left;
	size_t at, end;
	uint8_t *hole;

	assert(index + count <= list_count(e));
	if (!is_small(e)) {
		big_remove(big_of(e), index, count, limits);
		return shrink(e, limits);
	}
	left = small_count(e) - (uint32_t)count;
	at = small_offset(e, index);
	end = small_offset(e, index + count);
	e = entry_blob_splice(e, at, end - at, 0, &hole);
	small_set_count(e, left);
	return e;
}

void list_check(const struct entry *e)
{
	const uint8_t *p, *next;
	uint32_t count = 0;

	assert(entry_type(e) == VALUE_list);
	if (!is_small(e)) {
		big_check(big_of(e));
		return;
	}
	for (p = small_begin(e); p < small_end(e); p = next) {
		next = run_next(p);
		assert(run_previous(next) == p);
		count++;
	}
	assert(p == small_end(e));
	assert(count == small_count(e));
}
