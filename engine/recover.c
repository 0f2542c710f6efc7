/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery: from a directory to a keyspace.
 *
 *   lock ─► snapshots, newest first ─► wal_open ─► replay ─► wal_begin
 *           (bad: the next older)      decides               writes
 *
 * I1. Nothing is written but the lock file before wal_begin, that is before
 *     everything has been read and decided.
 * I2. A snapshot is believed when its last byte has been checked.  If it turns
 *     out bad in the middle, the keyspace is thrown away and the next older
 *     one is loaded; what the bad one proves about the log still counts (T9).
 * I3. The log is replayed whatever the level in force: switching it off never
 *     forgets what it holds.
 * I4. What is loaded has a durable name before anything is written that relies
 *     on it: a process may have died between the rename and its sync.
 * I5. Replay asks no clock and no configuration for what to apply.
 */
#include "engine/recover.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/logline.h"
#include "base/mem.h"
#include "base/slab.h"
#include "engine/apply_load.h"
#include "engine/snapshotter.h"
#include "engine/value_ops.h"
#include "wal/cursor.h"

#define READER_THREADS 1 /* besides the one that decodes records */
#define PROGRESS_US 2000000
#define LISTEN_US 10000 /* how long a client may wait for "-LOADING" */
#define RESERVE_SHARE 32 /* of a segment: kept for freeing commands */
#define RESERVE_MIN (512u << 10)

struct recovery {
	struct engine *e;
	struct snapshot_name *names; /* newest first */
	int count;
	int used; /* index of the one loaded; -1: none */
	struct wal_known known;
	struct snapshotter_found found;
	uint64_t began_us;
	uint64_t said_us; /* of the last progress line */
	uint64_t asked_us; /* when clients were last listened to */
	size_t keys;       /* there at the last look */
	uint64_t file_size; /* of the snapshot loaded */
	struct snapshot_reader *reader; /* while one is loaded */
};

static uint64_t now_us(const struct recovery *r)
{
	return r->e->io->ops->mono_us(r->e->io);
}

/* --- progress ------------------------------------------------------------ */

static void listen_now(struct recovery *r)
{
	struct engine *e = r->e;

	r->asked_us = now_us(r);
	if (e->host.loading)
		e->host.loading(e->host.ctx);
}

/* key-load-delay: microseconds a key, for tests of what goes on meanwhile. */
static void linger(struct recovery *r)
{
	size_t keys = keyspace_count(&r->e->ks);
	uint64_t more = keys > r->keys ? keys - r->keys : 0;
	uint64_t until =
		now_us(r) + more * (uint64_t)r->e->config->key_load_delay_us;

	r->keys = keys;
	while (now_us(r) < until) {
		usleep(LISTEN_US / 10);
		listen_now(r);
	}
}

static void progress(struct recovery *r, uint64_t done)
{
	struct engine *e = r->e;
	uint64_t now = now_us(r);

	e->loading_done = done;
	if (now - r->asked_us >= LISTEN_US)
		listen_now(r);
	if (e->config->key_load_delay_us > 0)
		linger(r);
	if (now - r->said_us < PROGRESS_US || e->loading_total == 0)
		return;
	r->said_us = now;
	log_line(LOG_LEVEL_NOTICE, "Loading: %.0f %%, %zu keys",
		 100.0 * (double)done / (double)e->loading_total,
		 keyspace_count(&e->ks));
}

/* --- snapshots ----------------------------------------------------------- */

static void start_keyspace(struct engine *e)
{
	if (e->ks.dbs)
		keyspace_release(&e->ks);
	keyspace_init(&e->ks, e->config, e->store.hash_key);
	e->ks.index_now_ms = e->now_ms;
	e->ks.new_access = e->lru_clock;
}

static void read_some(void *ctx, uint64_t bytes)
{
	struct recovery *r = ctx;
	uint64_t done;

	(void)bytes;
	snapshot_progress(r->reader, &done, &r->e->loading_total);
	progress(r, done);
}

static int load_batches(struct recovery *r, struct err_message *m)
{
	struct engine *e = r->e;
	struct loader_options o = {
		.ks = &e->ks,
		.reader = r->reader,
		.threads = e->threads,
		.progress = read_some,
		.ctx = r,
	};
	int err;

	err = loader_presize(&e->ks, snapshot_reader_meta(r->reader),
			     r->file_size, m);
	return err ? err : loader_run(&o, NULL, m);
}

