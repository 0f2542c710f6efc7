/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes as a whole: HGETALL and its kin, HSCAN, HRANDFIELD.
 *
 * I1. A field whose deadline has passed is not shown and not counted.
 * I2. HRANDFIELD of distinct fields: the whole hash is walked, each field taken
 *     with the chance that gives every selection the same (Knuth, The Art of
 *     Computer Programming 2, 3.4.2, algorithm S); where few of many are asked
 *     for, fields are drawn until enough different ones have been.
 */
#include "engine/cmd_hash.h"

#include "base/mem.h"
#include "engine/hash_fields.h"
#include "engine/scan.h"

enum shown {
	SHOW_FIELDS = 1,
	SHOW_VALUES = 2,
	SHOW_PAIRS = 4, /* each in an array of its own */
};

struct shower {
	struct cmd *c;
	unsigned shown;
};

static void show(struct cmd *c, unsigned shown, const struct hash_item *item)
{
	if (shown & SHOW_PAIRS)
		reply_array(c, 2);
	if (shown & SHOW_FIELDS)
		reply_bulk(c, item->field);
	if (shown & SHOW_VALUES)
		reply_bulk(c, item->value);
}

static void show_visit(void *ctx, const struct hash_item *item)
{
	struct shower *s = ctx;

	if (item_live(s->c, item)) /* I1 */
		show(s->c, s->shown, item);
}

static void get_all(struct cmd *c, unsigned shown)
{
	struct shower s = { c, shown };
	const struct entry *e;
	size_t count;

	if (!hash_open(c, &e))
		return;
	count = e ? hash_live_count(c, e) : 0;
	if (shown == (SHOW_FIELDS | SHOW_VALUES))
		reply_map(c, count);
	else
		reply_array(c, count);
	if (e)
		hash_each(e, show_visit, &s);
}

/* HGETALL key. */
void cmd_hgetall(struct cmd *c)
{
	get_all(c, SHOW_FIELDS | SHOW_VALUES);
}

/* HKEYS key. */
void cmd_hkeys(struct cmd *c)
{
	get_all(c, SHOW_FIELDS);
}

/* HVALS key. */
void cmd_hvals(struct cmd *c)
{
	get_all(c, SHOW_VALUES);
}

/* --- HSCAN -------------------------------------------------------------- */

/* What a scan finds, as it will be replied; counted before it is sent. */
struct scanner {
	struct cmd *c;
	const struct scan_options *o;
	size_t found;
	bool counting;
};

static void scan_item(void *ctx, const struct hash_item *item)
{
	struct scanner *s = ctx;

	if (!item_live(s->c, item) || !scan_match(s->o, item->field))
		return;
	s->found++;
	if (!s->counting)
		show(s->c, SHOW_FIELDS | (s->o->bare ? 0 : SHOW_VALUES), item);
}

static void scan_entry(void *ctx, void *entry)
{
	struct hash_item item;

	hash_item_of(entry, &item);
	scan_item(ctx, &item);
}

/* The cursor behind what was visited. */
static uint64_t scan_fields(const struct entry *e, struct scanner *s)
{
	const struct table *t = hash_fields(e);

	s->found = 0;
	if (t)
		return scan_walk(t, s->o, scan_entry, s);
	hash_each(e, scan_item, s);
	return 0;
}

/* HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]. */
void cmd_hscan(struct cmd *c)
{
	struct scan_options o;
	struct scanner s = { .c = c, .o = &o, .counting = true };
	const struct entry *e;

	if (!scan_open(c, VALUE_hash, SCAN_NOVALUES, &o, &e))
		return;
	reply_scan(c, scan_fields(e, &s));
	reply_array(c, o.bare ? s.found : 2 * s.found);
	s.counting = false;
	scan_fields(e, &s);
}

/* --- HRANDFIELD --------------------------------------------------------- */

/* Where fields are drawn from. */
struct draw {
	struct cmd *c;
	const struct entry *e;
	size_t live; /* fields */
	bool has_due;
	unsigned shown;
	uint64_t state; /* xorshift64* (Vigna 2016) */
	uint64_t left, wanted; /* algorithm S */
	uint64_t index; /* pick_nth */
	bool found;
};

