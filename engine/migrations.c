/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I1. While a migration is on the list, every record that names one of its
 *     keys marks it; records that name no single key mark all.
 * I2. The observer is registered only while the list has something on it: a
 *     write costs nothing more otherwise.
 * I3. A key is removed only after the target has said that it has it, and only
 *     if no record has named it since: what others write meanwhile stays.
 * I4. The target is a reader like any other: it is sent nothing that a crash
 *     could take back here.
 * I5. Equal hashes are taken for equal keys: at worst a key stays that could
 *     have gone.
 */
#include "engine/migrations.h"

#include <assert.h>
#include <stdlib.h>

#include "base/coding.h"
#include "base/mem.h"

#define DELETE_ROOM 128 /* bytes of the log, beside the key */

static void posted(struct completion *completion)
{
	struct migration *m = (struct migration *)completion;

	if (m->transfer.release)
		m->transfer.release(&m->transfer);
	m->posted = true;
}

struct migration *migration_new(struct cmd *c, const struct slice *keys,
				unsigned count)
{
	struct migration *m = mem_calloc(1, sizeof(*m));
	size_t size = 0;
	unsigned i;

	for (i = 0; i < count; i++)
		size += keys[i].size;
	buf_reserve(&m->key_bytes, size + 1); /* slices into it stay good */
	m->keys = mem_calloc(count, sizeof(*m->keys));
	m->order = mem_calloc(count, sizeof(*m->order));
	m->engine = c->engine;
	m->transfer.queue = &c->engine->completions;
	m->transfer.completion.done = posted;
	m->session = c->session;
	m->db = c->db;
	memcpy(m->address, c->session->address, sizeof(m->address));
	return m;
}

void migration_add(struct migration *m, struct slice key)
{
	const uint8_t *at = m->key_bytes.data + m->key_bytes.size;

	assert(m->key_bytes.capacity - m->key_bytes.size >= key.size);
	buf_put_slice(&m->key_bytes, key);
	m->order[m->key_count] = (struct migrating_hash){
		.hash = keyspace_hash(&m->engine->ks, key),
		.index = m->key_count,
	};
	m->keys[m->key_count++] = (struct migrating_key){
		.key = slice_of(at, key.size),
	};
}

void migration_free(struct migration *m)
{
	buf_release(&m->transfer.request);
	buf_release(&m->transfer.replies);
	buf_release(&m->error);
	buf_release(&m->key_bytes);
	mem_free(m->keys);
	mem_free(m->order);
	mem_free(m);
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = ((const struct migrating_hash *)a)->hash;
	uint64_t y = ((const struct migrating_hash *)b)->hash;

	return x < y ? -1 : x > y;
}

static void mark_all(struct migration *m)
{
	unsigned i;

	for (i = 0; i < m->key_count; i++)
		m->keys[i].changed = true;
}

static void mark(struct migration *m, const struct record *r)
{
	unsigned low = 0, high = m->key_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (m->order[middle].hash < r->key_hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < m->key_count && m->order[low].hash == r->key_hash; low++)
		if (m->db == r->db)
			m->keys[m->order[low].index].changed = true; /* I5 */
}

static void note_record(struct engine *e, const struct record *r)
{
	struct migration *m;

	for (m = e->migrations; m; m = m->next) {
		if (record_is_barrier(r->type)) /* I1 */
			mark_all(m);
		else
			mark(m, r);
	}
}

static const struct observer observer = {
	.name = "migrations",
	.note = note_record,
};

void migrations_add(struct engine *e, struct migration *m)
{
	qsort(m->order, m->key_count, sizeof(*m->order), compare_hashes);
	if (!e->migrations)
		observe(&e->observers, &observer); /* I2 */
	m->next = e->migrations;
	e->migrations = m;
}

void migrations_remove(struct engine *e, struct migration *m)
{
	struct migration **at = &e->migrations;

	while (*at && *at != m)
		at = &(*at)->next;
	assert(*at == m);
	*at = m->next;
	if (!e->migrations)
		unobserve(&e->observers, &observer);
}

void migration_depart(struct engine *e, struct migration *m)
{
	if (m->departed || engine_release_lsn(e) < m->gate) /* I4 */
		return;
	m->departed = true;
	if (e->host.transfer && e->host.transfer(e->host.ctx, &m->transfer))
		return;
	m->transfer.end = TRANSFER_NOT_CONNECTED;
	m->posted = true;
}

/* --- the way back --------------------------------------------------------- */

/* The next reply; false: there is none, or it is no line we know. */
static bool next_reply(struct reader *in, struct slice *line)
{
	const uint8_t *end = NULL;

	if (reader_left(in))
		end = memchr(in->at, '\n', reader_left(in));
	if (!end || end - in->at < 2 || end[-1] != '\r' ||
	    (*in->at != '+' && *in->at != '-'))
		return false;
	*line = slice_of(in->at, (size_t)(end - in->at) - 1);
	in->at = end + 1;
	return true;
}

/* Notes which keys the target has, and its first error. */
static void read_replies(struct migration *m)
{
	struct transfer *t = &m->transfer;
	struct reader in = reader_of(buf_slice(&t->replies));
	bool greeted = true;
	struct slice line;
	unsigned i;

	for (i = 0; i < t->reply_count; i++) {
		if (!next_reply(&in, &line)) {
			if (t->end == TRANSFER_DONE)
				t->end = TRANSFER_NOT_READ;
			return;
		}
		if (line.data[0] == '-' && m->error.size == 0) {
			buf_put_slice(&m->error, line);
			buf_drop_front(&m->error, 1);
			buf_put_byte(&m->error, 0);
		}
		if (i < m->greetings)
			greeted = greeted && line.data[0] == '+';
		else
			m->keys[i - m->greetings].arrived =
				greeted && line.data[0] == '+';
	}
}

/* (I3) */
static void remove_keys(struct engine *e, struct migration *m)
{
	struct origin origin = {
		.user = SLICE_LITERAL("default"),
		.address = slice_str(m->address),
		.command = SLICE_LITERAL("migrate"),
	};
	unsigned i;

	engine_batch_begin(e, &origin);
	for (i = 0; i < m->key_count; i++) {
		const struct migrating_key *k = &m->keys[i];
		struct record r = {
			.type = REC_key_del,
			.cause = CAUSE_migrate,
			.db = m->db,
			.key = k->key,
		};

		if (k->arrived && !k->changed &&
		    keyspace_find(&e->ks, m->db, k->key))
			engine_emit(e, &r);
		m->kept += k->arrived && k->changed;
	}
	engine_batch_end(e);
}

void migration_arrive(struct engine *e, struct migration *m)
{
	size_t room = 0;
	unsigned i;

	migrations_remove(e, m);
	read_replies(m);
	for (i = 0; i < m->key_count; i++)
		room += m->keys[i].key.size + DELETE_ROOM;
	if (m->copy)
		return;
	m->no_room = !wal_room(e->wal, room, true);
	if (!m->no_room)
		remove_keys(e, m);
}

void migrations_turn(struct engine *e)
{
	struct migration *m, *next;

	for (m = e->migrations; m; m = next) {
		next = m->next;
		if (!m->posted || m->session)
			continue; /* who waits sees to it */
		migration_arrive(e, m);
		migration_free(m);
	}
}

void migrations_release(struct engine *e)
{
	while (e->migrations) {
		struct migration *m = e->migrations;

		assert(m->transfer.release == NULL);
		migrations_remove(e, m);
		migration_free(m);
	}
}
