/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ends of lists.
 *
 * I1. What is replied is read before the record that changes it is emitted.
 */
#include "engine/cmd_list.h"

#include "engine/items.h"
#include "engine/list_emit.h"

bool arg_list_end(struct cmd *c, unsigned index, enum list_end *out)
{
	if (arg_is(c, index, "left")) {
		*out = LIST_LEFT;
		return true;
	}
	if (arg_is(c, index, "right")) {
		*out = LIST_RIGHT;
		return true;
	}
	reply_syntax_error(c);
	return false;
}

bool args_are_elements(struct cmd *c, unsigned first)
{
	unsigned i;

	for (i = first; i < c->argc; i++) {
		if (c->argv[i].size <= LIST_VALUE_MAX)
			continue;
		reply_error(c, "ERR Element too large");
		return false;
	}
	return true;
}

void reply_elements(struct cmd *c, const struct entry *e, enum list_end from,
		    uint64_t count)
{
	struct list_cursor cursor;
	struct slice s;

	reply_array(c, count);
	list_seek(&cursor, e, from == LIST_LEFT ? 0 : list_count(e));
	while (count-- > 0) {
		if (from == LIST_LEFT)
			list_next(&cursor, &s);
		else
			list_previous(&cursor, &s);
		reply_bulk(c, s);
	}
}

static void push(struct cmd *c, enum list_end at, bool create)
{
	struct slice key = c->argv[1];
	struct buf *items = items_scratch(c);
	const struct entry *e;
	uint64_t count;
	unsigned i;

	if (!lookup_typed_write(c, key, VALUE_list, &e) ||
	    !args_are_elements(c, 2))
		return;
	count = e ? list_count(e) : 0;
	if (!e && !create) {
		reply_i64(c, 0);
		return;
	}
	for (i = 2; i < c->argc; i++)
		items_put(items, c->argv[i]);
	emit_list_push(c, key, at, buf_slice(items),
		       at == LIST_LEFT ? CAUSE_lpush : CAUSE_rpush);
	reply_i64(c, (int64_t)count + c->argc - 2);
}

/* LPUSH key element [element ...]. */
void cmd_lpush(struct cmd *c)
{
	push(c, LIST_LEFT, true);
}

/* RPUSH key element [element ...]. */
void cmd_rpush(struct cmd *c)
{
	push(c, LIST_RIGHT, true);
}

/* LPUSHX key element [element ...]. */
void cmd_lpushx(struct cmd *c)
{
	push(c, LIST_LEFT, false);
}

/* RPUSHX key element [element ...]. */
void cmd_rpushx(struct cmd *c)
{
	push(c, LIST_RIGHT, false);
}

/* With a count: up to that many elements, as an array. */
static void pop_many(struct cmd *c, enum list_end at)
{
	const struct entry *e;
	int64_t wanted;
	uint64_t count;

	if (!arg_i64_range(c, 2, 0, INT64_MAX, &wanted) ||
	    !lookup_typed_write(c, c->argv[1], VALUE_list, &e))
		return;
	if (!e) {
		reply_null_array(c);
		return;
	}
	count = list_count(e);
	if ((uint64_t)wanted < count)
		count = (uint64_t)wanted;
	reply_elements(c, e, at, count); /* I1 */
	emit_list_pop(c, c->argv[1], at, count,
		      at == LIST_LEFT ? CAUSE_lpop : CAUSE_rpop);
}

static void pop(struct cmd *c, enum list_end at)
{
	const struct entry *e;
	struct list_cursor cursor;

	if (c->argc > 3) {
		reply_wrong_arity(c);
		return;
	}
	if (c->argc == 3) {
		pop_many(c, at);
		return;
	}
	if (!lookup_typed_write(c, c->argv[1], VALUE_list, &e))
		return;
	if (!e) {
		reply_null(c);
		return;
	}
	reply_bulk(c, list_get(&cursor, e, /* I1 */
			       at == LIST_LEFT ? 0 : list_count(e) - 1));
	emit_list_pop(c, c->argv[1], at, 1,
		      at == LIST_LEFT ? CAUSE_lpop : CAUSE_rpop);
}

/* LPOP key [count]. */
void cmd_lpop(struct cmd *c)
{
	pop(c, LIST_LEFT);
}

/* RPOP key [count]. */
void cmd_rpop(struct cmd *c)
{
	pop(c, LIST_RIGHT);
}
