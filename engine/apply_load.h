/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading: applying all records of a snapshot or of a log.  Recovery, DEBUG
 * RELOAD, tests.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_APPLY_LOAD_H
#define REDOUBT_ENGINE_APPLY_LOAD_H

#include "engine/apply.h"
#include "snapshot/snapshot.h"

struct wal_cursor;

struct loader_options {
	struct keyspace *ks;
	struct snapshot_reader *reader; /* one of these two */
	struct wal_cursor *cursor;
	uint64_t first_lsn; /* of a cursor: records below are left out */
	bool threads;       /* a helper decodes and hashes ahead */
	/* Told how many bytes of batches have been applied; may be NULL. */
	void (*progress)(void *ctx, uint64_t bytes);
	void *ctx;
};

/* Applies everything up to the end of the reader or cursor; ks->applied_lsn is
 * the snapshot's LSN, or that of the last record. OK, or what reader and cursor
 * report, or ERR_CORRUPT (a malformed record) or ERR_UNFIT; then ks has part of
 * it. *bytes gets the bytes of batches; may be NULL. */
int loader_run(const struct loader_options *o, uint64_t *bytes,
	       struct err_message *m);

/* Presizes the empty tables of ks for what a snapshot's header announces, in
 * bounds of the size of its file. OK, or ERR_CONFIG if ks has fewer
 * databases. */
int loader_presize(struct keyspace *ks, const struct snapshot_meta *meta,
		   uint64_t file_size, struct err_message *m);

#endif
