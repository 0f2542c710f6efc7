/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets: members drawn by chance.
 *
 * I1. One number of the system's seeds a command; all it draws follows from
 *     that.
 * I2. Members that must differ are drawn from a list of all of them when a
 *     good part is wanted, else one by one, and what comes again is dropped.
 */
#include "engine/cmd_set.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/items.h"
#include "types/set.h"

/* A list is made if more than one in so many is wanted. */
#define LIST_SHARE 3

struct chance {
	uint64_t state;
};

static struct chance chance_of(struct cmd *c)
{
	return (struct chance){ engine_chance(c->engine) }; /* I1 */
}

/* splitmix64 (Steele et al. 2014). */
static uint64_t chance_next(struct chance *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static size_t chance_below(struct chance *r, size_t n)
{
	return (size_t)(((unsigned __int128)chance_next(r) * n) >> 64);
}

/* --- members that differ ------------------------------------------------ */

/* All refs, the first `count` of them drawn; the caller frees the array. */
static const uint8_t **draw_from_list(const struct entry *e, size_t count,
				      struct chance *r)
{
	size_t i, n = set_count(e);
	const uint8_t **refs = mem_realloc_array(NULL, n, sizeof(*refs));
	struct set_iterator it;

	set_iterate(&it, e);
	for (i = 0; i < n; i++)
		refs[i] = set_next_ref(&it);
	for (i = 0; i < count; i++) {
		size_t other = i + chance_below(r, n - i);
		const uint8_t *ref = refs[other];

		refs[other] = refs[i];
		refs[i] = ref;
	}
	return refs;
}

/* Refs drawn so far, by a hash of the pointer; a cell is NULL or one of them.
 * At most half of them are in use. */
struct drawn {
	const uint8_t **cells;
	unsigned shift;
	size_t mask;
};

/* False: it was there. */
static bool drawn_add(struct drawn *d, const uint8_t *ref)
{
	size_t i = (uintptr_t)ref * UINT64_C(0x9e3779b97f4a7c15) >> d->shift;

	for (; d->cells[i]; i = (i + 1) & d->mask)
		if (d->cells[i] == ref)
			return false;
	d->cells[i] = ref;
	return true;
}

/* As draw_from_list, for few of many. */
static const uint8_t **draw_one_by_one(const struct entry *e, size_t count,
				       struct chance *r)
{
	const uint8_t **refs =
		mem_realloc_array(NULL, count, sizeof(*refs));
	struct drawn d = { .shift = 63, .mask = 1 };
	size_t i = 0;

	while (d.mask + 1 < 2 * count) {
		d.mask = d.mask * 2 + 1;
		d.shift--;
	}
	d.cells = mem_calloc(d.mask + 1, sizeof(*d.cells));
	while (i < count) {
		const uint8_t *ref = set_random(e, chance_next(r));

		if (drawn_add(&d, ref))
			refs[i++] = ref;
	}
	mem_free(d.cells);
	return refs;
}

/* The bytes of `count` different members, fewer than there are, as a run of
 * items. (I2) */
static void draw(const struct entry *e, size_t count, struct chance *r,
		 struct buf *items)
{
	size_t i, n = set_count(e);
	char scratch[NUM_I64_SIZE];
	const uint8_t **refs;

	assert(count < n);
	if (set_members(e) && count < n / LIST_SHARE)
		refs = draw_one_by_one(e, count, r);
	else
		refs = draw_from_list(e, count, r);
	for (i = 0; i < count; i++)
		items_put(items, set_bytes(e, refs[i], scratch));
	mem_free(refs);
}

static void reply_all(struct cmd *c, const struct entry *e)
{
	struct set_iterator it;
	struct slice s;

	set_iterate(&it, e);
	while (set_next(&it, &s))
		reply_bulk(c, s);
}

/* --- SPOP --------------------------------------------------------------- */

static void pop(struct cmd *c, struct slice items)
{
	struct record r = { .type = REC_set_del, .cause = CAUSE_spop,
			    .db = c->db, .key = c->argv[1] };

	emit_set_items(c, &r, items);
}

static void pop_one(struct cmd *c)
{
	struct buf *items = items_scratch(c);
	struct chance r = chance_of(c);
	char scratch[NUM_I64_SIZE];
	const struct entry *e;
	struct slice s;

	if (!lookup_typed_write(c, c->argv[1], VALUE_set, &e))
		return;
	if (!e) {
		reply_null(c);
		return;
	}
	s = set_bytes(e, set_random(e, chance_next(&r)), scratch);
	if (!cmd_room(c, s.size))
		return;
	items_put(items, s);
	reply_bulk(c, s);
	pop(c, buf_slice(items));
}

static void pop_some(struct cmd *c, const struct entry *e, size_t count)
{
	struct buf *items = items_scratch(c);
	struct chance r = chance_of(c);

	draw(e, count, &r, items);
	if (!cmd_room(c, items_room(c->argv[1].size, 2, items->size)))
		return;
	reply_set(c, count);
	reply_items(c, buf_slice(items));
	pop(c, buf_slice(items));
}

/* SPOP key [count]. */
void cmd_spop(struct cmd *c)
{
	const struct entry *e;
	int64_t count;

	if (c->argc == 2) {
		pop_one(c);
		return;
	}
	if (c->argc > 3) {
		reply_syntax_error(c);
		return;
	}
	if (!arg_i64_range(c, 2, 0, INT64_MAX, &count) ||
	    !lookup_typed_write(c, c->argv[1], VALUE_set, &e))
		return;
	if (!e || count == 0) {
		reply_set(c, 0);
	} else if ((uint64_t)count < set_count(e)) {
		pop_some(c, e, (size_t)count);
	} else {
		reply_set(c, set_count(e));
		reply_all(c, e);
		emit_key_del(c, c->argv[1], CAUSE_spop);
	}
}

/* --- SRANDMEMBER -------------------------------------------------------- */

/* The same member may come more than once. */
static void reply_drawn(struct cmd *c, const struct entry *e, uint64_t count)
{
	struct chance r = chance_of(c);
	char scratch[NUM_I64_SIZE];

	reply_array(c, count);
	for (; count > 0; count--)
		reply_bulk(c, set_bytes(e, set_random(e, chance_next(&r)),
					scratch));
}

static void reply_different(struct cmd *c, const struct entry *e,
			    uint64_t count)
{
	struct buf *items = items_scratch(c);
	struct chance r = chance_of(c);

	if (count >= set_count(e)) {
		reply_array(c, set_count(e));
		reply_all(c, e);
		return;
	}
	draw(e, (size_t)count, &r, items);
	reply_array(c, count);
	reply_items(c, buf_slice(items));
}

static void random_one(struct cmd *c)
{
	struct chance r = chance_of(c);
	char scratch[NUM_I64_SIZE];
	const struct entry *e;

	if (!lookup_typed(c, c->argv[1], VALUE_set, &e))
		return;
	if (e)
		reply_bulk(c, set_bytes(e, set_random(e, chance_next(&r)),
					scratch));
	else
		reply_null(c);
}

/* SRANDMEMBER key [count]. */
void cmd_srandmember(struct cmd *c)
{
	const struct entry *e;
	int64_t count;

	if (c->argc == 2) {
		random_one(c);
		return;
	}
	if (c->argc > 3) {
		reply_syntax_error(c);
		return;
	}
	if (!arg_i64_range(c, 2, -INT64_MAX, INT64_MAX, &count) ||
	    !lookup_typed(c, c->argv[1], VALUE_set, &e))
		return;
	if (!e || count == 0)
		reply_array(c, 0);
	else if (count > 0)
		reply_different(c, e, (uint64_t)count);
	else if (reply_fits(c, (uint64_t)-count))
		reply_drawn(c, e, (uint64_t)-count);
}
