/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The digest: what every end-to-end test ends with.
 *
 * I1. A fixed hash with fixed seeds: the same state gives the same 128 bits
 *     everywhere, whatever the store's hash key.
 * I2. The sum of per-key hashes modulo 2^128 needs no order; a sum, not an
 *     exclusive or, so that equal terms do not cancel.
 * I3. Access history and encodings are not state and do not enter.
 */
#include "engine/keyspace.h"
#include "engine/value_ops.h"

#define KEY_SEED 0x5265646f7562744bULL

struct hash128 digest_entry(uint32_t db, const struct entry *e)
{
	struct slice key = entry_key(e);
	struct hash128 value = value_ops(e)->digest(e);
	struct hash128 name = content_hash128(key.data, key.size, KEY_SEED);
	uint64_t parts[7] = {
		db, (uint64_t)entry_type(e), entry_deadline(e),
		name.low, name.high, value.low, value.high,
	};

	return content_hash128(parts, sizeof(parts), KEY_SEED);
}

struct digest_walk {
	uint32_t db;
	unsigned __int128 sum;
};

static void digest_visit(void *ctx, void *entry)
{
	struct digest_walk *w = ctx;
	struct hash128 h = digest_entry(w->db, entry);

	w->sum += (unsigned __int128)h.high << 64 | h.low;
}

struct hash128 digest_keyspace(const struct keyspace *ks)
{
	struct digest_walk w = { 0 };

	for (w.db = 0; w.db < ks->db_count; w.db++) {
		uint64_t position = 0;

		do {
			position = table_scan(&ks->dbs[w.db].keys, position,
					      digest_visit, &w);
		} while (position);
	}
	return (struct hash128){ (uint64_t)w.sum, (uint64_t)(w.sum >> 64) };
}
