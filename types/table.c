/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/table.h"

#include "types/table_internal.h"

#include <assert.h>

/* Segments that one table_walk_next may skip. */
#define WALK_SKIP_MAX 64
/* The position behind the last bucket, while 0 is the first. */
#define WALK_BEHIND UINT64_MAX

#define RANDOM_TRIES 64
#define RELEASE_AHEAD 16
#define RELEASE_BUCKETS 32 /* at a time: what entries point to may be cold */

/* Entries per segment that table_reserve makes room for, and buckets so that
 * few segments will have to grow. */
#define RESERVE_PER_SEGMENT 780
#define RESERVE_FILL 84

void table_init(struct table *t, table_hash_fn *hash, const void *ctx)
{
	*t = (struct table){ .shift = 63, .hash = hash, .hash_ctx = ctx };
}

/* Calls free_entry for what stands in buckets from `from` up to `to`. How many
 * there were. */
static unsigned release_entries(struct table_segment *s, unsigned from,
				unsigned to, table_visit_fn *free_entry,
				void *ctx)
{
	const uint64_t *slot = segment_bucket(s, from);
	const uint64_t *end = segment_bucket(s, to);
	unsigned count = 0;

	for (; slot < end; slot++) {
		if (slot + RELEASE_AHEAD < end)
			__builtin_prefetch(slot_entry(slot[RELEASE_AHEAD]));
		if (*slot == 0)
			continue;
		free_entry(ctx, slot_entry(*slot));
		count++;
	}
	return count;
}

bool table_release_step(struct table *t, uint64_t *position,
			table_visit_fn *free_entry, void *ctx)
{
	struct table_segment *s;
	unsigned from, to, freed = 0;

	t->walk.number = 0;
	if (t->directory == NULL)
		return false;
	s = cell_segment(table_cell(t, *position));
	from = rest_bucket(hash_rest(*position, s->depth), s->n);
	to = from + RELEASE_BUCKETS;
	if (free_entry == NULL || to > s->n)
		to = s->n + 1u;
	if (free_entry != NULL)
		freed = release_entries(s, from, to, free_entry, ctx);
	if (to <= s->n) { /* what is freed is not looked at again */
		t->count -= freed;
		s->count = (uint16_t)(s->count - freed);
		*position = segment_position(s, to);
		return true;
	}
	*position = segment_position(s, s->n);
	t->count -= s->count;
	table_segment_drop(t, s);
	if (*position != 0)
		return true;
	assert(t->count == 0);
	table_store_release(t);
	return false;
}

void table_release(struct table *t, table_visit_fn *free_entry, void *ctx)
{
	uint64_t position = 0;

	while (table_release_step(t, &position, free_entry, ctx))
		;
}

void table_reserve(struct table *t, size_t count)
{
	unsigned n, depth = 0;
	size_t i, segments;

	assert(t->count == 0);
	table_release(t, NULL, NULL);
	while (count >> depth > RESERVE_PER_SEGMENT)
		depth++;
	segments = (size_t)1 << depth;
	n = (unsigned)(count >> depth) * 100 /
		    (RESERVE_FILL * TABLE_BUCKET_SLOTS) + 1;
	table_directory_first(t);
	table_store_expect(t, segments);
	n = table_buckets_for(t, n);
	assert(n != 0);
	table_directory_deepen(t, depth);
	for (i = 0; i < segments; i++) {
		uint64_t first = depth ? (uint64_t)i << (64 - depth) : 0;

		table_directory_set(t, table_segment_new(t, n, first, depth));
	}
}

struct table_ref table_find(const struct table *t, uint64_t hash,
			    table_match_fn *match, const void *key)
{
	return table_find_inline(t, hash, match, key);
}

void *table_ref_entry(struct table_ref ref)
{
	return slot_entry(*ref.slot);
}

void table_ref_set(struct table_ref ref, void *entry)
{
	assert(((uint64_t)(uintptr_t)entry & ~SLOT_POINTER) == 0);
	*ref.slot = (*ref.slot & ~SLOT_POINTER) | (uint64_t)(uintptr_t)entry;
}

