/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes first when the disk is short: snapshots but the newest two, or with
 * retain-on-full drop but the newest, and the log before those that stay.
 */
#ifndef REDOUBT_ENGINE_GIVEBACK_H
#define REDOUBT_ENGINE_GIVEBACK_H

#include "engine/engine.h"

/* Nothing runs; the caller frees it. */
struct giveback *giveback_new(void);
/* Ends what runs. */
void giveback_free(struct giveback *g);

/* Looks whether the log is short and does the next thing about it; called at
 * the end of each turn. Returns when it wants to be called again, us on the
 * monotonic clock; UINT64_MAX: when something happens. */
uint64_t giveback_step(struct engine *e);

/* How many snapshots are to be kept now. */
unsigned giveback_keep(const struct engine *e);

#endif
