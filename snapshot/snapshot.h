/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots: compacted logs, snap/<epoch>-<LSN>.snap (FORMAT.md section 5).
 *
 * A snapshot is the records that rebuild the keyspace as it was at one LSN, in
 * the frames of wal/frame.h, compressed with zstd.  The caller walks the
 * keyspace and puts batches; a worker compresses, writes around the page cache
 * to a temporary name, syncs, reads back and verifies, renames, syncs the
 * directory.  Nothing exists before the rename is durable.
 *
 * The reader checks every byte before it hands out a record; helper threads
 * read, check and decompress ahead.
 */
#ifndef REDOUBT_SNAPSHOT_SNAPSHOT_H
#define REDOUBT_SNAPSHOT_SNAPSHOT_H

#include "base/completion.h"
#include "base/err.h"
#include "base/io.h"
#include "wal/batch.h"
#include "wal/recover.h"
#include "wal/segment.h"

#define SNAPSHOT_VERSION 1
#define SNAPSHOT_END 1
#define SNAPSHOT_NAME_SIZE 48
#define SNAPSHOT_BLOCK_SIZE (192u << 10) /* bytes before compression, aim */

/* In the header, known when the snapshot begins. */
struct snapshot_meta {
	struct store_id store;
	uint32_t epoch;
	uint64_t lsn;        /* the state is exactly this one */
	uint64_t created_ms;
	struct epoch_history history;
	uint32_t db_count;   /* databases with keys */
	struct {
		uint32_t db;
		uint64_t keys;
		uint64_t deadlines;
	} *dbs;              /* for presizing; owned by the caller (writer)
				or the reader */
};

/* In the footer, known when it ends. */
struct snapshot_footer {
	uint64_t record_count;
	uint64_t raw_bytes;   /* before compression */
	uint64_t hash;        /* chain over all frames */
	uint64_t durable_lsn; /* of the log, when the footer was written */
	uint64_t sequence;    /* log segment that must exist; 0 = no log */
};

enum snapshot_state { SNAPSHOT_RUNNING, SNAPSHOT_DONE, SNAPSHOT_FAILED };

struct snapshot_options {
	struct io *io;
	const char *dir;      /* of the store; files go to dir/snap */
	int level;            /* of zstd */
	size_t queue_max;     /* bytes waiting for the worker at most */
	bool threads;         /* false: work inline in snapshot_put/finish */
	struct completion_queue *completions; /* wakes the engine: done, or
						 room again; may be NULL */
	unsigned keep; /* on success all but the newest so many files are
			  removed; 0: none is */
	/* Asked by the worker between writes: microseconds to pause, so that
	 * commits keep their latency; may be NULL. Worker thread. */
	unsigned (*pace)(void *ctx, size_t bytes_written);
	void *pace_ctx;
};

struct snapshot_writer;

/* Opens the temporary file and starts the worker. OK and *out, or an error
 * with its message. */
int snapshot_begin(struct snapshot_writer **out,
		   const struct snapshot_options *o,
		   const struct snapshot_meta *meta, struct err_message *m);

/* Whether another block may be put without exceeding queue_max. After false
 * the completion queue is woken when half of it is free again. */
bool snapshot_room(struct snapshot_writer *w);

/* Bytes that wait for the worker. */
size_t snapshot_queued(const struct snapshot_writer *w);

/* Takes the records of b (its buffer is swapped out, b is reset). About
 * SNAPSHOT_BLOCK_SIZE bytes each; more is legal. Never waits. */
void snapshot_put(struct snapshot_writer *w, struct batch *b);

/* No more blocks: durable_lsn and sequence go to the footer. The worker
 * finishes; poll snapshot_state. */
void snapshot_finish(struct snapshot_writer *w, uint64_t durable_lsn,
		     uint64_t sequence);

/* Drops everything; the temporary file goes. */
void snapshot_abort(struct snapshot_writer *w);

/* How far it is; fills m when it has failed. */
enum snapshot_state snapshot_state(struct snapshot_writer *w,
				   struct err_message *m);

/* Bytes before compression taken so far, and bytes on disk. */
uint64_t snapshot_raw_bytes(const struct snapshot_writer *w);
uint64_t snapshot_file_bytes(const struct snapshot_writer *w);

/* After SNAPSHOT_DONE: LSN of the oldest snapshot that is left; 0 while there
 * are fewer than `keep`: then the log is needed from its start. */
uint64_t snapshot_oldest(const struct snapshot_writer *w);

/* Ends the worker and frees w (aborts it if it runs). Runs what the completion
 * queue holds. */
void snapshot_close(struct snapshot_writer *w);

/* A snapshot file as found; names only. */
struct snapshot_name {
	uint32_t epoch;
	uint64_t lsn;
	char name[SNAPSHOT_NAME_SIZE];
};

/* Lists dir/snap, newest (epoch, LSN) first; *out is mem_free'd by the
 * caller. A missing directory is an empty list. Number or negative enum err. */
int snapshot_list(struct io *io, const char *dir, struct snapshot_name **out,
		  struct err_message *m);

/* Removes all but the `keep` newest, and temporary files. Syncs the directory.
 * OK or ERR_IO. */
int snapshot_prune(struct io *io, const char *dir, unsigned keep,
		   struct err_message *m);

/* Removes what is older than that one. Syncs the directory. OK or ERR_IO. */
int snapshot_drop_older(struct io *io, const char *dir,
			const struct snapshot_name *than,
			struct err_message *m);

/* Makes the names in dir/snap durable, as they are. OK or ERR_IO. */
int snapshot_sync_names(struct io *io, const char *dir, struct err_message *m);

struct snapshot_reader;

struct snapshot_reader_options {
	struct io *io;
	const char *dir;
	const char *name;
	unsigned threads; /* decompress ahead; 0 = inline */
};

/* Reads header and footer. OK, ERR_IO, ERR_CORRUPT, ERR_VERSION. */
int snapshot_open(struct snapshot_reader **out,
		  const struct snapshot_reader_options *o,
		  struct err_message *m);
const struct snapshot_meta *
snapshot_reader_meta(const struct snapshot_reader *);
const struct snapshot_footer *
snapshot_reader_footer(const struct snapshot_reader *);

/* The next batch: OK and *out (valid until the next call), SNAPSHOT_END after
 * everything was checked against the footer, or a negative enum err. */
int snapshot_next(struct snapshot_reader *r, struct batch_view *out,
		  struct err_message *m);

/* Bytes read and bytes of the file, for progress. */
void snapshot_progress(const struct snapshot_reader *r, uint64_t *done,
		       uint64_t *total);
void snapshot_reader_close(struct snapshot_reader *r);

/* Reads every byte of a snapshot and reports what is damaged. Number of
 * places or a negative enum err. */
int snapshot_verify(struct io *io, const char *path, damage_fn *report,
		    void *ctx);

#endif
