/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery of a directory: what comes back, and what is refused.
 */
#include "engine/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/snapshotter.h"
#include "tests/support/sim_io.h"
#include "tests/support/store.h"

static void fill(struct store *s, struct test_random *random, unsigned count)
{
	while (count--) {
		store_random(s, random, true);
		if (count % 64 == 0)
			store_turn(s, false);
	}
	store_settle(s);
}

static void snapshot(struct store *s)
{
	ck_assert_int_eq(snapshotter_run(s->engine, SNAPSHOT_BGSAVE,
					 &s->message), OK);
}

/* Ends it one way or the other and recovers: the digest must be the same. */
static void restart(struct store *s, bool crash)
{
	struct hash128 before = digest_keyspace(&s->engine->ks);
	uint64_t lsn = s->engine->position->last_lsn;

	if (crash)
		store_crash(s);
	else
		store_close(s);
	ck_assert_msg(store_open(s) == OK, "%s", s->message.text);
	ck_assert_uint_eq(s->engine->position->last_lsn, lsn);
	store_assert_digest(digest_keyspace(&s->engine->ks), before);
	keyspace_check(&s->engine->ks);
}

static void path_of(const struct store *s, char out[256], const char *name)
{
	snprintf(out, 256, "%s/%s", s->dir, name);
}

/* Damages the byte in the middle of the frames of a snapshot. */
static void damage_snapshot(struct store *s, unsigned index)
{
	struct snapshot_name *names;
	char path[256], name[80];
	FILE *file;
	int byte;

	ck_assert_int_gt(snapshot_list(s->io, s->dir, &names, NULL),
			 (int)index);
	snprintf(name, sizeof(name), "snap/%s", names[index].name);
	path_of(s, path, name);
	mem_free(names);
	file = fopen(path, "r+");
	ck_assert_int_eq(fseek(file, 4096 + 1000, SEEK_SET), 0);
	byte = fgetc(file);
	ck_assert_int_eq(fseek(file, 4096 + 1000, SEEK_SET), 0);
	fputc(byte ^ 4, file);
	fclose(file);
}

START_TEST(recover__a_new_store_keeps_its_identity)
{
	struct store_id id;
	struct store s;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	ck_assert_uint_eq(keyspace_count(&s.engine->ks), 0);
	ck_assert(s.engine->phase == ENGINE_SERVING);
	store_set(&s, 0, "a", "1");
	id = s.engine->store;
	restart(&s, false);
	ck_assert_mem_eq(&id, &s.engine->store, sizeof(id));
	ck_assert_uint_eq(keyspace_count(&s.engine->ks), 1);
	store_release(&s);
}
END_TEST

static void run_roads(bool threads, int64_t level)
{
	struct test_random random = { test_seed() };
	struct store s;
	unsigned round;

	store_init(&s, threads);
	s.config->appendfsync = level;
	ck_assert_int_eq(store_open(&s), OK);
	for (round = 0; round < 12; round++) {
		fill(&s, &random, 1500);
		if (round % 3 == 1)
			snapshot(&s);
		fill(&s, &random, 200);
		restart(&s, round % 2);
	}
	store_release(&s);
}

START_TEST(recover__snapshot_and_log_give_the_live_state)
{
	run_roads(false, 0);
}
END_TEST

START_TEST(recover__with_helper_threads_it_is_the_same)
{
	run_roads(true, 1);
}
END_TEST

START_TEST(recover__under_always_it_is_the_same)
{
	run_roads(true, 2);
}
END_TEST

START_TEST(recover__a_snapshot_that_began_before_a_crash_leaves_nothing)
{
	struct test_random random = { 5 };
	struct snapshot_name *names;
	struct store s;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 8000);
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	store_turn(&s, false);
	restart(&s, true);
	ck_assert_int_eq(snapshot_list(s.io, s.dir, &names, NULL), 0);
	mem_free(names);
	store_release(&s);
}
END_TEST

START_TEST(recover__an_unfinished_first_snapshot_goes)
{
	char path[256];
	FILE *file;
	struct store s;

	store_init(&s, false);
	path_of(&s, path, "snap");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	path_of(&s, path, "snap/0000000001-00000000000000000009.snap.tmp");
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(store_open(&s), OK);
	ck_assert_int_ne(access(path, F_OK), 0);
	store_release(&s);
}
END_TEST

