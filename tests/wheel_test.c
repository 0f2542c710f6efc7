/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/wheel.h"

#include "base/grave.h"
#include "base/mem.h"
#include "tests/support/suite.h"

#include <stdio.h>

/* Ms by which an item may fire late. */
#define TICK_MS 16

#define START_MS UINT64_C(1700000000123)

/* A wheel and its model: key i has deadlines[i], 0 = none. */
struct fixture {
	struct wheel *w;
	uint64_t *deadlines;
	size_t key_count;
	size_t live;
	uint64_t now;
	size_t spread; /* items asked for before they were due */
	struct test_random random;
};

static void fixture_init(struct fixture *f, size_t key_count)
{
	*f = (struct fixture){ .key_count = key_count, .now = START_MS };
	f->random.state = test_seed();
	f->deadlines = mem_calloc(key_count, sizeof(f->deadlines[0]));
	f->w = wheel_new(f->now);
}

static void fixture_release(struct fixture *f)
{
	wheel_free(f->w);
	mem_free(f->deadlines);
}

static void key_expire_at(struct fixture *f, size_t key, uint64_t deadline)
{
	if (f->deadlines[key] == 0)
		f->live++;
	f->deadlines[key] = deadline;
	wheel_add(f->w, key, deadline);
}

/* As the engine does: gone, later, or now. */
static uint64_t fire(void *ctx, uint64_t hash)
{
	struct fixture *f = ctx;
	uint64_t deadline = f->deadlines[hash];

	if (deadline > f->now) {
		f->spread++;
		return deadline;
	}
	if (deadline != 0) {
		f->deadlines[hash] = 0;
		f->live--;
	}
	return 0;
}

static void poll_all(struct fixture *f)
{
	while (wheel_poll(f->w, f->now, 100, fire, f) == 100)
		;
}

/* Nothing is overdue by more than a tick, and the wheel says so. */
static void check_model(struct fixture *f)
{
	uint64_t first = UINT64_MAX;
	size_t i;

	wheel_check(f->w);
	ck_assert_uint_ge(wheel_count(f->w), f->live);
	for (i = 0; i < f->key_count; i++)
		if (f->deadlines[i] != 0 && f->deadlines[i] < first)
			first = f->deadlines[i];
	if (first == UINT64_MAX)
		return;
	ck_assert_uint_gt(first + TICK_MS, f->now);
	ck_assert_uint_le(wheel_next_ms(f->w), first + TICK_MS);
}

START_TEST(wheel__an_empty_one_has_nothing_due)
{
	struct fixture f;

	fixture_init(&f, 1);
	ck_assert_uint_eq(wheel_next_ms(f.w), UINT64_MAX);
	ck_assert_uint_eq(wheel_poll(f.w, f.now + 1000000, 10, fire, &f), 0);
	ck_assert_uint_eq(wheel_count(f.w), 0);
	wheel_check(f.w);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__past_deadlines_fire_at_the_next_poll)
{
	struct fixture f;

	fixture_init(&f, 3);
	key_expire_at(&f, 0, 1);
	key_expire_at(&f, 1, f.now - 5000);
	key_expire_at(&f, 2, f.now);
	ck_assert_uint_le(wheel_next_ms(f.w), f.now);
	poll_all(&f);
	ck_assert_uint_le(f.live, 1); /* `now` itself may be a tick late */
	f.now += TICK_MS;
	poll_all(&f);
	ck_assert_uint_eq(f.live, 0);
	ck_assert_uint_eq(wheel_count(f.w), 0);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__nothing_fires_early_or_a_tick_late)
{
	struct fixture f;
	uint64_t deadline;

	for (deadline = START_MS + 1; deadline < START_MS + 300000;
	     deadline += 997) {
		fixture_init(&f, 1);
		key_expire_at(&f, 0, deadline);
		f.now = deadline - 1;
		poll_all(&f);
		ck_assert_uint_eq(f.live, 1);
		ck_assert_uint_gt(wheel_next_ms(f.w), f.now);
		f.now = deadline + TICK_MS - 1;
		poll_all(&f);
		ck_assert_uint_eq(f.live, 0);
		fixture_release(&f);
	}
}
END_TEST

START_TEST(wheel__what_the_callback_wants_again_does_not_hang_a_poll)
{
	struct fixture f;
	size_t handled;

	fixture_init(&f, 1);
	wheel_add(f.w, 0, f.now - 10);
	/* an owner that holds expiry back gives a past deadline again */
	f.deadlines[0] = f.now - 10;
	f.now -= 100;
	handled = wheel_poll(f.w, f.now + 100, 1000, fire, &f);
	ck_assert_uint_le(handled, 2);
	ck_assert_uint_eq(wheel_count(f.w), 1);
	wheel_check(f.w);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__far_deadlines_wait_at_no_cost)
{
	static const uint64_t far[] = { UINT64_MAX, (UINT64_C(1) << 48) - 1,
					UINT64_C(1) << 47,
					START_MS + 86400000ull * 3650 };
	struct fixture f;
	size_t i, asked;

	fixture_init(&f, ARRAY_LEN(far));
	for (i = 0; i < ARRAY_LEN(far); i++)
		key_expire_at(&f, i, far[i]);
	f.now += 86400000ull * 30;
	poll_all(&f);
	check_model(&f);
	ck_assert_uint_eq(f.live, ARRAY_LEN(far));
	/* ten years in steps of an hour */
	for (i = 0; i < 24 * 3651; i++) {
		f.now += 3600000;
		poll_all(&f);
	}
	asked = f.spread;
	ck_assert_uint_eq(f.live, ARRAY_LEN(far) - 1);
	ck_assert_uint_le(asked, 40);
	fixture_release(&f);
}
END_TEST

