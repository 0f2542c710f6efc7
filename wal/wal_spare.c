/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments ahead of need.
 *
 *   new file ─► zeros ─┐
 *                      ├─► identity, sync ─► name, sync dir ─► ready ─► taken
 *   covered ─► renamed ┘      (under a temporary name)
 *
 * A background thread keeps one ready: written blocks make a later sync half
 * as dear as blocks that the file system must still mark as written.  If the
 * writer is faster, or a batch is bigger than a segment, the engine makes one
 * itself, with blocks reserved only (wal_room, before the first emit).
 *
 * I1. What is ready has a durable name, identity and blocks.
 * I2. Sequence numbers are given under `numbering` together with the name, so
 *     the ready list ascends and has no gap; a spare that is too small gives
 *     its number to a bigger file by a rename over it.
 * I3. Only what wal_retain allowed is recycled or removed.  It loses its name,
 *     durably, before a byte of it changes.
 * I4. A failure here is not final: nothing acknowledged lies in these files.
 *     wal_room says no and the next try is a second later.  But a failed sync
 *     of the directory is: names that count are in it.
 * I5. On a full disk a small file may do, for commands that free: it does not
 *     count as success, so the next try is still a second later.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/mem.h"

/* Bytes of zeros a write. A client alone is disturbed once by a long write
 * instead of often by short ones; many clients wait for each, so it is short.
 */
#define FILL_SIZE (1u << 20)
#define FILL_SHARED_SIZE (256u << 10)
#define PAUSE_SHARE 4          /* pause this many times as long as it took */
#define PAUSE_MAX_US 20000
#define IDLE_US 100000       /* without a group for so long: no pause */
#define FIRST_FILL_US 100000 /* what a first start may wait for zeros */

static const char thread_tmp[] = "spare.tmp"; /* the thread's */
static const char engine_tmp[] = "spare-now.tmp";

uint64_t segment_capacity(uint64_t size, uint32_t align)
{
	return size > 3 * (uint64_t)align ? size - 3 * (uint64_t)align : 0;
}

uint64_t segment_size_for(const struct wal *w, uint64_t need)
{
	uint64_t size = align_up(need, w->align) + 3 * (uint64_t)w->align;

	return size > w->segment_size ? size : w->segment_size;
}

/* --- files --------------------------------------------------------------- */

static bool stopping(struct wal *w)
{
	bool stop;

	pthread_mutex_lock(&w->spares.lock);
	stop = w->spares.stop;
	pthread_mutex_unlock(&w->spares.lock);
	return stop;
}

static void fill_sleep(uint64_t us)
{
	struct timespec t = { .tv_nsec = (long)us * 1000 };

	nanosleep(&t, NULL);
}

static bool committing(struct wal *w)
{
	uint64_t now = w->io->ops->mono_us(w->io);

	return now - atomic_load(&w->spares.last_group_us) <= IDLE_US;
}

/* Leaves the disk to commits: all of it while the segment in use is young,
 * most of it later, until zeros are needed soon. No pause while nobody
 * commits. */
static void fill_pause(struct wal *w, uint64_t took_us)
{
	while (atomic_load(&w->spares.need) == SPARE_NOT_YET &&
	       committing(w) && !stopping(w))
		fill_sleep(PAUSE_MAX_US);
	if (atomic_load(&w->spares.need) == SPARE_NOW || !committing(w))
		return;
	took_us *= PAUSE_SHARE;
	fill_sleep(took_us < PAUSE_MAX_US ? took_us : PAUSE_MAX_US);
}

enum fill_pace {
	FILL_PACED, /* in the thread: -ECANCELED if it is to stop */
	FILL_WHOLE, /* in the engine thread */
	FILL_QUICK, /* somebody waits: stops early, *size says where */
};

static uint64_t fill_size(struct wal *w, enum fill_pace pace, uint64_t rest)
{
	bool shared = pace == FILL_PACED && !atomic_load(&w->spares.alone);
	uint64_t n = shared ? FILL_SHARED_SIZE : FILL_SIZE;

	return rest < n ? rest : n;
}

