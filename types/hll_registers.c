/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll_registers.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "types/hll.h"

/* The last ones are left to plain code: vectors are read four bytes further
 * than they need. */
#define VECTOR_END (HLL_REGISTERS - 32)

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,popcnt")))

static inline bool has_avx2(void)
{
	return __builtin_expect(__builtin_cpu_supports("avx2"), 1);
}

/* 24 bytes, of each half of which bytes are put in the given order. */
AVX2 static inline __m256i load_packed(const uint8_t *p, __m128i order)
{
	__m128i low = _mm_loadu_si128((const __m128i *)p);
	__m128i high = _mm_loadu_si128((const __m128i *)(p + 12));

	return _mm256_shuffle_epi8(_mm256_set_m128i(high, low),
				   _mm256_broadcastsi128_si256(order));
}

/* 32 registers, as bytes. */
AVX2 static inline __m256i load_spread(const uint8_t *p)
{
	const __m128i order = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8,
					    -1, 9, 10, 11, -1);
	const __m256i first = _mm256_set1_epi32(0x3f);
	__m256i four = load_packed(p, order);
	__m256i x = _mm256_and_si256(four, first);

	x |= _mm256_slli_epi32(four, 2) & _mm256_slli_epi32(first, 8);
	x |= _mm256_slli_epi32(four, 4) & _mm256_slli_epi32(first, 16);
	x |= _mm256_slli_epi32(four, 6) & _mm256_slli_epi32(first, 24);
	return x;
}

AVX2 static void max_into_avx2(uint8_t *registers, const uint8_t *p)
{
	unsigned i;

	for (i = 0; i < VECTOR_END; i += 32, p += 24) {
		__m256i *to = (__m256i *)(registers + i);

		_mm256_storeu_si256(to, _mm256_max_epu8(
			load_spread(p), _mm256_loadu_si256(to)));
	}
}

/* Four registers are spread over two words of 16 bits, so that each has one in
 * its low and one in its high part: as these stand, they can be compared. */
AVX2 static bool raise_avx2(uint8_t *to, const uint8_t *from)
{
	const __m128i apart = _mm_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8,
					    9, 10, 10, 11);
	const __m256i together = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
	const __m256i close_up = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
	const __m256i low = _mm256_set1_epi32(0x03f0003f);
	const __m256i high = _mm256_set1_epi32((int)0xfc000fc0);
	__m256i raised = _mm256_setzero_si256();
	unsigned i;

	for (i = 0; i < VECTOR_END; i += 32, to += 24, from += 24) {
		__m256i a = load_packed(to, apart);
		__m256i b = load_packed(from, apart);
		__m256i x = _mm256_max_epu16(a & low, b & low) |
			    _mm256_max_epu16(a & high, b & high);

		raised |= x ^ (a & (low | high));
		x = (x & _mm256_set1_epi32(0xfff)) |
		    (_mm256_srli_epi32(x, 8) & _mm256_set1_epi32(0xfff000));
		x = _mm256_permutevar8x32_epi32(
			_mm256_shuffle_epi8(x, together), close_up);
		_mm_storeu_si128((__m128i *)to, _mm256_castsi256_si128(x));
		_mm_storel_epi64((__m128i *)(to + 16),
				 _mm256_extracti128_si256(x, 1));
	}
	return !_mm256_testz_si256(raised, raised);
}
#endif

void registers_max_into(uint8_t *registers, const uint8_t *p)
{
	unsigned i = 0;

#ifdef __x86_64__
	if (has_avx2()) {
		max_into_avx2(registers, p);
		i = VECTOR_END;
	}
#endif
	for (p += i / 8 * 6; i < HLL_REGISTERS; i += 8, p += 6) {
		uint8_t *to = registers + i;

		put_u64(to, registers_max_eight(get_u64(to),
						registers_get_eight(p)));
	}
}

/* From register i on. */
static bool raise_plain(uint8_t *to, const uint8_t *from, unsigned i)
{
	uint64_t raised = 0;

	to += i / 8 * 6;
	from += i / 8 * 6;
	for (; i < HLL_REGISTERS; i += 8, to += 6, from += 6) {
		uint64_t old = registers_get_eight(to);
		uint64_t x = registers_max_eight(old,
						 registers_get_eight(from));

		raised |= x ^ old;
		registers_put_eight(to, x);
	}
	return raised != 0;
}

bool registers_raise_plain(uint8_t *to, const uint8_t *from)
{
	return raise_plain(to, from, 0);
}

bool registers_raise(uint8_t *to, const uint8_t *from)
{
	bool raised = false;
	unsigned i = 0;

#ifdef __x86_64__
	if (has_avx2()) {
		raised = raise_avx2(to, from);
		i = VECTOR_END;
	}
#endif
	return raise_plain(to, from, i) || raised;
}

#ifdef __x86_64__
/* A sum under way: ranks from `base` on are the bulk. */
struct summing {
	struct registers_sum sum;
	unsigned base;
	uint8_t highest; /* of the others */
};

