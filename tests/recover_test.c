/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of FORMAT.md section 6.3, one test each at least. */
#include "wal/recover.h"

#include <errno.h>
#include <string.h>

#include "tests/support/recover_fixture.h"

/* --- rows ----------------------------------------------------------------- */

START_TEST(recover__an_empty_directory_is_an_empty_log)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	check(f, CASE_T1_END, OK);
	ck_assert_uint_eq(found.last_lsn, 0);
	ck_assert_uint_eq(found.next_sequence, 1);
	done(f);
}
END_TEST

START_TEST(recover__t1_zeros_behind_the_last_group_end_the_log)
{
	struct fixture *f = store_of(WAL_ALWAYS, 3);

	check(f, CASE_T1_END, OK);
	ck_assert_uint_eq(found.first_lsn, 1);
	ck_assert_uint_eq(found.last_lsn, 3);
	ck_assert_uint_eq(found.durable_lsn, 2);
	ck_assert(!found.cut);
	ck_assert(!found.clean);
	done(f);
}
END_TEST

START_TEST(recover__t1_a_shutdown_seal_is_a_clean_end)
{
	struct fixture *f = store_of(WAL_ALWAYS, 3);

	reopen(f);
	append(f, 10);
	close_log(f);
	check(f, CASE_T1_END, OK);
	ck_assert_uint_eq(found.last_lsn, 4);
	ck_assert_uint_eq(found.durable_lsn, 4);
	ck_assert(found.clean);
	done(f);
}
END_TEST

START_TEST(recover__t2_a_bad_last_group_is_torn)
{
	struct fixture *f = store_of(WAL_ALWAYS, 3);

	spoil(f, 1, group_at(2) + FRAME_HEADER_SIZE + 5);
	check(f, CASE_T2_TORN, OK);
	ck_assert_uint_eq(found.last_lsn, 2);
	ck_assert(found.cut);
	ck_assert_uint_eq(found.cut_offset, group_at(2));
	ck_assert_uint_gt(found.cut_end, group_at(2) + FRAME_HEADER_SIZE);
	ck_assert_uint_le(found.cut_end, group_at(3));
	done(f);
}
END_TEST

START_TEST(recover__t2_a_batch_over_frames_goes_as_a_whole)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t start;

	reopen(f);
	append(f, 10);
	turn(f);
	append(f, 3 << 20);
	turn(f);
	crash(f, SIM_CRASH_ALL);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.last_lsn, 2);
	ck_assert_uint_eq(found.segment_count, 2);
	start = found.segments[1].end_offset - (2 << 20);
	spoil(f, found.segments[1].sequence, start);
	check(f, CASE_T2_TORN, OK);
	ck_assert_uint_eq(found.last_lsn, 1);
	ck_assert_uint_eq(found.cut_offset, group_at(0));
	done(f);
}
END_TEST

START_TEST(recover__t3_groups_behind_an_unsynced_one_are_dropped)
{
	struct fixture *f = store_of(WAL_NO, 5);

	spoil(f, 1, group_at(1) + 3); /* its header */
	check(f, CASE_T3_REORDERED, OK);
	ck_assert_uint_eq(found.last_lsn, 1);
	ck_assert_uint_eq(found.cut_offset, group_at(1));
	ck_assert_uint_gt(found.cut_end, group_at(4));
	done(f);
}
END_TEST

START_TEST(recover__t4_a_bad_group_that_was_durable_is_refused)
{
	struct fixture *f = store_of(WAL_ALWAYS, 5);

	spoil(f, 1, group_at(2) + FRAME_HEADER_SIZE);
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(message.text, "0000000000000001.seg"));
	ck_assert_ptr_nonnull(strstr(message.text, "offset 16384"));
	ck_assert_ptr_nonnull(strstr(message.text, "LSN 3 to 5"));
	ck_assert_ptr_nonnull(strstr(message.text, "store/log/"));
	done(f);
}
END_TEST

