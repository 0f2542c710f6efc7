/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/crash.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEEN_SLOTS ((size_t)1 << 23)
#define SUBSETS_THOROUGH 12
#define SUBSETS_USUAL 4

struct crash_seen {
	size_t count;
	uint64_t slots[SEEN_SLOTS]; /* 0: empty */
};

double crash_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct crash_seen *crash_seen_new(void)
{
	struct crash_seen *s = calloc(1, sizeof(*s));

	assert(s != NULL);
	return s;
}

void crash_seen_free(struct crash_seen *s)
{
	free(s);
}

/* True if value is new. */
static bool seen_add(struct crash_seen *s, uint64_t value)
{
	size_t i;

	if (value == 0)
		value = 1;
	if (s->count > SEEN_SLOTS / 4 * 3) {
		memset(s->slots, 0, sizeof(s->slots));
		s->count = 0;
	}
	for (i = value & (SEEN_SLOTS - 1); s->slots[i] != 0;
	     i = (i + 1) & (SEEN_SLOTS - 1))
		if (s->slots[i] == value)
			return false;
	s->slots[i] = value;
	s->count++;
	return true;
}

bool crash_distinct(struct crash_run *run, const struct sim *disk)
{
	uint64_t hash = sim_trace_hash(disk) * UINT64_C(0x9e3779b97f4a7c15);

	hash ^= sim_hash(disk) + run->process;
	if (!seen_add(run->seen, hash)) {
		run->stats->repeated++;
		return false;
	}
	run->stats->states++;
	if (run->depth > 0)
		run->stats->nested++;
	if (run->damaged)
		run->stats->damaged++;
	return true;
}

void crash_fail(struct crash_run *run, const char *format, ...)
{
	static const char *const kinds[] = { "process",     "nothing",
					     "all",         "prefix",
					     "subset",      "one-missing",
					     "one-present", "random" };
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	run->failed = true;
	run->stats->failures++;
	printf("FAILED --one %llu (%s, depth %u, %s %llx%s%s): %s\n",
	       (unsigned long long)run->seed, run->what, run->depth,
	       kinds[run->how.kind], (unsigned long long)run->how.choice,
	       run->how.garbage ? " garbage" : "",
	       run->how.both_names ? " both-names" : "", text);
	fflush(stdout);
}

/* One state. */
static void crash_one(struct crash_watch *w, const struct sim_crash *how)
{
	struct crash_run *run = w->run;
	struct test_random random = run->random;
	struct crash_bounds b;
	struct sim *disk;

	if (run->failed)
		return;
	b = w->bounds != NULL ? *w->bounds : run->ops->bounds(run);
	run->how = *how;
	run->process = how->kind == SIM_CRASH_PROCESS;
	disk = sim_crash(w->disk, how);
	/* The trace goes on the same whether this state was seen before. */
	run->random.state = how->seed;
	if (crash_distinct(run, disk))
		run->ops->check(run, disk, &b);
	run->random = random;
	sim_free(disk);
}

static struct sim_crash draw(struct crash_run *run, enum sim_crash_kind kind,
			     uint64_t choices)
{
	return (struct sim_crash){
		.kind = kind,
		.choice = choices > 0 ? crash_below(run, choices) : 0,
		.seed = test_random_next(&run->random),
		.garbage = kind != SIM_CRASH_PROCESS &&
			   crash_below(run, 8) == 0,
		.both_names = kind != SIM_CRASH_PROCESS &&
			      crash_below(run, 8) == 0,
	};
}

static void crash_subsets(struct crash_watch *w, size_t units)
{
	uint64_t choice;

	for (choice = 0; choice < UINT64_C(1) << units; choice++) {
		struct sim_crash how = draw(w->run, SIM_CRASH_SUBSET, 0);

		how.choice = choice;
		crash_one(w, &how);
	}
}

static void crash_samples(struct crash_watch *w, size_t units)
{
	static const enum sim_crash_kind kinds[] = {
		SIM_CRASH_NOTHING, SIM_CRASH_ALL,         SIM_CRASH_PREFIX,
		SIM_CRASH_PREFIX,  SIM_CRASH_ONE_MISSING, SIM_CRASH_ONE_PRESENT,
		SIM_CRASH_RANDOM,  SIM_CRASH_RANDOM,
	};
	size_t i, start = 0, count = ARRAY_LEN(kinds);

	if (w->run->depth > 0) { /* there are many recoveries */
		start = crash_below(w->run, count);
		count = 2;
	}
	for (i = start; i < start + count; i++) {
		struct sim_crash how =
			draw(w->run, kinds[i % ARRAY_LEN(kinds)], units + 1);

		crash_one(w, &how);
	}
}

void crash_at(struct crash_watch *w)
{
	size_t units = sim_pending(w->disk);
	struct sim_crash process = draw(w->run, SIM_CRASH_PROCESS, 0);
	size_t all = w->run->thorough ? SUBSETS_THOROUGH : SUBSETS_USUAL;

	w->run->stats->boundaries++;
	crash_one(w, &process);
	if (w->run->depth == 0 && units <= all)
		crash_subsets(w, units);
	else
		crash_samples(w, units);
}

static void at_boundary(void *ctx, enum sim_op op)
{
	struct crash_watch *w = ctx;
	struct crash_run *run = w->run;
	uint64_t next = test_random_next(&run->random);

	(void)op;
	if (!run->failed && crash_below(run, run->stride) == 0 &&
	    (run->end == 0 || crash_now() < run->end))
		crash_at(w);
	/* The trace goes on the same, however much time there was. */
	run->random.state = next;
}

void crash_watch(struct crash_watch *w)
{
	sim_on_boundary(w->disk, at_boundary, w);
}

void crash_unwatch(struct crash_watch *w)
{
	sim_on_boundary(w->disk, NULL, NULL);
}
