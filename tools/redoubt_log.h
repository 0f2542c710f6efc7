/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log: looks at a store, living or dead; reads only, needs no server.
 */
#ifndef REDOUBT_TOOLS_REDOUBT_LOG_H
#define REDOUBT_TOOLS_REDOUBT_LOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "wal/batch.h"
#include "wal/segment.h"

/* The command line, parsed. Strings are argv's. */
struct log_options {
	struct io *io;
	const char *dir;
	uint32_t from_epoch; /* 0: any */
	uint64_t from_lsn;   /* 0: the oldest there is */
	uint64_t to_lsn;     /* UINT64_MAX: the newest */
	uint64_t since_ms;
	uint64_t until_ms;   /* UINT64_MAX: no bound */
	const char *key;     /* glob; NULL: any */
	const char *user;
	const char *command;
	const char *type;    /* of record */
	const char *file;    /* verify: only this one */
	uint64_t count;      /* tail: records */
	size_t value_max;    /* bytes of a value that are shown */
	bool human;
	bool json;
	bool follow;
};

/* One segment, by its headers and frame headers alone. */
struct log_segment {
	uint64_t sequence;
	const char *wrong; /* with its head, or NULL */
	uint64_t wrong_at; /* offset */
	bool has_identity;
	bool in_use;
	bool sealed;
	struct segment_identity identity;
	struct segment_use use;
	struct segment_seal seal;
	uint64_t last_lsn;    /* use.first_lsn - 1: no records */
	uint64_t durable_lsn; /* highest mark */
	uint64_t record_count;
	uint64_t frame_count;
	uint64_t content_size; /* bytes in frames */
	uint64_t end_offset;
};

/* All segments of the store by sequence; *out is mem_free'd by the caller.
 * Their number, or a negative enum err with m. */
int log_segments(const struct log_options *o, struct log_segment **out,
		 struct err_message *m);

/* ERR_CORRUPT, and m names the first, if a head is wrong: there may be more in
 * the log than can be shown. */
int log_heads_check(const struct log_options *o,
		    const struct log_segment *segments, int count,
		    struct err_message *m);

/* The sub-commands. Each returns an exit code. */
int log_info(const struct log_options *o);
int log_cat(const struct log_options *o);
int log_tail(const struct log_options *o);
int log_stat(const struct log_options *o);
int log_verify(const struct log_options *o);

/* Whether a batch, and a record of it, pass the filters. */
bool log_batch_wanted(const struct log_options *o, const struct batch_view *v);
bool log_record_wanted(const struct log_options *o, const struct record *r);

/* Appends "2026-05-01T10:00:00.000Z" (UTC). */
void log_put_time(struct buf *out, uint64_t ms);

/* Says what went wrong on stderr and returns its exit code. */
int log_fail(int err, const struct err_message *m);

/* The same for a directory that holds no store. */
int log_no_store(const struct log_options *o);

/* Whether there is any snapshot. */
bool log_has_snapshots(const struct log_options *o);

#endif
