/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of SET, GETEX, MSETEX, INCREX, DELEX.
 *
 * I1. Words are read first, times afterwards: a syntax error is told before a
 *     bad time, as clients' tests expect.
 */
#include "engine/string_options.h"

#include <stddef.h>

#include "engine/string_value.h"

#define NO_INDEX SIZE_MAX
#define INDEX_OF(member) offsetof(struct string_options, member)
#define TIMES (OPTIONS_DEADLINE | OPTION_KEEPTTL | OPTION_PERSIST)

/* excludes: options that must not have been given before this one. */
struct option_word {
	const char *word;
	uint32_t option;
	uint32_t excludes;
	size_t index; /* where the place of its argument goes */
};

static const struct option_word words[] = {
	{ "nx", OPTION_NX, OPTIONS_CONDITION & ~OPTION_NX, NO_INDEX },
	{ "xx", OPTION_XX, OPTIONS_CONDITION & ~OPTION_XX, NO_INDEX },
	{ "ifeq", OPTION_IFEQ, OPTIONS_CONDITION, INDEX_OF(condition_index) },
	{ "ifne", OPTION_IFNE, OPTIONS_CONDITION, INDEX_OF(condition_index) },
	{ "ifdeq", OPTION_IFDEQ, OPTIONS_CONDITION, INDEX_OF(condition_index) },
	{ "ifdne", OPTION_IFDNE, OPTIONS_CONDITION, INDEX_OF(condition_index) },
	{ "get", OPTION_GET, 0, NO_INDEX },
	{ "ex", OPTION_EX, TIMES & ~OPTION_EX, INDEX_OF(deadline_index) },
	{ "px", OPTION_PX, TIMES & ~OPTION_PX, INDEX_OF(deadline_index) },
	{ "exat", OPTION_EXAT, TIMES & ~OPTION_EXAT, INDEX_OF(deadline_index) },
	{ "pxat", OPTION_PXAT, TIMES & ~OPTION_PXAT, INDEX_OF(deadline_index) },
	{ "keepttl", OPTION_KEEPTTL, TIMES & ~OPTION_KEEPTTL, NO_INDEX },
	{ "persist", OPTION_PERSIST, TIMES & ~OPTION_PERSIST, NO_INDEX },
	{ "enx", OPTION_ENX, 0, NO_INDEX },
	{ "byint", OPTION_BYINT, OPTION_BYINT | OPTION_BYFLOAT,
	  INDEX_OF(by_index) },
	{ "byfloat", OPTION_BYFLOAT, OPTION_BYINT | OPTION_BYFLOAT,
	  INDEX_OF(by_index) },
	{ "lbound", OPTION_LBOUND, OPTION_LBOUND, INDEX_OF(lower_index) },
	{ "ubound", OPTION_UBOUND, OPTION_UBOUND, INDEX_OF(upper_index) },
	{ "saturate", OPTION_SATURATE, 0, NO_INDEX },
};

static const struct option_word *find_word(struct slice s, uint32_t allowed)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if ((words[i].option & allowed) && slice_is(s, words[i].word))
			return &words[i];
	return NULL;
}

bool string_options_parse(struct cmd *c, unsigned first, uint32_t allowed,
			  struct string_options *o)
{
	unsigned i;

	*o = (struct string_options){ .deadline = DEADLINE_NONE };
	for (i = first; i < c->argc; i++) {
		const struct option_word *w = find_word(c->argv[i], allowed);

		if (!w || (o->given & w->excludes) ||
		    (w->index != NO_INDEX && i + 1 == c->argc)) {
			reply_syntax_error(c);
			return false;
		}
		o->given |= w->option;
		if (w->index != NO_INDEX)
			*(unsigned *)((char *)o + w->index) = ++i;
	}
	if (o->given & OPTION_KEEPTTL)
		o->deadline = DEADLINE_KEEP;
	if (!(o->given & OPTIONS_DEADLINE))
		return true;
	if (!deadline_arg(c, o->deadline_index, o->given & OPTIONS_DEADLINE,
			  &o->deadline))
		return false;
	o->dead = o->deadline <= c->now_ms;
	return true;
}

bool deadline_arg(struct cmd *c, unsigned index, uint32_t unit,
		  uint64_t *deadline_ms)
{
	int64_t base = 0, t;

	if (unit & (OPTION_EX | OPTION_PX))
		base = (int64_t)c->now_ms;
	if (!arg_i64(c, index, &t))
		return false;
	if (t <= 0 ||
	    ((unit & (OPTION_EX | OPTION_EXAT)) && t > INT64_MAX / 1000))
		goto invalid;
	if (unit & (OPTION_EX | OPTION_EXAT))
		t *= 1000;
	if (__builtin_add_overflow(t, base, &t))
		goto invalid;
	*deadline_ms = (uint64_t)t;
	if (*deadline_ms > DEADLINE_MAX_MS)
		*deadline_ms = DEADLINE_MAX_MS;
	if (*deadline_ms <= DEADLINE_KEEP)
		*deadline_ms = DEADLINE_KEEP + 1;
	return true;

invalid:
	reply_errorf(c, "ERR invalid expire time in '%s' command",
		     c->command->name);
	return false;
}

/* Sixteen hexadecimal digits, as DIGEST writes them. */
static bool parse_digest(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (s.size != 16)
		return false;
	for (i = 0; i < s.size; i++) {
		uint8_t d = ascii_lower(s.data[i]);

		if (d >= '0' && d <= '9')
			d -= '0';
		else if (d >= 'a' && d <= 'f')
			d -= 'a' - 10;
		else
			return false;
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

static bool value_condition(struct cmd *c, const struct string_options *o,
			    const struct entry *e)
{
	struct slice operand = c->argv[o->condition_index];
	bool wants_equal = o->given & (OPTION_IFEQ | OPTION_IFDEQ);
	uint64_t digest = 0;

	if ((o->given & (OPTION_IFDEQ | OPTION_IFDNE)) &&
	    !parse_digest(operand, &digest)) {
		reply_error(c, "ERR a digest has exactly 16 hexadecimal "
			       "characters");
		return false;
	}
	if (!e)
		return !wants_equal;
	if (entry_type(e) != VALUE_string) {
		reply_wrong_type(c);
		return false;
	}
	if (o->given & (OPTION_IFEQ | OPTION_IFNE))
		return string_equal(e, operand) == wants_equal;
	return (string_hash64(e) == digest) == wants_equal;
}

bool string_condition(struct cmd *c, const struct string_options *o,
		      const struct entry *e)
{
	if (o->given & OPTION_NX)
		return e == NULL;
	if (o->given & OPTION_XX)
		return e != NULL;
	if (o->given & OPTIONS_ON_VALUE)
		return value_condition(c, o, e);
	return true;
}
