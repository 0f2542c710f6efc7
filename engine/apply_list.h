/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What apply.c and the apply_<noun>.c files share: for each record the function
 * that applies it and the one that says whether it fits.  Declared from the
 * one list, so a record without both does not link.  Only apply*.c includes
 * this.
 */
#ifndef REDOUBT_ENGINE_APPLY_LIST_H
#define REDOUBT_ENGINE_APPLY_LIST_H

#include "engine/apply.h"
#include "engine/keyspace_mut.h"

typedef void apply_fn(struct keyspace *, const struct record *);

/* NULL: it fits; else why not. Total; changes nothing. */
typedef const char *fits_fn(const struct keyspace *, const struct record *);

#define X(name, tag, text) apply_fn apply_##name;
RECORD_TYPES(X)
#undef X

#define X(name, tag, text) fits_fn fits_##name;
RECORD_TYPES(X)
#undef X

/* What "keep, none or ms" comes to for a key that has `old`. */
static inline uint64_t deadline_resolve(uint64_t wanted, uint64_t old)
{
	return wanted == DEADLINE_KEEP ? old : wanted;
}

/* NULL or the reason why this deadline cannot be. */
static inline const char *deadline_fits(uint64_t deadline)
{
	return deadline <= DEADLINE_MAX_MS ? NULL : "deadline out of range";
}

#endif
