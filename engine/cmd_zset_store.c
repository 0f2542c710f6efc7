/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted sets and sets: union, intersection, difference; replied, stored or
 * counted.  And ZRANGESTORE.
 *
 * I1. A result is gathered as a run of items, in no order; the sources may
 *     change once it is complete. A reply sorts it, a store need not.
 * I2. Union and intersection take their inputs by size, small ones first, as
 *     Redis does: sums of scores come out the same to the last digit.
 */
#include "engine/cmd_zset_store.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/cmd.h"
#include "engine/zset_range.h"
#include "engine/zset_store.h"
#include "types/set.h"

#define INPUTS_FIXED 16

enum aggregate { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX };

struct input {
	const struct entry *e; /* sorted set or set; NULL: absent */
	double weight;
};

struct combination {
	struct input *inputs;
	unsigned count;
	enum aggregate aggregate;
	bool with_scores;
	uint64_t limit; /* members counted; 0: all */
	struct input fixed[INPUTS_FIXED];
};

/* What a command takes beside its keys. */
enum combination_options {
	TAKES_WEIGHTS = 1, /* and AGGREGATE */
	TAKES_WITHSCORES = 2,
	TAKES_LIMIT = 4,
};

/* Puts the combined members into out. */
typedef void combine_fn(const struct cmd *c, struct combination *k,
			struct zset_result *out);

/* --- arguments ------------------------------------------------------------ */

static void combination_release(struct combination *k)
{
	if (k->inputs != k->fixed)
		mem_free(k->inputs);
}

/* "numkeys key …" from argument `at` on; false: replied. */
static bool read_inputs(struct cmd *c, unsigned at, struct combination *k)
{
	int64_t count;
	unsigned i;

	*k = (struct combination){ .inputs = k->fixed };
	if (!arg_i64(c, at, &count))
		return false;
	if (count < 1) {
		reply_errorf(c, "ERR at least 1 input key is needed for '%s' "
			     "command", c->command->name);
		return false;
	}
	if (count > c->argc - at - 1) {
		reply_syntax_error(c);
		return false;
	}
	k->count = (unsigned)count;
	if (k->count > INPUTS_FIXED)
		k->inputs = mem_calloc(k->count, sizeof(*k->inputs));
	for (i = 0; i < k->count; i++) {
		const struct entry *e = lookup_read(c, c->argv[at + 1 + i]);

		if (e && entry_type(e) != VALUE_zset &&
		    entry_type(e) != VALUE_set) {
			reply_wrong_type(c);
			return false;
		}
		k->inputs[i] = (struct input){ e, 1 };
	}
	return true;
}

static bool read_weights(struct cmd *c, unsigned at, struct combination *k)
{
	unsigned i;

	for (i = 0; i < k->count; i++) {
		if (num_parse_double(c->argv[at + i], &k->inputs[i].weight))
			continue;
		reply_error(c, "ERR weight value is not a float");
		return false;
	}
	return true;
}

static bool read_aggregate(struct cmd *c, unsigned at, struct combination *k)
{
	if (arg_is(c, at, "sum")) {
		k->aggregate = AGGREGATE_SUM;
	} else if (arg_is(c, at, "min")) {
		k->aggregate = AGGREGATE_MIN;
	} else if (arg_is(c, at, "max")) {
		k->aggregate = AGGREGATE_MAX;
	} else {
		reply_syntax_error(c);
		return false;
	}
	return true;
}

static bool read_limit(struct cmd *c, unsigned at, struct combination *k)
{
	int64_t limit;

	if (!num_parse_i64(c->argv[at], &limit) || limit < 0) {
		reply_error(c, "ERR LIMIT can't be negative");
		return false;
	}
	k->limit = (uint64_t)limit;
	return true;
}

/* The options from argument `at` on; false: replied. */
static bool read_options(struct cmd *c, unsigned at, unsigned takes,
			 struct combination *k)
{
	unsigned left;