static inline void sum_one(struct summing *s, uint8_t rank)
{
	if (rank == 0)
		s->sum.zeros++;
	else if (rank <= REGISTERS_SUM_RANK_MAX)
		s->sum.sum += UINT64_C(1) << (REGISTERS_SUM_RANK_MAX - rank);
	if (rank > s->highest)
		s->highest = rank;
}

/* Powers of two for ranks from `base` on: twice eight bytes. A rank of 0
 * has none. */
AVX2 static __m256i powers_from(unsigned base, unsigned half)
{
	uint8_t power[16] = { 0 };
	unsigned i;

	for (i = 0; i < 8; i++)
		power[half * 8 + i] = (uint8_t)(128 >> i);
	if (base == 0 && half == 0)
		power[0] = 0;
	return _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)power));
}

AVX2 static uint64_t add_lanes(__m256i x)
{
	return (uint64_t)(_mm256_extract_epi64(x, 0) +
			  _mm256_extract_epi64(x, 1) +
			  _mm256_extract_epi64(x, 2) +
			  _mm256_extract_epi64(x, 3));
}

/* Ranks outside of the bulk, one by one: bits of `which`. */
AVX2 static void sum_others(struct summing *s, __m256i ranks, uint32_t which)
{
	uint8_t bytes[32];

	_mm256_storeu_si256((__m256i *)bytes, ranks);
	for (; which; which &= which - 1)
		sum_one(s, bytes[__builtin_ctz(which)]);
}

/* A table of 16 bytes gives two sums of eight ranks each; what is outside of
 * all 16 has the top bit set, for which the table gives 0. */
AVX2 static inline __attribute__((always_inline)) void
sum_avx2(struct summing *s, const uint8_t *p, bool packed)
{
	const __m256i zero = _mm256_setzero_si256();
	const __m256i to_base = _mm256_set1_epi8((char)s->base);
	const __m256i to_top = _mm256_set1_epi8(112);
	const __m256i power_1 = powers_from(s->base, 0);
	const __m256i power_2 = powers_from(s->base, 1);
	__m256i sum_1 = zero, sum_2 = zero;
	unsigned i, shift = REGISTERS_SUM_RANK_MAX - 7 - s->base;

	for (i = 0; i < VECTOR_END; i += 32, p += packed ? 24 : 32) {
		__m256i x = packed ? load_spread(p) :
				     _mm256_loadu_si256((const __m256i *)p);
		__m256i at = _mm256_adds_epu8(_mm256_sub_epi8(x, to_base),
					      to_top);
		uint32_t others = (uint32_t)_mm256_movemask_epi8(at);

		sum_1 += _mm256_sad_epu8(_mm256_shuffle_epi8(power_1, at),
					 zero);
		sum_2 += _mm256_sad_epu8(_mm256_shuffle_epi8(power_2, at),
					 zero);
		if (s->base == 0)
			s->sum.zeros += (unsigned)__builtin_popcount(
				(uint32_t)_mm256_movemask_epi8(
					_mm256_cmpeq_epi8(x, zero)));
		if (others)
			sum_others(s, x, others);
	}
	s->sum.sum += add_lanes(sum_1) << shift;
	s->sum.sum += add_lanes(sum_2) << (shift - 8);
}

AVX2 static void sum_bytes_avx2(struct summing *s, const uint8_t *p)
{
	sum_avx2(s, p, false);
}

AVX2 static void sum_packed_avx2(struct summing *s, const uint8_t *p)
{
	sum_avx2(s, p, true);
}

/* The bulk begins a little below what the last 32, which are summed here,
 * have. */
static struct summing sum_begin(const uint8_t *last)
{
	struct summing s = { .base = REGISTERS_SUM_RANK_MAX - 15 };
	unsigned i;

	for (i = 0; i < 32; i++) {
		unsigned base = last[i] < 2 ? 0 : last[i] - 2u;

		s.base = base < s.base ? base : s.base;
		sum_one(&s, last[i]);
	}
	return s;
}

bool registers_sum_bytes(const uint8_t *registers, struct registers_sum *out)
{
	struct summing s;

	if (!has_avx2())
		return false;
	s = sum_begin(registers + VECTOR_END);
	sum_bytes_avx2(&s, registers);
	*out = s.sum;
	return s.highest <= REGISTERS_SUM_RANK_MAX;
}

bool registers_sum_packed(const uint8_t *p, struct registers_sum *out)
{
	uint8_t last[32];
	struct summing s;
	unsigned i;

	if (!has_avx2())
		return false;
	for (i = 0; i < 32; i += 8)
		put_u64(last + i, registers_get_eight(
			p + (VECTOR_END + i) / 8 * 6));
	s = sum_begin(last);
	sum_packed_avx2(&s, p);
	*out = s.sum;
	return s.highest <= REGISTERS_SUM_RANK_MAX;
}
#else
bool registers_sum_bytes(const uint8_t *registers, struct registers_sum *out)
{
	(void)registers;
	(void)out;
	return false;
}

bool registers_sum_packed(const uint8_t *p, struct registers_sum *out)
{
	return registers_sum_bytes(p, out);
}
#endif
