/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the handlers of hashes share: lookups that know a field's deadline, and
 * runs of fields on their way to records.
 */
#ifndef REDOUBT_ENGINE_HASH_FIELDS_H
#define REDOUBT_ENGINE_HASH_FIELDS_H

#include "engine/cmd.h"
#include "engine/items.h"
#include "types/hash.h"

/* A field that dies later than this cannot be named (as Redis has it). */
#define FIELD_DEADLINE_MAX_MS ((int64_t)70368744177663)

/* FIELDS numfields field … from argv[at] on, to the end; an error with
 * count_error if that is no number. False: an error has been replied. */
bool arg_fields(struct cmd *c, unsigned at, const char *count_error);
#define FIELD_COUNT_ERROR "ERR Number of fields must be a positive integer"

/* A time for fields, in unit_ms, from now or absolute; in the past is fine.
 * False: an error has been replied. */
bool arg_field_time(struct cmd *c, unsigned index, int64_t unit_ms,
		    bool absolute, uint64_t *when_ms);

/* The hash at argv[1], for reading; *e NULL: absent. False: WRONGTYPE. */
bool hash_open(struct cmd *c, const struct entry **e);

/* Likewise for writing. The fields argv[first], argv[first + step], … below
 * `end` of which the deadline has passed are removed first, by a record that
 * does not count as the command's own. */
bool hash_open_write(struct cmd *c, unsigned first, unsigned end,
		     unsigned step, const struct entry **e);

/* The hash at argv[1] after an emit; NULL: absent. */
const struct entry *hash_again(const struct cmd *c);

/* Whether a reader may see it. */
static inline bool item_live(const struct cmd *c, const struct hash_item *item)
{
	return item->deadline_ms == 0 || item->deadline_ms > c->now_ms;
}

/* The field, if it is there and live; e may be NULL. */
bool hash_live(const struct cmd *c, const struct entry *e, struct slice field,
	       struct hash_item *out);

/* Whether some field may be due, so that readers have to look at each. */
bool hash_has_due(const struct cmd *c, const struct entry *e);

/* Fields that readers may see. */
size_t hash_live_count(const struct cmd *c, const struct entry *e);

/* A run that becomes records of one type, as long as records may be. */
struct field_run {
	struct cmd *c;
	struct record record;
	struct buf *items;
	size_t result; /* of all records: members new or removed */
	uint64_t pending; /* run_meet: a bit by hash of each field met */
};

/* Begins an empty run for the key argv[1]. */
struct field_run run_begin(struct cmd *c, enum record_type type,
			   uint64_t deadline_ms, enum record_cause cause);

static inline void run_put(struct field_run *run, struct slice s)
{
	items_put(run->items, s);
}

/* Emits what there is, if anything. */
void run_emit(struct field_run *run);

/* Before a field is looked up that a run of changes may hold already: emits the
 * run if so, or if it is long; true if it has, and every entry is dead. */
bool run_meet(struct field_run *run, struct slice field);

/* Emits if there is enough for a record; true if it has, and every entry is
 * dead. Call it between pairs. */
static inline bool run_cut(struct field_run *run)
{
	if (run->items->size < ITEMS_SIZE_MAX)
		return false;
	run_emit(run);
	return true;
}

#endif
