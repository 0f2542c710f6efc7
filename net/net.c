/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop.
 *
 *   wait ─► what is released meanwhile leaves ─► accept, read, execute
 *     ▲                                                     │
 *     └── free, timers ◄── send ◄── engine_turn (commit) ◄──┘
 *
 * Before that, while the engine loads, recovery lends the thread now and then:
 * net_loading_turn is a turn without commit, expiry and timers, in which
 * clients are accepted and told that the server is loading.
 *
 * L1. Nothing is freed but at the end of a turn.
 * L2. At the end of a turn every connection with something to send is sent to,
 *     or waits for a gate (gates), or for its socket (CONN_FULL).
 * L3. A turn takes at most POLLER_EVENTS_MAX events: with many clients the
 *     disk writes one turn's group while the next turn executes.
 * L4. A turn takes of each connection at most its share, in bytes and in time
 *     (net/serve.c): a long pipeline does not keep the others waiting.
 */
#include "net/net.h"

#include "base/logline.h"
#include "base/mem.h"
#include "net/net_state.h"
#include "net/transfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POOL_BUFFERS 64
#define KEEP_MAX (128 * 1024) /* bytes of a buffer worth keeping */
#define FINISH_TURNS 20       /* of 50 ms */

/* --- life ----------------------------------------------------------------- */

int net_new(struct net **out, struct config *config, struct err_message *m)
{
	struct net *n = mem_calloc(1, sizeof(*n));
	int err;

	n->config = config;
	n->completion = (struct source){ SOURCE_COMPLETION, -1 };
	n->wake = (struct source){ SOURCE_WAKE, -1 };
	n->reserve_file = -1;
	buf_pool_init(&n->inputs, POOL_BUFFERS, READ_BLOCK, KEEP_MAX);
	buf_pool_init(&n->outputs, POOL_BUFFERS, OUTPUT_BLOCK, KEEP_MAX);
	err = net_adjust_file_limit(config, m);
	if (err == OK)
		err = listeners_open(&n->listeners, config, m);
	if (err)
		goto fail;
	n->poller = poller_new();
	n->wake.file = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	n->reserve_file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (n->poller == NULL || n->wake.file < 0) {
		err = err_set(m, ERR_IO, "no event poller: %s",
			      strerror(errno));
		goto fail;
	}
	*out = n;
	return OK;
fail:
	net_free(n);
	return err;
}

static void close_all(struct net *n)
{
	struct session *s, *next;

	for (s = n->engine->sessions; s; s = next) {
		next = s->next;
		if (!(s->flags & SESSION_INTERNAL))
			conn_close(n, conn_of(s));
	}
	n->dirty = NULL;
	n->batch.count = 0;
	conns_free_closing(n);
}

void net_free(struct net *n)
{
	unsigned i;

	if (n == NULL)
		return;
	transfers_stop();
	if (n->engine)
		close_all(n);
	for (i = 0; i < n->listeners.count; i++)
		if (n->listeners.list[i].is_unix)
			unlink(n->config->unixsocket);
	listeners_close(&n->listeners);
	poller_free(n->poller);
	if (n->wake.file >= 0)
		close(n->wake.file);
	if (n->reserve_file >= 0)
		close(n->reserve_file);
	buf_pool_release(&n->inputs);
	buf_pool_release(&n->outputs);
	gates_release(&n->gates);
	resp_args_release(&n->scratch);
	mem_free(n);
}

int net_start(struct net *n, struct engine *e, struct err_message *m)
{
	int error = 0;

	n->engine = e;
	if (e->threads && e->completions.event_file < 0)
		error = completion_open(&e->completions);
	if (error)
		return err_set(m, ERR_IO, "eventfd: %s", strerror(-error));
	n->completion.file = e->completions.event_file;
	error = poller_add(n->poller, n->wake.file, POLLER_READ, &n->wake);
	if (error == 0 && n->completion.file >= 0)
		error = poller_add(n->poller, n->completion.file, POLLER_READ,
				   &n->completion);
	if (error == 0)
		error = net_watch_listeners(n);
	if (error)
		return err_set(m, ERR_IO, "cannot watch the listening "
			       "sockets: %s", strerror(-error));
	return OK;
}

void net_stop(struct net *n)
{
	uint64_t one = 1;
	ssize_t written;

	atomic_store(&n->stopping, true);
	written = write(n->wake.file, &one, sizeof(one));
	(void)written; /* full means that it is awake already */
}

/* --- one turn ------------------------------------------------------------- */

static void flush_released(struct net *n)
{
	struct gate_wait *w;

	n->released = engine_release_lsn(n->engine);
	while ((w = gates_next(&n->gates, n->released)))
		conn_flush(n, conn_waiting(w));
}

static void flush_dirty(struct net *n)
{
	struct conn *c;

	while ((c = n->dirty)) {
		n->dirty = c->next_dirty;
		c->state &= ~(unsigned)CONN_DIRTY;
		conn_flush(n, c);
	}
}

/* alone: the same one connection, turn after turn (wal/wal.h). */
static void note_active(struct net *n, struct conn *c)
{
	if (n->active == c)
		return;
	n->active = c;
	n->alone_turns = 0;
}

