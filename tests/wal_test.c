/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/wal.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/wal_fixture.h"

/* --- levels and positions ------------------------------------------------ */

START_TEST(wal__always_releases_what_is_durable)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	ck_assert_uint_eq(at(f)->epoch, 1);
	append(f, 10);
	append(f, 10);
	ck_assert_uint_eq(at(f)->last_lsn, 2);
	ck_assert_uint_eq(wal_release_lsn(f->w), 0);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 2);
	ck_assert_uint_eq(wal_release_lsn(f->w), 2);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 2);
	fixture_free(f);
}
END_TEST

START_TEST(wal__everysec_releases_what_is_written_and_syncs_each_second)
{
	struct fixture *f = fixture_new(WAL_EVERYSEC);

	reopen(f);
	append(f, 10);
	turn(f);
	ck_assert_uint_eq(at(f)->written_lsn, 1);
	ck_assert_uint_eq(at(f)->durable_lsn, 0);
	ck_assert_uint_eq(wal_release_lsn(f->w), 1);
	ck_assert_uint_ne(wal_deadline_us(f->w), UINT64_MAX);
	sim_advance_us(f->sim, 7000);
	ck_assert_uint_eq(stats(f).oldest_unsynced_ms, 8);
	turn_after(f, 1000000);
	ck_assert_uint_eq(at(f)->durable_lsn, 1);
	ck_assert_uint_eq(stats(f).oldest_unsynced_ms, 0);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 1);
	fixture_free(f);
}
END_TEST

START_TEST(wal__no_syncs_only_when_asked)
{
	struct fixture *f = fixture_new(WAL_NO);

	reopen(f);
	append(f, 10);
	turn_after(f, 5000000);
	turn_after(f, 5000000);
	ck_assert_uint_eq(at(f)->written_lsn, 1);
	ck_assert_uint_eq(at(f)->durable_lsn, 0);
	append(f, 10);
	wal_sync_soon(f->w);
	ck_assert_uint_eq(at(f)->durable_lsn, 2);
	append(f, 10);
	ck_assert_int_eq(wal_sync_now(f->w), OK);
	ck_assert_uint_eq(at(f)->durable_lsn, 3);
	fixture_free(f);
}
END_TEST

START_TEST(wal__a_killed_process_loses_nothing_written)
{
	struct fixture *f = fixture_new(WAL_NO);
	int i;

	reopen(f);
	for (i = 0; i < 100; i++) {
		append(f, 3000);
		turn(f);
	}
	crash(f, SIM_CRASH_PROCESS);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 100);
	ck_assert(!f->clean);
	fixture_free(f);
}
END_TEST

START_TEST(wal__off_counts_and_writes_nothing)
{
	struct fixture *f = fixture_new(WAL_OFF);

	reopen(f);
	append(f, 10);
	turn(f);
	ck_assert_uint_eq(at(f)->last_lsn, 1);
	ck_assert_uint_eq(wal_release_lsn(f->w), 1);
	ck_assert_uint_eq(wal_deadline_us(f->w), UINT64_MAX);
	ck_assert(!sim_exists(f->sim, "store/log"));
	close_log(f);
	ck_assert(!sim_exists(f->sim, "store/log"));
	fixture_free(f);
}
END_TEST

START_TEST(wal__levels_change_while_it_runs)
{
	static const enum wal_level levels[] = { WAL_EVERYSEC, WAL_ALWAYS,
						 WAL_NO,       WAL_ALWAYS,
						 WAL_EVERYSEC, WAL_NO,
						 WAL_EVERYSEC };
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct err_message m;
	size_t i;

	reopen(f);
	for (i = 0; i < ARRAY_LEN(levels); i++) {
		append(f, 10);
		ck_assert_int_eq(wal_set_level(f->w, levels[i], &m), OK);
		ck_assert_int_eq(wal_level(f->w), levels[i]);
		append(f, 10);
		turn(f);
		ck_assert_uint_eq(wal_release_lsn(f->w), 2 * i + 2);
		if (levels[i] == WAL_ALWAYS)
			ck_assert_uint_eq(at(f)->durable_lsn, 2 * i + 2);
	}
	close_log(f);
	reopen(f);
	ck_assert(f->clean);
	ck_assert_uint_eq(f->last_lsn, 2 * ARRAY_LEN(levels));
	ck_assert_uint_eq(f->epoch, 1);
	fixture_free(f);
}
END_TEST