START_TEST(recover__a_bad_newest_snapshot_gives_way_to_the_older)
{
	struct test_random random = { 6 };
	struct snapshot_name *names;
	char path[256], name[80];
	struct store s;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 3000);
	snapshot(&s);
	fill(&s, &random, 3000);
	snapshot(&s);
	fill(&s, &random, 100);
	ck_assert_int_eq(snapshot_list(s.io, s.dir, &names, NULL), 2);
	damage_snapshot(&s, 0);
	restart(&s, false);
	snprintf(name, sizeof(name), "snap/%s.bad", names[0].name);
	path_of(&s, path, name);
	ck_assert_int_eq(access(path, F_OK), 0);
	mem_free(names);
	/* And the next one does not drop the good one for it. */
	snapshot(&s);
	ck_assert_int_eq(snapshot_list(s.io, s.dir, &names, NULL), 2);
	mem_free(names);
	restart(&s, true);
	store_release(&s);
}
END_TEST

START_TEST(recover__the_only_snapshot_may_be_bad_if_the_log_has_all)
{
	struct test_random random = { 7 };
	struct store s;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 20000);
	snapshot(&s);
	fill(&s, &random, 5000);
	restart(&s, false);
	fill(&s, &random, 5000);
	damage_snapshot(&s, 0);
	restart(&s, true);
	store_release(&s);
}
END_TEST

START_TEST(recover__without_a_good_snapshot_and_log_it_refuses)
{
	struct test_random random = { 8 };
	struct store s;

	store_init(&s, false);
	s.config->appendonly = false;
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 3000);
	snapshot(&s);
	fill(&s, &random, 100);
	snapshot(&s);
	store_close(&s);
	damage_snapshot(&s, 0);
	/* The older one is good, but nothing has what came after it. */
	ck_assert_int_eq(store_open(&s), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(s.message.text, "damaged"));
	damage_snapshot(&s, 1);
	ck_assert_int_eq(store_open(&s), ERR_CORRUPT);
	store_release(&s);
}
END_TEST

START_TEST(recover__without_a_log_the_last_snapshot_is_the_store)
{
	struct test_random random = { 9 };
	struct hash128 saved;
	struct store s;

	store_init(&s, true);
	s.config->appendonly = false;
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 3000);
	snapshot(&s);
	saved = digest_keyspace(&s.engine->ks);
	store_set(&s, 0, "not", "saved");
	store_close(&s);
	ck_assert_int_eq(store_open(&s), OK);
	store_assert_digest(digest_keyspace(&s.engine->ks), saved);
	fill(&s, &random, 300);
	snapshot(&s);
	restart(&s, true);
	store_release(&s);
}
END_TEST

START_TEST(recover__a_log_that_was_switched_off_is_still_replayed)
{
	struct test_random random = { 10 };
	struct store s;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 3000);
	s.config->appendonly = false;
	restart(&s, false);
	fill(&s, &random, 500);
	snapshot(&s);
	restart(&s, false);
	/* On again: goes on behind the snapshot. */
	s.config->appendonly = true;
	restart(&s, false);
	fill(&s, &random, 500);
	restart(&s, true);
	restart(&s, false);
	store_release(&s);
}
END_TEST

START_TEST(recover__only_what_the_older_snapshot_covers_is_recycled)
{
	struct test_random random = { 11 };
	struct wal_stats st;
	struct store s;
	int round;

	store_init(&s, false);
	s.config->segment_size = 128 << 10;
	ck_assert_int_eq(store_open(&s), OK);
	for (round = 0; round < 8; round++) {
		fill(&s, &random, 20000);
		snapshot(&s);
		store_turn(&s, true);
		wal_stats(s.engine->wal, &st);
		if (round == 0)
			ck_assert_uint_gt(st.segments, 2);
	}
	store_settle(&s);
	damage_snapshot(&s, 0);
	restart(&s, true);
	store_release(&s);
}
END_TEST

START_TEST(recover__a_second_server_finds_the_directory_locked)
{
	struct store s, other;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	other = s;
	other.engine = NULL;
	ck_assert_int_eq(store_open(&other), ERR_LOCKED);
	ck_assert_int_eq(err_exit_code(ERR_LOCKED), EXIT_LOCKED);
	restart(&s, false);
	store_release(&s);
}
END_TEST

START_TEST(recover__a_directory_others_may_write_to_is_refused)
{
	struct store s;

	store_init(&s, false);
	ck_assert_int_eq(chmod(s.dir, 0770), 0);
	ck_assert_int_eq(store_open(&s), ERR_CONFIG);
	ck_assert_int_eq(chmod(s.dir, 0750), 0);
	ck_assert_int_eq(store_open(&s), OK);
	store_release(&s);
}
END_TEST

START_TEST(recover__a_new_store_is_made_only_where_it_may)
{
	char path[256];
	struct store s;

	store_init(&s, false);
	s.config->create_store = 0;
	ck_assert_int_eq(store_open(&s), ERR_CONFIG);
	s.config->create_store = 1;
	path_of(&s, path, "dump.rdb");
	fclose(fopen(path, "w"));
	ck_assert_int_eq(store_open(&s), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(s.message.text, "dump.rdb"));
	unlink(path);
	path_of(&s, path, "redis.conf");
	fclose(fopen(path, "w"));
	ck_assert_int_eq(store_open(&s), OK);
	/* What is a store already may have anything beside it. */
	path_of(&s, path, "dump.rdb");
	fclose(fopen(path, "w"));
	s.config->create_store = 0;
	restart(&s, false);
	store_release(&s);
}
END_TEST

