/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a snapshot (FORMAT.md section 5): header block, frames, footer.
 *
 *   offset 0            header block, a multiple of 4096 bytes
 *   header size         frames, one behind the other
 *   size - 128          footer: a frame with 64 bytes of content
 *
 * Between the last frame and the footer are zeros that no check covers, so
 * that the file's size is a multiple of the header's alignment.
 * Inside snapshot/ only.
 */
#ifndef REDOUBT_SNAPSHOT_LAYOUT_H
#define REDOUBT_SNAPSHOT_LAYOUT_H

#include "snapshot/snapshot.h"

#define SNAPSHOT_ALIGN_MIN 4096
#define SNAPSHOT_PREFIX_SIZE 24
#define SNAPSHOT_HEADER_FIXED 96
#define SNAPSHOT_FOOTER_CONTENT 64
#define SNAPSHOT_FOOTER_SIZE (FRAME_HEADER_SIZE + SNAPSHOT_FOOTER_CONTENT)

/* Content of one frame before compression: whatever zstd makes of it fits into
 * FRAME_CONTENT_MAX. */
#define SNAPSHOT_RAW_MAX (FRAME_CONTENT_MAX - (8u << 10))

/* Bytes of one batch at most: a record that begins below SNAPSHOT_BLOCK_SIZE,
 * with a key and an element of whatever size a client could send. A writer
 * gives up what a reader would refuse. */
#define SNAPSHOT_BATCH_MAX ((uint64_t)4 << 30)

/* Bytes of the header block of meta. */
size_t snapshot_header_size(const struct snapshot_meta *meta, uint32_t align);

/* Writes the block of `size` bytes. */
void snapshot_header_encode(uint8_t *out, size_t size,
			    const struct snapshot_meta *meta, uint64_t salt);

/* Reads the size of the block from its first SNAPSHOT_PREFIX_SIZE bytes. OK,
 * ERR_CORRUPT or ERR_VERSION. */
int snapshot_prefix_decode(const uint8_t *in, uint32_t *size);

/* Reads the whole block. OK or ERR_CORRUPT; then out->dbs is the caller's to
 * mem_free. */
int snapshot_header_decode(struct slice block, struct snapshot_meta *out,
			   uint64_t *salt);

/* What the chain over the frames starts with. */
uint64_t snapshot_chain_start(struct slice block);

/* What the footer says besides its public part. */
struct snapshot_end {
	struct snapshot_footer footer;
	uint64_t frames_end;  /* offset behind the last frame */
	uint64_t frame_count;
};

/* Writes the footer frame as it stands at `offset`. */
void snapshot_footer_encode(uint8_t out[SNAPSHOT_FOOTER_SIZE],
			    const struct snapshot_end *end,
			    const struct snapshot_meta *meta,
			    const struct frame_seed *seed, uint64_t offset);

/* OK or ERR_CORRUPT. */
int snapshot_footer_decode(const uint8_t in[SNAPSHOT_FOOTER_SIZE],
			   struct snapshot_end *out,
			   const struct snapshot_meta *meta,
			   const struct frame_seed *seed, uint64_t offset);

/* "0000000001-00000000000000000042.snap" and back. */
void snapshot_make_name(char out[SNAPSHOT_NAME_SIZE], uint32_t epoch,
			uint64_t lsn);
bool snapshot_parse_name(const char *name, uint32_t *epoch, uint64_t *lsn);

/* A name that is not yet, or no longer, a snapshot. */
#define SNAPSHOT_TEMPORARY ".tmp"

/* What stands between dir and a name in dir. */
#define SNAPSHOT_DIR "/snap"

#endif
