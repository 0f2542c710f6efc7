/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Enumerates crash states, damages and failed calls, in several processes.
 *
 *   crash_enum [--seconds N] [--states N] [--seed N] [--workers N]
 *              [--only NAME] [--one SEED --only NAME]
 *
 * Ends with "N passed, N failed": states and injected faults.
 */
#include "tests/torture/support/crash.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/logline.h"

#define WORKERS_MAX 64
#define FAILURES_MAX 20

static const struct crash_ops *const all_ops[] = {
	&crash_wal_ops,
	&crash_damage_ops,
	&crash_fault_ops,
	&crash_engine_ops,
	&crash_engine_fault_ops,
	&crash_snapshot_ops,
};

/* Shares of the time, in percent. */
static const double shares[] = { 36, 14, 11, 27, 9, 3 };

#define TRACE_SECONDS 4 /* at most, for one trace */
#define HANG_SECONDS 60 /* of CPU: a trace that does not end by itself */

struct options {
	double seconds;
	uint64_t states; /* 0: no limit; per worker */
	uint64_t seed;
	unsigned workers;
	const char *only;
	bool one;
};

/* The traces that are furthest behind their share. */
static size_t pick(const struct options *o, const double *used)
{
	size_t i, best = 0;

	for (i = 0; i < ARRAY_LEN(all_ops); i++) {
		if (o->only != NULL && strcmp(all_ops[i]->name, o->only) == 0)
			return i;
		if (used[i] / shares[i] < used[best] / shares[best])
			best = i;
	}
	if (o->only == NULL)
		return best;
	fprintf(stderr, "crash_enum: no traces are called %s\n", o->only);
	exit(64);
}

/* What is run now, for give_up. */
static const char *running;
static uint64_t running_seed;

static void give_up(int signal)
{
	dprintf(STDOUT_FILENO, "FAILED --one %llu --only %s: %s\n",
		(unsigned long long)running_seed, running,
		signal == SIGPROF ? "does not end" : "aborts");
	_exit(1);
}

/* A trace that takes HANG_SECONDS from now ends the process. */
static void watch(const char *name, uint64_t seed)
{
	const struct itimerval limit = { .it_value.tv_sec = HANG_SECONDS };

	running = name;
	running_seed = seed;
	signal(SIGPROF, give_up);
	signal(SIGABRT, give_up);
	if (setitimer(ITIMER_PROF, &limit, NULL) != 0)
		perror("crash_enum: setitimer");
}

static void run_one(const struct crash_ops *ops, struct crash_stats *stats,
		    struct crash_seen *seen, uint64_t seed, double end)
{
	struct crash_run run = { .ops = ops,
				 .stats = stats,
				 .seen = seen,
				 .random = { seed },
				 .seed = seed,
				 .end = end,
				 .what = ops->name };

	run.thorough = crash_below(&run, 32) == 0;
	run.stride = run.thorough ? 1 : UINT64_C(1) << crash_below(&run, 3);
	stats->traces++;
	watch(ops->name, seed);
	ops->trace(&run);
}

static void work(const struct options *o, unsigned worker,
		 struct crash_stats *stats, double end)
{
	struct crash_seen *seen = crash_seen_new();
	struct test_random seeds = { o->seed + worker * 1000003 };
	double used[ARRAY_LEN(all_ops)] = { 0 };
	double start = crash_now();

	while (start < end && stats->failures < FAILURES_MAX &&
	       (o->states == 0 || stats->states < o->states)) {
		size_t i = pick(o, used);
		double stop = start + TRACE_SECONDS;

		run_one(all_ops[i], stats, seen, test_random_next(&seeds),
			stop < end ? stop : end);
		used[i] += crash_now() - start;
		start = crash_now();
	}
	crash_seen_free(seen);
}

static void sum(struct crash_stats *to, const struct crash_stats *from)
{
	const uint64_t *f = (const uint64_t *)from;
	uint64_t *t = (uint64_t *)to;
	size_t i;

	_Static_assert(sizeof(*to) % sizeof(*t) == 0, "only counters");
	for (i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] += f[i];
}

