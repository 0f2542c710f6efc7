/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PFADD, PFCOUNT, PFMERGE: HyperLogLogs, which are strings (types/hll.h).
 *
 * I1. SETRANGE can write anything into a value. All of it is checked before it
 *     is counted, merged or made dense; PFADD reads the runs of a sparse one
 *     only as far as it must, as Redis does, and finds no damage behind.
 * I2. A dense value changes by records of the bytes that differ; a sparse one
 *     that keeps its size or grows by one from the first to the last of them.
 *     Nothing is logged when no register changes.
 * I3. PFCOUNT is a read: an estimate of the header that is still true is
 *     used, but none is ever written; ours is remembered beside the keyspace
 *     (engine/estimates.h). One that came with the value (from another server)
 *     is marked as no longer true by the first change.
 * I4. What fails, fails before the first record: of a PFADD that comes upon
 *     damage nothing is done.
 */
#include "engine/cmd_hll.h"

#include "engine/string_value.h"

/* Bytes of a record beside key and value, about. */
#define RECORD_OVERHEAD 16

/* The value of an entry if its header is good; of a long one, which is sparse
 * and damaged, a part. */
static bool read_header(struct cmd *c, const struct entry *e,
			struct slice *value)
{
	char scratch[NUM_I64_SIZE]; /* of an integer, which is none */

	if (!str_whole(e, scratch, value))
		*value = str_piece(e, 0, scratch);
	if (hll_check_header(*value) == HLL_GOOD)
		return true;
	reply_error(c, "WRONGTYPE Key is not a valid HyperLogLog string "
		       "value.");
	return false;
}

bool lookup_hll_header(struct cmd *c, struct slice key, struct slice *value)
{
	const struct entry *e;

	*value = slice_of(NULL, 0);
	if (!lookup_string(c, key, &e))
		return false;
	return !e || read_header(c, e, value);
}

static void reply_damaged(struct cmd *c)
{
	reply_error(c, "INVALIDOBJ Corrupted HLL object detected");
}

bool lookup_hll(struct cmd *c, struct slice key, struct slice *value)
{
	if (!lookup_hll_header(c, key, value))
		return false;
	if (value->size == 0 || hll_check(*value) == HLL_GOOD)
		return true;
	reply_damaged(c);
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
			     const struct hll_edit *edit)
{
	size_t gap = key.size + RECORD_OVERHEAD;
	const uint8_t *fresh = edit->bytes;
	size_t at = edit->changed < old.size ? edit->changed : old.size;

	at = next_difference(old, fresh, at);
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
		emit_differences(c, key, old, edit);
	} else if (old.size > fresh.size ||
		   hll_encoding(old) != hll_encoding(fresh)) {
		emit_str_set(c, key, fresh, DEADLINE_KEEP, CAUSE_pfadd);
	} else {
		at = next_difference(old, fresh.data, edit->changed);
		emit_str_write(c, key, at,
			       slice_of(fresh.data + at, fresh.size - at),
			       CAUSE_pfadd);
	}
}

/* What the elements of PFADD would raise of a value as it is. */
struct raises {
	unsigned count;
	struct hll_mark last;
	struct hll_hint first;
};

/* False: replied. */
static bool count_raises(struct cmd *c, struct slice value, struct raises *r)
{
	unsigned i;

	*r = (struct raises){ 0 };
	for (i = 2; i < c->argc; i++) {
		struct hll_mark mark = hll_mark(c->argv[i]);
		struct hll_hint hint;
		uint8_t rank;

		if (!hll_get(value, mark.index, &rank, &hint)) {
			reply_damaged(c);
			return false;
		}
		if (rank >= mark.rank)
			continue;
		if (r->count++ == 0)
			r->first = hint;
		r->last = mark;
	}
	return true;
}

/* Adds the elements to the edit of the key's value. */
static void add_elements(struct cmd *c, struct slice value,
			 struct hll_edit *edit)
{
	unsigned i;

	for (i = 2; i < c->argc; i++) {
		if (hll_edit_raise(edit, hll_mark(c->argv[i])) ==
		    HLL_DAMAGED) {
			reply_damaged(c); /* I4 */
			return;
		}
	}
	emit_hll(c, c->argv[1], value, edit);
	reply_i64(c, 1);
}