START_TEST(recover__too_few_databases_are_named)
{
	struct store s;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	store_set(&s, 9, "a", "1");
	store_close(&s);
	s.config->databases = 4;
	ck_assert_int_ne(store_open(&s), OK);
	ck_assert_ptr_nonnull(strstr(s.message.text, "databases"));
	s.config->databases = 16;
	ck_assert_int_eq(store_open(&s), OK);
	snapshot(&s);
	store_close(&s);
	s.config->databases = 4;
	ck_assert_int_eq(store_open(&s), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(s.message.text, "databases"));
	store_release(&s);
}
END_TEST

START_TEST(recover__a_snapshot_under_anothers_name_is_damaged)
{
	struct test_random random = { test_seed() };
	char older[256], newest[256], name[80];
	struct snapshot_name *names;
	struct store s;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	fill(&s, &random, 300);
	snapshot(&s);
	fill(&s, &random, 300);
	snapshot(&s);
	fill(&s, &random, 30);
	ck_assert_int_eq(snapshot_list(s.io, s.dir, &names, NULL), 2);
	snprintf(name, sizeof(name), "snap/%s", names[0].name);
	path_of(&s, newest, name);
	snprintf(name, sizeof(name), "snap/%s", names[1].name);
	path_of(&s, older, name);
	mem_free(names);
	ck_assert_int_eq(rename(older, newest), 0);
	restart(&s, true);
	ck_assert_int_ne(access(newest, F_OK), 0);
	store_release(&s);
}
END_TEST

struct died {
	struct sim *sim, *left;
};

/* The process dies when a name has changed and is not durable yet. */
static void die_at_rename(void *ctx, enum sim_op op)
{
	struct sim_crash how = { .kind = SIM_CRASH_PROCESS, .seed = 1 };
	struct died *d = ctx;

	if (op != SIM_RENAME)
		return;
	sim_free(d->left);
	d->left = sim_crash(d->sim, &how);
}

START_TEST(recover__a_snapshot_whose_name_was_not_durable_yet_stays)
{
	struct sim_crash cut = { .kind = SIM_CRASH_NOTHING, .seed = 2 };
	struct died d = { .sim = sim_new(1) };
	struct hash128 before;
	struct sim *after;
	struct store s;

	store_init(&s, false);
	s.io = sim_io(d.sim);
	mem_free(s.config->dir);
	s.config->dir = mem_strdup("store");
	s.config->appendonly = false;
	ck_assert_int_eq(store_open(&s), OK);
	store_set(&s, 0, "a", "1");
	sim_on_boundary(d.sim, die_at_rename, &d);
	snapshot(&s);
	store_crash(&s);
	ck_assert_ptr_nonnull(d.left);

	/* The log begins behind it; then the power goes. */
	s.io = sim_io(d.left);
	s.config->appendonly = true;
	ck_assert_msg(store_open(&s) == OK, "%s", s.message.text);
	store_set(&s, 0, "b", "2");
	store_settle(&s);
	before = digest_keyspace(&s.engine->ks);
	after = sim_crash(d.left, &cut);
	store_crash(&s);
	s.io = sim_io(after);
	ck_assert_msg(store_open(&s) == OK, "%s", s.message.text);
	store_assert_digest(digest_keyspace(&s.engine->ks), before);
	store_release(&s);
	sim_free(d.sim);
	sim_free(d.left);
	sim_free(after);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"engine_recover",
		recover__a_new_store_keeps_its_identity,
		recover__snapshot_and_log_give_the_live_state,
		recover__with_helper_threads_it_is_the_same,
		recover__under_always_it_is_the_same,
		recover__a_snapshot_that_began_before_a_crash_leaves_nothing,
		recover__an_unfinished_first_snapshot_goes,
		recover__a_bad_newest_snapshot_gives_way_to_the_older,
		recover__the_only_snapshot_may_be_bad_if_the_log_has_all,
		recover__without_a_good_snapshot_and_log_it_refuses,
		recover__without_a_log_the_last_snapshot_is_the_store,
		recover__a_log_that_was_switched_off_is_still_replayed,
		recover__a_snapshot_under_anothers_name_is_damaged,
		recover__a_snapshot_whose_name_was_not_durable_yet_stays,
		recover__only_what_the_older_snapshot_covers_is_recycled,
		recover__a_second_server_finds_the_directory_locked,
		recover__a_directory_others_may_write_to_is_refused,
		recover__a_new_store_is_made_only_where_it_may,
		recover__too_few_databases_are_named);
}
