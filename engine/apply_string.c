/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of strings.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "types/str.h"

void apply_str_set(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;
	uint64_t deadline = deadline_resolve(rec->deadline, old);

	if (e && entry_type(e) != VALUE_string) {
		keyspace_free_entry(keyspace_take(ks, &slot));
		e = NULL;
		old = 0;
	}
	if (e)
		e = str_set(e, rec->value, deadline);
	else
		e = str_new(rec->key, rec->value, deadline);
	keyspace_put(ks, &slot, e, old);
}

void apply_str_write(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;

	if (!e)
		e = str_new(rec->key, slice_of("", 0), 0);
	assert(entry_type(e) == VALUE_string);
	e = str_write(e, rec->offset, rec->value);
	keyspace_put(ks, &slot, e, old);
}

const char *fits_str_set(const struct keyspace *ks,
				const struct record *rec)
{
	(void)ks;
	return deadline_fits(rec->deadline);
}

const char *fits_str_write(const struct keyspace *ks,
				  const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (e && entry_type(e) != VALUE_string)
		return "the key holds no string";
	if (rec->value.size == 0)
		return "no bytes to write";
	if (rec->offset > STR_SIZE_MAX ||
	    rec->value.size > STR_SIZE_MAX - rec->offset)
		return "offset out of range";
	return NULL;
}
