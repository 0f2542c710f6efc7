/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slab.
 *
 * A page serves one class and begins with its own header, which is found from
 * any of its objects by masking the address.  Each class allocates from one
 * current page: from its free list, else from the part never used yet.  When
 * that page is full, the fullest of the class's listed pages becomes current,
 * so that sparse pages can run empty and go back.
 *
 *              class_refill                    page used up
 *     listed ──────────────► current ────────────────────────► full
 *       ▲ │                                                      │
 *       │ └── page_lowered, by fullness, last one: empty ──┐     │
 *       └──────────────── page_lowered ────────────────────┼─────┘
 *                                                          ▼
 *     current ◄── page_take ── pool (resident) or cold (given back)
 *
 * S1. page->used counts the objects handed out; objects on the free list and
 *     above `fresh` are free.  Objects in `remote` count as used until they
 *     are collected.
 * S2. A page is current, listed (in the bin of its fullness), full, in the
 *     pool, lent as a whole, or cold.  Only a current page gives objects.
 * S3. Freeing has one branch: `mark` is the count at which a page must move,
 *     the lower edge of its bin, or MARK_NEVER for a current page.
 * S4. Other threads touch only `remote`, `remote_next` and `remote_pages`.
 *     `remote` is 0 or {head, tail, count} of a chain; who makes it non-zero
 *     queues the page, so a page is queued at most once.
 * S5. A cold page's memory is never read: its state is in its region's mask.
 */
#include "base/slab.h"

#include "base/mem.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define CLASSES (SLAB_SIZE_MAX / 8)
#define BINS 8
#define MARK_NEVER UINT16_MAX

#define REGION_PAGES 64
#define REGION_SIZE ((size_t)REGION_PAGES * SLAB_PAGE_SIZE)
#define REGION_ALIGN ((size_t)2 << 20)

/* Empty pages kept resident, and how many pages one collect takes in. */
#define POOL_MAX 64
#define COLLECT_PAGES_MAX 64

struct page {
	void *free;     /* chain of freed objects, last freed first */
	uint32_t fresh; /* offset of the part never handed out */
	uint32_t end;   /* offset behind the last object */
	uint16_t used;
	uint16_t mark; /* S3 */
	uint16_t capacity;
	uint8_t class_index;
	uint8_t bin;
	struct page *next, *prev; /* in its bin or in the pool */
	_Atomic(struct page *) remote_next;
	_Atomic uint64_t remote; /* S4 */
	uint32_t region;
	uint32_t unused;
};

_Static_assert(sizeof(struct page) == 64, "objects begin on a cache line");

struct size_class {
	struct page *current;
	struct page *bins[BINS];
	uint32_t bins_filled; /* bit b: bins[b] is not empty */
	uint32_t pages;       /* current, listed and full */
};

struct region {
	uint8_t *base;
	uint64_t cold; /* bit p: page p is not in use, its memory unmapped */
	uint64_t lent; /* bit p: somebody has page p as a whole */
};

/* Stands in for a current page that is full, so that the hot path needs no
 * test for a class that never had one. */
static struct page no_page = { .mark = MARK_NEVER };

static struct {
	size_t bytes_used; /* written by the engine thread only */
	size_t objects;
	struct size_class classes[CLASSES];
	struct page *pool;
	size_t pool_count;
	size_t page_count; /* without cold and lent ones */
	struct region *regions;
	uint32_t region_count, region_capacity;
	uint32_t cold_hint;          /* no region below has a cold page */
	struct page *remote_pending; /* taken from the queue, not yet served */
	bool huge;                   /* slab_huge */
} slab;

static _Atomic(struct page *) remote_pages;

__attribute__((constructor)) static void slab_init(void)
{
	int i;

	for (i = 0; i < CLASSES; i++)
		slab.classes[i].current = &no_page;
}

static inline struct page *page_of(const void *p)
{
	return (struct page *)((uintptr_t)p & ~(uintptr_t)(SLAB_PAGE_SIZE - 1));
}

static inline size_t page_object_size(const struct page *page)
{
	return ((size_t)page->class_index + 1) * 8;
}

/* A free object's first word is the link to the next.  Under ASan free
 * objects are poisoned, but for the moment in which the link is used. */
static inline void *link_get(void *object)
{
	void *next;

	ASAN_UNPOISON_MEMORY_REGION(object, sizeof(next));
	next = *(void **)object;
	ASAN_POISON_MEMORY_REGION(object, sizeof(next));
	return next;
}

