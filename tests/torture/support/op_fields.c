/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines of the fields of a hash.
 *
 * Beside the value: for each of MEMBERS the span in which its deadline lies.
 * All of them are hours ahead.
 */
#include "tests/torture/support/op_types.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { NO_FIELD = -2, NO_DEADLINE = -1, IS_SET = 1 };

void fields_empty(struct buf *side)
{
	static const struct span none[MEMBERS];

	side->size = 0;
	buf_put(side, none, sizeof(none));
}

struct span *field_spans(struct entry *e)
{
	assert(e->side.size == MEMBERS * sizeof(struct span));
	return (struct span *)(void *)e->side.data;
}

bool fields_agree(const struct buf *side, const struct buf *read)
{
	const struct span *mine = (const void *)side->data;
	const struct span *its = (const void *)read->data;

	for (unsigned i = 0; i < MEMBERS; i++)
		if (!span_holds(mine[i], its[i]))
			return false;
	return true;
}

void fields_describe(struct buf *out, const struct buf *side,
		     const struct buf *read)
{
	const struct span *mine = (const void *)side->data;
	const struct span *its = (const void *)read->data;

	for (unsigned i = 0; i < MEMBERS; i++)
		if (!span_holds(mine[i], its[i]))
			buf_printf(out, "; deadline of m%u: expected %" PRId64
				   "..%" PRId64 ", found %" PRId64, i,
				   mine[i].low, mine[i].high, its[i].low);
}

void fields_take(struct buf *side, const char *at, const char *end)
{
	struct span *spans;

	fields_empty(side);
	spans = (struct span *)(void *)side->data;
	for (unsigned i = 0; i < MEMBERS && at < end; i++) {
		int64_t ms = strtoll(next_word(&at, end), NULL, 10);

		if (ms > 0)
			spans[i] = (struct span){ ms, ms };
	}
}

/* --- operations ----------------------------------------------------------- */

/* The deadline of the fields of the run; the reply ends with the last one. */
static void set_fields(struct model *m, const struct op *op, struct expect *e,
		       struct span when)
{
	struct entry *to = entry_opened(m, op, op->key);
	int64_t last = NO_FIELD;

	for (unsigned i = 0; i < run_length(op); i++) {
		unsigned member = run_member(op, i);
		struct span *at = &field_spans(to)[member];

		last = NO_FIELD;
		if (numbers_of(to)[member] == ABSENT)
			continue;
		last = when.high == 0 && at->high == 0 ? NO_DEADLINE : IS_SET;
		*at = when;
	}
	expect_integer(e, last);
}

static void exec_expire_at(struct model *m, const struct op *op,
			   struct expect *e)
{
	set_fields(m, op, e, (struct span){ op->amount, op->amount });
}

static void exec_expire_in(struct model *m, const struct op *op,
			   struct expect *e)
{
	set_fields(m, op, e, span_from_now(op, op->amount));
}

static void exec_persist(struct model *m, const struct op *op,
			 struct expect *e)
{
	set_fields(m, op, e, (struct span){ 0, 0 });
}

/* What was there of the last field of the run. */
static void expect_last(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);
	int64_t n = numbers_of(to)[run_member(op, run_length(op) - 1)];

	if (n == ABSENT)
		expect_type(e, EXPECT_NIL);
	else
		expect_number(e, "", n);
}

static void exec_getex_at(struct model *m, const struct op *op,
			  struct expect *e)
{
	exec_expire_at(m, op, NULL);
	expect_last(m, op, e);
}

static void exec_getex_in(struct model *m, const struct op *op,
			  struct expect *e)
{
	exec_expire_in(m, op, NULL);
	expect_last(m, op, e);
}

static void exec_getex_persist(struct model *m, const struct op *op,
			       struct expect *e)
{
	exec_persist(m, op, NULL);
	expect_last(m, op, e);
}

static void exec_getdel(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);

	expect_last(m, op, e);
	set_fields(m, op, NULL, (struct span){ 0, 0 });
	for (unsigned i = 0; i < run_length(op); i++)
		numbers_of(to)[run_member(op, i)] = ABSENT;
	close_members(to, HASHES);
}

static void exec_setex(struct model *m, const struct op *op, struct expect *e)
{
	put_numbers(m, op, NULL);
	exec_expire_at(m, op, e);
}

const struct op_row field_rows[] = {
	{ "HPEXPIREAT $k $a FIELDS $F", 40, HASHES, FAR_AT, NOT_REDIS,
	  exec_expire_at },
	{ "HEXPIRE $k $s FIELDS $F", 20, HASHES, FAR_IN, NOT_REDIS,
	  exec_expire_in },
	{ "HPERSIST $k FIELDS $F", 15, HASHES, 0, NOT_REDIS, exec_persist },
	{ "HGETEX $k PXAT $a FIELDS $F", 15, HASHES, FAR_AT, NOT_REDIS,
	  exec_getex_at },
	{ "HGETEX $k EX $s FIELDS $F", 10, HASHES, FAR_IN, NOT_REDIS,
	  exec_getex_in },
	{ "HGETEX $k PERSIST FIELDS $F", 8, HASHES, 0, NOT_REDIS,
	  exec_getex_persist },
	{ "HGETDEL $k FIELDS $F", 10, HASHES, 0, NOT_REDIS, exec_getdel },
	{ "HSETEX $k PXAT $a FIELDS $c $R", 20, HASHES, FAR_AT, NOT_REDIS,
	  exec_setex },
};
const unsigned field_row_count = ARRAY_LEN(field_rows);
