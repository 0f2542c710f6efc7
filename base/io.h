/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam to the operating system: files, clocks, random bytes.
 *
 * wal/, snapshot/ and the engine reach the outside only through a `struct io`.
 * io_posix() is the real one; tests/ have one that loses, tears, reorders and
 * fails.  Every call returns a value >= 0 or a negative errno.  File handles
 * are small integers that mean something only to the io that gave them.
 *
 * Any thread may call any function; two threads never use one handle for
 * writing at the same time.  Paths are C strings.
 */
#ifndef REDOUBT_BASE_IO_H
#define REDOUBT_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum io_open_flags {
	IO_READ = 1,
	IO_WRITE = 2,
	IO_CREATE = 4,    /* create with mode 0600 if missing */
	IO_EXCLUSIVE = 8, /* with IO_CREATE: fail with -EEXIST */
	IO_DIRECT = 16,   /* around the page cache; -EINVAL if refused */
	IO_DSYNC = 32,    /* each write returns when it is durable */
};

struct io;

/* Called once per name by list_dir; names are not sorted. */
typedef void io_name_fn(void *ctx, const char *name);

struct io_ops {
	int (*open)(struct io *, const char *path, unsigned flags);
	int (*close)(struct io *, int file);
	/* Bytes read; less than size only at the end of the file. */
	int64_t (*pread)(struct io *, int file, void *data, size_t size,
			 uint64_t offset);
	/* Bytes written; may be short (io_write_all finishes the rest). */
	int64_t (*pwrite)(struct io *, int file, const void *data, size_t size,
			  uint64_t offset);
	/* fdatasync: data and the size needed to read it are durable. */
	int (*sync)(struct io *, int file);
	/* fsync of a directory: names in it are durable. */
	int (*sync_dir)(struct io *, const char *path);
	int (*rename)(struct io *, const char *from, const char *to);
	int (*unlink)(struct io *, const char *path);
	int (*truncate)(struct io *, int file, uint64_t size);
	/* Reserves blocks; -EOPNOTSUPP where the file system cannot. */
	int (*allocate)(struct io *, int file, uint64_t size);
	int64_t (*size)(struct io *, int file);
	int (*mkdir)(struct io *, const char *path); /* 0700; -EEXIST */
	int (*mode)(struct io *, const char *path);  /* permission bits */
	int (*list_dir)(struct io *, const char *path, io_name_fn *, void *);
	/* Drops clean cached pages of a file, so that reads see the disk. */
	int (*drop_cache)(struct io *, int file);
	/* Exclusive lock on the file, held until close; -EWOULDBLOCK. */
	int (*lock)(struct io *, int file);
	/* Free bytes for us on the file system of path. */
	int64_t (*room)(struct io *, const char *path);
	/* Wall clock, ms since 1970; may jump. */
	uint64_t (*wall_ms)(struct io *);
	/* Monotonic clock, microseconds from an arbitrary start. */
	uint64_t (*mono_us)(struct io *);
	/* Fills data with unpredictable bytes or ends the process. */
	void (*random)(struct io *, void *data, size_t size);
};

struct io {
	const struct io_ops *ops;
};

/* The real system; a static object, never freed. */
struct io *io_posix(void);

/* Writes all of data, going on after short writes and EINTR.
 * Returns 0 or a negative errno. */
int io_write_all(struct io *io, int file, const void *data, size_t size,
		 uint64_t offset);

/* Reads exactly size bytes. Returns 0, a negative errno, or -ENODATA when the
 * file ends before. */
int io_read_all(struct io *io, int file, void *data, size_t size,
		uint64_t offset);

/* Alignment that direct I/O on this file needs, bytes (at least 512). */
uint32_t io_direct_align(struct io *io, int file);

#endif
