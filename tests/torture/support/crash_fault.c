/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The n-th call fails: once, or from then on.
 *
 * Whatever fails, nothing is acknowledged that is not there after the process,
 * or the power, is gone; and the next start, on a disk that works again, needs
 * no human.
 */
#include "tests/torture/support/crash_calls.h"
#include "tests/torture/support/crash_log.h"

/* Appends, rolls, snapshots, restarts, until the end or a failure. */
static void workload(struct crash_run *run, unsigned ops)
{
	struct crash_log *l = run->store;
	unsigned steps = 4 + (unsigned)crash_below(run, 24), i;

	(void)ops;
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

static void make(struct crash_run *run)
{
	struct crash_log *l = crash_log_new(run);

	l->options.segment_size = 65536;
	run->store = l;
}

static void release(struct crash_run *run)
{
	crash_log_free(run->store);
}

static void disk_of(struct crash_run *run)
{
	struct crash_log *l = run->store;

	crash_log_disk(run);
	l->options.level = (enum wal_level)(WAL_NO + crash_below(run, 3));
}

static const char *fatal(const struct crash_run *run)
{
	const struct crash_log *l = run->store;

	return l->fatal ? l->fatal_text : NULL;
}

static bool restart(struct crash_run *run, struct sim *disk,
		    struct crash_bounds *b)
{
	struct crash_log *l = run->store;
	uint64_t reached;

	if (!crash_log_check(run, l, disk, b, &reached))
		return false;
	crash_log_abandon(l);
	if (!crash_log_open(run, l, disk))
		return false;
	crash_log_abandon(l);
	*b = l->bounds;
	b->durable_lsn = reached; /* it was served */
	return true;
}

static const struct crash_calls log_calls = {
	.make = make,
	.release = release,
	.disk = disk_of,
	.workload = workload,
	.fatal = fatal,
	.restart = restart,
};

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
	.trace = crash_calls_trace,
	.calls = &log_calls,
	.bounds = fault_bounds,
	.check = fault_check,
};
