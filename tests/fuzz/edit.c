/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/edit.h"

#include <stdlib.h>

#include "base/checksum.h"
#include "snapshot/layout.h"
#include "wal/frame.h"

enum edit_kind {
	EDIT_BYTES,   /* some bytes; checks fail */
	EDIT_FIELD,   /* one field; checks hold */
	EDIT_CONTENT, /* a frame's content; checks hold */
	EDIT_CHAIN,   /* seal or footer made to fit what is before it */
	EDIT_ZEROS,
	EDIT_CUT,
	EDIT_COPY_FILE,
	EDIT_REMOVE,
	EDIT_MOVE,    /* bytes of another place */
	EDIT_FIX,     /* the checks of what stands there */
	EDIT_SPLIT,   /* a batch goes on in a second frame; checks hold */
	EDIT_KINDS,
};

#define EDITS_MAX 24
#define MOVE_MAX 8192
#define FRAMES_MAX 200
#define BLOCK 4096u
#define SNAPSHOT_SALT_AT 56

struct field {
	uint16_t offset;
	uint16_t size;
};

static const struct field identity_fields[] = {
	{ 4, 4 }, { 8, 8 }, { 24, 8 }, { 40, 8 }, { 48, 8 }, { 56, 8 },
	{ 64, 4 }, { 68, 1 },
};
static const struct field use_fields[] = {
	{ 0, 4 }, { 4, 4 }, { 8, 8 }, { 16, 8 }, { 24, 8 }, { 32, 8 },
	{ 40, 8 }, { 48, 4 }, { 52, 4 }, { 56, 1 }, { 96, 4 }, { 100, 8 },
	{ 108, 4 }, { 112, 8 },
};
/* The header, then what seals and footers have as content. */
static const struct field frame_fields[] = {
	{ 4, 4 }, { 8, 2 }, { 10, 2 }, { 16, 8 }, { 24, 4 }, { 28, 4 },
	{ 32, 8 }, { 40, 8 }, { 48, 8 }, { 56, 4 }, { 64, 8 }, { 72, 8 },
	{ 80, 8 }, { 88, 8 }, { 96, 8 }, { 104, 8 }, { 112, 8 }, { 120, 8 },
};
static const struct field snapshot_fields[] = {
	{ 8, 4 }, { 12, 4 }, { 24, 8 }, { 40, 8 }, { 56, 8 }, { 64, 8 },
	{ 72, 8 }, { 80, 4 }, { 84, 4 }, { 88, 4 }, { 92, 4 }, { 96, 4 },
	{ 100, 8 }, { 108, 4 }, { 112, 8 }, { 120, 8 }, { 128, 4 },
};

static const struct {
	const struct field *fields;
	size_t count;
} fields_of[] = {
	[PLACE_IDENTITY] = { identity_fields, ARRAY_LEN(identity_fields) },
	[PLACE_USE] = { use_fields, ARRAY_LEN(use_fields) },
	[PLACE_FRAME] = { frame_fields, ARRAY_LEN(frame_fields) },
	[PLACE_SNAPSHOT] = { snapshot_fields, ARRAY_LEN(snapshot_fields) },
};

/* Whether size bytes are there. */
static bool peek(struct sim *s, const char *path, uint64_t offset, void *to,
		 size_t size)
{
	return sim_peek(s, path, offset, to, size) == (int64_t)size;
}

static bool is_snapshot(const uint8_t *head)
{
	return memcmp(head, "RDsnapsh", 8) == 0;
}

static uint64_t file_salt(struct sim *s, const char *path)
{
	uint8_t head[SNAPSHOT_HEADER_FIXED];

	if (!peek(s, path, 0, head, sizeof(head)))
		return 0;
	return get_u64(head + (is_snapshot(head) ? SNAPSHOT_SALT_AT : 48));
}

/* --- checks ------------------------------------------------------------ */

