/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first segment: after recovery, and when a log is switched on.
 *
 *   recovered tail: …groups [cut) torn bytes      next: a spare
 *      1 the torn bytes are copied aside
 *      2 the tail is synced
 *      3 the seal goes to the cut, naming the next, and is synced
 *      4 the use block of the next segment, synced; a new epoch unless
 *        the log ended with a shutdown
 *
 * I1. A crash between any two steps leaves a directory from which recovery
 *     decides the same: the torn bytes were not acknowledged, and a sealed
 *     tail whose next segment is not in use ends the log.
 * I2. Step 2 comes before any step that relies on the tail: what recovery
 *     read may have been in the disk's cache only.
 * I3. The seal still belongs to the old epoch; the new one starts with the
 *     segment behind it.
 * I4. A base segment starts a chain of its own: its LSNs go on from a
 *     snapshot, not from the segment before.
 * I5. On a full disk step 3 names no next segment; it gives back what stood
 *     behind the cut.  If that is not enough, step 4 waits (wal_room.c): what
 *     is recovered can be served.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/logline.h"
#include "base/mem.h"

#define COPY_SIZE (1u << 20)
#define LSN_MAX ((uint64_t)INT64_MAX) /* behind it they would come again */

static int fail_io(struct err_message *m, const char *what, const char *path,
		   int err)
{
	return err_set(m, ERR_IO, "%s %s: %s", what, path, strerror(-err));
}

/* For what is only being made: nothing that counts has been written yet. */
static int fail_make(struct err_message *m, const char *path, int err)
{
	return err_set(m, disk_is_full(err) ? ERR_FULL : ERR_IO,
		       "cannot make %s: %s", path, strerror(-err));
}

/* --- the directory ------------------------------------------------------- */

static int dirs_make(struct wal *w, struct err_message *m)
{
	int err = w->io->ops->mkdir(w->io, w->log_dir);

	if (err && err != -EEXIST)
		return fail_make(m, w->log_dir, err);
	err = w->io->ops->sync_dir(w->io, w->dir);
	return err ? fail_io(m, "cannot sync", w->dir, err) : OK;
}

/* What direct I/O wants here, asked of the tail, or of a file that goes away
 * again. */
static int align_find(struct wal *w, const struct segment_info *tail,
		      struct err_message *m)
{
	unsigned flags = tail ? IO_READ : IO_READ | IO_WRITE | IO_CREATE;
	char path[WAL_PATH_MAX];
	int file;

	if (tail)
		wal_segment_path(w, path, tail->sequence);
	else
		wal_path(w, path, "align.tmp");
	file = w->io->ops->open(w->io, path, flags);
	if (file < 0)
		return fail_make(m, path, file);
	w->align = io_direct_align(w->io, file);
	w->io->ops->close(w->io, file);
	if (!tail)
		w->io->ops->unlink(w->io, path);
	if (w->align < SEGMENT_ALIGN_MIN)
		w->align = SEGMENT_ALIGN_MIN;
	if (w->align > SEGMENT_ALIGN_MAX)
		w->align = SEGMENT_ALIGN_MAX;
	return OK;
}

/* 1: a spare of ours, 0: not, or -errno. */
static int spare_read(struct wal *w, uint64_t sequence,
		      struct segment_identity *out)
{
	uint8_t block[IDENTITY_SIZE];
	char path[WAL_PATH_MAX];
	int file, err;

	wal_segment_path(w, path, sequence);
	file = w->io->ops->open(w->io, path, IO_READ);
	if (file < 0)
		return file;
	err = io_read_all(w->io, file, block, sizeof(block), 0);
	w->io->ops->close(w->io, file);
	if (err)
		return err;
	return identity_decode(block, out) == OK &&
	       out->sequence == sequence &&
	       memcmp(&out->store, &w->store, sizeof(w->store)) == 0;
}

/* Whether w can write to the file; the first one says with which align. */
static bool align_fits(struct wal *w, const struct segment_identity *i)
{
	if (w->spares.count > 0)
		return i->align == w->align;
	if (i->align < w->align)
		return false;
	w->align = i->align;
	return true;
}

/* Takes over the spares behind the tail that fit, removes the others. One that
 * cannot be read may be the one that a seal names: it stays. So does the first
 * one behind a seal: the store may have come from a file system with smaller
 * blocks, then it is made anew. */
