/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is pending for consumers, in order of (time of the last delivery, ID):
 * an index that a group has once somebody has asked for what is idle longest.
 * Only types/stream*.c include this.  Engine thread, but for free.
 */
#ifndef REDOUBT_TYPES_STREAM_TIMES_H
#define REDOUBT_TYPES_STREAM_TIMES_H

#include "base/buf.h"
#include "types/stream_group.h"

struct stream_times;

/* The index of what is pending for consumers of g now. */
struct stream_times *stream_times_new(const struct stream_group *g);

/* Any thread. */
void stream_times_free(struct stream_times *t);

/* Puts in what was not there, or takes out what was. */
void stream_times_add(struct stream_times *t, const struct stream_pending *p);
void stream_times_remove(struct stream_times *t,
			 const struct stream_pending *p);

/* Appends the IDs, count at most, of those not delivered since until_ms. */
void stream_times_until(const struct stream_times *t, uint64_t until_ms,
			uint64_t count, struct buf *ids);

/* Entries, and bytes allocated. */
size_t stream_times_count(const struct stream_times *t);
size_t stream_times_memory(const struct stream_times *t);

/* Invariants as code, for tests. */
void stream_times_check(const struct stream_times *t);

#endif