/* Loads one into an empty keyspace. ERR_CORRUPT: try the next. (I2) */
static int load_snapshot(struct recovery *r, const struct snapshot_name *name,
			 struct err_message *m)
{
	struct engine *e = r->e;
	struct snapshot_reader_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.name = name->name,
		.threads = e->threads ? READER_THREADS : 0,
	};
	const struct snapshot_footer *footer;
	uint64_t done;
	int err;

	err = snapshot_open(&r->reader, &o, m);
	if (err)
		return err;
	footer = snapshot_reader_footer(r->reader);
	e->store = snapshot_reader_meta(r->reader)->store;
	if (footer->durable_lsn > r->known.durable_lsn)
		r->known.durable_lsn = footer->durable_lsn;
	if (footer->sequence > r->known.sequence)
		r->known.sequence = footer->sequence;
	snapshot_progress(r->reader, &done, &r->file_size);
	start_keyspace(e);
	err = load_batches(r, m);
	if (err == ERR_UNFIT)
		err = ERR_CORRUPT;
	r->found = (struct snapshotter_found){
		.lsn = name->lsn,
		.raw_bytes = footer->raw_bytes,
		.file_bytes = r->file_size,
	};
	snapshot_reader_close(r->reader);
	r->reader = NULL;
	return err;
}

/* The LSN of the older one that is kept, if its ends can be read. */
static void find_older(struct recovery *r)
{
	struct engine *e = r->e;
	int i;

	r->known.oldest_lsn = r->known.snapshot_lsn;
	for (i = r->used + 1; i < r->count; i++) {
		struct snapshot_reader_options o = {
			.io = e->io,
			.dir = e->config->dir,
			.name = r->names[i].name,
		};
		struct snapshot_reader *reader;

		if (snapshot_open(&reader, &o, NULL) != OK)
			continue;
		snapshot_reader_close(reader);
		r->known.oldest_lsn = r->names[i].lsn;
	}
}

static int load_newest(struct recovery *r, struct err_message *m)
{
	int i;

	for (i = 0; i < r->count; i++) {
		const struct snapshot_name *name = &r->names[i];
		int err = load_snapshot(r, name, m);

		/* It got its name when the log was durable up to it. */
		if (name->lsn > r->known.durable_lsn)
			r->known.durable_lsn = name->lsn;
		if (err == OK) {
			r->used = i;
			r->known.snapshot_lsn = name->lsn;
			r->known.snapshot_epoch = name->epoch;
			find_older(r);
			return OK;
		}
		if (err != ERR_CORRUPT)
			return err;
		log_line(LOG_LEVEL_WARNING, "Snapshot damaged, trying an "
			 "older one and the log: %s", m->text);
		r->found = (struct snapshotter_found){ 0 };
	}
	/* None is good: the store's identity is for the log to tell. */
	if (r->e->ks.dbs)
		keyspace_release(&r->e->ks);
	r->e->store = (struct store_id){ 0 };
	return OK;
}

/* Takes the names of damaged ones away, so that they do not count among those
 * that are kept. */
static void set_bad_aside(struct recovery *r)
{
	const struct io_ops *ops = r->e->io->ops;
	int i, good = r->used < 0 ? r->count : r->used;

	for (i = 0; i < good; i++) {
		struct buf from = { 0 }, to = { 0 };

		buf_printf(&from, "%s/snap/%s%c", r->e->config->dir,
			   r->names[i].name, 0);
		buf_printf(&to, "%s/snap/%s.bad%c", r->e->config->dir,
			   r->names[i].name, 0);
		if (ops->rename(r->e->io, (char *)from.data,
				(char *)to.data) == 0)
			log_line(LOG_LEVEL_WARNING, "Damaged snapshot set "
				 "aside as %s", (char *)to.data);
		buf_release(&from);
		buf_release(&to);
	}
}

/* --- the log ------------------------------------------------------------- */

static void log_failed(void *ctx, int exit_code, const char *message)
{
	struct engine *e = ctx;

	if (e->host.fatal) {
		e->host.fatal(e->host.ctx, exit_code, message);
		return;
	}
	log_line(LOG_LEVEL_WARNING, "%s", message);
	_exit(exit_code);
}

static enum wal_level level_of(const struct config *c)
{
	static const enum wal_level levels[] = { WAL_NO, WAL_EVERYSEC,
						 WAL_ALWAYS };

	assert(c->appendfsync >= 0 && c->appendfsync <= 2);
	return c->appendonly ? levels[c->appendfsync] : WAL_OFF;
}

/* Room for commands that free, kept when the disk is full: some of them, and
 * a turn of expiry. */
