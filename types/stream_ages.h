/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is pending for consumers in order of (time of the last delivery, ID),
 * without an index: nodes and chunks of a group's `pending` know a time that
 * none of theirs is before, and what is asked for is found from these, the
 * least first.  Only types/stream*.c include this.  Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_AGES_H
#define REDOUBT_TYPES_STREAM_AGES_H

#include "base/buf.h"
#include "types/stream_group.h"

/* An entry at this place, which g owns, has this time now. */
void stream_ages_added(struct stream_group *g, struct stream_place p,
		       const struct stream_pending *entry);

/* The one at index of an owned node had its time last. */
void stream_ages_left(struct stream_node *n, uint32_t index);

/* Appends the IDs, count at most, of those not delivered since until_ms. */
void stream_ages_until(struct stream_group *g, uint64_t until_ms,
		       uint64_t count, struct buf *ids);

/* Invariants as code, for tests. */
void stream_ages_check(const struct stream_group *g);

#endif
