/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything but a star takes exactly one byte of text.  So when something
 * does not match, only the last star needs to take one byte more: if an
 * earlier one could save the day, so could the last.  That is one position to
 * go back to, and at most pattern * text steps.
 */
#include "base/glob.h"

static inline uint8_t fold(uint8_t c, bool ignore_case)
{
	return ignore_case ? ascii_lower(c) : c;
}

/* Does c belong to the class that begins at p, behind its '['?  Sets *end
 * behind the class.  A class without ']' ends with the pattern; a range may
 * be turned round. */
static bool class_match(const uint8_t *p, const uint8_t *pattern_end, uint8_t c,
			bool ignore_case, const uint8_t **end)
{
	bool negated = p < pattern_end && *p == '^';
	bool found = false;

	c = fold(c, ignore_case);
	for (p += negated; p < pattern_end && *p != ']'; p++) {
		size_t left = (size_t)(pattern_end - p);
		uint8_t low, high;

		if (*p == '\\' && left >= 2) {
			p++;
			low = high = fold(*p, ignore_case);
		} else if (left >= 3 && p[1] == '-') {
			low = fold(p[0], ignore_case);
			high = fold(p[2], ignore_case);
			p += 2;
		} else {
			low = high = fold(*p, ignore_case);
		}
		if (low > high) {
			uint8_t swap = low;

			low = high;
			high = swap;
		}
		if (c >= low && c <= high)
			found = true;
	}
	*end = p < pattern_end ? p + 1 : p;
	return found != negated;
}

/* Does the pattern element at p, which is no star, match c?  Sets *next
 * behind it. */
static inline bool one_match(const uint8_t *p, const uint8_t *pattern_end,
			     uint8_t c, bool ignore_case, const uint8_t **next)
{
	switch (*p) {
	case '?':
		*next = p + 1;
		return true;
	case '[':
		return class_match(p + 1, pattern_end, c, ignore_case, next);
	case '\\':
		if (pattern_end - p >= 2)
			p++;
		break;
	}
	*next = p + 1;
	return fold(*p, ignore_case) == fold(c, ignore_case);
}

bool glob_match(struct slice pattern, struct slice text, bool ignore_case)
{
	const uint8_t *p = pattern.data, *t = text.data;
	const uint8_t *p_end = pattern.size ? p + pattern.size : p;
	const uint8_t *t_end = text.size ? t + text.size : t; /* of NULL, too */
	const uint8_t *star = NULL;      /* behind the last star */
	const uint8_t *star_text = NULL; /* where its match ends by now */

	for (;;) {
		const uint8_t *next;

		if (p < p_end && *p == '*') {
			while (p < p_end && *p == '*')
				p++;
			if (p == p_end)
				return true;
			star = p;
			star_text = t;
		}
		if (t == t_end)
			return p == p_end;
		if (p < p_end && one_match(p, p_end, *t, ignore_case, &next)) {
			p = next;
			t++;
		} else if (star != NULL) {
			p = star;
			t = ++star_text;
		} else {
			return false;
		}
	}
}