START_TEST(recover__t4_a_zeroed_group_that_was_durable_is_refused)
{
	struct fixture *f = store_of(WAL_ALWAYS, 5);
	char path[64];

	path_of(path, 1);
	sim_poke(f->sim, path, group_at(2), NULL, ALIGN);
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t4_groups_without_a_use_block_are_refused)
{
	struct fixture *f = store_of(WAL_ALWAYS, 1);

	spoil(f, 1, ALIGN + 20);
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t4_the_first_groups_may_be_lost_with_the_use_block)
{
	struct fixture *f = store_of(WAL_ALWAYS, 5);
	char path[64];

	path_of(path, 1);
	sim_poke(f->sim, path, ALIGN, NULL, 4 * ALIGN);
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t4_in_the_last_group_is_torn_if_tails_are_tolerated)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	int i;

	reopen(f);
	for (i = 0; i < 3; i++) {
		append(f, 100);
		turn(f);
	}
	turn_after(f, 200000); /* a mark */
	crash(f, SIM_CRASH_ALL);
	spoil(f, 1, group_at(2) + 70);
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	ck_assert_int_eq(run_mode(f, RECOVERY_TOLERATE_TAIL, &f->known), OK);
	ck_assert_uint_eq(found.last_lsn, 2);
	ck_assert(found.cut);
	spoil(f, 1, group_at(1) + 70); /* but only in the last */
	ck_assert_int_eq(run_mode(f, RECOVERY_TOLERATE_TAIL, &f->known),
			 ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t5_a_bad_group_in_a_sealed_segment_is_refused)
{
	struct fixture *f = store_of_segments();

	spoil(f, 3, group_at(0) + 1000);
	check(f, CASE_T5_CORRUPT_SEALED, ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(message.text, "0000000000000003.seg"));
	done(f);
}
END_TEST

START_TEST(recover__t5_a_lost_use_block_between_two_is_refused)
{
	struct fixture *f = store_of_segments();

	spoil(f, 3, ALIGN);
	check(f, CASE_T5_CORRUPT_SEALED, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t6_what_a_snapshot_holds_is_passed_over)
{
	struct fixture *f = store_of_segments();
	uint64_t last;

	ck_assert_int_eq(run(f), OK);
	last = found.last_lsn;
	f->known.snapshot_lsn = found.segments[2].last_lsn;
	f->known.oldest_lsn = 1;
	spoil(f, 2, group_at(0) + 1000);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.last_lsn, last);
	/* its seal is whole, and nobody reads more of an old segment */
	ck_assert_uint_eq(found.cases[CASE_T6_CORRUPT_COVERED], 0);
	spoil(f, 2, found.segments[1].end_offset + 20); /* the seal */
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.last_lsn, last);
	ck_assert_uint_ge(found.cases[CASE_T6_CORRUPT_COVERED], 1);
	ck_assert(found.segments[1].quarantined);
	ck_assert_uint_eq(found.first_lsn, found.segments[2].use.first_lsn);
	done(f);
}
END_TEST

START_TEST(recover__t6_a_hole_in_the_segment_that_goes_on_behind_it)
{
	struct fixture *f = store_of(WAL_ALWAYS, 8);

	f->known.snapshot_lsn = 4;
	f->known.oldest_lsn = 4;
	spoil(f, 1, group_at(2) + FRAME_HEADER_SIZE);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.last_lsn, 8);
	ck_assert_uint_eq(found.cases[CASE_T6_CORRUPT_COVERED], 1);
	ck_assert(found.segments[0].quarantined);
	spoil(f, 1, group_at(4) + FRAME_HEADER_SIZE); /* LSN 5 */
	check(f, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t7_a_log_that_ends_before_a_mark_is_refused)
{
	struct fixture *f = store_of(WAL_ALWAYS, 5);
	char path[64];

	path_of(path, 1);
	sim_poke(f->sim, path, group_at(3), NULL, 2 * ALIGN);
	check(f, CASE_T1_END, OK); /* no witness is left */
	f->known.snapshot_lsn = 2;
	f->known.oldest_lsn = 2;
	f->known.durable_lsn = 4;
	check(f, CASE_T7_SHORT, ERR_CORRUPT);
	done(f);
}
END_TEST

static void make_it_know(struct frame_header *h, const struct frame_seed *seed)
{
	(void)seed;
	h->durable_lsn = h->first_lsn + 1000;
}

START_TEST(recover__t7_a_mark_says_nothing_of_later_segments)
{
	struct fixture *f = store_of_segments();

	ck_assert_int_eq(run(f), OK);
	f->known.snapshot_lsn = found.segments[2].last_lsn;
	f->known.oldest_lsn = f->known.snapshot_lsn;
	change_frame(f, 2, found.segments[1].end_offset, make_it_know);
	check(f, CASE_T1_END, OK);
	done(f);
}
END_TEST

START_TEST(recover__t7_a_file_cut_short_is_refused)
{
	struct fixture *f = store_of(WAL_ALWAYS, 5);
	char path[64];

	path_of(path, 1);
	sim_cut(f->sim, path, group_at(4));
	check(f, CASE_T7_SHORT, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t7_a_deleted_log_is_refused_if_a_snapshot_names_it)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	f->known = (struct wal_known){ .snapshot_lsn = 5,
				       .oldest_lsn = 5,
				       .durable_lsn = 5,
				       .sequence = 2 };
	check(f, CASE_T7_SHORT, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t7_a_base_needs_its_snapshot)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	f->known.snapshot_lsn = 10;
	f->known.oldest_lsn = 10;
	reopen(f);
	append(f, 10);
	turn(f);
	crash(f, SIM_CRASH_ALL);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.first_lsn, 11);
	f->known.snapshot_lsn = 9;
	f->known.oldest_lsn = 9;
	check(f, CASE_T7_SHORT, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t9_an_older_snapshot_will_do_if_the_log_reaches_back)
{
	struct fixture *f = store_of_segments();
	uint64_t second;

	ck_assert_int_eq(run(f), OK);
	second = found.segments[1].use.first_lsn;
	f->known.snapshot_lsn = second - 1;
	f->known.oldest_lsn = second - 1;
	sim_remove(f->sim, "store/log/0000000000000001.seg");
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.first_lsn, second);
	f->known.snapshot_lsn = second - 2;
	f->known.oldest_lsn = second - 2;
	check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
	done(f);
}
END_TEST

