/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Append: batches into groups, groups into segments.
 *
 *   wal_append ─► open group ──group_close──► queue ──group_take──► commit
 *                     │                                             │
 *            group_open: place in the                     group_encode: checks,
 *            segment, or a roll                           chain, durable mark
 *
 * I1. A batch lies in one group, and a group in one segment.  The place of a
 *     group is known when it is opened: room for the biggest group (or for the
 *     one batch that is bigger) and a seal is there, else the segment rolls.
 * I2. Groups are encoded in order, when they are submitted: only then is the
 *     chain before them final and the durable LSN as high as it can be.
 * I3. Origins are numbered in the order of the bytes: an entry is defined in a
 *     batch that stands before every batch that uses it, in the same segment.
 * I4. A batch is copied once, from the caller's buffer to the group's, from
 *     where it is written.
 * I5. The seal of a segment and the use of the next are written with the
 *     first group behind them, in that order (wal_commit.c).
 */
#include "wal/wal_internal.h"

#include <assert.h>
#include <errno.h>

#include "base/checksum.h"
#include "base/mem.h"

_Static_assert(sizeof(struct frame_header) <= FRAME_HEADER_SIZE,
	       "a frame's place holds its header until it is encoded");
_Static_assert(GROUP_SIZE_MAX <= FRAME_CONTENT_MAX,
	       "a group of many batches is one frame");

/* --- segments ------------------------------------------------------------ */

int segment_open(struct wal *w, struct wal_segment *s)
{
	const struct io_ops *ops = w->io->ops;
	char path[WAL_PATH_MAX];
	int file = -EINVAL;

	assert(s->file < 0);
	wal_segment_path(w, path, s->identity.sequence);
	s->durable_writes = w->level == WAL_ALWAYS;
	if (s->durable_writes) {
		file = ops->open(w->io, path, IO_WRITE | IO_DIRECT | IO_DSYNC);
		if (file == -EINVAL) /* tmpfs, overlay: whole pages */
			file = ops->open(w->io, path, IO_WRITE | IO_DSYNC);
	} else {
		file = ops->open(w->io, path, IO_WRITE);
	}
	if (file < 0)
		return file;
	s->file = file;
	return 0;
}

void segment_free(struct wal *w, struct wal_segment *s)
{
	if (!s)
		return;
	if (s->file >= 0)
		w->io->ops->close(w->io, s->file);
	mem_free(s);
}

uint64_t segment_put_seal(struct wal *w, struct wal_segment *s, uint8_t *block,
			  const struct wal_spare *next, enum seal_reason reason)
{
	struct frame_seed seed = { w->content_seed, s->identity.salt };
	struct segment_seal seal = {
		.record_count = s->record_count,
		.last_lsn = s->last_lsn,
		.chain = s->chain,
		.next_sequence = next ? next->sequence : 0,
		.next_salt = next ? next->salt : 0,
		.payload_size = s->payload_size,
		.reason = reason,
	};
	struct frame_header h = {
		.length = SEAL_SIZE,
		.flags = FRAME_SEAL | FRAME_GROUP_END,
		.first_lsn = s->last_lsn + 1,
		.epoch = w->at.epoch,
		.durable_lsn = s->last_lsn,
		.raw_length = SEAL_SIZE,
	};

	assert(s->next_offset + s->identity.align <= s->identity.size ||
	       reason == SEAL_CUT);
	assert(s->next_offset % s->identity.align == 0);
	memset(block, 0, s->identity.align);
	seal_encode(block + FRAME_HEADER_SIZE, &seal);
	h.content_check = frame_content_check(
		slice_of(block + FRAME_HEADER_SIZE, SEAL_SIZE), &seed);
	frame_encode(block, &h, &seed, s->next_offset);
	return chain_frame(s->chain, &h);
}

void segment_put_use(struct wal *w, struct wal_segment *s, uint8_t *block,
		     uint64_t chain, bool base)
{
	struct segment_use use = {
		.sequence = s->identity.sequence,
		.epoch = w->at.epoch,
		.first_lsn = s->first_lsn,
		.chain = chain,
		.base = base,
		.durable_lsn = s->first_lsn - 1,
		.created_ms = w->io->ops->wall_ms(w->io),
		.history = w->history,
	};

	assert(s->first_lsn > 0);
	assert(!base || chain == 0);
	memset(block, 0, s->identity.align);
	use_encode(block, &use, s->identity.salt);
	s->chain = chain_start(chain, use.sequence, use.first_lsn);
}

