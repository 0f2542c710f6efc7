/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes as the engine sees them.
 *
 * I1. The records of a hash are runs of hash_set, of fields with the same
 *     deadline each, then key_expire if the key has a deadline; of a frozen big
 *     one key_reserve before them.
 * I2. The digest is a sum over the fields, so that it has no order.
 * I3. A frozen hash owns what its walk needs: the key's bytes, and by
 *     hash_walk_begin the table.
 */
#include "engine/value_ops.h"

#include <assert.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/config.h"
#include "engine/items.h"
#include "types/hash.h"

#define FIELD_SEED 0x5265646f75686173ULL /* any constant; in the digest */
#define DUMP_SMALL 4096

/* A run is given when it has this much: a change of the hash makes a bucket's
 * worth of them at once. */
#define RUN_SIZE ((size_t)16 << 10)

/* --- the digest --------------------------------------------------------- */

static void digest_field(void *ctx, const struct hash_item *item)
{
	unsigned __int128 *sum = ctx;
	struct hash128 name = content_hash128(item->field.data,
					      item->field.size, FIELD_SEED);
	struct hash128 value = content_hash128(item->value.data,
					       item->value.size, FIELD_SEED);
	uint64_t parts[5] = {
		name.low, name.high, value.low, value.high, item->deadline_ms,
	};
	struct hash128 h = content_hash128(parts, sizeof(parts), FIELD_SEED);

	*sum += (unsigned __int128)h.high << 64 | h.low; /* I2 */
}

static struct hash128 hash_value_digest(const struct entry *e)
{
	unsigned __int128 sum = 0;

	hash_each(e, digest_field, &sum);
	return (struct hash128){ (uint64_t)sum, (uint64_t)(sum >> 64) };
}

/* --- records ------------------------------------------------------------ */

/* Fields on their way to records: those without a deadline, and a run of those
 * with the same one. */
struct field_runs {
	record_sink_fn *sink;
	void *ctx;
	uint32_t db;
	struct slice key;
	struct buf plain;
	struct buf dated;
	uint64_t dated_ms;
	size_t given; /* bytes, since somebody has set it to 0 */
	size_t announce; /* fields, not yet announced */
};

static void give_run(struct field_runs *runs, struct buf *items,
		     uint64_t deadline_ms)
{
	struct record r = {
		.type = REC_hash_set,
		.cause = CAUSE_snapshot,
		.db = runs->db,
		.key = runs->key,
		.deadline = deadline_ms,
		.value = buf_slice(items),
	};

	if (items->size == 0)
		return;
	value_announce(&r, runs->announce, runs->sink, runs->ctx);
	runs->announce = 0;
	runs->sink(runs->ctx, &r);
	runs->given += items->size;
	items->size = 0;
}

static void give_all(struct field_runs *runs, uint64_t key_deadline_ms)
{
	struct record r = {
		.type = REC_key_expire,
		.cause = CAUSE_snapshot,
		.db = runs->db,
		.key = runs->key,
		.deadline = key_deadline_ms,
	};

	give_run(runs, &runs->plain, 0);
	give_run(runs, &runs->dated, runs->dated_ms);
	if (key_deadline_ms)
		runs->sink(runs->ctx, &r); /* I1 */
}

static void put_field(void *ctx, const struct hash_item *item)
{
	struct field_runs *runs = ctx;
	struct buf *items = &runs->plain;

	if (item->deadline_ms) {
		items = &runs->dated;
		if (item->deadline_ms != runs->dated_ms)
			give_run(runs, items, runs->dated_ms);
		runs->dated_ms = item->deadline_ms;
	}
	items_put(items, item->field);
	items_put(items, item->value);
	if (items->size >= RUN_SIZE)
		give_run(runs, items, item->deadline_ms);
}

static void runs_release(struct field_runs *runs)
{
	buf_release(&runs->plain);
	buf_release(&runs->dated);
}

static void hash_dump(const struct entry *e, uint32_t db,
		      record_sink_fn *sink, void *ctx)
{
	struct field_runs runs = {
		.sink = sink, .ctx = ctx, .db = db, .key = entry_key(e),
	};

	hash_each(e, put_field, &runs);
	give_all(&runs, entry_deadline(e));
	runs_release(&runs);
}

/* Few enough fields of a big one may still be large. */
static bool hash_is_small(const struct entry *e)
{
	return hash_fields(e) == NULL && entry_value_size(e) <= DUMP_SMALL;
}

/* --- frozen hashes ------------------------------------------------------ */

struct frozen_hash {
	struct hash *hash;        /* NULL: its records are out */
	struct field_runs runs;
	uint64_t position;
	uint64_t deadline_ms;
	uint8_t key[];
};

static void *hash_freeze(const struct entry *e, uint32_t db,
			 record_sink_fn *sink, void *ctx)
{
	struct slice key = entry_key(e);
	struct frozen_hash *f = mem_alloc(sizeof(*f) + key.size);

	*f = (struct frozen_hash){
		.runs = { .sink = sink, .ctx = ctx, .db = db,
			  .key = slice_of(f->key, key.size) },
		.deadline_ms = entry_deadline(e),
	};
	put_bytes(f->key, key.data, key.size);
	if (hash_fields(e)) {
		f->runs.announce = hash_count(e);
		f->hash = hash_walk_begin(e, put_field, &f->runs); /* I3 */
		return f;
	}
	hash_each(e, put_field, &f->runs);
	return f;
}

static bool hash_frozen_step(void *frozen, size_t size_max,
			     record_sink_fn *sink, void *ctx)
{
	struct frozen_hash *f = frozen;

	(void)size_max; /* a run: fields are all over the memory */
	(void)sink; /* those of hash_freeze */
	(void)ctx;
	f->runs.given = 0;
	while (f->hash && f->runs.given == 0) {
		if (hash_walk_next(f->hash, &f->position))
			continue;
		hash_walk_end(f->hash);
		f->hash = NULL;
	}
	if (f->hash)
		return true;
	give_all(&f->runs, f->deadline_ms);
	return false;
}

static void hash_frozen_free(void *frozen)
{
	struct frozen_hash *f = frozen;

	if (f->hash)
		hash_walk_end(f->hash);
	runs_release(&f->runs);
	mem_free(f);
}

static void hash_configure(struct keyspace *ks, const struct config *config)
{
	(void)ks;
	hash_limits((size_t)config->hash_packed_count_max,
		    (size_t)config->hash_packed_value_max);
}

const struct value_ops value_hash = {
	.type_name = "hash",
	.encoding = hash_encoding_name,
	.memory = hash_memory,
	.digest = hash_value_digest,
	.destroy = hash_free,
	.copy = hash_copy,
	.is_small = hash_is_small,
	.dump = hash_dump,
	.freeze = hash_freeze,
	.frozen_step = hash_frozen_step,
	.frozen_free = hash_frozen_free,
	.configure = hash_configure,
	.earliest = hash_earliest,
	.check = hash_check,
};
