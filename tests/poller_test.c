/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/io.h"
#include "tests/support/suite.h"

#define MS UINT64_C(1000)
#define NEVER (UINT64_MAX - 1) /* almost: it is a time */
#define FAR (60000 * MS) /* beyond what a test may take */

static struct poller *poller;
static struct poller_event events[POLLER_EVENTS_MAX];
static int file;
static uint64_t begun; /* the test, microseconds */

static uint64_t now_us(void)
{
	return io_posix()->ops->mono_us(io_posix());
}

static void setup(void)
{
	poller = poller_new();
	ck_assert_ptr_nonnull(poller);
	file = eventfd(0, EFD_NONBLOCK);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(poller_add(poller, file, POLLER_READ, &file), 0);
	begun = now_us();
}

static void teardown(void)
{
	close(file);
	poller_free(poller);
}

/* A wait until `due` that ends early, as something happens. */
static void wait_event(uint64_t now, uint64_t due)
{
	eventfd_t value;

	ck_assert_int_eq(eventfd_write(file, 1), 0);
	ck_assert_uint_eq(poller_wait_until(poller, events, now, due), 1);
	ck_assert_ptr_eq(events[0].ctx, &file);
	ck_assert_uint_eq(events[0].flags, POLLER_READ);
	ck_assert_int_eq(eventfd_read(file, &value), 0);
}

/* Until `due`, however often something came before it. */
static void wait_nothing(uint64_t due)
{
	uint64_t now = now_us();

	for (; now < due; now = now_us())
		ck_assert_uint_eq(
			poller_wait_until(poller, events, now, due), 0);
	ck_assert_uint_lt(now, due + FAR);
}

START_TEST(poller__a_wait_ends_when_it_is_due)
{
	setup();
	wait_nothing(begun + 2 * MS); /* by a timeout */
	wait_nothing(begun + 30 * MS); /* by the timer */
	wait_nothing(begun + 60 * MS);
	teardown();
}
END_TEST

START_TEST(poller__what_happens_ends_a_wait)
{
	setup();
	wait_event(begun, UINT64_MAX);
	wait_event(begun, begun + FAR);
	wait_event(begun, begun);
	ck_assert_uint_eq(poller_wait_until(poller, events, begun, begun), 0);
	teardown();
}
END_TEST

/* What is due so much later is heard then, and what is due next, though a
 * wait that ended early has set the timer for another time. */
static void assert_heard(uint64_t due, uint64_t set_for)
{
	setup();
	if (set_for != NEVER)
		set_for += begun;
	wait_event(begun, set_for);
	wait_nothing(begun + due);
	wait_nothing(begun + due + 40 * MS);
	teardown();
}

START_TEST(poller__what_is_due_earlier_is_not_late_for_what_was_due_before)
{
	assert_heard(50 * MS, 2 * FAR);
}
END_TEST

START_TEST(poller__what_is_due_later_is_heard_behind_an_earlier_timer)
{
	assert_heard(60 * MS, 20 * MS);
}
END_TEST

START_TEST(poller__the_end_of_time_is_no_time)
{
	assert_heard(20 * MS, NEVER);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"poller", poller__a_wait_ends_when_it_is_due,
		poller__what_happens_ends_a_wait,
		poller__what_is_due_earlier_is_not_late_for_what_was_due_before,
		poller__what_is_due_later_is_heard_behind_an_earlier_timer,
		poller__the_end_of_time_is_no_time);
}
