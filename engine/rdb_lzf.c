/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I1. lzf_unpack is total: it reads inside of the input, writes inside of the
 *     output, and a reference never points before the output's start.
 * I2. What lzf_pack gives, lzf_unpack takes back: offsets up to 8192, lengths
 *     up to 264, runs of up to 32.
 */
#include "engine/rdb_lzf.h"

#include <assert.h>

#include "base/coding.h"

#define RUN_MAX 32
#define MATCH_MIN 3
#define MATCH_MAX 264
#define OFFSET_MAX 8192
#define SLOT_BITS_MIN 7
#define SLOT_BITS_MAX 14

bool lzf_unpack(struct slice in, uint8_t *out, size_t size)
{
	struct reader r = reader_of(in);
	size_t at = 0;

	while (reader_left(&r)) {
		size_t control = read_byte(&r), length, offset;

		if (control < RUN_MAX) {
			struct slice run = read_bytes(&r, control + 1);

			if (r.bad || size - at < run.size)
				return false;
			memcpy(out + at, run.data, run.size);
			at += run.size;
			continue;
		}
		length = control >> 5;
		if (length == 7)
			length += read_byte(&r);
		length += 2;
		offset = ((control & 31) << 8 | read_byte(&r)) + 1;
		if (r.bad || offset > at || size - at < length) /* I1 */
			return false;
		for (; length > 0; length--, at++)
			out[at] = out[at - offset]; /* may overlap */
	}
	return at == size;
}

/* The packed bytes so far. */
struct output {
	uint8_t *at;
	uint8_t *end;
};

static bool put_run(struct output *o, const uint8_t *p, size_t size)
{
	while (size > 0) {
		size_t part = size < RUN_MAX ? size : RUN_MAX;

		if ((size_t)(o->end - o->at) < part + 1)
			return false;
		*o->at++ = (uint8_t)(part - 1);
		memcpy(o->at, p, part);
		o->at += part;
		p += part;
		size -= part;
	}
	return true;
}

static bool put_match(struct output *o, size_t offset, size_t length)
{
	size_t l = length - 2, distance = offset - 1;

	assert(offset > 0 && offset <= OFFSET_MAX);
	assert(length >= MATCH_MIN && length <= MATCH_MAX);
	if (o->end - o->at < 3)
		return false;
	*o->at++ = (uint8_t)((l < 7 ? l : 7) << 5 | distance >> 8);
	if (l >= 7)
		*o->at++ = (uint8_t)(l - 7);
	*o->at++ = (uint8_t)distance;
	return true;
}

static unsigned slot_of(const uint8_t *p, unsigned bits)
{
	uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

	return v * 2654435761u >> (32 - bits);
}

/* Short strings get by with few slots, which are quickly cleared. */
static unsigned slot_bits(size_t size)
{
	unsigned bits = SLOT_BITS_MIN;

	while (bits < SLOT_BITS_MAX && (size_t)1 << bits < size)
		bits++;
	return bits;
}

static size_t match_length(const uint8_t *p, const uint8_t *q,
			   const uint8_t *end)
{
	size_t length = 0;

	while (q + length < end && length < MATCH_MAX &&
	       p[length] == q[length])
		length++;
	return length;
}

size_t lzf_pack(struct slice in, uint8_t *out, size_t size_max)
{
	/* position + 1 of the last three bytes that hashed here */
	static _Thread_local uint32_t slots[1 << SLOT_BITS_MAX];
	struct output o = { out, out + size_max };
	size_t at = 0, run = 0; /* run: where the bytes not yet put begin */
	unsigned bits = slot_bits(in.size);

	if (in.size < MATCH_MIN || in.size > UINT32_MAX)
		return 0;
	memset(slots, 0, sizeof(*slots) << bits);
	while (at + MATCH_MIN <= in.size) {
		const uint8_t *p = in.data + at;
		uint32_t *slot = &slots[slot_of(p, bits)];
		size_t before = *slot, length = 0;

		*slot = (uint32_t)at + 1;
		if (before && at - (before - 1) <= OFFSET_MAX)
			length = match_length(in.data + before - 1, p,
					      in.data + in.size);
		if (length < MATCH_MIN) {
			at++;
			continue;
		}
		if (!put_run(&o, in.data + run, at - run) ||
		    !put_match(&o, at - (before - 1), length))
			return 0;
		at += length;
		run = at;
	}
	if (!put_run(&o, in.data + run, in.size - run))
		return 0;
	return (size_t)(o.at - out);
}
