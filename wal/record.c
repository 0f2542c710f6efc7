/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The codec of records: what wal/record_list.h says, expanded to straight
 * code, one case per record.
 *
 *   record := tag [db] cause field…
 *     tag    byte    enum record_type; top bit: db follows
 *     db     varint  only if it differs from that of the record before
 *     cause  byte    enum record_cause
 *
 * I1. A value has one encoding: varints are shortest, db is there only if it
 *     differs, unknown tags and causes are refused.  So equal records have
 *     equal bytes and content checks compare them.
 * I2. Decoding never reads outside the reader and allocates nothing.
 * I3. record_encode reserves once: RECORD_OVERHEAD_MAX and the slices.
 */
#include "wal/record.h"

#include <assert.h>

#define TAG_DB_FOLLOWS 0x80

/* The most a record without its slices can take: tag, db, cause, and nine
 * fields of a varint each. */
_Static_assert(1 + 4 + 1 + 9 * VARINT_SIZE_MAX <= RECORD_OVERHEAD_MAX,
	       "one reservation covers any record");

#define X(name, tag, text) \
	_Static_assert(tag > 0 && tag <= RECORD_TAG_MAX, "tag in a byte");
RECORD_TYPES(X)
#undef X

/* What the slices of a record take. */
#define SIZE_bytes(member) +r->member.size
#define SIZE_number(member) +0
#define SIZE_signed(member) +0
#define SIZE_real(member) +0
#define SIZE_items(member) SIZE_bytes(member)
#define SIZE_scored(member) SIZE_bytes(member)
#define SIZE_ids(member) SIZE_bytes(member)
#define SIZE(kind, member) SIZE_##kind(member)

#define PUT_bytes(member)                  \
	p = put_varint(p, r->member.size); \
	p = put_bytes(p, r->member.data, r->member.size);
#define PUT_number(member) p = put_varint(p, r->member);
#define PUT_signed(member) p = put_varint(p, zigzag(r->member));
#define PUT_real(member) p = put_bytes(p, &r->member, 8);
#define PUT_items(member) PUT_bytes(member)
#define PUT_scored(member) PUT_bytes(member)
#define PUT_ids(member) PUT_bytes(member)
#define PUT(kind, member) PUT_##kind(member)

#define GET_bytes(member) r->member = read_string(in);
#define GET_number(member) r->member = read_varint(in);
#define GET_signed(member) r->member = unzigzag(read_varint(in));
#define GET_real(member)                                      \
	{                                                     \
		uint64_t bits = read_u64(in);                 \
		memcpy(&r->member, &bits, sizeof(r->member)); \
	}
#define GET_items(member) GET_bytes(member)
#define GET_scored(member) GET_bytes(member)
#define GET_ids(member) GET_bytes(member)
#define GET(kind, member) GET_##kind(member)

static inline uint8_t *put_head(uint8_t *p, const struct record *r,
				uint32_t previous_db)
{
	if (__builtin_expect(r->db == previous_db, 1)) {
		*p++ = r->type;
	} else {
		*p++ = r->type | TAG_DB_FOLLOWS;
		p = put_varint(p, r->db);
	}
	*p++ = r->cause;
	return p;
}

void record_encode(struct buf *out, const struct record *r,
		   uint32_t previous_db)
{
	uint8_t *p = NULL;

	assert(r->db <= RECORD_DB_MAX);
	switch (r->type) {
#define X(name, tag, text)                                                    \
	case tag:                                                             \
		p = buf_reserve(out,                                          \
				RECORD_OVERHEAD_MAX REC_FIELDS_##name(SIZE)); \
		p = put_head(p, r, previous_db);                              \
		REC_FIELDS_##name(PUT) break;
		RECORD_TYPES(X)
#undef X
	}
	assert(p != NULL); /* a type of the list */
	out->size = (size_t)(p - out->data);
}

static bool cause_exists(uint8_t cause)
{
	switch (cause) {
#define X(name, number) case number:
		RECORD_CAUSES(X)
#undef X
		return true;
	}
	return false;
}

/* Reads tag, db and cause. */
static void read_head(struct reader *in, struct record *r, uint32_t previous_db)
{
	uint8_t tag = read_byte(in);

	r->db = previous_db;
	if (tag & TAG_DB_FOLLOWS) {
		uint64_t db = read_varint(in);

		if (db > RECORD_DB_MAX || db == previous_db)
			reader_fail(in);
		else
			r->db = (uint32_t)db;
	}
	r->type = tag & RECORD_TAG_MAX;
	r->cause = read_byte(in);
	if (!cause_exists(r->cause))
		reader_fail(in);
}

bool record_decode(struct reader *in, struct record *r, uint32_t previous_db)
{
	*r = (struct record){ 0 };
	read_head(in, r, previous_db);
	switch (r->type) {
#define X(name, tag, text) \
	case tag:          \
		REC_FIELDS_##name(GET) break;
		RECORD_TYPES(X)
#undef X
	default:
		reader_fail(in);
	}
	if (r->other_db > RECORD_DB_MAX)
		reader_fail(in);
	return !in->bad;
}

const char *record_type_name(unsigned type)
{
	switch (type) {
#define X(name, tag, text) \
	case tag:          \
		return #name;
		RECORD_TYPES(X)
#undef X
	}
	return NULL;
}

const char *record_cause_name(unsigned cause)
{
	switch (cause) {
#define X(name, number) \
	case number:    \
		return #name;
		RECORD_CAUSES(X)
#undef X
	}
	return NULL;
}

bool record_is_barrier(unsigned type)
{
	switch (type) {
#define X(name) case REC_##name:
		RECORD_BARRIERS(X)
#undef X
		return true;
	}
	return false;
}
