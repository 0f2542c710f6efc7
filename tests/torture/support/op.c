/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations: one row each with its share, the keys it works on, its
 * command and what it does to the model; those on strings and keys are here.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tests/torture/support/op_types.h"

/* The deadline of a long-lived key lies this far ahead. */
#define FAR_MS (INT64_C(6) * 3600 * 1000)

/* The value as a bulk string, nil if there is none. */
static void expect_value(struct expect *e, const struct entry *from)
{
	if (from->present)
		expect_bulk(e, buf_slice(&from->value));
	else
		expect_type(e, EXPECT_NIL);
}

static void put_value(struct entry *to, uint64_t number, size_t size)
{
	to->present = true;
	to->value.size = 0;
	to->deadline_low = to->deadline_high = 0;
	model_value(&to->value, number, size);
}

static void deadline_in(struct entry *to, const struct op *op)
{
	struct span when = span_from_now(op, op->amount);

	to->deadline_low = when.low;
	to->deadline_high = when.high;
}

static void deadline_at(struct entry *to, int64_t ms)
{
	to->deadline_low = to->deadline_high = ms;
}

/* A missing string is an empty one, then grows with zeros to size. */
static void make_room(struct entry *to, size_t size)
{
	if (!to->present) {
		to->present = true;
		to->value.size = 0;
		deadline_at(to, 0);
	}
	if (to->value.size < size) {
		size_t more = size - to->value.size;

		memset(buf_reserve(&to->value, more), 0, more);
		to->value.size = size;
	}
}

static void entry_move(struct entry *to, struct entry *from)
{
	struct entry old = *to;

	*to = *from;
	*from = old;
	from->present = false;
}

/* --- whole values -------------------------------------------------------- */

static void exec_set(struct model *m, const struct op *op, struct expect *e)
{
	put_value(entry_of(m, op, op->key), op->number, op->size);
	expect_type(e, EXPECT_OK);
}

static void exec_set_in(struct model *m, const struct op *op,
			struct expect *e)
{
	exec_set(m, op, e);
	deadline_in(entry_of(m, op, op->key), op);
}

static void exec_set_at(struct model *m, const struct op *op,
			struct expect *e)
{
	exec_set(m, op, e);
	deadline_at(entry_of(m, op, op->key), op->amount);
}

static void exec_set_keep(struct model *m, const struct op *op,
			  struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	int64_t low = to->present ? to->deadline_low : 0;
	int64_t high = to->present ? to->deadline_high : 0;

	exec_set(m, op, e);
	to->deadline_low = low;
	to->deadline_high = high;
}

static void exec_setnx(struct model *m, const struct op *op, struct expect *e)
{
	bool absent = !entry_of(m, op, op->key)->present;

	if (absent)
		exec_set(m, op, NULL);
	expect_integer(e, absent);
}

static void exec_getset(struct model *m, const struct op *op,
			struct expect *e)
{
	expect_value(e, entry_of(m, op, op->key));
	exec_set(m, op, NULL);
}

static void exec_getdel(struct model *m, const struct op *op,
			struct expect *e)
{
	expect_value(e, entry_of(m, op, op->key));
	entry_of(m, op, op->key)->present = false;
}

static void exec_get(struct model *m, const struct op *op, struct expect *e)
{
	expect_value(e, entry_of(m, op, op->key));
}

static void exec_mset(struct model *m, const struct op *op, struct expect *e)
{
	put_value(entry_of(m, op, op->key), op->number, op->size);
	put_value(entry_of(m, op, op->key2), op->number + 1, op->size);
	put_value(entry_of(m, op, op->key3), op->number + 2, op->size);
	expect_type(e, EXPECT_OK);
}

static void exec_msetnx(struct model *m, const struct op *op,
			struct expect *e)
{
	bool go = !entry_of(m, op, op->key)->present &&
		  !entry_of(m, op, op->key2)->present;

	if (go) {
		put_value(entry_of(m, op, op->key), op->number, op->size);
		put_value(entry_of(m, op, op->key2), op->number + 1,
			  op->size);
	}
	expect_integer(e, go);
}

/* --- parts of values ----------------------------------------------------- */

static void exec_append(struct model *m, const struct op *op,
			struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	make_room(to, 0);
	model_value(&to->value, op->number, op->size);
	expect_integer(e, (int64_t)to->value.size);
}

static void exec_setrange(struct model *m, const struct op *op,
			  struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	struct buf value = { 0 };
	size_t offset = (size_t)op->amount;

	model_value(&value, op->number, op->size);
	if (value.size > 0) {
		make_room(to, offset + value.size);
		memcpy(to->value.data + offset, value.data, value.size);
	}
	expect_integer(e, to->present ? (int64_t)to->value.size : 0);
	buf_release(&value);
}