static inline void link_set(void *object, void *next)
{
	ASAN_UNPOISON_MEMORY_REGION(object, sizeof(next));
	*(void **)object = next;
	ASAN_POISON_MEMORY_REGION(object, sizeof(next));
}

/* --- pages ------------------------------------------------------------- */

/* Reserves address space, aligned to the processor's huge pages. */
static uint8_t *map_region(void)
{
	size_t size = REGION_SIZE + REGION_ALIGN;
	uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before = -(uintptr_t)map & (REGION_ALIGN - 1);

	if (map == MAP_FAILED)
		mem_exhausted(size);
	if (before > 0)
		munmap(map, before);
	munmap(map + before + REGION_SIZE, REGION_ALIGN - before);
	if (slab.huge)
		madvise(map + before, REGION_SIZE, MADV_HUGEPAGE);
	return map + before;
}

static void region_add(void)
{
	struct region *region;

	if (slab.region_count == slab.region_capacity) {
		slab.region_capacity =
			slab.region_capacity ? slab.region_capacity * 2 : 64;
		slab.regions = mem_realloc_array(slab.regions,
						 slab.region_capacity,
						 sizeof(*slab.regions));
	}
	region = &slab.regions[slab.region_count];
	region->base = map_region();
	region->cold = UINT64_MAX;
	region->lent = 0;
#ifdef __SANITIZE_ADDRESS__
	/* what objects point to is not leaked */
	__lsan_register_root_region(region->base, REGION_SIZE);
#endif
	slab.region_count++;
}

/* The cold page at the lowest region: high ones then stay unused. */
static struct page *page_take_cold(uint32_t *region_index)
{
	struct region *region;
	int bit;

	while (slab.cold_hint < slab.region_count &&
	       slab.regions[slab.cold_hint].cold == 0)
		slab.cold_hint++;
	if (slab.cold_hint == slab.region_count)
		region_add();
	*region_index = slab.cold_hint;
	region = &slab.regions[slab.cold_hint];
	bit = __builtin_ctzll(region->cold);
	region->cold &= region->cold - 1;
	slab.page_count++;
	return (struct page *)(region->base + (size_t)bit * SLAB_PAGE_SIZE);
}

/* One call instead of sixteen page faults; a hint, its failure is none. */
static void page_populate(struct page *page)
{
#ifdef MADV_POPULATE_WRITE
	madvise(page, SLAB_PAGE_SIZE, MADV_POPULATE_WRITE);
#else
	(void)page;
#endif
}

/* An empty page, set up for a class and made its current one. */
static struct page *page_take(struct size_class *class, uint8_t class_index)
{
	size_t size = ((size_t)class_index + 1) * 8;
	struct page *page = slab.pool;
	uint32_t region;

	if (page != NULL) {
		slab.pool = page->next;
		slab.pool_count--;
		region = page->region;
	} else {
		page = page_take_cold(&region);
		/* a class with few objects touches only what it needs */
		if (class->pages > 1)
			page_populate(page);
	}
	*page = (struct page){
		.fresh = sizeof(*page),
		.mark = MARK_NEVER,
		.capacity = (uint16_t)((SLAB_PAGE_SIZE - sizeof(*page)) / size),
		.class_index = class_index,
		.region = region,
	};
	page->end = (uint32_t)(page->fresh + page->capacity * size);
	class->pages++;
	ASAN_POISON_MEMORY_REGION(page + 1, SLAB_PAGE_SIZE - sizeof(*page));
	return page;
}

static void page_give_back(struct page *page)
{
	struct region *region = &slab.regions[page->region];
	size_t bit = (size_t)((uint8_t *)page - region->base) / SLAB_PAGE_SIZE;

	assert(bit < REGION_PAGES);
	assert((region->cold >> bit & 1) == 0);
	if (page->region < slab.cold_hint)
		slab.cold_hint = page->region;
	ASAN_UNPOISON_MEMORY_REGION(page, SLAB_PAGE_SIZE);
	madvise(page, SLAB_PAGE_SIZE, MADV_DONTNEED);
	region->cold |= (uint64_t)1 << bit;
	slab.page_count--;
}

/* Into the pool. What is too much there leaves by slab_trim: objects freed in
 * no order empty their pages all at once in the end. */
static void page_put_aside(struct page *page)
{
	page->next = slab.pool;
	slab.pool = page;
	slab.pool_count++;
}

static void page_release(struct page *page)
{
	assert(page->used == 0);
	slab.classes[page->class_index].pages--;
	page_put_aside(page);
}

/* --- whole pages ------------------------------------------------------- */

