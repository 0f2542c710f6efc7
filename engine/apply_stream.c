/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of streams: entries.
 *
 * I1. A stream stays when its last entry goes; key_del removes it.
 * I2. Changes are made in place: the entry of the keyspace never moves.
 */
#include "engine/apply_stream.h"

#include <assert.h>

#include "engine/items.h"

static struct stream_id id_of(const struct record *rec)
{
	return (struct stream_id){ rec->ms, rec->seq };
}

static struct stream_id other_id_of(const struct record *rec)
{
	return (struct stream_id){ rec->other_ms, rec->other_seq };
}

struct stream *apply_stream_open(struct keyspace *ks, const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	assert(slot.entry != NULL);
	assert(entry_type(slot.entry) == VALUE_stream);
	return entry_pointer(slot.entry);
}

/* As above, but makes the stream. */
static struct stream *open_or_make(struct keyspace *ks,
				   const struct record *rec)
{
	struct key_slot slot =
		keyspace_slot(ks, rec->db, rec->key, rec->key_hash);

	if (!slot.entry)
		keyspace_put(ks, &slot,
			     entry_new_pointer(VALUE_stream, rec->key, 0,
					       stream_new()), 0);
	assert(entry_type(slot.entry) == VALUE_stream);
	return entry_pointer(slot.entry);
}

const char *fits_stream_key(const struct keyspace *ks,
			    const struct record *rec, bool may_lack,
			    const struct stream **s)
{
	const struct entry *e = keyspace_find(ks, rec->db, rec->key);

	*s = NULL;
	if (!e)
		return may_lack ? NULL : "the key is absent";
	if (entry_type(e) != VALUE_stream)
		return "the key holds no stream";
	*s = entry_pointer(e);
	return NULL;
}

const char *fits_stream_ids(struct slice ids)
{
	struct reader in = reader_of(ids);
	struct stream_id id = { 0, 0 };

	if (ids.size == 0)
		return "no IDs";
	while (reader_left(&in))
		id = stream_ids_read(&in, id);
	return in.bad ? "its IDs are cut off" : NULL;
}

void apply_stream_add(struct keyspace *ks, const struct record *rec)
{
	stream_add(open_or_make(ks, rec), id_of(rec), rec->value,
		   &ks->stream_limits);
}

const char *fits_stream_add(const struct keyspace *ks,
			    const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, true, &s);

	if (!reason)
		reason = items_fit(rec->value, 2);
	if (reason)
		return reason;
	if (rec->value.size > STREAM_ENTRY_SIZE_MAX)
		return "the entry is too big";
	if (!stream_id_below(s ? s->last : (struct stream_id){ 0, 0 },
			     id_of(rec)))
		return "the ID is not above the last one";
	return s && s->added == UINT64_MAX ? "too many entries" : NULL;
}

void apply_stream_del(struct keyspace *ks, const struct record *rec)
{
	struct stream *s = apply_stream_open(ks, rec);
	struct reader in = reader_of(rec->value);
	struct stream_id id = { 0, 0 };

	ks->result = 0;
	while (reader_left(&in)) {
		id = stream_ids_read(&in, id);
		if (!stream_delete(s, id))
			continue;
		if (stream_id_below(s->max_deleted, id))
			s->max_deleted = id;
		ks->result++;
	}
}

const char *fits_stream_del(const struct keyspace *ks,
			    const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	return reason ? reason : fits_stream_ids(rec->value);
}

void apply_stream_trim(struct keyspace *ks, const struct record *rec)
{
	ks->result = stream_trim(apply_stream_open(ks, rec), id_of(rec));
}

const char *fits_stream_trim(const struct keyspace *ks,
			     const struct record *rec)
{
	const struct stream *s;

	return fits_stream_key(ks, rec, false, &s);
}

void apply_stream_meta(struct keyspace *ks, const struct record *rec)
{
	struct stream *s = open_or_make(ks, rec);

	s->last = id_of(rec);
	s->added = rec->count;
	s->max_deleted = other_id_of(rec);
}

const char *fits_stream_meta(const struct keyspace *ks,
			     const struct record *rec)
{
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, true, &s);

	if (reason)
		return reason;
	if (s && stream_id_below(id_of(rec), stream_top(s)))
		return "the last ID is below an entry";
	if (stream_id_below(id_of(rec), other_id_of(rec)))
		return "the last ID is below one deleted";
	if (s && rec->count < stream_length(s))
		return "more entries than ever were added";
	return NULL;
}

static struct stream_packed packed_of(const struct record *rec)
{
	return (struct stream_packed){
		.first = id_of(rec),
		.last = other_id_of(rec),
		.count = (uint32_t)rec->count,
		.data = rec->value,
	};
}

void apply_stream_load(struct keyspace *ks, const struct record *rec)
{
	struct stream_packed packed = packed_of(rec);

	stream_load(apply_stream_open(ks, rec), &packed);
}

const char *fits_stream_load(const struct keyspace *ks,
			     const struct record *rec)
{
	struct stream_packed packed = packed_of(rec);
	const struct stream *s;
	const char *reason = fits_stream_key(ks, rec, false, &s);

	if (reason)
		return reason;
	if (rec->count > STREAM_BLOCK_ENTRIES_MAX)
		return "the block has another number of entries";
	if (stream_length(s) > 0 &&
	    !stream_id_below(stream_top(s), packed.first))
		return "the block is not behind the entries";
	if (stream_id_below(s->last, packed.last))
		return "the block is above the last ID";
	if (rec->count > s->added - stream_length(s))
		return "more entries than ever were added";
	return stream_packed_fits(&packed);
}
