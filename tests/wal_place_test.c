/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where commits happen under `always`: in place, or in the log thread.  The
 * clock is ours, and what a write takes.
 */
#include "base/io.h"
#include "tests/support/wal_fixture.h"

#include <stdatomic.h>
#include <string.h>

#define QUICK 100
#define SLOW 700
#define STALL 6000
#define SETTLES 8 /* quick commits, then the disk is a quick one */

static _Atomic uint64_t clock_us = 1000000, write_us = QUICK;

static uint64_t slow_clock(struct io *io)
{
	(void)io;
	return clock_us;
}

/* Groups take their time; what is written of spare segments beside them does
 * not count. */
static int64_t slow_write(struct io *io, int file, const void *data,
			  size_t size, uint64_t offset)
{
	if (memcmp(data, "RDf1", 4) == 0) /* a frame (wal/frame.h) */
		clock_us += write_us;
	return io_posix()->ops->pwrite(io, file, data, size, offset);
}

/* A log whose one client is alone. Its segment has room for the test. */
static struct fixture *begin(void)
{
	static struct io_ops ops;
	static struct io io = { &ops };
	struct fixture *f = fixture_on_disk(WAL_ALWAYS);

	ops = *io_posix()->ops;
	ops.mono_us = slow_clock;
	ops.pwrite = slow_write;
	write_us = QUICK;
	f->options.io = &io;
	f->options.segment_size = 4 << 20;
	f->alone = true;
	reopen(f);
	return f;
}

/* How many of so many commits that take this long were in place. */
static uint64_t in_place(struct fixture *f, unsigned count, uint64_t us)
{
	uint64_t before = stats(f).inline_commits;

	write_us = us;
	while (count--) {
		append(f, 10);
		wait_released(f);
	}
	return stats(f).inline_commits - before;
}

START_TEST(place__a_client_alone_waits_in_place_for_a_quick_disk)
{
	struct fixture *f = begin();

	in_place(f, SETTLES, QUICK);
	ck_assert_uint_eq(in_place(f, 50, QUICK), 50);
	f->alone = false;
	ck_assert_uint_eq(in_place(f, 50, QUICK), 0);
	fixture_leave_disk(f);
}
END_TEST

START_TEST(place__a_stall_is_forgiven_after_a_few_quick_ones)
{
	struct fixture *f = begin();

	in_place(f, SETTLES, QUICK);
	ck_assert_uint_eq(in_place(f, 1, STALL), 1); /* who could know */
	ck_assert_uint_eq(in_place(f, 10, STALL), 0);
	ck_assert_uint_eq(in_place(f, SETTLES - 1, QUICK), 0);
	ck_assert_uint_eq(in_place(f, 1, SLOW), 0); /* not in a row */
	ck_assert_uint_eq(in_place(f, SETTLES, QUICK), 0);
	ck_assert_uint_eq(in_place(f, 50, QUICK), 50);
	fixture_leave_disk(f);
}
END_TEST

START_TEST(place__a_slow_disk_is_waited_for_by_the_thread)
{
	struct fixture *f = begin();
	uint64_t first;

	in_place(f, SETTLES, QUICK);
	first = in_place(f, 40, SLOW);
	ck_assert_uint_gt(first, 1); /* single ones say nothing */
	ck_assert_uint_lt(first, 20);
	ck_assert_uint_eq(in_place(f, 40, SLOW), 0);
	in_place(f, SETTLES, QUICK);
	ck_assert_uint_eq(in_place(f, 5, SLOW), 5);
	fixture_leave_disk(f);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"wal_place",
		place__a_client_alone_waits_in_place_for_a_quick_disk,
		place__a_stall_is_forgiven_after_a_few_quick_ones,
		place__a_slow_disk_is_waited_for_by_the_thread);
}
