/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LCS: the longest common subsequence of two strings.
 *
 * The textbook table L, L(i,j) = length of the LCS of the first i bytes of a
 * and the first j of b, row by row, but only the steps in a row are kept: one
 * bit for each j, which is 0 where L(i,j) > L(i,j-1).  A row comes from the
 * one above it by one addition, 64 cells at a time (Hyyro 2004, "Bit-parallel
 * LCS-length computation revisited"): a step moves left to the first place in
 * its stretch where b has the byte of a.
 *
 * I1. Ties go left (j - 1), so the subsequence and its ranges are those that
 *     Redis finds.  Where bytes differ, L(i-1,j) > L(i,j-1) if and only if
 *     there is a step at (i,j): the way back from the end needs nothing else.
 * I2. Ranges are maximal diagonal runs of the way back, last one first.
 * I3. Bits behind the end of b are 1.
 */
#include "engine/cmd_string.h"

#include "base/checked.h"
#include "base/mem.h"
#include "engine/string_value.h"
#include "types/bits.h"

/* One common range; inclusive ends. */
struct range {
	size_t a_first, a_last;
	size_t b_first, b_last;
};

struct lcs {
	struct slice a, b;
	size_t words;       /* of a row */
	size_t row_size;    /* bytes */
	size_t row_count;   /* that are kept: all, or one for all */
	uint64_t *rows;     /* of L(0,j), L(1,j), ... */
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

/* Where b has each byte that a has: rows of bits in one block, which is
 * returned. mem_free. */
static uint64_t *find_places(const struct lcs *l, uint64_t *places[256])
{
	bool in_a[256] = { false };
	size_t count = 0, i;
	uint64_t *block;

	for (i = 0; i < l->a.size; i++) {
		count += !in_a[l->a.data[i]];
		in_a[l->a.data[i]] = true;
	}
	block = mem_calloc(count + 1, l->row_size);
	for (count = 0, i = 0; i < 256; i++)
		places[i] = in_a[i] ? block + count++ * l->words : NULL;
	for (i = 0; i < l->b.size; i++)
		if (in_a[l->b.data[i]])
			places[l->b.data[i]][i / 64] |= UINT64_C(1) << i % 64;
	return block;
}

/* The row of a byte of a from the one above it, which may be the same. */
static void fill_row(uint64_t *row, const uint64_t *above,
		     const uint64_t *places, size_t words)
{
	uint64_t carry = 0;
	size_t w;

	for (w = 0; w < words; w++) {
		uint64_t old = above[w], sum;

		carry = __builtin_add_overflow(old, carry, &sum);
		carry |= __builtin_add_overflow(sum, old & places[w], &sum);
		row[w] = sum | (old & ~places[w]);
	}
}

static void fill_table(struct lcs *l)
{
	uint64_t *places[256], *block = find_places(l, places);
	uint64_t *row = l->rows;
	size_t i;

	memset(row, 0xff, l->row_size);
	for (i = 0; i < l->a.size; i++) {
		uint64_t *next = l->row_count > 1 ? row + l->words : row;

		fill_row(next, row, places[l->a.data[i]], l->words);
		row = next;
	}
	l->length = l->words * 64 - bits_count((uint8_t *)row, l->row_size);
	mem_free(block);
}

/* I1 */
static bool cell_goes_up(const struct lcs *l, size_t i, size_t j)
{
	return !(l->rows[i * l->words + (j - 1) / 64] >> (j - 1) % 64 & 1);
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
	l->words = l->b.size / 64 + 1;
	l->row_size = l->words * sizeof(*l->rows);
	l->row_count = o->length_only ? 1 : l->a.size + 1;
	l->rows = mem_realloc_array(NULL, l->row_count, l->row_size);
	fill_table(l);
	if (!o->length_only)
		walk_back(l);
	if (o->ranges)
		reply_ranges(c, l, o);
	else if (o->length_only)
		reply_i64(c, (int64_t)l->length);
	else
		reply_bulk(c, buf_slice(&l->text));
	mem_free(l->rows);
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
