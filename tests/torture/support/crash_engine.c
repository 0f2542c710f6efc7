/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces of the whole engine: commands, groups, rolls, snapshots, recycling,
 * shutdown and restart, a full disk, a log that is switched off and on.
 *
 * Checked of each state: it starts without a human (C7); everything that was
 * acknowledged to a writer or shown to a reader is there (C1, C2, C6, C10);
 * the keyspace is the one at the end of some batch, by its digest (C3, C4,
 * C8); a snapshot that has its name is whole.  Of some: crashes inside
 * recovery, which must come back with the same; and life goes on.
 */
#include "tests/torture/support/crash_store.h"

#include <stdlib.h>
#include <string.h>

#define INSIDE_EACH 24 /* one recovery of so many crashes as well */
#define ON_EACH 8      /* after one of so many life goes on */

enum kind {
	KIND_APPEND,
	KIND_GROUP,
	KIND_ROLL,
	KIND_SNAPSHOT,
	KIND_RECYCLE,
	KIND_SHUTDOWN,
	KIND_RESTART,
	KIND_LEVELS,
	KIND_SWITCH,
	KIND_FULL,
	KIND_MIXED,
	KINDS,
};

static const char *const names[] = {
	"engine-append",  "engine-group",    "engine-roll",
	"engine-snap",    "engine-recycle",  "engine-shutdown",
	"engine-restart", "engine-levels",   "engine-switch",
	"engine-full",    "engine-mixed",
};

static struct crash_bounds engine_bounds(const struct crash_run *run)
{
	return crash_store_bounds(run->store);
}

/* --- the check ------------------------------------------------------------ */

/* Commands on a recovered engine, synced; then the power goes. */
static void go_on(struct crash_run *run, struct crash_store *s,
		  struct sim *disk, struct engine *e)
{
	struct sim_crash cut = { .kind = SIM_CRASH_NOTHING, .seed = 1 };
	struct session session = { .out = &s->read, .address = "test:2" };
	struct slice argv[3] = { SLICE_LITERAL("append"), SLICE_LITERAL("k1"),
				 SLICE_LITERAL("more") };
	struct parsed_command p = { .argv = argv, .argc = ARRAY_LEN(argv) };
	struct crash_store *f;
	struct sim *after;
	uint64_t lsn;

	engine_add_session(e, &session);
	engine_clock(e);
	engine_execute(e, &session, &p);
	s->read.size = 0;
	engine_turn(e, false, true);
	if (wal_level(e->wal) == WAL_OFF || wal_sync_now(e->wal) != OK ||
	    e->position->last_lsn == 0) {
		engine_remove_session(e, &session);
		return;
	}
	/* A store with a single state to come back to. */
	f = malloc(sizeof(*f));
	if (f == NULL)
		abort();
	memcpy(f, s, offsetof(struct crash_store, states));
	lsn = e->position->last_lsn;
	f->bounds = (struct crash_bounds){ lsn, lsn, lsn };
	f->state_count = 1;
	f->states[0] = (struct crash_state){ lsn, digest_keyspace(&e->ks) };
	engine_remove_session(e, &session);
	after = sim_crash(disk, &cut);
	run->process = false;
	crash_store_check(run, f, after, &f->bounds, NULL);
	sim_free(after);
	free(f);
}

/* Recovers with crashes inside: what a second crash comes back with is no
 * more than what this recovery does. */
static struct engine *check_inside(struct crash_run *run, struct crash_store *s,
				   struct sim *disk,
				   const struct crash_bounds *b)
{
	struct crash_bounds inside = *b;
	struct crash_watch watch = { run, disk, &inside };
	struct sim_crash how = run->how;
	struct engine *e = NULL;

	if (!run->process)
		inside.written_lsn = inside.durable_lsn;
	s->nested_max = 0;
	run->depth++;
	crash_watch(&watch);
	crash_store_check(run, s, disk, b, &e);
	crash_unwatch(&watch);
	run->depth--;
	run->how = how;
	if (e != NULL && !run->failed && s->nested_max > e->ks.applied_lsn)
		crash_fail(run, "recovered to LSN %llu, after a second crash "
			   "to %llu", (unsigned long long)e->ks.applied_lsn,
			   (unsigned long long)s->nested_max);
	return e;
}

