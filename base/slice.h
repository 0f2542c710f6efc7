/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slice: bytes that somebody else owns.  Passed by value; may hold any byte,
 * also 0.  Valid as long as its owner says.
 */
#ifndef REDOUBT_BASE_SLICE_H
#define REDOUBT_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *data;
	size_t size;
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A slice of a string literal. */
#define SLICE_LITERAL(s) ((struct slice){ (const uint8_t *)(s), sizeof(s) - 1 })

static inline struct slice slice_of(const void *data, size_t size)
{
	return (struct slice){ data, size };
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){ (const uint8_t *)s, strlen(s) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Blanks are what isspace() of the C locale says. */
static inline bool ascii_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int ascii_hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Equal but for ASCII case, with a C string. */
static inline bool slice_is(struct slice a, const char *word)
{
	size_t i;

	for (i = 0; i < a.size; i++)
		if (word[i] == 0 ||
		    ascii_lower(a.data[i]) != ascii_lower((uint8_t)word[i]))
			return false;
	return word[i] == 0;
}

#endif