START_TEST(recover__t10_a_file_that_was_not_used_is_a_spare)
{
	struct fixture *f = store_of(WAL_ALWAYS, 2);

	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.spare_count, 1);
	ck_assert_uint_eq(found.spares[0], 2);
	ck_assert_uint_eq(found.cases[CASE_T10_SPARE], 1);
	/* half a use block */
	sim_poke(f->sim, "store/log/0000000000000002.seg", ALIGN, "RDu1", 4);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.spare_count, 1);
	done(f);
}
END_TEST

START_TEST(recover__t11_a_read_error_is_not_a_torn_tail)
{
	struct sim_fault none = { 0 }, count = { .ops = SIM_READ | SIM_LIST };
	struct fixture *f = store_of_segments();
	uint64_t calls, i;

	sim_set_fault(f->sim, &count);
	ck_assert_int_eq(run(f), OK);
	calls = sim_calls(f->sim);
	ck_assert_uint_gt(calls, SEGMENTS);
	for (i = 1; i <= calls; i++) {
		struct sim_fault fault = { .ops = SIM_READ | SIM_LIST,
					   .call = i,
					   .error = EIO };

		sim_set_fault(f->sim, &fault);
		ck_assert_int_eq(run(f), ERR_IO);
		ck_assert_int_eq(found.outcome, CASE_T11_READ_ERROR);
		ck_assert_int_eq(err_exit_code(ERR_IO), EXIT_IO);
	}
	sim_set_fault(f->sim, &none);
	ck_assert_int_eq(run(f), OK);
	done(f);
}
END_TEST

/* --- what is no damage ---------------------------------------------------- */

START_TEST(recover__half_done_recycling_needs_nobody)
{
	struct fixture *f = store_of_segments();
	uint64_t last;

	ck_assert_int_eq(run(f), OK);
	last = found.last_lsn;
	f->known.snapshot_lsn = found.segments[3].last_lsn;
	f->known.oldest_lsn = found.segments[2].last_lsn;
	sim_remove(f->sim, "store/log/0000000000000002.seg");
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.last_lsn, last);
	ck_assert_uint_eq(found.first_lsn, found.segments[1].use.first_lsn);
	done(f);
}
END_TEST

START_TEST(recover__other_names_are_not_looked_at)
{
	struct fixture *f = store_of(WAL_ALWAYS, 2);

	sim_poke(f->sim, "store/log/spare.tmp", 0, "rubbish", 7);
	sim_poke(f->sim, "store/log/0000000000000001-8192.torn", 0, "x", 1);
	sim_poke(f->sim, "store/log/1.seg", 0, "x", 1);
	sim_poke(f->sim, "store/log/0000000000000009.seg~", 0, "x", 1);
	check(f, CASE_T1_END, OK);
	ck_assert_uint_eq(found.last_lsn, 2);
	done(f);
}
END_TEST

START_TEST(recover__a_start_that_died_at_its_seal_still_begins_an_epoch)
{
	struct fixture *f = store_of(WAL_ALWAYS, 3);
	struct sim_fault stop = { .ops = SIM_WRITE,
				  .error = EIO,
				  .forever = true };
	struct err_message m;
	uint64_t call;
	int cut = 0;

	spoil(f, 1, group_at(2) + 70);
	for (call = 1; call < 12; call++) {
		struct sim_crash all = { .kind = SIM_CRASH_ALL };
		struct fixture g = *f;

		g.sim = sim_crash(f->sim, &all);
		g.options.io = sim_io(g.sim);
		stop.call = call;
		sim_set_fault(g.sim, &stop);
		if (try_reopen(&g, &m) == OK)
			call = 100; /* it took fewer writes */
		wal_abandon(g.w);
		sim_set_fault(g.sim, &(struct sim_fault){ 0 });
		ck_assert_int_eq(run(&g), OK);
		ck_assert_uint_eq(found.last_lsn, 2);
		if (found.segments[found.segment_count - 1].sequence == 1) {
			ck_assert(found.cut);
			cut++;
		}
		sim_free(g.sim);
	}
	ck_assert_int_ge(cut, 2);
	done(f);
}
END_TEST

