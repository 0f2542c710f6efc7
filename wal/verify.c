/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verifying one segment, for tools and the scrub.
 *
 * Unlike recovery it does not stop at the first bad place, and it does not
 * decide: it names every frame that breaks a rule.
 *
 *   frame is bad ─► stepped over by its length, if that has its check
 *                └► else the next valid header at a multiple of align
 *
 * I1. Bytes that no check covers are not judged: padding, and what stands
 *     behind a seal.
 * I2. Behind a damaged frame the chain is not known; the seal is then judged
 *     by itself.
 * I3. A segment with a successor in use has a seal (FORMAT.md section 6); the
 *     last one may end anywhere.
 * I4. A file without a seal is as long as its identity says.
 */
#include "wal/recover.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "wal/scan.h"
#include "wal/segment_list.h"

#define VERIFY_PATH_MAX 4096

struct verify {
	struct io *io;
	const char *path;
	damage_fn *report;
	void *ctx;
	struct window window;
	struct segment_identity identity;
	struct segment_use use;
	struct scan scan; /* for searches */
	struct frame_walk walk;
	bool chain_known;
	bool sealed;
	uint64_t record_count;
	int count; /* of damaged places */
};

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void damaged(struct verify *v, uint64_t offset, uint64_t size,
		    uint64_t last_lsn, const char *what)
{
	struct damage d = { .offset = offset,
			    .size = size,
			    .first_lsn = v->walk.next_lsn,
			    .last_lsn = last_lsn };

	snprintf(d.file, sizeof(d.file), "%s", file_name(v->path));
	snprintf(d.what, sizeof(d.what), "%s", what);
	v->count++;
	if (v->report != NULL)
		v->report(v->ctx, &d);
}

/* --- a later segment ------------------------------------------------------ */

/* 1: in use, 0: not, or not readable. */
static bool file_in_use(struct window *w, const char *path)
{
	struct segment_identity identity;
	struct segment_use use;
	const uint8_t *p;

	if (window_open(w, path, false) != 0)
		return false;
	if (window_at(w, 0, IDENTITY_SIZE, &p) != IDENTITY_SIZE ||
	    identity_decode(p, &identity) != OK)
		return false;
	return window_at(w, identity.align, USE_SIZE, &p) == USE_SIZE &&
	       use_decode(p, identity.salt, &use) == OK;
}

/* I3. */
static bool has_successor(struct verify *v)
{
	char dir[VERIFY_PATH_MAX], path[VERIFY_PATH_MAX + 64];
	size_t size = (size_t)(file_name(v->path) - v->path);
	struct segment_list list;
	char name[SEGMENT_NAME_SIZE];
	struct window w;
	bool found = false;
	size_t i;

	if (size == 0 || size >= sizeof(dir))
		return false;
	memcpy(dir, v->path, size - 1);
	dir[size - 1] = 0;
	if (segment_list_read(&list, v->io, dir) != 0)
		return false;
	window_init(&w, v->io);
	for (i = 0; i < list.count && !found; i++) {
		if (list.at[i] <= v->identity.sequence)
			continue;
		segment_name(name, list.at[i]);
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		found = file_in_use(&w, path);
	}
	window_release(&w);
	segment_list_release(&list);
	return found;
}

/* --- frames --------------------------------------------------------------- */

/* Where to go on behind a bad frame: a valid header at *at, 1; 0: there is
 * none; or a negative errno. */
static int go_on(struct verify *v, const struct frame_found *f, uint64_t *at,
		 struct frame_header *h)
{
	uint64_t from = v->walk.at + 1, behind;
	const uint8_t *p;
	uint32_t length;
	int64_t n = window_at(&v->window, v->walk.at, FRAME_HEADER_SIZE, &p);

	if (n < 0)
		return (int)n;
	if (n == FRAME_HEADER_SIZE && frame_length(p, &length)) {
		behind = v->walk.at + FRAME_HEADER_SIZE + length;
		n = window_at(&v->window, behind, FRAME_HEADER_SIZE, &p);
		if (n < 0)
			return (int)n;
		*at = behind;
		if (n == FRAME_HEADER_SIZE &&
		    frame_decode(p, &v->scan.seed, behind, h))
			return 1;
		if (f->header_valid)
			from = behind;
	}
	return scan_search(&v->scan, from, at, h);
}

/* The frame at walk.at is not valid: reports it, unless it is just the end,
 * and moves behind it. 1: goes on, 0: the end, or a negative errno. */
static int pass_bad(struct verify *v, const struct frame_found *f)
{
	struct frame_header h;
	uint64_t at;
	int err = go_on(v, f, &at, &h);
	bool inside = v->walk.at % v->identity.align != 0;

	if (err < 0)
		return err;
	if (err == 0) {
		if (has_successor(v))
			damaged(v, v->walk.at, f->size, 0,
				f->header_valid || inside
					? f->what
					: "the segment has no seal");
		else if (f->header_valid || inside)
			damaged(v, v->walk.at, f->size, 0,
				"the group at the end is not complete");
		return 0;
	}
	damaged(v, v->walk.at, f->size,
		h.first_lsn > v->walk.next_lsn ? h.first_lsn - 1
					       : v->walk.next_lsn,
		f->what);
	v->chain_known = false;
	v->walk.at = at;
	v->walk.next_lsn = h.first_lsn;
	v->walk.epoch = h.epoch;
	v->walk.open = h.flags & FRAME_CONT_BEFORE;
	return 1;
}

