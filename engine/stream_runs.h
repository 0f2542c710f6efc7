/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of IDs and of pending entries, as the records of streams have them
 * (FORMAT.md section 4).
 */
#ifndef REDOUBT_ENGINE_STREAM_RUNS_H
#define REDOUBT_ENGINE_STREAM_RUNS_H

#include "base/buf.h"
#include "types/stream_group.h"

#define PENDING_RUN_SIZE_MAX (STREAM_IDS_SIZE_MAX + 3 * VARINT_SIZE_MAX)

static inline void ids_run_put(struct buf *b, struct stream_id *previous,
			       struct stream_id id)
{
	uint8_t *p = buf_reserve(b, STREAM_IDS_SIZE_MAX);

	b->size = (size_t)(stream_ids_put(p, *previous, id) - b->data);
	*previous = id;
}

/* Appends p to a run whose last one was *previous, which becomes p. */
static inline void pending_run_put(struct buf *b,
				   struct stream_pending *previous,
				   const struct stream_pending *pending)
{
	uint8_t *p = buf_reserve(b, PENDING_RUN_SIZE_MAX);

	p = stream_ids_put(p, previous->id, pending->id);
	p = put_varint(p, zigzag((int64_t)(pending->time_ms -
					   previous->time_ms)));
	p = put_varint(p, pending->count);
	b->size = (size_t)(p - b->data);
	*previous = *pending;
}

/* Reads what pending_run_put wrote: *p is the one before, and becomes the next
 * but for its consumer. False: it makes no sense, and in->bad is set. */
static inline bool pending_run_read(struct reader *in,
				    struct stream_pending *p)
{
	uint64_t count;

	p->id = stream_ids_read(in, p->id);
	p->time_ms += (uint64_t)unzigzag(read_varint(in));
	count = read_varint(in);
	p->count = (uint32_t)count;
	if (count > UINT32_MAX || p->time_ms >> 48)
		reader_fail(in);
	return !in->bad;
}

#endif
