/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of streams: marks of messages.
 *
 * I1. stream_marks comes before the first stream_mark of a stream.
 * I2. Which marks leave follows from those there are and the new one's time:
 *     no clock is asked.
 */
#include "engine/apply_stream.h"

#include "types/stream_marks.h"

void apply_stream_marks(struct keyspace *ks, const struct record *rec)
{
	struct stream *s = apply_stream_open(ks, rec);

	s->marks = stream_marks_set(s->marks, rec->duration_ms, rec->limit);
	s->marks->added = rec->added;
	s->marks->duplicates = rec->duplicates;
}

const char *fits_stream_marks(const struct keyspace *ks,
			      const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	if (reason)
		return reason;
	if (rec->duration_ms == 0 ||
	    rec->duration_ms > STREAM_MARKS_SECONDS_MAX * UINT64_C(1000))
		return "marks live too long or not at all";
	if (rec->limit == 0 || rec->limit > STREAM_MARKS_LIMIT_MAX)
		return "too many marks of a producer, or none";
	if (rec->added >> 63 || rec->duplicates >> 63)
		return "too many marks were added";
	if (s->marks && s->marks->duration_ms == rec->duration_ms &&
	    s->marks->limit == rec->limit &&
	    rec->added < stream_marks_count(s->marks))
		return "more marks than ever were added";
	return NULL;
}

static struct stream_mark mark_of(const struct record *rec)
{
	return (struct stream_mark){
		.producer = rec->producer,
		.message = rec->value,
		.id = { rec->ms, rec->seq },
		.time_ms = rec->time_ms,
	};
}

void apply_stream_mark(struct keyspace *ks, const struct record *rec)
{
	struct stream_mark mark = mark_of(rec);

	stream_marks_put(apply_stream_open(ks, rec)->marks, &mark);
}

const char *fits_stream_mark(const struct keyspace *ks,
			     const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	if (reason)
		return reason;
	if (!s->marks)
		return "the stream keeps no marks";
	if (rec->producer.size == 0 || rec->value.size == 0)
		return "a mark without producer or message";
	if (rec->producer.size + rec->value.size > STREAM_ENTRY_SIZE_MAX)
		return "the mark is too big";
	if (rec->time_ms > DEADLINE_MAX_MS)
		return "a time out of range";
	if (rec->time_ms < stream_marks_last_ms(s->marks))
		return "the mark is older than the one before";
	return NULL;
}
