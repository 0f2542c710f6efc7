/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the engine needs to know of each type of value: one row per type, found
 * by the entry's type number.  A new type adds value_<name>.c with its row
 * (docs/ARCHITECTURE.md, "To add a type"); nothing else in the engine asks
 * what type an entry has.
 */
#ifndef REDOUBT_ENGINE_VALUE_OPS_H
#define REDOUBT_ENGINE_VALUE_OPS_H

#include "base/checksum.h"
#include "types/entry.h"
#include "wal/record.h"

struct config;
struct keyspace;

/* Takes a record that rebuilds part of a value. The record's slices die when
 * the call returns; db, cause and key are filled. */
typedef void record_sink_fn(void *ctx, struct record *r);

struct value_ops {
	const char *type_name; /* what TYPE replies */

	/* The word OBJECT ENCODING replies. */
	const char *(*encoding)(const struct entry *e);

	/* All bytes the entry takes. */
	size_t (*memory)(const struct entry *e);

	/* A hash of the value alone, whatever its representation. */
	struct hash128 (*digest)(const struct entry *e);

	/* Frees the entry with all it points to; big parts go to the freeing
	 * thread. */
	void (*destroy)(struct entry *e);

	/* A copy under another key. */
	struct entry *(*copy)(const struct entry *e, struct slice key,
			      uint64_t deadline_ms);

	/* Whether dump is a bounded step. */
	bool (*is_small)(const struct entry *e);

	/* Gives the records that rebuild the value, deadline included; all at
	 * once, also of a big one (DUMP), and also while that is frozen. */
	void (*dump)(const struct entry *e, uint32_t db, record_sink_fn *sink,
		     void *ctx);

	/* A big value as it is now, for giving its records in steps while it
	 * goes on changing; keeps a copy of the key, and survives its removal.
	 * A change of the value may give records to sink at once: of what it is
	 * about to change. One freeze of a value at a time. */
	void *(*freeze)(const struct entry *e, uint32_t db,
			record_sink_fn *sink, void *ctx);

	/* Gives about size_max bytes of records, to the sink of freeze; false
	 * when that was all. */
	bool (*frozen_step)(void *frozen, size_t size_max,
			    record_sink_fn *sink, void *ctx);
	void (*frozen_free)(void *frozen);

	/* The rest may be NULL: the type has no need of it. */

	/* Takes over the directives that say how values are held, for this
	 * keyspace or for all; from now on, and never state. */
	void (*configure)(struct keyspace *ks, const struct config *config);

	/* on: values come in great numbers and nobody reads them, so work may
	 * be put off; off: it is done now. */
	void (*loading)(bool on);

	/* When the first part of the value that has a deadline of its own is
	 * due, unix ms; asked of entries with ENTRY_FIELDS alone. */
	uint64_t (*earliest)(const struct entry *e);

	/* Invariants as code, for tests. */
	void (*check)(const struct entry *e);
};

#define X(name, number, word) extern const struct value_ops value_##name;
VALUE_TYPES(X)
#undef X

/* Gives key_reserve for the key of `like`: so many elements follow, in records
 * of their own. Few are not worth it. */
void value_announce(const struct record *like, size_t count,
		    record_sink_fn *sink, void *ctx);

/* The row of an entry's type. */
const struct value_ops *value_ops(const struct entry *e);

/* These ask every type that has the row. */
void values_configure(struct keyspace *ks, const struct config *config);
void values_loading(bool on);

#endif
