/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slots inside one segment.
 *
 * G1. An entry stands in its home bucket or, marked as spilled, in the next.
 * G2. It is spilled only while its home bucket is full; the last slot of that
 *     bucket then carries the overflow mark, and else it does not.
 * G3. Buckets are in the order of the hash; inside a bucket there is no order.
 *
 * The top six bits of `rest` follow from the home bucket, the next sixteen are
 * the tag: enough to know the bucket in a segment of another size, but for
 * entries at the very border of one, whose hash is computed.
 */
#include "types/table_internal.h"

#include <assert.h>

/* How many buckets one insert may push entries along. */
#define PUSH_MAX 8

/* A slot whose entry is at home in this bucket, or -1. */
static int native_slot(const uint64_t *bucket)
{
	int i;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		if (!(bucket[i] & SLOT_SPILLED))
			return i;
	return -1;
}

/* Bit i: slot i belongs to the bucket before. */
static unsigned spilled_slots(const uint64_t *bucket)
{
	unsigned i, mask = 0;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		mask |= (unsigned)(bucket[i] & SLOT_SPILLED) << i;
	return mask;
}

int segment_spill(struct table_segment *s, unsigned home, uint64_t slot)
{
	unsigned last = home + 1, i;

	while (bucket_used(segment_bucket(s, last)) == BUCKET_FULL) {
		if (last == s->n || last - home == PUSH_MAX ||
		    native_slot(segment_bucket(s, last)) < 0)
			return -1;
		last++;
	}
	/* from the back, so that each step finds the room the last one made */
	for (i = last; i > home; i--) {
		uint64_t *bucket = segment_bucket(s, i);
		uint64_t *before = bucket - TABLE_BUCKET_SLOTS;
		unsigned room = (unsigned)__builtin_ctz(~bucket_used(bucket));

		if (i == home + 1) {
			bucket[room] = slot | SLOT_SPILLED;
		} else {
			int moved = native_slot(before);

			bucket[room] = (before[moved] & ~SLOT_OVERFLOWED) |
				       SLOT_SPILLED;
			before[moved] = 0;
		}
	}
	for (i = home; i < last; i++)
		segment_bucket(s, i)[SLOT_LAST] |= SLOT_OVERFLOWED;
	return (int)last;
}

void segment_clear(struct table_segment *s, unsigned index, uint64_t *slot)
{
	if (*slot & SLOT_SPILLED) {
		uint64_t *bucket = segment_bucket(s, index);
		unsigned mask = spilled_slots(bucket);

		/* the last one to have spilled is about to go */
		if ((mask & (mask - 1)) == 0)
			bucket[SLOT_LAST - TABLE_BUCKET_SLOTS] &=
				~SLOT_OVERFLOWED;
	}
	for (;;) {
		uint64_t *bucket = segment_bucket(s, index);
		uint64_t *next = bucket + TABLE_BUCKET_SLOTS;
		bool overflowed = bucket[SLOT_LAST] & SLOT_OVERFLOWED;
		unsigned mask;

		*slot = 0;
		if (!overflowed)
			return;
		mask = spilled_slots(next);
		assert(mask != 0); /* G2 */
		*slot = next[__builtin_ctz(mask)] &
			~(SLOT_SPILLED | SLOT_OVERFLOWED);
		bucket[SLOT_LAST] &= ~SLOT_OVERFLOWED;
		if (mask & (mask - 1))
			bucket[SLOT_LAST] |= SLOT_OVERFLOWED;
		slot = next + __builtin_ctz(mask);
		index++;
	}
}

/* --- copying into another size ---------------------------------------- */

/* The home bucket of a slot in a segment of n buckets, where `low` is the top
 * of `rest` (REST_TOP_BITS of it) at which its present home begins. */
static inline unsigned copy_home(const struct table *t, uint64_t slot,
				 uint32_t low, const struct table_segment *to)
{
	uint32_t tag = (uint32_t)(slot >> SLOT_TAG_SHIFT);
	uint32_t top = (low & ~UINT32_C(0xffff)) | tag;
	uint32_t home;

	if (top < low)
		top += 0x10000;
	home = top * to->n >> REST_TOP_BITS;
	if (__builtin_expect(((top + 1) * to->n - 1) >> REST_TOP_BITS != home,
			     0))
		home = rest_bucket(hash_rest(t->hash(t->hash_ctx,
						     slot_entry(slot)),
					     to->depth),
				   to->n);
	return home;
}

