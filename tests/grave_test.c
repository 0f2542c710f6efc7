/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/grave.h"

#include "base/mem.h"
#include "tests/support/suite.h"

struct body {
	unsigned left;
	unsigned *most; /* work of one step, at most */
	bool *gone;
};

static bool take_apart(void *p, unsigned work)
{
	struct body *b = p;

	if (work > *b->most)
		*b->most = work;
	if (b->left > work) {
		b->left -= work;
		return true;
	}
	*b->gone = true;
	mem_free(b);
	return false;
}

static struct body *body(unsigned objects, unsigned *most, bool *gone)
{
	struct body *b = mem_alloc(sizeof(*b));

	*b = (struct body){ objects, most, gone };
	*most = 0;
	*gone = false;
	return b;
}

START_TEST(grave__a_small_value_goes_at_once)
{
	unsigned most;
	bool gone;

	grave_add(take_apart, body(64, &most, &gone), 64);
	ck_assert(gone);
	ck_assert_uint_eq(grave_pending(), 0);
}
END_TEST

START_TEST(grave__big_ones_go_in_steps_first_come_first_served)
{
	unsigned most[2], turns = 0;
	bool gone[2];

	grave_add(take_apart, body(1000, &most[0], &gone[0]), 1000);
	grave_add(take_apart, body(500, &most[1], &gone[1]), 500);
	ck_assert_uint_eq(grave_pending(), 2);
	while (grave_turn(100)) {
		turns++;
		ck_assert(!gone[1] || gone[0]);
	}
	ck_assert(gone[0] && gone[1]);
	ck_assert_uint_eq(most[0], 100);
	ck_assert_uint_eq(turns, 14);
	ck_assert_uint_eq(grave_pending(), 0);
}
END_TEST

START_TEST(grave__finish_leaves_nothing)
{
	unsigned most;
	bool gone;

	grave_add(take_apart, body(100000, &most, &gone), 100000);
	ck_assert(!gone);
	grave_finish();
	ck_assert(gone);
}
END_TEST

int main(void)
{
	return RUN_TESTS("grave", grave__a_small_value_goes_at_once,
			 grave__big_ones_go_in_steps_first_come_first_served,
			 grave__finish_leaves_nothing);
}
