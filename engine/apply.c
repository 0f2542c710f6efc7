/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Apply: one record into memory.
 *
 * I1. The only writer of the keyspace: live, replay, replica, restore and the
 *     tools run the same functions over different sources.
 * I2. A record has been found fit (record_fits) or was emitted by a handler
 *     that checked; so nothing here can fail, and what cannot be is asserted.
 * I3. No clock, no random, no configuration: the same records give the same
 *     state on any machine.
 */
#include "engine/apply.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/keyspace_mut.h"
#include "engine/value_ops.h"
#include "types/str.h"

typedef void apply_fn(struct keyspace *, const struct record *);

#define X(name, tag, text) static apply_fn apply_##name;
RECORD_TYPES(X)
#undef X

static apply_fn *const appliers[] = {
#define X(name, tag, text) [tag] = apply_##name,
	RECORD_TYPES(X)
#undef X
};

void apply(struct keyspace *ks, const struct record *rec)
{
	assert(rec->type < ARRAY_LEN(appliers));
	assert(appliers[rec->type] != NULL);

	appliers[rec->type](ks, rec);
	ks->applied_lsn = rec->lsn;
}

int apply_foreign(struct keyspace *ks, const struct record *rec,
		  struct err_message *m)
{
	int err;

	keyspace_remember(ks, rec->key, rec->key_hash);
	err = record_fits(ks, rec, m);
	if (err)
		return err;
	apply(ks, rec);
	return OK;
}

/* What "keep, none or ms" comes to for a key that has `old`. */
static uint64_t resolve_deadline(uint64_t wanted, uint64_t old)
{
	if (wanted == DEADLINE_KEEP)
		return old;
	return wanted;
}

static void apply_str_set(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;
	uint64_t deadline = resolve_deadline(rec->deadline, old);

	if (e && entry_type(e) != VALUE_string) {
		keyspace_free_entry(keyspace_take(ks, &slot));
		e = NULL;
		old = 0;
	}
	if (e)
		e = str_set(e, rec->value, deadline);
	else
		e = str_new(rec->key, rec->value, deadline);
	keyspace_put(ks, &slot, e, old);
}

static void apply_str_write(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;

	if (!e)
		e = str_new(rec->key, slice_of("", 0), 0);
	assert(entry_type(e) == VALUE_string);
	e = str_write(e, rec->offset, rec->value);
	keyspace_put(ks, &slot, e, old);
}

static void apply_key_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	ks->result = slot.entry != NULL;
	if (slot.entry)
		keyspace_free_entry(keyspace_take(ks, &slot));
}

static void apply_key_expire(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	uint64_t old;

	assert(slot.entry != NULL);
	old = entry_deadline(slot.entry);
	keyspace_put(ks, &slot, entry_set_deadline(slot.entry, rec->deadline),
		     old);
}

/* Frees what stands at the slot, if anything, before e is put there. */
static void clear_slot(struct keyspace *ks, struct key_slot *slot)
{
	if (slot->entry)
		keyspace_free_entry(keyspace_take(ks, slot));
}

static void apply_key_move(struct keyspace *ks, const struct record *rec)
{
	uint32_t other_db = (uint32_t)rec->other_db;
	struct key_slot from =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct key_slot to;
	struct entry *e;

	assert(from.entry != NULL);
	if (rec->db == other_db && slice_equal(rec->key, rec->other))
		return;
	e = entry_rekey(keyspace_take(ks, &from), rec->other);
	e->flags &= (uint8_t)~ENTRY_INDEXED;
	to = keyspace_slot(ks, other_db, rec->other,
			   keyspace_hash(ks, rec->other));
	clear_slot(ks, &to);
	keyspace_put(ks, &to, e, 0);
}

static void apply_key_copy(struct keyspace *ks, const struct record *rec)
{
	uint32_t other_db = (uint32_t)rec->other_db;
	struct key_slot from =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct key_slot to;
	struct entry *e;
	uint64_t deadline;

	assert(from.entry != NULL);
	deadline = resolve_deadline(rec->deadline, entry_deadline(from.entry));
	e = value_ops(from.entry)->copy(from.entry, rec->other, deadline);
	e->flags &= (uint8_t)~ENTRY_INDEXED;
	to = keyspace_slot(ks, other_db, rec->other,
			   keyspace_hash(ks, rec->other));
	clear_slot(ks, &to);
	keyspace_put(ks, &to, e, 0);
}

static void apply_db_flush(struct keyspace *ks, const struct record *rec)
{
	keyspace_flush(ks, rec->db);
}

static void apply_all_flush(struct keyspace *ks, const struct record *rec)
{
	uint32_t i;

	(void)rec;
	for (i = 0; i < ks->db_count; i++)
		keyspace_flush(ks, i);
}

static void apply_db_swap(struct keyspace *ks, const struct record *rec)
{
	keyspace_swap(ks, rec->db, (uint32_t)rec->other_db);
}
