/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/slab.h"

#include "base/mem.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* An object of the model: filled with a byte that must still be there. */
struct object {
	uint8_t *p;
	size_t size;
	uint8_t fill;
};

static void object_new(struct object *o, size_t size, uint8_t fill)
{
	o->p = slab_alloc(size);
	o->size = size;
	o->fill = fill;
	ck_assert_uint_eq((uintptr_t)o->p % 8, 0);
	memset(o->p, fill, size);
}

static void object_check(const struct object *o)
{
	size_t i;

	for (i = 0; i < o->size; i++)
		if (o->p[i] != o->fill)
			ck_abort_msg("byte %zu of %zu changed", i, o->size);
}

static void object_free(struct object *o)
{
	object_check(o);
	slab_free(o->p, o->size);
	o->p = NULL;
}

START_TEST(slab__every_size_has_its_own_bytes)
{
	struct object objects[301];
	size_t size;

	for (size = 1; size <= 300; size++)
		object_new(&objects[size], size, (uint8_t)size);
	slab_check();
	for (size = 1; size <= 300; size++) {
		ck_assert_uint_ge(slab_usable(objects[size].p, size), size);
		object_free(&objects[size]);
	}
	slab_check();
}
END_TEST

START_TEST(slab__figures_follow_every_call)
{
	size_t used = mem_used();
	struct slab_stats stats;
	void *p = slab_alloc(41), *q = slab_alloc(256);

	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 2);
	ck_assert_uint_eq(stats.bytes_used, 48 + 256);
	ck_assert_uint_eq(stats.pages, 2);
	ck_assert_uint_ge(mem_used(), used + 48 + 256);
	ck_assert_uint_eq(slab_bytes_used(), 48 + 256);
	slab_free(p, 41);
	slab_free(q, 256);
	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 0);
	ck_assert_uint_eq(stats.bytes_used, 0);
}
END_TEST

START_TEST(slab__the_last_freed_is_the_next_given)
{
	void *p = slab_alloc(24), *q = slab_alloc(24);

	slab_free(p, 24);
	slab_free(q, 24);
	ck_assert_ptr_eq(slab_alloc(24), q);
	ck_assert_ptr_eq(slab_alloc(20), p);
}
END_TEST

static void random_step(struct test_random *random, struct object *objects,
			size_t count)
{
	struct object *o = &objects[test_random_below(random, count)];
	size_t size;

	if (o->p != NULL && test_random_below(random, 8) == 0) {
		object_check(o);
		slab_free_remote(o->p, o->size);
		o->p = NULL;
		return;
	}
	if (o->p != NULL) {
		object_free(o);
		return;
	}
	size = 1 + test_random_below(random, 40) * 7;
	object_new(o, size, (uint8_t)test_random_next(random));
}

START_TEST(slab__random_calls_agree_with_a_model)
{
	enum { OBJECTS = 30000, STEPS = 600000 };
	struct test_random random = { test_seed() };
	struct object *objects = mem_calloc(OBJECTS, sizeof(*objects));
	struct slab_stats stats;
	int i;

	for (i = 0; i < STEPS; i++) {
		/* tides: most of the time growing, or shrinking */
		size_t reach = i / 100000 % 2 ? OBJECTS / 20 : OBJECTS;

		random_step(&random, objects, reach);
		if (i % 1000 == 0)
			slab_collect();
		if (i % 20000 == 0)
			slab_check();
		if (i % 150000 == 0)
			slab_purge();
	}
	for (i = 0; i < OBJECTS; i++)
		if (objects[i].p != NULL)
			object_free(&objects[i]);
	for (i = 0; i < 100; i++)
		slab_collect();
	slab_check();
	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 0);
	ck_assert_uint_eq(stats.bytes_used, 0);
	/* at most the current page of each class and the pool */
	ck_assert_uint_le(stats.pages, 32 + 64);
	slab_purge();
	slab_check();
	slab_stats(&stats);
	ck_assert_uint_le(stats.pages, 32);
	mem_free(objects);
}
END_TEST

START_TEST(slab__small_objects_cost_little_more_than_their_size)
{
	enum { OBJECTS = 500000 };
	struct slab_stats stats;
	int i;

	for (i = 0; i < OBJECTS; i++)
		memset(slab_alloc(40), 1, 40);
	slab_stats(&stats);
	/* 0.2 % and the last page */
	ck_assert_uint_le(stats.pages * SLAB_PAGE_SIZE,
			  OBJECTS * 40 / 1000 * 1002 + SLAB_PAGE_SIZE);
}
END_TEST

START_TEST(slab__churn_does_not_spread_over_more_pages)
{
	enum { OBJECTS = 100000, STEPS = 1000000 };
	struct test_random random = { test_seed() };
	void **objects = mem_calloc(OBJECTS, sizeof(*objects));
	struct slab_stats before, after;
	int i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = slab_alloc(64);
	slab_stats(&before);
	for (i = 0; i < STEPS; i++) {
		void **o = &objects[test_random_below(&random, OBJECTS)];

		slab_free(*o, 64);
		*o = slab_alloc(64);
	}
	slab_stats(&after);
	ck_assert_uint_le(after.pages, before.pages * 103 / 100 + 1);
	slab_check();
	mem_free(objects);
}
END_TEST

