/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strings as numbers.
 *
 * I1. The record is the result, never the step: replay computes nothing and
 *     rounds nothing.
 * I2. The deadline stays as it is, unless INCREX says otherwise.
 */
#include "engine/cmd_string.h"

#include <float.h>
#include <math.h>

#include "engine/string_options.h"
#include "engine/string_value.h"

static void add(struct cmd *c, int64_t delta)
{
	const struct entry *e;
	int64_t value;

	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	if (!string_i64(e, &value)) {
		reply_not_integer(c);
		return;
	}
	if (__builtin_add_overflow(value, delta, &value)) {
		reply_error(c, "ERR increment or decrement would overflow");
		return;
	}
	emit_str_set_i64(c, c->argv[1], value, DEADLINE_KEEP, CAUSE_incrby);
	reply_i64(c, value);
}

/* INCR key. */
void cmd_incr(struct cmd *c)
{
	add(c, 1);
}

/* DECR key. */
void cmd_decr(struct cmd *c)
{
	add(c, -1);
}

/* INCRBY key delta. */
void cmd_incrby(struct cmd *c)
{
	int64_t delta;

	if (arg_i64(c, 2, &delta))
		add(c, delta);
}

/* DECRBY key delta. */
void cmd_decrby(struct cmd *c)
{
	int64_t delta;

	if (!arg_i64(c, 2, &delta))
		return;
	if (delta == INT64_MIN)
		reply_error(c, "ERR decrement would overflow");
	else
		add(c, -delta);
}

static bool arg_long_double(struct cmd *c, unsigned index, long double *out)
{
	if (num_parse_long_double(c->argv[index], out))
		return true;
	reply_error(c, "ERR value is not a valid float");
	return false;
}

/* The value of the key, for adding to; NaN and infinity come later. */
static bool read_long_double(struct cmd *c, const struct entry *e,
			     long double *out)
{
	if (string_long_double(e, out))
		return true;
	reply_error(c, "ERR value is not a valid float");
	return false;
}

static void reply_not_finite(struct cmd *c)
{
	reply_error(c, "ERR increment would produce NaN or Infinity");
}

/* INCRBYFLOAT key delta. */
void cmd_incrbyfloat(struct cmd *c)
{
	char text[NUM_LONG_DOUBLE_SIZE];
	const struct entry *e;
	long double value, delta;
	struct slice result;

	if (!lookup_string_write(c, c->argv[1], &e) ||
	    !read_long_double(c, e, &value) || !arg_long_double(c, 2, &delta))
		return;
	value += delta;
	if (isnan(value) || isinf(value)) {
		reply_not_finite(c);
		return;
	}
	result = slice_of(text, num_format_long_double(text, value));
	emit_str_set(c, c->argv[1], result, DEADLINE_KEEP, CAUSE_incrbyfloat);
	reply_bulk(c, result);
}

/* What INCREX has worked out: the new value, the step really taken, and
 * whether anything is written. */
struct step_i64 {
	int64_t lower, upper, value, applied;
	bool skip;
};

struct step_float {
	long double lower, upper, value, applied;
	bool skip;
};

/* What INCREX does to the deadline; e may be NULL. (I2) */
static uint64_t increx_deadline(const struct string_options *o,
				const struct entry *e)
{
	if (o->given & OPTION_PERSIST)
		return DEADLINE_NONE;
	if (!(o->given & OPTIONS_DEADLINE))
		return DEADLINE_KEEP;
	if ((o->given & OPTION_ENX) && e && entry_deadline(e) != 0)
		return DEADLINE_KEEP;
	return o->deadline;
}

static void increx_store(struct cmd *c, const struct string_options *o,
			 const struct entry *e, struct slice value)
{
	uint64_t deadline = increx_deadline(o, e);
	enum record_cause cause = o->given & OPTION_BYFLOAT ?
					  CAUSE_incrbyfloat : CAUSE_incrby;

	if (!o->dead || deadline == DEADLINE_KEEP)
		emit_str_set(c, c->argv[1], value, deadline, cause);
	else if (e)
		emit_key_del(c, c->argv[1], CAUSE_del);
}

static void reply_bounds_crossed(struct cmd *c)
{
	reply_error(c, "ERR LBOUND is greater than UBOUND");
}

