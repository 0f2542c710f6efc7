/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread per exchange: they are rare, and a server that does not answer
 * must not hold up another one.
 *
 * I1. Requests are sent while replies are read: neither side waits for the
 *     other with full buffers.
 * I2. The list is touched by the thread of the loop alone; a carrier leaves it
 *     when its exchange is released or stopped.
 */
#include "net/transfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define SLICE_MS 100 /* how soon a stop is seen */
#define READ_SIZE 4096

struct carrier {
	struct carrier *next;
	struct transfer *transfer;
	pthread_t thread;
	atomic_bool stop;
};

static struct carrier *carriers;

/* --- in the thread -------------------------------------------------------- */

/* Waits for events; false: time is up, or a stop. */
static bool wait_for(struct carrier *c, int file, short *events)
{
	uint64_t left = c->transfer->timeout_ms;

	while (!atomic_load(&c->stop)) {
		struct pollfd p = { .fd = file, .events = *events };
		int ms = left < SLICE_MS ? (int)left : SLICE_MS;
		int count = poll(&p, 1, ms);

		if (count > 0) {
			*events = p.revents;
			return true;
		}
		if (count < 0 && errno != EINTR)
			return false;
		left -= (uint64_t)ms;
		if (left == 0)
			return false;
	}
	return false;
}

/* A connected socket, or -1. */
static int connect_to(struct carrier *c, const struct addrinfo *a)
{
	int file = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
			  SOCK_NONBLOCK, a->ai_protocol);
	int error = 0, one = 1;
	socklen_t size = sizeof(error);
	short events = POLLOUT;

	if (file < 0)
		return -1;
	if (connect(file, a->ai_addr, a->ai_addrlen) != 0 &&
	    (errno != EINPROGRESS || !wait_for(c, file, &events)))
		goto fail;
	if (getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error)
		goto fail;
	setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return file;

fail:
	close(file);
	return -1;
}

static int connect_any(struct carrier *c)
{
	struct addrinfo wish = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *a;
	int file = -1;

	if (getaddrinfo(c->transfer->host, c->transfer->port, &wish, &list))
		return -1;
	for (a = list; a && file < 0; a = a->ai_next)
		file = connect_to(c, a);
	freeaddrinfo(list);
	return file;
}

/* Counts the lines among the bytes that came last. */
static void count_lines(struct transfer *t, size_t from)
{
	size_t i;

	for (i = from; i < t->replies.size; i++)
		t->replies_got += t->replies.data[i] == '\n';
}

/* False: the connection has failed. */
static bool read_some(struct transfer *t, int file)
{
	uint8_t *at = buf_reserve(&t->replies, READ_SIZE);
	ssize_t got = recv(file, at, READ_SIZE, 0);

	if (got == 0)
		return false;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	t->replies.size += (size_t)got;
	count_lines(t, t->replies.size - (size_t)got);
	return true;
}

static bool send_some(const struct transfer *t, int file, size_t *sent)
{
	ssize_t put = send(file, t->request.data + *sent,
			   t->request.size - *sent, MSG_NOSIGNAL);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR;
	*sent += (size_t)put;
	return true;
}

/* (I1) */
static enum transfer_end exchange(struct carrier *c, int file)
{
	struct transfer *t = c->transfer;
	size_t sent = 0;

	while (t->replies_got < t->reply_count) {
		bool writing = sent < t->request.size;
		short events = (short)(POLLIN | (writing ? POLLOUT : 0));
		enum transfer_end end = writing ? TRANSFER_NOT_WRITTEN :
						  TRANSFER_NOT_READ;

		if (!wait_for(c, file, &events))
			return end;
		if ((events & POLLOUT) && writing &&
		    !send_some(t, file, &sent))
			return TRANSFER_NOT_WRITTEN;
		if ((events & (POLLIN | POLLHUP | POLLERR)) &&
		    !read_some(t, file))
			return end;
	}
	return TRANSFER_DONE;
}

static void *carrier_main(void *ctx)
{
	struct carrier *c = ctx;
	struct transfer *t = c->transfer;
	int file = connect_any(c);

	t->end = TRANSFER_NOT_CONNECTED;
	if (file >= 0) {
		t->end = exchange(c, file);
		close(file);
	}
	completion_post(t->queue, &t->completion);
	return NULL;
}

/* --- in the loop's thread ------------------------------------------------- */

/* Takes c off the list and frees it; its thread has ended or is about to. */
static void remove_carrier(struct carrier *c)
{
	struct carrier **at = &carriers;

	pthread_join(c->thread, NULL);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	mem_free(c);
}

static void release(struct transfer *t)
{
	remove_carrier(t->carrier);
	t->carrier = NULL;
	t->release = NULL;
}

bool transfer_start(struct transfer *t)
{
	struct carrier *c = mem_calloc(1, sizeof(*c));
	sigset_t all, old;
	int error;

	c->transfer = t;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&c->thread, NULL, carrier_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		mem_free(c);
		return false;
	}
	c->next = carriers;
	carriers = c;
	t->carrier = c;
	t->release = release;
	return true;
}

void transfers_stop(void)
{
	struct carrier *c;

	for (c = carriers; c; c = c->next)
		atomic_store(&c->stop, true);
	while (carriers) {
		struct transfer *t = carriers->transfer;

		release(t);
	}
}
