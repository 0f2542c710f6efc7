/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the table that hot paths need: how a hash leads to a bucket.
 *
 * A cell of the directory is a pointer to a segment (64-aligned, 48 bits) with
 * the segment's local depth in the low six bits, its number of buckets in
 * bits 48-55 and its `vague` in the top eight, so that a lookup goes from the
 * cell straight to the bucket.
 * A cell is 0 while a resized directory is still being filled: the old one
 * has it then.
 *
 * A slot is a pointer (bits 3-47), the tag (bits 48-63: the sixteen bits of
 * `rest` behind its top six) and marks.  SLOT_SHIFT: by how many buckets the
 * entry stands behind its home.  SLOT_OVERFLOWED, in the last slot of a full
 * bucket: entries of this bucket or one before stand behind it.  An empty slot
 * is 0.
 *
 * A split uses up one bit of what slots remember and does not ask the entries
 * for another: the tags of a segment whose `vague` is 2^k - 1 are known but for
 * the low k bits, which are ones in all of them and in what is looked for.
 */
#ifndef REDOUBT_TYPES_TABLE_INLINE_H
#define REDOUBT_TYPES_TABLE_INLINE_H

#include "types/table.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SLOT_SHIFT ((uint64_t)3)
#define SLOT_OVERFLOWED ((uint64_t)4)
#define SLOT_MARKS (SLOT_SHIFT | SLOT_OVERFLOWED)
#define SLOT_POINTER UINT64_C(0x0000fffffffffff8)
#define SLOT_TAG UINT64_C(0xffff000000000000)
#define SLOT_TAG_SHIFT 48
#define SLOT_LAST (TABLE_BUCKET_SLOTS - 1)

#define CELL_POINTER UINT64_C(0x0000ffffffffffc0)
#define CELL_DEPTH ((uint64_t)63)
#define CELL_BUCKETS_SHIFT 48
#define CELL_VAGUE_SHIFT 56

/* Bits of the top of `rest` that slot and bucket together remember. */
#define REST_TOP_BITS 22

struct table_page;

/* n home buckets and one more, for the spill of the last. */
struct table_segment {
	uint64_t first;      /* lowest hash that belongs here */
	uint64_t visited[2]; /* a bit per home bucket, by walk_number's walk */
	struct table_page *page; /* NULL: a block of its own */
	uint32_t walk_number;
	uint16_t count; /* entries */
	uint16_t limit; /* entries at which it grows */
	uint16_t floor; /* entries at which it shrinks */
	uint8_t n;
	uint8_t depth; /* leading hash bits that all entries share */
	uint8_t vague; /* the bits of tags that are not known */
	_Alignas(64) uint64_t slots[];
};

_Static_assert(sizeof(struct table_segment) == 64, "buckets are lines");

/* Where a hash belongs. */
struct table_home {
	uint64_t *bucket;
	struct table_segment *segment;
	uint16_t index; /* of the bucket */
	uint16_t tag;
};

/* The cell of the directory that is being replaced. */
uint64_t table_cell_slow(const struct table *t, uint64_t index);

/* The table must have a directory. */
static inline uint64_t table_cell(const struct table *t, uint64_t hash)
{
	uint64_t index = (hash >> 1) >> t->shift;
	uint64_t cell = t->directory[index];

	if (__builtin_expect(cell == 0, 0))
		cell = table_cell_slow(t, index);
	return cell;
}

static inline struct table_segment *cell_segment(uint64_t cell)
{
	return (struct table_segment *)(uintptr_t)(cell & CELL_POINTER);
}

/* The hash without the bits that the directory has used. */
static inline uint64_t hash_rest(uint64_t hash, unsigned depth)
{
	return (hash & ~(TABLE_POSITION_STEP - 1)) << depth;
}

static inline unsigned rest_bucket(uint64_t rest, unsigned n)
{
	return (unsigned)(((unsigned __int128)rest * n) >> 64);
}

static inline unsigned cell_buckets(uint64_t cell)
{
	return (uint8_t)(cell >> CELL_BUCKETS_SHIFT);
}

static inline uint16_t rest_tag(uint64_t rest)
{
	return (uint16_t)(rest >> (64 - REST_TOP_BITS));
}

static inline uint64_t *segment_bucket(struct table_segment *s, unsigned index)
{
	return s->slots + (size_t)index * TABLE_BUCKET_SLOTS;
}

static inline void *slot_entry(uint64_t slot)
{
	return (void *)(uintptr_t)(slot & SLOT_POINTER);
}

static inline struct table_home table_home(const struct table *t, uint64_t hash)
{
	uint64_t cell = table_cell(t, hash);
	uint64_t rest = hash_rest(hash, (unsigned)(cell & CELL_DEPTH));
	unsigned index = rest_bucket(rest, cell_buckets(cell));
	uint16_t vague = (uint16_t)(cell >> CELL_VAGUE_SHIFT);
	struct table_segment *s = cell_segment(cell);

	return (struct table_home){ segment_bucket(s, index), s,
				    (uint16_t)index, rest_tag(rest) | vague };
}