/* Zeros from 0 to *size. */
static int file_fill(struct wal *w, int file, uint64_t *size,
		     enum fill_pace pace)
{
	uint8_t *zeros = mem_alloc_aligned(w->align, FILL_SIZE);
	uint64_t began = w->io->ops->mono_us(w->io), at = 0;
	int err = 0;

	memset(zeros, 0, FILL_SIZE);
	while (at < *size && !err) {
		uint64_t n = fill_size(w, pace, *size - at);
		uint64_t start = w->io->ops->mono_us(w->io);

		if (pace == FILL_QUICK && at >= FIRST_SPARE_SIZE &&
		    start - began > FIRST_FILL_US) {
			*size = at;
			break;
		}
		err = io_write_all(w->io, file, zeros, n, at);
		at += n;
		if (!err && pace == FILL_PACED) {
			fill_pause(w, w->io->ops->mono_us(w->io) - start);
			if (stopping(w))
				err = -ECANCELED;
		}
	}
	mem_free(zeros);
	return err;
}

/* Opens path around the page cache if that can be. */
static int open_direct(struct wal *w, const char *path, unsigned flags)
{
	int file = w->io->ops->open(w->io, path, flags | IO_DIRECT);

	if (file != -EINVAL)
		return file;
	flags &= ~(unsigned)IO_EXCLUSIVE; /* the try may have made it */
	return w->io->ops->open(w->io, path, flags);
}

/* A new file of *size bytes under a temporary name; with FILL_QUICK it may
 * become smaller. A handle or -errno. */
static int file_make(struct wal *w, const char *path, uint64_t *size,
		     bool zeros, enum fill_pace pace)
{
	const struct io_ops *ops = w->io->ops;
	uint64_t wanted = *size;
	int file, err;

	ops->unlink(w->io, path);
	file = open_direct(w, path, IO_WRITE | IO_CREATE | IO_EXCLUSIVE);
	if (file < 0)
		return file;
	err = ops->allocate(w->io, file, *size);
	if (err == -EOPNOTSUPP || err == -ENOSYS) {
		zeros = true;
		err = 0;
	}
	if (!err && zeros)
		err = file_fill(w, file, size, pace);
	if (!err && *size < wanted)
		err = ops->truncate(w->io, file, *size);
	if (!err)
		return file;
	ops->close(w->io, file);
	ops->unlink(w->io, path);
	return err;
}

static int dir_sync(struct wal *w)
{
	int err = w->io->ops->sync_dir(w->io, w->log_dir);

	if (err) {
		pthread_mutex_lock(&w->spares.lock);
		w->spares.dir_error = err; /* I4 */
		pthread_mutex_unlock(&w->spares.lock);
	}
	return err;
}

/* Writes identity and an empty use block, syncs, and gives the file the name
 * of s. Closes it in any case. */
static int file_name(struct wal *w, int file, const char *tmp,
		     const struct wal_spare *s)
{
	struct segment_identity identity = { .store = w->store,
					     .sequence = s->sequence,
					     .salt = s->salt,
					     .size = s->size,
					     .align = w->align };
	size_t size = 2 * (size_t)w->align;
	uint8_t *blocks = mem_alloc_aligned(w->align, size);
	char path[WAL_PATH_MAX];
	int err;

	memset(blocks, 0, size);
	identity_encode(blocks, &identity);
	err = io_write_all(w->io, file, blocks, size, 0);
	mem_free(blocks);
	if (!err)
		err = w->io->ops->sync(w->io, file);
	w->io->ops->close(w->io, file);
	wal_segment_path(w, path, s->sequence);
	if (!err)
		err = w->io->ops->rename(w->io, tmp, path);
	if (err) {
		w->io->ops->unlink(w->io, tmp);
		return err;
	}
	return dir_sync(w);
}

