/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floating point numbers as text.
 *
 * Nearly all numbers that anybody counts with are neither tiny nor huge: their
 * decimals are worked out exactly in integers of 128 bits.  The others are left
 * to printf, which gives the same digits, but takes its time.
 */
#include "base/num.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define POWER_OF_5_MAX 27
#define POWER_OF_10_MAX 19

static uint64_t powers_of_5[POWER_OF_5_MAX + 1] = { 1 };
static uint64_t powers_of_10[POWER_OF_10_MAX + 1] = { 1 };

__attribute__((constructor)) static void powers_init(void)
{
	unsigned i;

	for (i = 1; i <= POWER_OF_5_MAX; i++)
		powers_of_5[i] = powers_of_5[i - 1] * 5;
	for (i = 1; i <= POWER_OF_10_MAX; i++)
		powers_of_10[i] = powers_of_10[i - 1] * 10;
}

/* --- the shortest text ---------------------------------------------------- */

/* A double: m * 2^e, m of 53 bits. */
struct binary {
	uint64_t m;
	int e;
};

/* A decimal: digits / 10^scale. */
struct decimal {
	uint64_t digits;
	int scale;
};

/* The decimal of this scale that is nearest to b; *same: it reads back as b,
 * being nearer to it than half the way to the next double.  Below a power of
 * two the next one is half as far. */
static uint64_t nearest(const struct binary *b, int scale, bool *same)
{
	unsigned __int128 x = (unsigned __int128)b->m * powers_of_5[scale];
	unsigned __int128 up, error;
	int shift = -(b->e + scale); /* x is of units of 2^-shift */
	uint64_t digits;

	assert(shift >= 0);
	digits = (uint64_t)(x >> shift);
	error = x - ((unsigned __int128)digits << shift);
	up = ((unsigned __int128)1 << shift) - error;
	if (error > up || (error == up && (digits & 1))) {
		digits++;
		error = up;
	} else if (b->m == UINT64_C(1) << 52) {
		error *= 2;
	}
	*same = 2 * error < powers_of_5[scale] ||
		(2 * error == powers_of_5[scale] && !(b->m & 1));
	return digits;
}

/* Whether v > 0 is one whose decimals of 17 digits fit into the integers. */
static bool is_moderate(double v)
{
	return v >= 1e-10 && v < 1e15;
}

/* The decimal exponent of the first digit of a moderate v. */
static int first_exponent(double v, int binary_exponent)
{
	static const double small[] = { 1,    1e-1, 1e-2, 1e-3, 1e-4, 1e-5,
					1e-6, 1e-7, 1e-8, 1e-9, 1e-10 };
	/* log10(2) = 1233 / 4096: right, or one too low */
	int exponent = binary_exponent * 1233 >> 12;
	double next = exponent >= 0 ? (double)powers_of_10[exponent + 1] :
				      small[-exponent - 1];

	return exponent + (v >= next);
}

/* The shortest decimal that reads back as v, which has a fraction. Every
 * decimal of up to 15 digits survives a double, so these come first. */
static struct decimal shortest_decimal(double v)
{
	struct binary b;
	struct decimal d;
	int exponent, precision = 15;
	bool same;

	b.m = (uint64_t)ldexp(frexp(v, &b.e), 53);
	b.e -= 53;
	exponent = first_exponent(v, b.e + 52);
	do {
		d.scale = precision - 1 - exponent;
		d.digits = nearest(&b, d.scale, &same);
	} while (!same && ++precision <= 17);
	assert(same);
	for (; d.digits % 10000 == 0; d.scale -= 4)
		d.digits /= 10000;
	for (; d.digits % 10 == 0; d.scale--)
		d.digits /= 10;
	return d;
}

/* The same by trying; the digits, without trailing zeros, and the decimal
 * exponent of the first one.  Shorter ones only pay for denormals. */
static size_t try_digits(double v, char *digits, int *exponent)
{
	int precision = v < 2.2250738585072014e-308 ? 1 : 15;
	char text[NUM_DOUBLE_SIZE];
	size_t count;

	for (;; precision++) {
		assert(precision <= 17);
		snprintf(text, sizeof(text), "%.*e", precision - 1, v);
		if (strtod(text, NULL) == v)
			break;
	}
	digits[0] = text[0];
	count = (size_t)precision;
	memcpy(digits + 1, text + 2, count - 1);
	while (count > 1 && digits[count - 1] == '0')
		count--;
	*exponent = atoi(strchr(text, 'e') + 1);
	return count;
}

static size_t shortest_digits(double v, char *digits, int *exponent)
{
	struct decimal d;
	size_t count;

	if (!is_moderate(v))
		return try_digits(v, digits, exponent);
	d = shortest_decimal(v);
	count = num_format_u64(digits, d.digits);
	*exponent = (int)count - 1 - d.scale;
	return count;
}

static size_t put_zeros(char *out, int count)
{
	memset(out, '0', (size_t)count);
	return (size_t)count;
}

