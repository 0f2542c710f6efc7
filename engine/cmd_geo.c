/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GEOADD, GEOPOS, GEOHASH, GEODIST: points are the scores of a sorted set.
 *
 * I1. All arguments are read before the first emit.
 * I2. GEOADD logs members and scores, as ZADD does.
 */
#include "engine/cmd_geo.h"

#include "base/mem.h"
#include "engine/zset_records.h"
#include "types/zset.h"

bool arg_point(struct cmd *c, unsigned index, struct geo_point *out)
{
	if (!arg_double(c, index, &out->lon) ||
	    !arg_double(c, index + 1, &out->lat))
		return false;
	if (geo_valid(*out))
		return true;
	reply_errorf(c, "ERR invalid longitude,latitude pair %f,%f", out->lon,
		     out->lat);
	return false;
}

bool arg_unit(struct cmd *c, unsigned index, double *out)
{
	static const struct {
		const char *name;
		double metres;
	} units[] = {
		{ "m", 1 }, { "km", 1000 }, { "ft", 0.3048 }, { "mi", 1609.34 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(units); i++) {
		if (arg_is(c, index, units[i].name)) {
			*out = units[i].metres;
			return true;
		}
	}
	reply_error(c, "ERR unsupported unit provided. please use M, KM, FT, "
		       "MI");
	return false;
}

void reply_distance(struct cmd *c, double distance)
{
	char text[NUM_FIXED_SIZE];

	reply_bulk(c, slice_of(text, num_format_fixed(text, distance, 4)));
}

void reply_point(struct cmd *c, struct geo_point p)
{
	reply_array(c, 2);
	reply_decimal(c, p.lon);
	reply_decimal(c, p.lat);
}

/* --- GEOADD --------------------------------------------------------------- */

struct geoadd {
	unsigned first; /* argument: longitude, latitude, member, … */
	bool nx, xx, changed;
};

static bool geoadd_options(struct cmd *c, struct geoadd *g)
{
	unsigned i;

	*g = (struct geoadd){ 0 };
	for (i = 2; i < c->argc; i++) {
		if (arg_is(c, i, "nx"))
			g->nx = true;
		else if (arg_is(c, i, "xx"))
			g->xx = true;
		else if (arg_is(c, i, "ch"))
			g->changed = true;
		else
			break;
	}
	g->first = i;
	if ((c->argc - i) % 3 == 0 && !(g->nx && g->xx))
		return true;
	reply_syntax_error(c);
	return false;
}

/* The members with the scores of their points; NULL: an error has been
 * replied. mem_free. */
static struct zset_item *geoadd_items(struct cmd *c, const struct geoadd *g,
				      size_t *count)
{
	struct zset_item *items;
	unsigned i;

	*count = (c->argc - g->first) / 3;
	items = mem_realloc_array(NULL, *count + 1, sizeof(*items));
	for (i = 0; i < *count; i++) {
		unsigned at = g->first + 3 * i;
		struct geo_point p;

		if (!arg_point(c, at, &p)) {
			mem_free(items);
			return NULL;
		}
		items[i].score = (double)geo_encode(p);
		items[i].member = c->argv[at + 2];
	}
	return items;
}

/* All members, in as few records as can be. */
static size_t add_all(struct cmd *c, const struct zset_item *items,
		      size_t count)
{
	struct zset_writer w =
		zset_writer(c, c->argv[1], REC_zset_add, CAUSE_zadd);
	size_t i;

	for (i = 0; i < count; i++)
		zset_writer_add(&w, items[i].score, items[i].member);
	zset_writer_flush(&w);
	return w.changed;
}

/* One member after the other: what NX and CH mean depends on those before. */
static size_t add_each(struct cmd *c, const struct geoadd *g,
		       const struct zset_item *items, size_t count)
{
	struct slice key = c->argv[1];
	size_t i, done = 0;

	for (i = 0; i < count; i++) {
		const struct entry *e = lookup_write(c, key);
		double old;
		bool there = e && zset_score(e, items[i].member, &old);

		if (there ? g->nx || old == items[i].score : g->xx)
			continue;
		add_all(c, &items[i], 1);
		done += !there || g->changed;
	}
	return done;
}

/* Whether all members are there with these scores. */
static bool all_there(const struct entry *e, const struct zset_item *items,
		      size_t count)
{
	double old;
	size_t i;

	for (i = 0; i < count; i++)
		if (!e || !zset_score(e, items[i].member, &old) ||
		    old != items[i].score)
			return false;
	return true;
}

/* Bytes of log that may be needed, more than the arguments. */
static uint64_t room_for(const struct cmd *c, size_t count)
{
	return (uint64_t)count * zset_records_size(c->argv[1], 1, 0);
}

/* GEOADD key [NX|XX] [CH] longitude latitude member [...]. */
void cmd_geoadd(struct cmd *c)
{
	struct zset_item *items;
	const struct entry *e;
	struct geoadd g;
	size_t count, done = 0;

	if (!geoadd_options(c, &g))
		return;
	items = geoadd_items(c, &g, &count);
	if (!items)
		return;
	if (!lookup_typed_write(c, c->argv[1], VALUE_zset, &e) ||
	    !cmd_room(c, room_for(c, count)))
		goto done;
	if (g.nx || g.xx || g.changed)
		done = add_each(c, &g, items, count);
	else if (!all_there(e, items, count))
		done = add_all(c, items, count);
	reply_i64(c, (int64_t)done);
done:
	mem_free(items);
}

/* --- reading -------------------------------------------------------------- */

typedef void reply_point_fn(struct cmd *c, struct geo_point p);
typedef void reply_absent_fn(struct cmd *c);

/* Replies something for each member named, from argument 2 on. */
static void reply_members(struct cmd *c, reply_point_fn *there,
			  reply_absent_fn *absent)
{
	const struct entry *e;
	double score;
	unsigned i;

	if (!lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++) {
		if (e && zset_score(e, c->argv[i], &score))
			there(c, geo_decode_score(score));
		else
			absent(c);
	}
}

/* GEOPOS key [member ...]. */
void cmd_geopos(struct cmd *c)
{
	reply_members(c, reply_point, reply_null_array);
}

static void reply_geohash(struct cmd *c, struct geo_point p)
{
	char text[GEO_TEXT_SIZE];

	geo_text(p, text);
	reply_bulk(c, slice_of(text, sizeof(text)));
}

/* GEOHASH key [member ...]. */
void cmd_geohash(struct cmd *c)
{
	reply_members(c, reply_geohash, reply_null);
}

/* GEODIST key member1 member2 [unit]. */
void cmd_geodist(struct cmd *c)
{
	const struct entry *e;
	double a, b, unit = 1;

	if (c->argc > 5) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 5 && !arg_unit(c, 4, &unit))
		return;
	if (!lookup_typed(c, c->argv[1], VALUE_zset, &e))
		return;
	if (!e || !zset_score(e, c->argv[2], &a) ||
	    !zset_score(e, c->argv[3], &b)) {
		reply_null(c);
		return;
	}
	reply_distance(c, geo_distance(geo_decode_score(a),
				       geo_decode_score(b)) / unit);
}
