/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of struct net, for the files of this folder.
 */
#ifndef REDOUBT_NET_NET_STATE_H
#define REDOUBT_NET_NET_STATE_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "net/conn.h"
#include "net/gates.h"
#include "net/listen.h"
#include "net/net.h"
#include "net/poller.h"

#define BATCH_ARGS 256
#define READ_BLOCK (16 * 1024)
#define INPUT_MAX_UNKNOWN (32 * 1024)  /* bytes, before authentication */
#define OUTPUT_MAX_UNKNOWN (16 * 1024) /* likewise */
#define UNKNOWN_MAX 1000               /* connections, likewise */
#define ALONE_TURNS 8

/* Commands that were parsed and wait to be executed together. */
struct net_batch {
	unsigned count;
	unsigned argv_used;
	struct parsed_command commands[EXECUTE_AHEAD];
	struct conn *conns[EXECUTE_AHEAD]; /* NULL: skip it */
	size_t ends[EXECUTE_AHEAD];        /* offset behind the command */
	struct slice argv[BATCH_ARGS];
};

/* CPU time of turns, see net/turn_clock.c. */
struct turn_clock {
	uint64_t start_us; /* of this turn */
	uint64_t cpu_us;   /* at the last reading of the CPU clock */
	uint64_t wall_us;  /* of the turns since */
	unsigned turns;    /* since */
	bool getting_long; /* the last one was */
};

struct net {
	struct config *config;
	struct engine *engine; /* NULL before net_start */
	struct poller *poller;
	struct listeners listeners;
	struct source completion, wake;
	int reserve_file; /* closed to get rid of a client when files run out */
	atomic_bool stopping;

	struct buf_pool inputs, outputs;
	struct net_batch batch;
	struct resp_args scratch; /* of a command that is not parsed ahead */
	struct gates gates;
	struct conn *dirty, *dirty_last;
	struct conn *more, *more_last;
	struct conn *closing;

	uint64_t released;   /* LSN, as of the last look */
	bool executed;       /* a command, in this turn */
	struct conn *active; /* the one that was, lately; NULL: several */
	unsigned alone_turns;
	uint64_t next_cron_us;
	uint64_t accept_again_us; /* accepting rests until then; 0: does not */
	uint64_t attack_logged_ms;
	uint64_t refused_logged_ms;
	struct session *scan; /* where net_cron goes on */
	struct turn_clock clock;
	struct poller_event events[POLLER_EVENTS_MAX];
};

/* A turn while the engine is loading: connections are accepted, and answered
 * with what can be said without data. ctx: struct net. */
void net_loading_turn(void *ctx);

/* Reads and executes what c has, a fair share of it (net/serve.c). */
void net_serve(struct net *n, struct conn *c);

/* Executes what has been gathered. */
void net_run_batch(struct net *n);

/* Takes new connections (net/accept.c). */
void net_accept(struct net *n, const struct listener *l);

/* Listeners into the poller and out of it. */
int net_watch_listeners(struct net *n);
void net_unwatch_listeners(struct net *n);

/* Ten times a second: timeouts and limits that time decides
 * (net/limits.c). */
void net_cron(struct net *n);

/* Is c above an output limit right now?  Then it is closed. */
bool net_output_limit(struct net *n, struct conn *c);

/* Lowers maxclients to what the limit on open files allows. */
int net_adjust_file_limit(struct config *config, struct err_message *m);

/* After authentication or before the end: c is not unknown any more. */
void net_known(struct net *n, struct conn *c);

/* Brackets a turn (net/turn_clock.c). The end returns the time, us. */
void turn_clock_start(struct turn_clock *t, uint64_t now_us);
uint64_t turn_clock_end(struct turn_clock *t, struct engine *e);

#endif
