/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/tick.h"

#include <time.h>

#define SHIFT 24

static uint64_t first_tick, first_ns;
static uint64_t ns_per_tick = UINT64_C(1) << SHIFT; /* fixed point */

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if !defined(__x86_64__)
uint64_t tick_now(void)
{
	return clock_ns();
}
#endif

/* The first call spins for 200 us, so that later ones have a base. */
void tick_calibrate(void)
{
	uint64_t ticks, ns;

	if (first_tick == 0) {
		first_ns = clock_ns();
		first_tick = tick_now();
		while (clock_ns() - first_ns < 200000)
			;
	}
	ns = clock_ns() - first_ns;
	ticks = tick_now() - first_tick;
	if (ticks == 0)
		return;
	ns_per_tick = (uint64_t)((double)ns / (double)ticks *
				 (double)(UINT64_C(1) << SHIFT));
}

uint64_t tick_ns(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * ns_per_tick) >> SHIFT);
}
