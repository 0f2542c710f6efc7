/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emitting the records of sorted sets: members one by one, cut into records of
 * bounded size.  Whoever iterates the same sorted set meanwhile asks
 * zset_writer_emitted and begins again when it has grown: an emit kills every
 * pointer into it.  One writer at a time.
 */
#ifndef REDOUBT_ENGINE_ZSET_RECORDS_H
#define REDOUBT_ENGINE_ZSET_RECORDS_H

#include "engine/cmd.h"
#include "engine/items.h"

struct zset_writer {
	struct cmd *c;
	struct slice key;
	uint8_t type; /* REC_zset_add or REC_zset_del */
	uint8_t cause;
	struct buf *items;
	size_t changed;   /* members new or removed, of what was emitted */
	unsigned emitted; /* records */
};

/* Begins a run of records of this type for key. */
struct zset_writer zset_writer(struct cmd *c, struct slice key,
			       enum record_type type, enum record_cause cause);

/* Emits what has been put. */
void zset_writer_flush(struct zset_writer *w);

static inline void zset_writer_full(struct zset_writer *w)
{
	if (__builtin_expect(w->items->size >= ITEMS_SIZE_MAX, 0))
		zset_writer_flush(w);
}

/* A member with its score, for zset_add; may emit. */
static inline void zset_writer_add(struct zset_writer *w, double score,
				   struct slice member)
{
	items_put_scored(w->items, score, member);
	zset_writer_full(w);
}

/* A member, for zset_del; may emit. */
static inline void zset_writer_del(struct zset_writer *w, struct slice member)
{
	items_put(w->items, member);
	zset_writer_full(w);
}

/* Bytes of log for `count` members of `bytes` bytes altogether, at most. */
uint64_t zset_records_size(struct slice key, size_t count, size_t bytes);

#endif
