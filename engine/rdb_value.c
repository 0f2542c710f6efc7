/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the elements of a payload to records.
 *
 * I1. The run holds items of one record: at most RUN_MAX bytes and one element
 *     more; of fields, those that have the same deadline.
 * I2. Names are hashed with the keyspace's key, so that nobody who sends
 *     payloads can choose ones that collide.
 */
#include "engine/rdb_value.h"

#include <assert.h>
#include <math.h>

#include "base/checksum.h"
#include "base/coding.h"
#include "base/mem.h"
#include "engine/items.h"
#include "engine/value_ops.h"

#define RUN_MAX ((size_t)60 << 10)
#define SLOTS_MIN 64
#define EXPECTED_MAX ((uint64_t)1 << 20) /* believed at once */

struct rdb_name {
	uint64_t hash;
	size_t offset; /* of its size and its bytes; 0: free */
};

/* The slot of a name, or the free one where it would go. */
static struct rdb_name *find_name(struct rdb_names *n, struct slice name,
				  uint64_t hash)
{
	size_t i = hash & (n->slot_count - 1);

	for (;; i = (i + 1) & (n->slot_count - 1)) {
		struct rdb_name *s = &n->slots[i];

		if (s->offset == 0)
			return s;
		if (s->hash == hash &&
		    slice_equal(name, sized_at(n->bytes.data + s->offset)))
			return s;
	}
}

/* To twice the slots, or more if so many are wanted. */
static void grow_names(struct rdb_names *n, size_t wanted)
{
	size_t old = n->slot_count, i, at;
	struct rdb_name *slots = n->slots;

	n->slot_count = old ? old * 2 : SLOTS_MIN;
	while (n->slot_count < wanted)
		n->slot_count *= 2;
	n->slots = mem_calloc(n->slot_count, sizeof(*n->slots));
	for (i = 0; i < old; i++) {
		if (slots[i].offset == 0)
			continue;
		at = slots[i].hash & (n->slot_count - 1);
		while (n->slots[at].offset)
			at = (at + 1) & (n->slot_count - 1);
		n->slots[at] = slots[i];
	}
	mem_free(slots);
}

bool rdb_names_add(struct rdb_names *n, struct slice name)
{
	uint64_t hash = siphash13(name.data, name.size, n->hash_key); /* I2 */
	struct rdb_name *s;

	if (n->count * 2 >= n->slot_count)
		grow_names(n, 0);
	s = find_name(n, name, hash);
	if (s->offset)
		return false;
	if (n->bytes.size == 0)
		buf_put_byte(&n->bytes, 0); /* offset 0 means free */
	*s = (struct rdb_name){ hash, n->bytes.size };
	items_put(&n->bytes, name);
	n->count++;
	return true;
}

void rdb_names_release(struct rdb_names *n)
{
	buf_release(&n->bytes);
	mem_free(n->slots);
	n->slots = NULL;
	n->count = 0;
	n->slot_count = 0;
}

void rdb_value_init(struct rdb_value *v, const uint64_t hash_key[2],
		    uint64_t now_ms)
{
	*v = (struct rdb_value){ .now_ms = now_ms };
	v->names.hash_key = hash_key;
}

void rdb_value_release(struct rdb_value *v)
{
	value_copy_release(&v->copy);
	buf_release(&v->run);
	rdb_names_release(&v->names);
	if (v->stream)
		value_ops(v->stream)->destroy(v->stream);
}

void rdb_value_expect(struct rdb_value *v, uint64_t count, size_t bytes)
{
	if (count > bytes / 2)
		count = bytes / 2; /* no element is shorter */
	if (count > EXPECTED_MAX)
		count = EXPECTED_MAX;
	if (2 * count > v->names.slot_count)
		grow_names(&v->names, 2 * (size_t)count);
}

/* False: nothing more is taken. */
static bool has_room(struct rdb_value *v, size_t size)
{
	size_t used = v->copy.bytes.size + v->run.size;

	if (size > RDB_VALUE_MAX || used > RDB_VALUE_MAX - size)
		v->bad = true;
	return !v->bad;
}

void rdb_value_record(struct rdb_value *v, struct record *r)
{
	if (!has_room(v, r->value.size + r->other.size))
		return;
	r->cause = CAUSE_restore;
	value_copy_add(&v->copy, r);
}

