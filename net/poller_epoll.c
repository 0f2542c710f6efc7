/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A timeout costs epoll_wait a timer that is set and taken back, each time.  So
 * a long wait has none of its own: one timer stands in the set, and is only set
 * when it would come too late.
 *
 * T1. While armed_us is not 0 the timer will be heard at armed_us.
 * T2. Who hears it too early waits again, by what is due then.
 */
#include "net/poller.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SHORT_MS 5 /* is soon over: a timeout is less than setting the timer */
#define LONG_US UINT64_C(3600000000)

struct poller {
	int file;
	int timer;
	uint64_t armed_us; /* when it comes; 0: it is not set */
	struct epoll_event events[POLLER_EVENTS_MAX];
};

struct poller *poller_new(void)
{
	struct poller *p = mem_calloc(1, sizeof(*p));
	/* edges need no reading */
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int error;

	p->file = epoll_create1(EPOLL_CLOEXEC);
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (p->file >= 0 && p->timer >= 0 &&
	    epoll_ctl(p->file, EPOLL_CTL_ADD, p->timer, &e) == 0)
		return p;
	error = errno;
	poller_free(p);
	errno = error;
	return NULL;
}

void poller_free(struct poller *p)
{
	if (p == NULL)
		return;
	if (p->timer >= 0)
		close(p->timer);
	if (p->file >= 0)
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
	unsigned filled = 0;

	/* A signal counts as nothing having happened. */
	for (i = 0; i < count; i++) {
		if (p->events[i].data.ptr == NULL) { /* the timer */
			p->armed_us = 0;
			continue;
		}
		out[filled].ctx = p->events[i].data.ptr;
		out[filled++].flags = flags_of(p->events[i].events);
	}
	return filled;
}

/* The timer comes at us, a time not passed. (T1) */
static void arm(struct poller *p, uint64_t us)
{
	struct itimerspec at = {
		.it_value = { .tv_sec = (time_t)(us / 1000000),
			      .tv_nsec = (long)(us % 1000000 * 1000) },
	};
	int result = timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &at, NULL);

	assert(result == 0);
	(void)result;
	p->armed_us = us;
}

unsigned poller_wait_until(struct poller *p, struct poller_event *out,
			   uint64_t now_us, uint64_t due_us)
{
	uint64_t left_ms;
	bool heard; /* of the timer in time */

	if (due_us <= now_us)
		return poller_wait(p, out, 0);
	if (due_us != UINT64_MAX && due_us - now_us > LONG_US)
		due_us = now_us + LONG_US;
	heard = p->armed_us && p->armed_us < due_us + 1000;
	if (due_us != UINT64_MAX && !heard) {
		left_ms = (due_us - now_us + 999) / 1000;
		if (left_ms < SHORT_MS)
			return poller_wait(p, out, (int)left_ms);
		arm(p, now_us + left_ms * 1000);
	}
	return poller_wait(p, out, -1);
}
