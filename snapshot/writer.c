/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer: a queue of blocks between the engine and a worker.
 *
 *   engine                      worker
 *   begin ──────────────────►  open the temporary file, header
 *   put ──► [ block, block ] ► batch header, zstd, frames, output
 *   finish ─────────────────►  footer, sync, check, rename, prune
 *   state ◄──── DONE / FAILED
 *
 * I1. A block is one batch; its frames stand together and in order.
 * I2. The engine never waits for the worker but in snapshot_close, and there
 *     only for the system call that it is in.
 * I3. After the first error nothing more is written; state tells, and the
 *     temporary file goes.
 * I4. `state` is stored last: who reads DONE or FAILED may read the rest.
 * I5. What a reader would refuse is not written: the log behind a snapshot
 *     that counts goes.
 */
#include "snapshot/snapshot.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "snapshot/output.h"

#define WORKER_NICE 5
#define FREE_BLOCKS_MAX 4 /* kept for the next put */
#define PACE_STEP_US 10000

struct block {
	struct block *next;
	struct batch batch;
	size_t size; /* as counted in the queue */
};

struct snapshot_writer {
	struct snapshot_options o;
	struct snapshot_meta meta; /* dbs is a copy */
	char name[SNAPSHOT_NAME_SIZE];
	pthread_t thread;
	bool started; /* the thread runs or has run */

	pthread_mutex_t mutex; /* guards the next five */
	pthread_cond_t work;
	struct block *first, *last;
	struct block *free_blocks;
	unsigned free_count;
	bool finishing;

	_Atomic(size_t) queued;
	atomic_bool wants_room; /* room was denied */
	atomic_bool aborted;
	_Atomic(uint64_t) raw_bytes;  /* taken */
	_Atomic(uint64_t) file_bytes; /* written */
	_Atomic(enum snapshot_state) state;
	struct err_message message; /* I4 */
	uint64_t oldest;            /* I4 */

	/* The worker's. */
	struct snapshot_output out;
	struct snapshot_end end;
	struct frame_seed seed;
	ZSTD_CCtx *zstd;
	uint8_t *raw;  /* SNAPSHOT_RAW_MAX bytes: content of a frame */
	uint8_t *packed;
};

/* A completion whose only effect is that the engine wakes up. */
static void wake_done(struct completion *c)
{
	mem_free(c);
}

static void wake_engine(struct snapshot_writer *w)
{
	struct completion *c;

	if (!w->o.completions)
		return;
	c = mem_alloc(sizeof(*c));
	*c = (struct completion){ .done = wake_done };
	completion_post(w->o.completions, c);
}

/* --- the worker: bytes -------------------------------------------------- */

static int write_header(struct snapshot_writer *w, struct err_message *m)
{
	size_t size = snapshot_header_size(&w->meta, w->out.align);
	uint8_t *block = mem_alloc(size);
	int err;

	w->o.io->ops->random(w->o.io, &w->seed.salt, sizeof(w->seed.salt));
	snapshot_header_encode(block, size, &w->meta, w->seed.salt);
	w->end.footer.hash = snapshot_chain_start(slice_of(block, size));
	err = snapshot_output_put(&w->out, block, size, m);
	mem_free(block);
	return err;
}

/* One frame with `size` bytes of w->raw. */
static int write_frame(struct snapshot_writer *w, size_t size, uint32_t count,
		       unsigned flags, struct err_message *m)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame_header h = {
		.flags = (uint16_t)(FRAME_SNAPSHOT | FRAME_ZSTD | flags),
		.first_lsn = w->meta.lsn,
		.count = count,
		.epoch = w->meta.epoch,
		.raw_length = size,
	};
	size_t packed = ZSTD_compressCCtx(w->zstd, w->packed,
					  FRAME_CONTENT_MAX, w->raw, size,
					  w->o.level);
	int err;

	if (ZSTD_isError(packed))
		return err_set(m, ERR_IO, "snapshot %s: zstd: %s", w->name,
			       ZSTD_getErrorName(packed));
	h.length = (uint32_t)packed;
	h.content_check =
		frame_content_check(slice_of(w->packed, packed), &w->seed);
	frame_encode(header, &h, &w->seed, snapshot_output_offset(&w->out));
	w->end.footer.hash = chain_frame(w->end.footer.hash, &h);
	w->end.frame_count++;
	err = snapshot_output_put(&w->out, header, sizeof(header), m);
	if (!err)
		err = snapshot_output_put(&w->out, w->packed, packed, m);
	return err;
}

