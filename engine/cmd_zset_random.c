/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members without order: ZRANDMEMBER, ZSCAN.
 *
 * I1. One seed per command; a draw is a rank.
 * I2. Members are drawn without repetition either by one pass over all of them
 *     (when a good part is wanted, or finding a rank is a pass anyway) or by
 *     drawing ranks until enough are different.
 */
#include "engine/cmd_zset.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/scan.h"
#include "engine/zset_range.h"
#include "types/zset_big.h"

struct draw {
	uint64_t random;
	bool with_scores;
};

/* The next number of an xorshift* generator (Vigna 2016). */
static uint64_t draw_next(struct draw *d)
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return d->random * 2685821657736338717u;
}

static size_t draw_below(struct draw *d, size_t n)
{
	return (size_t)(((unsigned __int128)draw_next(d) * n) >> 64);
}

static void reply_item(struct cmd *c, const struct draw *d,
		       const struct zset_item *item)
{
	if (d->with_scores && c->session->protocol == 3)
		reply_array(c, 2);
	reply_bulk(c, item->member);
	if (d->with_scores)
		reply_double(c, item->score);
}

static void reply_rank(struct cmd *c, const struct draw *d,
		       const struct entry *e, size_t rank)
{
	struct zset_item item = { 0 };
	struct zset_iter it;

	zset_seek(&it, e, rank);
	zset_next(&it, &item);
	reply_item(c, d, &item);
}

static void reply_items(struct cmd *c, const struct draw *d, size_t count)
{
	reply_array(c, d->with_scores && c->session->protocol == 2 ? count * 2
								   : count);
}

/* Each member is taken with the chance that is left for it: a pass. */
static void draw_in_pass(struct cmd *c, struct draw *d, const struct entry *e,
			 size_t count)
{
	size_t all = zset_count(e), i;
	struct zset_item item;
	struct zset_iter it;

	zset_seek(&it, e, 0);
	for (i = 0; count > 0 && zset_next(&it, &item); i++) {
		if (draw_below(d, all - i) >= count)
			continue;
		reply_item(c, d, &item);
		count--;
	}
}

/* Draws ranks; those drawn are kept in a table of cells, rank + 1 each. */
static void draw_ranks(struct cmd *c, struct draw *d, const struct entry *e,
		       size_t count)
{
	size_t cells = 16, all = zset_count(e), *drawn;

	while (cells < 2 * count)
		cells *= 2;
	drawn = mem_calloc(cells, sizeof(*drawn));
	while (count > 0) {
		size_t rank = draw_below(d, all);
		size_t at = (rank * 11400714819323198485u) & (cells - 1);

		while (drawn[at] != 0 && drawn[at] != rank + 1)
			at = (at + 1) & (cells - 1);
		if (drawn[at] != 0)
			continue;
		drawn[at] = rank + 1;
		reply_rank(c, d, e, rank);
		count--;
	}
	mem_free(drawn);
}

static void draw_different(struct cmd *c, struct draw *d,
			   const struct entry *e, uint64_t wanted)
{
	size_t all = zset_count(e);
	size_t count = wanted < all ? (size_t)wanted : all;

	reply_items(c, d, count);
	if (count >= all / 3 || !zset_big(e))
		draw_in_pass(c, d, e, count);
	else
		draw_ranks(c, d, e, count);
}

static void draw_repeating(struct cmd *c, struct draw *d,
			   const struct entry *e, uint64_t count)
{
	size_t all = zset_count(e);

	reply_items(c, d, (size_t)count);
	while (count-- > 0)
		reply_rank(c, d, e, draw_below(d, all));
}

/* The count of ZRANDMEMBER and its option. */
static bool draw_args(struct cmd *c, struct draw *d, int64_t *count)
{
	int64_t max;

	d->with_scores = c->argc == 4 && arg_is(c, 3, "withscores");
	if (!arg_i64_range(c, 2, -INT64_MAX, INT64_MAX, count))
		return false;
	if (c->argc > 3 && !d->with_scores) {
		reply_syntax_error(c);
		return false;
	}
	max = d->with_scores ? INT64_MAX / 2 : INT64_MAX;
	if (*count < -max || *count > max) {
		reply_error(c, "ERR value is out of range");
		return false;
	}
	return true;
}

/* ZRANDMEMBER key [count [WITHSCORES]]. */
void cmd_zrandmember(struct cmd *c)
{
	struct draw d = { .with_scores = false };
	const struct entry *e;
	int64_t count = 1;

	if (c->argc > 2 && !draw_args(c, &d, &count))
		return;
	if (!lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	d.random = engine_chance(c->engine) | 1; /* I1 */
	if (!e) {
		if (c->argc > 2)
			reply_array(c, 0);
		else
			reply_null(c);
	} else if (c->argc == 2) {
		reply_rank(c, &d, e, draw_below(&d, zset_count(e)));
	} else if (count >= 0) {
		draw_different(c, &d, e, (uint64_t)count);
	} else if (reply_fits(c, (uint64_t)-count)) {
		draw_repeating(c, &d, e, (uint64_t)-count);
	}
}

/* --- ZSCAN --------------------------------------------------------------- */

struct scan {
	const struct scan_options *o;
	struct buf found; /* of struct zset_item */
};

static void scan_item(struct scan *s, struct slice member, double score)
{
	struct zset_item item = { score, member };

	if (scan_match(s->o, member))
		buf_put(&s->found, &item, sizeof(item));
}

static void scan_member(void *ctx, void *entry)
{
	const struct zset_member *m = entry;

	scan_item(ctx, zset_member_bytes(m), m->score);
}

static void reply_found(struct cmd *c, struct scan *s)
{
	size_t count = s->found.size / sizeof(struct zset_item), i;
	bool bare = s->o->bare;

	reply_array(c, bare ? count : 2 * count);
	for (i = 0; i < count; i++) {
		struct zset_item item;
		char text[NUM_DOUBLE_SIZE];

		memcpy(&item, s->found.data + i * sizeof(item), sizeof(item));
		reply_bulk(c, item.member);
		if (!bare)
			reply_bulk(c, slice_of(text, num_format_double(
							     text,
							     item.score)));
	}
	buf_release(&s->found);
}

/* ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]. */
void cmd_zscan(struct cmd *c)
{
	struct scan_options o;
	struct scan s = { .o = &o };
	const struct entry *e;
	struct zset *z;
	uint64_t cursor = 0;

	if (!scan_open(c, VALUE_zset, SCAN_NOSCORES, &o, &e))
		return;
	z = zset_big(e);
	if (z) {
		cursor = scan_walk(&z->members, &o, scan_member, &s);
	} else if (!o.ended) {
		struct zset_item item;
		struct zset_iter it;

		zset_seek(&it, e, 0);
		while (zset_next(&it, &item))
			scan_item(&s, item.member, item.score);
	}
	reply_scan(c, cursor);
	reply_found(c, &s);
}
