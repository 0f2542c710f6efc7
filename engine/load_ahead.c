/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks of records, filled in a ring.
 *
 *   batches ──decode, hash──► block ─┐      helper
 *                                    ▼
 *               engine ◄── full ◄── ring ◄── empty ◄── engine
 *
 * I1. Blocks hold the records in order, whatever batches they came in.
 * I2. A block's records own nothing: their bytes are copied to the block, which
 *     does not move while it holds any.
 * I3. What waits is bounded by the ring; a single record may be as big as the
 *     source allows and then has a block for itself.
 */
#include "engine/load_ahead.h"

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"
#include "wal/cursor.h"

#define RING 4

_Static_assert(SNAPSHOT_END == LOAD_END, "ends are passed on");
_Static_assert(WAL_END == LOAD_END, "ends are passed on");

struct load_ahead {
	struct loader_options o;
	uint64_t hash_key[2];
	uint64_t fixed_lsn;
	uint32_t db_count;

	/* Whoever fills. */
	struct batch_reader in; /* of the batch at hand */
	bool open;              /* it has records left, maybe */
	bool held;              /* record did not fit into the last block */
	struct record record;
	uint64_t payload;
	unsigned fill;

	/* The caller. */
	unsigned take;
	bool taken;

	struct load_block blocks[RING];
	unsigned ring; /* blocks used: 1 without threads */
	bool threaded;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards the next two */
	pthread_cond_t changed;
	unsigned full; /* blocks filled, not yet given back */
	bool stop;
};

/* --- filling ------------------------------------------------------------- */

static struct slice keep(struct buf *to, struct slice s)
{
	uint8_t *at = to->data + to->size;

	if (!s.data) /* a field that the record does not have */
		return s;
	assert(to->capacity - to->size >= s.size); /* I2 */
	put_bytes(at, s.data, s.size);
	to->size += s.size;
	return slice_of(at, s.size);
}

/* Copies a->record into the block; false if it has no room. */
static bool take_record(struct load_ahead *a, struct load_block *b)
{
	struct record *r = &b->records[b->count];
	const struct record *from = &a->record;
	size_t size = from->key.size + from->value.size + from->other.size +
		      from->group.size + from->consumer.size;

	if (b->count == LOAD_BLOCK_RECORDS)
		return false;
	if (size > b->bytes.capacity - b->bytes.size) {
		if (b->count > 0)
			return false;
		buf_reserve(&b->bytes, size); /* I3 */
	}
	*r = *from;
	r->key = keep(&b->bytes, from->key);
	r->value = keep(&b->bytes, from->value);
	r->other = keep(&b->bytes, from->other);
	r->group = keep(&b->bytes, from->group);
	r->consumer = keep(&b->bytes, from->consumer);
	if (a->fixed_lsn)
		r->lsn = a->fixed_lsn;
	r->key_hash = r->key.data ? siphash13(r->key.data, r->key.size,
					      a->hash_key) : 0;
	b->count++;
	return true;
}

/* The next record into a->record: OK, LOAD_END or an error. */
static int next_record(struct load_ahead *a, struct err_message *m)
{
	struct batch_view v;
	int err;

	for (;;) {
		if (a->open && batch_next(&a->in, &a->record)) {
			if (a->record.lsn < a->o.first_lsn)
				continue;
			return OK;
		}
		if (a->open && a->in.in.bad)
			return err_set(m, ERR_CORRUPT,
				       "LSN %llu: a malformed record",
				       (unsigned long long)a->in.next_lsn);
		a->open = false;
		err = a->o.reader ? snapshot_next(a->o.reader, &v, m)
				  : wal_cursor_next(a->o.cursor, &v, m);
		if (err)
			return err;
		a->payload += v.records.size;
		a->in = batch_records(&v);
		a->open = true;
	}
}

static void fill_block(struct load_ahead *a, struct load_block *b)
{
	int err = OK;

	b->count = 0;
	b->bytes.size = 0;
	while (!err) {
		if (!a->held)
			err = next_record(a, &b->message);
		a->held = false;
		if (!err && !take_record(a, b)) {
			a->held = true; /* I1 */
			break;
		}
	}
	b->result = err;
	b->payload = a->payload;
}

static void *helper(void *arg)
{
	struct load_ahead *a = arg;
	bool more = true;

	while (more) {
		struct load_block *b = &a->blocks[a->fill];

		pthread_mutex_lock(&a->mutex);
		while (a->full == a->ring && !a->stop)
			pthread_cond_wait(&a->changed, &a->mutex);
		more = !a->stop;
		pthread_mutex_unlock(&a->mutex);
		if (!more)
			break;
		fill_block(a, b);
		more = b->result == OK;
		a->fill = (a->fill + 1) % a->ring;
		pthread_mutex_lock(&a->mutex);
		a->full++;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->mutex);
	}
	return NULL;
}

/* --- the caller's side --------------------------------------------------- */

struct load_ahead *load_ahead_new(const struct loader_options *o)
{
	struct load_ahead *a = mem_calloc(1, sizeof(*a));
	unsigned i;

	assert((o->reader == NULL) != (o->cursor == NULL));
	a->o = *o;
	a->hash_key[0] = o->ks->hash_key[0];
	a->hash_key[1] = o->ks->hash_key[1];
	if (o->reader)
		a->fixed_lsn = snapshot_reader_meta(o->reader)->lsn;
	a->ring = o->threads ? RING : 1;
	for (i = 0; i < a->ring; i++) {
		a->blocks[i].records = mem_calloc(LOAD_BLOCK_RECORDS,
						  sizeof(struct record));
		buf_reserve(&a->blocks[i].bytes, LOAD_BLOCK_BYTES);
	}
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->changed, NULL);
	/* Without a thread it works all the same. */
	a->threaded = o->threads &&
		      pthread_create(&a->thread, NULL, helper, a) == 0;
	return a;
}

void load_ahead_free(struct load_ahead *a)
{
	unsigned i;

	if (a->threaded) {
		pthread_mutex_lock(&a->mutex);
		a->stop = true;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->mutex);
		pthread_join(a->thread, NULL);
	}
	for (i = 0; i < a->ring; i++) {
		mem_free(a->blocks[i].records);
		buf_release(&a->blocks[i].bytes);
	}
	pthread_mutex_destroy(&a->mutex);
	pthread_cond_destroy(&a->changed);
	mem_free(a);
}

struct load_block *load_ahead_next(struct load_ahead *a)
{
	if (!a->threaded) {
		fill_block(a, &a->blocks[0]);
		return &a->blocks[0];
	}
	pthread_mutex_lock(&a->mutex);
	if (a->taken) {
		a->full--;
		a->take = (a->take + 1) % a->ring;
		pthread_cond_signal(&a->changed);
	}
	while (a->full == 0)
		pthread_cond_wait(&a->changed, &a->mutex);
	a->taken = true;
	pthread_mutex_unlock(&a->mutex);
	return &a->blocks[a->take];
}
