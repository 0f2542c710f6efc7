/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small value on its way to another key: its records, copied, so that the
 * old key can go before the new one comes.
 */
#ifndef REDOUBT_ENGINE_VALUE_COPY_H
#define REDOUBT_ENGINE_VALUE_COPY_H

#include "engine/cmd.h"

struct value_copy {
	struct buf records; /* of struct record, slices as offsets */
	struct buf bytes;
};

/* Where the value goes. */
struct value_target {
	uint32_t db;
	struct slice key;
	enum record_cause cause;
};

/* Copies value and deadline of e, of which value_ops says that it is small. */
void value_copy_take(struct value_copy *v, const struct entry *e);

/* Adds a record to a copy that is made by hand, beginning with {0}; its slices
 * are copied. */
void value_copy_add(struct value_copy *v, const struct record *r);

/* Emits the records that make `to` hold the value. */
void value_copy_emit(struct cmd *c, const struct value_copy *v,
		     const struct value_target *to);

/* Frees the copy. */
void value_copy_release(struct value_copy *v);

#endif
