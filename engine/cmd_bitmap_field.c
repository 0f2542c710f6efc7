/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BITFIELD: integers of 1 to 64 bits anywhere in a value.
 *
 * I1. All operations are read and checked before the first one runs.
 * I2. Each operation sees the effect of those before it; a write logs the at
 *     most nine bytes it touches.
 * I3. The value is as long as the highest write needs it to be, also if that
 *     write was refused by OVERFLOW FAIL.
 * I4. SET to what is there already is not logged.
 */
#include "engine/cmd_bitmap.h"

#include "base/mem.h"
#include "engine/string_value.h"
#include "types/bits.h"

enum field_action { FIELD_GET, FIELD_SET, FIELD_INCRBY };
enum field_overflow { OVERFLOW_WRAP, OVERFLOW_SAT, OVERFLOW_FAIL };

struct field {
	enum field_action action;
	enum field_overflow overflow;
	bool is_signed;
	unsigned width;  /* bits */
	uint64_t offset; /* bits */
	int64_t operand;
};

struct fields {
	struct field *items;
	unsigned count;
	uint64_t size_needed; /* bytes, by writes; 0: only reads */
};

/* "u8", "i16" … */
static bool arg_field_type(struct cmd *c, unsigned index, struct field *f)
{
	struct slice s = c->argv[index];
	int64_t width;

	f->is_signed = s.size > 0 && s.data[0] == 'i';
	if (s.size < 2 || (s.data[0] != 'i' && s.data[0] != 'u') ||
	    !num_parse_i64(slice_of(s.data + 1, s.size - 1), &width) ||
	    width < 1 || width > (f->is_signed ? 64 : 63)) {
		reply_error(c, "ERR Invalid bitfield type. Use something like "
			       "i16 u8. Note that u64 is not supported but "
			       "i64 is.");
		return false;
	}
	f->width = (unsigned)width;
	return true;
}

static bool arg_overflow(struct cmd *c, unsigned index,
			 enum field_overflow *out)
{
	if (arg_is(c, index, "wrap"))
		*out = OVERFLOW_WRAP;
	else if (arg_is(c, index, "sat"))
		*out = OVERFLOW_SAT;
	else if (arg_is(c, index, "fail"))
		*out = OVERFLOW_FAIL;
	else {
		reply_error(c, "ERR Invalid OVERFLOW type specified");
		return false;
	}
	return true;
}

/* Which operation begins at argv[i]; false if none does. */
static bool arg_action(const struct cmd *c, unsigned i, enum field_action *out)
{
	unsigned left = c->argc - i - 1;

	if (arg_is(c, i, "get") && left >= 2)
		*out = FIELD_GET;
	else if (arg_is(c, i, "set") && left >= 3)
		*out = FIELD_SET;
	else if (arg_is(c, i, "incrby") && left >= 3)
		*out = FIELD_INCRBY;
	else
		return false;
	return true;
}

/* Reads one operation at argv[i]; *next is where the following one is. */
static bool arg_field(struct cmd *c, unsigned i, struct field *f,
		      unsigned *next)
{
	if (!arg_action(c, i, &f->action)) {
		reply_syntax_error(c);
		return false;
	}
	if (!arg_field_type(c, i + 1, f) ||
	    !arg_bit_offset(c, i + 2, f->width, &f->offset))
		return false;
	*next = i + 3;
	if (f->action == FIELD_GET)
		return true;
	*next = i + 4;
	return arg_i64(c, i + 3, &f->operand);
}

/* items has room for argc. False: replied. (I1) */
static bool parse_fields(struct cmd *c, struct fields *out)
{
	enum field_overflow overflow = OVERFLOW_WRAP;
	unsigned i = 2;

	while (i < c->argc) {
		struct field *f = &out->items[out->count];
		uint64_t size;

		if (arg_is(c, i, "overflow") && i + 1 < c->argc) {
			if (!arg_overflow(c, i + 1, &overflow))
				return false;
			i += 2;
			continue;
		}
		f->overflow = overflow;
		if (!arg_field(c, i, f, &i))
			return false;
		out->count++;
		size = (f->offset + f->width + 7) / 8;
		if (f->action != FIELD_GET && size > out->size_needed)
			out->size_needed = size;
	}
	return true;
}

/* The bytes a field touches, zeros behind the end of the value. */
static void load_field(const struct entry *e, const struct field *f,
		       uint8_t bytes[BITS_FIELD_BYTES])
{
	uint64_t first = f->offset / 8, size = string_size(e);

	memset(bytes, 0, BITS_FIELD_BYTES);
	if (first >= size)
		return;
	str_copy_out(e, first,
		     size - first < BITS_FIELD_BYTES ? (size_t)(size - first) :
						       BITS_FIELD_BYTES,
		     bytes);
}

