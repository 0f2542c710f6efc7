/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cursor: reads batches from a position on, across segments, while the log
 * may grow.  Replay, replica links, the feed and the tools are cursors.
 *
 * Never writes, never blocks on anything but disk; any thread may own one.
 * It verifies every frame it reads.  A batch that spans frames is put together
 * before it is returned.
 */
#ifndef REDOUBT_WAL_CURSOR_H
#define REDOUBT_WAL_CURSOR_H

#include "base/err.h"
#include "base/io.h"
#include "wal/batch.h"
#include "wal/segment.h"

#define WAL_END 1 /* nothing more now; call again after the writer moved */

struct wal_cursor;

struct cursor_options {
	struct io *io;
	const char *dir;     /* of the store */
	uint64_t first_lsn;  /* the first record wanted */
	uint64_t last_lsn;   /* stop behind this one; UINT64_MAX: follow */
	bool direct;         /* read around the page cache if possible */
	bool read_ahead;     /* a helper thread reads and checks ahead */
};

/* OK; ERR_NOT_FOUND: first_lsn lies before the oldest segment (m names what
 * there is); ERR_IO, ERR_CORRUPT, ERR_VERSION. */
int wal_cursor_open(struct wal_cursor **out, const struct cursor_options *o,
		    struct err_message *m);
void wal_cursor_close(struct wal_cursor *c);

/* The next batch. OK fills *out (valid until the next call); WAL_END; or a
 * negative enum err with a message. A batch whose first LSN is below
 * first_lsn but whose last is not is returned whole. */
int wal_cursor_next(struct wal_cursor *c, struct batch_view *out,
		    struct err_message *m);

/* Where the batch returned last stands: for messages and tools. */
struct cursor_place {
	uint64_t sequence;
	uint64_t offset;      /* of its (first) frame */
	uint64_t durable_lsn; /* highest mark seen so far */
};

/* Where the batch returned last stands. */
struct cursor_place wal_cursor_place(const struct wal_cursor *c);

#endif
