/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash-ordered table: pointers to entries, kept in the order of their
 * 64-bit hash.
 *
 * A directory of segments by the top bits of the hash; in a segment of n
 * buckets `bucket = mulhi(rest, n)`, which keeps hash order for any n, so a
 * segment grows by about an eighth at a time, splits in two behind
 * TABLE_SEGMENT_MAX buckets and never pauses for a rehash.  A bucket is one
 * cache line of eight slots; a slot is a pointer with a 16-bit tag of the hash
 * in its unused top bits.  A full bucket spills into the next ones.
 *
 * A position in a walk is a hash value, valid across growth and, the hash
 * being keyed by the store, across restarts.
 *
 * Entries are opaque and 8-aligned; the owner gives the hash function and the
 * matcher.  One thread.
 */
#ifndef REDOUBT_TYPES_TABLE_H
#define REDOUBT_TYPES_TABLE_H

#include "base/slice.h"

#define TABLE_BUCKET_SLOTS 8
#define TABLE_SEGMENT_MAX 126 /* buckets; at this size a segment splits */

/* Positions are multiples of this, so that their top 52 bits say it all. */
#define TABLE_POSITION_STEP ((uint64_t)4096)

struct table_segment;
struct table_store;

/* The full hash of an entry in the table. */
typedef uint64_t table_hash_fn(const void *ctx, const void *entry);
/* Whether entry is the one that key describes. */
typedef bool table_match_fn(const void *entry, const void *key);
/* Called for an entry; must not change the table. */
typedef void table_visit_fn(void *ctx, void *entry);

/* A walk that sees every bucket exactly once: table_walk_begin. */
struct table_walk {
	table_visit_fn *fetch;
	table_visit_fn *visit;
	void *ctx;
	uint32_t number; /* stamps the bitmaps; 0 = no walk */
};

struct table {
	uint64_t *directory; /* 2^depth cells (table_inline.h); NULL: empty */
	unsigned depth;
	unsigned shift; /* 63 - depth */
	size_t count;   /* entries */
	size_t segment_count;
	size_t bucket_count; /* over all segments */
	table_hash_fn *hash;
	const void *hash_ctx;
	struct table_store *store; /* NULL while there is one segment */
	struct table_walk walk;
	uint32_t walk_number; /* of the last walk begun */
};

/* Where an entry stands; dies at the next insert or remove. */
struct table_ref {
	uint64_t *slot; /* NULL: not found */
	struct table_segment *segment;
	uint16_t bucket;
};

/* An empty table costs no memory until the first insert. */
void table_init(struct table *t, table_hash_fn *hash, const void *ctx);

/* Calls free_entry (may be NULL) for every entry, then frees the table. */
void table_release(struct table *t, table_visit_fn *free_entry, void *ctx);

/* As table_release in steps of about 200 entries, 264 at most; without
 * free_entry of a segment. *position is 0 at first; true while there is more.
 * In between nothing else may be done with the table. */
bool table_release_step(struct table *t, uint64_t *position,
			table_visit_fn *free_entry, void *ctx);

/* Presizes for count entries; only on an empty table. */
void table_reserve(struct table *t, size_t count);

/* The entry with this hash that matches key. (Hot paths may use an inline
 * form in table_inline.h.) */
struct table_ref table_find(const struct table *t, uint64_t hash,
			    table_match_fn *match, const void *key);

/* The entry behind a ref. */
void *table_ref_entry(struct table_ref ref);

/* Puts another pointer (a moved entry, same hash) where ref stands. */
void table_ref_set(struct table_ref ref, void *entry);

/* Adds an entry that is not in the table. */
void table_insert(struct table *t, uint64_t hash, void *entry);

/* Takes the entry at ref out; does not free it. May give memory back: shrinks
 * or merges segments that have become sparse. */
void table_remove(struct table *t, uint64_t hash, struct table_ref ref);

/* Starts loading the bucket of this hash into the cache. */
void table_prefetch_bucket(const struct table *t, uint64_t hash);

/* As table_prefetch_bucket, and what an insert counts in. */
void table_prefetch_insert(const struct table *t, uint64_t hash);

/* Starts loading the entries whose tags match; the bucket should be there. */
void table_prefetch_entry(const struct table *t, uint64_t hash);

/*
 * Visits all entries of the bucket that holds `position` (by home bucket,
 * wherever they have spilled) and returns the first hash value behind the
 * bucket, a multiple of TABLE_POSITION_STEP; 0 when the walk is over.  Start
 * with 0.  Every entry that is in the table throughout a walk is visited at
 * least once, whatever grows or shrinks meanwhile.
 */
uint64_t table_scan(const struct table *t, uint64_t position,
		    table_visit_fn *visit, void *ctx);

/* Some entry, close to uniformly chosen by random; NULL when empty. */
void *table_random(const struct table *t, uint64_t random);

/*
 * A walk of the state as it is now, while the table goes on changing: a bitmap
 * per segment, one bit per bucket, says what has been visited.  Before an
 * entry of a bucket is changed, added or removed the owner calls
 * table_walk_touch, which visits that bucket first if it was not yet; the
 * table itself visits what is left of a segment before it grows or splits.
 * The visitor is called once per entry, bucket by bucket; `fetch` (may be
 * NULL) once or more before it, for all of a bucket, to start loading what lies
 * behind the first line of an entry.
 */
void table_walk_begin(struct table *t, table_visit_fn *fetch,
		      table_visit_fn *visit, void *ctx);

/* Visits the next unvisited bucket from *position on, and moves *position
 * behind it; after a long stretch of visited ones it only moves. False when
 * all are visited (*position is 0 again). */
bool table_walk_next(struct table *t, uint64_t *position);

/* Ends or abandons the walk. */
void table_walk_end(struct table *t);

/* Slow path of table_walk_touch. */
void table_walk_touch_slow(struct table *t, uint64_t hash);

/* Visits the bucket of this hash unless visited. Cheap without a walk. */
static inline void table_walk_touch(struct table *t, uint64_t hash)
{
	if (__builtin_expect(t->walk.number != 0, 0))
		table_walk_touch_slow(t, hash);
}

/* Bytes of directory, segments and bitmaps. */
size_t table_memory(const struct table *t);

/* Invariants as code, for tests: order, tags, spill marks, counts. */
void table_check(const struct table *t);

#endif
