/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of FORMAT.md section 6.3, one test each at least, and every way to
 * mix up the files of a small store.
 */
#include "wal/recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/wal_fixture.h"

#define SEGMENTS 6
#define ALIGN 4096

/* What the last run of recovery said. */
static struct wal_recovery found;
static struct err_message message;

static int run_mode(struct fixture *f, enum recovery_mode mode,
		    const struct wal_known *known)
{
	struct recovery_options o = {
		.io = f->options.io, .dir = f->dir, .mode = mode, .known = known
	};
	struct store_id store = f->store;

	wal_recovery_release(&found);
	message.text[0] = 0;
	return wal_recover(&found, &o, &store, &message);
}

static int run(struct fixture *f)
{
	return run_mode(f, RECOVERY_STRICT, &f->known);
}

/* The decision must be this row and code; a refusal says what to do. */
static void check(struct fixture *f, enum recovery_case row, int code)
{
	int err = run(f);

	ck_assert_msg(err == code, "%d, not %d: %s", err, code, message.text);
	ck_assert_msg(found.outcome == row, "%s, not %s: %s",
		      recovery_case_name(found.outcome),
		      recovery_case_name(row), message.text);
	ck_assert_uint_ge(found.cases[row], 1);
	if (code == OK)
		return;
	ck_assert_ptr_nonnull(strstr(message.text, ".seg"));
	ck_assert_ptr_nonnull(
		strstr(message.text, "redoubt-log verify --dir store"));
}

static void done(struct fixture *f)
{
	wal_recovery_release(&found);
	fixture_free(f);
}

static void path_of(char out[64], uint64_t sequence)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	snprintf(out, 64, "store/log/%s", name);
}

static void spoil(struct fixture *f, uint64_t sequence, uint64_t offset)
{
	char path[64];
	uint8_t byte;

	path_of(path, sequence);
	ck_assert_int_eq(sim_peek(f->sim, path, offset, &byte, 1), 1);
	byte ^= 0x40;
	sim_poke(f->sim, path, offset, &byte, 1);
}

/* n batches, a group each; the process is gone then. */
static struct fixture *store_of(enum wal_level level, int n)
{
	struct fixture *f = fixture_new(level);

	reopen(f);
	while (n-- > 0) {
		append(f, 100);
		turn(f);
	}
	crash(f, SIM_CRASH_ALL);
	return f;
}

/* Offset of group i (from 0) of a segment whose groups take a block each. */
static uint64_t group_at(int i)
{
	return (uint64_t)(2 + i) * ALIGN;
}

/* SEGMENTS in use, a mark at the end. */
static struct fixture *store_of_segments(void)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	while (stats(f).segment_sequence < SEGMENTS) {
		append(f, 9000);
		turn(f);
	}
	append(f, 100);
	turn(f);
	turn_after(f, 200000);
	crash(f, SIM_CRASH_ALL);
	return f;
}

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

/* --- T8: files mixed up --------------------------------------------------- */

START_TEST(recover__t8_any_copy_of_a_segment_over_another_is_refused)
{
	uint64_t i, j;

	for (i = 1; i <= SEGMENTS; i++)
		for (j = 1; j <= SEGMENTS + 2; j++) {
			struct fixture *f = store_of_segments();
			char from[64], to[64];

			path_of(from, i);
			path_of(to, j);
			if (i != j) {
				sim_copy_file(f->sim, from, to);
				check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
			}
			done(f);
		}
}
END_TEST

START_TEST(recover__t8_any_two_swapped_segments_are_refused)
{
	uint64_t i, j;

	for (i = 1; i <= SEGMENTS; i++)
		for (j = i + 1; j <= SEGMENTS; j++) {
			struct fixture *f = store_of_segments();
			char a[64], b[64];

			path_of(a, i);
			path_of(b, j);
			sim_copy_file(f->sim, a, "store/log/x");
			sim_copy_file(f->sim, b, a);
			sim_copy_file(f->sim, "store/log/x", b);
			check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
			done(f);
		}
}
END_TEST

