/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/entry.h"

#include "base/mem.h"
#include "base/slab.h"
#include "types/str_chunks.h"

#include <assert.h>

#define PREFETCH_LINE 64
#define PREFETCH_MAX 1024

/* Bytes to allocate for an entry of `size` bytes. */
static inline size_t block_size(size_t size, bool grown)
{
	return grown ? str_grown_size(size) : size;
}

/* Bytes from the start of e to its value field. */
static inline size_t head_size(const struct entry *e)
{
	return (size_t)(entry_value_field(e) - (const uint8_t *)e);
}

static inline size_t head_size_for(size_t key_size, uint64_t deadline_ms)
{
	return ENTRY_HEADER_SIZE + (deadline_ms ? ENTRY_DEADLINE_SIZE : 0) +
	       varint_size(key_size) + key_size;
}

/* Writes the deadline, if any, and its flag. */
static inline void put_deadline(struct entry *e, uint64_t deadline_ms)
{
	assert(deadline_ms <= DEADLINE_MAX_MS);
	if (deadline_ms == 0) {
		e->flags &= (uint8_t)~ENTRY_DEADLINE;
		return;
	}
	e->flags |= ENTRY_DEADLINE;
	memcpy(e->rest, &deadline_ms, ENTRY_DEADLINE_SIZE);
}

size_t entry_value_size(const struct entry *e)
{
	struct reader r;

	switch (entry_encoding(e)) {
	case ENC_INT:
		return (size_t)1
		       << ((e->flags & ENTRY_WIDTH_MASK) >> ENTRY_WIDTH_SHIFT);
	case ENC_CHUNKS:
	case ENC_POINTER:
		return sizeof(void *);
	case ENC_RAW:
		break;
	}
	r = reader_of(slice_of(entry_value_field(e), VARINT_SIZE_MAX));
	return read_varint(&r) + (size_t)(r.at - entry_value_field(e));
}

size_t entry_size(const struct entry *e)
{
	return block_size(head_size(e) + entry_value_size(e),
			  e->flags & ENTRY_GROWN);
}

void entry_prefetch(const struct entry *e)
{
	const uint8_t *end, *at = (const uint8_t *)e + PREFETCH_LINE;
	size_t size = entry_size(e);

	if (size > PREFETCH_MAX) /* the processor sees where that leads to */
		size = PREFETCH_MAX;
	for (end = (const uint8_t *)e + size; at < end; at += PREFETCH_LINE)
		__builtin_prefetch(at);
}

size_t entry_memory(const struct entry *e)
{
	size_t size = slab_usable(e, entry_size(e));

	if (entry_encoding(e) == ENC_CHUNKS)
		size += str_chunks_memory(entry_pointer(e));
	return size;
}

struct entry *entry_alloc(struct slice key, uint64_t deadline_ms,
			  size_t value_size)
{
	size_t head = head_size_for(key.size, deadline_ms);
	struct entry *e = slab_alloc(head + value_size);
	uint8_t *p;

	*e = (struct entry){ .kind = 0 };
	put_deadline(e, deadline_ms);
	p = put_varint((uint8_t *)entry_key_field(e), key.size);
	put_bytes(p, key.data, key.size);
	return e;
}

/* Whether a block of `old` bytes at e also is the right one for `new`. */
static inline bool same_block(const struct entry *e, size_t old, size_t new)
{
	size_t usable;

	if (old <= SLAB_SIZE_MAX || new <= SLAB_SIZE_MAX)
		return slab_class_size(old) == slab_class_size(new);
	if (old == new)
		return true;
	/* bigger classes are a fifth apart, or less */
	usable = mem_usable(e);
	return new <= usable && new > usable - usable / 5;
}

struct entry *entry_reshape(struct entry *e, uint64_t deadline_ms,
			    size_t value_size, size_t keep, bool grown)
{
	const uint8_t *from = entry_key_field(e);
	size_t body = (size_t)(entry_value_field(e) - from); /* key field */
	size_t lead = ENTRY_HEADER_SIZE + (deadline_ms ? ENTRY_DEADLINE_SIZE
							: 0);
	size_t old = entry_size(e);
	size_t new = block_size(lead + body + value_size, grown);
	struct entry *to = e;

	assert(keep <= value_size);
	if (!same_block(e, old, new)) {
		to = slab_alloc(new);
		memcpy(to, e, ENTRY_HEADER_SIZE);
	}
	if (from != (const uint8_t *)to + lead)
		memmove((uint8_t *)to + lead, from, body + keep);
	put_deadline(to, deadline_ms);
	to->flags = (uint8_t)((to->flags & ~ENTRY_GROWN) |
			      (grown ? ENTRY_GROWN : 0));
	if (to != e)
		slab_free(e, old);
	return to;
}

