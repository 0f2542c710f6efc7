/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/logline.h"
#include "net/net_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 256
#define REST_US 100000 /* when the system has no more files or memory */

int net_watch_listeners(struct net *n)
{
	unsigned i;
	int error;

	for (i = 0; i < n->listeners.count; i++) {
		struct listener *l = &n->listeners.list[i];

		error = poller_add(n->poller, l->source.file, POLLER_READ, l);
		if (error)
			return error;
	}
	return 0;
}

void net_unwatch_listeners(struct net *n)
{
	unsigned i;

	for (i = 0; i < n->listeners.count; i++)
		poller_remove(n->poller, n->listeners.list[i].source.file);
}

static void log_rarely(struct net *n, const char *what)
{
	if (n->engine->now_ms - n->refused_logged_ms < 1000)
		return;
	n->refused_logged_ms = n->engine->now_ms;
	log_line(LOG_LEVEL_WARNING, "%s", what);
}

/* Says why and hangs up; what does not fit into a fresh socket is lost. */
static void refuse(struct net *n, int file, const char *text)
{
	ssize_t sent = send(file, text, strlen(text), MSG_NOSIGNAL);

	(void)sent;
	close(file);
	n->engine->stats.connections_rejected++;
}

/* No file is left: the one in reserve serves to take the client out of the
 * queue, so that it does not wait for ever, and the others behind it. */
static bool refuse_with_reserve(struct net *n, int listener)
{
	int file;

	if (n->reserve_file < 0)
		return false;
	close(n->reserve_file);
	file = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (file >= 0)
		refuse(n, file, "-ERR max number of clients reached\r\n");
	n->reserve_file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_rarely(n, "A client was refused: no file descriptor is left");
	return file >= 0;
}

/* After a failed accept: may the next be tried at once? */
static bool after_error(struct net *n, int listener, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		if (refuse_with_reserve(n, listener))
			return true;
		break;
	case ENOBUFS:
	case ENOMEM:
		break;
	default:
		/* About that one client: it is gone already. */
		return true;
	}
	log_rarely(n, "Accepting rests for a moment: no files or memory left");
	net_unwatch_listeners(n);
	n->accept_again_us = n->engine->now_us + REST_US;
	return false;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;

	if (a->ss_family == AF_INET)
		return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	return true;
}

static const char denied[] =
	"-DENIED This server has no password and is in protected mode: it "
	"talks to clients on its own machine only. To let others in, set a "
	"password (requirepass), or, if nobody else can reach its port, "
	"CONFIG SET protected-mode no from its own machine, or start it with "
	"--protected-mode no\r\n";

/* Why the newcomer cannot stay; NULL: it can. */
static const char *reason_to_refuse(struct net *n,
				    const struct sockaddr_storage *address)
{
	const struct engine_stats *s = &n->engine->stats;
	uint64_t max = (uint64_t)n->config->maxclients;

	if (s->connections_now >= max)
		return "-ERR max number of clients reached\r\n";
	max = max / 4 < UNKNOWN_MAX ? max / 4 : UNKNOWN_MAX;
	if (n->config->requirepass_hash &&
	    s->connections_unauthenticated > (max ? max - 1 : 0))
		return "-ERR max number of clients reached\r\n";
	if (n->config->protected_mode && !n->config->requirepass_hash &&
	    !is_loopback(address))
		return denied;
	return NULL;
}

static void take(struct net *n, const struct listener *l, int file,
		 const struct sockaddr_storage *address)
{
	const char *reason = reason_to_refuse(n, address);

	if (reason) {
		refuse(n, file, reason);
		return;
	}
	if (conn_new(n, file, l->is_unix) == NULL) {
		log_rarely(n, "A client was refused: it cannot be watched");
		close(file);
		return;
	}
	n->engine->stats.connections_received++;
}

void net_accept(struct net *n, const struct listener *l)
{
	struct sockaddr_storage address;
	socklen_t size;
	int i, file;

	for (i = 0; i < ACCEPTS_PER_TURN; i++) {
		memset(&address, 0, sizeof(address));
		size = sizeof(address);
		file = accept4(l->source.file, (struct sockaddr *)&address,
			       &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (file >= 0)
			take(n, l, file, &address);
		else if (!after_error(n, l->source.file, errno))
			return;
	}
}
