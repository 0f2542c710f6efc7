/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: entries in order of their IDs in packed blocks, and the groups of
 * consumers that read them (types/stream_group.h).
 *
 * A stream may be empty.  Copies share blocks with the original, whoever
 * writes to a shared block copies it (types/stream_tree.h): so a copy is also
 * how a snapshot holds a stream as it was.  Items are fields and values one
 * after the other, each as varint size and bytes, as records have them.
 * Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_H
#define REDOUBT_TYPES_STREAM_H

#include "base/num.h"
#include "types/stream_tree.h"

#define STREAM_BLOCK_ENTRIES_MAX 1024
#define STREAM_ENTRY_SIZE_MAX ((size_t)1 << 30)

struct stream_group;
struct stream_marks;

struct stream {
	struct stream_tree entries;
	struct stream_id last;        /* ID given last */
	struct stream_id max_deleted; /* highest ID ever deleted */
	uint64_t added;               /* entries ever */
	struct stream_group **groups; /* in order of name */
	uint32_t group_count;
	struct stream_marks *marks; /* NULL: none were ever wanted */
};

/* When a block is full; 0: no such limit but the built-in one. How entries are
 * packed is not state. */
struct stream_limits {
	uint32_t bytes;
	uint32_t entries;
};

/* The limits of two directives, which may be of any size. */
static inline struct stream_limits stream_limits_of(int64_t bytes,
						    int64_t entries)
{
	return (struct stream_limits){
		bytes > INT32_MAX ? 0 : (uint32_t)bytes,
		entries > INT32_MAX ? 0 : (uint32_t)entries,
	};
}

/* An entry, in the bytes of its block. */
struct stream_entry {
	struct stream_id id;
	uint32_t pairs;
	const uint8_t *fields; /* NULL: each stands before its value */
	const uint8_t *values;
};

/* A field and its value, in the block or in scratch. */
struct stream_pair {
	struct slice field, value;
	char scratch[2][NUM_I64_SIZE];
};

/* A position in a block. */
struct stream_block_at {
	const uint8_t *at, *end;
	const uint8_t *fields; /* of the block's first entry */
	uint32_t pairs;
	struct stream_id base;
};

/* An empty stream. */
struct stream *stream_new(void);

/* Frees it; a big one in the freeing thread. */
void stream_free(struct stream *s);

/* Another stream of the same contents, which shares the blocks. One that is
 * only to be read costs less. */
struct stream *stream_copy(const struct stream *s);
struct stream *stream_copy_to_read(const struct stream *s);

/* Bytes allocated; shared blocks count for each. */
size_t stream_memory(const struct stream *s);

static inline uint64_t stream_length(const struct stream *s)
{
	return s->entries.entries;
}

/* Adds an entry; id is above s->last. Counts it. */
void stream_add(struct stream *s, struct stream_id id, struct slice items,
		const struct stream_limits *limits);

/* Removes an entry; false if there is none of this ID. */
bool stream_delete(struct stream *s, struct stream_id id);

/* Removes all entries up to and with this ID; how many. */
uint64_t stream_trim(struct stream *s, struct stream_id through);

/* The ID of the first entry (0-0 of an empty stream), and of the last one. */
struct stream_id stream_first(const struct stream *s);
struct stream_id stream_top(const struct stream *s);

/* Whether there is an entry of this ID. */
bool stream_has(const struct stream *s, struct stream_id id);

/* Walks entries upwards. The stream must not change meanwhile. */
struct stream_cursor {
	const struct stream *s;
	struct stream_place place;
	struct stream_block_at block;
	struct stream_id from;
	bool more;
};

/* To the first entry that is not below id. */
void stream_seek(struct stream_cursor *c, const struct stream *s,
		 struct stream_id id);
bool stream_next(struct stream_cursor *c, struct stream_entry *e);

/* Walks entries downwards. */
struct stream_back {
	const struct stream *s;
	struct stream_place place;
	struct stream_id from;
	bool more;
	uint32_t left; /* entries of the block still to be given */
	uint32_t offsets[STREAM_BLOCK_ENTRIES_MAX];
};

/* To the last entry that is not above id. */
void stream_seek_back(struct stream_back *c, const struct stream *s,
		      struct stream_id id);
bool stream_previous(struct stream_back *c, struct stream_entry *e);

/* Takes the next pair off an entry (of which there are e->pairs). */
void stream_entry_pair(struct stream_entry *e, struct stream_pair *out);

/* A block as it goes into a record. */
struct stream_packed {
	struct stream_id first, last;
	uint32_t count;
	struct slice data;
};

/* The block at *place; false behind the last. */
bool stream_pack(const struct stream *s, struct stream_place place,
		 struct stream_packed *out);

/* NULL, or what is wrong with a block that comes from outside. */
const char *stream_packed_fits(const struct stream_packed *p);

/* Puts a block that fits behind all others; counts nothing. */
void stream_load(struct stream *s, const struct stream_packed *p);

/* Invariants as code, for tests. */
void stream_check(const struct stream *s);

#endif
