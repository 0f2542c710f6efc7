/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header block, the footer and the names of snapshots.
 *
 * I1. The first 16 bytes and their check are the same in every version, so
 *     that a reader can tell "newer" from "damaged".
 * I2. The header check covers the block to its last byte, padding included.
 * I3. The chain starts with the header check, and the footer holds the chain:
 *     frames of one file do not verify behind the header of another.
 */
#include "snapshot/layout.h"

#include <assert.h>
#include <stdio.h>

#include "base/checksum.h"
#include "base/mem.h"

#define SNAPSHOT_MAGIC "RDsnapsh"
#define PREFIX_CHECK_AT 16
#define HEADER_CHECK_AT 20
#define HISTORY_ITEM_SIZE 12
#define DB_ITEM_SIZE 20

_Static_assert(HEADER_CHECK_AT + 4 == SNAPSHOT_PREFIX_SIZE, "prefix layout");
_Static_assert(SNAPSHOT_FOOTER_SIZE == 128, "as FORMAT.md has it");

static size_t header_used(const struct snapshot_meta *meta)
{
	return SNAPSHOT_HEADER_FIXED +
	       (size_t)meta->history.count * HISTORY_ITEM_SIZE +
	       (size_t)meta->db_count * DB_ITEM_SIZE;
}

size_t snapshot_header_size(const struct snapshot_meta *meta, uint32_t align)
{
	assert(align >= SNAPSHOT_ALIGN_MIN);
	assert((align & (align - 1)) == 0);
	return (header_used(meta) + align - 1) & ~((size_t)align - 1);
}

void snapshot_header_encode(uint8_t *out, size_t size,
			    const struct snapshot_meta *meta, uint64_t salt)
{
	uint8_t *p = out;
	uint32_t i;

	assert(size >= header_used(meta));
	assert(meta->history.count <= EPOCH_HISTORY_MAX);
	assert(size % SNAPSHOT_ALIGN_MIN == 0);
	memset(out, 0, size);
	p = put_bytes(p, SNAPSHOT_MAGIC, 8);
	p = put_u32(p, SNAPSHOT_VERSION);
	p = put_u32(p, (uint32_t)size);
	p = put_u32(p, crc32c(0, out, PREFIX_CHECK_AT));
	p += 4; /* the header check, last */
	p = put_bytes(p, meta->store.id, sizeof(meta->store.id));
	p = put_u64(p, meta->store.hash_key[0]);
	p = put_u64(p, meta->store.hash_key[1]);
	p = put_u64(p, salt);
	p = put_u64(p, meta->lsn);
	p = put_u64(p, meta->created_ms);
	p = put_u32(p, meta->epoch);
	p = put_u32(p, meta->history.count);
	p = put_u32(p, meta->db_count);
	p = put_u32(p, 0);
	assert(p == out + SNAPSHOT_HEADER_FIXED);
	for (i = 0; i < meta->history.count; i++) {
		p = put_u32(p, meta->history.at[i].epoch);
		p = put_u64(p, meta->history.at[i].first_lsn);
	}
	for (i = 0; i < meta->db_count; i++) {
		p = put_u32(p, meta->dbs[i].db);
		p = put_u64(p, meta->dbs[i].keys);
		p = put_u64(p, meta->dbs[i].deadlines);
	}
	assert(p == out + header_used(meta));
	put_u32(out + HEADER_CHECK_AT,
		crc32c(0, out + SNAPSHOT_PREFIX_SIZE,
		       size - SNAPSHOT_PREFIX_SIZE));
}

int snapshot_prefix_decode(const uint8_t *in, uint32_t *size)
{
	if (memcmp(in, SNAPSHOT_MAGIC, 8) != 0)
		return ERR_CORRUPT;
	if (get_u32(in + PREFIX_CHECK_AT) != crc32c(0, in, PREFIX_CHECK_AT))
		return ERR_CORRUPT;
	if (get_u32(in + 8) != SNAPSHOT_VERSION) /* I1 */
		return ERR_VERSION;
	*size = get_u32(in + 12);
	if (*size < SNAPSHOT_ALIGN_MIN || *size % SNAPSHOT_ALIGN_MIN != 0)
		return ERR_CORRUPT;
	return OK;
}

static int read_dbs(struct reader *in, struct snapshot_meta *out)
{
	uint32_t i;

	if ((uint64_t)out->db_count * DB_ITEM_SIZE > reader_left(in))
		return ERR_CORRUPT;
	out->dbs = mem_calloc(out->db_count + 1u, sizeof(*out->dbs));
	for (i = 0; i < out->db_count; i++) {
		out->dbs[i].db = read_u32(in);
		out->dbs[i].keys = read_u64(in);
		out->dbs[i].deadlines = read_u64(in);
		if (out->dbs[i].db > RECORD_DB_MAX ||
		    (i > 0 && out->dbs[i].db <= out->dbs[i - 1].db) ||
		    out->dbs[i].deadlines > out->dbs[i].keys) {
			mem_free(out->dbs);
			out->dbs = NULL;
			return ERR_CORRUPT;
		}
	}
	return OK;
}

