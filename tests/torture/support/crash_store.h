/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine on the simulated disk with a memory of every state it has been
 * in: the oracle of crash_engine.c, crash_engine_fault.c and
 * crash_snapshot.c.
 *
 * Two sessions: one writes, one only reads.  A reply counts as acknowledged
 * when its gate is at or below the engine's release LSN; then the write that
 * it is about, or the write that it lets see, must be there after a crash.
 */
#ifndef REDOUBT_TESTS_CRASH_STORE_H
#define REDOUBT_TESTS_CRASH_STORE_H

#include "engine/engine.h"
#include "engine/snapshotter.h"
#include "tests/torture/support/crash.h"

#define CRASH_STORE "store"
#define CRASH_STATES_MAX 8192
#define CRASH_REPLIES_MAX 256
#define CRASH_KEYS 35 /* 5 of each type */
#define CRASH_DBS 2

/* The keyspace at the end of a batch. */
struct crash_state {
	uint64_t lsn;
	struct hash128 digest;
};

/* A reply that waits for its gate, and the LSN it tells of. */
struct crash_reply {
	uint64_t gate, lsn;
};

struct crash_store {
	struct engine *engine; /* NULL: closed */
	struct config *config; /* of the trace; CONFIG SET changes it */
	struct config *checks; /* of engines that only recover */
	struct session writer, reader;
	struct buf out, read;
	struct crash_bounds bounds;
	bool has_log;  /* it was on since the start */
	bool switched; /* it was off at some time */
	bool batch_open;
	bool fatal; /* host.fatal was called */
	char fatal_text[ERR_MESSAGE_SIZE];
	uint64_t changed[CRASH_DBS][CRASH_KEYS]; /* LSNs */
	uint64_t changed_all;
	uint64_t nested_max; /* highest LSN after a second crash */
	uint64_t snapshots;  /* completed, of the engine that runs */
	size_t reply_count;
	struct crash_reply replies[CRASH_REPLIES_MAX];
	size_t state_count;
	struct crash_state states[CRASH_STATES_MAX];
};

/* A closed store without a key; the configuration from the run's seed. */
struct crash_store *crash_store_new(struct crash_run *run);
void crash_store_free(struct crash_store *s);

/* An empty disk, run->sim. */
void crash_store_disk(struct crash_run *run);

/* Recovers on disk, compares with what was, and serves. False: crash_fail, or
 * an error that run->faulty allows. */
bool crash_store_open(struct crash_run *run, struct crash_store *s,
		      struct sim *disk);

/* Frees the engine without a write; or in order, with a snapshot if save. */
void crash_store_abandon(struct crash_store *s);
bool crash_store_close(struct crash_run *run, struct crash_store *s,
		       bool save);

/* Takes over what the engine says about positions and what was released. */
void crash_store_note(struct crash_store *s);

/* What a crash at this moment must leave. */
struct crash_bounds crash_store_bounds(struct crash_store *s);

/* Executes blank-separated words in the writing session. The start of the
 * reply: "" if there is none yet, since the command waits. */
const char *crash_store_run(struct crash_store *s, const char *line);

/* A random command of any type; values of up to size_max bytes. */
void crash_store_random(struct crash_run *run, struct crash_store *s,
			size_t size_max);

/* The reading session looks at a key. */
void crash_store_read(struct crash_run *run, struct crash_store *s);

/* The end of a turn, us microseconds after the last. */
void crash_store_turn(struct crash_store *s, struct sim *disk, uint64_t us,
		      bool idle);

/* Recovers disk as a start would and checks what it comes back with: within
 * b, a state that was, whole. *reached is its LSN. The engine is left in *out
 * (may be NULL). False: crash_fail, or an error that is allowed. */
bool crash_store_check(struct crash_run *run, struct crash_store *s,
		       struct sim *disk, const struct crash_bounds *b,
		       struct engine **out);

/* True if there is a file in the folder of snapshots whose name ends so. */
bool crash_store_has(struct sim *disk, const char *end);

#endif