static void publish(struct wal *w, const struct wal_spare *s, bool replaces)
{
	struct wal_spares *p = &w->spares;

	pthread_mutex_lock(&p->lock);
	if (replaces) {
		assert(p->ready[0].sequence == s->sequence);
		p->ready[0] = *s;
	} else {
		assert(p->count < ARRAY_LEN(p->ready));
		assert(s->sequence == p->next_sequence);
		p->ready[p->count++] = *s;
		p->next_sequence++;
	}
	p->error = 0;
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->changed, true);
}

/* Names the file and makes it ready; replace: in the place of the next one, if
 * there is one (engine thread). */
static int file_ready(struct wal *w, int file, const char *tmp, uint64_t size,
		      bool replace)
{
	struct wal_spares *p = &w->spares;
	struct wal_spare s = { .size = size };
	bool full;
	int err;

	w->io->ops->random(w->io, &s.salt, sizeof(s.salt));
	pthread_mutex_lock(&p->numbering); /* I2 */
	pthread_mutex_lock(&p->lock);
	replace = replace && p->count > 0 && p->ready[0].size < size;
	s.sequence = replace ? p->ready[0].sequence : p->next_sequence;
	full = !replace && p->count == ARRAY_LEN(p->ready);
	pthread_mutex_unlock(&p->lock);
	if (full) {
		w->io->ops->close(w->io, file);
		w->io->ops->unlink(w->io, tmp);
		err = -ENOSPC;
	} else {
		err = file_name(w, file, tmp, &s);
	}
	if (!err)
		publish(w, &s, replace);
	pthread_mutex_unlock(&p->numbering);
	return err;
}

static int make(struct wal *w, const char *name, uint64_t size, bool zeros)
{
	bool engine = name == engine_tmp;
	enum fill_pace pace = FILL_WHOLE;
	char tmp[WAL_PATH_MAX];
	int file;

	if (engine && zeros) /* a first start */
		pace = FILL_QUICK;
	else if (!engine && w->spares.running)
		pace = FILL_PACED;
	wal_path(w, tmp, name);
	file = file_make(w, tmp, &size, zeros, pace);
	if (file < 0)
		return file;
	return file_ready(w, file, tmp, size, engine);
}

static void note_error(struct wal *w, int err)
{
	struct wal_spares *p = &w->spares;

	if (err == -ECANCELED)
		return;
	pthread_mutex_lock(&p->lock);
	p->error = err;
	p->error_us = w->io->ops->mono_us(w->io);
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->changed, true);
}

int spare_make(struct wal *w, uint64_t size, bool zeros)
{
	int err;

	assert(size % w->align == 0);
	err = make(w, engine_tmp, size, zeros);
	/* A batch that is too big for the disk does not make the disk full. */
	if (err && !(size > w->segment_size && disk_is_full(err)))
		note_error(w, err);
	return err;
}

int spare_remake(struct wal *w, struct wal_spare *s)
{
	uint64_t size = align_up(s->size, w->align);
	char tmp[WAL_PATH_MAX];
	int file;

	assert(!w->spares.running);
	if (size < 16 * (uint64_t)w->align)
		size = 16 * (uint64_t)w->align;
	wal_path(w, tmp, engine_tmp);
	file = file_make(w, tmp, &size, false, FILL_WHOLE);
	if (file < 0)
		return file;
	s->size = size;
	return file_name(w, file, tmp, s);
}

int spare_make_small(struct wal *w, bool engine)
{
	int err = make(w, engine ? engine_tmp : thread_tmp,
		       spare_small_size(w), false);

	note_error(w, err ? err : -ENOSPC); /* I5 */
	return err;
}

/* --- covered segments ---------------------------------------------------- */

static bool recyclable(struct wal *w, const struct wal_sealed *s)
{
	bool wanted;

	pthread_mutex_lock(&w->spares.lock);
	wanted = w->spares.count < SPARES_MAX;
	pthread_mutex_unlock(&w->spares.lock);
	return wanted && !s->damaged && s->align == w->align &&
	       s->size == w->segment_size;
}

