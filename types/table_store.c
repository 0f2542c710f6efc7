/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of segments, and the directory.
 *
 * A table of few segments allocates each by itself, in sizes that fill the
 * allocator's classes.  One of many takes them from pages of 64 KiB, a page
 * for each of eight sizes, chosen so that 8 to 15 segments fill a page.  All
 * segments of a table grow in step, so a size runs empty as the next fills up;
 * to have no holes meanwhile, a freed segment's place is taken at once by the
 * last segment of its size.
 *
 * M1. Pages of a size are a stack; all but the top one are full.
 * M2. A page's segments are its first `used` ones.
 *
 * The directory doubles and halves without a pause: the new one starts empty
 * and is filled little by little; an empty cell means "ask the old one".
 *
 * M3. A change of a segment writes all its cells in the new directory, so the
 *     old one is never changed.
 */
#include "types/table_internal.h"

#include "base/mem.h"
#include "base/slab.h"

#include <assert.h>

#define LINE 64
#define PAGE_SIZE ((size_t)SLAB_PAGE_SIZE)

/* Cells filled per change of a segment, and directories small enough to be
 * filled at once. */
#define CELLS_STEP 256
#define CELLS_AT_ONCE 512

/* From how many segments on they come from pages; below how many not. */
#define PAGES_FROM 256
#define PAGES_BELOW 128

/* Lines (of 64 bytes) of a segment: its header, n buckets and one more. */
static const uint8_t small_lines[] = { 3,  4,  5,  6,  7,  8,  10, 12, 14,
				       16, 20, 24, 28, 32, 40, 48, 56, 64 };
static const uint8_t own_lines[] = { 80, 96, 112, 128 };
/* 15, 14, 13, 12, 11, 10, 9 and 8 to a page, whose first line is its own */
static const uint8_t page_lines[] = { 68, 73, 78, 85, 93, 102, 113, 127 };

#define PAGE_CLASSES ARRAY_LEN(page_lines)

struct table_page {
	struct table_page *below; /* M1 */
	uint32_t used;
	uint32_t class;
};

struct table_store {
	struct table_page *top[PAGE_CLASSES];
	struct table_page *spare; /* an empty page kept */
	size_t page_count;
	size_t own_size; /* bytes of segments that are not in pages */
	bool paged;
	bool halving;
	uint64_t *old_directory; /* NULL: the directory is complete */
	size_t cells_filled;     /* of the new directory, from the front */
	uint32_t at_depth[TABLE_DEPTH_MAX + 1]; /* segments by depth */
};

/* --- segments ----------------------------------------------------------- */

unsigned table_buckets_for(const struct table *t, unsigned n)
{
	bool paged = t->store != NULL && t->store->paged;
	const uint8_t *sizes = paged ? page_lines : own_lines;
	size_t i, count = paged ? ARRAY_LEN(page_lines) : ARRAY_LEN(own_lines);

	for (i = 0; i < ARRAY_LEN(small_lines); i++)
		if (small_lines[i] >= n + 2)
			return small_lines[i] - 2u;
	for (i = 0; i < count; i++)
		if (sizes[i] >= n + 2)
			return sizes[i] - 2u;
	return 0;
}

/* The class of pages for n buckets, or PAGE_CLASSES. */
static unsigned page_class(const struct table *t, unsigned n)
{
	unsigned i = PAGE_CLASSES;

	if (t->store != NULL && t->store->paged)
		for (i = 0; i < PAGE_CLASSES; i++)
			if (page_lines[i] == n + 2)
				break;
	return i;
}

static inline struct table_segment *page_segment(struct table_page *page,
						 unsigned index)
{
	size_t lines = page_lines[page->class];

	return (struct table_segment *)((uint8_t *)page + LINE +
					index * lines * LINE);
}

static struct table_page *page_push(struct table_store *store, unsigned class)
{
	struct table_page *page = store->spare;

	if (page != NULL) {
		store->spare = NULL;
	} else {
		page = slab_page_alloc();
		store->page_count++;
	}
	*page = (struct table_page){ store->top[class], 0, class };
	store->top[class] = page;
	return page;
}

static void page_pop(struct table_store *store, struct table_page *page)
{
	assert(store->top[page->class] == page);
	assert(page->used == 0);
	store->top[page->class] = page->below;
	if (store->spare == NULL && store->paged) {
		store->spare = page;
		return;
	}
	slab_page_free(page);
	store->page_count--;
}

