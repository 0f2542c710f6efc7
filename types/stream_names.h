/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of pointers in order of a name: groups, consumers, producers.  Names
 * are ordered as bytes, the shorter first.  Only types/stream*.c include this.
 */
#ifndef REDOUBT_TYPES_STREAM_NAMES_H
#define REDOUBT_TYPES_STREAM_NAMES_H

#include "base/mem.h"
#include "base/slice.h"

typedef struct slice stream_name_fn(const void *named);

static inline int stream_name_compare(struct slice a, struct slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

/* Index of the one of this name in a list of `count` pointers, or where it
 * would be. */
static inline uint32_t stream_name_find(const void *list, uint32_t count,
					stream_name_fn *name_of,
					struct slice name, bool *found)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const void *at;
		int order;

		memcpy(&at, (const uint8_t *)list + middle * sizeof(at),
		       sizeof(at));
		order = stream_name_compare(name_of(at), name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

/* Makes room for one more at `index` of a list of `count`; where the list is
 * now. */
static inline void *stream_names_open(void *list, uint32_t count,
				      uint32_t index)
{
	void **at = mem_realloc_array(list, count + 1u, sizeof(*at));

	memmove(at + index + 1, at + index, (count - index) * sizeof(*at));
	return at;
}

/* Takes the one at `index` out of a list of `count`. */
static inline void stream_names_close(void *list, uint32_t count,
				      uint32_t index)
{
	uint8_t *at = (uint8_t *)list + index * sizeof(void *);

	memmove(at, at + sizeof(void *), (count - index - 1) * sizeof(void *));
}

#endif
