/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader: a ring of frames that helper threads fill ahead.
 *
 *   file ──one at a time──► slot.packed ──check, zstd──► slot.raw ──► next
 *
 * Reading is in turn (who holds `reading`), decoding side by side, handing out
 * in order.  Without threads the caller's thread fills the only slot.
 *
 * I1. A frame is decoded into a buffer whose size was bounded before: its
 *     raw_length is at most SNAPSHOT_RAW_MAX whatever the bytes say.
 * I2. Nothing is handed out of a frame whose checks do not hold, and the end
 *     is not reported before count, bytes and chain match the footer.
 * I3. Only a batch that spans frames is copied; it grows with frames that were
 *     checked, up to SNAPSHOT_BATCH_MAX.
 */
#include "snapshot/snapshot.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <zstd.h>

#include "base/mem.h"
#include "snapshot/decode.h"
#include "snapshot/file.h"

#define READER_THREADS_MAX 8
#define SLOTS_MAX (READER_THREADS_MAX * 2 + 2)

enum slot_state { SLOT_EMPTY, SLOT_LOADING, SLOT_READY };

struct slot {
	enum slot_state state;
	int result; /* OK, SNAPSHOT_END or negative */
	struct frame_header header;
	struct buf packed; /* as in the file */
	struct buf raw;
	uint64_t offset; /* of the frame */
	struct err_message message;
};

struct snapshot_reader {
	struct snapshot_file f;
	char *path;
	unsigned thread_count;
	pthread_t threads[READER_THREADS_MAX];
	_Atomic(uint64_t) bytes_done;

	pthread_mutex_t mutex; /* guards the rest of this block */
	pthread_cond_t work;   /* a slot is empty, or reading is free */
	pthread_cond_t ready;
	struct slot slots[SLOTS_MAX];
	unsigned slot_count;
	unsigned fill; /* next slot to be filled */
	bool reading;  /* somebody uses f */
	bool done;     /* the file's end or an error was met */
	bool stop;

	/* The caller's. */
	unsigned take;
	bool taken; /* slots[take] is in use by the caller */
	bool ended;
	struct snapshot_decoder inline_decoder;
	struct buf joined; /* a batch of several frames */
	uint64_t chain, frame_count;
	struct snapshot_footer seen;
};

/* --- filling ------------------------------------------------------------ */

static int read_slot(struct snapshot_reader *r, struct slot *s)
{
	int err;

	s->offset = r->f.offset;
	err = snapshot_file_frame(&r->f, &s->header, &s->packed, &s->message);
	atomic_store(&r->bytes_done, r->f.offset);
	return err;
}

static int decode_slot(struct snapshot_reader *r, struct slot *s,
		       struct snapshot_decoder *d)
{
	const char *bad = snapshot_decode(d, &s->header, s->packed.data,
					  &s->raw, &r->f.seed);

	if (!bad)
		return OK;
	return err_set(&s->message, ERR_CORRUPT,
		       "%s: %s at offset %llu (LSN %llu)", r->path, bad,
		       (unsigned long long)s->offset,
		       (unsigned long long)r->f.meta.lsn);
}

/* The next slot for this thread, which then may use the file; NULL: over. */
static struct slot *claim(struct snapshot_reader *r)
{
	struct slot *s = NULL;

	pthread_mutex_lock(&r->mutex);
	while (!r->stop && !r->done &&
	       (r->reading || r->slots[r->fill].state != SLOT_EMPTY))
		pthread_cond_wait(&r->work, &r->mutex);
	if (!r->stop && !r->done) {
		s = &r->slots[r->fill];
		r->fill = (r->fill + 1) % r->slot_count;
		s->state = SLOT_LOADING;
		r->reading = true;
	}
	pthread_mutex_unlock(&r->mutex);
	return s;
}

static void *helper(void *arg)
{
	struct snapshot_reader *r = arg;
	struct snapshot_decoder d = { 0 };
	struct slot *s;

	while ((s = claim(r)) != NULL) {
		int err = read_slot(r, s);

		pthread_mutex_lock(&r->mutex);
		r->reading = false;
		r->done = err != OK;
		pthread_cond_broadcast(&r->work);
		pthread_mutex_unlock(&r->mutex);

		if (err == OK)
			err = decode_slot(r, s, &d);

		pthread_mutex_lock(&r->mutex);
		s->result = err;
		s->state = SLOT_READY;
		pthread_cond_signal(&r->ready);
		pthread_mutex_unlock(&r->mutex);
	}
	snapshot_decoder_release(&d);
	return NULL;
}

/* --- life --------------------------------------------------------------- */

int snapshot_open(struct snapshot_reader **out,
		  const struct snapshot_reader_options *o,
		  struct err_message *m)
{
	struct snapshot_reader *r = mem_calloc(1, sizeof(*r));
	unsigned threads = o->threads < READER_THREADS_MAX
				   ? o->threads : READER_THREADS_MAX;
	struct buf path = { 0 };
	int err;

	buf_printf(&path, "%s%s/%s%c", o->dir, SNAPSHOT_DIR, o->name, 0);
	r->path = (char *)path.data;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->work, NULL);
	pthread_cond_init(&r->ready, NULL);
	err = snapshot_file_open(&r->f, o->io, r->path, false, m);
	if (!err)
		err = snapshot_file_header(&r->f, m);
	if (!err)
		err = snapshot_file_footer(&r->f, m);
	if (err) {
		snapshot_reader_close(r);
		*out = NULL;
		return err;
	}
	r->chain = snapshot_chain_start(
		slice_of(r->f.header, r->f.header_size));
	r->slot_count = threads ? threads * 2 + 2 : 1;
	assert(r->slot_count <= SLOTS_MAX);
	/* Fewer threads than wished for, or none, are fine too. */
	while (r->thread_count < threads &&
	       pthread_create(&r->threads[r->thread_count], NULL, helper,
			      r) == 0)
		r->thread_count++;
	*out = r;
	return OK;
}

