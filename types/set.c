/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets: which layout a set has, and the big one.
 *
 * A member of a big set is a slab object that holds one packed element; as an
 * element is shortest in its packed form, equal members have equal bytes.  The
 * table's hash is that of the plain bytes by the store's key, so that cursors
 * stay good across restarts.
 *
 * I1. Before a member of a held set comes or goes its bucket is shown to the
 *     walk (table_walk_touch).
 * I2. A held set outlives its entry: whoever lets go last has it freed.
 */
#include "types/set.h"

#include <assert.h>

#include "base/checksum.h"
#include "base/grave.h"
#include "base/mem.h"
#include "base/slab.h"
#include "types/pack.h"
#include "types/set_small.h"
#include "types/table_inline.h"

struct set_table {
	struct table members;
	uint64_t hash_key[2];
	size_t bytes;    /* of members, as the slab has them */
	uint64_t buried; /* how far they have been freed */
	bool held;
	bool dead;       /* without an entry (I2) */
};

/* Smaller tables are in a cache anyway. */
#define FETCH_COUNT_MIN 30000

static struct set_limits limits = { 512, 128, 64 };

void set_limits(const struct set_limits *l)
{
	limits = *l;
}

static inline bool is_big(const struct entry *e)
{
	return entry_encoding(e) == ENC_POINTER;
}

/* As entry_pointer, in line. */
static inline struct set_table *table_of(const struct entry *e)
{
	struct set_table *t;

	memcpy(&t, entry_value_field(e), sizeof(t));
	return t;
}

/* --- the table ---------------------------------------------------------- */

struct slice set_member_bytes(const void *member, char scratch[NUM_I64_SIZE])
{
	struct pack_item item;

	pack_next(member, &item);
	return pack_slice(&item, scratch);
}

static uint64_t hash_of_member(const void *ctx, const void *member)
{
	const uint64_t *hash_key = ctx;
	const uint8_t *head = member;
	char scratch[NUM_I64_SIZE];
	struct slice s;

	if (*head <= PACK_SMALL_MAX) /* most are */
		return siphash13(head + 1, *head, hash_key);
	s = set_member_bytes(member, scratch);
	return siphash13(s.data, s.size, hash_key);
}

static inline struct pack_key key_of(const struct set_member *m)
{
	struct slice s = m->bytes;
	struct pack_key k;

	if (m->form == SET_FORM_NUMBER)
		return pack_key_number(s, m->number);
	/* at once for short words */
	if (s.size - 1 >= PACK_SMALL_MAX ||
	    (m->form == SET_FORM_UNKNOWN && s.data[0] <= '9'))
		return pack_key(s);
	k.bytes = s;
	k.head[0] = (uint8_t)s.size;
	k.head_size = 1;
	k.is_number = false;
	return k;
}

static inline size_t member_usable(const uint8_t *member, size_t size)
{
	return size <= SLAB_SIZE_MAX ? slab_class_size(size) :
				       slab_usable(member, size);
}

static bool member_is(const void *member, const void *key)
{
	return pack_match(member, key, NULL);
}

/* Up to PACK_MEDIUM the first byte says how many there are. */
static bool member_is_packed(const void *member, const void *key)
{
	const struct slice *packed = key;
	const uint8_t *p = member;

	if (*p != *packed->data)
		return false;
	if (*p >= PACK_MEDIUM && (size_t)(pack_skip(p) - p) != packed->size)
		return false;
	return memcmp(p, packed->data, packed->size) == 0;
}

static uint64_t hash_for(const struct set_table *t, const struct set_member *m)
{
	if (m->hash)
		return m->hash;
	return siphash13(m->bytes.data, m->bytes.size, t->hash_key);
}

static struct set_table *table_new(const uint64_t hash_key[2])
{
	struct set_table *t = mem_calloc(1, sizeof(*t));

	t->hash_key[0] = hash_key[0];
	t->hash_key[1] = hash_key[1];
	table_init(&t->members, hash_of_member, t->hash_key);
	return t;
}

