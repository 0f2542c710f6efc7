/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listpack, ziplist, zipmap, intset: four ways to put elements one behind the
 * other.  Only forwards; what is there for going back is checked, not used.
 *
 *   listpack  u32 bytes, u16 count, (element, its size backwards)…, ff
 *   ziplist   u32 bytes, u32 offset of last, u16 count, (size of the one
 *             before, element)…, ff
 *   zipmap    count, (size, key, size, free, value, free bytes)…, ff
 *   intset    u32 width, u32 count, integers in order
 *
 * I1. Total: every byte is read through the reader; after damage `in` is bad
 *     and nothing more comes.
 * I2. A whole one has been read to its last byte, and header, elements and
 *     sizes agree.
 * I3. Integers come out as their decimal text.
 */
#include "engine/rdb_packed.h"

#include <assert.h>

#define END_MARK 0xff
#define COUNT_UNKNOWN 0xffff

static int64_t read_signed(struct reader *in, unsigned width)
{
	struct slice s = read_bytes(in, width);
	uint64_t v = 0;

	if (s.size != width)
		return 0;
	memcpy(&v, s.data, width);
	return (int64_t)(v << (64 - 8 * width)) >> (64 - 8 * width);
}

static struct slice number_text(struct packed *p, int64_t v)
{
	return slice_of(p->scratch, num_format_i64(p->scratch, v)); /* I3 */
}

/* --- listpack ------------------------------------------------------------ */

static bool listpack_open(struct packed *p, struct slice bytes)
{
	struct slice count;

	if (read_u32(&p->in) != bytes.size)
		return false;
	count = read_bytes(&p->in, 2);
	if (count.size != 2)
		return false;
	p->announced = get_u16(count.data);
	p->counted = p->announced != COUNT_UNKNOWN;
	return true;
}

static struct slice listpack_wide(struct packed *p, uint8_t b)
{
	static const uint8_t width[] = { 2, 3, 4, 8 };

	if (b == 0xf0)
		return read_bytes(&p->in, read_u32(&p->in));
	if (b < 0xf1 || b > 0xf4) {
		reader_fail(&p->in);
		return slice_of("", 0);
	}
	return number_text(p, read_signed(&p->in, width[b - 0xf1]));
}

/* An element without its size behind it. */
static struct slice listpack_element(struct packed *p)
{
	uint8_t b = read_byte(&p->in);
	int32_t v;

	if (b < 0x80)
		return number_text(p, b);
	if (b < 0xc0)
		return read_bytes(&p->in, b & 0x3f);
	if (b < 0xe0) {
		v = (b & 0x1f) << 8 | read_byte(&p->in);
		return number_text(p, v >= 1 << 12 ? v - (1 << 13) : v);
	}
	if (b < 0xf0) {
		v = (b & 0x0f) << 8;
		return read_bytes(&p->in, (uint64_t)v | read_byte(&p->in));
	}
	return listpack_wide(p, b);
}

/* The size of the element before, seven bits a byte, backwards. */
static void check_back_size(struct reader *in, size_t size)
{
	unsigned bytes = size < 128 ? 1 : size < 16383 ? 2 :
			 size < 2097151 ? 3 : size < 268435455 ? 4 : 5;
	unsigned i;

	for (i = bytes; i > 0; i--) {
		uint8_t b = (size >> (7 * (i - 1))) & 0x7f;

		if (read_byte(in) != (i == bytes ? b : (b | 0x80)))
			reader_fail(in);
	}
}

static bool listpack_next(struct packed *p, struct slice *out)
{
	const uint8_t *start = p->in.at;

	*out = listpack_element(p);
	check_back_size(&p->in, (size_t)(p->in.at - start));
	return !p->in.bad;
}

/* --- ziplist ------------------------------------------------------------- */

static bool ziplist_open(struct packed *p, struct slice bytes)
{
	struct slice count;

	if (read_u32(&p->in) != bytes.size)
		return false;
	p->tail = read_u32(&p->in);
	count = read_bytes(&p->in, 2);
	if (count.size != 2)
		return false;
	p->announced = get_u16(count.data);
	p->counted = p->announced != COUNT_UNKNOWN;
	p->last = (size_t)(p->in.at - p->start);
	return true;
}

