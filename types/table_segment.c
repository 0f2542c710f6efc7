/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slots inside one segment.
 *
 * G1. An entry stands in its home bucket or up to three behind; the slot says
 *     by how many.
 * G2. Entries are in the order of their home buckets, over all buckets; inside
 *     a bucket there is no order.
 * G3. A bucket that entries with their home here or before have had to pass is
 *     full, and its last slot carries the overflow mark.  So the mark stands
 *     exactly if the next bucket has an entry that is not at home (G2).
 *
 * The top six bits of `rest` follow from the home bucket, the next sixteen are
 * the tag (but for its vague bits): enough to know the bucket in a segment of
 * another size, but for entries at the very border of one, whose hash is
 * computed.
 */
#include "types/table_internal.h"

#include <assert.h>

/* How many buckets one insert may push entries along. */
#define PUSH_MAX 16

/* Index of a slot with the least shift (the last in order) in a full
 * bucket. */
static inline unsigned least_shifted(const uint64_t *bucket)
{
	unsigned shift = 0, mask;

	while ((mask = bucket_shifted(bucket, shift)) == 0)
		shift++;
	return (unsigned)__builtin_ctz(mask);
}

/* Index of a slot with the greatest shift (the first in order); -1 if all
 * entries are at home. */
static inline int most_shifted(const uint64_t *bucket)
{
	unsigned shift, mask;

	for (shift = SLOT_SHIFT; shift > 0; shift--) {
		mask = bucket_shifted(bucket, shift);
		if (mask != 0)
			return __builtin_ctz(mask);
	}
	return -1;
}

/* Finds where a push from a full `home` ends: the first bucket with room, if
 * all between can pass one entry on. -1 if there is none. */
static int push_end(struct table_segment *s, unsigned home)
{
	uint64_t shift = 1; /* of what is carried into `last` */
	unsigned last;

	for (last = home + 1; last <= s->n && last - home <= PUSH_MAX;
	     last++, shift++) {
		const uint64_t *bucket = segment_bucket(s, last);
		uint64_t least;

		if (bucket_used(bucket) != BUCKET_FULL)
			return (int)last;
		least = bucket[least_shifted(bucket)] & SLOT_SHIFT;
		if (least < shift)
			shift = least;
		if (shift == SLOT_SHIFT)
			return -1;
	}
	return -1;
}

int segment_spill(struct table_segment *s, unsigned home, uint64_t slot)
{
	int end = push_end(s, home);
	unsigned i, last = (unsigned)end;
	uint64_t *bucket = segment_bucket(s, home);

	if (end < 0)
		return -1;
	for (i = home; i < last; i++) {
		/* what is carried stands behind this bucket from now on */
		bucket[SLOT_LAST] |= SLOT_OVERFLOWED;
		slot++; /* its shift */
		bucket += TABLE_BUCKET_SLOTS;
		if (i + 1 < last) {
			unsigned least = least_shifted(bucket);
			uint64_t mark = bucket[least] & SLOT_OVERFLOWED;
			uint64_t passed = bucket[least] & ~SLOT_OVERFLOWED;

			if ((passed & SLOT_SHIFT) >= (slot & SLOT_SHIFT))
				continue; /* the carried one goes on itself */
			bucket[least] = slot | mark;
			slot = passed;
		}
	}
	bucket[__builtin_ctz(~bucket_used(bucket))] = slot;
	return end;
}

void segment_clear(struct table_segment *s, unsigned index, uint64_t *slot)
{
	uint64_t *bucket = segment_bucket(s, index);
	bool shifted = *slot & SLOT_SHIFT;
	uint64_t *gap = slot;

	while (bucket[SLOT_LAST] & SLOT_OVERFLOWED) {
		uint64_t *next = bucket + TABLE_BUCKET_SLOTS;
		int first = most_shifted(next);

		assert(first >= 0); /* G3 */
		*gap = (next[first] & ~SLOT_OVERFLOWED) - 1;
		gap = next + first;
		/* of this bucket: what is left behind it, decides anew below */
		bucket[SLOT_LAST] |= SLOT_OVERFLOWED;
		bucket = next;
	}
	*gap = 0;
	/* G3, for each bucket from the last one that changed */
	for (; bucket > segment_bucket(s, index) ||
	       (shifted && bucket == segment_bucket(s, index));
	     bucket -= TABLE_BUCKET_SLOTS)
		if (most_shifted(bucket) < 0)
			bucket[SLOT_LAST - TABLE_BUCKET_SLOTS] &=
				~SLOT_OVERFLOWED;
}

/* --- copying into another size ---------------------------------------- */

/* The home bucket of a slot in `to`, where its present home begins at
 * `home_top`. */
static inline unsigned copy_home(const struct table *t, uint64_t slot,
				 uint32_t home_top,
				 const struct table_segment *to)
{
	uint32_t top = slot_top(slot, home_top);
	uint32_t home = (top & ~(uint32_t)to->vague) * to->n >> REST_TOP_BITS;

	if (__builtin_expect(((top + 1) * to->n - 1) >> REST_TOP_BITS != home,
			     0))
		home = rest_bucket(hash_rest(t->hash(t->hash_ctx,
						     slot_entry(slot)),
					     to->depth),
				   to->n);
	return home;
}

