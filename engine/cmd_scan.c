/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walking the keyspace: KEYS, SCAN, RANDOMKEY, DBSIZE.
 *
 * A cursor is the position of a walk through the table, a hash value, of which
 * the client gets the top 52 bits: bigger numbers break clients that keep them
 * in a double.  The hash is keyed by the store, so a cursor survives growth,
 * restart and failover.
 *
 * I1. A cursor is rounded up: rounded down it would lie in the bucket that has
 *     just been given, and the walk would not move.  Buckets are far wider
 *     than 2^12 hash values.
 * I2. Expired keys are not shown; DBSIZE counts them until they are removed.
 */
#include "engine/cmd_key.h"

#include "base/glob.h"
#include "engine/value_ops.h"

#define CURSOR_SHIFT 12 /* 64 - 52 */
#define RANDOM_TRIES 100

static const struct table *keys_of(const struct cmd *c)
{
	return &c->ks->dbs[c->db].keys;
}

static bool is_live(const struct cmd *c, const struct entry *e)
{
	uint64_t deadline = entry_deadline(e);

	return deadline == 0 || deadline > c->now_ms;
}

/* A walk that collects entries. */
struct collector {
	const struct cmd *c;
	struct slice pattern; /* data NULL: everything */
	struct slice type;    /* likewise */
	uint64_t visited;
	struct buf found;     /* of const struct entry * */
};

static void set_pattern(struct collector *k, struct slice pattern)
{
	if (!slice_equal(pattern, SLICE_LITERAL("*")))
		k->pattern = pattern;
}

static bool type_fits(const struct collector *k, const struct entry *e)
{
	return !k->type.data || slice_is(k->type, value_ops(e)->type_name);
}

static void collect(void *ctx, void *entry)
{
	struct collector *k = ctx;
	const struct entry *e = entry;

	k->visited++;
	if (is_live(k->c, e) && type_fits(k, e) && /* I2 */
	    (!k->pattern.data || glob_match(k->pattern, entry_key(e), false)))
		buf_put(&k->found, &e, sizeof(e));
}

static void reply_found(struct cmd *c, struct collector *k)
{
	size_t count = k->found.size / sizeof(struct entry *), i;

	reply_array(c, count);
	for (i = 0; i < count; i++) {
		const struct entry *e;

		memcpy(&e, k->found.data + i * sizeof(e), sizeof(e));
		reply_bulk(c, entry_key(e));
	}
	buf_release(&k->found);
}

/* KEYS pattern. */
void cmd_keys(struct cmd *c)
{
	struct collector k = { .c = c };
	uint64_t position = 0;

	set_pattern(&k, c->argv[1]);
	do
		position = table_scan(keys_of(c), position, collect, &k);
	while (position != 0);
	reply_found(c, &k);
}

struct scan_options {
	int64_t count;
	uint64_t cursor;
};

static bool arg_scan(struct cmd *c, struct scan_options *o, struct collector *k)
{
	unsigned i;

	o->count = 10;
	if (!num_parse_u64(c->argv[1], &o->cursor)) {
		reply_error(c, "ERR invalid cursor");
		return false;
	}
	for (i = 2; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;

		if (more && arg_is(c, i, "count")) {
			if (!arg_i64(c, i + 1, &o->count))
				return false;
			if (o->count >= 1)
				continue;
		} else if (more && arg_is(c, i, "match")) {
			set_pattern(k, c->argv[i + 1]);
			continue;
		} else if (more && arg_is(c, i, "type")) {
			k->type = c->argv[i + 1];
			continue;
		}
		reply_syntax_error(c);
		return false;
	}
	return true;
}

/* The cursor of a position; 0: the walk is over. (I1) */
static uint64_t cursor_of(uint64_t position)
{
	uint64_t up = (UINT64_C(1) << CURSOR_SHIFT) - 1;

	if (position > UINT64_MAX - up)
		return 0;
	return (position + up) >> CURSOR_SHIFT;
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. */
void cmd_scan(struct cmd *c)
{
	struct collector k = { .c = c };
	struct scan_options o;
	uint64_t position, buckets = 0, want;

	if (!arg_scan(c, &o, &k))
		return;
	position = o.cursor << CURSOR_SHIFT;
	want = (uint64_t)o.count;
	/* A cursor that was never given out ends the walk. */
	if (o.cursor == position >> CURSOR_SHIFT) {
		do
			position = table_scan(keys_of(c), position, collect,
					      &k);
		while (position != 0 && k.visited < want &&
		       ++buckets / 10 < want);
	} else {
		position = 0;
	}
	reply_array(c, 2);
	reply_bulk_printf(c, "%llu", (unsigned long long)cursor_of(position));
	reply_found(c, &k);
}

/* Some live key when chance finds only expired ones: the first one behind a
 * random position. */
static const struct entry *first_live(struct cmd *c, uint64_t start)
{
	struct collector k = { .c = c };
	uint64_t position = start;
	bool wrapped = false;
	const struct entry *e = NULL;

	while (k.found.size == 0 && !(wrapped && position > start)) {
		position = table_scan(keys_of(c), position, collect, &k);
		if (position != 0)
			continue;
		if (wrapped)
			break;
		wrapped = true;
	}
	if (k.found.size)
		memcpy(&e, k.found.data, sizeof(e));
	buf_release(&k.found);
	return e;
}

/* RANDOMKEY. */
void cmd_randomkey(struct cmd *c)
{
	struct io *io = c->engine->io;
	const struct entry *e = NULL;
	uint64_t random = 0;
	int i;

	if (keys_of(c)->count == 0) {
		reply_null(c);
		return;
	}
	for (i = 0; i < RANDOM_TRIES; i++) {
		io->ops->random(io, &random, sizeof(random));
		e = table_random(keys_of(c), random);
		if (e && is_live(c, e))
			break;
		e = NULL;
	}
	if (!e)
		e = first_live(c, random);
	if (e)
		reply_bulk(c, entry_key(e));
	else
		reply_null(c);
}

/* DBSIZE. */
void cmd_dbsize(struct cmd *c)
{
	reply_i64(c, (int64_t)keys_of(c)->count);
}