static struct table_segment *segment_from_page(struct table_store *store,
					       unsigned class)
{
	struct table_page *page = store->top[class];
	unsigned capacity = (unsigned)(PAGE_SIZE / LINE - 1) /
			    page_lines[class];
	struct table_segment *s;

	if (page == NULL || page->used == capacity)
		page = page_push(store, class);
	s = page_segment(page, page->used++);
	memset(s, 0, (size_t)page_lines[class] * LINE);
	s->page = page;
	return s;
}

static void segment_set_size(struct table_segment *s, unsigned n)
{
	s->n = (uint8_t)n;
	/* seven eighths of all slots; a tiny one may be nearly full */
	s->limit = (uint16_t)((n + 1) * TABLE_BUCKET_SLOTS * 7 / 8);
	s->floor = n == 1 ? 0 : (uint16_t)(n * TABLE_BUCKET_SLOTS * 9 / 20);
}

struct table_segment *table_segment_new(struct table *t, unsigned n,
					uint64_t first, unsigned depth)
{
	unsigned class = page_class(t, n);
	struct table_segment *s;

	assert(n >= 1 && n <= TABLE_SEGMENT_MAX);
	assert(depth <= TABLE_DEPTH_MAX);
	if (class < PAGE_CLASSES) {
		s = segment_from_page(t->store, class);
	} else {
		s = mem_alloc_aligned(LINE, segment_size(n));
		memset(s, 0, segment_size(n));
		if (t->store != NULL)
			t->store->own_size += segment_size(n);
	}
	s->first = first;
	s->depth = (uint8_t)depth;
	segment_set_size(s, n);
	s->walk_number = t->walk.number;
	s->visited[0] = s->visited[1] = UINT64_MAX;
	t->bucket_count += n;
	t->segment_count++;
	if (t->store != NULL) {
		t->store->at_depth[depth]++;
		if (t->segment_count >= PAGES_FROM)
			t->store->paged = true;
	}
	return s;
}

/* Fills the place of s with the last segment of its size. */
static void segment_to_page(struct table *t, struct table_segment *s)
{
	struct table_page *page = s->page;
	struct table_page *top = t->store->top[page->class];
	struct table_segment *moved = page_segment(top, --top->used);

	if (moved != s) {
		memcpy(s, moved, (size_t)page_lines[page->class] * LINE);
		s->page = page;
		table_directory_set(t, s);
	}
	if (top->used == 0)
		page_pop(t->store, top);
}

/* Segments have become few: new ones are blocks of their own. */
static void pages_end(struct table_store *store)
{
	store->paged = false;
	if (store->spare == NULL)
		return;
	slab_page_free(store->spare);
	store->spare = NULL;
	store->page_count--;
}

void table_segment_drop(struct table *t, struct table_segment *s)
{
	t->bucket_count -= s->n;
	t->segment_count--;
	if (t->store != NULL) {
		t->store->at_depth[s->depth]--;
		if (t->store->paged && t->segment_count < PAGES_BELOW)
			pages_end(t->store);
		if (s->page == NULL)
			t->store->own_size -= segment_size(s->n);
	}
	if (s->page != NULL)
		segment_to_page(t, s);
	else
		mem_free(s);
}

/* --- directory ---------------------------------------------------------- */

uint64_t table_cell_slow(const struct table *t, uint64_t index)
{
	const struct table_store *store = t->store;

	assert(store != NULL && store->old_directory != NULL);
	return store->old_directory[store->halving ? index << 1 : index >> 1];
}

/* Fills some cells of a new directory. */
static void directory_fill(struct table *t, size_t cells)
{
	struct table_store *store = t->store;
	size_t end = (size_t)1 << t->depth;

	if (store == NULL || store->old_directory == NULL)
		return;
	for (; cells > 0 && store->cells_filled < end; cells--) {
		size_t index = store->cells_filled++;

		if (t->directory[index] == 0)
			t->directory[index] = table_cell_slow(t, index);
	}
	if (store->cells_filled == end) {
		mem_free(store->old_directory);
		store->old_directory = NULL;
	}
}

