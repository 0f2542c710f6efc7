/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of small values as records.
 *
 * I1. While the copy grows its bytes move, so a slice is kept as its offset
 *     and becomes a pointer when the record is emitted.
 * I2. The records of a dump build on nothing: what stands at the target goes
 *     first, unless the first record replaces it by itself (str_set).
 */
#include "engine/value_copy.h"

#include <assert.h>

#include "engine/value_ops.h"

static struct slice keep(struct buf *bytes, struct slice s)
{
	size_t offset = bytes->size;

	buf_put_slice(bytes, s);
	return slice_of((const void *)(uintptr_t)offset, s.size); /* I1 */
}

static struct slice found(const struct buf *bytes, struct slice s)
{
	if (s.size == 0)
		return slice_of("", 0);
	return slice_of(bytes->data + (uintptr_t)s.data, s.size);
}

void value_copy_add(struct value_copy *v, const struct record *r)
{
	struct record kept = *r;

	kept.value = keep(&v->bytes, r->value);
	kept.other = keep(&v->bytes, r->other);
	kept.group = keep(&v->bytes, r->group);
	kept.consumer = keep(&v->bytes, r->consumer);
	buf_put(&v->records, &kept, sizeof(kept));
}

static void keep_record(void *ctx, struct record *r)
{
	value_copy_add(ctx, r);
}

void value_copy_take(struct value_copy *v, const struct entry *e)
{
	const struct value_ops *ops = value_ops(e);

	assert(ops->is_small(e));
	*v = (struct value_copy){ 0 };
	ops->dump(e, 0, keep_record, v);
	assert(v->records.size > 0);
}

/* Removes what stands at the target. (I2) */
static void clear_target(struct cmd *c, const struct value_copy *v,
			 const struct value_target *to)
{
	const struct record *first = (const struct record *)v->records.data;
	struct record r = {
		.type = REC_key_del,
		.cause = (uint8_t)to->cause,
		.db = to->db,
		.key = to->key,
	};

	if (first->type != REC_str_set && keyspace_find(c->ks, to->db, to->key))
		emit(c, &r);
}

void value_copy_emit(struct cmd *c, const struct value_copy *v,
		     const struct value_target *to)
{
	size_t at;

	clear_target(c, v, to);
	for (at = 0; at < v->records.size; at += sizeof(struct record)) {
		struct record r;

		memcpy(&r, v->records.data + at, sizeof(r));
		r.db = to->db;
		r.key = to->key;
		r.cause = (uint8_t)to->cause;
		r.value = found(&v->bytes, r.value);
		r.other = found(&v->bytes, r.other);
		r.group = found(&v->bytes, r.group);
		r.consumer = found(&v->bytes, r.consumer);
		emit(c, &r);
	}
}

void value_copy_release(struct value_copy *v)
{
	buf_release(&v->records);
	buf_release(&v->bytes);
}