START_TEST(recover__t8_any_deleted_segment_is_refused)
{
	uint64_t i;

	for (i = 1; i <= SEGMENTS; i++) {
		struct fixture *f = store_of_segments();
		char path[64];
		int err;

		path_of(path, i);
		sim_remove(f->sim, path);
		err = run(f);
		ck_assert_int_eq(err, ERR_CORRUPT);
		ck_assert(found.outcome == CASE_T8_FOREIGN ||
			  found.outcome == CASE_T7_SHORT);
		ck_assert_ptr_nonnull(strstr(message.text, "is missing"));
		done(f);
	}
}
END_TEST

START_TEST(recover__t8_any_renamed_segment_is_refused)
{
	uint64_t i;

	for (i = 1; i <= SEGMENTS; i++) {
		struct fixture *f = store_of_segments();
		char from[64], to[64];

		path_of(from, i);
		path_of(to, 40 + i);
		sim_copy_file(f->sim, from, to);
		sim_remove(f->sim, from);
		check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
		done(f);
	}
}
END_TEST

/* Takes a file over from another disk. */
static void take_file(struct fixture *to, struct fixture *from,
		      const char *path)
{
	static uint8_t data[2 * SMALL_SEGMENT];
	int64_t n = sim_peek(from->sim, path, 0, data, sizeof(data));

	ck_assert_int_gt(n, 0);
	sim_remove(to->sim, path);
	sim_poke(to->sim, path, 0, data, (size_t)n);
}

START_TEST(recover__t8_a_segment_of_another_store_is_refused)
{
	uint64_t i;

	for (i = 1; i <= SEGMENTS; i++) {
		struct fixture *f = store_of_segments();
		struct fixture *other = fixture_new(WAL_ALWAYS);
		char path[64];

		sim_free(other->sim);
		other->sim = sim_new(1234);
		sim_poke(other->sim, "store", 0, NULL, 0);
		other->options.io = sim_io(other->sim);
		reopen(other);
		while (stats(other).segment_sequence <= i) {
			append(other, 9000);
			turn(other);
		}
		path_of(path, i);
		take_file(f, other, path);
		check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
		ck_assert_ptr_nonnull(strstr(message.text, "another store"));
		fixture_free(other);
		done(f);
	}
}
END_TEST

START_TEST(recover__t8_a_segment_of_an_old_backup_is_refused)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct sim_crash all = { .kind = SIM_CRASH_ALL };
	struct fixture backup = { 0 };

	reopen(f);
	append(f, 9000);
	turn(f);
	backup.sim = sim_crash(f->sim, &all);
	while (stats(f).segment_sequence < 3) {
		append(f, 9000);
		turn(f);
	}
	crash(f, SIM_CRASH_ALL);
	ck_assert_int_eq(run(f), OK);
	take_file(f, &backup, "store/log/0000000000000001.seg");
	check(f, CASE_T5_CORRUPT_SEALED, ERR_CORRUPT);
	sim_free(backup.sim);
	done(f);
}
END_TEST

