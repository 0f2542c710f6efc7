/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members and scores: ZADD, ZINCRBY, ZREM, ZCARD, ZSCORE, ZMSCORE.
 *
 * I1. Every score is read, and the key's type known, before the first emit.
 *     The one thing that fails later, a sum that is not a number, is of a
 *     command with one member.
 * I2. A member that keeps its score is not emitted, unless the same command
 *     may have changed it before: elements act one after the other.
 * I3. A score of -0 becomes 0 (which the addition of 0 does).
 */
#include "engine/cmd_zset.h"

#include <assert.h>
#include <math.h>

#include "engine/zset_records.h"
#include "types/zset.h"

enum zadd_flags {
	ZADD_NX = 1,
	ZADD_XX = 2,
	ZADD_GT = 4,
	ZADD_LT = 8,
	ZADD_CH = 16,
	ZADD_INCR = 32,
};

/* Elements that are compared with each other to find doubles. */
#define COMPARED_MAX 32

struct zadd {
	struct slice key;
	unsigned flags;
	unsigned first; /* argument: score of the first element */
	unsigned count; /* of elements */
	enum record_cause cause;
	double score; /* of the first element */
	size_t added, updated;
};

/* What an element does to its member. */
enum outcome { REFUSED, UNCHANGED, ADDED, UPDATED, NOT_A_NUMBER };

/* Decides; *score becomes the new one. */
static enum outcome decide(const struct zadd *z, const struct entry *e,
			   struct slice member, double *score)
{
	double old;

	if (!e || !zset_score(e, member, &old))
		return z->flags & ZADD_XX ? REFUSED : ADDED;
	if (z->flags & ZADD_NX)
		return REFUSED;
	if (z->flags & ZADD_INCR) {
		*score += old;
		if (isnan(*score))
			return NOT_A_NUMBER;
	}
	if ((z->flags & ZADD_LT && *score >= old) ||
	    (z->flags & ZADD_GT && *score <= old))
		return REFUSED;
	return *score == old ? UNCHANGED : UPDATED;
}

static struct slice member_of(const struct cmd *c, const struct zadd *z,
			      unsigned i)
{
	return c->argv[z->first + 2 * i + 1];
}

static double score_of(const struct cmd *c, const struct zadd *z, unsigned i)
{
	double score = 0;

	if (i == 0)
		return z->score;
	num_parse_double(c->argv[z->first + 2 * i], &score); /* I1 */
	return score + 0.0; /* I3 */
}

static bool has_doubles(const struct cmd *c, const struct zadd *z)
{
	unsigned i, j;

	if (z->count > COMPARED_MAX)
		return true;
	for (i = 1; i < z->count; i++)
		for (j = 0; j < i; j++)
			if (slice_equal(member_of(c, z, i), member_of(c, z, j)))
				return true;
	return false;
}

/* One element: all that ZINCRBY is, and most of ZADD. */
static void add_one(struct cmd *c, struct zadd *z, const struct entry *e)
{
	struct slice member = member_of(c, z, 0);
	double score = z->score;
	enum outcome outcome = decide(z, e, member, &score);
	struct zset_writer w;

	if (outcome == NOT_A_NUMBER) {
		reply_error(c, "ERR resulting score is not a number (NaN)");
		return;
	}
	if (outcome >= ADDED) {
		w = zset_writer(c, z->key, REC_zset_add, z->cause);
		items_put_scored(w.items, score, member);
		zset_writer_flush(&w);
	}
	if (!(z->flags & ZADD_INCR))
		reply_i64(c, outcome == ADDED ||
				     (outcome == UPDATED &&
				      z->flags & ZADD_CH));
	else if (outcome == REFUSED)
		reply_null(c);
	else
		reply_double(c, score);
}

/* Elements without conditions: from the first one on that changes something,
 * all of them are emitted. (I2) */
static void add_plainly(struct cmd *c, struct zadd *z, const struct entry *e)
{
	struct zset_writer w =
		zset_writer(c, z->key, REC_zset_add, z->cause);
	unsigned i;

	for (i = 0; i < z->count; i++) {
		double score = score_of(c, z, i);

		if (decide(z, e, member_of(c, z, i), &score) >= ADDED)
			break;
	}
	for (; i < z->count; i++)
		zset_writer_add(&w, score_of(c, z, i), member_of(c, z, i));
	zset_writer_flush(&w);
	z->added = w.changed;
}

/* Elements whose effect depends on what is there: each meets what those before
 * it have left. */
static void add_carefully(struct cmd *c, struct zadd *z, const struct entry *e)
{
	struct zset_writer w =
		zset_writer(c, z->key, REC_zset_add, z->cause);
	bool one_by_one = has_doubles(c, z);
	unsigned i, emitted = 0;

	for (i = 0; i < z->count; i++) {
		double score = score_of(c, z, i);
		enum outcome outcome;

		if (w.emitted != emitted) {
			e = lookup_write(c, z->key);
			emitted = w.emitted;
		}
		outcome = decide(z, e, member_of(c, z, i), &score);
		z->added += outcome == ADDED;
		z->updated += outcome == UPDATED;
		if (outcome < ADDED)
			continue;
		zset_writer_add(&w, score, member_of(c, z, i));
		if (one_by_one)
			zset_writer_flush(&w);
	}
	zset_writer_flush(&w);
}

