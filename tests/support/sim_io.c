/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls of the simulated disk.
 *
 * Each call that changes something goes three steps: enter() decides whether
 * it fails; its effect becomes live and a list of pending units; boundary()
 * gives the driver its moment; then, if the call promises so, units land.
 */
#include "tests/support/sim_io.h"

#include "tests/support/sim_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* --- names ------------------------------------------------------------- */

int names_find(const struct sim_names *n, const char *path)
{
	size_t i;

	for (i = 0; i < n->count; i++)
		if (strcmp(n->at[i].path, path) == 0)
			return (int)i;
	return -1;
}

void names_add(struct sim_names *n, const char *path, int file)
{
	int i = names_find(n, path);

	if (i < 0) {
		assert(n->count < SIM_NAMES_MAX);
		assert(strlen(path) < SIM_PATH_MAX);
		i = (int)n->count++;
		strcpy(n->at[i].path, path);
	}
	n->at[i].file = file;
}

void names_remove(struct sim_names *n, const char *path)
{
	int i = names_find(n, path);

	if (i >= 0)
		n->at[i] = n->at[--n->count];
}

/* Whether path stands directly in dir. */
static bool in_dir(const char *path, const char *dir)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash != NULL ? (size_t)(slash - path) : 0;

	return strlen(dir) == size && memcmp(path, dir, size) == 0;
}

static bool parent_exists(const struct sim *s, const char *path)
{
	char dir[SIM_PATH_MAX];
	char *slash;

	assert(strlen(path) < sizeof(dir));
	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return true;
	*slash = 0;
	return names_find(&s->live, dir) >= 0;
}

/* --- pending units ----------------------------------------------------- */

static struct unit *unit_add(struct sim *s, enum unit_kind kind, int file)
{
	struct unit *u;

	if (s->unit_count == s->unit_capacity) {
		s->unit_capacity = s->unit_capacity * 2 + 64;
		s->units = reallocarray(s->units, s->unit_capacity,
					sizeof(struct unit));
		assert(s->units != NULL);
	}
	u = &s->units[s->unit_count++];
	*u = (struct unit){ .kind = kind, .file = file };
	return u;
}

void unit_release(struct unit *u)
{
	free(u->data);
	free(u->path);
	free(u->to);
}

static void remove_if(struct sim_names *n, const char *path, int file)
{
	int i = names_find(n, path);

	if (i >= 0 && n->at[i].file == file)
		names_remove(n, path);
}

static void data_land(struct sim_file *f, const struct unit *u)
{
	uint64_t end = image_size(f->durable);
	size_t size = u->size;

	/* data without size: nothing shows of it */
	if (u->offset >= end)
		return;
	if (size > end - u->offset)
		size = (size_t)(end - u->offset);
	image_write(&f->durable, u->offset, u->data, size);
}

void unit_land(struct sim *s, const struct unit *u, bool keep_old)
{
	struct sim_file *f = u->file >= 0 ? &s->files[u->file] : NULL;

	switch (u->kind) {
	case UNIT_DATA:
		data_land(f, u);
		break;
	case UNIT_SIZE: /* u->size: 1 for truncate, 0 for growing */
		if (u->size == 1 || u->offset > image_size(f->durable))
			image_resize(&f->durable, u->offset);
		break;
	case UNIT_LINK:
		names_add(&s->durable, u->path, u->file);
		break;
	case UNIT_RENAME:
		if (!keep_old)
			remove_if(&s->durable, u->path, u->file);
		names_add(&s->durable, u->to, u->file);
		break;
	case UNIT_UNLINK:
		remove_if(&s->durable, u->path, u->file);
		break;
	}
}

/* Lands and removes (or only removes) the units that match. */
static void units_finish(struct sim *s, int file, const char *dir, bool land)
{
	size_t i, kept = 0;

	for (i = 0; i < s->unit_count; i++) {
		struct unit *u = &s->units[i];
		bool match;

		if (dir == NULL)
			match = u->path == NULL && u->file == file;
		else
			match = u->path != NULL &&
				(in_dir(u->path, dir) ||
				 (u->to != NULL && in_dir(u->to, dir)));
		if (!match) {
			s->units[kept++] = *u;
			continue;
		}
		if (land)
			unit_land(s, u, false);
		unit_release(u);
	}
	s->unit_count = kept;
}

