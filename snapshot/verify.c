/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking at every byte of a snapshot and naming what is damaged.
 *
 * I1. Damage does not end the search: behind a bad frame whose length holds
 *     the next one follows, else the next header that checks is looked for.
 * I2. A place is reported once.
 */
#include "snapshot/snapshot.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "snapshot/decode.h"
#include "snapshot/file.h"

struct verify {
	struct snapshot_file f;
	const char *name; /* behind the last slash */
	damage_fn *report;
	void *ctx;
	int count; /* places reported */
	struct snapshot_decoder decoder;
	struct buf content;
	struct buf raw;
	uint64_t chain, frame_count, record_count;
};

static void report(struct verify *v, uint64_t offset, uint64_t size,
		   const char *what)
{
	struct damage d = {
		.offset = offset,
		.size = size,
		.first_lsn = v->f.meta.lsn,
		.last_lsn = v->f.meta.lsn,
	};

	v->count++;
	if (!v->report)
		return;
	snprintf(d.file, sizeof(d.file), "%s", v->name);
	snprintf(d.what, sizeof(d.what), "%s", what);
	v->report(v->ctx, &d);
}

/* Whether the records of a batch that lies in one frame are well formed. */
static bool records_whole(const struct batch_view *view)
{
	struct batch_reader r = batch_records(view);
	struct record rec;

	while (batch_next(&r, &rec))
		;
	return !r.in.bad;
}

static const char *check_content(struct verify *v,
				 const struct frame_header *h)
{
	struct batch_view view;
	const char *bad = snapshot_decode(&v->decoder, h, v->content.data,
					  &v->raw, &v->f.seed);

	if (bad)
		return bad;
	v->chain = chain_frame(v->chain, h);
	v->frame_count++;
	v->record_count += h->count;
	/* Pieces of a batch are judged when it is loaded. */
	if (h->flags & (FRAME_CONT_BEFORE | FRAME_CONT_AFTER))
		return NULL;
	if (!snapshot_parse(buf_slice(&v->raw), h->count, &view) ||
	    !records_whole(&view))
		return "bad records";
	return NULL;
}

/* Offset of the next header that checks behind f.offset, or the end. (I1) */
static int find_frame(struct verify *v, uint64_t *out, struct err_message *m)
{
	uint8_t bytes[FRAME_HEADER_SIZE];
	struct frame_header h;
	uint64_t at = v->f.offset + 1;

	for (; at + FRAME_HEADER_SIZE <= v->f.frames_end; at++) {
		int err = snapshot_file_read(&v->f, at, bytes, sizeof(bytes),
					     m);

		if (err)
			return err;
		if (frame_decode(bytes, &v->f.seed, at, &h))
			break;
	}
	*out = at + FRAME_HEADER_SIZE <= v->f.frames_end ? at
							 : v->f.frames_end;
	return OK;
}

/* Steps over the bad frame at f.offset. */
static int skip_frame(struct verify *v, struct err_message *m)
{
	uint8_t bytes[FRAME_HEADER_SIZE] = { 0 };
	uint64_t from = v->f.offset, to;
	uint32_t length;
	int err;

	if (v->f.frames_end - from >= FRAME_HEADER_SIZE) {
		err = snapshot_file_read(&v->f, from, bytes, sizeof(bytes), m);
		if (err)
			return err;
	}
	if (frame_length(bytes, &length) &&
	    length <= v->f.frames_end - from - FRAME_HEADER_SIZE) {
		to = from + FRAME_HEADER_SIZE + length;
	} else {
		err = find_frame(v, &to, m);
		if (err)
			return err;
	}
	report(v, from, to - from, "bad frame");
	v->f.offset = to;
	return OK;
}

static int verify_frames(struct verify *v, struct err_message *m)
{
	struct frame_header h;

	v->chain = snapshot_chain_start(
		slice_of(v->f.header, v->f.header_size));
	for (;;) {
		uint64_t from = v->f.offset;
		int err = snapshot_file_frame(&v->f, &h, &v->content, m);
		const char *bad;

		if (err == SNAPSHOT_END)
			return OK;
		if (err == ERR_CORRUPT)
			err = skip_frame(v, m);
		else if (!err && (bad = check_content(v, &h)) != NULL)
			report(v, from, v->f.offset - from, bad);
		if (err)
			return err;
	}
}

static int verify_footer(struct verify *v, struct err_message *m)
{
	uint64_t size = v->f.size, at;
	int err = snapshot_file_footer(&v->f, m);

	if (err != ERR_CORRUPT)
		return err;
	at = size < SNAPSHOT_FOOTER_SIZE ? 0 : size - SNAPSHOT_FOOTER_SIZE;
	report(v, at, size - at, "bad footer: it says where frames end, so "
	       "that they were not looked at");
	return OK;
}

static int verify_open_file(struct verify *v, struct err_message *m)
{
	const struct snapshot_end *end = &v->f.end;
	int err;

	err = snapshot_file_header(&v->f, m);
	if (err == ERR_CORRUPT) {
		report(v, 0, v->f.size, "bad header: nothing else can be "
		       "checked");
		return OK;
	}
	if (!err)
		err = verify_footer(v, m);
	if (err || v->count > 0)
		return err;
	err = verify_frames(v, m);
	if (err || v->count > 0)
		return err;
	if (v->chain != end->footer.hash ||
	    v->frame_count != end->frame_count ||
	    v->record_count != end->footer.record_count)
		report(v, v->f.size - SNAPSHOT_FOOTER_SIZE,
		       SNAPSHOT_FOOTER_SIZE, "frames and footer differ");
	return OK;
}

int snapshot_verify(struct io *io, const char *path, damage_fn *report_to,
		    void *ctx)
{
	const char *slash = strrchr(path, '/');
	struct verify v = {
		.name = slash ? slash + 1 : path,
		.report = report_to,
		.ctx = ctx,
	};
	int err;

	err = snapshot_file_open(&v.f, io, path, true, NULL);
	if (!err)
		err = verify_open_file(&v, NULL);
	snapshot_decoder_release(&v.decoder);
	snapshot_file_close(&v.f);
	buf_release(&v.content);
	buf_release(&v.raw);
	return err ? err : v.count;
}
