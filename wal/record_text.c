/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records as text, for people and tools.
 *
 * I1. The output is valid JSON in UTF-8 whatever the bytes were.
 * I2. \u00xx stands for a byte that was not printable text; well-formed UTF-8
 *     goes through as it is, so nothing else is written with \u.
 */
#include "wal/record.h"

#include <assert.h>
#include <math.h>

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: shortest form, no
 * surrogates, at most U+10FFFF), or 0. */
static size_t utf8_sequence(struct slice s)
{
	const uint8_t *p = s.data;
	size_t size, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (size > s.size)
		return 0;
	for (i = 1; i < size; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return size;
}

void json_put_string(struct buf *out, struct slice s, size_t size_max)
{
	size_t i = 0;

	if (s.size > size_max)
		s.size = size_max;
	buf_put_byte(out, '"');
	while (i < s.size) {
		uint8_t c = s.data[i];
		struct slice rest = { s.data + i, s.size - i };
		size_t size = utf8_sequence(rest);

		if (size == 0 || c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04x", c);
			i++;
			continue;
		}
		if (c == '"' || c == '\\')
			buf_put_byte(out, '\\');
		buf_put(out, s.data + i, size);
		i += size;
	}
	buf_put_byte(out, '"');
}

static void describe_bytes(struct buf *out, const char *name, struct slice s,
			   size_t value_max)
{
	buf_printf(out, ",\"%s\":", name);
	json_put_string(out, s, value_max);
	if (s.size > value_max)
		buf_printf(out, ",\"%s_size\":%zu", name, s.size);
}

void record_describe_items(struct buf *out, struct slice items, bool scored,
			   size_t value_max)
{
	struct reader in = reader_of(items);
	bool first = true;

	buf_put_str(out, ",\"items\":[");
	while (reader_left(&in) &&
	       (size_t)(in.at - items.data) <= value_max) {
		uint64_t bits = scored ? read_u64(&in) : 0;
		struct slice s = read_string(&in);
		double score;

		if (in.bad)
			break;
		memcpy(&score, &bits, sizeof(score));
		buf_put_str(out, first ? "" : ",");
		if (scored && isinf(score))
			buf_printf(out, "[\"%sinf\",", score < 0 ? "-" : "");
		else if (scored)
			buf_printf(out, "[%.17g,", score);
		json_put_string(out, s, value_max);
		buf_put_str(out, scored ? "]" : "");
		first = false;
	}
	buf_put_byte(out, ']');
	if (reader_left(&in) || in.bad)
		buf_printf(out, ",\"items_size\":%zu", items.size);
}

void record_describe_ids(struct buf *out, struct slice ids, size_t value_max)
{
	struct reader in = reader_of(ids);
	uint64_t ms = 0;
	bool first = true;

	buf_put_str(out, ",\"ids\":[");
	while (reader_left(&in) && (size_t)(in.at - ids.data) <= value_max) {
		uint64_t seq;

		ms += (uint64_t)unzigzag(read_varint(&in));
		seq = read_varint(&in);
		if (in.bad)
			break;
		buf_printf(out, "%s\"%llu-%llu\"", first ? "" : ",",
			   (unsigned long long)ms, (unsigned long long)seq);
		first = false;
	}
	buf_put_byte(out, ']');
	if (reader_left(&in) || in.bad)
		buf_printf(out, ",\"ids_size\":%zu", ids.size);
}

#define TEXT_ids(member) record_describe_ids(out, r->member, value_max);
#define TEXT_items(member) \
	record_describe_items(out, r->member, false, value_max);
#define TEXT_scored(member) \
	record_describe_items(out, r->member, true, value_max);
#define TEXT_bytes(member) describe_bytes(out, #member, r->member, value_max);
#define TEXT_number(member) \
	buf_printf(out, ",\"" #member "\":%llu", (unsigned long long)r->member);
#define TEXT_signed(member) \
	buf_printf(out, ",\"" #member "\":%lld", (long long)r->member);
#define TEXT_real(member) buf_printf(out, ",\"" #member "\":%.17g", r->member);
#define TEXT(kind, member) TEXT_##kind(member)

void record_describe(struct buf *out, const struct record *r, size_t value_max)
{
	const char *type = record_type_name(r->type);
	const char *cause = record_cause_name(r->cause);

	assert(type != NULL);
	assert(cause != NULL);
	buf_printf(out, "\"type\":\"%s\",\"db\":%u,\"cause\":\"%s\"", type,
		   r->db, cause);
	switch (r->type) {
#define X(name, tag, text) \
	case tag:          \
		REC_FIELDS_##name(TEXT) break;
		RECORD_TYPES(X)
#undef X
	}
}
