/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery: what of a directory is valid, decided by a table (FORMAT.md
 * section 6, rows T1 to T11).  Pure reading: the decision is a value, carrying
 * it out is wal_begin's.  Any thread.
 */
#ifndef REDOUBT_WAL_RECOVER_H
#define REDOUBT_WAL_RECOVER_H

#include "base/err.h"
#include "base/io.h"
#include "wal/segment.h"

enum recovery_mode {
	RECOVERY_STRICT,        /* the table as it is */
	RECOVERY_TOLERATE_TAIL, /* T4 in the last group becomes T2 */
};

/* The rows of the table; T2 and T3 differ in what stands behind the cut. */
enum recovery_case {
	CASE_T1_END,
	CASE_T2_TORN,
	CASE_T3_REORDERED,
	CASE_T4_CORRUPT_LIVE,
	CASE_T5_CORRUPT_SEALED,
	CASE_T6_CORRUPT_COVERED,
	CASE_T7_SHORT,
	CASE_T8_FOREIGN,
	CASE_T9_SNAPSHOT_BAD,
	CASE_T10_SPARE,
	CASE_T11_READ_ERROR,
	RECOVERY_CASES,
};

/* What verified snapshots prove about the log. */
struct wal_known {
	uint64_t snapshot_lsn;   /* newest verified one; 0 = none */
	uint32_t snapshot_epoch;
	uint64_t oldest_lsn;     /* older one kept; = snapshot_lsn if one */
	uint64_t durable_lsn;    /* highest mark of any snapshot footer */
	uint64_t sequence;       /* segment that must exist; 0 = none */
};

/* One segment file as found. */
struct segment_info {
	uint64_t sequence;
	struct segment_identity identity;
	struct segment_use use;
	bool in_use;      /* a valid use block */
	bool sealed;      /* ends with a valid seal */
	bool quarantined; /* T6: damaged, covered by a snapshot */
	uint64_t last_lsn; /* of its last valid record; use.first_lsn - 1 if
			      none */
	uint64_t end_offset; /* behind its last valid group */
	uint64_t chain;      /* value at end_offset, before a seal */
	uint64_t payload_size;
};

struct wal_recovery {
	struct segment_info *segments; /* ascending; spares excluded */
	size_t segment_count;
	uint64_t *spares; /* sequences of usable spares, ascending */
	size_t spare_count;
	uint64_t first_lsn;   /* lowest LSN the log can give; 0 = empty */
	uint64_t last_lsn;    /* end of the log after the cut */
	uint64_t durable_lsn; /* D: the highest durable mark found */
	uint32_t epoch;       /* of the last valid group */
	struct epoch_history history;
	bool clean;           /* ended with a shutdown seal */
	bool cut;             /* valid or torn bytes behind last_lsn dropped */
	uint64_t cut_sequence;
	uint64_t cut_offset;
	uint64_t cut_end;     /* last non-zero byte behind the cut, + 1 */
	uint64_t next_sequence; /* free for the next segment */
	enum recovery_case outcome; /* the row that ended the scan */
	uint32_t cases[RECOVERY_CASES]; /* how often each row applied */
	uint64_t payload_bytes; /* batches above the snapshot */
};

/* Scans dir/log and decides. On a refusal (ERR_CORRUPT, ERR_IO, ERR_VERSION)
 * *out is filled as far as known and m says file, offset, LSN range and the
 * command to run next. Release *out in every case. progress may be NULL. */
struct recovery_options {
	struct io *io;
	const char *dir;
	enum recovery_mode mode;
	const struct wal_known *known;
	bool verify_all; /* read every byte, not only the live range */
	unsigned threads; /* readers that verify sealed segments; 0 = inline */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes */
	void *progress_ctx;
};

/* Decides about a directory by the rows of the recovery table and fills *out,
 * which wal_recovery_release frees. OK, or an error with its message. */
int wal_recover(struct wal_recovery *out, const struct recovery_options *o,
		struct store_id *store, struct err_message *m);
void wal_recovery_release(struct wal_recovery *r);

/* "T4 corrupt, live range" … */
const char *recovery_case_name(enum recovery_case c);

/* A damaged place, as `redoubt-log verify` reports it. */
struct damage {
	char file[48]; /* name of the segment or snapshot */
	uint64_t offset; /* of the frame */
	uint64_t size;   /* bytes it takes, as far as known */
	uint64_t first_lsn;
	uint64_t last_lsn; /* 0 = not known */
	char what[160];
};
typedef void damage_fn(void *ctx, const struct damage *);

/* Reads every byte of one segment that counts and reports every bad frame, the
 * header blocks included; bytes that no check covers (padding) are not looked
 * at. Returns the number of damaged places or a negative enum err. */
int segment_verify(struct io *io, const char *path, struct store_id *store,
		   damage_fn *report, void *ctx);

#endif