START_TEST(wal__switched_off_and_on_begins_a_base_segment_and_an_epoch)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct err_message m;

	reopen(f);
	append(f, 10);
	ck_assert_int_eq(wal_set_level(f->w, WAL_OFF, &m), OK);
	append(f, 10);
	append(f, 10);
	ck_assert_uint_eq(wal_release_lsn(f->w), 3);
	ck_assert_int_eq(wal_set_level(f->w, WAL_EVERYSEC, &m), OK);
	ck_assert_uint_eq(at(f)->epoch, 2);
	append(f, 10);
	close_log(f);
	/* the snapshot that the caller made before switching it on */
	f->known.snapshot_lsn = 3;
	f->known.oldest_lsn = 3;
	f->known.snapshot_epoch = 1;
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 4);
	ck_assert_uint_eq(f->epoch, 2);
	ck_assert_uint_eq(wal_epochs(f->w)->count, 2);
	ck_assert_uint_eq(wal_epochs(f->w)->at[1].first_lsn, 4);
	fixture_free(f);
}
END_TEST

/* A snapshot that named it may be done after the switch. */
START_TEST(wal__switched_off_it_keeps_the_newest_segment)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct err_message m;
	uint64_t sequence;

	reopen(f);
	while (stats(f).segments < 3) {
		append(f, 3000);
		turn(f);
	}
	sequence = wal_sequence(f->w);
	ck_assert_int_eq(wal_set_level(f->w, WAL_OFF, &m), OK);
	ck_assert_uint_eq(stats(f).segments, 3);
	wal_retain(f->w, at(f)->last_lsn, at(f)->last_lsn);
	ck_assert_uint_eq(stats(f).segments, 1);
	f->known = (struct wal_known){ .snapshot_lsn = at(f)->last_lsn,
				       .snapshot_epoch = at(f)->epoch,
				       .oldest_lsn = at(f)->last_lsn,
				       .durable_lsn = at(f)->last_lsn,
				       .sequence = sequence };
	wal_abandon(f->w);
	reopen(f);
	/* A later one is in use: it may go. */
	wal_retain(f->w, at(f)->last_lsn, at(f)->last_lsn);
	ck_assert_uint_eq(stats(f).segments, 1);
	ck_assert_uint_gt(wal_sequence(f->w), sequence);
	wal_abandon(f->w);
	reopen(f);
	fixture_free(f);
}
END_TEST

START_TEST(wal__started_off_it_can_be_switched_on)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct err_message m;

	reopen(f);
	append(f, 10);
	turn(f);
	crash(f, SIM_CRASH_NOTHING);
	f->options.level = WAL_OFF;
	reopen(f);
	append(f, 10);
	ck_assert_int_eq(wal_set_level(f->w, WAL_ALWAYS, &m), OK);
	append(f, 10);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 3);
	crash(f, SIM_CRASH_NOTHING);
	f->options.level = WAL_ALWAYS;
	f->known.snapshot_lsn = 2;
	f->known.oldest_lsn = 2;
	f->known.snapshot_epoch = 1;
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 3);
	fixture_free(f);
}
END_TEST

/* While it is set no thread can be started. */
static bool threads_fail;

/* In the place of the library's, which it calls. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*start)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *,
			   void *(*)(void *), void *);

	if (threads_fail)
		return EAGAIN;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attr, start, arg);
}

START_TEST(wal__without_threads_it_stays_off_until_there_are)
{
	struct fixture *f = fixture_on_disk(WAL_OFF);
	struct err_message m;
	int i;

	reopen(f);
	append(f, 10);
	threads_fail = true;
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(wal_set_level(f->w, WAL_ALWAYS, &m),
				 ERR_MEMORY);
		ck_assert_int_eq(wal_level(f->w), WAL_OFF);
	}
	threads_fail = false;
	ck_assert_int_eq(wal_set_level(f->w, WAL_ALWAYS, &m), OK);
	append(f, 10);
	wait_released(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 2);
	close_log(f);
	fixture_leave_disk(f);
}
END_TEST

/* --- segments ------------------------------------------------------------ */

