/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Growth, splits, merges, shrinking: a segment's entries move to new segments.
 *
 * Growth inside a range needs no hashes (segment_copy).  All else gathers the
 * entries with their hashes, frees the old segments and builds new ones: one
 * if a size holds them all, else two of half the range.  A split gathers what
 * slots remember of the hashes instead, as long as the tags stay sharp enough:
 * reading every entry would cost several times as much as all the rest.  A
 * segment has at most about a thousand entries, so every step is short.
 */
#include "types/table_internal.h"

#include <assert.h>

/* Slots of two segments of the biggest size; only those that fit in one are
 * ever merged, but a split may see a full one. */
#define GATHER_MAX ((TABLE_SEGMENT_MAX + 1) * TABLE_BUCKET_SLOTS)

#define PREFETCH_AHEAD 16

/* Entries per hundred slots that a new segment is made for: a half of a split
 * is about to grow, a shrunk or merged one is not. */
#define FILL_SPLIT 80
#define FILL_SHRUNK 70

/* Entries up to which siblings merge, so that the result is far from the size
 * at which it splits again. */
#define MERGE_MAX (TABLE_SEGMENT_MAX * TABLE_BUCKET_SLOTS * 3 / 5)

/* The most that the tags of a segment may be vague: four splits in a row. */
#define VAGUE_MAX 15

struct gather {
	unsigned count;
	unsigned fill; /* entries per hundred slots to build for */
	/* 0, or what in `rest` of their new segments is not known of the
	 * hashes, where these are 0 */
	uint64_t unknown;
	void *entries[GATHER_MAX];
	uint64_t hashes[GATHER_MAX];
};

/* The arrays stay as they are: clearing them would cost more than the rest. */
static inline void gather_begin(struct gather *g, unsigned fill)
{
	g->count = 0;
	g->fill = fill;
	g->unknown = 0;
}

static void gather_add(struct gather *g, struct table_segment *s)
{
	const uint64_t *slot = s->slots;
	const uint64_t *end = segment_bucket(s, s->n + 1u);

	for (; slot < end; slot++)
		if (*slot != 0)
			g->entries[g->count++] = slot_entry(*slot);
	assert(g->count <= GATHER_MAX);
}

static void gather_hash(struct gather *g, const struct table *t)
{
	unsigned i;

	for (i = 0; i < PREFETCH_AHEAD && i < g->count; i++)
		__builtin_prefetch(g->entries[i]);
	for (i = 0; i < g->count; i++) {
		if (i + PREFETCH_AHEAD < g->count)
			__builtin_prefetch(g->entries[i + PREFETCH_AHEAD]);
		g->hashes[i] = t->hash(t->hash_ctx, g->entries[i]);
	}
	g->unknown = 0;
}

/* Gathers what the slots of s know, for segments one deeper; false if that
 * would be too little. */
static bool gather_known(struct gather *g, struct table_segment *s)
{
	uint32_t tops[SLOT_SHIFT + 1]; /* of the last buckets, by index mod 4 */
	uint32_t vague = s->vague;
	unsigned b, i;

	if (vague == VAGUE_MAX || s->n < SEGMENT_SURE)
		return false;
	for (b = 0; b <= s->n; b++) {
		const uint64_t *bucket = segment_bucket(s, b);

		tops[b & SLOT_SHIFT] = bucket_top(b, s->n);
		for (i = 0; i < TABLE_BUCKET_SLOTS; i++) {
			uint64_t slot = bucket[i];
			uint64_t top;

			if (slot == 0)
				continue;
			top = slot_top(slot, tops[(b - slot) & SLOT_SHIFT]);
			top = (top & ~(uint64_t)vague) << (64 - REST_TOP_BITS);
			g->entries[g->count] = slot_entry(slot);
			g->hashes[g->count++] = s->first | top >> s->depth;
		}
	}
	assert(g->count == s->count);
	g->unknown = (((uint64_t)vague + 1) << (64 - REST_TOP_BITS + 1)) - 1;
	return true;
}

static inline bool in_range(uint64_t hash, uint64_t first, unsigned depth)
{
	return depth == 0 || (hash ^ first) >> (64 - depth) == 0;
}

/* The bucket of s for an entry whose hash is known but for its end; the hash
 * itself is asked for if that makes a difference. */
static inline unsigned gather_home(const struct gather *g, unsigned i,
				   const struct table *t,
				   const struct table_segment *s)
{
	uint64_t rest = hash_rest(g->hashes[i], s->depth);
	unsigned home = rest_bucket(rest, s->n);

	if (__builtin_expect(rest_bucket(rest | g->unknown, s->n) != home, 0))
		home = rest_bucket(hash_rest(t->hash(t->hash_ctx,
						     g->entries[i]),
					     s->depth),
				   s->n);
	return home;
}