struct wal_segment *segment_take(struct wal *w, uint64_t need)
{
	struct wal_segment *s;
	struct wal_spare spare;
	int err = 0;

	/* wal_room has seen to it that there is one; else try to the last. */
	if (!spare_take(w, need, &spare)) {
		err = spare_make(w, segment_size_for(w, need), false);
		if (!err && !spare_take(w, need, &spare))
			err = -ENOSPC;
	}
	if (err) {
		wal_fail(w, NULL, "making a segment", 0, err);
		return NULL;
	}
	s = mem_calloc(1, sizeof(*s));
	s->identity = (struct segment_identity){ .store = w->store,
						 .sequence = spare.sequence,
						 .salt = spare.salt,
						 .size = spare.size,
						 .align = w->align };
	s->file = -1;
	s->first_lsn = w->at.last_lsn + 1;
	s->last_lsn = w->at.last_lsn;
	s->next_offset = 2 * (uint64_t)w->align;
	err = segment_open(w, s);
	if (err) {
		wal_fail(w, s, "opening", 0, err);
		segment_free(w, s);
		return NULL;
	}
	return s;
}

/* --- groups -------------------------------------------------------------- */

void origins_restart(struct wal *w)
{
	origin_dictionary_clear(w->origins);
	w->origin_generation++;
}

/* A group with `capacity` bytes behind data, empty. */
static struct wal_group *group_new(struct wal *w, size_t capacity)
{
	struct wal_group *g = w->unused;
	uint8_t *data;

	if (capacity < w->group_max)
		capacity = w->group_max;
	if (g && g->capacity >= capacity) {
		w->unused = g->next;
		data = g->data;
		capacity = g->capacity;
	} else {
		g = mem_alloc(sizeof(*g));
		data = mem_alloc_aligned(w->align, capacity);
	}
	*g = (struct wal_group){ .data = data, .capacity = capacity };
	return g;
}

void group_release(struct wal *w, struct wal_group *g)
{
	unsigned kept = 0;
	struct wal_group *u;

	for (u = w->unused; u; u = u->next)
		kept++;
	if (kept < GROUPS_KEPT && g->capacity == w->group_max) {
		g->next = w->unused;
		w->unused = g;
		return;
	}
	mem_free(g->data);
	mem_free(g);
}

void groups_free(struct wal *w)
{
	struct wal_group *lists[] = { w->open, w->queue, w->unused,
				      w->write_job.group };
	size_t i;

	for (i = 0; i < ARRAY_LEN(lists); i++) {
		struct wal_group *g = lists[i], *next;

		for (; g; g = next) {
			next = g->next;
			segment_free(w, g->rolls_from);
			mem_free(g->data);
			mem_free(g);
		}
	}
	w->open = NULL;
	w->queue = NULL;
	w->queue_end = &w->queue;
	w->unused = NULL;
	w->write_job.group = NULL;
}

static void points_add(struct wal *w)
{
	struct payload_point *last = &w->points[w->point_count];
	unsigned i;

	if (w->point_count && w->payload - last[-1].payload < w->point_interval)
		return;
	if (w->point_count == PAYLOAD_POINTS_MAX) {
		for (i = 0; i < PAYLOAD_POINTS_MAX / 2; i++)
			w->points[i] = w->points[2 * i];
		w->point_count = PAYLOAD_POINTS_MAX / 2;
		w->point_interval *= 2;
	}
	w->points[w->point_count++] =
		(struct payload_point){ w->at.last_lsn, w->payload };
}

/* Opens a group for at most `size` bytes of frames behind last_lsn; rolls if
 * the segment cannot hold it and a seal. False: wal_fail was called. */
static bool group_open(struct wal *w, size_t size)
{
	size_t padded = align_up(size, w->align);
	struct wal_segment *s = w->segment, *full = NULL;
	struct wal_group *g;

	assert(w->open == NULL);
	assert(s != NULL);
	if (s->next_offset + padded + w->align > s->identity.size) {
		full = s;
		s = segment_take(w, padded);
		if (!s)
			return false;
		w->segment = s;
		origins_restart(w);
	}
	g = group_new(w, padded);
	g->segment = s;
	g->rolls_from = full;
	g->offset = s->next_offset;
	g->first_lsn = w->at.last_lsn + 1;
	g->last_lsn = w->at.last_lsn;
	g->opened_us = w->now_us;
	g->size = FRAME_HEADER_SIZE;
	if (origin_dictionary_count(w->origins) == 0)
		g->flags = FRAME_DICT_RESET;
	w->open = g;
	points_add(w);
	return true;
}

