/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Room: what can be appended for sure, and what is done when it gets short.
 *
 *   disk    segments                    commands that add   that free
 *   has     in use, spare               go                  go
 *   full    in use, no spare: the rest  until the reserve   to the last
 *           of it; small ones, as far   no                  go
 *           as the disk has them
 *   full    none: stalled               no                  no
 *
 * I1. wal_room is asked before the first emit: once it said yes, the append
 *     has its place.
 * I2. A log stalls at a start only, when everything before it is settled, that
 *     is sealed and durable.  It goes on by itself, with the first spare.
 * I3. While it is stalled no LSN is given out; positions that leave are of
 *     the old epoch and true: the next one begins with the segment.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <errno.h>

#include "base/logline.h"

bool disk_is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

uint64_t spare_small_size(const struct wal *w)
{
	/* The end of a segment may be too short for a group. */
	uint64_t need = w->options.reserve + w->group_max + w->align;
	uint64_t size = align_up(need, w->align) + 3 * (uint64_t)w->align;

	return size < w->segment_size ? size : w->segment_size;
}

/* A batch of this payload takes at most this of a segment. */
static uint64_t cost_of(const struct wal *w, uint64_t bytes)
{
	return bytes + bytes / FRAME_CONTENT_MAX * FRAME_HEADER_SIZE +
	       2 * FRAME_HEADER_SIZE + BATCH_HEADER_MAX + w->align;
}

/* What groups can take of so many bytes at the end of a segment: less than a
 * group may be of no use. */
static uint64_t usable(const struct wal *w, uint64_t bytes)
{
	return bytes > w->group_max ? bytes - w->group_max : 0;
}

void room_update(struct wal *w)
{
	struct wal_spares *p = &w->spares;
	const struct wal_segment *s = w->segment;
	uint64_t used, room, kept, size, small = spare_small_size(w);
	unsigned i;

	if (!s)
		return;
	size = s->identity.size;
	used = s->next_offset + w->align + (w->open ? w->open->capacity : 0);
	room = size > used ? usable(w, size - used) : 0;
	kept = size > small ? room : 0;
	w->whole_spare = false;
	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->count; i++) {
		uint64_t n = segment_capacity(p->ready[i].size, w->align);

		room += usable(w, n);
		if (p->ready[i].size <= small)
			continue; /* for commands that free */
		kept += usable(w, n);
		w->whole_spare = true;
	}
	w->shortage = p->error;
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->need, s->next_offset > size / 2 ? SPARE_NOW :
			       s->next_offset > size / 4 ? SPARE_SOON :
							   SPARE_NOT_YET);
	w->room_all = room;
	w->room_kept = room;
	if (w->shortage) /* else more can be made: the reserve may wait */
		w->room_kept = kept > w->options.reserve
				       ? kept - w->options.reserve : 0;
}

static bool room_fits(const struct wal *w, uint64_t bytes, bool freeing)
{
	return cost_of(w, bytes) <= (freeing ? w->room_all : w->room_kept);
}

/* A group of one batch lies in one piece. */
static bool room_in_one(struct wal *w, uint64_t bytes)
{
	const struct wal_segment *s = w->segment;
	uint64_t cost = cost_of(w, bytes);
	struct wal_spare next;

	if (cost <= w->group_max)
		return true;
	if (s->next_offset + (w->open ? w->open->capacity : 0) + cost +
		    w->align <=
	    s->identity.size)
		return true;
	return spare_peek(w, &next) &&
	       segment_capacity(next.size, w->align) >= cost;
}

static bool room_now(struct wal *w, uint64_t bytes, bool freeing)
{
	room_update(w);
	return room_fits(w, bytes, freeing) && room_in_one(w, bytes);
}

/* A whole segment, if the last try was not just now. */
static bool room_make(struct wal *w, uint64_t bytes, uint64_t now)
{
	uint64_t size = segment_size_for(w, cost_of(w, bytes) + w->group_max);
	bool wait;

	pthread_mutex_lock(&w->spares.lock);
	wait = w->spares.error && now - w->spares.error_us < SPARE_RETRY_US;
	pthread_mutex_unlock(&w->spares.lock);
	return !wait && spare_make(w, size, false) == 0;
}

/* A little, for commands that free. */
static bool room_make_small(struct wal *w, uint64_t now)
{
	struct wal_spare next;

	if (spare_peek(w, &next) || !disk_is_full(w->shortage) ||
	    now < w->small_again_us)
		return false;
	if (spare_make_small(w, true) == 0)
		return true;
	w->small_again_us = now + SPARE_RETRY_US;
	return false;
}