static bool table_add(struct set_table *t, const struct set_member *m)
{
	struct pack_key k = key_of(m);
	uint64_t hash = hash_for(t, m);
	size_t size = pack_key_size(&k);
	uint8_t *member;

	if (!m->absent &&
	    table_find_inline(&t->members, hash, member_is, &k).slot)
		return false;
	table_walk_touch(&t->members, hash); /* I1 */
	member = slab_alloc(size);
	pack_put_key(member, &k);
	table_insert(&t->members, hash, member);
	t->bytes += member_usable(member, size);
	return true;
}

static void free_member(void *ctx, void *member)
{
	struct set_table *t = ctx;
	size_t size = (size_t)(pack_skip(member) - (uint8_t *)member);

	t->bytes -= member_usable(member, size);
	slab_free(member, size);
}

static bool table_take(struct set_table *t, const struct set_member *m)
{
	struct pack_key k = key_of(m);
	uint64_t hash = hash_for(t, m);
	struct table_ref ref;
	void *member;

	table_walk_touch(&t->members, hash); /* I1 */
	ref = table_find_inline(&t->members, hash, member_is, &k);
	if (!ref.slot)
		return false;
	member = table_ref_entry(ref);
	table_remove(&t->members, hash, ref);
	free_member(t, member);
	return true;
}

/* Frees some members. A segment is about a thousand, so `work` may be passed
 * by as much. */
static bool table_bury(void *p, unsigned work)
{
	struct set_table *t = p;
	size_t before = t->members.count;

	while (table_release_step(&t->members, &t->buried, free_member, t))
		if (before - t->members.count >= work)
			return true;
	assert(t->bytes == 0);
	mem_free(t);
	return false;
}

static void table_drop(struct set_table *t)
{
	t->dead = true;
	if (!t->held) /* I2 */
		grave_add(table_bury, t, t->members.count);
}

/* --- from small to big -------------------------------------------------- */

struct entry *set_new(struct slice key, uint64_t deadline_ms)
{
	uint8_t *bytes;
	struct entry *e = entry_new_blob(VALUE_set, key, deadline_ms,
					 SET_INTEGERS_HEAD, &bytes);

	bytes[0] = 2;
	return e;
}

struct entry *set_new_for(struct slice key, const uint64_t hash_key[2],
			  size_t count, struct slice first)
{
	struct set_table *t;
	int64_t v;

	if (count <= (num_parse_i64(first, &v) ? limits.integer_count :
						 limits.packed_count))
		return set_new(key, 0);
	t = table_new(hash_key);
	table_reserve(&t->members, count);
	return entry_new_pointer(VALUE_set, key, 0, t);
}

static struct entry *make_big(struct entry *e, const uint64_t hash_key[2])
{
	struct set_table *t = table_new(hash_key);
	struct set_iterator it;
	struct set_member m = { 0 };

	set_iterate(&it, e);
	while (set_next(&it, &m.bytes))
		table_add(t, &m);
	return entry_to_pointer(e, t);
}

/* Whether one more element of this size, of so many bytes of text, can be
 * packed beside what takes `blob` bytes already. */
static bool packs(size_t count, size_t blob, const struct pack_key *k)
{
	return count < limits.packed_count &&
	       k->bytes.size <= limits.packed_size &&
	       k->bytes.size <= SET_SMALL_SIZE_MAX &&
	       blob + pack_key_size(k) <= SET_SMALL_SIZE_MAX;
}

/* Integers that m is no member of, and cannot be in this layout: packed
 * elements if there may be, else NULL. */
static struct entry *try_pack(struct entry *e, const struct set_small *s,
			      const struct pack_key *k)
{
	size_t longest, size;

	if (s->count >= limits.packed_count || s->count >= SET_SMALL_SIZE_MAX)
		return NULL;
	size = set_integers_packed_size(s, &longest);
	if (longest > limits.packed_size || !packs(s->count, size, k))
		return NULL;
	return set_packed_append(set_integers_pack(e, size), k);
}

