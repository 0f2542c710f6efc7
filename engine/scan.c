/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The common part of the SCAN family.
 *
 * I1. A cursor is rounded up: rounded down it would lie in the bucket that has
 *     just been given, and the walk would not move.  Buckets are far wider
 *     than 2^12 hash values.
 * I2. A cursor that was never given out ends the walk.
 */
#include "engine/scan.h"

#include "base/glob.h"

#define CURSOR_SHIFT 12 /* 64 - 52 */
#define COUNT_DEFAULT 10
/* Buckets that may be visited for each element asked for: a table that has
 * lost most of its entries is not walked to its end in one call. */
#define BUCKETS_PER_COUNT 10

uint64_t scan_cursor(uint64_t position)
{
	uint64_t up = (UINT64_C(1) << CURSOR_SHIFT) - 1;

	if (position > UINT64_MAX - up)
		return 0;
	return (position + up) >> CURSOR_SHIFT; /* I1 */
}

bool scan_position(uint64_t cursor, uint64_t *position)
{
	*position = cursor << CURSOR_SHIFT;
	return *position >> CURSOR_SHIFT == cursor;
}

static bool arg_cursor(struct cmd *c, unsigned index, struct scan_options *o)
{
	uint64_t cursor;

	*o = (struct scan_options){ .count = COUNT_DEFAULT };
	if (!num_parse_u64(c->argv[index], &cursor)) {
		reply_error(c, "ERR invalid cursor");
		return false;
	}
	o->ended = !scan_position(cursor, &o->position); /* I2 */
	return true;
}

static bool arg_count(struct cmd *c, unsigned index, struct scan_options *o)
{
	int64_t count;

	if (!arg_i64(c, index, &count))
		return false;
	if (count < 1) {
		reply_syntax_error(c);
		return false;
	}
	o->count = (uint64_t)count;
	return true;
}

/* A word without an argument. */
static bool is_bare(const struct cmd *c, unsigned index, unsigned allowed)
{
	return (allowed & SCAN_NOVALUES && arg_is(c, index, "novalues")) ||
	       (allowed & SCAN_NOSCORES && arg_is(c, index, "noscores"));
}

static void reply_unknown_option(struct cmd *c, unsigned index)
{
	if (arg_is(c, index, "novalues"))
		reply_error(c, "ERR NOVALUES option can only be used in HSCAN");
	else
		reply_syntax_error(c);
}

static bool arg_options(struct cmd *c, unsigned first, unsigned allowed,
			struct scan_options *o)
{
	unsigned i;

	for (i = first; i < c->argc; i++) {
		bool more = i + 1 < c->argc;

		if (more && arg_is(c, i, "count")) {
			if (!arg_count(c, ++i, o))
				return false;
		} else if (more && arg_is(c, i, "match")) {
			o->pattern = c->argv[++i];
		} else if (more && allowed & SCAN_TYPE &&
			   arg_is(c, i, "type")) {
			o->type = c->argv[++i];
		} else if (is_bare(c, i, allowed)) {
			o->bare = true;
		} else {
			reply_unknown_option(c, i);
			return false;
		}
	}
	if (slice_equal(o->pattern, SLICE_LITERAL("*")))
		o->pattern.data = NULL;
	return true;
}

bool scan_parse(struct cmd *c, unsigned first, unsigned allowed,
		struct scan_options *o)
{
	return arg_cursor(c, first, o) &&
	       arg_options(c, first + 1, allowed, o);
}

bool scan_open(struct cmd *c, enum value_type type, unsigned allowed,
	       struct scan_options *o, const struct entry **e)
{
	if (!arg_cursor(c, 2, o))
		return false;
	*e = lookup_read(c, c->argv[1]);
	if (!*e) {
		reply_scan(c, 0);
		reply_array(c, 0);
		return false;
	}
	if (entry_type(*e) != type) {
		reply_wrong_type(c);
		return false;
	}
	return arg_options(c, 3, allowed, o);
}

bool scan_match(const struct scan_options *o, struct slice name)
{
	return !o->pattern.data || glob_match(o->pattern, name, false);
}

/* Counts what it passes on. */
struct counted_visit {
	table_visit_fn *visit;
	void *ctx;
	uint64_t visited;
};

static void visit_counted(void *ctx, void *entry)
{
	struct counted_visit *v = ctx;

	v->visited++;
	v->visit(v->ctx, entry);
}

uint64_t scan_walk(const struct table *t, const struct scan_options *o,
		   table_visit_fn *visit, void *ctx)
{
	struct counted_visit v = { visit, ctx, 0 };
	uint64_t position = o->position, buckets = 0;

	if (o->ended)
		return 0;
	do
		position = table_scan(t, position, visit_counted, &v);
	while (position != 0 && v.visited < o->count &&
	       ++buckets / BUCKETS_PER_COUNT < o->count);
	return scan_cursor(position);
}

void reply_scan(struct cmd *c, uint64_t cursor)
{
	reply_array(c, 2);
	reply_bulk_printf(c, "%llu", (unsigned long long)cursor);
}
