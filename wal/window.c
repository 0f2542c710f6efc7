/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading in big pieces.
 *
 * I1. data holds the bytes [start, start + filled) of the file; start is a
 *     multiple of align.
 * I2. A read begins at a multiple of align and asks for a multiple of it, so
 *     that direct I/O takes it.  A partial piece at the end of the file is
 *     dropped before reading on.
 * I3. What still lies in the window is moved, not read again: a walk reads
 *     each byte once.
 */
#include "wal/window.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"

#define AHEAD_MIN ((size_t)128 << 10)

static uint64_t round_down(uint64_t n, uint64_t align)
{
	return n - n % align;
}

static uint64_t round_up(uint64_t n, uint64_t align)
{
	return round_down(n + align - 1, align);
}

void window_init(struct window *w, struct io *io)
{
	*w = (struct window){ .io = io, .file = -1 };
}

void window_close(struct window *w)
{
	if (w->file >= 0)
		w->io->ops->close(w->io, w->file);
	w->file = -1;
	w->filled = 0;
}

void window_release(struct window *w)
{
	window_close(w);
	mem_free(w->data);
	w->data = NULL;
	w->capacity = 0;
}

/* Memory for the file: all of a small one, else WINDOW_SIZE_MAX. */
static void window_fit(struct window *w)
{
	uint64_t want = round_up(w->size + 1, w->align);

	if (want > WINDOW_SIZE_MAX)
		want = WINDOW_SIZE_MAX;
	if (w->capacity >= want && w->capacity % w->align == 0)
		return;
	mem_free(w->data);
	w->capacity = (size_t)want;
	w->data = mem_alloc_aligned(w->align, w->capacity);
	w->filled = 0;
}

int window_open(struct window *w, const char *path, bool direct)
{
	const struct io_ops *ops = w->io->ops;
	int err;

	window_close(w);
	w->direct = direct;
	if (direct)
		w->file = ops->open(w->io, path, IO_READ | IO_DIRECT);
	if (!direct || w->file == -EINVAL || w->file == -EOPNOTSUPP) {
		w->direct = false;
		w->file = ops->open(w->io, path, IO_READ);
	}
	if (w->file < 0)
		return w->file;
	if (direct && !w->direct) {
		err = ops->drop_cache(w->io, w->file);
		if (err < 0 && err != -EOPNOTSUPP && err != -EINVAL)
			goto fail;
	}
	w->align = w->direct ? io_direct_align(w->io, w->file) : 4096;
	if (w->align < 4096)
		w->align = 4096;
	w->ahead = AHEAD_MIN;
	err = window_refresh(w);
	if (err)
		goto fail;
	return 0;

fail:
	window_close(w);
	return err;
}

int window_refresh(struct window *w)
{
	int64_t size = w->io->ops->size(w->io, w->file);

	if (size < 0)
		return (int)size;
	w->size = (uint64_t)size;
	w->start = 0;
	w->filled = 0;
	window_fit(w);
	return 0;
}

/* Moves the window so that it begins at or before offset. */
static void window_move(struct window *w, uint64_t offset)
{
	uint64_t start = round_down(offset, w->align);

	if (start < w->start || start >= w->start + w->filled) {
		w->start = start;
		w->filled = 0;
		return;
	}
	w->filled -= (size_t)(start - w->start);
	memmove(w->data, w->data + (start - w->start), w->filled);
	w->start = start;
}

/* Reads on behind what is filled; at least `need` bytes in all if the file
 * has them. */
static int window_fill(struct window *w, size_t need)
{
	size_t want;
	int64_t got;

	w->filled = (size_t)round_down(w->filled, w->align); /* I2 */
	want = need > w->filled ? need - w->filled : 0;
	if (want < w->ahead)
		want = w->ahead;
	want = (size_t)round_up(want, w->align);
	if (want > w->capacity - w->filled)
		want = w->capacity - w->filled;
	if (w->ahead < w->capacity)
		w->ahead *= 2;
	got = w->io->ops->pread(w->io, w->file, w->data + w->filled, want,
				w->start + w->filled);
	if (got < 0)
		return (int)got;
	assert((uint64_t)got <= want);
	w->filled += (size_t)got;
	return 0;
}

int64_t window_at(struct window *w, uint64_t offset, size_t size,
		  const uint8_t **out)
{
	uint64_t have;

	assert(w->file >= 0);
	if (offset >= w->size)
		return 0;
	if (size > w->size - offset)
		size = (size_t)(w->size - offset);
	if (offset < w->start || offset + size > w->start + w->filled) {
		int err;

		window_move(w, offset);
		assert(size <= w->capacity);
		err = window_fill(w, (size_t)(offset - w->start) + size);
		if (err)
			return err;
	}
	have = w->start + w->filled;
	have = have > offset ? have - offset : 0;
	*out = w->data + (offset - w->start);
	return (int64_t)(have < size ? have : size);
}
