/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of keys, whatever their type, and of whole databases.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "engine/value_ops.h"

void apply_key_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	ks->result = slot.entry != NULL;
	if (slot.entry)
		keyspace_free_entry(keyspace_take(ks, &slot));
}

void apply_key_expire(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	uint64_t old;

	assert(slot.entry != NULL);
	old = entry_deadline(slot.entry);
	keyspace_put(ks, &slot, entry_set_deadline(slot.entry, rec->deadline),
		     old);
}

void apply_key_reserve(struct keyspace *ks, const struct record *rec)
{
	if (ks->reserve.left > 0)
		keyspace_expect(ks, rec->db, keyspace_hash(ks, rec->key),
				rec->count);
}

/* Frees what stands at the slot, if anything, before e is put there. */
static void clear_slot(struct keyspace *ks, struct key_slot *slot)
{
	if (slot->entry)
		keyspace_free_entry(keyspace_take(ks, slot));
}

/* Puts e, which is in no table, at the record's other key. */
static void put_at_other(struct keyspace *ks, const struct record *rec,
			 struct entry *e)
{
	struct key_slot to = keyspace_slot(ks, (uint32_t)rec->other_db,
					   rec->other,
					   keyspace_hash(ks, rec->other));

	e->flags &= (uint8_t)~ENTRY_INDEXED;
	clear_slot(ks, &to);
	keyspace_put(ks, &to, e, 0);
}

void apply_key_move(struct keyspace *ks, const struct record *rec)
{
	struct key_slot from =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	assert(from.entry != NULL);
	if (rec->db == rec->other_db && slice_equal(rec->key, rec->other))
		return;
	put_at_other(ks, rec, entry_rekey(keyspace_take(ks, &from),
					  rec->other));
}

void apply_key_copy(struct keyspace *ks, const struct record *rec)
{
	struct key_slot from =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	uint64_t deadline;

	assert(from.entry != NULL);
	deadline = deadline_resolve(rec->deadline, entry_deadline(from.entry));
	put_at_other(ks, rec, value_ops(from.entry)->copy(from.entry,
							  rec->other,
							  deadline));
}

void apply_db_flush(struct keyspace *ks, const struct record *rec)
{
	keyspace_flush(ks, rec->db);
}

void apply_all_flush(struct keyspace *ks, const struct record *rec)
{
	uint32_t i;

	(void)rec;
	for (i = 0; i < ks->db_count; i++)
		keyspace_flush(ks, i);
}

void apply_db_swap(struct keyspace *ks, const struct record *rec)
{
	keyspace_swap(ks, rec->db, (uint32_t)rec->other_db);
}

const char *fits_key_del(const struct keyspace *ks,
				const struct record *rec)
{
	return keyspace_find(ks, rec->db, rec->key) ? NULL : "no such key";
}

const char *fits_key_expire(const struct keyspace *ks,
				   const struct record *rec)
{
	if (!keyspace_find(ks, rec->db, rec->key))
		return "no such key";
	if (rec->deadline == DEADLINE_KEEP)
		return "keep is no deadline here";
	return deadline_fits(rec->deadline);
}

static const char *two_keys_fit(const struct keyspace *ks,
				const struct record *rec)
{
	if (rec->other_db >= ks->db_count)
		return "no such target database";
	if (!keyspace_find(ks, rec->db, rec->key))
		return "no such key";
	return NULL;
}

const char *fits_key_move(const struct keyspace *ks,
				 const struct record *rec)
{
	return two_keys_fit(ks, rec);
}

const char *fits_key_copy(const struct keyspace *ks,
				 const struct record *rec)
{
	const char *reason = two_keys_fit(ks, rec);

	if (!reason && rec->db == rec->other_db &&
	    slice_equal(rec->key, rec->other))
		reason = "source and target are the same key";
	return reason ? reason : deadline_fits(rec->deadline);
}

const char *fits_key_reserve(const struct keyspace *ks,
			     const struct record *rec)
{
	(void)ks;
	(void)rec;
	return NULL;
}

const char *fits_db_flush(const struct keyspace *ks,
				 const struct record *rec)
{
	(void)ks;
	(void)rec;
	return NULL;
}

const char *fits_all_flush(const struct keyspace *ks,
				  const struct record *rec)
{
	(void)ks;
	(void)rec;
	return NULL;
}

const char *fits_db_swap(const struct keyspace *ks,
				const struct record *rec)
{
	return rec->other_db < ks->db_count ? NULL : "no such database";
}