static void unit_data(struct sim *s, int file, uint64_t offset,
		      const uint8_t *data, size_t size)
{
	struct unit *u = unit_add(s, UNIT_DATA, file);

	u->offset = offset;
	u->size = size;
	if (data == NULL)
		return;
	u->data = malloc(size);
	assert(u->data != NULL);
	memcpy(u->data, data, size);
}

/* One unit a sector; zeros at the end go with the last sector that is not. */
static void stage_sectors(struct sim *s, int file, uint64_t start,
			  const uint8_t *data, size_t size)
{
	size_t last = size, at;

	while (last > 0 && data[last - 1] == 0)
		last--;
	if (last == 0) {
		unit_data(s, file, start, NULL, size);
		return;
	}
	for (at = 0; at < size; at += SIM_SECTOR) {
		if (at + SIM_SECTOR >= last) {
			unit_data(s, file, start + at, data + at, size - at);
			return;
		}
		unit_data(s, file, start + at, data + at, SIM_SECTOR);
	}
}

static void stage_write(struct sim *s, int file, const uint8_t *data,
			size_t size, uint64_t offset)
{
	struct sim_file *f = &s->files[file];
	uint64_t start = offset & ~(uint64_t)(SIM_SECTOR - 1);
	uint64_t end = (offset + size + SIM_SECTOR - 1) &
		       ~(uint64_t)(SIM_SECTOR - 1);
	uint8_t *whole;

	if (offset + size > image_size(f->view)) {
		struct unit *u = unit_add(s, UNIT_SIZE, file);

		u->offset = offset + size;
	}
	image_write(&f->view, offset, data, size);
	if (f->cache != NULL)
		image_write(&f->cache, offset, data, size);
	if (start == offset && end == offset + size) {
		stage_sectors(s, file, start, data, size);
		return;
	}
	whole = calloc(1, (size_t)(end - start));
	assert(whole != NULL);
	image_read(f->view, start, whole, (size_t)(end - start));
	stage_sectors(s, file, start, whole, (size_t)(end - start));
	free(whole);
}

/* The units from `first` on land; older ones of the same bytes must not undo
 * them: they take the new bytes. */
static void land_newest(struct sim *s, int file, size_t first, uint64_t end)
{
	struct sim_file *f = &s->files[file];
	size_t i, j;

	if (image_size(f->durable) < end && image_size(f->view) >= end)
		image_resize(&f->durable, end);
	for (j = first; j < s->unit_count; j++) {
		const struct unit *new = &s->units[j];

		unit_land(s, new, false);
		for (i = 0; i < first && new->kind == UNIT_DATA; i++) {
			struct unit *u = &s->units[i];

			if (u->kind != UNIT_DATA || u->file != file ||
			    u->offset >= new->offset + new->size ||
			    new->offset >= u->offset + u->size)
				continue;
			if (u->data == NULL)
				u->data = malloc(u->size);
			assert(u->data != NULL);
			image_read(f->view, u->offset, u->data, u->size);
		}
	}
	while (s->unit_count > first)
		unit_release(&s->units[--s->unit_count]);
}

/* --- faults ------------------------------------------------------------ */

static void trace(struct sim *s, uint64_t value)
{
	s->trace = (s->trace ^ value) * UINT64_C(0xff51afd7ed558ccd);
	s->trace ^= s->trace >> 32;
}

/* The fault of this call, or NULL. */
static const struct sim_fault *enter(struct sim *s, enum sim_op op)
{
	const struct sim_fault *f = &s->fault;

	s->mono_us += 10;
	if (f->ops != 0 && !(f->ops & op))
		return NULL;
	s->calls++;
	if (f->ops == 0 || f->call == 0 || s->calls < f->call)
		return NULL;
	return s->calls == f->call || f->forever ? f : NULL;
}

static int fault_error(const struct sim_fault *f)
{
	return f != NULL ? -f->error : 0;
}

static void boundary(struct sim *s, enum sim_op op)
{
	if (s->boundary != NULL)
		s->boundary(s->boundary_ctx, op);
}

static uint64_t bytes_used(const struct sim *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->live.count; i++)
		if (s->live.at[i].file >= 0)
			sum += image_size(s->files[s->live.at[i].file].view);
	return sum;
}

static bool over_limit(const struct sim *s, int file, uint64_t end)
{
	uint64_t size = image_size(s->files[file].view);

	return s->limit != 0 && end > size &&
	       bytes_used(s) + (end - size) > s->limit;
}

/* --- calls ------------------------------------------------------------- */

