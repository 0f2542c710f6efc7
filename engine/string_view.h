/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A string value to be read piece by piece, knowing its holes: a hole is a
 * stretch of zeros that is not stored, and costs nothing to skip.
 *
 * A view is not to be moved while open.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_STRING_VIEW_H
#define REDOUBT_ENGINE_STRING_VIEW_H

#include "base/buf.h"
#include "types/str.h"

struct string_view {
	uint64_t size;
	struct str_frozen *frozen; /* of a chunked value */
	struct slice whole;        /* else */
	char scratch[NUM_I64_SIZE];
	struct buf copy;           /* after string_view_hold */
};

/* e may be NULL: empty. Good until the entry changes. */
void string_view_open(struct string_view *v, const struct entry *e);

/* Makes the view survive changes of the entry. */
void string_view_hold(struct string_view *v);

/* The bytes from offset on that lie together; empty from the end on. *hole:
 * they are all zeros and not stored. */
struct slice string_view_piece(const struct string_view *v, uint64_t offset,
			       bool *hole);

/* Bytes that are not in holes. */
uint64_t string_view_stored(const struct string_view *v);

/* Lets go of what the view holds. */
void string_view_close(struct string_view *v);

#endif
