/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading segments for recovery.
 *
 * I1. A segment is judged by itself: its use block says where LSNs and chain
 *     begin.  So segments can be read side by side, and links are compared
 *     afterwards (recover_decide.c).
 * I2. The last two segments in use are read around the page cache: what a
 *     failed sync left there is not on the disk.  A segment before them was
 *     sealed, and synced, before the last but one was used.
 * I3. A bad group whose records the newest snapshot holds is a hole: the scan
 *     goes on behind it.  Any other ends the scan, and what stands behind is
 *     only looked at for durable marks.
 */
#include "wal/recover_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"

#define THREADS_MAX 16
#define PROBE_SIZE ((uint64_t)128 << 10)

void recover_path(const struct recovery_run *r, uint64_t sequence,
		  char out[RECOVER_PATH_MAX])
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	snprintf(out, RECOVER_PATH_MAX, "%s/log/%s", r->o->dir, name);
}

static void mark(struct found *f, uint64_t durable_lsn)
{
	if (durable_lsn > f->durable_lsn)
		f->durable_lsn = durable_lsn;
}

static void take_group(const struct recovery_run *r, struct found *f,
		       const struct scan *s, const struct group *g)
{
	f->info.last_lsn = g->last_lsn;
	f->info.end_offset = g->end;
	f->info.chain = s->chain;
	f->info.payload_size += g->payload_size;
	f->epoch = s->epoch;
	mark(f, g->durable_lsn);
	if (g->last_lsn > r->known.snapshot_lsn)
		f->payload_live += g->payload_size;
}

static void take_seal(struct found *f, const struct group *g,
		      uint64_t chain_next)
{
	f->end = END_SEAL;
	f->info.sealed = true;
	f->seal = g->seal;
	f->chain_next = chain_next;
	f->info.end_offset = g->offset; /* also behind a hole */
	f->info.chain = g->seal.chain;
	f->info.payload_size = g->seal.payload_size;
	mark(f, g->durable_lsn);
}

/* Everything valid behind the place where the scan ended. */
static int look_behind(struct found *f, struct scan *s)
{
	struct frame_header h;
	uint64_t at, from = f->stop.end;
	int err;

	while ((err = scan_search(s, from, &at, &h)) > 0) {
		f->behind_count++;
		if (h.count > 0 || (h.flags & FRAME_CONT_AFTER))
			f->behind_records++;
		f->behind_end = at + FRAME_HEADER_SIZE + h.length;
		f->behind_last_lsn = h.first_lsn + h.count - 1;
		mark(f, h.durable_lsn);
		from = at + 1;
	}
	return err;
}

/* The last byte behind the cut that is not zero, plus one: at least of the
 * first block, further if frames say so. */
static int find_cut_end(struct found *f, struct scan *s)
{
	uint64_t start = f->stop.offset;
	uint64_t end = f->stop.bad_offset + f->stop.bad_size;

	if (end < start + s->align)
		end = start + s->align;
	if (end < f->behind_end)
		end = f->behind_end;
	if (end > s->window->size)
		end = s->window->size;
	while (end > start) {
		uint64_t from = end - start > 4096 ? end - 4096 : start;
		const uint8_t *p;
		int64_t n =
			window_at(s->window, from, (size_t)(end - from), &p);

		if (n < 0)
			return (int)n;
		while (n > 0 && p[n - 1] == 0)
			n--;
		if (n > 0) {
			f->cut_end = from + (uint64_t)n;
			return 0;
		}
		end = from;
	}
	f->cut_end = start;
	return 0;
}

/* I3: moves s behind a bad group that the snapshot covers. 1: moved, 0: this
 * is the end, or a negative errno. */
static int skip_hole(const struct recovery_run *r, struct found *f,
		     struct scan *s, const struct group *g)
{
	struct frame_header h;
	uint64_t at, from = g->end;
	int err;

	if (s->next_lsn > r->known.snapshot_lsn)
		return 0;
	while ((err = scan_search(s, from, &at, &h)) > 0) {
		if (h.first_lsn >= s->next_lsn && h.epoch >= s->epoch)
			break;
		from = at + 1;
	}
	if (err <= 0)
		return err;
	if (h.first_lsn - 1 > r->known.snapshot_lsn)
		return 0;
	f->holes++;
	f->hole_offset = g->bad_offset;
	f->info.quarantined = true;
	s->chain_known = false;
	s->offset = at;
	s->next_lsn = h.first_lsn;
	/* The snapshot has them; a seal behind here must say so too. */
	f->info.last_lsn = h.first_lsn - 1;
	return 1;
}

static int scan_whole(const struct recovery_run *r, struct window *w,
		      struct found *f)
{
	struct scan s;
	struct group g;
	int kind, err;