void table_insert(struct table *t, uint64_t hash, void *entry)
{
	struct table_home home;

	assert(((uint64_t)(uintptr_t)entry & ~SLOT_POINTER) == 0);
	assert(entry != NULL);
	if (t->directory == NULL)
		table_first_segment(t);
	for (;;) {
		home = table_home(t, hash);
		if (home.segment->count < home.segment->limit &&
		    segment_place(home.segment, home.index,
				  slot_make(home.segment, hash, entry)))
			break;
		table_grow(t, home.segment);
	}
	home.segment->count++;
	t->count++;
}

void table_remove(struct table *t, uint64_t hash, struct table_ref ref)
{
	struct table_segment *s = ref.segment;
	size_t index = (size_t)(ref.slot - s->slots) / TABLE_BUCKET_SLOTS;

	assert(rest_bucket(hash_rest(hash, s->depth), s->n) == ref.bucket);
	assert(*ref.slot != 0);
	segment_clear(s, (unsigned)index, ref.slot);
	s->count--;
	t->count--;
	if (__builtin_expect(s->count < s->floor, 0))
		table_shrink(t, s);
}

void table_prefetch_bucket(const struct table *t, uint64_t hash)
{
	if (t->count != 0)
		__builtin_prefetch(table_home(t, hash).bucket);
}

void table_prefetch_insert(const struct table *t, uint64_t hash)
{
	struct table_home home;

	if (t->count == 0)
		return;
	home = table_home(t, hash);
	__builtin_prefetch(home.bucket);
	__builtin_prefetch(home.segment);
}

void table_prefetch_entry(const struct table *t, uint64_t hash)
{
	struct table_home home;
	unsigned mask;

	if (t->count == 0)
		return;
	home = table_home(t, hash);
	if (t->walk.number != 0) /* a change would visit the bucket */
		segment_prefetch(home.segment, home.index);
	for (mask = bucket_match(home.bucket, home.tag); mask != 0;
	     mask &= mask - 1)
		__builtin_prefetch(
			slot_entry(home.bucket[__builtin_ctz(mask)]));
	if (home.bucket[SLOT_LAST] & SLOT_OVERFLOWED)
		__builtin_prefetch(home.bucket + TABLE_BUCKET_SLOTS);
}

uint64_t table_scan(const struct table *t, uint64_t position,
		    table_visit_fn *visit, void *ctx)
{
	struct table_home home;

	if (t->directory == NULL)
		return 0;
	home = table_home(t, position);
	segment_prefetch(home.segment, home.index + 1u); /* for the next */
	segment_visit(home.segment, home.index, visit, ctx);
	return segment_position(home.segment, home.index + 1u);
}

/* The next of a sequence of well mixed numbers (splitmix64, Steele et al.
 * 2014). */
static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The first entry at or behind a slot of s, in this segment or a later one,
 * going round. */
static void *next_entry(const struct table *t, struct table_segment *s,
			unsigned slot)
{
	for (;;) {
		for (; slot < (s->n + 1u) * TABLE_BUCKET_SLOTS; slot++)
			if (s->slots[slot] != 0)
				return slot_entry(s->slots[slot]);
		s = cell_segment(table_cell(t, segment_position(s, s->n)));
		slot = 0;
	}
}

/*
 * Picks a slot among as many as all segments would have if they were as big
 * and as deep as any; one that is not there, or empty, is another try.  So
 * every entry has the same chance, but for the rare case of no luck at all.
 */
void *table_random(const struct table *t, uint64_t random)
{
	size_t most = (TABLE_SEGMENT_MAX + 1) * TABLE_BUCKET_SLOTS;
	int tries;

	if (t->count == 0)
		return NULL;
	if (t->segment_count == 1)
		most = (t->bucket_count + 1) * TABLE_BUCKET_SLOTS;
	for (tries = 0;; tries++) {
		uint64_t cell = table_cell(t, mix(&random));
		struct table_segment *s = cell_segment(cell);
		size_t slots = (s->n + 1u) * TABLE_BUCKET_SLOTS;
		size_t slot = (size_t)(((unsigned __int128)mix(&random) *
					(most << (t->depth - s->depth))) >> 64);

		if (tries == RANDOM_TRIES)
			return next_entry(t, s, (unsigned)(slot % slots));
		if (slot < slots && s->slots[slot] != 0)
			return slot_entry(s->slots[slot]);
	}
}

/* --- the walk ----------------------------------------------------------- */

