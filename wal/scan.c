/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walking groups.
 *
 * A group is valid if and only if all of its frames are: each header for its
 * place, each content, LSNs without a gap, parts of a batch in one piece, and
 * the last frame ends the group.  A seal must agree with what stood before it.
 *
 * I1. Bytes are hostile: nothing is asserted about them, every offset is
 *     checked against the size of the file.
 * I2. A group that is bad is looked at once: a search goes on behind the
 *     frames of it that were read, so a walk is linear in the file.
 * I3. The state moves only behind a group that is valid as a whole.
 */
#include "wal/scan.h"

#include <assert.h>

#include "base/coding.h"

#define SEAL_PIECE ((size_t)64 << 10)

static uint64_t round_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

void scan_start(struct scan *s, struct window *w,
		const struct segment_identity *i, const struct segment_use *use)
{
	assert(i->align >= SEGMENT_ALIGN_MIN);
	assert((i->align & (i->align - 1)) == 0);
	*s = (struct scan){
		.window = w,
		.seed = { store_content_seed(&i->store), i->salt },
		.align = i->align,
		.chain_known = true,
		.offset = 2 * (uint64_t)i->align,
		.next_lsn = use->first_lsn,
		.epoch = use->epoch,
		.chain = chain_start(use->chain, use->sequence, use->first_lsn),
	};
}

