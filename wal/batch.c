/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches: collecting records, the header in front of them, and the way back.
 *
 * The dictionary of origins serves both directions.  A reader only needs
 * number -> strings.  The writer also needs strings -> number: an index with
 * open addressing, twice as many slots as entries at least, made at its first
 * search.
 *
 * I1. An entry never moves and lives until the dictionary is cleared: readers
 *     hand out slices into it.
 * I2. Numbers are positions: entry n is the n-th definition.
 * I3. What a reader accepts a writer could have written: strings are cut
 *     before they are compared or stored, count and size agree.
 */
#include "wal/batch.h"

#include <assert.h>

#include "base/checksum.h"
#include "base/mem.h"

void batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
}

void batch_release(struct batch *b)
{
	buf_release(&b->records);
	*b = (struct batch){ 0 };
}

void batch_reset(struct batch *b)
{
	b->records.size = 0;
	b->count = 0;
	b->first_db = 0;
	b->last_db = 0;
	b->time_ms = 0;
	b->origin = NULL;
	b->origin_cache = NULL;
}

void batch_add(struct batch *b, const struct record *r)
{
	assert(b->count < UINT32_MAX);
	if (b->count == 0) {
		b->first_db = r->db;
		b->last_db = r->db;
	}
	record_encode(&b->records, r, b->last_db);
	b->last_db = r->db;
	b->count++;
}

/* --- origins ------------------------------------------------------------- */

struct entry {
	struct origin origin; /* slices into text */
	uint64_t hash;
	uint8_t text[];
};

struct origin_dictionary {
	struct entry **entries; /* entry n at n - 1 */
	uint32_t count;
	bool lost; /* definitions are missing: entries may be NULL */
	uint32_t capacity;
	uint32_t *slots; /* numbers by hash, 0: empty; NULL: not searched yet */
	uint32_t slot_count; /* a power of two */
};

struct origin_dictionary *origin_dictionary_new(void)
{
	return mem_calloc(1, sizeof(struct origin_dictionary));
}

void origin_dictionary_clear(struct origin_dictionary *d)
{
	uint32_t i;

	assert(d->count <= ORIGIN_COUNT_MAX);
	for (i = 0; i < d->count; i++)
		mem_free(d->entries[i]); /* may be NULL behind a hole */
	d->count = 0;
	d->lost = false;
	if (d->slots)
		memset(d->slots, 0, d->slot_count * sizeof(*d->slots));
}

void origin_dictionary_free(struct origin_dictionary *d)
{
	if (!d)
		return;
	origin_dictionary_clear(d);
	mem_free(d->entries);
	mem_free(d->slots);
	mem_free(d);
}

void origin_dictionary_lose(struct origin_dictionary *d)
{
	assert(d->count <= ORIGIN_COUNT_MAX);
	d->lost = true;
}

uint32_t origin_dictionary_count(const struct origin_dictionary *d)
{
	return d->count;
}

static struct slice cut(struct slice s)
{
	if (s.size > ORIGIN_STRING_MAX)
		s.size = ORIGIN_STRING_MAX;
	return s;
}

static struct origin origin_cut(const struct origin *o)
{
	return (struct origin){ cut(o->user), cut(o->address),
				cut(o->command) };
}

/* Of an origin that is already cut. */
static uint64_t origin_hash(const struct origin *o)
{
	uint64_t h = content_hash(o->user.data, o->user.size, 1);

	h = content_hash(o->address.data, o->address.size, h);
	return content_hash(o->command.data, o->command.size, h);
}

static bool origin_equal(const struct origin *a, const struct origin *b)
{
	return slice_equal(a->command, b->command) &&
	       slice_equal(a->address, b->address) &&
	       slice_equal(a->user, b->user);
}

uint32_t origin_dictionary_find(const struct origin_dictionary *d,
				const struct origin *o)
{
	struct origin wanted = origin_cut(o);
	uint64_t hash;
	uint32_t i;

	if (d->count == 0 || !d->slots)
		return 0;
	hash = origin_hash(&wanted);
	for (i = (uint32_t)hash;; i++) {
		uint32_t number = d->slots[i & (d->slot_count - 1)];
		const struct entry *e;

		if (number == 0)
			return 0;
		assert(number <= d->count);
		e = d->entries[number - 1];
		if (e->hash == hash && origin_equal(&e->origin, &wanted))
			return number;
	}
}

static void slots_insert(struct origin_dictionary *d, uint32_t number)
{
	uint32_t i = (uint32_t)d->entries[number - 1]->hash;

	while (d->slots[i & (d->slot_count - 1)] != 0)
		i++;
	d->slots[i & (d->slot_count - 1)] = number;
}

/* Room for one more entry and its slot. */
static void dictionary_grow(struct origin_dictionary *d)
{
	uint32_t capacity = d->capacity ? d->capacity * 2 : 16;
	uint32_t number;

	if (d->count < d->capacity)
		return;
	d->entries =
		mem_realloc_array(d->entries, capacity, sizeof(*d->entries));
	d->capacity = capacity;
	mem_free(d->slots);
	d->slot_count = capacity * 2;
	d->slots = mem_calloc(d->slot_count, sizeof(*d->slots));
	for (number = 1; number <= d->count; number++)
		if (d->entries[number - 1])
			slots_insert(d, number);
}

static struct slice keep(uint8_t **at, struct slice s)
{
	struct slice copy = { *at, s.size };