/* A new life for the file, or its end. */
static int covered_step(struct wal *w, const struct wal_sealed *s)
{
	const struct io_ops *ops = w->io->ops;
	char path[WAL_PATH_MAX], tmp[WAL_PATH_MAX];
	int file, err;

	wal_segment_path(w, path, s->sequence);
	wal_path(w, tmp, thread_tmp);
	if (!recyclable(w, s)) {
		err = ops->unlink(w->io, path);
		return err && err != -ENOENT ? err : dir_sync(w);
	}
	err = ops->rename(w->io, path, tmp); /* I3 */
	if (err)
		return err == -ENOENT ? 0 : err;
	err = dir_sync(w);
	if (err)
		return err;
	file = open_direct(w, tmp, IO_WRITE);
	if (file < 0)
		return file;
	if (ops->size(w->io, file) != (int64_t)s->size) {
		ops->close(w->io, file);
		return ops->unlink(w->io, tmp);
	}
	return file_ready(w, file, tmp, s->size, false);
}

static bool covered_take(struct wal *w, struct wal_sealed *out)
{
	struct wal_sealed_list *l = &w->spares.covered;
	bool any;

	pthread_mutex_lock(&w->spares.lock);
	any = l->count > 0;
	if (any) {
		*out = l->at[0];
		l->count--;
		memmove(l->at, l->at + 1, l->count * sizeof(*l->at));
	}
	pthread_mutex_unlock(&w->spares.lock);
	return any;
}

/* One thing that is due. False: nothing was. */
static bool work_step(struct wal *w)
{
	struct wal_spares *p = &w->spares;
	uint64_t now = w->io->ops->mono_us(w->io);
	struct wal_sealed covered;
	bool due;
	int err;

	if (covered_take(w, &covered)) {
		err = covered_step(w, &covered);
		if (err)
			note_error(w, err);
		atomic_store(&p->changed, true);
		return true;
	}
	pthread_mutex_lock(&p->lock);
	due = p->count < (p->error ? 2 : 1) && !p->dir_error && /* I5 */
	      (!p->error || now - p->error_us >= SPARE_RETRY_US);
	pthread_mutex_unlock(&p->lock);
	if (!due)
		return false;
	err = make(w, thread_tmp, w->segment_size, true);
	if (err && atomic_load(&p->stalled) && disk_is_full(err))
		spare_make_small(w, false);
	else if (err)
		note_error(w, err);
	return true;
}

/* --- the thread ---------------------------------------------------------- */

