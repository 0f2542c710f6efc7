/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The n-th call fails: once, or from then on.
 *
 * Whatever fails, nothing is acknowledged that is not there after the process,
 * or the power, is gone; and the next start, on a disk that works again, needs
 * no human.
 */
#include "tests/torture/support/crash_log.h"

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
	{ SIM_SYNC, EIO, SIM_SHORT_NO, false, false },
	{ SIM_SYNC, ENOSPC, SIM_SHORT_NO, true, false },
	{ SIM_SYNC, EDQUOT, SIM_SHORT_NO, true, false },
	{ SIM_SYNC_DIR, EIO, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EIO, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, ENOSPC, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EDQUOT, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_WRITE, EINTR, SIM_SHORT_NO, false, true },
	{ SIM_READ, EINTR, SIM_SHORT_NO, false, false },
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
	{ SIM_LIST, EIO, SIM_SHORT_NO, false, false },
	{ SIM_MKDIR, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_OTHER, EIO, SIM_SHORT_NO, false, false },
	{ SIM_CHANGES, EROFS, SIM_SHORT_NO, false, false },
	{ SIM_CHANGES, EIO, SIM_SHORT_NO, false, false },
};

/* Appends, rolls, snapshots, restarts, until the end or a failure. */
static void workload(struct crash_run *run, struct crash_log *l)
{
	unsigned steps = 4 + (unsigned)crash_below(run, 24), i;

	if (!crash_log_open(run, l, run->sim))
		return;
	for (i = 0; i < steps && !l->fatal && !run->failed; i++) {
		size_t size = 1 + crash_below(run, 9000);

		if (wal_room(l->wal, size * 3 + 200, false))
			crash_log_append(run, l, 1, size);
		crash_log_turn(l);
		if (crash_below(run, 6) == 0)
			sim_advance_us(run->sim, 1200000);
		if (crash_below(run, 6) == 0 && !l->fatal)
			crash_log_snapshot(l, l->bounds.durable_lsn);
		if (crash_below(run, 10) == 0) {
			crash_log_close(l);
			if (!l->fatal && !crash_log_open(run, l, run->sim))
				return;
			if (l->wal == NULL)
				return;
		}
	}
}

/* The same workload for the same seed; f NULL: counts the calls of ops. */
static uint64_t one_run(struct crash_run *run, struct crash_log *l,
			uint64_t seed, const struct sim_fault *f)
{
	struct sim_fault count = { .ops = f->ops };
	struct test_random random = run->random;

	run->random.state = seed;
	crash_log_disk(run);
	l->options.level = (enum wal_level)(WAL_NO + crash_below(run, 3));
	sim_set_fault(run->sim, f->call != 0 ? f : &count);
	run->faulty = f->call != 0;
	workload(run, l);
	run->faulty = false;
	run->random = random;
	return sim_calls(run->sim);
}

/* Twice on what is left: the process died; then the power went. */
static void check_after(struct crash_run *run, struct crash_log *l)
{
	struct sim_crash dead = { .kind = SIM_CRASH_PROCESS, .seed = 1 };
	struct sim_crash cut = { .kind = SIM_CRASH_RANDOM,
				 .seed = test_random_next(&run->random) };
	struct crash_bounds b = l->bounds;
	struct sim *disk = sim_crash(run->sim, &dead), *after;
	uint64_t reached, again;

	/* what a failed sync lost was written, but is not there */
	b.written_lsn = b.durable_lsn;
	run->process = true;
	run->how = dead;
	if (!crash_log_check(run, l, disk, &b, &reached))
		goto out;
	crash_log_abandon(l);
	if (!crash_log_open(run, l, disk))
		goto out;
	crash_log_abandon(l);
	after = sim_crash(disk, &cut);
	run->how = cut;
	run->process = false;
	b = l->bounds;
	b.durable_lsn = reached; /* it was served */
	crash_log_check(run, l, after, &b, &again);
	sim_free(after);
out:
	sim_free(disk);
}

static void fault_trace(struct crash_run *run)
{
	uint64_t seed = test_random_next(&run->random), calls;
	const struct fault_kind *k = &kinds[crash_below(run, ARRAY_LEN(kinds))];
	int i;

	for (i = 0; i <= RUNS_EACH && !run->failed; i++) {
		struct sim_fault f = { .ops = k->ops,
				       .error = k->error,
				       .cut = k->cut,
				       .lose_pages = k->lose_pages };
		struct crash_log *l = crash_log_new(run);

		run->store = l;
		run->what = strerror(k->error);
		l->options.segment_size = 65536;
		if (i > 0) {
			f.call = 1 + crash_below(run, calls + 1);
			f.forever = !k->harmless && k->error != EINTR &&
				    crash_below(run, 2);
			run->stats->faults++;
		}
		calls = i > 0 ? calls : 0;
		if (i == 0)
			calls = one_run(run, l, seed, &f);
		else
			one_run(run, l, seed, &f);
		if (i > 0 && k->harmless && l->fatal)
			crash_fail(run, "fatal: %s", l->fatal_text);
		if (!run->failed)
			check_after(run, l);
		crash_log_free(l);
		sim_free(run->sim);
		if (calls == 0)
			break;
	}
}

static struct crash_bounds fault_bounds(const struct crash_run *run)
{
	const struct crash_log *l = run->store;

	return l->bounds;
}

static void fault_check(struct crash_run *run, struct sim *disk,
			const struct crash_bounds *b)
{
	uint64_t reached;

	crash_log_check(run, run->store, disk, b, &reached);
}

const struct crash_ops crash_fault_ops = {
	.name = "fault",
	.trace = fault_trace,
	.bounds = fault_bounds,
	.check = fault_check,
};
