/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers as text, as the protocol has them: strict, locale-free.
 */
#ifndef REDOUBT_BASE_NUM_H
#define REDOUBT_BASE_NUM_H

#include "base/slice.h"

#define NUM_I64_SIZE 21    /* "-9223372036854775808" and a 0 */
#define NUM_DOUBLE_SIZE 32 /* shortest form of any double and a 0 */
#define NUM_FIXED_SIZE 336 /* any double, up to 17 digits behind the point */
#define NUM_LONG_DOUBLE_SIZE (5 * 1024)

/* The whole of s is one canonical integer: no space, no +, no leading 0, no
 * "-0". False leaves *out alone. */
bool num_parse_i64(struct slice s, int64_t *out);

/* As above for unsigned. */
bool num_parse_u64(struct slice s, uint64_t *out);

/* Writes v in decimal without a terminating 0; returns the length. */
size_t num_format_i64(char *out, int64_t v);
size_t num_format_u64(char *out, uint64_t v);

/* The whole of s is a floating point number ("inf" allowed, NaN and leading
 * or trailing space not). */
bool num_parse_double(struct slice s, double *out);
bool num_parse_long_double(struct slice s, long double *out);

/* Shortest text that reads back as v ("inf", "-inf", "nan" too), but whole
 * numbers below 2^62 with every digit, as ZSCORE has it. No terminating
 * 0; returns the length (<= NUM_DOUBLE_SIZE). */
size_t num_format_double(char *out, double v);

/* As printf("%.*f"), 1 to 17 decimals; returns the length (<
 * NUM_FIXED_SIZE). */
size_t num_format_fixed(char *out, double v, unsigned decimals);

/* The form of INCRBYFLOAT: %.17Lf without trailing zeros; returns the length
 * (<= NUM_LONG_DOUBLE_SIZE). https://redis.io/commands/incrbyfloat */
size_t num_format_long_double(char *out, long double v);

/* "10", "1k", "1kb", "5m", "2gb" … as redis.conf has sizes; bytes. */
bool num_parse_memory(struct slice s, int64_t *out);

/* Bytes for people: "1.50M". Writes a C string of at most size bytes. */
void num_format_human(char *out, size_t size, uint64_t bytes);

#endif