/* A key for each record, if they come one by one. */
static bool room_for(struct cmd *c, const struct zadd *z)
{
	uint64_t each = z->key.size + RECORD_OVERHEAD_MAX;

	return z->count <= COMPARED_MAX || !z->flags ||
	       cmd_room(c, z->count * each);
}

static bool zadd_flag(const struct cmd *c, unsigned i, struct zadd *z)
{
	static const struct {
		const char *word;
		unsigned flag;
	} words[] = {
		{ "nx", ZADD_NX }, { "xx", ZADD_XX }, { "ch", ZADD_CH },
		{ "gt", ZADD_GT }, { "lt", ZADD_LT }, { "incr", ZADD_INCR },
	};
	unsigned w;

	if (c->argv[i].size < 2 || c->argv[i].data[0] < 'A')
		return false; /* most often a number */
	for (w = 0; w < ARRAY_LEN(words); w++) {
		if (!arg_is(c, i, words[w].word))
			continue;
		z->flags |= words[w].flag;
		return true;
	}
	return false;
}

/* Replies an error if the flags do not go together. */
static bool flags_agree(struct cmd *c, const struct zadd *z)
{
	unsigned one = z->flags & (ZADD_NX | ZADD_GT | ZADD_LT);

	if (z->flags & ZADD_NX && z->flags & ZADD_XX) {
		reply_error(c, "ERR XX and NX options at the same time are not "
			       "compatible");
		return false;
	}
	if (one & (one - 1)) {
		reply_error(c, "ERR GT, LT, and/or NX options at the same time "
			       "are not compatible");
		return false;
	}
	if (z->flags & ZADD_INCR && z->count > 1) {
		reply_error(c, "ERR INCR option supports a single "
			       "increment-element pair");
		return false;
	}
	return true;
}

static bool scores_are_numbers(struct cmd *c, struct zadd *z)
{
	unsigned i;

	if (!arg_double(c, z->first, &z->score))
		return false;
	z->score += 0.0; /* I3 */
	for (i = 1; i < z->count; i++) {
		double score;

		if (!arg_double(c, z->first + 2 * i, &score))
			return false;
	}
	return true;
}

static void zadd(struct cmd *c, struct zadd *z)
{
	const struct entry *e;

	if (!scores_are_numbers(c, z) ||
	    !lookup_typed_write(c, z->key, VALUE_zset, &e))
		return;
	if (z->count == 1) {
		add_one(c, z, e);
		return;
	}
	if (!room_for(c, z))
		return;
	if (z->flags)
		add_carefully(c, z, e);
	else
		add_plainly(c, z, e);
	reply_i64(c, (int64_t)(z->added +
			       (z->flags & ZADD_CH ? z->updated : 0)));
}

/* ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]. */
void cmd_zadd(struct cmd *c)
{
	struct zadd z = { .key = c->argv[1], .first = 2, .cause = CAUSE_zadd };
	unsigned words;

	while (z.first < c->argc && zadd_flag(c, z.first, &z))
		z.first++;
	words = c->argc - z.first;
	if (words == 0 || words % 2) {
		reply_syntax_error(c);
		return;
	}
	z.count = words / 2;
	if (!flags_agree(c, &z))
		return;
	if (z.flags & ZADD_INCR)
		z.cause = CAUSE_zincr;
	zadd(c, &z);
}

/* ZINCRBY key increment member. */
void cmd_zincrby(struct cmd *c)
{
	struct zadd z = { .key = c->argv[1], .flags = ZADD_INCR, .first = 2,
			  .count = 1, .cause = CAUSE_zincr };

	zadd(c, &z);
}

/* ZREM key member [member ...]. */
void cmd_zrem(struct cmd *c)
{
	const struct entry *e;
	struct zset_writer w;
	unsigned i, emitted = 0;

	if (!lookup_typed_write(c, c->argv[1], VALUE_zset, &e))
		return;
	w = zset_writer(c, c->argv[1], REC_zset_del, CAUSE_zrem);
	for (i = 2; i < c->argc && e; i++) {
		double score;

		if (w.emitted != emitted) {
			e = lookup_write(c, c->argv[1]);
			emitted = w.emitted;
		}
		if (e && zset_score(e, c->argv[i], &score))
			zset_writer_del(&w, c->argv[i]);
	}
	zset_writer_flush(&w);
	reply_i64(c, (int64_t)w.changed);
}

/* --- reads --------------------------------------------------------------- */

/* ZCARD key. */
void cmd_zcard(struct cmd *c)
{
	const struct entry *e;

	if (lookup_typed(c, c->argv[1], VALUE_zset, &e))
		reply_i64(c, e ? (int64_t)zset_count(e) : 0);
}

static void reply_score(struct cmd *c, const struct entry *e,
			struct slice member)
{
	double score;

	if (e && zset_score(e, member, &score))
		reply_double(c, score);
	else
		reply_null(c);
}

/* ZSCORE key member. */
void cmd_zscore(struct cmd *c)
{
	const struct entry *e;

	if (lookup_typed(c, c->argv[1], VALUE_zset, &e))
		reply_score(c, e, c->argv[2]);
}

/* ZMSCORE key member [member ...]. */
void cmd_zmscore(struct cmd *c)
{
	const struct entry *e;
	unsigned i;

	if (!lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++)
		reply_score(c, e, c->argv[i]);
}
