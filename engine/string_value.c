/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading string values.
 *
 * I1. A value that does not lie together (64 KiB chunks) is read piece by
 *     piece; it is copied as a whole only by string_together.
 */
#include "engine/string_value.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/checksum.h"
#include "base/mem.h"

void reply_string(struct cmd *c, const struct entry *e)
{
	char scratch[NUM_I64_SIZE];
	struct slice whole;

	if (str_whole(e, scratch, &whole))
		reply_bulk(c, whole);
	else
		reply_string_range(c, e, 0, str_size(e));
}

void reply_string_range(struct cmd *c, const struct entry *e, uint64_t offset,
			uint64_t size)
{
	char scratch[NUM_I64_SIZE];

	reply_bulk_begin(c, size);
	while (size > 0) {
		struct slice piece = str_piece(e, offset, scratch);

		if (piece.size > size)
			piece.size = size;
		reply_raw(c, piece);
		offset += piece.size;
		size -= piece.size;
	}
	reply_bulk_end(c);
}

bool string_equal(const struct entry *e, struct slice bytes)
{
	char scratch[NUM_I64_SIZE];
	uint64_t offset = 0;

	if (str_size(e) != bytes.size)
		return false;
	while (offset < bytes.size) {
		struct slice piece = str_piece(e, offset, scratch);

		if (memcmp(piece.data, bytes.data + offset, piece.size) != 0)
			return false;
		offset += piece.size;
	}
	return true;
}

uint64_t string_hash64(const struct entry *e)
{
	char scratch[NUM_I64_SIZE];
	uint64_t size = str_size(e), offset = 0, hash;
	struct slice whole;
	XXH3_state_t *state;

	if (str_whole(e, scratch, &whole))
		return content_hash(whole.data, whole.size, 0);

	state = XXH3_createState();
	if (!state)
		mem_exhausted(sizeof(*state));
	XXH3_64bits_reset(state);
	while (offset < size) {
		struct slice piece = str_piece(e, offset, scratch);

		XXH3_64bits_update(state, piece.data, piece.size);
		offset += piece.size;
	}
	hash = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return hash;
}

bool string_i64(const struct entry *e, int64_t *out)
{
	char scratch[NUM_I64_SIZE];
	struct slice whole;

	if (!e) {
		*out = 0;
		return true;
	}
	if (str_int(e, out))
		return true;
	return str_whole(e, scratch, &whole) && num_parse_i64(whole, out);
}

bool string_long_double(const struct entry *e, long double *out)
{
	char scratch[NUM_I64_SIZE];
	struct slice whole;

	if (!e) {
		*out = 0;
		return true;
	}
	return str_whole(e, scratch, &whole) &&
	       num_parse_long_double(whole, out);
}

struct slice string_together(const struct entry *e, char scratch[NUM_I64_SIZE],
			     struct buf *copy)
{
	struct slice whole = { NULL, 0 };
	uint64_t size;

	if (!e || str_whole(e, scratch, &whole))
		return whole;
	size = str_size(e);
	str_copy_out(e, 0, size, buf_reserve(copy, size));
	copy->size += size;
	return buf_slice(copy);
}

uint64_t string_size_max(const struct cmd *c)
{
	uint64_t most = (uint64_t)c->engine->config->proto_max_bulk_len;
	uint64_t bound = STR_SIZE_MAX - STR_CHUNK_SIZE;

	return most < bound ? most : bound;
}

bool string_size_allowed(struct cmd *c, uint64_t offset, uint64_t size)
{
	uint64_t total;

	if (!__builtin_add_overflow(offset, size, &total) &&
	    total <= string_size_max(c))
		return true;
	reply_error(c, "ERR string exceeds maximum allowed size "
		       "(proto-max-bulk-len)");
	return false;
}
