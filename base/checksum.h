/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums: CRC32C for headers, XXH3 for content and digests.
 *
 * Both are for accidents, not for attackers.  CRC32C (Castagnoli, RFC 3720
 * B.4) uses SSE4.2 where the machine has it.  XXH3 comes from libxxhash.
 */
#ifndef REDOUBT_BASE_CHECKSUM_H
#define REDOUBT_BASE_CHECKSUM_H

#include "base/slice.h"

/* CRC32C of data, continuing from crc (0 to start). */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same by tables, for machines without SSE4.2. */
uint32_t crc32c_software(uint32_t crc, const void *data, size_t size);

/* XXH3-64 of data with a seed. */
uint64_t content_hash(const void *data, size_t size, uint64_t seed);

/* Folds a value into a running chain: order matters, nothing cancels.
 * XXH3-64 of the value's 8 little-endian bytes, seeded with the chain. */
uint64_t chain_hash(uint64_t chain, uint64_t value);

struct hash128 {
	uint64_t low;
	uint64_t high;
};

/* XXH3-128 of data with a seed. */
struct hash128 content_hash128(const void *data, size_t size, uint64_t seed);

/* SipHash-1-3 (Aumasson, Bernstein 2012): keyed, for tables whose keys come
 * from clients. */
uint64_t siphash13(const void *data, size_t size, const uint64_t key[2]);

#endif
