/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RENAME, COPY, MOVE, SWAPDB.
 *
 * I1. A small value travels as records: the old key's removal and the new
 *     key's value, each naming one key, so that readers of single keys need
 *     nothing else.  A big one is not written again: key_move and key_copy.
 * I2. The deadline travels with the value.
 */
#include "engine/cmd_key.h"

#include "engine/value_copy.h"
#include "engine/value_ops.h"

/* One key of one database. */
struct place {
	uint32_t db;
	struct slice key;
};

/* Moves a value from c->db's key to `to`, replacing what is there. */
static void move_value(struct cmd *c, struct slice key, const struct place *to,
		       const enum record_cause causes[2])
{
	const struct entry *e = lookup_in(c, c->db, key);
	struct value_target target = { to->db, to->key, causes[1] };
	struct value_copy copy;
	struct record r = {
		.type = REC_key_move,
		.cause = (uint8_t)causes[1],
		.db = c->db,
		.key = key,
		.other = to->key,
		.other_db = to->db,
	};

	if (!value_ops(e)->is_small(e)) { /* I1 */
		emit(c, &r);
		return;
	}
	value_copy_take(&copy, e);
	emit_key_del(c, key, causes[0]);
	value_copy_emit(c, &copy, &target);
	value_copy_release(&copy);
}

static void copy_value(struct cmd *c, struct slice key, const struct place *to)
{
	const struct entry *e = lookup_in(c, c->db, key);
	struct value_target target = { to->db, to->key, CAUSE_copy_to };
	struct value_copy copy;
	struct record r = {
		.type = REC_key_copy,
		.cause = CAUSE_copy_to,
		.db = c->db,
		.key = key,
		.other = to->key,
		.other_db = to->db,
		.deadline = entry_deadline(e), /* I2 */
	};

	if (!value_ops(e)->is_small(e)) { /* I1 */
		emit(c, &r);
		return;
	}
	value_copy_take(&copy, e);
	value_copy_emit(c, &copy, &target);
	value_copy_release(&copy);
}

/* What RENAME and RENAMENX have in common; true: there is something to do. */
static bool rename_begins(struct cmd *c)
{
	if (lookup_write(c, c->argv[1]))
		return true;
	reply_error(c, "ERR no such key");
	return false;
}

static void rename_now(struct cmd *c)
{
	static const enum record_cause causes[2] = { CAUSE_rename_from,
						     CAUSE_rename_to };
	struct place to = { c->db, c->argv[2] };

	move_value(c, c->argv[1], &to, causes);
}

/* RENAME key newkey. */
void cmd_rename(struct cmd *c)
{
	if (!rename_begins(c))
		return;
	if (!slice_equal(c->argv[1], c->argv[2]))
		rename_now(c);
	reply_ok(c);
}

/* RENAMENX key newkey. */
void cmd_renamenx(struct cmd *c)
{
	if (!rename_begins(c))
		return;
	if (lookup_write(c, c->argv[2])) { /* also the same key */
		reply_i64(c, 0);
		return;
	}
	rename_now(c);
	reply_i64(c, 1);
}

/* A database index; false: the error has been replied. */
static bool arg_db(struct cmd *c, unsigned index, uint32_t *db)
{
	int64_t v;

	if (!arg_i64_range(c, index, INT32_MIN, INT32_MAX, &v))
		return false;
	if (v < 0 || v >= c->ks->db_count) {
		reply_error(c, "ERR DB index is out of range");
		return false;
	}
	*db = (uint32_t)v;
	return true;
}

static bool same_place(struct cmd *c, struct slice key, const struct place *to)
{
	if (to->db != c->db || !slice_equal(key, to->key))
		return false;
	reply_error(c, "ERR source and destination objects are the same");
	return true;
}

/* Reads [DB index] [REPLACE]. */
static bool copy_options(struct cmd *c, struct place *to, bool *replace)
{
	unsigned i;

	for (i = 3; i < c->argc; i++) {
		if (arg_is(c, i, "replace")) {
			*replace = true;
		} else if (arg_is(c, i, "db") && i + 1 < c->argc) {
			if (!arg_db(c, ++i, &to->db))
				return false;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* COPY source destination [DB index] [REPLACE]. */
void cmd_copy(struct cmd *c)
{
	struct place to = { c->db, c->argv[2] };
	bool replace = false;

	if (!copy_options(c, &to, &replace) || same_place(c, c->argv[1], &to))
		return;
	if (!lookup_read(c, c->argv[1]) ||
	    (lookup_in(c, to.db, to.key) && !replace)) {
		reply_i64(c, 0);
		return;
	}
	copy_value(c, c->argv[1], &to);
	reply_i64(c, 1);
}

/* MOVE key db. */
void cmd_move(struct cmd *c)
{
	static const enum record_cause causes[2] = { CAUSE_move_from,
						     CAUSE_move_to };
	struct place to = { c->db, c->argv[1] };

	if (!arg_db(c, 2, &to.db) || same_place(c, c->argv[1], &to))
		return;
	if (!lookup_write(c, c->argv[1]) || lookup_in(c, to.db, to.key)) {
		reply_i64(c, 0);
		return;
	}
	move_value(c, c->argv[1], &to, causes);
	reply_i64(c, 1);
}

/* SWAPDB index1 index2. */
void cmd_swapdb(struct cmd *c)
{
	int64_t index[2];
	unsigned i;
	struct record r = { .type = REC_db_swap, .cause = CAUSE_swapdb };

	for (i = 0; i < 2; i++) {
		if (!num_parse_i64(c->argv[i + 1], &index[i]) ||
		    index[i] < INT32_MIN || index[i] > INT32_MAX) {
			reply_error(c, i == 0 ? "ERR invalid first DB index" :
						"ERR invalid second DB index");
			return;
		}
	}
	for (i = 0; i < 2; i++) {
		if (index[i] < 0 || index[i] >= c->ks->db_count) {
			reply_error(c, "ERR DB index is out of range");
			return;
		}
	}
	r.db = (uint32_t)index[0];
	r.other_db = (uint64_t)index[1];
	if (index[0] != index[1])
		emit(c, &r);
	reply_ok(c);
}
