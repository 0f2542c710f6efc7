/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of sorted sets as commands have them: by rank, score or member,
 * forward or backward, with LIMIT.  Shared by ZRANGE and its kin,
 * ZRANGESTORE, ZREMRANGEBY…, ZCOUNT and ZLEXCOUNT.
 */
#ifndef REDOUBT_ENGINE_ZSET_RANGE_H
#define REDOUBT_ENGINE_ZSET_RANGE_H

#include "engine/cmd.h"
#include "types/zset.h"

enum zset_range_by { BY_RANK, BY_SCORE, BY_LEX };

/* One end of a range of members: "-", "+", "[bytes" or "(bytes". */
struct zset_lex_end {
	int infinite; /* -1, 0 or 1 */
	bool open;
	struct slice bytes;
};

struct zset_range {
	enum zset_range_by by;
	bool reverse;
	bool with_scores;
	int64_t start, stop; /* BY_RANK; negative: from the end */
	double min, max;     /* BY_SCORE */
	bool min_open, max_open;
	struct zset_lex_end lex_min, lex_max; /* BY_LEX */
	int64_t offset, limit; /* limit < 0: all */
};

/* The members of a range: `count` of them from rank `first` on, upwards, or
 * downwards with reverse. */
struct zset_span {
	size_t first;
	size_t count;
	bool reverse;
};

/* Whether s is a score with "(" before it or not. */
bool zset_parse_score_end(struct slice s, double *score, bool *open);

/* Whether s is an end of a range of members. */
bool zset_parse_lex_end(struct slice s, struct zset_lex_end *end);

/*
 * Reads `min max [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]` from
 * argument `first` to the last; r->by and r->reverse are given by the caller
 * if `fixed` (ZRANGEBYSCORE: no BY…, no REV then; min and max change places
 * with reverse). store: no WITHSCORES. On failure it has replied.
 */
bool zset_range_args(struct cmd *c, unsigned first, bool fixed, bool store,
		     struct zset_range *r);

/* Reads the two ends only, at argument `first`; r->by and r->reverse are set.
 * On failure it has replied. */
bool zset_range_ends(struct cmd *c, unsigned first, struct zset_range *r);

/* The members of e (NULL: none) that a range means. */
struct zset_span zset_range_span(const struct zset_range *r,
				 const struct entry *e);

/* Replies items: an array, with scores in pairs in RESP3. */
void zset_reply_items(struct cmd *c, const struct zset_item *items,
		      size_t count, bool with_scores);

/* Likewise the members of a span. */
void zset_reply_span(struct cmd *c, const struct entry *e,
		     struct zset_span span, bool with_scores);

/* The next member of a span in its direction, after zset_seek to
 * span.first (reverse: span.first + 1). */
static inline bool zset_span_next(struct zset_iter *it, bool reverse,
				  struct zset_item *item)
{
	return reverse ? zset_previous(it, item) : zset_next(it, item);
}

/* Begins the iteration of a span. */
static inline void zset_span_seek(struct zset_iter *it, const struct entry *e,
				  struct zset_span span)
{
	zset_seek(it, e, span.first + span.reverse);
}

#endif
