/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The freeing thread: takes big blocks off the engine's hands.
 */
#ifndef REDOUBT_BASE_REAPER_H
#define REDOUBT_BASE_REAPER_H

#include <stddef.h>

/* Calls destroy(p) in the freeing thread, later; before the thread is started
 * (reaper_start) or after it has stopped, at once.  destroy may use mem_free
 * and slab_free_remote, not slab_free. Any thread. */
void reaper_free(void (*destroy)(void *), void *p);

/* 0 or a negative errno. */
int reaper_start(void);

/* Frees what is left and ends the thread. */
void reaper_stop(void);

/* Objects waiting, for INFO's lazyfree_pending_objects; and freed so far. */
size_t reaper_pending(void);
size_t reaper_freed(void);

#endif
