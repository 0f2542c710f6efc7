/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crash enumeration: the driver, and what a store under test gives it.
 *
 * A trace runs a store on the simulated disk.  At each call that changes the
 * disk the driver makes disks as a crash at that moment may leave them, and
 * has the store recover and check each.  While it recovers, the same happens
 * again, one level deeper.
 *
 *   trace ──► sim ──boundary──► crash_at ──► sim_crash ──► ops->check
 *                                  ▲                          │ recovery
 *                                  └──────── boundary ◄───────┘
 *
 * One process per worker, one thread; everything follows from the seed.
 */
#ifndef REDOUBT_TESTS_CRASH_H
#define REDOUBT_TESTS_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/recover.h"

/* Counted by a worker, summed up by the parent. */
struct crash_stats {
	uint64_t states;   /* checked, all distinct */
	uint64_t repeated; /* seen before, not checked again */
	uint64_t nested;   /* of states: crashed inside recovery */
	uint64_t damaged;  /* of states: with damage on top */
	uint64_t refused;  /* of damaged: exit 65 or 74 */
	uint64_t faults;   /* calls made to fail */
	uint64_t boundaries;
	uint64_t traces;
	uint64_t failures;
	uint64_t cases[RECOVERY_CASES];
};

/* What recovery must give back at least, and can at most, as LSNs. */
struct crash_bounds {
	uint64_t durable_lsn; /* after a power cut */
	uint64_t written_lsn; /* after the process died */
	uint64_t appended_lsn;
};

struct crash_run;
struct crash_calls;

/* A store under test. */
struct crash_ops {
	const char *name;
	/* One random workload on run->sim, from run->random. */
	void (*trace)(struct crash_run *run);
	/* The bounds at this moment of the trace. */
	struct crash_bounds (*bounds)(const struct crash_run *run);
	/* Recovers disk and checks it; says what is wrong with crash_fail. */
	void (*check)(struct crash_run *run, struct sim *disk,
		      const struct crash_bounds *bounds);
	const struct crash_calls *calls; /* where these are made to fail */
};

struct crash_run {
	const struct crash_ops *ops;
	struct crash_stats *stats;
	struct crash_seen *seen;
	struct test_random random;
	uint64_t seed; /* of this trace */
	struct sim *sim;
	void *store;          /* the trace's */
	unsigned depth;       /* 1: inside recovery from a crash */
	bool process;         /* the disk being checked lost no call */
	bool damaged;         /* it carries damage: refusing is right */
	bool faulty;          /* calls are made to fail: an error is right */
	bool thorough;        /* every subset of up to 12 units */
	bool failed;          /* stop this trace */
	uint64_t stride;      /* one boundary of so many is looked at */
	double end;           /* when time is up; 0: never */
	const char *what;     /* kind of trace, for messages */
	struct sim_crash how; /* of the state being checked */
};

/* Watches disk: crashes at its boundaries, within the bounds that `bounds`
 * holds at that moment (NULL: ops->bounds). Unwatch before it is freed. */
struct crash_watch {
	struct crash_run *run;
	struct sim *disk;
	const struct crash_bounds *bounds;
};

/* Crashes are made from here on. */
void crash_watch(struct crash_watch *w);
void crash_unwatch(struct crash_watch *w);

/* Crashes now, in all ways that are due. */
void crash_at(struct crash_watch *w);

/* True if this state was not there before; counts it. */
bool crash_distinct(struct crash_run *run, const struct sim *disk);

/* Prints the seed, the state and the text; the run is failed. */
void crash_fail(struct crash_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Seconds on a clock that does not jump. */
double crash_now(void);

/* A number below n, from the run's seed. */
static inline uint64_t crash_below(struct crash_run *run, uint64_t n)
{
	return test_random_below(&run->random, n);
}

/* The states seen; emptied when full. */
struct crash_seen *crash_seen_new(void);
void crash_seen_free(struct crash_seen *s);

/* The log alone. */
extern const struct crash_ops crash_wal_ops;
/* Single damages to a log that is at rest. */
extern const struct crash_ops crash_damage_ops;
/* The n-th call fails. */
extern const struct crash_ops crash_fault_ops;
/* The whole engine. */
extern const struct crash_ops crash_engine_ops;
/* The n-th call fails, under the whole engine. */
extern const struct crash_ops crash_engine_fault_ops;
/* Damages to the newest snapshot of a store at rest. */
extern const struct crash_ops crash_snapshot_ops;

#endif
