/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Order: ZRANK, ZCOUNT, ZRANGE and all their kin.
 */
#include "engine/cmd_zset.h"

#include "engine/zset_range.h"

/* The rank of a member, counted from either end. */
static void zrank(struct cmd *c, bool reverse)
{
	bool with_score = c->argc > 3, found;
	const struct entry *e;
	size_t rank = 0;
	double score = 0;

	if (c->argc > 4) {
		reply_wrong_arity(c);
		return;
	}
	if (with_score && !arg_is(c, 3, "withscore")) {
		reply_syntax_error(c);
		return;
	}
	if (!lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	found = e && zset_rank(e, c->argv[2], &rank, &score);
	if (!found) {
		if (with_score)
			reply_null_array(c);
		else
			reply_null(c);
		return;
	}
	if (reverse)
		rank = zset_count(e) - 1 - rank;
	if (with_score)
		reply_array(c, 2);
	reply_i64(c, (int64_t)rank);
	if (with_score)
		reply_double(c, score);
}

/* ZRANK key member [WITHSCORE]. */
void cmd_zrank(struct cmd *c)
{
	zrank(c, false);
}

/* ZREVRANK key member [WITHSCORE]. */
void cmd_zrevrank(struct cmd *c)
{
	zrank(c, true);
}

static void zcount(struct cmd *c, enum zset_range_by by)
{
	struct zset_range r = { .by = by };
	const struct entry *e;

	if (!zset_range_ends(c, 2, &r) ||
	    !lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	reply_i64(c, (int64_t)zset_range_span(&r, e).count);
}

/* ZCOUNT key min max. */
void cmd_zcount(struct cmd *c)
{
	zcount(c, BY_SCORE);
}

/* ZLEXCOUNT key min max. */
void cmd_zlexcount(struct cmd *c)
{
	zcount(c, BY_LEX);
}

static void zrange(struct cmd *c, struct zset_range *r, bool fixed)
{
	const struct entry *e;

	if (!zset_range_args(c, 2, fixed, false, r) ||
	    !lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	zset_reply_span(c, e, zset_range_span(r, e), r->with_scores);
}

/* ZRANGE key min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]
 * [WITHSCORES]. */
void cmd_zrange(struct cmd *c)
{
	struct zset_range r = { .by = BY_RANK };

	zrange(c, &r, false);
}

static void zrange_fixed(struct cmd *c, enum zset_range_by by, bool reverse)
{
	struct zset_range r = { .by = by, .reverse = reverse };

	zrange(c, &r, true);
}

/* ZREVRANGE key start stop [WITHSCORES]. */
void cmd_zrevrange(struct cmd *c)
{
	zrange_fixed(c, BY_RANK, true);
}

/* ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]. */
void cmd_zrangebyscore(struct cmd *c)
{
	zrange_fixed(c, BY_SCORE, false);
}

/* ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]. */
void cmd_zrevrangebyscore(struct cmd *c)
{
	zrange_fixed(c, BY_SCORE, true);
}

/* ZRANGEBYLEX key min max [LIMIT offset count]. */
void cmd_zrangebylex(struct cmd *c)
{
	zrange_fixed(c, BY_LEX, false);
}

/* ZREVRANGEBYLEX key max min [LIMIT offset count]. */
void cmd_zrevrangebylex(struct cmd *c)
{
	zrange_fixed(c, BY_LEX, true);
}
