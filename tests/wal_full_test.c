/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log whose disk is full: at a start, and until there is room again.
 */
#include "wal/wal.h"

#include <errno.h>
#include <stdio.h>

#include "tests/support/wal_fixture.h"

#define RESERVE (16u << 10)
#define RETRY_US 1100000

/* Bytes that all files together take. */
static uint64_t used(struct fixture *f)
{
	struct io *io = sim_io(f->sim);

	sim_limit(f->sim, 0);
	return (UINT64_C(1) << 40) - (uint64_t)io->ops->room(io, f->dir);
}

/* Not a byte more. */
static void fill_disk(struct fixture *f)
{
	sim_limit(f->sim, used(f));
}

/* A log with records in `segments` segments and no room for another. */
static struct fixture *full_log(enum wal_level level, unsigned segments)
{
	struct fixture *f = fixture_new(level);

	f->options.reserve = RESERVE;
	reopen(f);
	turn(f);
	while (stats(f).segments < segments) {
		append(f, 3000);
		turn(f);
	}
	fill_disk(f);
	while (try_append(f, 3000))
		turn(f);
	ck_assert_int_eq(wal_sync_now(f->w), OK);
	ck_assert_int_eq(f->fatal_count, 0);
	return f;
}

/* Takes what spares there are, so that a start finds none. */
static void remove_spares(struct fixture *f)
{
	char path[128];
	unsigned i;

	for (i = 1; i < 100; i++) {
		uint8_t use[4] = { 0 };

		snprintf(path, sizeof(path), "%s/log/%016u.seg", f->dir, i);
		if (sim_exists(f->sim, path) &&
		    (sim_peek(f->sim, path, 4096, use, 4) < 4 || use[0] == 0))
			sim_remove(f->sim, path);
	}
}

/* What a command that frees does. */
static bool free_key(struct fixture *f)
{
	struct record r = { .type = REC_key_del,
			    .cause = CAUSE_del,
			    .key = SLICE_LITERAL("key") };

	if (!wal_room(f->w, 100, true))
		return false;
	batch_reset(&f->batch);
	f->batch.time_ms = 1700000000000;
	batch_add(&f->batch, &r);
	wal_append(f->w, &f->batch);
	turn(f);
	return true;
}

/* Life goes on: what was there is there, and there is more. */
static void check_resumes(struct fixture *f, uint64_t lsn)
{
	sim_limit(f->sim, 0);
	turn_after(f, RETRY_US);
	turn(f);
	ck_assert(!wal_short(f->w));
	append(f, 3000);
	turn(f);
	ck_assert_int_eq(wal_sync_now(f->w), OK);
	ck_assert_uint_eq(at(f)->durable_lsn, lsn + 1);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, lsn + 1);
	ck_assert_int_eq(f->fatal_count, 0);
}

START_TEST(wal_full__a_start_without_a_free_byte_serves_and_resumes)
{
	static const enum wal_level levels[] = { WAL_ALWAYS, WAL_EVERYSEC,
						 WAL_NO };
	unsigned i;

	for (i = 0; i < 3; i++) {
		struct fixture *f = full_log(levels[i], 3);
		uint64_t lsn = at(f)->durable_lsn;
		uint32_t epoch = at(f)->epoch;

		remove_spares(f);
		crash(f, SIM_CRASH_NOTHING);
		sim_limit(f->sim, 1);
		reopen(f);
		ck_assert_uint_eq(at(f)->durable_lsn, lsn);
		ck_assert_uint_eq(wal_release_lsn(f->w), lsn);
		ck_assert_uint_eq(at(f)->epoch, epoch);
		ck_assert(wal_short(f->w));
		ck_assert(!wal_room(f->w, 1, false));
		ck_assert(!wal_room(f->w, 1, true));
		ck_assert_uint_ne(wal_sequence(f->w), 0);
		turn_after(f, RETRY_US);
		turn_after(f, RETRY_US);
		ck_assert(!wal_room(f->w, 1, true));
		check_resumes(f, lsn);
		ck_assert_uint_gt(f->epoch, epoch);
		fixture_free(f);
	}
}
END_TEST