static void exec_setbit(struct model *m, const struct op *op,
			struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	size_t byte = (size_t)op->amount / 8;
	uint8_t mask = 128 >> op->amount % 8;

	make_room(to, byte + 1);
	expect_integer(e, (to->value.data[byte] & mask) != 0);
	to->value.data[byte] |= mask;
}

static void exec_bitfield(struct model *m, const struct op *op,
			  struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	size_t byte = (size_t)op->amount;

	make_room(to, byte + 1);
	expect_integer(e, to->value.data[byte]);
	to->value.data[byte] = 200;
}

static void exec_bitop_not(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);
	struct entry *to = entry_of(m, op, op->key2);

	if (!from->present || from->value.size == 0) {
		to->present = false;
		expect_integer(e, 0);
		return;
	}
	entry_assign(to, from);
	deadline_at(to, 0);
	for (size_t i = 0; i < to->value.size; i++)
		to->value.data[i] = (uint8_t)~to->value.data[i];
	expect_integer(e, (int64_t)to->value.size);
}

/* --- numbers ------------------------------------------------------------- */

static void put_number(struct entry *to, const char *format, double number)
{
	if (!to->present)
		deadline_at(to, 0);
	to->present = true;
	to->value.size = 0;
	buf_printf(&to->value, format, number);
}

/* The value as a number, 0 if it is absent. */
static double number_of(struct entry *from)
{
	char text[64] = "";

	if (!from->present)
		return 0;
	assert(from->value.size < sizeof(text));
	memcpy(text, from->value.data, from->value.size);
	return strtod(text, NULL);
}

static void exec_incrby(struct model *m, const struct op *op,
			struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	double sum = number_of(to) + (double)op->amount;

	put_number(to, "%.0f", sum);
	expect_integer(e, (int64_t)sum);
}

/* Quarters have an exact short text. */
static void exec_incrbyfloat(struct model *m, const struct op *op,
			     struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	put_number(to, "%.14g", number_of(to) + (double)op->amount / 4);
	expect_value(e, to);
}

static void exec_witness(struct model *m, const struct op *op,
			 struct expect *e)
{
	(void)op;
	m->witness++;
	expect_integer(e, m->witness);
}

/* --- deadlines ----------------------------------------------------------- */

static void exec_expire_in(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	expect_integer(e, to->present);
	if (to->present)
		deadline_in(to, op);
}

static void exec_expire_at(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	expect_integer(e, to->present);
	if (to->present)
		deadline_at(to, op->amount);
}

static void exec_persist(struct model *m, const struct op *op,
			 struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	expect_integer(e, to->present && to->deadline_low != 0);
	deadline_at(to, 0);
}

static void exec_getex_in(struct model *m, const struct op *op,
			  struct expect *e)
{
	exec_expire_in(m, op, NULL);
	expect_value(e, entry_of(m, op, op->key));
}

static void exec_getex_persist(struct model *m, const struct op *op,
			       struct expect *e)
{
	exec_persist(m, op, NULL);
	expect_value(e, entry_of(m, op, op->key));
}

/* A key that may have expired meanwhile: nobody knows the reply. */
static void exec_del_any(struct model *m, const struct op *op,
			 struct expect *e)
{
	entry_of(m, op, op->key)->present = false;
	expect_type(e, EXPECT_ANY);
}

/* --- keys ---------------------------------------------------------------- */

static void exec_del(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *a = entry_of(m, op, op->key);
	struct entry *b = entry_of(m, op, op->key2);

	expect_integer(e, a->present + b->present);
	a->present = b->present = false;
}

static void exec_rename(struct model *m, const struct op *op,
			struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);

	expect_type(e, from->present ? EXPECT_OK : EXPECT_ERROR);
	if (from->present)
		entry_move(entry_of(m, op, op->key2), from);
}

static void exec_renamenx(struct model *m, const struct op *op,
			  struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);
	struct entry *to = entry_of(m, op, op->key2);
	bool go = from->present && !to->present;

	expect_integer(e, go);
	if (!from->present)
		expect_type(e, EXPECT_ERROR);
	if (go)
		entry_move(to, from);
}

static void exec_copy(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);
	struct entry *to = entry_of(m, op, op->key2);
	bool go = from->present && !to->present;

	expect_integer(e, go);
	if (go)
		entry_assign(to, from);
}

