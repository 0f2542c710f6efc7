/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marks of messages that producers have added to a stream under an ID of
 * theirs: who sends one again gets the ID of the entry it became, and no second
 * entry.
 *
 * A mark lives for some time, and a producer has so many of them at most: then
 * its oldest goes.  What has lived long enough is no mark any more, whether or
 * not it has been taken out yet (stream_marks_put does that, some at a time).
 * What was so when the youngest mark came is not state: it may be there on one
 * server and gone on another.  Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_MARKS_H
#define REDOUBT_TYPES_STREAM_MARKS_H

#include "types/stream_id.h"
#include "types/stream_tree.h"

#define STREAM_MARKS_SECONDS_MAX 86400
#define STREAM_MARKS_LIMIT_MAX 10000

struct stream_producer;

struct stream_marks {
	uint64_t duration_ms;  /* that a mark lives */
	uint64_t limit;        /* marks of a producer */
	uint64_t added;        /* ever */
	uint64_t duplicates;   /* messages that came again, ever */
	struct stream_tree marks; /* oldest first, under their numbers */
	struct stream_producer **producers; /* in order of name */
	uint32_t producer_count;
};

/* A mark; slices are the stream's and die when it changes. */
struct stream_mark {
	struct slice producer;
	struct slice message; /* the producer's ID of it */
	struct stream_id id;  /* of the entry */
	uint64_t time_ms;     /* when it was added; never falls */
};

/* What is kept for a stream that begins to; the marks of m, if there are any,
 * go if one of these numbers is another one, many in the freeing thread. */
struct stream_marks *stream_marks_set(struct stream_marks *m,
				      uint64_t duration_ms, uint64_t limit);

/* Frees them. Any thread. */
void stream_marks_free(struct stream_marks *m);

/* Others of the same contents, which share memory. Those that are only to be
 * read cost less. */
struct stream_marks *stream_marks_copy(const struct stream_marks *m,
				       bool to_read);

static inline uint64_t stream_marks_count(const struct stream_marks *m)
{
	return m->marks.entries;
}

/* Whether one of this time is a mark no more. */
static inline bool stream_mark_over(const struct stream_marks *m,
				    uint64_t time_ms, uint64_t now_ms)
{
	return time_ms + m->duration_ms <= now_ms;
}

/* When the youngest was added; 0: there is none. */
uint64_t stream_marks_last_ms(const struct stream_marks *m);

/* What time it is for these marks: what the clock says, but never before the
 * youngest. */
uint64_t stream_marks_time(const struct stream_marks *m, uint64_t clock_ms);

/* Finds the mark of a producer's message, which may be one no more. */
bool stream_marks_find(const struct stream_marks *m, struct slice producer,
		       struct slice message, struct stream_mark *out);

/* Adds a mark, which is no younger than those there, and counts it; in place of
 * one for the same message.  Takes out the producer's oldest where it has as
 * many as it may, and some whose time is over. */
void stream_marks_put(struct stream_marks *m, const struct stream_mark *mark);

/* Marks whose time is not over, and producers that have any. */
void stream_marks_alive(const struct stream_marks *m, uint64_t clock_ms,
			uint64_t *marks, uint64_t *producers);

/* Walks all of them, the oldest first; { .m = m } stands before that one. They
 * must not change meanwhile. */
struct stream_marks_cursor {
	const struct stream_marks *m;
	struct stream_place place;
	uint32_t offset; /* in the node's data */
};

/* To before the oldest whose time is not over at now_ms. How many lie before
 * it. */
uint64_t stream_marks_seek(struct stream_marks_cursor *c,
			   const struct stream_marks *m, uint64_t now_ms);

/* The next one; false: there is none. */
bool stream_marks_next(struct stream_marks_cursor *c, struct stream_mark *out);

/* Bytes allocated. */
size_t stream_marks_memory(const struct stream_marks *m);

/* Invariants as code, for tests. */
void stream_marks_check(const struct stream_marks *m);

#endif