/* The bit of a page in the masks of its region, whose index it gives. */
static uint64_t page_locate(const void *p, uint32_t *region)
{
	uint32_t i;

	for (i = 0; i < slab.region_count; i++) {
		size_t offset = (uintptr_t)p - (uintptr_t)slab.regions[i].base;

		if (offset >= REGION_SIZE)
			continue;
		*region = i;
		return (uint64_t)1 << offset / SLAB_PAGE_SIZE;
	}
	assert(!"a page of the slab");
	return 0;
}

void *slab_page_alloc(void)
{
	struct page *page = slab.pool;
	uint32_t region;
	uint64_t bit;

	if (page != NULL) {
		slab.pool = page->next;
		slab.pool_count--;
		ASAN_UNPOISON_MEMORY_REGION(page, SLAB_PAGE_SIZE);
	} else {
		page = page_take_cold(&region);
		page_populate(page);
	}
	bit = page_locate(page, &region);
	assert((slab.regions[region].lent & bit) == 0);
	slab.regions[region].lent |= bit;
	slab.page_count--;
	mem_count(SLAB_PAGE_SIZE);
	return page;
}

void slab_page_free(void *p)
{
	struct page *page = p;
	uint32_t region;
	uint64_t bit = page_locate(page, &region);

	assert(slab.regions[region].lent & bit);
	slab.regions[region].lent &= ~bit;
	slab.page_count++;
	mem_count(-(ptrdiff_t)SLAB_PAGE_SIZE);
	*page = (struct page){ .region = region };
	page_put_aside(page);
}

/* --- bins -------------------------------------------------------------- */

static void bin_insert(struct size_class *class, struct page *page,
		       unsigned bin)
{
	struct page **head = &class->bins[bin];

	page->prev = NULL;
	page->next = *head;
	if (*head != NULL)
		(*head)->prev = page;
	*head = page;
	class->bins_filled |= 1u << bin;
	page->bin = (uint8_t)bin;
	/* where it sinks into the next bin, or is empty */
	page->mark = bin == 0 ? 0 : (uint16_t)(page->capacity * bin / BINS);
}

static void bin_remove(struct size_class *class, struct page *page)
{
	if (page->prev != NULL)
		page->prev->next = page->next;
	else
		class->bins[page->bin] = page->next;
	if (page->next != NULL)
		page->next->prev = page->prev;
	if (class->bins[page->bin] == NULL)
		class->bins_filled &= ~(1u << page->bin);
}

#define BIN_NONE BINS /* page->bin of full and current pages */

/* The highest bin whose lower edge is below `used`. */
static unsigned bin_for(const struct page *page)
{
	unsigned bin = BINS - 1;

	while (bin > 0 && page->used <= (unsigned)page->capacity * bin / BINS)
		bin--;
	return bin;
}

/* A page sank to its mark: list it, move it down, or release it. */
static __attribute__((noinline)) void page_lowered(struct page *page)
{
	struct size_class *class = &slab.classes[page->class_index];

	if (page->bin != BIN_NONE)
		bin_remove(class, page);
	if (page->used == 0)
		page_release(page);
	else
		bin_insert(class, page, bin_for(page));
}

/* Retires the full current page and finds one with room.  A page that was
 * full is listed only when a 64th of it is free, so that it is worth the
 * visit. */
static __attribute__((noinline)) struct page *class_refill(uint8_t class_index)
{
	struct size_class *class = &slab.classes[class_index];
	struct page *page = class->current;

	if (page != &no_page) {
		assert(page->used == page->capacity);
		page->bin = BIN_NONE;
		page->mark =
			(uint16_t)(page->capacity - 1 - page->capacity / 64);
	}
	if (class->bins_filled != 0) {
		unsigned bin = 31 - (unsigned)__builtin_clz(class->bins_filled);

		page = class->bins[bin];
		bin_remove(class, page);
		page->bin = BIN_NONE;
		page->mark = MARK_NEVER;
	} else {
		page = page_take(class, class_index);
		page->bin = BIN_NONE;
	}
	class->current = page;
	return page;
}

/* --- objects ----------------------------------------------------------- */

static inline void bytes_used_add(size_t bytes)
{
	/* a plain add: one writer, readers take any recent value */
	__atomic_store_n(&slab.bytes_used, slab.bytes_used + bytes,
			 __ATOMIC_RELAXED);
}

/* Takes one object from a page that may be used up; NULL then. */
static inline void *page_alloc(struct page *page, size_t size)
{
	void *p = page->free;

	if (__builtin_expect(p != NULL, 1)) {
		page->free = link_get(p);
	} else if (page->fresh < page->end) {
		p = (uint8_t *)page + page->fresh;
		page->fresh += (uint32_t)size;
	} else {
		return NULL;
	}
	page->used++;
	return p;
}