static void exec_copy_db(struct model *m, const struct op *op,
			 struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);

	expect_integer(e, from->present);
	if (from->present)
		entry_assign(&m->entries[!op->db][op->key2], from);
}

static void exec_move(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *from = entry_of(m, op, op->key);
	struct entry *to = &m->entries[!op->db][op->key];
	bool go = from->present && !to->present;

	expect_integer(e, go);
	if (go)
		entry_move(to, from);
}

static void exec_flushdb(struct model *m, const struct op *op,
			 struct expect *e)
{
	for (unsigned key = 0; key < MODEL_KEYS; key++)
		entry_of(m, op, key)->present = false;
	expect_type(e, EXPECT_OK);
}

static void exec_swapdb(struct model *m, const struct op *op,
			struct expect *e)
{
	(void)op;
	for (unsigned key = 0; key < MODEL_KEYS; key++) {
		struct entry old = m->entries[0][key];

		m->entries[0][key] = m->entries[1][key];
		m->entries[1][key] = old;
	}
	expect_type(e, EXPECT_OK);
}

static void exec_flushall(struct model *m, const struct op *op,
			  struct expect *e)
{
	(void)op;
	model_clear(m);
	m->flushed_all = true;
	expect_type(e, EXPECT_OK);
}

static void exec_any(struct model *m, const struct op *op, struct expect *e)
{
	(void)m, (void)op;
	expect_type(e, EXPECT_ANY);
}

static void exec_waitaof(struct model *m, const struct op *op,
			 struct expect *e)
{
	(void)m, (void)op;
	expect_type(e, EXPECT_SYNCED);
}

/* --- the table ----------------------------------------------------------- */

static const struct op_row rows[] = {
	{ "SET $k $v", 160, STRINGS, 0, 0, exec_set },
	{ "SET $k $v PXAT $a", 40, STRINGS, FAR_AT, 0, exec_set_at },
	{ "SET $k $v EX $s", 40, STRINGS, FAR_IN, 0, exec_set_in },
	{ "PSETEX $k $a $v", 20, STRINGS, FAR_IN, 0, exec_set_in },
	{ "SET $k $v KEEPTTL", 20, STRINGS, 0, 0, exec_set_keep },
	{ "SET $k $v GET", 15, STRINGS, 0, 0, exec_getset },
	{ "SETNX $k $v", 20, STRINGS, 0, 0, exec_setnx },
	{ "GETSET $k $v", 15, STRINGS, 0, 0, exec_getset },
	{ "GETDEL $k", 10, STRINGS, 0, 0, exec_getdel },
	{ "GETEX $k PX $a", 15, STRINGS, FAR_IN, 0, exec_getex_in },
	{ "GETEX $k PERSIST", 10, STRINGS, 0, 0, exec_getex_persist },
	{ "GET $k", 60, STRINGS, 0, 0, exec_get },
	{ "MSET $k $v $K $w $L $x", 40, STRINGS, 0, 0, exec_mset },
	{ "MSETNX $k $v $K $w", 20, STRINGS, 0, 0, exec_msetnx },
	{ "APPEND $k $v", 80, STRINGS, 0, IF_SHORT, exec_append },
	{ "SETRANGE $k $a $v", 60, STRINGS, OFFSET, 0, exec_setrange },
	{ "SETBIT $k $a 1", 50, STRINGS, OFFSET, 0, exec_setbit },
	{ "BITFIELD $k SET u8 #$a 200", 20, STRINGS, OFFSET, 0,
	  exec_bitfield },
	{ "BITOP NOT $K $k", 20, STRINGS, 0, 0, exec_bitop_not },
	{ "DEL $k $K", 30, STRINGS, 0, 0, exec_del },
	{ "UNLINK $k $K", 15, STRINGS, 0, 0, exec_del },
	{ "RENAME $k $K", 30, STRINGS, 0, 0, exec_rename },
	{ "RENAMENX $k $K", 15, STRINGS, 0, 0, exec_renamenx },
	{ "COPY $k $K", 20, STRINGS, 0, 0, exec_copy },
	{ "COPY $k $K DB $D REPLACE", 20, STRINGS, 0, 0, exec_copy_db },
	{ "MOVE $k $D", 15, STRINGS, 0, 0, exec_move },
	{ "EXPIRE $k $s", 20, STRINGS, FAR_IN, 0, exec_expire_in },
	{ "PEXPIREAT $k $a", 20, STRINGS, FAR_AT, 0, exec_expire_at },
	{ "PERSIST $k", 20, STRINGS, 0, 0, exec_persist },
	{ "INCR $k", 60, NUMBERS, PLUS_ONE, 0, exec_incrby },
	{ "DECR $k", 20, NUMBERS, MINUS_ONE, 0, exec_incrby },
	{ "INCRBY $k $a", 30, NUMBERS, DELTA, 0, exec_incrby },
	{ "DEL $k $K", 5, NUMBERS, 0, 0, exec_del },
	{ "EXPIRE $k $s", 5, NUMBERS, FAR_IN, 0, exec_expire_in },
	{ "INCRBYFLOAT $k $q", 40, FLOATS, DELTA, 0, exec_incrbyfloat },
	{ "SET $k $v PX $a", 40, SHORTS, NEAR_IN, 0, exec_set_in },
	{ "SET $k $v", 10, SHORTS, 0, 0, exec_set },
	{ "DEL $k", 10, SHORTS, 0, 0, exec_del_any },
	{ "DEL $k $K", 15, COLLECTIONS, 0, 0, exec_del },
	{ "UNLINK $k $K", 10, COLLECTIONS, 0, 0, exec_del },
	{ "RENAME $k $K", 15, COLLECTIONS, 0, 0, exec_rename },
	{ "COPY $k $K", 15, COLLECTIONS, 0, 0, exec_copy },
	{ "COPY $k $K DB $D REPLACE", 10, COLLECTIONS, 0, 0, exec_copy_db },
	{ "MOVE $k $D", 10, COLLECTIONS, 0, 0, exec_move },
	{ "EXPIRE $k $s", 10, COLLECTIONS, FAR_IN, 0, exec_expire_in },
	{ "PERSIST $k", 10, COLLECTIONS, 0, 0, exec_persist },
	{ "INCR $W", 120, WITNESS, 0, 0, exec_witness },
	{ "FLUSHDB", 1, STRINGS, 0, 0, exec_flushdb },
	{ "SWAPDB $d $D", 5, STRINGS, 0, 0, exec_swapdb },
	{ "FLUSHALL", 1, STRINGS, 0, IF_ALONE, exec_flushall },
	{ "SAVE", 1, STRINGS, 0, 0, exec_any },
	{ "BGSAVE", 1, STRINGS, 0, 0, exec_any },
	{ "BGREWRITEAOF", 1, STRINGS, 0, 0, exec_any },
	{ "WAITAOF 1 0 2000", 2, STRINGS, 0, NOT_REDIS, exec_waitaof },
	{ "CONFIG SET appendfsync always", 1, STRINGS, 0, IF_SWITCH,
	  exec_any },
	{ "CONFIG SET appendfsync everysec", 1, STRINGS, 0, IF_SWITCH,
	  exec_any },
	{ "CONFIG SET appendfsync no", 1, STRINGS, 0, IF_SWITCH, exec_any },
};

