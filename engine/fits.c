/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * record_fits: whether a record from outside can be applied to the state it
 * meets.
 *
 * I1. Total: any well-formed record gets an answer, whatever the state.
 * I2. Changes nothing (the memo of the last lookup is not state).
 * I3. From the same list as apply: a record without a function here does not
 *     build.
 */
#include "engine/apply.h"
#include "engine/keyspace.h"

typedef const char *fits_fn(const struct keyspace *, const struct record *);

#define X(name, tag, text) static fits_fn fits_##name;
RECORD_TYPES(X)
#undef X

static fits_fn *const checks[] = {
#define X(name, tag, text) [tag] = fits_##name,
	RECORD_TYPES(X)
#undef X
};

/* A value this long cannot have been written by us. */
#define VALUE_SIZE_MAX ((uint64_t)1 << 40)

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

static const char *deadline_fits(uint64_t deadline)
{
	return deadline <= DEADLINE_MAX_MS ? NULL : "deadline out of range";
}

static const char *fits_str_set(const struct keyspace *ks,
				const struct record *rec)
{
	(void)ks;
	return deadline_fits(rec->deadline);
}

static const char *fits_str_write(const struct keyspace *ks,
				  const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (e && entry_type(e) != VALUE_string)
		return "the key holds no string";
	if (rec->value.size == 0)
		return "no bytes to write";
	if (rec->offset > VALUE_SIZE_MAX ||
	    rec->value.size > VALUE_SIZE_MAX - rec->offset)
		return "offset out of range";
	return NULL;
}

static const char *fits_key_del(const struct keyspace *ks,
				const struct record *rec)
{
	return keyspace_find(ks, rec->db, rec->key) ? NULL : "no such key";
}

static const char *fits_key_expire(const struct keyspace *ks,
				   const struct record *rec)
{
	if (!keyspace_find(ks, rec->db, rec->key))
		return "no such key";
	if (rec->deadline == DEADLINE_KEEP)
		return "keep is no deadline here";
	return deadline_fits(rec->deadline);
}

static const char *two_keys_fit(const struct keyspace *ks,
				const struct record *rec)
{
	if (rec->other_db >= ks->db_count)
		return "no such target database";
	if (!keyspace_find(ks, rec->db, rec->key))
		return "no such key";
	return NULL;
}

static const char *fits_key_move(const struct keyspace *ks,
				 const struct record *rec)
{
	return two_keys_fit(ks, rec);
}

static const char *fits_key_copy(const struct keyspace *ks,
				 const struct record *rec)
{
	const char *reason = two_keys_fit(ks, rec);

	if (!reason && rec->db == rec->other_db &&
	    slice_equal(rec->key, rec->other))
		reason = "source and target are the same key";
	return reason ? reason : deadline_fits(rec->deadline);
}

static const char *fits_db_flush(const struct keyspace *ks,
				 const struct record *rec)
{
	(void)ks;
	(void)rec;
	return NULL;
}

static const char *fits_all_flush(const struct keyspace *ks,
				  const struct record *rec)
{
	(void)ks;
	(void)rec;
	return NULL;
}

static const char *fits_db_swap(const struct keyspace *ks,
				const struct record *rec)
{
	return rec->other_db < ks->db_count ? NULL : "no such database";
}
