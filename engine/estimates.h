/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Estimates of HyperLogLogs, remembered beside the keyspace: PFCOUNT is a read
 * and writes nothing into the value.
 *
 * An entry neither changes nor moves while no record names its key.  So what
 * is remembered with the entry and the hash of its key holds until a record
 * names a key of that hash; a block that is used again for another key was put
 * there by a record, too.  (Flushed and swapped databases need no more: what
 * comes to a key is put there by a record, what stays is the same entry.)
 * Engine thread.
 */
#ifndef REDOUBT_ENGINE_ESTIMATES_H
#define REDOUBT_ENGINE_ESTIMATES_H

#include "types/entry.h"

#define ESTIMATE_SLOTS 16384 /* 384 KiB, made when first wanted */

struct estimate {
	const struct entry *entry; /* NULL: none */
	uint64_t hash;             /* of the entry's key */
	uint64_t count;
};

/* By the low bits of the hash. */
struct estimates {
	struct estimate at[ESTIMATE_SLOTS];
};

/* Remembers one; *all is made if it is NULL. */
void estimates_keep(struct estimates **all, const struct estimate *estimate);

/* All may be NULL, as for estimates_drop. False: not known. */
bool estimates_find(const struct estimates *all, uint64_t hash,
		    const struct entry *entry, uint64_t *count);

/* A record names a key of this hash. */
static inline void estimates_drop(struct estimates *all, uint64_t hash)
{
	struct estimate *slot;

	if (__builtin_expect(!all, 1))
		return;
	slot = &all->at[hash & (ESTIMATE_SLOTS - 1)];
	if (slot->hash == hash)
		slot->entry = NULL;
}

#endif
