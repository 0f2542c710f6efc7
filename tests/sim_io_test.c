/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/sim_io.h"

#include <errno.h>
#include <string.h>

#include "base/slice.h"
#include "tests/support/suite.h"

#define PATH "d/f"

static struct sim *s;
static struct io *io;
static const struct io_ops *ops;

static void begin(void)
{
	s = sim_new(1);
	io = sim_io(s);
	ops = io->ops;
	ck_assert_int_eq(ops->mkdir(io, "d"), 0);
	ck_assert_int_eq(ops->sync_dir(io, ""), 0);
}

/* The disk after a crash takes the place of the one before. */
static void crash(enum sim_crash_kind kind, uint64_t choice)
{
	struct sim_crash how = { .kind = kind, .choice = choice, .seed = 1 };
	struct sim *after = sim_crash(s, &how);

	sim_free(s);
	s = after;
	io = sim_io(s);
}

static int make(unsigned flags)
{
	int file = ops->open(io, PATH, IO_READ | IO_WRITE | IO_CREATE | flags);

	ck_assert_int_ge(file, 0);
	return file;
}

/* A file of `sectors` durable sectors of 'a'. */
static int make_durable(size_t sectors)
{
	uint8_t data[16 * SIM_SECTOR];
	int file = make(0);

	memset(data, 'a', sizeof(data));
	ck_assert_int_eq(io_write_all(io, file, data, sectors * SIM_SECTOR, 0),
			 0);
	ck_assert_int_eq(ops->sync(io, file), 0);
	ck_assert_int_eq(ops->sync_dir(io, "d"), 0);
	return file;
}

static void put(int file, char c, size_t sector, size_t sectors)
{
	uint8_t data[16 * SIM_SECTOR];

	memset(data, c, sizeof(data));
	ck_assert_int_eq(io_write_all(io, file, data, sectors * SIM_SECTOR,
				      sector * SIM_SECTOR),
			 0);
}

/* First byte of a sector as the disk has it now; 0: not there. */
static char sector(size_t n)
{
	char c = 0;

	sim_peek(s, PATH, n * SIM_SECTOR, &c, 1);
	return c;
}

START_TEST(sim_io__what_is_not_synced_may_be_lost)
{
	int file;

	begin();
	file = make_durable(2);
	put(file, 'b', 0, 2);
	ck_assert_int_eq(sector(0), 'b');
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert_int_eq(sector(0), 'a');
	ck_assert_int_eq(sector(1), 'a');
	sim_free(s);
}
END_TEST

START_TEST(sim_io__a_dead_process_loses_nothing)
{
	int file;

	begin();
	file = make_durable(2);
	put(file, 'b', 0, 2);
	crash(SIM_CRASH_PROCESS, 0);
	ck_assert_int_eq(sector(1), 'b');
	crash(SIM_CRASH_NOTHING, 0); /* but the power still can */
	ck_assert_int_eq(sector(1), 'a');
	sim_free(s);
}
END_TEST

START_TEST(sim_io__each_pending_sector_lands_or_not)
{
	uint64_t choice;

	for (choice = 0; choice < 8; choice++) {
		int file, i;

		begin();
		file = make_durable(3);
		put(file, 'b', 0, 3);
		ck_assert_uint_eq(sim_pending(s), 3);
		crash(SIM_CRASH_SUBSET, choice);
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(sector((size_t)i),
					 choice >> i & 1 ? 'b' : 'a');
		sim_free(s);
	}
}
END_TEST

START_TEST(sim_io__a_durable_write_makes_only_itself_durable)
{
	int file, direct;

	begin();
	file = make_durable(4);
	put(file, 'b', 0, 2);
	direct = make(IO_DSYNC);
	put(direct, 'c', 1, 2);
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert_int_eq(sector(0), 'a');
	ck_assert_int_eq(sector(1), 'c');
	ck_assert_int_eq(sector(2), 'c');
	sim_free(s);
}
END_TEST

