/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery: from a directory to a decision.
 *
 *   list names ─► read heads ─► live range ─► scan segments ─► decide ─► result
 *                 identity, use               recover_scan.c   recover_decide.c
 *
 * I1. Nothing is written.
 * I2. Names that are not a segment's are not looked at: temporary files, torn
 *     bytes put aside.
 * I3. A read that fails ends it with exit code 74 (T11), whatever the file: a
 *     place that cannot be read is never taken for a torn one.
 * I4. Memory: one window per thread and one entry per file.
 */
#include "wal/recover_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wal/segment_list.h"

#define SPARES_LISTED_MAX 1024

/* --- words ------------------------------------------------------------- */

const char *recovery_case_name(enum recovery_case c)
{
	static const char *const names[RECOVERY_CASES] = {
		[CASE_T1_END] = "T1 end",
		[CASE_T2_TORN] = "T2 torn",
		[CASE_T3_REORDERED] = "T3 torn, reordered",
		[CASE_T4_CORRUPT_LIVE] = "T4 corrupt, live range",
		[CASE_T5_CORRUPT_SEALED] = "T5 corrupt, sealed",
		[CASE_T6_CORRUPT_COVERED] = "T6 corrupt, in a snapshot",
		[CASE_T7_SHORT] = "T7 too short",
		[CASE_T8_FOREIGN] = "T8 missing or foreign file",
		[CASE_T9_SNAPSHOT_BAD] = "T9 older snapshot",
		[CASE_T10_SPARE] = "T10 spare",
		[CASE_T11_READ_ERROR] = "T11 read error",
	};

	assert(c < RECOVERY_CASES);
	return names[c];
}

void recover_count(struct recovery_run *r, enum recovery_case c)
{
	assert(c < RECOVERY_CASES);
	r->out->cases[c]++;
}

