/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam to the system's readiness interface: poller_epoll.c, later others.
 *
 * A connection's file is watched edge-triggered: an event says that something
 * changed, and whoever gets it reads until the socket has no more.  A listener
 * and an event counter are watched level-triggered.  One thread.
 */
#ifndef REDOUBT_NET_POLLER_H
#define REDOUBT_NET_POLLER_H

#include <stdbool.h>
#include <stdint.h>

enum poller_flags {
	POLLER_READ = 1,
	POLLER_WRITE = 2,
	POLLER_EDGE = 4,   /* only when watching */
	POLLER_HANGUP = 8, /* only in events: the peer sends no more */
};

struct poller_event {
	void *ctx;
	unsigned flags;
};

#define POLLER_EVENTS_MAX 64

struct poller;

/* NULL: the system refuses, errno says why. */
struct poller *poller_new(void);
void poller_free(struct poller *p);

/* Watches a file; ctx comes back with its events.  0 or a negative errno. */
int poller_add(struct poller *p, int file, unsigned flags, void *ctx);

/* Changes what a watched file is watched for. */
void poller_change(struct poller *p, int file, unsigned flags, void *ctx);

/* Forgets a file; closing it does so too. */
void poller_remove(struct poller *p, int file);

/* Waits until something happens, at most timeout_ms (negative: for ever).
 * Fills out (POLLER_EVENTS_MAX of room) and returns how many. */
unsigned poller_wait(struct poller *p, struct poller_event *out,
		     int timeout_ms);

/* Likewise until due_us, up to a millisecond later (UINT64_MAX: for ever), or
 * for less: then nothing has happened.  now_us: what CLOCK_MONOTONIC is, in
 * microseconds, as due_us.  Cheaper than a timeout of its own for each wait. */
unsigned poller_wait_until(struct poller *p, struct poller_event *out,
			   uint64_t now_us, uint64_t due_us);

#endif
