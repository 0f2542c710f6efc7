/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/bits.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define WORD sizeof(uint64_t)

typedef uint64_t count_fn(const uint8_t *data, size_t size);

static inline uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, WORD);
	return v;
}

/* The same source twice: once for any machine, once with the instruction. */
#define COUNT_BODY                                                    \
	uint64_t total = 0;                                           \
	size_t i = 0;                                                 \
	for (; i + WORD <= size; i += WORD)                           \
		total += (uint64_t)__builtin_popcountll(load(data + i)); \
	for (; i < size; i++)                                         \
		total += (uint64_t)__builtin_popcount(data[i]);       \
	return total

static uint64_t count_any(const uint8_t *data, size_t size)
{
	COUNT_BODY;
}

#ifdef __x86_64__
#define VECTOR sizeof(__m256i)
#define VECTORS_MAX 31 /* that eight bits each fit into a byte */

__attribute__((target("popcnt")))
static uint64_t count_popcnt(const uint8_t *data, size_t size)
{
	COUNT_BODY;
}

/* Counts by a table of half bytes (Mula et al. 2018), summed in bytes for a
 * while. */
__attribute__((target("avx2,popcnt")))
static uint64_t count_avx2(const uint8_t *data, size_t size)
{
	const __m256i bits = _mm256_setr_epi8(
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(15);
	__m256i total = _mm256_setzero_si256();
	uint64_t sums[4];

	while (size >= VECTOR) {
		size_t i, n = size / VECTOR;
		__m256i bytes = _mm256_setzero_si256();

		n = n < VECTORS_MAX ? n : VECTORS_MAX;
		for (i = 0; i < n; i++, data += VECTOR) {
			__m256i x = _mm256_loadu_si256((const __m256i *)data);
			__m256i high = _mm256_srli_epi16(x, 4) & low;

			bytes = _mm256_add_epi8(
				bytes, _mm256_shuffle_epi8(bits, x & low));
			bytes = _mm256_add_epi8(
				bytes, _mm256_shuffle_epi8(bits, high));
		}
		total += _mm256_sad_epu8(bytes, _mm256_setzero_si256());
		size -= n * VECTOR;
	}
	_mm256_storeu_si256((__m256i *)sums, total);
	return sums[0] + sums[1] + sums[2] + sums[3] +
	       count_popcnt(data, size);
}

/* Eight words at a time by one instruction. */
__attribute__((target("avx512f,avx512vpopcntdq,popcnt")))
static uint64_t count_avx512(const uint8_t *data, size_t size)
{
	__m512i total = _mm512_setzero_si512();

	for (; size >= sizeof(total); size -= sizeof(total)) {
		total += _mm512_popcnt_epi64(_mm512_loadu_si512(data));
		data += sizeof(total);
	}
	return (uint64_t)_mm512_reduce_add_epi64(total) +
	       count_popcnt(data, size);
}
#endif

/* What this machine can do, slowest first. */
static count_fn *const counters[] = {
	count_any,
#ifdef __x86_64__
	count_popcnt,
	count_avx2,
	count_avx512,
#endif
};

static unsigned counter_count(void)
{
#ifdef __x86_64__
	if (!__builtin_cpu_supports("popcnt"))
		return 1;
	if (!__builtin_cpu_supports("avx2"))
		return 2;
	return __builtin_cpu_supports("avx512vpopcntdq") ? 4 : 3;
#else
	return 1;
#endif
}

bool bits_count_by(unsigned way, const uint8_t *data, size_t size,
		   uint64_t *out)
{
	if (way >= counter_count())
		return false;
	*out = counters[way](data, size);
	return true;
}

uint64_t bits_count(const uint8_t *data, size_t size)
{
	return counters[counter_count() - 1](data, size);
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

/* 32 bytes, which the compiler takes in as many steps as the machine needs. */
struct lot {
	uint64_t v __attribute__((vector_size(32)));
};

static inline struct lot load_lot(const uint8_t *p)
{
	struct lot l;

	memcpy(&l, p, sizeof(l));
	return l;
}

/* One operator over lots, then over the bytes that are left. */
#define COMBINE(expression)                                   \
	size_t i = 0;                                         \
	for (; i + sizeof(struct lot) <= count; i += sizeof(struct lot)) { \
		struct lot x = load_lot(into + i);            \
		struct lot y = load_lot(from + i);            \
		__typeof__(x.v) a = x.v, b = y.v;             \
		x.v = (expression);                           \
		memcpy(into + i, &x, sizeof(x));              \
	}                                                     \
	for (; i < count; i++) {                              \
		uint8_t a = into[i], b = from[i];             \
		into[i] = (uint8_t)(expression);              \
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
	const uint8_t *from = into;

	COMBINE(~(a & b)) /* which are the same */
}
