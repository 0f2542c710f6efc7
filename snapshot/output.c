/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing the file.
 *
 *   open ──put──► buffer ──1 MiB writes──► temporary
 *        sync ─► check ─► publish: rename, sync of the directory
 *
 * I1. Writes start and end on multiples of align, and never overlap.
 * I2. What is checked are bytes from the disk, not from the page cache.
 * I3. The final name appears after sync and check, and counts once the
 *     directory is synced.
 * I4. Whatever fails, the temporary file goes when the output is closed.
 */
#include "snapshot/output.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "snapshot/file.h"

/* a, b and c behind each other; mem_free'd by the caller. */
static char *joined(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *out = mem_alloc(size);

	snprintf(out, size, "%s%s%s", a, b, c);
	return out;
}

void snapshot_output_init(struct snapshot_output *o, struct io *io,
			  const char *dir, const char *name)
{
	char *folder = joined(dir, SNAPSHOT_DIR, "/");

	*o = (struct snapshot_output){ .io = io, .file = -1 };
	o->dir = mem_strdup(dir);
	o->path = joined(folder, name, "");
	o->temporary = joined(folder, name, SNAPSHOT_TEMPORARY);
	mem_free(folder);
}

static int io_failed(const struct snapshot_output *o, const char *what,
		     int err, struct err_message *m)
{
	return err_set(m, ERR_IO, "snapshot %s: %s: %s", o->temporary, what,
		       strerror(-err));
}

/* The directory of snapshots, made with the first one. */
static int make_dir(struct snapshot_output *o, struct err_message *m)
{
	char *folder = joined(o->dir, SNAPSHOT_DIR, "");
	int err = o->io->ops->mkdir(o->io, folder);

	mem_free(folder);
	/* Each time: an earlier sync of it may have failed. */
	if (!err || err == -EEXIST)
		err = o->io->ops->sync_dir(o->io, o->dir);
	return err ? io_failed(o, "mkdir", err, m) : OK;
}

int snapshot_output_open(struct snapshot_output *o, struct err_message *m)
{
	const struct io_ops *ops = o->io->ops;
	unsigned flags = IO_READ | IO_WRITE | IO_CREATE | IO_EXCLUSIVE;
	int err;

	err = make_dir(o, m);
	if (err)
		return err;
	err = ops->unlink(o->io, o->temporary);
	if (err && err != -ENOENT)
		return io_failed(o, "unlink", err, m);
	o->exists = true; /* I4: also after a failed open */
	o->direct = true;
	o->file = ops->open(o->io, o->temporary, flags | IO_DIRECT);
	if (o->file == -EINVAL) {
		o->direct = false;
		ops->unlink(o->io, o->temporary);
		o->file = ops->open(o->io, o->temporary, flags);
	}
	if (o->file < 0)
		return io_failed(o, "open", o->file, m);
	o->align = io_direct_align(o->io, o->file);
	if (o->align < SNAPSHOT_ALIGN_MIN)
		o->align = SNAPSHOT_ALIGN_MIN;
	assert(SNAPSHOT_WRITE_SIZE % o->align == 0);
	o->buffer = mem_alloc_aligned(o->align, SNAPSHOT_WRITE_SIZE);
	return OK;
}

static int write_buffer(struct snapshot_output *o, struct err_message *m)
{
	size_t size = o->fill;
	int err;

	assert(o->written % o->align == 0); /* I1 */
	assert(size % o->align == 0);
	if (size == 0)
		return OK;
	err = io_write_all(o->io, o->file, o->buffer, size, o->written);
	if (err)
		return io_failed(o, "write", err, m);
	o->written += size;
	o->fill = 0;
	if (o->wrote)
		o->wrote(o->wrote_ctx, size);
	return OK;
}

int snapshot_output_put(struct snapshot_output *o, const void *data,
			size_t size, struct err_message *m)
{
	const uint8_t *from = data;

	assert(o->file >= 0);
	while (size > 0) {
		size_t n = SNAPSHOT_WRITE_SIZE - o->fill;
		int err;

		if (n > size)
			n = size;
		memcpy(o->buffer + o->fill, from, n);
		o->fill += n;
		from += n;
		size -= n;
		if (o->fill < SNAPSHOT_WRITE_SIZE)
			continue;
		err = write_buffer(o, m);
		if (err)
			return err;
	}
	return OK;
}

int snapshot_output_sync(struct snapshot_output *o, struct err_message *m)
{
	int err = write_buffer(o, m);

	if (err)
		return err;
	err = o->io->ops->sync(o->io, o->file);
	if (err)
		return io_failed(o, "sync", err, m);
	if (!o->direct)
		o->io->ops->drop_cache(o->io, o->file);
	return OK;
}

static bool end_equal(const struct snapshot_end *a,
		      const struct snapshot_end *b)
{
	return a->footer.record_count == b->footer.record_count &&
	       a->footer.raw_bytes == b->footer.raw_bytes &&
	       a->footer.hash == b->footer.hash &&
	       a->footer.durable_lsn == b->footer.durable_lsn &&
	       a->footer.sequence == b->footer.sequence &&
	       a->frames_end == b->frames_end &&
	       a->frame_count == b->frame_count;
}

int snapshot_output_check(struct snapshot_output *o,
			  const struct snapshot_end *meant,
			  bool (*stop)(void *ctx), void *ctx,
			  struct err_message *m)
{
	struct snapshot_file f;
	int err;

	err = snapshot_file_open(&f, o->io, o->temporary, true, m); /* I2 */
	if (!err)
		err = snapshot_file_header(&f, m);
	if (!err)
		err = snapshot_file_footer(&f, m);
	if (!err && (f.size != o->written || !end_equal(&f.end, meant)))
		err = err_set(m, ERR_CORRUPT, "%s: the disk gave back another "
			      "footer", o->temporary);
	if (!err)
		err = snapshot_file_check(&f, stop, ctx, m);
	if (!o->direct && f.file >= 0)
		o->io->ops->drop_cache(o->io, f.file);
	snapshot_file_close(&f);
	return err;
}

int snapshot_output_publish(struct snapshot_output *o, struct err_message *m)
{
	char *folder;
	int err;

	assert(o->fill == 0);
	assert(o->exists);
	err = o->io->ops->close(o->io, o->file);
	o->file = -1;
	if (err)
		return io_failed(o, "close", err, m);
	err = o->io->ops->rename(o->io, o->temporary, o->path);
	if (err)
		return io_failed(o, "rename", err, m);
	o->exists = false;
	folder = joined(o->dir, SNAPSHOT_DIR, "");
	err = o->io->ops->sync_dir(o->io, folder); /* I3 */
	mem_free(folder);
	return err ? io_failed(o, "sync of the directory", err, m) : OK;
}

void snapshot_output_close(struct snapshot_output *o)
{
	if (o->file >= 0)
		o->io->ops->close(o->io, o->file);
	if (o->exists)
		o->io->ops->unlink(o->io, o->temporary);
	mem_free(o->buffer);
	mem_free(o->dir);
	mem_free(o->path);
	mem_free(o->temporary);
	*o = (struct snapshot_output){ .file = -1 };
}
