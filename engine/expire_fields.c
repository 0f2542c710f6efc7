/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active expiry of fields of hashes, as that of keys (engine/expire.c): the
 * index of a database gives keys by the earliest deadline of a field, the hash
 * gives the fields; what is due is collected first and removed afterwards, by
 * records.
 *
 * F1. An item that fires is gone; the key gets a new one for what is left.
 * F2. One turn removes a bounded number of fields.
 */
#include "engine/expire.h"

#include <assert.h>

#include "engine/items.h"
#include "types/hash.h"

#define KEYS_PER_TURN 100
#define FIELDS_PER_TURN 400

struct due_keys {
	struct engine *engine;
	uint32_t db;
	uint64_t hash;
	struct buf keys; /* items */
};

static void look(void *ctx, void *entry)
{
	struct due_keys *due = ctx;
	const struct entry *e = entry;
	struct slice key = entry_key(e);

	if ((e->flags & ENTRY_FIELDS) &&
	    siphash13(key.data, key.size, due->engine->ks.hash_key) ==
		    due->hash)
		items_put(&due->keys, key);
}

static uint64_t fire(void *ctx, uint64_t hash)
{
	struct due_keys *due = ctx;

	due->hash = hash;
	table_scan(&due->engine->ks.dbs[due->db].keys, hash, look, due);
	return 0; /* F1 */
}

/* The fields of one key that are due. */
struct due_fields {
	struct buf items;
	size_t count;
};

static void collect(void *ctx, const struct hash_item *item)
{
	struct due_fields *due = ctx;

	items_put(&due->items, item->field);
	due->count++;
}

/* Removes them by records as long as records may be. */
static void remove_fields(struct due_keys *keys, struct slice key,
			  const struct due_fields *due)
{
	struct engine *e = keys->engine;
	struct reader in = reader_of(buf_slice(&due->items));
	struct record r = {
		.type = REC_hash_del,
		.cause = CAUSE_hexpired,
		.db = keys->db,
		.key = key,
	};

	while (reader_left(&in)) {
		const uint8_t *start = in.at;

		while (reader_left(&in) &&
		       (size_t)(in.at - start) < ITEMS_SIZE_MAX)
			read_string(&in);
		r.value = slice_of(start, (size_t)(in.at - start));
		engine_emit(e, &r);
		e->stats.expired_fields += e->ks.result;
	}
}

/* Removes what is due of one key, at most count_max fields; returns how many
 * were. */
static size_t expire_key(struct due_keys *keys, struct slice key,
			 size_t count_max)
{
	struct engine *e = keys->engine;
	struct due_fields due = { 0 };
	const struct entry *entry;
	uint64_t next_ms, hash;

	entry = keyspace_find(&e->ks, keys->db, key);
	if (!entry || !(entry->flags & ENTRY_FIELDS))
		return 0; /* two items for one key */
	hash = keyspace_hash(&e->ks, key);
	if (count_max == 0)
		next_ms = e->now_ms;
	else /* changes an index, not the state */
		next_ms = hash_due((struct entry *)entry, e->now_ms, count_max,
				   collect, &due);
	remove_fields(keys, key, &due);
	entry = keyspace_find(&e->ks, keys->db, key);
	if (entry && (entry->flags & ENTRY_FIELDS)) /* F1 */
		keyspace_index_fields(&e->ks, keys->db, hash, next_ms);
	buf_release(&due.items);
	return due.count;
}

static void expire_keys(struct due_keys *due)
{
	static const struct origin nobody = {
		.user = { (const uint8_t *)"", 0 },
		.address = { (const uint8_t *)"", 0 },
		.command = { (const uint8_t *)"expire-cycle", 12 },
	};
	struct reader in = reader_of(buf_slice(&due->keys));
	size_t left = FIELDS_PER_TURN;

	engine_batch_begin(due->engine, &nobody);
	while (reader_left(&in)) {
		size_t count = expire_key(due, read_string(&in), left);

		left = count < left ? left - count : 0; /* F2 */
	}
	engine_batch_end(due->engine);
}

bool expire_fields(struct engine *e, uint32_t db)
{
	struct due_keys due = { .engine = e, .db = db };
	struct wheel *w = e->ks.dbs[db].fields;

	if (!w || wheel_next_ms(w) > e->now_ms)
		return false;
	wheel_poll(w, e->now_ms, KEYS_PER_TURN, fire, &due);
	if (due.keys.size)
		expire_keys(&due);
	buf_release(&due.keys);
	return wheel_next_ms(e->ks.dbs[db].fields) <= e->now_ms;
}