START_TEST(sim_io__size_and_data_are_lost_apart)
{
	int file;

	begin();
	file = make_durable(1);
	put(file, 'b', 1, 1);
	ck_assert_uint_eq(sim_pending(s), 2);
	crash(SIM_CRASH_SUBSET, 1); /* the size landed */
	ck_assert_int_eq(sector(1), 0);
	ck_assert_int_eq(sim_peek(s, PATH, SIM_SECTOR, &(char){ 0 }, 1), 1);
	sim_free(s);
	begin();
	file = make_durable(1);
	put(file, 'b', 1, 1);
	crash(SIM_CRASH_SUBSET, 2); /* the data did */
	ck_assert_int_eq(sim_peek(s, PATH, SIM_SECTOR, &(char){ 0 }, 1), 0);
	sim_free(s);
}
END_TEST

START_TEST(sim_io__names_need_their_directory_synced)
{
	begin();
	ops->sync(io, make(0));
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert(!sim_exists(s, PATH));
	sim_free(s);
	begin();
	make_durable(1);
	ck_assert_int_eq(ops->rename(io, PATH, "d/g"), 0);
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert(sim_exists(s, PATH));
	ck_assert(!sim_exists(s, "d/g"));
	ck_assert_int_eq(ops->unlink(io, PATH), 0);
	ck_assert_int_eq(ops->sync_dir(io, "d"), 0);
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert(!sim_exists(s, PATH));
	sim_free(s);
}
END_TEST

START_TEST(sim_io__a_landed_rename_may_leave_both_names)
{
	struct sim_crash how = { .kind = SIM_CRASH_ALL, .both_names = true };
	bool seen[2] = { false, false };

	for (how.seed = 1; how.seed < 50; how.seed++) {
		struct sim *after;

		begin();
		make_durable(1);
		ops->rename(io, PATH, "d/g");
		after = sim_crash(s, &how);
		ck_assert(sim_exists(after, "d/g"));
		seen[sim_exists(after, PATH)] = true;
		sim_free(after);
		sim_free(s);
	}
	ck_assert(seen[0]);
	ck_assert(seen[1]);
}
END_TEST

START_TEST(sim_io__a_failed_sync_may_leave_lost_pages_in_the_cache)
{
	struct sim_fault f = {
		.ops = SIM_SYNC, .call = 1, .error = EIO, .lose_pages = true
	};
	uint8_t data[SIM_SECTOR] __attribute__((aligned(SIM_SECTOR)));
	bool lost = false;
	int file, direct, i;

	begin();
	file = make_durable(8);
	put(file, 'b', 0, 8);
	sim_set_fault(s, &f);
	ck_assert_int_eq(ops->sync(io, file), -EIO);
	ck_assert_int_eq(ops->sync(io, file), 0); /* and that is the trap */
	direct = ops->open(io, PATH, IO_READ | IO_DIRECT);
	for (i = 0; i < 8; i++) {
		uint64_t at = (uint64_t)i * SIM_SECTOR;

		ops->pread(io, file, data, sizeof(data), at);
		ck_assert_int_eq(data[0], 'b');
		ops->pread(io, direct, data, sizeof(data), at);
		lost |= data[0] == 'a';
	}
	ck_assert(lost);
	ck_assert_int_eq(ops->drop_cache(io, file), 0);
	lost = false;
	for (i = 0; i < 8; i++) {
		ops->pread(io, file, data, sizeof(data),
			   (uint64_t)i * SIM_SECTOR);
		lost |= data[0] == 'a';
	}
	ck_assert(lost);
	sim_free(s);
}
END_TEST

START_TEST(sim_io__calls_fail_once_or_from_then_on)
{
	struct sim_fault f = { .ops = SIM_WRITE, .call = 2, .error = ENOSPC };
	char c = 'x';
	int file;

	begin();
	file = make(0);
	sim_set_fault(s, &f);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), 1);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), -ENOSPC);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), 1);
	f.forever = true;
	sim_set_fault(s, &f);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), 1);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), -ENOSPC);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), -ENOSPC);
	sim_free(s);
}
END_TEST