/* False: an error has been replied. */
static bool step_i64(struct cmd *c, const struct string_options *o,
		     const struct entry *e, struct step_i64 *s)
{
	int64_t delta = 1, sum;
	bool above, below;

	s->lower = INT64_MIN;
	s->upper = INT64_MAX;
	if ((o->by_index && !arg_i64(c, o->by_index, &delta)) ||
	    (o->lower_index && !arg_i64(c, o->lower_index, &s->lower)) ||
	    (o->upper_index && !arg_i64(c, o->upper_index, &s->upper)))
		return false;
	if (s->lower > s->upper) {
		reply_bounds_crossed(c);
		return false;
	}
	if (!string_i64(e, &s->value)) {
		reply_not_integer(c);
		return false;
	}
	s->applied = 0;
	if (__builtin_add_overflow(s->value, delta, &sum)) {
		above = delta > 0;
		below = delta < 0;
	} else {
		above = sum > s->upper;
		below = sum < s->lower;
	}
	s->skip = (above || below) && !(o->given & OPTION_SATURATE);
	if (s->skip)
		return true;
	if (above || below)
		sum = above ? s->upper : s->lower;
	if (__builtin_sub_overflow(sum, s->value, &s->applied)) {
		reply_error(c, "ERR increment or decrement would overflow");
		return false;
	}
	s->value = sum;
	return true;
}

static void increx_i64(struct cmd *c, const struct string_options *o,
		       const struct entry *e)
{
	char text[NUM_I64_SIZE];
	struct step_i64 s;

	if (!step_i64(c, o, e, &s))
		return;
	if (!s.skip)
		increx_store(c, o, e,
			     slice_of(text, num_format_i64(text, s.value)));
	reply_array(c, 2);
	reply_i64(c, s.value);
	reply_i64(c, s.applied);
}

/* False: an error has been replied. */
static bool step_float(struct cmd *c, const struct string_options *o,
		       const struct entry *e, struct step_float *s)
{
	long double delta, sum;

	s->lower = -LDBL_MAX;
	s->upper = LDBL_MAX;
	if (!arg_long_double(c, o->by_index, &delta))
		return false;
	if (o->lower_index && !arg_long_double(c, o->lower_index, &s->lower))
		return false;
	if (o->upper_index && !arg_long_double(c, o->upper_index, &s->upper))
		return false;
	if (s->lower > s->upper) {
		reply_bounds_crossed(c);
		return false;
	}
	if (!read_long_double(c, e, &s->value))
		return false;
	if (isinf(delta) || isinf(s->value) || isnan(delta + s->value)) {
		reply_not_finite(c);
		return false;
	}
	s->applied = 0;
	sum = s->value + delta;
	s->skip = (sum > s->upper || sum < s->lower) &&
		  !(o->given & OPTION_SATURATE);
	if (s->skip)
		return true;
	sum = sum > s->upper ? s->upper : sum < s->lower ? s->lower : sum;
	s->applied = sum - s->value;
	s->value = sum;
	if (isinf(sum) || isinf(s->applied)) {
		reply_not_finite(c);
		return false;
	}
	return true;
}

static void reply_long_double(struct cmd *c, long double v)
{
	char text[NUM_LONG_DOUBLE_SIZE];

	if (c->session->protocol >= 3)
		reply_double(c, (double)v);
	else
		reply_bulk(c, slice_of(text, num_format_long_double(text, v)));
}

static void increx_float(struct cmd *c, const struct string_options *o,
			 const struct entry *e)
{
	char text[NUM_LONG_DOUBLE_SIZE];
	struct step_float s;

	if (!step_float(c, o, e, &s))
		return;
	if (!s.skip)
		increx_store(c, o, e,
			     slice_of(text,
				      num_format_long_double(text, s.value)));
	reply_array(c, 2);
	reply_long_double(c, s.value);
	reply_long_double(c, s.applied);
}

/* INCREX key [step] [bounds] [deadline]. */
void cmd_increx(struct cmd *c)
{
	struct string_options o;
	const struct entry *e;

	if (!string_options_parse(c, 2,
				  OPTION_BYINT | OPTION_BYFLOAT |
					  OPTION_LBOUND | OPTION_UBOUND |
					  OPTION_SATURATE | OPTIONS_DEADLINE |
					  OPTION_PERSIST | OPTION_ENX,
				  &o))
		return;
	if ((o.given & OPTION_ENX) && !(o.given & OPTIONS_DEADLINE)) {
		reply_syntax_error(c);
		return;
	}
	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	if (o.given & OPTION_BYFLOAT)
		increx_float(c, &o, e);
	else
		increx_i64(c, &o, e);
}
