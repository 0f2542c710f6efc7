/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/wal.h"

#include <errno.h>

#include "tests/support/wal_fixture.h"

/* --- when the disk is full or fails -------------------------------------- */

START_TEST(wal_faults__a_full_disk_is_told_before_and_writing_resumes)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t lsn;
	int i;

	f->options.reserve = 16 << 10;
	reopen(f);
	turn(f);
	sim_limit(f->sim, 4 * SMALL_SEGMENT);
	for (i = 0; i < 1000 && try_append(f, 3000); i++)
		turn(f);
	ck_assert_int_gt(i, 20);
	ck_assert_int_lt(i, 100);
	ck_assert_int_eq(f->fatal_count, 0);
	/* the reserve is for commands that free */
	ck_assert(wal_room(f->w, 100, true));
	lsn = at(f)->durable_lsn;
	ck_assert_uint_eq(lsn, at(f)->last_lsn);
	sim_limit(f->sim, 0);
	turn_after(f, 1100000);
	append(f, 3000);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, lsn + 1);
	close_log(f);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, lsn + 1);
	fixture_free(f);
}
END_TEST

/* A disk that is nearly full, grows a little, and is freed at times. */
static int fill_up(struct test_random *random, uint64_t segments)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	int i, refused = 0;

	reopen(f);
	for (i = 0; i < 300; i++) {
		size_t size = test_random_below(random, 1 << 17) >>
			      test_random_below(random, 12);

		sim_limit(f->sim,
			  (segments + (uint64_t)i / 50) * SMALL_SEGMENT);
		if (!try_append(f, size))
			refused++;
		ck_assert_int_eq(f->fatal_count, 0);
		if (test_random_below(random, 4) == 0)
			turn(f);
		if (i % 50 == 49)
			turn_after(f, 1000000);
		if (refused % 10 == 9)
			wal_retain(f->w, at(f)->durable_lsn,
				   at(f)->durable_lsn);
	}
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, at(f)->last_lsn);
	fixture_free(f);
	return refused;
}

START_TEST(wal_faults__room_said_yes_so_append_has_it)
{
	struct test_random random = { test_seed() };
	int refused = 0;
	uint64_t i;

	for (i = 4; i < 24; i++)
		refused += fill_up(&random, i);
	ck_assert_int_gt(refused, 100);
}
END_TEST

static void fails_for_good(enum wal_level level, unsigned op)
{
	struct fixture *f = fixture_new(level);
	struct sim_fault fault = {
		.ops = op, .call = 1, .error = EIO, .forever = false
	};
	uint64_t acked;

	reopen(f);
	append(f, 10);
	ck_assert_int_eq(wal_sync_now(f->w), OK);
	acked = wal_release_lsn(f->w);
	append(f, 10);
	sim_set_fault(f->sim, &fault);
	turn_after(f, 2000000);
	ck_assert_int_eq(f->fatal_count, 1);
	ck_assert_int_eq(f->exit_code, EXIT_IO);
	ck_assert_ptr_nonnull(strstr(f->message, "0000000000000001.seg"));
	ck_assert_uint_eq(at(f)->durable_lsn, acked);
	append(f, 10);
	turn_after(f, 2000000); /* nothing is tried again */
	ck_assert_int_eq(wal_sync_now(f->w), ERR_IO);
	ck_assert_uint_eq(at(f)->durable_lsn, acked);
	ck_assert_int_eq(f->fatal_count, 1);
	ck_assert_int_eq(wal_close(f->w, NULL), ERR_IO);
	f->w = NULL;
	fixture_free(f);
}

START_TEST(wal_faults__the_first_failed_write_is_final)
{
	fails_for_good(WAL_ALWAYS, SIM_WRITE);
	fails_for_good(WAL_EVERYSEC, SIM_WRITE);
}
END_TEST

START_TEST(wal_faults__the_first_failed_sync_is_final)
{
	fails_for_good(WAL_EVERYSEC, SIM_SYNC);
}
END_TEST

START_TEST(wal_faults__without_direct_io_or_allocation_it_will_do)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	int i;

	sim_refuse(f->sim, true, true);
	reopen(f);
	for (i = 0; i < 100; i++) {
		append(f, 2000);
		turn(f);
	}
	append(f, 5 * SMALL_SEGMENT);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 101);
	crash(f, SIM_CRASH_NOTHING);
	sim_refuse(f->sim, true, true);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 101);
	fixture_free(f);
}
END_TEST

/* --- crashes ------------------------------------------------------------- */

/* Crashes at every change of the disk, in every way, while a log is written;
 * then recovers, goes on, and crashes once more. */
struct crash_run {
	struct fixture *f;
	uint64_t count;
};

