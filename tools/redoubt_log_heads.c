/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What segments a store has, by their headers, and what is wrong with those.
 *
 * H1. Files come and go while a server runs: one that is gone by the time it is
 *     read was never there. That is asked once more of one that looks wrong,
 *     which may have been taken for another segment while it was read.
 * H2. The size is read before the groups and the use block once more behind
 *     them, so that what a server is doing is not taken for damage.
 * H3. A head that cannot be read hides records. What is there is shown, but
 *     nobody is told that this was all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tools/redoubt_log.h"
#include "wal/segment_list.h"

#define GROUP_SEARCH (128u << 10) /* as recovery looks at a spare (T10) */

/* Takes one frame in; false: the segment ends before it. */
static bool walk_frame(struct io *io, int file, struct log_segment *s,
		       uint64_t *at)
{
	struct frame_seed seed = {
		.store = store_content_seed(&s->identity.store),
		.salt = s->identity.salt,
	};
	uint8_t header[FRAME_HEADER_SIZE], seal[SEAL_SIZE];
	struct frame_header h;
	uint64_t align = s->identity.align;

	if (io_read_all(io, file, header, sizeof(header), *at) != 0 ||
	    !frame_decode(header, &seed, *at, &h))
		return false;
	if (h.flags & FRAME_SEAL) {
		s->sealed = h.length >= SEAL_SIZE &&
			    io_read_all(io, file, seal, sizeof(seal),
					*at + FRAME_HEADER_SIZE) == 0 &&
			    seal_decode(slice_of(seal, sizeof(seal)),
					&s->seal);
		return false;
	}
	s->frame_count++;
	s->record_count += h.count;
	s->content_size += h.length;
	if (h.count)
		s->last_lsn = h.first_lsn + h.count - 1;
	if (h.durable_lsn > s->durable_lsn)
		s->durable_lsn = h.durable_lsn;
	*at += FRAME_HEADER_SIZE + (uint64_t)h.length;
	if (h.flags & FRAME_GROUP_END)
		*at = (*at + align - 1) / align * align;
	s->end_offset = *at;
	return true;
}

/* OK, also if it cannot be decoded; else what failed, -errno. */
static int read_use(struct io *io, int file, struct log_segment *s)
{
	uint8_t use[USE_SIZE];
	int err = io_read_all(io, file, use, sizeof(use), s->identity.align);

	s->in_use = err == 0 &&
		    use_decode(use, s->identity.salt, &s->use) == OK;
	return err == -ENODATA ? OK : err;
}

/* Whether a group begins in a file that no use block says is in use. */
static bool has_groups(struct io *io, int file, const struct log_segment *s)
{
	struct frame_seed seed = { .salt = s->identity.salt };
	uint64_t at = 2 * (uint64_t)s->identity.align;
	uint64_t end = at + GROUP_SEARCH;
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame_header h;

	for (; at < end; at += s->identity.align)
		if (io_read_all(io, file, header, sizeof(header), at) == 0 &&
		    frame_decode(header, &seed, at, &h))
			return true;
	return false;
}

static void wrong(struct log_segment *s, uint64_t at, const char *what)
{
	s->wrong = what;
	s->wrong_at = at;
}

/* The rest of a file with an identity. */
static int read_groups(struct io *io, int file, struct log_segment *s)
{
	int64_t size = io->ops->size(io, file); /* H2 */
	uint64_t at = 2 * (uint64_t)s->identity.align;
	int err = size < 0 ? (int)size : read_use(io, file, s);

	if (!err && !s->in_use && has_groups(io, file, s)) {
		err = read_use(io, file, s); /* H2 */
		if (!err && !s->in_use)
			wrong(s, s->identity.align,
			      "the use block cannot be read");
	}
	if (err)
		return err;
	if (s->in_use) {
		s->last_lsn = s->use.first_lsn - 1;
		s->end_offset = at;
		while (walk_frame(io, file, s, &at))
			;
	}
	if (!s->sealed && (uint64_t)size < s->identity.size)
		wrong(s, (uint64_t)size, "the file is cut off");
	return OK;
}

