/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated disk: a `struct io` over files in memory that knows what a
 * power cut may leave behind.
 *
 * For each file there is a durable image and a live view; between them lies
 * one ordered list of pending units: sectors of 512 bytes, changes of a file's
 * size, changes of names.  fdatasync makes the units of one file durable,
 * sync_dir those of one directory, a write through IO_DSYNC its own.  A crash
 * picks any subset of what is pending.  Trailing zeros of a write are padding
 * and share the fate of the sector before them.
 *
 * Paths are plain strings; a directory is what stands before the last slash.
 * Clock and random bytes follow from the seed.  Calls lock a mutex, so that
 * helper threads may use it too; everything else is for one thread.
 */
#ifndef REDOUBT_TESTS_SIM_IO_H
#define REDOUBT_TESTS_SIM_IO_H

#include "base/io.h"

#define SIM_SECTOR 512

/* One bit per call that can be made to fail. */
enum sim_op {
	SIM_OPEN = 1,
	SIM_READ = 2,
	SIM_WRITE = 4,
	SIM_SYNC = 8,
	SIM_SYNC_DIR = 16,
	SIM_RENAME = 32,
	SIM_UNLINK = 64,
	SIM_TRUNCATE = 128,
	SIM_ALLOCATE = 256,
	SIM_LIST = 512,
	SIM_MKDIR = 1024,
	SIM_OTHER = 2048, /* close, size, drop_cache, lock */
	SIM_CHANGES = SIM_WRITE | SIM_SYNC | SIM_SYNC_DIR | SIM_RENAME |
		      SIM_UNLINK | SIM_TRUNCATE | SIM_ALLOCATE | SIM_MKDIR,
	SIM_ALL = 4095,
};

enum sim_short { SIM_SHORT_NO, SIM_SHORT_ONE, SIM_SHORT_HALF, SIM_SHORT_LESS };

/* What goes wrong, and when. Calls of `ops` are counted from 1. */
struct sim_fault {
	unsigned ops;
	uint64_t call;      /* 0: never */
	bool forever;       /* this and all later calls */
	int error;          /* a positive errno; 0: see below */
	enum sim_short cut; /* of a write: how much of it is done */
	int64_t misdirect;  /* of a write: bytes it lands off its place */
	/* A failed sync marks pages clean but loses them (part of them
	 * landed): readers of the page cache still see the lost bytes. */
	bool lose_pages;
};

struct sim;

/* An empty disk without a directory; the caller frees it. */
struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *s);

/* What the program under test gets. */
struct io *sim_io(struct sim *s);

/* From now on; calls are counted from 1 again. */
void sim_set_fault(struct sim *s, const struct sim_fault *f);
/* Calls of the fault's kind since it was set; total calls if none is. */
uint64_t sim_calls(const struct sim *s);

/* Syncs return 0 and make nothing durable from now on. */
void sim_lie(struct sim *s, bool lie);
/* All files together may take so many bytes; 0: no limit. */
void sim_limit(struct sim *s, uint64_t bytes);
bool sim_is_limited(const struct sim *s);
/* Opening with IO_DIRECT gives -EINVAL; allocate gives -EOPNOTSUPP. */
void sim_refuse(struct sim *s, bool direct, bool allocate);
/* Moves both clocks. */
void sim_advance_us(struct sim *s, uint64_t us);
void sim_step_wall_ms(struct sim *s, int64_t ms);

/* Called within each call that changes something, when its effect is pending
 * and nothing of it is durable: the moment to crash. */
typedef void sim_boundary_fn(void *ctx, enum sim_op op);

/* fn NULL: none. */
void sim_on_boundary(struct sim *s, sim_boundary_fn *fn, void *ctx);

/* How much a crash may pick from. */
size_t sim_pending(const struct sim *s);

enum sim_crash_kind {
	SIM_CRASH_PROCESS,     /* only the process died: all calls count */
	SIM_CRASH_NOTHING,     /* nothing pending landed */
	SIM_CRASH_ALL,         /* all of it did */
	SIM_CRASH_PREFIX,      /* the first `choice` units */
	SIM_CRASH_SUBSET,      /* unit i if bit i of choice is set */
	SIM_CRASH_ONE_MISSING, /* all but unit `choice` */
	SIM_CRASH_ONE_PRESENT, /* only unit `choice` */
	SIM_CRASH_RANDOM,      /* each with a probability, from the seed */
	SIM_CRASH_KINDS,
};

struct sim_crash {
	enum sim_crash_kind kind;
	uint64_t choice;
	uint64_t seed;
	bool garbage;    /* one sector that was being written is rubbish */
	bool both_names; /* a landed rename may leave the old name as well */
};

/* The disk after a crash: a new one, without handles, faults and hooks; its
 * random bytes follow from how->seed. The old one goes on. */
struct sim *sim_crash(const struct sim *s, const struct sim_crash *how);

/* Hash of the changes asked for since the start, and of names and bytes as
 * they are now. */
uint64_t sim_trace_hash(const struct sim *s);
uint64_t sim_hash(const struct sim *s);

/* For tests: the live bytes behind the back of the program. */
bool sim_exists(const struct sim *s, const char *path);
int64_t sim_peek(const struct sim *s, const char *path, uint64_t offset,
		 void *data, size_t size);
/* Durable at once; creates the file if missing; data NULL: zeros. */
void sim_poke(struct sim *s, const char *path, uint64_t offset,
	      const void *data, size_t size);
void sim_cut(struct sim *s, const char *path, uint64_t size);
void sim_remove(struct sim *s, const char *path);
void sim_copy_file(struct sim *s, const char *from, const char *to);

#endif
