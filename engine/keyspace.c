/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyspace: tables, deadline indexes, and the memory of the last lookup.
 *
 * I1. Only this file and apply*.c change a table; before they do they let a
 *     running walk (snapshot) see the bucket as it was: table_walk_touch.
 * I2. deadline_count is the number of entries with a deadline; each of them
 *     has an item in the index at or before its deadline, or ENTRY_INDEXED
 *     would lie.
 * I3. fields_count is the number of entries with ENTRY_FIELDS; each of them has
 *     an item in the index of fields, at the earliest or some ms later.
 * I4. The memo is known by the bytes of a key, or by the hash of a long one,
 *     never by where they stand: buffers are used again. Its ref is good until
 *     the table changes: a change of the entry alone (keyspace_slot …
 *     keyspace_put) leaves it good, and so does the end of a command.
 * I5. Estimates (engine/estimates.h) are of entries as they are: keyspace_slot,
 *     where each change of a key begins, drops the key's.
 */
#include "engine/keyspace_mut.h"

#include <assert.h>

#include "base/grave.h"
#include "base/mem.h"
#include "engine/config.h"
#include "engine/estimates.h"
#include "engine/value_ops.h"
#include "types/table_inline.h"

/* Stale items that are not worth a rebuild of the index. */
#define REINDEX_SLACK 65536

static uint64_t hash_of_entry(const void *ctx, const void *entry)
{
	const uint64_t *hash_key = ctx;
	struct slice key = entry_key(entry);

	return siphash13(key.data, key.size, hash_key);
}

void keyspace_init(struct keyspace *ks, const struct config *config,
		   const uint64_t hash_key[2])
{
	uint32_t i, db_count = (uint32_t)config->databases;

	assert(db_count > 0);
	*ks = (struct keyspace){ .db_count = db_count };
	ks->hash_key[0] = hash_key[0];
	ks->hash_key[1] = hash_key[1];
	values_configure(ks, config);
	ks->dbs = mem_calloc(db_count, sizeof(*ks->dbs));
	for (i = 0; i < db_count; i++)
		table_init(&ks->dbs[i].keys, hash_of_entry, ks->hash_key);
}

static void free_visited(void *ctx, void *entry)
{
	(void)ctx;
	value_ops(entry)->destroy(entry);
}

static void db_clear(struct db *db)
{
	table_release(&db->keys, free_visited, NULL);
	if (db->deadlines)
		wheel_free(db->deadlines);
	if (db->fresh)
		wheel_free(db->fresh);
	if (db->fields)
		wheel_free(db->fields);
	if (db->fresh_fields)
		wheel_free(db->fresh_fields);
	db->deadlines = db->fresh = NULL;
	db->fields = db->fresh_fields = NULL;
	db->deadline_count = db->fields_count = 0;
}

/* Copies at most MEMO_KEY_MAX bytes: two words from either end, which overlap
 * where they have to. A call of memcpy would cost more than the rest. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size >= 16) {
		memcpy(to, from, 16);
		memcpy(to + size - 16, from + size - 16, 16);
	} else if (size >= 8) {
		memcpy(to, from, 8);
		memcpy(to + size - 8, from + size - 8, 8);
	} else if (size >= 4) {
		memcpy(to, from, 4);
		memcpy(to + size - 4, from + size - 4, 4);
	} else if (size > 0) {
		to[0] = from[0];
		to[size / 2] = from[size / 2];
		to[size - 1] = from[size - 1];
	}
}

/* Likewise: whether that many bytes are equal. */
static inline bool equal_short(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint32_t p, q, r, s;

	if (size < 4)
		return size == 0 ||
		       (a[0] == b[0] && a[size / 2] == b[size / 2] &&
			a[size - 1] == b[size - 1]);
	if (size < 8) {
		memcpy(&p, a, 4);
		memcpy(&q, b, 4);
		memcpy(&r, a + size - 4, 4);
		memcpy(&s, b + size - 4, 4);
		return p == q && r == s;
	}
	if (get_u64(a) != get_u64(b) ||
	    get_u64(a + size - 8) != get_u64(b + size - 8))
		return false;
	return size <= 16 ||
	       (get_u64(a + 8) == get_u64(b + 8) &&
		get_u64(a + size - 16) == get_u64(b + size - 16));
}

