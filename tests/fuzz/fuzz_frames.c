/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: frame headers, batches and records as bytes.
 *
 * Whatever decodes must encode to the same bytes again, and describe must not
 * mind what is in it.
 */
#include <stdlib.h>

#include "wal/batch.h"
#include "wal/frame.h"
#include "wal/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct record *r, uint32_t db,
		       const uint8_t *bytes, size_t size)
{
	struct buf out = { 0 };

	record_encode(&out, r, db);
	if (out.size != size || memcmp(out.data, bytes, size) != 0)
		abort();
	buf_release(&out);
}

static void read_batch(const struct batch_view *v)
{
	struct batch_reader reader = batch_records(v);
	const uint8_t *before = reader.in.at;
	uint32_t db = v->first_db;
	struct buf text = { 0 };
	struct record r;

	for (; batch_next(&reader, &r); before = reader.in.at) {
		same_again(&r, db, before, (size_t)(reader.in.at - before));
		db = r.db;
		record_describe(&text, &r, 64);
	}
	buf_release(&text);
}

static void read_headers(const uint8_t *data, size_t size)
{
	struct frame_seed seed = { 1, 2 };
	struct segment_identity identity;
	struct segment_seal seal;
	struct segment_use use;
	struct frame_header h;
	uint32_t length;

	if (size >= FRAME_HEADER_SIZE) {
		frame_decode(data, &seed, 4096, &h);
		frame_length(data, &length);
	}
	if (size >= IDENTITY_SIZE)
		identity_decode(data, &identity);
	if (size >= USE_SIZE)
		use_decode(data, 7, &use);
	seal_decode(slice_of(data, size), &seal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct origin_dictionary *origins = origin_dictionary_new();
	struct reader in = reader_of(slice_of(data, size));
	uint64_t previous_ms = 0;
	struct batch_view v;

	read_headers(data, size);
	while (reader_left(&in) &&
	       batch_parse(&in, previous_ms, origins, &v)) {
		read_batch(&v);
		previous_ms = v.time_ms;
	}
	origin_dictionary_free(origins);
	return 0;
}
