/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SETBIT, GETBIT, BITCOUNT, BITPOS.
 *
 * I1. SETBIT logs one byte, whatever the size of the value; a bit that is
 *     already so is not logged.
 * I2. Counting and searching skip holes without touching memory.
 */
#include "engine/cmd_bitmap.h"

#include "engine/string_value.h"
#include "engine/string_view.h"
#include "types/bits.h"

bool arg_bit_offset(struct cmd *c, unsigned index, unsigned width,
		    uint64_t *out)
{
	struct slice s = c->argv[index];
	bool scaled = width > 0 && s.size > 0 && s.data[0] == '#';
	int64_t offset;

	if (scaled)
		s = slice_of(s.data + 1, s.size - 1);
	if (!num_parse_i64(s, &offset) ||
	    (scaled && __builtin_mul_overflow(offset, width, &offset)) ||
	    offset < 0 ||
	    (uint64_t)offset >> 3 >= string_size_max(c)) {
		reply_error(c, "ERR bit offset is not an integer or out of "
			       "range");
		return false;
	}
	*out = (uint64_t)offset;
	return true;
}

/* The byte at index; 0 behind the end. */
static uint8_t byte_at(const struct entry *e, uint64_t index)
{
	char scratch[NUM_I64_SIZE];

	return index < string_size(e) ? str_piece(e, index, scratch).data[0] :
					0;
}

/* SETBIT key offset bit. */
void cmd_setbit(struct cmd *c)
{
	const struct entry *e;
	uint64_t offset;
	int64_t bit;
	uint8_t byte, mask;
	bool old;

	if (!arg_bit_offset(c, 2, 0, &offset))
		return;
	if (!num_parse_i64(c->argv[3], &bit) || bit < 0 || bit > 1) {
		reply_error(c, "ERR bit is not an integer or out of range");
		return;
	}
	if (!lookup_string_write(c, c->argv[1], &e))
		return;
	byte = byte_at(e, offset >> 3);
	mask = (uint8_t)(0x80 >> (offset & 7));
	old = byte & mask;
	if (old != bit || offset >> 3 >= string_size(e)) { /* I1 */
		byte = bit ? byte | mask : byte & (uint8_t)~mask;
		emit_str_write(c, c->argv[1], offset >> 3, slice_of(&byte, 1),
			       CAUSE_setbit);
	}
	reply_i64(c, old);
}

/* GETBIT key offset. */
void cmd_getbit(struct cmd *c)
{
	const struct entry *e;
	uint64_t offset;

	if (!arg_bit_offset(c, 2, 0, &offset))
		return;
	if (lookup_string(c, c->argv[1], &e))
		reply_i64(c, byte_at(e, offset >> 3) >> (7 - (offset & 7)) & 1);
}

/* The range arguments of BITCOUNT and BITPOS: both ends inclusive. */
struct bit_range {
	int64_t start, end; /* as given, later in bits */
	bool end_given;
	bool in_bits;
};

