/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/crash_calls.h"

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

/* A store and a disk of their own; how many calls of f->ops there were. */
static uint64_t one_run(struct crash_run *run, const struct crash_calls *c,
			uint64_t seed, const struct sim_fault *f)
{
	struct test_random random = run->random;

	run->random.state = seed;
	c->make(run);
	c->disk(run);
	sim_set_fault(run->sim, f);
	run->faulty = f->call != 0;
	c->workload(run, f->ops);
	run->faulty = false;
	run->random = random;
	return sim_calls(run->sim);
}

/* Twice on what is left: the process died; then the power went. */
static void check_after(struct crash_run *run, const struct crash_calls *c)
{
	struct sim_crash dead = { .kind = SIM_CRASH_PROCESS, .seed = 1 };
	struct sim_crash cut = { .kind = SIM_CRASH_RANDOM,
				 .seed = test_random_next(&run->random) };
	struct crash_bounds b = run->ops->bounds(run);
	struct sim *disk = sim_crash(run->sim, &dead), *after;

	/* What a failed sync lost was written, but is not there. */
	b.written_lsn = b.durable_lsn;
	run->process = true;
	run->how = dead;
	if (c->restart(run, disk, &b)) {
		after = sim_crash(disk, &cut);
		run->how = cut;
		run->process = false;
		run->ops->check(run, after, &b);
		sim_free(after);
	}
	sim_free(disk);
}

static void end_run(struct crash_run *run, const struct crash_calls *c)
{
	c->release(run);
	sim_free(run->sim);
	run->sim = NULL;
}

void crash_calls_trace(struct crash_run *run)
{
	const struct crash_calls *c = run->ops->calls;
	const struct fault_kind *k = &kinds[crash_below(run, ARRAY_LEN(kinds))];
	uint64_t seed = test_random_next(&run->random), calls = 0;
	struct sim_fault f = { .ops = k->ops,
			       .error = k->error,
			       .cut = k->cut,
			       .lose_pages = k->lose_pages };
	unsigned i;

	run->what = strerror(k->error);
	for (i = 0; i <= RUNS_EACH && !run->failed; i++) {
		if (i == 0) {
			calls = one_run(run, c, seed, &f);
		} else {
			f.call = 1 + crash_below(run, calls + 1);
			f.forever = !k->harmless && k->error != EINTR &&
				    crash_below(run, 2);
			run->stats->faults++;
			one_run(run, c, seed, &f);
		}
		if ((i == 0 || k->harmless) && c->fatal(run))
			crash_fail(run, "fatal: %s", c->fatal(run));
		if (!run->failed)
			check_after(run, c);
		end_run(run, c);
		if (calls == 0)
			break;
	}
}
