/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets of byte strings.
 *
 * A small one lives in its entry (types/set_small.h): integers in order, or
 * packed elements.  A big one is a struct set_table behind the entry: a table
 * (types/table.h) of packed elements, each an object of its own.  Which of them
 * is not state: set_limits decides when a set that grows becomes another, and
 * none ever goes back.
 *
 * Functions that change may move the entry and return where it is now. Slices
 * and refs of members die at the next change. Engine thread.
 */
#ifndef REDOUBT_TYPES_SET_H
#define REDOUBT_TYPES_SET_H

#include "base/num.h"
#include "types/entry.h"
#include "types/table.h"

struct set_table;

/* Up to how many members a set stays small, and of how many bytes each. */
struct set_limits {
	uint64_t integer_count; /* of integers alone */
	uint64_t packed_count;
	uint64_t packed_size;
};

/* Holds for what changes afterwards. */
void set_limits(const struct set_limits *limits);

/* An entry without members, for set_add; never leave it so. */
struct entry *set_new(struct slice key, uint64_t deadline_ms);

/* Likewise one that is about to get count members, all much like the first: if
 * so many cannot stay small it is big at once, with room for them. */
struct entry *set_new_for(struct slice key, const uint64_t hash_key[2],
			  size_t count, struct slice first);

enum set_form {
	SET_FORM_UNKNOWN,
	SET_FORM_NUMBER, /* the decimal text of `number` */
	SET_FORM_BYTES,  /* of none */
};

/* A member to look for, or to add. */
struct set_member {
	struct slice bytes;
	struct slice packed; /* where another set has it; data NULL: nowhere */
	uint64_t hash; /* by the store's key; 0: not known yet */
	int64_t number;
	enum set_form form;
	bool absent; /* that it is not there is known */
};

/* Adds m; *added: it is new. hash_key is the store's. */
struct entry *set_add(struct entry *e, const uint64_t hash_key[2],
		      const struct set_member *m, bool *added);

/* Takes m out; *removed: it was there. The caller removes an entry that has
 * become empty. */
struct entry *set_remove(struct entry *e, const struct set_member *m,
			 bool *removed);

/* Members. */
size_t set_count(const struct entry *e);

/* Whether m is there. Of a big set it fills m->hash and m->absent in. */
bool set_find(const struct entry *e, struct set_member *m);

static inline bool set_has(const struct entry *e, struct slice bytes)
{
	struct set_member m = { .bytes = bytes };

	return set_find(e, &m);
}

/* "intset", "listpack" or "hashtable". */
const char *set_encoding_name(const struct entry *e);

/* Bytes of the entry and of all members. */
size_t set_memory(const struct entry *e);

/* A copy under another key. */
struct entry *set_copy(const struct entry *e, struct slice key,
		       uint64_t deadline_ms);

/* Frees the entry; of a big set the members go little by little. */
void set_free(struct entry *e);

/* --- reading members ---------------------------------------------------- */

#define SET_BUCKET_MAX (4 * TABLE_BUCKET_SLOTS)

/* A ref says where a member of a set stands. */
struct set_iterator {
	const struct table *table; /* NULL: a small set */
	uint64_t position;         /* of the next bucket */
	const uint8_t *at, *end;   /* of a small set: what is left */
	uint8_t width;             /* of its integers; 0: packed elements */
	bool last;                 /* no more buckets */
	unsigned index, count;     /* in found */
	const void *found[SET_BUCKET_MAX];
	char scratch[NUM_I64_SIZE];
};

/* Begins a walk through all members of e, which may not change meanwhile. */
void set_iterate(struct set_iterator *it, const struct entry *e);

/* The ref of the next member; NULL when that was all. */
const uint8_t *set_next_ref(struct set_iterator *it);

/* The next member, valid until the next call; false when that was all. */
bool set_next(struct set_iterator *it, struct slice *bytes);

#define SET_PROBES_MAX 16

/* Some members, to be looked for or added one after the other. */
struct set_probes {
	unsigned count;
	struct set_member members[SET_PROBES_MAX];
	char scratch[SET_PROBES_MAX][NUM_I64_SIZE];
};

/* The next members of a walk; false when that was all. */
bool set_next_probes(struct set_iterator *it, struct set_probes *p);

/* Fetches what set_find of each of them will look at. */
void set_prefetch(const struct entry *e, struct set_probes *p);

/* Some member, close to uniformly chosen by random. e is not empty. */
const uint8_t *set_random(const struct entry *e, uint64_t random);

/* The bytes of the member at a ref, of a number in scratch. */
struct slice set_bytes(const struct entry *e, const uint8_t *ref,
		       char scratch[NUM_I64_SIZE]);

/* The members of a big set, for a walk in steps; NULL: the set is small. */
const struct table *set_members(const struct entry *e);

/* The bytes of an entry of that table. */
struct slice set_member_bytes(const void *member, char scratch[NUM_I64_SIZE]);

/* --- a snapshot of a big set -------------------------------------------- */

/* Has visit called once for every member there is now, before it changes and
 * in set_hold_next. The set stays until set_release, even if its entry is
 * freed. One hold at a time. */
struct set_table *set_hold(const struct entry *e, table_visit_fn *visit,
			   void *ctx);

/* Visits some more; *position is 0 at first. False when that was all. */
bool set_hold_next(struct set_table *t, uint64_t *position);

/* Ends the hold. */
void set_release(struct set_table *t);

/* Invariants as code, for tests. */
void set_check(const struct entry *e);

#endif