/* 0, or -errno: -ENOENT if there is no such file (any more). */
static int look_for(const struct log_options *o, const char *path)
{
	int file = o->io->ops->open(o->io, path, IO_READ);

	if (file >= 0)
		o->io->ops->close(o->io, file);
	return file < 0 ? file : 0;
}

/* OK, -ENOENT, another -errno, or ERR_VERSION as `*version`. */
static int read_segment(const struct log_options *o, struct log_segment *s,
			bool *newer)
{
	uint8_t identity[IDENTITY_SIZE];
	char name[SEGMENT_NAME_SIZE], path[4096];
	int file, err, code;

	segment_name(name, s->sequence);
	snprintf(path, sizeof(path), "%s/log/%s", o->dir, name);
	file = o->io->ops->open(o->io, path, IO_READ);
	if (file < 0)
		return file;
	err = io_read_all(o->io, file, identity, sizeof(identity), 0);
	code = err ? ERR_CORRUPT : identity_decode(identity, &s->identity);
	*newer = code == ERR_VERSION;
	s->has_identity = code == OK;
	if (err == -ENODATA)
		err = OK;
	if (!err && !s->has_identity)
		wrong(s, 0, "the identity block cannot be read");
	else if (!err)
		err = read_groups(o->io, file, s);
	o->io->ops->close(o->io, file);
	if (!err && (s->wrong || s->identity.sequence != s->sequence))
		err = look_for(o, path); /* H1 */
	return err;
}

/* What only shows beside others: the store is that of the first. */
static void compare(struct log_segment *segments, size_t count)
{
	const struct log_segment *first = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		struct log_segment *s = &segments[i];

		if (!s->has_identity || s->wrong)
			continue;
		if (s->identity.sequence != s->sequence)
			wrong(s, 0, "is another segment, renamed");
		else if (first && memcmp(&s->identity.store,
					 &first->identity.store,
					 sizeof(s->identity.store)) != 0)
			wrong(s, 0, "belongs to another store than the "
				    "segments before it");
		else
			first = s;
	}
}

int log_segments(const struct log_options *o, struct log_segment **out,
		 struct err_message *m)
{
	struct segment_list list;
	struct log_segment *segments;
	char path[4096];
	bool newer = false;
	size_t i, n = 0;
	int err;

	snprintf(path, sizeof(path), "%s/log", o->dir);
	err = segment_list_read(&list, o->io, path);
	if (err < 0)
		return err_set(m, ERR_IO, "cannot read %s: %s", path,
			       strerror(-err));
	segments = mem_calloc(list.count + 1, sizeof(*segments));
	for (i = 0; i < list.count && !err && !newer; i++) {
		segments[n] = (struct log_segment){ .sequence = list.at[i] };
		err = read_segment(o, &segments[n], &newer);
		n += err == OK;
		if (err == -ENOENT) /* H1 */
			err = OK;
	}
	if (newer)
		err = err_set(m, ERR_VERSION, "%s/%016" PRIu64 ".seg was "
			      "written by a newer version", path,
			      list.at[i - 1]);
	else if (err)
		err = err_set(m, ERR_IO, "cannot read %s/%016" PRIu64 ".seg: "
			      "%s", path, list.at[i - 1], strerror(-err));
	segment_list_release(&list);
	compare(segments, n);
	*out = err ? NULL : segments;
	if (err)
		mem_free(segments);
	return err ? err : (int)n;
}

int log_heads_check(const struct log_options *o,
		    const struct log_segment *segments, int count,
		    struct err_message *m)
{
	uint64_t next_lsn = 1;
	int i;

	for (i = 0; i < count; i++) {
		const struct log_segment *s = &segments[i];

		if (s->in_use && !s->wrong)
			next_lsn = s->last_lsn + 1;
		if (s->wrong)
			return err_set(m, ERR_CORRUPT, "%s/log/%016" PRIu64
				       ".seg, offset %" PRIu64 ": %s; LSN %"
				       PRIu64 " and on may be missing. Next: "
				       "redoubt-log verify --dir %s", o->dir,
				       s->sequence, s->wrong_at, s->wrong,
				       s->in_use ? s->last_lsn + 1 : next_lsn,
				       o->dir);
	}
	return OK;
}