static inline bool entry_has_key(const void *entry, const void *key)
{
	struct slice a = entry_key(entry), b = *(const struct slice *)key;

	if (b.size > MEMO_KEY_MAX)
		return slice_equal(a, b);
	return a.size == b.size && equal_short(a.data, b.data, b.size);
}

/* The memo is not state, so a const keyspace may remember. */
static struct key_memo *memo_of(const struct keyspace *ks)
{
	return (struct key_memo *)&ks->memo;
}

/* The table changes: where the key stands is not known any more. */
static inline void lose_ref(const struct keyspace *ks)
{
	memo_of(ks)->found_valid = false;
	memo_of(ks)->lent = false;
}

void keyspace_forget(const struct keyspace *ks)
{
	memo_of(ks)->known = false;
	lose_ref(ks);
}

/* Whether the memo is of this key; of a long one its hash says that. (I4) */
static inline bool remembers(const struct key_memo *m, struct slice key)
{
	return m->known && m->size == key.size && key.size <= MEMO_KEY_MAX &&
	       equal_short(m->key, key.data, key.size);
}

static inline bool remembers_hash(const struct key_memo *m, struct slice key,
				  uint64_t hash)
{
	return m->known && m->size == key.size && m->hash == hash;
}

void keyspace_remember(const struct keyspace *ks, struct slice key,
		       uint64_t hash)
{
	struct key_memo *m = memo_of(ks);

	if (m->hash == hash && remembers(m, key))
		return;
	lose_ref(ks);
	m->known = true;
	m->hash = hash;
	m->size = key.size;
	if (key.size <= MEMO_KEY_MAX)
		copy_short(m->key, key.data, key.size);
}

/* What the memo does not know. Out of line, so that what it knows, which is
 * asked several times for a command, costs no more than the comparison. */
static __attribute__((noinline)) uint64_t hash_anew(const struct keyspace *ks,
						    struct slice key)
{
	uint64_t hash = siphash13(key.data, key.size, ks->hash_key);

	if (!remembers_hash(&ks->memo, key, hash))
		keyspace_remember(ks, key, hash);
	return hash;
}

static inline uint64_t hash_of_key(const struct keyspace *ks, struct slice key)
{
	if (__builtin_expect(key.size && remembers(&ks->memo, key), 1))
		return ks->memo.hash;
	return hash_anew(ks, key);
}

uint64_t keyspace_hash(const struct keyspace *ks, struct slice key)
{
	return hash_of_key(ks, key);
}

/* Likewise. */
static __attribute__((noinline)) void find_anew(const struct keyspace *ks,
						uint32_t db, struct slice key,
						uint64_t hash)
{
	struct key_memo *m = memo_of(ks);

	m->ref = table_find_inline(&ks->dbs[db].keys, hash, entry_has_key,
				   &key);
	m->db = db;
	m->found_valid = true;
	m->lent = false;
}

static inline struct entry *find_entry(const struct keyspace *ks, uint32_t db,
				       struct slice key)
{
	const struct key_memo *m = &ks->memo;
	uint64_t hash = hash_of_key(ks, key);

	assert(db < ks->db_count);
	if (!m->found_valid || m->db != db)
		find_anew(ks, db, key, hash);
	return m->ref.slot ? slot_entry(*m->ref.slot) : NULL;
}

const struct entry *keyspace_find(const struct keyspace *ks, uint32_t db,
				  struct slice key)
{
	return find_entry(ks, db, key);
}

bool keyspace_estimate(const struct keyspace *ks, struct slice key,
		       const struct entry *e, uint64_t *count)
{
	if (!ks->estimates)
		return false;
	return estimates_find(ks->estimates, keyspace_hash(ks, key), e, count);
}

