/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections that wait for a gate, lowest first: a heap, so that finding the
 * released ones costs nothing for the others.  Every waiting thing embeds a
 * struct gate_wait.  Engine thread.
 */
#ifndef REDOUBT_NET_GATES_H
#define REDOUBT_NET_GATES_H

#include <stdint.h>

/* Zeroed to start. */
struct gate_wait {
	uint64_t lsn;
	unsigned place; /* 1 + index in the heap; 0: not waiting */
};

struct gates {
	struct gate_wait **heap;
	unsigned count, capacity;
};

/* Waits for lsn; w is not waiting. */
void gates_add(struct gates *g, struct gate_wait *w, uint64_t lsn);

/* Waits no longer; w may be not waiting. */
void gates_remove(struct gates *g, struct gate_wait *w);

/* Takes out one that is released, NULL if none is. */
struct gate_wait *gates_next(struct gates *g, uint64_t released);

/* Frees the heap, not what waits. */
void gates_release(struct gates *g);

/* Invariants as code, for tests. */
void gates_check(const struct gates *g);

#endif
