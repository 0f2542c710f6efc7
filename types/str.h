/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * String values inside entries: integers as integers, bytes inline, and above
 * STR_CHUNK_SIZE an array of reference-counted 64 KiB chunks, of which absent
 * ones read as zeros (sparse bitmaps cost what they hold).
 *
 * Functions that may move the entry return its new address.  A frozen string
 * is a reference to the chunks as they are now: writers copy a chunk that
 * somebody else holds, so freezing is O(chunks) and copies nothing.
 * Engine thread, but for str_frozen_* (any one thread).
 */
#ifndef REDOUBT_TYPES_STR_H
#define REDOUBT_TYPES_STR_H

#include "base/num.h"
#include "types/entry.h"

/* No string is this long: a record that says so is not ours. */
#define STR_SIZE_MAX (UINT64_C(1) << 40)

#define STR_CHUNK_SIZE ((size_t)65536)

/* A new string entry. deadline 0 = none. */
struct entry *str_new(struct slice key, struct slice value,
		      uint64_t deadline_ms);

/* Replaces value and deadline, keeping key and access history; value must not
 * point into e. Makes a string of an entry of any type whose own structure has
 * been freed. */
struct entry *str_set(struct entry *e, struct slice value,
		      uint64_t deadline_ms);

/* Writes bytes at offset; a gap behind the old end reads as zeros. */
struct entry *str_write(struct entry *e, uint64_t offset, struct slice bytes);

/* Size of the value in bytes (of an integer: of its decimal text). */
uint64_t str_size(const struct entry *e);

/* True and the value if it is held as an integer. */
bool str_int(const struct entry *e, int64_t *out);

/* The bytes from offset on that lie together: at least one unless offset is
 * the end. Integers are written to scratch. Holes give zeros. Valid until the
 * entry changes (or scratch dies). */
struct slice str_piece(const struct entry *e, uint64_t offset,
		       char scratch[NUM_I64_SIZE]);

/* The whole value if it lies together (anything but chunks); false leaves
 * *out alone. */
bool str_whole(const struct entry *e, char scratch[NUM_I64_SIZE],
	       struct slice *out);

/* Copies size bytes from offset on to out; the range must be inside. */
void str_copy_out(const struct entry *e, uint64_t offset, size_t size,
		  uint8_t *out);

/* A copy under another key; chunks are shared until written. */
struct entry *str_copy(const struct entry *e, struct slice key,
		       uint64_t deadline_ms);

/* "int", "embstr" or "raw", the words clients expect of OBJECT ENCODING. */
const char *str_encoding_name(const struct entry *e);

/* Invariants as code, for tests. */
void str_check(const struct entry *e);

struct str_frozen;

/* Holds the chunks of an ENC_CHUNKS entry as they are now. */
struct str_frozen *str_freeze(const struct entry *e);
uint64_t str_frozen_size(const struct str_frozen *f);
/* As str_piece. Sets *hole when the piece is all zeros and not stored. */
struct slice str_frozen_piece(const struct str_frozen *f, uint64_t offset,
			      bool *hole);
void str_frozen_release(struct str_frozen *f);

#endif