START_TEST(wal_full__starts_and_ends_in_between_change_nothing)
{
	struct fixture *f = full_log(WAL_ALWAYS, 2);
	uint64_t lsn = at(f)->durable_lsn;
	unsigned i;

	remove_spares(f);
	crash(f, SIM_CRASH_NOTHING);
	for (i = 0; i < 6; i++) {
		sim_limit(f->sim, 1);
		reopen(f);
		ck_assert_uint_eq(f->last_lsn, lsn);
		turn_after(f, RETRY_US);
		ck_assert_int_eq(wal_sync_now(f->w), OK);
		if (i % 2)
			close_log(f);
		else
			crash(f, SIM_CRASH_NOTHING);
	}
	sim_limit(f->sim, 1);
	reopen(f);
	check_resumes(f, lsn);
	fixture_free(f);
}
END_TEST

/* What stood behind the cut is given back: enough for commands that free. */
START_TEST(wal_full__a_start_finds_room_for_commands_that_free)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t lsn;
	unsigned freed;

	f->options.reserve = RESERVE;
	reopen(f);
	append(f, 100);
	turn(f);
	lsn = at(f)->durable_lsn;
	crash(f, SIM_CRASH_NOTHING);
	remove_spares(f);
	fill_disk(f);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, lsn);
	ck_assert(wal_short(f->w));
	ck_assert(!wal_room(f->w, 100, false));
	for (freed = 0; free_key(f); freed++)
		ck_assert(!wal_room(f->w, 100, false));
	ck_assert_uint_ge(freed, 2);
	ck_assert_uint_eq(at(f)->durable_lsn, lsn + freed);
	check_resumes(f, lsn + freed);
	fixture_free(f);
}
END_TEST

/* The disk has some room, but not for a whole segment. */
START_TEST(wal_full__freeing_goes_on_in_small_segments)
{
	struct fixture *f = full_log(WAL_ALWAYS, 2);
	uint64_t lsn = at(f)->durable_lsn;
	unsigned freed = 0;

	sim_limit(f->sim, used(f) + SMALL_SEGMENT - 4096);
	turn_after(f, RETRY_US);
	while (free_key(f)) {
		ck_assert(!wal_room(f->w, 100, false));
		freed++;
	}
	ck_assert_uint_gt(freed, 2 * RESERVE / 4096);
	ck_assert_int_eq(f->fatal_count, 0);
	check_resumes(f, lsn + freed);
	fixture_free(f);
}
END_TEST

/* Starts again without spares and without room for one; a snapshot covers all
 * of the log. */
static void reopen_covered(struct fixture *f)
{
	uint64_t lsn = at(f)->durable_lsn;
	uint32_t epoch = at(f)->epoch;

	remove_spares(f);
	crash(f, SIM_CRASH_NOTHING);
	f->known = (struct wal_known){ .snapshot_lsn = lsn,
				       .snapshot_epoch = epoch,
				       .oldest_lsn = lsn,
				       .durable_lsn = lsn };
	sim_limit(f->sim, 1);
	reopen(f);
}

/* A snapshot names the newest segment in use: that one is not recycled before
 * another is. */
START_TEST(wal_full__what_a_snapshot_covers_is_enough_to_resume)
{
	struct fixture *f = full_log(WAL_ALWAYS, 4);
	uint64_t lsn = at(f)->durable_lsn;

	reopen_covered(f);
	ck_assert(!wal_room(f->w, 1, false));
	wal_retain(f->w, lsn, lsn);
	turn(f);
	turn(f);
	ck_assert_uint_ne(stats(f).segment_sequence, 0);
	append(f, 3000);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, lsn + 1);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, lsn + 1);
	fixture_free(f);
}
END_TEST

START_TEST(wal_full__a_snapshot_alone_is_served_until_a_log_can_begin)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct sim_fault fault = { .ops = SIM_MKDIR,
				   .call = 1,
				   .forever = true,
				   .error = ENOSPC };

	memset(&f->store, 7, sizeof(f->store));
	f->known = (struct wal_known){ .snapshot_lsn = 500,
				       .snapshot_epoch = 3,
				       .oldest_lsn = 500 };
	sim_set_fault(f->sim, &fault);
	reopen(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 500);
	turn_after(f, RETRY_US);
	ck_assert(!wal_room(f->w, 1, true));
	ck_assert_uint_ne(wal_deadline_us(f->w), UINT64_MAX);
	fault.call = 0;
	sim_set_fault(f->sim, &fault);
	check_resumes(f, 500);
	fixture_free(f);
}
END_TEST

