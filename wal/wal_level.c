/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a turn, and the levels: when to write, when to sync, when to
 * leave a mark.
 *
 *             group              sync                  mark
 *   always    one at a time      each write            100 ms after the last
 *   everysec  each turn          each second           group, if the disk does
 *   no        each turn          at a roll             not yet say what is
 *                                                      durable
 *
 * I1. Groups that are queued go before the open one: order of LSNs.
 * I2. The engine writes by itself when that is quick: under `always` if one
 *     connection is alone and nearly all recent syncs were (a stall counts
 *     until a few in a row are quick again); else, unless a
 *     sync of the same file runs and the last write had to wait for it.  A
 *     roll is never quick, and neither is what has piled up behind one.
 * I3. A change of level happens with nothing on its way.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- the turn ------------------------------------------------------------ */

/* size: of what one turn writes in place, with this group. */
static bool commit_here(const struct wal *w, const struct wal_group *g,
			size_t size, bool alone)
{
	if (!w->committer.running)
		return true;
	if (g->rolls_from || size > IN_PLACE_MAX)
		return false; /* I2 */
	if (g->segment->durable_writes)
		return alone && w->disk_quick;
	return !w->sync_job.busy || w->last_write_us < SLOW_WRITE_US;
}

static uint64_t pending_bytes(const struct wal *w)
{
	uint64_t done = w->level >= WAL_EVERYSEC ? w->durable_payload
						 : w->written_payload;

	assert(done <= w->payload);
	return w->payload - done;
}

static bool sync_due(struct wal *w)
{
	struct wal_segment *s = w->written_segment;

	if (w->sync_target > w->at.durable_lsn &&
	    w->at.written_lsn >= w->sync_target)
		return true;
	/* Little is left to sync when the segment is sealed. */
	if (w->committer.running && !s->synced_early &&
	    s->next_offset > s->identity.size / 16 * 15) {
		s->synced_early = true;
		return true;
	}
	if (w->level != WAL_EVERYSEC)
		return false;
	return w->now_us - w->last_sync_us >= SYNC_INTERVAL_US ||
	       pending_bytes(w) > w->pending_max / 2;
}

static void sync_if_due(struct wal *w)
{
	if (w->level == WAL_ALWAYS || w->failed || commit_busy(w) ||
	    w->synced_count == w->group_count)
		return;
	if (sync_due(w))
		commit_sync(w, !w->committer.running);
}

void level_commit(struct wal *w, bool alone)
{
	size_t size = 0;

	sync_if_due(w);
	while (!w->write_job.busy && !w->failed) {
		struct wal_group *g = group_take(w);
		bool here;

		if (!g)
			break;
		size += g->size;
		here = commit_here(w, g, size, alone);
		atomic_store_explicit(&w->spares.alone, here,
				      memory_order_relaxed);
		if (here && g->segment->durable_writes)
			w->stats.inline_commits++;
		commit_group(w, g, here);
	}
	sync_if_due(w);
}

/* The disk does not know yet how much of it is durable. */
static bool mark_wanted(const struct wal *w)
{
	return w->marked_lsn < w->at.durable_lsn && !w->open && !w->queue &&
	       !commit_busy(w);
}

static void mark_if_due(struct wal *w)
{
	if (likely(!mark_wanted(w)) ||
	    w->now_us < w->last_group_us + MARK_DELAY_US)
		return;
	group_mark(w);
	level_commit(w, false);
}

/* What the thread does when there is one. */
static void here_step(struct wal *w)
{
	if (w->roll_blocks) {
		spares_step(w);
		spares_poll(w);
	} else if (atomic_load(&w->spares.stalled)) {
		stall_step(w);
	}
}

void wal_turn(struct wal *w, const struct wal_turn *turn)
{
	if (w->level == WAL_OFF || w->failed || !w->begun)
		return;
	w->now_us = turn->now_us;
	commit_poll(w, false);
	level_commit(w, turn->alone);
	mark_if_due(w);
	spares_poll(w);
	if (!w->spares.running && !w->failed)
		here_step(w);
}

void wal_poll(struct wal *w)
{
	if (w->level == WAL_OFF || w->failed || !w->begun)
		return;
	commit_poll(w, false);
	level_commit(w, false);
	spares_poll(w);
}