void table_walk_begin(struct table *t, table_visit_fn *fetch,
		      table_visit_fn *visit, void *ctx)
{
	assert(t->walk.number == 0);
	assert(visit != NULL);
	if (++t->walk_number == 0)
		t->walk_number = 1;
	t->walk = (struct table_walk){ fetch, visit, ctx, t->walk_number };
}

/* The bitmap of s for this walk. */
static uint64_t *walk_bits(struct table *t, struct table_segment *s)
{
	if (s->walk_number != t->walk.number) {
		s->walk_number = t->walk.number;
		s->visited[0] = s->visited[1] = 0;
	}
	return s->visited;
}

/* Visits a bucket unless it has been visited. */
static void walk_bucket(struct table *t, struct table_segment *s,
			unsigned index)
{
	uint64_t *bits = walk_bits(t, s);
	uint64_t bit = UINT64_C(1) << (index & 63);

	if (bits[index >> 6] & bit)
		return;
	bits[index >> 6] |= bit;
	if (t->walk.fetch != NULL)
		segment_fetch(s, index, t->walk.fetch, t->walk.ctx);
	segment_visit(s, index, t->walk.visit, t->walk.ctx);
}

/* The first bucket from `index` on that is not visited; n if all are. */
static unsigned walk_unvisited(struct table *t, struct table_segment *s,
			       unsigned index)
{
	const uint64_t *bits = walk_bits(t, s);

	while (index < s->n) {
		uint64_t left = ~bits[index >> 6] >> (index & 63);

		if (left != 0) {
			index += (unsigned)__builtin_ctzll(left);
			return index < s->n ? index : s->n;
		}
		index = (index | 63) + 1;
	}
	return s->n;
}

void table_walk_touch_slow(struct table *t, uint64_t hash)
{
	struct table_home home;

	if (t->directory == NULL)
		return;
	home = table_home(t, hash);
	walk_bucket(t, home.segment, home.index);
}

void table_walk_finish(struct table *t, struct table_segment *s)
{
	unsigned index;

	if (t->walk.number == 0)
		return;
	for (index = walk_unvisited(t, s, 0); index < s->n;
	     index = walk_unvisited(t, s, index + 1))
		walk_bucket(t, s, index);
}

bool table_walk_next(struct table *t, uint64_t *position)
{
	int skipped;

	assert(t->walk.number != 0);
	for (skipped = 0; skipped < WALK_SKIP_MAX; skipped++) {
		struct table_home home;
		struct table_segment *s;
		unsigned index, behind;

		if (*position == WALK_BEHIND || t->directory == NULL) {
			*position = 0;
			return false;
		}
		home = table_home(t, *position);
		s = home.segment;
		index = walk_unvisited(t, s, home.index);
		behind = index < s->n ? index + 1 : s->n;
		*position = segment_position(s, behind);
		if (*position == 0)
			*position = WALK_BEHIND;
		if (index < s->n) {
			/* first lines, for the next call */
			segment_prefetch(s, index + 1);
			walk_bucket(t, s, index);
			return true;
		}
	}
	return true;
}

void table_walk_end(struct table *t)
{
	t->walk = (struct table_walk){ .number = 0 };
}

/* --- figures and checks ------------------------------------------------- */

size_t table_memory(const struct table *t)
{
	return table_store_memory(t);
}

void table_check(const struct table *t)
{
	size_t count = 0, buckets = 0, segments = 0;
	uint64_t position = 0;

	if (t->directory == NULL) {
		assert(t->count == 0 && t->segment_count == 0);
		return;
	}
	do {
		uint64_t cell = table_cell(t, position);
		struct table_segment *s = cell_segment(cell);

		assert(s->first == position);
		assert(s->depth <= t->depth);
		assert((cell & CELL_DEPTH) == s->depth);
		assert(cell_buckets(cell) == s->n);
		assert(cell >> CELL_VAGUE_SHIFT == s->vague);
		segment_check(t, s);
		position = segment_position(s, s->n);
		assert(table_cell(t, position - 1) == cell);
		count += s->count;
		buckets += s->n;
		segments++;
	} while (position != 0);
	assert(count == t->count);
	assert(buckets == t->bucket_count);
	assert(segments == t->segment_count);
	table_store_check(t);
}
