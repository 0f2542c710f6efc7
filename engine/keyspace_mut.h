/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writing side of the keyspace.  Included by keyspace*.c and apply*.c
 * alone (`make tidy` checks): the compiler enforces that handlers cannot
 * write.  Each function first lets a running snapshot see the bucket as it
 * was.
 */
#ifndef REDOUBT_ENGINE_KEYSPACE_MUT_H
#define REDOUBT_ENGINE_KEYSPACE_MUT_H

#include "engine/keyspace.h"

/* Where a key stands, ready to be changed. */
struct key_slot {
	struct db *db;
	uint32_t db_index;
	uint64_t hash;
	struct slice key;
	struct table_ref ref; /* ref.slot NULL: absent */
	struct entry *entry;  /* NULL: absent */
};

/* Finds rec's key and prepares its bucket for a change. */
struct key_slot keyspace_slot(struct keyspace *ks, uint32_t db,
			      struct slice key, uint64_t hash);

/* Puts e (new, or moved by a change; NULL is not allowed) at the slot, keeping
 * the count of deadlines and their index right. old_deadline is what the slot's
 * entry had before the change (0: none or absent). */
void keyspace_put(struct keyspace *ks, struct key_slot *slot, struct entry *e,
		  uint64_t old_deadline);

/* After a change of a hash that stays at its slot: keeps the count of keys with
 * ENTRY_FIELDS and their index right. had: the flag before the change;
 * old_earliest: when the first was due before it. */
void keyspace_put_fields(struct keyspace *ks, const struct key_slot *slot,
			 bool had, uint64_t old_earliest);

/* Takes the slot's entry out of the table and returns it, for freeing or for
 * another key. */
struct entry *keyspace_take(struct keyspace *ks, struct key_slot *slot);

/* Frees an entry with whatever its type points to. */
void keyspace_free_entry(struct entry *e);

/* Empties a database; the freeing thread does the work. */
void keyspace_flush(struct keyspace *ks, uint32_t db);

/* Exchanges two databases. */
void keyspace_swap(struct keyspace *ks, uint32_t a, uint32_t b);

/* Notes that count elements of a key follow. */
void keyspace_expect(struct keyspace *ks, uint32_t db, uint64_t hash,
		     uint64_t count);

/* The elements to make room for in a value that begins at the slot, as far as
 * they are credible, and forgets them; 0: not known. */
size_t keyspace_expected(struct keyspace *ks, const struct key_slot *slot);

/* Presizes a database for `keys` keys; only when empty (loading). */
void keyspace_reserve(struct keyspace *ks, uint32_t db, size_t keys);

#endif