/* NULL: e has not changed, and a table is needed. */
static struct entry *add_to_integers(struct entry *e, struct slice bytes,
				     bool *added)
{
	struct set_small s = set_small_of(e);
	struct pack_key k;
	size_t index;
	int64_t v;

	if (num_parse_i64(bytes, &v)) {
		*added = !set_integers_find(&s, v, &index);
		if (!*added)
			return e;
		if (s.count < limits.integer_count &&
		    (s.count + 1) * 8 < SET_SMALL_SIZE_MAX)
			return set_integers_insert(e, index, v);
		if (s.count != 0)
			return NULL;
	}
	*added = true;
	k = pack_key(bytes);
	return try_pack(e, &s, &k);
}

/* Likewise. */
static struct entry *add_to_packed(struct entry *e, const struct set_member *m,
				   bool *added)
{
	struct set_small s = set_small_of(e);
	struct pack_key k = key_of(m);

	*added = m->absent || !set_packed_find(&s, &k);
	if (!*added)
		return e;
	if (!packs(s.count, (size_t)(s.end - s.at) + SET_PACKED_HEAD, &k))
		return NULL;
	return set_packed_append(e, &k);
}

struct entry *set_add(struct entry *e, const uint64_t hash_key[2],
		      const struct set_member *m, bool *added)
{
	struct entry *to;

	if (!is_big(e)) {
		to = entry_blob(e).data[0] ?
			     add_to_integers(e, m->bytes, added) :
			     add_to_packed(e, m, added);
		if (to)
			return to;
		e = make_big(e, hash_key);
	}
	*added = table_add(table_of(e), m);
	return e;
}

static struct entry *remove_small(struct entry *e, struct slice bytes,
				  bool *removed)
{
	struct set_small s = set_small_of(e);
	struct pack_key k;
	const uint8_t *at;
	size_t index;
	int64_t v;

	if (s.width != 0) {
		*removed = num_parse_i64(bytes, &v) &&
			   set_integers_find(&s, v, &index);
		return *removed ? set_integers_remove(e, index) : e;
	}
	k = pack_key(bytes);
	at = set_packed_find(&s, &k);
	*removed = at != NULL;
	return at ? set_packed_remove(e, at) : e;
}

struct entry *set_remove(struct entry *e, const struct set_member *m,
			 bool *removed)
{
	if (!is_big(e))
		return remove_small(e, m->bytes, removed);
	*removed = table_take(table_of(e), m);
	return e;
}

/* --- looking ------------------------------------------------------------ */

size_t set_count(const struct entry *e)
{
	const struct set_table *t;

	if (!is_big(e))
		return set_small_of(e).count;
	t = table_of(e);
	return t->members.count;
}

/* The number that m is, if it is one. */
static bool number_of(const struct set_member *m, int64_t *v)
{
	if (m->form == SET_FORM_UNKNOWN)
		return num_parse_i64(m->bytes, v);
	*v = m->number;
	return m->form == SET_FORM_NUMBER;
}

static bool find_small(const struct entry *e, const struct set_member *m)
{
	struct set_small s = set_small_of(e);
	struct pack_key k;
	size_t index;
	int64_t v;

	if (s.width != 0)
		return number_of(m, &v) && set_integers_find(&s, v, &index);
	k = key_of(m);
	return set_packed_find(&s, &k) != NULL;
}

bool set_find(const struct entry *e, struct set_member *m)
{
	const struct set_table *t;
	struct pack_key k;

	if (!is_big(e))
		return find_small(e, m);
	t = table_of(e);
	m->hash = hash_for(t, m);
	if (m->packed.data) {
		m->absent = !table_find_inline(&t->members, m->hash,
					       member_is_packed,
					       &m->packed).slot;
		return !m->absent;
	}
	k = key_of(m);
	m->absent = !table_find_inline(&t->members, m->hash, member_is,
				       &k).slot;
	return !m->absent;
}

