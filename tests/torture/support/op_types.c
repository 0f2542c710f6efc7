/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists, sets, sorted sets, hashes and streams: their operations, what they do
 * to the model, and how a reply of the store becomes a value of the model.
 *
 * In a command $R is a run of elements, members with scores, or fields with
 * values; $m the number of a member, $n one that was not there before, $j one
 * from some time ago.
 */
#include "tests/torture/support/op_types.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define MEMBERS 200 /* more than a packed encoding takes */
#define ABSENT INT64_MIN
#define STREAM_KEEPS 500 /* IDs back that XTRIM leaves */

enum family key_family(unsigned key)
{
	static const uint8_t first[] = { STRING_FIRST, NUMBER_FIRST,
					 FLOAT_FIRST, LIST_FIRST, SET_FIRST,
					 ZSET_FIRST, HASH_FIRST, STREAM_FIRST,
					 SHORT_FIRST };
	unsigned family = ARRAY_LEN(first) - 1;

	while (key < first[family])
		family--;
	return (enum family)family;
}

/* --- runs ----------------------------------------------------------------- */

static unsigned run_length(const struct op *op)
{
	return op->size >= 8000 ? MEMBERS / 2 : 1 + op->size % 6;
}

static unsigned run_member(const struct op *op, unsigned i)
{
	return (unsigned)((op->number / 4 + i * 7) % MEMBERS);
}

unsigned op_member(const struct op *op)
{
	return run_member(op, 0);
}

uint64_t op_id(const struct op *op, bool old)
{
	if (!old)
		return op->number;
	return op->number > STREAM_KEEPS ? op->number - STREAM_KEEPS : 0;
}

static int64_t run_score(const struct op *op, unsigned i)
{
	return (int64_t)((op->number + i * 37) % 1000) - 200;
}