START_TEST(wal_full__levels_can_be_switched_meanwhile)
{
	struct fixture *f = full_log(WAL_ALWAYS, 2);
	uint64_t lsn = at(f)->durable_lsn;
	struct err_message m;

	reopen_covered(f);
	ck_assert_int_eq(wal_set_level(f->w, WAL_EVERYSEC, &m), OK);
	ck_assert(!wal_room(f->w, 1, false));
	ck_assert_int_eq(wal_set_level(f->w, WAL_OFF, &m), OK);
	ck_assert(wal_room(f->w, 1, false));
	ck_assert(!wal_short(f->w));
	ck_assert_int_ne(wal_set_level(f->w, WAL_ALWAYS, &m), OK);
	ck_assert_int_eq(wal_level(f->w), WAL_OFF);
	sim_limit(f->sim, 0);
	ck_assert_int_eq(wal_set_level(f->w, WAL_ALWAYS, &m), OK);
	check_resumes(f, lsn);
	fixture_free(f);
}
END_TEST

START_TEST(wal_full__an_empty_store_is_not_begun)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct err_message m = { "" };

	sim_limit(f->sim, 1);
	ck_assert_int_eq(try_reopen(f, &m), ERR_IO);
	ck_assert_ptr_nonnull(strstr(m.text, "No space left"));
	fixture_free(f);
}
END_TEST

START_TEST(wal_full__one_batch_that_is_too_big_says_nothing_about_the_disk)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	f->options.reserve = RESERVE;
	reopen(f);
	append(f, 100);
	turn(f);
	sim_limit(f->sim, used(f) + 8 * SMALL_SEGMENT);
	ck_assert(!wal_room(f->w, 16 * SMALL_SEGMENT, false));
	ck_assert(!wal_room(f->w, 16 * SMALL_SEGMENT, true));
	ck_assert(!wal_short(f->w));
	append(f, 3000);
	turn(f);
	ck_assert(!wal_short(f->w));
	append(f, 2 * SMALL_SEGMENT);
	turn(f);
	check_resumes(f, 3);
	fixture_free(f);
}
END_TEST

/* A failed sync says "full", too; it is as final as any. */
START_TEST(wal_full__a_sync_that_finds_it_full_is_final)
{
	static const unsigned ops[] = { SIM_SYNC_DIR, SIM_SYNC, SIM_WRITE };
	struct err_message m;
	unsigned i, call;

	for (i = 0; i < 3; i++)
		for (call = 1; call < 12; call++) {
			struct fixture *f = full_log(WAL_EVERYSEC, 2);
			uint64_t lsn = at(f)->durable_lsn;
			struct sim_fault fault = { .ops = ops[i],
						   .call = call,
						   .error = ENOSPC,
						   .lose_pages = i == 1 };

			crash(f, SIM_CRASH_NOTHING);
			sim_limit(f->sim, 0);
			sim_set_fault(f->sim, &fault);
			if (try_reopen(f, &m) == OK)
				turn_after(f, RETRY_US);
			fault.call = 0;
			sim_set_fault(f->sim, &fault);
			f->fatal_count = 0;
			crash(f, call % 2 ? SIM_CRASH_NOTHING
					  : SIM_CRASH_PROCESS);
			reopen(f);
			check_resumes(f, lsn);
			fixture_free(f);
		}
}
END_TEST

/* --- crashes ------------------------------------------------------------- */

struct crash_run {
	struct fixture *f;
	uint64_t lsn; /* nothing less, and nothing more but what was appended */
	uint64_t count;
};

