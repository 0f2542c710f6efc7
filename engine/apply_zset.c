/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of sorted sets.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/items.h"
#include "types/zset.h"

/* A run of this many bytes is worth to be made a sorted set at once. */
#define RUN_SIZE_MIN 256

/* A new sorted set of a run; NULL: its items have to be added one by one. */
static struct entry *new_of_run(struct keyspace *ks, const struct record *rec)
{
	struct reader in = reader_of(rec->value);
	struct zset_item *items;
	struct entry *e;
	size_t count, i;

	for (count = 0; reader_left(&in); count++) {
		read_u64(&in);
		read_string(&in);
	}
	assert(!in.bad);
	items = mem_realloc_array(NULL, count, sizeof(*items));
	in = reader_of(rec->value);
	for (i = 0; i < count; i++) {
		uint64_t bits = read_u64(&in);

		memcpy(&items[i].score, &bits, sizeof(bits));
		items[i].member = read_string(&in);
	}
	e = zset_of(rec->key, ks->hash_key, items, count);
	mem_free(items);
	return e;
}

void apply_zset_add(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct reader in = reader_of(rec->value);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;
	size_t expected = e ? 0 : keyspace_expected(ks, &slot), added = 0;

	if (!e && !expected && rec->value.size >= RUN_SIZE_MIN) {
		e = new_of_run(ks, rec);
		if (e) {
			keyspace_put(ks, &slot, e, old);
			ks->result = zset_count(e);
			return;
		}
	}
	if (!e)
		e = zset_new_for(rec->key, ks->hash_key, expected);
	assert(entry_type(e) == VALUE_zset);
	while (reader_left(&in)) {
		uint64_t bits = read_u64(&in);
		struct zset_item item;
		bool is_new;

		memcpy(&item.score, &bits, sizeof(item.score));
		item.member = read_string(&in);
		e = zset_add(e, ks->hash_key, &item, &is_new);
		added += is_new;
	}
	assert(!in.bad);
	keyspace_put(ks, &slot, e, old);
	ks->result = added;
}

void apply_zset_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct reader in = reader_of(rec->value);
	struct entry *e = slot.entry;
	size_t removed = 0;

	assert(e != NULL);
	assert(entry_type(e) == VALUE_zset);
	while (reader_left(&in)) {
		bool was_there;

		e = zset_remove(e, read_string(&in), &was_there);
		removed += was_there;
	}
	assert(!in.bad);
	keyspace_put(ks, &slot, e, entry_deadline(e));
	if (zset_count(e) == 0)
		keyspace_free_entry(keyspace_take(ks, &slot));
	ks->result = removed;
}

const char *fits_zset_add(const struct keyspace *ks, const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (e && entry_type(e) != VALUE_zset)
		return "the key holds no sorted set";
	return items_fit_scored(rec->value);
}

const char *fits_zset_del(const struct keyspace *ks, const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (!e)
		return "no such key";
	if (entry_type(e) != VALUE_zset)
		return "the key holds no sorted set";
	return items_fit(rec->value, 1);
}
