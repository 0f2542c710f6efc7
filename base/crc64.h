/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC-64 of Jones: the check behind a DUMP payload.
 *
 * Polynomial 0xad93d23594c935a9, reflected, starting from 0, not inverted;
 * of "123456789" it is 0xe9c6d914c4b8d9ca.
 */
#ifndef REDOUBT_BASE_CRC64_H
#define REDOUBT_BASE_CRC64_H

#include "base/slice.h"

/* CRC-64 of data, continuing from crc (0 to start). */
uint64_t crc64(uint64_t crc, const void *data, size_t size);

#endif
