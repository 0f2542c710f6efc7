/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/conn.h"

#include "base/logline.h"
#include "base/mem.h"
#include "net/net_state.h"
#include "net/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MIN 4096          /* room worth a call */
#define REST_MAX 2048          /* bytes that move to a block of their size */
#define DECLARED_MAX (64 * 1024) /* room made for bytes that are announced */

/* --- birth ---------------------------------------------------------------- */

/* "127.0.0.1:50000" or "[::1]:50000" */
static void format_address(char *out, size_t size,
			   const struct sockaddr_storage *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
	char host[INET6_ADDRSTRLEN];

	if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(six->sin6_port));
	} else {
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(four->sin_port));
	}
}

static void set_addresses(struct net *n, struct conn *c, bool is_unix)
{
	struct session *s = &c->session;
	struct sockaddr_storage address = { 0 };
	struct sockaddr *a = (struct sockaddr *)&address;
	socklen_t size = sizeof(address);

	if (is_unix) {
		snprintf(s->address, sizeof(s->address), "%.60s:0",
			 n->config->unixsocket ? n->config->unixsocket : "");
		strcpy(s->local_address, s->address);
		s->flags |= SESSION_UNIX;
		return;
	}
	if (getpeername(c->source.file, a, &size) == 0)
		format_address(s->address, sizeof(s->address), &address);
	size = sizeof(address);
	if (getsockname(c->source.file, a, &size) == 0)
		format_address(s->local_address, sizeof(s->local_address),
			       &address);
}

