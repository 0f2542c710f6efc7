/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include "base/err.h"
#include "base/slice.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef REDOUBT_NO_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

START_TEST(mem__the_count_follows_every_call)
{
	size_t start = mem_used();
	char *p = mem_alloc(1000), *q;

	ck_assert_uint_ge(mem_usable(p), 1000);
	ck_assert_uint_eq(mem_used(), start + mem_usable(p));
	p = mem_realloc(p, 100000);
	ck_assert_uint_eq(mem_used(), start + mem_usable(p));
	q = mem_calloc(10, 100);
	ck_assert_int_eq(q[999], 0);
	mem_free(p);
	mem_free(q);
	mem_free(NULL);
	q = mem_strdup("abc");
	ck_assert_str_eq(q, "abc");
	mem_free(q);
	q = mem_realloc(NULL, 0);
	ck_assert_ptr_nonnull(q);
	mem_free(q);
	ck_assert_uint_eq(mem_used(), start);
	mem_count(100);
	ck_assert_uint_eq(mem_used(), start + 100);
	mem_count(-100);
}
END_TEST

static void *worker(void *arg)
{
	int i;

	for (i = 0; i < 20000; i++)
		mem_free(mem_alloc(100));
	return arg;
}

/* More threads than own counters. */
START_TEST(mem__the_count_is_right_over_many_threads)
{
	enum { THREADS = 40 };
	pthread_t threads[THREADS];
	size_t start = mem_used();
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(mem_used(), start);
}
END_TEST

START_TEST(mem__try_alloc_refuses_instead_of_exit)
{
	ck_assert_ptr_null(mem_try_alloc(SIZE_MAX / 2));
}
END_TEST

static void *volatile sink;

static int exit_of_child(void (*body)(void))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void ask_too_much(void)
{
	sink = mem_alloc(SIZE_MAX / 2);
}

static void ask_a_product(void)
{
	sink = mem_calloc(SIZE_MAX / 2, 3);
}

static void ask_an_array(void)
{
	sink = mem_realloc_array(NULL, SIZE_MAX / 2, 3);
}

START_TEST(mem__what_must_be_had_and_cannot_ends_with_71)
{
	ck_assert_int_eq(exit_of_child(ask_too_much), EXIT_MEMORY);
	ck_assert_int_eq(exit_of_child(ask_a_product), EXIT_MEMORY);
	ck_assert_int_eq(exit_of_child(ask_an_array), EXIT_MEMORY);
}
END_TEST

START_TEST(mem__the_allocator_tells_its_figures)
{
	struct mem_stats stats;
	void *p = mem_alloc(1 << 20);

	mem_stats(&stats);
	ck_assert_uint_ge(stats.resident, stats.active);
	ck_assert_uint_ge(stats.active, stats.allocated);
	ck_assert_uint_gt(strlen(mem_allocator_name()), 0);
	mem_free(p);
	mem_purge();
}
END_TEST

#ifndef REDOUBT_NO_JEMALLOC

#define BLOCKS 100000 /* together far above what would be given back */
#define BLOCK 600
#define LARGE ((size_t)16 << 10)

/* Unused pages that the first arena keeps. */
static size_t unused_pages(void)
{
	uint64_t epoch = 1;
	size_t pages = 0, size = sizeof(pages);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	ck_assert_int_eq(mallctl("stats.arenas.0.pdirty", &pages, &size, NULL,
				 0), 0);
	return pages;
}

START_TEST(mem__a_free_does_not_give_pages_back_itself)
{
	static void *blocks[BLOCKS], *larges[BLOCKS / 1000];
	ssize_t never = -1, hour = 3600 * 1000;
	size_t i, before;

	ck_assert_int_eq(mallctl("arena.0.dirty_decay_ms", NULL, NULL, &never,
				 sizeof(never)), 0);
	for (i = 0; i < BLOCKS; i++) {
		blocks[i] = mem_alloc(BLOCK);
		if (i % 1000 == 0)
			larges[i / 1000] = mem_alloc(LARGE);
	}
	for (i = 0; i < BLOCKS; i++)
		mem_free(blocks[i]);
	/* a thread gives back what is old, but nothing is within the hour */
	mallctl("arena.0.dirty_decay_ms", NULL, NULL, &hour, sizeof(hour));
	before = unused_pages();
	ck_assert_uint_gt(before, (size_t)BLOCKS * BLOCK / 4096 / 2);
	for (i = 0; i < ARRAY_LEN(larges); i++)
		mem_free(larges[i]);
	ck_assert_uint_ge(unused_pages(), before);
}
END_TEST

#else

START_TEST(mem__a_free_does_not_give_pages_back_itself)
{
	ck_assert_str_eq(mem_allocator_name(), "libc");
}
END_TEST

#endif

START_TEST(err__messages_and_exit_codes)
{
	struct err_message m;

	ck_assert_int_eq(err_set(&m, ERR_CORRUPT, "at %d", 5), ERR_CORRUPT);
	ck_assert_str_eq(m.text, "at 5");
	ck_assert_int_eq(err_set(NULL, ERR_IO, "x"), ERR_IO);
	ck_assert_int_eq(err_exit_code(OK), 0);
	ck_assert_int_eq(err_exit_code(ERR_IO), 74);
	ck_assert_int_eq(err_exit_code(ERR_MEMORY), 71);
	ck_assert_int_eq(err_exit_code(ERR_CORRUPT), 65);
	ck_assert_int_eq(err_exit_code(ERR_UNFIT), 65);
	ck_assert_int_eq(err_exit_code(ERR_LOCKED), 73);
	ck_assert_int_eq(err_exit_code(ERR_CONFIG), 78);
	ck_assert_int_eq(err_exit_code(ERR_VERSION), 78);
}
END_TEST

int main(void)
{
	return RUN_TESTS("mem", mem__the_count_follows_every_call,
			 mem__the_count_is_right_over_many_threads,
			 mem__try_alloc_refuses_instead_of_exit,
			 mem__what_must_be_had_and_cannot_ends_with_71,
			 mem__the_allocator_tells_its_figures,
			 mem__a_free_does_not_give_pages_back_itself,
			 err__messages_and_exit_codes);
}
