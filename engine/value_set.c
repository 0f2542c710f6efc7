/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets as the engine sees them.
 *
 * I1. The records of a set are set_add with some of its members each, in any
 *     order, then key_expire if it has a deadline; of a frozen one key_reserve
 *     before them.
 * I2. The digest of a set is the sum of the hashes of its members' bytes: it
 *     depends on no order and on no layout.
 * I3. A frozen set gives each member once, as the walk of its table meets it:
 *     in frozen_step, or before the member comes or goes. What has been met and
 *     not been given yet stands in `items`.
 */
#include "engine/value_ops.h"

#include "base/buf.h"
#include "base/mem.h"
#include "engine/config.h"
#include "engine/items.h"
#include "types/set.h"

#define DIGEST_SEED 0x5265646f75627432ULL /* any constant; part of the digest */
#define SMALL_COUNT 64
#define SMALL_SIZE 4096
/* Bytes of items in a record of a snapshot, about. */
#define RECORD_SIZE ((size_t)16 << 10)
/* Bytes of members given in a step, and buckets looked at. */
#define STEP_SIZE ((size_t)16 << 10)
#define STEP_BUCKETS 128

static struct hash128 set_digest(const struct entry *e)
{
	unsigned __int128 sum = 0;
	struct set_iterator it;
	struct slice s;

	set_iterate(&it, e);
	while (set_next(&it, &s)) {
		struct hash128 h = content_hash128(s.data, s.size, DIGEST_SEED);

		sum += (unsigned __int128)h.high << 64 | h.low; /* I2 */
	}
	return (struct hash128){ (uint64_t)sum, (uint64_t)(sum >> 64) };
}

static bool set_is_small(const struct entry *e)
{
	return !set_members(e) || (set_count(e) <= SMALL_COUNT &&
				   set_memory(e) <= SMALL_SIZE);
}

/* Where the records of one set go. */
struct set_records {
	record_sink_fn *sink;
	void *ctx;
	struct record r; /* type, cause, db and key */
	uint64_t deadline_ms;
	size_t announce; /* members, not yet announced */
	struct buf items;
};

static void give_items(struct set_records *to)
{
	value_announce(&to->r, to->announce, to->sink, to->ctx);
	to->announce = 0;
	to->r.value = buf_slice(&to->items);
	if (to->items.size)
		to->sink(to->ctx, &to->r);
	to->items.size = 0;
}

static void give_deadline(const struct set_records *to)
{
	struct record r = to->r;

	if (to->deadline_ms == 0)
		return;
	r.type = REC_key_expire;
	r.value = slice_of(NULL, 0);
	r.deadline = to->deadline_ms;
	to->sink(to->ctx, &r);
}

static void records_begin(struct set_records *to, const struct entry *e,
			  uint32_t db)
{
	to->deadline_ms = entry_deadline(e);
	to->r = (struct record){
		.type = REC_set_add,
		.cause = CAUSE_snapshot,
		.db = db,
		.key = entry_key(e),
	};
}

static void set_dump(const struct entry *e, uint32_t db, record_sink_fn *sink,
		     void *ctx)
{
	struct set_records to = { .sink = sink, .ctx = ctx };
	struct set_iterator it;
	struct slice s;

	records_begin(&to, e, db);
	set_iterate(&it, e);
	while (set_next(&it, &s)) {
		items_put(&to.items, s);
		if (to.items.size >= ITEMS_SIZE_MAX)
			give_items(&to);
	}
	give_items(&to);
	give_deadline(&to); /* I1 */
	buf_release(&to.items);
}

/* --- a big set on its way out ------------------------------------------- */

struct frozen_set {
	struct set_records to;
	struct set_table *members;
	uint64_t position;
	size_t met; /* bytes of members */
	uint8_t key[];
};

static void meet_member(void *ctx, void *member)
{
	struct frozen_set *f = ctx;
	char scratch[NUM_I64_SIZE];
	struct slice s = set_member_bytes(member, scratch);

	items_put(&f->to.items, s);
	f->met += s.size + 1;
	if (f->to.items.size >= RECORD_SIZE)
		give_items(&f->to);
}

static void *set_freeze(const struct entry *e, uint32_t db,
			record_sink_fn *sink, void *ctx)
{
	struct slice key = entry_key(e);
	struct frozen_set *f = mem_calloc(1, sizeof(*f) + key.size);

	f->to.sink = sink;
	f->to.ctx = ctx;
	records_begin(&f->to, e, db);
	f->to.announce = set_count(e);
	memcpy(f->key, key.data, key.size);
	f->to.r.key = slice_of(f->key, key.size);
	f->members = set_hold(e, meet_member, f);
	return f;
}

static bool set_frozen_step(void *frozen, size_t size_max,
			    record_sink_fn *sink, void *ctx)
{
	struct frozen_set *f = frozen;
	size_t most = size_max < STEP_SIZE ? size_max : STEP_SIZE;
	unsigned i;

	(void)sink; /* those of set_freeze */
	(void)ctx;
	f->met = 0;
	for (i = 0; i < STEP_BUCKETS && f->met < most; i++) {
		if (set_hold_next(f->members, &f->position))
			continue;
		give_items(&f->to);
		give_deadline(&f->to);
		return false;
	}
	return true;
}

static void set_frozen_free(void *frozen)
{
	struct frozen_set *f = frozen;

	set_release(f->members);
	buf_release(&f->to.items);
	mem_free(f);
}

static void set_configure(struct keyspace *ks, const struct config *config)
{
	struct set_limits limits = {
		.integer_count = (uint64_t)config->set_intset_entries,
		.packed_count = (uint64_t)config->set_listpack_entries,
		.packed_size = (uint64_t)config->set_listpack_value,
	};

	(void)ks;
	set_limits(&limits);
}

const struct value_ops value_set = {
	.type_name = "set",
	.encoding = set_encoding_name,
	.memory = set_memory,
	.digest = set_digest,
	.destroy = set_free,
	.copy = set_copy,
	.is_small = set_is_small,
	.dump = set_dump,
	.freeze = set_freeze,
	.frozen_step = set_frozen_step,
	.frozen_free = set_frozen_free,
	.configure = set_configure,
	.check = set_check,
};
