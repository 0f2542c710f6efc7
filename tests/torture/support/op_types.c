/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists, sets, sorted sets and hashes: their operations, what they do to the
 * model, and how a reply of the store becomes a value of the model.
 */
#include "tests/torture/support/op_types.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum family key_family(unsigned key)
{
	static const uint8_t first[] = { STRING_FIRST, NUMBER_FIRST,
					 FLOAT_FIRST, LIST_FIRST, SET_FIRST,
					 ZSET_FIRST, HASH_FIRST, STREAM_FIRST,
					 HLL_FIRST, SHORT_FIRST };
	unsigned family = ARRAY_LEN(first) - 1;

	while (key < first[family])
		family--;
	return (enum family)family;
}

/* --- runs ----------------------------------------------------------------- */

unsigned run_length(const struct op *op)
{
	return op->size >= 8000 ? MEMBERS / 2 : 1 + op->size % 6;
}

unsigned run_member(const struct op *op, unsigned i)
{
	return (unsigned)((op->number / 4 + i * 7) % MEMBERS);
}

unsigned op_member(const struct op *op)
{
	return run_member(op, 0);
}

unsigned op_group(const struct op *op)
{
	return op->number / 4 % 2;
}

unsigned op_consumer(const struct op *op)
{
	return op->number / 8 % 3;
}

int64_t op_past(const struct op *op)
{
	return op->sent_ms - 3 * CLOCK_SLACK_MS;
}

static int64_t run_score(const struct op *op, unsigned i)
{
	return (int64_t)((op->number + i * 37) % 1000) - 200;
}

unsigned op_run_words(const struct op *op)
{
	enum family family = key_family(op->key);

	if (family == HLLS)
		return hll_run_length(op);
	return run_length(op) * (family == ZSETS || family == HASHES ? 2 : 1);
}

void op_put_run_word(struct buf *out, const struct op *op, unsigned i)
{
	switch (key_family(op->key)) {
	case LISTS:
		buf_printf(out, "e%u", (unsigned)(uint32_t)op->number + i);
		break;
	case SETS:
		buf_printf(out, "m%u", run_member(op, i));
		break;
	case HLLS:
		op_put_element(out, op, i);
		break;
	case ZSETS:
		if (i % 2 == 0)
			buf_printf(out, "%" PRId64, run_score(op, i / 2));
		else
			buf_printf(out, "m%u", run_member(op, i / 2));
		break;
	default:
		if (i % 2 == 0)
			buf_printf(out, "m%u", run_member(op, i / 2));
		else
			buf_printf(out, "%" PRId64, run_score(op, i / 2));
	}
}

unsigned op_field_words(const struct op *op)
{
	return 1 + run_length(op);
}

void op_put_field_word(struct buf *out, const struct op *op, unsigned i)
{
	if (i == 0)
		buf_printf(out, "%u", run_length(op));
	else
		buf_printf(out, "m%u", run_member(op, i - 1));
}

/* --- expectations --------------------------------------------------------- */

void expect_type(struct expect *e, enum expect_type type)
{
	if (e)
		e->type = type;
}

void expect_integer(struct expect *e, int64_t integer)
{
	if (e) {
		e->type = EXPECT_INTEGER;
		e->integer = integer;
	}
}

void expect_scalars(struct expect *e, int64_t count)
{
	if (e) {
		e->type = EXPECT_SCALARS;
		e->integer = count;
	}
}

void expect_number(struct expect *e, const char *before, int64_t n)
{
	if (e) {
		e->type = EXPECT_BULK;
		e->bulk.size = 0;
		buf_printf(&e->bulk, "%s%" PRId64, before, n);
	}
}

void expect_bulk(struct expect *e, struct slice s)
{
	if (e) {
		e->type = EXPECT_BULK;
		e->bulk.size = 0;
		buf_put_slice(&e->bulk, s);
	}
}

/* --- values --------------------------------------------------------------- */

struct entry *entry_of(struct model *m, const struct op *op, unsigned key)
{
	return &m->entries[op->db][key];
}

struct span span_from_now(const struct op *op, int64_t ms)
{
	return (struct span){ op->sent_ms + ms - CLOCK_SLACK_MS,
			      op->acked_ms + ms + 1 };
}

bool span_holds(struct span known, struct span read)
{
	return read.low >= known.low && read.high <= known.high;
}

