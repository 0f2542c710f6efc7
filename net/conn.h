/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection: a socket, what was read of it, a session, what it has to send.
 *
 * At rest it is this struct and nothing more: buffers are borrowed while bytes
 * are in them.  It is freed at the end of a turn, so that pointers to it stay
 * good within one.  Engine thread.
 */
#ifndef REDOUBT_NET_CONN_H
#define REDOUBT_NET_CONN_H

#include "engine/session.h"
#include "net/gates.h"
#include "net/listen.h"
#include "net/output.h"
#include "net/resp.h"

enum conn_state {
	CONN_READABLE = 1 << 0, /* the socket may have bytes for us */
	CONN_HANGUP = 1 << 1,   /* the peer is known to send no more */
	CONN_ENDED = 1 << 2,    /* read to the end; goes when all is sent */
	CONN_FULL = 1 << 3,     /* the socket takes no more; poller knows */
	CONN_HELD = 1 << 4,     /* parked: no command until unparked */
	CONN_HAS_COMMAND = 1 << 5, /* args is a command to execute first */
	CONN_CLOSING = 1 << 6,  /* in the list of those to free */
	CONN_DIRTY = 1 << 7,    /* in the list of those to flush */
	CONN_MORE = 1 << 8,     /* in the list of those to go on with */
	CONN_UNKNOWN = 1 << 9,  /* counted as not authenticated */
};

struct conn {
	struct source source; /* first: the poller hands it back */
	unsigned state;
	struct buf in;        /* from the pool while bytes are in it */
	struct resp parser;
	struct output out;
	struct session session;
	struct resp_args args; /* a command half read, or CONN_HAS_COMMAND */
	struct gate_wait wait;
	size_t reply_max;      /* biggest reply among what is not sent */
	uint64_t soft_since_ms; /* above the soft output limit; 0: is not */
	uint32_t in_peak;
	struct conn *next_dirty, *next_more, *next_closing;
};

_Static_assert(sizeof(struct conn) <= 1024, "an idle connection is small");

static inline struct conn *conn_of(struct session *s)
{
	return (struct conn *)((char *)s - offsetof(struct conn, session));
}

static inline struct conn *conn_waiting(struct gate_wait *w)
{
	return (struct conn *)((char *)w - offsetof(struct conn, wait));
}

struct net;

/* Takes over the file: a connection with a session of the engine. */
struct conn *conn_new(struct net *n, int file, bool is_unix);

/* Reads once.  Bytes read; 0: nothing to be had now, or an end was noted. */
size_t conn_read(struct net *n, struct conn *c);

/* Everything read has been executed: the buffer goes back. */
void conn_input_done(struct net *n, struct conn *c);

/* Half a command is all there is: it moves to memory of its own size. */
void conn_input_rest(struct net *n, struct conn *c);

/* Puts c where the end of the turn will flush it. */
void conn_dirty(struct net *n, struct conn *c);

/* Puts c where the next turn will go on reading and executing. */
void conn_more(struct net *n, struct conn *c);

/* If c waits for what may never come and its peer has hung up, it goes when
 * what it has to send is sent. */
void conn_end_waiting(struct net *n, struct conn *c);

/* Frees c at the end of the turn; nothing more is sent. */
void conn_close(struct net *n, struct conn *c);

/* Sends what may leave, waits for what may not, ends c if it is time. */
void conn_flush(struct net *n, struct conn *c);

/* Frees what conn_close has listed. */
void conns_free_closing(struct net *n);

#endif
