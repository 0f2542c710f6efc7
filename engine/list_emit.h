/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emitting changes of lists, for the handlers of lists and of SORT.
 */
#ifndef REDOUBT_ENGINE_LIST_EMIT_H
#define REDOUBT_ENGINE_LIST_EMIT_H

#include "engine/cmd.h"
#include "types/list.h"

/* Pushes the strings of a run (engine/items.h) one by one to an end of the
 * list at key, in as many records as it takes; the run is not the key's own. */
void emit_list_push(struct cmd *c, struct slice key, enum list_end at,
		    struct slice items, enum record_cause cause);

/* Takes count elements off an end; none: nothing happens. */
void emit_list_pop(struct cmd *c, struct slice key, enum list_end at,
		   uint64_t count, enum record_cause cause);

/* Takes count elements out, from an index on. */
void emit_list_remove(struct cmd *c, struct slice key, uint64_t index,
		      uint64_t count, enum record_cause cause);

#endif
