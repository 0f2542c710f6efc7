/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations on collections, and what model.c keeps of one.
 *
 * A value in the model is of a form that both the operations and the replies
 * of the store can be turned into:
 *
 *   list     numbers of 32 bits, from the left
 *   set      a byte for each of MEMBERS: 1 if it is there
 *   zset     a number of 64 bits for each: its score, or ABSENT
 *   hash     likewise: the value of the field
 *   stream   the first halves of the IDs, 64 bits each, in order
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_OP_TYPES_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_OP_TYPES_H

#include "tests/torture/support/model.h"

typedef void exec_fn(struct model *m, const struct op *op, struct expect *e);

/* Keys that an operation may have; COLLECTIONS: any from LISTS to STREAMS. */
enum family { STRINGS, NUMBERS, FLOATS, LISTS, SETS, ZSETS, HASHES, STREAMS,
	      SHORTS, WITNESS, COLLECTIONS };
enum amount { AMOUNT_NONE, NEAR_IN, FAR_IN, FAR_AT, OFFSET, DELTA, PLUS_ONE,
	      MINUS_ONE };
enum limit { ALWAYS, IF_SHORT, IF_ALONE, NOT_REDIS, IF_SWITCH };

/* A share out of the sum of all; a family of keys; what the amount is. */
struct op_row {
	const char *command;
	unsigned share;
	uint8_t family, amount, limit;
	exec_fn *exec;
};

extern const struct op_row collection_rows[];
extern const unsigned collection_row_count;

/* The family of a key. */
enum family key_family(unsigned key);

/* The words that $R stands for: how many, and the one of number i. */
unsigned op_run_words(const struct op *op);
void op_put_run_word(struct buf *out, const struct op *op, unsigned i);

/* A member, and the number of an ID: a new one, or where XTRIM cuts. */
unsigned op_member(const struct op *op);
uint64_t op_id(const struct op *op, bool old);

#endif
