/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sorted sets: from arguments to ranks.
 *
 * I1. Every range is a run of ranks: its two ends are looked up, O(log n), and
 *     what is between is counted by subtraction.
 * I2. Errors come in the order in which clients know them: options, then the
 *     ends, then (by the caller) the key.
 */
#include "engine/zset_range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What else the C library takes for a number, and clients are used to: blanks
 * in front, nothing at all, what is beyond the largest double. */
static bool parse_loosely(struct slice s, double *score)
{
	char text[128], *end;

	if (s.size >= sizeof(text))
		return false;
	memcpy(text, s.data, s.size);
	text[s.size] = 0;
	*score = strtod(text, &end);
	return end == text + s.size && !isnan(*score);
}

bool zset_parse_score_end(struct slice s, double *score, bool *open)
{
	*open = s.size > 0 && s.data[0] == '(';
	if (*open)
		s = slice_of(s.data + 1, s.size - 1);
	return num_parse_double(s, score) || parse_loosely(s, score);
}

bool zset_parse_lex_end(struct slice s, struct zset_lex_end *end)
{
	*end = (struct zset_lex_end){ 0 };
	if (s.size == 0)
		return false;
	if (s.data[0] == '-' || s.data[0] == '+') {
		end->infinite = s.data[0] == '-' ? -1 : 1;
		return s.size == 1;
	}
	end->open = s.data[0] == '(';
	end->bytes = slice_of(s.data + 1, s.size - 1);
	return end->open || s.data[0] == '[';
}

/* --- arguments ----------------------------------------------------------- */

static bool lex_ends(struct cmd *c, unsigned min, unsigned max,
		     struct zset_range *r)
{
	if (zset_parse_lex_end(c->argv[min], &r->lex_min) &&
	    zset_parse_lex_end(c->argv[max], &r->lex_max))
		return true;
	reply_error(c, "ERR min or max not valid string range item");
	return false;
}

static bool score_ends(struct cmd *c, unsigned min, unsigned max,
		       struct zset_range *r)
{
	if (zset_parse_score_end(c->argv[min], &r->min, &r->min_open) &&
	    zset_parse_score_end(c->argv[max], &r->max, &r->max_open))
		return true;
	reply_error(c, "ERR min or max is not a float");
	return false;
}

bool zset_range_ends(struct cmd *c, unsigned first, struct zset_range *r)
{
	unsigned min = first + (r->reverse ? 1 : 0);
	unsigned max = first + (r->reverse ? 0 : 1);

	r->limit = -1;
	switch (r->by) {
	case BY_LEX:
		return lex_ends(c, min, max, r);
	case BY_SCORE:
		return score_ends(c, min, max, r);
	case BY_RANK:
		break;
	}
	return arg_i64(c, first, &r->start) && arg_i64(c, first + 1, &r->stop);
}

static bool is_limit(const struct cmd *c, unsigned i)
{
	return arg_is(c, i, "limit") && i + 2 < c->argc;
}

