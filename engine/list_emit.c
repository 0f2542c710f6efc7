/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of lists as records.
 *
 * I1. A run of any length becomes records of about ITEMS_SIZE_MAX each, cut
 *     between two of its strings.
 */
#include "engine/list_emit.h"

#include "engine/items.h"

/* The first strings of what is left that go into one record. (I1) */
static struct slice cut(struct reader *in)
{
	const uint8_t *begin = in->at;

	if (reader_left(in) <= ITEMS_SIZE_MAX)
		return read_bytes(in, reader_left(in));
	do {
		read_string(in);
	} while (reader_left(in) &&
		 (size_t)(in->at - begin) < ITEMS_SIZE_MAX);
	return slice_of(begin, (size_t)(in->at - begin));
}

void emit_list_push(struct cmd *c, struct slice key, enum list_end at,
		    struct slice items, enum record_cause cause)
{
	struct reader in = reader_of(items);

	while (reader_left(&in)) {
		struct record r = {
			.type = REC_list_push,
			.cause = (uint8_t)cause,
			.db = c->db,
			.key = key,
			.at = at,
			.value = cut(&in),
		};

		emit(c, &r);
	}
}

void emit_list_pop(struct cmd *c, struct slice key, enum list_end at,
		   uint64_t count, enum record_cause cause)
{
	struct record r = {
		.type = REC_list_pop,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.at = at,
		.count = count,
	};

	if (count > 0)
		emit(c, &r);
}

void emit_list_remove(struct cmd *c, struct slice key, uint64_t index,
		      uint64_t count, enum record_cause cause)
{
	struct record r = {
		.type = REC_list_remove,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.offset = index,
		.count = count,
	};

	emit(c, &r);
}
