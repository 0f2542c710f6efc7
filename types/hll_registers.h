/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers of a dense HyperLogLog: 6 bits each from the lowest bit up, so
 * that four are three bytes; here mostly eight at a time, as the bytes of a
 * word, or 32 in a vector where the machine has such.  Pure functions; any
 * thread.
 */
#ifndef REDOUBT_TYPES_HLL_REGISTERS_H
#define REDOUBT_TYPES_HLL_REGISTERS_H

#include "base/coding.h"

/* Six bytes, of which there may be no more to read. */
static inline uint64_t registers_get_six(const uint8_t *p)
{
	return get_u32(p) | (uint64_t)get_u16(p + 4) << 32;
}

/* Eight registers, which are six bytes, as eight bytes. */
static inline uint64_t registers_get_eight(const uint8_t *p)
{
	uint64_t x = registers_get_six(p);

	x = (x & 0x000000ffffff) | (x & 0xffffff000000) << 8;
	x = (x & 0x00000fff00000fff) | (x & 0x00fff00000fff000) << 4;
	return (x & 0x003f003f003f003f) | (x & 0x0fc00fc00fc00fc0) << 2;
}

/* Eight bytes below 64 as four pairs of registers, 16 bits apart. */
static inline uint64_t registers_pair_up(uint64_t x)
{
	return (x & 0x003f003f003f003f) | (x >> 2 & 0x0fc00fc00fc00fc0);
}

/* The other way round. */
static inline void registers_put_eight(uint8_t *p, uint64_t x)
{
	x = registers_pair_up(x);
	x = (x & 0x00000fff00000fff) | (x >> 4 & 0x00fff00000fff000);
	x = (x & 0x000000ffffff) | (x >> 8 & 0xffffff000000);
	put_u32(p, (uint32_t)x);
	put_u16(p + 4, (uint16_t)(x >> 32));
}

/* The higher of each of eight bytes below 128. */
static inline uint64_t registers_max_eight(uint64_t a, uint64_t b)
{
	const uint64_t tops = 0x8080808080808080;
	uint64_t not_less = ((a | tops) - b) & tops;
	uint64_t take_a = not_less - (not_less >> 7);

	return (a & take_a) | (b & ~take_a);
}

/* Raises each of HLL_REGISTERS bytes to the packed register at p. */
void registers_max_into(uint8_t *registers, const uint8_t *p);

/* Raises each of HLL_REGISTERS packed registers to the one of `from`; whether
 * there was a lower one. */
bool registers_raise(uint8_t *to, const uint8_t *from);

/* The same without the machine's vectors. */
bool registers_raise_plain(uint8_t *to, const uint8_t *from);

#define REGISTERS_SUM_RANK_MAX 38

/* What an estimate is made from. */
struct registers_sum {
	uint64_t sum; /* of 2^(38 - rank), over ranks from 1 on */
	unsigned zeros;
};

/* Of HLL_REGISTERS bytes, or packed ones. False: a rank is above 38, or there
 * is no quick way on this machine. */
bool registers_sum_bytes(const uint8_t *registers, struct registers_sum *out);
bool registers_sum_packed(const uint8_t *p, struct registers_sum *out);

#endif
