/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log's life and its answers.  What it does with a batch is in
 * wal_group.c, with a group in wal_commit.c, at the end of a turn in
 * wal_level.c.
 *
 *   wal_open ──► [recovered] ──wal_begin──► [running] ──wal_close──► gone
 *                                              │ wal_fail
 *                                              ▼
 *                                          [failed] ──wal_abandon──► gone
 *
 * I1. last_lsn >= written_lsn >= durable_lsn, each only grows.
 * I2. Once failed, nothing is written and no position but last_lsn moves: what
 *     was not acknowledged never is.
 * I3. Everything in struct wal belongs to the engine thread, but for busy jobs
 *     and what stands "under lock" in wal_internal.h.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <stdio.h>

#include "base/logline.h"
#include "base/mem.h"

#define PENDING_DEFAULT (UINT64_C(64) << 20)
#define POINT_INTERVAL (UINT64_C(256) << 10)

/* --- small things -------------------------------------------------------- */

void wal_path(const struct wal *w, char out[WAL_PATH_MAX], const char *name)
{
	int n = snprintf(out, WAL_PATH_MAX, "%s/%s", w->log_dir, name);

	assert(n > 0);
	assert(n < WAL_PATH_MAX);
}

void wal_segment_path(const struct wal *w, char out[WAL_PATH_MAX],
		      uint64_t sequence)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	wal_path(w, out, name);
}

void sealed_add(struct wal_sealed_list *l, const struct wal_sealed *s)
{
	assert(l->count <= l->capacity);
	if (l->count == l->capacity) {
		l->capacity = l->capacity ? l->capacity * 2 : 16;
		l->at = mem_realloc_array(l->at, l->capacity, sizeof(*l->at));
	}
	l->at[l->count++] = *s;
}

void wal_fail(struct wal *w, const struct wal_segment *s, const char *what,
	      uint64_t offset, int error)
{
	char path[WAL_PATH_MAX], text[ERR_MESSAGE_SIZE];

	assert(error < 0);
	if (w->failed)
		return;
	w->failed = true; /* I2 */
	if (s)
		wal_segment_path(w, path, s->identity.sequence);
	else
		wal_path(w, path, "");
	snprintf(text, sizeof(text),
		 "log: %s %.700s at offset %llu failed: %s; LSN %llu to %llu "
		 "are not acknowledged. A restart recovers what is durable.",
		 what, path, (unsigned long long)offset, strerror(-error),
		 (unsigned long long)w->at.written_lsn + 1,
		 (unsigned long long)w->at.last_lsn);
	log_line(LOG_LEVEL_WARNING, "%s", text);
	if (w->options.fatal)
		w->options.fatal(w->options.fatal_ctx, EXIT_IO, text);
}

/* --- open and close ------------------------------------------------------ */

static struct wal *wal_new(const struct wal_options *o)
{
	struct wal *w = mem_calloc(1, sizeof(*w));
	size_t size = strlen(o->dir) + sizeof("/log");

	assert(o->io != NULL);
	assert(!o->threads || o->completions != NULL);
	w->options = *o;
	w->io = o->io;
	w->level = o->level;
	w->dir = mem_strdup(o->dir);
	w->log_dir = mem_alloc(size);
	snprintf(w->log_dir, size, "%s/log", o->dir);
	if (w->options.segment_size == 0)
		w->options.segment_size = SEGMENT_SIZE_DEFAULT;
	w->pending_max = o->pending_max ? o->pending_max : PENDING_DEFAULT;
	w->point_interval = POINT_INTERVAL;
	w->queue_end = &w->queue;
	w->origins = origin_dictionary_new();
	spares_init(w);
	return w;
}

static void wal_free(struct wal *w)
{
	assert(!commit_busy(w) || w->failed || !w->committer.running);
	groups_free(w);
	segment_free(w, w->segment);
	wal_recovery_release(&w->recovery);
	origin_dictionary_free(w->origins);
	spares_release(w);
	mem_free(w->sealed.at);
	mem_free(w->roll_blocks);
	mem_free(w->dir);
	mem_free(w->log_dir);
	mem_free(w);
}

static bool store_is_new(const struct store_id *s)
{
	static const struct store_id zero;

	return memcmp(s, &zero, sizeof(zero)) == 0;
}

int wal_open(struct wal **out, const struct wal_options *options,
	     struct store_id *store, const struct wal_known *known,
	     struct err_message *m)
{
	struct wal *w = wal_new(options);
	struct recovery_options r = { .io = options->io,
				      .dir = w->dir,
				      .mode = options->mode,
				      .threads = options->threads ? 1 : 0 };
	int err;