static void on_boundary(void *ctx, enum sim_op op)
{
	static const enum sim_crash_kind kinds[] = {
		SIM_CRASH_PROCESS, SIM_CRASH_NOTHING, SIM_CRASH_ALL,
		SIM_CRASH_RANDOM,  SIM_CRASH_RANDOM,
	};
	struct crash_run *run = ctx;
	size_t i;

	(void)op;
	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		struct fixture after = *run->f;
		struct sim_crash how = { .kind = kinds[i],
					 .seed = run->count };
		struct err_message m = { "" };
		int err;

		after.sim = sim_crash(run->f->sim, &how);
		after.options.io = sim_io(after.sim);
		after.options.fatal_ctx = &after;
		after.w = NULL;
		batch_init(&after.batch);
		err = try_reopen(&after, &m);
		ck_assert_msg(err == OK, "crash %llu, kind %d: %s",
			      (unsigned long long)run->count, how.kind,
			      m.text);
		ck_assert_uint_ge(after.last_lsn, run->lsn);
		ck_assert_uint_le(after.last_lsn, run->lsn + 1);
		check_resumes(&after, after.last_lsn);
		wal_abandon(after.w);
		batch_release(&after.batch);
		sim_free(after.sim);
		run->count++;
	}
}

START_TEST(wal_full__a_crash_anywhere_in_it_loses_nothing)
{
	struct fixture *f = full_log(WAL_ALWAYS, 3);
	struct crash_run run = { .f = f };

	run.lsn = at(f)->durable_lsn;
	remove_spares(f);
	crash(f, SIM_CRASH_NOTHING);
	sim_limit(f->sim, 1);
	sim_on_boundary(f->sim, on_boundary, &run);
	reopen(f);
	turn_after(f, RETRY_US);
	sim_limit(f->sim, 0);
	turn_after(f, RETRY_US);
	append(f, 3000);
	turn(f);
	sim_on_boundary(f->sim, NULL, NULL);
	ck_assert_uint_gt(run.count, 50);
	fixture_free(f);
}
END_TEST

/* A snapshot names the newest segment in use: that one is not recycled before
 * another is in use, or a crash in between would look like a lost log. */
static void crash_while_recycling(unsigned segments)
{
	struct fixture *f = full_log(WAL_ALWAYS, segments);
	struct crash_run run = { .f = f };
	unsigned i;

	run.lsn = at(f)->durable_lsn;
	remove_spares(f);
	crash(f, SIM_CRASH_NOTHING);
	sim_limit(f->sim, 1);
	reopen(f);
	f->known = (struct wal_known){ .snapshot_lsn = run.lsn,
				       .snapshot_epoch = at(f)->epoch,
				       .oldest_lsn = run.lsn,
				       .durable_lsn = run.lsn,
				       .sequence = wal_sequence(f->w) };
	ck_assert_uint_ne(f->known.sequence, 0);
	sim_on_boundary(f->sim, on_boundary, &run);
	wal_retain(f->w, run.lsn, run.lsn);
	for (i = 0; i < 3; i++)
		turn_after(f, RETRY_US);
	sim_on_boundary(f->sim, NULL, NULL);
	sim_limit(f->sim, 0);
	ck_assert_uint_gt(run.count, 10);
	check_resumes(f, run.lsn);
	fixture_free(f);
}

START_TEST(wal_full__the_newest_segment_stays_while_there_is_no_other)
{
	crash_while_recycling(1);
	crash_while_recycling(3);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"wal_full",
		wal_full__a_start_without_a_free_byte_serves_and_resumes,
		wal_full__starts_and_ends_in_between_change_nothing,
		wal_full__a_start_finds_room_for_commands_that_free,
		wal_full__freeing_goes_on_in_small_segments,
		wal_full__what_a_snapshot_covers_is_enough_to_resume,
		wal_full__the_newest_segment_stays_while_there_is_no_other,
		wal_full__a_snapshot_alone_is_served_until_a_log_can_begin,
		wal_full__levels_can_be_switched_meanwhile,
		wal_full__an_empty_store_is_not_begun,
		wal_full__one_batch_that_is_too_big_says_nothing_about_the_disk,
		wal_full__a_sync_that_finds_it_full_is_final,
		wal_full__a_crash_anywhere_in_it_loses_nothing);
}
