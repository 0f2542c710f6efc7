/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes, field by field.
 *
 * I1. Setting a field takes its deadline away; changing a number keeps it.
 * I2. The record of a change of a number is the result.
 */
#include "engine/cmd_hash.h"

#include <math.h>

#include "engine/hash_fields.h"

/* Sets argv[2], argv[3], …; returns how many are new. */
static size_t set_fields(struct cmd *c)
{
	struct field_run run = run_begin(c, REC_hash_set, DEADLINE_NONE,
					 CAUSE_hset); /* I1 */
	unsigned i;

	for (i = 2; i < c->argc; i += 2) {
		run_put(&run, c->argv[i]);
		run_put(&run, c->argv[i + 1]);
		run_cut(&run);
	}
	run_emit(&run);
	return run.result;
}

/* False: an error has been replied. */
static bool open_set(struct cmd *c)
{
	const struct entry *e;

	if (c->argc % 2) {
		reply_wrong_arity(c);
		return false;
	}
	return hash_open_write(c, 2, c->argc, 2, &e);
}

/* HSET key field value [field value …]. */
void cmd_hset(struct cmd *c)
{
	if (open_set(c))
		reply_i64(c, (int64_t)set_fields(c));
}

/* HMSET key field value [field value …]. */
void cmd_hmset(struct cmd *c)
{
	if (!open_set(c))
		return;
	set_fields(c);
	reply_ok(c);
}

/* HSETNX key field value. */
void cmd_hsetnx(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;

	if (!hash_open_write(c, 2, 3, 1, &e))
		return;
	if (e && hash_find(e, c->argv[2], &item)) {
		reply_i64(c, 0);
		return;
	}
	set_fields(c);
	reply_i64(c, 1);
}

/* HGET key field. */
void cmd_hget(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;

	if (!hash_open(c, &e))
		return;
	if (hash_live(c, e, c->argv[2], &item))
		reply_bulk(c, item.value);
	else
		reply_null(c);
}

/* HMGET key field [field …]. */
void cmd_hmget(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;
	unsigned i;

	if (!hash_open(c, &e))
		return;
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++) {
		if (hash_live(c, e, c->argv[i], &item))
			reply_bulk(c, item.value);
		else
			reply_null(c);
	}
}

/* HLEN key. */
void cmd_hlen(struct cmd *c)
{
	const struct entry *e;

	if (hash_open(c, &e))
		reply_i64(c, e ? (int64_t)hash_live_count(c, e) : 0);
}

/* HSTRLEN key field. */
void cmd_hstrlen(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;

	if (!hash_open(c, &e))
		return;
	reply_i64(c, hash_live(c, e, c->argv[2], &item) ?
			     (int64_t)item.value.size : 0);
}

/* HEXISTS key field. */
void cmd_hexists(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;

	if (hash_open(c, &e))
		reply_i64(c, hash_live(c, e, c->argv[2], &item));
}

/* HDEL key field [field …]. */
void cmd_hdel(struct cmd *c)
{
	const struct entry *e;
	struct field_run run;
	unsigned i;

	if (!hash_open_write(c, 2, c->argc, 1, &e))
		return;
	run = run_begin(c, REC_hash_del, 0, CAUSE_hdel);
	for (i = 2; i < c->argc && e; i++) {
		struct hash_item item;

		if (!hash_find(e, c->argv[i], &item))
			continue;
		run_put(&run, c->argv[i]);
		if (run_cut(&run))
			e = hash_again(c);
	}
	run_emit(&run);
	reply_i64(c, (int64_t)run.result);
}

/* --- numbers ------------------------------------------------------------ */

/* Sets argv[2] to the result. (I1, I2) */
static void set_number(struct cmd *c, struct slice value,
		       enum record_cause cause)
{
	struct field_run run = run_begin(c, REC_hash_set, DEADLINE_KEEP,
					 cause);

	run_put(&run, c->argv[2]);
	run_put(&run, value);
	run_emit(&run);
}

/* HINCRBY key field increment. */
void cmd_hincrby(struct cmd *c)
{
	const struct entry *e;
	struct hash_item item;
	char text[NUM_I64_SIZE];
	int64_t delta, value = 0;

	if (!arg_i64(c, 3, &delta) || !hash_open_write(c, 2, 3, 1, &e))
		return;
	if (e && hash_find(e, c->argv[2], &item) &&
	    !num_parse_i64(item.value, &value)) {
		reply_error(c, "ERR hash value is not an integer");
		return;
	}
	if (__builtin_add_overflow(value, delta, &value)) {
		reply_error(c, "ERR increment or decrement would overflow");
		return;
	}
	set_number(c, slice_of(text, num_format_i64(text, value)),
		   CAUSE_hincrby);
	reply_i64(c, value);
}

/* The increment; false: an error has been replied. */
static bool arg_increment(struct cmd *c, long double *out)
{
	if (!num_parse_long_double(c->argv[3], out)) {
		reply_error(c, "ERR value is not a valid float");
		return false;
	}
	if (isnan(*out) || isinf(*out)) {
		reply_error(c, "ERR value is NaN or Infinity");
		return false;
	}
	return true;
}

/* HINCRBYFLOAT key field increment. */
void cmd_hincrbyfloat(struct cmd *c)
{
	char text[NUM_LONG_DOUBLE_SIZE];
	const struct entry *e;
	struct hash_item item;
	long double delta, value = 0;
	struct slice result;

	if (!arg_increment(c, &delta) || !hash_open_write(c, 2, 3, 1, &e))
		return;
	if (e && hash_find(e, c->argv[2], &item) &&
	    !num_parse_long_double(item.value, &value)) {
		reply_error(c, "ERR hash value is not a float");
		return;
	}
	value += delta;
	if (isnan(value) || isinf(value)) {
		reply_error(c, "ERR increment would produce NaN or Infinity");
		return;
	}
	result = slice_of(text, num_format_long_double(text, value));
	set_number(c, result, CAUSE_hincrbyfloat);
	reply_bulk(c, result);
}
