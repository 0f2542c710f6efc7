/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/zset_packed.h"

#include <assert.h>
#include <math.h>

enum score_form { SCORE_SMALL_MAX = 0xf0, SCORE_2, SCORE_4, SCORE_8 };

#define SCORE_SIZE_MAX 9

static uint8_t *put_score(uint8_t *p, double score)
{
	if (score != trunc(score) || fabs(score) > INT32_MAX ||
	    (score == 0 && signbit(score))) {
		*p++ = SCORE_8;
		memcpy(p, &score, sizeof(score));
		return p + sizeof(score);
	}
	if (score >= 0 && score <= SCORE_SMALL_MAX) {
		*p++ = (uint8_t)score;
		return p;
	}
	if (fabs(score) <= INT16_MAX) {
		*p++ = SCORE_2;
		return put_u16(p, (uint16_t)(int16_t)score);
	}
	*p++ = SCORE_4;
	return put_u32(p, (uint32_t)(int32_t)score);
}

static const uint8_t *next_score(const uint8_t *p, double *out)
{
	uint8_t form = *p++;

	switch (form) {
	case SCORE_2:
		*out = (int16_t)get_u16(p);
		return p + 2;
	case SCORE_4:
		*out = (int32_t)get_u32(p);
		return p + 4;
	case SCORE_8:
		memcpy(out, p, sizeof(*out));
		return p + sizeof(*out);
	default:
		*out = form;
		return p;
	}
}

const uint8_t *zset_packed_next(const uint8_t *p, struct zset_item *out)
{
	uint64_t size;
	int shift;

	p = next_score(p, &out->score);
	size = *p++;
	if (size >= 0x80) {
		size &= 0x7f;
		for (shift = 7; *p >= 0x80; shift += 7)
			size |= (uint64_t)(*p++ & 0x7f) << shift;
		size |= (uint64_t)*p++ << shift;
	}
	out->member = slice_of(p, size);
	return p + size;
}

struct zset_spot zset_packed_find(struct slice blob, struct slice member)
{
	const uint8_t *p = blob.data + ZSET_PACKED_HEAD;
	const uint8_t *end = blob.data + blob.size;
	struct zset_spot spot = { .found = false };

	for (; p < end; spot.rank++) {
		struct zset_item item;
		const uint8_t *next = zset_packed_next(p, &item);

		if (slice_equal(item.member, member)) {
			spot.found = true;
			spot.at = (size_t)(p - blob.data);
			spot.size = (size_t)(next - p);
			spot.score = item.score;
			return spot;
		}
		p = next;
	}
	return spot;
}

/* As zset_packed_rank, with the place's offset in the blob. */
static size_t find_place(struct slice blob, const struct zset_place *place,
			 size_t *at)
{
	const uint8_t *p = blob.data + ZSET_PACKED_HEAD;
	const uint8_t *end = blob.data + blob.size;
	size_t rank = 0;

	for (; p < end; rank++) {
		struct zset_item item;
		const uint8_t *next = zset_packed_next(p, &item);

		if (zset_place_order(place, zset_key(item.score),
				     item.member) <= 0)
			break;
		p = next;
	}
	*at = (size_t)(p - blob.data);
	return rank;
}

size_t zset_packed_rank(struct slice blob, const struct zset_place *place)
{
	size_t at;

	return find_place(blob, place, &at);
}

struct entry *zset_packed_new(struct slice key, uint64_t deadline_ms)
{
	uint8_t *bytes;
	struct entry *e = entry_new_blob(VALUE_zset, key, deadline_ms,
					 ZSET_PACKED_HEAD, &bytes);

	put_u16(bytes, 0);
	return e;
}

static uint8_t *put_item(uint8_t *p, const struct zset_item *item)
{
	p = put_varint(put_score(p, item->score), item->member.size);
	return put_bytes(p, item->member.data, item->member.size);
}

struct entry *zset_packed_of(struct slice key, const struct zset_item *items,
			     size_t count)
{
	uint8_t score[SCORE_SIZE_MAX], *p;
	size_t size = ZSET_PACKED_HEAD, i;
	struct entry *e;

	for (i = 0; i < count; i++)
		size += (size_t)(put_score(score, items[i].score) - score) +
			varint_size(items[i].member.size) +
			items[i].member.size;
	e = entry_new_blob(VALUE_zset, key, 0, size, &p);
	p = put_u16(p, (uint16_t)count);
	for (i = 0; i < count; i++)
		p = put_item(p, &items[i]);
	return e;
}

static void add_to_count(struct entry *e, int more)
{
	uint8_t *head = (uint8_t *)entry_blob(e).data;

	put_u16(head, (uint16_t)(get_u16(head) + more));
}

struct entry *zset_packed_put(struct entry *e, const struct zset_item *item,
			      const struct zset_spot *spot)
{
	struct zset_place place = { .key = zset_key(item->score),
				    .member = item->member };
	uint8_t score[SCORE_SIZE_MAX], *hole;
	size_t score_size = (size_t)(put_score(score, item->score) - score);
	size_t size = score_size + varint_size(item->member.size) +
		      item->member.size;
	size_t at;

	find_place(entry_blob(e), &place, &at);
	if (spot->found && (at == spot->at || at == spot->at + spot->size)) {
		e = entry_blob_splice(e, spot->at, spot->size, size, &hole);
	} else {
		if (spot->found) {
			e = entry_blob_splice(e, spot->at, spot->size, 0,
					      &hole);
			at -= at > spot->at ? spot->size : 0;
		}
		e = entry_blob_splice(e, at, 0, size, &hole);
	}
	hole = put_bytes(hole, score, score_size);
	hole = put_varint(hole, item->member.size);
	put_bytes(hole, item->member.data, item->member.size);
	if (!spot->found)
		add_to_count(e, 1);
	return e;
}

struct entry *zset_packed_take(struct entry *e, const struct zset_spot *spot)
{
	uint8_t *hole;

	assert(spot->found);
	e = entry_blob_splice(e, spot->at, spot->size, 0, &hole);
	add_to_count(e, -1);
	return e;
}

void zset_packed_check(struct slice blob)
{
	const uint8_t *p = blob.data + ZSET_PACKED_HEAD;
	const uint8_t *end = blob.data + blob.size;
	struct zset_item last = { 0 }, item;
	size_t count = 0;

	assert(blob.size >= ZSET_PACKED_HEAD);
	for (; p < end; count++) {
		struct zset_place place;

		p = zset_packed_next(p, &item);
		place = (struct zset_place){ .key = zset_key(item.score),
					     .member = item.member };
		if (count > 0)
			assert(zset_place_order(&place, zset_key(last.score),
						last.member) > 0);
		last = item;
	}
	assert(p == end);
	assert(count == zset_packed_count(blob));
}
