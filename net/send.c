/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes leave here and nowhere else, and only those that are released.
 */
#include "base/logline.h"
#include "net/net_state.h"
#include "net/socket.h"

#include <errno.h>

/* Sends what may go. False: the connection is broken. */
static bool send_open(struct net *n, struct conn *c)
{
	struct output *o = &c->out;
	size_t size = output_sendable(o);
	ssize_t sent;

	do
		sent = socket_send(c->source.file, o->bytes.data + o->sent,
				   size);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN)
		return false;
	n->engine->stats.write_events++;
	if (sent > 0) {
		n->engine->stats.net_output_bytes += (uint64_t)sent;
		c->session.bytes_out += (uint64_t)sent;
		c->session.active_ms = n->engine->now_ms;
		output_sent(o, (size_t)sent);
	}
	if (sent == (ssize_t)size)
		return true;
	c->state |= CONN_FULL;
	poller_change(n->poller, c->source.file,
		      POLLER_READ | POLLER_WRITE | POLLER_EDGE, c);
	return true;
}

/* Nothing is left to send. */
static void all_sent(struct net *n, struct conn *c)
{
	buf_pool_give(&n->outputs, &c->out.bytes);
	c->reply_max = 0;
	c->soft_since_ms = 0;
	if (c->session.flags & SESSION_CLOSE_AFTER_REPLY ||
	    c->state & CONN_ENDED)
		conn_close(n, c);
}

void conn_flush(struct net *n, struct conn *c)
{
	struct output *o = &c->out;

	if (c->state & CONN_CLOSING)
		return;
	output_release(o, n->released);
	output_mark(o, c->session.gate, n->released);
	if (output_sendable(o) && !(c->state & CONN_FULL) &&
	    !send_open(n, c)) {
		conn_close(n, c);
		return;
	}
	if (output_pending(o) == 0) {
		all_sent(n, c);
		return;
	}
	if (net_output_limit(n, c))
		conn_close(n, c);
	else if (o->mark_count && c->wait.place == 0)
		gates_add(&n->gates, &c->wait, o->marks[0].gate);
}
