/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/value_ops.h"

#include <assert.h>

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
