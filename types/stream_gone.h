/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What deleted consumers leave behind: entries in the `pending` of their group
 * that are not pending any more, until a sweep has passed.  Nobody sees them.
 * Only types/stream*.c include this.  Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_GONE_H
#define REDOUBT_TYPES_STREAM_GONE_H

#include "types/stream_group.h"

/* Whether it is one of those. */
static inline bool stream_is_gone(const struct stream_group *g,
				  const struct stream_pending *p)
{
	return g->gone > 0 && p->consumer != STREAM_NOBODY &&
	       g->numbers[p->consumer]->gone > 0;
}

/* Takes a consumer that is in no list any more; its number stays as long as
 * entries have it. */
void stream_gone_add(struct stream_group *g, struct stream_consumer *c);

/* An entry of this number has left `pending` or is another's now. */
void stream_gone_left(struct stream_group *g, uint32_t number);

/* Sweeps what a copy has got of these. */
void stream_gone_sweep(struct stream_group *g);

/* The group goes: to be called before anything else is done to it. */
void stream_gone_forget(struct stream_group *g);

/* Invariants as code, for tests. */
void stream_gone_check(const struct stream_group *g);

#endif
