/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of consumers of a stream, and the entries that are pending: delivered
 * to a consumer and not yet acknowledged.
 *
 * A group has its pending entries in order of ID; each consumer has the IDs of
 * its own beside, so that they are found without passing the others'.  What a
 * consumer gave back is pending for nobody: released, in a queue.  What was
 * pending for a deleted consumer is taken out in steps, and nobody sees it
 * meanwhile (types/stream_gone.h).  Engine thread.
 */
#ifndef REDOUBT_TYPES_STREAM_GROUP_H
#define REDOUBT_TYPES_STREAM_GROUP_H

#include "types/stream.h"

#define STREAM_READ_UNKNOWN (-1)
#define STREAM_NOBODY UINT32_MAX         /* consumer of what is released */
#define STREAM_DELIVERIES_MAX UINT32_MAX /* stands for INT64_MAX */

struct buf;
struct stream_sweep;

struct stream_consumer {
	uint32_t number;     /* index in the group's `numbers` */
	uint32_t name_size;
	uint64_t seen_ms;    /* asked last; a hint, not state */
	uint64_t active_ms;  /* got something last; 0: never */
	struct stream_tree pending; /* of struct stream_id */
	uint64_t gone; /* deleted: entries that still have its number */
	uint8_t name[];
};

struct stream_group {
	struct stream_id last; /* delivered last */
	int64_t read;          /* entries up to it, or STREAM_READ_UNKNOWN */
	struct stream_tree pending; /* of struct stream_pending */
	struct stream_tree released; /* of struct stream_released */
	uint64_t gone; /* of `pending`: those of deleted consumers */
	struct stream_sweep *sweep; /* which takes them out, or NULL */
	struct stream_consumer **consumers; /* in order of name */
	struct stream_consumer **numbers;   /* NULL where free */
	uint32_t consumer_count;
	uint32_t number_count;
	uint32_t name_size;
	uint8_t name[];
};

struct stream_pending {
	struct stream_id id;
	uint64_t time_ms;  /* of the last delivery; released: place in line */
	uint32_t count;    /* deliveries; more than fit stay at the most */
	uint32_t consumer; /* its number, or STREAM_NOBODY */
};

struct stream_released {
	struct stream_id place; /* ms: place in line; seq: 0 */
	struct stream_id id;
};

static inline struct slice stream_group_name(const struct stream_group *g)
{
	return slice_of(g->name, g->name_size);
}

static inline struct slice
stream_consumer_name(const struct stream_consumer *c)
{
	return slice_of(c->name, c->name_size);
}

static inline uint64_t stream_pending_count(const struct stream_group *g)
{
	return g->pending.entries - g->gone;
}

/* When it was delivered last; 0: it is released. */
static inline uint64_t stream_pending_time(const struct stream_pending *p)
{
	return p->consumer == STREAM_NOBODY ? 0 : p->time_ms;
}

/* How often it was delivered, as clients see it. */
static inline int64_t stream_pending_deliveries(const struct stream_pending *p)
{
	return p->count == STREAM_DELIVERIES_MAX ? INT64_MAX : p->count;
}

/* The name of its consumer; empty: it is released. */
static inline struct slice stream_pending_owner(const struct stream_group *g,
						const struct stream_pending *p)
{
	return p->consumer == STREAM_NOBODY ?
	       slice_of("", 0) : stream_consumer_name(g->numbers[p->consumer]);
}

/* The group of this name, or NULL. */
struct stream_group *stream_group_find(const struct stream *s,
				       struct slice name);

/* The group of this name, made if need be. */
struct stream_group *stream_group_make(struct stream *s, struct slice name);

/* Removes it; false if there is none. */
bool stream_group_delete(struct stream *s, struct slice name);

/* The same for consumers; what is pending for a consumer goes with it, in a
 * time that does not depend on how much that is. */
struct stream_consumer *stream_consumer_find(const struct stream_group *g,
					     struct slice name);
struct stream_consumer *stream_consumer_make(struct stream_group *g,
					     struct slice name);
bool stream_consumer_delete(struct stream_group *g, struct slice name);

/* The pending entry of this ID, or NULL; dies when the group changes. */
const struct stream_pending *stream_pending_find(const struct stream_group *g,
						 struct stream_id id);

/* Makes p pending, or puts it in place of what was pending at its ID. */
void stream_pending_put(struct stream_group *g,
			const struct stream_pending *p);

/* Makes an ID pending for nobody, behind those that are so already. */
void stream_pending_release(struct stream_group *g, struct stream_id id,
			    uint32_t count);

/* Takes it off; false if it was not pending. */
bool stream_pending_remove(struct stream_group *g, struct stream_id id);

/* Walks pending entries upwards, of a group or of one consumer. The group must
 * not change meanwhile. */
struct stream_pending_cursor {
	const struct stream_group *g;
	const struct stream_tree *tree;
	struct stream_place place;
	uint32_t index;
	bool more;
};

/* To the first that is not below id; of this consumer, or (NULL) of all. */
void stream_pending_seek(struct stream_pending_cursor *c,
			 const struct stream_group *g,
			 const struct stream_consumer *of,
			 struct stream_id id);

/* To the first of those that are released, in the order in which they were. */
void stream_pending_seek_released(struct stream_pending_cursor *c,
				  const struct stream_group *g);

/* The next one, or NULL. */
const struct stream_pending *
stream_pending_next(struct stream_pending_cursor *c);

/* Appends to ids the IDs, count at most, of what may be claimed: first what is
 * released, then what was not delivered since until_ms, longest idle first. */
void stream_pending_idle(struct stream_group *g, uint64_t until_ms,
			 uint64_t count, struct buf *ids);

/* The first and the last ID pending; there is one. */
struct stream_id stream_pending_first(const struct stream_group *g);
struct stream_id stream_pending_last(const struct stream_group *g);

/*
 * How far a group has come, counted in entries ever added.  Deleted entries
 * leave holes that nobody counts, so the number may be unknown.
 */

/* Whether something was deleted at or above this ID and below the end. */
bool stream_hole_from(const struct stream *s, struct stream_id id);

/* Entries ever added up to an ID, or STREAM_READ_UNKNOWN. */
int64_t stream_read_estimate(const struct stream *s, struct stream_id id);

/* What `read` of a group that is at `last` becomes with the entry `id`. */
int64_t stream_read_next(const struct stream *s, int64_t read,
			 struct stream_id last, struct stream_id id);

/* Entries not yet delivered to g; false: unknown. */
bool stream_lag(const struct stream *s, const struct stream_group *g,
		int64_t *lag);

/* All groups of a stream: for stream.c. */
void stream_groups_free(struct stream *s); /* any thread, after forget */
void stream_groups_forget(struct stream *s);
void stream_groups_copy(struct stream *copy, const struct stream *s,
			bool to_read);
size_t stream_groups_memory(const struct stream *s);
void stream_groups_check(const struct stream *s);

#endif