unsigned op_run_words(const struct op *op)
{
	enum family family = key_family(op->key);

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

/* --- values --------------------------------------------------------------- */

static struct entry *own_entry(struct model *m, const struct op *op,
			       unsigned key)
{
	return &m->entries[op->db][key];
}

static void integer(struct expect *e, int64_t n)
{
	if (e) {
		e->type = EXPECT_INTEGER;
		e->integer = n;
	}
}

static void bulk(struct expect *e, const char *format, int64_t n)
{
	if (e) {
		e->type = EXPECT_BULK;
		e->bulk.size = 0;
		buf_printf(&e->bulk, "%s%" PRId64, format, n);
	}
}

static void type_only(struct expect *e, enum expect_type type)
{
	if (e)
		e->type = type;
}

static void empty_value(struct buf *value, enum family family)
{
	unsigned i;

	value->size = 0;
	for (i = 0; i < MEMBERS && family == SETS; i++)
		buf_put_byte(value, 0);
	for (i = 0; i < MEMBERS && (family == ZSETS || family == HASHES); i++)
		buf_put(value, &(int64_t){ ABSENT }, sizeof(int64_t));
}

/* The value at key, an empty one if it is absent. */
static struct entry *opened(struct model *m, const struct op *op, unsigned key)
{
	struct entry *to = own_entry(m, op, key);

	if (!to->present) {
		to->deadline_low = to->deadline_high = 0;
		empty_value(&to->value, key_family(key));
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

static void close_members(struct entry *e, enum family family)
{
	e->present = members_in(e, family) > 0;
}

static int64_t *numbers_of(struct entry *e)
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
	struct entry *to = opened(m, op, op->key);
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
	integer(e, (int64_t)list_length(to));
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

	if (take(own_entry(m, op, op->key), true, &n))
		bulk(e, "e", n);
	else
		type_only(e, EXPECT_NIL);
}

static void exec_rpop(struct model *m, const struct op *op, struct expect *e)
{
	uint32_t n;

	if (take(own_entry(m, op, op->key), false, &n))
		bulk(e, "e", n);
	else
		type_only(e, EXPECT_NIL);
}

/* Two records in one batch: both or none. */
static void exec_lmove(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to;
	uint32_t n;

	if (!take(own_entry(m, op, op->key), true, &n)) {
		type_only(e, EXPECT_NIL);
		return;
	}
	to = opened(m, op, op->key2);
	to->present = true;
	buf_put(&to->value, &n, 4);
	bulk(e, "e", n);
}

static void exec_lset(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = own_entry(m, op, op->key);
	uint32_t n = (uint32_t)op->number;

	type_only(e, to->present ? EXPECT_OK : EXPECT_ERROR);
	if (to->present)
		memcpy(to->value.data, &n, 4);
}

static void exec_ltrim(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = own_entry(m, op, op->key);

	if (to->present && to->value.size > 100 * 4)
		to->value.size = 100 * 4;
	type_only(e, EXPECT_OK);
}

/* --- sets ----------------------------------------------------------------- */

static void set_all(struct model *m, const struct op *op, struct expect *e,
		    uint8_t there)
{
	struct entry *to = opened(m, op, op->key);
	unsigned i, changed = 0, count = run_length(op);

	for (i = 0; i < count; i++) {
		uint8_t *at = &to->value.data[run_member(op, i)];

		changed += *at != there;
		*at = there;
	}
	close_members(to, SETS);
	integer(e, changed);
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
	struct entry *from = opened(m, op, op->key), *to;
	unsigned member = run_member(op, 0);
	bool go = from->value.data[member];

	integer(e, go);
	if (!go)
		return;
	to = opened(m, op, op->key2);
	from->value.data[member] = 0;
	to->value.data[member] = 1;
	close_members(from, SETS);
	close_members(to, SETS);
}

static void exec_sunionstore(struct model *m, const struct op *op,
			     struct expect *e)
{
	const struct entry *a = opened(m, op, op->key2);
	const struct entry *b = opened(m, op, op->key3);
	struct entry *to = own_entry(m, op, op->key);
	unsigned i;

	to->deadline_low = to->deadline_high = 0;
	empty_value(&to->value, SETS);
	for (i = 0; i < MEMBERS; i++)
		to->value.data[i] = a->value.data[i] | b->value.data[i];
	close_members(to, SETS);
	integer(e, members_in(to, SETS));
}

/* --- sorted sets and hashes ----------------------------------------------- */

static void put_numbers(struct model *m, const struct op *op, struct expect *e)
{
	enum family family = key_family(op->key);
	struct entry *to = opened(m, op, op->key);
	unsigned i, added = 0, count = run_length(op);

	for (i = 0; i < count; i++) {
		int64_t *at = &numbers_of(to)[run_member(op, i)];

		added += *at == ABSENT;
		*at = run_score(op, i);
	}
	close_members(to, family);
	integer(e, added);
}

static void add_number(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = opened(m, op, op->key);
	int64_t *at = &numbers_of(to)[run_member(op, 0)];

	*at = (*at == ABSENT ? 0 : *at) + op->amount;
	to->present = true;
	if (key_family(op->key) == HASHES)
		integer(e, *at);
	else
		bulk(e, "", *at);
}

static void remove_number(struct model *m, const struct op *op,
			  struct expect *e)
{
	struct entry *to = opened(m, op, op->key);
	int64_t *at = &numbers_of(to)[run_member(op, 0)];

	integer(e, *at != ABSENT);
	*at = ABSENT;
	close_members(to, key_family(op->key));
}

static void exec_zremrange(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *to = opened(m, op, op->key);
	unsigned i, removed = 0;

	for (i = 0; i < MEMBERS; i++) {
		int64_t *at = &numbers_of(to)[i];

		if (*at != ABSENT && *at <= -100) {
			*at = ABSENT;
			removed++;
		}
	}
	close_members(to, ZSETS);
	integer(e, removed);
}

static void exec_zunionstore(struct model *m, const struct op *op,
			     struct expect *e)
{
	struct entry *a = opened(m, op, op->key2);
	struct entry *b = opened(m, op, op->key3);
	struct entry *to = own_entry(m, op, op->key);
	unsigned i;

	to->deadline_low = to->deadline_high = 0;
	empty_value(&to->value, ZSETS);
	for (i = 0; i < MEMBERS; i++) {
		int64_t x = numbers_of(a)[i], y = numbers_of(b)[i];

		numbers_of(to)[i] = x == ABSENT || (y != ABSENT && y > x) ?
				    y : x;
	}
	close_members(to, ZSETS);
	integer(e, members_in(to, ZSETS));
}

/* --- streams -------------------------------------------------------------- */

static void exec_xadd(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = opened(m, op, op->key);

	to->present = true;
	buf_put(&to->value, &op->number, 8);
	if (e) {
		e->type = EXPECT_BULK;
		e->bulk.size = 0;
		buf_printf(&e->bulk, "%" PRIu64 "-1", op->number);
	}
}

static void exec_xtrim(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = opened(m, op, op->key);
	uint64_t least = op_id(op, true);
	size_t gone = 0;
	uint64_t id;

	while (gone < to->value.size) {
		memcpy(&id, to->value.data + gone, 8);
		if (id >= least)
			break;
		gone += 8;
	}
	buf_drop_front(&to->value, gone);
	integer(e, (int64_t)gone / 8);
}

static void exec_nothing(struct model *m, const struct op *op,
			 struct expect *e)
{
	(void)m, (void)op;
	type_only(e, EXPECT_ANY);
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
	{ "XADD $k $n-1 field $n", 70, STREAMS, 0, IF_SHORT, exec_xadd },
	{ "XTRIM $k MINID $j", 7, STREAMS, 0, 0, exec_xtrim },
	{ "XTRIM $k MINID $j DELREF", 3, STREAMS, 0, 0, exec_xtrim },
	/* Groups are not in the model; the store must come back with them. */
	{ "XGROUP CREATE $k g 0", 3, STREAMS, 0, 0, exec_nothing },
	{ "XREADGROUP GROUP g c COUNT 9 STREAMS $k >", 10, STREAMS, 0, 0,
	  exec_nothing },
	{ "XREADGROUP GROUP g d COUNT 9 CLAIM 0 STREAMS $k >", 3, STREAMS, 0, 0,
	  exec_nothing },
	{ "XNACK $k g FAIL IDS 2 $n-1 $j-1 FORCE", 5, STREAMS, 0, 0,
	  exec_nothing },
	{ "XCFGSET $k IDMP-MAXSIZE 50", 1, STREAMS, 0, 0, exec_nothing },
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
		[STREAMS] = "XRANGE $ - +",
	};
	enum family family = key_family(key);

	return family >= LISTS && family <= STREAMS ? questions[family] :
						      "GET $";
}

/* The member of one word, and what of it follows in the next. */
static void read_member(struct buf *value, enum family family,
			const char *word, const char *next)
{
	unsigned long member = strtoul(word + 1, NULL, 10);

	if (member >= MEMBERS)
		return;
	if (family == SETS)
		value->data[member] = 1;
	else
		((int64_t *)(void *)value->data)[member] =
			strtoll(next, NULL, 10);
}

static void read_number(struct buf *value, enum family family,
			const char *word)
{
	uint32_t element = (uint32_t)strtoul(word + 1, NULL, 10);
	uint64_t id = strtoull(word, NULL, 10);

	if (family == LISTS)
		buf_put(value, &element, 4);
	else if (strchr(word, '-') != NULL)
		buf_put(value, &id, 8);
}

void model_take_words(struct buf *value, unsigned key, struct buf *words)
{
	enum family family = key_family(key);
	const char *at, *end;

	buf_put_byte(words, 0);
	at = (const char *)words->data;
	end = at + words->size - 1;
	empty_value(value, family);
	while (at < end) {
		const char *next = at + strlen(at) + 1;

		if (family == LISTS || family == STREAMS) {
			read_number(value, family, at);
		} else {
			read_member(value, family, at, next);
			if (family != SETS)
				next += strlen(next) + 1;
		}
		at = next;
	}
}
