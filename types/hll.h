/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyperLogLogs: how many different elements a stream has had, in 12 KiB, with
 * a standard error of 0.81 % (Flajolet et al. 2007).
 *
 * The value is a string in Redis' own layout, so that it can be taken from
 * one server to another:
 *
 *   byte 0-3    "HYLL"
 *   byte 4      HLL_DENSE or HLL_SPARSE
 *   byte 5-7    0
 *   byte 8-15   an estimate, little endian; top bit: no longer true
 *   dense       HLL_REGISTERS of 6 bits, from the lowest bit up
 *   sparse      runs of registers:
 *     00nnnnnn           n + 1 of 0
 *     01nnnnnn nnnnnnnn  n + 1 of 0
 *     1vvvvvnn           n + 1 of v + 1
 *
 * A register is the highest rank (zeros at the end of a 50-bit hash, plus one)
 * of the elements that chose it.  Pure functions; any thread.
 */
#ifndef REDOUBT_TYPES_HLL_H
#define REDOUBT_TYPES_HLL_H

#include "base/buf.h"

#define HLL_REGISTERS 16384
#define HLL_RANK_MAX 51
#define HLL_HEADER_SIZE 16
#define HLL_DENSE_SIZE (HLL_HEADER_SIZE + HLL_REGISTERS * 6 / 8)
#define HLL_SPARSE_EMPTY_SIZE (HLL_HEADER_SIZE + 2)
#define HLL_SIZE_MAX (HLL_HEADER_SIZE + HLL_REGISTERS * 2) /* sparse */

enum hll_encoding { HLL_DENSE, HLL_SPARSE };

enum hll_state {
	HLL_GOOD,
	HLL_OTHER,   /* a string, but no HyperLogLog */
	HLL_CORRUPT, /* sparse runs that are not of HLL_REGISTERS */
};

/* What an element wants: register `index` to be at least `rank`. */
struct hll_mark {
	uint16_t index;
	uint8_t rank;
};

/* The mark of an element: by its hash alone. */
struct hll_mark hll_mark(struct slice element);

/* Whether the header (and, of a dense one, the size) is right: HLL_GOOD or
 * HLL_OTHER. */
enum hll_state hll_check_header(struct slice value);

/* What the header says. */
enum hll_encoding hll_encoding(struct slice value);

/* The estimate of the header; false: no longer true. */
bool hll_cached(struct slice value, uint64_t *out);

/* A run of a sparse value: where it is, and its first register. */
struct hll_hint {
	size_t offset;
	unsigned first;
};

/* A register of a value with a good header, and a hint for changing it. False:
 * the runs of a sparse one end before it, or are more than there can be. */
bool hll_get(struct slice value, unsigned index, uint8_t *rank,
	     struct hll_hint *hint);

/* Header and runs. All functions below want a value for which this said
 * HLL_GOOD, but for what hll_edit_raise finds out itself. */
enum hll_state hll_check(struct slice value);

/* The estimate from the registers (Ertl 2017). */
uint64_t hll_count(struct slice value);

struct hll_patch {
	size_t offset; /* in the value */
	size_t size;
	uint8_t bytes[3];
};

/* The bytes of a dense one that its register lies in, as they are when it has
 * been raised to the mark. */
struct hll_patch hll_dense_patch(struct slice value, struct hll_mark mark);

/* Raises each of HLL_REGISTERS bytes to the value's register, and the estimate
 * from such bytes. */
void hll_max_into(uint8_t *registers, struct slice value);
uint64_t hll_count_registers(const uint8_t *registers);

/* The runs of a sparse one as text: "Z:1000 v:2,1 z:9 …"; z: one byte. */
void hll_describe(struct slice value, struct buf *out);

/* A value under change. Big, but made to be on the stack. */
struct hll_edit {
	size_t size;
	size_t sparse_max; /* bytes: a longer one becomes dense */
	struct hll_hint hint;
	size_t changed;    /* bytes before this one are as they were */
	uint8_t bytes[HLL_SIZE_MAX];
};

/* An empty one, sparse. */
void hll_edit_new(struct hll_edit *e, size_t sparse_max);

/* A copy of value. hint: where the first change will be, or NULL. */
void hll_edit_open(struct hll_edit *e, struct slice value, size_t sparse_max,
		   const struct hll_hint *hint);

enum hll_raise {
	HLL_NOT_RAISED, /* it was as high */
	HLL_RAISED,     /* the header's estimate is no longer true */
	HLL_DAMAGED,    /* runs that had to be read are wrong: not changed */
};

/* Makes a register at least as high as the mark. The header was good. */
enum hll_raise hll_edit_raise(struct hll_edit *e, struct hll_mark mark);

/* As hll_edit_raise with every register of HLL_REGISTERS bytes. */
void hll_edit_merge(struct hll_edit *e, const uint8_t *registers);

/* Makes it dense if it is not. */
void hll_edit_to_dense(struct hll_edit *e);

/* Makes every register of a dense one at least as high as that of value. */
void hll_edit_unite(struct hll_edit *e, struct slice value);

static inline struct slice hll_edit_value(const struct hll_edit *e)
{
	return slice_of(e->bytes, e->size);
}

#endif
