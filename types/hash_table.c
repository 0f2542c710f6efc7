/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big hashes: a table of entries, one per field, in the form of a string under
 * a key (types/str.h): the field is the key.  Values above STR_CHUNK_SIZE stay
 * in one piece here.
 *
 * T1. A field with a deadline has an item in the index at or before it, or
 *     ENTRY_INDEXED would lie.  Items of fields that have gone, or live longer
 *     now, stay behind; when most are such, a fresh index is built, a few
 *     buckets with each deadline that is set.
 * T2. No deadline is before earliest_ms, which is 0 only if there is none.
 * T3. Before the entry of a field changes, the walk has seen it.
 */
#include "types/hash_internal.h"

#include "base/checksum.h"
#include "base/grave.h"
#include "base/mem.h"
#include "types/str.h"
#include "types/table_inline.h"

#include <assert.h>

#define AHEAD 16 /* fields whose memory is on its way */
#define SMALL_GRAVE 64
#define REINDEX_SLACK 4096 /* stale items that are not worth a rebuild */
#define REINDEX_BUCKETS 4
#define WHEEL_LATE_MS 16 /* an item may stand so much behind its deadline */
#define SAMPLE_MAX 64 /* fields, for hash_table_memory */

static uint64_t hash_of_field(const void *ctx, const void *entry)
{
	struct slice field = entry_key(entry);

	return siphash13(field.data, field.size, ctx);
}

static bool entry_has_field(const void *entry, const void *field)
{
	return slice_equal(entry_key(entry), *(const struct slice *)field);
}

struct hash *hash_table_new(const struct hash_env *env)
{
	struct hash *h = mem_calloc(1, sizeof(*h));

	h->hash_key[0] = env->hash_key[0];
	h->hash_key[1] = env->hash_key[1];
	table_init(&h->fields, hash_of_field, h->hash_key);
	if (env->expected)
		table_reserve(&h->fields, env->expected);
	return h;
}

/* --- field entries ------------------------------------------------------ */

static struct entry *field_new(struct slice field, struct slice value,
			       uint64_t deadline_ms)
{
	struct entry *e;
	uint8_t *p;

	if (value.size <= STR_CHUNK_SIZE)
		return str_new(field, value, deadline_ms);
	e = entry_new_blob(VALUE_string, field, deadline_ms, value.size, &p);
	put_bytes(p, value.data, value.size);
	return e;
}

static struct entry *field_set(struct entry *e, struct slice value,
			       uint64_t deadline_ms)
{
	uint8_t *p;

	if (value.size <= STR_CHUNK_SIZE)
		return str_set(e, value, deadline_ms);
	e = entry_reshape(e, deadline_ms, varint_size(value.size) + value.size,
			  0, false);
	entry_set_kind(e, VALUE_string, ENC_RAW);
	p = put_varint((uint8_t *)entry_value_field(e), value.size);
	put_bytes(p, value.data, value.size);
	return e;
}

void hash_item_of(const void *field_entry, struct hash_item *out)
{
	const struct entry *e = field_entry;
	bool whole = str_whole(e, out->scratch[1], &out->value);

	assert(whole);
	(void)whole;
	out->field = entry_key(e);
	out->deadline_ms = entry_deadline(e);
}

static inline struct table_ref find(const struct hash *h, uint64_t hash,
				    const struct slice *field)
{
	return table_find_inline(&h->fields, hash, entry_has_field, field);
}

/* --- the index of deadlines --------------------------------------------- */

static void reindex_visit(void *ctx, void *entry)
{
	struct hash *h = ctx;
	struct entry *e = entry;

	if (!entry_deadline(e))
		return;
	wheel_add(h->fresh, hash_of_field(h->hash_key, e), entry_deadline(e));
	e->flags |= ENTRY_INDEXED;
}

