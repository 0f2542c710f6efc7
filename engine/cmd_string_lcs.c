/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LCS: the longest common subsequence of two strings.
 *
 * The textbook table L, L(i,j) = length of the LCS of the first i bytes of a
 * and the first j of b, built row by row.  Only two rows are kept; of the whole
 * table one bit per cell is remembered, "L(i-1,j) > L(i,j-1)", which with a
 * comparison of two bytes is what the way back from (n,m) needs.
 *
 * I1. Ties go left (j - 1), so the subsequence and its ranges are those that
 *     Redis finds.
 * I2. Ranges are maximal diagonal runs of the way back, last one first.
 */
#include "engine/cmd_string.h"

#include "base/checked.h"
#include "base/mem.h"
#include "engine/string_value.h"

/* One common range; inclusive ends. */
struct range {
	size_t a_first, a_last;
	size_t b_first, b_last;
};

struct lcs {
	struct slice a, b;
	uint8_t *up;        /* one bit per cell; NULL: only the length */
	size_t row_bytes;   /* of `up` */
	size_t length;
	struct buf text;    /* the subsequence */
	struct buf ranges;  /* of struct range */
};

struct lcs_options {
	bool length_only, ranges, with_length;
	int64_t range_min;
};

static bool parse_options(struct cmd *c, struct lcs_options *o)
{
	unsigned i;

	*o = (struct lcs_options){ 0 };
	for (i = 3; i < c->argc; i++) {
		if (arg_is(c, i, "idx")) {
			o->ranges = true;
		} else if (arg_is(c, i, "len")) {
			o->length_only = true;
		} else if (arg_is(c, i, "withmatchlen")) {
			o->with_length = true;
		} else if (arg_is(c, i, "minmatchlen") && i + 1 < c->argc) {
			if (!arg_i64(c, ++i, &o->range_min))
				return false;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	if (o->ranges && o->length_only) {
		reply_error(c, "ERR If you want both the length and indexes, "
			       "please just use IDX.");
		return false;
	}
	return true;
}

/* Fills one row of lengths from the one above it. */
static void fill_row(const struct lcs *l, size_t i, const uint32_t *above,
		     uint32_t *row)
{
	uint8_t *up = l->up ? l->up + (i - 1) * l->row_bytes : NULL;
	uint8_t byte = l->a.data[i - 1];
	size_t j;

	row[0] = 0;
	for (j = 1; j <= l->b.size; j++) {
		bool from_above = above[j] > row[j - 1];

		if (l->b.data[j - 1] == byte)
			row[j] = above[j - 1] + 1;
		else
			row[j] = from_above ? above[j] : row[j - 1];
		if (up && from_above)
			up[j / 8] |= (uint8_t)(1 << j % 8);
	}
}

static void fill_table(struct lcs *l)
{
	uint32_t *rows[2];
	size_t i;

	rows[0] = mem_calloc(l->b.size + 1, sizeof(uint32_t));
	rows[1] = mem_calloc(l->b.size + 1, sizeof(uint32_t));
	for (i = 1; i <= l->a.size; i++)
		fill_row(l, i, rows[(i - 1) % 2], rows[i % 2]);
	l->length = rows[l->a.size % 2][l->b.size];
	mem_free(rows[0]);
	mem_free(rows[1]);
}

static bool cell_goes_up(const struct lcs *l, size_t i, size_t j)
{
	return l->up[(i - 1) * l->row_bytes + j / 8] >> j % 8 & 1;
}

/* Walks back from the end; fills text (from its end) and ranges. (I1, I2) */
static void walk_back(struct lcs *l)
{
	size_t i = l->a.size, j = l->b.size, left = l->length, run = 0;
	uint8_t *text = buf_reserve(&l->text, l->length + 1);

	l->text.size = l->length;
	while (i > 0 && j > 0) {
		bool same = l->a.data[i - 1] == l->b.data[j - 1];

		if (same) {
			text[--left] = l->a.data[--i];
			j--;
			run++;
		}
		if (run > 0 && (!same || i == 0 || j == 0)) {
			struct range r = { i, i + run - 1, j, j + run - 1 };

			buf_put(&l->ranges, &r, sizeof(r));
			run = 0;
		}
		if (same)
			continue;
		if (cell_goes_up(l, i, j))
			i--;
		else
			j--;
	}
}

static void reply_range(struct cmd *c, const struct range *r, bool with_length)
{
	reply_array(c, with_length ? 3 : 2);
	reply_array(c, 2);
	reply_i64(c, (int64_t)r->a_first);
	reply_i64(c, (int64_t)r->a_last);
	reply_array(c, 2);
	reply_i64(c, (int64_t)r->b_first);
	reply_i64(c, (int64_t)r->b_last);
	if (with_length)
		reply_i64(c, (int64_t)(r->a_last - r->a_first + 1));
}

static void reply_ranges(struct cmd *c, const struct lcs *l,
			 const struct lcs_options *o)
{
	const struct range *ranges = (const struct range *)l->ranges.data;
	size_t count = l->ranges.size / sizeof(*ranges), shown = 0, i;

	for (i = 0; i < count; i++)
		shown += (int64_t)(ranges[i].a_last - ranges[i].a_first + 1) >=
			 o->range_min;
	reply_map(c, 2);
	reply_bulk_str(c, "matches");
	reply_array(c, shown);
	for (i = 0; i < count; i++)
		if ((int64_t)(ranges[i].a_last - ranges[i].a_first + 1) >=
		    o->range_min)
			reply_range(c, &ranges[i], o->with_length);
	reply_bulk_str(c, "len");
	reply_i64(c, (int64_t)l->length);
}

/* The table, as Redis would allocate it, must fit into one bulk. It also
 * bounds the time. False: the error has been replied. */
static bool size_allowed(struct cmd *c, const struct lcs *l)
{
	size_t cells, bytes;

	if (size_mul(l->a.size + 1, l->b.size + 1, &cells) &&
	    size_mul(cells, sizeof(uint32_t), &bytes) &&
	    bytes <= (size_t)c->engine->config->proto_max_bulk_len)
		return true;
	reply_error(c, "ERR Insufficient memory, transient memory for LCS "
		       "exceeds proto-max-bulk-len");
	return false;
}

static void find_and_reply(struct cmd *c, struct lcs *l,
			   const struct lcs_options *o)
{
	if (!size_allowed(c, l))
		return;
	if (!o->length_only) {
		l->row_bytes = l->b.size / 8 + 1;
		l->up = mem_calloc(l->a.size + 1, l->row_bytes);
	}
	fill_table(l);
	if (l->up)
		walk_back(l);
	if (o->ranges)
		reply_ranges(c, l, o);
	else if (o->length_only)
		reply_i64(c, (int64_t)l->length);
	else
		reply_bulk(c, buf_slice(&l->text));
	mem_free(l->up);
	buf_release(&l->text);
	buf_release(&l->ranges);
}

/* LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]. */
void cmd_lcs(struct cmd *c)
{
	char scratch[2][NUM_I64_SIZE];
	struct buf copy[2] = { { 0 }, { 0 } };
	const struct entry *e[2];
	struct lcs_options o;
	struct lcs l = { 0 };

	e[0] = lookup_read(c, c->argv[1]);
	e[1] = lookup_read(c, c->argv[2]);
	if ((e[0] && entry_type(e[0]) != VALUE_string) ||
	    (e[1] && entry_type(e[1]) != VALUE_string)) {
		reply_error(c, "ERR The specified keys must contain string "
			       "values");
		return;
	}
	if (!parse_options(c, &o))
		return;
	l.a = string_together(e[0], scratch[0], &copy[0]);
	l.b = string_together(e[1], scratch[1], &copy[1]);
	find_and_reply(c, &l, &o);
	buf_release(&copy[0]);
	buf_release(&copy[1]);
}
