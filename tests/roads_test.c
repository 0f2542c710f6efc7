/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test that guards the design: random commands, and the digest is equal by
 * four roads:
 *
 *   live                  what the engine that executed them has
 *   replay from empty     a new engine over the log alone
 *   snapshot and replay   a new engine over the newest snapshot and the rest
 *   tail                  a cursor that follows the log into a keyspace of
 *                         another hash key: what a replica does
 *
 * under each level of durability, step by step over the simulated disk.  The
 * limits at which small collections become big ones differ from road to road
 * and change on the way: no record and no digest may depend on them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/apply.h"
#include "engine/cmd.h"
#include "engine/config.h"
#include "engine/snapshotter.h"
#include "tests/support/shapes.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/cursor.h"

#define ROUNDS 10000
#define SHAPES_MAX 256

struct rig {
	struct sim *sim;
	struct config *config;
	struct engine *engine;
	struct session session;
	struct buf out;
	unsigned done[SHAPES_MAX], failed[SHAPES_MAX];
};

/* Where small collections become big ones: at once, as usual, never. */
static const struct limit {
	const char *name, *values[3];
} limits[] = {
	{ "hash-max-listpack-entries", { "2", "128", "1000000" } },
	{ "hash-max-listpack-value", { "3", "64", "1000000" } },
	{ "list-max-listpack-size", { "2", "128", "-5" } },
	{ "set-max-intset-entries", { "2", "512", "1000000" } },
	{ "set-max-listpack-entries", { "2", "128", "1000000" } },
	{ "set-max-listpack-value", { "3", "64", "1000000" } },
	{ "zset-max-listpack-entries", { "2", "128", "1000000" } },
	{ "zset-max-listpack-value", { "3", "64", "1000000" } },
	{ "stream-node-max-entries", { "1", "100", "0" } },
	{ "stream-node-max-bytes", { "64", "4096", "0" } },
	{ "hll-sparse-max-bytes", { "0", "3000", "15000" } },
};

static void set(struct rig *r, const char *name, const char *value)
{
	struct err_message m = { { 0 } };
	struct buf warnings = { 0 };
	char line[64];

	snprintf(line, sizeof(line), "%s %s", name, value);
	ck_assert_msg(config_set_line(r->config, slice_str(line), &warnings,
				      &m) == OK, "%s: %s", line, m.text);
	buf_release(&warnings);
}

static void set_limits(struct rig *r, unsigned column)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(limits); i++)
		set(r, limits[i].name, limits[i].values[column]);
}

/* Starts an engine over what the disk holds. */
static void rig_start(struct rig *r, struct sim *sim, const char *fsync,
		      unsigned column)
{
	static const struct engine_host host;
	struct err_message m = { { 0 } };

	*r = (struct rig){ .sim = sim, .config = config_new() };
	set(r, "appendfsync", fsync);
	set_limits(r, column);
	mem_free(r->config->dir);
	r->config->dir = mem_strdup("d");
	r->config->segment_size = 256 << 10;
	r->config->rewrite_percentage = 0;
	r->config->recovery_target_s = 0;
	r->engine = engine_new(r->config, sim_io(sim), &host);
	r->engine->threads = false;
	ck_assert_msg(engine_recover(r->engine, &m) == OK, "%s", m.text);
	r->engine->phase = ENGINE_SERVING;
	r->session = (struct session){ .out = &r->out,
				       .flags = SESSION_INTERNAL };
	snprintf(r->session.address, sizeof(r->session.address), "test:1");
	engine_add_session(r->engine, &r->session);
}

static void rig_end(struct rig *r)
{
	engine_remove_session(r->engine, &r->session);
	engine_free(r->engine);
	config_free(r->config);
	buf_release(&r->out);
}

static void turn(struct rig *r)
{
	sim_advance_us(r->sim, 1000);
	engine_clock(r->engine);
	engine_turn(r->engine, false, true);
}

/* Executes blank-separated words. False: the reply is an error. */
static bool run(struct rig *r, const char *line)
{
	static struct slice argv[SHAPE_WORDS_MAX];
	struct parsed_command p = { .argv = argv, .db = r->session.db };

	p.argc = shape_split(line, argv);
	engine_prefetch(r->engine, &p, 1);
	r->out.size = 0;
	ck_assert(engine_execute(r->engine, &r->session, &p));
	return r->out.size == 0 || r->out.data[0] != '-';
}

static struct hash128 digest(const struct rig *r)
{
	return digest_keyspace(&r->engine->ks);
}

static void check_equal(struct hash128 a, struct hash128 b, const char *road)
{
	ck_assert_msg(a.low == b.low && a.high == b.high,
		      "the digest by %s differs from the live one", road);
}

static uint64_t below(void *ctx, uint64_t n)
{
	return test_random_below(ctx, n);
}

static void random_command(struct rig *r, struct test_random *rnd)
{
	struct shape_maker m = { .below = below,
				 .ctx = rnd,
				 .keys = 6,
				 .members = 40,
				 .run_max = 700,
				 .size_max = 1000,
				 .now_ms = r->engine->now_ms };
	struct buf line = { 0 };
	unsigned shape;

	if (test_random_below(rnd, 50) == 0)
		m.members = 3000;
	if (test_random_below(rnd, 200) == 0)
		m.size_max = 150000;
	if (test_random_below(rnd, 400) == 0) {
		set_limits(r, (unsigned)test_random_below(rnd, 3));
		engine_configure(r->engine);
	}
	shape = shape_put(&m, &line);
	ck_assert(shape < SHAPES_MAX);
	if (run(r, (const char *)line.data))
		r->done[shape]++;
	else
		r->failed[shape]++;
	buf_release(&line);
}

