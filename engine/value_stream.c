/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams as the engine sees them.
 *
 * I1. The records of a stream are stream_meta, its blocks, then for each group
 *     stream_group_set, its consumers in order of name, what is pending (with
 *     ranks of consumers in that order), what is released; then stream_marks
 *     with its marks, and at last its deadline.
 * I2. A frozen stream is a copy, which shares the blocks: writers copy those.
 *     It needs nothing of the original.
 * I3. The digest knows entries, not blocks; names, not numbers; not when a
 *     consumer was seen last; no marks that were over when the youngest came.
 *     Records of a snapshot leave the last out, too.
 */
#include "engine/value_ops.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "engine/config.h"
#include "engine/items.h"
#include "engine/keyspace.h"
#include "engine/stream_runs.h"
#include "types/stream_marks.h"

#define DIGEST_SEED 0x73747265616d3031ULL /* any constant */
#define SMALL_BYTES 4096

static const struct stream *stream_of(const struct entry *e)
{
	return entry_pointer(e);
}

static const char *value_encoding(const struct entry *e)
{
	(void)e;
	return "stream";
}

static size_t value_memory(const struct entry *e)
{
	return entry_size(e) + stream_memory(stream_of(e));
}

static void value_destroy(struct entry *e)
{
	stream_free(entry_pointer(e));
	entry_free(e);
}

static struct entry *value_copy(const struct entry *e, struct slice key,
				uint64_t deadline_ms)
{
	return entry_new_pointer(VALUE_stream, key, deadline_ms,
				 stream_copy(stream_of(e)));
}

/* --- digest --------------------------------------------------------------- */

static void digest_number(XXH3_state_t *state, uint64_t v)
{
	XXH3_128bits_update(state, &v, sizeof(v));
}

static void digest_id(XXH3_state_t *state, struct stream_id id)
{
	digest_number(state, id.ms);
	digest_number(state, id.seq);
}

static void digest_slice(XXH3_state_t *state, struct slice s)
{
	digest_number(state, s.size);
	XXH3_128bits_update(state, s.data, s.size);
}

static void digest_entries(XXH3_state_t *state, const struct stream *s)
{
	struct stream_cursor c;
	struct stream_entry e;

	stream_seek(&c, s, (struct stream_id){ 0, 0 });
	while (stream_next(&c, &e)) {
		uint32_t i, pairs = e.pairs;

		digest_id(state, e.id);
		digest_number(state, pairs);
		for (i = 0; i < pairs; i++) {
			struct stream_pair pair;

			stream_entry_pair(&e, &pair);
			digest_slice(state, pair.field);
			digest_slice(state, pair.value);
		}
	}
}

static void digest_marks(XXH3_state_t *state, const struct stream_marks *m)
{
	struct stream_marks_cursor c;
	struct stream_mark mark;

	digest_number(state, m->duration_ms);
	digest_number(state, m->limit);
	digest_number(state, m->added);
	digest_number(state, m->duplicates);
	stream_marks_seek(&c, m, stream_marks_last_ms(m)); /* I3 */
	while (stream_marks_next(&c, &mark)) {
		digest_slice(state, mark.producer);
		digest_slice(state, mark.message);
		digest_id(state, mark.id);
		digest_number(state, mark.time_ms);
	}
}

static void digest_group(XXH3_state_t *state, const struct stream_group *g)
{
	struct stream_pending_cursor c;
	const struct stream_pending *p;
	uint32_t i;

	digest_slice(state, stream_group_name(g));
	digest_id(state, g->last);
	digest_number(state, (uint64_t)g->read);
	for (i = 0; i < g->consumer_count; i++) {
		const struct stream_consumer *of = g->consumers[i];

		digest_slice(state, stream_consumer_name(of));
		digest_number(state, of->active_ms);
		digest_number(state, of->pending.entries);
		stream_pending_seek(&c, g, of, (struct stream_id){ 0, 0 });
		while ((p = stream_pending_next(&c)) != NULL) {
			digest_id(state, p->id);
			digest_number(state, p->time_ms);
			digest_number(state, p->count);
		}
	}
	stream_pending_seek_released(&c, g);
	while ((p = stream_pending_next(&c)) != NULL) {
		digest_id(state, p->id);
		digest_number(state, p->count);
	}
}

static struct hash128 value_digest(const struct entry *e)
{
	const struct stream *s = stream_of(e);
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t h;
	uint32_t i;

	if (!state)
		mem_exhausted(sizeof(*state));
	XXH3_128bits_reset_withSeed(state, DIGEST_SEED);
	digest_id(state, s->last);
	digest_id(state, s->max_deleted);
	digest_number(state, s->added);
	digest_number(state, stream_length(s));
	digest_entries(state, s);
	for (i = 0; i < s->group_count; i++)
		digest_group(state, s->groups[i]);
	if (s->marks)
		digest_marks(state, s->marks);
	h = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return (struct hash128){ h.low64, h.high64 };
}

/* --- records -------------------------------------------------------------- */

