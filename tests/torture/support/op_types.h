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
 *   stream   the IDs in order, 64 bits each (op_streams.h)
 *   hll      the registers that are not 0, in order: struct hll_register
 *
 * Beside it, in a buffer of its own, a hash has the deadlines of its fields
 * (op_fields.c), a stream its groups (op_streams.c) and, in one more, its
 * marks of messages (op_streams_write.c).
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_OP_TYPES_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_OP_TYPES_H

#include "tests/torture/support/model.h"

typedef void exec_fn(struct model *m, const struct op *op, struct expect *e);

#define MEMBERS 200 /* more than a packed encoding takes */
#define ABSENT INT64_MIN

/* How far the server's clock of a turn may lie behind the driver's. */
#define CLOCK_SLACK_MS 2000

/* Keys that an operation may have; COLLECTIONS: any from LISTS to HLLS. */
enum family { STRINGS, NUMBERS, FLOATS, LISTS, SETS, ZSETS, HASHES, STREAMS,
	      HLLS, SHORTS, WITNESS, COLLECTIONS };
enum amount { AMOUNT_NONE, NEAR_IN, FAR_IN, FAR_AT, OFFSET, DELTA, PLUS_ONE,
	      MINUS_ONE, SOME_IDS };
enum limit { ALWAYS, IF_SHORT, IF_ALONE, NOT_REDIS, IF_SWITCH,
	     IF_SETTLED };

/* A share out of the sum of all; a family of keys; what the amount is. */
struct op_row {
	const char *command;
	unsigned share;
	uint8_t family, amount, limit;
	exec_fn *exec;
};

/* A point in time as far as it is known, ms; both 0: none. */
struct span {
	int64_t low, high;
};

extern const struct op_row collection_rows[], field_rows[], stream_rows[],
	stream_write_rows[], hll_rows[];
extern const unsigned collection_row_count, field_row_count, stream_row_count,
	stream_write_row_count, hll_row_count;

/* The row of an operation. */
const struct op_row *op_row_of(const struct op *op);

/* The family of a key. */
enum family key_family(unsigned key);

/* The words that $R stands for, elements and what belongs to them: how many,
 * and the one of number i. $F: a count, and the names of fields. */
unsigned op_run_words(const struct op *op);
void op_put_run_word(struct buf *out, const struct op *op, unsigned i);
unsigned op_field_words(const struct op *op);
void op_put_field_word(struct buf *out, const struct op *op, unsigned i);

/* The length of a run, the member at i of it; the first one. */
unsigned run_length(const struct op *op);
unsigned run_member(const struct op *op, unsigned i);
unsigned op_member(const struct op *op);

/* An ID, as one number: a new one, or where XTRIM cuts; and as text. */
int64_t op_id(const struct op *op, bool old);
void op_put_id(struct buf *out, int64_t id);

/* Whose message it is, and which one. */
unsigned op_producer(const struct op *op);
unsigned op_message(const struct op *op);

/* A group and a consumer, and a time in the past. */
unsigned op_group(const struct op *op);
unsigned op_consumer(const struct op *op);
int64_t op_past(const struct op *op);

/* An ID that the group of op has pending in e, mostly; n: any number. */
int64_t op_some_id(const struct op *op, const struct entry *e,
		   struct random *r);

/* Whether XADD with * gives an ID that the model knows. */
bool stream_settled(const struct entry *e);

/* An element of a HyperLogLog, of number i in a run. */
unsigned hll_run_length(const struct op *op);
void op_put_element(struct buf *out, const struct op *op, unsigned i);

/* --- what the operations share ------------------------------------------- */

/* The reply must be so; e may be NULL. */
void expect_type(struct expect *e, enum expect_type type);
void expect_integer(struct expect *e, int64_t integer);
void expect_scalars(struct expect *e, int64_t count);
void expect_number(struct expect *e, const char *before, int64_t n);
void expect_bulk(struct expect *e, struct slice s);

/* The entry of a key; an empty collection there if it is absent. */
struct entry *entry_of(struct model *m, const struct op *op, unsigned key);
struct entry *entry_opened(struct model *m, const struct op *op, unsigned key);

/* *to becomes equal to *from. */
void entry_assign(struct entry *to, const struct entry *from);

/* A moment of the execution, so many ms later. */
struct span span_from_now(const struct op *op, int64_t ms);

/* The numbers of a sorted set or hash; present if there is one. */
int64_t *numbers_of(struct entry *e);
void close_members(struct entry *e, enum family family);
void put_numbers(struct model *m, const struct op *op, struct expect *e);
void add_number(struct model *m, const struct op *op, struct expect *e);
void remove_number(struct model *m, const struct op *op, struct expect *e);

/* A value without an element. */
void empty_value(struct entry *e, enum family family);

/* The next of the words that a 0 ends, "" at the end. */
const char *next_word(const char **at, const char *end);

/* --- beside the value ----------------------------------------------------- */

/* Of a family: whether what was read agrees, and how it does not. */
bool side_agrees(const struct entry *e, const struct entry *read,
		 enum family family);
void side_describe(struct buf *out, const struct entry *e,
		   const struct entry *read, enum family family);

/* Moments become those that were read. */
void side_pin(struct entry *e, const struct entry *read, enum family family);
void groups_pin(struct entry *e, const struct entry *read);

/* Whether a moment that was read is within what is known. */
bool span_holds(struct span known, struct span read);

/* Deadlines of fields: none; those of a hash; whether what was read agrees;
 * what the words of an answer say. */
void fields_empty(struct buf *side);
struct span *field_spans(struct entry *e);
bool fields_agree(const struct buf *side, const struct buf *read);
void fields_describe(struct buf *out, const struct buf *side,
		     const struct buf *read);
void fields_take(struct buf *side, const char *at, const char *end);

/* Groups: none; whether what was read agrees; as a text for people; a stream
 * with them as the words of an answer say. */
void groups_empty(struct buf *side);
bool groups_agree(const struct entry *e, const struct entry *read);
void groups_describe(struct buf *out, const struct entry *e);
void stream_take(struct entry *e, const char *at, const char *end);

/* The registers of a HyperLogLog as it is stored; false: it is none. */
bool hll_take(struct buf *value, struct slice stored);

#endif
