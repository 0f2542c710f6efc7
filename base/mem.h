/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that must be had: a failed allocation ends the process (exit 71).
 *
 * Sizes that a client names go through mem_try_alloc first.  Blocks above the
 * slab's classes (base/slab.h) come from here too.  Every byte is counted, for
 * INFO's used_memory.  Any thread.
 */
#ifndef REDOUBT_BASE_MEM_H
#define REDOUBT_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* size bytes, not cleared; never NULL (exit 71).  mem_free gives it back. */
void *mem_alloc(size_t size);

/* count * size bytes, all zero; the product is checked; never NULL. */
void *mem_calloc(size_t count, size_t size);

/* As realloc, never NULL. */
void *mem_realloc(void *p, size_t size);

/* As mem_realloc to count * size bytes; the product is checked. */
void *mem_realloc_array(void *p, size_t count, size_t size);

/* As mem_alloc, but NULL when it cannot be had. */
void *mem_try_alloc(size_t size);

/* p may be NULL. */
void mem_free(void *p);

/* Bytes usable behind p, at least what was asked for. */
size_t mem_usable(const void *p);

/* size bytes aligned to `align` (a power of two), for direct I/O. */
void *mem_alloc_aligned(size_t align, size_t size);

/* A copy of a C string. */
char *mem_strdup(const char *s);

/* Bytes in use through this header and the slab, by all threads. */
size_t mem_used(void);

/* Adds to (or takes from) the count: the slab's own accounting. */
void mem_count(ptrdiff_t bytes);

/* Name and version of the allocator, for INFO's mem_allocator. */
const char *mem_allocator_name(void);

/* Gives unused pages back to the system. */
void mem_purge(void);

struct mem_stats {
	size_t allocated;
	size_t active;
	size_t resident;
};

/* The allocator's own counters, bytes. */
void mem_stats(struct mem_stats *out);

/* Says what could not be had and ends the process with exit 71. */
void mem_exhausted(size_t size) __attribute__((noreturn));

#endif
