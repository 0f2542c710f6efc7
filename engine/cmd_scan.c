/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walking the keyspace: KEYS, SCAN, RANDOMKEY, DBSIZE.
 *
 * I1. Expired keys are not shown; DBSIZE counts them until they are removed.
 */
#include "engine/cmd_key.h"

#include "engine/scan.h"
#include "engine/value_ops.h"

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
	struct scan_options o;
	struct buf found; /* of const struct entry * */
};

static bool type_fits(const struct collector *k, const struct entry *e)
{
	const struct slice *type = &k->o.type;

	return !type->data || slice_is(*type, value_ops(e)->type_name);
}

static void collect(void *ctx, void *entry)
{
	struct collector *k = ctx;
	const struct entry *e = entry;

	if (is_live(k->c, e) && type_fits(k, e) && /* I1 */
	    scan_match(&k->o, entry_key(e)))
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

	if (!slice_equal(c->argv[1], SLICE_LITERAL("*")))
		k.o.pattern = c->argv[1];
	do
		position = table_scan(keys_of(c), position, collect, &k);
	while (position != 0);
	reply_found(c, &k);
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. */
void cmd_scan(struct cmd *c)
{
	struct collector k = { .c = c };

	if (!scan_parse(c, 1, SCAN_TYPE, &k.o))
		return;
	reply_scan(c, scan_walk(keys_of(c), &k.o, collect, &k));
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
	const struct entry *e = NULL;
	uint64_t random = 0;
	int i;

	if (keys_of(c)->count == 0) {
		reply_null(c);
		return;
	}
	for (i = 0; i < RANDOM_TRIES; i++) {
		random = engine_chance(c->engine);
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
