/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include "tests/support/suite.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool parse(const char *text, int64_t *out)
{
	return num_parse_i64(slice_str(text), out);
}

START_TEST(num__i64_takes_every_canonical_integer)
{
	static const int64_t values[] = { 0,
					  1,
					  -1,
					  9,
					  10,
					  INT64_MAX,
					  INT64_MIN,
					  INT64_MAX - 1,
					  INT64_MIN + 1,
					  1000000000000000000 };
	char text[NUM_I64_SIZE];
	int64_t back;
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++) {
		char want[32];
		size_t size = num_format_i64(text, values[i]);

		snprintf(want, sizeof(want), "%lld", (long long)values[i]);
		ck_assert_uint_eq(size, strlen(want));
		ck_assert_mem_eq(text, want, size);
		ck_assert(num_parse_i64(slice_of(text, size), &back));
		ck_assert_int_eq(back, values[i]);
	}
}
END_TEST

START_TEST(num__i64_refuses_everything_else)
{
	static const char *const bad[] = {
		"",
		"-",
		"+1",
		" 1",
		"1 ",
		"01",
		"-0",
		"-01",
		"00",
		"1.0",
		"1e3",
		"0x1",
		"9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
		"99999999999999999999",
		"-99999999999999999999",
		"123456789012345678901",
		"--1",
		"1-",
		"a",
		"/",
		":",
	};
	int64_t v = 42;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!parse(bad[i], &v), "%s", bad[i]);
	ck_assert(!num_parse_i64(slice_of("1\0", 2), &v));
	ck_assert_int_eq(v, 42);
}
END_TEST

START_TEST(num__u64_reaches_its_limit_and_no_further)
{
	uint64_t v = 0;
	char text[NUM_I64_SIZE];

	ck_assert(num_parse_u64(slice_str("18446744073709551615"), &v));
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_uint_eq(num_format_u64(text, v), 20);
	ck_assert_mem_eq(text, "18446744073709551615", 20);
	ck_assert(!num_parse_u64(slice_str("18446744073709551616"), &v));
	ck_assert(!num_parse_u64(slice_str("-1"), &v));
	ck_assert(!num_parse_u64(slice_str("01"), &v));
}
END_TEST

START_TEST(num__random_integers_come_back)
{
	struct test_random random = { test_seed() };
	char text[NUM_I64_SIZE];
	int i;

	for (i = 0; i < 100000; i++) {
		int64_t v = (int64_t)test_random_next(&random) >>
			    test_random_below(&random, 64);
		int64_t back;

		ck_assert(num_parse_i64(slice_of(text, num_format_i64(text, v)),
					&back));
		ck_assert_int_eq(back, v);
	}
}
END_TEST

START_TEST(num__double_has_its_shortest_text)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 1, "1" },
		{ -2.5, "-2.5" },
		{ 0.1, "0.1" },
		{ 3.3, "3.3" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ 1e-5, "0.00001" },
		{ 1e-7, "1e-7" },
		{ 123456.75, "123456.75" },
		{ 1e15, "1000000000000000" },
		{ 1e18, "1000000000000000000" },
		{ 1234567890123456789, "1234567890123456768" },
		{ 0.00012345, "1.2345e-4" },
		{ 1e21, "1e+21" },
		{ 45247.56704353624, "4.524756704353624e+4" },
		{ 123456789.123, "123456789.123" },
		{ 4524.756704353624, "4524.756704353624" },
		{ 452.4756704353624, "452.4756704353624" },
		{ 1.5e300, "1.5e+300" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ 5e-324, "5e-324" },
		{ DBL_MIN, "2.2250738585072014e-308" },
		{ INFINITY, "inf" },
		{ -INFINITY, "-inf" },
		{ NAN, "nan" },
	};
	char text[NUM_DOUBLE_SIZE];
	size_t i, size;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		size = num_format_double(text, rows[i].value);
		ck_assert_uint_lt(size, sizeof(text));
		text[size] = 0;
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(num__every_double_comes_back_bit_by_bit)
{
	struct test_random random = { test_seed() };
	char text[NUM_DOUBLE_SIZE];
	int i;

	for (i = 0; i < 200000; i++) {
		uint64_t bits = test_random_next(&random);
		double v, back;
		size_t size;

		memcpy(&v, &bits, sizeof(v));
		if (i & 1)
			v = (double)(int64_t)(bits >> 40) / 100;
		if (isnan(v))
			continue;
		size = num_format_double(text, v);
		ck_assert_uint_lt(size, NUM_DOUBLE_SIZE);
		ck_assert(num_parse_double(slice_of(text, size), &back));
		ck_assert_msg(memcmp(&v, &back, sizeof(v)) == 0, "%.*s",
			      (int)size, text);
	}
}
END_TEST