/* The batch as its bytes, cut into frames. (I1) */
static int write_batch(struct snapshot_writer *w, const struct batch *b,
		       struct err_message *m)
{
	const struct batch_header plain = { 0 };
	struct slice rest = buf_slice(&b->records);
	size_t fill = (size_t)(batch_put_header(w->raw, b, &plain) - w->raw);
	unsigned flags = 0;

	if (rest.size > SNAPSHOT_BATCH_MAX - fill) /* I5 */
		return err_set(m, ERR_FULL, "snapshot %s: an element of %zu "
			       "bytes is too long for it", w->name, rest.size);
	w->end.footer.record_count += b->count;
	w->end.footer.raw_bytes += fill + rest.size;
	do {
		size_t n = SNAPSHOT_RAW_MAX - fill;
		int err;

		if (n > rest.size)
			n = rest.size;
		put_bytes(w->raw + fill, rest.data, n);
		rest.data += n;
		rest.size -= n;
		if (rest.size)
			flags |= FRAME_CONT_AFTER;
		else
			flags &= ~(unsigned)FRAME_CONT_AFTER;
		err = write_frame(w, fill + n, rest.size ? 0 : b->count,
				  flags, m);
		if (err)
			return err;
		flags |= FRAME_CONT_BEFORE;
		fill = 0;
	} while (rest.size > 0);
	return OK;
}

/* Zeros up to where the footer ends on a multiple of align, and the footer. */
static int write_footer(struct snapshot_writer *w, struct err_message *m)
{
	uint64_t offset = snapshot_output_offset(&w->out);
	uint64_t align = w->out.align, size;
	uint8_t footer[SNAPSHOT_FOOTER_SIZE];
	int err;

	w->end.frames_end = offset;
	size = (offset + SNAPSHOT_FOOTER_SIZE + align - 1) & ~(align - 1);
	memset(w->packed, 0, align);
	err = snapshot_output_put(&w->out, w->packed,
				  size - SNAPSHOT_FOOTER_SIZE - offset, m);
	if (err)
		return err;
	offset = snapshot_output_offset(&w->out);
	snapshot_footer_encode(footer, &w->end, &w->meta, &w->seed, offset);
	return snapshot_output_put(&w->out, footer, sizeof(footer), m);
}

/* --- the worker: order of events ---------------------------------------- */

static void pause_us(unsigned us)
{
	struct timespec t = { us / 1000000, (long)(us % 1000000) * 1000 };

	nanosleep(&t, NULL);
}

/* Behind each write: lets commits go first. */
static void wrote(void *ctx, size_t bytes)
{
	struct snapshot_writer *w = ctx;
	unsigned us;

	atomic_fetch_add(&w->file_bytes, bytes);
	if (!w->o.pace || !w->started)
		return;
	us = w->o.pace(w->o.pace_ctx, bytes);
	while (us > 0 && !atomic_load(&w->aborted)) {
		unsigned step = us < PACE_STEP_US ? us : PACE_STEP_US;

		pause_us(step);
		us -= step;
	}
}

static bool aborted(void *ctx)
{
	struct snapshot_writer *w = ctx;

	return atomic_load(&w->aborted);
}

static int work_open(struct snapshot_writer *w, struct err_message *m)
{
	int err;

	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		mem_exhausted(sizeof(w->zstd));
	w->raw = mem_alloc(SNAPSHOT_RAW_MAX);
	w->packed = mem_alloc(FRAME_CONTENT_MAX);
	err = snapshot_output_open(&w->out, m);
	return err ? err : write_header(w, m);
}

static int work_finish(struct snapshot_writer *w, struct err_message *m)
{
	struct snapshot_name *left = NULL;
	int err, count;

	err = write_footer(w, m);
	if (!err)
		err = snapshot_output_sync(&w->out, m);
	if (!err)
		err = snapshot_output_check(&w->out, &w->end, aborted, w, m);
	if (!err && aborted(w))
		err = err_set(m, ERR_IO, "snapshot %s: aborted", w->name);
	if (!err)
		err = snapshot_output_publish(&w->out, m);
	if (err)
		return err;
	/* From here on it exists; a name too many does no harm. */
	if (w->o.keep > 0)
		snapshot_prune(w->o.io, w->o.dir, w->o.keep, NULL);
	count = snapshot_list(w->o.io, w->o.dir, &left, NULL);
	w->oldest = count > 0 && count >= (int)w->o.keep
			    ? left[count - 1].lsn : 0;
	mem_free(left);
	return OK;
}

