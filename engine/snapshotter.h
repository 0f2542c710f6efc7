/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The snapshotter: decides when a snapshot is due, walks the keyspace in
 * slices, hands the records to snapshot/, and tells the log what is covered.
 *
 *   idle ─start─► wanted ─step─► walking ─► syncing ─► writing ─► idle
 *                    ▲              │ flush, swap, overflow
 *                    └──────────────┘ counted
 *
 * A snapshot is the state at the last LSN of the turn in which it began.  One
 * runs at a time.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_SNAPSHOTTER_H
#define REDOUBT_ENGINE_SNAPSHOTTER_H

#include "base/err.h"
#include "engine/engine.h"

enum snapshot_reason {
	SNAPSHOT_BGSAVE,    /* BGSAVE, SAVE, a save rule */
	SNAPSHOT_REWRITE,   /* BGREWRITEAOF, growth of the log, recovery time */
	SNAPSHOT_SHUTDOWN,
};

/* Nothing runs yet; the caller frees it. */
struct snapshotter *snapshotter_new(struct engine *e);
/* Abandons what runs. */
void snapshotter_free(struct snapshotter *s);

/* Wants a snapshot: it begins at the end of this turn, when no batch is open.
 * False if one is wanted or runs already. */
bool snapshotter_start(struct engine *e, enum snapshot_reason reason);

/* A slice of work, and the triggers; called at the end of each turn, between
 * batches. idle: nothing was executed, so a slice may be longer. Returns when
 * it wants to be called again, us on the monotonic clock: 0 at once,
 * UINT64_MAX when something happens. */
uint64_t snapshotter_step(struct engine *e, bool idle);

/* Whether tables are being walked: a write may cost its whole bucket. */
bool snapshotter_walking(const struct engine *e);

/* The state is no longer the one being walked, in a way that the walk cannot
 * follow (a database was emptied or exchanged): starts afresh. Called by an
 * observer of its own for barrier records; others may. */
void snapshotter_invalidate(struct engine *e);

/* Takes a snapshot of the present state and waits for it: SHUTDOWN SAVE, DEBUG
 * RELOAD. What runs is dropped. OK or a negative enum err. No batch is open. */
int snapshotter_run(struct engine *e, enum snapshot_reason reason,
		    struct err_message *m);

/* What recovery found: the newest snapshot (lsn 0: none), and how many bytes of
 * batches it replayed in what time. */
struct snapshotter_found {
	uint64_t lsn;
	uint64_t raw_bytes;
	uint64_t file_bytes;
	uint64_t replayed_bytes;
	uint64_t replayed_us;
};

/* Once, at the end of recovery. */
void snapshotter_found(struct engine *e, const struct snapshotter_found *f);

/* For INFO, LASTSAVE and the commands. */
struct snapshotter_status {
	bool active;         /* wanted or running */
	bool running;
	enum snapshot_reason reason; /* of the one that runs or ran last */
	bool last_ok;        /* of the last that ended; true at the start */
	bool last_rewrite_ok; /* of the last with SNAPSHOT_REWRITE */
	uint64_t last_save_ms; /* wall clock of the last success, or start */
	uint64_t last_lsn;   /* of the newest snapshot; 0 = none */
	uint64_t last_us;    /* how long the last one took; UINT64_MAX: none */
	uint64_t last_rewrite_us;
	uint64_t elapsed_us; /* of the one that runs */
	uint64_t keys_done, keys_total;
	uint64_t raw_bytes;  /* of the one that runs, before compression */
	uint64_t last_raw_bytes; /* of the newest one */
	uint64_t last_file_bytes;
	uint64_t completed, failed, aborted; /* since the start */
	uint64_t last_slice_us, max_slice_us; /* on the engine thread */
	uint64_t slices_us; /* all slices of the last one, or of this one */
};

/* What runs and what the last one came to. */
void snapshotter_status(const struct engine *e, struct snapshotter_status *out);

/* Whether the last one that ended failed. */
bool snapshotter_has_failed(const struct engine *e);

#endif