static void engine_check(struct crash_run *run, struct sim *disk,
			 const struct crash_bounds *b)
{
	struct crash_store *s = run->store;
	struct engine *e = NULL;

	if (run->depth == 0 && crash_below(run, INSIDE_EACH) == 0)
		e = check_inside(run, s, disk, b);
	else
		crash_store_check(run, s, disk, b, &e);
	if (e == NULL)
		return;
	if (run->depth > 0 && e->ks.applied_lsn > s->nested_max)
		s->nested_max = e->ks.applied_lsn;
	if (!run->failed && crash_store_has(disk, ".bad"))
		crash_fail(run, "a snapshot was set aside as damaged");
	if (!run->failed && run->depth == 0 && crash_below(run, ON_EACH) == 0)
		go_on(run, s, disk, e);
	engine_free(e);
}

/* --- steps ---------------------------------------------------------------- */

/* A turn under load takes a while: so a snapshot's walk is cut in pieces. */
static void turn(struct crash_run *run, struct crash_store *s)
{
	bool idle = crash_below(run, 8) == 0;

	crash_store_turn(s, run->sim, 150 + crash_below(run, 900), idle);
}

static void step_write(struct crash_run *run, struct crash_store *s,
		       unsigned commands, size_t size_max)
{
	while (commands-- > 0)
		crash_store_random(run, s, size_max);
	if (crash_below(run, 3) == 0)
		crash_store_read(run, s);
	turn(run, s);
}

static void step_snapshot(struct crash_run *run, struct crash_store *s)
{
	struct snapshotter_status st;
	unsigned turns;

	snapshotter_start(s->engine, SNAPSHOT_BGSAVE);
	for (turns = 0; turns < 60; turns++) {
		if (crash_below(run, 2))
			crash_store_random(run, s, 300);
		turn(run, s);
		snapshotter_status(s->engine, &st);
		if (!st.active || s->fatal)
			return;
	}
}

/* Now and then nothing happens for a while: marks, the everysec sync. */
static void step_time(struct crash_run *run, struct crash_store *s)
{
	crash_store_turn(s, run->sim,
			 crash_below(run, 2) ? 120000 : 1100000, true);
	turn(run, s);
}

static void step_level(struct crash_run *run, struct crash_store *s)
{
	static const char *const lines[] = {
		"config set appendfsync always",
		"config set appendfsync everysec",
		"config set appendfsync no",
	};

	crash_store_run(s, lines[crash_below(run, ARRAY_LEN(lines))]);
}

/* On waits for a snapshot, and holds writes meanwhile. */
static void step_switch(struct crash_run *run, struct crash_store *s)
{
	unsigned turns;

	if (s->config->appendonly) {
		crash_store_run(s, "config set appendonly no");
		return;
	}
	crash_store_run(s, "config set appendonly yes");
	for (turns = 0; turns < 200 && s->writer.flags & SESSION_PARKED;
	     turns++)
		turn(run, s);
	if (s->writer.flags & SESSION_PARKED)
		crash_fail(run, "the log is not switched on");
}

/* The disk has room for a little more, or for all again: then writes go on
 * without a restart. */
static void step_full(struct crash_run *run, struct crash_store *s)
{
	struct io *io = sim_io(run->sim);
	uint64_t most = UINT64_C(1) << 40, used;
	unsigned turns;

	sim_limit(run->sim, most);
	used = most - (uint64_t)io->ops->room(io, CRASH_STORE);
	if (crash_below(run, 3) != 0) {
		sim_limit(run->sim, used + crash_below(run, 100000));
		return;
	}
	for (turns = 0; turns < 5; turns++)
		crash_store_turn(s, run->sim, 1100000, false);
	if (!s->fatal && !(s->writer.flags & SESSION_PARKED) &&
	    strcmp(crash_store_run(s, "set k0 again"), "+OK\r\n") != 0)
		crash_fail(run, "there is room, and still: %s", s->out.data);
}

