/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A snapshot file being read, frame by frame.  Bytes may be hostile: every
 * size is compared with the file before it is believed.  Inside snapshot/
 * only; one thread at a time.
 */
#ifndef REDOUBT_SNAPSHOT_FILE_H
#define REDOUBT_SNAPSHOT_FILE_H

#include "snapshot/layout.h"

struct snapshot_file {
	struct io *io;
	int file;
	uint64_t size;
	const char *label;   /* for messages; the caller's */
	uint8_t *header;     /* the header block */
	uint32_t header_size;
	struct snapshot_meta meta; /* dbs belongs to this */
	struct snapshot_end end;
	struct frame_seed seed;
	uint64_t offset;     /* of the next frame */
	uint64_t frames_end; /* behind the last one */
	uint8_t *window;     /* bytes of the file in memory */
	size_t window_max;   /* of a small file less than of a big one */
	uint64_t window_offset;
	size_t window_size;
};

/* Opens the file. around_cache: what is read comes from the disk. OK, ERR_IO;
 * close it in any case. */
int snapshot_file_open(struct snapshot_file *f, struct io *io,
		       const char *path, bool around_cache,
		       struct err_message *m);
void snapshot_file_close(struct snapshot_file *f);

/* Reads the header block: OK, ERR_IO, ERR_CORRUPT, ERR_VERSION. */
int snapshot_file_header(struct snapshot_file *f, struct err_message *m);

/* Reads the footer and stands before the first frame. OK, ERR_IO or
 * ERR_CORRUPT. */
int snapshot_file_footer(struct snapshot_file *f, struct err_message *m);

/* Copies bytes of the file; OK, ERR_IO, or ERR_CORRUPT behind its end. */
int snapshot_file_read(struct snapshot_file *f, uint64_t offset, void *out,
			size_t size, struct err_message *m);

/* The next frame: its checked header, and its content as it is in place of
 * what was in *content. OK, SNAPSHOT_END, ERR_IO or ERR_CORRUPT. */
int snapshot_file_frame(struct snapshot_file *f, struct frame_header *h,
			struct buf *content, struct err_message *m);

/* Whether h is a frame that may stand among the frames of f. */
bool snapshot_frame_fits(const struct snapshot_file *f,
			 const struct frame_header *h);

/* Walks the frames of an open file whose header and footer have been read:
 * content checks, and what they chain to. Ends with ERR_IO if stop, which may
 * be NULL, says so. OK, ERR_IO or ERR_CORRUPT. */
int snapshot_file_check(struct snapshot_file *f, bool (*stop)(void *ctx),
			void *ctx, struct err_message *m);

#endif
