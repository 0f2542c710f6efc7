/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From list to list, and from the first list that has something.
 *
 * I1. Elements go to the target before they leave the source: a key that is
 *     both never becomes empty on the way, and keeps its deadline.
 * I2. What moves is copied before the first record: a push may move the list
 *     it was read from.
 */
#include "engine/cmd_list.h"

#include "engine/items.h"
#include "engine/list_emit.h"

struct move {
	struct slice from_key, to_key;
	enum list_end from, to;
	uint64_t count;
	bool reversed; /* they come to stand the other way round */
	bool array;    /* of the reply */
};

/* Puts what moves into items, in the order it will stand in the target. */
static void collect(const struct entry *e, const struct move *m,
		    struct buf *items)
{
	uint64_t total = list_count(e), left = m->count;
	uint64_t first = m->from == LIST_LEFT ? 0 : total - m->count;
	struct list_cursor cursor;
	struct slice s;

	list_seek(&cursor, e, m->reversed ? first + m->count : first);
	while (left-- > 0) {
		if (m->reversed)
			list_previous(&cursor, &s);
		else
			list_next(&cursor, &s);
		items_put(items, s);
	}
}

static void reply_items(struct cmd *c, const struct buf *items,
			const struct move *m)
{
	struct reader in = reader_of(buf_slice(items));

	if (m->array)
		reply_array(c, m->count);
	while (reader_left(&in))
		reply_bulk(c, read_string(&in));
}

/* Turns a run round: pushed one by one to the left, it stands as it was. */
static void turn_round(struct buf *items)
{
	struct reader in = reader_of(buf_slice(items));
	struct buf turned = { 0 };
	uint8_t *end = buf_reserve(&turned, items->size) + items->size;

	while (reader_left(&in)) {
		const uint8_t *at = in.at;
		size_t size;

		read_string(&in);
		size = (size_t)(in.at - at);
		end -= size;
		memcpy(end, at, size);
	}
	turned.size = items->size;
	buf_release(items);
	*items = turned;
}

/* Takes what has been pushed out of the source: the same list may have it at
 * the same end, then the old ones stand behind the new. */
static void leave_source(struct cmd *c, const struct move *m, uint64_t total)
{
	enum record_cause cause = m->from == LIST_LEFT ? CAUSE_lpop
						       : CAUSE_rpop;

	if (!slice_equal(m->from_key, m->to_key) || m->from != m->to)
		emit_list_pop(c, m->from_key, m->from, m->count, cause);
	else
		emit_list_remove(c, m->from_key,
				 m->from == LIST_LEFT ? m->count
						      : total - m->count,
				 m->count, cause);
}

/* Moves m->count elements, which are there. */
static void move(struct cmd *c, const struct entry *e, const struct move *m)
{
	bool same = slice_equal(m->from_key, m->to_key);
	struct buf *items = items_scratch(c);
	uint64_t total = list_count(e);

	collect(e, m, items); /* I2 */
	if (!cmd_room(c, items_room(m->from_key.size + m->to_key.size, 2,
				    items->size)))
		return;
	reply_items(c, items, m);
	if (same && !m->reversed && (m->from == m->to || m->count == total))
		return; /* all stands as it was */
	if (m->to == LIST_LEFT && m->count > 1)
		turn_round(items);
	emit_list_push(c, m->to_key, m->to, buf_slice(items),
		       m->to == LIST_LEFT ? CAUSE_lpush : CAUSE_rpush);
	leave_source(c, m, total); /* I1 */
}

/* Looks both lists up; false: an error has been replied. *e NULL: no source. */
static bool lookup_both(struct cmd *c, const struct move *m,
			const struct entry **e)
{
	const struct entry *target;

	if (!lookup_typed_write(c, m->from_key, VALUE_list, e))
		return false;
	return *e == NULL ||
	       lookup_typed_write(c, m->to_key, VALUE_list, &target);
}

static void move_one(struct cmd *c, enum list_end from, enum list_end to)
{
	struct move m = {
		.from_key = c->argv[1],
		.to_key = c->argv[2],
		.from = from,
		.to = to,
		.count = 1,
	};
	const struct entry *e;

	if (!lookup_both(c, &m, &e))
		return;
	if (e)
		move(c, e, &m);
	else
		reply_null(c);
}