	*at = put_bytes(*at, s.data, s.size);
	return copy;
}

uint32_t origin_dictionary_add(struct origin_dictionary *d,
			       const struct origin *o)
{
	struct origin from = origin_cut(o);
	struct entry *e;
	uint8_t *at;

	assert(d->count < ORIGIN_COUNT_MAX);
	dictionary_grow(d);
	e = mem_alloc(sizeof(*e) + from.user.size + from.address.size +
		      from.command.size);
	at = e->text;
	e->origin.user = keep(&at, from.user);
	e->origin.address = keep(&at, from.address);
	e->origin.command = keep(&at, from.command);
	e->hash = origin_hash(&e->origin);
	d->entries[d->count++] = e;
	slots_insert(d, d->count);
	return d->count;
}

/* --- the header ---------------------------------------------------------- */

static size_t string_size(struct slice s)
{
	return varint_size(s.size) + s.size;
}

static uint8_t *put_string(uint8_t *p, struct slice s)
{
	return put_bytes(put_varint(p, s.size), s.data, s.size);
}

uint8_t *batch_put_header(uint8_t *p, const struct batch *b,
			  const struct batch_header *h)
{
	uint64_t time = zigzag((int64_t)(b->time_ms - h->previous_ms));
	uint64_t origin = (uint64_t)h->origin << 1 | (h->define != NULL);
	struct origin define;
	size_t size;

	assert(b->count > 0);
	assert(b->records.size > 0);
	size = 4 + b->records.size;
	if (!h->define &&
	    (time | origin | b->first_db | b->count | size) < 0x80) {
		p[0] = (uint8_t)size; /* nearly all: a byte each */
		p[1] = (uint8_t)time;
		p[2] = (uint8_t)origin;
		p[3] = (uint8_t)b->first_db;
		p[4] = (uint8_t)b->count;
		return p + 5;
	}
	size = varint_size(time) + varint_size(origin) +
	       varint_size(b->first_db) + varint_size(b->count) +
	       b->records.size;
	if (h->define) {
		define = origin_cut(h->define);
		size += string_size(define.user) + string_size(define.address) +
			string_size(define.command);
	}
	p = put_varint(p, size);
	p = put_varint(p, time);
	p = put_varint(p, origin);
	if (h->define) {
		p = put_string(p, define.user);
		p = put_string(p, define.address);
		p = put_string(p, define.command);
	}
	p = put_varint(p, b->first_db);
	return put_varint(p, b->count);
}

/* --- reading ------------------------------------------------------------- */

static struct slice read_origin_string(struct reader *in)
{
	struct slice s = read_string(in);

	if (s.size > ORIGIN_STRING_MAX)
		reader_fail(in);
	return s;
}

/* Whether entry `number` may be defined next. Behind a hole the numbers
 * between are left open. */
static bool origin_may_define(struct origin_dictionary *d, uint64_t number)
{
	if (number == (uint64_t)d->count + 1)
		return true;
	if (!d->lost || number <= d->count)
		return false;
	while (d->count + 1 < number) {
		dictionary_grow(d);
		d->entries[d->count++] = NULL;
	}
	return true;
}

static void read_origin(struct reader *in, struct origin_dictionary *d,
			struct origin *out)
{
	uint64_t value = read_varint(in), number = value >> 1;
	bool define = value & 1;

	*out = (struct origin){ 0 };
	if (in->bad || value == 0)
		return;
	if (!d || number == 0 || number > ORIGIN_COUNT_MAX ||
	    (define && !origin_may_define(d, number)) ||
	    (!define && number > d->count && !d->lost)) {
		reader_fail(in);
		return;
	}
	if (define) {
		out->user = read_origin_string(in);
		out->address = read_origin_string(in);
		out->command = read_origin_string(in);
		if (in->bad)
			return;
		origin_dictionary_add(d, out);
	}
	if (number <= d->count && d->entries[number - 1])
		*out = d->entries[number - 1]->origin;
}

bool batch_parse(struct reader *in, uint64_t previous_ms,
		 struct origin_dictionary *d, struct batch_view *out)
{
	struct reader body = reader_of(read_string(in));
	uint64_t db, count;

	*out = (struct batch_view){ 0 };
	if (in->bad)
		return false;
	out->time_ms = previous_ms + (uint64_t)unzigzag(read_varint(&body));
	read_origin(&body, d, &out->origin);
	db = read_varint(&body);
	count = read_varint(&body);
	/* A record takes two bytes at least. */
	if (body.bad || db > RECORD_DB_MAX || count == 0 ||
	    count > reader_left(&body) / 2 || count > UINT32_MAX) {
		reader_fail(in);
		return false;
	}
	out->first_db = (uint32_t)db;
	out->count = (uint32_t)count;
	out->records = slice_of(body.at, reader_left(&body));
	return true;
}

struct batch_reader batch_records(const struct batch_view *v)
{
	return (struct batch_reader){ .in = reader_of(v->records),
				      .next_lsn = v->first_lsn,
				      .db = v->first_db,
				      .left = v->count };
}

bool batch_next(struct batch_reader *r, struct record *out)
{
	if (r->left == 0) {
		if (!r->in.bad && reader_left(&r->in) != 0)
			reader_fail(&r->in);
		return false;
	}
	if (!record_decode(&r->in, out, r->db))
		return false;
	out->lsn = r->next_lsn++;
	r->db = out->db;
	r->left--;
	return true;
}
