/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a snapshot is due by itself, and how fast its worker may write.  Part
 * of the snapshotter.
 */
#ifndef REDOUBT_ENGINE_SNAPSHOT_POLICY_H
#define REDOUBT_ENGINE_SNAPSHOT_POLICY_H

#include <stdatomic.h>

#include "engine/snapshotter.h"

struct snapshot_policy {
	uint64_t next_look_us;
	uint64_t next_room_us;
	uint64_t sequence;         /* of the log's segment, then */
	uint64_t room;             /* bytes free on the disk, lately */
	uint64_t not_before_us;    /* after failures */
	unsigned failures;         /* in a row */
	double replay_bytes_per_us;
	uint64_t syncs;            /* of the log, at the last look */
	_Atomic(uint32_t) quiet_sync_us; /* a sync without a snapshot */
	_Atomic(uint32_t) sync_us; /* lately; 0: nothing was synced */
};

/* As at the start. */
void snapshot_policy_init(struct snapshot_policy *p);

/* How fast replay was; counts if it was long enough to tell. */
void snapshot_policy_measured(struct snapshot_policy *p, uint64_t bytes,
			      uint64_t us);

/* Looks at the log's latency, a hundred times a second at most. */
void snapshot_policy_watch(struct snapshot_policy *p, const struct engine *e,
			   bool running);

/* Whether a snapshot is due without anybody asking, and why. */
bool snapshot_policy_due(const struct snapshot_policy *p,
			 const struct engine *e,
			 const struct snapshotter_status *st,
			 enum snapshot_reason *reason);

/* A failure puts the next attempt off; a success ends that. */
void snapshot_policy_failed(struct snapshot_policy *p, uint64_t now_us);
void snapshot_policy_succeeded(struct snapshot_policy *p);

/* The pace of snapshot_options; ctx is a struct snapshot_policy. Any thread. */
unsigned snapshot_policy_pace(void *ctx, size_t bytes_written);

#endif
