/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/reaper.h"

#include "base/mem.h"
#include "base/slab.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int destroyed;
static pthread_t where; /* the thread of the last destroy */

static void destroy(void *p)
{
	where = pthread_self();
	slab_free_remote(p, 40);
	atomic_fetch_add(&destroyed, 1);
}

START_TEST(reaper__frees_at_once_while_there_is_no_thread)
{
	reaper_free(destroy, slab_alloc(40));
	ck_assert_int_eq(atomic_load(&destroyed), 1);
	ck_assert(pthread_equal(where, pthread_self()));
	ck_assert_uint_eq(reaper_pending(), 0);
	ck_assert_uint_eq(reaper_freed(), 1);
	reaper_stop(); /* nothing to stop */
}
END_TEST

START_TEST(reaper__stop_frees_what_is_left_and_it_starts_again)
{
	struct slab_stats stats;
	size_t used;
	int round, i;

	slab_free(slab_alloc(40), 40); /* the slab sets itself up */
	used = mem_used();
	for (round = 1; round <= 3; round++) {
		ck_assert_int_eq(reaper_start(), 0);
		for (i = 0; i < 1000; i++)
			reaper_free(destroy, slab_alloc(40));
		reaper_stop();
		ck_assert_int_eq(atomic_load(&destroyed), round * 1000);
		ck_assert(!pthread_equal(where, pthread_self()));
		ck_assert_uint_eq(reaper_pending(), 0);
	}
	for (i = 0; i < 10; i++)
		slab_collect();
	slab_check();
	slab_stats(&stats);
	ck_assert_uint_eq(stats.objects, 0);
	ck_assert_uint_eq(mem_used(), used);
}
END_TEST

int main(void)
{
	return RUN_TESTS("reaper",
			 reaper__frees_at_once_while_there_is_no_thread,
			 reaper__stop_frees_what_is_left_and_it_starts_again);
}
