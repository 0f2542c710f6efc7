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
 * under each level of durability, step by step over the simulated disk.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/apply.h"
#include "engine/cmd.h"
#include "engine/config.h"
#include "engine/snapshotter.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/cursor.h"

#define WORDS_MAX 16
#define ROUNDS 3000

struct rig {
	struct sim *sim;
	struct config *config;
	struct engine *engine;
	struct session session;
	struct buf out;
};

/* Starts an engine over what the disk holds. */
static void rig_start(struct rig *r, struct sim *sim, const char *fsync)
{
	static const struct engine_host host;
	struct err_message m = { { 0 } };
	struct buf warnings = { 0 };
	char line[64];

	*r = (struct rig){ .sim = sim, .config = config_new() };
	snprintf(line, sizeof(line), "appendfsync %s", fsync);
	ck_assert(config_set_line(r->config, slice_str(line), &warnings, &m) ==
		  OK);
	buf_release(&warnings);
	mem_free(r->config->dir);
	r->config->dir = mem_strdup("d");
	r->config->segment_size = 64 << 10;
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

/* Executes blank-separated words. */
static void run(struct rig *r, const char *line)
{
	struct slice argv[WORDS_MAX];
	struct parsed_command p = { .argv = argv };
	const char *at = line;

	while (*at) {
		size_t size = strcspn(at, " ");

		argv[p.argc++] = slice_of(at, size);
		at += size;
		while (*at == ' ')
			at++;
	}
	p.db = r->session.db;
	engine_prefetch(r->engine, &p, 1);
	ck_assert(engine_execute(r->engine, &r->session, &p));
	r->out.size = 0;
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

/* %k a key, %n a small number, %d a deadline (now and then in the past), %v a
 * value, %o an offset. */
static const char *const shapes[] = {
	"set %k %v", "set %k %v pxat %d", "set %k %v keepttl", "set %k %n",
	"incr %k", "incrby %k %n", "decrby %k %n", "incrbyfloat %k 1.25",
	"append %k %v", "setrange %k %o %v", "setbit %k %o 1", "getdel %k",
	"getex %k pxat %d", "getset %k %v", "setnx %k %v", "mset %k %v %k %n",
	"msetnx %k %v %k %v", "del %k", "del %k %k %k", "unlink %k",
	"rename %k %k", "renamenx %k %k", "copy %k %k replace",
	"copy %k %k db 1 replace", "move %k 1", "pexpireat %k %d",
	"persist %k", "bitop or %k %k %k", "bitop not %k %k",
	"bitfield %k set u8 %o 200 incrby i16 %o %n overflow sat",
	"select 0", "select 1", "swapdb 0 1", "flushdb", "psetex %k %n00 %v",
	"setrange %k 70000 %v", "append %k %v",
};

static void put_value(struct buf *line, struct test_random *rnd)
{
	size_t size = test_random_below(rnd, 60);

	if (test_random_below(rnd, 40) == 0)
		size = test_random_below(rnd, 150000);
	buf_put_byte(line, 'v');
	while (size--)
		buf_put_byte(line, (uint8_t)('a' + test_random_below(rnd, 26)));
}

static void put_word(struct buf *line, char kind, const struct rig *r,
		     struct test_random *rnd)
{
	uint64_t now = r->engine->now_ms;

	switch (kind) {
	case 'k':
		buf_printf(line, "k%u", (unsigned)test_random_below(rnd, 30));
		break;
	case 'n':
		buf_printf(line, "%u", (unsigned)test_random_below(rnd, 99));
		break;
	case 'o':
		buf_printf(line, "%u", (unsigned)test_random_below(rnd, 999));
		break;
	case 'd':
		buf_printf(line, "%llu", (unsigned long long)
			   (now + test_random_below(rnd, 300) - 20));
		break;
	default:
		put_value(line, rnd);
	}
}

static void random_command(struct rig *r, struct test_random *rnd)
{
	const char *shape = shapes[test_random_below(rnd, ARRAY_LEN(shapes))];
	struct buf line = { 0 };

	if (strncmp(shape, "flush", 5) == 0 && test_random_below(rnd, 20))
		shape = "set %k %v";
	for (; *shape; shape++) {
		if (*shape == '%')
			put_word(&line, *++shape, r, rnd);
		else
			buf_put_byte(&line, (uint8_t)*shape);
	}
	buf_put_byte(&line, 0);
	run(r, (const char *)line.data);
	buf_release(&line);
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
static void check_restart(struct rig *live, const char *fsync,
			  const char *road)
{
	struct sim_crash how = { .kind = SIM_CRASH_PROCESS, .seed = 3 };
	struct sim *copy = sim_crash(live->sim, &how);
	struct rig again;

	rig_start(&again, copy, fsync);
	ck_assert_uint_eq(again.engine->ks.applied_lsn,
			  live->engine->ks.applied_lsn);
	check_equal(digest(&again), digest(live), road);
	keyspace_check(&again.engine->ks);
	rig_end(&again);
	sim_free(copy);
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

	keyspace_init(&ks, 16, other_key);
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

static void four_roads(const char *fsync)
{
	struct test_random rnd = { test_seed() };
	struct sim *sim = sim_new(rnd.state);
	struct rig r;
	int i;

	rig_start(&r, sim, fsync);
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
	rig_end(&r);
	sim_free(sim);
}

START_TEST(roads__lead_to_one_state_under_always)
{
	four_roads("always");
}
END_TEST

START_TEST(roads__lead_to_one_state_under_everysec)
{
	four_roads("everysec");
}
END_TEST

START_TEST(roads__lead_to_one_state_under_no)
{
	four_roads("no");
}
END_TEST

int main(void)
{
	commands_init();
	return RUN_TESTS("roads", roads__lead_to_one_state_under_always,
			 roads__lead_to_one_state_under_everysec,
			 roads__lead_to_one_state_under_no);
}