/* The options from argument i on. */
static bool range_options(struct cmd *c, unsigned i, bool fixed, bool store,
			  struct zset_range *r)
{
	for (; i < c->argc; i++) {
		if (!store && arg_is(c, i, "withscores")) {
			r->with_scores = true;
		} else if (is_limit(c, i)) {
			if (!arg_i64(c, i + 1, &r->offset) ||
			    !arg_i64(c, i + 2, &r->limit))
				return false;
			i += 2;
		} else if (!fixed && !r->reverse && arg_is(c, i, "rev")) {
			r->reverse = true;
		} else if (!fixed && r->by == BY_RANK &&
			   arg_is(c, i, "bylex")) {
			r->by = BY_LEX;
		} else if (!fixed && r->by == BY_RANK &&
			   arg_is(c, i, "byscore")) {
			r->by = BY_SCORE;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

bool zset_range_args(struct cmd *c, unsigned first, bool fixed, bool store,
		     struct zset_range *r)
{
	int64_t limit;

	r->limit = -1;
	r->offset = 0;
	if (!range_options(c, first + 2, fixed, store, r))
		return false;
	if (r->limit != -1 && r->by == BY_RANK) {
		reply_error(c, "ERR syntax error, LIMIT is only supported in "
			       "combination with either BYSCORE or BYLEX");
		return false;
	}
	if (r->with_scores && r->by == BY_LEX) {
		reply_error(c, "ERR syntax error, WITHSCORES not supported in "
			       "combination with BYLEX");
		return false;
	}
	limit = r->limit;
	if (!zset_range_ends(c, first, r))
		return false;
	r->limit = limit;
	return true;
}

/* --- ranks --------------------------------------------------------------- */

/* Members from rank low on, below rank high. */
struct ranks {
	size_t low, high;
};

static struct ranks ranks_by_position(const struct zset_range *r, size_t count)
{
	int64_t all = (int64_t)count;
	int64_t start = r->start < 0 ? r->start + all : r->start;
	int64_t stop = r->stop < 0 ? r->stop + all : r->stop;

	if (start < 0)
		start = 0;
	if (stop >= all)
		stop = all - 1;
	if (start > stop)
		return (struct ranks){ 0, 0 };
	if (r->reverse)
		return (struct ranks){ (size_t)(all - 1 - stop),
				       (size_t)(all - start) };
	return (struct ranks){ (size_t)start, (size_t)stop + 1 };
}

/* How many members are before this end. */
static size_t lex_rank(const struct zset_lex_end *end, const struct entry *e,
		       bool equal)
{
	if (end->infinite)
		return end->infinite < 0 ? 0 : zset_count(e);
	return zset_rank_of_member(e, end->bytes, equal);
}

static struct ranks ranks_of(const struct zset_range *r, const struct entry *e)
{
	struct ranks ranks;

	switch (r->by) {
	case BY_SCORE:
		ranks.low = zset_rank_of_score(e, r->min, r->min_open);
		ranks.high = zset_rank_of_score(e, r->max, !r->max_open);
		return ranks;
	case BY_LEX:
		ranks.low = lex_rank(&r->lex_min, e, r->lex_min.open);
		ranks.high = lex_rank(&r->lex_max, e, !r->lex_max.open);
		return ranks;
	case BY_RANK:
		break;
	}
	return ranks_by_position(r, zset_count(e));
}

struct zset_span zset_range_span(const struct zset_range *r,
				 const struct entry *e)
{
	struct zset_span span = { .reverse = r->reverse };
	struct ranks ranks;
	size_t offset = r->by == BY_RANK ? 0 : (size_t)r->offset;

	if (!e)
		return span;
	ranks = ranks_of(r, e);
	if (ranks.high <= ranks.low || offset >= ranks.high - ranks.low)
		return span; /* a negative offset is behind everything */
	span.count = ranks.high - ranks.low - offset;
	if (r->by != BY_RANK && r->limit >= 0 &&
	    (uint64_t)r->limit < span.count)
		span.count = (size_t)r->limit;
	span.first = r->reverse ? ranks.high - 1 - offset
				: ranks.low + offset;
	return span;
}

/* --- replies ------------------------------------------------------------- */

/* Whether a member with its score is an array of its own. */
static bool in_pairs(const struct cmd *c, bool with_scores)
{
	return with_scores && c->session->protocol == 3;
}

static void begin_items(struct cmd *c, size_t count, bool with_scores)
{
	bool flat = with_scores && !in_pairs(c, with_scores);

	reply_array(c, flat ? count * 2 : count);
}

static void reply_item(struct cmd *c, const struct zset_item *item,
		       bool with_scores)
{
	if (in_pairs(c, with_scores))
		reply_array(c, 2);
	reply_bulk(c, item->member);
	if (with_scores)
		reply_double(c, item->score);
}

void zset_reply_items(struct cmd *c, const struct zset_item *items,
		      size_t count, bool with_scores)
{
	size_t i;

	begin_items(c, count, with_scores);
	for (i = 0; i < count; i++)
		reply_item(c, &items[i], with_scores);
}

void zset_reply_span(struct cmd *c, const struct entry *e,
		     struct zset_span span, bool with_scores)
{
	struct zset_item item;
	struct zset_iter it;
	size_t i;

	begin_items(c, span.count, with_scores);
	if (span.count == 0)
		return;
	zset_span_seek(&it, e, span);
	for (i = 0; i < span.count; i++) {
		if (!zset_span_next(&it, span.reverse, &item))
			break; /* cannot be: a span is within the set */
		reply_item(c, &item, with_scores);
	}
}
