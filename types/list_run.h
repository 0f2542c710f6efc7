/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of list elements: what a small list and a node of a big one are made
 * of.  Each element is packed (types/pack.h), and its size stands behind it,
 * written so that it can be read backwards: seven bits a byte, the low ones
 * last, the top bit says that more bytes are in front.
 *
 *   [pack][back] [pack][back] …        read from either end
 *
 * Only types/list*.c include this.  Engine thread; runs that nobody writes to,
 * any thread.
 */
#ifndef REDOUBT_TYPES_LIST_RUN_H
#define REDOUBT_TYPES_LIST_RUN_H

#include "types/pack.h"

static inline size_t run_back_size(size_t size)
{
	return varint_size(size);
}

/* Bytes an element takes in a run. */
static inline size_t run_size(const struct pack_key *k)
{
	size_t size = pack_key_size(k);

	return size + run_back_size(size);
}

/* Writes an element; returns what is behind it. */
static inline uint8_t *run_put(uint8_t *p, const struct pack_key *k)
{
	uint8_t *back = pack_put_key(p, k);
	size_t size = (size_t)(back - p);
	size_t width = run_back_size(size), i;

	for (i = width; i-- > 0; size >>= 7)
		back[i] = (uint8_t)((size & 0x7f) | (i > 0 ? 0x80 : 0));
	return back + width;
}

/* The element behind the one at p. */
static inline const uint8_t *run_next(const uint8_t *p)
{
	size_t content, size = pack_head(p, &content);

	size += content;
	return p + size + run_back_size(size);
}

/* The element that ends at p. */
static inline const uint8_t *run_previous(const uint8_t *p)
{
	uint8_t byte = *--p;
	size_t size = byte & 0x7f;
	unsigned shift = 7;

	while (byte & 0x80) {
		byte = *--p;
		size |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	}
	return p - size;
}

/* The element of this index, or the end if index is count; walks from the
 * nearer side. */
static inline const uint8_t *run_seek(const uint8_t *begin, const uint8_t *end,
				      size_t count, size_t index)
{
	size_t back = count - index;

	if (index <= back) {
		while (index-- > 0)
			begin = run_next(begin);
		return begin;
	}
	while (back-- > 0)
		end = run_previous(end);
	return end;
}

#endif
