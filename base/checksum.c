/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/checksum.h"

#include "base/coding.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#define CRC32C_POLYNOMIAL 0x82f63b78u /* bit-reversed 0x1edc6f41 */

/* table[k][b]: what byte b does to the crc when k more bytes follow it. */
static uint32_t table[8][256];

__attribute__((constructor)) static void crc32c_init(void)
{
	unsigned i, k;
	int bit;

	for (i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (k = 1; k < 8; k++)
		for (i = 0; i < 256; i++)
			table[k][i] = (table[k - 1][i] >> 8) ^
				      table[0][table[k - 1][i] & 0xff];
}

uint32_t crc32c_software(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; size >= 8; size -= 8, p += 8) {
		uint32_t low = get_u32(p) ^ crc;
		uint32_t high = get_u32(p + 4);

		crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
		      table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
		      table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
		      table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
	}
	for (; size > 0; size--)
		crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
/* One chain of crc32 instructions: 8 bytes in 3 cycles.  Headers are short,
 * so that interleaving several chains would not pay for joining them. */
__attribute__((target("sse4.2"))) static uint32_t
crc32c_sse42(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t state = (uint32_t)~crc;

	for (; size >= 8; size -= 8, p += 8)
		state = _mm_crc32_u64(state, get_u64(p));
	crc = (uint32_t)state;
	if (size & 4) {
		crc = _mm_crc32_u32(crc, get_u32(p));
		p += 4;
	}
	for (size &= 3; size > 0; size--)
		crc = _mm_crc32_u8(crc, *p++);
	return ~crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_expect(__builtin_cpu_supports("sse4.2"), 1))
		return crc32c_sse42(crc, data, size);
#endif
	return crc32c_software(crc, data, size);
}

uint64_t content_hash(const void *data, size_t size, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, size, seed);
}

uint64_t chain_hash(uint64_t chain, uint64_t value)
{
	uint8_t bytes[8];

	put_u64(bytes, value);
	return XXH3_64bits_withSeed(bytes, sizeof(bytes), chain);
}

struct hash128 content_hash128(const void *data, size_t size, uint64_t seed)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(data, size, seed);

	return (struct hash128){ .low = h.low64, .high = h.high64 };
}

static inline uint64_t rotate_left(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

uint64_t siphash13(const void *data, size_t size, const uint64_t key[2])
{
	const uint8_t *p = data; /* NULL of nothing: no arithmetic on it */
	uint64_t word;
	size_t words;
	struct sip_state s = {
		.v0 = key[0] ^ 0x736f6d6570736575, /* "somepseu" */
		.v1 = key[1] ^ 0x646f72616e646f6d, /* "dorandom" */
		.v2 = key[0] ^ 0x6c7967656e657261, /* "lygenera" */
		.v3 = key[1] ^ 0x7465646279746573, /* "tedbytes" */
	};

	for (words = size / 8; words > 0; words--, p += 8) {
		word = get_u64(p);
		s.v3 ^= word;
		sip_round(&s);
		s.v0 ^= word;
	}
	word = (uint64_t)size << 56 | get_tail(p, size & 7);
	s.v3 ^= word;
	sip_round(&s);
	s.v0 ^= word;
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