void keyspace_keep_estimate(const struct keyspace *ks, struct slice key,
			    const struct entry *e, uint64_t count)
{
	struct estimate estimate = { e, keyspace_hash(ks, key), count };

	/* Not state, as the memo is not. */
	estimates_keep(&((struct keyspace *)ks)->estimates, &estimate);
}

struct key_slot keyspace_slot(struct keyspace *ks, uint32_t db,
			      struct slice key, uint64_t hash)
{
	struct key_slot slot = {
		.db = &ks->dbs[db],
		.db_index = db,
		.hash = hash,
		.key = key,
	};

	assert(db < ks->db_count);
	table_walk_touch(&slot.db->keys, hash);
	estimates_drop(ks->estimates, hash); /* I5 */
	if (!remembers_hash(&ks->memo, key, hash))
		keyspace_remember(ks, key, hash);
	slot.entry = find_entry(ks, db, key);
	slot.ref = ks->memo.ref;
	ks->memo.found_valid = false;
	ks->memo.lent = true;
	return slot;
}

/* A database has an index now. */
static void indexed_to(struct keyspace *ks, uint32_t db_index)
{
	if (ks->indexed_end <= db_index)
		ks->indexed_end = db_index + 1;
}

static struct wheel *index_new(struct keyspace *ks, uint32_t db_index)
{
	indexed_to(ks, db_index);
	return wheel_new(ks->index_now_ms);
}

/* Gives the key an item in the index unless an earlier one stands. (I2) */
static void index_deadline(struct keyspace *ks, struct key_slot *slot,
			   struct entry *e, uint64_t old_deadline)
{
	uint64_t deadline = entry_deadline(e), hash = slot->hash;
	struct db *db = slot->db;

	if (deadline == 0)
		return;
	if ((e->flags & ENTRY_INDEXED) && old_deadline != 0 &&
	    old_deadline <= deadline)
		return;
	if (!db->deadlines)
		db->deadlines = index_new(ks, slot->db_index);
	wheel_add(db->deadlines, hash, deadline);
	if (db->fresh)
		wheel_add(db->fresh, hash, deadline);
	e->flags |= ENTRY_INDEXED;
}

void keyspace_index_fields(struct keyspace *ks, uint32_t db_index,
			   uint64_t hash, uint64_t earliest_ms)
{
	struct db *db = &ks->dbs[db_index];

	if (!db->fields)
		db->fields = index_new(ks, db_index);
	wheel_add(db->fields, hash, earliest_ms);
	if (db->fresh_fields)
		wheel_add(db->fresh_fields, hash, earliest_ms);
}

void keyspace_put_fields(struct keyspace *ks, const struct key_slot *slot,
			 bool had, uint64_t old_earliest)
{
	bool has = slot->entry->flags & ENTRY_FIELDS;
	uint64_t earliest;

	slot->db->fields_count += (size_t)has - (size_t)had;
	if (!has)
		return;
	earliest = value_ops(slot->entry)->earliest(slot->entry);
	if (!had || earliest < old_earliest) /* I3 */
		keyspace_index_fields(ks, slot->db_index, slot->hash,
				      earliest);
}

/* Puts an entry met by the walk into the fresh indexes. */
static void reindex_visit(void *ctx, void *entry)
{
	struct db *db = ctx;
	struct entry *e = entry;
	uint64_t hash;

	if (!(e->flags & (ENTRY_DEADLINE | ENTRY_FIELDS)))
		return;
	hash = hash_of_entry(db->keys.hash_ctx, e);
	if (e->flags & ENTRY_FIELDS)
		wheel_add(db->fresh_fields, hash, value_ops(e)->earliest(e));
	if (!entry_deadline(e))
		return;
	wheel_add(db->fresh, hash, entry_deadline(e));
	e->flags |= ENTRY_INDEXED;
}

static bool is_stale(const struct wheel *w, size_t count)
{
	return w && wheel_count(w) >= 2 * count + REINDEX_SLACK;
}

