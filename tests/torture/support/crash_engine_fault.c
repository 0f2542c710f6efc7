/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The n-th call fails, once or from then on, under the whole engine.
 *
 * Allowed: nobody notices; the log ends the process (exit 74); the start is
 * refused (exit 74); writes are refused for want of room; a snapshot fails,
 * says so and takes its temporary file along.  In every case what was
 * acknowledged is there at the next start, on a disk that works again, and
 * after the power has gone as well.
 */
#include "tests/torture/support/crash_calls.h"
#include "tests/torture/support/crash_store.h"

static void turn(struct crash_run *run, struct crash_store *s)
{
	crash_store_turn(s, run->sim, 300 + crash_below(run, 900), false);
}

/* A snapshot while writes go on. One that fails says so, and unless files
 * cannot be removed either, none of it is left. */
static void snapshot(struct crash_run *run, struct crash_store *s,
		     bool removes)
{
	struct snapshotter_status before, after;
	unsigned turns;

	snapshotter_status(s->engine, &before);
	snapshotter_start(s->engine, SNAPSHOT_BGSAVE);
	for (turns = 0; turns < 60 && !s->fatal; turns++) {
		if (turns % 4 == 0)
			crash_store_random(run, s, 2000);
		turn(run, s);
		snapshotter_status(s->engine, &after);
		if (!after.active)
			break;
	}
	if (s->fatal || after.active || after.failed == before.failed)
		return;
	if (after.last_ok || after.completed != before.completed)
		crash_fail(run, "a snapshot that failed is said to be good");
	if (removes && crash_store_has(run->sim, ".tmp"))
		crash_fail(run, "a snapshot that failed is still there");
}

static void workload(struct crash_run *run, unsigned ops)
{
	bool removes = !(ops & (SIM_UNLINK | SIM_SYNC_DIR | SIM_LIST));
	struct crash_store *s = run->store;
	unsigned steps = 4 + (unsigned)crash_below(run, 16);

	if (!crash_store_open(run, s, run->sim))
		return;
	while (steps-- > 0 && !s->fatal && !run->failed) {
		unsigned commands = 1 + (unsigned)crash_below(run, 4);

		while (commands-- > 0)
			crash_store_random(run, s, 4000);
		crash_store_read(run, s);
		turn(run, s);
		if (crash_below(run, 6) == 0 && !s->fatal)
			crash_store_turn(s, run->sim, 1200000, true);
		if (crash_below(run, 5) == 0 && !s->fatal)
			snapshot(run, s, removes);
		if (crash_below(run, 10) != 0 || s->fatal || run->failed)
			continue;
		if (!crash_store_close(run, s, crash_below(run, 2) == 0) ||
		    !crash_store_open(run, s, run->sim))
			return;
	}
}

static void make(struct crash_run *run)
{
	run->store = crash_store_new(run);
}

static void release(struct crash_run *run)
{
	crash_store_free(run->store);
}

static void disk_of(struct crash_run *run)
{
	struct crash_store *s = run->store;

	crash_store_disk(run);
	s->config->appendfsync = (int64_t)crash_below(run, 3);
}

static const char *fatal(const struct crash_run *run)
{
	const struct crash_store *s = run->store;

	return s->fatal ? s->fatal_text : NULL;
}

static bool restart(struct crash_run *run, struct sim *disk,
		    struct crash_bounds *b)
{
	struct crash_store *s = run->store;
	struct engine *e = NULL;
	bool good;

	s->fatal = false;
	good = crash_store_check(run, s, disk, b, &e);
	if (e != NULL) {
		b->durable_lsn = e->ks.applied_lsn; /* it was served */
		b->appended_lsn = b->durable_lsn;
		engine_free(e);
	}
	if (good && s->fatal)
		crash_fail(run, "fatal at the next start: %s", s->fatal_text);
	return good && !s->fatal;
}

static const struct crash_calls engine_calls = {
	.make = make,
	.release = release,
	.disk = disk_of,
	.workload = workload,
	.fatal = fatal,
	.restart = restart,
};

static struct crash_bounds fault_bounds(const struct crash_run *run)
{
	return crash_store_bounds(run->store);
}

static void fault_check(struct crash_run *run, struct sim *disk,
			const struct crash_bounds *b)
{
	crash_store_check(run, run->store, disk, b, NULL);
}

const struct crash_ops crash_engine_fault_ops = {
	.name = "engine-fault",
	.trace = crash_calls_trace,
	.calls = &engine_calls,
	.bounds = fault_bounds,
	.check = fault_check,
};
