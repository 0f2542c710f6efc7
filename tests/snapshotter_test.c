/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The snapshotter: what a snapshot holds is the state at one LSN, whatever
 * happens while it is taken.
 */
#include "engine/snapshotter.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/store.h"

static struct snapshotter_status status(struct store *s)
{
	struct snapshotter_status st;

	snapshotter_status(s->engine, &st);
	return st;
}

/* Takes a snapshot under random writes; checks what it holds. */
static void take_under_writes(struct store *s, struct test_random *random,
			      unsigned writes_per_turn)
{
	struct hash128 begun, got;
	uint64_t lsn, begun_lsn;
	unsigned turns = 0, i;

	ck_assert(snapshotter_start(s->engine, SNAPSHOT_BGSAVE));
	begun = digest_keyspace(&s->engine->ks);
	begun_lsn = s->engine->position->last_lsn;
	do {
		store_turn(s, false);
		ck_assert_uint_lt(turns, 1000000);
		for (i = 0; i < writes_per_turn && turns < 2000; i++)
			store_random(s, random, false);
		turns++;
	} while (status(s).active);
	ck_assert(status(s).last_ok);
	got = store_snapshot_digest(s, &lsn);
	ck_assert_uint_eq(lsn, begun_lsn);
	store_assert_digest(got, begun);
	keyspace_check(&s->engine->ks);
}

static void fill(struct store *s, struct test_random *random, unsigned count)
{
	while (count--) {
		store_random(s, random, false);
		if (count % 64 == 0)
			store_turn(s, false);
	}
}

static void run_exact(bool threads)
{
	struct test_random random = { test_seed() };
	struct store s;
	unsigned round;

	store_init(&s, threads);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 3000);
	for (round = 0; round < 6; round++) {
		take_under_writes(&s, &random, 1 + round * 20);
		fill(&s, &random, 2000);
	}
	ck_assert_uint_eq(status(&s).completed, 6);
	store_release(&s);
}

START_TEST(snapshotter__a_snapshot_is_exact_under_writes)
{
	run_exact(false);
}
END_TEST

START_TEST(snapshotter__a_snapshot_is_exact_with_helper_threads)
{
	run_exact(true);
}
END_TEST