void edit_fix_identity(struct sim *s, const char *path)
{
	uint8_t b[IDENTITY_SIZE];

	if (!peek(s, path, 0, b, sizeof(b)))
		return;
	put_u32(b + 92, crc32c(0, b, 92));
	sim_poke(s, path, 0, b, sizeof(b));
}

static void fix_use(struct sim *s, const char *path, uint64_t offset)
{
	uint8_t b[USE_SIZE], salt[8];
	uint32_t crc;

	if (!peek(s, path, offset, b, sizeof(b)))
		return;
	put_u64(salt, file_salt(s, path));
	crc = crc32c(crc32c(0, salt, sizeof(salt)), b, 92);
	put_u32(b + 92, crc32c(crc, b + 96, sizeof(b) - 96));
	sim_poke(s, path, offset, b, sizeof(b));
}

static void fix_snapshot(struct sim *s, const char *path)
{
	static uint8_t b[64 << 10];
	int64_t got = sim_peek(s, path, 0, b, sizeof(b));
	uint32_t size;

	if (got < SNAPSHOT_HEADER_FIXED)
		return;
	put_u32(b + 16, crc32c(0, b, 16));
	size = get_u32(b + 12);
	if (size > SNAPSHOT_PREFIX_SIZE && size <= (uint64_t)got)
		put_u32(b + 20, crc32c(0, b + SNAPSHOT_PREFIX_SIZE,
				       size - SNAPSHOT_PREFIX_SIZE));
	sim_poke(s, path, 0, b, SNAPSHOT_PREFIX_SIZE);
}

/* Also of a length or flags that the writer would not write. content: the
 * content's check too. */
static void fix_frame(const struct edit_target *t, struct sim *s,
		      const char *path, uint64_t offset, bool content)
{
	static uint8_t bytes[FRAME_CONTENT_MAX];
	struct frame_seed seed = { store_content_seed(&t->store), 0 };
	uint8_t h[FRAME_HEADER_SIZE], place[16];
	int64_t got;

	if (!peek(s, path, offset, h, sizeof(h)))
		return;
	if (content) {
		got = sim_peek(s, path, offset + sizeof(h), bytes,
			       get_u32(h + 4) & (FRAME_CONTENT_MAX - 1));
		put_u64(h + 40, frame_content_check(
				slice_of(bytes, got > 0 ? (size_t)got : 0),
				&seed));
	}
	put_u32(h + 12, crc32c(0, h, 12));
	put_u64(put_u64(place, file_salt(s, path)), offset);
	put_u32(h + 60, crc32c(crc32c(0, place, sizeof(place)), h, 60));
	sim_poke(s, path, offset, h, sizeof(h));
}

static void fix(const struct edit_target *t, struct sim *s,
		const struct edit_place *at, bool content)
{
	const char *path = t->paths[at->path];

	switch (at->kind) {
	case PLACE_IDENTITY:
		edit_fix_identity(s, path);
		break;
	case PLACE_USE:
		fix_use(s, path, at->offset);
		break;
	case PLACE_FRAME:
		fix_frame(t, s, path, at->offset, content);
		break;
	case PLACE_SNAPSHOT:
		fix_snapshot(s, path);
		break;
	}
}

void edit_put_content(const struct edit_target *t, struct sim *s,
		      const struct edit_place *at, struct slice content,
		      uint64_t raw_length)
{
	const char *path = t->paths[at->path];
	uint8_t number[8];

	put_u32(number, (uint32_t)content.size);
	sim_poke(s, path, at->offset + 4, number, 4);
	put_u64(number, raw_length ? raw_length : content.size);
	sim_poke(s, path, at->offset + 48, number, 8);
	sim_poke(s, path, at->offset + FRAME_HEADER_SIZE, content.data,
		 content.size);
	fix(t, s, at, true);
}

/* --- chains ------------------------------------------------------------ */

/* A number in a frame's content; checks follow. */
static void put_number(struct sim *s, const char *path, uint64_t offset,
		       uint64_t value)
{
	uint8_t bytes[8];

	put_u64(bytes, value);
	sim_poke(s, path, offset, bytes, sizeof(bytes));
}

