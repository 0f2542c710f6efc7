/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of sets.
 */
#include "engine/apply_list.h"

#include <assert.h>

#include "base/checksum.h"
#include "engine/items.h"
#include "types/set.h"

/* Runs of this many bytes are looked over before they are added. */
#define RUN_SIZE_MIN 1024

/* A set without members, with room for what is announced, or for the run. */
static struct entry *begin_set(struct keyspace *ks,
			       const struct key_slot *slot,
			       const struct record *rec)
{
	size_t count = keyspace_expected(ks, slot);
	struct reader in = reader_of(rec->value);

	if (count == 0 && rec->value.size >= RUN_SIZE_MIN)
		for (; reader_left(&in); count++)
			read_string(&in);
	if (count == 0)
		return set_new(rec->key, 0);
	in = reader_of(rec->value);
	return set_new_for(rec->key, ks->hash_key, count, read_string(&in));
}

/* The members that a new set has got so far, by hash. A set of more is big. */
#define SEEN_CELLS 1024

struct seen {
	struct slice cells[SEEN_CELLS];
	unsigned count;
};

/* True: this one has not been there. */
static bool seen_add(struct seen *s, struct slice member, uint64_t seed)
{
	size_t i = content_hash(member.data, member.size, seed);

	if (s->count == SEEN_CELLS / 2)
		return false;
	for (; s->cells[i % SEEN_CELLS].data; i++)
		if (slice_equal(s->cells[i % SEEN_CELLS], member))
			return false;
	s->cells[i % SEEN_CELLS] = member;
	s->count++;
	return true;
}

/* Adds a run, some members together; how many were new. */
static struct entry *add_run(struct entry *e, const struct keyspace *ks,
			     struct reader *in, size_t *added)
{
	bool is_new, watched = set_count(e) == 0 && !set_members(e);
	struct seen seen;
	struct set_probes p;
	unsigned i;

	if (watched)
		seen = (struct seen){ 0 };

	*added = 0;
	while (reader_left(in)) {
		for (p.count = 0; p.count < SET_PROBES_MAX && reader_left(in);
		     p.count++)
			p.members[p.count] = (struct set_member){
				.bytes = read_string(in) };
		set_prefetch(e, &p);
		for (i = 0; i < p.count; i++) {
			p.members[i].absent = watched &&
				seen_add(&seen, p.members[i].bytes,
					 ks->hash_key[0]);
			e = set_add(e, ks->hash_key, &p.members[i], &is_new);
			*added += is_new;
		}
	}
	return e;
}

void apply_set_add(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	uint64_t old = e ? entry_deadline(e) : 0;
	struct set_member m = { .hash = rec->item_hash,
				.absent = rec->item_hash != 0 };
	struct reader in = reader_of(rec->value);
	size_t added;
	bool is_new;

	if (!e)
		e = begin_set(ks, &slot, rec);
	assert(entry_type(e) == VALUE_set);
	if (rec->value.size < RUN_SIZE_MIN) {
		for (added = 0; reader_left(&in); added += is_new) {
			m.bytes = read_string(&in);
			e = set_add(e, ks->hash_key, &m, &is_new);
		}
	} else {
		e = add_run(e, ks, &in, &added);
	}
	assert(!in.bad);
	ks->result = added;
	keyspace_put(ks, &slot, e, old);
}

void apply_set_del(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);
	struct entry *e = slot.entry;
	struct set_member m = { .hash = rec->item_hash };
	struct reader in = reader_of(rec->value);
	bool removed;

	assert(e != NULL);
	assert(entry_type(e) == VALUE_set);
	ks->result = 0;
	while (reader_left(&in)) {
		m.bytes = read_string(&in);
		e = set_remove(e, &m, &removed);
		ks->result += removed;
	}
	assert(!in.bad);
	keyspace_put(ks, &slot, e, entry_deadline(e));
	if (set_count(e) == 0)
		keyspace_free_entry(keyspace_take(ks, &slot));
}

static const char *set_fits(const struct entry *e, const struct record *rec)
{
	if (e && entry_type(e) != VALUE_set)
		return "the key holds no set";
	return items_fit(rec->value, 1);
}

const char *fits_set_add(const struct keyspace *ks, const struct record *rec)
{
	return set_fits(keyspace_find(ks, rec->db, rec->key), rec);
}

const char *fits_set_del(const struct keyspace *ks, const struct record *rec)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	return e ? set_fits(e, rec) : "no such key";
}
