/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walking the tables.
 *
 * Every table with keys has a walk of its own from the same moment on; the
 * keyspace shows a bucket to its walk before it changes it (keyspace_slot), so
 * that each entry is met exactly once, as it was when the walk began.
 *
 *   bucket ──visit──► small: records ─► block ──full──► snapshot_put
 *                     big: frozen, in line ─────► records in steps
 *
 * I1. Nothing here changes a table: a visitor may be running inside of apply.
 * I2. What waits is bounded: the walk stops while the writer has no room, and
 *     when touches alone exceed queue_limit the walk is given up. After that
 *     visits do nothing. What the walk itself has put does not count: one key
 *     or element may be bigger than the limit.
 * I3. A frozen value holds its bytes by itself: deleting or flushing its key
 *     does not matter to it. The same holds for a table that has been walked.
 */
#include "engine/snapshot_walk.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/value_ops.h"

#define BUCKETS_PER_LOOK 8 /* at the clock: about 5 us */
#define FROZEN_STEP (256u << 10)
#define FROZEN_MAX 65536 /* values in line */

struct source {
	struct snapshot_walk *walk;
	uint32_t db;
	uint64_t position;
};

struct frozen {
	struct frozen *next;
	const struct value_ops *ops;
	void *value;
};

struct snapshot_walk {
	struct keyspace *ks;
	struct snapshot_writer *w;
	size_t queue_limit;
	struct batch block;
	struct frozen *first, *last;
	size_t frozen_count;
	bool overflow; /* I2 */
	bool walking;  /* else visits are touches */
	size_t walked; /* waiting when the walk stopped last */
	uint64_t keys_done, keys_total;
	uint32_t current; /* source being walked */
	uint32_t source_count;
	struct source *sources;
};

static void put_record(void *ctx, struct record *r)
{
	struct snapshot_walk *walk = ctx;

	batch_add(&walk->block, r);
	if (walk->block.records.size >= SNAPSHOT_BLOCK_SIZE)
		snapshot_put(walk->w, &walk->block);
}

static void freeze(struct snapshot_walk *walk, const struct entry *e,
		   uint32_t db)
{
	struct frozen *f = mem_alloc(sizeof(*f));

	f->next = NULL;
	f->ops = value_ops(e);
	f->value = f->ops->freeze(e, db, put_record, walk);
	if (walk->last)
		walk->last->next = f;
	else
		walk->first = f;
	walk->last = f;
	walk->frozen_count++;
}

static void fetch(void *ctx, void *entry)
{
	(void)ctx;
	entry_prefetch(entry);
}

static void visit(void *ctx, void *entry)
{
	struct source *source = ctx;
	struct snapshot_walk *walk = source->walk;
	const struct value_ops *ops = value_ops(entry);

	if (walk->overflow) /* I2 */
		return;
	walk->keys_done++;
	if (ops->is_small(entry))
		ops->dump(entry, source->db, put_record, walk);
	else
		freeze(walk, entry, source->db);
	if (walk->frozen_count > FROZEN_MAX ||
	    (!walk->walking &&
	     snapshot_queued(walk->w) > walk->walked + walk->queue_limit))
		walk->overflow = true;
}

struct snapshot_walk *snapshot_walk_new(struct keyspace *ks,
					struct snapshot_writer *w,
					size_t queue_limit)
{
	struct snapshot_walk *walk = mem_calloc(1, sizeof(*walk));
	uint32_t i;

	walk->ks = ks;
	walk->w = w;
	walk->sources = mem_calloc(ks->db_count, sizeof(*walk->sources));
	walk->queue_limit = queue_limit;
	batch_init(&walk->block);
	for (i = 0; i < ks->db_count; i++) {
		struct source *s = &walk->sources[walk->source_count];

		if (ks->dbs[i].keys.count == 0)
			continue;
		*s = (struct source){ .walk = walk, .db = i };
		table_walk_begin(&ks->dbs[i].keys, fetch, visit, s);
		walk->keys_total += ks->dbs[i].keys.count;
		walk->source_count++;
	}
	return walk;
}

void snapshot_walk_free(struct snapshot_walk *walk)
{
	struct frozen *f, *next;
	uint32_t i;

	if (!walk)
		return;
	for (i = 0; i < walk->ks->db_count; i++)
		table_walk_end(&walk->ks->dbs[i].keys);
	for (f = walk->first; f; f = next) {
		next = f->next;
		f->ops->frozen_free(f->value);
		mem_free(f);
	}
	batch_release(&walk->block);
	mem_free(walk->sources);
	mem_free(walk);
}

/* Whether the tables not yet walked are still those that were begun: a flush
 * ends the walk of a table, an exchange puts another one in its place. */
static bool intact(const struct snapshot_walk *walk)
{
	uint32_t i;

	for (i = walk->current; i < walk->source_count; i++) {
		const struct source *s = &walk->sources[i];
		const struct table *t = &walk->ks->dbs[s->db].keys;

		if (t->walk.number == 0 || t->walk.ctx != s)
			return false;
	}
	return true;
}

/* Gives a piece of the frozen value that is first in line. */
static void drain(struct snapshot_walk *walk)
{
	struct frozen *f = walk->first;

	if (f->ops->frozen_step(f->value, FROZEN_STEP, put_record, walk))
		return;
	walk->first = f->next;
	if (!walk->first)
		walk->last = NULL;
	walk->frozen_count--;
	f->ops->frozen_free(f->value);
	mem_free(f);
}

/* A few buckets of the current table. */
static void walk_buckets(struct snapshot_walk *walk)
{
	struct source *s = &walk->sources[walk->current];
	struct table *t = &walk->ks->dbs[s->db].keys;
	int i;

	for (i = 0; i < BUCKETS_PER_LOOK && !walk->first &&
	     snapshot_queued(walk->w) <= walk->queue_limit; i++) {
		if (table_walk_next(t, &s->position))
			continue;
		table_walk_end(t);
		walk->current++;
		return;
	}
}

enum snapshot_walk_end snapshot_walk_step(struct snapshot_walk *walk,
					  struct io *io, uint64_t until_us,
					  bool *stalled)
{
	*stalled = false;
	if (!intact(walk))
		return WALK_LOST;
	do {
		if (walk->overflow)
			return WALK_OVER;
		if (!snapshot_room(walk->w)) {
			*stalled = true;
			return WALK_MORE;
		}
		if (walk->first) {
			drain(walk);
		} else if (walk->current < walk->source_count) {
			walk->walking = true;
			walk_buckets(walk);
			walk->walking = false;
		} else {
			snapshot_put(walk->w, &walk->block);
			return WALK_DONE;
		}
		walk->walked = snapshot_queued(walk->w);
	} while (io->ops->mono_us(io) < until_us);
	return WALK_MORE;
}

void snapshot_walk_progress(const struct snapshot_walk *walk, uint64_t *done,
			    uint64_t *total)
{
	*done = walk->keys_done;
	*total = walk->keys_total;
}