void *slab_alloc(size_t size)
{
	size_t class_index = (size - 1) / 8; /* huge for 0 */
	size_t class_size = (class_index + 1) * 8;
	void *p;

	if (__builtin_expect(class_index >= CLASSES, 0))
		return mem_alloc(size);
	p = page_alloc(slab.classes[class_index].current, class_size);
	if (__builtin_expect(p == NULL, 0))
		p = page_alloc(class_refill((uint8_t)class_index), class_size);
	ASAN_UNPOISON_MEMORY_REGION(p, class_size);
	slab.objects++;
	bytes_used_add(class_size);
	return p;
}

void slab_free(void *p, size_t size)
{
	size_t class_index = (size - 1) / 8;
	struct page *page = page_of(p);

	if (__builtin_expect(class_index >= CLASSES, 0)) {
		mem_free(p);
		return;
	}
	assert(page->class_index == class_index);
	link_set(p, page->free);
	ASAN_POISON_MEMORY_REGION(p, (class_index + 1) * 8);
	page->free = p;
	slab.objects--;
	bytes_used_add(-((class_index + 1) * 8));
	if (__builtin_expect(--page->used == page->mark, 0))
		page_lowered(page);
}

size_t slab_usable(const void *p, size_t size)
{
	if (size - 1 < SLAB_SIZE_MAX)
		return slab_class_size(size);
	return mem_usable(p);
}

/* --- objects freed by other threads ------------------------------------ */

/* A chain in one word: offsets of head and tail, in units of 8 bytes, and a
 * count. Offset 0 is the page header, so no chain is 0. */
static inline uint64_t chain_make(uint64_t head, uint64_t tail, uint64_t count)
{
	return head | tail << 16 | count << 32;
}

static inline void *chain_head(struct page *page, uint64_t chain)
{
	return (uint8_t *)page + (chain & 0xffff) * 8;
}

static inline void *chain_tail(struct page *page, uint64_t chain)
{
	return (uint8_t *)page + (chain >> 16 & 0xffff) * 8;
}

static inline uint16_t chain_count(uint64_t chain)
{
	return (uint16_t)(chain >> 32);
}

