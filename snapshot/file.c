/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a snapshot file through a window of at most a mebibyte.
 *
 * I1. The window starts on a multiple of WINDOW_ALIGN and is as long as the
 *     file allows, so that direct reads are aligned.
 * I2. Nothing is allocated by a size from the file that exceeds the file.
 * I3. A file under a snapshot's name is that snapshot, or it is damaged.
 */
#include "snapshot/file.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"

#define WINDOW_ALIGN 65536u
#define WINDOW_SIZE_MAX (1u << 20)

int snapshot_file_open(struct snapshot_file *f, struct io *io,
		       const char *path, bool around_cache,
		       struct err_message *m)
{
	int64_t size;

	*f = (struct snapshot_file){ .io = io, .file = -1, .label = path };
	if (around_cache)
		f->file = io->ops->open(io, path, IO_READ | IO_DIRECT);
	if (!around_cache || f->file == -EINVAL) {
		f->file = io->ops->open(io, path, IO_READ);
		if (around_cache && f->file >= 0)
			io->ops->drop_cache(io, f->file);
	}
	if (f->file < 0)
		return err_set(m, ERR_IO, "%s: open: %s", path,
			       strerror(-f->file));
	size = io->ops->size(io, f->file);
	if (size < 0)
		return err_set(m, ERR_IO, "%s: size: %s", path,
			       strerror((int)-size));
	f->size = (uint64_t)size;
	f->window_max = WINDOW_SIZE_MAX;
	if (f->size < WINDOW_SIZE_MAX - WINDOW_ALIGN)
		f->window_max = (f->size / WINDOW_ALIGN + 1) * WINDOW_ALIGN;
	f->window = mem_alloc_aligned(WINDOW_ALIGN, f->window_max);
	return OK;
}

void snapshot_file_close(struct snapshot_file *f)
{
	if (f->file >= 0)
		f->io->ops->close(f->io, f->file);
	mem_free(f->window);
	mem_free(f->header);
	mem_free(f->meta.dbs);
	*f = (struct snapshot_file){ .file = -1 };
}

/* Moves the window so that it holds the byte at offset. */
static int window_move(struct snapshot_file *f, uint64_t offset,
		       struct err_message *m)
{
	int64_t got;

	assert(offset < f->size);
	f->window_offset = offset & ~(uint64_t)(WINDOW_ALIGN - 1); /* I1 */
	f->window_size = 0;
	got = f->io->ops->pread(f->io, f->file, f->window, f->window_max,
				f->window_offset);
	if (got < 0)
		return err_set(m, ERR_IO, "%s: read at %llu: %s", f->label,
			       (unsigned long long)f->window_offset,
			       strerror((int)-got));
	f->window_size = (size_t)got;
	if (offset - f->window_offset >= f->window_size)
		return err_set(m, ERR_CORRUPT, "%s: ends at %llu", f->label,
			       (unsigned long long)(f->window_offset +
						    f->window_size));
	return OK;
}

int snapshot_file_read(struct snapshot_file *f, uint64_t offset, void *out,
			size_t size, struct err_message *m)
{
	uint8_t *to = out;

	if (offset > f->size || size > f->size - offset)
		return err_set(m, ERR_CORRUPT,
			       "%s: %zu bytes at %llu are missing, the file "
			       "has %llu", f->label, size,
			       (unsigned long long)offset,
			       (unsigned long long)f->size);
	while (size > 0) {
		uint64_t at = offset - f->window_offset;
		size_t n;
		int err;

		if (offset < f->window_offset || at >= f->window_size) {
			err = window_move(f, offset, m);
			if (err)
				return err;
			at = offset - f->window_offset;
		}
		n = f->window_size - (size_t)at;
		if (n > size)
			n = size;
		memcpy(to, f->window + at, n);
		to += n;
		offset += n;
		size -= n;
	}
	return OK;
}

/* A whole file of another state must not be taken for this one. (I3) */
static bool name_fits(const struct snapshot_file *f)
{
	const char *slash = strrchr(f->label, '/');
	uint32_t epoch;
	uint64_t lsn;

	if (!snapshot_parse_name(slash ? slash + 1 : f->label, &epoch, &lsn))
		return true;
	return epoch == f->meta.epoch && lsn == f->meta.lsn;
}

int snapshot_file_header(struct snapshot_file *f, struct err_message *m)
{
	uint8_t prefix[SNAPSHOT_PREFIX_SIZE];
	int err;

	err = snapshot_file_read(f, 0, prefix, sizeof(prefix), m);
	if (err)
		return err;
	err = snapshot_prefix_decode(prefix, &f->header_size);
	if (err == ERR_VERSION)
		return err_set(m, err, "%s: format version %u, this program "
			       "knows %u", f->label, get_u32(prefix + 8),
			       SNAPSHOT_VERSION);
	if (err || f->header_size > f->size) /* I2 */
		return err_set(m, ERR_CORRUPT, "%s: bad header", f->label);
	f->header = mem_alloc(f->header_size);
	err = snapshot_file_read(f, 0, f->header, f->header_size, m);
	if (err)
		return err;
	if (snapshot_header_decode(slice_of(f->header, f->header_size),
				   &f->meta, &f->seed.salt) != OK)
		return err_set(m, ERR_CORRUPT, "%s: bad header", f->label);
	if (!name_fits(f))
		return err_set(m, ERR_CORRUPT, "%s: holds LSN %llu of epoch "
			       "%u: the name is another's", f->label,
			       (unsigned long long)f->meta.lsn, f->meta.epoch);
	f->seed.store = store_content_seed(&f->meta.store);
	f->offset = f->header_size;
	return OK;
}

