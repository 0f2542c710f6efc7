/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading lists.
 */
#include "engine/cmd_list.h"

/* LLEN key. */
void cmd_llen(struct cmd *c)
{
	const struct entry *e;

	if (lookup_typed(c, c->argv[1], VALUE_list, &e))
		reply_i64(c, e ? (int64_t)list_count(e) : 0);
}

/* LINDEX key index. */
void cmd_lindex(struct cmd *c)
{
	const struct entry *e;
	struct list_cursor cursor;
	int64_t index;

	if (!lookup_typed(c, c->argv[1], VALUE_list, &e))
		return;
	if (!e) {
		reply_null(c);
		return;
	}
	if (!arg_i64(c, 2, &index))
		return;
	index = list_index(index, list_count(e));
	if (index < 0 || (uint64_t)index >= list_count(e))
		reply_null(c);
	else
		reply_bulk(c, list_get(&cursor, e, (uint64_t)index));
}

/* LRANGE key start stop. */
void cmd_lrange(struct cmd *c)
{
	int64_t start, stop;
	struct list_cursor cursor;
	const struct entry *e;
	struct slice s;

	if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &stop) ||
	    !lookup_typed(c, c->argv[1], VALUE_list, &e))
		return;
	list_range(e, &start, &stop);
	if (start > stop) {
		reply_array(c, 0);
		return;
	}
	reply_array(c, (size_t)(stop - start + 1));
	list_seek(&cursor, e, (uint64_t)start);
	for (; start <= stop && list_next(&cursor, &s); start++)
		reply_bulk(c, s);
}

struct lpos_options {
	int64_t rank;  /* the first match wanted; negative: from the end */
	int64_t count; /* matches wanted; 0: all of them */
	int64_t compared_max; /* 0: no limit */
	bool array;           /* COUNT was given */
};

/* A number that is not negative, or this error. */
static bool arg_not_negative(struct cmd *c, unsigned index, const char *error,
			     int64_t *out)
{
	if (num_parse_i64(c->argv[index], out) && *out >= 0)
		return true;
	reply_error(c, error);
	return false;
}

static bool lpos_option(struct cmd *c, unsigned i, struct lpos_options *o)
{
	if (i + 1 >= c->argc) {
		reply_syntax_error(c);
		return false;
	}
	if (arg_is(c, i, "rank")) {
		if (!arg_i64_range(c, i + 1, -INT64_MAX, INT64_MAX, &o->rank))
			return false;
		if (o->rank == 0)
			reply_error(c, "ERR RANK can't be zero: use 1 to start "
				       "from the first match, 2 from the "
				       "second ... or use negative to start "
				       "from the end of the list");
		return o->rank != 0;
	}
	if (arg_is(c, i, "count")) {
		o->array = true;
		return arg_not_negative(c, i + 1, "ERR COUNT can't be negative",
					&o->count);
	}
	if (arg_is(c, i, "maxlen"))
		return arg_not_negative(c, i + 1,
					"ERR MAXLEN can't be negative",
					&o->compared_max);
	reply_syntax_error(c);
	return false;
}

/* Puts the indexes of the wanted matches into found. */
static void lpos_find(const struct entry *e, struct slice element,
		      const struct lpos_options *o, struct buf *found)
{
	struct pack_key key = pack_key(element);
	int64_t skip = (o->rank < 0 ? -o->rank : o->rank) - 1, matches = 0;
	uint64_t count = list_count(e), i, most = count;
	bool is = false, back = o->rank < 0;
	struct list_cursor cursor;

	if (o->compared_max > 0 && (uint64_t)o->compared_max < most)
		most = (uint64_t)o->compared_max;
	list_seek(&cursor, e, back ? count : 0);
	for (i = 0; i < most; i++) {
		int64_t index = (int64_t)(back ? count - 1 - i : i);

		if (back)
			list_previous_is(&cursor, &key, &is);
		else
			list_next_is(&cursor, &key, &is);
		if (!is || skip-- > 0)
			continue;
		buf_put(found, &index, sizeof(index));
		if (++matches == o->count)
			return;
	}
}

/* LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]. */
void cmd_lpos(struct cmd *c)
{
	struct lpos_options o = { .rank = 1, .count = 1 };
	struct buf found = { 0 };
	const struct entry *e;
	int64_t index;
	unsigned i;
	size_t at;

	for (i = 3; i < c->argc; i += 2)
		if (!lpos_option(c, i, &o))
			return;
	if (!lookup_typed(c, c->argv[1], VALUE_list, &e))
		return;
	if (e && c->argv[2].size <= LIST_VALUE_MAX)
		lpos_find(e, c->argv[2], &o, &found);
	if (o.array)
		reply_array(c, found.size / sizeof(index));
	else if (found.size == 0)
		reply_null(c);
	for (at = 0; at < found.size; at += sizeof(index)) {
		memcpy(&index, found.data + at, sizeof(index));
		reply_i64(c, index);
	}
	buf_release(&found);
}