static int spares_find(struct wal *w, const struct segment_info *tail,
		       struct err_message *m)
{
	const struct wal_recovery *r = &w->recovery;
	struct segment_identity found = { 0 };
	uint64_t after = tail ? tail->sequence : 0;
	char path[WAL_PATH_MAX];
	size_t i;

	w->spares.next_sequence =
		r->next_sequence > after + 1 ? r->next_sequence : after + 1;
	for (i = 0; i < r->spare_count; i++) {
		uint64_t sequence = r->spares[i];
		struct wal_spare s = { .sequence = sequence };
		int ours = spare_read(w, sequence, &found), err = 0;
		bool fits;

		wal_segment_path(w, path, sequence);
		if (ours < 0)
			return fail_io(m, "cannot read", path, ours);
		if (sequence >= w->spares.next_sequence)
			w->spares.next_sequence = sequence + 1;
		s.salt = found.salt;
		s.size = found.size;
		fits = ours && sequence > after &&
		       w->spares.count < SPARES_MAX && align_fits(w, &found);
		if (!fits && ours && sequence > after &&
		    w->spares.count == 0 && tail && tail->sealed) {
			err = spare_remake(w, &s);
			fits = true;
		}
		if (err)
			return fail_io(m, "cannot make", path, err);
		if (fits)
			spare_adopt(w, &s);
		else
			w->io->ops->unlink(w->io, path);
	}
	return OK;
}

/* Sizes that depend on align. */
static void sizes_set(struct wal *w)
{
	uint64_t size = w->options.segment_size;
	uint64_t least = 16 * (uint64_t)w->align;
	size_t blocks = 2 * (size_t)w->align;

	w->segment_size = align_up(size > least ? size : least, w->align);
	w->group_max = GROUP_SIZE_MAX;
	if (w->group_max > w->segment_size / 4)
		w->group_max = w->segment_size / 4 / w->align * w->align;
	w->roll_blocks = mem_alloc_aligned(w->align, blocks);
	assert(w->group_max % w->align == 0);
	assert(w->group_max > 2 * BATCH_HEADER_MAX);
}

/* --- the tail ------------------------------------------------------------ */

/* The segment the log ends in, or NULL. Recovery accepts none behind a cut:
 * a segment is used when the one before it is sealed. */
static const struct segment_info *tail_find(const struct wal_recovery *r)
{
	const struct segment_info *tail = NULL;

	if (r->segment_count > 0)
		tail = &r->segments[r->segment_count - 1];
	assert(!r->cut || tail->sequence == r->cut_sequence);
	return tail;
}

/* Copies the torn bytes to a file of their own; best effort. */
static void torn_copy(struct wal *w, int file, uint64_t sequence)
{
	const struct wal_recovery *r = &w->recovery;
	uint64_t at = r->cut_offset;
	char path[WAL_PATH_MAX], name[64];
	uint8_t *data;
	int to, err = 0;

	if (!r->cut || r->cut_end <= at)
		return;
	snprintf(name, sizeof(name), "%016llu-%llu.torn",
		 (unsigned long long)sequence, (unsigned long long)at);
	wal_path(w, path, name);
	to = w->io->ops->open(w->io, path, IO_WRITE | IO_CREATE);
	if (to < 0)
		return;
	data = mem_alloc(COPY_SIZE);
	while (at < r->cut_end && !err) {
		uint64_t left = r->cut_end - at;
		int64_t n = w->io->ops->pread(
			w->io, file, data, left < COPY_SIZE ? left : COPY_SIZE,
			at);

		if (n <= 0) {
			err = n < 0 ? (int)n : -EIO;
			break;
		}
		err = io_write_all(w->io, to, data, (size_t)n,
				   at - r->cut_offset);
		at += (uint64_t)n;
	}
	mem_free(data);
	w->io->ops->close(w->io, to);
	if (err) /* a part of it is of little use, on a full disk of none */
		w->io->ops->unlink(w->io, path);
	log_line(LOG_LEVEL_WARNING,
		 "log: %llu torn bytes behind LSN %llu, %s %s",
		 (unsigned long long)(r->cut_end - r->cut_offset),
		 (unsigned long long)r->last_lsn,
		 err ? "which could not be copied to" : "copied to", path);
}

