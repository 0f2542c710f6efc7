/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small hashes, packed into their entry: field, value, field, value, …  With
 * ENTRY_FIELDS there are six bytes of deadline behind each value (0: none).
 */
#include "types/hash_internal.h"

#include "base/mem.h"

#include <assert.h>

static inline size_t deadline_size(const struct entry *e)
{
	return e->flags & ENTRY_FIELDS ? ENTRY_DEADLINE_SIZE : 0;
}

static inline uint64_t get_deadline(const uint8_t *p)
{
	uint64_t ms = 0;

	memcpy(&ms, p, ENTRY_DEADLINE_SIZE);
	return ms;
}

static inline uint8_t *put_deadline(uint8_t *p, uint64_t ms)
{
	assert(ms <= DEADLINE_MAX_MS);
	memcpy(p, &ms, ENTRY_DEADLINE_SIZE);
	return p + ENTRY_DEADLINE_SIZE;
}

struct packed_spot packed_find(const struct entry *e,
			       const struct pack_key *field)
{
	struct slice blob = entry_blob(e);
	const uint8_t *p = blob.data, *end = p + blob.size;
	size_t more = deadline_size(e);
	struct packed_spot spot = { 0 };

	for (; p < end; spot.count++) {
		const uint8_t *value, *behind;

		spot.found = pack_match(p, field, &value);
		behind = pack_skip(value);
		if (!spot.found) {
			p = behind + more;
			continue;
		}
		spot.at = (size_t)(p - blob.data);
		spot.value_at = (size_t)(value - blob.data);
		spot.value_end = (size_t)(behind - blob.data);
		spot.end = spot.value_end + more;
		spot.deadline_ms = more ? get_deadline(behind) : 0;
		return spot;
	}
	spot.at = spot.value_at = spot.value_end = spot.end = blob.size;
	return spot;
}

struct entry *packed_replace(struct entry *e, const struct packed_spot *spot,
			     const struct pack_key *value,
			     uint64_t deadline_ms)
{
	size_t more = deadline_size(e);
	uint8_t *p;

	assert(spot->found);
	e = entry_blob_splice(e, spot->value_at, spot->end - spot->value_at,
			      pack_key_size(value) + more, &p);
	p = pack_put_key(p, value);
	if (more)
		put_deadline(p, deadline_ms);
	return e;
}

struct entry *packed_append(struct entry *e, const struct pack_key *field,
			    const struct pack_key *value,
			    uint64_t deadline_ms)
{
	size_t more = deadline_size(e);
	uint8_t *p;

	e = entry_blob_splice(e, entry_blob(e).size, 0,
			      pack_key_size(field) + pack_key_size(value) +
			      more, &p);
	p = pack_put_key(p, field);
	p = pack_put_key(p, value);
	if (more)
		put_deadline(p, deadline_ms);
	return e;
}

struct entry *packed_remove(struct entry *e, const struct packed_spot *spot)
{
	uint8_t *p;

	assert(spot->found);
	return entry_blob_splice(e, spot->at, spot->end - spot->at, 0, &p);
}

size_t packed_skip(const struct entry *e, size_t at)
{
	const uint8_t *start = entry_blob(e).data;

	return (size_t)(pack_skip(pack_skip(start + at)) - start) +
	       deadline_size(e);
}

size_t packed_item(const struct entry *e, size_t at, struct hash_item *out)
{
	const uint8_t *start = entry_blob(e).data, *p = start + at;
	struct pack_item item;

	p = pack_next(p, &item);
	out->field = pack_slice(&item, out->scratch[0]);
	p = pack_next(p, &item);
	out->value = pack_slice(&item, out->scratch[1]);
	out->deadline_ms = 0;
	if (!(e->flags & ENTRY_FIELDS))
		return (size_t)(p - start);
	out->deadline_ms = get_deadline(p);
	return (size_t)(p - start) + ENTRY_DEADLINE_SIZE;
}

/* Copies the blob with (without) deadlines, `count` of them. */
static struct entry *reform(struct entry *e, size_t count, bool wide)
{
	struct slice old = entry_blob(e);
	size_t bytes = count * ENTRY_DEADLINE_SIZE;
	size_t size = wide ? old.size + bytes : old.size - bytes;
	uint8_t *copy = mem_alloc(size + 1), *to = copy, *hole;
	const uint8_t *p = old.data, *end = p + old.size;

	while (p < end) {
		const uint8_t *behind = pack_skip(pack_skip(p));

		to = put_bytes(to, p, (size_t)(behind - p));
		if (wide)
			to = put_deadline(to, 0);
		p = behind + (wide ? 0 : ENTRY_DEADLINE_SIZE);
	}
	assert((size_t)(to - copy) == size);
	e = entry_blob_splice(e, 0, old.size, size, &hole);
	put_bytes(hole, copy, size);
	mem_free(copy);
	e->flags ^= ENTRY_FIELDS;
	return e;
}

struct entry *packed_widen(struct entry *e)
{
	if (e->flags & ENTRY_FIELDS)
		return e;
	return reform(e, hash_count(e), true);
}

struct entry *packed_narrow(struct entry *e)
{
	size_t at = 0, end = entry_blob(e).size, count = 0;

	if (!(e->flags & ENTRY_FIELDS))
		return e;
	for (; at < end; count++) {
		at = packed_skip(e, at);
		if (get_deadline(entry_blob(e).data + at -
				 ENTRY_DEADLINE_SIZE))
			return e;
	}
	return reform(e, count, false);
}
