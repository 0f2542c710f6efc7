/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/completion.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int completion_open(struct completion_queue *q)
{
	atomic_init(&q->head, NULL);
	q->event_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->event_file < 0 ? -errno : 0;
}

void completion_close(struct completion_queue *q)
{
	if (q->event_file >= 0)
		close(q->event_file);
	q->event_file = -1;
}

/* Only the post that finds the queue empty wakes the taker: whoever comes
 * later is taken in the same drain. */
void completion_post(struct completion_queue *q, struct completion *c)
{
	struct completion *head = atomic_load(&q->head);
	const uint64_t one = 1;
	ssize_t written;

	do {
		c->next = head;
	} while (!atomic_compare_exchange_weak(&q->head, &head, c));
	if (head != NULL)
		return;
	do {
		written = write(q->event_file, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
}

static struct completion *reversed(struct completion *list)
{
	struct completion *out = NULL;

	while (list != NULL) {
		struct completion *next = list->next;

		list->next = out;
		out = list;
		list = next;
	}
	return out;
}

/* The event is cleared before the queue is emptied: a post in between wakes
 * us once more for nothing, the other order could lose one. */
bool completion_drain(struct completion_queue *q)
{
	struct completion *list;
	uint64_t posts;
	ssize_t got;

	do {
		got = read(q->event_file, &posts, sizeof(posts));
	} while (got < 0 && errno == EINTR);

	list = reversed(atomic_exchange(&q->head, NULL));
	if (list == NULL)
		return false;
	while (list != NULL) {
		struct completion *next = list->next;

		list->done(list); /* may free it */
		list = next;
	}
	return true;
}
