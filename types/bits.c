/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/bits.h"

#define WORD sizeof(uint64_t)

static inline uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, WORD);
	return v;
}

static inline void store(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, WORD);
}

/* The same source twice: once for any machine, once with the instruction. */
#define COUNT_BODY                                                    \
	uint64_t total = 0;                                           \
	size_t i = 0;                                                 \
	for (; i + 4 * WORD <= size; i += 4 * WORD) {                 \
		total += (uint64_t)__builtin_popcountll(load(data + i)); \
		total += (uint64_t)__builtin_popcountll(              \
			load(data + i + WORD));                       \
		total += (uint64_t)__builtin_popcountll(              \
			load(data + i + 2 * WORD));                   \
		total += (uint64_t)__builtin_popcountll(              \
			load(data + i + 3 * WORD));                   \
	}                                                             \
	for (; i < size; i++)                                         \
		total += (uint64_t)__builtin_popcount(data[i]);       \
	return total

static uint64_t count_any(const uint8_t *data, size_t size)
{
	COUNT_BODY;
}

#ifdef __x86_64__
__attribute__((target("popcnt")))
static uint64_t count_popcnt(const uint8_t *data, size_t size)
{
	COUNT_BODY;
}
#endif

uint64_t bits_count(const uint8_t *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		return count_popcnt(data, size);
#endif
	return count_any(data, size);
}

size_t bits_find_byte(const uint8_t *data, size_t size, bool bit)
{
	uint64_t skip_word = bit ? 0 : UINT64_MAX;
	uint8_t skip = bit ? 0 : 0xff;
	size_t i = 0;

	while (i + WORD <= size && load(data + i) == skip_word)
		i += WORD;
	while (i < size && data[i] == skip)
		i++;
	return i;
}

unsigned bits_first(uint8_t byte, bool bit)
{
	if (!bit)
		byte = (uint8_t)~byte;
	return byte ? (unsigned)__builtin_clz(byte) - 24 : 8;
}

bool bits_are_zero(const uint8_t *data, size_t size)
{
	return bits_find_byte(data, size, true) == size;
}

uint64_t bits_get(const uint8_t bytes[BITS_FIELD_BYTES], unsigned shift,
		  unsigned width)
{
	unsigned __int128 all = 0;
	unsigned i;

	for (i = 0; i < BITS_FIELD_BYTES; i++)
		all = all << 8 | bytes[i];
	all >>= 8 * BITS_FIELD_BYTES - shift - width;
	return (uint64_t)(all & (((unsigned __int128)1 << width) - 1));
}

void bits_put(uint8_t bytes[BITS_FIELD_BYTES], unsigned shift, unsigned width,
	      uint64_t value)
{
	unsigned low = 8 * BITS_FIELD_BYTES - shift - width;
	unsigned __int128 mask = (((unsigned __int128)1 << width) - 1) << low;
	unsigned __int128 all = 0;
	unsigned i;

	for (i = 0; i < BITS_FIELD_BYTES; i++)
		all = all << 8 | bytes[i];
	all = (all & ~mask) | (((unsigned __int128)value << low) & mask);
	for (i = BITS_FIELD_BYTES; i-- > 0; all >>= 8)
		bytes[i] = (uint8_t)all;
}

/* One operator over words, then over the bytes that are left. */
#define COMBINE(expression)                               \
	size_t i = 0;                                     \
	for (; i + WORD <= count; i += WORD) {            \
		uint64_t a = load(into + i);              \
		uint64_t b = load(from + i);              \
		store(into + i, expression);              \
	}                                                 \
	for (; i < count; i++) {                          \
		uint8_t a = into[i], b = from[i];         \
		into[i] = (uint8_t)(expression);          \
	}

void bits_and(uint8_t *into, const uint8_t *from, size_t count)
{
	COMBINE(a & b)
}

void bits_or(uint8_t *into, const uint8_t *from, size_t count)
{
	COMBINE(a | b)
}

void bits_xor(uint8_t *into, const uint8_t *from, size_t count)
{
	COMBINE(a ^ b)
}

void bits_and_not(uint8_t *into, const uint8_t *from, size_t count)
{
	COMBINE(a & ~b)
}

void bits_not(uint8_t *into, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		into[i] = (uint8_t)~into[i];
}