static void on_conn(struct net *n, struct conn *c, unsigned flags)
{
	if (c->state & CONN_CLOSING)
		return;
	if ((flags & POLLER_WRITE) && (c->state & CONN_FULL)) {
		c->state &= ~(unsigned)CONN_FULL;
		poller_change(n->poller, c->source.file,
			      POLLER_READ | POLLER_EDGE, c);
		conn_dirty(n, c);
	}
	if (!(flags & POLLER_READ))
		return;
	c->state |= CONN_READABLE;
	if (flags & POLLER_HANGUP)
		c->state |= CONN_HANGUP;
	note_active(n, c);
	conn_end_waiting(n, c);
	net_serve(n, c);
}

static void on_event(struct net *n, const struct poller_event *event)
{
	struct source *source = event->ctx;
	uint64_t count;
	ssize_t got;

	switch (source->kind) {
	case SOURCE_CONN:
		on_conn(n, (struct conn *)source, event->flags);
		break;
	case SOURCE_LISTENER:
		net_accept(n, (struct listener *)source);
		break;
	case SOURCE_WAKE:
		got = read(source->file, &count, sizeof(count));
		(void)got;
		break;
	case SOURCE_COMPLETION:
		break; /* drain_completions was first */
	}
}

/* Those that did not get all they wanted in the turn before. */
static void serve_more(struct net *n)
{
	struct conn *list = n->more, *c;

	n->more = NULL;
	while ((c = list)) {
		list = c->next_more;
		c->state &= ~(unsigned)CONN_MORE;
		if (c->state & CONN_CLOSING)
			continue;
		note_active(n, c);
		net_serve(n, c);
	}
}

/* When the next turn is due. */
static uint64_t next_turn_us(const struct net *n, uint64_t due_us,
			     uint64_t now_us)
{
	if (n->more || atomic_load(&n->stopping))
		return now_us;
	if ((n->engine->stats.connections_now || n->accept_again_us) &&
	    n->next_cron_us < due_us)
		return n->next_cron_us;
	return due_us;
}

/* First of all what helper threads have finished: replies that waited for the
 * disk go before new commands are executed. */
static void drain_completions(struct net *n, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (n->events[i].ctx != &n->completion)
			continue;
		completion_drain(&n->engine->completions);
		flush_released(n);
	}
}

/* Everything between two waits, the first of which brought `count` events.
 * Returns when the next turn is due; *now_us: what it is now. */
static uint64_t turn(struct net *n, unsigned count, uint64_t *now_us)
{
	struct engine *e = n->engine;
	uint64_t due_us;
	unsigned i;

	engine_clock(e);
	turn_clock_start(&n->clock, e->now_us);
	n->executed = false;
	drain_completions(n, count);
	if (n->more)
		serve_more(n);
	for (i = 0; i < count; i++)
		on_event(n, &n->events[i]);
	net_run_batch(n);
	n->alone_turns++;
	due_us = engine_turn(e, !n->executed, n->active &&
			     n->alone_turns > ALONE_TURNS);
	flush_released(n);
	flush_dirty(n);
	net_cron(n);
	flush_dirty(n);
	conns_free_closing(n);
	*now_us = turn_clock_end(&n->clock, e);
	return next_turn_us(n, due_us, *now_us);
}

void net_loading_turn(void *ctx)
{
	struct net *n = ctx;
	unsigned count = poller_wait(n->poller, n->events, 0), i;

	engine_clock(n->engine);
	if (n->more)
		serve_more(n);
	for (i = 0; i < count; i++)
		on_event(n, &n->events[i]);
	net_run_batch(n);
	flush_dirty(n);
	conns_free_closing(n);
}

void net_run(struct net *n)
{
	uint64_t now_us = 0, due_us = 0;
	unsigned count;

	assert(n->engine != NULL);
	while (!atomic_load(&n->stopping)) {
		count = poller_wait_until(n->poller, n->events, now_us, due_us);
		due_us = turn(n, count, &now_us);
	}
	atomic_store(&n->stopping, false);
}

/* --- the end -------------------------------------------------------------- */

void net_finish(struct net *n)
{
	unsigned i, j, count;
	struct session *s;
	bool waits = true;

	net_unwatch_listeners(n);
	n->released = UINT64_MAX;
	for (i = 0; waits && i < FINISH_TURNS; i++) {
		waits = false;
		for (s = n->engine->sessions; s; s = s->next) {
			if (s->flags & (SESSION_INTERNAL | SESSION_CLOSING))
				continue;
			conn_flush(n, conn_of(s));
			waits |= output_pending(&conn_of(s)->out) > 0;
		}
		if (!waits)
			break;
		count = poller_wait(n->poller, n->events, 50);
		for (j = 0; j < count; j++)
			if (((struct source *)n->events[j].ctx)->kind ==
			    SOURCE_CONN)
				((struct conn *)n->events[j].ctx)->state &=
					~(unsigned)CONN_FULL;
	}
	close_all(n);
	n->engine = NULL;
}
