/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces of the log alone, and the check of what recovery makes of them.
 *
 * Checked of each state: it starts without a human (C7); everything durable
 * is there, and of a dead process everything written (C1, C6, C10); what is
 * there is a prefix of the batches, each whole and byte for byte (C3, C4).
 * Then, of some: recovery is carried out, crashes at its own calls, and the
 * log goes on and still holds both old and new.
 */
#include "tests/torture/support/crash_log.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN_EACH 16 /* one state of so many is carried on from */

static const char *const trace_names[] = {
	"append", "group",    "roll",   "recycle", "big",
	"marks",  "shutdown", "levels", "restart", "mixed",   "full",
};

enum trace_kind {
	TRACE_APPEND,
	TRACE_GROUP,
	TRACE_ROLL,
	TRACE_RECYCLE,
	TRACE_BIG,
	TRACE_MARKS,
	TRACE_SHUTDOWN,
	TRACE_LEVELS,
	TRACE_RESTART,
	TRACE_MIXED,
	TRACE_FULL,
	TRACE_KINDS,
};

static struct crash_bounds wal_bounds(const struct crash_run *run)
{
	const struct crash_log *l = run->store;

	return l->bounds;
}

/* --- the check ------------------------------------------------------------ */

/* A log that shares nothing with l but what was appended. */
static struct crash_log *log_fork(const struct crash_log *l)
{
	struct crash_log *f = malloc(sizeof(*f));

	if (f == NULL)
		abort();
	memcpy(f, l,
	       offsetof(struct crash_log, notes) +
		       l->note_count * sizeof(l->notes[0]));
	f->wal = NULL;
	batch_init(&f->batch);
	return f;
}

/* Recovery is carried out on disk, with crashes inside; then life goes on. */
static void carry_on(struct crash_run *run, const struct crash_log *l,
		     struct sim *disk, uint64_t reached)
{
	struct crash_bounds inside = run->ops->bounds(run);
	struct crash_log *f = log_fork(l);
	struct crash_watch watch = { run, disk, &inside };
	struct sim_crash cut = { .kind = SIM_CRASH_NOTHING, .seed = reached };
	struct sim *after;
	uint64_t again;

	/* What was torn stays torn; what was acknowledged stays. */
	inside.appended_lsn = reached;
	inside.written_lsn = inside.durable_lsn;
	if (f->options.level == WAL_OFF)
		f->options.level = WAL_ALWAYS;
	run->depth++;
	run->store = f;
	if (run->depth == 1)
		crash_watch(&watch);
	crash_log_open(run, f, disk);
	crash_unwatch(&watch);
	sim_limit(disk, 0);
	sim_advance_us(disk, 1100000);
	if (!run->failed && f->wal != NULL && !f->fatal)
		crash_log_turn(f);
	if (!run->failed && f->wal != NULL && !f->fatal) {
		if (!wal_room(f->wal, 200, false))
			crash_fail(run, "no room on an empty disk");
		crash_log_append(run, f, 2, 20);
		crash_log_turn(f);
		wal_sync_now(f->wal);
		crash_log_note(f);
		after = sim_crash(disk, &cut);
		run->process = false;
		crash_log_check(run, f, after, &f->bounds, &again);
		sim_free(after);
	}
	run->store = (void *)l;
	run->depth--;
	crash_log_free(f);
}

static void wal_check_state(struct crash_run *run, struct sim *disk,
			    const struct crash_bounds *b)
{
	const struct crash_log *l = run->store;
	uint64_t reached;

	if (!crash_log_check(run, l, disk, b, &reached))
		return;
	if (run->depth == 0 && crash_below(run, BEGIN_EACH) == 0)
		carry_on(run, l, disk, reached);
}

/* --- traces --------------------------------------------------------------- */

static void append_some(struct crash_run *run, struct crash_log *l,
			size_t size_max)
{
	crash_log_append(run, l, 1 + (unsigned)crash_below(run, 3),
			 1 + crash_below(run, size_max));
}

static void group(struct crash_run *run, struct crash_log *l)
{
	unsigned n = 1 + (unsigned)crash_below(run, 64);

	while (n-- > 0)
		append_some(run, l, 60);
	crash_log_turn(l);
}

static void mark(struct crash_run *run, struct crash_log *l)
{
	sim_advance_us(run->sim, 150000);
	crash_log_turn(l);
}

/* More in one batch than a group of many may hold; seldom more than a frame. */
static void big(struct crash_run *run, struct crash_log *l)
{
	size_t size = 16384 + crash_below(run, 40000);

	if (crash_below(run, 40) == 0)
		size = (1 << 20) + crash_below(run, 300000);
	if (wal_room(l->wal, size + 100, false))
		crash_log_append(run, l, 1, size);
	crash_log_turn(l);
}

static void snapshot(struct crash_run *run, struct crash_log *l)
{
	const struct wal_position *at = wal_position(l->wal);

	/* also above what is durable: it is durable itself */
	crash_log_snapshot(l, crash_below(run, 4) == 0 ? at->last_lsn
						       : at->durable_lsn);
	crash_log_turn(l);
}

static void set_level(struct crash_run *run, struct crash_log *l)
{
	static const enum wal_level levels[] = { WAL_NO, WAL_EVERYSEC,
						 WAL_ALWAYS, WAL_ALWAYS,
						 WAL_OFF };
	enum wal_level level = levels[crash_below(run, ARRAY_LEN(levels))];
	struct err_message m;
	int err;

	if (l->options.level == WAL_OFF && level != WAL_OFF)
		crash_log_snapshot(l, wal_position(l->wal)->last_lsn);
	if (l->options.level != WAL_OFF && level == WAL_OFF) {
		/* from here on only snapshots count */
		if (wal_sync_now(l->wal) != OK)
			return;
		crash_log_note(l);
	}
	err = wal_set_level(l->wal, level, &m);
	if (err) {
		crash_fail(run, "wal_set_level %d: %d %s", level, err, m.text);
		return;
	}
	if (level != WAL_OFF || l->options.level == WAL_OFF) {
		l->options.level = level;
		crash_log_note(l);
	} else {
		l->options.level = level;
	}
}