/* PFADD key [element ...]. */
void cmd_pfadd(struct cmd *c)
{
	size_t sparse_max = (size_t)c->engine->config->hll_sparse_max;
	struct hll_edit edit;
	struct hll_patch patch;
	struct slice value;
	struct raises raises;
	uint64_t cached;

	if (!lookup_hll_header(c, c->argv[1], &value))
		return;
	if (value.size == 0) {
		hll_edit_new(&edit, sparse_max);
		add_elements(c, value, &edit);
		return;
	}
	if (!count_raises(c, value, &raises))
		return;
	if (raises.count == 0) {
		reply_i64(c, 0);
		return;
	}
	if (raises.count > 1 || hll_encoding(value) == HLL_SPARSE ||
	    hll_cached(value, &cached)) {
		hll_edit_open(&edit, value, sparse_max, &raises.first);
		add_elements(c, value, &edit);
		return;
	}
	patch = hll_dense_patch(value, raises.last);
	emit_str_write(c, c->argv[1], patch.offset,
		       slice_of(patch.bytes, patch.size), CAUSE_pfadd);
	reply_i64(c, 1);
}

/* Checks all keys; whether there is a dense value. False: replied. */
static bool check_all(struct cmd *c, unsigned first, bool *dense)
{
	unsigned i;

	*dense = false;
	for (i = first; i < c->argc; i++) {
		struct slice value;

		if (!lookup_hll(c, c->argv[i], &value))
			return false;
		*dense |= value.size && hll_encoding(value) == HLL_DENSE;
	}
	return true;
}

/* The union of several: the highest of each register. False: replied. */
static bool unite(struct cmd *c, unsigned first, uint8_t *registers)
{
	unsigned i;

	memset(registers, 0, HLL_REGISTERS);
	for (i = first; i < c->argc; i++) {
		struct slice value;

		if (!lookup_hll(c, c->argv[i], &value))
			return false;
		if (value.size)
			hll_max_into(registers, value);
	}
	return true;
}

/* PFCOUNT of one key. */
static void count_one(struct cmd *c, struct slice key)
{
	const struct entry *e;
	struct slice value;
	uint64_t count = 0;

	if (!lookup_string(c, key, &e))
		return;
	if (!e || keyspace_estimate(c->ks, key, e, &count)) {
		reply_i64(c, (int64_t)count);
		return;
	}
	if (!read_header(c, e, &value))
		return;
	if (!hll_cached(value, &count)) {
		if (hll_check(value) != HLL_GOOD) {
			reply_damaged(c);
			return;
		}
		count = hll_count(value);
		keyspace_keep_estimate(c->ks, key, e, count); /* I3 */
	}
	reply_i64(c, (int64_t)count);
}

/* PFCOUNT key [key ...]. */
void cmd_pfcount(struct cmd *c)
{
	uint8_t registers[HLL_REGISTERS];

	if (c->argc == 2)
		count_one(c, c->argv[1]);
	else if (unite(c, 1, registers))
		reply_i64(c, (int64_t)hll_count_registers(registers));
}

/* Into a dense value, one source after the other. False: replied. */
static bool merge_dense(struct cmd *c, struct hll_edit *edit)
{
	unsigned i;

	hll_edit_to_dense(edit);
	for (i = 2; i < c->argc; i++) {
		struct slice value;

		if (!lookup_hll_header(c, c->argv[i], &value))
			return false;
		if (value.size)
			hll_edit_unite(edit, value);
	}
	return true;
}

/* Into a sparse value, register by register. False: replied. */
static bool merge_sparse(struct cmd *c, struct hll_edit *edit)
{
	uint8_t registers[HLL_REGISTERS];

	if (!unite(c, 2, registers))
		return false;
	hll_edit_merge(edit, registers);
	return true;
}

/* PFMERGE destination [source ...]. */
void cmd_pfmerge(struct cmd *c)
{
	size_t sparse_max = (size_t)c->engine->config->hll_sparse_max;
	struct hll_edit edit;
	struct slice value;
	bool dense;

	if (!check_all(c, 1, &dense) ||
	    !lookup_hll_header(c, c->argv[1], &value))
		return;
	if (value.size)
		hll_edit_open(&edit, value, sparse_max, NULL);
	else
		hll_edit_new(&edit, sparse_max);
	if (!(dense ? merge_dense : merge_sparse)(c, &edit))
		return;
	emit_hll(c, c->argv[1], value, &edit);
	reply_ok(c);
}
