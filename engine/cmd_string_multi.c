/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * String commands on several keys.
 *
 * I1. All checks over all keys come before the first emit; the records of one
 *     command are one batch, so nobody sees half of it.
 */
#include "engine/cmd_string.h"
#include "engine/string_options.h"
#include "engine/string_value.h"

/* MGET key [key ...]. A key of another type reads as absent. */
void cmd_mget(struct cmd *c)
{
	unsigned i;

	reply_array(c, c->argc - 1);
	for (i = 1; i < c->argc; i++) {
		const struct entry *e = lookup_read(c, c->argv[i]);

		if (e && entry_type(e) == VALUE_string)
			reply_string(c, e);
		else
			reply_null(c);
	}
}

/* How many of the keys at first, first + 2 … exist; the gate covers them. */
static unsigned count_existing(struct cmd *c, unsigned first, unsigned pairs)
{
	unsigned found = 0, i;

	for (i = 0; i < pairs; i++)
		found += lookup_write(c, c->argv[first + 2 * i]) != NULL;
	return found;
}

static void store_pairs(struct cmd *c, unsigned first, unsigned pairs,
			uint64_t deadline)
{
	unsigned i;

	for (i = first; i < first + 2 * pairs; i += 2)
		emit_str_set(c, c->argv[i], c->argv[i + 1], deadline,
			     CAUSE_set);
}

/* MSET key value [key value ...]. */
void cmd_mset(struct cmd *c)
{
	if (c->argc % 2 == 0) {
		reply_wrong_arity(c);
		return;
	}
	store_pairs(c, 1, (c->argc - 1) / 2, DEADLINE_NONE);
	reply_ok(c);
}

/* MSETNX key value [key value ...]. */
void cmd_msetnx(struct cmd *c)
{
	unsigned pairs = (c->argc - 1) / 2;

	if (c->argc % 2 == 0) {
		reply_wrong_arity(c);
		return;
	}
	if (count_existing(c, 1, pairs) > 0) {
		reply_i64(c, 0);
		return;
	}
	store_pairs(c, 1, pairs, DEADLINE_NONE);
	reply_i64(c, 1);
}

/* The key arguments of MSETEX, for COMMAND GETKEYS. */
int keys_msetex(const struct slice *argv, unsigned argc, unsigned *out)
{
	int64_t pairs;
	int i;

	if (argc < 4 || !num_parse_i64(argv[1], &pairs) || pairs < 1 ||
	    pairs > (argc - 2) / 2)
		return -1;
	for (i = 0; i < pairs; i++)
		out[i] = 2 + 2 * (unsigned)i;
	return i;
}

/* MSETEX numkeys key value [key value ...] [condition] [deadline]. */
void cmd_msetex(struct cmd *c)
{
	struct string_options o;
	int64_t number;
	unsigned pairs, found, i;

	if (!num_parse_i64(c->argv[1], &number) || number < 1 ||
	    number > INT32_MAX) {
		reply_error(c, "ERR invalid numkeys value or out of range");
		return;
	}
	if (number > (c->argc - 2) / 2) {
		reply_syntax_error(c);
		return;
	}
	pairs = (unsigned)number;
	if (!string_options_parse(c, 2 + 2 * pairs,
				  OPTION_NX | OPTION_XX | OPTIONS_DEADLINE |
					  OPTION_KEEPTTL,
				  &o))
		return;
	found = 0;
	if (o.given & OPTIONS_CONDITION)
		found = count_existing(c, 2, pairs);
	if (((o.given & OPTION_NX) && found > 0) ||
	    ((o.given & OPTION_XX) && found < pairs)) {
		reply_i64(c, 0);
		return;
	}
	if (!o.dead)
		store_pairs(c, 2, pairs, o.deadline);
	for (i = 0; o.dead && i < pairs; i++)
		if (lookup_write(c, c->argv[2 + 2 * i]))
			emit_key_del(c, c->argv[2 + 2 * i], CAUSE_del);
	reply_i64(c, 1);
}
