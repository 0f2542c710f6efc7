/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A batch: the records of one command, transaction or script; applied whole
 * or not at all (FORMAT.md section 3.3).
 *
 *   batch := size time origin db count records…
 *     size    varint  bytes behind this field
 *     time    zigzag varint  wall-clock ms, less that of the batch before in
 *             the same frame (of the first: less 0)
 *     origin  varint  0: none; 2n: entry n of the segment's dictionary;
 *             2n + 1: defines entry n, the one after the last, and is
 *             followed by three strings: user, client address, command
 *     db      varint  database of the first record
 *     count   varint  records, at least 1
 */
#ifndef REDOUBT_WAL_BATCH_H
#define REDOUBT_WAL_BATCH_H

#include "wal/record.h"

/* Who did it. Slices; the strings are escaped by whoever prints them. */
struct origin {
	struct slice user;
	struct slice address;
	struct slice command;
};

/* A place that remembers the dictionary number of an origin, so that a client
 * which repeats a command pays one comparison. Zeroed to start. */
struct origin_cache {
	uint64_t generation; /* of the dictionary */
	uint32_t number;
};

/* A batch being built by the engine. Reused: batch_reset keeps the memory. */
struct batch {
	struct buf records; /* encoded */
	uint32_t count;
	uint32_t first_db;
	uint32_t last_db;
	uint64_t time_ms;
	const struct origin *origin; /* NULL: none */
	struct origin_cache *origin_cache; /* may be NULL */
};

/* An empty batch; release frees its memory, reset only empties it. */
void batch_init(struct batch *b);
void batch_release(struct batch *b);
void batch_reset(struct batch *b);

/* Encodes r behind the others. */
void batch_add(struct batch *b, const struct record *r);

/* A batch as a reader meets it. Slices die at the reader's next step. */
struct batch_view {
	uint64_t first_lsn;
	uint32_t count;
	uint32_t epoch;
	uint32_t first_db;
	uint64_t time_ms;
	struct origin origin; /* empty slices: none */
	struct slice records;
};

/* The origins of one segment, in order of definition; numbers start at 1. A
 * full one is started afresh by a frame with FRAME_DICT_RESET. */
#define ORIGIN_COUNT_MAX 65536
#define ORIGIN_STRING_MAX 256 /* bytes; longer ones are cut when written */

struct origin_dictionary;

/* An empty dictionary, as each segment begins with; the caller frees it. */
struct origin_dictionary *origin_dictionary_new(void);
void origin_dictionary_free(struct origin_dictionary *d);
void origin_dictionary_clear(struct origin_dictionary *d);

/* Some definitions could not be read: until it is cleared, an entry that is
 * not known reads as no origin, and numbers may be left out. */
void origin_dictionary_lose(struct origin_dictionary *d);

/* How many are defined. */
uint32_t origin_dictionary_count(const struct origin_dictionary *d);

/* The number of *o, or 0. Strings are compared as they would be cut. */
uint32_t origin_dictionary_find(const struct origin_dictionary *d,
				const struct origin *o);

/* Copies *o behind the others and returns its number. The dictionary is not
 * full, and does not have it. */
uint32_t origin_dictionary_add(struct origin_dictionary *d,
			       const struct origin *o);

/* Bytes of a batch in front of its records, at most. */
#define BATCH_HEADER_MAX \
	(5 * VARINT_SIZE_MAX + 3 * (ORIGIN_STRING_MAX + 2))

/* What goes in front of the records of a batch. */
struct batch_header {
	uint64_t previous_ms; /* of the batch before in the frame, or 0 */
	uint32_t origin;      /* its number, 0: none */
	const struct origin *define; /* NULL: the number is known already */
};

/* Writes it to p (BATCH_HEADER_MAX bytes of room); returns the first byte
 * behind. b has at least one record. */
uint8_t *batch_put_header(uint8_t *p, const struct batch *b,
			  const struct batch_header *h);

/* Parses the batch at in, which may be hostile. previous_ms is the time of
 * the batch before in the same frame (0 for the first). False: in->bad. Adds
 * to the dictionary; origin slices live as long as it is not cleared. */
bool batch_parse(struct reader *in, uint64_t previous_ms,
		 struct origin_dictionary *d, struct batch_view *out);

/* Walks the records of a view: start with batch_records, then batch_next until
 * it returns false; then r.bad tells whether the bytes were whole. Fills lsn
 * and db of each record. */
struct batch_reader {
	struct reader in;
	uint64_t next_lsn;
	uint32_t db;
	uint32_t left;
};

/* Walks the records of a batch; false behind the last one. */
struct batch_reader batch_records(const struct batch_view *v);
bool batch_next(struct batch_reader *r, struct record *out);

#endif
