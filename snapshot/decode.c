/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of snapshots as batches.
 *
 * I1. The check comes before zstd sees the bytes.
 * I2. The output is bounded by raw_length, and raw_length by SNAPSHOT_RAW_MAX.
 * I3. A content is one zstd frame, and a batch without an origin.
 */
#include "snapshot/decode.h"

#include <assert.h>
#include <zstd.h>

#include "base/mem.h"

void snapshot_decoder_release(struct snapshot_decoder *d)
{
	ZSTD_freeDCtx(d->zstd);
	d->zstd = NULL;
}

const char *snapshot_decode(struct snapshot_decoder *d,
			    const struct frame_header *h,
			    const uint8_t *content, struct buf *raw,
			    const struct frame_seed *seed)
{
	size_t size;

	assert(h->length <= FRAME_CONTENT_MAX);
	assert(h->raw_length <= SNAPSHOT_RAW_MAX); /* I2 */
	if (frame_content_check(slice_of(content, h->length), seed) !=
	    h->content_check) /* I1 */
		return "bad content";
	if (ZSTD_findFrameCompressedSize(content, h->length) != h->length)
		return "bad compression";
	if (!d->zstd)
		d->zstd = ZSTD_createDCtx();
	if (!d->zstd)
		mem_exhausted(sizeof(*d));
	raw->size = 0;
	size = ZSTD_decompressDCtx(d->zstd, buf_reserve(raw, h->raw_length),
				   h->raw_length, content, h->length);
	if (ZSTD_isError(size) || size != h->raw_length)
		return "bad compression";
	raw->size = size;
	return NULL;
}

bool snapshot_parse(struct slice content, uint32_t count,
		    struct batch_view *out)
{
	struct reader in = reader_of(content);

	return batch_parse(&in, 0, NULL, out) && reader_left(&in) == 0 &&
	       out->count == count;
}