static void check_seal(struct verify *v, const struct frame_found *f)
{
	struct segment_seal seal;
	const char *what = NULL;

	if (!seal_decode(f->content, &seal))
		what = "a seal that cannot be read";
	else if (seal.last_lsn != v->walk.next_lsn - 1)
		what = "the seal names another last LSN";
	else if (v->chain_known && (seal.chain != v->walk.chain ||
				    seal.record_count != v->record_count))
		what = "the seal does not fit the groups before it";
	if (what != NULL)
		damaged(v, v->walk.at, f->size, 0, what);
}

static int verify_frames(struct verify *v)
{
	struct frame_found f;
	int err;

	for (;;) {
		err = frame_judge(&v->window, &v->scan.seed, &v->walk, &f);
		if (err < 0)
			return err;
		if (err == 0) {
			err = pass_bad(v, &f);
			if (err <= 0)
				return err;
			continue;
		}
		if (f.h.flags & FRAME_SEAL) {
			check_seal(v, &f);
			v->sealed = true;
			return 0;
		}
		frame_pass(&v->walk, &f.h);
		v->record_count += f.h.count;
		if (f.h.flags & FRAME_GROUP_END)
			v->walk.at = (v->walk.at + v->identity.align - 1) &
				     ~((uint64_t)v->identity.align - 1);
	}
}

/* --- heads ---------------------------------------------------------------- */

/* No use block: a spare, or it is lost. 1: groups follow, 0: none do. */
static int check_unused(struct verify *v)
{
	struct frame_header h;
	uint64_t at;
	int err = scan_search(&v->scan, v->scan.offset, &at, &h);

	if (err <= 0)
		return err;
	v->walk.next_lsn = h.first_lsn;
	damaged(v, v->identity.align, USE_SIZE, 0,
		"the use block cannot be read");
	v->walk.at = at;
	v->walk.epoch = h.epoch;
	v->chain_known = false;
	return 1;
}

/* 1: go on with the groups, 0: nothing more to look at, or a negative errno
 * or enum err in *code. */
static int check_heads(struct verify *v, struct store_id *store, int *code)
{
	static const struct store_id none;
	uint64_t sequence = 0;
	const uint8_t *p;
	int64_t n = window_at(&v->window, 0, IDENTITY_SIZE, &p);
	bool used;
	int err;

	if (n < 0)
		return (int)n;
	err = n == IDENTITY_SIZE ? identity_decode(p, &v->identity)
				 : ERR_CORRUPT;
	if (err == ERR_VERSION)
		*code = ERR_VERSION;
	if (err == ERR_VERSION)
		return 0;
	if (err != OK) {
		damaged(v, 0, IDENTITY_SIZE, 0,
			"the identity block cannot be read");
		return 0;
	}
	if (memcmp(store, &none, sizeof(none)) == 0)
		*store = v->identity.store;
	if (memcmp(store, &v->identity.store, sizeof(*store)) != 0)
		damaged(v, 0, IDENTITY_SIZE, 0, "belongs to another store");
	if (segment_parse_name(file_name(v->path), &sequence) &&
	    sequence != v->identity.sequence)
		damaged(v, 0, IDENTITY_SIZE, 0, "is another segment, renamed");
	n = window_at(&v->window, v->identity.align, USE_SIZE, &p);
	if (n < 0)
		return (int)n;
	used = n == USE_SIZE && use_decode(p, v->identity.salt, &v->use) == OK;
	if (!used)
		v->use = (struct segment_use){ .first_lsn = 1 };
	scan_start(&v->scan, &v->window, &v->identity, &v->use);
	v->walk = (struct frame_walk){ .at = v->scan.offset,
				       .next_lsn = v->scan.next_lsn,
				       .chain = v->scan.chain,
				       .epoch = v->scan.epoch };
	v->chain_known = true;
	return used ? 1 : check_unused(v);
}

int segment_verify(struct io *io, const char *path, struct store_id *store,
		   damage_fn *report, void *ctx)
{
	struct verify v = {
		.io = io, .path = path, .report = report, .ctx = ctx
	};
	int code = OK, err;

	assert(store != NULL);
	window_init(&v.window, io);
	err = window_open(&v.window, path, true);
	if (err == 0)
		err = check_heads(&v, store, &code);
	if (err > 0)
		err = verify_frames(&v);
	if (err >= 0 && !v.sealed && v.window.size < v.identity.size) /* I4 */
		damaged(&v, v.window.size, v.identity.size - v.window.size, 0,
			"the file is cut off");
	window_release(&v.window);
	if (err < 0)
		return ERR_IO;
	return code != OK ? code : v.count;
}
