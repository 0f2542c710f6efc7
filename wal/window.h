/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A window on a file: reads it in big aligned pieces and lends contiguous
 * bytes of it.  Used by whoever walks a segment.  One thread per window.
 */
#ifndef REDOUBT_WAL_WINDOW_H
#define REDOUBT_WAL_WINDOW_H

#include "base/io.h"
#include "base/slice.h"

#define WINDOW_SIZE_MAX (4u << 20)

struct window {
	struct io *io;
	int file;       /* < 0: closed */
	bool direct;    /* around the page cache */
	uint32_t align; /* of direct reads */
	uint64_t size;  /* of the file when it was looked at last */
	uint8_t *data;
	size_t capacity;
	uint64_t start; /* offset of data[0] in the file */
	size_t filled;
	size_t ahead; /* bytes to read at least; grows with use */
};

/* No file, no memory. */
void window_init(struct window *w, struct io *io);

/* Opens path for reading in place of the file before; direct: around the page
 * cache, or, where that is refused, with the cached pages dropped first.
 * 0 or a negative errno. */
int window_open(struct window *w, const char *path, bool direct);

/* Closes the file; window_release also frees the memory. */
void window_close(struct window *w);
void window_release(struct window *w);

/* Lends the bytes [offset, offset + size), valid until the next call; size is
 * at most FRAME_CONTENT_MAX + 4096. Returns how many there are (fewer only at
 * the end of the file) or a negative errno. */
int64_t window_at(struct window *w, uint64_t offset, size_t size,
		  const uint8_t **out);

/* Forgets what was read and asks for the size again: the file may have
 * changed. 0 or a negative errno. */
int window_refresh(struct window *w);

#endif
