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

/* A hash that a record changes, and the deadlines of its fields before. */
struct change {
	struct key_slot slot; /* without an entry: the key is absent */
	bool had;
	uint64_t earliest;
};

static struct change change_begin(struct keyspace *ks,
				  const struct record *rec)
{
	struct change c = {
		.slot = keyspace_slot(ks, rec->db, rec->key, rec->key_hash),
	};
	const struct entry *e = c.slot.entry;

	if (!e)
		return c;
	assert(entry_type(e) == VALUE_hash);
	c.had = e->flags & ENTRY_FIELDS;
	if (c.had)
		c.earliest = hash_earliest(e);
	return c;
}

/* Puts it back at its slot. */
static void change_end(struct keyspace *ks, struct change *c, struct entry *e)
{
	keyspace_put(ks, &c->slot, e, entry_deadline(e));
	if (c->had || (e->flags & ENTRY_FIELDS))
		keyspace_put_fields(ks, &c->slot, c->had, c->earliest);
}

void apply_hash_set(struct keyspace *ks, const struct record *rec)
{
	struct change c = change_begin(ks, rec);
	struct hash_env env = env_of(ks);
	struct entry *e = c.slot.entry;

	if (!e) {
		env.expected = keyspace_expected(ks, &c.slot);
		e = hash_new(&env, rec->key, rec->value, rec->deadline,
			     &ks->result);
		keyspace_put(ks, &c.slot, e, 0);
		return;
	}
	e = hash_set(e, &env, rec->value, rec->deadline, &ks->result);
	change_end(ks, &c, e);
}

void apply_hash_expire(struct keyspace *ks, const struct record *rec)
{
	struct change c = change_begin(ks, rec);
	struct hash_env env = env_of(ks);

	assert(c.slot.entry != NULL);
	change_end(ks, &c, hash_expire(c.slot.entry, &env, rec->value,
				       rec->deadline));
}

void apply_hash_del(struct keyspace *ks, const struct record *rec)
{
	struct change c = change_begin(ks, rec);
	struct entry *e = c.slot.entry;

	assert(e != NULL);
	e = hash_del(e, rec->value, &ks->result);
	change_end(ks, &c, e);
	if (hash_empty(e))
		keyspace_free_entry(keyspace_take(ks, &c.slot));
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
