/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"

#include "base/checked.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define CAPACITY_MIN 64
#define DOUBLING_MAX (1024 * 1024)

void buf_release(struct buf *b)
{
	mem_free(b->data);
	buf_init(b);
}

/* The next capacity that holds size + more; 0 when that is no size at all.
 * Doubles while small, so that appending is O(1) amortised; then grows by a
 * half, so that a big buffer wastes less. */
static size_t next_capacity(const struct buf *b, size_t more)
{
	size_t needed, capacity;

	if (!size_add(b->size, more, &needed))
		return 0;
	capacity = b->capacity +
		   (b->capacity < DOUBLING_MAX ? b->capacity : b->capacity / 2);
	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	return capacity < needed ? needed : capacity;
}

void buf_grow(struct buf *b, size_t more)
{
	size_t capacity = next_capacity(b, more);

	if (capacity == 0)
		mem_exhausted(SIZE_MAX);
	b->data = mem_realloc(b->data, capacity);
	b->capacity = capacity;
}

bool buf_try_reserve(struct buf *b, size_t more)
{
	size_t capacity;
	uint8_t *data;

	if (b->capacity - b->size >= more)
		return true;
	capacity = next_capacity(b, more);
	if (capacity == 0)
		return false;
	data = mem_try_alloc(capacity);
	if (data == NULL)
		return false;
	if (b->size)
		memcpy(data, b->data, b->size);
	mem_free(b->data);
	b->data = data;
	b->capacity = capacity;
	return true;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	size_t room;
	int size;

	va_start(args, format);
	va_copy(again, args);
	room = b->capacity - b->size;
	/* With no room vsnprintf only measures; it may not get NULL + 0. */
	size = vsnprintf(room ? (char *)b->data + b->size : NULL, room, format,
			 args);
	va_end(args);
	assert(size >= 0);
	if ((size_t)size >= room) {
		/* one more for the 0 that vsnprintf insists on */
		buf_reserve(b, (size_t)size + 1);
		vsnprintf((char *)b->data + b->size, (size_t)size + 1, format,
			  again);
	}
	va_end(again);
	b->size += (size_t)size;
}

void buf_drop_front(struct buf *b, size_t n)
{
	assert(n <= b->size);
	if (n == 0)
		return;
	b->size -= n;
	memmove(b->data, b->data + n, b->size);
}