enum phase { PHASE_META, PHASE_BLOCKS, PHASE_GROUP, PHASE_CONSUMERS,
	     PHASE_PENDING, PHASE_RELEASED, PHASE_MARKS, PHASE_MARK,
	     PHASE_DEADLINE, PHASE_END };

/* A stream on its way out. */
struct frozen_stream {
	const struct stream *s;
	struct stream *own; /* s, if that is a copy to be freed */
	record_sink_fn *sink;
	void *ctx;
	struct slice key;
	uint64_t deadline_ms;
	uint32_t db;
	enum phase phase;
	struct stream_place place; /* of the next block */
	uint32_t group, consumer;  /* next */
	struct stream_pending_cursor pending;
	uint32_t *ranks; /* of the group's consumers, by number */
	struct stream_marks_cursor marks;
	struct buf run;
};

static size_t give(struct frozen_stream *f, struct record *r)
{
	r->cause = CAUSE_snapshot;
	r->db = f->db;
	r->key = f->key;
	f->sink(f->ctx, r);
	return r->key.size + r->group.size + r->consumer.size +
	       r->value.size + 16;
}

static size_t give_meta(struct frozen_stream *f)
{
	struct record r = {
		.type = REC_stream_meta,
		.ms = f->s->last.ms,
		.seq = f->s->last.seq,
		.count = f->s->added,
		.other_ms = f->s->max_deleted.ms,
		.other_seq = f->s->max_deleted.seq,
	};

	f->phase = PHASE_BLOCKS;
	return give(f, &r);
}

static size_t give_block(struct frozen_stream *f)
{
	struct record r = { .type = REC_stream_load };
	struct stream_packed packed;

	if (!stream_pack(f->s, f->place, &packed)) {
		f->phase = PHASE_GROUP;
		return 0;
	}
	stream_place_next(&f->s->entries, &f->place);
	r.ms = packed.first.ms;
	r.seq = packed.first.seq;
	r.other_ms = packed.last.ms;
	r.other_seq = packed.last.seq;
	r.count = packed.count;
	r.value = packed.data;
	return give(f, &r);
}

static const struct stream_group *group_of(const struct frozen_stream *f)
{
	return f->s->groups[f->group];
}

static size_t give_group(struct frozen_stream *f)
{
	const struct stream_group *g;
	struct record r = { .type = REC_stream_group_set };

	if (f->group == f->s->group_count) {
		f->phase = PHASE_MARKS;
		return 0;
	}
	g = group_of(f);
	r.group = stream_group_name(g);
	r.ms = g->last.ms;
	r.seq = g->last.seq;
	r.read = g->read;
	f->ranks = mem_realloc_array(f->ranks, g->number_count + 1u,
				     sizeof(f->ranks[0]));
	f->consumer = 0;
	f->phase = PHASE_CONSUMERS;
	return give(f, &r);
}

static size_t give_consumer(struct frozen_stream *f)
{
	const struct stream_group *g = group_of(f);
	const struct stream_consumer *c;
	struct record r = { .type = REC_stream_consumer_set };

	if (f->consumer == g->consumer_count) {
		stream_pending_seek(&f->pending, g, NULL,
				    (struct stream_id){ 0, 0 });
		f->phase = PHASE_PENDING;
		return 0;
	}
	c = g->consumers[f->consumer];
	f->ranks[c->number] = f->consumer++;
	r.group = stream_group_name(g);
	r.consumer = stream_consumer_name(c);
	r.seen_ms = c->seen_ms;
	r.active_ms = c->active_ms;
	return give(f, &r);
}

static size_t give_pending(struct frozen_stream *f)
{
	struct record r = { .type = REC_stream_pending_load };
	struct stream_pending previous = { .count = 0 };
	const struct stream_pending *p;

	f->run.size = 0;
	while (f->run.size < ITEMS_SIZE_MAX / 2 &&
	       (p = stream_pending_next(&f->pending)) != NULL) {
		uint8_t *at;

		if (p->consumer == STREAM_NOBODY)
			continue;
		pending_run_put(&f->run, &previous, p);
		at = buf_reserve(&f->run, VARINT_SIZE_MAX);
		at = put_varint(at, f->ranks[p->consumer]);
		f->run.size = (size_t)(at - f->run.data);
	}
	if (f->run.size == 0) {
		stream_pending_seek_released(&f->pending, group_of(f));
		f->phase = PHASE_RELEASED;
		return 0;
	}
	r.group = stream_group_name(group_of(f));
	r.value = buf_slice(&f->run);
	return give(f, &r);
}

static size_t give_released(struct frozen_stream *f)
{
	struct record r = { .type = REC_stream_release };
	struct stream_pending previous = { .count = 0 };
	const struct stream_pending *p;

	f->run.size = 0;
	while (f->run.size < ITEMS_SIZE_MAX / 2 &&
	       (p = stream_pending_next(&f->pending)) != NULL) {
		struct stream_pending free = { .id = p->id, .count = p->count };

		pending_run_put(&f->run, &previous, &free);
	}
	if (f->run.size == 0) {
		f->group++;
		f->phase = PHASE_GROUP;
		return 0;
	}
	r.group = stream_group_name(group_of(f));
	r.value = buf_slice(&f->run);
	return give(f, &r);
}

