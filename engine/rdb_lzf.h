/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LZF, the compression of strings in DUMP payloads.
 *
 *   000LLLLL                    L + 1 bytes follow as they are
 *   LLLooooo [L'] oooooooo      L + 2 bytes (L = 7: L' + 9) from o + 1 back
 */
#ifndef REDOUBT_ENGINE_RDB_LZF_H
#define REDOUBT_ENGINE_RDB_LZF_H

#include "base/slice.h"

/* Bytes that one byte of packed input can become, at most. */
#define LZF_RATIO_MAX 88

/* Unpacks in, which may be hostile, to exactly size bytes at out. */
bool lzf_unpack(struct slice in, uint8_t *out, size_t size);

/* Packs in to at most size_max bytes at out; 0: it does not fit. */
size_t lzf_pack(struct slice in, uint8_t *out, size_t size_max);

#endif