static struct slice ziplist_number(struct packed *p, uint8_t b)
{
	switch (b) {
	case 0xc0:
		return number_text(p, read_signed(&p->in, 2));
	case 0xd0:
		return number_text(p, read_signed(&p->in, 4));
	case 0xe0:
		return number_text(p, read_signed(&p->in, 8));
	case 0xf0:
		return number_text(p, read_signed(&p->in, 3));
	case 0xfe:
		return number_text(p, read_signed(&p->in, 1));
	}
	if (b > 0xf0 && b < 0xfe)
		return number_text(p, b - 0xf1);
	reader_fail(&p->in);
	return slice_of("", 0);
}

static struct slice ziplist_element(struct packed *p)
{
	uint8_t b = read_byte(&p->in);
	uint64_t size;

	switch (b >> 6) {
	case 0:
		return read_bytes(&p->in, b);
	case 1:
		size = (uint64_t)(b & 0x3f) << 8;
		return read_bytes(&p->in, size | read_byte(&p->in));
	case 2:
		if (b != 0x80)
			reader_fail(&p->in);
		return read_bytes(&p->in,
				  __builtin_bswap32(read_u32(&p->in)));
	}
	return ziplist_number(p, b);
}

static bool ziplist_next(struct packed *p, struct slice *out)
{
	const uint8_t *start = p->in.at;
	uint32_t before = read_byte(&p->in);

	if (before == 0xfe)
		before = read_u32(&p->in);
	else if (before == 0xff)
		reader_fail(&p->in);
	if (before != p->last_size)
		reader_fail(&p->in);
	*out = ziplist_element(p);
	p->last = (size_t)(start - p->start);
	p->last_size = (size_t)(p->in.at - start);
	return !p->in.bad;
}

/* --- zipmap -------------------------------------------------------------- */

static bool zipmap_open(struct packed *p)
{
	p->announced = 2 * read_byte(&p->in);
	p->counted = p->announced < 2 * 254;
	return !p->in.bad;
}

static bool zipmap_next(struct packed *p, struct slice *out)
{
	uint32_t size = read_byte(&p->in), unused = 0;

	if (size == 0xfe)
		size = read_u32(&p->in);
	else if (size == 0xff)
		reader_fail(&p->in);
	if (p->count % 2)
		unused = read_byte(&p->in);
	*out = read_bytes(&p->in, size);
	read_bytes(&p->in, unused);
	return !p->in.bad;
}

/* --- intset -------------------------------------------------------------- */

static bool intset_open(struct packed *p)
{
	p->width = read_u32(&p->in);
	p->announced = read_u32(&p->in);
	p->counted = true;
	if (p->width != 2 && p->width != 4 && p->width != 8)
		return false;
	return reader_left(&p->in) == p->announced * p->width;
}

static bool intset_next(struct packed *p, struct slice *out)
{
	int64_t v = read_signed(&p->in, p->width);

	if (p->count && v <= p->number)
		reader_fail(&p->in);
	p->number = v;
	*out = number_text(p, v);
	return !p->in.bad;
}

/* --- all ----------------------------------------------------------------- */

bool packed_open(struct packed *p, enum packed_form form, struct slice bytes)
{
	*p = (struct packed){ .form = form, .in = reader_of(bytes),
			      .start = bytes.data };
	switch (form) {
	case PACKED_LISTPACK:
		return listpack_open(p, bytes);
	case PACKED_ZIPLIST:
		return ziplist_open(p, bytes);
	case PACKED_ZIPMAP:
		return zipmap_open(p);
	case PACKED_INTSET:
		return intset_open(p);
	}
	return false;
}

bool packed_next(struct packed *p, struct slice *out)
{
	bool ok = false;

	if (p->in.bad || !reader_left(&p->in))
		return false;
	if (p->form != PACKED_INTSET && reader_left(&p->in) == 1 &&
	    *p->in.at == END_MARK)
		return false;
	switch (p->form) {
	case PACKED_LISTPACK:
		ok = listpack_next(p, out);
		break;
	case PACKED_ZIPLIST:
		ok = ziplist_next(p, out);
		break;
	case PACKED_ZIPMAP:
		ok = zipmap_next(p, out);
		break;
	case PACKED_INTSET:
		ok = intset_next(p, out);
		break;
	}
	if (!ok) {
		reader_fail(&p->in);
		return false;
	}
	p->count++;
	return true;
}

bool packed_whole(const struct packed *p)
{
	if (p->in.bad || (p->counted && p->count != p->announced))
		return false;
	if (p->form == PACKED_INTSET)
		return reader_left(&p->in) == 0;
	if (p->form == PACKED_ZIPLIST && p->tail != p->last)
		return false;
	return reader_left(&p->in) == 1; /* the end mark */
}