static void wait_for_work(struct wal *w)
{
	struct wal_spares *p = &w->spares;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++; /* SPARE_RETRY_US */
	pthread_mutex_lock(&p->lock);
	if (p->stop || p->covered.count || (!p->count && !p->error))
		;
	else if (p->error && !p->dir_error)
		pthread_cond_timedwait(&p->work, &p->lock, &until);
	else
		pthread_cond_wait(&p->work, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

static void *spares_main(void *arg)
{
	struct wal *w = arg;

	pthread_setname_np(pthread_self(), "spares");
	while (!stopping(w)) {
		if (work_step(w))
			committer_wake(w);
		else
			wait_for_work(w);
	}
	return NULL;
}

void spares_init(struct wal *w)
{
	struct wal_spares *p = &w->spares;
	pthread_condattr_t attr;

	pthread_mutex_init(&p->numbering, NULL);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->work, &attr);
	pthread_condattr_destroy(&attr);
}

int spares_start(struct wal *w)
{
	assert(!w->spares.running);
	assert(w->spares.next_sequence > 0);
	if (!w->options.threads)
		return 0;
	w->spares.running = true;
	if (pthread_create(&w->spares.thread, NULL, spares_main, w) != 0) {
		w->spares.running = false;
		return -EAGAIN;
	}
	return 0;
}

static void kick(struct wal *w)
{
	pthread_cond_signal(&w->spares.work);
}

void spares_stop(struct wal *w)
{
	if (!w->spares.running)
		return;
	pthread_mutex_lock(&w->spares.lock);
	w->spares.stop = true;
	kick(w);
	pthread_mutex_unlock(&w->spares.lock);
	pthread_join(w->spares.thread, NULL);
	w->spares.running = false;
}

void spares_release(struct wal *w)
{
	assert(!w->spares.running);
	mem_free(w->spares.covered.at);
	pthread_mutex_destroy(&w->spares.numbering);
	pthread_mutex_destroy(&w->spares.lock);
	pthread_cond_destroy(&w->spares.work);
}

/* --- the engine's side --------------------------------------------------- */

void spares_clean(struct wal *w)
{
	char path[WAL_PATH_MAX];

	assert(!w->spares.running);
	wal_path(w, path, thread_tmp);
	w->io->ops->unlink(w->io, path);
	wal_path(w, path, engine_tmp);
	w->io->ops->unlink(w->io, path);
}

void spare_adopt(struct wal *w, const struct wal_spare *s)
{
	struct wal_spares *p = &w->spares;

	assert(!p->running);
	assert(p->count < ARRAY_LEN(p->ready));
	assert(!p->count || p->ready[p->count - 1].sequence < s->sequence);
	p->ready[p->count++] = *s;
}

bool spare_peek(struct wal *w, struct wal_spare *out)
{
	bool any;

	pthread_mutex_lock(&w->spares.lock);
	any = w->spares.count > 0;
	if (any)
		*out = w->spares.ready[0];
	pthread_mutex_unlock(&w->spares.lock);
	return any;
}

bool spare_take(struct wal *w, uint64_t need, struct wal_spare *out)
{
	struct wal_spares *p = &w->spares;
	bool fits;

	pthread_mutex_lock(&p->lock);
	fits = p->count > 0 &&
	       segment_capacity(p->ready[0].size, w->align) >= need;
	if (fits) {
		*out = p->ready[0];
		p->count--;
		memmove(p->ready, p->ready + 1, p->count * sizeof(p->ready[0]));
		kick(w);
	}
	pthread_mutex_unlock(&p->lock);
	return fits;
}

void spares_step(struct wal *w)
{
	assert(!w->spares.running);
	while (work_step(w))
		;
}

void spares_poll(struct wal *w)
{
	int err;

	if (!atomic_load(&w->spares.changed))
		return;
	atomic_store(&w->spares.changed, false);
	pthread_mutex_lock(&w->spares.lock);
	err = w->spares.dir_error;
	pthread_mutex_unlock(&w->spares.lock);
	if (err) {
		wal_fail(w, NULL, "sync of the directory", 0, err);
		return;
	}
	if (atomic_load(&w->spares.stalled))
		stall_step(w);
	room_update(w);
	room_say(w);
}

void wal_retain(struct wal *w, uint64_t lsn, uint64_t newest_lsn)
{
	struct wal_sealed_list *l = &w->sealed;
	size_t n = 0, most = l->count;
	unsigned i;

	assert(lsn <= newest_lsn);
	assert(newest_lsn <= w->at.last_lsn);
	if (newest_lsn != w->newest_snapshot_lsn) {
		for (i = 0; i < w->point_count; i++)
			if (w->points[i].lsn <= newest_lsn)
				w->snapshot_payload = w->points[i].payload;
		w->recovered_payload = 0;
		w->newest_snapshot_lsn = newest_lsn;
	}
	w->retain_lsn = lsn;
	/* What snapshots name must be in use, or a later one: stalled, or
	 * switched off, the log has none later. */
	if (!w->segment && most > 0)
		most--;
	while (n < most && l->at[n].last_lsn <= lsn)
		n++;
	if (n == 0)
		return;
	pthread_mutex_lock(&w->spares.lock);
	for (i = 0; i < n; i++)
		sealed_add(&w->spares.covered, &l->at[i]);
	kick(w);
	pthread_mutex_unlock(&w->spares.lock);
	l->count -= n;
	memmove(l->at, l->at + n, l->count * sizeof(*l->at));
}
