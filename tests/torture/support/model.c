/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/model.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/torture/support/op_types.h"

#define PLACES (2 * MODEL_KEYS + 2) /* all keys, the witness, the flush */
#define PLACE_WITNESS (2 * MODEL_KEYS)

uint64_t random_bits(struct random *r)
{
	uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	assert(n > 0);
	return random_bits(r) % n;
}

void model_init(struct model *m, unsigned writer)
{
	*m = (struct model){ .writer = writer };
}

void model_release(struct model *m)
{
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++) {
		struct entry *e = &m->entries[i / MODEL_KEYS][i % MODEL_KEYS];

		buf_release(&e->value);
		buf_release(&e->side);
		buf_release(&e->marks);
	}
}

static void buf_assign(struct buf *to, const struct buf *from)
{
	to->size = 0;
	buf_put(to, from->data, from->size);
}

void entry_assign(struct entry *to, const struct entry *from)
{
	struct buf value = to->value, side = to->side, marks = to->marks;

	buf_assign(&value, &from->value);
	buf_assign(&side, &from->side);
	buf_assign(&marks, &from->marks);
	*to = *from;
	to->value = value;
	to->side = side;
	to->marks = marks;
}

static void entry_copy(struct entry *to, const struct entry *from)
{
	to->present = false;
	if (from->present)
		entry_assign(to, from);
}

void model_copy(struct model *to, const struct model *from)
{
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++)
		entry_copy(&to->entries[i / MODEL_KEYS][i % MODEL_KEYS],
			   &from->entries[i / MODEL_KEYS][i % MODEL_KEYS]);
	to->witness = from->witness;
	to->flushed_all = from->flushed_all;
}

void model_clear(struct model *m)
{
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++)
		m->entries[i / MODEL_KEYS][i % MODEL_KEYS].present = false;
	m->witness = 0;
}

static bool entry_agrees(const struct entry *e, const struct entry *read,
			 const struct read_time *t, unsigned key)
{
	if (!e->present)
		return !read->present;
	if (!read->present)
		return e->deadline_low != 0 && e->deadline_low <= t->to_ms;
	if (read->deadline_low < e->deadline_low ||
	    read->deadline_low > e->deadline_high)
		return false;
	return slice_equal(buf_slice(&e->value), buf_slice(&read->value)) &&
	       side_agrees(e, read, key_family(key));
}

static bool place_agrees(const struct model *m, const struct model *read,
			 const struct read_time *t, unsigned place)
{
	unsigned db = place / MODEL_KEYS, key = place % MODEL_KEYS;

	if (place == PLACE_WITNESS)
		return m->witness == read->witness;
	if (place > PLACE_WITNESS)
		return m->flushed_all == read->flushed_all;
	return entry_agrees(&m->entries[db][key], &read->entries[db][key], t,
			    key);
}

bool model_agrees(const struct model *m, const struct model *read,
		  const struct read_time *t, unsigned *place)
{
	for (unsigned i = 0; i < PLACES; i++) {
		unsigned p = (*place + i) % PLACES;

		if (!place_agrees(m, read, t, p)) {
			*place = p;
			return false;
		}
	}
	return true;
}

unsigned model_differences(const struct model *m, const struct model *read,
			   const struct read_time *t)
{
	unsigned count = 0;

	for (unsigned place = 0; place < PLACES; place++)
		count += !place_agrees(m, read, t, place);
	return count;
}

void model_pin(struct model *m, const struct model *read)
{
	for (unsigned i = 0; i < 2 * MODEL_KEYS; i++) {
		unsigned db = i / MODEL_KEYS, key = i % MODEL_KEYS;
		const struct entry *r = &read->entries[db][key];
		struct entry *e = &m->entries[db][key];

		e->present = r->present;
		e->deadline_low = e->deadline_high = r->deadline_low;
		if (e->present)
			side_pin(e, r, key_family(key));
	}
}

static void describe_entry(struct buf *out, const char *what,
			   const struct entry *e, enum family family)
{
	if (!e->present) {
		buf_printf(out, "%s: absent", what);
		return;
	}
	buf_printf(out, "%s: %zu bytes", what, e->value.size);
	if (family >= LISTS && family <= HLLS)
		buf_printf(out, " beside them %zu", e->side.size);
	else if (e->value.size >= 16)
		buf_printf(out, " of op %.16s", (const char *)e->value.data);
	else
		buf_printf(out, " \"%.*s\"", (int)e->value.size,
			   (const char *)e->value.data);
	if (e->deadline_low != 0)
		buf_printf(out, ", deadline %" PRId64 "..%" PRId64,
			   e->deadline_low, e->deadline_high);
}

void model_describe(struct buf *out, const struct model *m,
		    const struct model *read, unsigned place)
{
	unsigned db = place / MODEL_KEYS, key = place % MODEL_KEYS;
	size_t i = 0;

	if (place >= PLACE_WITNESS) {
		buf_printf(out, "witness w%u: expected %" PRId64
			   ", found %" PRId64 "; FLUSHALL expected %d, "
			   "found %d", m->writer, m->witness, read->witness,
			   m->flushed_all, read->flushed_all);
		return;
	}
	const struct entry *e = &m->entries[db][key];
	const struct entry *r = &read->entries[db][key];

	buf_printf(out, "db %u key ", 2 * m->writer + db);
	model_key_name(out, m->writer, key);
	describe_entry(out, ": expected", e, key_family(key));
	describe_entry(out, "; found", r, key_family(key));
	if (!e->present || !r->present)
		return;
	while (i < e->value.size && i < r->value.size &&
	       e->value.data[i] == r->value.data[i])
		i++;
	if (i < e->value.size || i < r->value.size)
		buf_printf(out, "; first difference at byte %zu", i);
	else if (!side_agrees(e, r, key_family(key)))
		side_describe(out, e, r, key_family(key));
}

void model_count(const struct model *m, unsigned db, const struct read_time *t,
		 uint64_t count[2])
{
	for (unsigned key = 0; key < MODEL_KEYS; key++) {
		const struct entry *e = &m->entries[db][key];

		if (!e->present)
			continue;
		count[0] += e->deadline_low == 0 ||
			    e->deadline_low > t->to_ms;
		count[1]++;
	}
	/* An expired key may be counted until it is reaped. */
	count[1] += MODEL_KEYS - SHORT_FIRST;
}

void model_key_name(struct buf *out, unsigned writer, unsigned key)
{
	char kind = "snflmzhxpt"[key_family(key)];

	buf_printf(out, "w%u:%c%u", writer, kind, key);
	if (key % 9 == 4) /* some long ones */
		buf_printf(out, ":%0*u", 20 + 5 * (int)(key % 50), key);
}

void model_value(struct buf *out, uint64_t number, size_t size)
{
	struct random r = { number };
	uint8_t *to = buf_reserve(out, size + 32);
	size_t at = 0;

	if (size >= 16)
		at = (size_t)snprintf((char *)to, 17, "%016" PRIx64, number);
	if (size >= 256 && number % 3 == 0) { /* compresses well */
		memset(to + at, (int)number, size - at);
		at = size;
	}
	while (at < size) {
		uint64_t bits = random_bits(&r);

		memcpy(to + at, &bits, sizeof(bits));
		at += sizeof(bits);
	}
	out->size += size;
}
