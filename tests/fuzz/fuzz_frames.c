/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: frame headers, blocks, batches and records as bytes.
 *
 * Whatever decodes must encode to the same bytes again, and describe must not
 * mind what is in it.
 */
#include <stdlib.h>

#include "base/checksum.h"
#include "base/err.h"
#include "wal/batch.h"
#include "wal/frame.h"
#include "wal/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of an input that are decoded as a block. */
#define BLOCK_MAX 1024

static void must_equal(const void *a, const void *b, size_t size)
{
	if (memcmp(a, b, size) != 0)
		abort();
}

/* --- batches ----------------------------------------------------------- */

/* A writer's dictionary and that of who reads what it wrote. */
struct mirror {
	struct origin_dictionary *writer;
	struct origin_dictionary *reader;
};

static bool same_origin(const struct origin *a, const struct origin *b)
{
	return slice_equal(a->user, b->user) &&
	       slice_equal(a->address, b->address) &&
	       slice_equal(a->command, b->command);
}

/* Writes the batch as the log does and reads it again. */
static void write_again(const struct batch_view *v, struct batch *b,
			struct mirror *m, uint64_t previous_ms)
{
	struct batch_header h = { .previous_ms = previous_ms };
	uint8_t header[BATCH_HEADER_MAX];
	struct buf out = { 0 };
	struct batch_view again;
	struct reader in;

	b->time_ms = v->time_ms;
	if (v->origin.user.data) {
		h.origin = origin_dictionary_find(m->writer, &v->origin);
		if (h.origin == 0) {
			h.origin = origin_dictionary_add(m->writer,
							 &v->origin);
			h.define = &v->origin;
		}
	}
	buf_put(&out, header,
		(size_t)(batch_put_header(header, b, &h) - header));
	buf_put_slice(&out, buf_slice(&b->records));
	in = reader_of(buf_slice(&out));
	if (!batch_parse(&in, previous_ms, m->reader, &again) ||
	    reader_left(&in) != 0 || again.time_ms != v->time_ms ||
	    again.count != b->count || again.first_db != b->first_db ||
	    !slice_equal(again.records, buf_slice(&b->records)) ||
	    !same_origin(&again.origin, &v->origin))
		abort();
	buf_release(&out);
}

static void read_batch(const struct batch_view *v, struct batch *b)
{
	struct batch_reader reader = batch_records(v);
	struct buf text = { 0 };
	struct record r;

	batch_reset(b);
	while (batch_next(&reader, &r)) {
		if (record_is_barrier(r.type) && r.type == REC_str_set)
			abort();
		batch_add(b, &r);
		record_describe(&text, &r, 64);
	}
	/* The database of the first record stands before the records. */
	if (!reader.in.bad && b->count && b->first_db == v->first_db) {
		if (b->records.size != v->records.size)
			abort();
		must_equal(b->records.data, v->records.data, v->records.size);
	}
	buf_release(&text);
}

static void read_batches(struct slice bytes, bool lost)
{
	struct origin_dictionary *origins = origin_dictionary_new();
	struct mirror m = { origin_dictionary_new(), origin_dictionary_new() };
	struct reader in = reader_of(bytes);
	uint64_t previous_ms = 0;
	struct batch_view v;
	struct batch b;

	batch_init(&b);
	if (lost)
		origin_dictionary_lose(origins);
	while (reader_left(&in) &&
	       batch_parse(&in, previous_ms, origins, &v)) {
		read_batch(&v, &b);
		if (b.count)
			write_again(&v, &b, &m, previous_ms);
		previous_ms = v.time_ms;
	}
	batch_release(&b);
	origin_dictionary_free(m.writer);
	origin_dictionary_free(m.reader);
	origin_dictionary_free(origins);
}

/* --- blocks ------------------------------------------------------------ */

static void read_frame(uint8_t *block, bool fixed)
{
	struct frame_seed seed = { 1, 2 };
	uint8_t again[FRAME_HEADER_SIZE], place[16];
	struct frame_header h;
	uint32_t length;

	if (fixed) {
		put_u32(block, 0x31664452);
		put_u32(block + 12, crc32c(0, block, 12));
		put_u64(put_u64(place, seed.salt), 4096);
		put_u32(block + 60, crc32c(crc32c(0, place, sizeof(place)),
					   block, 60));
	}
	frame_content_check(slice_of(block, BLOCK_MAX), &seed);
	if (record_type_name(block[0]) && !record_cause_name(CAUSE_set))
		abort();
	if (!frame_decode(block, &seed, 4096, &h))
		return;
	if (!frame_length(block, &length) || length != h.length)
		abort();
	frame_encode(again, &h, &seed, 4096);
	must_equal(again, block, sizeof(again));
	if (chain_frame(chain_start(0, 1, h.first_lsn), &h) ==
	    chain_frame(chain_start(0, 2, h.first_lsn), &h))
		abort();
}

static void read_identity(uint8_t *block, bool fixed)
{
	struct segment_identity identity;
	uint8_t again[IDENTITY_SIZE];

	if (fixed) {
		put_u32(block, 0x31734452);
		put_u32(block + 92, crc32c(0, block, 92));
	}
	if (identity_decode(block, &identity) != OK)
		return;
	identity_encode(again, &identity);
	must_equal(again, block, sizeof(again));
	store_content_seed(&identity.store);
}

static void read_use(uint8_t *block, bool fixed)
{
	uint8_t again[USE_SIZE], salt[8];
	struct segment_use use;
	uint32_t crc;

	if (fixed) {
		put_u32(block, 0x31754452);
		put_u64(salt, 7);
		crc = crc32c(crc32c(0, salt, sizeof(salt)), block, 92);
		put_u32(block + 92, crc32c(crc, block + 96, USE_SIZE - 96));
	}
	if (use_decode(block, 7, &use) != OK)
		return;
	use_encode(again, &use, 7);
	must_equal(again, block, sizeof(again));
	if (use.epoch < UINT32_MAX)
		epoch_history_add(&use.history, UINT32_MAX, UINT64_MAX);
}

static void read_seal(const uint8_t *block)
{
	uint8_t again[SEAL_SIZE];
	struct segment_seal seal;

	if (!seal_decode(slice_of(block, SEAL_SIZE), &seal))
		return;
	seal_encode(again, &seal);
	must_equal(again, block, sizeof(again));
}

static void read_name(const uint8_t *block)
{
	char again[SEGMENT_NAME_SIZE];
	uint64_t sequence;

	if (!segment_parse_name((const char *)block, &sequence))
		return;
	segment_name(again, sequence);
	must_equal(again, block, strlen(again) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t block[BLOCK_MAX] = { 0 };

	if (size == 0)
		return 0;
	if (data[0] < 0xf0) {
		read_batches(slice_of(data + 1, size - 1), data[0] & 1);
		return 0;
	}
	memcpy(block, data + 1, size - 1 < BLOCK_MAX - 1 ? size - 1
							 : BLOCK_MAX - 1);
	switch (data[0] & 7) {
	case 0:
	case 1:
		read_frame(block, data[0] & 1);
		break;
	case 2:
	case 3:
		read_identity(block, data[0] & 1);
		break;
	case 4:
	case 5:
		read_use(block, data[0] & 1);
		break;
	case 6:
		read_seal(block);
		break;
	default:
		read_name(block);
	}
	return 0;
}
