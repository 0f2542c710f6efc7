/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a search for points asks for: from where, in what shape, how to reply.
 *
 * I1. Arguments are checked in Redis' order, so that of several errors the
 *     same one is replied. With an absent key members are not looked up, but
 *     all else is checked.
 */
#include "engine/cmd_geo.h"

#include "base/mem.h"
#include "types/zset.h"

#define CORNERS_MIN 3

/* A command's options while they are read. */
struct options {
	struct cmd *c;
	unsigned form;
	const struct entry *e;
	struct geo_query *q;
	unsigned at;         /* the argument to read */
	bool from_member, from_point;
	bool radius, box, polygon;
};

/* A word is not one of these. */
static bool syntax(struct options *o)
{
	reply_syntax_error(o->c);
	return false;
}

/* Whether the next argument is this word with at least `more` behind it. */
static bool word(const struct options *o, const char *name, unsigned more)
{
	return arg_is(o->c, o->at, name) && o->at + more < o->c->argc;
}

static bool arg_length(struct cmd *c, unsigned index, const char *error,
		       double *out)
{
	if (num_parse_double(c->argv[index], out))
		return true;
	reply_error(c, error);
	return false;
}

static bool read_radius(struct options *o, unsigned index)
{
	struct geo_shape *shape = &o->q->shape;
	double radius;

	if (!arg_length(o->c, index, "ERR need numeric radius", &radius))
		return false;
	if (radius < 0) {
		reply_error(o->c, "ERR radius cannot be negative");
		return false;
	}
	if (!arg_unit(o->c, index + 1, &o->q->unit))
		return false;
	shape->kind = GEO_CIRCLE;
	shape->radius = radius * o->q->unit;
	shape->width = shape->height = 2 * shape->radius;
	o->radius = true;
	return true;
}

static bool read_box(struct options *o, unsigned index)
{
	struct geo_shape *shape = &o->q->shape;
	double width, height;

	if (!arg_length(o->c, index, "ERR need numeric width", &width) ||
	    !arg_length(o->c, index + 1, "ERR need numeric height", &height))
		return false;
	if (width < 0 || height < 0) {
		reply_error(o->c, "ERR height or width cannot be negative");
		return false;
	}
	if (!arg_unit(o->c, index + 2, &o->q->unit))
		return false;
	shape->kind = GEO_BOX;
	shape->width = width * o->q->unit;
	shape->height = height * o->q->unit;
	o->box = true;
	return true;
}

static bool read_member(struct options *o, unsigned index)
{
	double score;

	o->from_member = true;
	if (!o->e) /* I1 */
		return true;
	if (zset_score(o->e, o->c->argv[index], &score)) {
		o->q->shape.center = geo_decode_score(score);
		return true;
	}
	reply_error(o->c, "ERR could not decode requested zset member");
	return false;
}

static bool read_point(struct options *o, unsigned index)
{
	o->from_point = true;
	return arg_point(o->c, index, &o->q->shape.center);
}

/* The number of corners, then their points, from `index` on. */
static bool read_polygon(struct options *o, unsigned index)
{
	struct cmd *c = o->c;
	int64_t count, i;

	if (!num_parse_i64(c->argv[index], &count) || count > INT32_MAX) {
		reply_error(c, "ERR invalid number of vertices");
		return false;
	}
	if (count < CORNERS_MIN || count > (c->argc - index - 1) / 2) {
		reply_error(c, "ERR GEOSEARCH BYPOLYGON must have at least 3 "
			       "vertices");
		return false;
	}
	o->q->corners = mem_realloc_array(NULL, (size_t)count,
					  sizeof(*o->q->corners));
	for (i = 0; i < count; i++)
		if (!arg_point(c, index + 1 + 2 * (unsigned)i,
			       &o->q->corners[i]))
			return false;
	geo_polygon(&o->q->shape, o->q->corners, (unsigned)count);
	o->q->unit = 1;
	o->polygon = true;
	o->at += 2 * (unsigned)count;
	return true;
}

static bool read_count(struct options *o)
{
	if (!arg_i64(o->c, o->at + 1, &o->q->count))
		return false;
	if (o->q->count > 0)
		return true;
	reply_error(o->c, "ERR COUNT must be > 0");
	return false;
}