struct entry *entry_new_pointer(enum value_type type, struct slice key,
				uint64_t deadline_ms, void *value)
{
	struct entry *e = entry_alloc(key, deadline_ms, sizeof(value));

	entry_set_kind(e, type, ENC_POINTER);
	memcpy((uint8_t *)entry_value_field(e), &value, sizeof(value));
	return e;
}

struct entry *entry_new_blob(enum value_type type, struct slice key,
			     uint64_t deadline_ms, size_t size, uint8_t **bytes)
{
	struct entry *e = entry_alloc(key, deadline_ms,
				      varint_size(size) + size);

	entry_set_kind(e, type, ENC_RAW);
	*bytes = put_varint((uint8_t *)entry_value_field(e), size);
	return e;
}

struct slice entry_blob(const struct entry *e)
{
	assert(entry_encoding(e) == ENC_RAW);
	return sized_at(entry_value_field(e));
}

struct entry *entry_blob_splice(struct entry *e, size_t at, size_t old,
				size_t fresh, uint8_t **hole)
{
	struct slice blob = entry_blob(e);
	size_t size = blob.size - old + fresh, rest = blob.size - old - at;
	size_t lead = (size_t)(blob.data - (const uint8_t *)e);
	size_t head = (size_t)(entry_value_field(e) - (const uint8_t *)e);
	size_t was = entry_size(e), now_lead = head + varint_size(size), now;
	bool grown = e->flags & ENTRY_GROWN || size > blob.size;
	struct entry *to = e;
	uint8_t *bytes;

	assert(at <= blob.size && old <= blob.size - at);
	now = block_size(now_lead + size, grown);
	if (!same_block(e, was, now)) {
		to = slab_alloc(now);
		memcpy(to, e, head);
	}
	bytes = (uint8_t *)to + now_lead;
	if (to != e) {
		memcpy(bytes, blob.data, at);
	} else if (now_lead < lead) { /* to the left: front first */
		memmove(bytes, blob.data, at);
	}
	if (to != e || fresh != old || now_lead != lead)
		memmove(bytes + at + fresh, blob.data + at + old, rest);
	if (to == e && now_lead > lead)
		memmove(bytes, blob.data, at);
	put_varint((uint8_t *)to + head, size);
	if (grown)
		to->flags |= ENTRY_GROWN;
	if (to != e)
		slab_free(e, was);
	*hole = bytes + at;
	return to;
}

struct entry *entry_to_pointer(struct entry *e, void *value)
{
	enum value_type type = entry_type(e);

	assert(entry_encoding(e) == ENC_RAW || entry_encoding(e) == ENC_INT);
	e = entry_reshape(e, entry_deadline(e), sizeof(value), 0, false);
	entry_set_kind(e, type, ENC_POINTER);
	memcpy((uint8_t *)entry_value_field(e), &value, sizeof(value));
	return e;
}

void *entry_pointer(const struct entry *e)
{
	void *p;

	assert(entry_encoding(e) == ENC_POINTER ||
	       entry_encoding(e) == ENC_CHUNKS);
	memcpy(&p, entry_value_field(e), sizeof(p));
	return p;
}

struct entry *entry_set_deadline(struct entry *e, uint64_t deadline_ms)
{
	size_t value_size;

	if (deadline_ms != 0 && (e->flags & ENTRY_DEADLINE)) {
		put_deadline(e, deadline_ms);
		return e;
	}
	if (deadline_ms == 0 && !(e->flags & ENTRY_DEADLINE))
		return e;
	value_size = entry_value_size(e);
	return entry_reshape(e, deadline_ms, value_size, value_size,
			     e->flags & ENTRY_GROWN);
}

struct entry *entry_rekey(struct entry *e, struct slice key)
{
	uint64_t deadline_ms = entry_deadline(e);
	bool grown = e->flags & ENTRY_GROWN;
	size_t value_size = entry_value_size(e);
	size_t size = head_size_for(key.size, deadline_ms) + value_size;
	struct entry *moved = slab_alloc(block_size(size, grown));
	uint8_t *p;

	memcpy(moved, e, ENTRY_HEADER_SIZE);
	moved->flags &= (uint8_t)~ENTRY_INDEXED;
	put_deadline(moved, deadline_ms);
	p = put_varint((uint8_t *)entry_key_field(moved), key.size);
	p = put_bytes(p, key.data, key.size);
	memcpy(p, entry_value_field(e), value_size);
	slab_free(e, entry_size(e));
	return moved;
}

void entry_free(struct entry *e)
{
	if (entry_encoding(e) == ENC_CHUNKS)
		str_chunks_free(entry_pointer(e));
	slab_free(e, entry_size(e));
}
