/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/glob.h"

#include "base/mem.h"
#include "tests/support/suite.h"

#include <time.h>

static bool match(const char *pattern, const char *text)
{
	return glob_match(slice_str(pattern), slice_str(text), false);
}

START_TEST(glob__literals_match_themselves_only)
{
	ck_assert(match("", ""));
	ck_assert(!match("", "a"));
	ck_assert(!match("a", ""));
	ck_assert(match("key:1", "key:1"));
	ck_assert(!match("key:1", "key:12"));
	ck_assert(!match("key:12", "key:1"));
	ck_assert(!match("Key", "key"));
}
END_TEST

START_TEST(glob__star_matches_any_run)
{
	ck_assert(match("*", ""));
	ck_assert(glob_match(slice_str("*"), slice_of(NULL, 0), false));
	ck_assert(!glob_match(slice_str("?*"), slice_of(NULL, 0), true));
	ck_assert(match("***", "abc"));
	ck_assert(match("a*", "a"));
	ck_assert(match("*c", "abc"));
	ck_assert(match("a*c", "ac"));
	ck_assert(match("a*b*c", "a-b-b-c"));
	ck_assert(!match("a*b*c", "a-c-b"));
	ck_assert(!match("*a", "b"));
	ck_assert(match("*ab", "aaab"));
	ck_assert(match("*aab*", "aaaab"));
}
END_TEST

START_TEST(glob__question_mark_matches_one_byte)
{
	ck_assert(match("?", "a"));
	ck_assert(!match("?", ""));
	ck_assert(!match("?", "ab"));
	ck_assert(match("h?llo", "hello"));
	ck_assert(match("*?", "a"));
	ck_assert(!match("*?", ""));
}
END_TEST

START_TEST(glob__classes_take_sets_ranges_and_negation)
{
	ck_assert(match("h[ae]llo", "hallo"));
	ck_assert(!match("h[ae]llo", "hillo"));
	ck_assert(match("h[^e]llo", "hallo"));
	ck_assert(!match("h[^e]llo", "hello"));
	ck_assert(match("h[a-b]llo", "hbllo"));
	ck_assert(match("h[b-a]llo", "hallo"));
	ck_assert(!match("h[a-b]llo", "hcllo"));
	ck_assert(match("[a-cx-z]", "y"));
	ck_assert(match("[\\]]", "]"));
	ck_assert(match("[\\^a]", "^"));
	ck_assert(match("[a^]", "^"));
	ck_assert(!match("[]", "a"));
	ck_assert(match("[^]", "a"));
}
END_TEST

START_TEST(glob__a_class_without_end_ends_with_the_pattern)
{
	ck_assert(match("[abc", "b"));
	ck_assert(!match("[abc", "d"));
	ck_assert(!match("[abc", "bc"));
	ck_assert(!match("[", "["));
	ck_assert(match("[^", "x"));
	ck_assert(match("[a-", "-"));
	ck_assert(match("[a-", "a"));
	ck_assert(match("[a\\", "\\"));
	ck_assert(match("[a-]", "b") == match("[]-a", "b"));
}
END_TEST

START_TEST(glob__backslash_takes_the_next_byte_as_it_is)
{
	ck_assert(match("\\*", "*"));
	ck_assert(!match("\\*", "a"));
	ck_assert(match("a\\?b", "a?b"));
	ck_assert(match("\\a", "a"));
	ck_assert(match("a\\", "a\\"));
	ck_assert(match("\\[a]", "[a]"));
}
END_TEST

START_TEST(glob__case_can_be_ignored)
{
	ck_assert(
		glob_match(slice_str("MAXMEM*"), slice_str("maxmemory"), true));
	ck_assert(glob_match(slice_str("[A-C]x"), slice_str("bX"), true));
	ck_assert(!glob_match(slice_str("[A-C]x"), slice_str("dX"), true));
}
END_TEST

START_TEST(glob__any_byte_is_text)
{
	ck_assert(
		glob_match(slice_of("a\0*", 3), slice_of("a\0\xff", 3), false));
	ck_assert(!glob_match(slice_of("a\0b", 3), slice_of("a\0c", 3), false));
	ck_assert(glob_match(slice_of("[\x80-\xff]", 5), slice_of("\xfe", 1),
			     false));
}
END_TEST

START_TEST(glob__a_thousand_stars_cost_no_more_than_one)
{
	enum { STARS = 1000, TEXT = 10000 };
	char pattern[STARS * 2 + 1], *text = mem_alloc(TEXT);
	struct timespec from, to;
	int i;

	for (i = 0; i < STARS; i++)
		memcpy(pattern + (ptrdiff_t)i * 2, "a*", 2);
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', TEXT);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	ck_assert(!glob_match(slice_of(pattern, sizeof(pattern)),
			      slice_of(text, TEXT), false));
	for (i = 0; i < STARS; i++)
		memcpy(pattern + (ptrdiff_t)i * 2, "*?", 2);
	ck_assert(!glob_match(slice_of(pattern, sizeof(pattern)),
			      slice_of(text, TEXT), false));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	/* at most 2 * 2001 * 10000 steps */
	ck_assert_int_le(to.tv_sec - from.tv_sec, 2);
	mem_free(text);
}
END_TEST

/* The definition, by recursion; for patterns of a, b, * and ?. */
static bool defined(const char *p, const char *t)
{
	if (*p == 0)
		return *t == 0;
	if (*p == '*')
		return defined(p + 1, t) || (*t && defined(p, t + 1));
	return *t && (*p == '?' || *p == *t) && defined(p + 1, t + 1);
}

START_TEST(glob__agrees_with_the_definition)
{
	struct test_random random = { test_seed() };
	char pattern[9], text[11];
	int n, i;

	for (n = 0; n < 200000; n++) {
		int p_size = (int)test_random_below(&random, 9);
		int t_size = (int)test_random_below(&random, 11);

		for (i = 0; i < p_size; i++)
			pattern[i] = "ab*?"[test_random_below(&random, 4)];
		for (i = 0; i < t_size; i++)
			text[i] = "ab"[test_random_below(&random, 2)];
		pattern[p_size] = text[t_size] = 0;
		ck_assert_msg(match(pattern, text) == defined(pattern, text),
			      "%s on %s", pattern, text);
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS("glob", glob__literals_match_themselves_only,
			 glob__star_matches_any_run,
			 glob__question_mark_matches_one_byte,
			 glob__classes_take_sets_ranges_and_negation,
			 glob__a_class_without_end_ends_with_the_pattern,
			 glob__backslash_takes_the_next_byte_as_it_is,
			 glob__case_can_be_ignored, glob__any_byte_is_text,
			 glob__a_thousand_stars_cost_no_more_than_one,
			 glob__agrees_with_the_definition);
}
