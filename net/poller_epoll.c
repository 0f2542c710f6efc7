/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/poller.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

struct poller {
	int file;
	struct epoll_event events[POLLER_EVENTS_MAX];
};

struct poller *poller_new(void)
{
	struct poller *p;
	int file = epoll_create1(EPOLL_CLOEXEC);

	if (file < 0)
		return NULL;
	p = mem_calloc(1, sizeof(*p));
	p->file = file;
	return p;
}

void poller_free(struct poller *p)
{
	if (p == NULL)
		return;
	close(p->file);
	mem_free(p);
}

static struct epoll_event epoll_of(unsigned flags, void *ctx)
{
	struct epoll_event e = { .data.ptr = ctx };

	if (flags & POLLER_READ)
		e.events |= EPOLLIN | EPOLLRDHUP;
	if (flags & POLLER_WRITE)
		e.events |= EPOLLOUT;
	if (flags & POLLER_EDGE)
		e.events |= EPOLLET;
	return e;
}

int poller_add(struct poller *p, int file, unsigned flags, void *ctx)
{
	struct epoll_event e = epoll_of(flags, ctx);

	return epoll_ctl(p->file, EPOLL_CTL_ADD, file, &e) < 0 ? -errno : 0;
}

void poller_change(struct poller *p, int file, unsigned flags, void *ctx)
{
	struct epoll_event e = epoll_of(flags, ctx);
	int result = epoll_ctl(p->file, EPOLL_CTL_MOD, file, &e);

	assert(result == 0);
	(void)result;
}

void poller_remove(struct poller *p, int file)
{
	epoll_ctl(p->file, EPOLL_CTL_DEL, file, NULL);
}

static unsigned flags_of(uint32_t events)
{
	unsigned flags = 0;

	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		flags |= POLLER_READ;
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		flags |= POLLER_WRITE;
	if (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP))
		flags |= POLLER_READ | POLLER_HANGUP;
	return flags;
}

unsigned poller_wait(struct poller *p, struct poller_event *out, int timeout_ms)
{
	int i, count = epoll_wait(p->file, p->events, POLLER_EVENTS_MAX,
				  timeout_ms);

	/* A signal counts as nothing having happened. */
	for (i = 0; i < count; i++) {
		out[i].ctx = p->events[i].data.ptr;
		out[i].flags = flags_of(p->events[i].events);
	}
	return count < 0 ? 0 : (unsigned)count;
}
