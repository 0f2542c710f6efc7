/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parked sessions: those whose next command, or whose reply, has to wait.
 * Engine thread.
 */
#ifndef REDOUBT_ENGINE_PARKED_H
#define REDOUBT_ENGINE_PARKED_H

#include "engine/engine.h"

/* Parks s before a command, until writes are allowed again (CLIENT PAUSE,
 * wal_congested). */
void park_until_free(struct engine *e, struct session *s);

/* Looks at every parked session; unparks those whose wait is over. */
void parked_turn(struct engine *e);

/* When the next wait times out, us on the monotonic clock; UINT64_MAX. */
uint64_t parked_deadline_us(const struct engine *e);

/* Forgets s, calling its cancel. */
void parked_remove(struct engine *e, struct session *s);

#endif
