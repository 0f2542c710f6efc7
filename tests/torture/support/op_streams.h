/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model keeps of a stream.
 *
 * The value is the IDs; beside it `struct groups`, and behind that what is
 * pending, by group and ID.  All IDs end in -1, so that one number is an ID.
 * When a consumer was seen is no part of it: the store may forget that.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_OP_STREAMS_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_OP_STREAMS_H

#include <assert.h>

#include "tests/torture/support/op_types.h"

#define STREAM_GROUPS 2
#define CONSUMERS 3
#define READ_UNKNOWN (-1)
#define NOBODY CONSUMERS /* who has what XNACK gave back */

struct consumer {
	int64_t there, pending;
	struct span active; /* when it got something last */
};

struct group {
	int64_t there, last;
	int64_t read; /* entries, as far as known */
	struct consumer consumers[CONSUMERS + 1]; /* and NOBODY */
};

struct groups {
	int64_t last, added, marks_max; /* of the stream */
	struct group groups[STREAM_GROUPS];
};

struct pending {
	uint32_t group, consumer;
	int64_t id, count;
	struct span time;
};

static inline struct groups *groups_of(const struct entry *e)
{
	assert(e->side.size >= sizeof(struct groups));
	return (struct groups *)(void *)e->side.data;
}

static inline struct pending *pending_of(const struct entry *e)
{
	return (struct pending *)(void *)(e->side.data +
					  sizeof(struct groups));
}

static inline size_t pending_count(const struct buf *side)
{
	return (side->size - sizeof(struct groups)) / sizeof(struct pending);
}

#endif