static bool room_slow(struct wal *w, uint64_t bytes, bool freeing)
{
	uint64_t now = w->io->ops->mono_us(w->io);

	if (!w->segment || w->failed || bytes > INT64_MAX / 4)
		return false;
	if (room_now(w, bytes, freeing))
		return true;
	if (!room_make(w, bytes, now) &&
	    !(freeing && room_make_small(w, now)))
		return false;
	return room_now(w, bytes, freeing);
}

bool wal_room(struct wal *w, uint64_t bytes, bool freeing)
{
	uint64_t cost =
		bytes + 2 * FRAME_HEADER_SIZE + BATCH_HEADER_MAX + w->align;

	if (likely(cost <= (freeing ? w->room_all : w->room_kept) &&
		   cost <= w->group_max))
		return true;
	return w->level == WAL_OFF || room_slow(w, bytes, freeing);
}

bool wal_short(const struct wal *w)
{
	if (w->level == WAL_OFF || w->failed || !w->begun)
		return false;
	return atomic_load(&w->spares.stalled) ||
	       (disk_is_full(w->shortage) && !w->whole_spare);
}

void room_say(struct wal *w)
{
	bool is_short = w->shortage != 0 || atomic_load(&w->spares.stalled);

	if (is_short == w->said_short)
		return;
	w->said_short = is_short;
	if (is_short)
		log_line(LOG_LEVEL_WARNING,
			 "log: no place for the next segment in %s: %s. When "
			 "%llu more bytes are written, writes are refused "
			 "until there is", w->log_dir, strerror(-w->shortage),
			 (unsigned long long)w->room_kept);
	else
		log_line(LOG_LEVEL_NOTICE, "log: there is place for segments "
			 "in %s again", w->log_dir);
}

/* --- a log without a segment --------------------------------------------- */

static void stall_failed(struct wal *w, const struct err_message *m)
{
	log_line(LOG_LEVEL_WARNING, "%s", m->text);
	wal_fail(w, NULL, "starting a segment in", 0, -EIO);
}

/* From the first step on: not even the directory could be made. */
static bool stall_prepare(struct wal *w)
{
	struct err_message m = { "" };
	int err;

	if (w->now_us < w->stalled_again_us)
		return false;
	w->stalled_again_us = w->now_us + SPARE_RETRY_US;
	err = wal_first_segment(w, w->stalled_base, &m);
	if (err && err != ERR_FULL)
		stall_failed(w, &m);
	return err == OK;
}

/* Starts the segment if that can be by now. */
static void stall_end(struct wal *w)
{
	struct err_message m = { "" };
	struct wal_segment *s;
	struct wal_spare next;

	if (!w->roll_blocks) {
		if (!stall_prepare(w))
			return;
	} else {
		if (!spare_peek(w, &next))
			return;
		s = segment_take(w, w->align);
		if (!s)
			return;
		if (wal_use_segment(w, s, w->stalled_base, &m) != OK) {
			stall_failed(w, &m);
			return;
		}
	}
	atomic_store(&w->spares.stalled, false);
	log_line(LOG_LEVEL_NOTICE, "log: goes on in segment %llu",
		 (unsigned long long)w->segment->identity.sequence);
}

int stall_begin(struct wal *w, bool base, struct err_message *m)
{
	assert(w->segment == NULL);
	assert(w->at.durable_lsn == w->at.last_lsn); /* I2 */
	atomic_store(&w->spares.stalled, true);
	w->stalled_base = base;
	w->stalled_again_us = w->now_us + SPARE_RETRY_US;
	w->marked_lsn = w->at.last_lsn;
	w->room_all = 0;
	w->room_kept = 0;
	w->shortage = -ENOSPC;
	room_say(w);
	if (!w->roll_blocks)
		return OK; /* nothing yet that helpers could do */
	if (spare_make_small(w, true) == 0)
		stall_end(w);
	return w->failed ? err_set(m, ERR_IO, "the log has failed")
			 : helpers_start(w, m);
}

void stall_step(struct wal *w)
{
	assert(atomic_load(&w->spares.stalled));
	stall_end(w);
	if (!w->failed) /* of the newest sealed one, kept so far */
		wal_retain(w, w->retain_lsn, w->newest_snapshot_lsn);
}
