/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the RDB format as far as DUMP payloads use it.
 * https://rdb.fnordig.de/file_format.html
 *
 *   payload := type object version crc
 *     type     byte    enum rdb_type
 *     object           as the type has it
 *     version  u16     little-endian: 1 … RDB_VERSION_MAX
 *     crc      u64     crc64 of everything before it
 *
 *   length := 00xxxxxx | 01xxxxxx byte | 80 u32 | 81 u64 (big-endian)
 *   string := length bytes | c0 i8 | c1 i16 | c2 i32 (little-endian)
 *           | c3 length length bytes: LZF, packed and unpacked size
 */
#ifndef REDOUBT_ENGINE_RDB_H
#define REDOUBT_ENGINE_RDB_H

#include "base/slice.h"

#define RDB_VERSION 11      /* what is written */
#define RDB_VERSION_EX 12   /* the same with deadlines of fields */
#define RDB_VERSION_MAX 12  /* what is read */
#define RDB_FOOTER_SIZE 10
#define RDB_STRING_MAX ((size_t)512 << 20)

enum rdb_type {
	RDB_STRING = 0,
	RDB_LIST = 1,
	RDB_SET = 2,
	RDB_ZSET = 3,
	RDB_HASH = 4,
	RDB_ZSET_2 = 5,
	RDB_HASH_ZIPMAP = 9,
	RDB_LIST_ZIPLIST = 10,
	RDB_SET_INTSET = 11,
	RDB_ZSET_ZIPLIST = 12,
	RDB_HASH_ZIPLIST = 13,
	RDB_LIST_QUICKLIST = 14,
	RDB_STREAM = 15,
	RDB_HASH_LISTPACK = 16,
	RDB_ZSET_LISTPACK = 17,
	RDB_LIST_QUICKLIST_2 = 18,
	RDB_STREAM_2 = 19,
	RDB_SET_LISTPACK = 20,
	RDB_STREAM_3 = 21,
	RDB_HASH_EX = 24,
	RDB_HASH_LISTPACK_EX = 25,
};

#define RDB_LENGTH_32 0x80
#define RDB_LENGTH_64 0x81
#define RDB_ENCODED 0xc0
enum { RDB_INT8, RDB_INT16, RDB_INT32, RDB_LZF };

/* Containers of a node of RDB_LIST_QUICKLIST_2. */
enum { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 };

/* First byte of a score that is no text (RDB_ZSET). */
enum { RDB_SCORE_NAN = 253, RDB_SCORE_INF = 254, RDB_SCORE_MINUS_INF = 255 };

/* Of an entry of a stream's listpack. */
enum { RDB_ENTRY_DELETED = 1, RDB_ENTRY_SAME_FIELDS = 2 };

#endif
