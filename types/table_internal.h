/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the table share among themselves.
 *
 *   table_store.c    memory of segments, the directory
 *   table_segment.c  slots inside one segment
 *   table_resize.c   growth, splits, merges, shrinking
 *   table.c          the functions of table.h
 */
#ifndef REDOUBT_TYPES_TABLE_INTERNAL_H
#define REDOUBT_TYPES_TABLE_INTERNAL_H

#include "types/table_inline.h"

/* Beyond this depth hashes have no bits left for buckets and tags. */
#define TABLE_DEPTH_MAX 40

/* --- table_store.c --- */

/* The number of buckets to use where at least n are wanted: what fills a
 * block of memory. 0 when n is above what a segment may have. */
unsigned table_buckets_for(const struct table *t, unsigned n);

/* An empty segment, not yet in the directory. Marked as visited by the walk
 * that is going on, if one is. */
struct table_segment *table_segment_new(struct table *t, unsigned n,
					uint64_t first, unsigned depth);

/* Frees a segment. May move another one, whose cells it updates: no pointer
 * to a segment is good afterwards. */
void table_segment_drop(struct table *t, struct table_segment *s);

/* A directory of one cell, which is not yet set. */
void table_directory_first(struct table *t);

/* Points the cells of the range of s at s. */
void table_directory_set(struct table *t, const struct table_segment *s);

/* Doubles the directory until it has this depth. */
void table_directory_deepen(struct table *t, unsigned depth);

/* Halves the directory if no segment needs its depth. */
void table_directory_trim(struct table *t);

/* Makes the store that a table of more than one segment has. */
void table_store_need(struct table *t);

/* Segments will be many: take them from pages at once. */
void table_store_expect(struct table *t, size_t segment_count);

/* Frees directory and store; all segments have been dropped. */
void table_store_release(struct table *t);

/* Bytes of directory, segments and store. */
size_t table_store_memory(const struct table *t);

/* M1, and that the counts agree. */
void table_store_check(const struct table *t);

/* --- table_segment.c --- */

/* A slot's content for this hash in s, without marks. */
static inline uint64_t slot_make(const struct table_segment *s, uint64_t hash,
				 const void *entry)
{
	uint64_t tag = rest_tag(hash_rest(hash, s->depth)) | s->vague;

	return tag << SLOT_TAG_SHIFT | (uint64_t)(uintptr_t)entry;
}

/* From how many buckets on they know the top six bits of `rest`. */
#define SEGMENT_SURE 64

/* Where bucket `index` of n begins, as the top of `rest`. */
static inline uint32_t bucket_top(unsigned index, unsigned n)
{
	return ((uint32_t)index << REST_TOP_BITS) / n;
}

/* The top of `rest` of an entry, from its slot and where its home bucket begins
 * (of a segment of SEGMENT_SURE or more); vague bits are ones. */
static inline uint32_t slot_top(uint64_t slot, uint32_t home_top)
{
	uint32_t tag = (uint32_t)(slot >> SLOT_TAG_SHIFT);
	uint32_t top = (home_top & ~UINT32_C(0xffff)) | tag;

	return top < home_top ? top + 0x10000 : top;
}

/* Bytes of a segment of n buckets. */
static inline size_t segment_size(unsigned n)
{
	return sizeof(struct table_segment) +
	       ((size_t)n + 1) * TABLE_BUCKET_SLOTS * sizeof(uint64_t);
}

/* Puts a slot behind its full bucket `home`, pushing others on. Returns the
 * bucket that now has one more, or -1 if there is no place. */
int segment_spill(struct table_segment *s, unsigned home, uint64_t slot);

/* Puts a slot where it belongs; false if there is no place. */
static inline bool segment_place(struct table_segment *s, unsigned home,
				 uint64_t slot)
{
	uint64_t *bucket = segment_bucket(s, home);
	unsigned used = bucket_used(bucket);

	if (__builtin_expect(used != BUCKET_FULL, 1)) {
		bucket[__builtin_ctz(~used)] = slot;
		return true;
	}
	used = bucket_used(bucket + TABLE_BUCKET_SLOTS);
	if (used == BUCKET_FULL)
		return segment_spill(s, home, slot) >= 0;
	bucket[SLOT_LAST] |= SLOT_OVERFLOWED;
	bucket[TABLE_BUCKET_SLOTS + __builtin_ctz(~used)] = slot + 1;
	return true;
}

/* Fills an empty segment: counts what each bucket holds. */
struct segment_filler {
	struct table_segment *segment;
	uint8_t used[TABLE_SEGMENT_MAX + 1];
};

/* As segment_place, for slots without marks. */
static inline bool segment_fill(struct segment_filler *f, unsigned home,
				uint64_t slot)
{
	uint64_t *bucket = segment_bucket(f->segment, home);
	int place;

	if (__builtin_expect(f->used[home] < TABLE_BUCKET_SLOTS, 1)) {
		bucket[f->used[home]++] = slot;
		return true;
	}
	/* the next one nearly always has room: buckets fill in their order */
	if (f->used[home + 1] < TABLE_BUCKET_SLOTS) {
		bucket[SLOT_LAST] |= SLOT_OVERFLOWED;
		bucket += TABLE_BUCKET_SLOTS;
		bucket[f->used[home + 1]++] = slot + 1; /* its shift */
		return true;
	}
	place = segment_spill(f->segment, home, slot);
	if (__builtin_expect(place < 0, 0))
		return false;
	f->used[place]++;
	return true;
}

/* Empties a slot of bucket `index` and pulls back what had spilled. */
void segment_clear(struct table_segment *s, unsigned index, uint64_t *slot);

/* Copies all slots of `from` into the empty `to` of the same range and another
 * size, from bucket and tag alone; false if they do not fit. Both have at
 * least SEGMENT_SURE buckets. */
bool segment_copy(const struct table *t, struct table_segment *from,
		  struct table_segment *to);

/* Starts loading the entries in bucket `index`, at most n. */
void segment_prefetch(struct table_segment *s, unsigned index);

/* Calls fetch for the entries in bucket `index`. */
void segment_fetch(struct table_segment *s, unsigned index,
		   table_visit_fn *fetch, void *ctx);

/* Visits the entries whose home is bucket `index`. */
void segment_visit(struct table_segment *s, unsigned index,
		   table_visit_fn *visit, void *ctx);

/* The lowest hash that belongs to bucket `index`; index n gives the end of the
 * segment (0 behind the last segment). */
uint64_t segment_position(const struct table_segment *s, unsigned index);

/* G1 to G3, and that the count agrees. */
void segment_check(const struct table *t, struct table_segment *s);

/* --- table_resize.c --- */

/* The first segment of an empty table. */
void table_first_segment(struct table *t);

/* Makes room in a segment that is at its limit or has no place. */
void table_grow(struct table *t, struct table_segment *s);

/* Makes a sparse segment smaller, or one of it and its sibling. */
void table_shrink(struct table *t, struct table_segment *s);

/* Visits what the walk has not yet visited of s. */
void table_walk_finish(struct table *t, struct table_segment *s);

#endif
