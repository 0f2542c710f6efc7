/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log info: what files there are and what they span.
 *
 * Reads headers only, so it is quick on any size; contents are verify's
 * business.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "snapshot/snapshot.h"
#include "tools/redoubt_log.h"
#include "wal/segment_list.h"

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

static int read_segment(const struct log_options *o, struct log_segment *s)
{
	uint8_t identity[IDENTITY_SIZE], use[USE_SIZE];
	char name[SEGMENT_NAME_SIZE], path[4096];
	uint64_t at;
	int file;

	segment_name(name, s->sequence);
	snprintf(path, sizeof(path), "%s/log/%s", o->dir, name);
	file = o->io->ops->open(o->io, path, IO_READ);
	if (file < 0)
		return file;
	if (io_read_all(o->io, file, identity, sizeof(identity), 0) == 0 &&
	    identity_decode(identity, &s->identity) == OK)
		s->has_identity = true;
	if (s->has_identity &&
	    io_read_all(o->io, file, use, sizeof(use), s->identity.align) ==
		    0 &&
	    use_decode(use, s->identity.salt, &s->use) == OK)
		s->in_use = true;
	if (s->in_use) {
		s->last_lsn = s->use.first_lsn - 1;
		at = 2 * (uint64_t)s->identity.align;
		s->end_offset = at;
		while (walk_frame(o->io, file, s, &at))
			;
	}
	o->io->ops->close(o->io, file);
	return 0;
}

int log_segments(const struct log_options *o, struct log_segment **out,
		 struct err_message *m)
{
	struct segment_list list;
	struct log_segment *segments;
	char path[4096];
	size_t i, n = 0;
	int err;

	snprintf(path, sizeof(path), "%s/log", o->dir);
	err = segment_list_read(&list, o->io, path);
	if (err < 0)
		return err_set(m, ERR_IO, "cannot read %s: %s", path,
			       strerror(-err));
	segments = mem_calloc(list.count + 1, sizeof(*segments));
	for (i = 0; i < list.count; i++) {
		segments[n].sequence = list.at[i];
		if (read_segment(o, &segments[n]) == 0)
			n++;
	}
	segment_list_release(&list);
	*out = segments;
	return (int)n;
}

static void print_segment(const struct log_options *o,
			  const struct log_segment *s)
{
	const char *state = !s->has_identity ? "unreadable" :
			    !s->in_use ? "spare" :
			    s->sealed ? "sealed" : "open";
	unsigned long long first = s->in_use ? s->use.first_lsn : 0;

	if (o->json)
		printf("{\"segment\":%llu,\"state\":\"%s\",\"epoch\":%u,"
		       "\"first_lsn\":%llu,\"last_lsn\":%llu,"
		       "\"durable_lsn\":%llu,\"records\":%llu,"
		       "\"frames\":%llu,\"payload_bytes\":%llu,"
		       "\"file_bytes\":%llu}\n",
		       (unsigned long long)s->sequence, state, s->use.epoch,
		       first, (unsigned long long)s->last_lsn,
		       (unsigned long long)s->durable_lsn,
		       (unsigned long long)s->record_count,
		       (unsigned long long)s->frame_count,
		       (unsigned long long)s->content_size,
		       (unsigned long long)s->identity.size);
	else if (!s->in_use)
		printf("segment %016llu  %s, %llu bytes\n",
		       (unsigned long long)s->sequence, state,
		       (unsigned long long)s->identity.size);
	else
		printf("segment %016llu  %s, epoch %u, LSN %llu to %llu, "
		       "%llu records, %llu of %llu bytes used\n",
		       (unsigned long long)s->sequence, state, s->use.epoch,
		       first, (unsigned long long)s->last_lsn,
		       (unsigned long long)s->record_count,
		       (unsigned long long)s->end_offset,
		       (unsigned long long)s->identity.size);
}

static int print_snapshots(const struct log_options *o, struct err_message *m)
{
	struct snapshot_name *names = NULL;
	int i, n = snapshot_list(o->io, o->dir, &names, m);

	for (i = 0; i < n; i++)
		printf(o->json ? "{\"snapshot\":\"%s\",\"epoch\":%u,"
				 "\"lsn\":%llu}\n" :
				 "snapshot %s  epoch %u, LSN %llu\n",
		       names[i].name, names[i].epoch,
		       (unsigned long long)names[i].lsn);
	mem_free(names);
	return n;
}

int log_info(const struct log_options *o)
{
	struct err_message m = { { 0 } };
	struct log_segment *segments = NULL;
	uint64_t last = 0, durable = 0;
	uint32_t epoch = 0;
	int i, n;

	n = log_segments(o, &segments, &m);
	if (n < 0)
		return log_fail(n, &m);
	for (i = 0; i < n; i++) {
		print_segment(o, &segments[i]);
		if (!segments[i].in_use)
			continue;
		last = segments[i].last_lsn;
		epoch = segments[i].use.epoch;
		if (segments[i].durable_lsn > durable)
			durable = segments[i].durable_lsn;
	}
	mem_free(segments);
	i = print_snapshots(o, &m);
	if (i < 0)
		return log_fail(i, &m);
	if (n == 0 && i == 0) {
		err_set(&m, ERR_NOT_FOUND,
			"%s holds no store: no log/*.seg, no snap/*.snap",
			o->dir);
		fprintf(stderr, "redoubt-log: %s\n", m.text);
		return EXIT_USAGE;
	}
	printf(o->json ? "{\"epoch\":%u,\"last_lsn\":%llu,"
			 "\"durable_mark\":%llu}\n" :
			 "end of the log: %u:%llu, durable mark %llu\n",
	       epoch, (unsigned long long)last, (unsigned long long)durable);
	return EXIT_OK;
}