static void report(const struct options *o, const struct crash_stats *s,
		   double took, unsigned died)
{
	unsigned long long failed = s->failures + died;
	int i;

	printf("seed %llu, %u workers, %.1f s\n", (unsigned long long)o->seed,
	       o->workers, took);
	printf("traces %llu, boundaries %llu, distinct states %llu "
	       "(repeated %llu), in recovery %llu\n",
	       (unsigned long long)s->traces, (unsigned long long)s->boundaries,
	       (unsigned long long)s->states, (unsigned long long)s->repeated,
	       (unsigned long long)s->nested);
	printf("damaged %llu (refused %llu), failed calls %llu\n",
	       (unsigned long long)s->damaged, (unsigned long long)s->refused,
	       (unsigned long long)s->faults);
	for (i = 0; i < RECOVERY_CASES; i++)
		printf("%-28s %12llu\n",
		       recovery_case_name((enum recovery_case)i),
		       (unsigned long long)s->cases[i]);
	printf("%.0f states/s, %.0f per worker\n", (double)s->states / took,
	       (double)s->states / took / o->workers);
	printf("%llu passed, %llu failed\n",
	       (unsigned long long)(s->states + s->faults) - s->failures,
	       failed);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*text == 0 || *end != 0) {
		fprintf(stderr, "crash_enum: not a number: %s\n", text);
		exit(64);
	}
	return n;
}

static void parse(struct options *o, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i += 2) {
		const char *name = argv[i];
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(name, "--only") == 0) {
			o->only = value;
			continue;
		}
		if (strcmp(name, "--seconds") == 0) {
			o->seconds = strtod(value, NULL);
		} else if (strcmp(name, "--states") == 0) {
			o->states = number(value);
		} else if (strcmp(name, "--seed") == 0) {
			o->seed = number(value);
		} else if (strcmp(name, "--one") == 0) {
			o->seed = number(value);
			o->one = true;
		} else if (strcmp(name, "--workers") == 0) {
			o->workers = (unsigned)number(value);
		} else {
			fprintf(stderr, "crash_enum: unknown: %s\n", name);
			exit(64);
		}
	}
	if (o->workers == 0 || o->workers > WORKERS_MAX)
		o->workers = 2;
}

/* Starts the workers and waits; returns how many of them died. */
static unsigned run_workers(const struct options *o, struct crash_stats *stats,
			    double end)
{
	pid_t children[WORKERS_MAX];
	unsigned i, died = 0;

	for (i = 0; i < o->workers; i++) {
		children[i] = fork();
		assert(children[i] >= 0);
		if (children[i] == 0) {
			work(o, i, &stats[i], end);
			_exit(0);
		}
	}
	for (i = 0; i < o->workers; i++) {
		int status;

		waitpid(children[i], &status, 0);
		if (status != 0) {
			printf("FAILED worker %u died, status %x\n", i,
			       (unsigned)status);
			died++;
		}
	}
	return died;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 10, .workers = 2 };
	struct crash_stats total = { 0 }, *stats;
	const double none[ARRAY_LEN(all_ops)] = { 0 };
	double start = crash_now();
	unsigned i, died = 0;

	o.seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	parse(&o, argc, argv);
	log_set_level(LOG_LEVEL_NOTHING);
	printf("seed %llu\n", (unsigned long long)o.seed);
	fflush(stdout);
	stats = mmap(NULL, WORKERS_MAX * sizeof(*stats), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(stats != MAP_FAILED);
	if (o.one) {
		struct crash_seen *seen = crash_seen_new();

		o.workers = 1;
		run_one(all_ops[pick(&o, none)], &stats[0], seen, o.seed, 0);
		crash_seen_free(seen);
	} else {
		died = run_workers(&o, stats, start + o.seconds);
	}
	for (i = 0; i < o.workers; i++)
		sum(&total, &stats[i]);
	report(&o, &total, crash_now() - start, died);
	return total.failures + died > 0;
}
