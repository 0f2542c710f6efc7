/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emit: the one way a live command changes anything.
 *
 *   engine_batch_begin ── emit … emit ── engine_batch_end
 *                          │ encode into the open batch
 *                          │ apply
 *                          └ observers: note
 *                                          └ wal_append, observers: act
 *
 * I1. The records of a batch have the LSNs last_lsn + 1 … without a gap.
 * I2. A record is applied before emit returns; what it was encoded from is
 *     what is applied.
 * I3. A write leaves its LSN in the gate table under its key's hash, so that
 *     no reader of the key is answered before the write is released.
 * I4. Nothing in here fails (DESIGN.md 1.3).
 */
#include <assert.h>

#include "engine/apply.h"
#include "engine/cmd.h"

void engine_batch_begin(struct engine *e, const struct origin *o)
{
	assert(e->batch.count == 0);
	e->batch.origin = o;
	e->batch.origin_cache = NULL;
	e->batch.time_ms = e->now_ms;
}

void engine_emit(struct engine *e, struct record *r)
{
	struct wal *w = e->wal;
	unsigned i;

	r->lsn = e->position->last_lsn + e->batch.count + 1; /* I1 */
	r->key_hash = r->key.size || r->key.data ?
		      keyspace_hash(&e->ks, r->key) : 0;
	if (wal_level(w) != WAL_OFF) {
		batch_add(&e->batch, r);
		e->gates[r->key_hash & (GATE_SLOTS - 1)] = r->lsn; /* I3 */
	} else {
		e->batch.count++; /* released at once: no gate to raise */
	}
	if (__builtin_expect(record_is_barrier(r->type), 0))
		e->barrier_lsn = r->lsn;
	apply(&e->ks, r); /* I2 */
	e->stats.dirty++;
	for (i = 0; i < e->observers.note_count; i++)
		e->observers.note[i]->note(e, r);
}

void engine_batch_end(struct engine *e)
{
	unsigned i;

	if (e->batch.count == 0)
		return;
	wal_append(e->wal, &e->batch);
	batch_reset(&e->batch);
	assert(e->position->last_lsn == e->ks.applied_lsn);
	for (i = 0; i < e->observers.act_count; i++)
		e->observers.act[i]->act(e);
}

void emit(struct cmd *c, struct record *r)
{
	engine_emit(c->engine, r);
	c->emitted++;
}

void emit_str_set(struct cmd *c, struct slice key, struct slice value,
		  uint64_t deadline, enum record_cause cause)
{
	struct record r = {
		.type = REC_str_set,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.value = value,
		.deadline = deadline,
	};

	emit(c, &r);
}

void emit_str_set_i64(struct cmd *c, struct slice key, int64_t value,
		      uint64_t deadline, enum record_cause cause)
{
	char text[NUM_I64_SIZE];
	size_t size = num_format_i64(text, value);

	emit_str_set(c, key, slice_of(text, size), deadline, cause);
}

void emit_str_write(struct cmd *c, struct slice key, uint64_t offset,
		    struct slice bytes, enum record_cause cause)
{
	struct record r = {
		.type = REC_str_write,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.offset = offset,
		.value = bytes,
	};

	assert(bytes.size > 0);
	emit(c, &r);
}

void emit_key_del(struct cmd *c, struct slice key, enum record_cause cause)
{
	struct record r = {
		.type = REC_key_del,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
	};

	emit(c, &r);
}

void emit_key_expire(struct cmd *c, struct slice key, uint64_t deadline,
		     enum record_cause cause)
{
	struct record r = {
		.type = REC_key_expire,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
		.deadline = deadline,
	};

	emit(c, &r);
}
