/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages that are added once, however often they are sent: XADD with IDMP or
 * IDMPAUTO, and XCFGSET.
 *
 * I1. The entry and its mark are records of one batch: there is no entry that
 *     would be added again after a crash.
 * I2. A mark's time is the clock's, but never before that of the mark before;
 *     so those whose time is over are the oldest.
 * I3. What a stream keeps is said in its first stream_marks; the directives
 *     count until then.
 */
#include "engine/stream_options.h"

#include "base/checksum.h"
#include "engine/config.h"
#include "engine/items.h"
#include "types/stream_marks.h"

/* A record about the marks of m, or (NULL) of a stream that has none yet. */
static struct record settings_of(const struct cmd *c,
				 const struct stream_marks *m,
				 enum record_cause cause)
{
	const struct config *config = c->engine->config;
	struct record r = stream_record(c, REC_stream_marks, cause, c->argv[1]);

	if (m) {
		r.duration_ms = m->duration_ms;
		r.limit = m->limit;
		r.added = m->added;
		r.duplicates = m->duplicates;
	} else {
		r.duration_ms = (uint64_t)config->stream_idmp_duration_s * 1000;
		r.limit = (uint64_t)config->stream_idmp_maxsize;
	}
	return r;
}

/* The sum of the pairs' hashes: the order of pairs says nothing. */
static struct slice message_of(struct slice items, uint8_t out[16])
{
	struct reader in = reader_of(items);
	unsigned __int128 sum = 0;

	while (reader_left(&in)) {
		const uint8_t *pair = in.at;
		struct hash128 h;

		read_string(&in);
		read_string(&in);
		h = content_hash128(pair, (size_t)(in.at - pair), 0);
		sum += (unsigned __int128)h.high << 64 | h.low;
	}
	put_u64(out, (uint64_t)sum);
	put_u64(out + 8, (uint64_t)(sum >> 64));
	return slice_of(out, 16);
}

void stream_message_of(const struct cmd *c, const struct stream_options *o,
		       struct slice items, struct stream_message *m)
{
	m->producer = c->argv[o->producer];
	m->id = o->automatic ? message_of(items, m->room) :
			       c->argv[o->producer + 1];
}

bool stream_message_known(struct cmd *c, const struct stream *s,
			  const struct stream_message *m)
{
	struct stream_mark mark;
	struct record r;

	if (!s || !s->marks ||
	    !stream_marks_find(s->marks, m->producer, m->id, &mark) ||
	    stream_mark_over(s->marks, mark.time_ms,
			     stream_marks_time(s->marks, c->now_ms)))
		return false;
	stream_reply_id(c, mark.id);
	r = settings_of(c, s->marks, CAUSE_xidmp);
	r.duplicates++;
	emit(c, &r);
	return true;
}

void stream_message_added(struct cmd *c, const struct stream_message *m,
			  struct stream_id id)
{
	const struct stream *s = stream_again(c, c->argv[1]);
	struct record r;

	if (!s->marks) { /* I3 */
		r = settings_of(c, NULL, CAUSE_xidmp);
		emit(c, &r);
		s = stream_again(c, c->argv[1]);
	}
	r = stream_record(c, REC_stream_mark, CAUSE_xidmp, c->argv[1]);
	r.producer = m->producer;
	r.time_ms = stream_marks_time(s->marks, c->now_ms); /* I2 */
	r.ms = id.ms;
	r.seq = id.seq;
	r.value = m->id;
	emit(c, &r);
}

/* --- XCFGSET -------------------------------------------------------------- */

/* What is to be changed; 0: nothing. */
struct settings {
	int64_t duration_s, limit;
};

/* The number at an index, from 1 to max. */
static bool parse_number(struct cmd *c, unsigned index, int64_t max,
			 int64_t *out)
{
	const char *name = arg_is(c, index - 1, "idmp-duration") ?
			   "IDMP-DURATION" : "IDMP-MAXSIZE";

	if (!arg_i64(c, index, out))
		return false;
	if (*out >= 1 && *out <= max)
		return true;
	reply_errorf(c, "ERR %s must be between 1 and %lld", name,
		     (long long)max);
	return false;
}

static bool settings_parse(struct cmd *c, struct settings *s)
{
	unsigned i;
	bool ok;

	*s = (struct settings){ 0 };
	for (i = 2; i < c->argc; i += 2) {
		bool more = i + 1 < c->argc;

		if (more && arg_is(c, i, "idmp-duration")) {
			ok = parse_number(c, i + 1, STREAM_MARKS_SECONDS_MAX,
					  &s->duration_s);
		} else if (more && arg_is(c, i, "idmp-maxsize")) {
			ok = parse_number(c, i + 1, STREAM_MARKS_LIMIT_MAX,
					  &s->limit);
		} else {
			reply_syntax_error(c);
			ok = false;
		}
		if (!ok)
			return false;
	}
	if (c->argc > 2)
		return true;
	reply_error(c, "ERR At least one parameter must be specified");
	return false;
}

/* XCFGSET key [IDMP-DURATION seconds] [IDMP-MAXSIZE count]. */
void cmd_xcfgset(struct cmd *c)
{
	const struct stream *s;
	struct settings set;
	struct record r;

	if (!settings_parse(c, &set) ||
	    !stream_lookup_write(c, c->argv[1], &s))
		return;
	if (!s) {
		reply_error(c, "ERR no such key");
		return;
	}
	r = settings_of(c, s->marks, CAUSE_xcfgset);
	if (set.duration_s)
		r.duration_ms = (uint64_t)set.duration_s * 1000;
	if (set.limit)
		r.limit = (uint64_t)set.limit;
	if (!s->marks || s->marks->duration_ms != r.duration_ms ||
	    s->marks->limit != r.limit)
		emit(c, &r);
	reply_ok(c);
}
