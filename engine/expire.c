/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active expiry.
 *
 * The index gives hashes in order of time; the table, being in hash order,
 * finds the entries.  What is due is collected first and removed afterwards,
 * by records like any other change, so that the log alone decides when a key
 * dies, and replicas and replay never look at a clock.
 *
 * I1. Only a key whose deadline has passed by the engine's clock is removed.
 * I2. One turn collects a bounded number of keys and writes one batch.
 * I3. Only what the log has room for is removed, however long keys are; the
 *     rest stays due.  Readers see expired keys as absent all the same.
 */
#include "engine/expire.h"

#include <assert.h>

#include "base/mem.h"

#define ITEMS_PER_TURN 400
#define ROOM_PER_TURN (128u << 10) /* bytes of the log */
#define ROOM_SHARE 16              /* of a segment, for small ones */
#define ROOM_LEAST 1024
#define REINDEX_BUCKETS 64

/* Keys found due, their bytes one behind the other. */
struct due {
	struct engine *engine;
	uint32_t db;
	uint64_t hash;
	uint64_t later_ms; /* earliest deadline of what stays; 0 = none */
	uint64_t room;     /* left for records */
	struct buf keys;   /* u32 size, bytes, … */
	unsigned count;
};

uint64_t expire_room(const struct engine *e)
{
	uint64_t room = (uint64_t)e->config->segment_size / ROOM_SHARE;

	if (room > ROOM_PER_TURN)
		room = ROOM_PER_TURN;
	while (!wal_room(e->wal, room, true)) {
		if (room <= ROOM_LEAST)
			return 0;
		room /= 4;
	}
	return room;
}

/* Whether the record of a key fits; a big one does alone. (I3) */
static bool take_room(struct due *due, size_t key_size)
{
	uint64_t size = key_size + EXPIRE_RECORD_SIZE;

	if (size > due->room && due->count == 0 &&
	    wal_room(due->engine->wal, size, true))
		due->room = size;
	if (size > due->room)
		return false;
	due->room -= size;
	return true;
}

static void stays_until(struct due *due, uint64_t ms)
{
	if (due->later_ms == 0 || ms < due->later_ms)
		due->later_ms = ms;
}

static void look(void *ctx, void *entry)
{
	struct due *due = ctx;
	struct keyspace *ks = &due->engine->ks;
	struct entry *e = entry;
	struct slice key = entry_key(e);
	uint64_t deadline = entry_deadline(e);
	uint8_t size[4];

	if (!(e->flags & ENTRY_INDEXED) ||
	    siphash13(key.data, key.size, ks->hash_key) != due->hash)
		return;
	if (deadline == 0) {
		e->flags &= (uint8_t)~ENTRY_INDEXED;
		return;
	}
	if (deadline > due->engine->now_ms) {
		stays_until(due, deadline);
		return;
	}
	if (!take_room(due, key.size)) {
		stays_until(due, due->engine->now_ms +
				 (due->count ? 1 : EXPIRE_RETRY_MS));
		return;
	}
	put_u32(size, (uint32_t)key.size); /* I1 */
	buf_put(&due->keys, size, sizeof(size));
	buf_put_slice(&due->keys, key);
	due->count++;
}

static uint64_t fire(void *ctx, uint64_t hash)
{
	struct due *due = ctx;

	due->hash = hash;
	due->later_ms = 0;
	table_scan(&due->engine->ks.dbs[due->db].keys, hash, look, due);
	return due->later_ms;
}

static void remove_due(struct due *due)
{
	static const struct origin nobody = {
		.user = { (const uint8_t *)"", 0 },
		.address = { (const uint8_t *)"", 0 },
		.command = { (const uint8_t *)"expire-cycle", 12 },
	};
	struct reader in = reader_of(buf_slice(&due->keys));

	engine_batch_begin(due->engine, &nobody);
	while (reader_left(&in)) {
		uint32_t size = read_u32(&in);
		struct record r = {
			.type = REC_key_del,
			.cause = CAUSE_expired,
			.db = due->db,
			.key = read_bytes(&in, size),
		};

		assert(!in.bad);
		if (!keyspace_find(&due->engine->ks, due->db, r.key))
			continue; /* two items for one key */
		engine_emit(due->engine, &r);
		due->engine->stats.expired_keys++;
	}
	engine_batch_end(due->engine);
}

static bool expire_db(struct engine *e, uint32_t db)
{
	struct due due = { .engine = e, .db = db };
	struct wheel *w = e->ks.dbs[db].deadlines;
	size_t handled;

	if (!w || wheel_next_ms(w) > e->now_ms)
		return false;
	due.room = expire_room(e);
	if (due.room == 0) /* I3 */
		return false;
	handled = wheel_poll(w, e->now_ms, ITEMS_PER_TURN, fire, &due); /* I2 */
	if (due.count)
		remove_due(&due);
	buf_release(&due.keys);
	return handled >= ITEMS_PER_TURN;
}

bool expire_turn(struct engine *e)
{
	bool more = false;
	uint32_t i;

	if (!e->active_expire)
		return false;
	for (i = 0; i < e->ks.indexed_end; i++) {
		more |= expire_db(e, i);
		more |= expire_fields(e, i);
		more |= keyspace_reindex(&e->ks, i, e->now_ms, REINDEX_BUCKETS);
	}
	return more;
}

uint64_t expire_next_ms(const struct engine *e)
{
	uint64_t first = UINT64_MAX;
	uint32_t i;

	if (!e->active_expire)
		return first;
	for (i = 0; i < e->ks.indexed_end; i++) {
		const struct db *db = &e->ks.dbs[i];

		if (db->deadlines && wheel_next_ms(db->deadlines) < first)
			first = wheel_next_ms(db->deadlines);
		if (db->fields && wheel_next_ms(db->fields) < first)
			first = wheel_next_ms(db->fields);
	}
	return first;
}