	scan_start(&s, w, &f->info.identity, &f->info.use);
	f->info.end_offset = s.offset;
	f->info.chain = s.chain;
	for (;;) {
		kind = scan_group(&s, &g);
		if (kind == GROUP_SEAL) {
			take_seal(f, &g, s.chain);
			return 0;
		}
		if (kind == GROUP_VALID) {
			take_group(r, f, &s, &g);
			continue;
		}
		if (kind < 0)
			return kind;
		err = skip_hole(r, f, &s, &g);
		if (err < 0)
			return err;
		if (err == 0)
			break;
	}
	f->stop = g;
	f->end = kind == GROUP_BAD ? END_BAD : END_EMPTY;
	err = look_behind(f, &s);
	return err < 0 ? err : find_cut_end(f, &s);
}

/* An old segment: its seal says all that is needed. */
static int scan_seal_only(struct window *w, struct found *f)
{
	struct segment_seal seal;
	struct frame_header h;
	struct scan s;
	uint64_t at;
	int err;

	scan_start(&s, w, &f->info.identity, &f->info.use);
	f->info.end_offset = s.offset;
	err = scan_seal(&s, &at, &seal, &h);
	if (err <= 0)
		return err;
	f->end = END_SEAL;
	f->seal = seal;
	f->chain_next = chain_frame(seal.chain, &h);
	f->epoch = h.epoch;
	f->info.sealed = true;
	f->info.last_lsn = seal.last_lsn;
	f->info.end_offset = at;
	f->info.chain = seal.chain;
	f->info.payload_size = seal.payload_size;
	mark(f, h.durable_lsn);
	return 0;
}

void recover_scan_segment(const struct recovery_run *r, struct window *w,
			  struct found *f, bool whole, bool direct)
{
	char path[RECOVER_PATH_MAX];

	assert(f->info.in_use);
	f->epoch = f->info.use.epoch;
	f->durable_lsn = f->info.use.durable_lsn;
	recover_path(r, f->info.sequence, path);
	f->error = window_open(w, path, direct);
	if (f->error)
		return;
	f->error = whole ? scan_whole(r, w, f) : scan_seal_only(w, f);
	window_close(w);
}

int recover_probe(const struct recovery_run *r, struct found *f)
{
	struct segment_use nothing = { .first_lsn = 1 };
	char path[RECOVER_PATH_MAX];
	struct frame_header h;
	struct window w;
	struct scan s;
	uint64_t at;
	int err;

	window_init(&w, r->o->io);
	recover_path(r, f->info.sequence, path);
	err = window_open(&w, path, true);
	if (err == 0) {
		/* Groups start behind the blocks. What took the use block may
		 * have taken the first ones too: look as far as one read goes,
		 * not further, as this is done for each spare. */
		uint64_t end = 2 * (uint64_t)f->info.identity.align +
			       PROBE_SIZE;

		if (w.size > end)
			w.size = end;
		scan_start(&s, &w, &f->info.identity, &nothing);
		err = scan_search(&s, s.offset, &at, &h);
	}
	window_release(&w);
	return err;
}

/* --- all of them ------------------------------------------------------- */

struct scan_team {
	struct recovery_run *r;
	atomic_size_t next; /* index in used, of the last first */
	pthread_mutex_t lock;
};

static void report_progress(struct scan_team *t, const struct found *f)
{
	struct recovery_run *r = t->r;

	pthread_mutex_lock(&t->lock);
	r->bytes_done += f->file_size;
	if (r->o->progress != NULL)
		r->o->progress(r->o->progress_ctx, r->bytes_done,
			       r->bytes_total);
	pthread_mutex_unlock(&t->lock);
}

static void *scan_some(void *arg)
{
	struct scan_team *t = arg;
	struct recovery_run *r = t->r;
	struct window w;
	size_t i;

	window_init(&w, r->o->io);
	while ((i = atomic_fetch_add(&t->next, 1)) < r->used_count) {
		bool whole = i >= r->live || r->o->verify_all;
		bool direct = i + 2 >= r->used_count; /* I2 */

		recover_scan_segment(r, &w, r->used[i], whole, direct);
		if (whole)
			report_progress(t, r->used[i]);
	}
	window_release(&w);
	return NULL;
}

void recover_scan_all(struct recovery_run *r)
{
	struct scan_team team = { .r = r };
	pthread_t threads[THREADS_MAX];
	unsigned count = 0, wanted = r->o->threads;

	pthread_mutex_init(&team.lock, NULL);
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	while (count + 1 < wanted && count + 1 < r->used_count &&
	       pthread_create(&threads[count], NULL, scan_some, &team) == 0)
		count++;
	scan_some(&team);
	while (count > 0)
		pthread_join(threads[--count], NULL);
	pthread_mutex_destroy(&team.lock);
}
