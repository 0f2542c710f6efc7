/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Views of string values: chunked ones are frozen (their chunks are held, not
 * copied), others lie together anyway.
 */
#include "engine/string_view.h"

#include <assert.h>

void string_view_open(struct string_view *v, const struct entry *e)
{
	bool together;

	*v = (struct string_view){ 0 };
	if (!e)
		return;
	v->size = str_size(e);
	if (entry_encoding(e) == ENC_CHUNKS) {
		v->frozen = str_freeze(e);
		return;
	}
	together = str_whole(e, v->scratch, &v->whole);
	assert(together);
}

void string_view_hold(struct string_view *v)
{
	if (v->frozen || v->copy.data)
		return;
	buf_put_slice(&v->copy, v->whole);
	v->whole = buf_slice(&v->copy);
}

struct slice string_view_piece(const struct string_view *v, uint64_t offset,
			       bool *hole)
{
	*hole = false;
	if (offset >= v->size)
		return slice_of(NULL, 0);
	if (v->frozen)
		return str_frozen_piece(v->frozen, offset, hole);
	return slice_of(v->whole.data + offset, v->size - offset);
}

uint64_t string_view_stored(const struct string_view *v)
{
	uint64_t offset = 0, stored = 0;

	while (offset < v->size) {
		bool hole;
		struct slice piece = string_view_piece(v, offset, &hole);

		if (!hole)
			stored += piece.size;
		offset += piece.size;
	}
	return stored;
}

void string_view_close(struct string_view *v)
{
	if (v->frozen)
		str_frozen_release(v->frozen);
	v->frozen = NULL;
	buf_release(&v->copy);
}
