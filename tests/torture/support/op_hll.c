/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyperLogLogs.
 *
 * In the model one is its registers that are not 0: each element goes by its
 * hash to one of 16384 and raises it to the place of the lowest bit that is
 * set in the rest of the hash.  What the store has is read with GET and taken
 * apart: 16 bytes of header, then registers of six bits (dense) or runs of
 * equal ones (sparse).
 */
#include "tests/torture/support/op_types.h"

#define REGISTERS 16384
#define INDEX_BITS 14
#define HEADER_SIZE 16
#define DENSE_SIZE (HEADER_SIZE + REGISTERS * 6 / 8)
#define ELEMENTS 3000 /* all of them are more than a sparse one takes */
#define LONG_RUN 600

struct hll_register {
	uint16_t index, rank;
};

/* --- elements ------------------------------------------------------------- */

unsigned hll_run_length(const struct op *op)
{
	return op->size >= 500 ? LONG_RUN : 1 + op->size % 6;
}

void op_put_element(struct buf *out, const struct op *op, unsigned i)
{
	buf_printf(out, "x%u", (unsigned)((op->number / 4 * 31 + i) %
					  ELEMENTS));
}

static uint64_t mix(uint64_t k)
{
	k *= UINT64_C(0xc6a4a7935bd1e995);
	k ^= k >> 47;
	return k * UINT64_C(0xc6a4a7935bd1e995);
}

/* MurmurHash64A, as the format demands. */
static uint64_t hash_of(struct slice s)
{
	uint64_t h = UINT64_C(0xadc83b19) ^
		     s.size * UINT64_C(0xc6a4a7935bd1e995);
	uint64_t word;
	size_t at;

	for (at = 0; at + 8 <= s.size; at += 8) {
		memcpy(&word, s.data + at, 8);
		h = (h ^ mix(word)) * UINT64_C(0xc6a4a7935bd1e995);
	}
	if (at < s.size) {
		word = 0;
		memcpy(&word, s.data + at, s.size - at);
		h = (h ^ word) * UINT64_C(0xc6a4a7935bd1e995);
	}
	h = (h ^ h >> 47) * UINT64_C(0xc6a4a7935bd1e995);
	return h ^ h >> 47;
}

static struct hll_register register_of(struct slice element)
{
	uint64_t h = hash_of(element), rest = h >> INDEX_BITS;

	rest |= UINT64_C(1) << (64 - INDEX_BITS);
	return (struct hll_register){
		(uint16_t)(h & (REGISTERS - 1)),
		(uint16_t)(__builtin_ctzll(rest) + 1),
	};
}

/* --- values --------------------------------------------------------------- */

/* Raises a register of a value; whether it was lower. */
static bool lift(struct buf *value, struct hll_register r)
{
	struct hll_register *all = (struct hll_register *)(void *)value->data;
	size_t count = value->size / sizeof(r), low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (all[middle].index < r.index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && all[low].index == r.index) {
		bool lower = all[low].rank < r.rank;

		if (lower)
			all[low].rank = r.rank;
		return lower;
	}
	buf_put(value, &r, sizeof(r));
	all = (struct hll_register *)(void *)value->data;
	memmove(&all[low + 1], &all[low], (count - low) * sizeof(r));
	all[low] = r;
	return true;
}

static void merge(struct buf *to, const struct entry *from)
{
	struct hll_register r;
	size_t at;

	for (at = 0; from->present && at < from->value.size; at += sizeof(r)) {
		memcpy(&r, from->value.data + at, sizeof(r));
		lift(to, r);
	}
}

/* count registers from *index on have that rank. */
static void take_run(struct buf *value, unsigned *index, unsigned count,
		     unsigned rank)
{
	for (; count > 0 && *index < REGISTERS; count--, (*index)++) {
		struct hll_register r = { (uint16_t)*index, (uint16_t)rank };

		if (rank > 0)
			buf_put(value, &r, sizeof(r));
	}
}

static void take_sparse(struct buf *value, struct slice s)
{
	unsigned index = 0;
	size_t at;

	for (at = HEADER_SIZE; at < s.size; at++) {
		unsigned b = s.data[at];

		if (b & 0x80) {
			take_run(value, &index, (b & 3) + 1,
				 (b >> 2 & 31) + 1);
		} else if (b & 0x40) {
			at++;
			take_run(value, &index,
				 ((b & 63) << 8 |
				  (at < s.size ? s.data[at] : 0)) + 1, 0);
		} else {
			take_run(value, &index, b + 1, 0);
		}
	}
}

static void take_dense(struct buf *value, struct slice s)
{
	unsigned index = 0;

	while (index < REGISTERS) {
		size_t bit = index * 6u, byte = HEADER_SIZE + bit / 8;
		unsigned word = s.data[byte];

		if (byte + 1 < s.size)
			word |= (unsigned)s.data[byte + 1] << 8;
		take_run(value, &index, 1, word >> bit % 8 & 63);
	}
}

bool hll_take(struct buf *value, struct slice stored)
{
	value->size = 0;
	if (stored.size < HEADER_SIZE || memcmp(stored.data, "HYLL", 4) != 0)
		return false;
	if (stored.data[4] == 0 && stored.size == DENSE_SIZE)
		take_dense(value, stored);
	else if (stored.data[4] == 1)
		take_sparse(value, stored);
	else
		return false;
	return true;
}

/* --- operations ----------------------------------------------------------- */

static void exec_pfadd(struct model *m, const struct op *op, struct expect *e)
{
	bool changed = !entry_of(m, op, op->key)->present;
	struct entry *to = entry_opened(m, op, op->key);
	struct buf element = { 0 };

	for (unsigned i = 0; i < hll_run_length(op); i++) {
		element.size = 0;
		op_put_element(&element, op, i);
		changed |= lift(&to->value, register_of(buf_slice(&element)));
	}
	buf_release(&element);
	to->present = true;
	expect_integer(e, changed);
}

static void exec_pfmerge(struct model *m, const struct op *op,
			 struct expect *e)
{
	struct entry *to = entry_opened(m, op, op->key);

	merge(&to->value, entry_of(m, op, op->key2));
	merge(&to->value, entry_of(m, op, op->key3));
	to->present = true;
	expect_type(e, EXPECT_OK);
}

const struct op_row hll_rows[] = {
	{ "PFADD $k $R", 90, HLLS, 0, 0, exec_pfadd },
	{ "PFMERGE $k $K $L", 20, HLLS, 0, 0, exec_pfmerge },
};
const unsigned hll_row_count = ARRAY_LEN(hll_rows);