const char *set_encoding_name(const struct entry *e)
{
	if (is_big(e))
		return "hashtable";
	return entry_blob(e).data[0] ? "intset" : "listpack";
}

size_t set_memory(const struct entry *e)
{
	const struct set_table *t;

	if (!is_big(e))
		return entry_memory(e);
	t = table_of(e);
	return entry_memory(e) + sizeof(*t) + t->bytes +
	       table_memory(&t->members);
}

struct entry *set_copy(const struct entry *e, struct slice key,
		       uint64_t deadline_ms)
{
	const struct set_table *from;
	struct set_table *t;
	struct set_iterator it;
	struct set_member m = { 0 };

	if (!is_big(e)) {
		struct slice blob = entry_blob(e);
		struct entry *to;
		uint8_t *bytes;

		to = entry_new_blob(VALUE_set, key, deadline_ms, blob.size,
				    &bytes);
		memcpy(bytes, blob.data, blob.size);
		return to;
	}
	from = table_of(e);
	t = table_new(from->hash_key);
	table_reserve(&t->members, from->members.count);
	set_iterate(&it, e);
	while (set_next(&it, &m.bytes))
		table_add(t, &m);
	return entry_new_pointer(VALUE_set, key, deadline_ms, t);
}

void set_free(struct entry *e)
{
	if (is_big(e))
		table_drop(table_of(e));
	entry_free(e);
}

/* --- reading members ---------------------------------------------------- */

void set_iterate(struct set_iterator *it, const struct entry *e)
{
	struct set_small s;

	it->table = set_members(e);
	it->position = 0;
	it->last = false;
	it->index = it->count = 0;
	if (it->table)
		return;
	s = set_small_of(e);
	it->at = s.at;
	it->end = s.end;
	it->width = s.width;
}

static void note_found(void *ctx, void *member)
{
	struct set_iterator *it = ctx;

	assert(it->count < SET_BUCKET_MAX);
	it->found[it->count++] = member;
}

const uint8_t *set_next_ref(struct set_iterator *it)
{
	const uint8_t *ref = it->at;

	if (!it->table) {
		if (ref == it->end)
			return NULL;
		it->at = it->width ? ref + it->width : pack_skip(ref);
		return ref;
	}
	while (it->index == it->count) {
		if (it->last)
			return NULL;
		it->index = it->count = 0;
		it->position = table_scan(it->table, it->position, note_found,
					  it);
		it->last = it->position == 0;
	}
	return it->found[it->index++];
}

static struct slice ref_bytes(const uint8_t *ref, unsigned width,
			      char scratch[NUM_I64_SIZE])
{
	if (width == 0)
		return set_member_bytes(ref, scratch);
	return slice_of(scratch,
			num_format_i64(scratch, set_integer(ref, width)));
}

bool set_next(struct set_iterator *it, struct slice *bytes)
{
	const uint8_t *ref = set_next_ref(it);

	if (!ref)
		return false;
	*bytes = ref_bytes(ref, it->table ? 0 : it->width, it->scratch);
	return true;
}

/* What a ref means. */
static void member_at(const uint8_t *ref, unsigned width, struct set_member *m,
		      char scratch[NUM_I64_SIZE])
{
	struct pack_item item = { .is_number = true };
	size_t size = 0;

	if (width)
		item.number = set_integer(ref, width);
	else
		size = (size_t)(pack_next(ref, &item) - ref);
	*m = (struct set_member){
		.bytes = pack_slice(&item, scratch),
		.packed = slice_of(width ? NULL : ref, size),
		.number = item.number,
		.form = item.is_number ? SET_FORM_NUMBER : SET_FORM_BYTES,
	};
}

bool set_next_probes(struct set_iterator *it, struct set_probes *p)
{
	const uint8_t *refs[SET_PROBES_MAX];
	unsigned i;

	for (p->count = 0; p->count < SET_PROBES_MAX; p->count++) {
		refs[p->count] = set_next_ref(it);
		if (!refs[p->count])
			break;
		__builtin_prefetch(refs[p->count]);
	}
	for (i = 0; i < p->count; i++)
		member_at(refs[i], it->table ? 0 : it->width, &p->members[i],
			  p->scratch[i]);
	return p->count > 0;
}

