/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyspace: memory as a view of the log.
 *
 * Handlers have a `const struct keyspace *` and read; only apply (through
 * engine/keyspace_mut.h) changes it.  A partition is a database: its keys in a
 * hash-ordered table, its deadlines in an index.  The keyspace knows no clock:
 * an expired key is there until a record removes it, and readers that want it
 * absent compare its deadline themselves (engine/cmd.h does).
 * Pointers to entries die at the next emit.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_KEYSPACE_H
#define REDOUBT_ENGINE_KEYSPACE_H

#include "base/checksum.h"
#include "types/entry.h"
#include "types/list.h"
#include "types/stream.h"
#include "types/table.h"
#include "types/wheel.h"
#include "wal/record.h"

struct config;

struct db {
	struct table keys;
	struct wheel *deadlines; /* NULL until the first deadline */
	size_t deadline_count;   /* keys with a deadline */
	struct wheel *fresh;     /* being rebuilt: keyspace_reindex */
	struct wheel *fields;    /* keys by the earliest deadline of a field */
	struct wheel *fresh_fields;
	size_t fields_count;     /* keys with ENTRY_FIELDS */
	uint64_t fresh_position;
};

/* The last lookup: a handler looks a key up, then apply does. */
#define MEMO_KEY_MAX 32

struct key_memo {
	size_t size; /* of the key asked for */
	uint32_t db;
	bool known; /* false: there is none */
	uint8_t key[MEMO_KEY_MAX]; /* the key, if it is not longer */
	uint64_t hash;
	struct table_ref ref;
	bool found_valid; /* ref is good: the table is as it was */
	bool lent;        /* likewise, but the entry is being changed */
};

/* What key_reserve has announced. Not state. */
struct key_reserve {
	size_t left;   /* elements to make room for at most, in all */
	size_t count;  /* elements of the key; 0: nothing is announced */
	uint64_t hash; /* of the key */
	uint32_t db;
};

struct keyspace {
	struct db *dbs;
	uint32_t db_count;
	uint32_t indexed_end; /* databases from here on: no deadlines yet */
	uint64_t hash_key[2];
	uint64_t applied_lsn;
	struct key_memo memo;
	size_t result; /* of the last bulk apply: members new or removed */
	uint64_t index_now_ms; /* start of a new deadline index; not state */
	uint16_t new_access;  /* access history of new keys; not state */
	struct list_limits list_limits; /* of representation; not state */
	struct stream_limits stream_limits; /* of representation; not state */
	struct key_reserve reserve; /* left is 0 but while a snapshot loads */
	struct dead_db *dead; /* flushed databases, being freed in steps */
	struct estimates *estimates; /* NULL until the first; not state */
};

/* As many databases as config says, all empty. */
void keyspace_init(struct keyspace *ks, const struct config *config,
		   const uint64_t hash_key[2]);
void keyspace_release(struct keyspace *ks);

/* Keyed hash of a key, remembered for the lookup that follows. */
uint64_t keyspace_hash(const struct keyspace *ks, struct slice key);

/* Forgets the last lookup. */
void keyspace_forget(const struct keyspace *ks);

/* Tells the keyspace a hash that was computed ahead (prefetch). If that is the
 * key of the last lookup, where it stands stays known. */
void keyspace_remember(const struct keyspace *ks, struct slice key,
		       uint64_t hash);

/* The entry of key, expired or not; NULL if there is none. */
const struct entry *keyspace_find(const struct keyspace *ks, uint32_t db,
				  struct slice key);

/* The estimate remembered of a key's entry, which has just been found. */
bool keyspace_estimate(const struct keyspace *ks, struct slice key,
		       const struct entry *e, uint64_t *count);

/* Remembers it, until a record names the key. Not a change of state. */
void keyspace_keep_estimate(const struct keyspace *ks, struct slice key,
			    const struct entry *e, uint64_t count);

/* Frees some of what FLUSHALL left, a bounded step; true while there is more.
 * Not a change of state. */
bool keyspace_bury(struct keyspace *ks, unsigned buckets);

/* Rebuilds a database's deadline indexes in bounded steps when most of their
 * items are stale; true while there is more to do. Not a change of state. */
bool keyspace_reindex(struct keyspace *ks, uint32_t db, uint64_t now_ms,
		      unsigned buckets);

/* Gives the key of this hash an item among those whose fields have deadlines.
 * Not a change of state. */
void keyspace_index_fields(struct keyspace *ks, uint32_t db, uint64_t hash,
			   uint64_t earliest_ms);

/* Keys in all databases, and with a deadline. */
size_t keyspace_count(const struct keyspace *ks);
size_t keyspace_deadline_count(const struct keyspace *ks);

/* Bytes of tables and indexes, without entries. */
size_t keyspace_overhead(const struct keyspace *ks);

/*
 * The digest (docs/ARCHITECTURE.md): order-independent 128 bits over database,
 * key, type, value and deadline; a fixed hash, so equal states have equal
 * digests on any machine under any configuration.
 */
struct hash128 digest_keyspace(const struct keyspace *ks);
struct hash128 digest_entry(uint32_t db, const struct entry *e);

/* Invariants as code, for tests. */
void keyspace_check(const struct keyspace *ks);

#endif
