/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hash_internal.h"

#include "base/checksum.h"

#include <assert.h>

/* A filter that tells most fields of a run from all before. */
#define FILTER_BITS 4096

/* Representation is not state: one setting for the process. */
static size_t limit_fields = 512;
static size_t limit_size = 64;

void hash_limits(size_t fields_max, size_t size_max)
{
	limit_fields = fields_max < HASH_PACKED_FIELDS ? fields_max :
							  HASH_PACKED_FIELDS;
	limit_size = size_max;
}

static inline bool is_big(const struct entry *e)
{
	return entry_encoding(e) == ENC_POINTER;
}

static inline struct hash *big(const struct entry *e)
{
	return entry_pointer(e);
}

/* Whether a packed hash may hold this. */
static inline bool fits_packed(struct slice field, struct slice value)
{
	return field.size <= limit_size && value.size <= limit_size;
}

/* Puts the flag where the big hash says. */
static struct entry *mark_fields(struct entry *e)
{
	if (big(e)->deadline_count)
		e->flags |= ENTRY_FIELDS;
	else
		e->flags &= (uint8_t)~ENTRY_FIELDS;
	return e;
}

static struct entry *become_big(struct entry *e, const struct hash_env *env)
{
	struct hash *h = hash_table_new(env);
	size_t at = 0, end = entry_blob(e).size;

	while (at < end) {
		struct hash_item item;

		at = packed_item(e, at, &item);
		hash_table_add(h, env, &item);
	}
	e = entry_to_pointer(e, h);
	e->flags &= (uint8_t)~ENTRY_GROWN;
	return mark_fields(e);
}

/* Sets a field of a packed hash; big_too: it has to become big first. */
static struct entry *packed_set(struct entry *e, const struct hash_item *item,
				bool *added, bool *big_too)
{
	struct pack_key field = pack_key(item->field);
	struct pack_key value = pack_key(item->value);
	struct packed_spot spot = packed_find(e, &field);
	uint64_t deadline = item->deadline_ms;
	size_t more = pack_key_size(&value) + ENTRY_DEADLINE_SIZE;

	*added = !spot.found;
	*big_too = false;
	if (!spot.found)
		more += pack_key_size(&field);
	if (!fits_packed(item->field, item->value) ||
	    (!spot.found && spot.count >= limit_fields) ||
	    entry_blob(e).size + more > HASH_PACKED_MAX) {
		*big_too = true;
		return e;
	}
	if (deadline == HASH_DEADLINE_KEEP)
		deadline = spot.deadline_ms;
	if (deadline && !(e->flags & ENTRY_FIELDS)) {
		e = packed_widen(e);
		spot = packed_find(e, &field);
	}
	if (!spot.found)
		return packed_append(e, &field, &value, deadline);
	e = packed_replace(e, &spot, &value, deadline);
	return spot.deadline_ms && !deadline ? packed_narrow(e) : e;
}

struct entry *hash_set(struct entry *e, const struct hash_env *env,
		       struct slice items, uint64_t deadline_ms, size_t *added)
{
	struct reader in = reader_of(items);

	*added = 0;
	while (!is_big(e) && reader_left(&in)) {
		const uint8_t *start = in.at;
		struct hash_item item;
		bool is_new, big_too;

		item.field = read_string(&in);
		item.value = read_string(&in);
		item.deadline_ms = deadline_ms;
		e = packed_set(e, &item, &is_new, &big_too);
		if (big_too) {
			e = become_big(e, env);
			in.at = start;
		} else {
			*added += is_new;
		}
	}
	if (!reader_left(&in))
		return e;
	*added += hash_table_set(big(e), env,
				 slice_of(in.at, reader_left(&in)),
				 deadline_ms);
	return mark_fields(e);
}

/* What a run of items comes to, packed. */
struct measure {
	size_t count;
	size_t bytes;
	bool fits;   /* in a packed hash */
	bool unique; /* no field twice */
};

/* Whether one of the first `count` fields of a run is this one. */
static bool has_field(struct slice items, size_t count, struct slice field)
{
	struct reader in = reader_of(items);

	while (count--) {
		if (slice_equal(read_string(&in), field))
			return true;
		read_string(&in);
	}
	return false;
}

static struct measure measure(struct slice items)
{
	struct reader in = reader_of(items);
	struct measure m = { .fits = true, .unique = true };
	uint64_t filter[FILTER_BITS / 64] = { 0 };

