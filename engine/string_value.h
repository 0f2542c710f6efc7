/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading string values: what several string and bitmap commands share.
 *
 * An entry may be NULL everywhere: an absent key reads as the empty string.
 */
#ifndef REDOUBT_ENGINE_STRING_VALUE_H
#define REDOUBT_ENGINE_STRING_VALUE_H

#include "engine/cmd.h"

/* Bytes of the value; 0 if absent. */
static inline uint64_t string_size(const struct entry *e)
{
	return e ? str_size(e) : 0;
}

/* Replies the whole value as a bulk string. e is there. */
void reply_string(struct cmd *c, const struct entry *e);

/* Replies size bytes from offset on; the range is inside the value. */
void reply_string_range(struct cmd *c, const struct entry *e, uint64_t offset,
			uint64_t size);

/* Whether the value is exactly these bytes. e is there. */
bool string_equal(const struct entry *e, struct slice bytes);

/* XXH3-64 of the value, unseeded: what DIGEST shows. e is there. */
uint64_t string_hash64(const struct entry *e);

/* The value as an integer; false if it is none. Absent: 0. */
bool string_i64(const struct entry *e, int64_t *out);

/* The value as INCRBYFLOAT reads it; false if it is no number. Absent: 0. */
bool string_long_double(const struct entry *e, long double *out);

/* The whole value in one piece: in place, in scratch, or copied to copy (the
 * caller releases it). Valid until the entry changes. */
struct slice string_together(const struct entry *e, char scratch[NUM_I64_SIZE],
			     struct buf *copy);

/* Whether a value may grow to offset + size bytes (proto-max-bulk-len); if
 * not, the error has been replied. */
bool string_size_allowed(struct cmd *c, uint64_t offset, uint64_t size);

/* Bytes a string may have: proto-max-bulk-len, if that is not more than records
 * can say. */
uint64_t string_size_max(const struct cmd *c);

#endif
