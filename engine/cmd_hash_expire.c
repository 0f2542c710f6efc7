/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines of fields: HEXPIRE, HTTL, HPERSIST and their kin.
 *
 * I1. What is logged is the absolute time, worked out from the one clock value
 *     of the command; a time in the past removes the fields at once.
 * I2. A field named twice is asked twice: what was decided is emitted before
 *     the second time.
 */
#include "engine/cmd_hash.h"

#include "engine/hash_fields.h"

enum { NO_FIELD = -2, NO_DEADLINE = -1, NOT_SET = 0, IS_SET = 1, REMOVED = 2 };

/* What a time argument, or a reply, means. */
struct time_form {
	int64_t unit_ms;
	bool absolute;
};

static const struct time_form seconds = { 1000, false };
static const struct time_form milliseconds = { 1, false };
static const struct time_form unix_seconds = { 1000, true };
static const struct time_form unix_milliseconds = { 1, true };

/* --- reading ------------------------------------------------------------ */

static void time_left(struct cmd *c, const struct time_form *form)
{
	const struct entry *e;
	unsigned i;

	if (!hash_open(c, &e) || !arg_fields(c, 2, FIELD_COUNT_ERROR))
		return;
	reply_array(c, c->argc - 4);
	for (i = 4; i < c->argc; i++) {
		struct hash_item item;
		int64_t ms;

		if (!hash_live(c, e, c->argv[i], &item)) {
			reply_i64(c, NO_FIELD);
			continue;
		}
		ms = (int64_t)item.deadline_ms;
		if (ms && !form->absolute)
			ms -= (int64_t)c->now_ms;
		reply_i64(c, ms ? (ms + form->unit_ms - 1) / form->unit_ms :
				  NO_DEADLINE);
	}
}

/* HTTL key FIELDS numfields field … */
void cmd_httl(struct cmd *c)
{
	time_left(c, &seconds);
}

/* HPTTL key FIELDS numfields field … */
void cmd_hpttl(struct cmd *c)
{
	time_left(c, &milliseconds);
}

/* HEXPIRETIME key FIELDS numfields field … */
void cmd_hexpiretime(struct cmd *c)
{
	time_left(c, &unix_seconds);
}

/* HPEXPIRETIME key FIELDS numfields field … */
void cmd_hpexpiretime(struct cmd *c)
{
	time_left(c, &unix_milliseconds);
}

/* --- setting ------------------------------------------------------------ */

enum expire_flags {
	EXPIRE_NX = 1, /* only without a deadline */
	EXPIRE_XX = 2, /* only with one */
	EXPIRE_GT = 4, /* only a later one; none is latest */
	EXPIRE_LT = 8, /* only an earlier one */
};

static unsigned arg_condition(const struct cmd *c)
{
	if (arg_is(c, 3, "nx"))
		return EXPIRE_NX;
	if (arg_is(c, 3, "xx"))
		return EXPIRE_XX;
	if (arg_is(c, 3, "gt"))
		return EXPIRE_GT;
	return arg_is(c, 3, "lt") ? EXPIRE_LT : 0;
}

/* Whether a field that has `old` (0: none) may get `when`. */
static bool condition_allows(unsigned flags, uint64_t old, uint64_t when)
{
	switch (flags) {
	case EXPIRE_NX:
		return old == 0;
	case EXPIRE_XX:
		return old != 0;
	case EXPIRE_GT:
		return old != 0 && when > old;
	case EXPIRE_LT:
		return old == 0 || when < old;
	default:
		return true;
	}
}

/* A change of deadlines, field by field. */
struct change {
	struct cmd *c;
	const struct entry *e;
	struct field_run run;
	uint64_t when_ms;
	unsigned flags;
	bool persist; /* takes the deadline away */
};

static int set_one(struct change *change, struct slice field)
{
	struct hash_item item;

	if (run_meet(&change->run, field)) /* I2 */
		change->e = hash_again(change->c);
	if (!change->e || !hash_find(change->e, field, &item))
		return NO_FIELD;
	if (change->persist && item.deadline_ms == 0)
		return NO_DEADLINE;
	if (!condition_allows(change->flags, item.deadline_ms,
			      change->when_ms))
		return NOT_SET;
	run_put(&change->run, field);
	return change->run.record.type == REC_hash_del ? REMOVED : IS_SET;
}

static void set_all(struct change *change, unsigned first)
{
	struct cmd *c = change->c;
	unsigned i;

	reply_array(c, c->argc - first);
	for (i = first; i < c->argc; i++)
		reply_i64(c, set_one(change, c->argv[i]));
	run_emit(&change->run);
}

static void expire_fields(struct cmd *c, const struct time_form *form)
{
	struct change change = { .c = c };
	unsigned at;

	if (!lookup_typed_write(c, c->argv[1], VALUE_hash, &change.e) ||
	    !arg_field_time(c, 2, form->unit_ms, form->absolute,
			    &change.when_ms))
		return;
	change.flags = arg_condition(c);
	at = change.flags ? 4 : 3;
	if (!arg_fields(c, at, "ERR Parameter `numFields` should be greater "
			       "than 0") ||
	    !hash_open_write(c, at + 2, c->argc, 1, &change.e))
		return;
	if (change.when_ms <= c->now_ms) /* I1 */
		change.run = run_begin(c, REC_hash_del, 0, CAUSE_hdel);
	else
		change.run = run_begin(c, REC_hash_expire, change.when_ms,
				       CAUSE_hexpire);
	set_all(&change, at + 2);
}

/* HEXPIRE key seconds [NX|XX|GT|LT] FIELDS numfields field … */
void cmd_hexpire(struct cmd *c)
{
	expire_fields(c, &seconds);
}

/* HPEXPIRE key milliseconds [NX|XX|GT|LT] FIELDS numfields field … */
void cmd_hpexpire(struct cmd *c)
{
	expire_fields(c, &milliseconds);
}

/* HEXPIREAT key unix-seconds [NX|XX|GT|LT] FIELDS numfields field … */
void cmd_hexpireat(struct cmd *c)
{
	expire_fields(c, &unix_seconds);
}

/* HPEXPIREAT key unix-milliseconds [NX|XX|GT|LT] FIELDS numfields field … */
void cmd_hpexpireat(struct cmd *c)
{
	expire_fields(c, &unix_milliseconds);
}

/* HPERSIST key FIELDS numfields field … */
void cmd_hpersist(struct cmd *c)
{
	struct change change = { .c = c, .persist = true };

	if (!lookup_typed_write(c, c->argv[1], VALUE_hash, &change.e) ||
	    !arg_fields(c, 2, FIELD_COUNT_ERROR) ||
	    !hash_open_write(c, 4, c->argc, 1, &change.e))
		return;
	change.run = run_begin(c, REC_hash_expire, 0, CAUSE_hpersist);
	set_all(&change, 4);
}
