/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commit: groups and syncs on their way to the disk.
 *
 * A job is a short list of writes and syncs.  Two job slots: one group, one
 * sync; both may be on their way at once under the weaker levels, and the log
 * thread takes them in the order of submission.
 *
 *   commit_group ──► write_job ─┐            ┌─► job_done: positions move,
 *   commit_sync  ──► sync_job  ─┴─► steps ───┘   or wal_fail
 *                  (in place, or the log thread)
 *
 * `always` (each write is a sync)      `everysec`, `no`
 *   [seal of the old segment]            [sync old, write seal, sync old]
 *   [use of the new one]                 [write use, sync new]
 *   the group                            the group
 *   durable                              written
 *
 * I1. One group is on its way at a time, so groups reach the disk in order.
 * I2. What a durable LSN in a frame says was true before the frame was
 *     written: durable_lsn at submission, or what a sync that is an earlier
 *     step of the same job makes durable.
 * I3. A seal is written when everything before it is durable, and the use of
 *     the next segment when the seal is durable, whatever the level: a sealed
 *     segment is whole.
 * I4. After a failed step nothing is tried again: the kernel may have dropped
 *     the pages (wal_fail).  Positions stay, so nothing is acknowledged.
 * I5. While a job is busy its memory belongs to whoever does it.
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* --- doing it ------------------------------------------------------------ */

static int step_run(struct io *io, const struct wal_step *step)
{
	if (!step->data)
		return io->ops->sync(io, step->segment->file);
	return io_write_all(io, step->segment->file, step->data, step->size,
			    step->offset);
}

static void job_run(struct io *io, struct wal_job *job)
{
	uint64_t start = io->ops->mono_us(io);
	unsigned i;

	assert(job->step_count > 0);
	assert(job->step_count <= ARRAY_LEN(job->steps));
	job->error = 0;
	for (i = 0; i < job->step_count && !job->error; i++) {
		job->error = step_run(io, &job->steps[i]);
		job->failed_step = i;
	}
	job->us = io->ops->mono_us(io) - start;
}

/* --- the log thread ------------------------------------------------------ */

static void list_append(struct wal_job **list, struct wal_job *job)
{
	while (*list)
		list = &(*list)->next;
	job->next = NULL;
	*list = job;
}

/* Runs in the engine thread. */
static void wakeup_done(struct completion *c)
{
	struct wal_wakeup *u = (struct wal_wakeup *)c;

	if (!u->wal) {
		mem_free(u);
		return;
	}
	atomic_store(&u->posted, false);
	wal_poll(u->wal);
}

void committer_wake(struct wal *w)
{
	struct wal_wakeup *u = w->committer.wakeup;

	if (w->options.completions && !atomic_exchange(&u->posted, true))
		completion_post(w->options.completions, &u->completion);
}

static void *committer_main(void *arg)
{
	struct wal *w = arg;
	struct wal_committer *c = &w->committer;

	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct wal_job *job = c->queue;

		if (c->stop)
			break;
		if (!job) {
			pthread_cond_wait(&c->work, &c->lock);
			continue;
		}
		c->queue = job->next;
		pthread_mutex_unlock(&c->lock);
		job_run(w->io, job);
		pthread_mutex_lock(&c->lock);
		list_append(&c->finished, job);
		atomic_store(&c->any_finished, true);
		pthread_cond_signal(&c->done);
		committer_wake(w);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void thread_submit(struct wal *w, struct wal_job *job)
{
	struct wal_committer *c = &w->committer;

	assert(c->running);
	pthread_mutex_lock(&c->lock);
	list_append(&c->queue, job);
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

static struct wal_job *thread_poll(struct wal *w, bool wait)
{
	struct wal_committer *c = &w->committer;
	struct wal_job *job;

	if (!wait && !atomic_load(&c->any_finished))
		return NULL;
	pthread_mutex_lock(&c->lock);
	while (wait && !c->finished)
		pthread_cond_wait(&c->done, &c->lock);
	job = c->finished;
	if (job)
		c->finished = job->next;
	atomic_store(&c->any_finished, c->finished != NULL);
	pthread_mutex_unlock(&c->lock);
	return job;
}

static const struct wal_commit_ops thread_ops = { thread_submit, thread_poll };

int committer_start(struct wal *w)
{
	struct wal_committer *c = &w->committer;

	assert(!c->running);
	if (!w->options.threads)
		return 0;
	c->wakeup = mem_calloc(1, sizeof(*c->wakeup));
	c->wakeup->completion.done = wakeup_done;
	c->wakeup->wal = w;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->done, NULL);
	if (pthread_create(&c->thread, NULL, committer_main, w) != 0) {
		committer_stop(w);
		return -EAGAIN;
	}
	c->running = true;
	return 0;
}

void committer_stop(struct wal *w)
{
	struct wal_committer *c = &w->committer;

	if (c->running) {
		pthread_mutex_lock(&c->lock);
		c->stop = true;
		pthread_cond_signal(&c->work);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
		c->running = false;
	}
	if (!c->wakeup)
		return;
	c->wakeup->wal = NULL;
	if (!atomic_load(&c->wakeup->posted))
		mem_free(c->wakeup);
	c->wakeup = NULL; /* else its done() frees it */
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->done);
}

