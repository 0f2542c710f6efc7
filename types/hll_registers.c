/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll_registers.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "types/hll.h"

#ifdef __x86_64__
/* Raises the first registers, of which 32 are 24 bytes; how many. The last ones
 * are left: it reads four bytes more than it needs. */
__attribute__((target("avx2"))) static unsigned
max_into_avx2(uint8_t *registers, const uint8_t *p)
{
	const __m256i spread = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
	const __m256i first = _mm256_set1_epi32(0x3f);
	unsigned i;

	for (i = 0; i < HLL_REGISTERS - 32; i += 32, p += 24) {
		__m128i low = _mm_loadu_si128((const __m128i *)p);
		__m128i high = _mm_loadu_si128((const __m128i *)(p + 12));
		__m256i *to = (__m256i *)(registers + i);
		__m256i four = _mm256_shuffle_epi8(
			_mm256_set_m128i(high, low), spread);
		__m256i x = _mm256_and_si256(four, first);

		x |= _mm256_slli_epi32(four, 2) & _mm256_slli_epi32(first, 8);
		x |= _mm256_slli_epi32(four, 4) & _mm256_slli_epi32(first, 16);
		x |= _mm256_slli_epi32(four, 6) & _mm256_slli_epi32(first, 24);
		_mm256_storeu_si256(to, _mm256_max_epu8(
			x, _mm256_loadu_si256(to)));
	}
	return i;
}
#endif

void registers_max_into(uint8_t *registers, const uint8_t *p)
{
	unsigned i = 0;

#ifdef __x86_64__
	if (__builtin_expect(__builtin_cpu_supports("avx2"), 1))
		i = max_into_avx2(registers, p);
#endif
	for (p += i / 8 * 6; i < HLL_REGISTERS; i += 8, p += 6) {
		uint8_t *to = registers + i;

		put_u64(to, registers_max_eight(get_u64(to),
						registers_get_eight(p)));
	}
}
