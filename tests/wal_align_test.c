/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File systems with other blocks: what the kernel says of a file is put in its
 * mouth here.
 */
#include "wal/wal.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/wal_fixture.h"

static uint32_t block_size; /* 0: as the kernel has it */

/* In the place of the C library's. */
int statx(int dir, const char *restrict path, int flags, unsigned mask,
	  struct statx *restrict out)
{
	int err = (int)syscall(SYS_statx, dir, path, flags, mask, out);

	if (block_size) {
		out->stx_mask &= STATX_BASIC_STATS;
		out->stx_blksize = block_size;
	}
	return err;
}

static uint32_t align_of(uint32_t size)
{
	int file = io_posix()->ops->open(io_posix(), "/proc/self/exe", IO_READ);
	uint32_t align;

	ck_assert_int_ge(file, 0);
	block_size = size;
	align = io_direct_align(io_posix(), file);
	block_size = 0;
	io_posix()->ops->close(io_posix(), file);
	return align;
}

START_TEST(align__a_preferred_block_size_is_no_more_than_a_hint)
{
	ck_assert_uint_eq(align_of(512), 4096);
	ck_assert_uint_eq(align_of(4096), 4096);
	ck_assert_uint_eq(align_of(16384), 16384);
	ck_assert_uint_eq(align_of(49152), 65536);
	ck_assert_uint_eq(align_of(98304), 65536);
	ck_assert_uint_eq(align_of(4u << 20), 65536);
}
END_TEST

static void write_some(struct fixture *f)
{
	unsigned i;

	for (i = 0; i < 10; i++)
		append(f, 3000);
	wait_released(f);
}

/* As a killed process leaves it, or ended in order. */
static void leave(struct fixture *f, bool in_order)
{
	if (in_order)
		close_log(f);
	else
		wal_abandon(f->w);
	f->w = NULL;
	completion_drain(&f->queue);
}

/* A log that is ended, copied, and begun on the other file system. */
static void move(uint32_t from, uint32_t to, bool in_order)
{
	struct fixture *f = fixture_on_disk(WAL_ALWAYS);

	block_size = from;
	reopen(f);
	write_some(f);
	leave(f, in_order);
	block_size = to;
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 10);
	write_some(f);
	leave(f, false);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 20);
	write_some(f);
	leave(f, true);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 30);
	block_size = 0;
	fixture_leave_disk(f);
}

START_TEST(align__a_log_may_move_to_bigger_blocks)
{
	move(4096, 65536, true);
	move(4096, 16384, false);
}
END_TEST

START_TEST(align__a_log_may_move_to_smaller_blocks)
{
	move(65536, 4096, true);
	move(16384, 4096, false);
}
END_TEST

int main(void)
{
	return RUN_TESTS("wal_align",
			 align__a_preferred_block_size_is_no_more_than_a_hint,
			 align__a_log_may_move_to_bigger_blocks,
			 align__a_log_may_move_to_smaller_blocks);
}