/* Digits as a number: plain where that is no longer than a few zeros. */
static size_t place_point(char *out, const char *digits, int count,
			  int exponent)
{
	int zeros = exponent - count + 1; /* behind the digits, if > 0 */
	int size = 0;

	if (zeros >= 0 && exponent < count + 7) {
		memcpy(out, digits, (size_t)count);
		return (size_t)count + put_zeros(out + count, zeros);
	}
	if (zeros < 0 && exponent >= 0 && (zeros > -7 || exponent < 4)) {
		size = exponent + 1;
		memcpy(out, digits, (size_t)size);
		out[size] = '.';
		memcpy(out + size + 1, digits + size, (size_t)(count - size));
		return (size_t)count + 1;
	}
	if (zeros < 0 && exponent < 0 && (zeros > -7 || exponent > -4)) {
		memcpy(out, "0.", 2);
		size = 2 + (int)put_zeros(out + 2, -exponent - 1);
		memcpy(out + size, digits, (size_t)count);
		return (size_t)(size + count);
	}
	out[size++] = digits[0];
	if (count > 1) {
		out[size++] = '.';
		memcpy(out + size, digits + 1, (size_t)count - 1);
		size += count - 1;
	}
	out[size++] = 'e';
	out[size++] = exponent < 0 ? '-' : '+';
	return (size_t)size +
	       num_format_u64(out + size, (uint64_t)abs(exponent));
}

size_t num_format_double(char *out, double v)
{
	const double whole_max = 4611686018427387904.0; /* 2^62 */
	char digits[20];
	size_t sign, count;
	int exponent;

	if (isnan(v))
		return (size_t)(stpcpy(out, "nan") - out);
	if (isinf(v))
		return (size_t)(stpcpy(out, v > 0 ? "inf" : "-inf") - out);
	if (v == 0 && signbit(v))
		return (size_t)(stpcpy(out, "-0") - out);
	if (v > -whole_max && v < whole_max && v == (double)(int64_t)v)
		return num_format_i64(out, (int64_t)v);

	sign = v < 0;
	if (sign)
		out[0] = '-';
	count = shortest_digits(fabs(v), digits, &exponent);
	return sign + place_point(out + sign, digits, (int)count, exponent);
}

/* --- so many digits behind the point -------------------------------------- */

/* The first `decimals` digits of v in [0, 1), rounded as printf does: 10 to
 * that power if it becomes 1. */
static uint64_t fraction_digits(long double v, unsigned decimals)
{
	int e;
	uint64_t digits, m = (uint64_t)ldexpl(frexpl(v, &e), 64);
	unsigned __int128 x = (unsigned __int128)m * powers_of_10[decimals];
	unsigned __int128 rest, half;

	e = 64 - e; /* x is of units of 2^-e */
	if (v == 0 || e > 127)
		return 0;
	digits = (uint64_t)(x >> e);
	rest = x - ((unsigned __int128)digits << e);
	half = (unsigned __int128)1 << (e - 1);
	return digits + (rest > half || (rest == half && (digits & 1)));
}

/* As printf("%.*Lf"), of what is below 2^63. */
static size_t put_fixed(char *out, long double v, unsigned decimals)
{
	char digits[NUM_I64_SIZE];
	uint64_t whole, part;
	size_t size = 0, count;

	if (signbit(v)) {
		out[size++] = '-';
		v = -v;
	}
	whole = (uint64_t)v;
	part = fraction_digits(v - (long double)whole, decimals);
	if (part == powers_of_10[decimals]) {
		part = 0;
		whole++;
	}
	size += num_format_u64(out + size, whole);
	out[size++] = '.';
	count = num_format_u64(digits, part);
	size += put_zeros(out + size, (int)(decimals - count));
	memcpy(out + size, digits, count);
	return size + count;
}

static bool is_short(long double v)
{
	return v > -0x1p63L && v < 0x1p63L;
}

size_t num_format_fixed(char *out, double v, unsigned decimals)
{
	assert(decimals >= 1 && decimals <= 17);
	if (is_short(v))
		return put_fixed(out, v, decimals);
	return (size_t)snprintf(out, NUM_FIXED_SIZE, "%.*f", (int)decimals, v);
}

size_t num_format_long_double(char *out, long double v)
{
	int size;

	if (isinf(v))
		return (size_t)(stpcpy(out, v > 0 ? "inf" : "-inf") - out);
	if (is_short(v))
		size = (int)put_fixed(out, v, 17);
	else
		size = snprintf(out, NUM_LONG_DOUBLE_SIZE, "%.17Lf", v);
	assert(size > 0 && size < NUM_LONG_DOUBLE_SIZE);
	if (memchr(out, '.', (size_t)size) != NULL) {
		while (out[size - 1] == '0')
			size--;
		if (out[size - 1] == '.')
			size--;
	}
	if (size == 2 && memcmp(out, "-0", 2) == 0) {
		out[0] = '0';
		size = 1;
	}
	return (size_t)size;
}
