/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Apply: the only code that writes the view (DESIGN.md 1).
 */
#ifndef REDOUBT_ENGINE_APPLY_H
#define REDOUBT_ENGINE_APPLY_H

#include "base/err.h"
#include "engine/keyspace.h"

/* Materialises one record and sets applied_lsn. Cannot fail: the record fits.
 * rec->key_hash must be set. Uses no clock, no random, no configuration. */
void apply(struct keyspace *ks, const struct record *rec);

/* Whether a record from outside can be applied to this state: total, changes
 * nothing. OK or ERR_UNFIT with a reason in m (may be NULL). */
int record_fits(const struct keyspace *ks, const struct record *rec,
		struct err_message *m);

/* Applies a record that comes from outside (log, snapshot, link) if it fits:
 * OK or ERR_UNFIT. rec->key_hash must be set (0 and an empty key for records
 * without one). */
int apply_foreign(struct keyspace *ks, const struct record *rec,
		  struct err_message *m);

#endif
