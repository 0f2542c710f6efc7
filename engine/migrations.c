/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I1. While a migration is on the list, every record that names one of its
 *     keys marks it; records that name no single key mark all.
 * I2. The observer is registered only while the list has something on it: a
 *     write costs nothing more otherwise.
 * I3. Equal hashes are taken for equal keys: at worst a key stays that could
 *     have gone.
 */
#include "engine/migrations.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

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
			m->keys[m->order[low].index].changed = true; /* I3 */
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

void migrations_release(struct engine *e)
{
	while (e->migrations) {
		struct migration *m = e->migrations;

		assert(m->transfer.release == NULL);
		migrations_remove(e, m);
		migration_free(m);
	}
}
