/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The snapshotter's phases.
 *
 *   IDLE ─start─► WANTED ─begin─► WALKING ─all put─► SYNCING ─► WRITING
 *     ▲             ▲                │ lost, over       durable   │
 *     │             └── DROPPING ◄───┘ error                      │
 *     └───────────────────┴────────────── DONE or FAILED ◄────────┘
 *
 * I1. It begins between batches: the state walked is exactly that of
 *     last_lsn.
 * I2. The footer is written when the log is durable up to the snapshot's LSN:
 *     a snapshot never knows more than the log can prove.
 * I3. The engine thread waits for nothing: every phase polls.  (snapshotter_run
 *     is the exception, and says so.)
 * I4. The log is told what is covered after the file and its name are durable.
 * I5. Under load a slice takes at most SLICE_US, less in a long turn, and
 *     slices together about a tenth of the time; a quarter in turns without
 *     work, while somebody has asked for something lately.
 */
#include "engine/snapshotter.h"

#include <assert.h>
#include <poll.h>
#include <unistd.h>

#include "base/logline.h"
#include "base/mem.h"
#include "engine/giveback.h"
#include "engine/snapshot_policy.h"
#include "engine/snapshot_walk.h"

#define SLICE_US 100      /* under load */
#define SLICE_LATE_US 50  /* likewise, in a turn that has been long already */
#define SLICE_IDLE_US 200
#define TURN_LATE_US 150
#define SLICE_MIN_US 20   /* shorter ones are mostly looking at the clock */
#define LOAD_SHARE 10     /* a slice earns this many times itself */
#define LULL_SHARE 4      /* likewise, in an idle turn between busy ones */
#define LULL_US 20000     /* so long after a busy turn nobody is there */
#define QUEUE_MAX (4u << 20)   /* the walk stops */
#define QUEUE_LIMIT (16u << 20) /* the snapshot is given up */
#define ATTEMPTS_MAX 8
#define RETRY_US 500000
#define WAIT_MS 10

enum phase { IDLE, WANTED, WALKING, SYNCING, WRITING, DROPPING };

struct snapshotter {
	struct engine *e;
	enum phase phase;
	enum snapshot_reason reason;
	struct snapshot_writer *w;
	struct snapshot_walk *walk;
	struct snapshot_policy policy;
	struct err_message message; /* of the last failure */
	struct snapshotter_status st;
	uint64_t lsn;
	uint64_t began_us;
	uint64_t not_before_us; /* of the next attempt */
	uint64_t slice_end_us;
	uint64_t busy_us; /* when a turn last had work while walking */
	uint64_t dirty;    /* of stats.dirty when it began */
	unsigned attempts; /* given up in a row */
	bool again;        /* after DROPPING */
	bool urgent;       /* snapshotter_run: no pacing */
};

static uint64_t now_us(const struct snapshotter *s)
{
	return s->e->io->ops->mono_us(s->e->io);
}

struct snapshotter *snapshotter_new(struct engine *e)
{
	struct snapshotter *s = mem_calloc(1, sizeof(*s));

	s->e = e;
	s->st.last_ok = true;
	s->st.last_rewrite_ok = true;
	s->st.last_us = UINT64_MAX;
	s->st.last_rewrite_us = UINT64_MAX;
	s->st.last_save_ms = e->io->ops->wall_ms(e->io);
	snapshot_policy_init(&s->policy);
	return s;
}

void snapshotter_free(struct snapshotter *s)
{
	if (!s)
		return;
	snapshot_walk_free(s->walk);
	snapshot_close(s->w);
	mem_free(s);
}

void snapshotter_found(struct engine *e, const struct snapshotter_found *f)
{
	struct snapshotter *s = e->snapshotter;

	s->st.last_lsn = f->lsn;
	s->st.last_raw_bytes = f->raw_bytes;
	s->st.last_file_bytes = f->file_bytes;
	snapshot_policy_measured(&s->policy, f->replayed_bytes,
				 f->replayed_us);
}

