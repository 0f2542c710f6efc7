/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IDs of stream entries: milliseconds, then a sequence number.
 */
#ifndef REDOUBT_TYPES_STREAM_ID_H
#define REDOUBT_TYPES_STREAM_ID_H

#include "base/coding.h"

struct stream_id {
	uint64_t ms;
	uint64_t seq;
};

#define STREAM_ID_MAX ((struct stream_id){ UINT64_MAX, UINT64_MAX })

/* < 0, 0 or > 0 */
static inline int stream_id_compare(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

static inline bool stream_id_below(struct stream_id a, struct stream_id b)
{
	return a.ms < b.ms || (a.ms == b.ms && a.seq < b.seq);
}

static inline bool stream_id_equal(struct stream_id a, struct stream_id b)
{
	return a.ms == b.ms && a.seq == b.seq;
}

static inline bool stream_id_zero(struct stream_id a)
{
	return a.ms == 0 && a.seq == 0;
}

/* The ID that follows; false if there is none. */
static inline bool stream_id_increment(struct stream_id *id)
{
	if (++id->seq != 0)
		return true;
	return ++id->ms != 0;
}

/* The ID before; false if there is none. */
static inline bool stream_id_decrement(struct stream_id *id)
{
	if (id->seq-- != 0)
		return true;
	return id->ms-- != 0;
}

/*
 * A run of IDs, as records have it: for each the difference of its ms to that
 * of the ID before (the first: to 0) as a zigzag varint, then seq as a varint.
 */
#define STREAM_IDS_SIZE_MAX (2 * VARINT_SIZE_MAX)

static inline uint8_t *stream_ids_put(uint8_t *p, struct stream_id previous,
				      struct stream_id id)
{
	p = put_varint(p, zigzag((int64_t)(id.ms - previous.ms)));
	return put_varint(p, id.seq);
}

static inline struct stream_id stream_ids_read(struct reader *in,
					       struct stream_id previous)
{
	struct stream_id id;

	id.ms = previous.ms + (uint64_t)unzigzag(read_varint(in));
	id.seq = read_varint(in);
	return id;
}

#endif
