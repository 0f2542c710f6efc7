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
#include "tests/torture/support/crash_store.h"

#include <errno.h>
#include <string.h>

#define RUNS_EACH 40

struct fault_kind {
	unsigned ops;
	int error;
	enum sim_short cut;
	bool lose_pages;
	bool harmless; /* once: nobody notices */
};

static const struct fault_kind kinds[] = {
	{ SIM_SYNC, EIO, SIM_SHORT_NO, true, false },
	{ SIM_SYNC, ENOSPC, SIM_SHORT_NO, true, false },
	{ SIM_SYNC, EDQUOT, SIM_SHORT_NO, false, false },
	{ SIM_SYNC_DIR, EIO, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EIO, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, ENOSPC, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EDQUOT, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EINTR, SIM_SHORT_NO, false, true },
	{ SIM_WRITE, 0, SIM_SHORT_ONE, false, true },
	{ SIM_WRITE, 0, SIM_SHORT_HALF, false, true },
	{ SIM_WRITE, 0, SIM_SHORT_LESS, false, true },
	{ SIM_OPEN, EMFILE, SIM_SHORT_NO, false, false },
	{ SIM_OPEN, EIO, SIM_SHORT_NO, false, false },
	{ SIM_RENAME, EIO, SIM_SHORT_NO, false, false },
	{ SIM_UNLINK, EIO, SIM_SHORT_NO, false, false },
	{ SIM_ALLOCATE, ENOSPC, SIM_SHORT_NO, false, false },
	{ SIM_TRUNCATE, EIO, SIM_SHORT_NO, false, false },
	{ SIM_READ, EIO, SIM_SHORT_NO, false, false },
	{ SIM_READ, EINTR, SIM_SHORT_NO, false, false },
	{ SIM_LIST, EIO, SIM_SHORT_NO, false, false },
	{ SIM_MKDIR, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_OTHER, EIO, SIM_SHORT_NO, false, false },
	{ SIM_CHANGES, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_CHANGES, EIO, SIM_SHORT_NO, false, false },
};

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

static void workload(struct crash_run *run, struct crash_store *s,
		     bool removes)
{
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

/* The same workload for the same seed; without a call: counts those of ops. */
static uint64_t one_run(struct crash_run *run, struct crash_store *s,
			uint64_t seed, const struct sim_fault *f)
{
	struct test_random random = run->random;
	bool removes = !(f->ops & (SIM_UNLINK | SIM_SYNC_DIR | SIM_LIST));

	run->random.state = seed;
	crash_store_disk(run);
	s->config->appendfsync = (int64_t)crash_below(run, 3);
	sim_set_fault(run->sim, f);
	run->faulty = f->call != 0;
	workload(run, s, removes);
	run->faulty = false;
	run->random = random;
	return sim_calls(run->sim);
}

/* Twice on what is left: the process died; then the power went. */
static void check_after(struct crash_run *run, struct crash_store *s)
{
	struct sim_crash dead = { .kind = SIM_CRASH_PROCESS, .seed = 1 };
	struct sim_crash cut = { .kind = SIM_CRASH_RANDOM,
				 .seed = test_random_next(&run->random) };
	struct crash_bounds b = crash_store_bounds(s);
	struct sim *disk = sim_crash(run->sim, &dead), *after;
	struct engine *e = NULL;

	/* What a failed sync lost was written, but is not there. */
	b.written_lsn = b.durable_lsn;
	run->process = true;
	run->how = dead;
	s->fatal = false;
	if (crash_store_check(run, s, disk, &b, &e)) {
		after = sim_crash(disk, &cut);
		run->how = cut;
		run->process = false;
		b.durable_lsn = e->ks.applied_lsn; /* it was served */
		b.appended_lsn = b.durable_lsn;
		crash_store_check(run, s, after, &b, NULL);
		sim_free(after);
	}
	if (e != NULL)
		engine_free(e);
	if (!run->failed && s->fatal)
		crash_fail(run, "fatal at the next start: %s", s->fatal_text);
	sim_free(disk);
}

static void fault_trace(struct crash_run *run)
{
	const struct fault_kind *k = &kinds[crash_below(run, ARRAY_LEN(kinds))];
	uint64_t seed = test_random_next(&run->random), calls = 0;
	unsigned i;

	for (i = 0; i <= RUNS_EACH && !run->failed; i++) {
		struct sim_fault f = { .ops = k->ops,
				       .error = k->error,
				       .cut = k->cut,
				       .lose_pages = k->lose_pages };
		struct crash_store *s = crash_store_new(run);

		run->store = s;
		run->what = strerror(k->error);
		if (i == 0) {
			calls = one_run(run, s, seed, &f);
		} else {
			f.call = 1 + crash_below(run, calls + 1);
			f.forever = !k->harmless && k->error != EINTR &&
				    crash_below(run, 2);
			run->stats->faults++;
			one_run(run, s, seed, &f);
		}
		if ((i == 0 || k->harmless) && s->fatal)
			crash_fail(run, "fatal: %s", s->fatal_text);
		if (!run->failed)
			check_after(run, s);
		crash_store_free(s);
		sim_free(run->sim);
		run->sim = NULL;
		if (calls == 0)
			break;
	}
}

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
	.trace = fault_trace,
	.bounds = fault_bounds,
	.check = fault_check,
};