/* LMOVE source destination LEFT|RIGHT LEFT|RIGHT. */
void cmd_lmove(struct cmd *c)
{
	enum list_end from, to;

	if (arg_list_end(c, 3, &from) && arg_list_end(c, 4, &to))
		move_one(c, from, to);
}

/* RPOPLPUSH source destination. */
void cmd_rpoplpush(struct cmd *c)
{
	move_one(c, LIST_RIGHT, LIST_LEFT);
}

/* The words behind the ends: how many, and in which order. */
static bool movem_amount(struct cmd *c, struct move *m, bool *exactly)
{
	int64_t count;

	m->count = 1;
	*exactly = false;
	if (c->argc == 5)
		return true;
	*exactly = arg_is(c, 5, "exactly");
	if (c->argc != 8 || (!*exactly && !arg_is(c, 5, "count")) ||
	    (!arg_is(c, 7, "obo") && !arg_is(c, 7, "bulk"))) {
		reply_syntax_error(c);
		return false;
	}
	if (!num_parse_i64(c->argv[6], &count) || count <= 0) {
		reply_error(c, "ERR count should be greater than 0");
		return false;
	}
	m->count = (uint64_t)count;
	m->reversed = m->from == m->to && arg_is(c, 7, "obo");
	return true;
}

/* LMOVEM source destination LEFT|RIGHT LEFT|RIGHT [COUNT|EXACTLY count
 * OBO|BULK]. One by one onto the end they came from reverses them. */
void cmd_lmovem(struct cmd *c)
{
	struct move m = {
		.from_key = c->argv[1],
		.to_key = c->argv[2],
		.array = true,
	};
	const struct entry *e;
	bool exactly;

	if (!arg_list_end(c, 3, &m.from) || !arg_list_end(c, 4, &m.to) ||
	    !movem_amount(c, &m, &exactly) || !lookup_both(c, &m, &e))
		return;
	if (!e || (exactly && list_count(e) < m.count)) {
		reply_null_array(c);
		return;
	}
	if (m.count > list_count(e))
		m.count = list_count(e);
	move(c, e, &m);
}

/* The key arguments of LMPOP, for COMMAND GETKEYS. */
int keys_lmpop(const struct slice *argv, unsigned argc, unsigned *out)
{
	int64_t count;
	int i;

	if (argc < 4 || !num_parse_i64(argv[1], &count) || count < 1 ||
	    count > (int64_t)argc - 3)
		return -1;
	for (i = 0; i < count; i++)
		out[i] = 2 + (unsigned)i;
	return i;
}

/* [COUNT count] behind the end. */
static bool lmpop_count(struct cmd *c, unsigned index, int64_t *count)
{
	*count = 1;
	if (index == c->argc)
		return true;
	if (index + 1 == c->argc || !arg_is(c, index, "count")) {
		reply_syntax_error(c);
		return false;
	}
	if (!num_parse_i64(c->argv[index + 1], count) || *count < 1) {
		reply_error(c, "ERR count should be greater than 0");
		return false;
	}
	if (index + 2 != c->argc)
		reply_syntax_error(c);
	return index + 2 == c->argc;
}

static void pop_from(struct cmd *c, struct slice key, const struct entry *e,
		     enum list_end at, uint64_t wanted)
{
	uint64_t count = list_count(e);

	if (wanted < count)
		count = wanted;
	reply_array(c, 2);
	reply_bulk(c, key);
	reply_elements(c, e, at, count);
	emit_list_pop(c, key, at, count,
		      at == LIST_LEFT ? CAUSE_lpop : CAUSE_rpop);
}

/* LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]. */
void cmd_lmpop(struct cmd *c)
{
	int64_t keys, count;
	enum list_end at;
	unsigned i, where;

	if (!num_parse_i64(c->argv[1], &keys) || keys < 1) {
		reply_error(c, "ERR numkeys should be greater than 0");
		return;
	}
	if (keys >= (int64_t)c->argc - 2) {
		reply_syntax_error(c);
		return;
	}
	where = 2 + (unsigned)keys;
	if (!arg_list_end(c, where, &at) || !lmpop_count(c, where + 1, &count))
		return;
	for (i = 2; i < where; i++) {
		const struct entry *e;

		if (!lookup_typed_write(c, c->argv[i], VALUE_list, &e))
			return;
		if (!e)
			continue;
		pop_from(c, c->argv[i], e, at, (uint64_t)count);
		return;
	}
	reply_null_array(c);
}
