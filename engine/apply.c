/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Apply: one record into memory.
 *
 * I1. The only writer of the keyspace: live, replay, replica, restore and the
 *     tools run the same functions over different sources.
 * I2. A record has been found fit (record_fits) or was emitted by a handler
 *     that checked; so nothing here can fail, and what cannot be is asserted.
 * I3. record_fits is total and changes nothing (the memo of the last lookup is
 *     not state).
 * I4. No clock, no random, no configuration: the same records give the same
 *     state on any machine.
 */
#include "engine/apply_list.h"

#include <assert.h>

static apply_fn *const appliers[] = {
#define X(name, tag, text) [tag] = apply_##name,
	RECORD_TYPES(X)
#undef X
};

void apply(struct keyspace *ks, const struct record *rec)
{
	assert(rec->type < ARRAY_LEN(appliers));
	assert(appliers[rec->type] != NULL);

	appliers[rec->type](ks, rec);
	ks->applied_lsn = rec->lsn;
}

int apply_foreign(struct keyspace *ks, const struct record *rec,
		  struct err_message *m)
{
	int err;

	keyspace_remember(ks, rec->key, rec->key_hash);
	err = record_fits(ks, rec, m);
	if (err)
		return err;
	apply(ks, rec);
	return OK;
}

static fits_fn *const checks[] = {
#define X(name, tag, text) [tag] = fits_##name,
	RECORD_TYPES(X)
#undef X
};

int record_fits(const struct keyspace *ks, const struct record *rec,
		struct err_message *m)
{
	const char *reason;

	if (rec->type >= ARRAY_LEN(checks) || !checks[rec->type])
		return err_set(m, ERR_UNFIT, "LSN %llu: unknown record tag %u",
			       (unsigned long long)rec->lsn, rec->type);
	if (rec->db >= ks->db_count)
		return err_set(m, ERR_UNFIT,
			       "LSN %llu: %s names database %u, this server "
			       "has %u (raise `databases`)",
			       (unsigned long long)rec->lsn,
			       record_type_name(rec->type), rec->db,
			       ks->db_count);
	reason = checks[rec->type](ks, rec);
	if (reason)
		return err_set(m, ERR_UNFIT, "LSN %llu: %s does not fit: %s",
			       (unsigned long long)rec->lsn,
			       record_type_name(rec->type), reason);
	return OK;
}
