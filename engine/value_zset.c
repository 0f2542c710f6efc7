/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted sets as the engine sees them.
 *
 * I1. The records of a sorted set are zset_add with some members each, then
 *     key_expire if the key has a deadline; of a frozen one key_reserve before
 *     them.
 * I2. The digest is a sum over members of (score, bytes): neither order nor
 *     representation enters.
 * I3. A frozen one is a walk over the member table: members are given as they
 *     were when it began, those that are about to change first.  The structure
 *     outlives its key (zset_big_free) until the walk is freed.
 */
#include "engine/value_ops.h"

#include <assert.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/config.h"
#include "engine/items.h"
#include "types/zset_big.h"

#define MEMBER_SEED 0x5265646f75627a53ULL /* any constant; in the digest */
#define FROZEN_RUN_MAX (32u << 10)
#define FROZEN_STEP_MAX (16u << 10) /* of members that may not be cached */

static struct hash128 zset_digest(const struct entry *e)
{
	unsigned __int128 sum = 0;
	struct zset_item item;
	struct zset_iter it;

	zset_seek(&it, e, 0);
	while (zset_next(&it, &item)) {
		uint64_t seed = content_hash(&item.score, sizeof(item.score),
					     MEMBER_SEED);
		struct hash128 h = content_hash128(item.member.data,
						   item.member.size, seed);

		sum += (unsigned __int128)h.high << 64 | h.low; /* I2 */
	}
	return (struct hash128){ (uint64_t)sum, (uint64_t)(sum >> 64) };
}

static bool zset_is_small(const struct entry *e)
{
	return zset_big(e) == NULL;
}

/* Members on their way into records. */
struct run {
	record_sink_fn *sink;
	void *ctx;
	uint32_t db;
	struct slice key;
	struct buf items;
	size_t announce; /* members, not yet announced */
};

static void run_flush(struct run *run)
{
	struct record r = {
		.type = REC_zset_add,
		.cause = CAUSE_snapshot,
		.db = run->db,
		.key = run->key,
		.value = buf_slice(&run->items),
	};

	value_announce(&r, run->announce, run->sink, run->ctx);
	run->announce = 0;
	if (run->items.size > 0)
		run->sink(run->ctx, &r);
	run->items.size = 0;
}

static void run_put(struct run *run, double score, struct slice member)
{
	items_put_scored(&run->items, score, member);
	if (run->items.size >= FROZEN_RUN_MAX)
		run_flush(run);
}

/* What is left, and the deadline. (I1) */
static void run_finish(struct run *run, uint64_t deadline_ms)
{
	struct record r = {
		.type = REC_key_expire,
		.cause = CAUSE_snapshot,
		.db = run->db,
		.key = run->key,
		.deadline = deadline_ms,
	};

	run_flush(run);
	if (deadline_ms)
		run->sink(run->ctx, &r);
}

static void zset_dump(const struct entry *e, uint32_t db, record_sink_fn *sink,
		      void *ctx)
{
	struct run run = { sink, ctx, db, entry_key(e), { 0 }, 0 };
	struct zset_item item;
	struct zset_iter it;

	zset_seek(&it, e, 0);
	while (zset_next(&it, &item))
		run_put(&run, item.score, item.member);
	run_finish(&run, entry_deadline(e));
	buf_release(&run.items);
}

struct frozen_zset {
	struct zset *z;
	struct run run;
	uint64_t position;
	uint64_t deadline_ms;
	size_t given; /* bytes, ever */
	bool ended;
	uint8_t key[];
};

static void visit(void *ctx, void *entry)
{
	const struct zset_member *m = entry;
	struct slice member = zset_member_bytes(m);
	struct frozen_zset *f = ctx;

	f->given += sizeof(m->score) + member.size;
	run_put(&f->run, m->score, member);
}

static void *zset_freeze(const struct entry *e, uint32_t db,
			 record_sink_fn *sink, void *ctx)
{
	struct slice key = entry_key(e);
	struct frozen_zset *f = mem_alloc(sizeof(*f) + key.size);

	*f = (struct frozen_zset){
		.z = zset_big(e),
		.run = { sink, ctx, db, slice_of(f->key, key.size), { 0 },
			 zset_count(e) },
		.deadline_ms = entry_deadline(e),
	};
	memcpy(f->key, key.data, key.size);
	assert(!f->z->held);
	f->z->held = true;
	table_walk_begin(&f->z->members, NULL, visit, f);
	return f;
}

static bool zset_frozen_step(void *frozen, size_t size_max,
			     record_sink_fn *sink, void *ctx)
{
	struct frozen_zset *f = frozen;
	size_t stop = f->given + (size_max < FROZEN_STEP_MAX ? size_max
							    : FROZEN_STEP_MAX);

	assert(sink == f->run.sink && ctx == f->run.ctx);
	while (f->given < stop) {
		if (table_walk_next(&f->z->members, &f->position))
			continue;
		table_walk_end(&f->z->members);
		f->ended = true;
		run_finish(&f->run, f->deadline_ms);
		return false;
	}
	return true;
}

static void zset_frozen_free(void *frozen)
{
	struct frozen_zset *f = frozen;

	if (!f->ended)
		table_walk_end(&f->z->members);
	zset_big_release(f->z);
	buf_release(&f->run.items);
	mem_free(f);
}

static void zset_configure(struct keyspace *ks, const struct config *config)
{
	(void)ks;
	zset_limits((size_t)config->zset_packed_count_max,
		    (size_t)config->zset_packed_value_max);
}

const struct value_ops value_zset = {
	.type_name = "zset",
	.encoding = zset_encoding_name,
	.memory = zset_memory,
	.digest = zset_digest,
	.destroy = zset_free,
	.copy = zset_copy,
	.is_small = zset_is_small,
	.dump = zset_dump,
	.freeze = zset_freeze,
	.frozen_step = zset_frozen_step,
	.frozen_free = zset_frozen_free,
	.configure = zset_configure,
	.loading = zset_loading,
	.check = zset_check,
};