/* Chain behind the seal that the tail already has. next: the segment that is
 * to follow, NULL if there is none yet. */
static int seal_follow(struct wal *w, int file, const struct segment_info *t,
		       const struct wal_segment *next, uint64_t *chain)
{
	struct frame_seed seed = { w->content_seed, t->identity.salt };
	uint8_t block[FRAME_HEADER_SIZE + SEAL_SIZE];
	struct slice content = { block + FRAME_HEADER_SIZE, SEAL_SIZE };
	struct segment_seal seal;
	struct frame_header h;
	int err;

	err = io_read_all(w->io, file, block, sizeof(block), t->end_offset);
	if (err)
		return err;
	if (!frame_decode(block, &seed, t->end_offset, &h) ||
	    !(h.flags & FRAME_SEAL) || h.length != SEAL_SIZE ||
	    h.content_check != frame_content_check(content, &seed) ||
	    !seal_decode(content, &seal))
		return -EBADMSG;
	if (seal.next_sequence != 0 &&
	    (!next || seal.next_sequence != next->identity.sequence ||
	     seal.next_salt != next->identity.salt))
		return -EBADMSG;
	*chain = chain_frame(t->chain, &h);
	return 0;
}

/* Gives back what stands behind a seal at a start or an end: many short lives
 * must not fill the disk. Sealed files may be shorter than they were made. */
static void seal_truncate(struct wal *w, int file, uint64_t end)
{
	assert(end % SEGMENT_ALIGN_MIN == 0);
	w->io->ops->truncate(w->io, file, end);
}

/* Writes the seal at the cut. */
static int seal_write(struct wal *w, int file, const struct segment_info *t,
		      const struct wal_segment *next, uint64_t *chain)
{
	const struct wal_recovery *r = &w->recovery;
	struct wal_spare named = { 0 };
	struct wal_segment s = {
		.identity = t->identity,
		.next_offset = r->cut ? r->cut_offset : t->end_offset,
		.last_lsn = t->last_lsn,
		.chain = t->chain,
		.record_count = t->last_lsn + 1 - t->use.first_lsn,
		.payload_size = t->payload_size,
	};
	uint32_t align = t->identity.align;
	uint8_t *block = mem_alloc_aligned(align, align);
	int err;

	assert(s.next_offset % align == 0);
	assert(s.next_offset >= 2 * (uint64_t)align);
	if (next) {
		named.sequence = next->identity.sequence;
		named.salt = next->identity.salt;
	}
	*chain = segment_put_seal(w, &s, block, next ? &named : NULL,
				  SEAL_CUT);
	err = io_write_all(w->io, file, block, align, s.next_offset);
	mem_free(block);
	if (!err)
		err = w->io->ops->sync(w->io, file);
	if (!err)
		seal_truncate(w, file, s.next_offset + align);
	return err;
}

/* Seals the tail, which `next` is to follow; NULL: nobody knows yet. */
static int tail_settle(struct wal *w, const struct segment_info *t,
		       const struct wal_segment *next, struct err_message *m)
{
	uint64_t *chain = &w->settled_chain;
	char path[WAL_PATH_MAX];
	int file, err;

	wal_segment_path(w, path, t->sequence);
	file = w->io->ops->open(w->io, path, IO_READ | IO_WRITE);
	if (file < 0)
		return fail_io(m, "cannot open", path, file);
	torn_copy(w, file, t->sequence);
	err = w->io->ops->sync(w->io, file); /* I2 */
	if (!err && t->sealed)
		err = seal_follow(w, file, t, next, chain);
	else if (!err)
		err = seal_write(w, file, t, next, chain);
	w->io->ops->close(w->io, file);
	if (err == -EBADMSG)
		return err_set(m, ERR_CORRUPT,
			       "%s: its seal, at offset %llu, does not name "
			       "segment %llu, which is to follow",
			       path, (unsigned long long)t->end_offset,
			       next ? (unsigned long long)
					      next->identity.sequence : 0);
	return err ? fail_io(m, "cannot seal", path, err) : OK;
}

