/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets: intersection, union, difference; replied, stored or counted.
 *
 * A result is gathered as a run of items first: its size comes before it in a
 * reply, and a destination may be one of the sources.  Members have the same
 * hash in every big set (the store's key), so it is computed once.
 *
 * I1. An intersection walks its smallest set and asks the others, small ones
 *     first; a difference walks its first and asks the others, big ones first.
 * I2. A union of few sets gives a member if no set before has it, so it needs
 *     no memory; one of many gathers them in a set of its own.
 */
#include "engine/cmd_set.h"

#include <stdlib.h>

#include "base/mem.h"
#include "engine/items.h"
#include "types/set.h"

#define OPERANDS_FIXED 16
#define UNION_FEW 6

/* The sets a command names; an absent one is left out. */
struct operands {
	const struct entry **sets;
	unsigned count;
	bool first_absent;
	bool some_absent;
	const struct entry *fixed[OPERANDS_FIXED];
};

struct result {
	struct buf *items; /* NULL: only counted */
	uint64_t count;
	uint64_t limit; /* 0: none */
};

typedef void operate_fn(const struct cmd *c, struct operands *o,
			struct result *r);

static void operands_release(struct operands *o)
{
	if (o->sets != o->fixed)
		mem_free(o->sets);
}

/* The sets at `count` arguments from `first` on; false: WRONGTYPE. */
static bool operands_take(struct cmd *c, unsigned first, unsigned count,
			  struct operands *o)
{
	unsigned i;

	o->sets = o->fixed;
	if (count > OPERANDS_FIXED)
		o->sets = mem_realloc_array(NULL, count, sizeof(*o->sets));
	o->count = 0;
	o->first_absent = o->some_absent = false;
	for (i = 0; i < count; i++) {
		const struct entry *e;

		if (!lookup_typed(c, c->argv[first + i], VALUE_set, &e)) {
			operands_release(o);
			return false;
		}
		if (e) {
			o->sets[o->count++] = e;
			continue;
		}
		o->some_absent = true;
		o->first_absent |= i == 0;
	}
	return true;
}

/* False: that is as many as are wanted. */
static bool result_put(struct result *r, struct slice member)
{
	r->count++;
	if (r->items)
		items_put(r->items, member);
	return r->count != r->limit;
}

static int by_count(const void *a, const void *b)
{
	size_t left = set_count(*(const struct entry *const *)a);
	size_t right = set_count(*(const struct entry *const *)b);

	return (left > right) - (left < right);
}

static int by_count_down(const void *a, const void *b)
{
	return by_count(b, a);
}

static void sort(const struct entry **sets, unsigned count,
		 int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(sets, count, sizeof(*sets), compare);
}

/* Whether all (or none) of these sets have m. */
static bool all_are(const struct entry *const *sets, unsigned count,
		    struct set_member *m, bool present)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (set_find(sets[i], m) != present)
			return false;
	return true;
}

/* Gives the members of `from` that all of the sets have, or none. False: the
 * result is full. */
static bool put_those(const struct entry *from,
		      const struct entry *const *sets, unsigned count,
		      bool present, struct result *r)
{
	struct set_iterator it;
	struct set_probes p;
	unsigned i;

	set_iterate(&it, from);
	while (set_next_probes(&it, &p)) {
		if (count > 0)
			set_prefetch(sets[0], &p);
		for (i = 0; i < p.count; i++)
			if (all_are(sets, count, &p.members[i], present) &&
			    !result_put(r, p.members[i].bytes))
				return false;
	}
	return true;
}

static void operate_inter(const struct cmd *c, struct operands *o,
			  struct result *r)
{
	(void)c;
	if (o->some_absent)
		return;
	sort(o->sets, o->count, by_count); /* I1 */
	put_those(o->sets[0], o->sets + 1, o->count - 1, true, r);
}

static void operate_diff(const struct cmd *c, struct operands *o,
			 struct result *r)
{
	(void)c;
	if (o->first_absent)
		return;
	sort(o->sets + 1, o->count - 1, by_count_down); /* I1 */
	put_those(o->sets[0], o->sets + 1, o->count - 1, false, r);
}

/* The union of many sets. (I2) */
static void unite_many(const struct cmd *c, const struct operands *o,
		       struct result *r)
{
	struct entry *all = set_new(SLICE_LITERAL(""), 0);
	struct set_member m = { 0 };
	struct set_iterator it;
	bool new, room = true;
	unsigned i;

	for (i = 0; i < o->count && room; i++) {
		set_iterate(&it, o->sets[i]);
		while (room && set_next(&it, &m.bytes)) {
			all = set_add(all, c->ks->hash_key, &m, &new);
			if (new)
				room = result_put(r, m.bytes);
		}
	}
	set_free(all);
}

static void operate_union(const struct cmd *c, struct operands *o,
			  struct result *r)
{
	unsigned i;