/* Puts the fresh indexes in the place of the old ones. */
static void reindex_end(struct db *db)
{
	if (db->deadlines)
		wheel_free(db->deadlines);
	if (db->fields)
		wheel_free(db->fields);
	db->deadlines = db->fresh;
	db->fields = db->fresh_fields;
	db->fresh = db->fresh_fields = NULL;
}

bool keyspace_reindex(struct keyspace *ks, uint32_t db_index, uint64_t now_ms,
		      unsigned buckets)
{
	struct db *db = &ks->dbs[db_index];

	if (!db->fresh) {
		if (!is_stale(db->deadlines, db->deadline_count) &&
		    !is_stale(db->fields, db->fields_count))
			return false;
		db->fresh = wheel_new(now_ms);
		db->fresh_fields = wheel_new(now_ms);
		db->fresh_position = 0;
	}
	while (buckets--) {
		db->fresh_position = table_scan(&db->keys, db->fresh_position,
						reindex_visit, db);
		if (db->fresh_position)
			continue;
		reindex_end(db);
		return false;
	}
	return true;
}

void keyspace_put(struct keyspace *ks, struct key_slot *slot, struct entry *e,
		  uint64_t old_deadline)
{
	struct db *db = slot->db;

	assert(e != NULL);
	if (!slot->ref.slot) {
		entry_set_access(e, ks->new_access);
		table_insert(&db->keys, slot->hash, e);
	} else if (e != slot->entry) {
		table_ref_set(slot->ref, e);
	}
	db->deadline_count += (entry_deadline(e) != 0) - (old_deadline != 0);
	if (entry_deadline(e) != old_deadline)
		index_deadline(ks, slot, e, old_deadline);
	slot->entry = e;
	if (!slot->ref.slot && (e->flags & ENTRY_FIELDS))
		keyspace_put_fields(ks, slot, false, 0);
	ks->memo.found_valid = slot->ref.slot && ks->memo.lent &&
			       ks->memo.hash == slot->hash &&
			       ks->memo.db == slot->db_index; /* I4 */
	ks->memo.lent = false;
}

struct entry *keyspace_take(struct keyspace *ks, struct key_slot *slot)
{
	struct entry *e = slot->entry;

	assert(e != NULL);
	table_remove(&slot->db->keys, slot->hash, slot->ref);
	slot->db->deadline_count -= entry_deadline(e) != 0;
	slot->db->fields_count -= (e->flags & ENTRY_FIELDS) != 0;
	slot->entry = NULL;
	slot->ref.slot = NULL;
	lose_ref(ks);
	return e;
}

void keyspace_free_entry(struct entry *e)
{
	value_ops(e)->destroy(e);
}

/* The old contents of a flushed database, on their way to be freed. */
struct dead_db {
	struct dead_db *next;
	struct db db;
	uint64_t position; /* of the walk that frees entries, then segments */
	bool emptied;      /* there are no entries any more */
};

void keyspace_flush(struct keyspace *ks, uint32_t db)
{
	struct dead_db *dead;

	assert(db < ks->db_count);
	ks->memo = (struct key_memo){ 0 };
	table_walk_end(&ks->dbs[db].keys);
	if (ks->dbs[db].keys.count == 0) {
		db_clear(&ks->dbs[db]);
		return;
	}
	dead = mem_alloc(sizeof(*dead));
	*dead = (struct dead_db){ .db = ks->dbs[db], .next = ks->dead };
	ks->dead = dead;
	ks->dbs[db] = (struct db){ 0 };
	table_init(&ks->dbs[db].keys, hash_of_entry, ks->hash_key);
}

bool keyspace_bury(struct keyspace *ks, unsigned buckets)
{
	struct dead_db *dead = ks->dead;

	if (!dead)
		return false;
	while (buckets--) {
		if (!dead->emptied) {
			dead->position = table_scan(&dead->db.keys,
						    dead->position,
						    free_visited, NULL);
			dead->emptied = dead->position == 0;
			continue;
		}
		if (table_release_step(&dead->db.keys, &dead->position, NULL,
				       NULL))
			continue;
		ks->dead = dead->next;
		db_clear(&dead->db);
		mem_free(dead);
		break;
	}
	return ks->dead != NULL;
}