/* --- outcomes ------------------------------------------------------------ */

/* Whether the engine may wait for the next sync itself, by the recent ones. A
 * stall of an otherwise quick disk is over as soon as a few are quick again. */
static void note_latency(struct wal *w, uint64_t us)
{
	uint64_t *place = &w->recent_us[w->stats.syncs++ % RECENT_SYNCS];

	w->recent_slow += (us >= INLINE_SYNC_US) - (*place >= INLINE_SYNC_US);
	*place = us;
	w->quick_run = us < INLINE_SYNC_US ? w->quick_run + 1 : 0;
	if (us >= STALL_SYNC_US || w->recent_slow > INLINE_SLOW_MAX)
		w->disk_quick = false;
	if (!w->disk_quick && w->quick_run >= QUICK_RUN) {
		w->disk_quick = true;
		w->recent_slow = 0;
		memset(w->recent_us, 0, sizeof(w->recent_us));
	}
	w->stats.sync_us_last = us;
	if (us > w->stats.sync_us_max)
		w->stats.sync_us_max = us;
}

static void durable_to(struct wal *w, uint64_t lsn, uint64_t payload)
{
	if (lsn <= w->at.durable_lsn)
		return;
	assert(lsn <= w->at.written_lsn);
	w->at.durable_lsn = lsn;
	w->durable_payload = payload;
}

/* What is not durable now came at started_us or later. */
static void note_age(struct wal *w, uint64_t started_us)
{
	if (w->at.durable_lsn == w->at.last_lsn)
		w->unsynced_us = 0;
	else if (w->unsynced_us && w->unsynced_us < started_us)
		w->unsynced_us = started_us;
}

static void sealed_of(struct wal *w, struct wal_segment *s)
{
	struct wal_sealed sealed = { .sequence = s->identity.sequence,
				     .last_lsn = s->last_lsn,
				     .size = s->identity.size,
				     .align = s->identity.align };

	sealed_add(&w->sealed, &sealed);
	segment_free(w, s);
	wal_retain(w, w->retain_lsn, w->newest_snapshot_lsn);
}

static void group_done(struct wal *w, struct wal_job *job)
{
	struct wal_group *g = job->group;

	w->at.written_lsn = g->last_lsn;
	w->written_payload = g->payload_end;
	w->written_segment = g->segment;
	w->marked_lsn = job->stamp_lsn;
	w->group_count++;
	w->stats.groups++;
	w->stats.file_bytes += g->size;
	w->last_group_us = job->started_us + job->us;
	atomic_store_explicit(&w->spares.last_group_us, w->last_group_us,
			      memory_order_relaxed);
	w->last_write_us = job->us;
	if (g->segment->durable_writes) {
		note_latency(w, job->us);
		durable_to(w, g->last_lsn, g->payload_end);
		w->synced_count = w->group_count;
		note_age(w, job->started_us);
	} else if (g->rolls_from) {
		durable_to(w, g->first_lsn - 1, g->payload_end - g->payload);
		note_age(w, g->opened_us);
	}
	if (g->rolls_from) {
		w->stats.file_bytes += 2 * (uint64_t)w->align;
		sealed_of(w, g->rolls_from);
		g->rolls_from = NULL;
	}
	job->group = NULL;
	group_release(w, g);
}

static void sync_done(struct wal *w, struct wal_job *job)
{
	note_latency(w, job->us);
	durable_to(w, job->lsn, job->payload);
	if (job->group_count > w->synced_count)
		w->synced_count = job->group_count;
	note_age(w, job->started_us);
}

