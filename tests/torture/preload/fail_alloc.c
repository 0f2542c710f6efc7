/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goes in front of the allocator (LD_PRELOAD) and lets one allocation fail, or
 * all from one on, as the file that FAIL_CONTROL names says.  All of the
 * process, the program and its libraries; but not the pages that the allocator
 * maps for itself.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/torture/support/fail_control.h"

#define EARLY_SIZE 16384

/* What there is while the allocator is being looked for. */
static _Alignas(16) unsigned char early[EARLY_SIZE];
static size_t early_used;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void (*free)(void *);
} next;
static bool looking;
static struct fail_control *control;

static void *find(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

static void open_control(void)
{
	const char *path = getenv(FAIL_CONTROL);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	long map;

	if (fd < 0)
		return;
	map = syscall(SYS_mmap, NULL, sizeof(*control),
		      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
	if (map != -1)
		control = (struct fail_control *)map;
	close(fd);
}

/* False: it is being looked for right now. The first call comes before there
 * is a second thread. */
static bool ready(void)
{
	if (next.free)
		return true;
	if (looking)
		return false;
	looking = true;
	next.malloc = find("malloc");
	next.calloc = find("calloc");
	next.realloc = find("realloc");
	next.posix_memalign = find("posix_memalign");
	next.aligned_alloc = find("aligned_alloc");
	next.free = find("free");
	/* Its own beginning is not the program's business. */
	next.free(next.malloc(1));
	open_control();
	return true;
}

static void *early_alloc(size_t size)
{
	void *p = early + early_used;

	size = (size + 15) & ~(size_t)15;
	if (size > EARLY_SIZE - early_used)
		abort();
	early_used += size;
	return p;
}

static bool is_early(const void *p)
{
	return (const unsigned char *)p >= early &&
	       (const unsigned char *)p < early + EARLY_SIZE;
}

static bool fails(void)
{
	uint64_t call, at;

	if (!control)
		return false;
	call = atomic_fetch_add(&control->calls, 1) + 1;
	at = atomic_load(&control->fail_at);
	if (at == 0 || call < at ||
	    (call > at && !atomic_load(&control->forever)))
		return false;
	atomic_fetch_add(&control->failed, 1);
	errno = ENOMEM;
	return true;
}

/* The allocator's functions, each with one more way to fail. */
void *malloc(size_t size)
{
	if (!ready())
		return early_alloc(size);
	return fails() ? NULL : next.malloc(size);
}

/* see malloc */
void *calloc(size_t count, size_t size)
{
	if (!ready()) /* never used before: zero */
		return early_alloc(count * size);
	return fails() ? NULL : next.calloc(count, size);
}

/* see malloc */
void *realloc(void *p, size_t size)
{
	void *moved;

	if (!ready() || is_early(p)) {
		moved = malloc(size);
		if (p && moved)
			memcpy(moved, p, size);
		return moved;
	}
	return fails() ? NULL : next.realloc(p, size);
}

/* see malloc */
int posix_memalign(void **out, size_t align, size_t size)
{
	if (!ready())
		abort();
	return fails() ? ENOMEM : next.posix_memalign(out, align, size);
}

/* see malloc */
void *aligned_alloc(size_t align, size_t size)
{
	if (!ready())
		abort();
	return fails() ? NULL : next.aligned_alloc(align, size);
}

/* What came early stays. */
void free(void *p)
{
	if (p && !is_early(p) && ready())
		next.free(p);
}

/* The allocator's own pages: it does not survive it when they fail. */
static bool by_allocator(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname &&
	       strstr(info.dli_fname, "jemalloc");
}

/* Only what is asked for as memory: files are others' business. */
static bool map_fails(int flags, const void *caller)
{
	return control && (flags & MAP_ANONYMOUS) && !by_allocator(caller) &&
	       fails();
}

/* The system's, by both of its names. */
void *mmap(void *at, size_t size, int protection, int flags, int fd,
	   off_t offset)
{
	if (map_fails(flags, __builtin_return_address(0)))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd,
			       offset);
}

/* see mmap */
void *mmap64(void *at, size_t size, int protection, int flags, int fd,
	     off_t offset)
{
	if (map_fails(flags, __builtin_return_address(0)))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd,
			       offset);
}
