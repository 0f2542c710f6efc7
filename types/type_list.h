/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The types of values: X(name, number, what TYPE replies).
 *
 * Numbers are in memory only (an entry's first byte, below 16); records say
 * what a value is by their own tags.  A new type adds a row here; see
 * docs/ARCHITECTURE.md, "To add a type".
 */
#ifndef REDOUBT_TYPES_TYPE_LIST_H
#define REDOUBT_TYPES_TYPE_LIST_H

#define VALUE_TYPES(X) \
	X(string, 0, "string") \
	X(list, 1, "list") \
	X(set, 2, "set") \
	X(zset, 3, "zset") \
	X(hash, 4, "hash") \
	X(stream, 5, "stream")

enum value_type {
#define X(name, number, word) VALUE_##name = number,
	VALUE_TYPES(X)
#undef X
};

#define VALUE_TYPE_MAX 16

#endif
