/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's loop and its connections.
 *
 *   net_new ─► net_start ─► net_run … ─► net_finish ─► net_free
 *   listens    accepts       turns        sends what
 *                                         is held
 *
 * One turn: wait, accept, read and execute (in batches of EXECUTE_AHEAD),
 * engine_turn, send what is released, timers.  Engine thread, but where said.
 */
#ifndef REDOUBT_NET_NET_H
#define REDOUBT_NET_NET_H

#include "engine/engine.h"

struct net;

/* Opens the listeners, so that a clash is known before anything else is
 * touched.  config outlives it.  OK or ERR_CONFIG, ERR_IO; m explains. */
int net_new(struct net **out, struct config *config, struct err_message *m);

/* Closes everything; n may be NULL. */
void net_free(struct net *n);

/* What engine_new wants. */
struct engine_host net_host(struct net *n);

/* Begins to accept, for a recovered engine. OK or ERR_IO. */
int net_start(struct net *n, struct engine *e, struct err_message *m);

/* Turns until net_stop, or the engine's wish to stop. */
void net_run(struct net *n);

/* Ends net_run at the end of its turn.  Any thread, signal handlers. */
void net_stop(struct net *n);

/* After engine_stop: everything held is durable and leaves now. Waits for slow
 * clients at most a second, then closes all connections; n has no engine any
 * more. */
void net_finish(struct net *n);

#endif