START_TEST(wal__rolls_to_the_next_segment_and_back_at_the_start)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	int i;

	reopen(f);
	for (i = 0; i < 200; i++) {
		append(f, (size_t)i * 20);
		if (i % 3 == 0)
			turn(f);
	}
	turn(f);
	ck_assert_uint_gt(wal_sequence(f->w), 5);
	ck_assert_uint_eq(stats(f).segments, wal_sequence(f->w));
	close_log(f);
	reopen(f);
	ck_assert(f->clean);
	ck_assert_uint_eq(f->last_lsn, 200);
	ck_assert_uint_gt(f->segment_count, 5);
	fixture_free(f);
}
END_TEST

START_TEST(wal__a_batch_bigger_than_a_segment_gets_one_of_its_own)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	append(f, 10);
	append(f, 10 * SMALL_SEGMENT);
	append(f, 10);
	turn(f);
	append(f, 3 * SMALL_SEGMENT);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 4);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 4);
	fixture_free(f);
}
END_TEST

START_TEST(wal__a_batch_bigger_than_a_frame_spans_frames)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	size_t size;

	f->options.segment_size = 16 << 20;
	reopen(f);
	/* around the places where one more frame begins */
	for (size = (3 << 20) - 40; size <= (3 << 20) + 40; size += 4)
		append(f, size);
	append(f, (1 << 20) - 30);
	append(f, 300 << 10);
	turn(f);
	ck_assert_uint_eq(at(f)->durable_lsn, 23);
	close_log(f);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 23);
	fixture_free(f);
}
END_TEST

START_TEST(wal__closed_and_opened_again_and_again)
{
	struct fixture *f = fixture_new(WAL_EVERYSEC);
	uint64_t lsn = 0;
	int i;

	for (i = 0; i < 30; i++) {
		reopen(f);
		ck_assert_uint_eq(f->last_lsn, lsn);
		ck_assert_uint_eq(at(f)->epoch, 1);
		if (i % 3) {
			append(f, 100);
			lsn++;
		}
		close_log(f);
	}
	fixture_free(f);
}
END_TEST

static const char torn_bytes[] = "half a group";
static const char torn_path[] = "store/log/0000000000000001-12288.torn";

/* A log of one record that a crash left with torn bytes behind. */
static struct fixture *torn_log(void)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	append(f, 10);
	turn(f);
	crash(f, SIM_CRASH_NOTHING);
	sim_poke(f->sim, "store/log/0000000000000001.seg", 3 * 4096,
		 torn_bytes, sizeof(torn_bytes));
	return f;
}

/* Of a snapshot whose checks hold: somebody has made it. */
START_TEST(wal__an_lsn_that_no_log_can_reach_is_refused)
{
	static const uint64_t lsns[] = { INT64_MAX, UINT64_MAX - 1,
					 UINT64_MAX };
	size_t i;

	for (i = 0; i < ARRAY_LEN(lsns); i++) {
		struct fixture *f = fixture_new(WAL_ALWAYS);
		struct err_message m;

		f->known = (struct wal_known){ .snapshot_lsn = lsns[i],
					       .snapshot_epoch = 1,
					       .oldest_lsn = lsns[i] };
		ck_assert_int_eq(try_reopen(f, &m), ERR_CORRUPT);
		fixture_free(f);
	}
}
END_TEST

START_TEST(wal__torn_bytes_are_put_aside_whole_or_not_at_all)
{
	struct sim_fault fault = { .ops = SIM_READ, .error = EIO };
	char copy[sizeof(torn_bytes)];
	struct err_message m;
	unsigned not_copied = 0;
	uint64_t reads;
	bool opened;

	do {
		struct fixture *f = torn_log();

		fault.call++;
		sim_set_fault(f->sim, &fault);
		opened = try_reopen(f, &m) == OK;
		not_copied += opened && !sim_exists(f->sim, torn_path);
		if (sim_exists(f->sim, torn_path)) {
			ck_assert_int_eq(sim_peek(f->sim, torn_path, 0, copy,
						  sizeof(copy)),
					 strlen(torn_bytes)); /* no zeros */
			ck_assert_mem_eq(copy, torn_bytes, strlen(torn_bytes));
		}
		reads = sim_calls(f->sim);
		fixture_free(f);
	} while (reads >= fault.call);
	ck_assert_uint_eq(not_copied, 1);
}
END_TEST

