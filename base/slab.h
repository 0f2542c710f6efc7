/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small objects: size classes every 8 bytes up to 256, in 64 KiB pages.
 *
 * One process-wide slab for the engine thread.  The engine thread allocates
 * and frees without locks; any other thread may free with slab_free_remote,
 * which queues the object for the owner.  Bigger sizes pass through to
 * base/mem.h.  Objects are 8-aligned.  A page that becomes empty goes back to
 * a pool and, beyond a reserve, to the system (slab_trim).
 *
 * Callers know their sizes: every call names the size of the object, so that
 * no header is needed per object.
 */
#ifndef REDOUBT_BASE_SLAB_H
#define REDOUBT_BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_SIZE_MAX 256
#define SLAB_PAGE_SIZE 65536

/* size bytes, not cleared; never NULL (exit 71). Engine thread. */
void *slab_alloc(size_t size);

/* Gives back what slab_alloc(size) returned. Engine thread. */
void slab_free(void *p, size_t size);

/* As slab_free, from any other thread. */
void slab_free_remote(void *p, size_t size);

/* A whole page, aligned to its size, not cleared; never NULL. Counts as
 * allocated memory, not in slab_stats. Engine thread. */
void *slab_page_alloc(void);

/* Gives back what slab_page_alloc returned. Engine thread. */
void slab_page_free(void *page);

/* Takes in what other threads freed. Engine thread, once a turn. */
void slab_collect(void);

/* Bytes that an object of this size really takes (its class). */
static inline size_t slab_class_size(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* Usable bytes of the object p that was allocated with `size`. */
size_t slab_usable(const void *p, size_t size);

struct slab_stats {
	size_t pages;      /* 64 KiB pages held */
	size_t pages_free; /* of these, empty */
	size_t objects;    /* objects in use */
	size_t bytes_used; /* bytes in use, by class size */
};

/* Bytes in use, by class size; part of mem_used. Any thread. */
size_t slab_bytes_used(void);

/* Costs nothing. Engine thread. */
void slab_stats(struct slab_stats *out);

/* While on, new pages come from huge pages of the processor's: many lookups in
 * a row (loading) are faster by their TLB misses.  Off, what was huge stays so,
 * new pages are small: clearing a huge one takes a server long. */
void slab_huge(bool on);

/* Returns some of the empty pages beyond a reserve to the system, at most
 * `pages`; each takes some microseconds. True: there are more. Engine thread,
 * once a turn. */
bool slab_trim(unsigned pages);

/* Returns empty pages to the system. Engine thread. */
void slab_purge(void);

/* Invariants as code, for tests: free lists and page counts agree. */
void slab_check(void);

#endif
