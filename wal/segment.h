/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A segment: one file of the log, log/<sequence, 16 digits>.seg (FORMAT.md
 * section 3.1).
 *
 *   offset 0        identity block, written when the file is made a spare
 *   offset align    use block, written when the segment goes into use
 *   offset 2*align  groups, each starting on a multiple of align
 *
 * Blocks are `align` bytes, zero-padded.  A spare has only an identity; its
 * old groups, if it is recycled, carry an old salt and count as zeros.
 * A seal is the last group: nothing behind it counts.
 */
#ifndef REDOUBT_WAL_SEGMENT_H
#define REDOUBT_WAL_SEGMENT_H

#include "wal/frame.h"

#define SEGMENT_VERSION 1
#define SEGMENT_ALIGN_MIN 4096
#define SEGMENT_ALIGN_MAX 65536
#define SEGMENT_SIZE_DEFAULT (UINT64_C(64) << 20)
#define SEGMENT_SIZE_MIN (UINT64_C(64) << 10)
#define SEGMENT_NAME_SIZE 32
#define EPOCH_HISTORY_MAX 64
#define IDENTITY_SIZE 96
#define USE_SIZE (96 + EPOCH_HISTORY_MAX * 12)
#define SEAL_SIZE 64

/* Made with the store, in every header; given to replicas. */
struct store_id {
	uint8_t id[16];
	uint64_t hash_key[2]; /* of the keyed hash of all tables */
};

/* The seed of content checks, from the id. */
uint64_t store_content_seed(const struct store_id *id);

/* When each epoch began; the newest EPOCH_HISTORY_MAX. */
struct epoch_history {
	uint32_t count;
	struct {
		uint32_t epoch;
		uint64_t first_lsn;
	} at[EPOCH_HISTORY_MAX]; /* ascending */
};

/* Appends an epoch, dropping the oldest when full. */
void epoch_history_add(struct epoch_history *h, uint32_t epoch,
		       uint64_t first_lsn);

struct segment_identity {
	struct store_id store;
	uint64_t sequence;
	uint64_t salt;
	uint64_t size; /* of the file, bytes */
	uint32_t align;
};

struct segment_use {
	uint64_t sequence;
	uint32_t epoch;
	uint64_t first_lsn;
	uint64_t chain; /* of the segment before, behind its seal */
	bool base;      /* nothing before: a snapshot at first_lsn - 1 or an
			   empty store precedes */
	uint64_t durable_lsn;
	uint64_t created_ms;
	struct epoch_history history;
};

enum seal_reason { SEAL_ROLL = 1, SEAL_SHUTDOWN = 2, SEAL_CUT = 3 };

struct segment_seal {
	uint64_t record_count;
	uint64_t last_lsn;
	uint64_t chain; /* over everything before the seal */
	uint64_t next_sequence; /* 0: not yet known */
	uint64_t next_salt;
	uint64_t payload_size; /* bytes of batches */
	uint32_t reason;
};

/* The identity block as bytes, and back. */
void identity_encode(uint8_t out[IDENTITY_SIZE],
		     const struct segment_identity *);
/* OK, ERR_NOT_FOUND (all zeros or not ours), ERR_VERSION, ERR_CORRUPT. */
int identity_decode(const uint8_t in[IDENTITY_SIZE], struct segment_identity *);

/* The use block as bytes, and back. */
void use_encode(uint8_t out[USE_SIZE], const struct segment_use *,
		uint64_t salt);
/* OK, or ERR_NOT_FOUND: not in use under this salt (or torn). */
int use_decode(const uint8_t in[USE_SIZE], uint64_t salt,
	       struct segment_use *);

/* The seal as bytes, and back; false when it is none. */
void seal_encode(uint8_t out[SEAL_SIZE], const struct segment_seal *);
bool seal_decode(struct slice in, struct segment_seal *);

/* The chain value at the start of a segment, and after each frame: folds the
 * frame's place in the log and its content check. */
uint64_t chain_start(uint64_t previous_chain, uint64_t sequence,
		     uint64_t first_lsn);
uint64_t chain_frame(uint64_t chain, const struct frame_header *h);

/* "0000000000000001.seg" and back; false for any other name. */
void segment_name(char out[SEGMENT_NAME_SIZE], uint64_t sequence);
bool segment_parse_name(const char *name, uint64_t *sequence);

#endif
