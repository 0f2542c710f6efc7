/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Down to one or two snapshots, when the disk is short: a thread reads those
 * that stay whole, around the page cache, and if they are good removes the
 * older ones.
 */
#ifndef REDOUBT_SNAPSHOT_TRIM_H
#define REDOUBT_SNAPSHOT_TRIM_H

#include "snapshot/snapshot.h"

struct snapshot_trim_options {
	struct io *io;
	const char *dir; /* of the store */
	unsigned keep;   /* how many stay, at least 1 */
	bool threads;    /* false: done when start returns */
	struct completion_queue *completions; /* wakes the engine at the end */
};

struct snapshot_trim;

/* Never fails: what goes wrong the state tells. The caller frees it. */
struct snapshot_trim *
snapshot_trim_start(const struct snapshot_trim_options *o);

/* How far it is. Fills m when it has failed; nothing was removed then, or the
 * names are not known to be durable. */
enum snapshot_state snapshot_trim_state(const struct snapshot_trim *t,
					struct err_message *m);

/* After SNAPSHOT_DONE: LSN of the oldest that stays. */
uint64_t snapshot_trim_lsn(const struct snapshot_trim *t);

/* Ends it, soon, and frees it; t may be NULL. */
void snapshot_trim_free(struct snapshot_trim *t);

#endif
