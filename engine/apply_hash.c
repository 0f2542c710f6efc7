/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of hashes.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "engine/items.h"
#include "types/hash.h"

static struct hash_env env_of(const struct keyspace *ks)
{
	return (struct hash_env){ ks->hash_key, ks->index_now_ms, 0 };
}

/* Puts a hash back that has changed at its slot. had, earliest: of its fields'
 * deadlines before the change. */
static void put_back(struct keyspace *ks, struct key_slot *slot,
		     struct entry *e, bool had, uint64_t earliest)
{
	keyspace_put(ks, slot, e, entry_deadline(e));
	if (had || (e->flags & ENTRY_FIELDS))
		keyspace_put_fields(ks, slot, had, earliest);
}

void apply_hash_set(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct hash_env env = env_of(ks);
	struct entry *e = slot.entry;
	bool had = e && (e->flags & ENTRY_FIELDS);
	uint64_t earliest;

	if (!e) {
		env.expected = keyspace_expected(ks, &slot);
		e = hash_new(&env, rec->key, rec->value, rec->deadline,
			     &ks->result);
		keyspace_put(ks, &slot, e, 0);
		return;
	}
	assert(entry_type(e) == VALUE_hash);
	earliest = had ? hash_earliest(e) : 0;
	e = hash_set(e, &env, rec->value, rec->deadline, &ks->result);
	put_back(ks, &slot, e, had, earliest);
}

void apply_hash_expire(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct hash_env env = env_of(ks);
	struct entry *e = slot.entry;
	uint64_t earliest;
	bool had;

	assert(e != NULL && entry_type(e) == VALUE_hash);
	had = e->flags & ENTRY_FIELDS;
	earliest = hash_earliest(e);
	e = hash_expire(e, &env, rec->value, rec->deadline);
	put_back(ks, &slot, e, had, earliest);
}

void apply_hash_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t earliest;
	bool had;

	assert(e != NULL && entry_type(e) == VALUE_hash);
	had = e->flags & ENTRY_FIELDS;
	earliest = hash_earliest(e);
	e = hash_del(e, rec->value, &ks->result);
	put_back(ks, &slot, e, had, earliest);
	if (hash_empty(e))
		keyspace_free_entry(keyspace_take(ks, &slot));
}

/* Whether the record's key is a hash, and its items are whole. */
static const char *hash_fits(const struct keyspace *ks,
			     const struct record *rec, bool absent,
			     unsigned group)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (!e && !absent)
		return "no such key";
	if (e && entry_type(e) != VALUE_hash)
		return "the key holds no hash";
	return items_fit(rec->value, group);
}

/* Whether the key's hash has all fields of the record. */
static const char *fields_fit(const struct keyspace *ks,
			      const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);
	struct reader in = reader_of(rec->value);
	struct hash_item item;

	while (reader_left(&in))
		if (!hash_find(e, read_string(&in), &item))
			return "no such field";
	return NULL;
}

const char *fits_hash_set(const struct keyspace *ks, const struct record *rec)
{
	const char *reason = hash_fits(ks, rec, true, 2);

	return reason ? reason : deadline_fits(rec->deadline);
}

const char *fits_hash_expire(const struct keyspace *ks,
			     const struct record *rec)
{
	const char *reason = hash_fits(ks, rec, false, 1);

	if (!reason && rec->deadline == DEADLINE_KEEP)
		reason = "keep is no deadline here";
	if (!reason)
		reason = deadline_fits(rec->deadline);
	return reason ? reason : fields_fit(ks, rec);
}

const char *fits_hash_del(const struct keyspace *ks, const struct record *rec)
{
	const char *reason = hash_fits(ks, rec, false, 1);

	return reason ? reason : fields_fit(ks, rec);
}
