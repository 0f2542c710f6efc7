/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading in groups of GROUP_MAX records: three passes over a group, so that
 * the memory of one record is on its way while others are worked on.
 *
 *   decode, hash, fetch bucket ─► fetch entry ─► check and apply
 *
 * I1. Records are applied in the order in which they came.
 * I2. Small batches (a log of single writes) are copied to the stage, because
 *     their bytes die before the group is full; big ones are used in place and
 *     finished before loader_add returns.
 * I3. A prefetch is a hint: a record earlier in the group may move what it
 *     fetched.
 */
#include "engine/apply_load.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/keyspace_mut.h"

#define GROUP_MAX 16
#define COPY_COUNT_MAX 8 /* records of a batch that is copied */
#define COPY_SIZE_MAX 2048
#define STAGE_SIZE (GROUP_MAX * COPY_SIZE_MAX)

struct loader {
	struct keyspace *ks;
	unsigned count;
	struct record group[GROUP_MAX];
	uint64_t applied;
	size_t stage_fill;
	uint8_t stage[STAGE_SIZE];
};

struct loader *loader_new(struct keyspace *ks)
{
	struct loader *l = mem_calloc(1, sizeof(*l));

	l->ks = ks;
	return l;
}

void loader_free(struct loader *l)
{
	/* Its hash was of bytes that go with l. */
	l->ks->memo = (struct key_memo){ 0 };
	mem_free(l);
}

uint64_t loader_count(const struct loader *l)
{
	return l->applied;
}

int loader_flush(struct loader *l, struct err_message *m)
{
	unsigned i, count = l->count;

	assert(count <= GROUP_MAX);
	for (i = 0; i < count; i++) {
		const struct record *r = &l->group[i];

		table_prefetch_entry(&l->ks->dbs[r->db].keys, r->key_hash);
	}
	l->count = 0;
	l->stage_fill = 0;
	for (i = 0; i < count; i++) { /* I1 */
		int err = apply_foreign(l->ks, &l->group[i], m);

		if (err)
			return err;
		l->applied++;
	}
	return OK;
}

/* The view's records at a place where they live until the next flush. (I2) */
static int stage(struct loader *l, struct batch_view *v, struct err_message *m)
{
	uint8_t *to;

	if (l->stage_fill + v->records.size > STAGE_SIZE) {
		int err = loader_flush(l, m);

		if (err)
			return err;
	}
	to = l->stage + l->stage_fill;
	put_bytes(to, v->records.data, v->records.size);
	l->stage_fill += v->records.size;
	v->records.data = to;
	return OK;
}

/* Puts r into the group and starts fetching its bucket. */
static int take(struct loader *l, struct record *r, struct err_message *m)
{
	struct keyspace *ks = l->ks;

	if (r->db >= ks->db_count)
		return record_fits(ks, r, m);
	r->key_hash = 0;
	if (r->key.data) {
		r->key_hash = siphash13(r->key.data, r->key.size,
					ks->hash_key);
		table_prefetch_bucket(&ks->dbs[r->db].keys, r->key_hash);
	}
	l->group[l->count++] = *r;
	return OK;
}

int loader_add(struct loader *l, const struct batch_view *v,
	       const struct loader_range *range, struct err_message *m)
{
	struct batch_view view = *v;
	bool copy = v->count <= COPY_COUNT_MAX &&
		    v->records.size <= COPY_SIZE_MAX;
	struct batch_reader in;
	struct record r;
	int err = OK;

	/* The stage is never emptied under a batch that lies in it. */
	if (copy && l->count + v->count > GROUP_MAX)
		err = loader_flush(l, m);
	if (!err && copy)
		err = stage(l, &view, m);
	in = batch_records(&view);
	while (!err && batch_next(&in, &r)) {
		if (r.lsn < range->first_lsn)
			continue;
		if (range->fixed_lsn)
			r.lsn = range->fixed_lsn;
		err = take(l, &r, m);
		if (!err && l->count == GROUP_MAX)
			err = loader_flush(l, m);
	}
	if (!err && in.in.bad)
		err = err_set(m, ERR_CORRUPT,
			      "LSN %llu: a malformed record",
			      (unsigned long long)in.next_lsn);
	return err || copy ? err : loader_flush(l, m);
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
		/* No key takes less than a byte of the file. */
		keyspace_reserve(ks, db, keys < file_size ? keys : file_size);
	}
	return OK;
}