	if (o->count > UNION_FEW) {
		unite_many(c, o, r);
		return;
	}
	sort(o->sets, o->count, by_count_down);
	for (i = 0; i < o->count; i++)
		if (!put_those(o->sets[i], o->sets, i, false, r))
			return;
}

/* --- what becomes of the result ----------------------------------------- */

static void reply_result(struct cmd *c, operate_fn *operate)
{
	struct result r = { .items = items_scratch(c) };
	struct operands o;

	if (!operands_take(c, 1, c->argc - 1, &o))
		return;
	operate(c, &o, &r);
	reply_set(c, r.count);
	reply_items(c, buf_slice(r.items));
	operands_release(&o);
}

/* Puts the run of items in place of what stands at the destination. */
static void store(struct cmd *c, struct slice items, enum record_cause cause)
{
	struct record r = { .type = REC_set_add, .cause = (uint8_t)cause,
			    .db = c->db, .key = c->argv[1] };

	if (lookup_write(c, c->argv[1]))
		emit_key_del(c, c->argv[1], items.size ? cause : CAUSE_del);
	if (items.size)
		emit_set_items(c, &r, items);
}

static void store_result(struct cmd *c, operate_fn *operate,
			 enum record_cause cause)
{
	struct result r = { .items = items_scratch(c) };
	struct operands o;

	if (!operands_take(c, 2, c->argc - 2, &o))
		return;
	operate(c, &o, &r);
	operands_release(&o);
	if (!cmd_room(c, items_room(c->argv[1].size, 2, r.items->size)))
		return;
	store(c, buf_slice(r.items), cause);
	reply_i64(c, (int64_t)r.count);
}

/* SINTER key [key ...]. */
void cmd_sinter(struct cmd *c)
{
	reply_result(c, operate_inter);
}

/* SUNION key [key ...]. */
void cmd_sunion(struct cmd *c)
{
	reply_result(c, operate_union);
}

/* SDIFF key [key ...]. */
void cmd_sdiff(struct cmd *c)
{
	reply_result(c, operate_diff);
}

/* SINTERSTORE destination key [key ...]. */
void cmd_sinterstore(struct cmd *c)
{
	store_result(c, operate_inter, CAUSE_sinterstore);
}

/* SUNIONSTORE destination key [key ...]. */
void cmd_sunionstore(struct cmd *c)
{
	store_result(c, operate_union, CAUSE_sunionstore);
}

/* SDIFFSTORE destination key [key ...]. */
void cmd_sdiffstore(struct cmd *c)
{
	store_result(c, operate_diff, CAUSE_sdiffstore);
}

/* --- counted ------------------------------------------------------------ */

/* The key arguments of SINTERCARD and its kind, for COMMAND GETKEYS. */
int keys_sintercard(const struct slice *argv, unsigned argc, unsigned *out)
{
	int64_t count;
	int i;

	if (argc < 3 || !num_parse_i64(argv[1], &count) || count < 1 ||
	    count > argc - 2)
		return -1;
	for (i = 0; i < count; i++)
		out[i] = 2 + (unsigned)i;
	return i;
}

static bool arg_numkeys(struct cmd *c, unsigned *count)
{
	int64_t number;

	if (!num_parse_i64(c->argv[1], &number) || number < 1) {
		reply_error(c, "ERR numkeys should be greater than 0");
		return false;
	}
	if (number > c->argc - 2) {
		reply_error(c, "ERR Number of keys can't be greater than "
			       "number of args");
		return false;
	}
	*count = (unsigned)number;
	return true;
}

/* [LIMIT limit], from argv[i] on. */
static bool arg_limit(struct cmd *c, unsigned i, uint64_t *limit)
{
	int64_t number;

	*limit = 0;
	for (; i < c->argc; i += 2) {
		if (i + 1 == c->argc || !arg_is(c, i, "limit")) {
			reply_syntax_error(c);
			return false;
		}
		if (!num_parse_i64(c->argv[i + 1], &number) || number < 0) {
			reply_error(c, "ERR LIMIT can't be negative");
			return false;
		}
		*limit = (uint64_t)number;
	}
	return true;
}

static void reply_count(struct cmd *c, operate_fn *operate)
{
	struct result r = { 0 };
	struct operands o;
	unsigned count;

	if (!arg_numkeys(c, &count) || !arg_limit(c, 2 + count, &r.limit) ||
	    !operands_take(c, 2, count, &o))
		return;
	operate(c, &o, &r);
	operands_release(&o);
	reply_i64(c, (int64_t)r.count);
}

/* SINTERCARD numkeys key [key ...] [LIMIT limit]. */
void cmd_sintercard(struct cmd *c)
{
	reply_count(c, operate_inter);
}

/* SUNIONCARD numkeys key [key ...] [LIMIT limit]. */
void cmd_sunioncard(struct cmd *c)
{
	reply_count(c, operate_union);
}

/* SDIFFCARD numkeys key [key ...] [LIMIT limit]. */
void cmd_sdiffcard(struct cmd *c)
{
	reply_count(c, operate_diff);
}
