/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of a snapshot or a log, decoded and hashed ahead of whoever applies
 * them, in blocks.  With threads a helper does it; else the caller's thread.
 * Part of loading (engine/apply_load.h).
 */
#ifndef REDOUBT_ENGINE_LOAD_AHEAD_H
#define REDOUBT_ENGINE_LOAD_AHEAD_H

#include "engine/apply_load.h"

#define LOAD_BLOCK_RECORDS 1024
#define LOAD_BLOCK_BYTES (128u << 10) /* but for a bigger single record */

struct load_block {
	struct record *records; /* key_hash is set; slices point to bytes */
	unsigned count;
	struct buf bytes;
	uint64_t payload; /* bytes of the batches met so far, in all */
	int result;       /* behind the records: OK, LOAD_END or an error */
	struct err_message message;
};

#define LOAD_END 1

struct load_ahead;

/* o's source is the helper's from here on until load_ahead_free. */
struct load_ahead *load_ahead_new(const struct loader_options *o);
void load_ahead_free(struct load_ahead *a);

/* The next block; the one before goes back. After one whose result is not OK
 * there is none. */
struct load_block *load_ahead_next(struct load_ahead *a);

#endif
