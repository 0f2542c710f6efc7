/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes: fields with a value each, and perhaps a deadline.
 *
 * A small one is packed into its entry (types/hash_packed.c), a big one is a
 * struct hash: a table of one entry per field (types/hash_table.c).  Which of
 * the two is not state; one becomes big by hash_limits and stays so.
 *
 * Functions that change a hash return where its entry is now.  Runs of items
 * are strings one behind the other, varint size and bytes each, and must be
 * well formed; they must not point into the hash.  A hash knows no clock: a
 * field whose deadline has passed is there until it is deleted, and readers
 * compare.  An entry of which some field has a deadline has ENTRY_FIELDS.
 * Engine thread.
 */
#ifndef REDOUBT_TYPES_HASH_H
#define REDOUBT_TYPES_HASH_H

#include "base/num.h"
#include "types/entry.h"
#include "types/table.h"

struct hash;

/* hash_set: leave the deadline of each field as it is. */
#define HASH_DEADLINE_KEEP 1

/* A field as it was read: good until the hash changes or this struct dies. */
struct hash_item {
	struct slice field;
	struct slice value;
	uint64_t deadline_ms; /* 0 = none */
	char scratch[2][NUM_I64_SIZE];
};

typedef void hash_visit_fn(void *ctx, const struct hash_item *item);

/* Whether it takes a field that is due; what it leaves stays for another time.
 */
typedef bool hash_due_fn(void *ctx, const struct hash_item *item);

/* What hashes need from the keyspace. */
struct hash_env {
	const uint64_t *hash_key; /* the store's; must stay where it is */
	uint64_t index_now_ms;    /* start of a new index of deadlines */
	size_t expected;          /* fields of a new hash; 0: unknown */
};

/* Above so many fields, or bytes in a field or value, a hash is big. Holds for
 * what changes afterwards. */
void hash_limits(size_t fields_max, size_t size_max);

/* A new hash of these fields and values (one pair or more; of equal fields the
 * last wins), all with this deadline (0: none). *added: number of fields. */
struct entry *hash_new(const struct hash_env *env, struct slice key,
		       struct slice items, uint64_t deadline_ms,
		       size_t *added);

/* Sets fields; *added: how many of them are new. */
struct entry *hash_set(struct entry *e, const struct hash_env *env,
		       struct slice items, uint64_t deadline_ms,
		       size_t *added);

/* Gives the fields of a run, those that are there, this deadline. */
struct entry *hash_expire(struct entry *e, const struct hash_env *env,
			  struct slice fields, uint64_t deadline_ms);

/* Deletes the fields of a run; *removed: how many there were. The caller
 * removes an entry that has become empty. */
struct entry *hash_del(struct entry *e, struct slice fields, size_t *removed);

/* Number of fields; and whether there is none. */
size_t hash_count(const struct entry *e);
bool hash_empty(const struct entry *e);

/* The field, if it is there. */
bool hash_find(const struct entry *e, struct slice field,
	       struct hash_item *out);

/* All fields; visit must not change the hash. */
void hash_each(const struct entry *e, hash_visit_fn *visit, void *ctx);

/* Some field of a hash that has one, by a random number. */
void hash_random(const struct entry *e, uint64_t random,
		 struct hash_item *out);

/* The table of a big one, whose entries hash_item_of reads; NULL: packed. */
const struct table *hash_fields(const struct entry *e);
void hash_item_of(const void *field_entry, struct hash_item *out);

/* No field's deadline is before this (ms); 0: none has one. */
uint64_t hash_earliest(const struct entry *e);

/* Offers at most count_max fields whose deadline has passed, perhaps some ms
 * late. The caller deletes those it takes at once: the index of a big hash has
 * forgotten them. Returns when to ask again; now_ms: at once, there may be
 * more. */
uint64_t hash_due(struct entry *e, uint64_t now_ms, size_t count_max,
		  hash_due_fn *take, void *ctx);

/* "listpack", "listpackex" (some field has a deadline) or "hashtable". */
const char *hash_encoding_name(const struct entry *e);

/* All bytes; of a big one about. */
size_t hash_memory(const struct entry *e);

/* A copy under another key. */
struct entry *hash_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms);

/* Frees the entry; what is big is taken apart later, in steps. */
void hash_free(struct entry *e);

/*
 * A walk through a big hash as it is now, while it goes on changing: what is
 * about to change is visited before.  The hash survives the removal of its
 * entry until the walk is ended.  One walk at a time.
 */
struct hash *hash_walk_begin(const struct entry *e, hash_visit_fn *visit,
			     void *ctx);
/* Visits some more from *position on (0 at first); false: that was all. */
bool hash_walk_next(struct hash *h, uint64_t *position);
void hash_walk_end(struct hash *h);

/* Invariants as code, for tests. */
void hash_check(const struct entry *e);

#endif
