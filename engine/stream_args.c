/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the handlers of stream commands share: lookups, IDs, replies.
 */
#include "engine/cmd_stream.h"

#include <assert.h>

#define ID_TEXT_SIZE (2 * NUM_I64_SIZE)
#define HEAD_SIZE_MAX (ID_TEXT_SIZE + 16) /* an ID as a bulk string */

bool stream_reference_arg(const struct cmd *c, unsigned index,
			  enum stream_reference *reference)
{
	if (*reference != STREAM_REFERENCE_UNSAID)
		return false;
	if (arg_is(c, index, "keepref"))
		*reference = STREAM_KEEP_REFERENCES;
	else if (arg_is(c, index, "delref"))
		*reference = STREAM_DELETE_REFERENCES;
	else if (arg_is(c, index, "acked"))
		*reference = STREAM_ONLY_ACKNOWLEDGED;
	return *reference != STREAM_REFERENCE_UNSAID;
}

bool stream_lookup(struct cmd *c, struct slice key, const struct stream **s)
{
	const struct entry *e;

	*s = NULL;
	if (!lookup_typed(c, key, VALUE_stream, &e))
		return false;
	if (e)
		*s = entry_pointer(e);
	return true;
}

bool stream_lookup_write(struct cmd *c, struct slice key,
			 const struct stream **s)
{
	const struct entry *e;

	*s = NULL;
	if (!lookup_typed_write(c, key, VALUE_stream, &e))
		return false;
	if (e)
		*s = entry_pointer(e);
	return true;
}

const struct stream *stream_again(struct cmd *c, struct slice key)
{
	const struct entry *e = keyspace_find(c->ks, c->db, key);

	assert(e != NULL && entry_type(e) == VALUE_stream);
	return entry_pointer(e);
}

/* Digits, also with blanks, a + or zeros in front, as clients may send. */
static bool parse_digits(const uint8_t *p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	if (p < end && *p == '+')
		p++;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9' ||
		    __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

bool stream_id_parse(struct slice text, uint64_t seq, struct stream_id *id)
{
	const uint8_t *end = text.data + text.size;
	const uint8_t *dash = text.size ? memchr(text.data, '-', text.size) :
					  NULL;
	struct stream_id parsed = { 0, seq };

	if (!parse_digits(text.data, dash ? dash : end, &parsed.ms))
		return false;
	if (dash && !parse_digits(dash + 1, end, &parsed.seq))
		return false;
	*id = parsed;
	return true;
}

static bool invalid_id(struct cmd *c)
{
	reply_error(c, "ERR Invalid stream ID specified as stream command "
		       "argument");
	return false;
}

bool stream_id_arg(struct cmd *c, unsigned index, uint64_t seq,
		   struct stream_id *id)
{
	if (stream_id_parse(c->argv[index], seq, id))
		return true;
	return invalid_id(c);
}

bool stream_ids_args(struct cmd *c, unsigned index)
{
	struct stream_id id;

	for (; index < c->argc; index++)
		if (!stream_id_arg(c, index, 0, &id))
			return false;
	return true;
}

/* One end of a range; *exclusive: "(" was in front. */
static bool range_end(struct cmd *c, unsigned index, uint64_t seq,
		      struct stream_id *id, bool *exclusive)
{
	struct slice text = c->argv[index];

	*exclusive = text.size > 1 && text.data[0] == '(';
	if (*exclusive) {
		text = slice_of(text.data + 1, text.size - 1);
	} else if (slice_is(text, "-")) {
		*id = (struct stream_id){ 0, 0 };
		return true;
	} else if (slice_is(text, "+")) {
		*id = STREAM_ID_MAX;
		return true;
	}
	if (stream_id_parse(text, seq, id))
		return true;
	return invalid_id(c);
}

bool stream_start_arg(struct cmd *c, unsigned index, struct stream_id *from)
{
	bool exclusive;

	if (!range_end(c, index, 0, from, &exclusive))
		return false;
	if (!exclusive || stream_id_increment(from))
		return true;
	reply_error(c, "ERR invalid start ID for the interval");
	return false;
}

bool stream_range_args(struct cmd *c, unsigned start, unsigned end,
		       struct stream_id *from, struct stream_id *to)
{
	bool exclusive;

	if (!stream_start_arg(c, start, from))
		return false;
	if (!range_end(c, end, UINT64_MAX, to, &exclusive))
		return false;
	if (exclusive && !stream_id_decrement(to)) {
		reply_error(c, "ERR invalid end ID for the interval");
		return false;
	}
	return true;
}

const struct stream_group *stream_group_arg(struct cmd *c, unsigned key,
					    unsigned group)
{
	const struct stream_group *g = NULL;
	const struct stream *s;

	if (!stream_lookup(c, c->argv[key], &s))
		return NULL;
	if (s)
		g = stream_group_find(s, c->argv[group]);
	if (!g)
		reply_errorf(c, "NOGROUP No such key '%.*s' or consumer group "
				"'%.*s'",
			     (int)c->argv[key].size, c->argv[key].data,
			     (int)c->argv[group].size, c->argv[group].data);
	return g;
}

void stream_reply_id(struct cmd *c, struct stream_id id)
{
	char text[ID_TEXT_SIZE];
	size_t size = num_format_u64(text, id.ms);

	text[size++] = '-';
	size += num_format_u64(text + size, id.seq);
	reply_bulk(c, slice_of(text, size));
}

void stream_reply_entry(struct cmd *c, struct stream_entry e)
{
	reply_array(c, 2);
	stream_reply_id(c, e.id);
	stream_reply_fields(c, e);
}

void stream_reply_fields(struct cmd *c, struct stream_entry e)
{
	struct stream_pair pair;
	uint32_t i, pairs = e.pairs;

	reply_array(c, 2 * (size_t)pairs);
	for (i = 0; i < pairs; i++) {
		stream_entry_pair(&e, &pair);
		reply_bulk(c, pair.field);
		reply_bulk(c, pair.value);
	}
}

void stream_reply_front(struct cmd *c, size_t start, size_t head)
{
	uint8_t copy[HEAD_SIZE_MAX];
	size_t size = c->out->size - head;

	assert(start <= head && size <= sizeof(copy));
	memcpy(copy, c->out->data + head, size);
	memmove(c->out->data + start + size, c->out->data + start,
		head - start);
	memcpy(c->out->data + start, copy, size);
}

void stream_reply_count(struct cmd *c, size_t start, size_t count)
{
	size_t head = c->out->size;

	reply_array(c, count);
	stream_reply_front(c, start, head);
}

struct record stream_record(const struct cmd *c, enum record_type type,
			    enum record_cause cause, struct slice key)
{
	return (struct record){
		.type = (uint8_t)type,
		.cause = (uint8_t)cause,
		.db = c->db,
		.key = key,
	};
}

void stream_consumer_touch(struct cmd *c, struct slice key, struct slice group,
			   struct slice consumer)
{
	const struct stream_group *g =
		stream_group_find(stream_again(c, key), group);
	struct stream_consumer *known = stream_consumer_find(g, consumer);
	struct record r;

	if (known) {
		known->seen_ms = c->now_ms; /* a hint: no record */
		return;
	}
	r = stream_record(c, REC_stream_consumer_set,
			  CAUSE_xgroup_createconsumer, key);
	r.group = group;
	r.consumer = consumer;
	r.seen_ms = c->now_ms;
	emit(c, &r);
}