uint64_t wal_deadline_us(const struct wal *w)
{
	uint64_t at = UINT64_MAX, sync;

	if (w->level == WAL_OFF || w->failed || !w->begun)
		return at;
	if (mark_wanted(w))
		at = w->last_group_us + MARK_DELAY_US;
	sync = w->last_sync_us + SYNC_INTERVAL_US;
	if (w->level == WAL_EVERYSEC && !commit_busy(w) &&
	    w->synced_count != w->group_count && sync < at)
		at = sync;
	if (!w->roll_blocks && w->stalled_again_us < at)
		at = w->stalled_again_us;
	/* Without a thread the turn makes the spares. */
	if (!w->spares.running && w->spares.error &&
	    w->spares.error_us + SPARE_RETRY_US < at)
		at = w->spares.error_us + SPARE_RETRY_US;
	return at;
}

bool wal_congested(const struct wal *w)
{
	return w->level != WAL_OFF && pending_bytes(w) > w->pending_max;
}

/* --- waiting ------------------------------------------------------------- */

void level_drain(struct wal *w)
{
	while (!w->failed) {
		struct wal_group *g;

		if (commit_busy(w)) {
			commit_poll(w, true);
			continue;
		}
		g = group_take(w);
		if (!g)
			break;
		commit_group(w, g, true);
	}
	assert(w->failed || w->at.written_lsn == w->at.last_lsn);
}

void wal_sync_soon(struct wal *w)
{
	if (w->level == WAL_OFF || w->failed)
		return;
	w->sync_target = w->at.last_lsn;
	level_commit(w, false);
}

int wal_sync_now(struct wal *w)
{
	if (w->level == WAL_OFF)
		return OK;
	level_drain(w);
	if (!w->failed && w->synced_count != w->group_count)
		commit_sync(w, true);
	assert(w->failed || w->at.durable_lsn == w->at.last_lsn);
	return w->failed ? ERR_IO : OK;
}

/* --- levels -------------------------------------------------------------- */

/* The same file, opened the way the new level wants it. */
static int segment_reopen(struct wal *w, enum wal_level level,
			  struct err_message *m)
{
	struct wal_segment *s = w->segment;
	enum wal_level old_level = w->level;
	int old = s->file, err;

	assert(w->written_segment == s); /* I3 */
	s->file = -1;
	w->level = level;
	err = segment_open(w, s);
	if (err) {
		w->level = old_level;
		s->durable_writes = old_level == WAL_ALWAYS;
		s->file = old;
		return err_set(m, ERR_IO, "cannot open segment %llu again: %s",
			       (unsigned long long)s->identity.sequence,
			       strerror(-err));
	}
	w->io->ops->close(w->io, old);
	return OK;
}

static int level_off(struct wal *w, struct err_message *m)
{
	int err;

	if (wal_sync_now(w) != OK)
		return err_set(m, ERR_IO, "the log has failed");
	err = wal_seal_segment(w, m);
	if (!err)
		w->level = WAL_OFF;
	return err;
}

static int level_on(struct wal *w, enum wal_level level, struct err_message *m)
{
	int err;

	w->level = level;
	err = wal_first_segment(w, true, m);
	if (err)
		w->level = WAL_OFF;
	return err;
}

int wal_set_level(struct wal *w, enum wal_level level, struct err_message *m)
{
	assert(w->begun);
	if (w->failed)
		return err_set(m, ERR_IO, "the log has failed");
	if (level == w->level)
		return OK;
	if (atomic_load(&w->spares.stalled)) {
		w->level = level;
		atomic_store(&w->spares.stalled, level != WAL_OFF);
		return OK;
	}
	if (level == WAL_OFF)
		return level_off(w, m);
	if (w->level == WAL_OFF)
		return level_on(w, level, m);
	if (level != WAL_ALWAYS && w->level != WAL_ALWAYS) {
		w->level = level;
		return OK;
	}
	level_drain(w);
	if (level == WAL_ALWAYS)
		wal_sync_now(w);
	if (w->failed)
		return err_set(m, ERR_IO, "the log has failed");
	return segment_reopen(w, level, m);
}