START_TEST(sim_io__writes_can_be_short_or_go_astray)
{
	struct sim_fault f = { .ops = SIM_WRITE,
			       .call = 1,
			       .cut = SIM_SHORT_HALF };
	uint8_t data[4 * SIM_SECTOR];
	int file;

	begin();
	file = make_durable(8);
	memset(data, 'b', sizeof(data));
	sim_set_fault(s, &f);
	ck_assert_int_eq(ops->pwrite(io, file, data, sizeof(data), 0),
			 sizeof(data) / 2);
	ck_assert_int_eq(sector(1), 'b');
	ck_assert_int_eq(sector(2), 'a');
	f.cut = SIM_SHORT_NO;
	f.misdirect = 4 * SIM_SECTOR;
	sim_set_fault(s, &f);
	put(file, 'c', 0, 1);
	ck_assert_int_eq(sector(0), 'b');
	ck_assert_int_eq(sector(4), 'c');
	sim_free(s);
}
END_TEST

START_TEST(sim_io__a_lying_disk_and_a_full_one)
{
	char c = 'x';
	int file;

	begin();
	file = make_durable(1);
	sim_lie(s, true);
	put(file, 'b', 0, 1);
	ck_assert_int_eq(ops->sync(io, file), 0);
	sim_limit(s, SIM_SECTOR);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, SIM_SECTOR), -ENOSPC);
	ck_assert_int_eq(ops->pwrite(io, file, &c, 1, 0), 1);
	crash(SIM_CRASH_NOTHING, 0);
	ck_assert_int_eq(sector(0), 'a');
	sim_free(s);
}
END_TEST

START_TEST(sim_io__direct_io_wants_alignment_and_may_be_refused)
{
	uint8_t data[2 * SIM_SECTOR] __attribute__((aligned(SIM_SECTOR)));
	int file;

	begin();
	make_durable(4);
	file = ops->open(io, PATH, IO_READ | IO_DIRECT);
	ck_assert_int_eq(ops->pread(io, file, data, SIM_SECTOR, 0), SIM_SECTOR);
	ck_assert_int_eq(ops->pread(io, file, data, 100, 0), -EINVAL);
	ck_assert_int_eq(ops->pread(io, file, data + 1, SIM_SECTOR, 0),
			 -EINVAL);
	sim_refuse(s, true, true);
	ck_assert_int_eq(ops->open(io, PATH, IO_READ | IO_DIRECT), -EINVAL);
	ck_assert_int_eq(ops->allocate(io, file, 1 << 20), -EOPNOTSUPP);
	sim_free(s);
}
END_TEST

START_TEST(sim_io__the_same_calls_give_the_same_disk)
{
	uint64_t hash[2], trace[2], random[2];
	int i;

	for (i = 0; i < 2; i++) {
		int file;

		begin();
		file = make_durable(5);
		put(file, 'b', 2, 2);
		ops->random(io, &random[i], sizeof(random[i]));
		crash(SIM_CRASH_RANDOM, 0);
		hash[i] = sim_hash(s);
		trace[i] = sim_trace_hash(s);
		sim_free(s);
	}
	ck_assert_uint_eq(hash[0], hash[1]);
	ck_assert_uint_eq(trace[0], trace[1]);
	ck_assert_uint_eq(random[0], random[1]);
}
END_TEST

START_TEST(sim_io__zeros_at_the_end_share_the_fate_of_their_sector)
{
	uint8_t data[8 * SIM_SECTOR] = { 'b' };
	int file;

	begin();
	file = make_durable(8);
	ck_assert_int_eq(io_write_all(io, file, data, sizeof(data), 0), 0);
	ck_assert_uint_eq(sim_pending(s), 1);
	crash(SIM_CRASH_ALL, 0);
	ck_assert_int_eq(sector(0), 'b');
	ck_assert_int_eq(sector(7), 0);
	sim_free(s);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"sim_io", sim_io__what_is_not_synced_may_be_lost,
		sim_io__a_dead_process_loses_nothing,
		sim_io__each_pending_sector_lands_or_not,
		sim_io__a_durable_write_makes_only_itself_durable,
		sim_io__size_and_data_are_lost_apart,
		sim_io__names_need_their_directory_synced,
		sim_io__a_landed_rename_may_leave_both_names,
		sim_io__a_failed_sync_may_leave_lost_pages_in_the_cache,
		sim_io__calls_fail_once_or_from_then_on,
		sim_io__writes_can_be_short_or_go_astray,
		sim_io__a_lying_disk_and_a_full_one,
		sim_io__direct_io_wants_alignment_and_may_be_refused,
		sim_io__the_same_calls_give_the_same_disk,
		sim_io__zeros_at_the_end_share_the_fate_of_their_sector);
}
