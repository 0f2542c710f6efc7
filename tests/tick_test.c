/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/tick.h"

#include "base/io.h"
#include "tests/support/suite.h"

#include <stdbool.h>
#include <unistd.h>

/* One comparison over 10 ms: within a tenth? */
static bool agrees(struct io *io)
{
	uint64_t us = io->ops->mono_us(io), tick = tick_now(), ns;

	usleep(10000);
	ns = tick_ns(tick_now() - tick);
	us = io->ops->mono_us(io) - us;
	return ns >= us * 900 && ns <= us * 1100;
}

START_TEST(tick__agrees_with_the_clock)
{
	int tries = 0;

	tick_calibrate();
	usleep(20000);
	tick_calibrate();
	/* we may lose the processor between the two readings */
	while (!agrees(io_posix()))
		ck_assert_int_lt(++tries, 20);
	ck_assert_uint_eq(tick_ns(0), 0);
}
END_TEST

START_TEST(tick__long_spans_do_not_overflow)
{
	uint64_t ns;

	tick_calibrate();
	ns = tick_ns(UINT64_C(1) << 40);
	ck_assert_uint_ge(tick_ns(UINT64_C(1) << 56) + 65536, ns << 16);
	ck_assert_uint_ge((ns + 1) << 16, tick_ns(UINT64_C(1) << 56));
}
END_TEST

int main(void)
{
	return RUN_TESTS("tick", tick__agrees_with_the_clock,
			 tick__long_spans_do_not_overflow);
}