/* The disk fills up, or there is room again; segments are given back. */
static void full(struct crash_run *run, struct crash_log *l)
{
	size_t size = 1 + crash_below(run, 12000);

	if (crash_below(run, 3) == 0)
		sim_limit(run->sim, crash_below(run, 3) == 0
				? 0 : 1 + crash_below(run, 8 * 65536));
	if (crash_below(run, 3) == 0)
		sim_advance_us(run->sim, 1100000);
	if (wal_room(l->wal, size + 100, crash_below(run, 2)))
		crash_log_append(run, l, 1, size);
	crash_log_turn(l);
	if (crash_below(run, 5) == 0)
		snapshot(run, l);
}

/* The process dies, or the power: the trace goes on with what is left. */
static void die(struct crash_run *run, struct crash_log *l)
{
	struct crash_watch watch = { run, run->sim, NULL };
	struct sim_crash how = { .kind = crash_below(run, 2) ? SIM_CRASH_PROCESS
							     : SIM_CRASH_RANDOM,
				 .seed = test_random_next(&run->random) };
	struct sim *after;

	crash_log_abandon(l);
	after = sim_crash(run->sim, &how);
	crash_unwatch(&watch);
	sim_free(run->sim);
	run->sim = after;
	watch.disk = after;
	l->options.io = sim_io(after);
	if (how.kind == SIM_CRASH_RANDOM)
		l->bounds.written_lsn = l->bounds.durable_lsn;
}

static void shut_down(struct crash_run *run, struct crash_log *l)
{
	(void)run;
	crash_log_close(l);
}

static void one_step(struct crash_run *run, struct crash_log *l,
		     enum trace_kind kind)
{
	if (kind == TRACE_MIXED)
		kind = (enum trace_kind)crash_below(run, TRACE_MIXED);
	switch (kind) {
	case TRACE_GROUP:
		group(run, l);
		break;
	case TRACE_ROLL:
	case TRACE_RECYCLE:
		append_some(run, l, 12000);
		crash_log_turn(l);
		if (kind == TRACE_RECYCLE && crash_below(run, 4) == 0)
			snapshot(run, l);
		break;
	case TRACE_BIG:
		big(run, l);
		break;
	case TRACE_FULL:
		full(run, l);
		break;
	case TRACE_MARKS:
		append_some(run, l, 200);
		crash_log_turn(l);
		mark(run, l);
		break;
	case TRACE_LEVELS:
		if (crash_below(run, 4) == 0)
			set_level(run, l);
		append_some(run, l, 3000);
		crash_log_turn(l);
		if (crash_below(run, 8) == 0)
			wal_sync_soon(l->wal);
		break;
	default:
		append_some(run, l, 200);
		crash_log_turn(l);
		break;
	}
	if (l->wal != NULL && l->options.level == WAL_EVERYSEC &&
	    crash_below(run, 8) == 0)
		sim_advance_us(run->sim, 1100000);
}

/* Ends the log and opens it again, the hooks on the disk it is on by then. */
static bool reopen(struct crash_run *run, struct crash_log *l, bool orderly)
{
	struct crash_watch *watch;

	if (orderly)
		shut_down(run, l);
	else
		die(run, l);
	watch = malloc(sizeof(*watch));
	if (watch == NULL)
		abort();
	*watch = (struct crash_watch){ run, run->sim, NULL };
	crash_watch(watch);
	/* lives as long as the hook: until the trace ends */
	if (!crash_log_open(run, l, run->sim)) {
		crash_unwatch(watch);
		free(watch);
		return false;
	}
	crash_unwatch(watch);
	free(watch);
	return true;
}

static void wal_trace(struct crash_run *run)
{
	enum trace_kind kind = (enum trace_kind)crash_below(run, TRACE_KINDS);
	unsigned steps = 6 + (unsigned)crash_below(run, 24), i;
	struct crash_watch watch = { .run = run };
	struct crash_log *l = crash_log_new(run);

	run->what = trace_names[kind];
	run->store = l;
	crash_log_disk(run);
	if (crash_below(run, 3) == 0)
		l->options.level =
			(enum wal_level)(WAL_NO + crash_below(run, 2));
	watch.disk = run->sim;
	crash_watch(&watch);
	crash_log_open(run, l, run->sim);
	for (i = 0; i < steps && !run->failed; i++) {
		bool again = kind == TRACE_RESTART ||
			     kind == TRACE_SHUTDOWN || kind == TRACE_FULL;

		one_step(run, l, kind);
		if (l->fatal) {
			crash_fail(run, "fatal: %s", l->fatal_text);
			break;
		}
		if (crash_below(run, again ? 5 : 25) != 0)
			continue;
		if (!reopen(run, l, kind == TRACE_SHUTDOWN))
			break;
		watch.disk = run->sim;
		crash_watch(&watch);
	}
	if (!run->failed && crash_below(run, 2) == 0)
		crash_log_close(l);
	if (!run->failed)
		crash_at(&watch);
	crash_unwatch(&watch);
	crash_log_free(l);
	sim_free(run->sim);
	run->sim = NULL;
}

const struct crash_ops crash_wal_ops = {
	.name = "wal",
	.trace = wal_trace,
	.bounds = wal_bounds,
	.check = wal_check_state,
};