/* What is sealed now, for retention. */
static void sealed_collect(struct wal *w)
{
	const struct wal_recovery *r = &w->recovery;
	size_t i;

	for (i = 0; i < r->segment_count; i++) {
		const struct segment_info *s = &r->segments[i];
		struct wal_sealed sealed = { .sequence = s->sequence,
					     .last_lsn = s->last_lsn,
					     .size = s->identity.size,
					     .align = s->identity.align,
					     .damaged = s->quarantined };

		sealed_add(&w->sealed, &sealed);
	}
}

/* --- the segment --------------------------------------------------------- */

/* Puts s into use, durably. */
static int use_write(struct wal *w, struct wal_segment *s, uint64_t chain,
		     bool base, struct err_message *m)
{
	char path[WAL_PATH_MAX];
	int err;

	segment_put_use(w, s, w->roll_blocks, chain, base);
	err = io_write_all(w->io, s->file, w->roll_blocks, w->align, w->align);
	if (!err && !s->durable_writes)
		err = w->io->ops->sync(w->io, s->file);
	wal_segment_path(w, path, s->identity.sequence);
	return err ? fail_io(m, "cannot write", path, err) : OK;
}

/* Everything that is done once: sizes, spares, the state of the directory. */
static int prepare(struct wal *w, const struct segment_info *tail,
		   struct err_message *m)
{
	int err = dirs_make(w, m);

	if (err)
		return err;
	err = align_find(w, tail, m);
	if (err)
		return err;
	spares_clean(w);
	err = spares_find(w, tail, m);
	if (err)
		return err;
	/* A process may have died between a spare's name and its sync: a seal
	 * must not name what a power cut can still take away. */
	err = w->io->ops->sync_dir(w->io, w->log_dir);
	if (err)
		return fail_io(m, "cannot sync", w->log_dir, err);
	sizes_set(w);
	return OK;
}

int helpers_start(struct wal *w, struct err_message *m)
{
	int err = 0;

	if (!w->committer.running)
		err = committer_start(w);
	if (!err && !w->spares.running)
		err = spares_start(w);
	return err ? err_set(m, ERR_MEMORY, "cannot start a thread: out of "
			     "memory, or of threads (ulimit -u): %s",
			     strerror(-err))
		   : OK;
}

/* Sees to it that there is a spare. 0 or -errno. */
static int first_spare(struct wal *w)
{
	struct wal_spare spare;
	uint64_t size = w->segment_size; /* as far as there is time */

	if (!w->options.threads && size > FIRST_SPARE_SIZE)
		size = FIRST_SPARE_SIZE;
	if (size < 16 * (uint64_t)w->align)
		size = 16 * (uint64_t)w->align;
	return spare_peek(w, &spare) ? 0 : spare_make(w, size, true);
}

/* A failed sync of the directory is final, whatever it says. */
static bool dir_failed(struct wal *w)
{
	bool failed;

	pthread_mutex_lock(&w->spares.lock);
	failed = w->spares.dir_error != 0;
	pthread_mutex_unlock(&w->spares.lock);
	return failed;
}

/* Once: the tail, if there is one, and what retention may take. */
static int settle(struct wal *w, const struct wal_segment *next,
		  struct err_message *m)
{
	const struct segment_info *tail = tail_find(&w->recovery);
	int err = OK;

	if (w->settled)
		return OK;
	if (tail)
		err = tail_settle(w, tail, next, m);
	if (err)
		return err;
	sealed_collect(w);
	w->settled = true;
	return OK;
}

int wal_use_segment(struct wal *w, struct wal_segment *s, bool base,
		    struct err_message *m)
{
	int err;

	assert(w->settled);
	if (base || !w->recovery.clean || w->history.count == 0) {
		w->recovery.clean = true;
		w->at.epoch++; /* I3 */
		epoch_history_add(&w->history, w->at.epoch, w->at.last_lsn + 1);
	}
	err = use_write(w, s, base ? 0 : w->settled_chain, base, m);
	if (err) {
		segment_free(w, s);
		return err;
	}
	w->segment = s;
	w->written_segment = s;
	w->marked_lsn = w->at.last_lsn;
	origins_restart(w);
	room_update(w);
	return OK;
}

