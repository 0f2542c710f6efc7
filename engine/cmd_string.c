/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * String commands that read or replace whole values.
 *
 * I1. What is replied of the old value is replied before the first emit:
 *     afterwards the entry is gone.
 * I2. A value whose deadline has already passed is not stored: the key goes.
 */
#include "engine/cmd_string.h"

#include "engine/string_options.h"
#include "engine/string_value.h"

/* GET key. */
void cmd_get(struct cmd *c)
{
	const struct entry *e;

	if (!lookup_string(c, c->argv[1], &e))
		return;
	if (e)
		reply_string(c, e);
	else
		reply_null(c);
}

/* Stores value, or removes the key if the deadline has passed. (I2) */
static void store(struct cmd *c, struct slice value,
		  const struct string_options *o)
{
	if (!o->dead)
		emit_str_set(c, c->argv[1], value, o->deadline, CAUSE_set);
	else if (lookup_write(c, c->argv[1]))
		emit_key_del(c, c->argv[1], CAUSE_del);
}

static void set_with_options(struct cmd *c)
{
	struct string_options o;
	const struct entry *e;
	bool get;

	if (!string_options_parse(c, 3,
				  OPTIONS_CONDITION | OPTION_GET |
					  OPTIONS_DEADLINE | OPTION_KEEPTTL,
				  &o))
		return;
	get = o.given & OPTION_GET;
	e = lookup_write(c, c->argv[1]);
	if (get && e && entry_type(e) != VALUE_string) {
		reply_wrong_type(c);
		return;
	}
	if (!string_condition(c, &o, e)) {
		if (c->failed)
			return;
		if (get && e)
			reply_string(c, e);
		else
			reply_null(c);
		return;
	}
	if (get && e)
		reply_string(c, e); /* I1 */
	else if (get)
		reply_null(c);
	store(c, c->argv[2], &o);
	if (!get)
		reply_ok(c);
}

/* SET key value [options]. */
void cmd_set(struct cmd *c)
{
	if (c->argc > 3) {
		set_with_options(c);
		return;
	}
	emit_str_set(c, c->argv[1], c->argv[2], DEADLINE_NONE, CAUSE_set);
	reply_ok(c);
}

/* SETNX key value. */
void cmd_setnx(struct cmd *c)
{
	if (lookup_write(c, c->argv[1])) {
		reply_i64(c, 0);
		return;
	}
	emit_str_set(c, c->argv[1], c->argv[2], DEADLINE_NONE, CAUSE_set);
	reply_i64(c, 1);
}

static void set_for(struct cmd *c, uint32_t unit)
{
	struct string_options o = { 0 };

	if (!deadline_arg(c, 2, unit, &o.deadline))
		return;
	o.dead = o.deadline <= c->now_ms;
	store(c, c->argv[3], &o);
	reply_ok(c);
}

/* SETEX key seconds value. */
void cmd_setex(struct cmd *c)
{
	set_for(c, OPTION_EX);
}

/* PSETEX key milliseconds value. */
void cmd_psetex(struct cmd *c)
{
	set_for(c, OPTION_PX);
}

/* Looks the key up for a command that replies its old value and then changes
 * it. False: replied (absent, or no string). */
static bool reply_old(struct cmd *c, const struct entry **e)
{
	if (!lookup_string(c, c->argv[1], e))
		return false;
	if (!*e) {
		reply_null(c);
		return false;
	}
	reply_string(c, *e);
	return true;
}

/* GETSET key value. */
void cmd_getset(struct cmd *c)
{
	const struct entry *e;

	reply_old(c, &e);
	if (!c->failed)
		emit_str_set(c, c->argv[1], c->argv[2], DEADLINE_NONE,
			     CAUSE_set);
}

/* GETDEL key. */
void cmd_getdel(struct cmd *c)
{
	const struct entry *e;

	if (reply_old(c, &e))
		emit_key_del(c, c->argv[1], CAUSE_getdel);
}

/* GETEX key [deadline]. */
void cmd_getex(struct cmd *c)
{
	struct string_options o;
	const struct entry *e;
	bool had_deadline;

	if (!string_options_parse(c, 2, OPTIONS_DEADLINE | OPTION_PERSIST, &o))
		return;
	if (!reply_old(c, &e))
		return;
	had_deadline = entry_deadline(e) != 0;
	if (o.dead)
		emit_key_del(c, c->argv[1], CAUSE_del);
	else if (o.given & OPTIONS_DEADLINE)
		emit_key_expire(c, c->argv[1], o.deadline, CAUSE_getex);
	else if ((o.given & OPTION_PERSIST) && had_deadline)
		emit_key_expire(c, c->argv[1], DEADLINE_NONE, CAUSE_persist);
}

/* DELIFEQ key value. */
void cmd_delifeq(struct cmd *c)
{
	const struct entry *e;

	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	if (!e || !string_equal(e, c->argv[2])) {
		reply_i64(c, 0);
		return;
	}
	emit_key_del(c, c->argv[1], CAUSE_del);
	reply_i64(c, 1);
}

/* DELEX key [condition]. Without a condition any type will do. */
void cmd_delex(struct cmd *c)
{
	struct string_options o;
	const struct entry *e;
	bool wanted;

	if (!string_options_parse(c, 2, OPTIONS_ON_VALUE, &o))
		return;
	e = lookup_write(c, c->argv[1]);
	wanted = string_condition(c, &o, e);
	if (c->failed)
		return;
	if (!e || !wanted) {
		reply_i64(c, 0);
		return;
	}
	emit_key_del(c, c->argv[1], CAUSE_del);
	reply_i64(c, 1);
}

/* DIGEST key. */
void cmd_digest(struct cmd *c)
{
	const struct entry *e;

	if (!lookup_string(c, c->argv[1], &e))
		return;
	if (e)
		reply_bulk_printf(c, "%016llx",
				  (unsigned long long)string_hash64(e));
	else
		reply_null(c);
}

/* STRLEN key. */
void cmd_strlen(struct cmd *c)
{
	const struct entry *e;

	if (lookup_string(c, c->argv[1], &e))
		reply_i64(c, (int64_t)string_size(e));
}