void snapshot_reader_close(struct snapshot_reader *r)
{
	unsigned i;

	if (!r)
		return;
	pthread_mutex_lock(&r->mutex);
	r->stop = true;
	pthread_cond_broadcast(&r->work);
	pthread_mutex_unlock(&r->mutex);
	for (i = 0; i < r->thread_count; i++)
		pthread_join(r->threads[i], NULL);
	for (i = 0; i < r->slot_count; i++) {
		buf_release(&r->slots[i].packed);
		buf_release(&r->slots[i].raw);
	}
	snapshot_decoder_release(&r->inline_decoder);
	snapshot_file_close(&r->f);
	buf_release(&r->joined);
	pthread_mutex_destroy(&r->mutex);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->ready);
	mem_free(r->path);
	mem_free(r);
}

const struct snapshot_meta *
snapshot_reader_meta(const struct snapshot_reader *r)
{
	return &r->f.meta;
}

const struct snapshot_footer *
snapshot_reader_footer(const struct snapshot_reader *r)
{
	return &r->f.end.footer;
}

void snapshot_progress(const struct snapshot_reader *r, uint64_t *done,
		       uint64_t *total)
{
	*done = atomic_load(&r->bytes_done);
	*total = r->f.size;
}

/* --- handing out -------------------------------------------------------- */

/* The next frame in order, decoded. Gives the one before back. */
static struct slot *next_slot(struct snapshot_reader *r)
{
	struct slot *s;

	if (r->thread_count == 0) {
		s = &r->slots[0];
		s->result = read_slot(r, s);
		if (s->result == OK)
			s->result = decode_slot(r, s, &r->inline_decoder);
		return s;
	}
	pthread_mutex_lock(&r->mutex);
	if (r->taken) {
		r->slots[r->take].state = SLOT_EMPTY;
		r->take = (r->take + 1) % r->slot_count;
		pthread_cond_signal(&r->work);
	}
	s = &r->slots[r->take];
	while (s->state != SLOT_READY)
		pthread_cond_wait(&r->ready, &r->mutex);
	pthread_mutex_unlock(&r->mutex);
	r->taken = true;
	return s;
}

static int corrupt(const struct snapshot_reader *r, const struct slot *s,
		   const char *what, struct err_message *m)
{
	return err_set(m, ERR_CORRUPT, "%s: %s at offset %llu (LSN %llu)",
		       r->path, what, (unsigned long long)s->offset,
		       (unsigned long long)r->f.meta.lsn);
}

static int check_end(struct snapshot_reader *r, struct err_message *m)
{
	const struct snapshot_end *end = &r->f.end;

	if (r->seen.record_count != end->footer.record_count ||
	    r->seen.raw_bytes != end->footer.raw_bytes ||
	    r->frame_count != end->frame_count ||
	    r->chain != end->footer.hash) /* I2 */
		return err_set(m, ERR_CORRUPT, "%s: frames and footer differ "
			       "(LSN %llu)", r->path,
			       (unsigned long long)r->f.meta.lsn);
	r->ended = true;
	return SNAPSHOT_END;
}

/* The bytes of the next batch: in the slot, or joined from several. */
static int next_content(struct snapshot_reader *r, struct slot **slot,
			struct slice *content, uint32_t *count,
			struct err_message *m)
{
	bool first = true;

	r->joined.size = 0;
	for (;;) {
		struct slot *s = next_slot(r);
		const struct frame_header *h = &s->header;

		*slot = s;
		if (s->result == SNAPSHOT_END)
			return first ? check_end(r, m)
				     : corrupt(r, s, "half a batch", m);
		if (s->result != OK) {
			if (m)
				*m = s->message;
			return s->result;
		}
		r->chain = chain_frame(r->chain, h);
		r->frame_count++;
		if (first == ((h->flags & FRAME_CONT_BEFORE) != 0))
			return corrupt(r, s, "a frame out of order", m);
		*count = h->count; /* the last one counts */
		*content = buf_slice(&s->raw);
		if (first && !(h->flags & FRAME_CONT_AFTER))
			return OK;
		first = false;
		if (r->joined.size + h->raw_length > SNAPSHOT_BATCH_MAX ||
		    !buf_try_reserve(&r->joined, h->raw_length)) /* I3 */
			return corrupt(r, s, "a batch too long", m);
		buf_put_slice(&r->joined, buf_slice(&s->raw));
		*content = buf_slice(&r->joined);
		if (!(h->flags & FRAME_CONT_AFTER))
			return OK;
	}
}

int snapshot_next(struct snapshot_reader *r, struct batch_view *out,
		  struct err_message *m)
{
	struct slice content;
	struct slot *s;
	uint32_t count = 0;
	int err;

	if (r->ended)
		return SNAPSHOT_END;
	err = next_content(r, &s, &content, &count, m);
	if (err)
		return err;
	if (!snapshot_parse(content, count, out))
		return corrupt(r, s, "a bad batch", m);
	out->first_lsn = r->f.meta.lsn;
	out->epoch = r->f.meta.epoch;
	r->seen.record_count += out->count;
	r->seen.raw_bytes += content.size;
	return OK;
}
