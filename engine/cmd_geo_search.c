/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GEORADIUS, GEORADIUSBYMEMBER, GEOSEARCH and what they store: points in an
 * area.
 *
 * The area is covered by a few ranges of scores (types/geohash.h); each is
 * walked in the sorted set, and what lies in the area itself is kept.
 *
 * I1. Without an order, points come range by range, and by score in a range,
 *     as in Redis.
 */
#include "engine/cmd_geo.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/zset_store.h"
#include "types/zset.h"

struct match {
	struct slice member;
	double score;
	double distance; /* metres */
	struct geo_point point;
};

struct matches {
	struct match *items;
	size_t count;
	size_t capacity;
};

static void matches_add(struct matches *m, const struct match *match)
{
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 32;
		m->items = mem_realloc_array(m->items, m->capacity,
					     sizeof(*m->items));
	}
	m->items[m->count++] = *match;
}

static void find_in_range(const struct entry *e, const struct geo_query *q,
			  struct geo_range range, struct matches *m)
{
	size_t rank = zset_rank_of_score(e, (double)range.min, false);
	struct zset_iter it;
	struct zset_item item;

	zset_seek(&it, e, rank);
	while (zset_next(&it, &item) && item.score < (double)range.max) {
		struct match match = {
			.member = item.member,
			.score = item.score,
			.point = geo_decode_score(item.score),
		};

		if (!geo_within(&q->shape, match.point, &match.distance))
			continue;
		matches_add(m, &match);
		if (q->any && m->count == (size_t)q->count)
			return;
	}
}

static int by_distance(const void *a, const void *b)
{
	double x = ((const struct match *)a)->distance;
	double y = ((const struct match *)b)->distance;

	return (x > y) - (x < y);
}

static int by_distance_down(const void *a, const void *b)
{
	return by_distance(b, a);
}

/* Everything in the area, in the order asked for, no more than asked for. */
static void find(const struct entry *e, const struct geo_query *q,
		 struct matches *m)
{
	struct geo_range ranges[GEO_RANGES_MAX];
	unsigned i, count = geo_ranges(&q->shape, ranges);

	for (i = 0; i < count; i++) {
		find_in_range(e, q, ranges[i], m);
		if (q->any && m->count == (size_t)q->count)
			break;
	}
	if (m->count > 1 && (q->ascending || q->descending))
		qsort(m->items, m->count, sizeof(*m->items),
		      q->ascending ? by_distance : by_distance_down);
	if (q->count && m->count > (size_t)q->count)
		m->count = (size_t)q->count;
}

static void reply_match(struct cmd *c, const struct geo_query *q,
			const struct match *match)
{
	unsigned more = q->with_dist + q->with_hash + q->with_coord;

	if (more)
		reply_array(c, 1 + more);
	reply_bulk(c, match->member);
	if (q->with_dist)
		reply_distance(c, match->distance / q->unit);
	if (q->with_hash)
		reply_i64(c, (int64_t)match->score);
	if (q->with_coord)
		reply_point(c, match->point);
}

static void reply_matches(struct cmd *c, const struct geo_query *q,
			  const struct matches *m)
{
	size_t i;

	reply_array(c, m->count);
	for (i = 0; i < m->count; i++)
		reply_match(c, q, &m->items[i]);
}

static void store_matches(struct cmd *c, const struct geo_query *q,
			  const struct matches *m, enum record_cause cause)
{
	struct zset_result result;
	size_t i;

	zset_result_init(&result);
	for (i = 0; i < m->count; i++) {
		const struct match *match = &m->items[i];
		struct zset_item item = {
			.member = match->member,
			.score = q->store_dist ? match->distance / q->unit :
						 match->score,
		};

		zset_result_put(&result, &item);
	}
	zset_result_store(c, &result, q->destination, cause);
}

static void search(struct cmd *c, unsigned form)
{
	struct slice key = c->argv[form & GEO_STORE ? 2 : 1];
	struct matches m = { 0 };
	struct geo_query q;
	const struct entry *e;

	if (!lookup_typed(c, key, VALUE_zset, &e))
		return;
	if (geo_query_read(c, form, e, &q)) {
		if (e)
			find(e, &q, &m);
		if (q.destination.data)
			store_matches(c, &q, &m, form & GEO_SEARCH ?
				      CAUSE_geosearchstore :
				      CAUSE_georadiusstore);
		else
			reply_matches(c, &q, &m);
	}
	mem_free(m.items);
	mem_free(q.corners);
}

/* GEORADIUS key longitude latitude radius unit [options]. */
void cmd_georadius(struct cmd *c)
{
	search(c, GEO_BY_POINT);
}

/* GEORADIUS_RO: without STORE. */
void cmd_georadius_ro(struct cmd *c)
{
	search(c, GEO_BY_POINT | GEO_READ_ONLY);
}

/* GEORADIUSBYMEMBER key member radius unit [options]. */
void cmd_georadiusbymember(struct cmd *c)
{
	search(c, GEO_BY_MEMBER);
}

/* GEORADIUSBYMEMBER_RO: without STORE. */
void cmd_georadiusbymember_ro(struct cmd *c)
{
	search(c, GEO_BY_MEMBER | GEO_READ_ONLY);
}

/* GEOSEARCH key from by [options]. */
void cmd_geosearch(struct cmd *c)
{
	search(c, GEO_SEARCH);
}

/* GEOSEARCHSTORE destination key from by [options]. */
void cmd_geosearchstore(struct cmd *c)
{
	search(c, GEO_SEARCH | GEO_STORE);
}

/* The keys of GEORADIUS and GEORADIUSBYMEMBER: the last STORE counts. */
int keys_georadius(const struct slice *argv, unsigned argc, unsigned *out)
{
	unsigned i, count = 1;

	out[0] = 1;
	for (i = 5; i + 1 < argc; i++) {
		if (slice_is(argv[i], "store") ||
		    slice_is(argv[i], "storedist")) {
			out[1] = ++i;
			count = 2;
		}
	}
	return (int)count;
}
