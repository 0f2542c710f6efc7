/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/tick.h"

#include "base/io.h"
#include "tests/support/suite.h"

#include <unistd.h>

START_TEST(tick__agrees_with_the_clock)
{
	struct io *io = io_posix();
	uint64_t tick, us, ns, i;

	tick_calibrate();
	usleep(20000);
	tick_calibrate();
	us = io->ops->mono_us(io);
	tick = tick_now();
	usleep(50000);
	ns = tick_ns(tick_now() - tick);
	us = io->ops->mono_us(io) - us;
	/* within a tenth, on a busy machine */
	ck_assert_uint_ge(ns, us * 900);
	ck_assert_uint_le(ns, us * 1100);
	ck_assert_uint_eq(tick_ns(0), 0);
	for (i = 1; i < 62; i++) /* no overflow before 2^62 ns */
		if (tick_ns((uint64_t)1 << i) < (uint64_t)1 << 62)
			ck_assert_uint_ge(tick_ns((uint64_t)1 << i),
					  tick_ns((uint64_t)1 << (i - 1)));
}
END_TEST

int main(void)
{
	return RUN_TESTS("tick", tick__agrees_with_the_clock);
}