START_TEST(snapshotter__a_growing_table_is_seen_as_it_was)
{
	struct hash128 begun, got;
	struct store s;
	uint64_t lsn;
	unsigned i, next = 0;
	char key[32];

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	for (; next < 2000; next++) {
		snprintf(key, sizeof(key), "grow:%u", next);
		store_set(&s, 0, key, "before");
	}
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	begun = digest_keyspace(&s.engine->ks);
	/* Twenty times as many keys while it is taken. */
	while (status(&s).active) {
		store_turn(&s, false);
		for (i = 0; i < 400 && next < 40000; i++, next++) {
			snprintf(key, sizeof(key), "grow:%u", next);
			store_set(&s, 0, key, "after");
		}
	}
	got = store_snapshot_digest(&s, &lsn);
	store_assert_digest(got, begun);
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__a_flush_starts_it_afresh)
{
	struct test_random random = { test_seed() };
	struct hash128 got;
	struct store s;
	struct record r = { .type = REC_all_flush, .cause = CAUSE_flushall };
	uint64_t lsn, flushed;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 6000);
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	store_turn(&s, false);
	ck_assert(status(&s).running);
	store_emit(&s, &r);
	flushed = s.engine->position->last_lsn;
	store_set(&s, 0, "after", "the flush");
	store_snapshot_end(&s);
	ck_assert_uint_eq(status(&s).aborted, 1);
	ck_assert_uint_eq(status(&s).completed, 1);
	got = store_snapshot_digest(&s, &lsn);
	ck_assert_uint_ge(lsn, flushed);
	store_assert_digest(got, digest_keyspace(&s.engine->ks));
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__an_exchange_of_databases_starts_it_afresh)
{
	struct test_random random = { test_seed() };
	struct store s;
	struct record r = { .type = REC_db_swap, .other_db = 2 };
	uint64_t lsn;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 6000);
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	store_turn(&s, false);
	store_emit(&s, &r);
	store_snapshot_end(&s);
	ck_assert_uint_eq(status(&s).aborted, 1);
	store_assert_digest(store_snapshot_digest(&s, &lsn),
			    digest_keyspace(&s.engine->ks));
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__flushes_at_random_never_make_it_wrong)
{
	struct test_random random = { test_seed() };
	struct store s;
	uint64_t lsn;
	int i;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	for (i = 0; i < 60000; i++) {
		store_random(&s, &random, true);
		if (i % 16 == 0)
			store_turn(&s, false);
		if (i % 3000 == 0)
			snapshotter_start(s.engine, SNAPSHOT_REWRITE);
	}
	store_snapshot_end(&s);
	ck_assert_int_eq(snapshotter_run(s.engine, SNAPSHOT_BGSAVE, NULL), OK);
	store_assert_digest(store_snapshot_digest(&s, &lsn),
			    digest_keyspace(&s.engine->ks));
	ck_assert_uint_eq(lsn, s.engine->position->last_lsn);
	ck_assert_uint_eq(status(&s).failed, 0);
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__a_big_string_keeps_its_size_and_its_holes)
{
	struct record r = {
		.type = REC_str_write,
		.cause = CAUSE_setbit,
		.key = SLICE_LITERAL("sparse"),
		.value = SLICE_LITERAL("\1"),
		.offset = 100 << 20,
	};
	struct store s;
	uint64_t lsn;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	store_emit(&s, &r);
	r.offset = (100 << 20) + (3 << 20) + 17;
	r.value = SLICE_LITERAL("\0");
	store_emit(&s, &r);
	ck_assert_int_eq(snapshotter_run(s.engine, SNAPSHOT_BGSAVE, NULL), OK);
	ck_assert_uint_lt(status(&s).last_raw_bytes, 1 << 20);
	store_assert_digest(store_snapshot_digest(&s, &lsn),
			    digest_keyspace(&s.engine->ks));
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__run_drops_what_runs_and_takes_the_present)
{
	struct test_random random = { test_seed() };
	struct store s;
	uint64_t lsn;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 6000);
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	ck_assert(!snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	store_turn(&s, false);
	fill(&s, &random, 10);
	ck_assert_int_eq(snapshotter_run(s.engine, SNAPSHOT_SHUTDOWN, NULL),
			 OK);
	store_assert_digest(store_snapshot_digest(&s, &lsn),
			    digest_keyspace(&s.engine->ks));
	ck_assert_uint_eq(lsn, s.engine->position->last_lsn);
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__a_grown_log_is_compacted_by_itself)
{
	struct store s;
	char key[32], value[1024];
	unsigned i;

	store_init(&s, false);
	s.config->rewrite_min_size = 1 << 20;
	ck_assert_int_eq(store_open(&s), OK);
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	for (i = 0; i < 30000 && status(&s).completed < 3; i++) {
		snprintf(key, sizeof(key), "key:%u", i % 500);
		store_set(&s, 0, key, value);
		store_turn(&s, false);
		if (i % 100 == 0)
			usleep(11000); /* the policy looks at intervals */
	}
	ck_assert_uint_ge(status(&s).completed, 3);
	ck_assert(status(&s).reason == SNAPSHOT_REWRITE);
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__a_save_rule_saves_once_changes_and_time_are_met)
{
	struct store s;

	store_init(&s, false);
	s.config->save_count = 1;
	s.config->save[0] = (struct save_rule){ .seconds = 0, .changes = 3 };
	ck_assert_int_eq(store_open(&s), OK);
	store_set(&s, 0, "a", "1");
	store_set(&s, 0, "b", "1");
	usleep(20000);
	store_turn(&s, false);
	ck_assert(!status(&s).active);
	store_set(&s, 0, "c", "1");
	usleep(20000);
	store_turn(&s, true);
	store_snapshot_end(&s);
	ck_assert_uint_eq(status(&s).completed, 1);
	ck_assert_uint_eq(s.engine->stats.dirty, 0);
	store_release(&s);
}
END_TEST

START_TEST(snapshotter__a_failure_is_reported_and_the_store_goes_on)
{
	struct store s;
	char path[128];

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	store_set(&s, 0, "a", "1");
	/* A file where the directory should be. */
	snprintf(path, sizeof(path), "%s/snap", s.dir);
	fclose(fopen(path, "w"));
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_REWRITE));
	store_snapshot_end(&s);
	ck_assert(!status(&s).last_ok);
	ck_assert(!status(&s).last_rewrite_ok);
	ck_assert_uint_eq(status(&s).failed, 1);
	ck_assert_int_eq(s.exit_code, 0);
	unlink(path);
	ck_assert_int_eq(snapshotter_run(s.engine, SNAPSHOT_BGSAVE, NULL), OK);
	ck_assert(status(&s).last_ok);
	store_release(&s);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"snapshotter", snapshotter__a_snapshot_is_exact_under_writes,
		snapshotter__a_snapshot_is_exact_with_helper_threads,
		snapshotter__a_growing_table_is_seen_as_it_was,
		snapshotter__a_flush_starts_it_afresh,
		snapshotter__an_exchange_of_databases_starts_it_afresh,
		snapshotter__flushes_at_random_never_make_it_wrong,
		snapshotter__a_big_string_keeps_its_size_and_its_holes,
		snapshotter__run_drops_what_runs_and_takes_the_present,
		snapshotter__a_grown_log_is_compacted_by_itself,
		snapshotter__a_save_rule_saves_once_changes_and_time_are_met,
		snapshotter__a_failure_is_reported_and_the_store_goes_on);
}
