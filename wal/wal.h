/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: append, group commit, positions, recovery at start.
 *
 *   wal_open ──► (wal_cursor… replay) ──► wal_begin ──► wal_append … wal_close
 *   reads only                            cuts, seals,
 *                                         a new segment
 *
 * Three positions, in LSNs: last_lsn >= written_lsn >= durable_lsn.  A reply
 * may leave when what it depends on is at or below wal_release_lsn: durable
 * for `always`, written for `everysec` and `no`, last without a log.
 * The first error of a write or sync is final (options.fatal, exit 74).
 *
 * Engine thread, but where said.  FORMAT.md sections 2, 3 and 6.
 */
#ifndef REDOUBT_WAL_WAL_H
#define REDOUBT_WAL_WAL_H

#include "base/completion.h"
#include "base/err.h"
#include "base/io.h"
#include "wal/batch.h"
#include "wal/recover.h"
#include "wal/segment.h"

enum wal_level {
	WAL_OFF,      /* no log: a pure cache */
	WAL_NO,       /* written; the system decides when to sync */
	WAL_EVERYSEC, /* written; synced once a second */
	WAL_ALWAYS,   /* replies wait for the sync */
};

struct wal_options {
	struct io *io;
	const char *dir; /* of the store; the log is in dir/log */
	enum wal_level level;
	enum recovery_mode mode;
	uint64_t segment_size;
	uint64_t pending_max; /* bytes appended, not yet durable */
	uint64_t reserve;     /* bytes of room kept for freeing commands */
	bool threads; /* false: every step inline, for step-driven tests */
	struct completion_queue *completions; /* with threads: wakes engine */
	/* Called once, when a write or sync of the log failed; must not
	 * return in the server (exit code). message names file and LSNs. */
	void (*fatal)(void *ctx, int exit_code, const char *message);
	void *fatal_ctx;
};

/* Updated by wal_*; read by everybody in the engine thread. */
struct wal_position {
	uint64_t last_lsn;    /* appended */
	uint64_t written_lsn; /* write returned */
	uint64_t durable_lsn; /* sync returned */
	uint32_t epoch;
};

struct wal_stats {
	uint64_t payload_bytes;  /* batches appended since the start */
	uint64_t retained_lsn;   /* what is newer is kept: see wal_retain */
	uint64_t payload_since_retain; /* since the newest snapshot's LSN */
	uint64_t file_bytes;     /* written to files, with padding */
	uint64_t groups;
	uint64_t syncs;
	uint64_t sync_us_last;
	uint64_t sync_us_max;
	uint64_t oldest_unsynced_ms; /* age of it, 0 = none */
	uint64_t segment_sequence;
	uint32_t segments;       /* files in use or sealed */
	uint32_t spares;
	uint64_t room;           /* bytes that can be appended for sure */
	bool is_short;           /* see wal_short */
	uint64_t pending_bytes;  /* appended, not durable */
	uint64_t inline_commits;
};

struct wal;

/*
 * Reads the directory and decides, by the table of FORMAT.md section 6, what
 * of it is valid.  Writes nothing.  store is the identity to expect, or all
 * zeros if no snapshot tells: then it is filled from the log, or, if there is
 * none, made up: a new store.  A directory without a log is an empty log.
 * known says what snapshots prove.
 * OK, ERR_CORRUPT (exit 65), ERR_IO (74), ERR_VERSION (78); m explains.
 */
int wal_open(struct wal **out, const struct wal_options *options,
	     struct store_id *store, const struct wal_known *known,
	     struct err_message *m);

/* What wal_open found; valid until wal_begin. */
const struct wal_recovery *wal_recovery(const struct wal *w);

/*
 * After replay: makes the recovered tail durable, copies torn bytes aside,
 * seals at the cut, begins a new epoch unless it was shut down, opens a segment
 * and starts the threads.  last_lsn is what replay has reached (it may be
 * above the log's end when a snapshot is newer: then a base segment begins).
 * On a full disk it may begin without a segment: then wal_room says no until
 * there is one.
 */
int wal_begin(struct wal *w, uint64_t last_lsn, struct err_message *m);

/* Writes and syncs what is appended, seals, and frees w. */
int wal_close(struct wal *w, struct err_message *m);

/* Frees w without writing a byte: after a fatal error, and in tests. */
void wal_abandon(struct wal *w);

/* Closes the batch: its records have the LSNs last_lsn + 1 … + count. Copies
 * what it needs; the caller resets b. Never waits. */
void wal_append(struct wal *w, const struct batch *b);

/* What the loop knows at the end of a turn. */
struct wal_turn {
	bool alone; /* one active connection lately, no timer or link due */
	uint64_t now_us;
};

/* End of a turn: writes, or submits, the open group if its time has come.
 * May move written_lsn and durable_lsn. */
void wal_turn(struct wal *w, const struct wal_turn *turn);

/* Takes in what helper threads finished (their completions call it too). */
void wal_poll(struct wal *w);

/* When wal_turn wants to be called again at the latest, us on the monotonic
 * clock (idle mark, everysec sync); UINT64_MAX if nothing is due. */
uint64_t wal_deadline_us(const struct wal *w);

/* The positions now; points into w. */
const struct wal_position *wal_position(const struct wal *w);

/* The position up to which replies may leave, by the level in force. */
uint64_t wal_release_lsn(const struct wal *w);

/* Whether `bytes` more payload can be appended for sure, with the reserve
 * kept; with `freeing` the reserve counts too. Asked before the first emit. */
bool wal_room(struct wal *w, uint64_t bytes, bool freeing);

/* Whether the disk has no place for the next segment. What can be given back
 * should be. */
bool wal_short(const struct wal *w);

/* True when pending_max is exceeded: writers are parked at dispatch. */
bool wal_congested(const struct wal *w);

/* Starts a sync of everything appended; durable_lsn follows. For WAITAOF and
 * SHUTDOWN under the weaker levels. */
void wal_sync_soon(struct wal *w);

/* Waits until everything appended is durable. OK or ERR_IO. */
int wal_sync_now(struct wal *w);

/* The level in force. */
enum wal_level wal_level(const struct wal *w);

/* Switches the level. To a weaker one what is held is released. OFF to on is
 * two steps: a snapshot at last_lsn must be durable first (the caller's), then
 * a base segment begins. OK, ERR_IO, ERR_FULL; m explains. */
int wal_set_level(struct wal *w, enum wal_level level, struct err_message *m);

/* Everything up to lsn is covered by the older of two kept snapshots:
 * segments wholly at or below may be recycled. newest_lsn is the newest
 * snapshot's LSN: payload_since_retain counts from there. */
void wal_retain(struct wal *w, uint64_t lsn, uint64_t newest_lsn);

/* Sequence number of the newest segment that the disk knows to be in use: what
 * a snapshot's footer names. (last_lsn may lie in one that is not yet.) */
uint64_t wal_sequence(const struct wal *w);

/* Epochs and their first LSNs; points into w. */
const struct epoch_history *wal_epochs(const struct wal *w);

/* Counters since the start. */
void wal_stats(const struct wal *w, struct wal_stats *out);

/* Invariants as code, for tests: positions, group bounds, spare list. */
void wal_check(const struct wal *w);

#endif