void empty_value(struct entry *e, enum family family)
{
	unsigned i;

	e->value.size = e->side.size = e->marks.size = 0;
	for (i = 0; i < MEMBERS && family == SETS; i++)
		buf_put_byte(&e->value, 0);
	for (i = 0; i < MEMBERS && (family == ZSETS || family == HASHES); i++)
		buf_put(&e->value, &(int64_t){ ABSENT }, sizeof(int64_t));
	if (family == HASHES)
		fields_empty(&e->side);
	if (family == STREAMS)
		groups_empty(&e->side);
}

struct entry *entry_opened(struct model *m, const struct op *op, unsigned key)
{
	struct entry *to = entry_of(m, op, key);

	if (!to->present) {
		to->deadline_low = to->deadline_high = 0;
		empty_value(to, key_family(key));
	}
	return to;
}

static unsigned members_in(const struct entry *e, enum family family)
{
	const int64_t *numbers = (const int64_t *)(const void *)e->value.data;
	unsigned i, n = 0;

	for (i = 0; i < MEMBERS; i++)
		n += family == SETS ? e->value.data[i] :
				      numbers[i] != ABSENT;
	return n;
}

void close_members(struct entry *e, enum family family)
{
	e->present = members_in(e, family) > 0;
}

int64_t *numbers_of(struct entry *e)
{
	return (int64_t *)(void *)e->value.data;
}

/* --- lists ---------------------------------------------------------------- */

static size_t list_length(const struct entry *e)
{
	return e->value.size / 4;
}

static void exec_push(struct model *m, const struct op *op, struct expect *e,
		      bool left)
{
	struct entry *to = entry_opened(m, op, op->key);
	unsigned i, count = run_length(op);

	to->present = true;
	for (i = 0; i < count; i++) {
		uint32_t n = (uint32_t)op->number + i;

		buf_put(&to->value, &n, 4);
		if (left) {
			memmove(to->value.data + 4, to->value.data,
				to->value.size - 4);
			memcpy(to->value.data, &n, 4);
		}
	}
	expect_integer(e, (int64_t)list_length(to));
}

static void exec_rpush(struct model *m, const struct op *op, struct expect *e)
{
	exec_push(m, op, e, false);
}

static void exec_lpush(struct model *m, const struct op *op, struct expect *e)
{
	exec_push(m, op, e, true);
}

/* Takes an element off an end; false: there is none. */
static bool take(struct entry *from, bool left, uint32_t *n)
{
	if (!from->present)
		return false;
	if (left) {
		memcpy(n, from->value.data, 4);
		memmove(from->value.data, from->value.data + 4,
			from->value.size - 4);
	} else {
		memcpy(n, from->value.data + from->value.size - 4, 4);
	}
	from->value.size -= 4;
	from->present = from->value.size > 0;
	return true;
}

static void exec_lpop(struct model *m, const struct op *op, struct expect *e)
{
	uint32_t n;

	if (take(entry_of(m, op, op->key), true, &n))
		expect_number(e, "e", n);
	else
		expect_type(e, EXPECT_NIL);
}

static void exec_rpop(struct model *m, const struct op *op, struct expect *e)
{
	uint32_t n;

	if (take(entry_of(m, op, op->key), false, &n))
		expect_number(e, "e", n);
	else
		expect_type(e, EXPECT_NIL);
}

/* Two records in one batch: both or none. */
static void exec_lmove(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to;
	uint32_t n;

	if (!take(entry_of(m, op, op->key), true, &n)) {
		expect_type(e, EXPECT_NIL);
		return;
	}
	to = entry_opened(m, op, op->key2);
	to->present = true;
	buf_put(&to->value, &n, 4);
	expect_number(e, "e", n);
}

static void exec_lset(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	uint32_t n = (uint32_t)op->number;

	expect_type(e, to->present ? EXPECT_OK : EXPECT_ERROR);
	if (to->present)
		memcpy(to->value.data, &n, 4);
}

static void exec_ltrim(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);

	if (to->present && to->value.size > 100 * 4)
		to->value.size = 100 * 4;
	expect_type(e, EXPECT_OK);
}

/* --- sets ----------------------------------------------------------------- */

static void set_all(struct model *m, const struct op *op, struct expect *e,
		    uint8_t there)
{
	struct entry *to = entry_opened(m, op, op->key);
	unsigned i, changed = 0, count = run_length(op);

	for (i = 0; i < count; i++) {
		uint8_t *at = &to->value.data[run_member(op, i)];

		changed += *at != there;
		*at = there;
	}
	close_members(to, SETS);
	expect_integer(e, changed);
}

static void exec_sadd(struct model *m, const struct op *op, struct expect *e)
{
	set_all(m, op, e, 1);
}

static void exec_srem(struct model *m, const struct op *op, struct expect *e)
{
	set_all(m, op, e, 0);
}