/* So many errors in a row are no accident. */
#define ERRORS_MAX 100

/* A command that never works tests nothing. */
static void check_shapes(const struct rig *r)
{
	unsigned i;

	for (i = 0; i < shape_count(); i++)
		ck_assert_msg(r->done[i] > 0 || r->failed[i] < ERRORS_MAX,
			      "an error each time: %s", shape_text(i));
}

/* Everything appended is on the simulated disk. */
static void settle(struct rig *r)
{
	int i;

	for (i = 0; i < 4; i++)
		turn(r);
	ck_assert_int_eq(wal_sync_now(r->engine->wal), OK);
}

/* A new engine over a copy of the disk. */
static void check_start(struct rig *live, const char *fsync, unsigned column,
			const char *road)
{
	struct sim_crash how = { .kind = SIM_CRASH_PROCESS, .seed = 3 };
	struct sim *copy = sim_crash(live->sim, &how);
	struct rig again;

	rig_start(&again, copy, fsync, column);
	ck_assert_uint_eq(again.engine->ks.applied_lsn,
			  live->engine->ks.applied_lsn);
	check_equal(digest(&again), digest(live), road);
	keyspace_check(&again.engine->ks);
	rig_end(&again);
	sim_free(copy);
}

static void check_restart(struct rig *live, const char *fsync, const char *road)
{
	unsigned column;

	for (column = 0; column < 3; column++)
		check_start(live, fsync, column, road);
}

/* A keyspace of its own, fed by a cursor from the first record on. */
static void check_tail(struct rig *live)
{
	static const uint64_t other_key[2] = { 11, 22 };
	struct cursor_options o = { .io = sim_io(live->sim), .dir = "d",
				    .first_lsn = 1, .last_lsn = UINT64_MAX };
	struct err_message m = { { 0 } };
	struct wal_cursor *c;
	struct batch_view v;
	struct keyspace ks;
	struct record rec;

	keyspace_init(&ks, live->config, other_key);
	ck_assert_msg(wal_cursor_open(&c, &o, &m) == OK, "%s", m.text);
	while (wal_cursor_next(c, &v, &m) == OK) {
		struct batch_reader in = batch_records(&v);

		while (batch_next(&in, &rec)) {
			rec.key_hash = siphash13(rec.key.data, rec.key.size,
						 other_key);
			ck_assert_msg(apply_foreign(&ks, &rec, &m) == OK,
				      "%s", m.text);
		}
	}
	wal_cursor_close(c);
	ck_assert_uint_eq(ks.applied_lsn, live->engine->ks.applied_lsn);
	check_equal(digest_keyspace(&ks), digest(live), "tailing the log");
	keyspace_release(&ks);
}

static void snapshot(struct rig *r)
{
	int i;

	ck_assert(snapshotter_start(r->engine, SNAPSHOT_BGSAVE));
	for (i = 0; i < 100000; i++) {
		struct snapshotter_status st;

		turn(r);
		snapshotter_status(r->engine, &st);
		if (!st.active) {
			ck_assert(st.last_ok);
			return;
		}
	}
	ck_abort_msg("the snapshot does not end");
}

static void four_roads(const char *fsync, unsigned column)
{
	struct test_random rnd = { test_seed() };
	struct sim *sim = sim_new(rnd.state);
	struct rig r;
	int i;

	rig_start(&r, sim, fsync, column);
	for (i = 0; i < ROUNDS; i++) {
		random_command(&r, &rnd);
		if (test_random_below(&rnd, 3) == 0)
			turn(&r);
	}
	settle(&r);
	keyspace_check(&r.engine->ks);
	check_restart(&r, fsync, "replay from empty");
	check_tail(&r);

	snapshotter_start(r.engine, SNAPSHOT_BGSAVE);
	for (i = 0; i < ROUNDS / 10; i++) {
		random_command(&r, &rnd);
		turn(&r);
	}
	snapshot(&r);
	for (i = 0; i < ROUNDS / 10; i++)
		random_command(&r, &rnd);
	settle(&r);
	check_restart(&r, fsync, "snapshot and replay");
	check_shapes(&r);
	rig_end(&r);
	sim_free(sim);
}

START_TEST(roads__lead_to_one_state_under_always)
{
	four_roads("always", 0);
}
END_TEST

START_TEST(roads__lead_to_one_state_under_everysec)
{
	four_roads("everysec", 1);
}
END_TEST

START_TEST(roads__lead_to_one_state_under_no)
{
	four_roads("no", 2);
}
END_TEST

/* Marks of messages, some of which are over and not taken out yet. */
START_TEST(roads__marks_that_are_over_are_no_state)
{
	struct sim *sim = sim_new(test_seed());
	struct rig r;
	char line[64];
	int i;

	rig_start(&r, sim, "always", 0);
	ck_assert(run(&r, "XADD s 1 f v"));
	ck_assert(run(&r, "XCFGSET s IDMP-DURATION 1"));
	for (i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "XADD s IDMP p %d * f v", i);
		ck_assert(run(&r, line));
	}
	sim_advance_us(sim, 2000000);
	turn(&r);
	ck_assert(run(&r, "XADD s IDMP p new * f v"));
	snapshot(&r);
	settle(&r);
	check_restart(&r, "always", "snapshot");
	rig_end(&r);
	sim_free(sim);
}
END_TEST

int main(void)
{
	commands_init();
	return RUN_TESTS("roads", roads__lead_to_one_state_under_always,
			 roads__lead_to_one_state_under_everysec,
			 roads__lead_to_one_state_under_no,
			 roads__marks_that_are_over_are_no_state);
}
