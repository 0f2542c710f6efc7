/* SPDX-License-Identifier: BSD-3-Clause */
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
