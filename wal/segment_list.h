/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which segments a log has, by the names in its directory.  What the files
 * hold is for others to look at.
 */
#ifndef REDOUBT_WAL_SEGMENT_LIST_H
#define REDOUBT_WAL_SEGMENT_LIST_H

#include "base/io.h"
#include "wal/segment.h"

struct segment_list {
	uint64_t *at; /* sequences, ascending */
	size_t count;
	size_t capacity;
};

/* Reads the names in the directory of this path into *list, which needs no
 * initialisation; other names are passed over, and a directory that is not
 * there has none. 0, or a negative errno and an empty list. */
int segment_list_read(struct segment_list *list, struct io *io,
		      const char *path);
void segment_list_release(struct segment_list *list);

#endif
