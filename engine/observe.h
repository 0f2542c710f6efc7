/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Observers of the record stream: features watch records, they do not add
 * branches to the write path.
 *
 *   note   after each record is applied: bookkeeping only
 *   act    after the batch: may run batches of its own
 *   send   when release_lsn has moved: hand out what became visible
 */
#ifndef REDOUBT_ENGINE_OBSERVE_H
#define REDOUBT_ENGINE_OBSERVE_H

#include "wal/record.h"

struct engine;

struct observer {
	const char *name;
	void (*note)(struct engine *, const struct record *); /* may be NULL */
	void (*act)(struct engine *);                         /* may be NULL */
	void (*send)(struct engine *, uint64_t release_lsn);  /* may be NULL */
};

#define OBSERVERS_MAX 16

struct observers {
	const struct observer *note[OBSERVERS_MAX];
	const struct observer *act[OBSERVERS_MAX];
	const struct observer *send[OBSERVERS_MAX];
	unsigned note_count, act_count, send_count;
};

/* Registers o (static storage); between records, as its opposite. */
void observe(struct observers *list, const struct observer *o);
void unobserve(struct observers *list, const struct observer *o);

#endif