int snapshot_file_footer(struct snapshot_file *f, struct err_message *m)
{
	uint8_t bytes[SNAPSHOT_FOOTER_SIZE];
	uint64_t offset = f->size - SNAPSHOT_FOOTER_SIZE;
	int err;

	assert(f->header != NULL);
	if (f->size < (uint64_t)f->header_size + SNAPSHOT_FOOTER_SIZE)
		return err_set(m, ERR_CORRUPT, "%s: ends in its header",
			       f->label);
	err = snapshot_file_read(f, offset, bytes, sizeof(bytes), m);
	if (err)
		return err;
	if (snapshot_footer_decode(bytes, &f->end, &f->meta, &f->seed,
				   offset) != OK ||
	    f->end.frames_end < f->header_size)
		return err_set(m, ERR_CORRUPT,
			       "%s: bad footer at %llu (LSN %llu)", f->label,
			       (unsigned long long)offset,
			       (unsigned long long)f->meta.lsn);
	f->offset = f->header_size;
	f->frames_end = f->end.frames_end;
	return OK;
}

bool snapshot_frame_fits(const struct snapshot_file *f,
			 const struct frame_header *h)
{
	unsigned must = FRAME_SNAPSHOT | FRAME_ZSTD;
	unsigned may = FRAME_CONT_BEFORE | FRAME_CONT_AFTER;

	if ((h->flags & ~may) != must)
		return false;
	if (h->first_lsn != f->meta.lsn || h->epoch != f->meta.epoch)
		return false;
	if (h->length == 0 || h->raw_length == 0 ||
	    h->raw_length > SNAPSHOT_RAW_MAX)
		return false;
	/* A batch is counted in its last frame. */
	return (h->count == 0) == ((h->flags & FRAME_CONT_AFTER) != 0);
}

static int bad_frame(const struct snapshot_file *f, const char *what,
		     struct err_message *m)
{
	return err_set(m, ERR_CORRUPT, "%s: %s at offset %llu (LSN %llu)",
		       f->label, what, (unsigned long long)f->offset,
		       (unsigned long long)f->meta.lsn);
}

int snapshot_file_frame(struct snapshot_file *f, struct frame_header *h,
			struct buf *content, struct err_message *m)
{
	uint8_t bytes[FRAME_HEADER_SIZE];
	int err;

	assert(f->frames_end <= f->size);
	if (f->offset == f->frames_end)
		return SNAPSHOT_END;
	if (f->frames_end - f->offset < FRAME_HEADER_SIZE)
		return bad_frame(f, "part of a frame", m);
	err = snapshot_file_read(f, f->offset, bytes, sizeof(bytes), m);
	if (err)
		return err;
	if (!frame_decode(bytes, &f->seed, f->offset, h) ||
	    !snapshot_frame_fits(f, h))
		return bad_frame(f, "bad frame", m);
	if (h->length > f->frames_end - f->offset - FRAME_HEADER_SIZE)
		return bad_frame(f, "a frame too long", m);
	content->size = 0;
	err = snapshot_file_read(f, f->offset + FRAME_HEADER_SIZE,
				 buf_reserve(content, h->length), h->length, m);
	if (err)
		return err;
	content->size = h->length;
	f->offset += FRAME_HEADER_SIZE + h->length;
	return OK;
}

int snapshot_file_check(struct snapshot_file *f, bool (*stop)(void *ctx),
			void *ctx, struct err_message *m)
{
	uint64_t chain =
		snapshot_chain_start(slice_of(f->header, f->header_size));
	struct buf content = { 0 };
	struct frame_header h;
	int err;

	while ((err = snapshot_file_frame(f, &h, &content, m)) == OK) {
		if (stop && stop(ctx))
			err = err_set(m, ERR_IO, "%s: stopped", f->label);
		else if (h.content_check !=
			 frame_content_check(buf_slice(&content), &f->seed))
			err = err_set(m, ERR_CORRUPT,
				      "%s: the disk gave back other bytes "
				      "before offset %llu", f->label,
				      (unsigned long long)f->offset);
		if (err)
			break;
		chain = chain_frame(chain, &h);
	}
	buf_release(&content);
	if (err != SNAPSHOT_END)
		return err;
	if (chain != f->end.footer.hash)
		return err_set(m, ERR_CORRUPT, "%s: frames and footer differ",
			       f->label);
	return OK;
}
