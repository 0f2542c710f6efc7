/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct io on POSIX and Linux.  A handle is a file descriptor.
 *
 * Errors are returned as they come.  A failed fdatasync is never tried again:
 * the kernel may have dropped the dirty pages, and a second call would say
 * that all is well.
 */
#include "base/io.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define DIRECT_ALIGN_DEFAULT 4096
#define DIRECT_ALIGN_MIN 512
#define DIRECT_ALIGN_MAX 65536

static int result(int returned)
{
	return returned < 0 ? -errno : returned;
}

static int posix_open(struct io *io, const char *path, unsigned flags)
{
	int mode = O_CLOEXEC, file;

	(void)io;
	if ((flags & IO_READ) && (flags & IO_WRITE))
		mode |= O_RDWR;
	else
		mode |= flags & IO_WRITE ? O_WRONLY : O_RDONLY;
	if (flags & IO_CREATE)
		mode |= O_CREAT;
	if (flags & IO_EXCLUSIVE)
		mode |= O_EXCL;
	if (flags & IO_DIRECT)
		mode |= O_DIRECT;
	if (flags & IO_DSYNC)
		mode |= O_DSYNC;
	do {
		file = open(path, mode, 0600);
	} while (file < 0 && errno == EINTR);
	return result(file);
}

static int posix_close(struct io *io, int file)
{
	(void)io;
	/* On Linux the descriptor is gone even after EINTR. */
	return close(file) < 0 && errno != EINTR ? -errno : 0;
}

static int64_t posix_pread(struct io *io, int file, void *data, size_t size,
			   uint64_t offset)
{
	size_t done = 0;

	(void)io;
	while (done < size) {
		ssize_t got = pread(file, (char *)data + done, size - done,
				    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		/* Direct I/O stopped at the file's end, off the alignment. */
		if (got < 0 && errno == EINVAL && done > 0)
			break;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (int64_t)done;
}

static int64_t posix_pwrite(struct io *io, int file, const void *data,
			    size_t size, uint64_t offset)
{
	ssize_t written;

	(void)io;
	do {
		written = pwrite(file, data, size, (off_t)offset);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : written;
}

static int posix_sync(struct io *io, int file)
{
	(void)io;
	return result(fdatasync(file));
}

static int posix_sync_dir(struct io *io, const char *path)
{
	int file, err;

	(void)io;
	file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	err = result(fsync(file));
	close(file);
	return err;
}

static int posix_rename(struct io *io, const char *from, const char *to)
{
	(void)io;
	return result(rename(from, to));
}

static int posix_unlink(struct io *io, const char *path)
{
	(void)io;
	return result(unlink(path));
}

static int posix_truncate(struct io *io, int file, uint64_t size)
{
	int err;

	(void)io;
	do {
		err = result(ftruncate(file, (off_t)size));
	} while (err == -EINTR);
	return err;
}

static int posix_allocate(struct io *io, int file, uint64_t size)
{
	int err;

	(void)io;
	do {
		err = result(fallocate(file, 0, 0, (off_t)size));
	} while (err == -EINTR);
	return err;
}

static int64_t posix_size(struct io *io, int file)
{
	struct stat st;

	(void)io;
	return fstat(file, &st) < 0 ? -errno : st.st_size;
}

static int posix_mkdir(struct io *io, const char *path)
{
	(void)io;
	return result(mkdir(path, 0700));
}

static int posix_mode(struct io *io, const char *path)
{
	struct stat st;

	(void)io;
	return stat(path, &st) < 0 ? -errno : (int)(st.st_mode & 07777);
}

static int posix_list_dir(struct io *io, const char *path, io_name_fn *found,
			  void *ctx)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int err;

	(void)io;
	if (dir == NULL && errno == ENOMEM)
		mem_exhausted(sizeof(*entry)); /* the library's, not the disk */
	if (dir == NULL)
		return -errno;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		found(ctx, entry->d_name);
	}
	err = -errno;
	closedir(dir);
	return err;
}

static int posix_drop_cache(struct io *io, int file)
{
	(void)io;
	return -posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

/* Belongs to the open file, not to the process: closing another descriptor
 * of the same file does not drop it, as it would a classic record lock. */
static int posix_lock(struct io *io, int file)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)io;
	if (fcntl(file, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

static int64_t posix_room(struct io *io, const char *path)
{
	struct statvfs st;

	(void)io;
	if (statvfs(path, &st) < 0)
		return -errno;
	return (int64_t)(st.f_bavail * st.f_frsize);
}

static uint64_t posix_wall_ms(struct io *io)
{
	struct timespec now;

	(void)io;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t posix_mono_us(struct io *io)
{
	struct timespec now;

	(void)io;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void posix_random(struct io *io, void *data, size_t size)
{
	(void)io;
	while (size > 0) {
		ssize_t got = getrandom(data, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("redoubt: getrandom");
			_exit(EXIT_IO);
		}
		data = (char *)data + got;
		size -= (size_t)got;
	}
}

static const struct io_ops posix_ops = {
	.open = posix_open,
	.close = posix_close,
	.pread = posix_pread,
	.pwrite = posix_pwrite,
	.sync = posix_sync,
	.sync_dir = posix_sync_dir,
	.rename = posix_rename,
	.unlink = posix_unlink,
	.truncate = posix_truncate,
	.allocate = posix_allocate,
	.size = posix_size,
	.mkdir = posix_mkdir,
	.mode = posix_mode,
	.list_dir = posix_list_dir,
	.drop_cache = posix_drop_cache,
	.lock = posix_lock,
	.room = posix_room,
	.wall_ms = posix_wall_ms,
	.mono_us = posix_mono_us,
	.random = posix_random,
};

struct io *io_posix(void)
{
	static struct io io = { &posix_ops };

	return &io;
}

int io_write_all(struct io *io, int file, const void *data, size_t size,
		 uint64_t offset)
{
	const char *p = data;

	while (size > 0) {
		int64_t written = io->ops->pwrite(io, file, p, size, offset);

		if (written == -EINTR)
			continue;
		if (written < 0)
			return (int)written;
		if (written == 0)
			return -EIO; /* no progress, no reason given */
		assert((uint64_t)written <= size);
		p += written;
		size -= (size_t)written;
		offset += (uint64_t)written;
	}
	return 0;
}

int io_read_all(struct io *io, int file, void *data, size_t size,
		uint64_t offset)
{
	char *p = data;

	while (size > 0) {
		int64_t got = io->ops->pread(io, file, p, size, offset);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return (int)got;
		if (got == 0)
			return -ENODATA;
		assert((uint64_t)got <= size);
		p += got;
		size -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* A block size that the system only prefers: megabytes, and any number of
 * them, on network file systems. */
static uint32_t preferred_align(uint32_t size)
{
	uint32_t align = DIRECT_ALIGN_DEFAULT;

	while (align < size && align < DIRECT_ALIGN_MAX)
		align *= 2;
	return align;
}

uint32_t io_direct_align(struct io *io, int file)
{
	struct statx st;

	/* another io's handles say nothing to the kernel */
	if (io->ops != &posix_ops)
		return DIRECT_ALIGN_DEFAULT;
	memset(&st, 0, sizeof(st));
#ifdef STATX_DIOALIGN
	if (statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) == 0 &&
	    (st.stx_mask & STATX_DIOALIGN) && st.stx_dio_offset_align > 0)
		return larger(
			DIRECT_ALIGN_MIN,
			larger(st.stx_dio_mem_align, st.stx_dio_offset_align));
#endif
	if (statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0)
		return DIRECT_ALIGN_DEFAULT;
	return preferred_align(st.stx_blksize);
}
