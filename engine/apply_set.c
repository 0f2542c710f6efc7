/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of sets.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "engine/items.h"
#include "types/set.h"

/* A set without members, with room for what is announced. */
static struct entry *begin_set(struct keyspace *ks,
			       const struct key_slot *slot,
			       const struct record *rec)
{
	size_t count = keyspace_expected(ks, slot);
	struct reader in = reader_of(rec->value);

	if (count == 0)
		return set_new(rec->key, 0);
	return set_new_for(rec->key, ks->hash_key, count, read_string(&in));
}

void apply_set_add(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;
	struct set_member m = { .hash = rec->item_hash,
				.absent = rec->item_hash != 0 };
	struct reader in = reader_of(rec->value);
	bool added;

	if (!e)
		e = begin_set(ks, &slot, rec);
	assert(entry_type(e) == VALUE_set);
	ks->result = 0;
	while (reader_left(&in)) {
		m.bytes = read_string(&in);
		e = set_add(e, ks->hash_key, &m, &added);
		ks->result += added;
	}
	assert(!in.bad);
	keyspace_put(ks, &slot, e, old);
}

void apply_set_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	struct set_member m = { .hash = rec->item_hash };
	struct reader in = reader_of(rec->value);
	bool removed;

	assert(e != NULL);
	assert(entry_type(e) == VALUE_set);
	ks->result = 0;
	while (reader_left(&in)) {
		m.bytes = read_string(&in);
		e = set_remove(e, &m, &removed);
		ks->result += removed;
	}
	assert(!in.bad);
	keyspace_put(ks, &slot, e, entry_deadline(e));
	if (set_count(e) == 0)
		keyspace_free_entry(keyspace_take(ks, &slot));
}

static const char *set_fits(const struct entry *e, const struct record *rec)
{
	if (e && entry_type(e) != VALUE_set)
		return "the key holds no set";
	return items_fit(rec->value, 1);
}

const char *fits_set_add(const struct keyspace *ks, const struct record *rec)
{
	return set_fits(keyspace_find(ks, rec->db, rec->key), rec);
}

const char *fits_set_del(const struct keyspace *ks, const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	return e ? set_fits(e, rec) : "no such key";
}
