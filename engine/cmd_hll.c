/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PFADD, PFCOUNT, PFMERGE: HyperLogLogs, which are strings (types/hll.h).
 *
 * I1. Every value is checked before it is used: SETRANGE can write anything
 *     into it.
 * I2. A dense value changes by records of the bytes that differ; a sparse one
 *     that keeps its size or grows by one from the first to the last of them.
 *     Nothing is logged when no register changes.
 * I3. PFCOUNT is a read: an estimate of the header that is still true is
 *     used, but none is ever written. One that came with the value (from
 *     another server) is marked as no longer true by the first change.
 */
#include "engine/cmd_hll.h"

#include "engine/string_value.h"

/* Bytes of a record beside key and value, about. */
#define RECORD_OVERHEAD 16

bool lookup_hll_header(struct cmd *c, struct slice key, struct slice *value)
{
	char scratch[NUM_I64_SIZE]; /* of an integer, which is none */
	const struct entry *e;

	*value = slice_of(NULL, 0);
	if (!lookup_string(c, key, &e))
		return false;
	if (!e)
		return true;
	if (!str_whole(e, scratch, value))
		*value = str_piece(e, 0, scratch);
	if (hll_check_header(*value) == HLL_GOOD)
		return true;
	reply_error(c, "WRONGTYPE Key is not a valid HyperLogLog string "
		       "value.");
	return false;
}

bool lookup_hll(struct cmd *c, struct slice key, struct slice *value)
{
	if (!lookup_hll_header(c, key, value))
		return false;
	if (value->size == 0 || (value->size <= HLL_SIZE_MAX &&
				 hll_check(*value) == HLL_GOOD))
		return true;
	reply_error(c, "INVALIDOBJ Corrupted HLL object detected");
	return false;
}

/* The first byte from `at` on that differs, or the end. */
static size_t next_difference(struct slice a, const uint8_t *b, size_t at)
{
	while (a.size - at >= 8 && memcmp(a.data + at, b + at, 8) == 0)
		at += 8;
	while (at < a.size && a.data[at] == b[at])
		at++;
	return at;
}

/* Where the difference at `at` ends: behind it, `gap` bytes are equal. */
static size_t difference_end(struct slice a, const uint8_t *b, size_t at,
			     size_t gap)
{
	size_t end = at;

	for (; at < a.size && at - end < gap; at++)
		if (a.data[at] != b[at])
			end = at + 1;
	return end;
}

/* Values of one size. (I2) A record is worth its overhead, so that all
 * together take no more than twice the value. */
static void emit_differences(struct cmd *c, struct slice key, struct slice old,
			     const uint8_t *fresh)
{
	size_t gap = key.size + RECORD_OVERHEAD;
	size_t at = next_difference(old, fresh, 0);

	while (at < old.size) {
		size_t end = difference_end(old, fresh, at, gap);

		emit_str_write(c, key, at, slice_of(fresh + at, end - at),
			       CAUSE_pfadd);
		lookup_hll_header(c, key, &old);
		at = next_difference(old, fresh, end);
	}
}

void emit_hll(struct cmd *c, struct slice key, struct slice old,
	      const struct hll_edit *edit)
{
	struct slice fresh = hll_edit_value(edit);
	size_t at;

	if (old.size == 0) {
		emit_str_set(c, key, fresh, DEADLINE_NONE, CAUSE_pfadd);
	} else if (old.size == fresh.size) {
		emit_differences(c, key, old, fresh.data);
	} else if (old.size > fresh.size ||
		   hll_encoding(old) != hll_encoding(fresh)) {
		emit_str_set(c, key, fresh, DEADLINE_KEEP, CAUSE_pfadd);
	} else {
		at = next_difference(old, fresh.data, 0);
		emit_str_write(c, key, at,
			       slice_of(fresh.data + at, fresh.size - at),
			       CAUSE_pfadd);
	}
}

