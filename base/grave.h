/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values taken apart in steps by the engine thread: what is made of many slab
 * objects, which only their owner frees cheaply.  (Few big blocks go to the
 * freeing thread, base/reaper.h.)  One process-wide line.  Engine thread.
 */
#ifndef REDOUBT_BASE_GRAVE_H
#define REDOUBT_BASE_GRAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frees about `work` objects of p; false: that was all, p itself is freed. */
typedef bool grave_step_fn(void *p, unsigned work);

/* Puts p, of about `objects` objects, in the line. A small one is freed at
 * once. */
void grave_add(grave_step_fn *step, void *p, size_t objects);

/* Frees about `work` objects, of the first in line first; true while there are
 * more. */
bool grave_turn(unsigned work);

/* Frees everything: at the end of a process. */
void grave_finish(void);

/* Values in line, for INFO's lazyfree_pending_objects; and taken apart. */
size_t grave_pending(void);
size_t grave_done(void);

#endif