bool snapshotter_start(struct engine *e, enum snapshot_reason reason)
{
	struct snapshotter *s = e->snapshotter;

	if (s->phase != IDLE)
		return false;
	s->phase = WANTED;
	s->reason = reason;
	s->not_before_us = 0;
	s->attempts = 0;
	return true;
}

/* --- begin and end ------------------------------------------------------ */

/* Counts of the databases that have keys; mem_free'd by the caller. */
static void count_dbs(const struct keyspace *ks, struct snapshot_meta *meta)
{
	uint32_t i;

	meta->dbs = mem_calloc(ks->db_count, sizeof(*meta->dbs));
	for (i = 0; i < ks->db_count; i++) {
		if (ks->dbs[i].keys.count == 0)
			continue;
		meta->dbs[meta->db_count].db = i;
		meta->dbs[meta->db_count].keys = ks->dbs[i].keys.count;
		meta->dbs[meta->db_count].deadlines =
			ks->dbs[i].deadline_count;
		meta->db_count++;
	}
}

bool snapshotter_has_failed(const struct engine *e)
{
	return e->snapshotter && !e->snapshotter->st.last_ok;
}

static void log_started(const struct snapshotter *s)
{
	if (s->reason == SNAPSHOT_REWRITE)
		log_line(LOG_LEVEL_NOTICE, "Background append only file "
			 "rewriting started by pid %d", (int)getpid());
	else
		log_line(LOG_LEVEL_NOTICE, "Background saving started by "
			 "pid %d", (int)getpid());
}

static void failed(struct snapshotter *s)
{
	s->st.failed++;
	s->st.last_ok = false;
	if (s->reason == SNAPSHOT_REWRITE)
		s->st.last_rewrite_ok = false;
	s->phase = IDLE;
	snapshot_policy_failed(&s->policy, now_us(s));
	log_line(LOG_LEVEL_WARNING, "Background saving error: %s",
		 s->message.text);
}

static void begin(struct snapshotter *s)
{
	struct engine *e = s->e;
	struct snapshot_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.level = (int)e->config->snapshot_level,
		.queue_max = QUEUE_MAX,
		.threads = e->threads,
		.completions = e->threads ? &e->completions : NULL,
		.keep = giveback_keep(e),
		.pace = snapshot_policy_pace,
		.pace_ctx = &s->policy,
	};
	struct snapshot_meta meta = {
		.store = e->store,
		.epoch = e->position->epoch,
		.lsn = e->position->last_lsn,
		.created_ms = e->now_ms,
		.history = *wal_epochs(e->wal),
	};
	int err;

	assert(e->batch.count == 0); /* I1 */
	assert(s->w == NULL && s->walk == NULL);
	count_dbs(&e->ks, &meta);
	err = snapshot_begin(&s->w, &o, &meta, &s->message);
	mem_free(meta.dbs);
	if (err) {
		failed(s);
		return;
	}
	s->walk = snapshot_walk_new(&e->ks, s->w, QUEUE_LIMIT);
	s->lsn = meta.lsn;
	s->dirty = e->stats.dirty;
	s->began_us = now_us(s);
	s->slice_end_us = s->began_us;
	s->st.slices_us = 0;
	s->st.reason = s->reason;
	s->phase = WALKING;
	log_started(s);
}

static void done(struct snapshotter *s)
{
	struct snapshotter_status *st = &s->st;
	struct engine *e = s->e;

	st->completed++;
	st->last_ok = true;
	st->last_us = now_us(s) - s->began_us;
	if (s->reason == SNAPSHOT_REWRITE) {
		st->last_rewrite_ok = true;
		st->last_rewrite_us = st->last_us;
	}
	st->last_save_ms = e->io->ops->wall_ms(e->io);
	st->last_lsn = s->lsn;
	st->last_raw_bytes = snapshot_raw_bytes(s->w);
	st->last_file_bytes = snapshot_file_bytes(s->w);
	e->stats.dirty -= s->dirty < e->stats.dirty ? s->dirty
						    : e->stats.dirty;
	wal_retain(e->wal, snapshot_oldest(s->w), s->lsn); /* I4 */
	snapshot_close(s->w);
	s->w = NULL;
	s->phase = IDLE;
	s->attempts = 0;
	snapshot_policy_succeeded(&s->policy);
	if (s->reason == SNAPSHOT_REWRITE)
		log_line(LOG_LEVEL_NOTICE, "Background AOF rewrite finished "
			 "successfully");
	else
		log_line(LOG_LEVEL_NOTICE, "Background saving terminated "
			 "with success");
	log_line(LOG_LEVEL_VERBOSE, "Snapshot at LSN %llu: %llu bytes in "
		 "%.3f seconds", (unsigned long long)s->lsn,
		 (unsigned long long)st->last_file_bytes,
		 (double)st->last_us / 1e6);
}

