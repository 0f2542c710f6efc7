/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection has to send: bytes, and from where on they must wait.
 *
 *      sent     open       marks[0].end    marks[1].end = bytes.size
 *   ────┼────────┼───────────────┼───────────────┤
 *       │ may go │ wait for      │ wait for      │
 *       │        │ marks[0].gate │ marks[1].gate │
 *
 * The engine appends to `bytes` at will; output_mark then says which LSN all
 * of it depends on.  Gates only grow, so that no byte leaves before one in
 * front of it.  A mark that finds no place joins the last one: its bytes wait
 * a little longer, never less.
 */
#ifndef REDOUBT_NET_OUTPUT_H
#define REDOUBT_NET_OUTPUT_H

#include "base/buf.h"

#define OUTPUT_MARKS 6
#define OUTPUT_BLOCK 4096 /* bytes of a fresh buffer */

struct output_mark {
	size_t end;    /* offset in bytes */
	uint64_t gate; /* LSN */
};

/* Zeroed to start. */
struct output {
	struct buf bytes;
	size_t sent;     /* of bytes */
	size_t open;     /* may be sent up to here */
	unsigned mark_count;
	struct output_mark marks[OUTPUT_MARKS];
};

/* Everything appended up to now depends on gate; released is the LSN up to
 * which output may leave. */
void output_mark(struct output *o, uint64_t gate, uint64_t released);

/* Opens what is released. */
void output_release(struct output *o, uint64_t released);

/* Bytes not sent yet. */
static inline size_t output_pending(const struct output *o)
{
	return o->bytes.size - o->sent;
}

/* Bytes that may be sent now. */
static inline size_t output_sendable(const struct output *o)
{
	return o->open - o->sent;
}

/* n more bytes were sent; makes room when much was. */
void output_sent(struct output *o, size_t n);

/* Frees the bytes and forgets the marks. */
void output_free(struct output *o);

/*
 * Buffers that are not in use, so that an idle connection has none.
 */
struct buf_pool {
	struct buf *list;
	unsigned count, capacity;
	size_t block;    /* size of a fresh one */
	size_t keep_max; /* bigger ones are freed */
};

/* Keeps up to `capacity` buffers of block … keep_max bytes. */
void buf_pool_init(struct buf_pool *p, unsigned capacity, size_t block,
		   size_t keep_max);
/* Frees what is kept. */
void buf_pool_release(struct buf_pool *p);

/* Fills an empty b with an empty buffer of some capacity. */
void buf_pool_take(struct buf_pool *p, struct buf *b);

/* Takes b's memory, leaves it empty. */
void buf_pool_give(struct buf_pool *p, struct buf *b);

#endif
