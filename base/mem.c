/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counting without contention: each of the first threads has a counter of its
 * own, which it changes with a plain load and store; later threads share the
 * last one, with an atomic add.  A counter may be negative (one thread
 * allocates, another frees); only the sum means something.
 */
#include "base/mem.h"

#include "base/checked.h"
#include "base/err.h"
#include "base/slab.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef REDOUBT_NO_JEMALLOC
#include <malloc.h>
#else
#include <jemalloc/jemalloc.h>
#endif

/* Read by jemalloc when it starts: unused pages go back to the system in a
 * thread of its own, never in the middle of a turn.  Without the last one that
 * is only half true: a free that joins unused pages to a run of more than that
 * many bytes (8 MB) gives the run back at once, and what is left of a big value
 * are many such runs. */
const char *malloc_conf =
	"background_thread:true,dirty_decay_ms:1000,oversize_threshold:0";

#define COUNTERS 16
#define COUNTER_SHARED (COUNTERS - 1)

struct counter {
	_Alignas(64) atomic_long bytes;
};

static struct counter counters[COUNTERS];
static atomic_int counters_taken;
static __thread struct counter *own; /* NULL until the thread's first use */

static struct counter *counter_take(void)
{
	int index = atomic_load(&counters_taken);

	while (index < COUNTER_SHARED &&
	       !atomic_compare_exchange_weak(&counters_taken, &index,
					     index + 1))
		;
	own = &counters[index < COUNTER_SHARED ? index : COUNTER_SHARED];
	return own;
}

static inline void count(long bytes)
{
	struct counter *c = own;

	if (__builtin_expect(c == NULL, 0))
		c = counter_take();
	if (c == &counters[COUNTER_SHARED])
		atomic_fetch_add_explicit(&c->bytes, bytes,
					  memory_order_relaxed);
	else
		atomic_store_explicit(
			&c->bytes,
			atomic_load_explicit(&c->bytes, memory_order_relaxed) +
				bytes,
			memory_order_relaxed);
}

void mem_count(ptrdiff_t bytes)
{
	count(bytes);
}

size_t mem_used(void)
{
	int i, last = atomic_load_explicit(&counters_taken,
					   memory_order_relaxed);
	long sum = (long)slab_bytes_used();

	for (i = 0; i <= last; i++)
		sum += atomic_load_explicit(&counters[i].bytes,
					    memory_order_relaxed);
	return sum < 0 ? 0 : (size_t)sum;
}

void mem_exhausted(size_t size)
{
	char text[96];
	int length = snprintf(text, sizeof(text),
			      "redoubt: out of memory: %zu bytes\n", size);
	ssize_t written = write(STDERR_FILENO, text, (size_t)length);

	(void)written;
	_exit(EXIT_MEMORY);
}

size_t mem_usable(const void *p)
{
	return malloc_usable_size((void *)p);
}

void *mem_try_alloc(size_t size)
{
	void *p = malloc(size);

	if (p != NULL)
		count((long)mem_usable(p));
	return p;
}

void *mem_alloc(size_t size)
{
	void *p = mem_try_alloc(size);

	if (__builtin_expect(p == NULL, 0))
		mem_exhausted(size);
	return p;
}

void *mem_calloc(size_t item_count, size_t size)
{
	size_t total;
	void *p;

	if (!size_mul(item_count, size, &total))
		mem_exhausted(SIZE_MAX);
	p = calloc(1, total);
	if (p == NULL)
		mem_exhausted(total);
	count((long)mem_usable(p));
	return p;
}

void *mem_realloc(void *p, size_t size)
{
	long before = p == NULL ? 0 : (long)mem_usable(p);
	void *moved = realloc(p, size == 0 ? 1 : size);

	if (moved == NULL)
		mem_exhausted(size);
	count((long)mem_usable(moved) - before);
	return moved;
}

void *mem_realloc_array(void *p, size_t item_count, size_t size)
{
	size_t total;

	if (!size_mul(item_count, size, &total))
		mem_exhausted(SIZE_MAX);
	return mem_realloc(p, total);
}

void mem_free(void *p)
{
	if (p == NULL)
		return;
	count(-(long)mem_usable(p));
	free(p);
}

void *mem_alloc_aligned(size_t align, size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, align, size) != 0)
		mem_exhausted(size);
	count((long)mem_usable(p));
	return p;
}

char *mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(mem_alloc(size), s, size);
}

#ifdef REDOUBT_NO_JEMALLOC

const char *mem_allocator_name(void)
{
	return "libc";
}

void mem_purge(void)
{
	malloc_trim(0);
}

void mem_stats(struct mem_stats *out)
{
	struct mallinfo2 info = mallinfo2();

	out->allocated = info.uordblks + info.hblkhd;
	out->active = info.arena + info.hblkhd;
	out->resident = info.arena + info.hblkhd;
}

#else

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *mem_allocator_name(void)
{
	return "jemalloc-" TEXT(JEMALLOC_VERSION_MAJOR) "." TEXT(
		JEMALLOC_VERSION_MINOR) "." TEXT(JEMALLOC_VERSION_BUGFIX);
}

void mem_purge(void)
{
	mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	mallctl("arena." TEXT(MALLCTL_ARENAS_ALL) ".purge", NULL, NULL, NULL,
		0);
}

/* The first arena, that of the main thread, is there before the setting is
 * looked at. */
__attribute__((constructor)) static void settle_first_arena(void)
{
	size_t never = SIZE_MAX;

	mallctl("arena.0.oversize_threshold", NULL, NULL, &never,
		sizeof(never));
}

static size_t jemalloc_counter(const char *name)
{
	size_t value = 0, size = sizeof(value);

	return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

void mem_stats(struct mem_stats *out)
{
	uint64_t epoch = 1;
	size_t size = sizeof(epoch);

	/* the counters are those of the last epoch: begin a new one */
	mallctl("epoch", &epoch, &size, &epoch, size);
	out->allocated = jemalloc_counter("stats.allocated");
	out->active = jemalloc_counter("stats.active");
	out->resident = jemalloc_counter("stats.resident");
}

#endif
