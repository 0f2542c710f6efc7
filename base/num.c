/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include "base/checked.h"

#include <errno.h>
#include <float.h>
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

/* A plain decimal of up to so many digits: v / 10^places. */
static bool parse_plain(struct slice s, size_t digits_max, uint64_t *v,
			size_t *places)
{
	size_t i, digits = 0, point = s.size;

	if (s.size > digits_max + 1)
		return false;
	*v = 0;
	for (i = 0; i < s.size; i++) {
		if (s.data[i] == '.' && point == s.size) {
			point = i + 1;
			continue;
		}
		if (!is_digit(s.data[i]))
			return false;
		*v = *v * 10 + (s.data[i] - '0');
		digits++;
	}
	*places = s.size - point;
	return digits > 0 && digits <= digits_max;
}

static const long double powers[] = {
	1e0L,  1e1L,  1e2L,	 1e3L,	1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
	1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
};

static struct slice without_sign(struct slice s, bool *negative)
{
	*negative = s.size > 0 && s.data[0] == '-';
	return slice_of(s.data + *negative, s.size - *negative);
}

/* Of up to 15 digits: both numbers are exact doubles, so one division rounds
 * correctly (Clinger 1990). */
static bool parse_simple(struct slice s, double *out)
{
	uint64_t v;
	size_t places;
	bool negative;

	if (!parse_plain(without_sign(s, &negative), 15, &v, &places))
		return false;
	*out = (double)v / (double)powers[places];
	if (negative)
		*out = -*out;
	return true;
}

/* The same for up to 19 digits, which a long double of 64 bits holds. */
static bool parse_simple_long(struct slice s, long double *out)
{
	uint64_t v;
	size_t places;
	bool negative;

	if (LDBL_MANT_DIG < 64 ||
	    !parse_plain(without_sign(s, &negative), 19, &v, &places))
		return false;
	*out = (long double)v / powers[places];
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

	if (parse_simple_long(s, out))
		return true;
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
