/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/pack.h"

#include <assert.h>

/* Bytes of two's complement that v needs. */
static unsigned width_of(int64_t v)
{
	uint64_t magnitude = (uint64_t)(v < 0 ? ~v : v);
	unsigned bits = magnitude ? 64 - (unsigned)__builtin_clzll(magnitude)
				  : 0;

	return bits / 8 + 1;
}

static void key_of_number(struct pack_key *k, int64_t v)
{
	k->is_number = true;
	if (v >= 0 && v <= PACK_NUMBER_MAX) {
		k->head[0] = (uint8_t)(PACK_NUMBER + v);
		k->head_size = 1;
		return;
	}
	k->head_size = (uint8_t)(1 + width_of(v));
	k->head[0] = (uint8_t)(PACK_INTEGER + k->head_size - 2);
	memcpy(k->head + 1, &v, k->head_size - 1);
}

struct pack_key pack_key_number(struct slice s, int64_t v)
{
	struct pack_key k = { .bytes = s };

	key_of_number(&k, v);
	return k;
}

struct pack_key pack_key_bytes(struct slice s)
{
	struct pack_key k = { .bytes = s };

	assert(s.size <= PACK_SIZE_MAX);
	if (s.size <= PACK_SMALL_MAX) {
		k.head[0] = (uint8_t)s.size;
		k.head_size = 1;
	} else if (s.size <= PACK_MEDIUM_MAX) {
		k.head[0] = (uint8_t)(PACK_MEDIUM | s.size >> 8);
		k.head[1] = (uint8_t)s.size;
		k.head_size = 2;
	} else {
		k.head[0] = PACK_LARGE;
		put_u32(k.head + 1, (uint32_t)s.size);
		k.head_size = 5;
	}
	return k;
}

struct pack_key pack_key(struct slice s)
{
	int64_t v;

	if (s.size > 0 && s.size < NUM_I64_SIZE && s.data[0] <= '9' &&
	    num_parse_i64(s, &v))
		return pack_key_number(s, v);
	return pack_key_bytes(s);
}

size_t pack_size_slow(struct slice s)
{
	struct pack_key k = pack_key(s);

	return pack_key_size(&k);
}

uint8_t *pack_put_slow(uint8_t *p, struct slice s)
{
	struct pack_key k = pack_key(s);

	return pack_put_key(p, &k);
}

const uint8_t *pack_next(const uint8_t *p, struct pack_item *out)
{
	size_t content, head = pack_head(p, &content);

	*out = (struct pack_item){ .bytes = slice_of(p + head, content) };
	if (*p >= PACK_INTEGER && *p < PACK_MEDIUM) {
		unsigned unused = 64 - 8 * (unsigned)content;
		uint64_t bits = 0;

		memcpy(&bits, p + head, content);
		out->is_number = true;
		out->number = (int64_t)(bits << unused) >> unused;
	} else if (*p >= PACK_NUMBER && *p < PACK_INTEGER) {
		out->is_number = true;
		out->number = *p - PACK_NUMBER;
	}
	return p + head + content;
}

struct slice pack_slice(const struct pack_item *i, char scratch[NUM_I64_SIZE])
{
	if (!i->is_number)
		return i->bytes;
	return slice_of(scratch, num_format_i64(scratch, i->number));
}

/* Bytes that must be there before pack_head may look. */
static size_t head_needs(uint8_t first)
{
	if (first < PACK_MEDIUM)
		return 1;
	return first < PACK_LARGE ? 2 : 5;
}

bool pack_check(const uint8_t *p, size_t size, size_t *count)
{
	const uint8_t *end = p + size;
	size_t n = 0;

	for (; p < end; n++) {
		size_t left = (size_t)(end - p), content, head;

		if (*p > PACK_LARGE || (*p > 0xc7 && *p < PACK_MEDIUM) ||
		    left < head_needs(*p))
			return false;
		head = pack_head(p, &content);
		if (content > left - head)
			return false;
		p += head + content;
	}
	if (count)
		*count = n;
	return true;
}