static struct sim *begin(struct io *io)
{
	struct sim *s = (struct sim *)io;

	pthread_mutex_lock(&s->lock);
	return s;
}

static int64_t end(struct sim *s, int64_t result)
{
	pthread_mutex_unlock(&s->lock);
	return result;
}

static struct sim_handle *handle_of(struct sim *s, int file)
{
	assert(file >= 0 && file < SIM_HANDLES_MAX);
	assert(s->handles[file].used);
	return &s->handles[file];
}

int sim_file_new(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->file_count; i++)
		if (!s->files[i].used)
			break;
	assert(i < SIM_FILES_MAX);
	if (i == s->file_count)
		s->file_count++;
	s->files[i] = (struct sim_file){ .used = true,
					 .durable = image_new(),
					 .view = image_new() };
	return (int)i;
}

/* Index of the file, created if asked for, or a negative errno. */
static int find_or_create(struct sim *s, const char *path, unsigned flags)
{
	int name = names_find(&s->live, path);
	int file;

	if (name >= 0 && s->live.at[name].file < 0)
		return -EISDIR;
	if (name >= 0)
		return flags & IO_EXCLUSIVE ? -EEXIST : s->live.at[name].file;
	if (!(flags & IO_CREATE) || !parent_exists(s, path))
		return -ENOENT;
	file = sim_file_new(s);
	names_add(&s->live, path, file);
	unit_add(s, UNIT_LINK, file)->path = strdup(path);
	trace(s, 0x11);
	boundary(s, SIM_OPEN);
	return file;
}

static int sim_open(struct io *io, const char *path, unsigned flags)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_OPEN));
	int file, i;

	if (err == 0 && (flags & IO_DIRECT) && s->refuse_direct)
		err = -EINVAL;
	if (err)
		return (int)end(s, err);
	file = find_or_create(s, path, flags);
	if (file < 0)
		return (int)end(s, file);
	for (i = 0; i < SIM_HANDLES_MAX && s->handles[i].used; i++)
		;
	if (i == SIM_HANDLES_MAX)
		return (int)end(s, -EMFILE);
	s->handles[i] = (struct sim_handle){ true, file, flags };
	return (int)end(s, i);
}

static int sim_close(struct io *io, int file)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);

	if (s->files[h->file].locked && (h->flags & 1u << 31))
		s->files[h->file].locked = false;
	h->used = false;
	return (int)end(s, 0);
}

static bool aligned(const struct sim_handle *h, const void *data, size_t size,
		    uint64_t offset)
{
	return !(h->flags & IO_DIRECT) ||
	       ((uintptr_t)data | size | offset) % SIM_SECTOR == 0;
}

static int64_t sim_pread(struct io *io, int file, void *data, size_t size,
			 uint64_t offset)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);
	const struct sim_file *f = &s->files[h->file];
	int err = fault_error(enter(s, SIM_READ));

	if (err)
		return end(s, err);
	if (!aligned(h, data, size, offset))
		return end(s, -EINVAL);
	if (f->cache != NULL && !(h->flags & IO_DIRECT))
		return end(s,
			   (int64_t)image_read(f->cache, offset, data, size));
	return end(s, (int64_t)image_read(f->view, offset, data, size));
}

/* How much of a write is done when it is cut short. */
static size_t cut_size(const struct sim_handle *h, enum sim_short cut,
		       size_t size)
{
	size_t n = size;

	if (cut == SIM_SHORT_ONE)
		n = 1;
	else if (cut == SIM_SHORT_HALF)
		n = size / 2;
	else if (cut == SIM_SHORT_LESS && size > 1)
		n = size - 1;
	if (cut != SIM_SHORT_NO && (h->flags & IO_DIRECT))
		n &= ~(size_t)(SIM_SECTOR - 1);
	return n == 0 && size >= SIM_SECTOR ? SIM_SECTOR : n;
}

/* A write that failed: half of it may have reached the disk. */
static int64_t write_fails(struct sim *s, int file, struct slice w,
			   uint64_t offset)
{
	size_t half = w.size / 2 & ~(size_t)(SIM_SECTOR - 1);

	if (s->fault.error == EIO && half > 0 &&
	    offset + half <= image_size(s->files[file].view))
		stage_write(s, file, w.data, half, offset);
	return -s->fault.error;
}