static uint64_t reserve_of(const struct config *c)
{
	uint64_t segment = (uint64_t)c->segment_size;
	uint64_t reserve = segment / RESERVE_SHARE;

	if (reserve < RESERVE_MIN)
		reserve = RESERVE_MIN;
	return reserve < segment / 4 ? reserve : segment / 4;
}

/* Of a log that lacks what a damaged snapshot had: the snapshot is the reason.
 * What can be had without it is for a human to accept. */
static int blame_snapshot(const struct recovery *r, int err,
			  struct err_message *m)
{
	struct err_message text = *m;

	if (err != ERR_CORRUPT || r->count == 0 || r->used == 0)
		return err;
	return err_set(m, err, "snapshot %s/snap/%s is damaged, and the log "
		       "does not make up for it: %.500s (to start from what "
		       "is older, move the damaged file away)",
		       r->e->config->dir, r->names[0].name, text.text);
}

static int open_log(struct recovery *r, struct err_message *m)
{
	struct engine *e = r->e;
	const struct config *c = e->config;
	struct wal_options o = {
		.io = e->io,
		.dir = c->dir,
		.level = level_of(c),
		.mode = (enum recovery_mode)c->recovery_mode,
		.segment_size = (uint64_t)c->segment_size,
		.pending_max = (uint64_t)c->wal_pending_max,
		.reserve = reserve_of(c),
		.threads = e->threads,
		.completions = &e->completions,
		.fatal = log_failed,
		.fatal_ctx = e,
	};
	const struct wal_recovery *found;
	int err;

	err = wal_open(&e->wal, &o, &e->store, &r->known, m);
	if (err)
		return blame_snapshot(r, err, m);
	found = wal_recovery(e->wal);
	if (r->count == 0 && found->segment_count == 0 &&
	    found->spare_count == 0 && o.level != WAL_OFF)
		return store_may_create(e->io, c, m);
	return OK;
}

/* Whether snapshot and log join without a gap. */
static int check_cover(const struct recovery *r, const struct wal_recovery *w,
		       struct err_message *m)
{
	uint64_t have = r->known.snapshot_lsn;

	if (w->last_lsn > have && w->first_lsn > have + 1)
		return err_set(m, ERR_CORRUPT,
			       "LSN %" PRIu64 " to %" PRIu64 " are in no "
			       "snapshot that can be read and not in the log: "
			       "put back what is missing from a backup of %s",
			       have + 1, w->first_lsn - 1,
			       r->e->config->dir);
	/* Also of a store without a log: T9 needs one. */
	if (r->known.durable_lsn > have && r->known.durable_lsn > w->last_lsn)
		return err_set(m, ERR_CORRUPT,
			       "a snapshot of LSN %" PRIu64 " is damaged and "
			       "the log ends at %" PRIu64 ": to go back to LSN "
			       "%" PRIu64 ", move the damaged file out of "
			       "%s/snap", r->known.durable_lsn, w->last_lsn,
			       have > w->last_lsn ? have : w->last_lsn,
			       r->e->config->dir);
	return OK;
}

static void replayed_some(void *ctx, uint64_t bytes)
{
	struct recovery *r = ctx;

	progress(r, r->file_size + bytes);
}

/* A message that says where the log is to be looked at. */
static int explain(const struct recovery *r, const struct wal_cursor *c,
		   int err, struct err_message *m)
{
	struct cursor_place at = wal_cursor_place(c);
	struct err_message text = *m;

	if (err != ERR_UNFIT)
		return err;
	return err_set(m, ERR_CORRUPT,
		       "replay stopped in segment %" PRIu64 " near offset %"
		       PRIu64 ": %.400s; look with: redoubt-log cat %s",
		       at.sequence, at.offset, text.text, r->e->config->dir);
}

static int replay(struct recovery *r, const struct wal_recovery *w,
		  struct err_message *m)
{
	struct engine *e = r->e;
	struct cursor_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.first_lsn = r->known.snapshot_lsn + 1,
		.last_lsn = w->last_lsn,
		.direct = !w->clean,
	};
	struct loader_options load = {
		.ks = &e->ks,
		.first_lsn = o.first_lsn,
		.threads = e->threads,
		.progress = replayed_some,
		.ctx = r,
	};
	struct wal_cursor *c;
	uint64_t began = now_us(r);
	int err;

	if (w->last_lsn <= r->known.snapshot_lsn)
		return OK;
	e->loading_total = r->file_size + w->payload_bytes;
	err = wal_cursor_open(&c, &o, m);
	if (err)
		return err;
	load.cursor = c;
	err = loader_run(&load, &r->found.replayed_bytes, m);
	if (err)
		err = explain(r, c, err, m);
	r->found.replayed_us = now_us(r) - began;
	wal_cursor_close(c);
	if (!err && e->ks.applied_lsn != w->last_lsn)
		err = err_set(m, ERR_CORRUPT, "replay ended at LSN %" PRIu64
			      ", the log at %" PRIu64, e->ks.applied_lsn,
			      w->last_lsn);
	return err;
}