START_TEST(slab__sparse_pages_run_empty_while_others_fill)
{
	enum { OBJECTS = 200000 };
	struct test_random random = { test_seed() };
	void **objects = mem_calloc(OBJECTS, sizeof(*objects));
	struct slab_stats full, sparse;
	int i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = slab_alloc(64);
	slab_stats(&full);
	for (i = 0; i < OBJECTS; i++) {
		if (i % 4 == 0)
			continue;
		slab_free(objects[i], 64);
		objects[i] = NULL;
	}
	/* what is left dies at random and is born again */
	for (i = 0; i < OBJECTS * 5; i++) {
		void **o =
			&objects[test_random_below(&random, OBJECTS / 4) * 4];

		slab_free(*o, 64);
		*o = slab_alloc(64);
	}
	slab_purge();
	slab_stats(&sparse);
	ck_assert_uint_le(sparse.pages, full.pages * 2 / 5);
	slab_check();
	mem_free(objects);
}
END_TEST

/* --- other threads free --------------------------------------------------- */

enum { FREERS = 3, HANDED = 200000 };

struct hand_over {
	_Atomic(void *) objects[FREERS][HANDED];
	atomic_int handed[FREERS];
	atomic_int finished;
};

static struct hand_over shared;

static void *freer_main(void *arg)
{
	int me = (int)(intptr_t)arg, i;

	for (i = 0; i < HANDED; i++) {
		size_t size = 8 + (size_t)(i % 40) * 8; /* some are not slab */

		while (atomic_load(&shared.handed[me]) <= i)
			;
		slab_free_remote(atomic_load(&shared.objects[me][i]), size);
	}
	atomic_fetch_add(&shared.finished, 1);
	return NULL;
}

START_TEST(slab__other_threads_free_without_loss)
{
	pthread_t threads[FREERS];
	struct slab_stats stats;
	intptr_t t;
	int i;

	for (t = 0; t < FREERS; t++)
		pthread_create(&threads[t], NULL, freer_main, (void *)t);
	for (i = 0; i < HANDED; i++) {
		for (t = 0; t < FREERS; t++) {
			size_t size = 8 + (size_t)(i % 40) * 8;
			void *p = slab_alloc(size);

			memset(p, 0x5a, size);
			atomic_store(&shared.objects[t][i], p);
			atomic_store(&shared.handed[t], i + 1);
		}
		if (i % 64 == 0)
			slab_collect();
	}
	for (t = 0; t < FREERS; t++)
		pthread_join(threads[t], NULL);
	for (i = 0; i < 1000; i++)
		slab_collect();
	slab_check();
	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 0);
	ck_assert_uint_eq(stats.bytes_used, 0);
}
END_TEST

#define LENT 100

START_TEST(slab__whole_pages_are_lent_between_objects)
{
	struct object objects[1000];
	void *pages[LENT];
	size_t used;
	int i;

	slab_free(slab_alloc(200), 200); /* the list of regions stays */
	used = mem_used();
	slab_huge(true);
	for (i = 0; i < 1000; i++) {
		object_new(&objects[i], 200, (uint8_t)i);
		if (i % (1000 / LENT) != 0)
			continue;
		pages[i / 10] = slab_page_alloc();
		ck_assert_uint_eq((uintptr_t)pages[i / 10] % SLAB_PAGE_SIZE, 0);
		memset(pages[i / 10], 0xa5, SLAB_PAGE_SIZE);
	}
	slab_huge(false);
	slab_check();
	ck_assert_uint_eq(mem_used() - used,
			  1000 * 200 + LENT * SLAB_PAGE_SIZE);
	for (i = 0; i < LENT; i++)
		slab_page_free(pages[i]);
	for (i = 0; i < 1000; i++)
		object_free(&objects[i]);
	slab_purge();
	slab_check();
	ck_assert_uint_eq(mem_used(), used);
}
END_TEST

START_TEST(slab__empty_pages_go_back_a_few_at_a_time)
{
	enum { OBJECTS = 400000 };
	static void *objects[OBJECTS];
	struct slab_stats stats;
	size_t pages;
	int i;

	for (i = 0; i < OBJECTS; i++)
		objects[i] = slab_alloc(32);
	for (i = 0; i < OBJECTS; i++)
		slab_free(objects[i], 32);
	slab_stats(&stats);
	pages = stats.pages;
	ck_assert_uint_gt(pages, 150);
	ck_assert(slab_trim(10));
	slab_stats(&stats);
	ck_assert_uint_eq(stats.pages, pages - 10);
	while (slab_trim(10))
		;
	slab_stats(&stats);
	ck_assert_uint_le(stats.pages, 66);
	ck_assert(!slab_trim(10));
	slab_check();
}
END_TEST

int main(void)
{
	return RUN_TESTS("slab", slab__every_size_has_its_own_bytes,
			 slab__figures_follow_every_call,
			 slab__the_last_freed_is_the_next_given,
			 slab__random_calls_agree_with_a_model,
			 slab__small_objects_cost_little_more_than_their_size,
			 slab__churn_does_not_spread_over_more_pages,
			 slab__sparse_pages_run_empty_while_others_fill,
			 slab__other_threads_free_without_loss,
			 slab__whole_pages_are_lent_between_objects,
			 slab__empty_pages_go_back_a_few_at_a_time);
}
