/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include "base/checked.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Longest text that is read as a floating point number. */
#define FLOAT_TEXT_MAX NUM_LONG_DOUBLE_SIZE

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Digits only, no leading 0 but "0" itself. */
static bool parse_digits(const uint8_t *p, size_t size, uint64_t *out)
{
	const uint8_t *end = p + size;
	uint64_t v = 0;

	if (size == 0 || size > 20 || (*p == '0' && size > 1))
		return false;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return false;
		/* only the 20th digit can overflow */
		if (end - p == 1 && size == 20 &&
		    (__builtin_mul_overflow(v, 10u, &v) ||
		     __builtin_add_overflow(v, *p - '0', &v)))
			return false;
		if (end - p > 1 || size < 20)
			v = v * 10 + (*p - '0');
	}
	*out = v;
	return true;
}

bool num_parse_u64(struct slice s, uint64_t *out)
{
	return parse_digits(s.data, s.size, out);
}

bool num_parse_i64(struct slice s, int64_t *out)
{
	bool negative = s.size > 0 && s.data[0] == '-';
	uint64_t v;

	if (!parse_digits(s.data + negative, s.size - negative, &v))
		return false;
	if (negative ? v - 1 > (uint64_t)INT64_MAX : v > (uint64_t)INT64_MAX)
		return false; /* v - 1 also turns "-0" away */
	*out = (int64_t)(negative ? 0 - v : v);
	return true;
}

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233"
	"34353637383940414243444546474849505152535455565758596061626364656667"
	"6869707172737475767778798081828384858687888990919293949596979899";

size_t num_format_u64(char *out, uint64_t v)
{
	char text[20], *p = text + sizeof(text);
	size_t size;

	while (v >= 100) {
		p -= 2;
		memcpy(p, digit_pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		p -= 2;
		memcpy(p, digit_pairs + v * 2, 2);
	} else {
		*--p = (char)('0' + v);
	}
	size = (size_t)(text + sizeof(text) - p);
	memcpy(out, p, size);
	return size;
}

size_t num_format_i64(char *out, int64_t v)
{
	if (v >= 0)
		return num_format_u64(out, (uint64_t)v);
	*out = '-';
	return 1 + num_format_u64(out + 1, 0 - (uint64_t)v);
}

/* Copies s into a C string for strtod, which would skip leading space. */
static bool float_text(struct slice s, char *text)
{
	if (s.size == 0 || s.size >= FLOAT_TEXT_MAX)
		return false;
	if (s.data[0] == ' ' || (s.data[0] >= '\t' && s.data[0] <= '\r'))
		return false;
	memcpy(text, s.data, s.size);
	text[s.size] = 0;
	return true;
}

/* Plain decimals of up to 15 digits: both numbers are exact doubles, so one
 * division rounds correctly (Clinger 1990). */
static bool parse_simple(struct slice s, double *out)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3, 1e4,  1e5,
					 1e6,  1e7,  1e8,  1e9, 1e10, 1e11,
					 1e12, 1e13, 1e14, 1e15 };
	bool negative = s.size > 0 && s.data[0] == '-';
	size_t i, digits = 0, point = s.size;
	uint64_t v = 0;

	if (s.size > 17)
		return false;
	for (i = negative; i < s.size; i++) {
		if (s.data[i] == '.' && point == s.size) {
			point = i + 1;
			continue;
		}
		if (!is_digit(s.data[i]))
			return false;
		v = v * 10 + (s.data[i] - '0');
		digits++;
	}
	if (digits == 0 || digits > 15)
		return false;
	*out = (double)v / powers[s.size - point];
	if (negative)
		*out = -*out;
	return true;
}

bool num_parse_double(struct slice s, double *out)
{
	char text[FLOAT_TEXT_MAX], *end;
	double v;

	if (parse_simple(s, out))
		return true;
	if (!float_text(s, text))
		return false;
	errno = 0;
	v = strtod(text, &end);
	if (end != text + s.size || isnan(v))
		return false;
	/* over- and underflow, but not a denormal */
	if (errno == ERANGE && (isinf(v) || v == 0))
		return false;
	*out = v;
	return true;
}

bool num_parse_long_double(struct slice s, long double *out)
{
	char text[FLOAT_TEXT_MAX], *end;
	long double v;

	if (!float_text(s, text))
		return false;
	errno = 0;
	v = strtold(text, &end);
	if (end != text + s.size || isnan(v))
		return false;
	if (errno == ERANGE && (isinf(v) || v == 0))
		return false;
	*out = v;
	return true;
}

/* The shortest decimal that reads back as v > 0: its digits, without
 * trailing zeros, and the decimal exponent of the first one. Every decimal of
 * up to 15 digits survives a double, so shorter ones only pay for denormals. */
static size_t shortest_digits(double v, char *digits, int *exponent)
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

size_t num_format_long_double(char *out, long double v)
{
	int size;

	if (isinf(v))
		return (size_t)(stpcpy(out, v > 0 ? "inf" : "-inf") - out);
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

bool num_parse_memory(struct slice s, int64_t *out)
{
	static const struct {
		const char *unit;
		int64_t factor;
	} units[] = {
		{ "", 1 },
		{ "b", 1 },
		{ "k", 1000 },
		{ "kb", 1024 },
		{ "m", 1000 * 1000 },
		{ "mb", 1024 * 1024 },
		{ "g", 1000 * 1000 * 1000 },
		{ "gb", 1024 * 1024 * 1024 },
	};
	struct slice unit;
	size_t digits = 0, i;
	int64_t v = 0;

	while (digits < s.size && is_digit(s.data[digits])) {
		if (!i64_mul(v, 10, &v) ||
		    !i64_add(v, s.data[digits] - '0', &v))
			return false;
		digits++;
	}
	if (digits == 0)
		return false;
	unit = slice_of(s.data + digits, s.size - digits);
	for (i = 0; i < ARRAY_LEN(units); i++)
		if (slice_is(unit, units[i].unit))
			return i64_mul(v, units[i].factor, out);
	return false;
}

void num_format_human(char *out, size_t size, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double scaled = (double)bytes;
	int unit = -1;

	if (bytes < 1024) {
		snprintf(out, size, "%uB", (unsigned)bytes);
		return;
	}
	while (scaled >= 1024 && unit < 5) {
		scaled /= 1024;
		unit++;
	}
	snprintf(out, size, "%.2f%c", scaled, units[unit]);
}