/* A deadline from near to very far. */
static uint64_t some_deadline(struct fixture *f)
{
	unsigned bits = (unsigned)test_random_below(&f->random, 34);

	return f->now + test_random_below(&f->random, UINT64_C(2) << bits);
}

START_TEST(wheel__agrees_with_a_model_under_any_steps_of_the_clock)
{
	struct fixture f;
	int step;

	fixture_init(&f, 2000);
	for (step = 0; step < 6000; step++) {
		unsigned kind = (unsigned)test_random_below(&f.random, 20);
		uint64_t by = test_random_below(
			&f.random,
			UINT64_C(2) << test_random_below(&f.random, 26));
		size_t key = test_random_below(&f.random, f.key_count);

		if (kind < 10)
			key_expire_at(&f, key, some_deadline(&f));
		else if (kind < 12 && f.deadlines[key] != 0)
			f.deadlines[key] += by; /* its item stands early */
		else if (kind == 12 && step % 7 == 0)
			f.now -= by;
		else
			f.now += by >> (kind % 8);
		/* sometimes in slices, sometimes not to the end */
		if (kind % 3 == 0)
			wheel_poll(f.w, f.now, kind, fire, &f);
		else
			poll_all(&f);
		if (step % 20 == 0) {
			poll_all(&f);
			check_model(&f);
		}
	}
	f.now += UINT64_C(1) << 36;
	poll_all(&f);
	ck_assert_uint_eq(f.live, 0);
	ck_assert_uint_eq(wheel_count(f.w), 0);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__a_clock_that_went_back_fires_nothing_and_loses_nothing)
{
	struct fixture f;
	uint64_t later = START_MS + 7200000;
	size_t i;

	fixture_init(&f, 1000);
	for (i = 0; i < f.key_count; i++)
		key_expire_at(&f, i, later + i * 50);
	f.now = later - 10;
	poll_all(&f);
	f.now = START_MS - 3600000;
	ck_assert_uint_eq(wheel_poll(f.w, f.now, 1000, fire, &f), 0);
	ck_assert_uint_eq(f.live, f.key_count);
	/* a deadline of the new, earlier time */
	key_expire_at(&f, 0, f.now + 1000);
	f.now += 1000 + TICK_MS;
	poll_all(&f);
	ck_assert_uint_eq(f.live, f.key_count - 1);
	for (; f.now < later + 60000; f.now += 1000) {
		poll_all(&f);
		check_model(&f);
	}
	ck_assert_uint_eq(f.live, 0);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__a_poll_handles_no_more_than_its_limit)
{
	struct fixture f;
	size_t i, polls = 0, handled;

	fixture_init(&f, 50000);
	for (i = 0; i < f.key_count; i++)
		key_expire_at(&f, i, f.now + 600000);
	f.now += 600000 + TICK_MS;
	do {
		handled = wheel_poll(f.w, f.now, 64, fire, &f);
		ck_assert_uint_le(handled, 64);
		polls++;
	} while (handled == 64);
	ck_assert_uint_eq(f.live, 0);
	ck_assert_uint_ge(polls, f.key_count / 64);
	wheel_check(f.w);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__takes_nine_bytes_per_key)
{
	struct fixture f;
	size_t i;

	fixture_init(&f, 1000000);
	for (i = 0; i < f.key_count; i++)
		key_expire_at(&f, i, f.now + 1000000 + i / 200);
	printf("equal times to live: %.2f B/key\n",
	       (double)wheel_memory(f.w) / (double)f.key_count);
	ck_assert_uint_le(wheel_memory(f.w), f.key_count * 9);
	fixture_release(&f);

	fixture_init(&f, 1000000);
	for (i = 0; i < f.key_count; i++)
		key_expire_at(&f, i,
			      f.now + test_random_below(&f.random, 86400000));
	printf("within a day: %.2f B/key\n",
	       (double)wheel_memory(f.w) / (double)f.key_count);
	ck_assert_uint_le(wheel_memory(f.w), f.key_count * 9);
	fixture_release(&f);
}
END_TEST

START_TEST(wheel__a_big_one_is_freed_in_steps)
{
	struct wheel *w = wheel_new(0);
	unsigned i, steps = 0;

	for (i = 0; i < 200000; i++)
		wheel_add(w, i, 1000 + i % 100 * 100);
	wheel_free(w);
	ck_assert_uint_eq(grave_pending(), 1);
	while (grave_turn(10))
		steps++;
	ck_assert_uint_gt(steps, 30);
	ck_assert_uint_eq(grave_pending(), 0);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"wheel", wheel__an_empty_one_has_nothing_due,
		wheel__past_deadlines_fire_at_the_next_poll,
		wheel__nothing_fires_early_or_a_tick_late,
		wheel__what_the_callback_wants_again_does_not_hang_a_poll,
		wheel__far_deadlines_wait_at_no_cost,
		wheel__agrees_with_a_model_under_any_steps_of_the_clock,
		wheel__a_clock_that_went_back_fires_nothing_and_loses_nothing,
		wheel__a_poll_handles_no_more_than_its_limit,
		wheel__takes_nine_bytes_per_key,
		wheel__a_big_one_is_freed_in_steps);
}