int snapshot_header_decode(struct slice block, struct snapshot_meta *out,
			   uint64_t *salt)
{
	struct reader in = reader_of(block);
	struct slice id;
	uint32_t size, i;

	*out = (struct snapshot_meta){ 0 };
	if (block.size < SNAPSHOT_HEADER_FIXED ||
	    snapshot_prefix_decode(block.data, &size) != OK ||
	    size != block.size)
		return ERR_CORRUPT;
	if (get_u32(block.data + HEADER_CHECK_AT) !=
	    crc32c(0, block.data + SNAPSHOT_PREFIX_SIZE,
		   block.size - SNAPSHOT_PREFIX_SIZE)) /* I2 */
		return ERR_CORRUPT;
	read_bytes(&in, SNAPSHOT_PREFIX_SIZE);
	id = read_bytes(&in, sizeof(out->store.id));
	memcpy(out->store.id, id.data, sizeof(out->store.id));
	out->store.hash_key[0] = read_u64(&in);
	out->store.hash_key[1] = read_u64(&in);
	*salt = read_u64(&in);
	out->lsn = read_u64(&in);
	out->created_ms = read_u64(&in);
	out->epoch = read_u32(&in);
	out->history.count = read_u32(&in);
	out->db_count = read_u32(&in);
	if (read_u32(&in) != 0 || out->history.count > EPOCH_HISTORY_MAX)
		return ERR_CORRUPT;
	for (i = 0; i < out->history.count; i++) {
		out->history.at[i].epoch = read_u32(&in);
		out->history.at[i].first_lsn = read_u64(&in);
	}
	return in.bad ? ERR_CORRUPT : read_dbs(&in, out);
}

uint64_t snapshot_chain_start(struct slice block)
{
	assert(block.size >= SNAPSHOT_HEADER_FIXED);
	return chain_hash(0, get_u32(block.data + HEADER_CHECK_AT));
}

void snapshot_footer_encode(uint8_t out[SNAPSHOT_FOOTER_SIZE],
			    const struct snapshot_end *end,
			    const struct snapshot_meta *meta,
			    const struct frame_seed *seed, uint64_t offset)
{
	uint8_t *content = out + FRAME_HEADER_SIZE, *p = content;
	struct frame_header h = {
		.length = SNAPSHOT_FOOTER_CONTENT,
		.flags = FRAME_SNAPSHOT | FRAME_FOOTER,
		.first_lsn = meta->lsn,
		.epoch = meta->epoch,
		.durable_lsn = end->footer.durable_lsn,
		.raw_length = SNAPSHOT_FOOTER_CONTENT,
	};

	assert(end->frames_end <= offset);
	p = put_u64(p, end->footer.record_count);
	p = put_u64(p, end->footer.raw_bytes);
	p = put_u64(p, end->footer.hash);
	p = put_u64(p, end->footer.durable_lsn);
	p = put_u64(p, end->footer.sequence);
	p = put_u64(p, end->frames_end);
	p = put_u64(p, end->frame_count);
	p = put_u64(p, 0);
	assert(p == out + SNAPSHOT_FOOTER_SIZE);
	h.content_check = frame_content_check(
		slice_of(content, SNAPSHOT_FOOTER_CONTENT), seed);
	frame_encode(out, &h, seed, offset);
}

int snapshot_footer_decode(const uint8_t in[SNAPSHOT_FOOTER_SIZE],
			   struct snapshot_end *out,
			   const struct snapshot_meta *meta,
			   const struct frame_seed *seed, uint64_t offset)
{
	struct slice content =
		slice_of(in + FRAME_HEADER_SIZE, SNAPSHOT_FOOTER_CONTENT);
	struct reader r = reader_of(content);
	struct frame_header h;

	*out = (struct snapshot_end){ 0 };
	if (!frame_decode(in, seed, offset, &h) ||
	    h.flags != (FRAME_SNAPSHOT | FRAME_FOOTER) ||
	    h.length != SNAPSHOT_FOOTER_CONTENT)
		return ERR_CORRUPT;
	if (h.first_lsn != meta->lsn || h.epoch != meta->epoch ||
	    h.content_check != frame_content_check(content, seed))
		return ERR_CORRUPT;
	out->footer.record_count = read_u64(&r);
	out->footer.raw_bytes = read_u64(&r);
	out->footer.hash = read_u64(&r);
	out->footer.durable_lsn = read_u64(&r);
	out->footer.sequence = read_u64(&r);
	out->frames_end = read_u64(&r);
	out->frame_count = read_u64(&r);
	if (read_u64(&r) != 0 || r.bad || out->frames_end > offset)
		return ERR_CORRUPT;
	return OK;
}

void snapshot_make_name(char out[SNAPSHOT_NAME_SIZE], uint32_t epoch,
			uint64_t lsn)
{
	snprintf(out, SNAPSHOT_NAME_SIZE, "%010u-%020llu.snap", epoch,
		 (unsigned long long)lsn);
}

/* Exactly `digits` digits that fit; moves *p behind them. */
static bool parse_digits(const char **p, int digits, uint64_t *out)
{
	uint64_t v = 0;

	for (; digits > 0; digits--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**p - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

bool snapshot_parse_name(const char *name, uint32_t *epoch, uint64_t *lsn)
{
	uint64_t e;

	if (!parse_digits(&name, 10, &e) || e > UINT32_MAX || *name++ != '-')
		return false;
	if (!parse_digits(&name, 20, lsn) || strcmp(name, ".snap") != 0)
		return false;
	*epoch = (uint32_t)e;
	return true;
}
