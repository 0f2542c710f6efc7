/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/set_small.h"

#include "base/mem.h"

#include <assert.h>

struct set_small set_small_of(const struct entry *e)
{
	struct slice blob = entry_blob(e);
	struct set_small s = { .end = blob.data + blob.size };

	s.width = blob.data[0];
	if (s.width == 0) {
		s.at = blob.data + SET_PACKED_HEAD;
		s.count = get_u16(blob.data + 1);
	} else {
		s.at = blob.data + SET_INTEGERS_HEAD;
		s.count = (blob.size - SET_INTEGERS_HEAD) / s.width;
	}
	return s;
}

/* --- integers ----------------------------------------------------------- */

static inline void put_integer(uint8_t *p, unsigned width, int64_t v)
{
	memcpy(p, &v, width); /* little-endian, as coding.h asserts */
}

static unsigned width_of(int64_t v)
{
	if (v >= INT16_MIN && v <= INT16_MAX)
		return 2;
	return v >= INT32_MIN && v <= INT32_MAX ? 4 : 8;
}

bool set_integers_find(const struct set_small *s, int64_t v, size_t *index)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int64_t there = set_integer(s->at + middle * s->width,
					    s->width);

		if (there == v) {
			*index = middle;
			return true;
		}
		if (there < v)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return false;
}

/* As set_integers_insert, for a value too wide: backwards, so that nothing is
 * written over before it is read. */
static struct entry *insert_wider(struct entry *e, size_t index, int64_t v)
{
	struct set_small s = set_small_of(e);
	unsigned old = s.width, width = width_of(v);
	size_t i, size = s.count * old;
	uint8_t *hole, *at;

	e = entry_blob_splice(e, SET_INTEGERS_HEAD + size, 0,
			      (s.count + 1) * width - size, &hole);
	at = hole - size;
	for (i = s.count + 1; i-- > 0;) {
		int64_t x = v;

		if (i != index)
			x = set_integer(at + (i > index ? i - 1 : i) * old,
					old);
		put_integer(at + i * width, width, x);
	}
	at[-SET_INTEGERS_HEAD] = (uint8_t)width;
	return e;
}

struct entry *set_integers_insert(struct entry *e, size_t index, int64_t v)
{
	struct set_small s = set_small_of(e);
	uint8_t *hole;

	assert(s.width != 0);
	assert(index <= s.count);
	if (width_of(v) > s.width)
		return insert_wider(e, index, v);
	e = entry_blob_splice(e, SET_INTEGERS_HEAD + index * s.width, 0,
			      s.width, &hole);
	put_integer(hole, s.width, v);
	return e;
}

struct entry *set_integers_remove(struct entry *e, size_t index)
{
	struct set_small s = set_small_of(e);
	uint8_t *hole;

	assert(s.width != 0);
	assert(index < s.count);
	return entry_blob_splice(e, SET_INTEGERS_HEAD + index * s.width,
				 s.width, 0, &hole);
}

/* --- packed elements ---------------------------------------------------- */

const uint8_t *set_packed_find(const struct set_small *s,
			       const struct pack_key *k)
{
	const uint8_t *at = s->at, *next;

	for (; at < s->end; at = next)
		if (pack_match(at, k, &next))
			return at;
	return NULL;
}

/* Adds to the count in the head, which is `offset` bytes before p. */
static void count_add(uint8_t *p, size_t offset, int by)
{
	put_u16(p - offset + 1, (uint16_t)(get_u16(p - offset + 1) + by));
}

struct entry *set_packed_append(struct entry *e, const struct pack_key *k)
{
	size_t size = entry_blob(e).size;
	uint8_t *hole;

	e = entry_blob_splice(e, size, 0, pack_key_size(k), &hole);
	pack_put_key(hole, k);
	count_add(hole, size, 1);
	return e;
}

struct entry *set_packed_remove(struct entry *e, const uint8_t *at)
{
	size_t offset = (size_t)(at - entry_blob(e).data);
	uint8_t *hole;

	e = entry_blob_splice(e, offset, (size_t)(pack_skip(at) - at), 0,
			      &hole);
	count_add(hole, offset, -1);
	return e;
}

size_t set_integers_packed_size(const struct set_small *s, size_t *longest)
{
	char text[NUM_I64_SIZE];
	size_t size = SET_PACKED_HEAD;
	const uint8_t *p;

	*longest = 0;
	for (p = s->at; p < s->end; p += s->width) {
		size_t digits = num_format_i64(text, set_integer(p, s->width));

		size += pack_size(slice_of(text, digits));
		if (digits > *longest)
			*longest = digits;
	}
	return size;
}

struct entry *set_integers_pack(struct entry *e, size_t size)
{
	struct set_small s = set_small_of(e);
	uint8_t *packed = mem_alloc(size), *p, *hole;
	char text[NUM_I64_SIZE];
	const uint8_t *from;

	packed[0] = 0;
	p = put_u16(packed + 1, (uint16_t)s.count);
	for (from = s.at; from < s.end; from += s.width) {
		int64_t v = set_integer(from, s.width);

		p = pack_put(p, slice_of(text, num_format_i64(text, v)));
	}
	assert(p == packed + size);
	e = entry_blob_splice(e, 0, entry_blob(e).size, size, &hole);
	memcpy(hole, packed, size);
	mem_free(packed);
	return e;
}
