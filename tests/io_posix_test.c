/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/io.h"

#include "base/mem.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct io *io;
static char folder[] = "/tmp/redoubt-io-XXXXXX";
static char paths[2][PATH_MAX];

static const char *path_in(int slot, const char *name)
{
	snprintf(paths[slot], PATH_MAX, "%s/%s", folder, name);
	return paths[slot];
}

static void setup(void)
{
	io = io_posix();
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_name(void *ctx, const char *name)
{
	(void)ctx;
	io->ops->unlink(io, path_in(0, name));
}

static void cleanup(void)
{
	io->ops->list_dir(io, folder, remove_name, NULL);
	rmdir(folder);
}

static int open_new(const char *name)
{
	int file = io->ops->open(io, path_in(0, name),
				 IO_READ | IO_WRITE | IO_CREATE | IO_EXCLUSIVE);

	ck_assert_int_ge(file, 0);
	return file;
}

START_TEST(io__what_is_written_is_read)
{
	char data[10] = "";
	int file;

	setup();
	file = open_new("a");
	ck_assert_int_eq(io_write_all(io, file, "0123456789", 10, 5), 0);
	ck_assert_int_eq(io->ops->size(io, file), 15);
	ck_assert_int_eq(io_read_all(io, file, data, 10, 5), 0);
	ck_assert_mem_eq(data, "0123456789", 10);
	ck_assert_int_eq(io->ops->pread(io, file, data, 10, 10), 5);
	ck_assert_int_eq(io_read_all(io, file, data, 10, 10), -ENODATA);
	ck_assert_int_eq(io->ops->pread(io, file, data, 10, 100), 0);
	ck_assert_int_eq(io->ops->sync(io, file), 0);
	ck_assert_int_eq(io->ops->drop_cache(io, file), 0);
	ck_assert_int_eq(io->ops->truncate(io, file, 7), 0);
	ck_assert_int_eq(io->ops->size(io, file), 7);
	ck_assert_int_eq(io->ops->close(io, file), 0);
	ck_assert_int_eq(io->ops->close(io, file), -EBADF);
	cleanup();
}
END_TEST

START_TEST(io__errors_are_negative_errnos)
{
	char byte;
	int file;

	setup();
	ck_assert_int_eq(io->ops->open(io, path_in(0, "none"), IO_READ),
			 -ENOENT);
	file = open_new("a");
	ck_assert_int_eq(io->ops->open(io, path_in(0, "a"),
				       IO_WRITE | IO_CREATE | IO_EXCLUSIVE),
			 -EEXIST);
	ck_assert_int_eq(io->ops->mkdir(io, folder), -EEXIST);
	ck_assert_int_eq(io->ops->unlink(io, path_in(0, "none")), -ENOENT);
	ck_assert_int_eq(
		io->ops->rename(io, path_in(0, "none"), path_in(1, "x")),
		-ENOENT);
	ck_assert_int_eq(io->ops->sync_dir(io, path_in(0, "none")), -ENOENT);
	ck_assert_int_eq(
		io->ops->list_dir(io, path_in(0, "none"), remove_name, NULL),
		-ENOENT);
	ck_assert_int_lt(io->ops->room(io, path_in(0, "none")), 0);
	io->ops->close(io, file);
	ck_assert_int_eq(io->ops->pread(io, file, &byte, 1, 0), -EBADF);
	ck_assert_int_eq(io_write_all(io, file, "x", 1, 0), -EBADF);
	ck_assert_int_eq(io->ops->sync(io, file), -EBADF);
	cleanup();
}
END_TEST

static void count_name(void *ctx, const char *name)
{
	ck_assert_str_ne(name, ".");
	ck_assert_str_ne(name, "..");
	++*(int *)ctx;
}

START_TEST(io__names_are_listed_renamed_and_removed)
{
	int count = 0;

	setup();
	io->ops->close(io, open_new("a"));
	io->ops->close(io, open_new("b"));
	ck_assert_int_eq(io->ops->list_dir(io, folder, count_name, &count), 0);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(io->ops->rename(io, path_in(0, "a"), path_in(1, "b")),
			 0);
	ck_assert_int_eq(io->ops->sync_dir(io, folder), 0);
	count = 0;
	io->ops->list_dir(io, folder, count_name, &count);
	ck_assert_int_eq(count, 1);
	ck_assert_int_gt(io->ops->room(io, folder), 0);
	cleanup();
}
END_TEST

START_TEST(io__a_lock_has_one_holder_even_in_one_process)
{
	int first, second, third;

	setup();
	first = open_new("lock");
	second = io->ops->open(io, path_in(0, "lock"), IO_READ | IO_WRITE);
	third = io->ops->open(io, path_in(0, "lock"), IO_READ | IO_WRITE);
	ck_assert_int_eq(io->ops->lock(io, first), 0);
	ck_assert_int_eq(io->ops->lock(io, second), -EWOULDBLOCK);
	/* closing somebody else's handle does not drop it */
	io->ops->close(io, third);
	ck_assert_int_eq(io->ops->lock(io, second), -EWOULDBLOCK);
	io->ops->close(io, first);
	ck_assert_int_eq(io->ops->lock(io, second), 0);
	io->ops->close(io, second);
	cleanup();
}
END_TEST

START_TEST(io__direct_writes_go_where_they_should)
{
	unsigned flags = IO_READ | IO_WRITE | IO_CREATE | IO_DIRECT | IO_DSYNC;
	int file;
	uint32_t align;
	char *data;

	setup();
	file = io->ops->open(io, path_in(0, "direct"), flags);
	if (file == -EINVAL) { /* this file system has no direct I/O */
		cleanup();
		return;
	}
	ck_assert_int_ge(file, 0);
	align = io_direct_align(io, file);
	ck_assert_uint_ge(align, 512);
	ck_assert_uint_eq(align & (align - 1), 0);
	data = mem_alloc_aligned(align, align);
	ck_assert_uint_eq((uintptr_t)data % align, 0);
	memset(data, 'x', align);
	ck_assert_int_eq(io_write_all(io, file, data, align, align), 0);
	memset(data, 0, align);
	ck_assert_int_eq(io_read_all(io, file, data, align, align), 0);
	ck_assert_int_eq(data[0], 'x');
	ck_assert_int_eq(data[align - 1], 'x');
	mem_free(data);
	io->ops->close(io, file);
	cleanup();
}
END_TEST

START_TEST(io__allocate_reserves_or_says_that_it_cannot)
{
	int file, err;

	setup();
	file = open_new("a");
	err = io->ops->allocate(io, file, 1 << 20);
	if (err != -EOPNOTSUPP) {
		ck_assert_int_eq(err, 0);
		ck_assert_int_eq(io->ops->size(io, file), 1 << 20);
	}
	io->ops->close(io, file);
	cleanup();
}
END_TEST

/* An io whose writes and reads are short, interrupted, or stuck. */
static int64_t stingy_pwrite(struct io *unused, int file, const void *data,
			     size_t size, uint64_t offset)
{
	static int calls;

	(void)unused;
	if (file < 0)
		return 0;
	if (++calls % 3 == 0)
		return -EINTR;
	return io_posix()->ops->pwrite(io_posix(), file, data,
				       size > 7 ? 7 : size, offset);
}

static int64_t stingy_pread(struct io *unused, int file, void *data,
			    size_t size, uint64_t offset)
{
	static int calls;

	(void)unused;
	if (++calls % 3 == 0)
		return -EINTR;
	return io_posix()->ops->pread(io_posix(), file, data,
				      size > 5 ? 5 : size, offset);
}

START_TEST(io__short_and_interrupted_calls_are_finished)
{
	static const struct io_ops ops = { .pread = stingy_pread,
					   .pwrite = stingy_pwrite };
	struct io stingy = { &ops };
	char data[1000], back[1000];
	int file;
	size_t i;

	setup();
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	file = open_new("a");
	ck_assert_int_eq(io_write_all(&stingy, file, data, sizeof(data), 3), 0);
	ck_assert_int_eq(io_read_all(&stingy, file, back, sizeof(back), 3), 0);
	ck_assert_mem_eq(data, back, sizeof(data));
	ck_assert_int_eq(io_write_all(&stingy, -1, data, 1, 0), -EIO);
	ck_assert_uint_eq(io_direct_align(&stingy, file), 4096);
	io->ops->close(io, file);
	cleanup();
}
END_TEST

START_TEST(io__clocks_run_and_random_bytes_differ)
{
	uint64_t a[4], b[4], mono;

	io = io_posix();
	ck_assert_uint_gt(io->ops->wall_ms(io), 1600000000000);
	mono = io->ops->mono_us(io);
	ck_assert_uint_ge(io->ops->mono_us(io), mono);
	io->ops->random(io, a, sizeof(a));
	io->ops->random(io, b, sizeof(b));
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

int main(void)
{
	return RUN_TESTS("io_posix", io__what_is_written_is_read,
			 io__errors_are_negative_errnos,
			 io__names_are_listed_renamed_and_removed,
			 io__a_lock_has_one_holder_even_in_one_process,
			 io__direct_writes_go_where_they_should,
			 io__allocate_reserves_or_says_that_it_cannot,
			 io__short_and_interrupted_calls_are_finished,
			 io__clocks_run_and_random_bytes_differ);
}