/* The header at offset, if its checks hold. */
static bool frame_at(const struct edit_target *t, struct sim *s,
		     const char *path, uint64_t offset, struct frame_header *h)
{
	struct frame_seed seed = { store_content_seed(&t->store),
				   file_salt(s, path) };
	uint8_t raw[FRAME_HEADER_SIZE];

	return peek(s, path, offset, raw, sizeof(raw)) &&
	       frame_decode(raw, &seed, offset, h);
}

static uint64_t behind(uint64_t offset, const struct frame_header *h)
{
	offset += FRAME_HEADER_SIZE + (uint64_t)h->length;
	if (h->flags & FRAME_GROUP_END)
		offset = (offset + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	return offset;
}

/* The use block of the file that follows: with what it says of LSNs, none of
 * them behind its first. */
static void chain_next(const struct edit_target *t, struct sim *s,
		       unsigned path, uint64_t chain, uint64_t first_lsn)
{
	const char *next = t->paths[path];
	struct segment_use use;
	uint8_t b[USE_SIZE];
	uint32_t i;

	if (!peek(s, next, BLOCK, b, sizeof(b)) ||
	    use_decode(b, file_salt(s, next), &use) != OK || !first_lsn)
		return;
	use.chain = chain;
	use.first_lsn = first_lsn;
	if (use.durable_lsn >= first_lsn)
		use.durable_lsn = first_lsn - 1;
	for (i = 0; i < use.history.count; i++)
		if (use.history.at[i].first_lsn > first_lsn)
			use.history.at[i].first_lsn = first_lsn;
	use_encode(b, &use, file_salt(s, next));
	sim_poke(s, next, BLOCK, b, sizeof(b));
}

/* The seal of a segment, and the use block behind it. */
static void chain_segment(const struct edit_target *t, struct sim *s,
			  unsigned path)
{
	uint64_t at = 2 * BLOCK, chain, first, lsn;
	const char *name = t->paths[path];
	struct segment_use use;
	struct frame_header h;
	uint8_t b[USE_SIZE];
	int i;

	if (!peek(s, name, BLOCK, b, sizeof(b)) ||
	    use_decode(b, file_salt(s, name), &use) != OK)
		return;
	chain = chain_start(use.chain, use.sequence, use.first_lsn);
	first = lsn = use.first_lsn;
	for (i = 0; i < FRAMES_MAX && frame_at(t, s, name, at, &h); i++) {
		if (h.flags & FRAME_SEAL) {
			put_number(s, name, at + 64, lsn - first);
			put_number(s, name, at + 72, lsn - 1);
			put_number(s, name, at + 80, chain);
			fix_frame(t, s, name, at, true);
			frame_at(t, s, name, at, &h);
			if (path + 1 < t->path_count)
				chain_next(t, s, path + 1,
					   chain_frame(chain, &h), lsn);
			return;
		}
		chain = chain_frame(chain, &h);
		lsn += h.count;
		at = behind(at, &h);
	}
}

/* Of a snapshot whose frames end at `at`. */
static uint64_t footer_offset(uint64_t at)
{
	at = (at + SNAPSHOT_FOOTER_SIZE + BLOCK - 1) & ~(uint64_t)(BLOCK - 1);
	return at - SNAPSHOT_FOOTER_SIZE;
}

/* The footer of a snapshot. */
static void chain_snapshot(const struct edit_target *t, struct sim *s,
			   unsigned path)
{
	uint64_t at, chain, records = 0, raw = 0, frames = 0;
	const char *name = t->paths[path];
	uint8_t head[SNAPSHOT_HEADER_FIXED];
	struct frame_header h;

	if (!peek(s, name, 0, head, sizeof(head)))
		return;
	chain = snapshot_chain_start(slice_of(head, sizeof(head)));
	at = get_u32(head + 12);
	while (frames < FRAMES_MAX && frame_at(t, s, name, at, &h) &&
	       !(h.flags & FRAME_FOOTER)) {
		chain = chain_frame(chain, &h);
		records += h.count;
		raw += h.raw_length;
		frames++;
		at = behind(at, &h);
	}
	put_u64(head, at); /* where frames end */
	at = footer_offset(at);
	if (!frame_at(t, s, name, at, &h) || !(h.flags & FRAME_FOOTER))
		return;
	put_number(s, name, at + 64, records);
	put_number(s, name, at + 72, raw);
	put_number(s, name, at + 80, chain);
	put_number(s, name, at + 104, get_u64(head));
	put_number(s, name, at + 112, frames);
	fix_frame(t, s, name, at, true);
}

void edit_chain(const struct edit_target *t, struct sim *s, unsigned path)
{
	uint8_t head[8];

	if (!peek(s, t->paths[path], 0, head, sizeof(head)))
		return;
	if (is_snapshot(head))
		chain_snapshot(t, s, path);
	else
		chain_segment(t, s, path);
}

/* --- edits ------------------------------------------------------------- */

static void edit_field(const struct edit_target *t, struct sim *s,
		       const struct edit_place *at, struct reader *in)
{
	const struct field *f = &fields_of[at->kind].fields[
		read_byte(in) % fields_of[at->kind].count];
	const char *path = t->paths[at->path];
	uint64_t value, how = read_byte(in);
	uint8_t bytes[8] = { 0 };

	if (!peek(s, path, at->offset + f->offset, bytes, f->size))
		return;
	value = read_varint(in);
	if (how % 4 == 1)
		value = get_u64(bytes) + value;
	else if (how % 4 == 2)
		value = get_u64(bytes) - value;
	else if (how % 4 == 3)
		value = get_u64(bytes) ^ value;
	put_u64(bytes, value);
	sim_poke(s, path, at->offset + f->offset, bytes, f->size);
	fix(t, s, at, f->offset != 40);
}

static void edit_move(const struct edit_target *t, struct sim *s,
		      const struct edit_place *at, struct reader *in)
{
	const struct edit_place *from =
		&t->places[read_byte(in) % t->place_count];
	static uint8_t bytes[MOVE_MAX];
	size_t size = (size_t)read_varint(in) % MOVE_MAX;
	int64_t got = sim_peek(s, t->paths[from->path], from->offset, bytes,
			       size);

	if (got > 0)
		sim_poke(s, t->paths[at->path], at->offset, bytes,
			 (size_t)got);
}

/* A part of the content moves into a frame of its own, if that has room. */
static void edit_split(const struct edit_target *t, struct sim *s,
		       const struct edit_place *at, struct reader *in)
{
	static uint8_t content[FRAME_CONTENT_MAX];
	uint64_t front = read_byte(in), second;
	const char *path = t->paths[at->path];
	uint8_t raw[FRAME_HEADER_SIZE];
	struct frame_header h;

	if (at->kind != PLACE_FRAME ||
	    !frame_at(t, s, path, at->offset, &h) || front > h.length ||
	    !(h.flags & FRAME_GROUP_END) || (h.flags & FRAME_SEAL) ||
	    (at->offset + 2 * sizeof(raw) + h.length - 1) / BLOCK !=
		    at->offset / BLOCK)
		return;
	peek(s, path, at->offset, raw, sizeof(raw));
	peek(s, path, at->offset + sizeof(raw), content, h.length);
	second = at->offset + sizeof(raw) + front;
	put_u32(raw + 4, (uint32_t)(h.length - front));
	put_u16(raw + 8, h.flags | FRAME_CONT_BEFORE);
	put_u64(raw + 48, h.length - front);
	sim_poke(s, path, second, raw, sizeof(raw));
	sim_poke(s, path, second + sizeof(raw), content + front,
		 h.length - front);
	fix_frame(t, s, path, second, true);
	put_u32(raw + 4, (uint32_t)front);
	put_u16(raw + 8, (h.flags & ~FRAME_GROUP_END) | FRAME_CONT_AFTER);
	put_u32(raw + 24, 0);
	put_u64(raw + 48, front);
	sim_poke(s, path, at->offset, raw, sizeof(raw));
	fix_frame(t, s, path, at->offset, true);
}

/* Edits that leave the checks as they are. */
static void edit_raw(const struct edit_target *t, struct sim *s,
		     const struct edit_place *at, enum edit_kind kind,
		     struct reader *in)
{
	const char *path = t->paths[at->path];
	const char *other = t->paths[read_byte(in) % t->path_count];
	uint64_t offset = at->offset + read_varint(in) % (2 * BLOCK);
	struct slice bytes;

	switch (kind) {
	case EDIT_BYTES:
		bytes = read_bytes(in, read_byte(in) & 63);
		if (bytes.size)
			sim_poke(s, path, offset, bytes.data, bytes.size);
		break;
	case EDIT_ZEROS:
		sim_poke(s, path, offset, NULL, BLOCK);
		break;
	case EDIT_CUT:
		sim_cut(s, path, offset);
		break;
	case EDIT_COPY_FILE:
		if (other != path)
			sim_copy_file(s, path, other);
		break;
	case EDIT_REMOVE:
		sim_remove(s, path);
		break;
	default:
		abort();
	}
}

static void edit_one(const struct edit_target *t, struct sim *s,
		     struct reader *in)
{
	unsigned kind = read_byte(in) % EDIT_KINDS;
	const struct edit_place *at =
		&t->places[read_byte(in) % t->place_count];

	if (in->bad || !sim_exists(s, t->paths[at->path]))
		return;
	switch ((enum edit_kind)kind) {
	case EDIT_FIELD:
		edit_field(t, s, at, in);
		break;
	case EDIT_CONTENT:
		if (at->kind == PLACE_FRAME)
			edit_put_content(t, s, at,
					 read_bytes(in, read_byte(in)), 0);
		break;
	case EDIT_CHAIN:
		edit_chain(t, s, at->path);
		break;
	case EDIT_MOVE:
		edit_move(t, s, at, in);
		break;
	case EDIT_FIX:
		fix(t, s, at, true);
		break;
	case EDIT_SPLIT:
		edit_split(t, s, at, in);
		break;
	default:
		edit_raw(t, s, at, (enum edit_kind)kind, in);
	}
}

void edit_apply(const struct edit_target *t, struct sim *s, struct reader *in)
{
	int i;

	for (i = 0; i < EDITS_MAX && reader_left(in) && !in->bad; i++)
		edit_one(t, s, in);
}

/* --- places ------------------------------------------------------------ */

static void add_place(struct edit_target *t, enum place_kind kind,
		      unsigned path, uint64_t offset)
{
	if (t->place_count < EDIT_PLACES_MAX)
		t->places[t->place_count++] =
			(struct edit_place){ kind, path, offset };
}

void edit_find_places(struct edit_target *t, const struct sim *s)
{
	struct sim *disk = (struct sim *)s;
	struct frame_header h;
	uint8_t head[8];
	unsigned i;

	for (i = 0; i < t->path_count; i++) {
		bool snapshot = false;
		uint64_t at = 2 * BLOCK;

		if (!peek(disk, t->paths[i], 0, head, sizeof(head)))
			continue;
		if (is_snapshot(head)) {
			snapshot = true;
			add_place(t, PLACE_SNAPSHOT, i, 0);
			at = BLOCK;
		} else {
			add_place(t, PLACE_IDENTITY, i, 0);
			add_place(t, PLACE_USE, i, BLOCK);
		}
		for (; frame_at(t, disk, t->paths[i], at, &h);
		     at = behind(at, &h)) {
			add_place(t, PLACE_FRAME, i, at);
			if (h.flags & (FRAME_SEAL | FRAME_FOOTER))
				break;
		}
		if (snapshot)
			add_place(t, PLACE_FRAME, i, footer_offset(at));
	}
}
