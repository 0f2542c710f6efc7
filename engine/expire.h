/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active expiry: keys whose deadline has passed leave by logged records.
 * Engine thread.
 */
#ifndef REDOUBT_ENGINE_EXPIRE_H
#define REDOUBT_ENGINE_EXPIRE_H

#include "engine/engine.h"

/* Removes what is due, a bounded number; true if more is due now. */
bool expire_turn(struct engine *e);

/* The part of it that is about fields of hashes (expire_fields.c). */
bool expire_fields(struct engine *e, uint32_t db);

/* Bytes that what is due now may take of the log: bounded, less when the log
 * is short, 0 when it is full. */
uint64_t expire_room(const struct engine *e);

/* A record without its key and fields takes less. */
#define EXPIRE_RECORD_SIZE 24

/* After so long that is looked at again for which there was no room. */
#define EXPIRE_RETRY_MS 1000

/* When the next key or field may be due, ms on the wall clock; UINT64_MAX. */
uint64_t expire_next_ms(const struct engine *e);

#endif
