/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/engine.h"

#include <check.h>

#include "tests/support/bare.h"
#include "tests/support/suite.h"

START_TEST(monitor__shows_no_write_before_its_reply_may_leave)
{
	struct bare *b = bare_new();
	struct buf seen = { 0 };
	struct session monitor = { .out = &seen, .flags = SESSION_INTERNAL };
	struct slice word = SLICE_LITERAL("MONITOR");
	struct parsed_command p = { .argv = &word, .argc = 1 };

	engine_add_session(b->engine, &monitor);
	ck_assert(engine_execute(b->engine, &monitor, &p));
	ck_assert_uint_eq(monitor.gate, 0);
	bare_run(b, "GET key");
	ck_assert_uint_eq(monitor.gate, 0);
	bare_run(b, "SET key value");
	ck_assert_uint_ne(b->session.gate, 0);
	ck_assert_uint_eq(monitor.gate, b->session.gate);
	engine_remove_session(b->engine, &monitor);
	buf_release(&seen);
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS("monitor",
			 monitor__shows_no_write_before_its_reply_may_leave);
}
