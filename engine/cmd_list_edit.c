/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changing lists in the middle.
 *
 * I1. LREM finds all it removes before it emits: the records go from the right
 *     end to the left one, so that the indexes found stay right.
 */
#include "engine/cmd_list.h"

#include "engine/items.h"
#include "engine/list_emit.h"

/* Bytes of a record of list_remove without its key, at most. */
#define REMOVE_RECORD_SIZE 32

/* A record that puts one element at an index. */
static void emit_at(struct cmd *c, enum record_type type, uint64_t index,
		    struct slice value)
{
	struct record r = {
		.type = (uint8_t)type,
		.cause = type == REC_list_set ? CAUSE_lset : CAUSE_linsert,
		.db = c->db,
		.key = c->argv[1],
		.offset = index,
		.value = value,
	};

	emit(c, &r);
}

/* LSET key index element. */
void cmd_lset(struct cmd *c)
{
	const struct entry *e;
	int64_t index;

	if (!lookup_typed_write(c, c->argv[1], VALUE_list, &e))
		return;
	if (!e) {
		reply_error(c, "ERR no such key");
		return;
	}
	if (!arg_i64(c, 2, &index) || !args_are_elements(c, 3))
		return;
	index = list_index(index, list_count(e));
	if (index < 0 || (uint64_t)index >= list_count(e)) {
		reply_error(c, "ERR index out of range");
		return;
	}
	emit_at(c, REC_list_set, (uint64_t)index, c->argv[3]);
	reply_ok(c);
}

/* Finds the first element that is s. */
static bool find_first(const struct entry *e, struct slice s, uint64_t *index)
{
	struct list_cursor cursor;
	struct pack_key key;
	bool is = false;

	if (s.size > LIST_VALUE_MAX)
		return false;
	key = pack_key(s);
	list_seek(&cursor, e, 0);
	for (*index = 0; list_next_is(&cursor, &key, &is); ++*index)
		if (is)
			return true;
	return false;
}

/* LINSERT key BEFORE|AFTER pivot element. */
void cmd_linsert(struct cmd *c)
{
	bool after = arg_is(c, 2, "after");
	const struct entry *e;
	uint64_t index, count;

	if (!after && !arg_is(c, 2, "before")) {
		reply_syntax_error(c);
		return;
	}
	if (!lookup_typed_write(c, c->argv[1], VALUE_list, &e) ||
	    !args_are_elements(c, 4))
		return;
	if (!e) {
		reply_i64(c, 0);
		return;
	}
	if (!find_first(e, c->argv[3], &index)) {
		reply_i64(c, -1);
		return;
	}
	count = list_count(e);
	emit_at(c, REC_list_insert, index + after, c->argv[4]);
	reply_i64(c, (int64_t)count + 1);
}

/* Neighbours that are removed by one record. */
struct removal {
	uint64_t index;
	uint64_t count;
};

/* Adds an index to the removals; it is behind (back: before) all of them. */
static void add_removal(struct buf *removals, uint64_t index, bool back)
{
	struct removal last = { index, 1 };

	if (removals->size > 0) {
		memcpy(&last, removals->data + removals->size - sizeof(last),
		       sizeof(last));
		if (index == (back ? last.index - 1 :
				     last.index + last.count)) {
			last.count++;
			last.index -= back;
			removals->size -= sizeof(last);
		} else {
			last = (struct removal){ index, 1 };
		}
	}
	buf_put(removals, &last, sizeof(last));
}

/* Finds up to `most` elements that are s, from the left or (back) from the
 * right; returns how many. */
static uint64_t find_removals(const struct entry *e, struct slice s,
			      uint64_t most, bool back, struct buf *removals)
{
	uint64_t count = list_count(e), found = 0, i;
	struct list_cursor cursor;
	struct pack_key key;
	bool is = false;

	if (s.size > LIST_VALUE_MAX)
		return 0;
	key = pack_key(s);
	list_seek(&cursor, e, back ? count : 0);
	for (i = 0; i < count && found < most; i++) {
		if (back)
			list_previous_is(&cursor, &key, &is);
		else
			list_next_is(&cursor, &key, &is);
		if (!is)
			continue;
		add_removal(removals, back ? count - 1 - i : i, back);
		found++;
	}
	return found;
}

static void emit_removals(struct cmd *c, const struct buf *removals, bool back)
{
	size_t count = removals->size / sizeof(struct removal), i;
	struct removal r;

	for (i = 0; i < count; i++) {
		size_t at = back ? i : count - 1 - i; /* I1 */

		memcpy(&r, removals->data + at * sizeof(r), sizeof(r));
		emit_list_remove(c, c->argv[1], r.index, r.count, CAUSE_lrem);
	}
}

/* LREM key count element. */
void cmd_lrem(struct cmd *c)
{
	struct buf *removals = items_scratch(c);
	const struct entry *e;
	uint64_t most, found = 0;
	int64_t wanted;
	size_t records;

	if (!arg_i64_range(c, 2, -INT64_MAX, INT64_MAX, &wanted) ||
	    !lookup_typed_write(c, c->argv[1], VALUE_list, &e))
		return;
	most = wanted == 0 ? UINT64_MAX :
			     (uint64_t)(wanted < 0 ? -wanted : wanted);
	if (e)
		found = find_removals(e, c->argv[3], most, wanted < 0,
				      removals);
	records = removals->size / sizeof(struct removal);
	if (!cmd_room(c, records * (c->argv[1].size + REMOVE_RECORD_SIZE)))
		return;
	emit_removals(c, removals, wanted < 0);
	reply_i64(c, (int64_t)found);
}

/* LTRIM key start stop. */
void cmd_ltrim(struct cmd *c)
{
	const struct entry *e;
	int64_t start, stop, count;

	if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &stop) ||
	    !lookup_typed_write(c, c->argv[1], VALUE_list, &e))
		return;
	count = list_range(e, &start, &stop);
	if (start > stop) { /* nothing is kept */
		start = count;
		stop = count - 1;
	}
	emit_list_pop(c, c->argv[1], LIST_LEFT, (uint64_t)start, CAUSE_ltrim);
	emit_list_pop(c, c->argv[1], LIST_RIGHT, (uint64_t)(count - 1 - stop),
		      CAUSE_ltrim);
	reply_ok(c);
}
