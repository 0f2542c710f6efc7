/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model keeps of a stream.
 *
 * The value is the IDs, as one number each: the first half lies ahead of any
 * clock, so that what XADD gives for * is the last ID and one more.  Beside it
 * `struct groups`, and behind that what is pending, by group and ID.  Marks of
 * messages, the oldest first, are not beside it but in a buffer of their own:
 * the store shows how many there are, and which when one comes again.
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

#define ID_BASE (INT64_C(1) << 42) /* ms: ahead of any clock */
#define ID_SEQ_BITS 20

/* What a stream begins with: process.c says so to the server. */
#define MARKS_DURATION 86400 /* s: none is over as long as a run takes */
#define MARKS_LIMIT 100

struct consumer {
	int64_t there, pending;
	struct span active; /* when it got something last */
};

struct group {
	int64_t there, last;
	int64_t read; /* entries, as far as known */
	struct consumer consumers[CONSUMERS + 1]; /* and NOBODY */
};

/* What the store says about marks; duration 0: nothing. */
struct marks {
	int64_t duration, limit, tracked, producers, added, duplicates;
};

struct groups {
	int64_t last, added, deleted; /* of the stream */
	int64_t lines; /* ever given to what became nobody's */
	struct marks marks;
	struct group groups[STREAM_GROUPS];
};

struct pending {
	uint32_t group, consumer;
	int64_t id, count;
	int64_t line; /* of nobody's: the lowest is claimed first */
	struct span time;
};

struct mark {
	uint32_t producer, message;
	int64_t id;
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

static inline size_t id_count(const struct entry *e)
{
	return e->value.size / 8;
}

static inline int64_t id_at(const struct entry *e, size_t i)
{
	int64_t id;

	memcpy(&id, e->value.data + 8 * i, 8);
	return id;
}

/* Whether there is an entry of this ID. */
bool has_id(const struct entry *e, int64_t id);

/* Where the ID is, or would be, among what is pending; NULL: it is not. */
size_t pending_place(const struct entry *e, unsigned group, int64_t id);
struct pending *pending_find(const struct entry *e, unsigned group,
			     int64_t id);

/* Takes it off. */
void pending_remove(struct entry *e, const struct pending *p);

#endif
