/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who watches the record stream.
 *
 * I1. Observers are told in the order in which they were registered; one that
 *     goes leaves the others in theirs.
 */
#include "engine/observe.h"

#include <assert.h>

void observe(struct observers *list, const struct observer *o)
{
	if (o->note) {
		assert(list->note_count < OBSERVERS_MAX);
		list->note[list->note_count++] = o;
	}
	if (o->act) {
		assert(list->act_count < OBSERVERS_MAX);
		list->act[list->act_count++] = o;
	}
	if (o->send) {
		assert(list->send_count < OBSERVERS_MAX);
		list->send[list->send_count++] = o;
	}
}

/* Takes o out of a list of *count; the others keep their order. */
static void take_out(const struct observer **list, unsigned *count,
		     const struct observer *o)
{
	unsigned i, kept = 0;

	for (i = 0; i < *count; i++)
		if (list[i] != o)
			list[kept++] = list[i];
	*count = kept;
}

void unobserve(struct observers *list, const struct observer *o)
{
	take_out(list->note, &list->note_count, o);
	take_out(list->act, &list->act_count, o);
	take_out(list->send, &list->send_count, o);
}
