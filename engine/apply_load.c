/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Applying blocks of records, so that the memory of one record is on its way
 * while others are worked on.
 *
 *   record i + 16: fetch its bucket ─ i + 8: fetch its entry ─ i: apply
 *
 * I1. Records are applied in the order in which they came.
 * I2. A prefetch is a hint: a record before may move what it fetched.
 * I3. Records come from outside: each is checked against the state it meets.
 * I4. Room that is made for what is announced is bounded by the file: no key
 *     and no element takes less than a byte of it.
 */
#include "engine/apply_load.h"

#include <assert.h>

#include "engine/keyspace_mut.h"
#include "engine/load_ahead.h"

#define BUCKET_AHEAD 16
#define ENTRY_AHEAD 8

static const struct table *table_of(const struct keyspace *ks,
				    const struct record *r)
{
	return r->db < ks->db_count ? &ks->dbs[r->db].keys : NULL;
}

static void fetch_bucket(const struct keyspace *ks, const struct load_block *b,
			 unsigned i)
{
	const struct table *t;

	if (i < b->count && (t = table_of(ks, &b->records[i])) != NULL)
		table_prefetch_insert(t, b->records[i].key_hash);
}

static void fetch_entry(const struct keyspace *ks, const struct load_block *b,
			unsigned i)
{
	const struct table *t;

	if (i < b->count && (t = table_of(ks, &b->records[i])) != NULL)
		table_prefetch_entry(t, b->records[i].key_hash);
}

static int apply_block(struct keyspace *ks, const struct load_block *b,
		       struct err_message *m)
{
	unsigned i;

	for (i = 0; i < BUCKET_AHEAD; i++)
		fetch_bucket(ks, b, i);
	for (i = 0; i < ENTRY_AHEAD; i++)
		fetch_entry(ks, b, i);
	for (i = 0; i < b->count; i++) { /* I1 */
		int err;

		fetch_bucket(ks, b, i + BUCKET_AHEAD);
		fetch_entry(ks, b, i + ENTRY_AHEAD);
		err = apply_foreign(ks, &b->records[i], m); /* I3 */
		if (err)
			return err;
	}
	return OK;
}

/* The most that values of a snapshot can announce. (I4) */
static size_t credible(const struct snapshot_reader *r)
{
	uint64_t done, size = 0;

	if (r)
		snapshot_progress(r, &done, &size);
	return (size_t)size;
}

int loader_run(const struct loader_options *o, uint64_t *bytes,
	       struct err_message *m)
{
	struct load_ahead *a = load_ahead_new(o);
	struct load_block *b;
	uint64_t done = 0;
	int err;

	o->ks->reserve = (struct key_reserve){ .left = credible(o->reader) };
	do {
		b = load_ahead_next(a);
		err = apply_block(o->ks, b, m);
		if (!err && b->result < 0) {
			err = b->result;
			if (m)
				*m = b->message;
		}
		done = b->payload;
		if (o->progress)
			o->progress(o->ctx, done);
	} while (!err && b->result == OK);
	if (!err && o->reader)
		o->ks->applied_lsn = snapshot_reader_meta(o->reader)->lsn;
	if (bytes)
		*bytes = done;
	o->ks->reserve = (struct key_reserve){ 0 };
	keyspace_forget(o->ks);
	load_ahead_free(a);
	return err;
}

int loader_presize(struct keyspace *ks, const struct snapshot_meta *meta,
		   uint64_t file_size, struct err_message *m)
{
	uint32_t i;

	for (i = 0; i < meta->db_count; i++) {
		uint64_t keys = meta->dbs[i].keys;
		uint32_t db = meta->dbs[i].db;

		if (db >= ks->db_count)
			return err_set(m, ERR_CONFIG,
				       "the snapshot has keys in database %u, "
				       "this server has %u (raise "
				       "`databases`)", db, ks->db_count);
		if (keys > file_size)
			keys = file_size; /* I4 */
		file_size -= keys;
		keyspace_reserve(ks, db, keys);
	}
	return OK;
}
