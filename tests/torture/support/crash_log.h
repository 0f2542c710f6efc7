/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log on the simulated disk with a memory of what was appended: the oracle
 * of crash_wal.c, crash_damage.c and crash_fault.c.
 */
#ifndef REDOUBT_TESTS_CRASH_LOG_H
#define REDOUBT_TESTS_CRASH_LOG_H

#include "tests/torture/support/crash.h"
#include "wal/cursor.h"
#include "wal/wal.h"

#define CRASH_DIR "store"
#define CRASH_NOTES_MAX 4096

/* One batch as it was appended. */
struct crash_note {
	uint64_t first_lsn;
	uint32_t count;
	uint64_t hash; /* of its records */
};

struct crash_log {
	struct wal *wal; /* NULL: closed */
	struct wal_options options;
	struct store_id store;
	struct wal_known known;
	struct crash_bounds bounds;
	struct batch batch;
	struct origin_cache cache[4];
	bool fatal; /* options.fatal was called */
	char fatal_text[ERR_MESSAGE_SIZE];
	size_t note_count;
	struct crash_note notes[CRASH_NOTES_MAX];
};

/* A closed log without records; options from the run's seed. */
struct crash_log *crash_log_new(struct crash_run *run);
void crash_log_free(struct crash_log *l);

/* Recovers and begins on disk. False: crash_fail, or fatal. */
bool crash_log_open(struct crash_run *run, struct crash_log *l,
		    struct sim *disk);
/* An empty store directory on a new disk, run->sim. */
void crash_log_disk(struct crash_run *run);

/* Frees the wal without a write. */
void crash_log_abandon(struct crash_log *l);
/* An orderly shutdown. */
void crash_log_close(struct crash_log *l);

/* Appends a batch of `count` records, `size` bytes each. */
void crash_log_append(struct crash_run *run, struct crash_log *l,
		      unsigned count, size_t size);
/* The end of a turn of the engine. */
void crash_log_turn(struct crash_log *l);
/* Takes over what the log says about positions. */
void crash_log_note(struct crash_log *l);
/* Forgets what was appended above lsn. */
void crash_log_forget(struct crash_log *l, uint64_t lsn);
/* A snapshot at lsn is durable: older ones than the one before it may go. */
void crash_log_snapshot(struct crash_log *l, uint64_t lsn);

/* Reads disk from the snapshot to lsn and compares with what was appended.
 * False: crash_fail. */
bool crash_log_compare(struct crash_run *run, const struct crash_log *l,
		       struct sim *disk, uint64_t lsn);

/* Recovers disk as a start would. Returns what wal_recover does; *last is the
 * LSN that was reached, by the log or by the snapshot. */
int crash_log_recover(struct crash_run *run, const struct crash_log *l,
		      struct sim *disk, uint64_t *last, struct err_message *m);

/* The same, then checks the bounds and the content; *reached is the LSN that
 * was. False: crash_fail. Refusals are failures. */
bool crash_log_check(struct crash_run *run, const struct crash_log *l,
		     struct sim *disk, const struct crash_bounds *b,
		     uint64_t *reached);

#endif
