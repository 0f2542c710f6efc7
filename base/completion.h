/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way helper threads answer the engine: a queue of finished jobs and an
 * eventfd that becomes readable.  Many posters, one taker.
 *
 * A job is a struct that embeds `struct completion`; the poster must not touch
 * it after completion_post.
 */
#ifndef REDOUBT_BASE_COMPLETION_H
#define REDOUBT_BASE_COMPLETION_H

#include <stdatomic.h>
#include <stdbool.h>

struct completion {
	struct completion *next;
	void (*done)(struct completion *); /* runs in the taker's thread */
};

struct completion_queue {
	_Atomic(struct completion *) head;
	int event_file; /* poll for reading; < 0 when not opened */
};

/* 0 or a negative errno. */
int completion_open(struct completion_queue *q);
void completion_close(struct completion_queue *q);

/* Any thread. */
void completion_post(struct completion_queue *q, struct completion *c);

/* Runs done() of everything posted, in the order of posting; true if there
 * was anything. The taker's thread. */
bool completion_drain(struct completion_queue *q);

#endif