bool segment_copy(const struct table *t, struct table_segment *from,
		  struct table_segment *to)
{
	struct segment_filler f = { .segment = to };
	uint32_t tops[SLOT_SHIFT + 1]; /* of the last buckets, by index mod 4 */
	unsigned b, i;

	assert(from->n >= SEGMENT_SURE && to->n >= SEGMENT_SURE);
	assert(from->depth == to->depth);
	to->vague = from->vague;
	for (b = 0; b <= from->n; b++) {
		uint64_t *bucket = segment_bucket(from, b);

		tops[b & SLOT_SHIFT] = bucket_top(b, from->n);
		for (i = 0; i < TABLE_BUCKET_SLOTS; i++) {
			uint64_t slot = bucket[i];
			unsigned home;

			if (slot == 0)
				continue;
			home = copy_home(t, slot,
					 tops[(b - slot) & SLOT_SHIFT], to);
			if (!segment_fill(&f, home, slot & ~SLOT_MARKS))
				return false;
		}
	}
	to->count = from->count;
	return true;
}

/* --- walking ------------------------------------------------------------ */

void segment_prefetch(struct table_segment *s, unsigned index)
{
	const uint64_t *bucket = segment_bucket(s, index);
	unsigned i;

	assert(index <= s->n);
	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		__builtin_prefetch(slot_entry(bucket[i]));
}

void segment_fetch(struct table_segment *s, unsigned index,
		   table_visit_fn *fetch, void *ctx)
{
	const uint64_t *bucket = segment_bucket(s, index);
	unsigned i;

	segment_prefetch(s, index);
	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		if (bucket[i] != 0)
			fetch(ctx, slot_entry(bucket[i]));
}

void segment_visit(struct table_segment *s, unsigned index,
		   table_visit_fn *visit, void *ctx)
{
	const uint64_t *bucket = segment_bucket(s, index);
	uint64_t shift;
	unsigned i;

	segment_prefetch(s, index);
	for (shift = 0; shift <= SLOT_SHIFT; shift++) {
		for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
			if (bucket[i] != 0 && (bucket[i] & SLOT_SHIFT) == shift)
				visit(ctx, slot_entry(bucket[i]));
		if (!(bucket[SLOT_LAST] & SLOT_OVERFLOWED))
			return;
		bucket += TABLE_BUCKET_SLOTS;
	}
}

/* ceil(index * 2^64 / n), for index < n */
static uint64_t rest_begin(unsigned index, unsigned n)
{
	uint64_t high = ((uint64_t)index << 32) / n;
	uint64_t left = ((uint64_t)index << 32) % n << 32;

	return (high << 32) + left / n + (left % n != 0);
}

uint64_t segment_position(const struct table_segment *s, unsigned index)
{
	uint64_t rest, offset, mask = ((uint64_t)1 << s->depth) - 1;

	assert(index <= s->n);
	if (index == s->n)
		return s->depth ? s->first + (UINT64_C(1) << (64 - s->depth))
				: 0;
	rest = rest_begin(index, s->n);
	offset = (rest >> s->depth) + ((rest & mask) != 0);
	offset = (offset + TABLE_POSITION_STEP - 1) &
		 ~(TABLE_POSITION_STEP - 1);
	return s->first + offset;
}

/* --- checks ------------------------------------------------------------- */

/* G1 of one slot in bucket b; returns its home. */
static unsigned slot_check(const struct table *t,
			   const struct table_segment *s, unsigned b,
			   uint64_t slot)
{
	uint64_t hash = t->hash(t->hash_ctx, slot_entry(slot));
	uint64_t rest = hash_rest(hash, s->depth);
	unsigned home = rest_bucket(rest, s->n);

	assert(slot_entry(slot) != NULL);
	if (s->depth > 0)
		assert((hash ^ s->first) >> (64 - s->depth) == 0);
	assert(slot >> SLOT_TAG_SHIFT == (rest_tag(rest) | s->vague));
	assert(home <= b);
	assert(b - home == (slot & SLOT_SHIFT));
	return home;
}

void segment_check(const struct table *t, struct table_segment *s)
{
	unsigned b, i, count = 0, highest = 0;

	for (b = 0; b <= s->n; b++) {
		const uint64_t *bucket = segment_bucket(s, b);
		bool overflowed = bucket[SLOT_LAST] & SLOT_OVERFLOWED;
		unsigned before = highest;

		for (i = 0; i < TABLE_BUCKET_SLOTS; i++) {
			unsigned home;

			if (bucket[i] == 0)
				continue;
			home = slot_check(t, s, b, bucket[i]);
			assert(home >= before); /* G2 */
			if (home > highest)
				highest = home;
			assert(i == SLOT_LAST ||
			       !(bucket[i] & SLOT_OVERFLOWED));
			count++;
		}
		/* G3 */
		assert(!overflowed || bucket_used(bucket) == BUCKET_FULL);
		assert(overflowed ==
		       (b < s->n &&
			most_shifted(bucket + TABLE_BUCKET_SLOTS) >= 0));
	}
	assert(most_shifted(segment_bucket(s, 0)) < 0);
	assert(count == s->count);
	assert(s->n >= 1 && s->n <= TABLE_SEGMENT_MAX);
}