/* Places one slot; used[] counts what each bucket holds. */
static inline bool copy_slot(struct table_segment *to, uint8_t *used,
			     unsigned home, uint64_t slot)
{
	uint64_t *bucket = segment_bucket(to, home);
	int place;

	slot &= ~(SLOT_SPILLED | SLOT_OVERFLOWED);
	if (__builtin_expect(used[home] < TABLE_BUCKET_SLOTS, 1)) {
		bucket[used[home]++] = slot;
		return true;
	}
	place = segment_spill(to, home, slot);
	if (place < 0)
		return false;
	used[place]++;
	return true;
}

bool segment_copy(const struct table *t, struct table_segment *from,
		  struct table_segment *to)
{
	uint8_t used[TABLE_SEGMENT_MAX + 1] = { 0 };
	uint32_t low[2] = { 0, 0 }; /* of this bucket, of the one before */
	unsigned b, i;

	assert(from->n >= 64 && to->n >= 64);
	assert(from->depth == to->depth);
	for (b = 0; b <= from->n; b++) {
		uint64_t *bucket = segment_bucket(from, b);

		low[1] = low[0];
		low[0] = ((uint32_t)b << REST_TOP_BITS) / from->n;
		for (i = 0; i < TABLE_BUCKET_SLOTS; i++) {
			uint64_t slot = bucket[i];
			unsigned home;

			if (slot == 0)
				continue;
			home = copy_home(t, slot, low[slot & SLOT_SPILLED], to);
			if (!copy_slot(to, used, home, slot))
				return false;
		}
	}
	to->count = from->count;
	return true;
}

/* --- walking ------------------------------------------------------------ */

/* Starts loading what the slots of a bucket point to. */
static inline void prefetch_entries(const uint64_t *bucket)
{
	unsigned i;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		__builtin_prefetch(slot_entry(bucket[i]));
}

void segment_visit(struct table_segment *s, unsigned index,
		   table_visit_fn *visit, void *ctx)
{
	const uint64_t *bucket = segment_bucket(s, index);
	const uint64_t *next = bucket + TABLE_BUCKET_SLOTS;
	unsigned i;

	prefetch_entries(bucket);
	prefetch_entries(next); /* a walk comes there soon */
	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		if (bucket[i] != 0 && !(bucket[i] & SLOT_SPILLED))
			visit(ctx, slot_entry(bucket[i]));
	if (!(bucket[SLOT_LAST] & SLOT_OVERFLOWED))
		return;
	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		if (next[i] & SLOT_SPILLED)
			visit(ctx, slot_entry(next[i]));
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

/* G1 and G3 of one slot in bucket b. */
static void slot_check(const struct table *t, const struct table_segment *s,
		       unsigned b, uint64_t slot)
{
	uint64_t hash = t->hash(t->hash_ctx, slot_entry(slot));
	uint64_t rest = hash_rest(hash, s->depth);
	unsigned spilled = slot & SLOT_SPILLED;

	assert(slot_entry(slot) != NULL);
	if (s->depth > 0)
		assert((hash ^ s->first) >> (64 - s->depth) == 0);
	assert(slot >> SLOT_TAG_SHIFT == rest_tag(rest));
	assert(b >= spilled);
	assert(rest_bucket(rest, s->n) == b - spilled);
}

void segment_check(const struct table *t, struct table_segment *s)
{
	unsigned b, i, count = 0;

	for (b = 0; b <= s->n; b++) {
		const uint64_t *bucket = segment_bucket(s, b);
		bool overflowed = bucket[SLOT_LAST] & SLOT_OVERFLOWED;

		for (i = 0; i < TABLE_BUCKET_SLOTS; i++) {
			if (bucket[i] == 0)
				continue;
			slot_check(t, s, b, bucket[i]);
			assert(i == SLOT_LAST ||
			       !(bucket[i] & SLOT_OVERFLOWED));
			count++;
		}
		if (b == s->n) {
			assert(!overflowed);
			break;
		}
		/* G2 */
		assert(!overflowed || bucket_used(bucket) == BUCKET_FULL);
		assert(overflowed ==
		       (spilled_slots(bucket + TABLE_BUCKET_SLOTS) != 0));
	}
	assert(spilled_slots(segment_bucket(s, 0)) == 0);
	assert(count == s->count);
	assert(s->n >= 1 && s->n <= TABLE_SEGMENT_MAX);
}
