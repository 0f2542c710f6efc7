/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bits in bytes, most significant bit first: bit 0 is the top bit of byte 0,
 * as SETBIT counts.  Pure functions; any thread.
 */
#ifndef REDOUBT_TYPES_BITS_H
#define REDOUBT_TYPES_BITS_H

#include "base/slice.h"

#define BITS_FIELD_BYTES 9 /* a field of 64 bits touches at most these */

/* How many bits are set. */
uint64_t bits_count(const uint8_t *data, size_t size);

/* The same in one of the ways that there are, from 0 on; false: this machine
 * has no further one. */
bool bits_count_by(unsigned way, const uint8_t *data, size_t size,
		   uint64_t *out);

/* Index of the first byte that holds a bit of this value; size if none. */
size_t bits_find_byte(const uint8_t *data, size_t size, bool bit);

/* Index in one byte of the first bit of this value; 8 if none. */
unsigned bits_first(uint8_t byte, bool bit);

/* Whether all bytes are zero. */
bool bits_are_zero(const uint8_t *data, size_t size);

/* The field of 1 … 64 bits that begins `shift` (0 … 7) bits into the bytes. */
uint64_t bits_get(const uint8_t bytes[BITS_FIELD_BYTES], unsigned shift,
		  unsigned width);

/* Replaces such a field by the low `width` bits of value. */
void bits_put(uint8_t bytes[BITS_FIELD_BYTES], unsigned shift, unsigned width,
	      uint64_t value);

/* How many bytes such a field touches. */
static inline size_t bits_span(unsigned shift, unsigned width)
{
	return (shift + width + 7) / 8;
}

/* Combines `count` bytes of from into the accumulator. */
void bits_and(uint8_t *into, const uint8_t *from, size_t count);
void bits_or(uint8_t *into, const uint8_t *from, size_t count);
void bits_xor(uint8_t *into, const uint8_t *from, size_t count);
void bits_and_not(uint8_t *into, const uint8_t *from, size_t count);
void bits_not(uint8_t *into, size_t count);

#endif