static int64_t sim_pwrite(struct io *io, int file, const void *data,
			  size_t size, uint64_t offset)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);
	const struct sim_fault *f = enter(s, SIM_WRITE);
	size_t first = s->unit_count;

	assert(h->flags & IO_WRITE);
	if (!aligned(h, data, size, offset))
		return end(s, -EINVAL);
	if (f != NULL && f->error != 0)
		return end(s, write_fails(s, h->file, slice_of(data, size),
					  offset));
	if (f != NULL)
		size = cut_size(h, f->cut, size);
	if (f != NULL)
		offset += (uint64_t)f->misdirect;
	if (over_limit(s, h->file, offset + size))
		return end(s, -ENOSPC);
	trace(s, (uint64_t)h->file << 56 ^ offset << 24 ^ size);
	stage_write(s, h->file, data, size, offset);
	boundary(s, SIM_WRITE);
	if ((h->flags & IO_DSYNC) && !s->lie)
		land_newest(s, h->file, first, offset + size);
	return end(s, (int64_t)size);
}

/* The page-cache trap: some sectors landed, the rest is gone from the disk,
 * and buffered readers do not notice. */
static void lose_pages(struct sim *s, int file)
{
	struct sim_file *f = &s->files[file];
	uint64_t random = s->random ^ 77;
	size_t i;

	for (i = 0; i < s->unit_count; i++)
		if (s->units[i].path == NULL && s->units[i].file == file &&
		    sim_random(&random) % 2)
			unit_land(s, &s->units[i], false);
	units_finish(s, file, NULL, false);
	if (f->cache == NULL)
		f->cache = image_ref(f->view);
	image_unref(f->view);
	f->view = image_ref(f->durable);
}

static int sim_sync(struct io *io, int file)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);
	const struct sim_fault *f = enter(s, SIM_SYNC);

	trace(s, 0x22 + (uint64_t)h->file);
	boundary(s, SIM_SYNC);
	if (f != NULL && f->lose_pages)
		lose_pages(s, h->file);
	if (f != NULL)
		return (int)end(s, -f->error);
	if (!s->lie)
		units_finish(s, h->file, NULL, true);
	return (int)end(s, 0);
}

static int sim_sync_dir(struct io *io, const char *path)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_SYNC_DIR));

	trace(s, 0x33);
	boundary(s, SIM_SYNC_DIR);
	if (err == 0 && *path != 0 && names_find(&s->live, path) < 0)
		err = -ENOENT; /* "": where paths begin */
	if (err == 0 && !s->lie)
		units_finish(s, -1, path, true);
	return (int)end(s, err);
}

static int sim_rename(struct io *io, const char *from, const char *to)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_RENAME));
	int i = names_find(&s->live, from);
	struct unit *u;

	if (err == 0 && i < 0)
		err = -ENOENT;
	if (err)
		return (int)end(s, err);
	u = unit_add(s, UNIT_RENAME, s->live.at[i].file);
	u->path = strdup(from);
	u->to = strdup(to);
	names_add(&s->live, to, u->file);
	names_remove(&s->live, from);
	trace(s, 0x44);
	boundary(s, SIM_RENAME);
	return (int)end(s, 0);
}

static int sim_unlink(struct io *io, const char *path)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_UNLINK));
	int i = names_find(&s->live, path);

	if (err == 0 && i < 0)
		err = -ENOENT;
	if (err)
		return (int)end(s, err);
	unit_add(s, UNIT_UNLINK, s->live.at[i].file)->path = strdup(path);
	names_remove(&s->live, path);
	trace(s, 0x55);
	boundary(s, SIM_UNLINK);
	return (int)end(s, 0);
}

/* exact: also shrinks. */
static int resize(struct io *io, int file, uint64_t size, enum sim_op op)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);
	int err = fault_error(enter(s, op));
	struct unit *u;

	if (op == SIM_ALLOCATE && s->refuse_allocate)
		err = -EOPNOTSUPP;
	if (err == 0 && over_limit(s, h->file, size))
		err = -ENOSPC;
	if (err)
		return (int)end(s, err);
	if (op == SIM_ALLOCATE && size <= image_size(s->files[h->file].view))
		return (int)end(s, 0);
	image_resize(&s->files[h->file].view, size);
	if (s->files[h->file].cache != NULL)
		image_resize(&s->files[h->file].cache, size);
	u = unit_add(s, UNIT_SIZE, h->file);
	u->offset = size;
	u->size = op == SIM_TRUNCATE;
	trace(s, 0x66 ^ size);
	boundary(s, op);
	return (int)end(s, 0);
}

