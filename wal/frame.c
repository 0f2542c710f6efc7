/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame headers as bytes; the layout is in frame.h.
 *
 * I1. The length has a check of its own, so that a reader may step over a
 *     frame whose other bytes are damaged.
 * I2. The frame check covers every byte of the header, the salt of the file
 *     and the place in it: neither a recycled nor a misdirected frame passes.
 * I3. What is zero by the format is checked to be zero: one frame, one form.
 */
#include "wal/frame.h"

#include <assert.h>

#include "base/checksum.h"
#include "base/coding.h"

#define FRAME_MAGIC 0x31664452u /* "RDf1" */

#define LENGTH_CHECK_AT 12
#define FRAME_CHECK_AT 60

_Static_assert(FRAME_CHECK_AT + 4 == FRAME_HEADER_SIZE, "header layout");
_Static_assert(FRAME_HEADER_SIZE % 8 == 0, "content starts 8-aligned");

static uint32_t frame_check(const uint8_t *header,
			    const struct frame_seed *seed, uint64_t offset)
{
	uint8_t place[16];

	put_u64(put_u64(place, seed->salt), offset);
	return crc32c(crc32c(0, place, sizeof(place)), header, FRAME_CHECK_AT);
}

void frame_encode(uint8_t out[FRAME_HEADER_SIZE], const struct frame_header *h,
		  const struct frame_seed *seed, uint64_t offset)
{
	uint8_t *p = out;

	assert(h->length <= FRAME_CONTENT_MAX);
	assert((h->flags & ~FRAME_FLAGS_ALL) == 0);
	p = put_u32(p, FRAME_MAGIC);
	p = put_u32(p, h->length);
	p = put_u16(p, h->flags);
	p = put_u16(p, 0);
	p = put_u32(p, crc32c(0, out, LENGTH_CHECK_AT));
	p = put_u64(p, h->first_lsn);
	p = put_u32(p, h->count);
	p = put_u32(p, h->epoch);
	p = put_u64(p, h->durable_lsn);
	p = put_u64(p, h->content_check);
	p = put_u64(p, h->raw_length);
	p = put_u32(p, 0);
	p = put_u32(p, frame_check(out, seed, offset));
	assert(p == out + FRAME_HEADER_SIZE);
}

bool frame_length(const uint8_t in[FRAME_HEADER_SIZE], uint32_t *length)
{
	uint32_t n = get_u32(in + 4);

	if (get_u32(in) != FRAME_MAGIC || n > FRAME_CONTENT_MAX)
		return false;
	if (get_u32(in + LENGTH_CHECK_AT) != crc32c(0, in, LENGTH_CHECK_AT))
		return false;
	*length = n;
	return true;
}

bool frame_decode(const uint8_t in[FRAME_HEADER_SIZE],
		  const struct frame_seed *seed, uint64_t offset,
		  struct frame_header *out)
{
	struct frame_header h = { 0 };

	if (!frame_length(in, &h.length))
		return false;
	if (get_u32(in + FRAME_CHECK_AT) != frame_check(in, seed, offset))
		return false;
	h.flags = get_u16(in + 8);
	h.first_lsn = get_u64(in + 16);
	h.count = get_u32(in + 24);
	h.epoch = get_u32(in + 28);
	h.durable_lsn = get_u64(in + 32);
	h.content_check = get_u64(in + 40);
	h.raw_length = get_u64(in + 48);
	if ((h.flags & ~FRAME_FLAGS_ALL) != 0)
		return false;
	if (get_u16(in + 10) != 0 || get_u32(in + 56) != 0)
		return false;
	if (!(h.flags & FRAME_ZSTD) && h.raw_length != h.length)
		return false;
	*out = h;
	return true;
}

uint64_t frame_content_check(struct slice content,
			     const struct frame_seed *seed)
{
	assert(content.size <= FRAME_CONTENT_MAX);
	return content_hash(content.data, content.size, seed->store);
}
