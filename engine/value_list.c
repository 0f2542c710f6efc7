/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists as the engine sees them.
 *
 * I1. The records of a list are list_push of its elements from left to right,
 *     to the right end, then its deadline.
 * I2. The digest is that of the elements as a run of strings (varint size,
 *     bytes): it depends neither on nodes nor on how integers are held.
 * I3. A frozen list shares the nodes; who writes to the list copies them
 *     first.  So it goes on as it was whatever becomes of the key.
 */
#include "engine/value_ops.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "engine/config.h"
#include "engine/items.h"
#include "engine/keyspace.h"
#include "types/list.h"

#define DIGEST_SEED 0x5265646f75627432ULL /* any constant; part of the digest */

/* A record is as long as this when it is given, and one element more. */
#define RUN_SIZE (ITEMS_SIZE_MAX - 4096)

static struct hash128 list_digest(const struct entry *e)
{
	XXH3_state_t *state = XXH3_createState();
	struct buf run = { 0 };
	struct list_cursor c;
	XXH128_hash_t h;

	if (!state)
		mem_exhausted(sizeof(*state));
	XXH3_128bits_reset_withSeed(state, DIGEST_SEED);
	list_seek(&c, e, 0);
	while (list_take(&c, &run, RUN_SIZE)) {
		XXH3_128bits_update(state, run.data, run.size);
		run.size = 0;
	}
	h = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	buf_release(&run);
	return (struct hash128){ h.low64, h.high64 };
}

static bool list_is_small(const struct entry *e)
{
	return entry_encoding(e) == ENC_RAW;
}

/* What is on its way out, and where it has got to. */
struct list_source {
	struct list_cursor cursor;
	struct buf run;
	struct slice key;
	uint64_t deadline_ms;
	uint32_t db;
};

/* Gives the next record of elements; false: there are none left. (I1) */
static bool give_elements(struct list_source *s, record_sink_fn *sink,
			  void *ctx)
{
	struct record r = {
		.type = REC_list_push,
		.cause = CAUSE_snapshot,
		.db = s->db,
		.key = s->key,
		.at = RECORD_RIGHT,
	};

	s->run.size = 0;
	if (!list_take(&s->cursor, &s->run, RUN_SIZE))
		return false;
	r.value = buf_slice(&s->run);
	sink(ctx, &r);
	return true;
}

static void give_deadline(const struct list_source *s, record_sink_fn *sink,
			  void *ctx)
{
	struct record r = {
		.type = REC_key_expire,
		.cause = CAUSE_snapshot,
		.db = s->db,
		.key = s->key,
		.deadline = s->deadline_ms,
	};

	if (s->deadline_ms)
		sink(ctx, &r);
}

static void list_dump(const struct entry *e, uint32_t db, record_sink_fn *sink,
		      void *ctx)
{
	struct list_source s = {
		.key = entry_key(e),
		.deadline_ms = entry_deadline(e),
		.db = db,
	};

	list_seek(&s.cursor, e, 0);
	while (give_elements(&s, sink, ctx))
		;
	give_deadline(&s, sink, ctx);
	buf_release(&s.run);
}

struct frozen_list {
	struct list_source source;
	struct list_big *list; /* shares the nodes (I3) */
	uint8_t key[];
};

static void *list_freeze_value(const struct entry *e, uint32_t db,
			       record_sink_fn *sink, void *ctx)
{
	struct slice key = entry_key(e);
	struct frozen_list *f = mem_alloc(sizeof(*f) + key.size);

	(void)sink;
	(void)ctx;
	put_bytes(f->key, key.data, key.size);
	f->source = (struct list_source){
		.key = slice_of(f->key, key.size),
		.deadline_ms = entry_deadline(e),
		.db = db,
	};
	f->list = list_freeze(e, &f->source.cursor);
	return f;
}

static bool list_frozen_step(void *frozen, size_t size_max,
			     record_sink_fn *sink, void *ctx)
{
	struct frozen_list *f = frozen;
	size_t given = 0;

	while (given < size_max) {
		if (!give_elements(&f->source, sink, ctx)) {
			give_deadline(&f->source, sink, ctx);
			return false;
		}
		given += f->source.run.size;
	}
	return true;
}

static void list_frozen_release(void *frozen)
{
	struct frozen_list *f = frozen;

	list_frozen_free(f->list);
	buf_release(&f->source.run);
	mem_free(f);
}

static void list_configure(struct keyspace *ks, const struct config *config)
{
	ks->list_limits = list_limits_of(config->list_max_listpack_size);
}

const struct value_ops value_list = {
	.type_name = "list",
	.encoding = list_encoding_name,
	.memory = list_memory,
	.digest = list_digest,
	.destroy = list_free,
	.copy = list_copy,
	.is_small = list_is_small,
	.dump = list_dump,
	.freeze = list_freeze_value,
	.frozen_step = list_frozen_step,
	.frozen_free = list_frozen_release,
	.configure = list_configure,
	.check = list_check,
};
