/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/edit.h"

#include "base/checksum.h"
#include "wal/frame.h"

enum edit_kind {
	EDIT_BYTES,
	EDIT_FIX,
	EDIT_FIX_ALL,
	EDIT_CUT,
	EDIT_COPY,
	EDIT_REMOVE,
	EDIT_MOVE_BYTES,
	EDIT_KINDS,
};

#define EDITS_MAX 24
#define MOVE_MAX 8192

static uint64_t file_salt(const struct edit_target *t, const char *path)
{
	uint8_t header[IDENTITY_SIZE];
	struct segment_identity identity;

	if (t->salt)
		return t->salt;
	if (sim_peek(t->sim, path, 0, header, sizeof(header)) !=
		    sizeof(header) ||
	    identity_decode(header, &identity) != OK)
		return 0;
	return identity.salt;
}

void edit_fix_frame(const struct edit_target *t, const char *path,
		    uint64_t offset)
{
	static uint8_t content[FRAME_CONTENT_MAX];
	struct frame_seed seed = { store_content_seed(t->store),
				   file_salt(t, path) };
	uint8_t raw[FRAME_HEADER_SIZE];
	struct frame_header h;
	int64_t got;

	if (sim_peek(t->sim, path, offset, raw, sizeof(raw)) != sizeof(raw))
		return;
	h.length = get_u32(raw + 4) & (FRAME_CONTENT_MAX - 1);
	got = sim_peek(t->sim, path, offset + sizeof(raw), content, h.length);
	if (got < 0)
		return;
	h.length = (uint32_t)got;
	h.flags = get_u16(raw + 8);
	h.first_lsn = get_u64(raw + 16);
	h.count = get_u32(raw + 24);
	h.epoch = get_u32(raw + 28);
	h.durable_lsn = get_u64(raw + 32);
	h.raw_length = get_u64(raw + 48);
	h.content_check =
		frame_content_check(slice_of(content, h.length), &seed);
	frame_encode(raw, &h, &seed, offset);
	sim_poke(t->sim, path, offset, raw, sizeof(raw));
}

/* Every frame that can be found by its length, from the third block on. */
static void fix_all(const struct edit_target *t, const char *path)
{
	uint8_t raw[FRAME_HEADER_SIZE];
	uint64_t at = 2 * SEGMENT_ALIGN_MIN;
	uint32_t length;
	int i;

	for (i = 0; i < 64; i++) {
		if (sim_peek(t->sim, path, at, raw, sizeof(raw)) !=
			    sizeof(raw) ||
		    !frame_length(raw, &length))
			return;
		edit_fix_frame(t, path, at);
		at += FRAME_HEADER_SIZE + (uint64_t)length;
		if (get_u16(raw + 8) & FRAME_GROUP_END)
			at = (at + SEGMENT_ALIGN_MIN - 1) &
			     ~(uint64_t)(SEGMENT_ALIGN_MIN - 1);
	}
}

static void move_bytes(const struct edit_target *t, const char *path,
		       uint64_t to, struct reader *in)
{
	uint64_t from = read_u32(in) % (256 * 1024);
	static uint8_t bytes[MOVE_MAX];
	size_t size = (size_t)read_varint(in) % MOVE_MAX;
	int64_t got = sim_peek(t->sim, path, from, bytes, size);

	if (got > 0)
		sim_poke(t->sim, path, to, bytes, (size_t)got);
}

static void edit_one(const struct edit_target *t, struct reader *in)
{
	unsigned kind = read_byte(in) % EDIT_KINDS;
	const char *path = t->paths[read_byte(in) % t->path_count];
	uint64_t offset = read_varint(in) % (256 * 1024);
	const char *other = t->paths[offset % t->path_count];
	struct slice bytes;

	if (in->bad || !sim_exists(t->sim, path))
		return;
	switch ((enum edit_kind)kind) {
	case EDIT_BYTES:
		bytes = read_bytes(in, read_byte(in) & 63);
		if (bytes.size)
			sim_poke(t->sim, path, offset, bytes.data, bytes.size);
		break;
	case EDIT_FIX:
		edit_fix_frame(t, path, offset & ~UINT64_C(63));
		break;
	case EDIT_FIX_ALL:
		fix_all(t, path);
		break;
	case EDIT_CUT:
		sim_cut(t->sim, path, offset);
		break;
	case EDIT_COPY:
		if (other != path)
			sim_copy_file(t->sim, path, other);
		break;
	case EDIT_REMOVE:
		sim_remove(t->sim, path);
		break;
	case EDIT_MOVE_BYTES:
		move_bytes(t, path, offset, in);
		break;
	case EDIT_KINDS:
		break;
	}
}

void edit_apply(const struct edit_target *t, struct reader *in)
{
	int i;

	for (i = 0; i < EDITS_MAX && reader_left(in) && !in->bad; i++)
		edit_one(t, in);
}