/* Where from and what shape: the words of GEOSEARCH. */
static bool read_search_word(struct options *o)
{
	unsigned i = o->at + 1;

	if (word(o, "frommember", 1) && !o->from_point && !o->polygon) {
		o->at += 1;
		return read_member(o, i);
	}
	if (word(o, "fromlonlat", 2) && !o->from_member && !o->polygon) {
		o->at += 2;
		return read_point(o, i);
	}
	if (word(o, "byradius", 2) && !o->box && !o->polygon) {
		o->at += 2;
		return read_radius(o, i);
	}
	if (word(o, "bybox", 3) && !o->radius && !o->polygon) {
		o->at += 3;
		return read_box(o, i);
	}
	if (word(o, "bypolygon", 1) && !o->radius && !o->box && !o->polygon &&
	    !o->from_member && !o->from_point) {
		o->at += 1;
		return read_polygon(o, i);
	}
	if (arg_is(o->c, o->at, "storedist") && (o->form & GEO_STORE)) {
		o->q->store_dist = true;
		return true;
	}
	return syntax(o);
}

/* STORE and STOREDIST of GEORADIUS. */
static bool read_store_word(struct options *o)
{
	bool dist = word(o, "storedist", 1);

	if ((o->form & GEO_READ_ONLY) || (!dist && !word(o, "store", 1)))
		return syntax(o);
	o->q->destination = o->c->argv[o->at + 1];
	o->q->store_dist = dist;
	o->at++;
	return true;
}

static bool read_word(struct options *o)
{
	struct geo_query *q = o->q;

	if (word(o, "withdist", 0)) {
		q->with_dist = true;
	} else if (word(o, "withhash", 0)) {
		q->with_hash = true;
	} else if (word(o, "withcoord", 0)) {
		q->with_coord = true;
	} else if (word(o, "any", 0)) {
		q->any = true;
	} else if (word(o, "asc", 0)) {
		q->ascending = true;
		q->descending = false;
	} else if (word(o, "desc", 0)) {
		q->descending = true;
		q->ascending = false;
	} else if (word(o, "count", 1)) {
		if (!read_count(o))
			return false;
		o->at++;
	} else if (o->form & GEO_SEARCH) {
		return read_search_word(o);
	} else {
		return read_store_word(o);
	}
	return true;
}

/* Whether what has been read goes together. */
static bool complete(struct options *o)
{
	const struct geo_query *q = o->q;
	const struct slice *name = &o->c->argv[0];
	int size = name->size < 64 ? (int)name->size : 64;

	if (q->destination.data &&
	    (q->with_dist || q->with_hash || q->with_coord)) {
		reply_errorf(o->c, "ERR %s is not compatible with WITHDIST, "
			     "WITHHASH and WITHCOORD options",
			     o->form & GEO_STORE ? "GEOSEARCHSTORE" :
						   "STORE option in GEORADIUS");
		return false;
	}
	if ((o->form & GEO_SEARCH) && !o->from_member && !o->from_point &&
	    !o->polygon) {
		reply_errorf(o->c, "ERR exactly one of FROMMEMBER or "
			     "FROMLONLAT can be specified for %.*s", size,
			     (const char *)name->data);
		return false;
	}
	if ((o->form & GEO_SEARCH) && !o->radius && !o->box && !o->polygon) {
		reply_errorf(o->c, "ERR exactly one of BYRADIUS and BYBOX can "
			     "be specified for %.*s", size,
			     (const char *)name->data);
		return false;
	}
	if (q->any && !q->count) {
		reply_error(o->c, "ERR the ANY argument requires COUNT "
				  "argument");
		return false;
	}
	return true;
}

bool geo_query_read(struct cmd *c, unsigned form, const struct entry *e,
		    struct geo_query *q)
{
	struct options o = { .c = c, .form = form, .e = e, .q = q, .at = 2 };

	*q = (struct geo_query){ .unit = 1 };
	if (form & GEO_BY_POINT) {
		if (!read_point(&o, 2) || !read_radius(&o, 4))
			return false;
		o.at = 6;
	} else if (form & GEO_BY_MEMBER) {
		if (!read_member(&o, 2) || (e && !read_radius(&o, 3)))
			return false;
		o.at = 5;
	} else if (form & GEO_STORE) {
		q->destination = c->argv[1];
		o.at = 3;
	}
	for (; o.at < c->argc; o.at++)
		if (!read_word(&o))
			return false;
	if (!complete(&o))
		return false;
	if (q->count && !q->any && !q->descending)
		q->ascending = true;
	return true;
}
