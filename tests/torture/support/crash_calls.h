/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The n-th call fails: the kinds of failure, and the loop over the calls of a
 * workload, which crash_fault.c (the log alone) and crash_engine_fault.c (the
 * whole engine) share.
 */
#ifndef REDOUBT_TESTS_CRASH_CALLS_H
#define REDOUBT_TESTS_CRASH_CALLS_H

#include "tests/torture/support/crash.h"

/* A store of which calls fail. */
struct crash_calls {
	/* run->store: a closed one. And its end. */
	void (*make)(struct crash_run *run);
	void (*release)(struct crash_run *run);
	/* An empty disk, run->sim, and the settings that go with it. */
	void (*disk)(struct crash_run *run);
	/* The same steps for the same seed; one call of ops may fail. */
	void (*workload)(struct crash_run *run, unsigned ops);
	/* What the store died of, or NULL. */
	const char *(*fatal)(const struct crash_run *run);
	/* Starts on what a dead process left, checks it, stops. *b becomes
	 * what must be there when then the power goes. False: crash_fail, or
	 * an error that is allowed. */
	bool (*restart)(struct crash_run *run, struct sim *disk,
			struct crash_bounds *b);
};

/* One workload of run->ops->calls, several times, each time with another call
 * that fails, all in the same way: once, or from then on. */
void crash_calls_trace(struct crash_run *run);

#endif
