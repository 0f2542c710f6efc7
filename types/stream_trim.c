/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which entries trimming takes.
 *
 * R1. A plan takes entries from the first on: they go by one ID.
 * R2. A walk leaves out entries that some group has not passed or has pending,
 *     and goes on behind them as long as the wish is not fulfilled.  It ends
 *     where the group that is farthest behind has come: nobody is done with
 *     what is above.
 * R3. With `whole` only blocks that might go as a whole are looked at; how the
 *     entries lie in blocks is not state, so what is asked for with it is a
 *     hint.
 */
#include "types/stream_trim.h"

#include "types/stream_block.h"

/* Whether entries of which `last` is the last may all go. */
static bool may_go(const struct stream *s, const struct stream_trim_wish *wish,
		   uint64_t gone, uint64_t entries, struct stream_id last)
{
	if (wish->whole && wish->limit && gone + entries > wish->limit)
		return false;
	if (wish->by_id)
		return stream_id_below(last, wish->min);
	return stream_length(s) - gone - entries >= wish->length;
}

/* The entries of the block at p that go. */
static uint64_t plan_in_block(const struct stream *s,
			      const struct stream_trim_wish *wish,
			      struct stream_place p, uint64_t gone,
			      struct stream_id *through)
{
	const struct stream_node *n = stream_tree_node(&s->entries, p);
	struct stream_block_at b = stream_block_open(n);
	struct stream_entry e;

	while (stream_block_next(&b, &e) && may_go(s, wish, gone, 1, e.id)) {
		*through = e.id;
		gone++;
	}
	return gone;
}

uint64_t stream_trim_plan(const struct stream *s,
			  const struct stream_trim_wish *wish,
			  struct stream_id *through)
{
	const struct stream_tree *t = &s->entries;
	struct stream_place p = { 0, 0 };
	uint64_t gone = 0;

	if (!wish->by_id && stream_length(s) <= wish->length)
		return 0;
	for (; p.chunk < t->count; p.chunk++) {
		const struct stream_chunk *c = t->at[p.chunk];
		struct stream_id last = c->at[c->count - 1]->last;

		if (!may_go(s, wish, gone, c->entries, last))
			break;
		gone += c->entries;
		*through = last;
	}
	for (; p.chunk < t->count; stream_place_next(t, &p)) {
		const struct stream_node *n = stream_tree_node(t, p);

		if (!may_go(s, wish, gone, n->count, n->last))
			break;
		gone += n->count;
		*through = n->last;
	}
	if (p.chunk == t->count || wish->whole)
		return gone;
	return plan_in_block(s, wish, p, gone, through);
}

bool stream_referenced(const struct stream *s, struct stream_id id)
{
	uint32_t i;

	for (i = 0; i < s->group_count; i++)
		if (stream_id_below(s->groups[i]->last, id) ||
		    stream_pending_find(s->groups[i], id))
			return true;
	return false;
}

bool stream_referenced_from(const struct stream *s, struct stream_id *id)
{
	bool found = false;
	uint32_t i;

	*id = STREAM_ID_MAX;
	for (i = 0; i < s->group_count; i++) {
		const struct stream_group *g = s->groups[i];
		struct stream_id from = g->last;

		if (!stream_id_increment(&from))
			from = STREAM_ID_MAX; /* nothing is above */
		else
			found = true;
		if (stream_pending_count(g) > 0) {
			found = true;
			if (stream_id_below(stream_pending_first(g), from))
				from = stream_pending_first(g);
		}
		if (stream_id_below(from, *id))
			*id = from;
	}
	return found;
}

/* Opens the walk's block, or ends the walk. */
static void acked_open(struct stream_acked_walk *w)
{
	const struct stream_tree *t = &w->s->entries;
	const struct stream_node *n;

	w->more = w->place.chunk < t->count;
	if (!w->more)
		return;
	n = stream_tree_node(t, w->place);
	if (w->wish->whole) /* R3 */
		w->more = may_go(w->s, w->wish, w->gone, n->count, n->last);
	w->block = stream_block_open(n);
}

void stream_acked_begin(struct stream_acked_walk *w, const struct stream *s,
			const struct stream_trim_wish *wish,
			struct stream_id from)
{
	uint32_t i;

	*w = (struct stream_acked_walk){
		.s = s,
		.wish = wish,
		.from = from,
		.end = STREAM_ID_MAX,
	};
	for (i = 0; i < s->group_count; i++)
		if (stream_id_below(s->groups[i]->last, w->end))
			w->end = s->groups[i]->last;
	if (!stream_tree_find(&s->entries, from, &w->place))
		w->place.chunk = s->entries.count;
	acked_open(w);
}

bool stream_acked_next(struct stream_acked_walk *w, struct stream_id *id)
{
	struct stream_entry e;

	while (w->more) {
		if (!stream_block_next(&w->block, &e)) {
			stream_place_next(&w->s->entries, &w->place);
			acked_open(w);
			continue;
		}
		if (stream_id_below(w->end, e.id) || /* R2 */
		    (!w->wish->whole &&
		     !may_go(w->s, w->wish, w->gone, 1, e.id)))
			break;
		if (stream_id_below(e.id, w->from) ||
		    stream_referenced(w->s, e.id))
			continue;
		*id = e.id;
		w->gone++;
		return true;
	}
	w->more = false;
	return false;
}