static size_t give_marks(struct frozen_stream *f)
{
	const struct stream_marks *m = f->s->marks;
	struct record r = { .type = REC_stream_marks };
	uint64_t over;

	f->phase = m ? PHASE_MARK : PHASE_DEADLINE;
	if (!m)
		return 0;
	over = stream_marks_seek(&f->marks, m, stream_marks_last_ms(m));
	r.duration_ms = m->duration_ms;
	r.limit = m->limit;
	r.added = m->added - (stream_marks_count(m) - over); /* count anew */
	r.duplicates = m->duplicates;
	return give(f, &r);
}

static size_t give_mark(struct frozen_stream *f)
{
	struct record r = { .type = REC_stream_mark };
	struct stream_mark mark;

	if (!stream_marks_next(&f->marks, &mark)) {
		f->phase = PHASE_DEADLINE;
		return 0;
	}
	r.producer = mark.producer;
	r.time_ms = mark.time_ms;
	r.ms = mark.id.ms;
	r.seq = mark.id.seq;
	r.value = mark.message;
	return give(f, &r);
}

static size_t give_deadline(struct frozen_stream *f)
{
	struct record r = {
		.type = REC_key_expire,
		.deadline = f->deadline_ms,
	};

	f->phase = PHASE_END;
	return f->deadline_ms ? give(f, &r) : 0;
}

/* Gives a record or goes on to the next phase; about how many bytes. (I1) */
static size_t give_next(struct frozen_stream *f)
{
	switch (f->phase) {
	case PHASE_META:
		return give_meta(f);
	case PHASE_BLOCKS:
		return give_block(f);
	case PHASE_GROUP:
		return give_group(f);
	case PHASE_CONSUMERS:
		return give_consumer(f);
	case PHASE_PENDING:
		return give_pending(f);
	case PHASE_RELEASED:
		return give_released(f);
	case PHASE_MARKS:
		return give_marks(f);
	case PHASE_MARK:
		return give_mark(f);
	case PHASE_DEADLINE:
		return give_deadline(f);
	case PHASE_END:
		break;
	}
	return 0;
}

static bool value_is_small(const struct entry *e)
{
	return stream_memory(stream_of(e)) <= SMALL_BYTES;
}

/* At the first record; the stream and the key are the entry's own. */
static struct frozen_stream begin(const struct entry *e, uint32_t db,
				  record_sink_fn *sink, void *ctx)
{
	return (struct frozen_stream){
		.s = stream_of(e),
		.sink = sink,
		.ctx = ctx,
		.key = entry_key(e),
		.deadline_ms = entry_deadline(e),
		.db = db,
	};
}

static void value_dump(const struct entry *e, uint32_t db,
		       record_sink_fn *sink, void *ctx)
{
	struct frozen_stream f = begin(e, db, sink, ctx);

	while (f.phase != PHASE_END)
		give_next(&f);
	mem_free(f.ranks);
	buf_release(&f.run);
}

static void *value_freeze(const struct entry *e, uint32_t db,
			  record_sink_fn *sink, void *ctx)
{
	struct frozen_stream *f = mem_alloc(sizeof(*f));
	uint8_t *copy;

	*f = begin(e, db, sink, ctx);
	copy = mem_alloc(f->key.size + 1);
	memcpy(copy, f->key.data, f->key.size);
	f->s = f->own = stream_copy_to_read(f->s); /* I2 */
	f->key.data = copy;
	return f;
}

static bool value_frozen_step(void *frozen, size_t size_max,
			      record_sink_fn *sink, void *ctx)
{
	struct frozen_stream *f = frozen;
	size_t size = 0;

	f->sink = sink;
	f->ctx = ctx;
	while (f->phase != PHASE_END && size < size_max)
		size += give_next(f);
	return f->phase != PHASE_END;
}

static void value_frozen_free(void *frozen)
{
	struct frozen_stream *f = frozen;

	stream_free(f->own);
	mem_free((void *)f->key.data);
	mem_free(f->ranks);
	buf_release(&f->run);
	mem_free(f);
}

static void value_configure(struct keyspace *ks, const struct config *config)
{
	ks->stream_limits = stream_limits_of(config->stream_node_bytes,
					     config->stream_node_entries);
}

static void value_check(const struct entry *e)
{
	stream_check(stream_of(e));
}

const struct value_ops value_stream = {
	.type_name = "stream",
	.encoding = value_encoding,
	.memory = value_memory,
	.digest = value_digest,
	.destroy = value_destroy,
	.copy = value_copy,
	.is_small = value_is_small,
	.dump = value_dump,
	.freeze = value_freeze,
	.frozen_step = value_frozen_step,
	.frozen_free = value_frozen_free,
	.configure = value_configure,
	.check = value_check,
};