void keyspace_release(struct keyspace *ks)
{
	uint32_t i;

	while (keyspace_bury(ks, 1024))
		;
	for (i = 0; i < ks->db_count; i++)
		db_clear(&ks->dbs[i]);
	mem_free(ks->dbs);
	mem_free(ks->estimates);
	grave_finish();
	*ks = (struct keyspace){ 0 };
}

void keyspace_swap(struct keyspace *ks, uint32_t a, uint32_t b)
{
	struct db keep = ks->dbs[a];

	assert(a < ks->db_count && b < ks->db_count);
	ks->dbs[a] = ks->dbs[b];
	ks->dbs[b] = keep;
	if (a < ks->indexed_end || b < ks->indexed_end)
		indexed_to(ks, a > b ? a : b);
	ks->memo = (struct key_memo){ 0 };
}

void keyspace_reserve(struct keyspace *ks, uint32_t db, size_t keys)
{
	assert(db < ks->db_count);
	table_reserve(&ks->dbs[db].keys, keys);
}

void keyspace_expect(struct keyspace *ks, uint32_t db, uint64_t hash,
		     uint64_t count)
{
	struct key_reserve *r = &ks->reserve;

	r->count = count < r->left ? (size_t)count : r->left;
	r->hash = hash;
	r->db = db;
}

size_t keyspace_expected(struct keyspace *ks, const struct key_slot *slot)
{
	struct key_reserve *r = &ks->reserve;
	size_t count = r->count;

	if (count == 0 || r->hash != slot->hash || r->db != slot->db_index)
		return 0;
	r->count = 0;
	r->left -= count;
	return count;
}

size_t keyspace_count(const struct keyspace *ks)
{
	size_t count = 0;
	uint32_t i;

	for (i = 0; i < ks->db_count; i++)
		count += ks->dbs[i].keys.count;
	return count;
}

size_t keyspace_deadline_count(const struct keyspace *ks)
{
	size_t count = 0;
	uint32_t i;

	for (i = 0; i < ks->db_count; i++)
		count += ks->dbs[i].deadline_count;
	return count;
}

size_t keyspace_overhead(const struct keyspace *ks)
{
	size_t bytes = ks->db_count * sizeof(*ks->dbs);
	uint32_t i;

	if (ks->estimates)
		bytes += sizeof(*ks->estimates);
	for (i = 0; i < ks->db_count; i++) {
		bytes += table_memory(&ks->dbs[i].keys);
		if (ks->dbs[i].deadlines)
			bytes += wheel_memory(ks->dbs[i].deadlines);
		if (ks->dbs[i].fields)
			bytes += wheel_memory(ks->dbs[i].fields);
	}
	return bytes;
}

struct deadline_counts {
	size_t keys, fields;
};

static void count_deadline(void *ctx, void *entry)
{
	struct deadline_counts *count = ctx;
	const struct entry *e = entry;

	count->keys += entry_deadline(e) != 0;
	count->fields += (e->flags & ENTRY_FIELDS) != 0;
	if (value_ops(e)->check)
		value_ops(e)->check(e);
}

void keyspace_check(const struct keyspace *ks)
{
	uint32_t i;

	for (i = 0; i < ks->db_count; i++) {
		const struct db *db = &ks->dbs[i];
		uint64_t position = 0;
		struct deadline_counts count = { 0 };

		table_check(&db->keys);
		if (db->deadlines)
			wheel_check(db->deadlines);
		if (db->fields)
			wheel_check(db->fields);
		do {
			position = table_scan(&db->keys, position,
					      count_deadline, &count);
		} while (position);
		assert(count.keys == db->deadline_count);
		assert(count.keys == 0 || db->deadlines != NULL);
		assert(count.fields == db->fields_count);
		assert(count.fields == 0 || db->fields != NULL);
		assert(i < ks->indexed_end || (!db->deadlines && !db->fields));
	}
}