/* Stops what runs; `again`: it is wanted all the same. */
static void drop(struct snapshotter *s, bool again)
{
	snapshot_walk_free(s->walk);
	s->walk = NULL;
	snapshot_abort(s->w);
	s->again = again;
	s->phase = DROPPING;
}

/* The walk cannot go on. */
static void give_up(struct snapshotter *s, const char *why)
{
	uint64_t wait = (uint64_t)RETRY_US << s->attempts;

	s->st.aborted++;
	if (++s->attempts >= ATTEMPTS_MAX) {
		err_set(&s->message, ERR_FULL, "given up %u times: %s",
			s->attempts, why);
		drop(s, false);
		return;
	}
	log_line(LOG_LEVEL_NOTICE, "Background saving starts afresh: %s", why);
	drop(s, true);
	s->not_before_us = now_us(s) + wait;
}

void snapshotter_invalidate(struct engine *e)
{
	struct snapshotter *s = e->snapshotter;

	if (s->phase != WALKING)
		return;
	s->st.aborted++;
	drop(s, true);
	s->not_before_us = 0;
}

/* --- steps -------------------------------------------------------------- */

/* Microseconds the next slice may take; 0: not yet. (I5) */
static uint64_t slice_budget(struct snapshotter *s, uint64_t now, bool idle)
{
	uint64_t share = idle ? LULL_SHARE : LOAD_SHARE;
	uint64_t earned = (now - s->slice_end_us) / (share - 1);
	uint64_t most = SLICE_US;

	if (s->urgent)
		return SLICE_IDLE_US * 100;
	if (!idle)
		s->busy_us = now;
	if (now - s->busy_us > LULL_US)
		return SLICE_IDLE_US;
	if (earned < (idle ? SLICE_US : SLICE_MIN_US))
		return 0;
	if (now - s->e->now_us > TURN_LATE_US)
		most = SLICE_LATE_US;
	return earned < most ? earned : most;
}

static uint64_t step_walk(struct snapshotter *s, bool idle)
{
	uint64_t now = now_us(s), budget = slice_budget(s, now, idle);
	enum snapshot_walk_end end;
	bool stalled;

	if (budget == 0)
		return s->slice_end_us + (idle ? SLICE_US * LULL_SHARE
					       : SLICE_MIN_US * LOAD_SHARE);
	end = snapshot_walk_step(s->walk, s->e->io, now + budget, &stalled);
	s->slice_end_us = now_us(s);
	s->st.last_slice_us = s->slice_end_us - now;
	s->st.slices_us += s->st.last_slice_us;
	if (s->st.last_slice_us > s->st.max_slice_us && !s->urgent)
		s->st.max_slice_us = s->st.last_slice_us;
	switch (end) {
	case WALK_MORE:
		/* The worker's completion wakes us when there is room. */
		return stalled ? UINT64_MAX : 0;
	case WALK_DONE:
		snapshot_walk_free(s->walk);
		s->walk = NULL;
		s->phase = SYNCING;
		wal_sync_soon(s->e->wal);
		return 0;
	case WALK_LOST:
		snapshotter_invalidate(s->e);
		return 0;
	case WALK_OVER:
		give_up(s, "writes came faster than the disk took them");
		return 0;
	}
	return 0;
}

static uint64_t step_sync(struct snapshotter *s)
{
	struct engine *e = s->e;
	bool off = wal_level(e->wal) == WAL_OFF;

	if (!off && e->position->durable_lsn < s->lsn) /* I2 */
		return UINT64_MAX;
	snapshot_finish(s->w, off ? 0 : e->position->durable_lsn,
			off ? 0 : wal_sequence(e->wal));
	s->phase = WRITING;
	return 0;
}