START_TEST(wal__a_torn_tail_is_put_aside_and_begins_an_epoch)
{
	struct fixture *f = torn_log();

	reopen(f);
	ck_assert_int_eq(f->outcome, CASE_T2_TORN);
	ck_assert_uint_eq(at(f)->epoch, 2);
	ck_assert(sim_exists(f->sim, torn_path));
	append(f, 10);
	turn(f);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_int_eq(f->outcome, CASE_T1_END);
	ck_assert_uint_eq(f->last_lsn, 2);
	ck_assert_uint_eq(f->epoch, 2);
	ck_assert_uint_eq(wal_epochs(f->w)->at[1].first_lsn, 2);
	fixture_free(f);
}
END_TEST

START_TEST(wal__covered_segments_are_recycled_and_no_others)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct wal_stats s;
	char path[64];
	uint64_t covered;
	int i;

	reopen(f);
	for (i = 0; i < 100; i++) {
		append(f, 3000);
		turn(f);
	}
	s = stats(f);
	ck_assert_uint_ge(s.segments, 5);
	for (i = 1; i <= (int)s.segment_sequence; i++) {
		snprintf(path, sizeof(path), "store/log/%016d.seg", i);
		ck_assert(sim_exists(f->sim, path));
	}
	covered = at(f)->last_lsn / 2;
	wal_retain(f->w, covered, at(f)->last_lsn);
	turn(f);
	ck_assert_uint_lt(stats(f).segments, s.segments);
	ck_assert_uint_ge(stats(f).segments, s.segments / 2);
	ck_assert_uint_gt(stats(f).spares, 1);
	/* what is left goes on from the snapshot */
	for (i = 0; i < 100; i++) {
		append(f, 3000);
		turn(f);
	}
	crash(f, SIM_CRASH_NOTHING);
	f->known.snapshot_lsn = 100;
	f->known.oldest_lsn = covered;
	f->known.snapshot_epoch = 1;
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 200);
	fixture_free(f);
}
END_TEST

START_TEST(wal__payload_since_the_newest_snapshot_is_counted)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t before;
	int i;

	f->options.segment_size = 8 << 20;
	reopen(f);
	for (i = 0; i < 1000; i++) {
		append(f, 3000);
		turn(f);
	}
	before = stats(f).payload_since_retain;
	ck_assert_uint_ge(before, 3000000);
	wal_retain(f->w, 0, 500);
	before = stats(f).payload_since_retain;
	ck_assert_uint_ge(before, 1500000);
	ck_assert_uint_le(before, 2000000);
	fixture_free(f);
}
END_TEST

/* --- marks --------------------------------------------------------------- */

START_TEST(wal__an_idle_log_gets_a_mark)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t groups;

	reopen(f);
	append(f, 10);
	turn(f);
	ck_assert_uint_ne(wal_deadline_us(f->w), UINT64_MAX);
	groups = stats(f).groups;
	turn_after(f, 50000);
	ck_assert_uint_eq(stats(f).groups, groups);
	turn_after(f, 60000);
	ck_assert_uint_eq(stats(f).groups, groups + 1);
	ck_assert_uint_eq(wal_deadline_us(f->w), UINT64_MAX);
	turn_after(f, 1000000);
	ck_assert_uint_eq(stats(f).groups, groups + 1);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->durable_lsn, 1);
	fixture_free(f);
}
END_TEST

START_TEST(wal__everysec_marks_what_a_sync_made_durable)
{
	struct fixture *f = fixture_new(WAL_EVERYSEC);
	int i;

	reopen(f);
	append(f, 10);
	turn(f);
	for (i = 0; i < 50; i++) /* sync, mark, sync; then nothing */
		turn_after(f, 100000);
	ck_assert_uint_eq(wal_deadline_us(f->w), UINT64_MAX);
	ck_assert_uint_eq(stats(f).groups, 2);
	crash(f, SIM_CRASH_NOTHING);
	reopen(f);
	ck_assert_uint_eq(f->durable_lsn, 1);
	fixture_free(f);
}
END_TEST

START_TEST(wal__marks_roll_a_full_segment)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	int i;

	reopen(f);
	for (i = 0; i < 100; i++) {
		append(f, 10);
		turn(f);
		turn_after(f, 200000);
		ck_assert_uint_eq(wal_deadline_us(f->w), UINT64_MAX);
	}
	ck_assert_uint_gt(wal_sequence(f->w), 5);
	close_log(f);
	reopen(f);
	ck_assert_uint_eq(f->last_lsn, 100);
	fixture_free(f);
}
END_TEST

