/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads DUMP payloads of any type and encoding (engine/rdb.h).
 */
#ifndef REDOUBT_ENGINE_RDB_READ_H
#define REDOUBT_ENGINE_RDB_READ_H

#include "base/coding.h"
#include "engine/rdb_value.h"

/* Checks version and checksum; *object gets type and object. */
bool rdb_payload_open(struct slice payload, struct slice *object);

/* Reads the object into v, which has been initialised. False: the bytes are
 * wrong somewhere, and v holds nothing of use. */
bool rdb_read(struct slice object, struct rdb_value *v);

/* --- for the parts of the reader ----------------------------------------- */

/* A string as it was found, or unpacked. */
struct rdb_string {
	struct slice s; /* in the payload, in number or in unpacked */
	char number[NUM_I64_SIZE];
	struct buf unpacked;
};

/* Frees what rdb_read_string has unpacked. */
void rdb_string_release(struct rdb_string *s);

/* A length that is no encoding of a string; after a failure `in` is bad. */
uint64_t rdb_read_length(struct reader *in);
/* False: `in` is bad. A string above RDB_STRING_MAX fails. */
bool rdb_read_string(struct reader *in, struct rdb_string *out);

/* Streams (rdb_stream_read.c); marks `in` or v bad. */
void rdb_read_stream(struct reader *in, unsigned type, struct rdb_value *v);

#endif
