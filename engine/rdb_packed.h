/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed forms inside of RDB strings, read as a run of elements: listpack,
 * ziplist, zipmap (key, value, key, …) and intset.  The bytes may be hostile.
 */
#ifndef REDOUBT_ENGINE_RDB_PACKED_H
#define REDOUBT_ENGINE_RDB_PACKED_H

#include "base/coding.h"
#include "base/num.h"

enum packed_form { PACKED_LISTPACK, PACKED_ZIPLIST, PACKED_ZIPMAP,
		   PACKED_INTSET };

struct packed {
	enum packed_form form;
	struct reader in;     /* what is left, the end mark included */
	uint64_t announced;   /* elements by the header */
	bool counted;         /* announced is meant so */
	uint64_t count;       /* elements given */
	size_t tail;          /* ziplist: bytes before the last element */
	size_t last;          /* ziplist: before the one given last */
	size_t last_size;     /* ziplist: of that element */
	const uint8_t *start;
	unsigned width;       /* intset: bytes of an integer */
	int64_t number;       /* intset: the last one */
	char scratch[NUM_I64_SIZE];
};

/* Begins reading; false: the header is wrong. */
bool packed_open(struct packed *p, enum packed_form form, struct slice bytes);

/* The next element, valid until the next call; false: the end, or damage. */
bool packed_next(struct packed *p, struct slice *out);

/* After packed_next has said false: whether everything was as it must be. */
bool packed_whole(const struct packed *p);

#endif
