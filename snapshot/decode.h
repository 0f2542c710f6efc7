/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the content of a frame to a batch: check, decompress, parse.  Bytes may
 * be hostile.  Inside snapshot/ only.
 */
#ifndef REDOUBT_SNAPSHOT_DECODE_H
#define REDOUBT_SNAPSHOT_DECODE_H

#include "snapshot/layout.h"

/* One per thread. Zeroed to start; what zstd needs comes with the first
 * frame. */
struct snapshot_decoder {
	void *zstd;
};

/* Gives back what zstd needed. */
void snapshot_decoder_release(struct snapshot_decoder *d);

/* Checks h->length bytes of content and decompresses them in place of what was
 * in *raw. NULL, or what is wrong. */
const char *snapshot_decode(struct snapshot_decoder *d,
			    const struct frame_header *h,
			    const uint8_t *content, struct buf *raw,
			    const struct frame_seed *seed);

/* Parses what must be one batch of `count` records. Its records are not looked
 * at. */
bool snapshot_parse(struct slice content, uint32_t count,
		    struct batch_view *out);

#endif