/* Ends the frame being filled: its header goes to its place. */
static void frame_end(struct wal_group *g, uint16_t flags, uint32_t count)
{
	struct frame_header h = {
		.length = (uint32_t)(g->size - g->frame_at - FRAME_HEADER_SIZE),
		.flags = flags,
		.first_lsn = g->first_lsn,
		.count = count,
	};

	assert(h.length <= FRAME_CONTENT_MAX);
	if (g->frame_at == 0)
		h.flags |= g->flags;
	h.raw_length = h.length;
	memcpy(g->data + g->frame_at, &h, sizeof(h));
	g->frame_at = g->size;
}

/* Pads the open group, whose frames are complete, and queues it. */
static void group_queue(struct wal *w)
{
	struct wal_group *g = w->open;
	size_t padded = align_up(g->size, w->align);

	assert(g->frame_at == g->size);
	assert(padded <= g->capacity);
	memset(g->data + g->size, 0, padded - g->size);
	g->size = padded;
	g->payload_end = w->payload;
	g->segment->next_offset += padded;
	assert(g->segment->next_offset + w->align <= g->segment->identity.size);
	*w->queue_end = g;
	w->queue_end = &g->next;
	w->open = NULL;
	room_update(w);
}

void group_close(struct wal *w)
{
	struct wal_group *g = w->open;

	if (!g)
		return;
	assert(g->last_lsn >= g->first_lsn);
	frame_end(g, FRAME_GROUP_END,
		  (uint32_t)(g->last_lsn - g->first_lsn + 1));
	group_queue(w);
}

void group_mark(struct wal *w)
{
	struct wal_spare next;

	assert(w->open == NULL);
	assert(w->queue == NULL);
	if (w->segment->next_offset + 2 * (uint64_t)w->align >
		    w->segment->identity.size &&
	    !spare_peek(w, &next)) {
		w->marked_lsn = w->at.durable_lsn; /* the seal will do */
		return;
	}
	if (!group_open(w, w->align))
		return;
	frame_end(w->open, FRAME_MARK | FRAME_GROUP_END, 0);
	group_queue(w);
}

struct wal_group *group_take(struct wal *w)
{
	struct wal_group *g;

	if (!w->queue)
		group_close(w);
	g = w->queue;
	if (!g)
		return NULL;
	w->queue = g->next;
	if (!w->queue)
		w->queue_end = &w->queue;
	g->next = NULL;
	return g;
}

void group_encode(struct wal *w, struct wal_group *g, uint64_t durable_lsn)
{
	struct wal_segment *s = g->segment;
	struct frame_seed seed = { w->content_seed, s->identity.salt };
	struct frame_header h;
	size_t at = 0;

	assert(s->last_lsn + 1 == g->first_lsn); /* I2 */
	assert(durable_lsn < g->first_lsn);
	do {
		uint8_t *frame = g->data + at;

		memcpy(&h, frame, sizeof(h));
		h.epoch = w->at.epoch;
		h.durable_lsn = durable_lsn;
		h.content_check = frame_content_check(
			slice_of(frame + FRAME_HEADER_SIZE, h.length), &seed);
		frame_encode(frame, &h, &seed, g->offset + at);
		s->chain = chain_frame(s->chain, &h);
		at += FRAME_HEADER_SIZE + h.length;
	} while (!(h.flags & FRAME_GROUP_END));
	assert(align_up(at, w->align) == g->size);
	s->record_count += g->last_lsn - g->first_lsn + 1;
	s->payload_size += g->payload;
	s->last_lsn = g->last_lsn;
}

/* --- append -------------------------------------------------------------- */

/* The number of b's origin when the dictionary is to be asked. Sets *define if
 * it is new. 0: it is new and the dictionary is full. */
static uint32_t origin_lookup(struct wal *w, const struct batch *b,
			      const struct origin **define)
{
	uint32_t number = origin_dictionary_find(w->origins, b->origin);

	if (number == 0) {
		if (origin_dictionary_count(w->origins) == ORIGIN_COUNT_MAX)
			return 0;
		number = origin_dictionary_add(w->origins, b->origin);
		*define = b->origin;
	}
	if (b->origin_cache) {
		b->origin_cache->generation = w->origin_generation;
		b->origin_cache->number = number;
	}
	return number;
}

