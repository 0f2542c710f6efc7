/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Applying batches that come from outside, in groups: keys are hashed and
 * their buckets and entries fetched ahead.  Recovery, and whoever follows a
 * log.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_APPLY_LOAD_H
#define REDOUBT_ENGINE_APPLY_LOAD_H

#include "engine/apply.h"
#include "snapshot/snapshot.h"

struct loader;

/* Applies to ks, which outlives it. */
struct loader *loader_new(struct keyspace *ks);
void loader_free(struct loader *l);

/* What the records of a view get and which are wanted. */
struct loader_range {
	uint64_t first_lsn; /* records below are left out */
	uint64_t fixed_lsn; /* of every record (a snapshot's); 0: their own */
};

/* Takes the records of v. They are applied now or at a later call, in order;
 * v may die at once. OK, ERR_CORRUPT (malformed) or ERR_UNFIT; m explains. */
int loader_add(struct loader *l, const struct batch_view *v,
	       const struct loader_range *range, struct err_message *m);

/* Applies what is left. */
int loader_flush(struct loader *l, struct err_message *m);

/* Records applied so far. */
uint64_t loader_count(const struct loader *l);

/* Presizes the empty tables of ks for what a snapshot's header announces, in
 * bounds of the size of its file. OK, or ERR_CONFIG if ks has fewer
 * databases. */
int loader_presize(struct keyspace *ks, const struct snapshot_meta *meta,
		   uint64_t file_size, struct err_message *m);

#endif