#ifdef __SSE2__

/* The odd (1) or even (0) dwords of two pairs of slots, in order. */
#define BUCKET_DWORDS(a, b, odd)                                              \
	_mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a),                  \
					_mm_castsi128_ps(b),                  \
					(odd) ? 0xdd : 0x88))

/* Bit i: slot i has this tag. Empty slots match tag 0. */
static inline unsigned bucket_match(const uint64_t *bucket, uint16_t tag)
{
	const __m128i *v = (const __m128i *)bucket;
	__m128i a = _mm_srai_epi32(BUCKET_DWORDS(v[0], v[1], 1), 16);
	__m128i b = _mm_srai_epi32(BUCKET_DWORDS(v[2], v[3], 1), 16);
	__m128i equal = _mm_cmpeq_epi16(_mm_packs_epi32(a, b),
					_mm_set1_epi16((short)tag));

	return (unsigned)_mm_movemask_epi8(
		_mm_packs_epi16(equal, _mm_setzero_si128()));
}

/* Bit i: slot i is in use. */
static inline unsigned bucket_used(const uint64_t *bucket)
{
	const __m128i *v = (const __m128i *)bucket;
	__m128i zero = _mm_setzero_si128();
	__m128i a = _mm_or_si128(BUCKET_DWORDS(v[0], v[1], 0),
				 BUCKET_DWORDS(v[0], v[1], 1));
	__m128i b = _mm_or_si128(BUCKET_DWORDS(v[2], v[3], 0),
				 BUCKET_DWORDS(v[2], v[3], 1));
	__m128i empty = _mm_packs_epi32(_mm_cmpeq_epi32(a, zero),
					_mm_cmpeq_epi32(b, zero));

	return ~(unsigned)_mm_movemask_epi8(_mm_packs_epi16(empty, zero)) &
	       0xff;
}

/* Bit i: slot i has this shift. Empty slots have shift 0. */
static inline unsigned bucket_shifted(const uint64_t *bucket, unsigned shift)
{
	const __m128i *v = (const __m128i *)bucket;
	__m128i mask = _mm_set1_epi32((int)SLOT_SHIFT);
	__m128i a = _mm_and_si128(BUCKET_DWORDS(v[0], v[1], 0), mask);
	__m128i b = _mm_and_si128(BUCKET_DWORDS(v[2], v[3], 0), mask);
	__m128i equal = _mm_cmpeq_epi16(_mm_packs_epi32(a, b),
					_mm_set1_epi16((short)shift));

	return (unsigned)_mm_movemask_epi8(
		_mm_packs_epi16(equal, _mm_setzero_si128()));
}

#else

static inline unsigned bucket_shifted(const uint64_t *bucket, unsigned shift)
{
	unsigned i, mask = 0;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		mask |= (unsigned)((bucket[i] & SLOT_SHIFT) == shift) << i;
	return mask;
}

static inline unsigned bucket_match(const uint64_t *bucket, uint16_t tag)
{
	unsigned i, mask = 0;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		mask |= (unsigned)(bucket[i] >> SLOT_TAG_SHIFT == tag) << i;
	return mask;
}

static inline unsigned bucket_used(const uint64_t *bucket)
{
	unsigned i, mask = 0;

	for (i = 0; i < TABLE_BUCKET_SLOTS; i++)
		mask |= (unsigned)(bucket[i] != 0) << i;
	return mask;
}

#endif

#define BUCKET_FULL 0xffu

/* As table_find, for a matcher that the compiler can see. */
static inline struct table_ref table_find_inline(const struct table *t,
						 uint64_t hash,
						 table_match_fn *match,
						 const void *key)
{
	struct table_home home;
	uint64_t *bucket;

	if (t->count == 0)
		return (struct table_ref){ NULL, NULL, 0 };
	home = table_home(t, hash);
	bucket = home.bucket;
	for (;;) {
		unsigned mask = bucket_match(bucket, home.tag);

		for (; mask != 0; mask &= mask - 1) {
			uint64_t *slot = bucket + __builtin_ctz(mask);

			if (__builtin_expect(*slot != 0, 1) &&
			    match(slot_entry(*slot), key))
				return (struct table_ref){ slot, home.segment,
							   home.index };
		}
		if (!(bucket[SLOT_LAST] & SLOT_OVERFLOWED) ||
		    bucket == home.bucket + SLOT_SHIFT * TABLE_BUCKET_SLOTS)
			return (struct table_ref){ NULL, NULL, 0 };
		bucket += TABLE_BUCKET_SLOTS;
	}
}

#endif