static void one_step(struct crash_run *run, struct crash_store *s,
		     enum kind kind)
{
	if (kind == KIND_MIXED)
		kind = (enum kind)crash_below(run, KIND_MIXED);
	switch (kind) {
	case KIND_GROUP:
		step_write(run, s, 1 + (unsigned)crash_below(run, 64), 60);
		break;
	case KIND_ROLL:
		step_write(run, s, 1, 9000);
		break;
	case KIND_SNAPSHOT:
		step_write(run, s, 3, 500);
		if (crash_below(run, 3) == 0)
			step_snapshot(run, s);
		break;
	case KIND_RECYCLE:
		step_write(run, s, 2, 7000);
		if (crash_below(run, 5) == 0)
			step_snapshot(run, s);
		break;
	case KIND_LEVELS:
		if (crash_below(run, 3) == 0)
			step_level(run, s);
		step_write(run, s, 2, 900);
		break;
	case KIND_SWITCH:
		if (crash_below(run, 5) == 0)
			step_switch(run, s);
		step_write(run, s, 2, 300);
		break;
	case KIND_FULL:
		if (crash_below(run, 4) == 0)
			step_full(run, s);
		step_write(run, s, 2, 9000);
		break;
	default:
		step_write(run, s, 1, 200);
		break;
	}
	if (s->engine != NULL && crash_below(run, 10) == 0)
		step_time(run, s);
}

/* --- traces --------------------------------------------------------------- */

/* The process dies, or the power; the trace goes on with what is left. */
static void die(struct crash_run *run, struct crash_store *s)
{
	struct sim_crash how = { .kind = crash_below(run, 2) ? SIM_CRASH_PROCESS
							     : SIM_CRASH_RANDOM,
				 .seed = test_random_next(&run->random) };
	struct sim *after;

	crash_store_note(s);
	crash_store_abandon(s);
	after = sim_crash(run->sim, &how);
	sim_free(run->sim);
	run->sim = after;
	if (how.kind == SIM_CRASH_RANDOM)
		s->bounds.written_lsn = s->bounds.durable_lsn;
}

static bool reopen(struct crash_run *run, struct crash_store *s,
		   struct crash_watch *watch, bool orderly)
{
	/* A store that holds something starts on a full disk, too. */
	if (orderly || s->bounds.durable_lsn == 0 || crash_below(run, 2))
		sim_limit(run->sim, 0);
	if (orderly) {
		if (!crash_store_close(run, s, crash_below(run, 2) == 0))
			return false;
	} else {
		crash_unwatch(watch);
		die(run, s);
		watch->disk = run->sim;
		crash_watch(watch);
	}
	return crash_store_open(run, s, run->sim);
}

static void run_steps(struct crash_run *run, struct crash_store *s,
		      struct crash_watch *watch, enum kind kind)
{
	unsigned steps = 6 + (unsigned)crash_below(run, 24);
	bool often = kind == KIND_RESTART || kind == KIND_SHUTDOWN;
	bool orderly = kind == KIND_SHUTDOWN;

	while (steps-- > 0 && !run->failed) {
		one_step(run, s, kind);
		if (s->fatal) {
			crash_fail(run, "fatal: %s", s->fatal_text);
			return;
		}
		if (run->failed || crash_below(run, often ? 5 : 25) != 0)
			continue;
		if (!often)
			orderly = crash_below(run, 2) == 0;
		if (!reopen(run, s, watch, orderly))
			return;
	}
}

static void engine_trace(struct crash_run *run)
{
	enum kind kind = (enum kind)crash_below(run, KINDS);
	struct crash_watch watch = { .run = run };
	struct crash_store *s = crash_store_new(run);

	run->what = names[kind];
	run->store = s;
	crash_store_disk(run);
	if (crash_below(run, 3) == 0)
		s->config->appendfsync = (int64_t)crash_below(run, 2);
	watch.disk = run->sim;
	crash_watch(&watch);
	if (crash_store_open(run, s, run->sim))
		run_steps(run, s, &watch, kind);
	if (!run->failed && s->engine != NULL && crash_below(run, 2) == 0) {
		sim_limit(run->sim, 0);
		crash_store_close(run, s, crash_below(run, 2) == 0);
	}
	if (!run->failed)
		crash_at(&watch);
	crash_unwatch(&watch);
	crash_store_free(s);
	sim_free(run->sim);
	run->sim = NULL;
}

const struct crash_ops crash_engine_ops = {
	.name = "engine",
	.trace = engine_trace,
	.bounds = engine_bounds,
	.check = engine_check,
};