static int64_t field_value(const struct field *f,
			   const uint8_t bytes[BITS_FIELD_BYTES])
{
	uint64_t v = bits_get(bytes, (unsigned)(f->offset & 7), f->width);

	if (f->is_signed && f->width < 64 && v >> (f->width - 1))
		v |= UINT64_MAX << f->width;
	return (int64_t)v;
}

/* What SET or INCRBY makes of old; false: refused by OVERFLOW FAIL. */
static bool field_result(const struct field *f, int64_t old, int64_t *out)
{
	__int128 low = 0, high = ((__int128)1 << f->width) - 1, v;

	if (f->is_signed) {
		low = -((__int128)1 << (f->width - 1));
		high = ((__int128)1 << (f->width - 1)) - 1;
	}
	if (f->action == FIELD_INCRBY)
		v = (__int128)old + f->operand;
	else if (f->is_signed)
		v = f->operand;
	else
		v = (uint64_t)f->operand;
	if (v < low || v > high) {
		if (f->overflow == OVERFLOW_FAIL)
			return false;
		if (f->overflow == OVERFLOW_SAT)
			v = v < low ? low : high;
	}
	*out = (int64_t)v; /* wraps when it is stored */
	return true;
}

/* The low bits of v, read as the field's type. */
static int64_t field_wrap(const struct field *f, int64_t v)
{
	uint64_t u = (uint64_t)v;

	if (f->width == 64)
		return v;
	u &= (UINT64_C(1) << f->width) - 1;
	if (f->is_signed && u >> (f->width - 1))
		u |= UINT64_MAX << f->width;
	return (int64_t)u;
}

static void run_field(struct cmd *c, const struct entry *e,
		      const struct field *f)
{
	uint8_t bytes[BITS_FIELD_BYTES];
	unsigned shift = (unsigned)(f->offset & 7);
	int64_t old, result;

	load_field(e, f, bytes);
	old = field_value(f, bytes);
	if (f->action == FIELD_GET) {
		reply_i64(c, old);
		return;
	}
	if (!field_result(f, old, &result)) {
		reply_null(c);
		return;
	}
	reply_i64(c, f->action == FIELD_SET ? old : field_wrap(f, result));
	if (f->action == FIELD_SET && field_wrap(f, result) == old)
		return; /* I4 */
	bits_put(bytes, shift, f->width, (uint64_t)result);
	emit_str_write(c, c->argv[1], f->offset / 8,
		       slice_of(bytes, bits_span(shift, f->width)),
		       CAUSE_setbit);
}

static void run_reads(struct cmd *c, const struct fields *fields)
{
	const struct entry *e;
	unsigned i;

	if (!lookup_string(c, c->argv[1], &e))
		return;
	reply_array(c, fields->count);
	for (i = 0; i < fields->count; i++)
		run_field(c, e, &fields->items[i]);
}

static void run_writes(struct cmd *c, const struct fields *fields)
{
	const struct entry *e;
	uint64_t each = c->argv[1].size + RECORD_OVERHEAD_MAX +
			BITS_FIELD_BYTES;
	unsigned i;

	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	if (!cmd_room(c, (fields->count + 1) * each))
		return;
	reply_array(c, fields->count);
	for (i = 0; i < fields->count; i++) {
		run_field(c, e, &fields->items[i]);
		e = lookup_write(c, c->argv[1]); /* I2 */
	}
	if (string_size(e) < fields->size_needed) /* I3 */
		emit_str_write(c, c->argv[1], fields->size_needed - 1,
			       slice_of("", 1), CAUSE_setbit);
}

/* BITFIELD key [operation ...]. */
void cmd_bitfield(struct cmd *c)
{
	struct fields fields = { 0 };

	fields.items = mem_calloc(c->argc, sizeof(*fields.items));
	if (parse_fields(c, &fields)) {
		if (fields.size_needed)
			run_writes(c, &fields);
		else
			run_reads(c, &fields);
	}
	mem_free(fields.items);
}

/* BITFIELD_RO key [GET type offset ...]. */
void cmd_bitfield_ro(struct cmd *c)
{
	struct fields fields = { 0 };

	fields.items = mem_calloc(c->argc, sizeof(*fields.items));
	if (parse_fields(c, &fields)) {
		if (fields.size_needed)
			reply_error(c, "ERR BITFIELD_RO only supports the GET "
				       "subcommand");
		else
			run_reads(c, &fields);
	}
	mem_free(fields.items);
}
