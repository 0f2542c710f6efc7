/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of elements in bulk records: `items` are strings one behind the other
 * (varint size, bytes), `scored` ones have 8 bytes of a double in front of each
 * (FORMAT.md section 4).  Read them with base/coding.h: reader_of, read_u64,
 * read_string.
 */
#ifndef REDOUBT_ENGINE_ITEMS_H
#define REDOUBT_ENGINE_ITEMS_H

#include "base/buf.h"
#include "base/coding.h"
#include "wal/record.h"

struct cmd;

/* A bulk record holds about this much: longer runs are cut. Bytes. */
#define ITEMS_SIZE_MAX ((size_t)64 << 10)

/* Bytes of log, at most, for so many records and those that longer runs need
 * more: each has `names` bytes of keys and other names, all together `bytes`
 * bytes of runs. For cmd_room. */
static inline uint64_t items_room(size_t names, uint64_t records,
				  uint64_t bytes)
{
	return (records + bytes / ITEMS_SIZE_MAX) *
	       (RECORD_OVERHEAD_MAX + names) + bytes;
}

/* The engine's buffer for a run, emptied. It is taken until the emit. */
struct buf *items_scratch(struct cmd *c);

static inline void items_put(struct buf *b, struct slice s)
{
	uint8_t *p = buf_reserve(b, VARINT_SIZE_MAX + s.size);

	p = put_varint(p, s.size);
	p = put_bytes(p, s.data, s.size);
	b->size = (size_t)(p - b->data);
}

static inline void items_put_scored(struct buf *b, double score,
				    struct slice s)
{
	buf_put(b, &score, sizeof(score));
	items_put(b, s);
}

/* For fits_*: NULL if these are one or more whole items, their number a
 * multiple of `group`; else why not. */
const char *items_fit(struct slice items, unsigned group);

/* Likewise for scored ones; a score that is not a number does not fit. */
const char *items_fit_scored(struct slice items);

#endif
