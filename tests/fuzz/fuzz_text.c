/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: patterns, and numbers as text.
 *
 * A pattern of a text without special bytes matches the text; numbers that are
 * read and written are read again as the same.
 */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/glob.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_integers(struct slice s)
{
	char text[NUM_I64_SIZE];
	int64_t i, bytes;
	uint64_t u;
	size_t n;

	if (num_parse_i64(s, &i)) {
		n = num_format_i64(text, i);
		if (!slice_equal(s, slice_of(text, n)))
			abort();
		if (i >= 0 && (!num_parse_memory(s, &bytes) || bytes != i))
			abort();
	}
	if (num_parse_u64(s, &u)) {
		n = num_format_u64(text, u);
		if (!slice_equal(s, slice_of(text, n)))
			abort();
	}
	num_parse_memory(s, &bytes);
}

static void check_reals(struct slice s)
{
	static char text[NUM_LONG_DOUBLE_SIZE];
	long double l, read;
	double d, again;
	size_t n;

	if (num_parse_double(s, &d)) {
		n = num_format_double(text, d);
		if (isnan(d) || n > NUM_DOUBLE_SIZE ||
		    !num_parse_double(slice_of(text, n), &again) ||
		    d != again)
			abort();
	}
	if (num_parse_long_double(s, &l) && isfinite(l)) {
		n = num_format_long_double(text, l);
		if (n > sizeof(text) ||
		    !num_parse_long_double(slice_of(text, n), &read))
			abort();
	}
}

/* Each byte of text behind a backslash, or stars and marks in their place. */
static void check_patterns(struct slice text)
{
	struct buf pattern = { 0 };
	size_t i;

	buf_reserve(&pattern, 1);
	for (i = 0; i < text.size; i++) {
		buf_put_byte(&pattern, '\\');
		buf_put_byte(&pattern, text.data[i]);
	}
	if (!glob_match(buf_slice(&pattern), text, false) ||
	    !glob_match(buf_slice(&pattern), text, true))
		abort();
	for (i = 0; i < text.size; i++) {
		pattern.data[2 * i] = '*';
		pattern.data[2 * i + 1] = '?';
	}
	if (!glob_match(buf_slice(&pattern), text, false))
		abort();
	buf_release(&pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice pattern, text;
	uint8_t *copy;
	size_t cut;

	if (size < 2)
		return 0;
	cut = data[0] < size - 1 ? data[0] : size - 1;
	copy = malloc(size); /* of its own: reads behind it are seen */
	if (!copy)
		return 0;
	memcpy(copy, data + 1 + cut, size - 1 - cut);
	text = slice_of(copy, size - 1 - cut);
	pattern = slice_of(data + 1, cut);
	glob_match(pattern, text, data[0] & 1);
	check_patterns(text);
	check_integers(text);
	check_reals(text);
	free(copy);
	return 0;
}
