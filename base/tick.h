/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cheap clock for statistics: the processor's time stamp counter where it is
 * constant, else CLOCK_MONOTONIC.  Never used for anything that is state.
 */
#ifndef REDOUBT_BASE_TICK_H
#define REDOUBT_BASE_TICK_H

#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t tick_now(void)
{
	return __rdtsc();
}
#else
/* The counter now; only differences mean something. */
uint64_t tick_now(void);
#endif

/* Compares the counter with the clock; at start and now and then. */
void tick_calibrate(void);

/* Nanoseconds in so many ticks. Any thread, after tick_calibrate. */
uint64_t tick_ns(uint64_t ticks);

#endif