void table_directory_first(struct table *t)
{
	assert(t->directory == NULL);
	t->directory = mem_calloc(1, sizeof(*t->directory));
	t->depth = 0;
	t->shift = 63;
}

void table_directory_set(struct table *t, const struct table_segment *s)
{
	uint64_t cell = (uint64_t)(uintptr_t)s | s->depth |
			(uint64_t)s->n << CELL_BUCKETS_SHIFT |
			(uint64_t)s->vague << CELL_VAGUE_SHIFT;
	size_t i, cells = (size_t)1 << (t->depth - s->depth);
	uint64_t *at = t->directory + ((s->first >> 1) >> t->shift);

	assert(((uint64_t)(uintptr_t)s & ~CELL_POINTER) == 0);
	assert(s->depth <= t->depth);
	for (i = 0; i < cells; i++)
		at[i] = cell;
	directory_fill(t, CELLS_STEP);
}

/* Makes a directory of this depth, one more or one less than now. */
static void directory_resize(struct table *t, unsigned depth)
{
	struct table_store *store = t->store;
	size_t cells = (size_t)1 << depth;

	directory_fill(t, SIZE_MAX);
	store->old_directory = t->directory;
	store->halving = depth < t->depth;
	store->cells_filled = 0;
	t->directory = mem_calloc(cells, sizeof(*t->directory));
	t->depth = depth;
	t->shift = 63 - depth;
	if (cells <= CELLS_AT_ONCE)
		directory_fill(t, SIZE_MAX);
}

void table_directory_deepen(struct table *t, unsigned depth)
{
	assert(depth <= TABLE_DEPTH_MAX);
	while (t->depth < depth)
		directory_resize(t, t->depth + 1);
}

void table_directory_trim(struct table *t)
{
	if (t->depth > 0 && t->store->at_depth[t->depth] == 0)
		directory_resize(t, t->depth - 1);
}

/* --- the store ---------------------------------------------------------- */

void table_store_need(struct table *t)
{
	if (t->store != NULL)
		return;
	assert(t->segment_count <= 1);
	t->store = mem_calloc(1, sizeof(*t->store));
	if (t->segment_count == 1) {
		t->store->at_depth[0] = 1;
		t->store->own_size = segment_size((unsigned)t->bucket_count);
	}
}

void table_store_expect(struct table *t, size_t segment_count)
{
	table_store_need(t);
	if (segment_count >= PAGES_FROM)
		t->store->paged = true;
}

void table_store_release(struct table *t)
{
	assert(t->segment_count == 0);
	mem_free(t->directory);
	t->directory = NULL;
	t->depth = 0;
	t->shift = 63;
	if (t->store == NULL)
		return;
	assert(t->store->page_count == (t->store->spare != NULL));
	if (t->store->spare != NULL)
		slab_page_free(t->store->spare);
	mem_free(t->store->old_directory);
	mem_free(t->store);
	t->store = NULL;
}

size_t table_store_memory(const struct table *t)
{
	const struct table_store *store = t->store;
	size_t cells;

	if (t->directory == NULL)
		return 0;
	cells = (size_t)1 << t->depth;
	if (store == NULL)
		return segment_size((unsigned)t->bucket_count) +
		       sizeof(*t->directory);
	if (store->old_directory != NULL)
		cells += store->halving ? cells * 2 : cells / 2;
	return store->page_count * PAGE_SIZE + store->own_size +
	       cells * sizeof(*t->directory) + sizeof(*store);
}

void table_store_check(const struct table *t)
{
	const struct table_store *store = t->store;
	size_t pages = 0, segments = 0;
	unsigned class, depth;

	if (store == NULL)
		return;
	for (class = 0; class < PAGE_CLASSES; class++) {
		const struct table_page *page = store->top[class];
		size_t capacity = (PAGE_SIZE / LINE - 1) / page_lines[class];

		for (; page != NULL; page = page->below) {
			assert(page->class == class);
			assert(page->used > 0 && page->used <= capacity);
			assert(page == store->top[class] ||
			       page->used == capacity); /* M1 */
			pages++;
		}
	}
	assert(pages + (store->spare != NULL) == store->page_count);
	for (depth = 0; depth <= TABLE_DEPTH_MAX; depth++)
		segments += store->at_depth[depth];
	assert(segments == t->segment_count);
}
