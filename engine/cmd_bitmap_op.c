/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BITOP: bitwise operations on whole values.
 *
 * The result is worked out window by window (a chunk of 64 KiB), all sources
 * side by side; missing bytes are zeros.  A result of one window is one
 * record; a bigger one is str_set with the first window and str_write for each
 * further window that is not all zeros, so that sparse stays sparse.
 *
 * I1. The sources are held before the first emit: the destination may be one
 *     of them.
 * I2. The last window is always written, so the size comes out right.
 */
#include "engine/cmd_bitmap.h"

#include "base/mem.h"
#include "engine/string_view.h"
#include "types/bits.h"

#define WINDOW STR_CHUNK_SIZE

enum bit_operation {
	BITOP_AND,
	BITOP_OR,
	BITOP_XOR,
	BITOP_NOT,
	BITOP_DIFF,  /* in the first and in no other */
	BITOP_DIFF1, /* in some other, not in the first */
	BITOP_ANDOR, /* in the first and in some other */
	BITOP_ONE,   /* in exactly one */
};

static const char *const operation_names[] = {
	"and", "or", "xor", "not", "diff", "diff1", "andor", "one",
};

struct bitop {
	enum bit_operation operation;
	struct string_view *sources;
	unsigned count;
	uint64_t size;   /* of the result */
	uint8_t *result; /* one window */
	uint8_t *second; /* another, for operations that need two */
};

typedef void combine_fn(uint8_t *into, const uint8_t *from, size_t count);

static void copy(uint8_t *into, const uint8_t *from, size_t count)
{
	memcpy(into, from, count);
}

/* Combines a source's bytes of the window into `into`: with its holes, which
 * are zeros, or without. Returns how many bytes the source has there. */
static size_t combine_window(const struct string_view *v, uint64_t offset,
			     struct slice into, combine_fn *combine, bool holes)
{
	uint8_t *out = (uint8_t *)into.data;
	size_t done = 0;

	while (done < into.size) {
		bool hole;
		struct slice piece =
			string_view_piece(v, offset + done, &hole);

		if (piece.size == 0)
			break;
		if (piece.size > into.size - done)
			piece.size = into.size - done;
		if (!hole || holes)
			combine(out + done, piece.data, piece.size);
		done += piece.size;
	}
	return done;
}

/* Copies a source's bytes of the window, zeros behind its end. */
static void load_window(const struct string_view *v, uint64_t offset,
			uint8_t *out, size_t size)
{
	size_t done = combine_window(v, offset, slice_of(out, size), copy,
				     true);

	memset(out + done, 0, size - done);
}

static void and_window(const struct string_view *v, uint64_t offset,
		       struct slice into)
{
	size_t done = combine_window(v, offset, into, bits_and, true);

	memset((uint8_t *)into.data + done, 0, into.size - done);
}

/* Bits that are in exactly one source: `result` has those seen an odd number
 * of times, `second` those seen twice or more. */
static void one_window(struct bitop *op, uint64_t offset, size_t size)
{
	struct slice seen = slice_of(op->result, size);
	uint8_t *source = op->second + WINDOW;
	unsigned i;

	memset(op->result, 0, size);
	memset(op->second, 0, size);
	for (i = 0; i < op->count; i++) {
		load_window(&op->sources[i], offset, source, size);
		bits_and(source, op->result, size);
		bits_or(op->second, source, size);
		combine_window(&op->sources[i], offset, seen, bits_xor,
			       false);
	}
	bits_and_not(op->result, op->second, size);
}

/* The first source against the union of the others. */
static void first_and_others(struct bitop *op, uint64_t offset, size_t size)
{
	struct slice others = slice_of(op->second, size);
	unsigned i;

	memset(op->second, 0, size);
	for (i = 1; i < op->count; i++)
		combine_window(&op->sources[i], offset, others, bits_or,
			       false);
	load_window(&op->sources[0], offset, op->result, size);
	if (op->operation == BITOP_DIFF) {
		bits_and_not(op->result, op->second, size);
	} else if (op->operation == BITOP_ANDOR) {
		bits_and(op->result, op->second, size);
	} else {
		bits_and_not(op->second, op->result, size);
		memcpy(op->result, op->second, size);
	}
}

