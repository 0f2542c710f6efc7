/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/crc64.h"

#include "base/coding.h"

#define CRC64_POLYNOMIAL UINT64_C(0x95ac9329ac4bc9b5) /* bit-reversed */

/* table[k][b]: what byte b does to the crc when k more bytes follow it. */
static uint64_t table[8][256];

__attribute__((constructor)) static void crc64_init(void)
{
	unsigned i, k;
	int bit;

	for (i = 0; i < 256; i++) {
		uint64_t crc = i;

		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? CRC64_POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (k = 1; k < 8; k++)
		for (i = 0; i < 256; i++)
			table[k][i] = (table[k - 1][i] >> 8) ^
				      table[0][table[k - 1][i] & 0xff];
}

uint64_t crc64(uint64_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (; size >= 8; size -= 8, p += 8) {
		uint64_t v = get_u64(p) ^ crc;

		crc = table[7][v & 0xff] ^ table[6][v >> 8 & 0xff] ^
		      table[5][v >> 16 & 0xff] ^ table[4][v >> 24 & 0xff] ^
		      table[3][v >> 32 & 0xff] ^ table[2][v >> 40 & 0xff] ^
		      table[1][v >> 48 & 0xff] ^ table[0][v >> 56];
	}
	for (; size > 0; size--)
		crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
	return crc;
}
