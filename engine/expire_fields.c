/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active expiry of fields of hashes, as that of keys (engine/expire.c): the
 * index of a database gives keys by the earliest deadline of a field, the hash
 * gives the fields; what is due is collected first and removed afterwards, by
 * records.
 *
 * F1. An item that fires is gone; the key gets a new one for what is left.
 * F2. One turn removes a bounded number of fields, and only what the log has
 *     room for; the rest stays due.
 */
#include "engine/expire.h"

#include <assert.h>

#include "engine/items.h"
#include "types/hash.h"

#define KEYS_PER_TURN 100
#define FIELDS_PER_TURN 128 /* a cold one takes up to 4 us */

struct due_keys {
	struct engine *engine;
	uint32_t db;
	uint64_t hash;
	struct buf keys; /* items */
	size_t left;     /* fields that may go yet */
	uint64_t room;   /* left for records */
	bool any;        /* something goes */
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
	struct due_keys *keys;
	struct slice key;
	struct buf items;
	size_t count;
};

/* Whether there is room for one more field; a big one may go alone. The key
 * stands in each of the records, of which there are two at most. (F2) */
static bool take_room(const struct due_fields *due, size_t field_size)
{
	struct due_keys *keys = due->keys;
	uint64_t size = field_size + VARINT_SIZE_MAX;

	if (due->count == 0)
		size += 2 * (due->key.size + EXPIRE_RECORD_SIZE);
	if (size > keys->room && !keys->any &&
	    wal_room(keys->engine->wal, size, true))
		keys->room = size;
	if (size > keys->room)
		return false;
	keys->room -= size;
	keys->any = true;
	return true;
}

static bool collect(void *ctx, const struct hash_item *item)
{
	struct due_fields *due = ctx;

	if (!take_room(due, item->field.size))
		return false;
	items_put(&due->items, item->field);
	due->count++;
	return true;
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

/* Removes what is due of one key. */
static void expire_key(struct due_keys *keys, struct slice key)
{
	struct engine *e = keys->engine;
	struct due_fields due = { .keys = keys, .key = key };
	const struct entry *entry;
	uint64_t next_ms, hash;

	entry = keyspace_find(&e->ks, keys->db, key);
	if (!entry || !(entry->flags & ENTRY_FIELDS))
		return; /* two items for one key */
	hash = keyspace_hash(&e->ks, key);
	if (keys->left == 0)
		next_ms = e->now_ms;
	else /* changes an index, not the state */
		next_ms = hash_due((struct entry *)entry, e->now_ms,
				   keys->left, collect, &due);
	if (next_ms <= e->now_ms && !keys->any) /* not even one */
		next_ms = e->now_ms + EXPIRE_RETRY_MS;
	keys->left -= due.count;
	remove_fields(keys, key, &due);
	entry = keyspace_find(&e->ks, keys->db, key);
	if (entry && (entry->flags & ENTRY_FIELDS)) /* F1 */
		keyspace_index_fields(&e->ks, keys->db, hash, next_ms);
	buf_release(&due.items);
}

static void expire_keys(struct due_keys *due)
{
	static const struct origin nobody = {
		.user = { (const uint8_t *)"", 0 },
		.address = { (const uint8_t *)"", 0 },
		.command = { (const uint8_t *)"expire-cycle", 12 },
	};
	struct reader in = reader_of(buf_slice(&due->keys));

	engine_batch_begin(due->engine, &nobody);
	while (reader_left(&in))
		expire_key(due, read_string(&in));
	engine_batch_end(due->engine);
}

bool expire_fields(struct engine *e, uint32_t db)
{
	struct due_keys due = { .engine = e, .db = db,
				.left = FIELDS_PER_TURN };
	struct wheel *w = e->ks.dbs[db].fields;

	if (!w || wheel_next_ms(w) > e->now_ms)
		return false;
	due.room = expire_room(e);
	if (due.room == 0)
		return false;
	wheel_poll(w, e->now_ms, KEYS_PER_TURN, fire, &due);
	if (due.keys.size)
		expire_keys(&due);
	buf_release(&due.keys);
	return wheel_next_ms(e->ks.dbs[db].fields) <= e->now_ms;
}
