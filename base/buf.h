/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growable byte buffer.  Owns its memory; every pointer into it dies at the
 * next call that may grow it.  Growth that cannot be had ends the process
 * (exit 71); sizes a client names are tried with buf_try_reserve first.
 */
#ifndef REDOUBT_BASE_BUF_H
#define REDOUBT_BASE_BUF_H

#include "base/slice.h"

struct buf {
	uint8_t *data;
	size_t size;     /* bytes in use */
	size_t capacity; /* bytes allocated */
};

/* An empty buffer needs no release; {0} is one. */
static inline void buf_init(struct buf *b)
{
	*b = (struct buf){ 0 };
}

/* Frees the memory and leaves an empty buffer. */
void buf_release(struct buf *b);

/* Slow path of buf_reserve: makes room for `more` bytes behind size. */
void buf_grow(struct buf *b, size_t more);

/* As buf_reserve, but false instead of exit 71. */
bool buf_try_reserve(struct buf *b, size_t more);

/* Makes room for `more` bytes and returns where they go (NULL: nothing, into an
 * empty buffer); size is unchanged. */
static inline uint8_t *buf_reserve(struct buf *b, size_t more)
{
	if (b->capacity - b->size < more)
		buf_grow(b, more);
	/* NULL + 0 is undefined. */
	return b->size ? b->data + b->size : b->data;
}

static inline void buf_put(struct buf *b, const void *data, size_t size)
{
	if (size == 0)
		return;
	memcpy(buf_reserve(b, size), data, size);
	b->size += size;
}

static inline void buf_put_slice(struct buf *b, struct slice s)
{
	buf_put(b, s.data, s.size);
}

static inline void buf_put_byte(struct buf *b, uint8_t byte)
{
	*buf_reserve(b, 1) = byte;
	b->size++;
}

static inline void buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

/* Appends formatted text, without its terminating 0. */
void buf_printf(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drops the first n bytes, moving the rest to the front. */
void buf_drop_front(struct buf *b, size_t n);

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->data, b->size };
}

#endif