/* Puts what of g belongs to the empty s into it; false if it has no place. */
static bool gather_fill(const struct gather *g, const struct table *t,
			struct table_segment *s)
{
	struct segment_filler f = { .segment = s };
	unsigned i;

	s->vague = (uint8_t)(g->unknown >> (64 - REST_TOP_BITS));
	for (i = 0; i < g->count; i++) {
		uint64_t hash = g->hashes[i];
		unsigned home;

		if (!in_range(hash, s->first, s->depth))
			continue;
		home = gather_home(g, i, t, s);
		if (!segment_fill(&f, home, slot_make(s, hash, g->entries[i])))
			return false;
		s->count++;
	}
	return true;
}

/* Builds the segments of a range from what of g belongs to it. */
static void build(struct table *t, struct gather *g, uint64_t first,
		  unsigned depth)
{
	unsigned i, n, count = 0;

	for (i = 0; i < g->count; i++)
		count += in_range(g->hashes[i], first, depth);
	n = count * 100 / (g->fill * TABLE_BUCKET_SLOTS) + 1;
	for (n = table_buckets_for(t, n); n != 0;
	     n = table_buckets_for(t, n + 1)) {
		struct table_segment *s = table_segment_new(t, n, first, depth);

		if (count < s->limit && gather_fill(g, t, s)) {
			table_directory_set(t, s);
			return;
		}
		/* s is not in the directory, and the last of its size */
		table_segment_drop(t, s);
	}
	assert(depth < TABLE_DEPTH_MAX); /* the hash is a hash */
	if (g->unknown != 0) /* for the next bit */
		gather_hash(g, t);
	depth++;
	table_directory_deepen(t, depth);
	build(t, g, first, depth);
	build(t, g, first | UINT64_C(1) << (64 - depth), depth);
}

static void split(struct table *t, struct table_segment *s)
{
	uint64_t first = s->first;
	unsigned depth = s->depth + 1u;
	struct gather g;

	table_store_need(t);
	gather_begin(&g, FILL_SPLIT);
	if (!gather_known(&g, s)) {
		gather_add(&g, s);
		gather_hash(&g, t);
	}
	table_segment_drop(t, s);
	table_directory_deepen(t, depth);
	build(t, &g, first, depth);
	build(t, &g, first | UINT64_C(1) << (64 - depth), depth);
}

/* Makes another size of s, with its entries; false if they do not fit. */
static bool resize(struct table *t, struct table_segment *s, unsigned n)
{
	struct table_segment *other;
	bool fits;

	other = table_segment_new(t, n, s->first, s->depth);
	if (s->n >= SEGMENT_SURE && n >= SEGMENT_SURE) {
		fits = segment_copy(t, s, other);
	} else {
		struct gather g;

		gather_begin(&g, FILL_SHRUNK);
		gather_add(&g, s);
		gather_hash(&g, t);
		fits = gather_fill(&g, t, other);
	}
	if (fits)
		table_directory_set(t, other);
	table_segment_drop(t, fits ? s : other);
	return fits;
}

void table_first_segment(struct table *t)
{
	table_directory_first(t);
	table_directory_set(t, table_segment_new(t, 1, 0, 0));
}

void table_grow(struct table *t, struct table_segment *s)
{
	unsigned n;

	table_walk_finish(t, s);
	for (n = table_buckets_for(t, s->n + 1u); n != 0;
	     n = table_buckets_for(t, n + 1))
		if (resize(t, s, n))
			return;
	split(t, s);
}

/* Merges s and its sibling if that makes one segment of moderate size. */
static bool merge(struct table *t, struct table_segment *s)
{
	struct table_segment *sibling;
	uint64_t first, bit;
	struct gather g;
	unsigned depth;

	if (s->depth == 0)
		return false;
	bit = UINT64_C(1) << (64 - s->depth);
	first = s->first;
	depth = s->depth - 1u;
	sibling = cell_segment(table_cell(t, first ^ bit));
	if (sibling->depth != s->depth || s->count + sibling->count > MERGE_MAX)
		return false;
	table_walk_finish(t, s);
	table_walk_finish(t, sibling);
	gather_begin(&g, FILL_SHRUNK);
	gather_add(&g, s);
	gather_add(&g, sibling);
	gather_hash(&g, t);
	table_segment_drop(t, s);
	/* found anew: the first drop may have moved it */
	table_segment_drop(t, cell_segment(table_cell(t, first ^ bit)));
	build(t, &g, first & ~bit, depth);
	table_directory_trim(t);
	return true;
}

void table_shrink(struct table *t, struct table_segment *s)
{
	unsigned n;

	if (merge(t, s))
		return;
	n = s->count * 100u / (FILL_SHRUNK * TABLE_BUCKET_SLOTS) + 1;
	n = table_buckets_for(t, n);
	if (n == 0 || n >= s->n)
		return;
	table_walk_finish(t, s);
	if (!resize(t, s, n))
		s->floor = s->count / 2; /* not again soon */
}
