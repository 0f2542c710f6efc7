/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines: EXPIRE and its kin.
 *
 * I1. What is logged is the absolute time, worked out from the one clock value
 *     of the command.
 * I2. A deadline in the past removes the key at once.
 */
#include "engine/cmd_key.h"

enum expire_flags {
	EXPIRE_NX = 1, /* only without a deadline */
	EXPIRE_XX = 2, /* only with one */
	EXPIRE_GT = 4, /* only a later one; none is latest */
	EXPIRE_LT = 8, /* only an earlier one */
};

/* What the given time means. */
struct time_form {
	int64_t unit_ms;
	bool absolute;
};

static bool arg_flags(struct cmd *c, unsigned *out)
{
	unsigned i;

	*out = 0;
	for (i = 3; i < c->argc; i++) {
		if (arg_is(c, i, "nx")) {
			*out |= EXPIRE_NX;
		} else if (arg_is(c, i, "xx")) {
			*out |= EXPIRE_XX;
		} else if (arg_is(c, i, "gt")) {
			*out |= EXPIRE_GT;
		} else if (arg_is(c, i, "lt")) {
			*out |= EXPIRE_LT;
		} else {
			reply_errorf(c, "ERR Unsupported option %.*s",
				     c->argv[i].size < 128 ?
					     (int)c->argv[i].size : 128,
				     (const char *)c->argv[i].data);
			return false;
		}
	}
	if ((*out & EXPIRE_NX) && (*out & ~(unsigned)EXPIRE_NX)) {
		reply_error(c, "ERR NX and XX, GT or LT options at the same "
			       "time are not compatible");
		return false;
	}
	if ((*out & EXPIRE_GT) && (*out & EXPIRE_LT)) {
		reply_error(c, "ERR GT and LT options at the same time are not "
			       "compatible");
		return false;
	}
	return true;
}

/* The absolute time in ms, perhaps negative; false: replied. (I1) */
static bool arg_time(struct cmd *c, const struct time_form *form, int64_t *out)
{
	int64_t base = form->absolute ? 0 : (int64_t)c->now_ms;

	if (!arg_i64(c, 2, out))
		return false;
	if (!__builtin_mul_overflow(*out, form->unit_ms, out) &&
	    !__builtin_add_overflow(*out, base, out))
		return true;
	reply_errorf(c, "ERR invalid expire time in '%s' command",
		     c->command->name);
	return false;
}

/* Whether the flags let a key that has `old` (0: none) get `when`. */
static bool flags_allow(unsigned flags, uint64_t old, int64_t when)
{
	if ((flags & EXPIRE_NX) && old != 0)
		return false;
	if ((flags & EXPIRE_XX) && old == 0)
		return false;
	if ((flags & EXPIRE_GT) && (old == 0 || when <= (int64_t)old))
		return false;
	if ((flags & EXPIRE_LT) && old != 0 && when >= (int64_t)old)
		return false;
	return true;
}

static void expire_key(struct cmd *c, const struct time_form *form)
{
	const struct entry *e;
	unsigned flags;
	int64_t when;

	if (!arg_flags(c, &flags) || !arg_time(c, form, &when))
		return;
	e = lookup_write(c, c->argv[1]);
	if (!e || !flags_allow(flags, entry_deadline(e), when)) {
		reply_i64(c, 0);
		return;
	}
	if (when <= (int64_t)c->now_ms) /* I2 */
		emit_key_del(c, c->argv[1], CAUSE_del);
	else
		emit_key_expire(c, c->argv[1],
				(uint64_t)when < DEADLINE_MAX_MS ?
					(uint64_t)when : DEADLINE_MAX_MS,
				CAUSE_expire);
	reply_i64(c, 1);
}

/* EXPIRE key seconds [NX|XX|GT|LT]. */
void cmd_expire(struct cmd *c)
{
	static const struct time_form form = { 1000, false };

	expire_key(c, &form);
}

/* PEXPIRE key milliseconds [NX|XX|GT|LT]. */
void cmd_pexpire(struct cmd *c)
{
	static const struct time_form form = { 1, false };

	expire_key(c, &form);
}

/* EXPIREAT key unix-seconds [NX|XX|GT|LT]. */
void cmd_expireat(struct cmd *c)
{
	static const struct time_form form = { 1000, true };

	expire_key(c, &form);
}

/* PEXPIREAT key unix-milliseconds [NX|XX|GT|LT]. */
void cmd_pexpireat(struct cmd *c)
{
	static const struct time_form form = { 1, true };

	expire_key(c, &form);
}

/* The deadline of the key; false: replied -2 (absent) or -1 (none). */
static bool read_deadline(struct cmd *c, int64_t *deadline)
{
	const struct entry *e = lookup_peek(c, c->argv[1]);

	if (e && entry_deadline(e)) {
		*deadline = (int64_t)entry_deadline(e);
		return true;
	}
	reply_i64(c, e ? -1 : -2);
	return false;
}

/* TTL key: seconds left, rounded. */
void cmd_ttl(struct cmd *c)
{
	int64_t deadline;

	if (read_deadline(c, &deadline))
		reply_i64(c, (deadline - (int64_t)c->now_ms + 500) / 1000);
}

/* PTTL key: milliseconds left. */
void cmd_pttl(struct cmd *c)
{
	int64_t deadline;

	if (read_deadline(c, &deadline))
		reply_i64(c, deadline - (int64_t)c->now_ms);
}

/* EXPIRETIME key: the second of 1970 in which it dies. */
void cmd_expiretime(struct cmd *c)
{
	int64_t deadline;

	if (read_deadline(c, &deadline))
		reply_i64(c, (deadline + 500) / 1000);
}

/* PEXPIRETIME key. */
void cmd_pexpiretime(struct cmd *c)
{
	int64_t deadline;

	if (read_deadline(c, &deadline))
		reply_i64(c, deadline);
}

/* PERSIST key. */
void cmd_persist(struct cmd *c)
{
	const struct entry *e = lookup_write(c, c->argv[1]);

	if (!e || entry_deadline(e) == 0) {
		reply_i64(c, 0);
		return;
	}
	emit_key_expire(c, c->argv[1], DEADLINE_NONE, CAUSE_persist);
	reply_i64(c, 1);
}
