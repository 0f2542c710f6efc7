/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes values as DUMP payloads (engine/rdb.h): the plain encoding of each
 * type, version 11; a hash whose fields have deadlines needs version 12.
 */
#ifndef REDOUBT_ENGINE_RDB_WRITE_H
#define REDOUBT_ENGINE_RDB_WRITE_H

#include "base/buf.h"
#include "types/entry.h"

/* Appends the payload of e's value. compress: strings, where it helps. False:
 * the format has none for a value of this type; nothing is appended. */
bool rdb_write(struct buf *out, const struct entry *e, bool compress);

/* --- for the parts of the writer ----------------------------------------- */

/* Append a length, a string in its shortest form; compress: try LZF. */
void rdb_put_length(struct buf *out, uint64_t v);
void rdb_put_string(struct buf *out, struct slice s, bool compress);
/* Little-endian, of so many bytes. */
void rdb_put_fixed(struct buf *out, uint64_t v, unsigned bytes);

/* Appends type and object of a stream. */
void rdb_write_stream(struct buf *out, const struct entry *e, bool compress);

#endif
