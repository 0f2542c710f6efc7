/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The deadline index: a hierarchical timing wheel (Varghese, Lauck 1987) of
 * key hashes, about 8 bytes per key, that yields what is due in O(due).
 *
 * An item is a hash, not a pointer: entries move freely and a removed key
 * leaves its item behind.  When an item fires the owner looks the hash up:
 * gone, or due later, or due now.  An item that stands earlier than its key's
 * deadline is enough, so a deadline that moves later needs no new item
 * (ENTRY_INDEXED says that there is one).  The owner compares wheel_count with
 * its keys and rebuilds the index from the table when most items are stale.
 * Time is a parameter; one thread.
 */
#ifndef REDOUBT_TYPES_WHEEL_H
#define REDOUBT_TYPES_WHEEL_H

#include "base/slice.h"

struct wheel;

/* Called for an item that stands at or before the time asked for, or whose
 * far slot is being spread out. Returns 0 to drop it, or the deadline (ms) at
 * which it shall stand. */
typedef uint64_t wheel_fire_fn(void *ctx, uint64_t hash);

/* An empty wheel whose time begins at now_ms; the caller frees it. */
struct wheel *wheel_new(uint64_t now_ms);

/* Frees it, a big one in steps (base/grave.h). */
void wheel_free(struct wheel *w);

/* An item for deadline_ms (any value; past ones fire at the next poll). */
void wheel_add(struct wheel *w, uint64_t hash, uint64_t deadline_ms);

/* Moves to now_ms and fires what is due, at most `limit` items (spreading far
 * slots counts); returns how many were handled. limit reached: call again. A
 * clock that went back fires nothing. The callback may add, but not poll. */
size_t wheel_poll(struct wheel *w, uint64_t now_ms, size_t limit,
		  wheel_fire_fn *fire, void *ctx);

/* Items held, stale ones included. */
size_t wheel_count(const struct wheel *w);

/* When the next item may be due (ms), a lower bound; UINT64_MAX if none. */
uint64_t wheel_next_ms(const struct wheel *w);

/* Bytes it takes. */
size_t wheel_memory(const struct wheel *w);

/* Invariants as code, for tests. */
void wheel_check(const struct wheel *w);

#endif