START_TEST(recover__t8_a_rubbish_identity_is_refused)
{
	struct fixture *f = store_of_segments();

	spoil(f, 2, 50);
	check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
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

START_TEST(recover__a_start_that_died_behind_its_seal_still_begins_an_epoch)
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

/* --- verify --------------------------------------------------------------- */

static struct damage last_damage;

static void note_damage(void *ctx, const struct damage *d)
{
	(void)ctx;
	last_damage = *d;
}

static int verify(struct fixture *f, uint64_t sequence)
{
	struct store_id store = f->store;
	char path[64];

	path_of(path, sequence);
	return segment_verify(f->options.io, path, &store, note_damage, NULL);
}

START_TEST(verify__a_whole_store_has_no_damage)
{
	struct fixture *f = store_of_segments();
	uint64_t i;

	for (i = 1; i <= SEGMENTS + 1; i++)
		ck_assert_int_eq(verify(f, i), 0);
	done(f);
}
END_TEST

START_TEST(verify__every_damage_is_named_with_its_place)
{
	struct fixture *f = store_of(WAL_ALWAYS, 8);

	spoil(f, 1, group_at(2) + FRAME_HEADER_SIZE + 1);
	ck_assert_int_eq(verify(f, 1), 1);
	ck_assert_uint_eq(last_damage.offset, group_at(2));
	ck_assert_uint_eq(last_damage.first_lsn, 3);
	ck_assert_uint_eq(last_damage.last_lsn, 3);
	spoil(f, 1, group_at(5) + 30); /* a header */
	ck_assert_int_eq(verify(f, 1), 2);
	ck_assert_uint_eq(last_damage.offset, group_at(5));
	ck_assert_uint_eq(last_damage.first_lsn, 6);
	spoil(f, 1, ALIGN + 8); /* the use block */
	ck_assert_int_eq(verify(f, 1), 3);
	spoil(f, 1, 8);
	ck_assert_int_eq(verify(f, 1), 1);
	ck_assert_uint_eq(last_damage.offset, 0);
	done(f);
}
END_TEST

START_TEST(verify__every_bit_of_a_sealed_segment_counts_or_is_padding)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	uint64_t bit, end, located = 0, harmless = 0;
	char path[64];
	int i;

	reopen(f);
	for (i = 0; i < 3; i++) {
		append(f, 500);
		turn(f);
	}
	close_log(f);
	reopen(f); /* a segment behind it */
	crash(f, SIM_CRASH_ALL);
	ck_assert_int_eq(run(f), OK);
	ck_assert_uint_eq(found.segment_count, 2);
	end = found.segments[0].end_offset + FRAME_HEADER_SIZE + SEAL_SIZE;
	path_of(path, 1);
	for (bit = 0; bit < end * 8; bit += 5) {
		uint8_t byte, bad;

		sim_peek(f->sim, path, bit / 8, &byte, 1);
		bad = byte ^ (uint8_t)(1u << bit % 8);
		sim_poke(f->sim, path, bit / 8, &bad, 1);
		if (verify(f, 1) > 0) {
			ck_assert_int_eq(run(f), ERR_CORRUPT);
			located++;
		} else {
			ck_assert_int_eq(run(f), OK);
			ck_assert_uint_eq(found.last_lsn, 3);
			ck_assert_uint_eq(byte, 0); /* padding is zeros */
			harmless++;
		}
		sim_poke(f->sim, path, bit / 8, &byte, 1);
	}
	ck_assert_uint_gt(located, 1000);
	ck_assert_uint_gt(harmless, 1000);
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
		recover__t4_in_the_last_group_is_torn_if_tails_are_tolerated,
		recover__t5_a_bad_group_in_a_sealed_segment_is_refused,
		recover__t5_a_lost_use_block_between_two_is_refused,
		recover__t6_what_a_snapshot_holds_is_passed_over,
		recover__t6_a_hole_in_the_segment_that_goes_on_behind_it,
		recover__t7_a_log_that_ends_before_a_mark_is_refused,
		recover__t7_a_file_cut_short_is_refused,
		recover__t7_a_deleted_log_is_refused_if_a_snapshot_names_it,
		recover__t7_a_base_needs_its_snapshot,
		recover__t9_an_older_snapshot_will_do_if_the_log_reaches_back,
		recover__t10_a_file_that_was_not_used_is_a_spare,
		recover__t11_a_read_error_is_not_a_torn_tail,
		recover__t8_any_copy_of_a_segment_over_another_is_refused,
		recover__t8_any_two_swapped_segments_are_refused,
		recover__t8_any_deleted_segment_is_refused,
		recover__t8_any_renamed_segment_is_refused,
		recover__t8_a_segment_of_another_store_is_refused,
		recover__t8_a_segment_of_an_old_backup_is_refused,
		recover__t8_a_rubbish_identity_is_refused,
		recover__half_done_recycling_needs_nobody,
		recover__other_names_are_not_looked_at,
		recover__a_start_that_died_behind_its_seal_still_begins_an_epoch,
		recover__lost_pages_in_the_cache_do_not_count,
		recover__threads_say_the_same_as_one,
		verify__a_whole_store_has_no_damage,
		verify__every_damage_is_named_with_its_place,
		verify__every_bit_of_a_sealed_segment_counts_or_is_padding);
}
