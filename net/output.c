/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * O1. sent <= open <= marks[0].end <= marks[1].end … <= bytes.size.
 * O2. Gates of marks rise strictly; all are above what was released when they
 *     were last looked at.
 */
#include "net/output.h"

#include "base/mem.h"

#include <assert.h>

#define MOVE_MIN (64 * 1024)

void output_mark(struct output *o, uint64_t gate, uint64_t released)
{
	struct output_mark *last;

	if (gate <= released) {
		o->open = o->bytes.size;
		o->mark_count = 0;
		return;
	}
	if (o->mark_count == 0) {
		if (o->open == o->bytes.size)
			return;
		o->marks[o->mark_count++] =
			(struct output_mark){ o->bytes.size, gate };
		return;
	}
	last = &o->marks[o->mark_count - 1];
	if (last->end == o->bytes.size)
		return;
	assert(gate >= last->gate);
	if (gate > last->gate && o->mark_count < OUTPUT_MARKS) {
		last++;
		o->mark_count++;
	}
	*last = (struct output_mark){ o->bytes.size, gate };
}

void output_release(struct output *o, uint64_t released)
{
	unsigned i, n = 0;

	while (n < o->mark_count && o->marks[n].gate <= released)
		o->open = o->marks[n++].end;
	if (n == 0)
		return;
	o->mark_count -= n;
	for (i = 0; i < o->mark_count; i++)
		o->marks[i] = o->marks[i + n];
}

/* Moves what is left to the front, when that is less than what has gone. */
static void move_down(struct output *o)
{
	unsigned i;

	buf_drop_front(&o->bytes, o->sent);
	for (i = 0; i < o->mark_count; i++)
		o->marks[i].end -= o->sent;
	o->open -= o->sent;
	o->sent = 0;
}

void output_sent(struct output *o, size_t n)
{
	assert(n <= output_sendable(o));
	o->sent += n;
	if (o->sent == o->bytes.size) {
		assert(o->mark_count == 0);
		o->sent = o->open = o->bytes.size = 0;
	} else if (o->sent >= MOVE_MIN && o->sent >= o->bytes.size / 2) {
		move_down(o);
	}
}

void output_free(struct output *o)
{
	buf_release(&o->bytes);
	o->sent = o->open = 0;
	o->mark_count = 0;
}

/* --- buffers not in use --------------------------------------------------- */

void buf_pool_init(struct buf_pool *p, unsigned capacity, size_t block,
		   size_t keep_max)
{
	*p = (struct buf_pool){ .capacity = capacity,
				.block = block,
				.keep_max = keep_max };
	p->list = mem_calloc(capacity, sizeof(*p->list));
}

void buf_pool_release(struct buf_pool *p)
{
	while (p->count)
		buf_release(&p->list[--p->count]);
	mem_free(p->list);
	p->list = NULL;
}

void buf_pool_take(struct buf_pool *p, struct buf *b)
{
	assert(b->data == NULL);
	if (p->count)
		*b = p->list[--p->count];
	else
		buf_reserve(b, p->block);
}

void buf_pool_give(struct buf_pool *p, struct buf *b)
{
	if (p->count == p->capacity || b->capacity < p->block ||
	    b->capacity > p->keep_max) {
		buf_release(b);
		return;
	}
	b->size = 0;
	p->list[p->count++] = *b;
	buf_init(b);
}