	while (reader_left(&in)) {
		struct slice field = read_string(&in);
		struct slice value = read_string(&in);
		uint64_t hash = content_hash(field.data, field.size, 0);
		uint64_t bit = UINT64_C(1) << (hash & 63);
		uint64_t *word = &filter[(hash >> 6) % ARRAY_LEN(filter)];

		if (m.count == limit_fields || !fits_packed(field, value)) {
			m.fits = false;
			return m;
		}
		if ((*word & bit) && m.unique)
			m.unique = !has_field(items, m.count, field);
		*word |= bit;
		m.count++;
		m.bytes += pack_size(field) + pack_size(value);
	}
	m.fits = m.bytes <= HASH_PACKED_MAX;
	return m;
}

/* One with room for what is announced, or for these. */
static struct entry *new_big(const struct hash_env *env, struct slice key,
			     struct slice items)
{
	struct hash_env e = *env;
	struct reader in = reader_of(items);

	if (e.expected == 0)
		for (; reader_left(&in); e.expected++) {
			read_string(&in);
			read_string(&in);
		}
	return entry_new_pointer(VALUE_hash, key, 0, hash_table_new(&e));
}

struct entry *hash_new(const struct hash_env *env, struct slice key,
		       struct slice items, uint64_t deadline_ms, size_t *added)
{
	struct measure m = measure(items);
	struct reader in = reader_of(items);
	struct entry *e;
	uint8_t *p;

	if (deadline_ms == HASH_DEADLINE_KEEP)
		deadline_ms = 0;
	m.fits &= env->expected <= limit_fields;
	if (m.fits && m.unique && !deadline_ms) {
		e = entry_new_blob(VALUE_hash, key, 0, m.bytes, &p);
		while (reader_left(&in))
			p = pack_put(p, read_string(&in));
		*added = m.count;
		return e;
	}
	if (m.fits)
		e = entry_new_blob(VALUE_hash, key, 0, 0, &p);
	else
		e = new_big(env, key, items);
	return hash_set(e, env, items, deadline_ms, added);
}

struct entry *hash_expire(struct entry *e, const struct hash_env *env,
			  struct slice fields, uint64_t deadline_ms)
{
	struct reader in = reader_of(fields);

	if (is_big(e)) {
		hash_table_expire(big(e), env, fields, deadline_ms);
		return mark_fields(e);
	}
	if (deadline_ms)
		e = packed_widen(e);
	while (reader_left(&in) && e->flags & ENTRY_FIELDS) {
		struct pack_key field = pack_key(read_string(&in));
		struct packed_spot spot = packed_find(e, &field);

		if (spot.found)
			memcpy((uint8_t *)entry_blob(e).data + spot.value_end,
			       &deadline_ms, ENTRY_DEADLINE_SIZE);
	}
	return packed_narrow(e);
}

struct entry *hash_del(struct entry *e, struct slice fields, size_t *removed)
{
	struct reader in = reader_of(fields);
	bool dated = false;

	*removed = 0;
	if (is_big(e)) {
		*removed = hash_table_del(big(e), fields);
		return mark_fields(e);
	}
	while (reader_left(&in)) {
		struct pack_key field = pack_key(read_string(&in));
		struct packed_spot spot = packed_find(e, &field);

		if (!spot.found)
			continue;
		dated |= spot.deadline_ms != 0;
		e = packed_remove(e, &spot);
		++*removed;
	}
	return dated ? packed_narrow(e) : e;
}

/* --- reading ------------------------------------------------------------ */

size_t hash_count(const struct entry *e)
{
	const uint8_t *p, *end;
	struct slice blob;
	size_t count = 0, more;

	if (is_big(e))
		return big(e)->fields.count;
	blob = entry_blob(e);
	more = e->flags & ENTRY_FIELDS ? ENTRY_DEADLINE_SIZE : 0;
	for (p = blob.data, end = p + blob.size; p < end; count++)
		p = pack_skip(pack_skip(p)) + more;
	return count;
}

bool hash_empty(const struct entry *e)
{
	return is_big(e) ? big(e)->fields.count == 0 : entry_blob(e).size == 0;
}

bool hash_find(const struct entry *e, struct slice field,
	       struct hash_item *out)
{
	struct packed_spot spot;
	struct pack_key key;

	if (is_big(e))
		return hash_table_find(big(e), field, out);
	key = pack_key(field);
	spot = packed_find(e, &key);
	if (spot.found)
		packed_item(e, spot.at, out);
	return spot.found;
}

