/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scan: walks the groups of one segment and says of each whether it is
 * valid (FORMAT.md section 6).  Recovery, verification and tools share it.
 *
 * It judges bytes, not what they mean for the store: that is recovery's.
 */
#ifndef REDOUBT_WAL_SCAN_H
#define REDOUBT_WAL_SCAN_H

#include "wal/segment.h"
#include "wal/window.h"

/* Where a walk from frame to frame stands. */
struct frame_walk {
	uint64_t at;       /* of the frame */
	uint64_t next_lsn; /* due there */
	uint64_t chain;
	uint32_t epoch;
	bool open; /* a batch goes on into this frame */
};

struct frame_found {
	struct frame_header h;
	bool header_valid;
	uint64_t size;        /* with its header, as far as known */
	struct slice content; /* lies in the window */
	const char *what;     /* why it is bad */
};

/* Judges the frame at k->at by itself and by what stood before: 1 valid, 0
 * bad (out->what says why), or a negative errno. */
int frame_judge(struct window *w, const struct frame_seed *seed,
		const struct frame_walk *k, struct frame_found *out);

/* Moves k behind a valid frame. */
void frame_pass(struct frame_walk *k, const struct frame_header *h);

/* Where a scan stands: at the start of a group. */
struct scan {
	struct window *window;
	struct frame_seed seed;
	uint32_t align;
	bool chain_known; /* false behind a hole */
	uint64_t offset;
	uint64_t next_lsn;
	uint32_t epoch;
	uint64_t chain;
	uint64_t record_count;
};

enum group_kind {
	GROUP_VALID,
	GROUP_SEAL,  /* valid, and nothing behind it counts */
	GROUP_EMPTY, /* no group here: zeros, stale bytes, end of file */
	GROUP_BAD,
};

struct group {
	uint64_t offset;
	uint64_t end;       /* where the next one may start; of a bad one: where
			       to look on */
	uint64_t first_lsn; /* of a bad one: the LSN that was due */
	uint64_t last_lsn;
	uint64_t durable_lsn;
	uint64_t payload_size;
	uint64_t bad_offset; /* the frame that is bad */
	uint64_t bad_size;   /* its bytes as far as known */
	const char *what;    /* why it is bad */
	struct segment_seal seal;
};

/* Starts behind the use block of a segment in use. */
void scan_start(struct scan *s, struct window *w,
		const struct segment_identity *i,
		const struct segment_use *use);

/* Judges the group at s->offset; a valid one moves s behind it. Returns an
 * enum group_kind or a negative errno. */
int scan_group(struct scan *s, struct group *out);

/* Looks from `from` (rounded up to align) on for the header of a frame that
 * is valid where it stands. 1 and *at, *h; 0 if there is none; or a negative
 * errno. */
int scan_search(struct scan *s, uint64_t from, uint64_t *at,
		struct frame_header *h);

/* Looks backwards from the end of the file for a seal. 1 and *at, *seal and
 * the header; 0 if there is none; or a negative errno. */
int scan_seal(struct scan *s, uint64_t *at, struct segment_seal *seal,
	      struct frame_header *h);

#endif
