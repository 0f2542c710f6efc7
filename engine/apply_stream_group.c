/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of streams: groups, consumers, pending entries.
 *
 * I1. Groups and consumers are made by their own records before others name
 *     them. What is pending need not be an entry any more.
 * I2. A run of pending entries is, for each, an ID as in a run of IDs, the
 *     difference of its time to that before (zigzag) and its deliveries; in
 *     stream_pending_load also the rank of its consumer by name.
 */
#include "engine/apply_stream.h"

#include <assert.h>

#include "engine/stream_runs.h"

static struct stream_group *group_open(struct keyspace *ks,
				       const struct record *rec)
{
	struct stream_group *g =
		stream_group_find(apply_stream_open(ks, rec), rec->group);

	assert(g != NULL);
	return g;
}

static struct stream_consumer *consumer_of(const struct stream_group *g,
					   const struct record *rec)
{
	struct stream_consumer *c = stream_consumer_find(g, rec->consumer);

	assert(c != NULL);
	return c;
}

/* NULL, or why rec names no group, or (if wanted) no consumer of it. */
static const char *fits_group(const struct keyspace *ks,
			      const struct record *rec, bool consumer,
			      const struct stream_group **g)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	if (reason)
		return reason;
	*g = stream_group_find(s, rec->group);
	if (!*g)
		return "the stream has no such group";
	if (consumer && !stream_consumer_find(*g, rec->consumer))
		return "the group has no such consumer";
	return NULL;
}

static bool read_fits(int64_t read)
{
	return read >= STREAM_READ_UNKNOWN;
}

void apply_stream_group_set(struct keyspace *ks, const struct record *rec)
{
	struct stream *s = apply_stream_open(ks, rec);
	struct stream_group *g = stream_group_make(s, rec->group);

	g->last = (struct stream_id){ rec->ms, rec->seq };
	g->read = rec->read;
}

const char *fits_stream_group_set(const struct keyspace *ks,
				  const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	if (reason)
		return reason;
	return read_fits(rec->read) ? NULL : "a negative count";
}

void apply_stream_group_del(struct keyspace *ks, const struct record *rec)
{
	stream_group_delete(apply_stream_open(ks, rec), rec->group);
}

const char *fits_stream_group_del(const struct keyspace *ks,
				  const struct record *rec)
{
	const struct stream_group *g;

	return fits_group(ks, rec, false, &g);
}

void apply_stream_consumer_set(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct stream_consumer *c = stream_consumer_make(g, rec->consumer);

	c->seen_ms = rec->seen_ms;
	c->active_ms = rec->active_ms;
}

const char *fits_stream_consumer_set(const struct keyspace *ks,
				     const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, false, &g);

	if (reason)
		return reason;
	return rec->seen_ms <= DEADLINE_MAX_MS &&
	       rec->active_ms <= DEADLINE_MAX_MS ?
	       NULL : "a time out of range";
}

void apply_stream_consumer_del(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);

	ks->result = consumer_of(g, rec)->pending.entries;
	stream_consumer_delete(g, rec->consumer);
}

const char *fits_stream_consumer_del(const struct keyspace *ks,
				     const struct record *rec)
{
	const struct stream_group *g;

	return fits_group(ks, rec, true, &g);
}

void apply_stream_deliver(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct stream_consumer *c = consumer_of(g, rec);
	struct reader in = reader_of(rec->value);
	struct stream_pending p = {
		.time_ms = rec->active_ms,
		.count = 1,
		.consumer = c->number,
	};

	c->seen_ms = c->active_ms = rec->active_ms;
	while (reader_left(&in)) {
		p.id = stream_ids_read(&in, p.id);
		stream_pending_put(g, &p);
	}
	g->last = p.id;
	g->read = rec->read;
}

const char *fits_stream_deliver(const struct keyspace *ks,
				const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, true, &g);

	if (!reason)
		reason = fits_stream_ids(rec->value);
	if (reason)
		return reason;
	if (rec->active_ms > DEADLINE_MAX_MS)
		return "a time out of range";
	return read_fits(rec->read) ? NULL : "a negative count";
}

void apply_stream_pending_set(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct stream_pending p = { .consumer = consumer_of(g, rec)->number };
	struct reader in = reader_of(rec->value);

	while (reader_left(&in)) {
		pending_run_read(&in, &p);
		stream_pending_put(g, &p);
	}
}

/* NULL, or why this is not a run of pending entries. */
static const char *fits_run(struct slice run, bool ranks, uint32_t consumers)
{
	struct reader in = reader_of(run);
	struct stream_pending p = { .count = 0 };
	uint64_t rank = 0;

	if (run.size == 0)
		return "no pending entries";
	while (reader_left(&in)) {
		if (!pending_run_read(&in, &p))
			break;
		if (ranks)
			rank = read_varint(&in);
		if (ranks && rank >= consumers)
			return "the group has no such consumer";
	}
	return in.bad ? "its pending entries make no sense" : NULL;
}

const char *fits_stream_pending_set(const struct keyspace *ks,
				    const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, true, &g);

	return reason ? reason : fits_run(rec->value, false, 0);
}

void apply_stream_pending_load(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct reader in = reader_of(rec->value);
	struct stream_pending p = { .count = 0 };

	while (reader_left(&in)) {
		pending_run_read(&in, &p);
		p.consumer = g->consumers[read_varint(&in)]->number;
		stream_pending_put(g, &p);
	}
}

const char *fits_stream_pending_load(const struct keyspace *ks,
				     const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, false, &g);

	return reason ? reason : fits_run(rec->value, true,
					  g->consumer_count);
}

void apply_stream_release(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct reader in = reader_of(rec->value);
	struct stream_pending p = { .count = 0 };

	while (reader_left(&in)) {
		pending_run_read(&in, &p);
		stream_pending_release(g, p.id, p.count);
	}
}

const char *fits_stream_release(const struct keyspace *ks,
				const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, false, &g);

	return reason ? reason : fits_run(rec->value, false, 0);
}

void apply_stream_pending_del(struct keyspace *ks, const struct record *rec)
{
	struct stream_group *g = group_open(ks, rec);
	struct reader in = reader_of(rec->value);
	struct stream_id id = { 0, 0 };

	ks->result = 0;
	while (reader_left(&in)) {
		id = stream_ids_read(&in, id);
		ks->result += stream_pending_remove(g, id);
	}
}

const char *fits_stream_pending_del(const struct keyspace *ks,
				    const struct record *rec)
{
	const struct stream_group *g;
	const char *reason = fits_group(ks, rec, false, &g);

	return reason ? reason : fits_stream_ids(rec->value);
}
