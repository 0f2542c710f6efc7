/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of elements: where handlers gather them, and whether those of a record
 * from outside can be applied.
 *
 * I1. The buffer is one for all. Who asks for it has emitted what was in it.
 * I2. What fits is whole: no item is cut off, and none is left over.
 */
#include "engine/items.h"

#include <math.h>

#include "engine/cmd.h"

struct buf *items_scratch(struct cmd *c)
{
	struct buf *b = &c->engine->items;

	if (b->capacity > 4 * ITEMS_SIZE_MAX)
		buf_release(b);
	b->size = 0;
	return b;
}

const char *items_fit(struct slice items, unsigned group)
{
	struct reader in = reader_of(items);
	size_t count = 0;

	while (reader_left(&in)) {
		read_string(&in);
		count++;
	}
	if (in.bad)
		return "its items are cut off";
	if (count == 0)
		return "no items";
	return count % group ? "an item is missing" : NULL;
}

const char *items_fit_scored(struct slice items)
{
	struct reader in = reader_of(items);
	bool numbers = true;

	if (items.size == 0)
		return "no items";
	while (reader_left(&in)) {
		uint64_t bits = read_u64(&in);
		double score;

		memcpy(&score, &bits, sizeof(score));
		numbers = numbers && !isnan(score);
		read_string(&in);
	}
	if (in.bad)
		return "its items are cut off";
	return numbers ? NULL : "a score is not a number";
}