struct each {
	hash_visit_fn *visit;
	void *ctx;
};

static void each_visit(void *ctx, void *entry)
{
	struct each *each = ctx;
	struct hash_item item;

	hash_item_of(entry, &item);
	each->visit(each->ctx, &item);
}

void hash_each(const struct entry *e, hash_visit_fn *visit, void *ctx)
{
	struct each each = { visit, ctx };
	size_t at = 0, end;
	uint64_t position = 0;

	if (is_big(e)) {
		do {
			position = table_scan(&big(e)->fields, position,
					      each_visit, &each);
		} while (position);
		return;
	}
	end = entry_blob(e).size;
	while (at < end) {
		struct hash_item item;

		at = packed_item(e, at, &item);
		visit(ctx, &item);
	}
}

void hash_random(const struct entry *e, uint64_t random,
		 struct hash_item *out)
{
	size_t count, at = 0;

	assert(!hash_empty(e));
	if (is_big(e)) {
		hash_item_of(table_random(&big(e)->fields, random), out);
		return;
	}
	count = hash_count(e);
	for (count = (size_t)(((unsigned __int128)random * count) >> 64);
	     count > 0; count--)
		at = packed_skip(e, at);
	packed_item(e, at, out);
}

const struct table *hash_fields(const struct entry *e)
{
	return is_big(e) ? &big(e)->fields : NULL;
}

uint64_t hash_earliest(const struct entry *e)
{
	size_t at = 0, end;
	uint64_t first = 0;

	if (!(e->flags & ENTRY_FIELDS))
		return 0;
	if (is_big(e))
		return big(e)->earliest_ms;
	for (end = entry_blob(e).size; at < end;) {
		uint64_t ms = 0;

		at = packed_skip(e, at);
		memcpy(&ms, entry_blob(e).data + at - ENTRY_DEADLINE_SIZE,
		       ENTRY_DEADLINE_SIZE);
		if (ms && (!first || ms < first))
			first = ms;
	}
	return first;
}

uint64_t hash_due(struct entry *e, uint64_t now_ms, size_t count_max,
		  hash_due_fn *take, void *ctx)
{
	size_t at = 0, end, count = 0;
	uint64_t first = 0;

	if (is_big(e))
		return hash_table_due(big(e), now_ms, count_max, take, ctx);
	for (end = entry_blob(e).size; at < end;) {
		struct hash_item item;

		at = packed_item(e, at, &item);
		if (!item.deadline_ms)
			continue;
		if (item.deadline_ms > now_ms) {
			if (!first || item.deadline_ms < first)
				first = item.deadline_ms;
			continue;
		}
		if (++count > count_max || !take(ctx, &item))
			return now_ms;
	}
	return first;
}

const char *hash_encoding_name(const struct entry *e)
{
	if (is_big(e))
		return "hashtable";
	return e->flags & ENTRY_FIELDS ? "listpackex" : "listpack";
}

/* --- whole hashes ------------------------------------------------------- */

size_t hash_memory(const struct entry *e)
{
	size_t size = entry_memory(e);

	return is_big(e) ? size + hash_table_memory(big(e)) : size;
}

struct entry *hash_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms)
{
	struct entry *copy;
	struct slice blob;
	uint8_t *p;

	if (is_big(e)) {
		struct hash *h = hash_table_copy(big(e));

		copy = entry_new_pointer(VALUE_hash, key, deadline_ms, h);
		return mark_fields(copy);
	}
	blob = entry_blob(e);
	copy = entry_new_blob(VALUE_hash, key, deadline_ms, blob.size, &p);
	put_bytes(p, blob.data, blob.size);
	copy->flags |= e->flags & ENTRY_FIELDS;
	return copy;
}

void hash_free(struct entry *e)
{
	if (is_big(e))
		hash_table_free(big(e));
	entry_free(e);
}

void hash_check(const struct entry *e)
{
	size_t at = 0, end;

	assert(entry_type(e) == VALUE_hash);
	if (is_big(e)) {
		hash_table_check(big(e));
		assert(!(e->flags & ENTRY_FIELDS) ==
		       !big(e)->deadline_count);
		return;
	}
	for (end = entry_blob(e).size; at < end;)
		at = packed_skip(e, at);
	assert(at == end);
	assert(!(e->flags & ENTRY_FIELDS) == !hash_earliest(e));
}
