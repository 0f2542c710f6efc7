/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every unit test program ends with:
 *
 *	int main(void)
 *	{
 *		return RUN_TESTS("glob", glob__star_matches_nothing, ...);
 *	}
 *
 * Each test runs in a process of its own (CK_FORK=no: in this one).
 */
#ifndef REDOUBT_TESTS_SUPPORT_SUITE_H
#define REDOUBT_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/* Runs the tests, prints Check's summary; the exit status of the program. */
int suite_run(const char *name, const TTest *const *tests, size_t count);

#define RUN_TESTS(name, ...)                                      \
	suite_run(name, (const TTest *const[]){ __VA_ARGS__ },    \
		  sizeof((const TTest *const[]){ __VA_ARGS__ }) / \
			  sizeof(const TTest *))

/* A small generator for tests: the same seed, the same numbers. */
struct test_random {
	uint64_t state;
};

/* The next number (splitmix64, Steele et al. 2014). */
static inline uint64_t test_random_next(struct test_random *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number below n. */
static inline uint64_t test_random_below(struct test_random *r, uint64_t n)
{
	return test_random_next(r) % n;
}

/* The seed of a random test: always the same one, or TEST_SEED of the
 * environment; 0 or fresh: a new one. Printed, so that a failure can be had
 * again. */
uint64_t test_seed(void);

#endif