	for (; (left = c->argc - at) > 0; at++) {
		if ((takes & TAKES_WEIGHTS) && left > k->count &&
		    arg_is(c, at, "weights")) {
			if (!read_weights(c, at + 1, k))
				return false;
			at += k->count;
		} else if ((takes & TAKES_WEIGHTS) && left > 1 &&
			   arg_is(c, at, "aggregate")) {
			if (!read_aggregate(c, ++at, k))
				return false;
		} else if ((takes & TAKES_LIMIT) && left > 1 &&
			   arg_is(c, at, "limit")) {
			if (!read_limit(c, ++at, k))
				return false;
		} else if ((takes & TAKES_WITHSCORES) &&
			   arg_is(c, at, "withscores")) {
			k->with_scores = true;
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Inputs and options; false: replied, and released. */
static bool combination_read(struct cmd *c, unsigned at, unsigned takes,
			     struct combination *k)
{
	if (read_inputs(c, at, k) &&
	    read_options(c, at + 1 + k->count, takes, k))
		return true;
	combination_release(k);
	return false;
}

/* --- inputs --------------------------------------------------------------- */

static size_t input_count(const struct input *in)
{
	if (!in->e)
		return 0;
	return entry_type(in->e) == VALUE_set ? set_count(in->e) :
						zset_count(in->e);
}

/* Infinity times nothing, or less infinity, is 0. */
static double no_nan(double v)
{
	return isnan(v) ? 0 : v;
}

/* Whether the input has the member; its weighed score, which may be NaN. */
static bool input_find(const struct input *in, struct slice member,
		       double *score)
{
	bool found;

	if (!in->e)
		return false;
	if (entry_type(in->e) == VALUE_set) {
		*score = 1;
		found = set_has(in->e, member);
	} else {
		found = zset_score(in->e, member, score);
	}
	if (found)
		*score *= in->weight;
	return found;
}

/* All members of an input. */
struct input_walk {
	const struct input *in;
	struct zset_iter scored;
	struct set_iterator plain;
};

static void walk_begin(struct input_walk *w, const struct input *in)
{
	w->in = in;
	if (!in->e)
		return;
	if (entry_type(in->e) == VALUE_set)
		set_iterate(&w->plain, in->e);
	else
		zset_seek(&w->scored, in->e, 0);
}

/* The next member with its weighed score; false: that was all. */
static bool walk_next(struct input_walk *w, struct zset_item *item)
{
	if (!w->in->e)
		return false;
	item->score = 1;
	if (entry_type(w->in->e) == VALUE_set) {
		if (!set_next(&w->plain, &item->member))
			return false;
	} else if (!zset_next(&w->scored, item)) {
		return false;
	}
	item->score = no_nan(item->score * w->in->weight);
	return true;
}

static int by_count(const void *a, const void *b)
{
	size_t left = input_count(a), right = input_count(b);

	return (left > right) - (left < right);
}

static void sort_inputs(struct combination *k)
{
	if (k->count > 1)
		qsort(k->inputs, k->count, sizeof(*k->inputs), by_count);
}

/* --- combining ------------------------------------------------------------ */

static double aggregated(enum aggregate how, double a, double b)
{
	switch (how) {
	case AGGREGATE_MIN:
		return b < a ? b : a;
	case AGGREGATE_MAX:
		return b > a ? b : a;
	case AGGREGATE_SUM:
		break;
	}
	return no_nan(a + b);
}

/* Adds the members of an input to those of the ones before. */
static void unite_input(const struct combination *k, const struct input *in,
			struct zset_index *index, struct zset_result *out)
{
	struct input_walk walk;
	struct zset_item item;
	bool added;

	walk_begin(&walk, in);
	while (walk_next(&walk, &item)) {
		uint8_t *at = zset_index_put(index, out, &item, &added);
		double old;

		if (added)
			continue;
		memcpy(&old, at, sizeof(old));
		item.score = aggregated(k->aggregate, old, item.score);
		memcpy(at, &item.score, sizeof(item.score));
	}
}

static void combine_union(const struct cmd *c, struct combination *k,
			  struct zset_result *out)
{
	struct zset_index index;
	size_t count = 0;
	unsigned i;

	for (i = 0; i < k->count; i++)
		count += input_count(&k->inputs[i]);
	sort_inputs(k); /* I2 */
	zset_index_init(&index, count, c->ks->hash_key[0]);
	for (i = 0; i < k->count; i++)
		unite_input(k, &k->inputs[i], &index, out);
	zset_index_release(&index);
}

/* Whether all inputs but the first have item's member, whose score then is the
 * aggregate. */
static bool in_others(const struct combination *k, struct zset_item *item)
{
	double score;
	unsigned i;

	for (i = 1; i < k->count; i++) {
		if (!input_find(&k->inputs[i], item->member, &score))
			return false;
		item->score = aggregated(k->aggregate, item->score, score);
	}
	return true;
}

static void combine_inter(const struct cmd *c, struct combination *k,
			  struct zset_result *out)
{
	struct input_walk walk;
	struct zset_item item;

	(void)c;
	sort_inputs(k); /* I2 */
	walk_begin(&walk, &k->inputs[0]);
	while (walk_next(&walk, &item))
		if (in_others(k, &item))
			zset_result_put(out, &item);
}

static bool in_none(const struct combination *k, struct slice member)
{
	double score;
	unsigned i;

	for (i = 1; i < k->count; i++)
		if (input_find(&k->inputs[i], member, &score))
			return false;
	return true;
}

static void combine_diff(const struct cmd *c, struct combination *k,
			 struct zset_result *out)
{
	struct input_walk walk;
	struct zset_item item;

	(void)c;
	walk_begin(&walk, &k->inputs[0]);
	while (walk_next(&walk, &item))
		if (in_none(k, item.member))
			zset_result_put(out, &item);
}

/* --- what becomes of the result ------------------------------------------- */

static void reply_combined(struct cmd *c, unsigned takes, combine_fn *combine)
{
	struct zset_result result;
	struct zset_item *items;
	struct combination k;

	if (!combination_read(c, 1, takes | TAKES_WITHSCORES, &k))
		return;
	zset_result_init(&result);
	combine(c, &k, &result);
	items = zset_result_sorted(&result);
	zset_reply_items(c, items, result.count, k.with_scores);
	mem_free(items);
	buf_release(&result.run);
	combination_release(&k);
}

/* Copies a span of e to the result. */
static void result_take(struct zset_result *r, const struct entry *e,
			struct zset_span span)
{
	struct zset_item item;
	struct zset_iter it;
	size_t i;

	if (span.count == 0)
		return;
	zset_span_seek(&it, e, span);
	for (i = 0; i < span.count; i++)
		if (zset_span_next(&it, span.reverse, &item))
			zset_result_put(r, &item);
}

static void store_combined(struct cmd *c, unsigned takes, combine_fn *combine,
			   enum record_cause cause)
{
	struct combination k;
	struct zset_result result;

	if (!combination_read(c, 2, takes, &k))
		return;
	zset_result_init(&result);
	combine(c, &k, &result);
	combination_release(&k);
	zset_result_store(c, &result, c->argv[1], cause);
}

/* ZUNION numkeys key [key ...] [options]. */
void cmd_zunion(struct cmd *c)
{
	reply_combined(c, TAKES_WEIGHTS, combine_union);
}

/* ZINTER numkeys key [key ...] [options]. */
void cmd_zinter(struct cmd *c)
{
	reply_combined(c, TAKES_WEIGHTS, combine_inter);
}

/* ZDIFF numkeys key [key ...] [WITHSCORES]. */
void cmd_zdiff(struct cmd *c)
{
	reply_combined(c, 0, combine_diff);
}

/* ZUNIONSTORE destination numkeys key [key ...] [options]. */
void cmd_zunionstore(struct cmd *c)
{
	store_combined(c, TAKES_WEIGHTS, combine_union, CAUSE_zunionstore);
}

/* ZINTERSTORE destination numkeys key [key ...] [options]. */
void cmd_zinterstore(struct cmd *c)
{
	store_combined(c, TAKES_WEIGHTS, combine_inter, CAUSE_zinterstore);
}

/* ZDIFFSTORE destination numkeys key [key ...]. */
void cmd_zdiffstore(struct cmd *c)
{
	store_combined(c, 0, combine_diff, CAUSE_zdiffstore);
}

/* ZINTERCARD numkeys key [key ...] [LIMIT limit]. */
void cmd_zintercard(struct cmd *c)
{
	struct input_walk walk;
	struct zset_item item;
	struct combination k;
	uint64_t count = 0;

	if (!combination_read(c, 1, TAKES_LIMIT, &k))
		return;
	sort_inputs(&k);
	walk_begin(&walk, &k.inputs[0]);
	while (walk_next(&walk, &item))
		if (in_others(&k, &item) && ++count == k.limit)
			break;
	combination_release(&k);
	reply_i64(c, (int64_t)count);
}

/* ZRANGESTORE destination source min max [options]. */
void cmd_zrangestore(struct cmd *c)
{
	struct zset_range range = { 0 };
	struct zset_result result;
	const struct entry *e;

	if (!zset_range_args(c, 3, false, true, &range) ||
	    !lookup_typed(c, c->argv[2], VALUE_zset, &e))
		return;
	zset_result_init(&result);
	if (e)
		result_take(&result, e, zset_range_span(&range, e));
	zset_result_store(c, &result, c->argv[1], CAUSE_zrangestore);
}

/* --- keys ----------------------------------------------------------------- */

/* "numkeys key …" at argument `at`: indexes appended to the `count` in out. */
static int keys_at(const struct slice *argv, unsigned argc, unsigned at,
		   unsigned *out, int count)
{
	int64_t number, i;

	if (argc < at + 2 || !num_parse_i64(argv[at], &number) || number < 1 ||
	    number > argc - at - 1)
		return -1;
	for (i = 0; i < number; i++)
		out[count++] = at + 1 + (unsigned)i;
	return count;
}

/* ZUNION numkeys key … */
int keys_zunion(const struct slice *argv, unsigned argc, unsigned *out)
{
	return keys_at(argv, argc, 1, out, 0);
}

/* ZUNIONSTORE destination numkeys key … */
int keys_zunionstore(const struct slice *argv, unsigned argc, unsigned *out)
{
	out[0] = 1;
	return keys_at(argv, argc, 2, out, 1);
}