static void end_run(struct rdb_value *v)
{
	struct record r = {
		.type = v->type,
		.value = buf_slice(&v->run),
		.deadline = v->run_deadline,
		.at = v->type == REC_list_push ? RECORD_RIGHT : 0,
	};

	if (v->run.size == 0)
		return;
	rdb_value_record(v, &r);
	v->run.size = 0;
}

/* Before an element of that many bytes goes into the run. */
static bool next_item(struct rdb_value *v, uint8_t type, size_t size)
{
	assert(v->type == 0 || v->type == type);
	v->type = type;
	if (!has_room(v, size))
		return false;
	if (v->run.size && v->run.size + size > RUN_MAX) /* I1 */
		end_run(v);
	v->count++;
	return true;
}

static bool is_new(struct rdb_value *v, struct slice name)
{
	if (!v->bad && !rdb_names_add(&v->names, name))
		v->bad = true;
	return !v->bad;
}

void rdb_value_string(struct rdb_value *v, struct slice s)
{
	struct record r = { .type = REC_str_set,
			    .value = s,
			    .deadline = v->deadline };

	v->count++;
	rdb_value_record(v, &r);
}

void rdb_value_element(struct rdb_value *v, struct slice s)
{
	if (next_item(v, REC_list_push, s.size))
		items_put(&v->run, s);
}

void rdb_value_member(struct rdb_value *v, struct slice s)
{
	if (is_new(v, s) && next_item(v, REC_set_add, s.size))
		items_put(&v->run, s);
}

void rdb_value_field(struct rdb_value *v, struct slice field,
		     struct slice value, uint64_t deadline)
{
	if (!is_new(v, field))
		return;
	if (deadline && deadline <= v->now_ms) {
		v->dropped++;
		return;
	}
	if (deadline != v->run_deadline) {
		end_run(v); /* I1 */
		v->run_deadline = deadline;
	}
	if (!next_item(v, REC_hash_set, field.size + value.size))
		return;
	items_put(&v->run, field);
	items_put(&v->run, value);
}

void rdb_value_scored(struct rdb_value *v, double score, struct slice member)
{
	assert(!isnan(score));
	if (is_new(v, member) && next_item(v, REC_zset_add, member.size))
		items_put_scored(&v->run, score, member);
}

void rdb_value_end(struct rdb_value *v)
{
	struct record r = { .type = REC_key_expire, .deadline = v->deadline };
	const struct record *first;

	end_run(v);
	rdb_names_release(&v->names);
	first = (const struct record *)v->copy.records.data;
	if (v->deadline && first && first->type != REC_str_set)
		rdb_value_record(v, &r);
}

/* Counting what the records of a stream take. */
struct count {
	size_t key_size;
	uint64_t bytes;
};

static void count_record(void *ctx, struct record *r)
{
	struct count *count = ctx;

	count->bytes += RECORD_OVERHEAD_MAX + count->key_size + r->group.size +
			r->consumer.size + r->value.size;
}

uint64_t rdb_value_room(const struct rdb_value *v, struct slice key)
{
	struct count count = { .key_size = key.size };
	uint64_t records = v->copy.records.size / sizeof(struct record);

	if (!v->stream)
		return v->copy.bytes.size +
		       records * (RECORD_OVERHEAD_MAX + key.size);
	value_ops(v->stream)->dump(v->stream, 0, count_record, &count);
	return count.bytes;
}

bool rdb_value_exists(const struct rdb_value *v)
{
	return v->stream || v->copy.records.size > 0;
}

/* The way of a stream's records to their key. */
struct emission {
	struct cmd *c;
	const struct value_target *to;
};

static void emit_record(void *ctx, struct record *r)
{
	const struct emission *m = ctx;

	r->db = m->to->db;
	r->key = m->to->key;
	r->cause = (uint8_t)m->to->cause;
	emit(m->c, r);
}

void rdb_value_emit(struct cmd *c, const struct rdb_value *v,
		    const struct value_target *to)
{
	struct emission m = { c, to };
	struct record gone = {
		.type = REC_key_del,
		.cause = (uint8_t)to->cause,
		.db = to->db,
		.key = to->key,
	};

	if (!v->stream) {
		value_copy_emit(c, &v->copy, to);
		return;
	}
	if (keyspace_find(c->ks, to->db, to->key))
		emit(c, &gone);
	value_ops(v->stream)->dump(v->stream, to->db, emit_record, &m);
}