static void fill_window(struct bitop *op, uint64_t offset, size_t size)
{
	struct slice result = slice_of(op->result, size);
	unsigned i;

	if (op->operation == BITOP_ONE) {
		one_window(op, offset, size);
		return;
	}
	if (op->operation >= BITOP_DIFF) {
		first_and_others(op, offset, size);
		return;
	}
	load_window(&op->sources[0], offset, op->result, size);
	for (i = 1; i < op->count; i++) {
		if (op->operation == BITOP_AND)
			and_window(&op->sources[i], offset, result);
		else
			combine_window(&op->sources[i], offset, result,
				       op->operation == BITOP_OR ? bits_or :
								   bits_xor,
				       false);
	}
	if (op->operation == BITOP_NOT)
		bits_not(op->result, size);
}

/* A bound of the bytes the records of the result will have. */
static uint64_t result_bytes_max(const struct bitop *op)
{
	uint64_t stored = 0;
	unsigned i;

	for (i = 0; i < op->count; i++)
		stored += string_view_stored(&op->sources[i]);
	if (op->operation == BITOP_NOT || stored > op->size)
		stored = op->size;
	return stored + op->size / WINDOW + WINDOW;
}

static void store_result(struct cmd *c, struct bitop *op, struct slice key)
{
	uint64_t offset;
	size_t size;

	for (offset = 0; offset < op->size; offset += size) {
		uint64_t left = op->size - offset;
		struct slice bytes;

		size = left < WINDOW ? (size_t)left : WINDOW;
		fill_window(op, offset, size);
		bytes = slice_of(op->result, size);
		if (offset == 0)
			emit_str_set(c, key, bytes, DEADLINE_NONE, CAUSE_bitop);
		else if (!bits_are_zero(op->result, size))
			emit_str_write(c, key, offset, bytes, CAUSE_bitop);
		else if (size == left) /* I2 */
			emit_str_write(c, key, op->size - 1,
				       slice_of(op->result + size - 1, 1),
				       CAUSE_bitop);
	}
}

static void run_bitop(struct cmd *c, struct bitop *op)
{
	struct slice destination = c->argv[2];

	if (op->size == 0) {
		if (lookup_write(c, destination))
			emit_key_del(c, destination, CAUSE_del);
		reply_i64(c, 0);
		return;
	}
	if (!cmd_room(c, result_bytes_max(op)))
		return;
	op->result = mem_alloc(WINDOW);
	if (op->operation > BITOP_NOT)
		op->second = mem_realloc_array(NULL, 2, WINDOW);
	store_result(c, op, destination);
	mem_free(op->result);
	mem_free(op->second);
	reply_i64(c, (int64_t)op->size);
}

static bool arg_operation(struct cmd *c, enum bit_operation *out)
{
	unsigned i, sources = c->argc - 3;

	for (i = 0; i < ARRAY_LEN(operation_names); i++)
		if (arg_is(c, 1, operation_names[i]))
			break;
	if (i == ARRAY_LEN(operation_names)) {
		reply_syntax_error(c);
		return false;
	}
	*out = (enum bit_operation)i;
	if (*out == BITOP_NOT && sources != 1) {
		reply_error(c, "ERR BITOP NOT must be called with a single "
			       "source key.");
		return false;
	}
	if (*out >= BITOP_DIFF && *out <= BITOP_ANDOR && sources < 2) {
		reply_error(c, "ERR BITOP DIFF, DIFF1 and ANDOR must be called "
			       "with at least two source keys.");
		return false;
	}
	return true;
}

/* BITOP operation destination key [key ...]. */
void cmd_bitop(struct cmd *c)
{
	struct bitop op = { .count = c->argc - 3 };
	unsigned i, opened = 0;

	if (!arg_operation(c, &op.operation))
		return;
	op.sources = mem_calloc(op.count, sizeof(*op.sources));
	for (i = 0; i < op.count; i++) {
		const struct entry *e;

		if (!lookup_string(c, c->argv[3 + i], &e))
			goto done;
		string_view_open(&op.sources[i], e);
		string_view_hold(&op.sources[i]); /* I1 */
		opened++;
		if (op.sources[i].size > op.size)
			op.size = op.sources[i].size;
	}
	run_bitop(c, &op);
done:
	for (i = 0; i < opened; i++)
		string_view_close(&op.sources[i]);
	mem_free(op.sources);
}
