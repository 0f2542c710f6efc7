/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strings as the engine sees them.
 *
 * I1. The records of a string are str_set with its first bytes and deadline,
 *     then str_write for the rest; holes are left out, and the last byte is
 *     always written, so that the size comes back right.
 * I2. The digest of a value depends on its bytes alone: an integer and the
 *     same digits held as bytes are equal, a hole equals stored zeros.
 */
#include "engine/value_ops.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "types/str.h"

#define DIGEST_SEED 0x5265646f75627431ULL /* any constant; part of the digest */
#define FIRST_PIECE_MAX STR_CHUNK_SIZE

static size_t string_memory(const struct entry *e)
{
	return entry_memory(e);
}

/* Feeds pieces, so that a value of any layout hashes alike. (I2) */
static struct hash128 string_digest(const struct entry *e)
{
	uint64_t size = str_size(e), offset = 0;
	char scratch[NUM_I64_SIZE];
	struct slice whole;
	XXH3_state_t *state;
	XXH128_hash_t h;

	if (str_whole(e, scratch, &whole))
		return content_hash128(whole.data, whole.size, DIGEST_SEED);

	state = XXH3_createState();
	if (!state)
		mem_exhausted(sizeof(*state));
	XXH3_128bits_reset_withSeed(state, DIGEST_SEED);
	while (offset < size) {
		struct slice piece = str_piece(e, offset, scratch);

		XXH3_128bits_update(state, piece.data, piece.size);
		offset += piece.size;
	}
	h = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return (struct hash128){ h.low64, h.high64 };
}

static bool string_is_small(const struct entry *e)
{
	return entry_encoding(e) != ENC_CHUNKS;
}

/* A big string on its way out: offset says how far it has come. */
struct frozen_string {
	struct str_frozen *chunks;
	uint64_t offset;
	uint64_t deadline_ms;
	uint32_t db;
	size_t key_size;
	uint8_t key[];
};

static void *string_freeze(const struct entry *e, uint32_t db,
			   record_sink_fn *sink, void *ctx)
{
	struct slice key = entry_key(e);
	struct frozen_string *f = mem_alloc(sizeof(*f) + key.size);

	(void)sink; /* chunks are shared: a change costs a copy */
	(void)ctx;
	f->chunks = str_freeze(e);
	f->offset = 0;
	f->deadline_ms = entry_deadline(e);
	f->db = db;
	f->key_size = key.size;
	memcpy(f->key, key.data, key.size);
	return f;
}

/* One record for the bytes at f->offset, or none for a hole. (I1) */
static void frozen_piece(struct frozen_string *f, record_sink_fn *sink,
			 void *ctx)
{
	uint64_t size = str_frozen_size(f->chunks);
	bool hole = false;
	struct record r = {
		.type = f->offset == 0 ? REC_str_set : REC_str_write,
		.cause = CAUSE_snapshot,
		.db = f->db,
		.key = slice_of(f->key, f->key_size),
		.value = str_frozen_piece(f->chunks, f->offset, &hole),
		.deadline = f->deadline_ms,
		.offset = f->offset,
	};
	size_t taken = r.value.size;

	if (hole && f->offset == 0) {
		r.value.size = 1;
		taken = 1;
	} else if (hole && f->offset + taken == size) {
		r.offset = size - 1;
		r.value = slice_of(r.value.data + taken - 1, 1);
	} else if (hole) {
		f->offset += taken;
		return;
	}
	sink(ctx, &r);
	f->offset += taken;
}

static bool string_frozen_step(void *frozen, size_t size_max,
			       record_sink_fn *sink, void *ctx)
{
	struct frozen_string *f = frozen;
	uint64_t size = str_frozen_size(f->chunks);
	uint64_t stop = f->offset + size_max;

	while (f->offset < size && f->offset < stop)
		frozen_piece(f, sink, ctx);
	return f->offset < size;
}

static void string_frozen_free(void *frozen)
{
	struct frozen_string *f = frozen;

	str_frozen_release(f->chunks);
	mem_free(f);
}

static void string_dump(const struct entry *e, uint32_t db,
			record_sink_fn *sink, void *ctx)
{
	char scratch[NUM_I64_SIZE];
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_snapshot,
		.db = db,
		.key = entry_key(e),
		.deadline = entry_deadline(e),
	};
	void *frozen;

	if (str_whole(e, scratch, &r.value)) {
		sink(ctx, &r);
		return;
	}
	frozen = string_freeze(e, db, sink, ctx);
	string_frozen_step(frozen, SIZE_MAX / 2, sink, ctx);
	string_frozen_free(frozen);
}

const struct value_ops value_string = {
	.type_name = "string",
	.encoding = str_encoding_name,
	.memory = string_memory,
	.digest = string_digest,
	.destroy = entry_free,
	.copy = str_copy,
	.is_small = string_is_small,
	.dump = string_dump,
	.freeze = string_freeze,
	.frozen_step = string_frozen_step,
	.frozen_free = string_frozen_free,
	.check = str_check,
};
