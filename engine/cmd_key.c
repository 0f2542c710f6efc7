/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that remove keys or look whether they are there.
 *
 * I1. The same key named twice counts as often as it is found: each emit is
 *     seen by the next lookup.
 */
#include "engine/cmd_key.h"

#include "engine/value_ops.h"

/* DEL key [key ...], and UNLINK: big values are freed elsewhere anyway. */
void cmd_del(struct cmd *c)
{
	int64_t removed = 0;
	unsigned i;

	for (i = 1; i < c->argc; i++) {
		if (!lookup_write(c, c->argv[i]))
			continue;
		emit_key_del(c, c->argv[i], CAUSE_del); /* I1 */
		removed++;
	}
	reply_i64(c, removed);
}

typedef const struct entry *lookup_fn(struct cmd *c, struct slice key);

/* Replies how many of the keys there are. */
static void reply_found(struct cmd *c, lookup_fn *lookup)
{
	int64_t found = 0;
	unsigned i;

	for (i = 1; i < c->argc; i++)
		found += lookup(c, c->argv[i]) != NULL;
	reply_i64(c, found);
}

/* EXISTS key [key ...]. */
void cmd_exists(struct cmd *c)
{
	reply_found(c, lookup_peek);
}

/* TOUCH key [key ...]. */
void cmd_touch(struct cmd *c)
{
	reply_found(c, lookup_read);
}

/* TYPE key. */
void cmd_type(struct cmd *c)
{
	const struct entry *e = lookup_peek(c, c->argv[1]);

	reply_simple(c, e ? value_ops(e)->type_name : "none");
}

/* Reads [ASYNC|SYNC]; both free in the background. */
static bool flush_options(struct cmd *c)
{
	if (c->argc == 1 ||
	    (c->argc == 2 && (arg_is(c, 1, "async") || arg_is(c, 1, "sync"))))
		return true;
	reply_syntax_error(c);
	return false;
}

/* FLUSHDB [ASYNC|SYNC]. */
void cmd_flushdb(struct cmd *c)
{
	struct record r = {
		.type = REC_db_flush,
		.cause = CAUSE_flushdb,
		.db = c->db,
	};

	if (!flush_options(c))
		return;
	emit(c, &r);
	reply_ok(c);
}

/* FLUSHALL [ASYNC|SYNC]. */
void cmd_flushall(struct cmd *c)
{
	struct record r = {
		.type = REC_all_flush,
		.cause = CAUSE_flushall,
	};

	if (!flush_options(c))
		return;
	emit(c, &r);
	reply_ok(c);
}