static int sim_truncate(struct io *io, int file, uint64_t size)
{
	return resize(io, file, size, SIM_TRUNCATE);
}

static int sim_allocate(struct io *io, int file, uint64_t size)
{
	return resize(io, file, size, SIM_ALLOCATE);
}

static int64_t sim_size(struct io *io, int file)
{
	struct sim *s = begin(io);
	const struct sim_file *f = &s->files[handle_of(s, file)->file];
	int err = fault_error(enter(s, SIM_OTHER));

	return end(s, err ? err : (int64_t)image_size(f->view));
}

static int sim_mkdir(struct io *io, const char *path)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_MKDIR));

	if (err == 0 && names_find(&s->live, path) >= 0)
		err = -EEXIST;
	if (err == 0 && !parent_exists(s, path))
		err = -ENOENT;
	if (err)
		return (int)end(s, err);
	names_add(&s->live, path, -1);
	unit_add(s, UNIT_LINK, -1)->path = strdup(path);
	trace(s, 0x77);
	boundary(s, SIM_MKDIR);
	return (int)end(s, 0);
}

static int sim_mode(struct io *io, const char *path)
{
	struct sim *s = begin(io);
	int found = names_find(&s->live, path);

	return (int)end(s, found < 0 ? -ENOENT : 0700);
}

static int sim_list_dir(struct io *io, const char *path, io_name_fn *found,
			void *ctx)
{
	struct sim *s = begin(io);
	int err = fault_error(enter(s, SIM_LIST));
	struct sim_names *names;
	size_t i;

	if (err == 0 && names_find(&s->live, path) < 0)
		err = -ENOENT;
	if (err)
		return (int)end(s, err);
	names = malloc(sizeof(*names));
	assert(names != NULL);
	names->count = s->live.count;
	memcpy(names->at, s->live.at, names->count * sizeof(names->at[0]));
	end(s, 0);
	for (i = 0; i < names->count; i++)
		if (in_dir(names->at[i].path, path))
			found(ctx, strrchr(names->at[i].path, '/') + 1);
	free(names);
	return 0;
}

static int sim_drop_cache(struct io *io, int file)
{
	struct sim *s = begin(io);
	struct sim_file *f = &s->files[handle_of(s, file)->file];
	int err = fault_error(enter(s, SIM_OTHER));

	if (err == 0) {
		image_unref(f->cache);
		f->cache = NULL;
	}
	return (int)end(s, err);
}

static int sim_lock(struct io *io, int file)
{
	struct sim *s = begin(io);
	struct sim_handle *h = handle_of(s, file);
	struct sim_file *f = &s->files[h->file];

	if (f->locked)
		return (int)end(s, -EWOULDBLOCK);
	f->locked = true;
	h->flags |= 1u << 31;
	return (int)end(s, 0);
}

static int64_t sim_room(struct io *io, const char *path)
{
	struct sim *s = begin(io);
	uint64_t used = bytes_used(s);
	uint64_t limit = s->limit != 0 ? s->limit : UINT64_C(1) << 40;

	(void)path;
	return end(s, limit > used ? (int64_t)(limit - used) : 0);
}

static uint64_t sim_wall_ms(struct io *io)
{
	struct sim *s = begin(io);

	return (uint64_t)end(s, (int64_t)(s->wall_ms + s->mono_us / 1000));
}

static uint64_t sim_mono_us(struct io *io)
{
	struct sim *s = begin(io);

	return (uint64_t)end(s, (int64_t)++s->mono_us);
}

static void sim_random_bytes(struct io *io, void *data, size_t size)
{
	struct sim *s = begin(io);
	uint8_t *p = data;
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = (uint8_t)(sim_random(&s->random) >> 32);
	end(s, 0);
}

const struct io_ops sim_ops = {
	.open = sim_open,
	.close = sim_close,
	.pread = sim_pread,
	.pwrite = sim_pwrite,
	.sync = sim_sync,
	.sync_dir = sim_sync_dir,
	.rename = sim_rename,
	.unlink = sim_unlink,
	.truncate = sim_truncate,
	.allocate = sim_allocate,
	.size = sim_size,
	.mkdir = sim_mkdir,
	.mode = sim_mode,
	.list_dir = sim_list_dir,
	.drop_cache = sim_drop_cache,
	.lock = sim_lock,
	.room = sim_room,
	.wall_ms = sim_wall_ms,
	.mono_us = sim_mono_us,
	.random = sim_random_bytes,
};
