/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of sorted sets, in pieces of ITEMS_SIZE_MAX.
 */
#include "engine/zset_records.h"

#include <assert.h>

#define ITEM_OVERHEAD (sizeof(double) + VARINT_SIZE_MAX)

struct zset_writer zset_writer(struct cmd *c, struct slice key,
			       enum record_type type, enum record_cause cause)
{
	assert(type == REC_zset_add || type == REC_zset_del);
	return (struct zset_writer){
		.c = c,
		.key = key,
		.type = (uint8_t)type,
		.cause = (uint8_t)cause,
		.items = items_scratch(c),
	};
}

void zset_writer_flush(struct zset_writer *w)
{
	struct record r = {
		.type = w->type,
		.cause = w->cause,
		.db = w->c->db,
		.key = w->key,
		.value = buf_slice(w->items),
	};

	if (w->items->size == 0)
		return;
	emit(w->c, &r);
	w->changed += w->c->ks->result;
	w->emitted++;
	w->items->size = 0;
}

uint64_t zset_records_size(struct slice key, size_t count, size_t bytes)
{
	return items_room(key.size, 1,
			  (uint64_t)count * ITEM_OVERHEAD + bytes);
}
