/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trimming: which entries at the beginning of a stream go, and what groups
 * have still to do with them.  Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_TRIM_H
#define REDOUBT_TYPES_STREAM_TRIM_H

#include "types/stream_group.h"

/* What XTRIM asks for. */
struct stream_trim_wish {
	bool by_id;
	struct stream_id min; /* by_id: what is below goes */
	uint64_t length;      /* else: this many stay */
	bool whole;           /* whole blocks only */
	uint64_t limit;       /* with whole: entries at most; 0: any number */
};

/* How many entries the wish comes to, and in *through the last of them. */
uint64_t stream_trim_plan(const struct stream *s,
			  const struct stream_trim_wish *wish,
			  struct stream_id *through);

/* Whether some group has still to do with the entry of this ID: has not passed
 * it, or has it pending. */
bool stream_referenced(const struct stream *s, struct stream_id id);

/* The lowest ID, of an entry or not, that is so; false: there is none. */
bool stream_referenced_from(const struct stream *s, struct stream_id *id);

/* Walks the entries that a wish takes where it takes only those with which no
 * group has to do any more. The stream must not change meanwhile. */
struct stream_acked_walk {
	const struct stream *s;
	const struct stream_trim_wish *wish;
	struct stream_id from, end; /* none below; none above */
	struct stream_place place;
	struct stream_block_at block;
	uint64_t gone; /* given so far */
	bool more;
};

/* To the first that is not below `from`. */
void stream_acked_begin(struct stream_acked_walk *w, const struct stream *s,
			const struct stream_trim_wish *wish,
			struct stream_id from);
bool stream_acked_next(struct stream_acked_walk *w, struct stream_id *id);

#endif