int recover_refuse(struct recovery_run *r, enum recovery_case c, int code,
		   const char *format, ...)
{
	char text[ERR_MESSAGE_SIZE / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	recover_count(r, c);
	r->out->outcome = c;
	if (code == ERR_VERSION)
		return err_set(r->m, code, "%s/log/%s", r->o->dir, text);
	return err_set(r->m, code,
		       "%s/log/%s (%s). Nothing was changed. Next: "
		       "redoubt-log verify --dir %s",
		       r->o->dir, text, recovery_case_name(c), r->o->dir);
}

int recover_read_error(struct recovery_run *r, uint64_t sequence, int error)
{
	return recover_refuse(r, CASE_T11_READ_ERROR, ERR_IO,
			      "%016" PRIu64 ".seg cannot be read: %s", sequence,
			      strerror(-error));
}

/* --- names ------------------------------------------------------------- */

static int list_files(struct recovery_run *r)
{
	char path[RECOVER_PATH_MAX];
	struct segment_list list;
	size_t i;
	int err;

	snprintf(path, sizeof(path), "%s/log", r->o->dir);
	err = segment_list_read(&list, r->o->io, path); /* I2 */
	if (err < 0)
		return recover_refuse(r, CASE_T11_READ_ERROR, ERR_IO,
				      ": the directory cannot be read: %s",
				      strerror(-err));
	if (list.count > 0)
		r->files = mem_calloc(list.count, sizeof(*r->files));
	r->file_count = list.count;
	for (i = 0; i < list.count; i++)
		r->files[i].info.sequence = list.at[i];
	segment_list_release(&list);
	return OK;
}

/* --- heads ------------------------------------------------------------- */

/* A negative errno, or 0 with the verdicts in f. */
static int read_head(struct window *w, struct found *f)
{
	struct segment_info *info = &f->info;
	const uint8_t *p;
	int64_t n = window_at(w, 0, IDENTITY_SIZE, &p);

	f->file_size = w->size;
	f->identity_err = ERR_CORRUPT;
	if (n < IDENTITY_SIZE)
		return n < 0 ? (int)n : 0;
	f->identity_err = identity_decode(p, &info->identity);
	if (f->identity_err != OK)
		return 0;
	f->short_file = w->size < info->identity.size;
	n = window_at(w, info->identity.align, USE_SIZE, &p);
	if (n < USE_SIZE)
		return n < 0 ? (int)n : 0;
	info->in_use = use_decode(p, info->identity.salt, &info->use) == OK;
	if (info->in_use)
		info->last_lsn = info->use.first_lsn - 1;
	return 0;
}

static int read_heads(struct recovery_run *r)
{
	char path[RECOVER_PATH_MAX];
	struct window w;
	size_t i;
	int err = 0;

	window_init(&w, r->o->io);
	for (i = 0; i < r->file_count && err == 0; i++) {
		recover_path(r, r->files[i].info.sequence, path);
		err = window_open(&w, path, true);
		if (err == 0) {
			w.ahead = 0; /* the blocks are all that is wanted */
			err = read_head(&w, &r->files[i]);
		}
		window_close(&w);
	}
	window_release(&w);
	if (err)
		return recover_read_error(r, r->files[i - 1].info.sequence,
					  err);
	return OK;
}

/* The segments in use, and where the live range begins among them. */
static void find_used(struct recovery_run *r)
{
	size_t i;

	r->used = mem_calloc(r->file_count + 1, sizeof(*r->used));
	for (i = 0; i < r->file_count; i++) {
		struct found *f = &r->files[i];

		if (f->identity_err != OK || !f->info.in_use)
			continue;
		if (f->info.use.first_lsn <= r->known.snapshot_lsn + 1)
			r->live = r->used_count;
		r->used[r->used_count++] = f;
	}
	for (i = r->o->verify_all ? 0 : r->live; i < r->used_count; i++)
		r->bytes_total += r->used[i]->file_size;
}

/* --- result ------------------------------------------------------------ */

static void put_segments(struct recovery_run *r)
{
	struct wal_recovery *out = r->out;
	size_t i;

	out->segments = mem_calloc(r->used_count + 1, sizeof(*out->segments));
	for (i = 0; i < r->used_count; i++) {
		out->segments[i] = r->used[i]->info;
		if (i >= r->start)
			out->payload_bytes += r->used[i]->payload_live;
	}
	out->segment_count = r->used_count;
}

/* Only behind the last segment in use: a file before it that is not in use
 * has lost its use block, and its groups would come back to life. */
static void put_spares(struct recovery_run *r)
{
	struct wal_recovery *out = r->out;
	uint64_t last = 0;
	size_t i;

	if (r->used_count > 0)
		last = r->used[r->used_count - 1]->info.sequence;

	out->spares = mem_calloc(SPARES_LISTED_MAX, sizeof(*out->spares));
	for (i = 0; i < r->file_count; i++) {
		const struct found *f = &r->files[i];
		uint64_t sequence = f->info.sequence;

		if (sequence >= out->next_sequence)
			out->next_sequence = sequence + 1;
		if (f->identity_err == OK && !f->info.in_use &&
		    sequence > last && !f->short_file &&
		    out->spare_count < SPARES_LISTED_MAX)
			out->spares[out->spare_count++] = sequence;
	}
}

static void put_result(struct recovery_run *r)
{
	struct wal_recovery *out = r->out;
	const struct found *last;

	out->next_sequence = 1;
	put_segments(r);
	put_spares(r);
	out->epoch = r->known.snapshot_epoch;
	if (r->used_count == 0)
		return;
	last = r->used[r->used_count - 1];
	out->epoch = last->epoch;
	out->history = last->info.use.history;
	if (out->last_lsn >= r->used[r->start]->info.use.first_lsn)
		out->first_lsn = r->used[r->start]->info.use.first_lsn;
}

static int run(struct recovery_run *r)
{
	int err = list_files(r);

	if (err == OK)
		err = read_heads(r);
	if (err)
		return err;
	find_used(r);
	recover_scan_all(r);
	err = recover_decide(r);
	put_result(r);
	return err;
}

int wal_recover(struct wal_recovery *out, const struct recovery_options *o,
		struct store_id *store, struct err_message *m)
{
	struct recovery_run r = { .o = o, .out = out, .m = m, .store = store };
	int err;

	assert(o->io != NULL);
	assert(store != NULL);
	*out = (struct wal_recovery){ 0 };
	if (o->known != NULL) {
		r.known = *o->known;
		r.known_given = true;
	}
	err = run(&r);
	mem_free(r.used);
	mem_free(r.files);
	return err;
}

void wal_recovery_release(struct wal_recovery *r)
{
	mem_free(r->segments);
	mem_free(r->spares);
	*r = (struct wal_recovery){ 0 };
}