int wal_first_segment(struct wal *w, bool base, struct err_message *m)
{
	const struct segment_info *tail = NULL;
	struct wal_segment *s;
	int err = OK, made;

	assert(w->segment == NULL);
	assert(w->at.durable_lsn == w->at.last_lsn);
	if (!w->settled)
		tail = tail_find(&w->recovery);
	if (!w->roll_blocks)
		err = prepare(w, tail, m);
	if (err)
		return err;
	made = first_spare(w);
	if (made && dir_failed(w))
		return fail_io(m, "cannot sync", w->log_dir, made);
	if (disk_is_full(made)) { /* I5 */
		err = settle(w, NULL, m);
		if (err)
			return err;
	}
	if (made)
		return fail_make(m, "a segment of the log", made);
	s = segment_take(w, w->align);
	if (!s)
		return err_set(m, ERR_IO, "cannot open a segment in %s",
			       w->log_dir);
	err = settle(w, s, m);
	if (!err) /* before something is in use that had to be given up */
		err = helpers_start(w, m);
	if (err) {
		segment_free(w, s);
		return err;
	}
	return wal_use_segment(w, s, base, m);
}

int wal_seal_segment(struct wal *w, struct err_message *m)
{
	struct wal_segment *s = w->segment;
	struct wal_sealed sealed = { .sequence = s->identity.sequence,
				     .last_lsn = s->last_lsn,
				     .size = s->identity.size,
				     .align = s->identity.align };
	struct wal_spare next;
	bool named = spare_peek(w, &next);
	int err;

	assert(w->at.durable_lsn == w->at.last_lsn);
	assert(s->last_lsn == w->at.last_lsn);
	segment_put_seal(w, s, w->roll_blocks, named ? &next : NULL,
			 SEAL_SHUTDOWN);
	err = io_write_all(w->io, s->file, w->roll_blocks, w->align,
			   s->next_offset);
	if (!err && !s->durable_writes)
		err = w->io->ops->sync(w->io, s->file);
	if (err) {
		wal_fail(w, s, "seal of", s->next_offset, err);
		return fail_io(m, "cannot seal the log in", w->log_dir, err);
	}
	seal_truncate(w, s->file, s->next_offset + w->align);
	sealed_add(&w->sealed, &sealed);
	segment_free(w, s);
	w->segment = NULL;
	w->written_segment = NULL;
	return OK;
}

/* I5; of an empty store there would be nothing to serve. */
static int first_or_stall(struct wal *w, bool base, struct err_message *m)
{
	int err = wal_first_segment(w, base, m);

	if (err != ERR_FULL)
		return err;
	if (w->recovery.segment_count == 0 && w->at.last_lsn == 0)
		return ERR_IO;
	return stall_begin(w, base, m);
}

int wal_begin(struct wal *w, uint64_t last_lsn, struct err_message *m)
{
	struct wal_recovery *r = &w->recovery;
	bool base = r->segment_count == 0 || last_lsn > r->last_lsn;
	uint32_t epoch = r->epoch;

	assert(!w->begun);
	if (last_lsn < r->last_lsn)
		return err_set(m, ERR_CORRUPT,
			       "replay ended at LSN %llu, the log at %llu",
			       (unsigned long long)last_lsn,
			       (unsigned long long)r->last_lsn);
	if (w->known.snapshot_epoch > epoch)
		epoch = w->known.snapshot_epoch;
	if (last_lsn >= LSN_MAX)
		return err_set(m, ERR_CORRUPT, "LSN %llu of %s is not one "
			       "that a log could have reached",
			       (unsigned long long)last_lsn, w->dir);
	if (epoch == UINT32_MAX)
		return err_set(m, ERR_CORRUPT, "%s is in its last epoch",
			       w->log_dir);
	w->at = (struct wal_position){ last_lsn, last_lsn, last_lsn, epoch };
	w->history = r->history;
	w->recovered_payload = r->payload_bytes;
	w->newest_snapshot_lsn = w->known.snapshot_lsn;
	w->retain_lsn = w->known.oldest_lsn;
	w->now_us = w->io->ops->mono_us(w->io);
	w->last_sync_us = w->now_us;
	w->begun = true;
	if (w->level != WAL_OFF)
		return first_or_stall(w, base, m);
	if (w->at.epoch == 0)
		w->at.epoch = 1;
	if (w->history.count == 0)
		epoch_history_add(&w->history, w->at.epoch, last_lsn + 1);
	return OK;
}