static uint64_t draw_random(struct draw *d)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * UINT64_C(2685821657736338717);
}

/* A number below n. */
static uint64_t draw_below(struct draw *d, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)draw_random(d) * n) >> 64);
}

static void show_nth(void *ctx, const struct hash_item *item)
{
	struct draw *d = ctx;

	if (item_live(d->c, item) && d->index-- == 0)
		show(d->c, d->shown, item);
}

/* One field, any. */
static void show_any(struct draw *d)
{
	struct hash_item item;

	if (d->has_due) {
		d->index = draw_below(d, d->live);
		hash_each(d->e, show_nth, d);
		return;
	}
	hash_random(d->e, draw_random(d), &item);
	show(d->c, d->shown, &item);
}

static void show_selected(void *ctx, const struct hash_item *item)
{
	struct draw *d = ctx;

	if (!item_live(d->c, item))
		return;
	if (draw_below(d, d->left--) >= d->wanted)
		return;
	d->wanted--;
	show(d->c, d->shown, item);
}

/* Few distinct ones of a big hash: no field twice, told by its address in the
 * table, or of a packed one in its bytes. */
static void show_distinct(struct draw *d, uint64_t count)
{
	size_t slots = 64, i;
	const void **seen;

	while (slots < 4 * count)
		slots *= 2;
	seen = mem_calloc(slots, sizeof(*seen));
	while (count > 0) {
		struct hash_item item;
		const uint8_t *at;

		at = table_random(hash_fields(d->e), draw_random(d));
		i = (size_t)((uintptr_t)at / 8) & (slots - 1);
		while (seen[i] && seen[i] != at)
			i = (i + 1) & (slots - 1);
		if (seen[i])
			continue;
		seen[i] = at;
		hash_item_of(at, &item);
		show(d->c, d->shown, &item);
		count--;
	}
	mem_free(seen);
}

static void draw_many(struct draw *d, int64_t count)
{
	uint64_t wanted = count < 0 ? -(uint64_t)count : (uint64_t)count;
	uint64_t i;

	if (count > 0 && wanted > d->live)
		wanted = d->live;
	if (d->live == 0)
		wanted = 0;
	reply_array(d->c, d->shown == (SHOW_FIELDS | SHOW_VALUES) ?
				  2 * wanted : wanted);
	if (count < 0) {
		for (i = 0; i < wanted; i++)
			show_any(d);
	} else if (!d->has_due && hash_fields(d->e) && wanted < d->live / 3) {
		show_distinct(d, wanted);
	} else {
		d->left = d->live;
		d->wanted = wanted;
		hash_each(d->e, show_selected, d); /* I2 */
	}
}

/* The count and WITHVALUES; false: an error has been replied. */
static bool arg_draw(struct cmd *c, struct draw *d, int64_t *count)
{
	int64_t max = INT64_MAX;

	if (c->argc == 2)
		return true;
	if (!arg_i64_range(c, 2, -INT64_MAX, INT64_MAX, count))
		return false;
	if (c->argc > 4 || (c->argc == 4 && !arg_is(c, 3, "withvalues"))) {
		reply_syntax_error(c);
		return false;
	}
	if (c->argc == 4) {
		d->shown |= SHOW_VALUES;
		if (c->session->protocol == 3)
			d->shown |= SHOW_PAIRS;
		max /= 2;
	}
	if (*count >= -max && *count <= max)
		return true;
	reply_error(c, "ERR value is out of range");
	return false;
}

/* HRANDFIELD key [count [WITHVALUES]]. */
void cmd_hrandfield(struct cmd *c)
{
	struct draw d = { .c = c, .shown = SHOW_FIELDS };
	int64_t count = 1;

	if (!arg_draw(c, &d, &count) || !hash_open(c, &d.e))
		return;
	d.live = d.e ? hash_live_count(c, d.e) : 0;
	if (c->argc == 2 && d.live == 0) {
		reply_null(c);
		return;
	}
	if (d.live == 0) {
		reply_array(c, 0);
		return;
	}
	d.has_due = hash_has_due(c, d.e);
	d.state = engine_chance(c->engine) | 1;
	if (c->argc == 2)
		show_any(&d);
	else if (count >= 0 || reply_fits(c, (uint64_t)-count))
		draw_many(&d, count);
}