/* --- threads, on the real disk ------------------------------------------- */

static void run_threads(enum wal_level level)
{
	struct fixture *f = fixture_on_disk(level);
	struct err_message m;
	int i;

	reopen(f);
	for (i = 0; i < 400; i++) {
		append(f, (size_t)(i * 997) % 9000);
		if (i % 7 == 0)
			turn(f);
		if (i % 50 == 0)
			wait_released(f);
		if (i % 100 == 99)
			wal_retain(f->w, at(f)->durable_lsn / 2,
				   at(f)->durable_lsn);
	}
	append(f, 3 << 20);
	wait_released(f);
	ck_assert_int_eq(wal_set_level(f->w, WAL_ALWAYS, &m), OK);
	append(f, 10);
	wait_released(f);
	f->known.snapshot_lsn = at(f)->durable_lsn / 2;
	f->known.oldest_lsn = f->known.snapshot_lsn;
	f->known.snapshot_epoch = 1;
	close_log(f);
	completion_drain(&f->queue);
	reopen(f);
	ck_assert(f->clean);
	ck_assert_uint_eq(f->last_lsn, 402);
	fixture_leave_disk(f);
}

START_TEST(wal__threads_commit_under_always)
{
	run_threads(WAL_ALWAYS);
}
END_TEST

START_TEST(wal__threads_commit_under_everysec)
{
	run_threads(WAL_EVERYSEC);
}
END_TEST

START_TEST(wal__threads_commit_under_no)
{
	run_threads(WAL_NO);
}
END_TEST

START_TEST(wal__a_turn_writes_a_bounded_size_in_place)
{
	struct fixture *f = fixture_on_disk(WAL_EVERYSEC);
	int i;

	f->options.segment_size = 16 << 20;
	reopen(f);
	append(f, 100000);
	turn(f);
	ck_assert_uint_eq(wal_release_lsn(f->w), 1);
	for (i = 0; i < 40; i++)
		append(f, 100000);
	turn(f);
	ck_assert_uint_gt(wal_release_lsn(f->w), 4);
	ck_assert_uint_le(wal_release_lsn(f->w), 12);
	wait_released(f);
	append(f, 3 << 20);
	turn(f);
	ck_assert_uint_eq(wal_release_lsn(f->w), 41);
	wait_released(f);
	fixture_leave_disk(f);
}
END_TEST

START_TEST(wal__abandoned_threads_leave_what_is_durable)
{
	struct fixture *f = fixture_on_disk(WAL_ALWAYS);

	reopen(f);
	append(f, 10);
	wait_released(f);
	append(f, 10);
	turn(f);
	wal_abandon(f->w);
	f->w = NULL;
	completion_drain(&f->queue);
	reopen(f);
	ck_assert_uint_ge(f->last_lsn, 1);
	fixture_leave_disk(f);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"wal", wal__always_releases_what_is_durable,
		wal__everysec_releases_what_is_written_and_syncs_each_second,
		wal__no_syncs_only_when_asked,
		wal__a_killed_process_loses_nothing_written,
		wal__off_counts_and_writes_nothing,
		wal__levels_change_while_it_runs,
		wal__switched_off_and_on_begins_a_base_segment_and_an_epoch,
		wal__switched_off_it_keeps_the_newest_segment,
		wal__started_off_it_can_be_switched_on,
		wal__rolls_to_the_next_segment_and_back_at_the_start,
		wal__a_batch_bigger_than_a_segment_gets_one_of_its_own,
		wal__a_batch_bigger_than_a_frame_spans_frames,
		wal__closed_and_opened_again_and_again,
		wal__a_torn_tail_is_put_aside_and_begins_an_epoch,
		wal__an_lsn_that_no_log_can_reach_is_refused,
		wal__torn_bytes_are_put_aside_whole_or_not_at_all,
		wal__covered_segments_are_recycled_and_no_others,
		wal__payload_since_the_newest_snapshot_is_counted,
		wal__an_idle_log_gets_a_mark,
		wal__everysec_marks_what_a_sync_made_durable,
		wal__marks_roll_a_full_segment,
		wal__without_threads_it_stays_off_until_there_are,
		wal__threads_commit_under_always,
		wal__threads_commit_under_everysec,
		wal__threads_commit_under_no,
		wal__a_turn_writes_a_bounded_size_in_place,
		wal__abandoned_threads_leave_what_is_durable);
}