/* All tables, one behind the other: a kind is a place in there. */
static const struct op_row *row_at(unsigned kind)
{
	const struct op_row *const tables[] = { rows, collection_rows,
						field_rows, stream_rows,
						stream_write_rows, hll_rows };
	const unsigned counts[] = { ARRAY_LEN(rows), collection_row_count,
				    field_row_count, stream_row_count,
				    stream_write_row_count, hll_row_count };
	unsigned i = 0;

	while (i < ARRAY_LEN(tables) && kind >= counts[i])
		kind -= counts[i++];
	return i < ARRAY_LEN(tables) ? &tables[i][kind] : NULL;
}

static const struct op_row *row_of(unsigned kind)
{
	const struct op_row *row = row_at(kind);

	assert(row != NULL);
	return row;
}

const struct op_row *op_row_of(const struct op *op)
{
	return row_of(op->kind);
}

static uint32_t choose_size(struct random *r)
{
	uint64_t dice = random_below(r, 10000);

	if (dice < 7500)
		return (uint32_t)random_below(r, 65);
	if (dice < 9600)
		return (uint32_t)random_below(r, 1000);
	if (dice < 9960)
		return (uint32_t)random_below(r, 8000);
	if (dice < 9996)
		return 20000 + (uint32_t)random_below(r, 60000);
	if (dice < 9999)
		return 100000 + (uint32_t)random_below(r, 200000);
	return 1100000; /* more than a frame holds */
}

static uint8_t choose_key(struct random *r, unsigned family)
{
	static const uint8_t first[] = { STRING_FIRST, NUMBER_FIRST,
					 FLOAT_FIRST, LIST_FIRST, SET_FIRST,
					 ZSET_FIRST, HASH_FIRST, STREAM_FIRST,
					 HLL_FIRST, SHORT_FIRST, MODEL_KEYS };

	if (family == WITNESS)
		return 0;
	return first[family] +
	       (uint8_t)random_below(r, first[family + 1] - first[family]);
}