void set_prefetch(const struct entry *e, struct set_probes *p)
{
	const struct set_table *t;
	unsigned i;

	if (!is_big(e))
		return;
	t = table_of(e);
	if (t->members.count < FETCH_COUNT_MIN)
		return;
	for (i = 0; i < p->count; i++) {
		p->members[i].hash = hash_for(t, &p->members[i]);
		table_prefetch_bucket(&t->members, p->members[i].hash);
	}
	for (i = 0; i < p->count; i++)
		table_prefetch_entry(&t->members, p->members[i].hash);
}

const uint8_t *set_random(const struct entry *e, uint64_t random)
{
	const struct table *t = set_members(e);
	const uint8_t *at;
	struct set_small s;
	size_t index;

	if (t)
		return table_random(t, random);
	s = set_small_of(e);
	assert(s.count > 0);
	index = (size_t)(((unsigned __int128)random * s.count) >> 64);
	if (s.width)
		return s.at + index * s.width;
	for (at = s.at; index > 0; index--)
		at = pack_skip(at);
	return at;
}

struct slice set_bytes(const struct entry *e, const uint8_t *ref,
		       char scratch[NUM_I64_SIZE])
{
	return ref_bytes(ref, is_big(e) ? 0 : entry_blob(e).data[0], scratch);
}

const struct table *set_members(const struct entry *e)
{
	const struct set_table *t;

	if (!is_big(e))
		return NULL;
	t = table_of(e);
	return &t->members;
}

/* --- a snapshot of a big set -------------------------------------------- */

struct set_table *set_hold(const struct entry *e, table_visit_fn *visit,
			   void *ctx)
{
	struct set_table *t = table_of(e);

	assert(!t->held);
	t->held = true;
	table_walk_begin(&t->members, NULL, visit, ctx);
	return t;
}

bool set_hold_next(struct set_table *t, uint64_t *position)
{
	assert(t->held);
	return table_walk_next(&t->members, position);
}

void set_release(struct set_table *t)
{
	assert(t->held);
	t->held = false;
	table_walk_end(&t->members);
	if (t->dead) /* I2 */
		table_drop(t);
}

/* --- checks ------------------------------------------------------------- */

static void check_integers(const struct set_small *s)
{
	const uint8_t *p;

	assert(s->width == 2 || s->width == 4 || s->width == 8);
	assert(s->at + s->count * s->width == s->end);
	for (p = s->at; p + s->width < s->end; p += s->width)
		assert(set_integer(p, s->width) <
		       set_integer(p + s->width, s->width));
}

static void check_packed(const struct set_small *s)
{
	const uint8_t *p, *other;
	size_t count;

	assert(pack_check(s->at, (size_t)(s->end - s->at), &count));
	assert(count == s->count);
	for (p = s->at; p < s->end; p = pack_skip(p)) {
		size_t size = (size_t)(pack_skip(p) - p);

		for (other = pack_skip(p); other < s->end;
		     other = pack_skip(other))
			assert((size_t)(pack_skip(other) - other) != size ||
			       memcmp(p, other, size) != 0);
	}
}

void set_check(const struct entry *e)
{
	const struct set_table *t;
	struct set_small s;
	struct set_iterator it;
	const uint8_t *ref;
	size_t bytes = 0;

	assert(entry_type(e) == VALUE_set);
	if (!is_big(e)) {
		s = set_small_of(e);
		if (s.width)
			check_integers(&s);
		else
			check_packed(&s);
		return;
	}
	t = table_of(e);
	assert(!t->dead);
	table_check(&t->members);
	set_iterate(&it, e);
	while ((ref = set_next_ref(&it)) != NULL)
		bytes += slab_usable(ref, (size_t)(pack_skip(ref) - ref));
	assert(bytes == t->bytes);
}
