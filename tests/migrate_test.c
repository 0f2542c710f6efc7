/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MIGRATE under a log that syncs: when the values leave.
 */
#include <stdlib.h>

#include "engine/parked.h"
#include "engine/transfer.h"
#include "tests/support/bare.h"
#include "tests/support/suite.h"

static struct transfer *carried; /* what the host was given last */

static bool carry(void *ctx, struct transfer *t)
{
	(void)ctx;
	carried = t;
	return true;
}

static struct bare *begin(void)
{
	struct bare *b = bare_new();
	struct err_message m;

	carried = NULL;
	b->engine->host.transfer = carry;
	ck_assert_int_eq(wal_set_level(b->engine->wal, WAL_ALWAYS, &m), OK);
	return b;
}

/* Two commands that come together, and the turn is not over yet. */
static void set_and_migrate(struct bare *b)
{
	const struct slice set[] = { SLICE_LITERAL("SET"), SLICE_LITERAL("k"),
				     SLICE_LITERAL("v") };
	const struct slice migrate[] = {
		SLICE_LITERAL("MIGRATE"), SLICE_LITERAL("elsewhere"),
		SLICE_LITERAL("1"),	  SLICE_LITERAL("k"),
		SLICE_LITERAL("0"),	  SLICE_LITERAL("1000"),
	};
	struct parsed_command p = { .argv = set, .argc = ARRAY_LEN(set) };

	engine_clock(b->engine);
	ck_assert(engine_execute(b->engine, &b->session, &p));
	p = (struct parsed_command){ .argv = migrate,
				     .argc = ARRAY_LEN(migrate) };
	b->out.size = 0;
	engine_execute(b->engine, &b->session, &p);
}

static void turn(struct bare *b)
{
	engine_turn(b->engine, false, true);
}

START_TEST(migrate__sends_nothing_that_a_crash_could_take_back)
{
	struct bare *b = begin();

	set_and_migrate(b);
	ck_assert_uint_eq(b->engine->position->durable_lsn, 0);
	ck_assert_ptr_null(carried);
	turn(b);
	ck_assert_uint_eq(b->engine->position->durable_lsn, 1);
	ck_assert_ptr_nonnull(carried);
	buf_put_str(&carried->replies, "+OK\r\n+OK\r\n");
	carried->completion.done(&carried->completion);
	turn(b);
	ck_assert_uint_eq(b->out.size, 5);
	ck_assert_mem_eq(b->out.data, "+OK\r\n", 5);
	ck_assert_int_eq(bare_number(b, "EXISTS k"), 0);
	bare_free(b);
}
END_TEST

START_TEST(migrate__a_client_that_leaves_before_takes_it_along)
{
	struct bare *b = begin();

	set_and_migrate(b);
	parked_remove(b->engine, &b->session);
	turn(b);
	turn(b);
	ck_assert_ptr_null(carried);
	ck_assert_ptr_null(b->engine->migrations);
	ck_assert_int_eq(bare_number(b, "EXISTS k"), 1);
	bare_free(b);
}
END_TEST

START_TEST(migrate__without_a_network_is_an_error)
{
	struct bare *b = begin();

	b->engine->host.transfer = NULL;
	set_and_migrate(b);
	turn(b);
	buf_put_byte(&b->out, 0);
	ck_assert_str_eq((char *)b->out.data, "-IOERR error or timeout "
			 "connecting to the client\r\n");
	ck_assert_ptr_null(b->engine->migrations);
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS("migrate",
			 migrate__sends_nothing_that_a_crash_could_take_back,
			 migrate__a_client_that_leaves_before_takes_it_along,
			 migrate__without_a_network_is_an_error);
}