/* Some steps of a rebuild, if one is due or going on. (T1) */
static void reindex(struct hash *h, uint64_t now_ms)
{
	unsigned i;

	if (!h->fresh) {
		if (wheel_count(h->deadlines) <
		    2 * h->deadline_count + REINDEX_SLACK)
			return;
		h->fresh = wheel_new(now_ms);
		h->fresh_position = 0;
	}
	for (i = 0; i < REINDEX_BUCKETS; i++) {
		h->fresh_position = table_scan(&h->fields, h->fresh_position,
					       reindex_visit, h);
		if (h->fresh_position)
			continue;
		wheel_free(h->deadlines);
		h->deadlines = h->fresh;
		h->fresh = NULL;
		return;
	}
}

/* Counts, and gives the field an item unless an earlier one stands. */
static void index_field(struct hash *h, const struct hash_env *env,
			uint64_t hash, struct entry *e, uint64_t old)
{
	uint64_t deadline = entry_deadline(e);

	h->deadline_count += (deadline != 0) - (old != 0);
	if (h->deadline_count == 0)
		h->earliest_ms = 0;
	if (deadline == 0 || deadline == old)
		return;
	if (h->earliest_ms == 0 || deadline < h->earliest_ms)
		h->earliest_ms = deadline; /* T2 */
	if ((e->flags & ENTRY_INDEXED) && old != 0 && old <= deadline)
		return;
	if (!h->deadlines)
		h->deadlines = wheel_new(env->index_now_ms);
	wheel_add(h->deadlines, hash, deadline);
	if (h->fresh)
		wheel_add(h->fresh, hash, deadline);
	e->flags |= ENTRY_INDEXED;
	reindex(h, env->index_now_ms);
}

struct due {
	struct hash *h;
	uint64_t now_ms;
	uint64_t hash;
	uint64_t later_ms; /* earliest deadline of what stays; 0 = none */
	hash_due_fn *take;
	void *ctx;
};

static void look(void *ctx, void *entry)
{
	struct due *due = ctx;
	struct entry *e = entry;
	uint64_t deadline = entry_deadline(e);
	struct hash_item item;

	if (!(e->flags & ENTRY_INDEXED) ||
	    hash_of_field(due->h->hash_key, e) != due->hash)
		return;
	if (deadline > due->now_ms) {
		if (due->later_ms == 0 || deadline < due->later_ms)
			due->later_ms = deadline;
		return;
	}
	e->flags &= (uint8_t)~ENTRY_INDEXED;
	if (deadline == 0)
		return;
	hash_item_of(e, &item);
	if (due->take(due->ctx, &item))
		return;
	e->flags |= ENTRY_INDEXED;
	due->later_ms = due->now_ms + 1;
}

static uint64_t fire(void *ctx, uint64_t hash)
{
	struct due *due = ctx;

	due->hash = hash;
	due->later_ms = 0;
	table_scan(&due->h->fields, hash, look, due);
	return due->later_ms;
}

uint64_t hash_table_due(struct hash *h, uint64_t now_ms, size_t count_max,
			hash_due_fn *take, void *ctx)
{
	struct due due = { .h = h, .now_ms = now_ms, .take = take,
			   .ctx = ctx };
	uint64_t next_ms;
	size_t handled;

	if (!h->deadlines || h->deadline_count == 0)
		return 0;
	handled = wheel_poll(h->deadlines, now_ms, count_max, fire, &due);
	next_ms = wheel_next_ms(h->deadlines);
	if (handled >= count_max)
		next_ms = now_ms;
	h->earliest_ms = next_ms > WHEEL_LATE_MS ? next_ms - WHEEL_LATE_MS : 1;
	return next_ms;
}

/* --- changes ------------------------------------------------------------ */

static bool set_one(struct hash *h, const struct hash_env *env, uint64_t hash,
		    const struct hash_item *item)
{
	struct table_ref ref;
	struct entry *e;
	uint64_t old = 0;

	table_walk_touch(&h->fields, hash); /* T3 */
	ref = find(h, hash, &item->field);
	if (ref.slot) {
		struct entry *was = table_ref_entry(ref);
		uint64_t deadline = item->deadline_ms;

		old = entry_deadline(was);
		if (deadline == HASH_DEADLINE_KEEP)
			deadline = old;
		e = field_set(was, item->value, deadline);
		if (e != was)
			table_ref_set(ref, e);
	} else {
		e = field_new(item->field, item->value,
			      item->deadline_ms == HASH_DEADLINE_KEEP ?
				      0 : item->deadline_ms);
		table_insert(&h->fields, hash, e);
	}
	if (old | entry_deadline(e))
		index_field(h, env, hash, e, old);
	return ref.slot == NULL;
}

