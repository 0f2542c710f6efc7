/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: the checked unit of bytes in segments and snapshots (FORMAT.md
 * section 3.2).  A frame is a 64-byte header and up to 1 MiB of content.
 *
 *   offset size
 *    0  4  magic "RDf1"
 *    4  4  length of the content, bytes
 *    8  2  flags
 *   10  2  0
 *   12  4  length check: CRC32C of bytes 0..11
 *   16  8  LSN of the first record that belongs to this frame
 *   24  4  number of records
 *   28  4  epoch
 *   32  8  durable LSN known when the frame was written
 *   40  8  content check: XXH3-64 of the content, seeded by the store
 *   48  8  size of the content before compression
 *   56  4  0
 *   60  4  frame check: CRC32C of salt, offset of the frame, bytes 0..59
 *
 * The content check depends on the store alone, so it travels with the bytes
 * and chains, scrub and repair compare it.  The frame check ties the frame to
 * its place: a stale or misdirected one never validates.
 */
#ifndef REDOUBT_WAL_FRAME_H
#define REDOUBT_WAL_FRAME_H

#include "base/slice.h"

#define FRAME_HEADER_SIZE 64
#define FRAME_CONTENT_MAX (1u << 20)

enum frame_flags {
	FRAME_GROUP_END = 1,   /* last frame of a group: padding follows */
	FRAME_SEAL = 2,        /* content: wal/segment.h, nothing follows */
	FRAME_MARK = 4,        /* no records: only carries the durable LSN */
	FRAME_CONT_BEFORE = 8, /* content goes on with the batch before */
	FRAME_CONT_AFTER = 16, /* the batch goes on in the next frame */
	FRAME_DICT_RESET = 32, /* the origin dictionary starts afresh here */
	FRAME_ZSTD = 64,       /* content is one zstd frame */
	FRAME_SNAPSHOT = 128,  /* belongs to a snapshot */
	FRAME_FOOTER = 256,    /* of a snapshot */
	FRAME_FLAGS_ALL = 511,
};

/* What both checks are seeded with. */
struct frame_seed {
	uint64_t store; /* content check: struct store_id's content_seed */
	uint64_t salt;  /* frame check */
};

struct frame_header {
	uint32_t length;
	uint16_t flags;
	uint64_t first_lsn;
	uint32_t count;
	uint32_t epoch;
	uint64_t durable_lsn;
	uint64_t content_check;
	uint64_t raw_length;
};

/* Writes the 64 bytes for a frame that will stand at `offset` of its file;
 * h->content_check must be filled (frame_content_check). */
void frame_encode(uint8_t out[FRAME_HEADER_SIZE], const struct frame_header *h,
		  const struct frame_seed *seed, uint64_t offset);

/* True if the 64 bytes are a valid header for this place. Bytes may be
 * hostile; the content is not looked at. */
bool frame_decode(const uint8_t in[FRAME_HEADER_SIZE],
		  const struct frame_seed *seed, uint64_t offset,
		  struct frame_header *out);

/* True if magic and length check hold: the frame's end is known even if the
 * rest is damaged. */
bool frame_length(const uint8_t in[FRAME_HEADER_SIZE], uint32_t *length);

/* The content check of a frame's batches (FORMAT.md section 3). */
uint64_t frame_content_check(struct slice content,
			     const struct frame_seed *seed);

#endif