/* Reads [start [end [BYTE|BIT]]] from argv[first] on. */
static bool arg_bit_range(struct cmd *c, unsigned first, struct bit_range *r)
{
	*r = (struct bit_range){ .start = 0, .end = -1 };
	if (c->argc > first + 3) {
		reply_syntax_error(c);
		return false;
	}
	if (c->argc > first && !arg_i64(c, first, &r->start))
		return false;
	r->end_given = c->argc > first + 1;
	if (r->end_given && !arg_i64(c, first + 1, &r->end))
		return false;
	if (c->argc > first + 2) {
		r->in_bits = arg_is(c, first + 2, "bit");
		if (!r->in_bits && !arg_is(c, first + 2, "byte")) {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* Resolves negative ends for a value of size bytes and turns the range into
 * bits. False: it is empty. */
static bool resolve_range(struct bit_range *r, uint64_t size)
{
	int64_t units = (int64_t)(r->in_bits ? size * 8 : size);

	if (r->start < 0)
		r->start = r->start < -units ? 0 : r->start + units;
	if (r->end < 0)
		r->end = r->end < -units ? 0 : r->end + units;
	if (r->end >= units)
		r->end = units - 1;
	if (r->start > r->end)
		return false;
	if (!r->in_bits) {
		r->start *= 8;
		r->end = r->end * 8 + 7;
	}
	return true;
}

/* Set bits of the bytes first … last. */
static uint64_t count_bytes(const struct string_view *v, uint64_t first,
			    uint64_t last)
{
	uint64_t total = 0;

	while (first <= last) {
		bool hole;
		struct slice piece = string_view_piece(v, first, &hole);

		if (piece.size > last - first + 1)
			piece.size = last - first + 1;
		if (!hole) /* I2 */
			total += bits_count(piece.data, piece.size);
		first += piece.size;
	}
	return total;
}

static uint8_t view_byte(const struct string_view *v, uint64_t index)
{
	bool hole;

	return string_view_piece(v, index, &hole).data[0];
}

static uint64_t count_range(const struct string_view *v,
			    const struct bit_range *r)
{
	uint64_t first = (uint64_t)r->start / 8, last = (uint64_t)r->end / 8;
	uint64_t total = count_bytes(v, first, last);
	unsigned before = (unsigned)(r->start & 7);
	unsigned after = 7 - (unsigned)(r->end & 7);
	uint8_t edge;

	edge = view_byte(v, first) & (uint8_t)~(0xff >> before);
	total -= (unsigned)__builtin_popcount(edge);
	edge = view_byte(v, last) & (uint8_t)((1 << after) - 1);
	total -= (unsigned)__builtin_popcount(edge);
	return total;
}

/* BITCOUNT key [start end [BYTE|BIT]]. */
void cmd_bitcount(struct cmd *c)
{
	struct string_view v;
	const struct entry *e;
	struct bit_range r;
	bool backwards;

	if (c->argc == 3) {
		reply_syntax_error(c);
		return;
	}
	if (!arg_bit_range(c, 2, &r))
		return;
	if (!lookup_string(c, c->argv[1], &e))
		return;
	backwards = r.start < 0 && r.end < 0 && r.start > r.end;
	string_view_open(&v, e);
	if (!backwards && resolve_range(&r, v.size))
		reply_i64(c, (int64_t)count_range(&v, &r));
	else
		reply_i64(c, 0);
	string_view_close(&v);
}

/* The first byte from index on, up to last, that holds such a bit; last + 1 if
 * none. */
static uint64_t find_byte(const struct string_view *v, uint64_t index,
			  uint64_t last, bool bit)
{
	while (index <= last) {
		bool hole;
		struct slice piece = string_view_piece(v, index, &hole);
		size_t at = piece.size;

		if (piece.size > last - index + 1)
			at = piece.size = last - index + 1;
		if (!hole || !bit) /* I2 */
			at = bits_find_byte(piece.data, piece.size, bit);
		index += at;
		if (at < piece.size)
			break;
	}
	return index;
}

/* The byte with the bits outside of the range turned to the other value. */
static uint8_t masked_byte(const struct string_view *v,
			   const struct bit_range *r, uint64_t index, bool bit)
{
	uint8_t byte = view_byte(v, index), outside = 0;

	if (index == (uint64_t)r->start / 8)
		outside |= (uint8_t)~(0xff >> (r->start & 7));
	if (index == (uint64_t)r->end / 8)
		outside |= (uint8_t)((1 << (7 - (r->end & 7))) - 1);
	return bit ? byte & (uint8_t)~outside : byte | outside;
}

/* Position of the first such bit in the range, -1 if none. */
static int64_t find_bit(const struct string_view *v, const struct bit_range *r,
			bool bit)
{
	uint64_t index = (uint64_t)r->start / 8, last = (uint64_t)r->end / 8;

	while ((index = find_byte(v, index, last, bit)) <= last) {
		unsigned at = bits_first(masked_byte(v, r, index, bit), bit);

		if (at < 8)
			return (int64_t)(index * 8 + at);
		index++;
	}
	return -1;
}

/* BITPOS key bit [start [end [BYTE|BIT]]]. Behind the end there are zeros,
 * unless an end was given. */
void cmd_bitpos(struct cmd *c)
{
	struct string_view v;
	const struct entry *e;
	struct bit_range r;
	int64_t bit, position = -1;

	if (!arg_i64(c, 2, &bit))
		return;
	if (bit != 0 && bit != 1) {
		reply_error(c, "ERR The bit argument must be 1 or 0.");
		return;
	}
	if (!arg_bit_range(c, 3, &r))
		return;
	if (!lookup_string(c, c->argv[1], &e))
		return;
	if (!e) {
		reply_i64(c, bit ? -1 : 0);
		return;
	}
	string_view_open(&v, e);
	if (resolve_range(&r, v.size)) {
		position = find_bit(&v, &r, bit);
		if (position < 0 && !bit && !r.end_given)
			position = (int64_t)v.size * 8;
	}
	string_view_close(&v);
	reply_i64(c, position);
}
