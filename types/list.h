/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists: elements in order, reached from both ends and by index.
 *
 *   small (ENC_RAW)      in the entry: 2 bytes of count, then the elements
 *   big   (ENC_POINTER)  nodes of elements, types/list_big.h
 *
 * How much a small list or a node may hold is a matter of representation, and
 * so are the limits passed to whatever may add; nothing else depends on them.
 * A list becomes small again when it has shrunk to half of that.  Integers in
 * canonical decimal form are held as integers.  Functions that may move an
 * entry return where it is now.  Engine thread.
 */
#ifndef REDOUBT_TYPES_LIST_H
#define REDOUBT_TYPES_LIST_H

#include "base/buf.h"
#include "types/entry.h"
#include "types/pack.h"

/* Bytes an element may have. */
#define LIST_VALUE_MAX (UINT32_MAX - 64)

enum list_end { LIST_LEFT, LIST_RIGHT };

/* Of a small list and of a node. */
struct list_limits {
	size_t size; /* bytes */
	uint32_t count;
};

#define LIST_LIMITS_DEFAULT (-2)

/* What list-max-listpack-size says: elements, or from -1 (4 KiB) to -5
 * (64 KiB) a size. */
struct list_limits list_limits_of(int64_t directive);

/* A list without elements: one to push to before anybody looks. */
struct entry *list_new(struct slice key, uint64_t deadline_ms);

/* A list of the same elements. */
struct entry *list_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms);

/* Frees the entry; a big list goes to the freeing thread. */
void list_free(struct entry *e);

/* Elements. */
uint64_t list_count(const struct entry *e);

/* The word OBJECT ENCODING replies. */
const char *list_encoding_name(const struct entry *e);

/* All bytes the entry takes; what is shared counts for each. */
size_t list_memory(const struct entry *e);

/* Pushes a run of strings (varint size, bytes), one by one; how many they were
 * goes to *count. */
struct entry *list_push(struct entry *e, enum list_end at, struct slice items,
			const struct list_limits *limits, size_t *count);

/* Takes count elements off an end. There are that many; if these were all, the
 * caller frees the entry. */
struct entry *list_pop(struct entry *e, enum list_end at, uint64_t count,
		       const struct list_limits *limits);

/* Replaces an element; index is below the count. */
struct entry *list_set(struct entry *e, uint64_t index, struct slice value,
		       const struct list_limits *limits);

/* Inserts before the element of this index; the count is the end. */
struct entry *list_insert(struct entry *e, uint64_t index, struct slice value,
			  const struct list_limits *limits);

/* Removes count elements from index on; as list_pop for the last ones. */
struct entry *list_remove(struct entry *e, uint64_t index, uint64_t count,
			  const struct list_limits *limits);

/*
 * Reading: a cursor stands between two elements and goes both ways.  It dies
 * at the next change of the list.
 */
struct list_part;

struct list_cursor {
	const uint8_t *begin, *at, *end; /* of the run */
	const struct list_part *parts;   /* NULL: a small list */
	uint32_t part_count;
	uint32_t part, slot; /* whose run it is */
	char scratch[NUM_I64_SIZE];
};

/* Puts the cursor before the element of this index; the count is the end. */
void list_seek(struct list_cursor *c, const struct entry *e, uint64_t index);

/* The next element, and behind it; false at the end. The slice dies at the
 * cursor's next step. */
bool list_next(struct list_cursor *c, struct slice *out);

/* The element before, and in front of it; false at the beginning. */
bool list_previous(struct list_cursor *c, struct slice *out);

/* As above, but only says whether the element is the key's. */
bool list_next_is(struct list_cursor *c, const struct pack_key *k, bool *is);
bool list_previous_is(struct list_cursor *c, const struct pack_key *k,
		      bool *is);

/* The element of this index, below the count; it dies as the cursor's does. */
struct slice list_get(struct list_cursor *c, const struct entry *e,
		      uint64_t index);

/* Appends the next elements as strings (varint size, bytes) until out holds
 * size_max bytes or more; false when there was none. */
bool list_take(struct list_cursor *c, struct buf *out, size_t size_max);

struct list_big;

/* A big list as it is now, for reading while it changes; bounded work: it
 * holds blocks of nodes. The cursor is at its beginning. */
struct list_big *list_freeze(const struct entry *e, struct list_cursor *c);

/* Lets go of it; the freeing thread does the work. */
void list_frozen_free(struct list_big *frozen);

/* Invariants as code, for tests. */
void list_check(const struct entry *e);

#endif