static void remote_queue(struct page *page)
{
	struct page *head =
		atomic_load_explicit(&remote_pages, memory_order_relaxed);

	do {
		atomic_store_explicit(&page->remote_next, head,
				      memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(
		&remote_pages, &head, page, memory_order_release,
		memory_order_relaxed));
}

void slab_free_remote(void *p, size_t size)
{
	struct page *page = page_of(p);
	uint64_t offset, old, new;

	if (size - 1 >= SLAB_SIZE_MAX) {
		mem_free(p);
		return;
	}
	assert(page->class_index == (size - 1) / 8);
	ASAN_POISON_MEMORY_REGION(p, slab_class_size(size));
	offset = ((uintptr_t)p & (SLAB_PAGE_SIZE - 1)) / 8;
	old = atomic_load_explicit(&page->remote, memory_order_relaxed);
	do {
		if (old == 0) {
			link_set(p, NULL);
			new = chain_make(offset, offset, 1);
		} else {
			link_set(p, chain_head(page, old));
			new = chain_make(offset, old >> 16 & 0xffff,
					 chain_count(old) + 1u);
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&page->remote, &old, new, memory_order_acq_rel,
		memory_order_relaxed));
	if (old == 0)
		remote_queue(page);
}

/* Puts a page's remote chain in front of its free list. */
static void page_collect(struct page *page)
{
	uint64_t chain = atomic_exchange_explicit(&page->remote, 0,
						  memory_order_acq_rel);
	uint16_t count = chain_count(chain), before = page->used;

	assert(chain != 0);
	assert(count <= page->used);
	link_set(chain_tail(page, chain), page->free);
	page->free = chain_head(page, chain);
	page->used = (uint16_t)(before - count);
	slab.objects -= count;
	bytes_used_add(-(page_object_size(page) * count));
	if (page->mark != MARK_NEVER && page->used <= page->mark &&
	    before > page->mark)
		page_lowered(page);
}

void slab_collect(void)
{
	int i;

	if (slab.remote_pending == NULL &&
	    atomic_load_explicit(&remote_pages, memory_order_relaxed) == NULL)
		return;
	for (i = 0; i < COLLECT_PAGES_MAX; i++) {
		struct page *page = slab.remote_pending;

		if (page == NULL)
			page = atomic_exchange_explicit(&remote_pages, NULL,
							memory_order_acquire);
		if (page == NULL)
			return;
		/* read first: a page may be queued again once it is taken */
		slab.remote_pending = atomic_load_explicit(
			&page->remote_next, memory_order_relaxed);
		page_collect(page);
	}
}

void slab_huge(bool on)
{
	uint32_t i;

	for (i = 0; slab.huge && !on && i < slab.region_count; i++)
		madvise(slab.regions[i].base, REGION_SIZE, MADV_NOHUGEPAGE);
	slab.huge = on;
}

/* --- figures and checks ------------------------------------------------ */

size_t slab_bytes_used(void)
{
	return __atomic_load_n(&slab.bytes_used, __ATOMIC_RELAXED);
}

void slab_stats(struct slab_stats *out)
{
	*out = (struct slab_stats){
		.pages = slab.page_count,
		.pages_free = slab.pool_count,
		.objects = slab.objects,
		.bytes_used = slab.bytes_used,
	};
}

static void pool_shrink(void)
{
	struct page *page = slab.pool;

	slab.pool = page->next;
	page_give_back(page);
	slab.pool_count--;
}

bool slab_trim(unsigned pages)
{
	while (pages-- && slab.pool_count > POOL_MAX)
		pool_shrink();
	return slab.pool_count > POOL_MAX;
}

void slab_purge(void)
{
	while (slab.pool != NULL)
		pool_shrink();
}

/* S1, and that the free list stays inside the page. */
static void page_check(struct page *page)
{
	size_t size = page_object_size(page), free_count = 0;
	void *p;

	assert(page->used <= page->capacity);
	assert(page->fresh <= page->end);
	assert(page->end <= SLAB_PAGE_SIZE);
	for (p = page->free; p != NULL; p = link_get(p)) {
		size_t offset = (size_t)((uint8_t *)p - (uint8_t *)page);

		assert(page_of(p) == page);
		assert(offset >= sizeof(*page) && offset < page->fresh);
		assert((offset - sizeof(*page)) % size == 0);
		free_count++;
		assert(free_count <= page->capacity);
	}
	free_count += (page->end - page->fresh) / size;
	assert(page->used + free_count == page->capacity);
	assert(chain_count(atomic_load(&page->remote)) <= page->used);
}

/* S2 and S3; returns how many pages are listed. */
static size_t class_check(const struct size_class *class)
{
	struct page *page, *prev;
	size_t count = 0;
	unsigned bin;

	assert(class->current == &no_page ||
	       class->current->mark == MARK_NEVER);
	for (bin = 0; bin < BINS; bin++) {
		assert((class->bins[bin] != NULL) ==
		       (class->bins_filled >> bin & 1));
		prev = NULL;
		for (page = class->bins[bin]; page; page = page->next) {
			assert(page->bin == bin);
			assert(page->prev == prev);
			assert(page->used > page->mark);
			assert(&slab.classes[page->class_index] == class);
			prev = page;
			count++;
		}
	}
	return count;
}

/* Visits the pages of a region that are in use for objects. */
static void region_check(const struct region *region, size_t *bytes,
			 size_t *objects, size_t *pages)
{
	int i;

	for (i = 0; i < REGION_PAGES; i++) {
		struct page *page = (struct page *)(region->base +
						    (size_t)i * SLAB_PAGE_SIZE);

		if ((region->cold | region->lent) >> i & 1)
			continue;
		(*pages)++;
		assert(&slab.regions[page->region] == region);
		if (page->used == 0 &&
		    slab.classes[page->class_index].current != page)
			continue; /* in the pool */
		page_check(page);
		*bytes += page->used * page_object_size(page);
		*objects += page->used;
	}
}

void slab_check(void)
{
	size_t bytes = 0, objects = 0, pages = 0, pool = 0, listed = 0;
	size_t class_pages = 0;
	struct page *page;
	uint32_t i;

	for (i = 0; i < slab.region_count; i++)
		region_check(&slab.regions[i], &bytes, &objects, &pages);
	for (i = 0; i < CLASSES; i++) {
		listed += class_check(&slab.classes[i]);
		class_pages += slab.classes[i].pages;
	}
	for (page = slab.pool; page != NULL; page = page->next) {
		assert(page->used == 0);
		pool++;
	}
	assert(pool == slab.pool_count);
	assert(pages == slab.page_count);
	assert(class_pages + pool == pages);
	assert(listed <= class_pages);
	assert(bytes == slab.bytes_used);
	assert(objects == slab.objects);
}
