/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of a snapshot: the keyspace as it is when the walk begins, as
 * records, while it goes on changing.  Part of the snapshotter; engine thread.
 */
#ifndef REDOUBT_ENGINE_SNAPSHOT_WALK_H
#define REDOUBT_ENGINE_SNAPSHOT_WALK_H

#include "engine/keyspace.h"
#include "snapshot/snapshot.h"

struct snapshot_walk;

/* Begins at the present state of ks and puts blocks to w. Both outlive it.
 * queue_limit: bytes waiting at w above which the walk gives up rather than
 * grow. */
struct snapshot_walk *snapshot_walk_new(struct keyspace *ks,
					struct snapshot_writer *w,
					size_t queue_limit);

/* Ends the walks of the tables; walk may be NULL. */
void snapshot_walk_free(struct snapshot_walk *walk);

enum snapshot_walk_end {
	WALK_MORE, /* out of time, or the writer has no room */
	WALK_DONE, /* everything has been put */
	WALK_LOST, /* a database was emptied or exchanged under the walk */
	WALK_OVER, /* writers were faster than the disk: queue_limit */
};

/* Walks until the clock passes until_us or the writer has no room. *stalled:
 * it was for want of room. */
enum snapshot_walk_end snapshot_walk_step(struct snapshot_walk *walk,
					  struct io *io, uint64_t until_us,
					  bool *stalled);

/* Keys seen, and keys there were at the start. */
void snapshot_walk_progress(const struct snapshot_walk *walk, uint64_t *done,
			    uint64_t *total);

#endif