/* The digits of the shortest decimal, found by trying: "1234" of 1.234e7. */
static void try_digits(double v, char digits[32])
{
	int precision = v < DBL_MIN ? 0 : 14;
	char *p;

	do
		snprintf(digits, 32, "%.*e", precision, fabs(v));
	while (strtod(digits, NULL) != fabs(v) && ++precision);
	*strchr(digits, 'e') = 0;
	if (precision > 0)
		memmove(digits + 1, digits + 2, strlen(digits + 2) + 1);
	for (p = digits + strlen(digits); p > digits + 1 && p[-1] == '0'; p--)
		p[-1] = 0;
}

/* Numbers of all sizes, with long and short fractions, near powers. */
static double random_number(struct test_random *r)
{
	static const double steps[] = { 1,    2,    4,    8,   10,  16,
					100,  1e3,  1e4,  1e6, 1e9, 1e12,
					1e15, 1e-3, 0x1p-20 };
	double v = (double)(test_random_next(r) >> test_random_below(r, 64));
	unsigned i;

	for (i = 0; i < test_random_below(r, 3); i++)
		v /= steps[test_random_below(r, ARRAY_LEN(steps))];
	if (test_random_below(r, 4) == 0)
		v = ldexp(1, (int)test_random_below(r, 90) - 40);
	if (test_random_below(r, 4) == 0)
		v = pow(10, (int)test_random_below(r, 30) - 14);
	for (i = 0; i < test_random_below(r, 4); i++)
		v = nextafter(v, test_random_below(r, 2) ? INFINITY : 0);
	return v;
}

START_TEST(num__no_double_has_a_shorter_text)
{
	struct test_random random = { test_seed() };
	int i;

	for (i = 0; i < 300000; i++) {
		double v = random_number(&random);
		char text[NUM_DOUBLE_SIZE + 1], tried[32], got[32];
		size_t size, count = 0;
		char *p;

		if (v >= 0x1p62 || v == floor(v))
			continue;
		size = num_format_double(text, v);
		text[size] = 0;
		ck_assert(strtod(text, NULL) == v);
		for (p = text; *p && *p != 'e'; p++)
			if (*p != '.' && (count > 0 || *p != '0'))
				got[count++] = *p;
		while (count > 1 && got[count - 1] == '0')
			count--;
		got[count] = 0;
		try_digits(v, tried);
		ck_assert_msg(strcmp(got, tried) == 0, "%.17g: %s, not %s", v,
			      got, tried);
	}
}
END_TEST

START_TEST(num__fixed_is_that_of_printf)
{
	struct test_random random = { test_seed() };
	int i;

	for (i = 0; i < 300000; i++) {
		char text[NUM_FIXED_SIZE], expected[NUM_FIXED_SIZE];
		static char wide[NUM_LONG_DOUBLE_SIZE];
		int decimals = 1 + (int)test_random_below(&random, 17);
		double v = random_number(&random);
		size_t size;

		if (i & 1)
			v = -v;
		if (i % 1000 == 0)
			v = v * 1e250;
		size = num_format_fixed(text, v, (unsigned)decimals);
		text[size] = 0;
		snprintf(expected, sizeof(expected), "%.*f", decimals, v);
		ck_assert_str_eq(text, expected);
		snprintf(expected, sizeof(expected), "%.17Lf", v / 3.0L);
		size = num_format_long_double(wide, v / 3.0L);
		if (memchr(wide, '.', size))
			ck_assert_int_eq(memcmp(wide, expected, size), 0);
	}
}
END_TEST

START_TEST(num__long_double_reads_like_strtold)
{
	struct test_random random = { test_seed() };
	int i;

	for (i = 0; i < 200000; i++) {
		uint64_t digits = test_random_next(&random) >>
				  test_random_below(&random, 64);
		char text[40];
		int size = snprintf(text, sizeof(text), "%s%llu",
				    i & 1 ? "-" : "",
				    (unsigned long long)digits);
		int point = (int)test_random_below(&random,
						   (uint64_t)size) + 1;
		long double v;

		memmove(text + point + 1, text + point,
			(size_t)(size - point) + 1);
		text[point] = '.';
		ck_assert(num_parse_long_double(slice_str(text), &v));
		ck_assert_msg(v == strtold(text, NULL), "%s", text);
	}
}
END_TEST

