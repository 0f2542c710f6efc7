/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of RESP2 over a Unix socket: bytes out, replies in, never blocking
 * but where said.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_WIRE_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_WIRE_H

#include "base/buf.h"

#define WIRE_TIMEOUT_MS 30000

struct wire {
	int fd; /* -1: closed */
	struct buf out;
	size_t sent; /* of out */
	struct buf in;
	size_t taken; /* of in */
	struct buf *words; /* of a reply, 0 behind each; or NULL */
};

/* The last scalar of a reply: an array of one is what it holds. */
struct reply {
	char type; /* + - : $, or 0 for nil */
	int64_t integer;
	struct slice text; /* until the next wire_fill */
	unsigned scalars;
	int64_t first; /* the first one if it is an integer */
};

/* Connects. False: nobody listens. */
bool wire_open(struct wire *w, const char *path);
void wire_close(struct wire *w);
/* Closes and frees the buffers. */
void wire_release(struct wire *w);

/* Appends a command whose words are separated by single blanks. */
void wire_put(struct wire *w, const char *command);

/* Sends what can be sent now. False: the connection has ended. */
bool wire_send(struct wire *w);

/* Reads what is there now. False: the connection has ended. */
bool wire_fill(struct wire *w);

/* Takes the next whole reply out of what was read. 1; 0: not whole yet; -1:
 * not the protocol. */
int wire_next(struct wire *w, struct reply *r);

/* Sends everything, then waits for one reply. False: ended or timed out. */
bool wire_wait(struct wire *w, struct reply *r);

/* Now, on the wall clock and on the monotonic one. */
int64_t wall_ms(void);
uint64_t clock_us(void);

#endif
