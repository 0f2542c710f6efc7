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

/* When the next key may be due, ms on the wall clock; UINT64_MAX. */
uint64_t expire_next_ms(const struct engine *e);

#endif