static void exec_smove(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *from = entry_opened(m, op, op->key), *to;
	unsigned member = run_member(op, 0);
	bool go = from->value.data[member];

	expect_integer(e, go);
	if (!go)
		return;
	to = entry_opened(m, op, op->key2);
	from->value.data[member] = 0;
	to->value.data[member] = 1;
	close_members(from, SETS);
	close_members(to, SETS);
}

static void exec_sunionstore(struct model *m, const struct op *op,
			     struct expect *e)
{
	const struct entry *a = entry_opened(m, op, op->key2);
	const struct entry *b = entry_opened(m, op, op->key3);
	struct entry *to = entry_of(m, op, op->key);
	unsigned i;

	to->deadline_low = to->deadline_high = 0;
	empty_value(to, SETS);
	for (i = 0; i < MEMBERS; i++)
		to->value.data[i] = a->value.data[i] | b->value.data[i];
	close_members(to, SETS);
	expect_integer(e, members_in(to, SETS));
}

/* --- sorted sets and hashes ----------------------------------------------- */

void put_numbers(struct model *m, const struct op *op, struct expect *e)
{
	enum family family = key_family(op->key);
	struct entry *to = entry_opened(m, op, op->key);
	unsigned i, added = 0, count = run_length(op);

	for (i = 0; i < count; i++) {
		int64_t *at = &numbers_of(to)[run_member(op, i)];

		added += *at == ABSENT;
		*at = run_score(op, i);
		if (family == HASHES)
			field_spans(to)[run_member(op, i)] =
				(struct span){ 0, 0 };
	}
	close_members(to, family);
	expect_integer(e, added);
}

void add_number(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);
	int64_t *at = &numbers_of(to)[run_member(op, 0)];

	*at = (*at == ABSENT ? 0 : *at) + op->amount;
	to->present = true;
	if (key_family(op->key) == HASHES)
		expect_integer(e, *at);
	else
		expect_number(e, "", *at);
}

void remove_number(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);
	int64_t *at = &numbers_of(to)[run_member(op, 0)];

	expect_integer(e, *at != ABSENT);
	*at = ABSENT;
	if (key_family(op->key) == HASHES)
		field_spans(to)[run_member(op, 0)] = (struct span){ 0, 0 };
	close_members(to, key_family(op->key));
}

static void exec_zremrange(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);
	unsigned i, removed = 0;

	for (i = 0; i < MEMBERS; i++) {
		int64_t *at = &numbers_of(to)[i];

		if (*at != ABSENT && *at <= -100) {
			*at = ABSENT;
			removed++;
		}
	}
	close_members(to, ZSETS);
	expect_integer(e, removed);
}

static void exec_zunionstore(struct model *m, const struct op *op,
			     struct expect *e)
{
	struct entry *a = entry_opened(m, op, op->key2);
	struct entry *b = entry_opened(m, op, op->key3);
	struct entry *to = entry_of(m, op, op->key);
	unsigned i;

	to->deadline_low = to->deadline_high = 0;
	empty_value(to, ZSETS);
	for (i = 0; i < MEMBERS; i++) {
		int64_t x = numbers_of(a)[i], y = numbers_of(b)[i];

		numbers_of(to)[i] = x == ABSENT || (y != ABSENT && y > x) ?
				    y : x;
	}
	close_members(to, ZSETS);
	expect_integer(e, members_in(to, ZSETS));
}

const struct op_row collection_rows[] = {
	{ "RPUSH $k $R", 50, LISTS, 0, IF_SHORT, exec_rpush },
	{ "LPUSH $k $R", 40, LISTS, 0, IF_SHORT, exec_lpush },
	{ "LPOP $k", 30, LISTS, 0, 0, exec_lpop },
	{ "RPOP $k", 30, LISTS, 0, 0, exec_rpop },
	{ "LMOVE $k $K LEFT RIGHT", 30, LISTS, 0, 0, exec_lmove },
	{ "LSET $k 0 e$n", 20, LISTS, 0, 0, exec_lset },
	{ "LTRIM $k 0 99", 15, LISTS, 0, 0, exec_ltrim },
	{ "SADD $k $R", 60, SETS, 0, 0, exec_sadd },
	{ "SREM $k $R", 40, SETS, 0, 0, exec_srem },
	{ "SMOVE $k $K m$m", 20, SETS, 0, 0, exec_smove },
	{ "SUNIONSTORE $k $K $L", 8, SETS, 0, 0, exec_sunionstore },
	{ "ZADD $k $R", 70, ZSETS, 0, 0, put_numbers },
	{ "ZINCRBY $k $a m$m", 40, ZSETS, DELTA, 0, add_number },
	{ "ZREM $k m$m", 40, ZSETS, 0, 0, remove_number },
	{ "ZREMRANGEBYSCORE $k -inf -100", 8, ZSETS, 0, 0, exec_zremrange },
	{ "ZUNIONSTORE $k 2 $K $L AGGREGATE MAX", 8, ZSETS, 0, 0,
	  exec_zunionstore },
	{ "HSET $k $R", 70, HASHES, 0, 0, put_numbers },
	{ "HINCRBY $k m$m $a", 40, HASHES, DELTA, 0, add_number },
	{ "HDEL $k m$m", 40, HASHES, 0, 0, remove_number },
};
const unsigned collection_row_count = ARRAY_LEN(collection_rows);

