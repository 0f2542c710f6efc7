/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine asks of us (struct engine_host).
 */
#include "base/logline.h"
#include "base/mem.h"
#include "net/net_state.h"
#include "net/transfer.h"

#include <string.h>
#include <sys/socket.h>

static void output_ready(void *ctx, struct session *s)
{
	conn_dirty(ctx, conn_of(s));
}

static void close_session(void *ctx, struct session *s, bool after_reply)
{
	struct conn *c = conn_of(s);

	if (!after_reply) {
		conn_close(ctx, c);
		return;
	}
	s->flags |= SESSION_CLOSE_AFTER_REPLY;
	c->state |= CONN_HELD;
	conn_dirty(ctx, c);
}

static void unparked(void *ctx, struct session *s)
{
	struct conn *c = conn_of(s);

	if (s->flags & SESSION_CLOSE_AFTER_REPLY)
		return;
	c->state &= ~(unsigned)CONN_HELD;
	conn_more(ctx, c);
}

static void figures(void *ctx, struct session *s, struct session_figures *out)
{
	const struct conn *c = conn_of(s);

	(void)ctx;
	*out = (struct session_figures){
		.file = c->source.file,
		.query_size = c->in.size, /* with what is being executed */
		.query_free = c->in.capacity - c->in.size,
		.query_peak = c->in_peak,
		.argv_bytes = (size_t)c->args.capacity * sizeof(struct slice),
		.output_size = output_pending(&c->out),
		.output_entries = c->out.mark_count,
		.readable = true,
		.writable = c->state & CONN_FULL,
	};
	out->memory = mem_usable(c) + c->in.capacity + out->argv_bytes +
		      c->out.bytes.capacity;
}

static bool rebind(struct net *n, struct err_message *m)
{
	int err;

	net_unwatch_listeners(n);
	err = listeners_reopen_tcp(&n->listeners, n->config, m);
	if (net_watch_listeners(n) != 0)
		log_line(LOG_LEVEL_WARNING, "A listening socket cannot be "
			 "watched");
	return err == OK;
}

static bool reconfigure(void *ctx, const char *directive,
			struct err_message *m)
{
	struct net *n = ctx;
	int64_t wanted = n->config->maxclients;
	unsigned i;

	if (strcmp(directive, "port") == 0 || strcmp(directive, "bind") == 0)
		return rebind(n, m);
	if (strcmp(directive, "maxclients") == 0) {
		if (net_adjust_file_limit(n->config, m) != OK)
			return false;
		if (n->config->maxclients == wanted)
			return true;
		err_set(m, ERR_CONFIG, "The operating system is not able to "
			"handle the specified number of clients, try with %lld",
			(long long)n->config->maxclients);
		return false;
	}
	if (strcmp(directive, "tcp-backlog") == 0)
		for (i = 0; i < n->listeners.count; i++)
			listen(n->listeners.list[i].source.file,
			       (int)n->config->tcp_backlog);
	/* The others are looked at when they are needed. */
	return true;
}

static void stop(void *ctx)
{
	net_stop(ctx);
}

static bool transfer(void *ctx, struct transfer *t)
{
	(void)ctx;
	return transfer_start(t);
}

struct engine_host net_host(struct net *n)
{
	return (struct engine_host){
		.output_ready = output_ready,
		.close = close_session,
		.unparked = unparked,
		.figures = figures,
		.reconfigure = reconfigure,
		.loading = net_loading_turn,
		.stop = stop,
		.transfer = transfer,
		.ctx = n,
	};
}
