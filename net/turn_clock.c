/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The longest turn, in CPU time of this thread.
 *
 * Reading the thread's CPU clock is a system call of a quarter microsecond, too
 * much for a turn that serves one request.  CPU time is never above wall time,
 * which costs nothing.  So short turns count as their wall time, and the CPU
 * clock is read after long ones, and after every eighth turn.
 *
 * A long turn's CPU time is the difference to the last reading, less the wall
 * time of the (short) turns between.  That has the waits between in it, and
 * what the kernel did in them.  So where turns are getting long the clock is
 * read at their start, too.
 */
#include "net/net_state.h"

#include <time.h>

#define SHORT_US 200
#define GETTING_LONG_US 150
#define TURNS_PER_READING 8

static uint64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void turn_clock_start(struct turn_clock *t, uint64_t now_us)
{
	t->start_us = now_us;
	if (!t->getting_long)
		return;
	t->cpu_us = cpu_us();
	t->wall_us = 0;
	t->turns = 0;
}

uint64_t turn_clock_end(struct turn_clock *t, struct engine *e)
{
	uint64_t now = e->io->ops->mono_us(e->io);
	uint64_t wall = now - t->start_us, took = wall, cpu, since;

	e->stats.loop_turns++;
	e->stats.loop_us += wall;
	t->getting_long = wall > GETTING_LONG_US;
	if (wall <= SHORT_US && ++t->turns < TURNS_PER_READING) {
		t->wall_us += wall;
	} else {
		cpu = cpu_us();
		since = cpu - t->cpu_us;
		if (wall > SHORT_US) {
			took = since > t->wall_us ? since - t->wall_us : 0;
			took = took < wall ? took : wall;
		}
		t->cpu_us = cpu;
		t->wall_us = 0;
		t->turns = 0;
	}
	if (took > e->stats.loop_turn_max_cpu_us)
		e->stats.loop_turn_max_cpu_us = took;
	return now;
}
