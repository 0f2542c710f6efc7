/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry: one allocation that holds a key, its value (or a pointer to it),
 * its deadline and its access history.
 *
 *   byte 0     type (low four bits), encoding (high four bits)
 *   byte 1     flags: ENTRY_*
 *   byte 2-3   access history (not state: never logged, never digested)
 *   byte 4-9   deadline, unix ms, only with ENTRY_DEADLINE
 *   varint     key size, then the key
 *   value      by encoding:
 *     ENC_RAW      varint size, bytes
 *     ENC_INT      1, 2, 4 or 8 bytes, two's complement (width in flags)
 *     ENC_CHUNKS   8 bytes, pointer to struct str_chunks
 *     ENC_POINTER  8 bytes, pointer to the type's own structure
 *
 * Sizes up to SLAB_SIZE_MAX come from the slab; the class of the current
 * content is the class of the block, so no capacity is stored.  Functions that
 * may move an entry return its new address; the caller updates its table.
 * Representation is not state: nothing here shows in a record or a digest.
 * Engine thread.
 */
#ifndef REDOUBT_TYPES_ENTRY_H
#define REDOUBT_TYPES_ENTRY_H

#include "base/coding.h"
#include "base/slice.h"
#include "types/type_list.h"

enum entry_encoding { ENC_RAW, ENC_INT, ENC_CHUNKS, ENC_POINTER };

enum entry_flags {
	ENTRY_DEADLINE = 1,    /* bytes 4-9 are there */
	ENTRY_INDEXED = 2,     /* the deadline index has an item for the key */
	ENTRY_WIDTH_SHIFT = 2, /* two bits: log2 of the width of ENC_INT */
	ENTRY_WIDTH_MASK = 12,
	ENTRY_GROWN = 16, /* has been appended to: leave room when moving */
	ENTRY_FIELDS = 32, /* a hash: some field has a deadline */
};

#define ENTRY_HEADER_SIZE 4
#define ENTRY_DEADLINE_SIZE 6
#define DEADLINE_MAX_MS ((UINT64_C(1) << 48) - 1)

struct entry {
	uint8_t kind;
	uint8_t flags;
	uint8_t access[2];
	uint8_t rest[];
};

static inline enum value_type entry_type(const struct entry *e)
{
	return (enum value_type)(e->kind & 15);
}

static inline enum entry_encoding entry_encoding(const struct entry *e)
{
	return (enum entry_encoding)(e->kind >> 4);
}

/* 0 = lives for ever */
static inline uint64_t entry_deadline(const struct entry *e)
{
	uint64_t ms = 0;

	if (e->flags & ENTRY_DEADLINE)
		memcpy(&ms, e->rest, ENTRY_DEADLINE_SIZE);
	return ms;
}

static inline const uint8_t *entry_key_field(const struct entry *e)
{
	return e->rest + (e->flags & ENTRY_DEADLINE ? ENTRY_DEADLINE_SIZE : 0);
}

static inline struct slice entry_key(const struct entry *e)
{
	return sized_at(entry_key_field(e));
}

/* First byte of the value field. */
static inline const uint8_t *entry_value_field(const struct entry *e)
{
	struct slice key = entry_key(e);

	return key.data + key.size;
}

/* Bytes of the block, as it was allocated (without what a pointer holds). */
size_t entry_size(const struct entry *e);

/* Starts loading what lies behind the entry's first line, of which key and
 * sizes should be there. */
void entry_prefetch(const struct entry *e);

/* Bytes the entry takes with everything a string points to. */
size_t entry_memory(const struct entry *e);

/* A new entry whose value field (value_size bytes) is not yet written: what
 * str.h and each type's constructor build on. deadline 0 = none. */
struct entry *entry_alloc(struct slice key, uint64_t deadline_ms,
			  size_t value_size);

/* Gives e a value field of value_size bytes, of which the first `keep` stay as
 * they were, and this deadline; key, access history and other flags stay. The
 * caller writes the rest and sets kind. grown: leave room, and set
 * ENTRY_GROWN. Returns where the entry is now. */
struct entry *entry_reshape(struct entry *e, uint64_t deadline_ms,
			    size_t value_size, size_t keep, bool grown);

/* Sets type and encoding. */
static inline void entry_set_kind(struct entry *e, enum value_type type,
				  enum entry_encoding encoding)
{
	e->kind = (uint8_t)(type | encoding << 4);
}

/* Bytes of the value field. */
size_t entry_value_size(const struct entry *e);

/* A new entry holding a pointer to a type's own structure (ENC_POINTER). */
struct entry *entry_new_pointer(enum value_type type, struct slice key,
				uint64_t deadline_ms, void *value);

/* The pointer of an ENC_POINTER or ENC_CHUNKS entry. */
void *entry_pointer(const struct entry *e);

/* A new entry whose value is `size` bytes inside of it (ENC_RAW), at *bytes,
 * not yet written: a small collection. */
struct entry *entry_new_blob(enum value_type type, struct slice key,
			     uint64_t deadline_ms, size_t size,
			     uint8_t **bytes);

/* The bytes of an ENC_RAW entry. */
struct slice entry_blob(const struct entry *e);

/* Replaces `old` bytes at `at` of an ENC_RAW value by `fresh` bytes that the
 * caller writes to *hole. In place while the block has room; an entry that
 * grows gets room for more. Returns where the entry is now. */
struct entry *entry_blob_splice(struct entry *e, size_t at, size_t old,
				size_t fresh, uint8_t **hole);

/* Turns an entry of any encoding without a pointer into one with (ENC_POINTER),
 * same type, key, deadline and access history. May move e. */
struct entry *entry_to_pointer(struct entry *e, void *value);

/* Sets the deadline (0 = none); may move e. Returns where it is now. */
struct entry *entry_set_deadline(struct entry *e, uint64_t deadline_ms);

/* The same value and deadline under another key (RENAME): frees e. Returns
 * the new entry. */
struct entry *entry_rekey(struct entry *e, struct slice key);

/* Frees the block and, of a string, everything it points to; big values go to
 * the freeing thread. Types with ENC_POINTER free their value first. */
void entry_free(struct entry *e);

/* Access history: two bytes whose meaning the engine's policy decides. */
static inline uint16_t entry_access(const struct entry *e)
{
	return get_u16(e->access);
}

static inline void entry_set_access(struct entry *e, uint16_t access)
{
	put_u16(e->access, access);
}

#endif
