/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of recovery share.  Nobody else includes this.
 *
 *   recover.c         files, heads, result
 *   recover_scan.c    groups of one segment, inline or by threads
 *   recover_decide.c  the table: links, ends, spares
 */
#ifndef REDOUBT_WAL_RECOVER_INTERNAL_H
#define REDOUBT_WAL_RECOVER_INTERNAL_H

#include "wal/recover.h"
#include "wal/scan.h"

#define RECOVER_PATH_MAX 4096

/* How the scan of a segment ended. */
enum scan_end {
	END_UNKNOWN, /* not scanned, and no seal found */
	END_SEAL,
	END_EMPTY,
	END_BAD,
};

/* One file named like a segment. */
struct found {
	struct segment_info info;
	uint64_t file_size;
	int identity_err; /* of identity_decode */
	bool short_file;  /* smaller than its identity says */

	/* From the scan. */
	enum scan_end end;
	struct group stop; /* of END_BAD and END_EMPTY */
	struct segment_seal seal;
	uint64_t chain_next;  /* behind the seal */
	uint64_t durable_lsn; /* highest mark in it */
	uint64_t payload_live;
	uint32_t epoch;       /* of its last valid group */
	uint32_t holes;       /* bad groups that the snapshot covers */
	uint64_t hole_offset; /* of the last */
	/* Valid headers behind the group that ended the scan. */
	uint64_t behind_count;
	uint64_t behind_records; /* of these, with records */
	uint64_t behind_end;     /* of the last of their frames */
	uint64_t behind_last_lsn;
	uint64_t cut_end;
	int error; /* negative errno */
};

struct recovery_run {
	const struct recovery_options *o;
	struct wal_recovery *out;
	struct wal_known known;
	bool known_given;
	struct err_message *m;
	struct store_id *store;

	struct found *files; /* ascending by sequence */
	size_t file_count;
	struct found **used; /* in use, ascending */
	size_t used_count;
	size_t live;  /* index in used where the live range begins */
	size_t start; /* where the unbroken log begins */
	size_t end;   /* used[end - 1] is the last that counts */
	uint64_t durable_lsn;
	uint64_t bytes_done;
	uint64_t bytes_total;
};

/* dir/log/<sequence>.seg */
void recover_path(const struct recovery_run *r, uint64_t sequence,
		  char out[RECOVER_PATH_MAX]);

/* Reads one segment: whole, or only its seal. Any thread; fills f. direct:
 * around the page cache. */
void recover_scan_segment(const struct recovery_run *r, struct window *w,
			  struct found *f, bool whole, bool direct);

/* Scans all segments in use, with threads if there are any. */
void recover_scan_all(struct recovery_run *r);

/* Whether a valid frame of the file's salt stands where groups begin. 1, 0 or
 * a negative errno. */
int recover_probe(const struct recovery_run *r, struct found *f);

/* Counts a row of the table. */
void recover_count(struct recovery_run *r, enum recovery_case c);

/* A refusal: row, code, and a message that ends with what to do. */
int recover_refuse(struct recovery_run *r, enum recovery_case c, int code,
		   const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A read that failed: T11. */
int recover_read_error(struct recovery_run *r, uint64_t sequence, int error);

/* The table: heads, links between segments, the end, the spares. */
int recover_decide(struct recovery_run *r);

#endif