static uint64_t step_drop(struct snapshotter *s)
{
	if (snapshot_state(s->w, NULL) == SNAPSHOT_RUNNING)
		return UINT64_MAX;
	snapshot_close(s->w);
	s->w = NULL;
	if (s->again)
		s->phase = WANTED;
	else
		failed(s);
	return 0;
}

/* What the writer says, in phases in which it runs. True: that was it. */
static bool ended(struct snapshotter *s)
{
	switch (snapshot_state(s->w, &s->message)) {
	case SNAPSHOT_RUNNING:
		return false;
	case SNAPSHOT_DONE:
		done(s);
		return true;
	case SNAPSHOT_FAILED:
		drop(s, false);
		return true;
	}
	return false;
}

/* One step of the phase at hand; 0: there is more to do at once. */
static uint64_t step(struct snapshotter *s, bool idle)
{
	switch (s->phase) {
	case IDLE:
		return UINT64_MAX;
	case WANTED:
		if (now_us(s) < s->not_before_us)
			return s->not_before_us;
		begin(s);
		return 0;
	case WALKING:
		return ended(s) ? 0 : step_walk(s, idle);
	case SYNCING:
		return ended(s) ? 0 : step_sync(s);
	case WRITING:
		return ended(s) ? 0 : UINT64_MAX;
	case DROPPING:
		return step_drop(s);
	}
	return UINT64_MAX;
}

uint64_t snapshotter_step(struct engine *e, bool idle)
{
	struct snapshotter *s = e->snapshotter;
	enum snapshot_reason reason;

	if (e->phase == ENGINE_LOADING || !e->wal)
		return UINT64_MAX;
	snapshot_policy_watch(&s->policy, e, s->phase != IDLE);
	if (s->phase == IDLE && e->phase == ENGINE_SERVING &&
	    snapshot_policy_due(&s->policy, e, &s->st, &reason))
		snapshotter_start(e, reason);
	return step(s, idle);
}

bool snapshotter_walking(const struct engine *e)
{
	return e->snapshotter && e->snapshotter->phase == WALKING;
}

/* Until a helper thread says something. */
static void wait_for_helpers(struct engine *e)
{
	struct pollfd p = { .fd = e->completions.event_file,
			    .events = POLLIN };

	if (!e->threads)
		return;
	poll(&p, 1, WAIT_MS);
	completion_drain(&e->completions);
	wal_poll(e->wal);
}

int snapshotter_run(struct engine *e, enum snapshot_reason reason,
		    struct err_message *m)
{
	struct snapshotter *s = e->snapshotter;
	uint64_t failures = s->st.failed;

	assert(e->batch.count == 0);
	if (s->phase == WALKING || s->phase == SYNCING || s->phase == WRITING)
		drop(s, true);
	if (wal_level(e->wal) != WAL_OFF && wal_sync_now(e->wal) != OK)
		return err_set(m, ERR_IO, "the log cannot be synced");
	if (s->phase == DROPPING)
		s->again = true;
	else
		s->phase = WANTED;
	s->reason = reason;
	s->not_before_us = 0;
	s->attempts = 0;
	s->urgent = true;
	while (s->phase != IDLE)
		if (step(s, true) != 0)
			wait_for_helpers(e);
	s->urgent = false;
	if (s->st.failed != failures) {
		if (m)
			*m = s->message;
		return ERR_IO;
	}
	return OK;
}

void snapshotter_status(const struct engine *e, struct snapshotter_status *out)
{
	const struct snapshotter *s = e->snapshotter;

	*out = s->st;
	out->active = s->phase != IDLE;
	out->running = s->w != NULL && s->phase != DROPPING;
	if (!out->running)
		return;
	out->reason = s->reason;
	out->elapsed_us = now_us(s) - s->began_us;
	out->raw_bytes = snapshot_raw_bytes(s->w);
	if (s->walk)
		snapshot_walk_progress(s->walk, &out->keys_done,
				       &out->keys_total);
}