static int64_t choose_amount(struct random *r, unsigned amount, int64_t now)
{
	switch (amount) {
	case NEAR_IN: return 5 + (int64_t)random_below(r, 100);
	case FAR_IN: return FAR_MS + 1000 * (int64_t)random_below(r, 9999);
	case FAR_AT: return now + FAR_MS + (int64_t)random_below(r, 999999);
	case OFFSET: return (int64_t)random_below(r, 800);
	case DELTA: return (int64_t)random_below(r, 2000) - 1000;
	case PLUS_ONE: return 1;
	case MINUS_ONE: return -1;
	default: return 0;
	}
}

static void choose_ids(struct op *op, struct random *r,
		       const struct model *live)
{
	const struct entry *e = &live->entries[op->db][op->key];

	op->amount = op_some_id(op, e, r);
	op->amount2 = op_some_id(op, e, r);
}

/* Whether it may take a key away. */
static bool may_remove(const struct op *op)
{
	const struct op_row *row = row_of(op->kind);

	return row->family == COLLECTIONS || row->exec == exec_flushdb ||
	       row->exec == exec_flushall || row->exec == exec_swapdb;
}

/* Whether the stream will be as it is now when the operation meets it. */
static bool settled(const struct entry *e, const struct op_choice *c)
{
	if (!stream_settled(e))
		return false;
	for (size_t i = 0; i < c->unsettled; i++)
		if (may_remove(c->last - i))
			return false;
	return true;
}

static bool row_allowed(const struct op_row *row, const struct op *op,
			const struct op_choice *c)
{
	const struct entry *e = &c->live->entries[op->db][op->key];

	switch (row->limit) {
	case IF_SHORT:
		return !e->present || e->value.size < 4000 ||
		       (op->number % 64 == 0 && e->value.size < 300000);
	case IF_ALONE: return c->may_flush_all;
	case NOT_REDIS: return !c->redis;
	case IF_SWITCH: return c->switch_level;
	case IF_SETTLED:
		return !c->redis && e->value.size < 4000 && settled(e, c);
	default: return true;
	}
}

static unsigned kind_of(const char *command)
{
	unsigned kind = 0;

	while (strcmp(rows[kind].command, command) != 0)
		kind++;
	return kind;
}

/* A record that may not be applied twice makes a good last one before a
 * snapshot. */
static bool wants_snapshot(struct random *r, const struct op *last)
{
	return last && row_of(last->kind)->exec == exec_swapdb &&
	       random_below(r, 2) == 0;
}

static unsigned choose_kind(struct random *r, const struct op *last)
{
	static unsigned sum;
	unsigned kind = 0;
	uint64_t dice;

	if (wants_snapshot(r, last))
		return kind_of("BGSAVE");
	if (sum == 0)
		for (unsigned i = 0; row_at(i) != NULL; i++)
			sum += row_at(i)->share;
	dice = random_below(r, sum);
	while (dice >= row_of(kind)->share)
		dice -= row_of(kind++)->share;
	return kind;
}

void op_choose(struct op *op, struct random *r, const struct op_choice *c)
{
	const struct op_row *row;
	unsigned family;

	do {
		op->kind = (uint8_t)choose_kind(r, c->last);
		row = row_of(op->kind);
		family = row->family;
		if (family == COLLECTIONS)
			family = LISTS + (unsigned)random_below(r, 6);
		op->db = random_below(r, 4) == 0;
		op->number = c->number * 4;
		op->size = choose_size(r);
		op->key = choose_key(r, family);
		op->amount = choose_amount(r, row->amount, op->sent_ms);
		if (row->amount == SOME_IDS)
			choose_ids(op, r, c->live);
		op->acked_ms = 0;
	} while (!row_allowed(row, op, c));
	do {
		op->key2 = choose_key(r, family);
		op->key3 = choose_key(r, family);
	} while (family < SHORTS &&
		 (op->key2 == op->key || op->key3 == op->key ||
		  op->key2 == op->key3));
}

void model_exec(struct model *m, const struct op *op, struct expect *e)
{
	row_of(op->kind)->exec(m, op, e);
}

void op_make_void(struct op *op)
{
	op->kind = 0;
	while (rows[op->kind].exec != exec_any)
		op->kind++;
}

bool op_surely_writes(const struct op *op)
{
	exec_fn *exec = row_of(op->kind)->exec;

	return exec == exec_set || exec == exec_mset || exec == exec_incrby ||
	       exec == exec_witness || exec == exec_set_in;
}

const char *op_name(const struct op *op)
{
	return row_of(op->kind)->command;
}