size_t hash_table_set(struct hash *h, const struct hash_env *env,
		      struct slice items, uint64_t deadline_ms)
{
	struct reader in = reader_of(items);
	struct slice fields[AHEAD], values[AHEAD];
	uint64_t hashes[AHEAD];
	size_t added = 0;
	unsigned i, n;

	while (reader_left(&in)) {
		for (n = 0; n < AHEAD && reader_left(&in); n++) {
			fields[n] = read_string(&in);
			values[n] = read_string(&in);
			hashes[n] = siphash13(fields[n].data, fields[n].size,
					      h->hash_key);
			table_prefetch_insert(&h->fields, hashes[n]);
		}
		for (i = 0; i < n && n > 1; i++)
			table_prefetch_entry(&h->fields, hashes[i]);
		for (i = 0; i < n; i++) {
			struct hash_item item;

			item.field = fields[i];
			item.value = values[i];
			item.deadline_ms = deadline_ms;
			added += set_one(h, env, hashes[i], &item);
		}
	}
	return added;
}

void hash_table_add(struct hash *h, const struct hash_env *env,
		    const struct hash_item *item)
{
	uint64_t hash = siphash13(item->field.data, item->field.size,
				  h->hash_key);
	struct entry *e = field_new(item->field, item->value,
				    item->deadline_ms);

	table_insert(&h->fields, hash, e);
	if (item->deadline_ms)
		index_field(h, env, hash, e, 0);
}

void hash_table_expire(struct hash *h, const struct hash_env *env,
		       struct slice fields, uint64_t deadline_ms)
{
	struct reader in = reader_of(fields);

	while (reader_left(&in)) {
		struct slice field = read_string(&in);
		uint64_t old, hash = siphash13(field.data, field.size,
					       h->hash_key);
		struct table_ref ref;
		struct entry *e;

		table_walk_touch(&h->fields, hash); /* T3 */
		ref = find(h, hash, &field);
		if (!ref.slot)
			continue;
		e = table_ref_entry(ref);
		old = entry_deadline(e);
		e = entry_set_deadline(e, deadline_ms);
		table_ref_set(ref, e);
		index_field(h, env, hash, e, old);
	}
}

static bool del_one(struct hash *h, struct slice field)
{
	uint64_t hash = siphash13(field.data, field.size, h->hash_key);
	struct table_ref ref;
	struct entry *e;

	table_walk_touch(&h->fields, hash); /* T3 */
	ref = find(h, hash, &field);
	if (!ref.slot)
		return false;
	e = table_ref_entry(ref);
	if (entry_deadline(e) && --h->deadline_count == 0)
		h->earliest_ms = 0;
	table_remove(&h->fields, hash, ref);
	entry_free(e);
	return true;
}

size_t hash_table_del(struct hash *h, struct slice fields)
{
	struct reader in = reader_of(fields);
	size_t removed = 0;

	while (reader_left(&in))
		removed += del_one(h, read_string(&in));
	return removed;
}

bool hash_table_find(const struct hash *h, struct slice field,
		     struct hash_item *out)
{
	uint64_t hash = siphash13(field.data, field.size, h->hash_key);
	struct table_ref ref = find(h, hash, &field);

	if (!ref.slot)
		return false;
	hash_item_of(table_ref_entry(ref), out);
	return true;
}

/* --- whole hashes ------------------------------------------------------- */

struct copying {
	struct hash *to;
	struct hash_env env;
};

static void copy_visit(void *ctx, void *entry)
{
	struct copying *c = ctx;
	struct hash_item item;

	hash_item_of(entry, &item);
	hash_table_add(c->to, &c->env, &item);
}

struct hash *hash_table_copy(const struct hash *h)
{
	struct copying c = { .env = { h->hash_key, h->earliest_ms,
				      h->fields.count } };
	uint64_t position = 0;

