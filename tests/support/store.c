/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/apply_load.h"
#include "engine/snapshotter.h"

#define RANDOM_KEYS 4000
#define BIG_KEYS 6
#define BIG_SIZE (300u << 10)

static void on_fatal(void *ctx, int exit_code, const char *message)
{
	struct store *s = ctx;

	(void)message;
	s->exit_code = exit_code;
}

void store_init(struct store *s, bool threads)
{
	*s = (struct store){ .threads = threads, .io = io_posix() };
	snprintf(s->dir, sizeof(s->dir), "/tmp/redoubt-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	s->config = config_new();
	mem_free(s->config->dir);
	s->config->dir = mem_strdup(s->dir);
	s->config->segment_size = 1 << 20;
	s->config->save_count = 0;
	s->config->appendonly = true;
	s->config->appendfsync = 0;
}

int store_open(struct store *s)
{
	const struct engine_host host = { .fatal = on_fatal, .ctx = s };
	int err;

	ck_assert_ptr_null(s->engine);
	s->engine = engine_new(s->config, s->io, &host);
	s->engine->threads = s->threads;
	err = engine_recover(s->engine, &s->message);
	if (err) {
		engine_free(s->engine);
		s->engine = NULL;
	}
	return err;
}

void store_close(struct store *s)
{
	if (!s->engine)
		return;
	ck_assert_int_eq(engine_stop(s->engine, false, &s->message), OK);
	engine_free(s->engine);
	s->engine = NULL;
}

void store_crash(struct store *s)
{
	engine_free(s->engine);
	s->engine = NULL;
}

void store_release(struct store *s)
{
	char command[128];

	store_close(s);
	config_free(s->config);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	ck_assert_int_eq(system(command), 0);
}

void store_emit(struct store *s, struct record *r)
{
	/* Another key may have stood at the same place. */
	s->engine->ks.memo = (struct key_memo){ 0 };
	engine_batch_begin(s->engine, NULL);
	engine_emit(s->engine, r);
	engine_batch_end(s->engine);
}

void store_set(struct store *s, uint32_t db, const char *key,
	       const char *value)
{
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_set,
		.db = db,
		.key = slice_str(key),
		.value = slice_str(value),
	};

	store_emit(s, &r);
}

static bool exists(struct store *s, uint32_t db, struct slice key)
{
	s->engine->ks.memo = (struct key_memo){ 0 };
	return keyspace_find(&s->engine->ks, db, key) != NULL;
}

static struct slice some_key(char out[32], struct test_random *random)
{
	return slice_of(out, (size_t)snprintf(out, 32, "key:%u",
			(unsigned)test_random_below(random, RANDOM_KEYS)));
}

/* Writes somewhere into one of a few big sparse strings. */
static void random_big(struct store *s, struct test_random *random)
{
	char key[32];
	uint8_t bytes[3000];
	struct record r = {
		.type = REC_str_write,
		.cause = CAUSE_setrange,
		.db = 1,
		.offset = test_random_below(random, BIG_SIZE),
	};

	memset(bytes, (int)test_random_below(random, 255) + 1, sizeof(bytes));
	r.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "big:%u",
			 (unsigned)test_random_below(random, BIG_KEYS)));
	r.value = slice_of(bytes, 1 + test_random_below(random, 2999));
	store_emit(s, &r);
}

static void random_barrier(struct store *s, struct test_random *random)
{
	struct record r = { .cause = CAUSE_none };

	switch (test_random_below(random, 3)) {
	case 0:
		r.type = REC_db_flush;
		r.db = (uint32_t)test_random_below(random, 3);
		break;
	case 1:
		r.type = REC_all_flush;
		break;
	default:
		r.type = REC_db_swap;
		r.other_db = 2;
		break;
	}
	store_emit(s, &r);
}

void store_random(struct store *s, struct test_random *random, bool flushes)
{
	char key[32], other[32];
	char value[64];
	struct record r = {
		.cause = CAUSE_set,
		.db = (uint32_t)test_random_below(random, 3),
		.key = some_key(key, random),
		.deadline = test_random_below(random, 4) ? 0 : 4000000000000,
	};
	uint64_t dice = test_random_below(random, 100);

	if (flushes && test_random_below(random, 2000) == 0) {
		random_barrier(s, random);
		return;
	}
	if (dice < 5) {
		random_big(s, random);
		return;
	}
	if (dice < 60 || !exists(s, r.db, r.key)) {
		r.type = REC_str_set;
		r.value = slice_of(value, (size_t)snprintf(value, sizeof(value),
				   "%llu", (unsigned long long)
				   test_random_next(random) >> dice % 60));
	} else if (dice < 75) {
		r.type = REC_key_del;
	} else if (dice < 85) {
		r.type = REC_key_expire;
	} else if (dice < 92) {
		r.type = REC_str_write;
		r.offset = test_random_below(random, 100);
		r.value = SLICE_LITERAL("written");
	} else {
		r.type = dice < 96 ? REC_key_move : REC_key_copy;
		r.other = some_key(other, random);
		r.other_db = test_random_below(random, 3);
		if (r.other_db == r.db && slice_equal(r.key, r.other))
			return;
	}
	store_emit(s, &r);
}

void store_turn(struct store *s, bool idle)
{
	struct engine *e = s->engine;

	engine_clock(e);
	if (s->threads)
		completion_drain(&e->completions);
	engine_turn(e, idle, false);
}

void store_settle(struct store *s)
{
	wal_sync_soon(s->engine->wal);
	while (s->engine->position->durable_lsn <
	       s->engine->position->last_lsn)
		store_turn(s, true);
}

void store_snapshot_end(struct store *s)
{
	struct snapshotter_status st;

	for (;;) {
		store_turn(s, true);
		snapshotter_status(s->engine, &st);
		if (!st.active)
			return;
	}
}

void store_assert_digest(struct hash128 a, struct hash128 b)
{
	ck_assert_uint_eq(a.low, b.low);
	ck_assert_uint_eq(a.high, b.high);
}

struct hash128 store_snapshot_digest(struct store *s, uint64_t *lsn)
{
	const struct keyspace *live = &s->engine->ks;
	struct snapshot_reader_options o = { .io = s->io, .dir = s->dir };
	struct snapshot_name *names;
	struct keyspace ks;
	struct loader_options load = { .ks = &ks, .threads = s->threads };
	struct hash128 digest;

	ck_assert_int_gt(snapshot_list(s->io, s->dir, &names, NULL), 0);
	o.name = names[0].name;
	*lsn = names[0].lsn;
	keyspace_init(&ks, s->config, live->hash_key);
	ck_assert_int_eq(snapshot_open(&load.reader, &o, NULL), OK);
	ck_assert_int_eq(loader_run(&load, NULL, NULL), OK);
	ck_assert_uint_eq(ks.applied_lsn, *lsn);
	digest = digest_keyspace(&ks);
	snapshot_reader_close(load.reader);
	keyspace_release(&ks);
	mem_free(names);
	return digest;
}
