/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of what is due at one moment a turn removes.
 */
#include <stdio.h>

#include "tests/support/bare.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"

#define FIELDS 2000
#define FIELDS_MAX 150 /* in a turn */
#define KEYS 4000
#define KEYS_MAX 400

static struct bare *begin(void)
{
	struct bare *b = bare_new();

	b->engine->active_expire = false;
	return b;
}

/* So many times the command, with a number in it. */
static void fill(struct bare *b, const char *format, int count)
{
	char line[80];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(line, sizeof(line), format, i);
		bare_run(b, line);
	}
}

/* All is due now, and goes in turns of so many at most; `expired` counts. */
static void assert_goes_in_turns(struct bare *b, const uint64_t *expired,
				 uint64_t all, uint64_t most)
{
	unsigned turns = 0;

	sim_advance_us(b->sim, 10000000);
	b->engine->active_expire = true;
	while (*expired < all && turns < all) {
		uint64_t before = *expired;

		sim_advance_us(b->sim, 1000);
		engine_clock(b->engine);
		engine_turn(b->engine, false, true);
		ck_assert_uint_le(*expired - before, most);
		turns++;
	}
	ck_assert_uint_eq(*expired, all);
	ck_assert_uint_ge(turns, all / most);
}

START_TEST(expire__fields_due_at_once_go_in_many_turns)
{
	struct bare *b = begin();

	fill(b, "HSET h field:%d v", FIELDS);
	fill(b, "HPEXPIRE h 5000 FIELDS 1 field:%d", FIELDS);
	assert_goes_in_turns(b, &b->engine->stats.expired_fields, FIELDS,
			     FIELDS_MAX);
	ck_assert_int_eq(bare_number(b, "EXISTS h"), 0);
	bare_free(b);
}
END_TEST

START_TEST(expire__keys_due_at_once_go_in_many_turns)
{
	struct bare *b = begin();

	fill(b, "SET key:%d v PX 5000", KEYS);
	assert_goes_in_turns(b, &b->engine->stats.expired_keys, KEYS, KEYS_MAX);
	ck_assert_int_eq(bare_number(b, "DBSIZE"), 0);
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS("expire_turns",
			 expire__fields_due_at_once_go_in_many_turns,
			 expire__keys_due_at_once_go_in_many_turns);
}