START_TEST(num__double_reads_like_strtod_but_whole)
{
	struct test_random random = { test_seed() };
	static const char *const good[] = {
		"1.",   ".5",   "-.5",  "+1",   "1e10",     "inf",
		"-INF", "0x10", "0012", "1E-5", "infinity", "123456789012345.25"
	};
	static const char *const bad[] = { "",    ".",     "-",      "1 ",
					   " 1",  "nan",   "1e",     "1..2",
					   "abc", "1e400", "1e-400", "1,5",
					   "--1" };
	double v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_msg(num_parse_double(slice_str(good[i]), &v), "%s",
			      good[i]);
		ck_assert(v == strtod(good[i], NULL));
	}
	for (i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!num_parse_double(slice_str(bad[i]), &v), "%s",
			      bad[i]);
	ck_assert(!num_parse_double(slice_of("1\0", 2), &v));
	for (i = 0; i < 100000; i++) {
		char text[40];
		int size = snprintf(
			text, sizeof(text), "%s%llu.%0*llu", i & 1 ? "-" : "",
			(unsigned long long)test_random_below(&random, 100000),
			(int)test_random_below(&random, 12) + 1,
			(unsigned long long)test_random_below(&random, 1000));

		ck_assert(num_parse_double(slice_of(text, (size_t)size), &v));
		ck_assert_msg(v == strtod(text, NULL), "%s", text);
	}
}
END_TEST

static void check_long_double(const char *in, const char *out)
{
	static char text[NUM_LONG_DOUBLE_SIZE];
	long double v;
	size_t size;

	ck_assert(num_parse_long_double(slice_str(in), &v));
	size = num_format_long_double(text, v);
	text[size] = 0;
	ck_assert_str_eq(text, out);
}

START_TEST(num__long_double_has_the_form_of_incrbyfloat)
{
	static char huge[NUM_LONG_DOUBLE_SIZE];
	long double v;

	check_long_double("3.0e3", "3000");
	check_long_double("10.50", "10.5");
	check_long_double("-0", "0");
	check_long_double("0.1", "0.1");
	check_long_double("6.0e-18", "0.00000000000000001");
	check_long_double("100", "100");
	ck_assert(!num_parse_long_double(slice_str("nan"), &v));
	ck_assert(!num_parse_long_double(slice_str("1e5000"), &v));
	ck_assert(!num_parse_long_double(slice_str(" 1"), &v));
	ck_assert_uint_lt(num_format_long_double(huge, LDBL_MAX),
			  NUM_LONG_DOUBLE_SIZE);
	memset(huge, '1', sizeof(huge));
	ck_assert(!num_parse_long_double(slice_of(huge, sizeof(huge)), &v));
}
END_TEST

START_TEST(num__memory_sizes_have_units)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} rows[] = { { "0", 0 },           { "10", 10 },
		     { "10b", 10 },        { "1k", 1000 },
		     { "1KB", 1024 },      { "5m", 5000000 },
		     { "2mb", 2097152 },   { "3g", 3000000000 },
		     { "2Gb", 2147483648 } };
	static const char *const bad[] = { "",
					   "k",
					   "1x",
					   "1 kb",
					   "-1",
					   "1.5g",
					   "1kbb",
					   "9223372036854775808",
					   "9223372036854775807k" };
	int64_t v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert(num_parse_memory(slice_str(rows[i].text), &v));
		ck_assert_int_eq(v, rows[i].bytes);
	}
	for (i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!num_parse_memory(slice_str(bad[i]), &v), "%s",
			      bad[i]);
}
END_TEST

START_TEST(num__bytes_for_people)
{
	char text[32];

	num_format_human(text, sizeof(text), 1023);
	ck_assert_str_eq(text, "1023B");
	num_format_human(text, sizeof(text), 1536);
	ck_assert_str_eq(text, "1.50K");
	num_format_human(text, sizeof(text), (uint64_t)5 << 30);
	ck_assert_str_eq(text, "5.00G");
	num_format_human(text, sizeof(text), UINT64_MAX);
	ck_assert_str_eq(text, "16.00E");
}
END_TEST

int main(void)
{
	return RUN_TESTS("num", num__i64_takes_every_canonical_integer,
			 num__i64_refuses_everything_else,
			 num__u64_reaches_its_limit_and_no_further,
			 num__random_integers_come_back,
			 num__double_has_its_shortest_text,
			 num__no_double_has_a_shorter_text,
			 num__fixed_is_that_of_printf,
			 num__long_double_reads_like_strtold,
			 num__every_double_comes_back_bit_by_bit,
			 num__double_reads_like_strtod_but_whole,
			 num__long_double_has_the_form_of_incrbyfloat,
			 num__memory_sizes_have_units, num__bytes_for_people);
}