static bool all_zero(const uint8_t *p, size_t size)
{
	return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

/* No valid header where a group could start: nothing there, or rubbish? A
 * frame of an earlier life of the file counts as nothing. */
static int no_group(struct scan *s, struct group *out)
{
	const uint8_t *p;
	uint32_t length;
	int64_t n = window_at(s->window, s->offset, s->align, &p);

	if (n < 0)
		return (int)n;
	out->bad_offset = s->offset;
	out->bad_size = (uint64_t)n;
	out->end = s->offset + s->align;
	out->what = "no valid frame header";
	if (n < FRAME_HEADER_SIZE || all_zero(p, (size_t)n) ||
	    frame_length(p, &length))
		return GROUP_EMPTY;
	return GROUP_BAD;
}

/* The rules for a header behind those before it; NULL if it keeps them. */
static const char *header_fault(const struct frame_walk *k,
				const struct frame_header *h)
{
	bool before = h->flags & FRAME_CONT_BEFORE;

	if (h->flags & (FRAME_SNAPSHOT | FRAME_FOOTER | FRAME_ZSTD))
		return "a frame of a snapshot";
	if (h->first_lsn != k->next_lsn)
		return "LSN out of order";
	if (h->first_lsn + h->count < h->first_lsn)
		return "LSN out of range";
	if (h->epoch < k->epoch)
		return "epoch out of order";
	if (h->durable_lsn >= h->first_lsn)
		return "durable LSN ahead of the log";
	if (before != k->open)
		return "a part of a batch is missing";
	if ((h->flags & FRAME_CONT_AFTER) && (h->flags & FRAME_GROUP_END))
		return "a batch is cut off";
	if ((h->flags & (FRAME_MARK | FRAME_SEAL)) &&
	    (h->count != 0 || !(h->flags & FRAME_GROUP_END)))
		return "a mark or seal with records";
	return NULL;
}

/* The rules for a seal, whose frame is valid. */
static const char *seal_fault(const struct scan *s, struct slice content,
			      struct segment_seal *seal)
{
	if (!seal_decode(content, seal))
		return "a seal that cannot be read";
	if (seal->last_lsn != s->next_lsn - 1)
		return "the seal names another last LSN";
	if (s->chain_known && seal->chain != s->chain)
		return "the seal does not fit the groups before it";
	if (s->chain_known && seal->record_count != s->record_count)
		return "the seal counts other records";
	return NULL;
}

int frame_judge(struct window *w, const struct frame_seed *seed,
		const struct frame_walk *k, struct frame_found *out)
{
	const uint8_t *p;
	int64_t n = window_at(w, k->at, FRAME_HEADER_SIZE, &p);

	*out = (struct frame_found){ .size = FRAME_HEADER_SIZE,
				     .what = "no valid frame header" };
	if (n < 0)
		return (int)n;
	if (n < FRAME_HEADER_SIZE || !frame_decode(p, seed, k->at, &out->h))
		return 0;
	out->header_valid = true;
	out->size = FRAME_HEADER_SIZE + out->h.length;
	n = window_at(w, k->at, out->size, &p);
	if (n < 0)
		return (int)n;
	out->what = "frame behind the file's end";
	if ((uint64_t)n < out->size)
		return 0;
	out->content = slice_of(p + FRAME_HEADER_SIZE, out->h.length);
	out->what = header_fault(k, &out->h);
	if (out->what == NULL &&
	    frame_content_check(out->content, seed) != out->h.content_check)
		out->what = "content check fails";
	return out->what == NULL;
}

void frame_pass(struct frame_walk *k, const struct frame_header *h)
{
	k->chain = chain_frame(k->chain, h);
	k->next_lsn += h->count;
	k->epoch = h->epoch;
	k->open = h->flags & FRAME_CONT_AFTER;
	k->at += FRAME_HEADER_SIZE + h->length;
}

static int bad(struct group *out, const struct frame_walk *k, uint64_t size,
	       const char *what)
{
	out->bad_offset = k->at;
	out->bad_size = size;
	out->end = k->at + 1; /* a search rounds it up (I2) */
	out->what = what;
	return GROUP_BAD;
}

/* Judges the frame at k->at. GROUP_VALID and *h, or GROUP_BAD. */
static int walk_frame(struct scan *s, struct frame_walk *k, struct group *out,
		      struct frame_header *h)
{
	struct frame_found f;
	int err = frame_judge(s->window, &s->seed, k, &f);

	if (err < 0)
		return err;
	*h = f.h;
	if (err > 0 && (h->flags & FRAME_SEAL))
		f.what = seal_fault(s, f.content, &out->seal);
	if (f.what != NULL)
		return bad(out, k, f.size, f.what);
	frame_pass(k, h);
	if (h->durable_lsn > out->durable_lsn)
		out->durable_lsn = h->durable_lsn;
	if (!(h->flags & (FRAME_MARK | FRAME_SEAL)))
		out->payload_size += h->length;
	return GROUP_VALID;
}

int scan_group(struct scan *s, struct group *out)
{
	struct frame_walk k = { .at = s->offset,
				.next_lsn = s->next_lsn,
				.chain = s->chain,
				.epoch = s->epoch };
	struct frame_header h;
	const uint8_t *p;
	int64_t n;
	int kind;

	assert(s->offset % s->align == 0);
	*out = (struct group){ .offset = s->offset,
			       .first_lsn = s->next_lsn,
			       .last_lsn = s->next_lsn - 1,
			       .bad_offset = s->offset };
	n = window_at(s->window, s->offset, FRAME_HEADER_SIZE, &p);
	if (n < 0)
		return (int)n;
	if (n < FRAME_HEADER_SIZE || !frame_decode(p, &s->seed, k.at, &h))
		return no_group(s, out);
	do {
		kind = walk_frame(s, &k, out, &h);
		if (kind != GROUP_VALID)
			return kind;
		if ((h.flags & FRAME_SEAL) &&
		    k.at != s->offset + FRAME_HEADER_SIZE + SEAL_SIZE)
			return bad(out, &k, 0, "a seal inside a group");
	} while (!(h.flags & FRAME_GROUP_END));
	out->last_lsn = k.next_lsn - 1;
	out->end = round_up(k.at, s->align);
	s->record_count += k.next_lsn - s->next_lsn;
	s->offset = out->end; /* I3 */
	s->next_lsn = k.next_lsn;
	s->chain = k.chain;
	s->epoch = k.epoch;
	return h.flags & FRAME_SEAL ? GROUP_SEAL : GROUP_VALID;
}

int scan_search(struct scan *s, uint64_t from, uint64_t *at,
		struct frame_header *h)
{
	uint64_t offset;

	for (offset = round_up(from, s->align);
	     offset + FRAME_HEADER_SIZE <= s->window->size;
	     offset += s->align) {
		const uint8_t *p;
		int64_t n = window_at(s->window, offset, FRAME_HEADER_SIZE, &p);

		if (n < 0)
			return (int)n;
		if (n < FRAME_HEADER_SIZE)
			return 0;
		if (get_u32(p) == 0 || !frame_decode(p, &s->seed, offset, h))
			continue;
		*at = offset;
		return 1;
	}
	return 0;
}

/* Whether a whole seal stands at offset: 1, 0 or a negative errno. */
static int seal_at(struct scan *s, uint64_t offset, struct segment_seal *seal,
		   struct frame_header *h)
{
	size_t size = FRAME_HEADER_SIZE + SEAL_SIZE;
	struct slice content;
	const uint8_t *p;
	int64_t n = window_at(s->window, offset, size, &p);

	if (n < 0)
		return (int)n;
	if (n < (int64_t)size || !frame_decode(p, &s->seed, offset, h) ||
	    !(h->flags & FRAME_SEAL) || h->length != SEAL_SIZE)
		return 0;
	content = slice_of(p + FRAME_HEADER_SIZE, SEAL_SIZE);
	return frame_content_check(content, &s->seed) == h->content_check &&
	       seal_decode(content, seal);
}

int scan_seal(struct scan *s, uint64_t *at, struct segment_seal *seal,
	      struct frame_header *h)
{
	uint64_t lowest = 2 * (uint64_t)s->align;
	uint64_t end = s->window->size - s->window->size % s->align;

	/* Backwards in pieces, forwards within one: it is read in one go. */
	while (end > lowest) {
		uint64_t piece = end - lowest < SEAL_PIECE ? end - lowest
							   : SEAL_PIECE;
		uint64_t offset, found = 0;
		int err;

		for (offset = end - piece; offset < end; offset += s->align) {
			err = seal_at(s, offset, seal, h);
			if (err < 0)
				return err;
			if (err > 0)
				found = offset;
		}
		if (found != 0) {
			*at = found;
			err = seal_at(s, found, seal, h);
			return err;
		}
		end -= piece;
	}
	return 0;
}