/* Fills h for b in the open group; false: the dictionary is full. */
static inline bool header_fill(struct wal *w, const struct batch *b,
			       struct batch_header *h)
{
	h->previous_ms = w->open->last_ms;
	h->origin = 0;
	h->define = NULL;
	if (!b->origin)
		return true;
	if (likely(b->origin_cache &&
		   b->origin_cache->generation == w->origin_generation)) {
		h->origin = b->origin_cache->number;
		return true;
	}
	h->origin = origin_lookup(w, b, &h->define);
	return h->origin != 0;
}

/* Accounts for b, which took `size` bytes of the open group. */
static inline void append_count(struct wal *w, const struct batch *b,
				size_t size)
{
	struct wal_group *g = w->open;

	g->last_ms = b->time_ms;
	g->last_lsn += b->count;
	g->payload += size;
	w->payload += size;
	w->at.last_lsn += b->count;
}

/* A batch that is a group by itself: bigger than groups normally are, and
 * split into frames if it is bigger than a frame. The open group is its. */
static void append_big(struct wal *w, const struct batch *b,
		       const struct batch_header *h)
{
	uint8_t header[BATCH_HEADER_MAX];
	struct wal_group *g = w->open;
	struct slice rest = buf_slice(&b->records);
	struct slice front = { header, 0 };
	uint16_t before = 0;

	front.size = (size_t)(batch_put_header(header, b, h) - header);
	append_count(w, b, front.size + rest.size);
	for (;;) {
		size_t n = FRAME_CONTENT_MAX - front.size;
		bool last = rest.size <= n;

		if (last)
			n = rest.size;
		g->size = g->frame_at + FRAME_HEADER_SIZE + front.size + n;
		assert(g->size <= g->capacity);
		put_bytes(put_bytes(g->data + g->frame_at + FRAME_HEADER_SIZE,
				    front.data, front.size),
			  rest.data, n);
		frame_end(g,
			  before | (last ? FRAME_GROUP_END : FRAME_CONT_AFTER),
			  last ? b->count : 0);
		if (last)
			break;
		rest = slice_of(rest.data + n, rest.size - n);
		front.size = 0;
		before = FRAME_CONT_BEFORE;
	}
	group_queue(w);
}

/* When b does not fit the open group: opens one for it. */
static bool append_open(struct wal *w, const struct batch *b)
{
	size_t size = b->records.size + BATCH_HEADER_MAX + FRAME_HEADER_SIZE;

	group_close(w);
	if (size > w->group_max) {
		size += size / FRAME_CONTENT_MAX * FRAME_HEADER_SIZE;
		size += FRAME_HEADER_SIZE;
	} else {
		size = w->group_max;
	}
	if (!group_open(w, size))
		return false;
	if (w->unsynced_us == 0)
		w->unsynced_us = w->now_us;
	room_update(w);
	return true;
}

/* The dictionary is full and b brings a new origin: a new frame starts a new
 * one, and a new frame is a new group. */
static bool append_restart(struct wal *w, const struct batch *b,
			   struct batch_header *h)
{
	struct wal_group *g = w->open;

	origins_restart(w);
	if (g->last_lsn >= g->first_lsn) {
		if (!append_open(w, b))
			return false;
	} else {
		g->flags = FRAME_DICT_RESET;
	}
	return header_fill(w, b, h);
}

void wal_append(struct wal *w, const struct batch *b)
{
	size_t need = b->records.size + BATCH_HEADER_MAX;
	struct batch_header h;
	struct wal_group *g = w->open;
	uint8_t *p, *end;

	assert(b->count > 0);
	if (unlikely(w->level == WAL_OFF)) {
		w->at.last_lsn += b->count;
		w->at.written_lsn = w->at.last_lsn;
		w->at.durable_lsn = w->at.last_lsn;
		return;
	}
	if (unlikely(w->failed)) {
		w->at.last_lsn += b->count; /* never acknowledged */
		return;
	}
	if (unlikely(!g || g->size + need > w->group_max)) {
		if (!append_open(w, b))
			goto failed;
	}
	if (unlikely(!header_fill(w, b, &h)) && !append_restart(w, b, &h))
		goto failed;
	if (unlikely(need + FRAME_HEADER_SIZE > w->group_max)) {
		append_big(w, b, &h);
		return;
	}
	g = w->open;
	p = g->data + g->size;
	end = batch_put_header(p, b, &h);
	memcpy(end, b->records.data, b->records.size);
	end += b->records.size;
	g->size += (size_t)(end - p);
	append_count(w, b, (size_t)(end - p));
	return;

failed:
	w->at.last_lsn += b->count;
}