/* --- what the store has --------------------------------------------------- */

const char *model_question(unsigned key)
{
	static const char *const questions[] = {
		[LISTS] = "LRANGE $ 0 -1",
		[SETS] = "SMEMBERS $",
		[ZSETS] = "ZRANGE $ 0 -1 WITHSCORES",
		[HASHES] = "HGETALL $",
		[STREAMS] = "XINFO STREAM $ FULL COUNT 0",
	};
	enum family family = key_family(key);

	return family >= LISTS && family <= STREAMS ? questions[family] :
						      "GET $";
}

const char *model_side_question(unsigned key)
{
	static struct buf question;

	if (key_family(key) != HASHES)
		return NULL;
	if (question.size == 0) {
		buf_printf(&question, "HPEXPIRETIME $ FIELDS %u", MEMBERS);
		for (unsigned i = 0; i < MEMBERS; i++)
			buf_printf(&question, " m%u", i);
		buf_put_byte(&question, 0);
	}
	return (const char *)question.data;
}

bool model_has_words(unsigned key)
{
	return key >= LIST_FIRST && key < HLL_FIRST;
}

const char *next_word(const char **at, const char *end)
{
	const char *word = *at;

	if (word >= end)
		return "";
	*at += strlen(word) + 1;
	return word;
}

/* The member of one word, and what of it follows in the next. */
static void take_member(struct entry *e, enum family family, const char *word,
			const char *next)
{
	unsigned long member = strtoul(word + 1, NULL, 10);

	if (member >= MEMBERS)
		return;
	if (family == SETS)
		e->value.data[member] = 1;
	else
		numbers_of(e)[member] = strtoll(next, NULL, 10);
}

static void take_all(struct entry *e, enum family family, const char *at,
		     const char *end)
{
	while (at < end) {
		const char *word = next_word(&at, end);
		uint32_t element = (uint32_t)strtoul(word + 1, NULL, 10);

		if (family == LISTS)
			buf_put(&e->value, &element, 4);
		else
			take_member(e, family, word,
				    family == SETS ? "" : next_word(&at, end));
	}
}

void model_take_words(struct entry *e, unsigned key, struct buf *words)
{
	enum family family = key_family(key);
	const char *at, *end;

	buf_put_byte(words, 0);
	at = (const char *)words->data;
	end = at + words->size - 1;
	empty_value(e, family);
	if (family == STREAMS)
		stream_take(e, at, end);
	else
		take_all(e, family, at, end);
}

void model_take_side(struct entry *e, unsigned key, struct buf *words)
{
	assert(key_family(key) == HASHES);
	buf_put_byte(words, 0);
	fields_take(&e->side, (const char *)words->data,
		    (const char *)words->data + words->size - 1);
}

void model_take_string(struct entry *e, unsigned key, struct slice s)
{
	if (key_family(key) != HLLS || !hll_take(&e->value, s))
		buf_put_slice(&e->value, s);
}

bool side_agrees(const struct entry *e, const struct entry *read,
		 enum family family)
{
	if (family == HASHES)
		return fields_agree(&e->side, &read->side);
	return family != STREAMS || groups_agree(e, read);
}

void side_pin(struct entry *e, const struct entry *read, enum family family)
{
	if (family == STREAMS) {
		groups_pin(e, read);
		return;
	}
	e->side.size = 0;
	buf_put_slice(&e->side, buf_slice(&read->side));
}

void side_describe(struct buf *out, const struct entry *e,
		   const struct entry *read, enum family family)
{
	if (family == HASHES) {
		fields_describe(out, &e->side, &read->side);
		return;
	}
	buf_put_str(out, "; groups expected:");
	groups_describe(out, e);
	buf_put_str(out, "; found:");
	groups_describe(out, read);
}