/* --- all of it ----------------------------------------------------------- */

static void say_loaded(const struct recovery *r, bool replayed)
{
	double seconds = (double)(now_us(r) - r->began_us) / 1e6;

	if (replayed)
		log_line(LOG_LEVEL_NOTICE, "DB loaded from append only file: "
			 "%.3f seconds", seconds);
	else if (r->used >= 0)
		log_line(LOG_LEVEL_NOTICE, "DB loaded from disk: %.3f seconds",
			 seconds);
	log_line(LOG_LEVEL_NOTICE,
		 "%zu keys at LSN %" PRIu64 ", epoch %" PRIu32,
		 keyspace_count(&r->e->ks), r->e->ks.applied_lsn,
		 r->e->position->epoch);
}

/* What is left over from before, after everything was decided. */
static void tidy_up(struct recovery *r)
{
	struct engine *e = r->e;
	unsigned keep = (unsigned)e->config->retain_snapshots;
	bool enough = r->used >= 0 && r->count - r->used >= (int)keep;
	struct err_message m;

	set_bad_aside(r);
	if (snapshot_prune(e->io, e->config->dir, keep, &m))
		log_line(LOG_LEVEL_WARNING, "%s", m.text);
	/* The log is needed until as many snapshots stand as shall. */
	wal_retain(e->wal, enough ? r->known.oldest_lsn : 0,
		   r->known.snapshot_lsn);
}

static int recover(struct recovery *r, struct err_message *m)
{
	struct engine *e = r->e;
	const struct wal_recovery *w;
	uint64_t last;
	int err;

	err = load_newest(r, m);
	if (!err)
		err = open_log(r, m);
	if (err)
		return err;
	w = wal_recovery(e->wal);
	if (!e->ks.dbs)
		start_keyspace(e);
	err = check_cover(r, w, m);
	if (!err)
		err = replay(r, w, m);
	if (err)
		return err;
	last = e->ks.applied_lsn;
	if (r->count > 0) /* I4 */
		err = snapshot_sync_names(e->io, e->config->dir, m);
	if (!err)
		err = wal_begin(e->wal, last, m); /* I1 */
	if (err)
		return err;
	values_loading(false); /* what was put off is done */
	e->position = wal_position(e->wal);
	assert(e->position->last_lsn == last);
	tidy_up(r);
	snapshotter_found(e, &r->found);
	say_loaded(r, r->found.replayed_bytes > 0);
	return OK;
}

int engine_lock(struct engine *e, struct err_message *m)
{
	struct io *io = e->io;

	assert(e->phase == ENGINE_LOADING);
	if (e->lock)
		return OK;
	/* A directory that is not there is not made to hold nothing. */
	if (!e->config->create_store &&
	    io->ops->mode(io, e->config->dir) == -ENOENT)
		return err_set(m, ERR_CONFIG, "there is no directory %s, and "
			       "create-store is no: is the right file system "
			       "mounted?", e->config->dir);
	return store_lock(&e->lock, e->io, e->config->dir, m);
}

int engine_recover(struct engine *e, struct err_message *m)
{
	struct recovery r = { .e = e, .used = -1 };
	int err;

	assert(e->phase == ENGINE_LOADING);
	err = engine_lock(e, m);
	if (err)
		return err;
	if (e->threads && e->completions.event_file < 0) {
		err = completion_open(&e->completions);
		if (err)
			return err_set(m, ERR_IO, "eventfd: %s",
				       strerror(-err));
	}
	e->loading_start_ms = e->now_ms;
	r.began_us = r.said_us = now_us(&r);
	r.count = snapshot_list(e->io, e->config->dir, &r.names, m);
	slab_huge(true);
	values_loading(true);
	err = r.count < 0 ? r.count : recover(&r, m);
	slab_huge(false);
	values_loading(false);
	mem_free(r.names);
	if (!err) {
		e->loaded_keys = keyspace_count(&e->ks);
		e->phase = ENGINE_SERVING;
	}
	return err;
}
