/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/checksum.h"

#include "base/coding.h"
#include "tests/support/suite.h"

static void fill(struct test_random *random, uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (uint8_t)test_random_next(random);
}

START_TEST(crc32c__gives_the_published_values)
{
	uint8_t data[32];
	int i;

	/* RFC 3720, B.4 */
	memset(data, 0, sizeof(data));
	ck_assert_uint_eq(crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	ck_assert_uint_eq(crc32c(0, data, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		data[i] = (uint8_t)i;
	ck_assert_uint_eq(crc32c(0, data, 32), 0x46dd794e);
	for (i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(crc32c(0, data, 32), 0x113fdb5c);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, "", 0), 0);
}
END_TEST

START_TEST(crc32c__hardware_and_tables_agree_at_every_length_and_offset)
{
	struct test_random random = { test_seed() };
	uint8_t data[600];
	size_t size, offset;

	fill(&random, data, sizeof(data));
	for (size = 0; size < 520; size++)
		for (offset = 0; offset < 9; offset++)
			ck_assert_uint_eq(
				crc32c(1, data + offset, size),
				crc32c_software(1, data + offset, size));
}
END_TEST

START_TEST(crc32c__goes_on_where_it_stopped)
{
	struct test_random random = { test_seed() };
	uint8_t data[100];
	size_t cut;

	fill(&random, data, sizeof(data));
	for (cut = 0; cut <= sizeof(data); cut++)
		ck_assert_uint_eq(crc32c(crc32c(0, data, cut), data + cut,
					 sizeof(data) - cut),
				  crc32c(0, data, sizeof(data)));
}
END_TEST

START_TEST(content_hash__is_xxh3)
{
	struct hash128 h;

	/* XXH3's specification: of nothing, seed 0 */
	ck_assert_uint_eq(content_hash("", 0, 0), 0x2d06800538d394c2);
	h = content_hash128("", 0, 0);
	ck_assert_uint_eq(h.low, 0x6001c324468d497f);
	ck_assert_uint_eq(h.high, 0x99aa06d3014798d8);
	ck_assert_uint_ne(content_hash("a", 1, 0), content_hash("a", 1, 1));
}
END_TEST

START_TEST(chain_hash__depends_on_order_and_on_every_value)
{
	uint64_t ab = chain_hash(chain_hash(0, 1), 2);
	uint64_t ba = chain_hash(chain_hash(0, 2), 1);

	ck_assert_uint_ne(ab, ba);
	ck_assert_uint_ne(chain_hash(0, 0), 0);
	ck_assert_uint_ne(chain_hash(chain_hash(0, 5), 5), 0);
	ck_assert_uint_ne(chain_hash(chain_hash(0, 5), 5),
			  chain_hash(chain_hash(0, 6), 6));
}
END_TEST

/* --- SipHash, written a second time from the paper, byte by byte --------- */

static uint64_t rotate(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
	while (count-- > 0) {
		v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t sip(int c, int d, struct slice s, const uint64_t key[2])
{
	static const char start[] = "uespemosmodnarodarenegylsetybdet";
	uint64_t v[4], word = 0;
	size_t i;

	for (i = 0; i < 4; i++)
		v[i] = get_u64((const uint8_t *)start + i * 8) ^ key[i & 1];
	for (i = 0; i <= s.size; i++) {
		uint8_t byte = i < s.size ? s.data[i] : 0;

		if (i == s.size)
			word |= (uint64_t)(uint8_t)s.size << 56;
		word |= (uint64_t)byte << i % 8 * 8;
		if (i % 8 == 7 || i == s.size) {
			v[3] ^= word;
			rounds(v, c);
			v[0] ^= word;
			word = 0;
		}
	}
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const uint64_t paper_key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

START_TEST(siphash__the_second_version_gives_the_value_of_the_paper)
{
	uint8_t data[15];
	int i;

	for (i = 0; i < 15; i++)
		data[i] = (uint8_t)i;
	/* Aumasson and Bernstein, appendix A: SipHash-2-4 */
	ck_assert_uint_eq(sip(2, 4, slice_of(data, 15), paper_key),
			  0xa129ca6149be45e5);
	ck_assert_uint_eq(siphash13("", 0, paper_key), 0xabac0158050fc4dc);
	ck_assert_uint_eq(siphash13(NULL, 0, paper_key), 0xabac0158050fc4dc);
}
END_TEST

START_TEST(siphash__both_versions_agree_at_every_length)
{
	struct test_random random = { test_seed() };
	uint64_t key[2];
	uint8_t data[300];
	size_t size, offset;

	for (size = 0; size < 280; size++) {
		fill(&random, data, sizeof(data));
		key[0] = test_random_next(&random);
		key[1] = test_random_next(&random);
		offset = size % 8;
		ck_assert_uint_eq(
			siphash13(data + offset, size, key),
			sip(1, 3, slice_of(data + offset, size), key));
	}
}
END_TEST

START_TEST(siphash__every_bit_of_key_and_text_matters)
{
	uint8_t data[16] = { 0 };
	uint64_t plain = siphash13(data, sizeof(data), paper_key);
	int bit;

	for (bit = 0; bit < 128; bit++) {
		uint64_t key[2] = { paper_key[0], paper_key[1] };

		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_uint_ne(siphash13(data, 16, paper_key), plain);
		data[bit / 8] = 0;
		key[bit / 64] ^= (uint64_t)1 << bit % 64;
		ck_assert_uint_ne(siphash13(data, 16, key), plain);
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"checksum", crc32c__gives_the_published_values,
		crc32c__hardware_and_tables_agree_at_every_length_and_offset,
		crc32c__goes_on_where_it_stopped, content_hash__is_xxh3,
		chain_hash__depends_on_order_and_on_every_value,
		siphash__the_second_version_gives_the_value_of_the_paper,
		siphash__both_versions_agree_at_every_length,
		siphash__every_bit_of_key_and_text_matters);
}