static void work_end(struct snapshot_writer *w, int err)
{
	snapshot_output_close(&w->out); /* I3 */
	ZSTD_freeCCtx(w->zstd);
	w->zstd = NULL;
	mem_free(w->raw);
	mem_free(w->packed);
	w->raw = w->packed = NULL;
	atomic_store(&w->state, err ? SNAPSHOT_FAILED : SNAPSHOT_DONE); /* I4 */
	wake_engine(w);
}

static void recycle(struct snapshot_writer *w, struct block *b)
{
	size_t size = b->size;
	size_t left;

	batch_reset(&b->batch);
	pthread_mutex_lock(&w->mutex);
	if (w->free_count < FREE_BLOCKS_MAX) {
		b->next = w->free_blocks;
		w->free_blocks = b;
		w->free_count++;
		b = NULL;
	}
	pthread_mutex_unlock(&w->mutex);
	if (b) {
		batch_release(&b->batch);
		mem_free(b);
	}
	left = atomic_fetch_sub(&w->queued, size) - size;
	if (left <= w->o.queue_max / 2 &&
	    atomic_exchange(&w->wants_room, false))
		wake_engine(w);
}

/* The next block; NULL when there will be none: finish or abort. */
static struct block *next_block(struct snapshot_writer *w)
{
	struct block *b = NULL;

	pthread_mutex_lock(&w->mutex);
	while (!w->first && !w->finishing && !atomic_load(&w->aborted))
		pthread_cond_wait(&w->work, &w->mutex);
	if (w->first && !atomic_load(&w->aborted)) {
		b = w->first;
		w->first = b->next;
		if (!w->first)
			w->last = NULL;
	}
	pthread_mutex_unlock(&w->mutex);
	return b;
}

static void *worker(void *arg)
{
	struct snapshot_writer *w = arg;
	struct block *b;
	int err;

	/* On Linux a priority is a thread's. Not getting it is no error. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE);
	err = work_open(w, &w->message);
	while (!err && (b = next_block(w)) != NULL) {
		err = write_batch(w, &b->batch, &w->message);
		recycle(w, b);
	}
	if (!err && atomic_load(&w->aborted))
		err = err_set(&w->message, ERR_IO, "snapshot %s: aborted",
			      w->name);
	if (!err)
		err = work_finish(w, &w->message);
	work_end(w, err);
	return NULL;
}

/* --- the engine's side -------------------------------------------------- */

/* Runs step's result in: without threads the first error ends it at once. */
static void inline_result(struct snapshot_writer *w, int err)
{
	assert(!w->started);
	if (err)
		work_end(w, err);
}

int snapshot_begin(struct snapshot_writer **out,
		   const struct snapshot_options *o,
		   const struct snapshot_meta *meta, struct err_message *m)
{
	struct snapshot_writer *w = mem_calloc(1, sizeof(*w));

	assert(meta->lsn > 0 || meta->db_count == 0);
	w->o = *o;
	w->meta = *meta;
	w->meta.dbs = mem_calloc(meta->db_count + 1u, sizeof(*meta->dbs));
	put_bytes((uint8_t *)w->meta.dbs, meta->dbs,
		  meta->db_count * sizeof(*meta->dbs));
	w->seed.store = store_content_seed(&meta->store);
	snapshot_make_name(w->name, meta->epoch, meta->lsn);
	snapshot_output_init(&w->out, o->io, o->dir, w->name);
	w->out.wrote = wrote;
	w->out.wrote_ctx = w;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->work, NULL);
	atomic_init(&w->state, SNAPSHOT_RUNNING);
	*out = w;
	if (!o->threads) {
		inline_result(w, work_open(w, &w->message));
		return OK;
	}
	w->started = true;
	if (pthread_create(&w->thread, NULL, worker, w) != 0) {
		w->started = false;
		work_end(w, ERR_IO);
		snapshot_close(w);
		*out = NULL;
		return err_set(m, ERR_IO, "snapshot: no thread for it");
	}
	return OK;
}