/* The edit with all elements of PFADD; whether a register changed. */
static bool add_elements(struct cmd *c, struct hll_edit *edit)
{
	bool raised = false;
	unsigned i;

	for (i = 2; i < c->argc; i++)
		raised |= hll_edit_raise(edit, hll_mark(c->argv[i]));
	return raised;
}

/* PFADD to a dense value, of which usually nothing or one register changes. */
static bool add_to_dense(struct cmd *c, struct slice value)
{
	struct hll_mark mark, last = { 0 };
	struct hll_edit edit;
	unsigned i, raised = 0;
	uint64_t cached;

	for (i = 2; i < c->argc; i++) {
		mark = hll_mark(c->argv[i]);
		if (hll_dense_get(value, mark.index) < mark.rank) {
			last = mark;
			raised++;
		}
	}
	if (raised == 0)
		return false;
	if (raised == 1 && !hll_cached(value, &cached)) {
		struct hll_patch patch = hll_dense_patch(value, last);

		emit_str_write(c, c->argv[1], patch.offset,
			       slice_of(patch.bytes, patch.size), CAUSE_pfadd);
		return true;
	}
	hll_edit_open(&edit, value, HLL_SIZE_MAX);
	add_elements(c, &edit);
	emit_hll(c, c->argv[1], value, &edit);
	return true;
}

/* PFADD key [element ...]. */
void cmd_pfadd(struct cmd *c)
{
	size_t sparse_max = (size_t)c->engine->config->hll_sparse_max;
	struct hll_edit edit;
	struct slice value;
	bool changed;

	if (!lookup_hll(c, c->argv[1], &value))
		return;
	if (value.size && hll_encoding(value) == HLL_DENSE) {
		reply_i64(c, add_to_dense(c, value));
		return;
	}
	if (value.size)
		hll_edit_open(&edit, value, sparse_max);
	else
		hll_edit_new(&edit, sparse_max);
	changed = add_elements(c, &edit) || value.size == 0;
	if (changed)
		emit_hll(c, c->argv[1], value, &edit);
	reply_i64(c, changed);
}

/* The union of several: the highest of each register. False: replied. */
static bool unite(struct cmd *c, unsigned first, uint8_t *registers,
		  bool *dense)
{
	unsigned i;

	memset(registers, 0, HLL_REGISTERS);
	for (i = first; i < c->argc; i++) {
		struct slice value;

		if (!lookup_hll(c, c->argv[i], &value))
			return false;
		if (value.size == 0)
			continue;
		*dense |= hll_encoding(value) == HLL_DENSE;
		hll_max_into(registers, value);
	}
	return true;
}

/* PFCOUNT key [key ...]. */
void cmd_pfcount(struct cmd *c)
{
	uint8_t registers[HLL_REGISTERS];
	struct slice value;
	uint64_t count = 0;
	bool dense = false;

	if (c->argc > 2) {
		if (unite(c, 1, registers, &dense))
			reply_i64(c, (int64_t)hll_count_registers(registers));
		return;
	}
	if (!lookup_hll_header(c, c->argv[1], &value))
		return;
	if (value.size && !hll_cached(value, &count)) {
		if (!lookup_hll(c, c->argv[1], &value))
			return;
		count = hll_count(value);
	}
	reply_i64(c, (int64_t)count);
}

/* PFMERGE destination [source ...]. */
void cmd_pfmerge(struct cmd *c)
{
	size_t sparse_max = (size_t)c->engine->config->hll_sparse_max;
	uint8_t registers[HLL_REGISTERS];
	struct hll_edit edit;
	struct slice value;
	bool dense = false;

	if (!unite(c, 1, registers, &dense) ||
	    !lookup_hll(c, c->argv[1], &value))
		return;
	if (value.size)
		hll_edit_open(&edit, value, sparse_max);
	else
		hll_edit_new(&edit, sparse_max);
	if (dense)
		hll_edit_to_dense(&edit);
	hll_edit_merge(&edit, registers);
	emit_hll(c, c->argv[1], value, &edit);
	reply_ok(c);
}
