/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of types.
 *
 * I1. Each type has a row, at its number; without one it does not link.
 */
#include "engine/value_ops.h"

#include <assert.h>

#define ANNOUNCE_MIN 64

static const struct value_ops *const rows[VALUE_TYPE_MAX] = {
#define X(name, number, word) [number] = &value_##name,
	VALUE_TYPES(X)
#undef X
};

const struct value_ops *value_ops(const struct entry *e)
{
	const struct value_ops *ops = rows[entry_type(e)];

	assert(ops != NULL);
	return ops;
}

void value_announce(const struct record *like, size_t count,
		    record_sink_fn *sink, void *ctx)
{
	struct record r = {
		.type = REC_key_reserve,
		.cause = like->cause,
		.db = like->db,
		.key = like->key,
		.count = count,
	};

	if (count >= ANNOUNCE_MIN)
		sink(ctx, &r);
}

void values_configure(struct keyspace *ks, const struct config *config)
{
	unsigned i;

	for (i = 0; i < VALUE_TYPE_MAX; i++)
		if (rows[i] && rows[i]->configure)
			rows[i]->configure(ks, config);
}

void values_loading(bool on)
{
	unsigned i;

	for (i = 0; i < VALUE_TYPE_MAX; i++)
		if (rows[i] && rows[i]->loading)
			rows[i]->loading(on);
}