bool snapshot_room(struct snapshot_writer *w)
{
	size_t limit = w->o.queue_max > SNAPSHOT_BLOCK_SIZE
			       ? w->o.queue_max - SNAPSHOT_BLOCK_SIZE : 0;

	if (atomic_load(&w->queued) <= limit)
		return true;
	atomic_store(&w->wants_room, true);
	/* It may have been emptied just before the wish was seen. */
	return atomic_load(&w->queued) == 0;
}

size_t snapshot_queued(const struct snapshot_writer *w)
{
	return atomic_load(&w->queued);
}

static struct block *empty_block(struct snapshot_writer *w)
{
	struct block *b;

	pthread_mutex_lock(&w->mutex);
	b = w->free_blocks;
	if (b) {
		w->free_blocks = b->next;
		w->free_count--;
	}
	pthread_mutex_unlock(&w->mutex);
	if (!b) {
		b = mem_alloc(sizeof(*b));
		batch_init(&b->batch);
	}
	return b;
}

static void enqueue(struct snapshot_writer *w, struct block *b)
{
	b->next = NULL;
	atomic_fetch_add(&w->queued, b->size);
	pthread_mutex_lock(&w->mutex);
	assert(!w->finishing);
	if (w->last)
		w->last->next = b;
	else
		w->first = b;
	w->last = b;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->mutex);
}

void snapshot_put(struct snapshot_writer *w, struct batch *b)
{
	struct block *to;
	struct buf spare;

	if (b->count == 0)
		return;
	atomic_fetch_add(&w->raw_bytes, b->records.size);
	if (atomic_load(&w->state) != SNAPSHOT_RUNNING) {
		batch_reset(b);
		return;
	}
	if (!w->started) {
		inline_result(w, write_batch(w, b, &w->message));
		batch_reset(b);
		return;
	}
	to = empty_block(w);
	spare = to->batch.records;
	to->batch = *b;
	to->batch.origin = NULL;
	to->batch.origin_cache = NULL;
	to->size = b->records.size;
	b->records = spare;
	batch_reset(b);
	enqueue(w, to);
}

void snapshot_finish(struct snapshot_writer *w, uint64_t durable_lsn,
		     uint64_t sequence)
{
	if (atomic_load(&w->state) != SNAPSHOT_RUNNING)
		return;
	pthread_mutex_lock(&w->mutex);
	assert(!w->finishing);
	w->end.footer.durable_lsn = durable_lsn;
	w->end.footer.sequence = sequence;
	w->finishing = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->mutex);
	if (!w->started)
		work_end(w, work_finish(w, &w->message));
}

void snapshot_abort(struct snapshot_writer *w)
{
	if (atomic_exchange(&w->aborted, true))
		return;
	if (w->started) {
		pthread_mutex_lock(&w->mutex);
		pthread_cond_signal(&w->work);
		pthread_mutex_unlock(&w->mutex);
	} else if (atomic_load(&w->state) == SNAPSHOT_RUNNING) {
		work_end(w, err_set(&w->message, ERR_IO,
				    "snapshot %s: aborted", w->name));
	}
}

enum snapshot_state snapshot_state(struct snapshot_writer *w,
				   struct err_message *m)
{
	enum snapshot_state state = atomic_load(&w->state);

	if (state == SNAPSHOT_FAILED && m)
		*m = w->message;
	return state;
}

uint64_t snapshot_raw_bytes(const struct snapshot_writer *w)
{
	return atomic_load(&w->raw_bytes);
}

uint64_t snapshot_file_bytes(const struct snapshot_writer *w)
{
	return atomic_load(&w->file_bytes);
}

uint64_t snapshot_oldest(const struct snapshot_writer *w)
{
	assert(atomic_load(&w->state) == SNAPSHOT_DONE);
	return w->oldest;
}

static void free_list(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		batch_release(&b->batch);
		mem_free(b);
		b = next;
	}
}

void snapshot_close(struct snapshot_writer *w)
{
	if (!w)
		return;
	snapshot_abort(w);
	if (w->started)
		pthread_join(w->thread, NULL); /* I2 */
	/* What it posted may still lie there. */
	if (w->started && w->o.completions)
		completion_drain(w->o.completions);
	assert(atomic_load(&w->state) != SNAPSHOT_RUNNING);
	free_list(w->first);
	free_list(w->free_blocks);
	pthread_mutex_destroy(&w->mutex);
	pthread_cond_destroy(&w->work);
	mem_free(w->meta.dbs);
	mem_free(w);
}