static void job_failed(struct wal *w, const struct wal_job *job)
{
	const struct wal_step *step = &job->steps[job->failed_step];

	wal_fail(w, step->segment, step->data ? "write of" : "sync of",
		 step->offset, job->error);
}

static void job_done(struct wal *w, struct wal_job *job)
{
	assert(job->busy);
	job->busy = false;
	if (w->failed)
		return;
	if (job->error)
		job_failed(w, job);
	else if (job->group)
		group_done(w, job);
	else
		sync_done(w, job);
}

/* In place: done when submit returns, so there is nothing to poll for. */
static void here_submit(struct wal *w, struct wal_job *job)
{
	job_run(w->io, job);
	job_done(w, job);
}

static struct wal_job *here_poll(struct wal *w, bool wait)
{
	(void)w;
	(void)wait;
	return NULL;
}

static const struct wal_commit_ops here_ops = { here_submit, here_poll };

void commit_poll(struct wal *w, bool wait)
{
	const struct wal_commit_ops *ops = &here_ops;
	struct wal_job *job;

	if (w->committer.running)
		ops = &thread_ops;
	while ((job = ops->poll(w, wait && commit_busy(w))) != NULL) {
		job_done(w, job);
		wait = false;
	}
}

/* --- submitting ---------------------------------------------------------- */

static void job_submit(struct wal *w, struct wal_job *job, bool here)
{
	const struct wal_commit_ops *ops = &here_ops;

	assert(!job->busy);
	if (!here && w->committer.running)
		ops = &thread_ops;
	job->busy = true;
	job->started_us = w->io->ops->mono_us(w->io);
	ops->submit(w, job);
}

static struct wal_step *step_add(struct wal_job *job, struct wal_segment *s)
{
	assert(job->step_count < ARRAY_LEN(job->steps));
	job->steps[job->step_count] = (struct wal_step){ .segment = s };
	return &job->steps[job->step_count++];
}

static void step_write(struct wal_job *job, struct wal_segment *s,
		       struct slice data, uint64_t offset)
{
	struct wal_step *step = step_add(job, s);

	step->data = data.data;
	step->size = data.size;
	step->offset = offset;
}

/* The seal of the old segment and the use of the new one. */
static void roll_steps(struct wal *w, struct wal_job *job)
{
	struct wal_segment *from = job->group->rolls_from;
	struct wal_segment *to = job->group->segment;
	struct wal_spare next = { to->identity.sequence, to->identity.salt,
				  to->identity.size };
	uint8_t *seal = w->roll_blocks, *use = seal + w->align;
	bool sync = !from->durable_writes;
	uint64_t chain;

	assert(w->at.written_lsn == from->last_lsn); /* I3 */
	assert(to->first_lsn == from->last_lsn + 1);
	job->stamp_lsn = from->last_lsn; /* I2 */
	chain = segment_put_seal(w, from, seal, &next, SEAL_ROLL);
	segment_put_use(w, to, use, chain, false);
	if (sync)
		step_add(job, from);
	step_write(job, from, slice_of(seal, w->align), from->next_offset);
	if (sync)
		step_add(job, from);
	step_write(job, to, slice_of(use, w->align), w->align);
	if (!to->durable_writes)
		step_add(job, to);
}

void commit_group(struct wal *w, struct wal_group *g, bool here)
{
	struct wal_job *job = &w->write_job;

	assert(!job->busy); /* I1 */
	assert(g->first_lsn == w->at.written_lsn + 1);
	job->group = g;
	job->step_count = 0;
	job->stamp_lsn = w->at.durable_lsn;
	if (g->rolls_from)
		roll_steps(w, job);
	group_encode(w, g, job->stamp_lsn);
	step_write(job, g->segment, slice_of(g->data, g->size), g->offset);
	job_submit(w, job, here);
}

void commit_sync(struct wal *w, bool here)
{
	struct wal_job *job = &w->sync_job;

	assert(!job->busy);
	assert(!w->write_job.busy);
	job->group = NULL;
	job->step_count = 0;
	job->lsn = w->at.written_lsn;
	job->payload = w->written_payload;
	job->group_count = w->group_count;
	w->last_sync_us = w->now_us;
	step_add(job, w->written_segment);
	job_submit(w, job, here);
}