static void set_tcp_options(int file, int64_t keepalive_s)
{
	int on = 1, idle = (int)keepalive_s, interval = idle / 3, probes = 3;

	setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (keepalive_s == 0)
		return;
	if (interval == 0)
		interval = 1;
	setsockopt(file, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(file, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(file, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
		   sizeof(interval));
	setsockopt(file, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

struct conn *conn_new(struct net *n, int file, bool is_unix)
{
	struct conn *c = mem_calloc(1, sizeof(*c));

	c->source = (struct source){ SOURCE_CONN, file };
	c->session.out = &c->out.bytes;
	set_addresses(n, c, is_unix);
	if (!is_unix)
		set_tcp_options(file, n->config->tcp_keepalive_s);
	if (poller_add(n->poller, file, POLLER_READ | POLLER_EDGE, c) < 0) {
		mem_free(c);
		return NULL;
	}
	engine_add_session(n->engine, &c->session);
	n->engine->stats.connections_now++;
	if (!(c->session.flags & SESSION_AUTHENTICATED)) {
		c->state |= CONN_UNKNOWN;
		n->engine->stats.connections_unauthenticated++;
	}
	return c;
}

/* --- reading -------------------------------------------------------------- */

/* Drops what has been executed from the front of the buffer. */
static void drop_front(struct conn *c)
{
	size_t n = c->parser.start;

	if (n == 0)
		return;
	buf_drop_front(&c->in, n);
	resp_dropped(&c->parser, n);
	resp_moved(&c->args, c->in.data + n, c->in.data);
}

/* Puts the bytes from parser.start on into `to`, an empty buffer with room for
 * them, which becomes the connection's. */
static void move_input(struct net *n, struct conn *c, struct buf *to)
{
	size_t from = c->parser.start;
	struct buf old = c->in;

	buf_put(to, old.data + from, old.size - from);
	resp_dropped(&c->parser, from);
	resp_moved(&c->args, old.data + from, to->data);
	c->in = *to;
	buf_pool_give(&n->inputs, &old);
}

/* Room for announced bytes, but never much more than has come already. */
static bool grow(struct conn *c, size_t wants)
{
	const uint8_t *before = c->in.data;
	size_t more = c->in.size < DECLARED_MAX ? DECLARED_MAX : c->in.size;

	if (wants == 0)
		more = READ_BLOCK;
	else if (wants < more)
		more = wants;
	if (!buf_try_reserve(&c->in, more))
		return false;
	resp_moved(&c->args, before, c->in.data);
	return true;
}

static bool make_room(struct net *n, struct conn *c)
{
	struct buf *in = &c->in, block = { 0 };
	size_t wants, room;

	if (in->data == NULL) {
		buf_pool_take(&n->inputs, in);
		return true;
	}
	wants = resp_wants(&c->parser, in->size);
	room = in->capacity - in->size;
	if (room >= READ_MIN && room >= wants)
		return true;
	if (in->capacity < READ_BLOCK) {
		buf_pool_take(&n->inputs, &block);
		move_input(n, c, &block);
	} else {
		drop_front(c);
	}
	room = in->capacity - in->size;
	if (room >= wants && room >= READ_MIN)
		return true;
	return room >= DECLARED_MAX || grow(c, wants);
}

static void end_of_input(struct net *n, struct conn *c)
{
	c->state = (c->state & ~(unsigned)CONN_READABLE) | CONN_ENDED;
	conn_dirty(n, c);
}

/* Bytes read that no command has used yet, and what tells its arguments
 * apart, above what may be. */
static bool is_above_limit(struct net *n, struct conn *c)
{
	size_t size = c->in.size - c->parser.start, max;

	if (size <= INPUT_MAX_UNKNOWN)
		return false;
	size += c->args.count * sizeof(*c->args.list);
	max = (size_t)n->config->query_buffer_limit;
	if ((c->state & CONN_UNKNOWN) && max > INPUT_MAX_UNKNOWN)
		max = INPUT_MAX_UNKNOWN;
	if (size <= max)
		return false;
	log_line(LOG_LEVEL_WARNING, "Closing client %s: its unparsed input of "
		 "%zu bytes is above the limit", c->session.address, size);
	n->engine->stats.query_limit_disconnections++;
	return true;
}

size_t conn_read(struct net *n, struct conn *c)
{
	struct buf *in = &c->in;
	size_t room;
	ssize_t got;

	if (!make_room(n, c)) {
		log_line(LOG_LEVEL_WARNING, "Closing client %s: no memory for "
			 "its input", c->session.address);
		conn_close(n, c);
		return 0;
	}
	room = in->capacity - in->size;
	do
		got = socket_receive(c->source.file, in->data + in->size, room);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		if (in->size == c->parser.start)
			conn_input_done(n, c);
		if (got == 0)
			end_of_input(n, c);
		else if (errno == EAGAIN)
			c->state &= ~(unsigned)CONN_READABLE;
		else
			conn_close(n, c);
		return 0;
	}
	n->engine->stats.net_input_bytes += (uint64_t)got;
	c->session.bytes_in += (uint64_t)got;
	c->session.active_ms = n->engine->now_ms;
	n->engine->stats.read_events++;
	in->size += (size_t)got;
	/* A short read has emptied the socket; what comes later is an event
	 * of its own.  But the end may be there already. */
	if ((size_t)got < room && !(c->state & CONN_HANGUP))
		c->state &= ~(unsigned)CONN_READABLE;
	if (in->size - c->parser.start > c->in_peak)
		c->in_peak = (uint32_t)(in->size - c->parser.start);
	if (is_above_limit(n, c)) {
		conn_close(n, c);
		return 0;
	}
	return (size_t)got;
}

void conn_input_done(struct net *n, struct conn *c)
{
	c->parser.start = c->parser.at = c->parser.scanned = 0;
	if (c->in.data)
		buf_pool_give(&n->inputs, &c->in);
}

void conn_input_rest(struct net *n, struct conn *c)
{
	size_t size = c->in.size - c->parser.start;
	struct buf own = { 0 };

	if (size > REST_MAX || c->in.capacity < READ_BLOCK)
		return;
	buf_reserve(&own, size);
	move_input(n, c, &own);
}

/* --- lists ---------------------------------------------------------------- */

void conn_dirty(struct net *n, struct conn *c)
{
	if (c->state & (CONN_DIRTY | CONN_CLOSING))
		return;
	c->state |= CONN_DIRTY;
	c->next_dirty = NULL;
	if (n->dirty)
		n->dirty_last->next_dirty = c;
	else
		n->dirty = c;
	n->dirty_last = c;
}

void conn_more(struct net *n, struct conn *c)
{
	if (c->state & (CONN_MORE | CONN_CLOSING))
		return;
	c->state |= CONN_MORE;
	c->next_more = NULL;
	if (n->more)
		n->more_last->next_more = c;
	else
		n->more = c;
	n->more_last = c;
}

/* --- death ---------------------------------------------------------------- */

void conn_end_waiting(struct net *n, struct conn *c)
{
	const struct session *s = &c->session;

	if (!(c->state & CONN_HANGUP) || !(s->flags & SESSION_PARKED) ||
	    !s->wait.for_others)
		return;
	c->state |= CONN_ENDED;
	conn_dirty(n, c);
}

void conn_close(struct net *n, struct conn *c)
{
	if (c->state & CONN_CLOSING)
		return;
	c->state |= CONN_CLOSING;
	c->session.flags |= SESSION_CLOSING;
	c->next_closing = n->closing;
	n->closing = c;
}

static void conn_free(struct net *n, struct conn *c)
{
	if (n->scan == &c->session)
		n->scan = c->session.next;
	if (n->active == c)
		n->active = NULL;
	gates_remove(&n->gates, &c->wait);
	net_known(n, c);
	n->engine->stats.connections_now--;
	engine_remove_session(n->engine, &c->session);
	close(c->source.file);
	buf_release(&c->in);
	resp_args_release(&c->args);
	output_free(&c->out);
	mem_free(c);
}

/* A connection that is to be freed may still be in the other lists: these are
 * empty at the end of a turn, but for `more`. */
static void remove_from_more(struct net *n, struct conn *c)
{
	struct conn **p = &n->more, *last = NULL;

	while (*p && *p != c) {
		last = *p;
		p = &(*p)->next_more;
	}
	if (*p == NULL)
		return;
	*p = c->next_more;
	if (n->more_last == c)
		n->more_last = last;
}

void conns_free_closing(struct net *n)
{
	struct conn *c;

	assert(n->dirty == NULL && n->batch.count == 0);
	while ((c = n->closing)) {
		n->closing = c->next_closing;
		if (c->state & CONN_MORE)
			remove_from_more(n, c);
		conn_free(n, c);
	}
}
