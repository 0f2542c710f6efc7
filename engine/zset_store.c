/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of members into records.
 *
 * I1. A record holds ITEMS_SIZE_MAX bytes of items and perhaps one more item.
 * I2. A result is copied before the first emit, so it may come from the key
 *     that it replaces.
 * I3. A result has its items in any order, and no member twice.
 */
#include "engine/zset_store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "engine/zset_records.h"
#include "types/zset_tree.h"

static void emit_run(struct cmd *c, struct slice key, struct slice run,
		     enum record_cause cause)
{
	struct record r = {
		.type = REC_zset_add,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.value = run,
	};

	emit(c, &r);
}

void zset_result_put(struct zset_result *r, const struct zset_item *item)
{
	items_put_scored(&r->run, item->score, item->member);
	r->count++;
}

/* The item at `at` of a run; returns where the next one begins. */
static const uint8_t *item_at(const uint8_t *at, struct zset_item *out)
{
	memcpy(&out->score, at, sizeof(out->score));
	out->member = sized_at(at + sizeof(out->score));
	return out->member.data + out->member.size;
}

static int compare_items(const void *a, const void *b)
{
	const struct zset_item *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return zset_compare_bytes(x->member, y->member);
}

struct zset_item *zset_result_sorted(const struct zset_result *r)
{
	struct zset_item *items =
		mem_realloc_array(NULL, r->count + 1, sizeof(*items));
	const uint8_t *at = r->run.data;
	size_t i;

	for (i = 0; i < r->count; i++)
		at = item_at(at, &items[i]);
	if (r->count > 1)
		qsort(items, r->count, sizeof(*items), compare_items);
	return items;
}

/* --- finding members again ------------------------------------------------ */

#define CELL_TAG (UINT64_C(0xffff) << 48)

void zset_index_init(struct zset_index *x, size_t count_max, uint64_t seed)
{
	x->seed = seed;
	x->mask = 15;
	while (x->mask + 1 < count_max + count_max / 2)
		x->mask = x->mask * 2 + 1;
	x->cells = mem_calloc(x->mask + 1, sizeof(*x->cells));
}

void zset_index_release(struct zset_index *x)
{
	mem_free(x->cells);
}

uint8_t *zset_index_put(struct zset_index *x, struct zset_result *r,
			const struct zset_item *item, bool *added)
{
	uint64_t hash = content_hash(item->member.data, item->member.size,
				     x->seed);
	uint64_t tag = hash & CELL_TAG;
	size_t i = hash & x->mask, offset;

	for (; x->cells[i]; i = (i + 1) & x->mask) {
		struct zset_item there;

		if ((x->cells[i] & CELL_TAG) != tag)
			continue;
		offset = (size_t)(x->cells[i] & ~CELL_TAG) - 1;
		item_at(r->run.data + offset, &there);
		if (!slice_equal(there.member, item->member))
			continue;
		*added = false;
		return r->run.data + offset;
	}
	offset = r->run.size;
	x->cells[i] = tag | (offset + 1);
	zset_result_put(r, item);
	*added = true;
	return r->run.data + offset;
}

/* --- records -------------------------------------------------------------- */

/* Emits a run of any length. */
static void emit_runs(struct cmd *c, struct slice key, struct slice run,
		      enum record_cause cause)
{
	struct reader in = reader_of(run);
	const uint8_t *begin = run.data;

	while (reader_left(&in)) {
		size_t size;

		read_u64(&in);
		read_string(&in);
		assert(!in.bad);
		size = (size_t)(in.at - begin);
		if (size >= ITEMS_SIZE_MAX || !reader_left(&in)) {
			emit_run(c, key, slice_of(begin, size), cause);
			begin = in.at;
		}
	}
}

void zset_result_store(struct cmd *c, struct zset_result *r, struct slice key,
		       enum record_cause cause)
{
	if (cmd_room(c, zset_records_size(key, 0, r->run.size) + key.size)) {
		if (lookup_write(c, key))
			emit_key_del(c, key, r->count ? cause : CAUSE_del);
		emit_runs(c, key, buf_slice(&r->run), cause);
		reply_i64(c, (int64_t)r->count);
	}
	buf_release(&r->run);
}
