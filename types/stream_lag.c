/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far groups have come.  What is known of deletions is the highest ID
 * that was ever deleted one by one: trimming leaves no holes.
 */
#include "types/stream_group.h"

bool stream_hole_from(const struct stream *s, struct stream_id id)
{
	if (stream_length(s) == 0 || stream_id_zero(s->max_deleted))
		return false;
	if (stream_id_below(s->max_deleted, stream_first(s)))
		return false; /* trimmed since */
	return !stream_id_below(s->max_deleted, id);
}

/* So many entries, as groups count them; too many are not known. */
static int64_t count_of(uint64_t entries)
{
	return entries <= INT64_MAX ? (int64_t)entries : STREAM_READ_UNKNOWN;
}

int64_t stream_read_estimate(const struct stream *s, struct stream_id id)
{
	uint64_t before = s->added - stream_length(s);
	struct stream_id first = stream_first(s);
	int order = stream_id_compare(id, s->last);

	if (s->added == 0)
		return 0;
	if (stream_length(s) == 0 && order < 0)
		return count_of(s->added);
	if (order == 0)
		return count_of(s->added);
	if (order > 0)
		return STREAM_READ_UNKNOWN; /* not yet given to any entry */
	if (!stream_id_zero(s->max_deleted) &&
	    !stream_id_below(s->max_deleted, first))
		return STREAM_READ_UNKNOWN;
	if (stream_id_below(id, first))
		return count_of(before);
	return stream_id_equal(id, first) ? count_of(before + 1) :
					    STREAM_READ_UNKNOWN;
}

/* Whether a number that was right at this ID says how many are above it:
 * nothing was trimmed or deleted there since. */
static bool counts_from(const struct stream *s, struct stream_id last)
{
	return !stream_id_below(last, stream_first(s)) &&
	       !stream_hole_from(s, last);
}

int64_t stream_read_next(const struct stream *s, int64_t read,
			 struct stream_id last, struct stream_id id)
{
	if (read != STREAM_READ_UNKNOWN && read < INT64_MAX &&
	    counts_from(s, last))
		return read + 1;
	return s->added ? stream_read_estimate(s, id) : read;
}

bool stream_lag(const struct stream *s, const struct stream_group *g,
		int64_t *lag)
{
	int64_t read = g->read;

	*lag = 0;
	if (s->added == 0)
		return true;
	if (read == STREAM_READ_UNKNOWN || !counts_from(s, g->last))
		read = stream_read_estimate(s, g->last);
	if (read == STREAM_READ_UNKNOWN ||
	    count_of(s->added) == STREAM_READ_UNKNOWN)
		return false;
	*lag = (int64_t)s->added - read;
	return true;
}