static void check_crash(struct crash_run *run, const struct sim_crash *how)
{
	struct fixture *f = run->f, after = *f;
	uint64_t acked = f->w ? at(f)->durable_lsn : 0;
	uint64_t last = f->w ? at(f)->last_lsn : 0;
	struct err_message m = { "" };
	int err;

	after.sim = sim_crash(f->sim, how);
	after.options.io = sim_io(after.sim);
	after.options.fatal_ctx = &after;
	after.w = NULL;
	batch_init(&after.batch);
	err = try_reopen(&after, &m);
	ck_assert_msg(err == OK, "crash %llu, kind %d: %s",
		      (unsigned long long)run->count, how->kind, m.text);
	ck_assert_uint_ge(after.last_lsn, acked);
	ck_assert_uint_le(after.last_lsn, last);
	append(&after, 50);
	turn(&after);
	ck_assert_int_eq(wal_sync_now(after.w), OK);
	crash(&after, SIM_CRASH_NOTHING);
	last = after.last_lsn + 1;
	err = try_reopen(&after, &m);
	ck_assert_msg(err == OK, "second crash %llu, kind %d: %s",
		      (unsigned long long)run->count, how->kind, m.text);
	ck_assert_uint_eq(after.last_lsn, last);
	wal_abandon(after.w);
	batch_release(&after.batch);
	sim_free(after.sim);
	run->count++;
}

static void on_boundary(void *ctx, enum sim_op op)
{
	static const enum sim_crash_kind kinds[] = {
		SIM_CRASH_PROCESS, SIM_CRASH_NOTHING, SIM_CRASH_ALL,
		SIM_CRASH_RANDOM,  SIM_CRASH_RANDOM,
	};
	struct crash_run *run = ctx;
	struct sim_crash how = { 0 };
	size_t i;

	(void)op;
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		how.kind = kinds[i];
		how.seed = run->count;
		how.garbage = run->count % 3 == 0;
		check_crash(run, &how);
	}
}

static void crash_everywhere(enum wal_level level)
{
	struct fixture *f = fixture_new(level);
	struct crash_run run = { .f = f };
	int i;

	reopen(f);
	sim_on_boundary(f->sim, on_boundary, &run);
	for (i = 0; i < 40; i++) {
		append(f, (size_t)(i * 997) % 9000);
		if (i % 2)
			turn_after(f, i % 5 ? 1000 : 600000);
		if (i == 20)
			append(f, 2 * SMALL_SEGMENT);
	}
	sim_on_boundary(f->sim, NULL, NULL);
	ck_assert_uint_gt(run.count, 200);
	fixture_free(f);
}

START_TEST(wal_faults__always_survives_a_crash_anywhere)
{
	crash_everywhere(WAL_ALWAYS);
}
END_TEST

START_TEST(wal_faults__everysec_survives_a_crash_anywhere)
{
	crash_everywhere(WAL_EVERYSEC);
}
END_TEST

START_TEST(wal_faults__a_failed_sync_of_the_directory_is_final)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct sim_fault fault = { .ops = SIM_SYNC_DIR,
				   .call = 1,
				   .error = EIO };

	reopen(f);
	append(f, 10);
	sim_set_fault(f->sim, &fault);
	turn(f); /* makes a spare */
	ck_assert_int_eq(f->fatal_count, 1);
	ck_assert_int_eq(f->exit_code, EXIT_IO);
	fixture_free(f);
}
END_TEST

START_TEST(wal_faults__a_spare_that_fails_is_tried_again)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct sim_fault fault = { .ops = SIM_ALLOCATE | SIM_SYNC,
				   .call = 1,
				   .error = EIO };

	reopen(f);
	sim_set_fault(f->sim, &fault);
	turn(f);
	ck_assert_int_eq(f->fatal_count, 0);
	ck_assert_uint_eq(stats(f).spares, 0);
	ck_assert_uint_ne(wal_deadline_us(f->w), UINT64_MAX);
	turn_after(f, 1100000);
	ck_assert_uint_eq(stats(f).spares, 1);
	fixture_free(f);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"wal_faults",
		wal_faults__a_full_disk_is_told_before_and_writing_resumes,
		wal_faults__room_said_yes_so_append_has_it,
		wal_faults__the_first_failed_write_is_final,
		wal_faults__the_first_failed_sync_is_final,
		wal_faults__without_direct_io_or_allocation_it_will_do,
		wal_faults__a_failed_sync_of_the_directory_is_final,
		wal_faults__a_spare_that_fails_is_tried_again,
		wal_faults__always_survives_a_crash_anywhere,
		wal_faults__everysec_survives_a_crash_anywhere);
}
