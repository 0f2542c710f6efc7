/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of hashes share among themselves.
 *
 *   hash_packed.c  small ones
 *   hash_table.c   big ones
 *   hash.c         the functions of hash.h
 */
#ifndef REDOUBT_TYPES_HASH_INTERNAL_H
#define REDOUBT_TYPES_HASH_INTERNAL_H

#include "types/hash.h"
#include "types/pack.h"
#include "types/wheel.h"

struct hash {
	struct table fields; /* of struct entry, one per field */
	uint64_t hash_key[2];
	struct wheel *deadlines; /* NULL until the first deadline */
	struct wheel *fresh;     /* being rebuilt */
	uint64_t fresh_position;
	size_t deadline_count;   /* fields with a deadline */
	uint64_t earliest_ms;    /* hash_earliest */
	hash_visit_fn *visit;    /* of the walk; NULL: none */
	void *visit_ctx;
	bool orphan;             /* its entry has gone during the walk */
	uint64_t bury_position;
};

/* --- hash_packed.c --- */

/* Bytes and fields that a packed hash has at most, whatever the limits. */
#define HASH_PACKED_MAX ((size_t)64 << 10)
#define HASH_PACKED_FIELDS 1024

/* Where a field stands; offsets in the blob. */
struct packed_spot {
	bool found;
	size_t count;      /* fields before it; if not found, of all */
	size_t at;         /* the field, or the end */
	size_t value_at;
	size_t value_end;
	size_t end;        /* behind the deadline, if there are any */
	uint64_t deadline_ms;
};

/* Where the field stands, or that it does not. */
struct packed_spot packed_find(const struct entry *e,
			       const struct pack_key *field);

/* Puts value and deadline (not keep) in the place of those at the spot. */
struct entry *packed_replace(struct entry *e, const struct packed_spot *spot,
			     const struct pack_key *value,
			     uint64_t deadline_ms);
struct entry *packed_append(struct entry *e, const struct pack_key *field,
			    const struct pack_key *value,
			    uint64_t deadline_ms);
struct entry *packed_remove(struct entry *e, const struct packed_spot *spot);

/* Makes room for deadlines; takes it away if there is none. */
struct entry *packed_widen(struct entry *e);
struct entry *packed_narrow(struct entry *e);

/* The item at `at` (below the end) and where the next one is. */
size_t packed_item(const struct entry *e, size_t at, struct hash_item *out);
size_t packed_skip(const struct entry *e, size_t at);

/* --- hash_table.c --- */

/* An empty one. */
struct hash *hash_table_new(const struct hash_env *env);
size_t hash_table_set(struct hash *h, const struct hash_env *env,
		      struct slice items, uint64_t deadline_ms);
void hash_table_expire(struct hash *h, const struct hash_env *env,
		       struct slice fields, uint64_t deadline_ms);
size_t hash_table_del(struct hash *h, struct slice fields);
bool hash_table_find(const struct hash *h, struct slice field,
		     struct hash_item *out);
/* Adds a field that is not there. */
void hash_table_add(struct hash *h, const struct hash_env *env,
		    const struct hash_item *item);
uint64_t hash_table_due(struct hash *h, uint64_t now_ms, size_t count_max,
			hash_due_fn *take, void *ctx);
struct hash *hash_table_copy(const struct hash *h);
size_t hash_table_memory(const struct hash *h);
void hash_table_free(struct hash *h);
void hash_table_check(const struct hash *h);

#endif
