/* SPDX-License-Identifier: BSD-3-Clause */
/* Row T8, every way to mix up the files of a small store; and verify. */
#include "wal/recover.h"

#include <errno.h>
#include <string.h>

#include "tests/support/recover_fixture.h"

/* --- T8: files mixed up --------------------------------------------------- */

START_TEST(recover_files__t8_any_copy_of_a_segment_over_another_is_refused)
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

START_TEST(recover_files__t8_any_two_swapped_segments_are_refused)
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

START_TEST(recover_files__t8_any_deleted_segment_is_refused)
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

START_TEST(recover_files__t8_any_renamed_segment_is_refused)
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

START_TEST(recover_files__t8_a_segment_of_another_store_is_refused)
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

START_TEST(recover_files__t8_a_segment_of_an_old_backup_is_refused)
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

START_TEST(recover_files__t8_a_rubbish_identity_is_refused)
{
	struct fixture *f = store_of_segments();

	spoil(f, 2, 50);
	check(f, CASE_T8_FOREIGN, ERR_CORRUPT);
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
		"recover_files",
		recover_files__t8_any_copy_of_a_segment_over_another_is_refused,
		recover_files__t8_any_two_swapped_segments_are_refused,
		recover_files__t8_any_deleted_segment_is_refused,
		recover_files__t8_any_renamed_segment_is_refused,
		recover_files__t8_a_segment_of_another_store_is_refused,
		recover_files__t8_a_segment_of_an_old_backup_is_refused,
		recover_files__t8_a_rubbish_identity_is_refused,
		verify__a_whole_store_has_no_damage,
		verify__every_damage_is_named_with_its_place,
		verify__every_bit_of_a_sealed_segment_counts_or_is_padding);
}
