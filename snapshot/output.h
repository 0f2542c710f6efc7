/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a snapshot being written: a temporary name, aligned writes
 * around the page cache, then sync, check, rename.  Inside snapshot/ only; the
 * worker's thread.
 */
#ifndef REDOUBT_SNAPSHOT_OUTPUT_H
#define REDOUBT_SNAPSHOT_OUTPUT_H

#include "snapshot/layout.h"

#define SNAPSHOT_WRITE_SIZE (1u << 20)

struct snapshot_output {
	struct io *io;
	char *dir;       /* of the store */
	char *path;      /* the final one */
	char *temporary;
	int file;        /* < 0: not open */
	bool direct;
	bool exists;     /* the temporary file may be there */
	uint32_t align;
	uint8_t *buffer; /* SNAPSHOT_WRITE_SIZE bytes */
	size_t fill;
	uint64_t written; /* bytes of the file before the buffer */
	/* Called behind each write; may be NULL. */
	void (*wrote)(void *ctx, size_t bytes);
	void *wrote_ctx;
};

/* Keeps copies of dir and name; touches nothing. */
void snapshot_output_init(struct snapshot_output *o, struct io *io,
			  const char *dir, const char *name);

/* Makes dir/snap if it is missing and opens the temporary file. OK or
 * ERR_IO, as the others. */
int snapshot_output_open(struct snapshot_output *o, struct err_message *m);

/* Where the next byte goes. */
static inline uint64_t snapshot_output_offset(const struct snapshot_output *o)
{
	return o->written + o->fill;
}

/* Appends. */
int snapshot_output_put(struct snapshot_output *o, const void *data,
			size_t size, struct err_message *m);

/* Writes what is left (the size is a multiple of align) and syncs. */
int snapshot_output_sync(struct snapshot_output *o, struct err_message *m);

/* Reads everything back from the disk and compares with what was meant.
 * ERR_CORRUPT if it differs. stop (may be NULL) ends it early: ERR_IO. */
int snapshot_output_check(struct snapshot_output *o,
			  const struct snapshot_end *meant,
			  bool (*stop)(void *ctx), void *ctx,
			  struct err_message *m);

/* Gives it its name, durably. */
int snapshot_output_publish(struct snapshot_output *o, struct err_message *m);

/* Closes, removes the temporary file if it is there, frees. */
void snapshot_output_close(struct snapshot_output *o);

#endif