	*out = NULL;
	if (known)
		w->known = *known;
	r.known = &w->known;
	err = wal_recover(&w->recovery, &r, store, m);
	if (err) {
		wal_free(w);
		return err;
	}
	if (store_is_new(store))
		w->io->ops->random(w->io, store, sizeof(*store));
	w->store = *store;
	w->content_seed = store_content_seed(store);
	*out = w;
	return OK;
}

const struct wal_recovery *wal_recovery(const struct wal *w)
{
	assert(!w->begun);
	return &w->recovery;
}

void wal_abandon(struct wal *w)
{
	if (!w)
		return;
	w->failed = true;
	spares_stop(w);
	committer_stop(w);
	wal_free(w);
}

int wal_close(struct wal *w, struct err_message *m)
{
	int err = OK;

	spares_stop(w); /* the next one, named in the seal, stays */
	if (w->begun && w->level != WAL_OFF && w->segment) {
		err = wal_sync_now(w);
		if (!err)
			err = wal_seal_segment(w, m);
		else
			err_set(m, err, "the log has failed");
	}
	wal_abandon(w);
	return err;
}

/* --- questions ----------------------------------------------------------- */

const struct wal_position *wal_position(const struct wal *w)
{
	return &w->at;
}

uint64_t wal_release_lsn(const struct wal *w)
{
	switch (w->level) {
	case WAL_ALWAYS:
		return w->at.durable_lsn;
	case WAL_EVERYSEC:
	case WAL_NO:
		return w->at.written_lsn;
	case WAL_OFF:
		break;
	}
	return w->at.last_lsn;
}

enum wal_level wal_level(const struct wal *w)
{
	return w->level;
}

uint64_t wal_sequence(const struct wal *w)
{
	const struct wal_segment *s = w->written_segment;

	if (s)
		return s->identity.sequence;
	if (w->sealed.count > 0 && atomic_load(&w->spares.stalled))
		return w->sealed.at[w->sealed.count - 1].sequence;
	return 0;
}

const struct epoch_history *wal_epochs(const struct wal *w)
{
	return &w->history;
}

void wal_stats(const struct wal *w, struct wal_stats *out)
{
	uint64_t now = w->io->ops->mono_us(w->io);
	struct wal_spares *spares = (struct wal_spares *)&w->spares;

	*out = w->stats;
	out->payload_bytes = w->payload;
	out->retained_lsn = w->retain_lsn;
	out->payload_since_retain =
		w->recovered_payload + w->payload - w->snapshot_payload;
	if (w->unsynced_us && w->level != WAL_OFF)
		out->oldest_unsynced_ms = (now - w->unsynced_us) / 1000;
	out->segment_sequence = wal_sequence(w);
	out->segments = (uint32_t)w->sealed.count + (w->segment != NULL);
	out->room = w->room_all;
	out->is_short = wal_short(w);
	out->pending_bytes = w->payload - w->durable_payload;
	pthread_mutex_lock(&spares->lock);
	out->spares = spares->count;
	pthread_mutex_unlock(&spares->lock);
}

void wal_check(const struct wal *w)
{
	const struct wal_group *g;
	uint64_t next = w->at.written_lsn + 1;
	size_t i;

	assert(w->at.durable_lsn <= w->at.written_lsn); /* I1 */
	assert(w->at.written_lsn <= w->at.last_lsn);
	if (w->failed || w->level == WAL_OFF || !w->begun)
		return;
	assert(w->durable_payload <= w->written_payload);
	assert(w->written_payload <= w->payload);
	assert(w->synced_count <= w->group_count);
	if (w->write_job.busy && w->write_job.group) {
		assert(w->write_job.group->first_lsn == next);
		next = w->write_job.group->last_lsn + 1;
	}
	for (g = w->queue; g; g = g->next) {
		assert(g->first_lsn == next);
		assert(g->size % w->align == 0);
		assert(g->offset + g->size + w->align <=
		       g->segment->identity.size);
		next = g->last_lsn + 1;
	}
	if (w->open) {
		assert(w->open->first_lsn == next);
		assert(w->open->size <= w->open->capacity);
		next = w->open->last_lsn + 1;
	}
	assert(next == w->at.last_lsn + 1);
	for (i = 1; i < w->sealed.count; i++)
		assert(w->sealed.at[i - 1].sequence < w->sealed.at[i].sequence);
}