START_TEST(recover__lost_pages_in_the_cache_do_not_count)
{
	struct fixture *f = fixture_new(WAL_NO);
	struct sim_fault lose = {
		.ops = SIM_SYNC, .call = 1, .error = EIO, .lose_pages = true
	};
	struct sim_crash cut = { .kind = SIM_CRASH_NOTHING };
	struct sim *after;
	uint64_t last;
	int i;

	reopen(f);
	for (i = 0; i < 12; i++) {
		append(f, 3000);
		turn(f);
	}
	sim_set_fault(f->sim, &lose);
	wal_sync_now(f->w);
	ck_assert_int_eq(f->fatal_count, 1);
	sim_set_fault(f->sim, &(struct sim_fault){ 0 });
	ck_assert_int_eq(run(f), OK); /* the same kernel */
	last = found.last_lsn;
	after = sim_crash(f->sim, &cut);
	wal_abandon(f->w);
	f->w = NULL;
	sim_free(f->sim);
	f->sim = after;
	f->options.io = sim_io(after);
	ck_assert_int_eq(run(f), OK); /* after the power was gone */
	ck_assert_uint_eq(found.last_lsn, last);
	done(f);
}
END_TEST

START_TEST(recover__threads_say_the_same_as_one)
{
	struct fixture *f = store_of_segments();
	struct recovery_options o = { .io = f->options.io,
				      .dir = f->dir,
				      .verify_all = true,
				      .threads = 4 };
	struct store_id store = f->store;
	struct wal_recovery other;

	ck_assert_int_eq(run(f), OK);
	ck_assert_int_eq(wal_recover(&other, &o, &store, &message), OK);
	ck_assert_uint_eq(other.last_lsn, found.last_lsn);
	ck_assert_uint_eq(other.durable_lsn, found.durable_lsn);
	ck_assert_uint_eq(other.payload_bytes, found.payload_bytes);
	wal_recovery_release(&other);
	done(f);
}
END_TEST

static void note_progress(void *ctx, uint64_t bytes_done, uint64_t total)
{
	uint64_t *left = ctx;

	ck_assert_uint_le(bytes_done, total);
	*left = total - bytes_done;
}

START_TEST(recover__progress_ends_at_its_total)
{
	struct fixture *f = store_of_segments();
	struct wal_known known = { .snapshot_lsn = 20, .oldest_lsn = 20 };
	uint64_t left = 1;
	struct recovery_options o = { .io = f->options.io,
				      .dir = f->dir,
				      .known = &known,
				      .verify_all = true,
				      .progress = note_progress,
				      .progress_ctx = &left };
	struct store_id store = f->store;

	wal_recovery_release(&found);
	ck_assert_int_eq(wal_recover(&found, &o, &store, &message), OK);
	ck_assert_uint_eq(left, 0);
	done(f);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"recover", recover__an_empty_directory_is_an_empty_log,
		recover__t1_zeros_behind_the_last_group_end_the_log,
		recover__t1_a_shutdown_seal_is_a_clean_end,
		recover__t2_a_bad_last_group_is_torn,
		recover__t2_a_batch_over_frames_goes_as_a_whole,
		recover__t3_groups_behind_an_unsynced_one_are_dropped,
		recover__t4_a_bad_group_that_was_durable_is_refused,
		recover__t4_a_zeroed_group_that_was_durable_is_refused,
		recover__t4_groups_without_a_use_block_are_refused,
		recover__t4_the_first_groups_may_be_lost_with_the_use_block,
		recover__t4_in_the_last_group_is_torn_if_tails_are_tolerated,
		recover__t5_a_bad_group_in_a_sealed_segment_is_refused,
		recover__t5_a_lost_use_block_between_two_is_refused,
		recover__t6_what_a_snapshot_holds_is_passed_over,
		recover__t6_a_hole_in_the_segment_that_goes_on_behind_it,
		recover__t7_a_log_that_ends_before_a_mark_is_refused,
		recover__t7_a_mark_says_nothing_of_later_segments,
		recover__t7_a_file_cut_short_is_refused,
		recover__t7_a_deleted_log_is_refused_if_a_snapshot_names_it,
		recover__t7_a_base_needs_its_snapshot,
		recover__t9_an_older_snapshot_will_do_if_the_log_reaches_back,
		recover__t10_a_file_that_was_not_used_is_a_spare,
		recover__t11_a_read_error_is_not_a_torn_tail,
		recover__half_done_recycling_needs_nobody,
		recover__other_names_are_not_looked_at,
		recover__a_start_that_died_at_its_seal_still_begins_an_epoch,
		recover__lost_pages_in_the_cache_do_not_count,
		recover__threads_say_the_same_as_one,
		recover__progress_ends_at_its_total);
}
