/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of members into records.
 *
 * I1. A record holds ITEMS_SIZE_MAX bytes of items and perhaps one more item.
 * I2. A result is copied before the first emit, so it may come from the key
 *     that it replaces.
 */
#include "engine/zset_store.h"

#include <assert.h>

#include "engine/zset_records.h"

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
