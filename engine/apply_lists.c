/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of lists.  A key goes with its last element.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "engine/items.h"
#include "types/list.h"

_Static_assert(RECORD_LEFT == (int)LIST_LEFT, "an end is an end");
_Static_assert(RECORD_RIGHT == (int)LIST_RIGHT, "an end is an end");

void apply_list_push(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;

	if (!e)
		e = list_new(rec->key, 0);
	assert(entry_type(e) == VALUE_list);
	e = list_push(e, (enum list_end)rec->at, rec->value, &ks->list_limits,
		      &ks->result);
	keyspace_put(ks, &slot, e, old);
}

/* The slot of a list that is there. */
static struct key_slot list_slot(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	assert(slot.entry != NULL);
	assert(entry_type(slot.entry) == VALUE_list);
	return slot;
}

/* Whether the record takes all elements: then the key is removed. */
static bool takes_all(struct keyspace *ks, struct key_slot *slot,
		      const struct record *rec)
{
	ks->result = rec->count;
	if (list_count(slot->entry) > rec->count)
		return false;
	keyspace_free_entry(keyspace_take(ks, slot));
	return true;
}

void apply_list_pop(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot = list_slot(ks, rec);
	uint64_t old = entry_deadline(slot.entry);

	if (takes_all(ks, &slot, rec))
		return;
	keyspace_put(ks, &slot,
		     list_pop(slot.entry, (enum list_end)rec->at, rec->count,
			      &ks->list_limits),
		     old);
}

typedef struct entry *list_place_fn(struct entry *e, uint64_t index,
				    struct slice value,
				    const struct list_limits *limits);

/* Puts the record's value in its place. */
static void place(struct keyspace *ks, const struct record *rec,
		  list_place_fn *put)
{
	struct key_slot slot = list_slot(ks, rec);
	uint64_t old = entry_deadline(slot.entry);

	keyspace_put(ks, &slot,
		     put(slot.entry, rec->offset, rec->value,
			 &ks->list_limits),
		     old);
}

void apply_list_set(struct keyspace *ks, const struct record *rec)
{
	place(ks, rec, list_set);
}

void apply_list_insert(struct keyspace *ks, const struct record *rec)
{
	place(ks, rec, list_insert);
}

void apply_list_remove(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot = list_slot(ks, rec);
	uint64_t old = entry_deadline(slot.entry);

	if (takes_all(ks, &slot, rec))
		return;
	keyspace_put(ks, &slot,
		     list_remove(slot.entry, rec->offset, rec->count,
				 &ks->list_limits),
		     old);
}

static const char *value_fits(struct slice value)
{
	return value.size <= LIST_VALUE_MAX ? NULL : "the value is too long";
}

const char *fits_list_push(const struct keyspace *ks, const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (e && entry_type(e) != VALUE_list)
		return "the key holds no list";
	if (rec->at > RECORD_RIGHT)
		return "no such end";
	return rec->value.size <= LIST_VALUE_MAX ? items_fit(rec->value, 1)
						 : "the items are too long";
}

/* NULL and the number of elements, or why there are none. */
static const char *list_fits(const struct keyspace *ks,
			     const struct record *rec, uint64_t *count)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	if (!e)
		return "no such key";
	if (entry_type(e) != VALUE_list)
		return "the key holds no list";
	*count = list_count(e);
	return NULL;
}

const char *fits_list_pop(const struct keyspace *ks, const struct record *rec)
{
	uint64_t count = 0;
	const char *reason = list_fits(ks, rec, &count);

	if (reason)
		return reason;
	if (rec->at > RECORD_RIGHT)
		return "no such end";
	if (rec->count == 0 || rec->count > count)
		return "there are not that many elements";
	return NULL;
}

const char *fits_list_set(const struct keyspace *ks, const struct record *rec)
{
	uint64_t count = 0;
	const char *reason = list_fits(ks, rec, &count);

	if (!reason && rec->offset >= count)
		reason = "no such element";
	return reason ? reason : value_fits(rec->value);
}

const char *fits_list_insert(const struct keyspace *ks,
			     const struct record *rec)
{
	uint64_t count = 0;
	const char *reason = list_fits(ks, rec, &count);

	if (!reason && rec->offset > count)
		reason = "no such place";
	return reason ? reason : value_fits(rec->value);
}

const char *fits_list_remove(const struct keyspace *ks,
			     const struct record *rec)
{
	uint64_t count = 0;
	const char *reason = list_fits(ks, rec, &count);

	if (reason)
		return reason;
	if (rec->offset >= count || rec->count == 0 ||
	    rec->count > count - rec->offset)
		return "there are not that many elements";
	return NULL;
}