	c.to = hash_table_new(&c.env);
	do
		position = table_scan(&h->fields, position, copy_visit, &c);
	while (position);
	return c.to;
}

struct sample {
	size_t bytes, count;
};

static void sample_visit(void *ctx, void *entry)
{
	struct sample *s = ctx;

	s->bytes += entry_memory(entry);
	s->count++;
}

size_t hash_table_memory(const struct hash *h)
{
	struct sample s = { 0 };
	uint64_t position = 0;
	size_t bytes = sizeof(*h) + table_memory(&h->fields);

	do
		position = table_scan(&h->fields, position, sample_visit, &s);
	while (position && s.count < SAMPLE_MAX);
	if (s.count)
		bytes += (size_t)((double)s.bytes / (double)s.count *
				  (double)h->fields.count);
	if (h->deadlines)
		bytes += wheel_memory(h->deadlines);
	if (h->fresh)
		bytes += wheel_memory(h->fresh);
	return bytes;
}

static void free_visit(void *ctx, void *entry)
{
	(void)ctx;
	entry_free(entry);
}

static uint64_t drop(void *ctx, uint64_t hash)
{
	(void)ctx;
	(void)hash;
	return 0;
}

/* Frees the items of an index, then the index; true while there are more. */
static bool bury_wheel(struct wheel **w, unsigned work)
{
	if (*w && wheel_poll(*w, UINT64_MAX, work, drop, NULL) >= work)
		return true;
	if (*w)
		wheel_free(*w);
	*w = NULL;
	return false;
}

static bool bury(void *p, unsigned work)
{
	struct hash *h = p;

	if (bury_wheel(&h->deadlines, work) || bury_wheel(&h->fresh, work))
		return true;
	if (table_release_step(&h->fields, &h->bury_position, free_visit,
			       NULL))
		return true;
	mem_free(h);
	return false;
}

/* Takes an orphan apart, a big one later. */
static void bury_begin(struct hash *h)
{
	if (h->fields.count > SMALL_GRAVE) {
		grave_add(bury, h, h->fields.count);
		return;
	}
	while (bury(h, UINT32_MAX))
		;
}

void hash_table_free(struct hash *h)
{
	h->orphan = true;
	if (!h->visit)
		bury_begin(h);
}

/* --- the walk ----------------------------------------------------------- */

static void walk_fetch(void *ctx, void *entry)
{
	(void)ctx;
	entry_prefetch(entry);
}

static void walk_visit(void *ctx, void *entry)
{
	struct hash *h = ctx;
	struct hash_item item;

	hash_item_of(entry, &item);
	h->visit(h->visit_ctx, &item);
}

struct hash *hash_walk_begin(const struct entry *e, hash_visit_fn *visit,
			     void *ctx)
{
	struct hash *h = entry_pointer(e);

	assert(!h->visit);
	h->visit = visit;
	h->visit_ctx = ctx;
	table_walk_begin(&h->fields, walk_fetch, walk_visit, h);
	return h;
}

bool hash_walk_next(struct hash *h, uint64_t *position)
{
	return table_walk_next(&h->fields, position);
}

void hash_walk_end(struct hash *h)
{
	table_walk_end(&h->fields);
	h->visit = NULL;
	if (h->orphan)
		bury_begin(h);
}

/* --- checks ------------------------------------------------------------- */

struct checking {
	const struct hash *h;
	size_t count;
};

static void check_visit(void *ctx, void *entry)
{
	struct checking *c = ctx;
	uint64_t deadline = entry_deadline(entry);

	c->count += deadline != 0;
	assert(deadline == 0 || c->h->earliest_ms <= deadline);
}

void hash_table_check(const struct hash *h)
{
	struct checking c = { h, 0 };
	uint64_t position = 0;

	table_check(&h->fields);
	do
		position = table_scan(&h->fields, position, check_visit, &c);
	while (position);
	assert(c.count == h->deadline_count);
	assert(c.count == 0 || (h->deadlines && h->earliest_ms != 0));
	if (h->deadlines)
		wheel_check(h->deadlines);
}
