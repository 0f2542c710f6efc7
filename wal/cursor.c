/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cursor: frames into batches, segments into one stream.
 *
 *   open_at ─► segment_enter ─► frame_next ─► batch_parse ─► the caller
 *                   ▲               │
 *                   └── seal_pass ◄─┘ seal: the next segment in use
 *
 * It begins at the start of the segment that holds first_lsn, because origins
 * are numbered from there, and drops what comes before.
 *
 * I1. Every frame is checked before a byte of it is used; LSNs have no gap;
 *     segments are compared by chain.
 * I2. Batches lie in the window or, if they span frames, in `parts`; neither
 *     moves before the next call.
 * I3. At the end of the last segment in use a bad frame is "not yet": the
 *     writer is at it, or a crash left it for recovery to judge.  It is damage
 *     if a later segment is in use, or a frame behind says it was durable.
 * I4. A segment may be recycled under a cursor that is too slow.  Its identity
 *     tells: then the position has left the log, which is not damage.
 */
#include "wal/cursor.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "wal/scan.h"
#include "wal/segment_list.h"

#define CURSOR_PATH_MAX 4096
#define END_CHECK_EACH 64

struct wal_cursor {
	struct cursor_options o;
	char *dir;
	struct window window;
	struct origin_dictionary *origins;

	/* The segment. */
	bool inside; /* one is open */
	bool sealed; /* and read to its seal */
	struct segment_identity identity;
	struct frame_seed seed;
	struct frame_walk walk;
	bool chain_known; /* false behind a hole */

	/* The frame. */
	struct reader in;
	struct buf parts; /* of a batch that spans frames */
	bool in_parts;
	uint64_t parts_lsn; /* of its first record */
	uint64_t batch_lsn; /* of the next batch */
	uint64_t end_lsn;   /* behind the last record of the frame */
	uint64_t previous_ms;
	struct cursor_place place;
	bool done;          /* last_lsn was returned */
	unsigned end_count; /* how often the end was met */
};

static void segment_path(const struct wal_cursor *c, uint64_t sequence,
			 char out[CURSOR_PATH_MAX])
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	snprintf(out, CURSOR_PATH_MAX, "%s/log/%s", c->dir, name);
}

static int fail_io(struct wal_cursor *c, uint64_t sequence, int err,
		   struct err_message *m)
{
	char path[CURSOR_PATH_MAX];

	segment_path(c, sequence, path);
	return err_set(m, ERR_IO, "%s cannot be read: %s", path,
		       strerror(-err));
}

static int fail_corrupt(struct wal_cursor *c, const char *what,
			struct err_message *m)
{
	char path[CURSOR_PATH_MAX];

	segment_path(c, c->identity.sequence, path);
	return err_set(m, ERR_CORRUPT,
		       "%s, offset %" PRIu64 ": %s; LSN %" PRIu64
		       " and on cannot be read. Next: redoubt-log verify "
		       "--dir %s",
		       path, c->walk.at, what, c->walk.next_lsn, c->dir);
}

/* --- segments ------------------------------------------------------------- */

/* The sequences there are; released by the caller. */
static int list_segments(struct wal_cursor *c, struct segment_list *list,
			 struct err_message *m)
{
	char path[CURSOR_PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/log", c->dir);
	err = segment_list_read(list, c->o.io, path);
	if (err < 0)
		return err_set(m, ERR_IO, "%s cannot be read: %s", path,
			       strerror(-err));
	return OK;
}

/* Opens the file into the window and reads its head. 1: in use, 0: not, or
 * not there any more, or a negative enum err. */
static int read_head(struct wal_cursor *c, uint64_t sequence,
		     struct segment_identity *identity, struct segment_use *use,
		     struct err_message *m)
{
	struct window *w = &c->window;
	char path[CURSOR_PATH_MAX];
	const uint8_t *p;
	int64_t n;
	int err;

	c->inside = false;
	segment_path(c, sequence, path);
	err = window_open(w, path, c->o.direct);
	if (err == -ENOENT)
		return 0;
	if (err)
		return fail_io(c, sequence, err, m);
	n = window_at(w, 0, IDENTITY_SIZE, &p);
	if (n < 0)
		return fail_io(c, sequence, (int)n, m);
	if (n < IDENTITY_SIZE)
		return 0;
	err = identity_decode(p, identity);
	if (err == ERR_VERSION)
		return err_set(m, err, "%s was written by a newer version",
			       path);
	if (err != OK || identity->sequence != sequence)
		return 0;
	n = window_at(w, identity->align, USE_SIZE, &p);
	if (n < 0)
		return fail_io(c, sequence, (int)n, m);
	return n == USE_SIZE && use_decode(p, identity->salt, use) == OK;
}

/* Starts reading the segment whose head was just read. */
static void segment_enter(struct wal_cursor *c,
			  const struct segment_identity *identity,
			  const struct segment_use *use)
{
	struct scan s;

	scan_start(&s, &c->window, identity, use);
	c->identity = *identity;
	c->seed = s.seed;
	c->walk = (struct frame_walk){ .at = s.offset,
				       .next_lsn = s.next_lsn,
				       .chain = s.chain,
				       .epoch = s.epoch };
	c->chain_known = true;
	c->inside = true;
	c->sealed = false;
	c->in_parts = false;
	c->in = reader_of(slice_of("", 0));
	c->place.sequence = identity->sequence;
	if (use->durable_lsn > c->place.durable_lsn)
		c->place.durable_lsn = use->durable_lsn;
	origin_dictionary_clear(c->origins);
}

/* Enters the last segment in use that begins at or below first_lsn. WAL_END:
 * none is in use. */
static int open_at(struct wal_cursor *c, struct err_message *m)
{
	struct segment_identity identity;
	struct segment_use use;
	uint64_t oldest = 0;
	struct segment_list list;
	int err = list_segments(c, &list, m);
	size_t i;

	if (err)
		return err;
	for (i = list.count; i > 0; i--) {
		err = read_head(c, list.at[i - 1], &identity, &use, m);
		if (err < 0)
			goto out;
		if (err == 0)
			continue;
		oldest = use.first_lsn;
		if (oldest <= c->o.first_lsn) {
			segment_enter(c, &identity, &use);
			err = OK;
			goto out;
		}
	}
	err = WAL_END;
	if (oldest != 0)
		err = err_set(m, ERR_NOT_FOUND,
			      "LSN %" PRIu64 " is not in the log of %s: it "
			      "begins at LSN %" PRIu64,
			      c->o.first_lsn, c->dir, oldest);
out:
	segment_list_release(&list);
	return err;
}

/* The lowest sequence above this one that is in use: 1, 0, or an error. The
 * window is on it afterwards. */
static int find_next(struct wal_cursor *c, struct segment_identity *identity,
		     struct segment_use *use, struct err_message *m)
{
	struct segment_list list;
	int err = list_segments(c, &list, m);
	size_t i;

	for (i = 0; err == OK && i < list.count; i++)
		if (list.at[i] > c->identity.sequence)
			err = read_head(c, list.at[i], identity, use, m);
	segment_list_release(&list);
	return err;
}

/* --- the end, or damage --------------------------------------------------- */

/* Goes back to the segment that was being read. */
static int reopen(struct wal_cursor *c, struct err_message *m)
{
	char path[CURSOR_PATH_MAX];
	int err;

	segment_path(c, c->identity.sequence, path);
	err = window_open(&c->window, path, c->o.direct);
	if (err == -ENOENT)
		return err_set(m, ERR_NOT_FOUND,
			       "LSN %" PRIu64 " has left the log of %s",
			       c->walk.next_lsn, c->dir);
	return err ? fail_io(c, c->identity.sequence, err, m) : OK;
}

/* I4. */
static int check_identity(struct wal_cursor *c, struct err_message *m)
{
	struct segment_identity now;
	const uint8_t *p;
	int64_t n = window_at(&c->window, 0, IDENTITY_SIZE, &p);

	if (n < 0)
		return fail_io(c, c->identity.sequence, (int)n, m);
	if (n == IDENTITY_SIZE && identity_decode(p, &now) == OK &&
	    now.salt == c->identity.salt)
		return OK;
	return err_set(m, ERR_NOT_FOUND,
		       "LSN %" PRIu64 " has left the log of %s",
		       c->walk.next_lsn, c->dir);
}

/* The next segment begins elsewhere. Segments are recycled oldest first: if
 * what lay between is gone by right, so is this one (I4). */
static int not_continued(struct wal_cursor *c, struct err_message *m)
{
	int err = reopen(c, m);

	if (err == OK)
		err = check_identity(c, m);
	if (err)
		return err;
	return fail_corrupt(c, "the next segment does not continue it", m);
}

/* Behind a seal: on to the segment that follows, if it is in use already. */
static int seal_pass(struct wal_cursor *c, struct err_message *m)
{
	struct segment_identity identity;
	struct segment_use use;
	int err = find_next(c, &identity, &use, m);

	c->inside = true; /* logically, until the next is entered */
	if (err <= 0)
		return err < 0 ? err : WAL_END;
	if (use.base && use.first_lsn > c->walk.next_lsn)
		return err_set(m, ERR_NOT_FOUND,
			       "LSN %" PRIu64 " is not in the log of %s: it "
			       "goes on at LSN %" PRIu64 " behind a snapshot",
			       c->walk.next_lsn, c->dir, use.first_lsn);
	if (use.first_lsn != c->walk.next_lsn ||
	    (!use.base && c->chain_known && use.chain != c->walk.chain))
		return not_continued(c, m);
	segment_enter(c, &identity, &use);
	return OK;
}

static struct scan scan_here(struct wal_cursor *c)
{
	return (struct scan){ .window = &c->window,
			      .seed = c->seed,
			      .align = c->identity.align };
}

/* A damaged frame before first_lsn costs nothing if a frame at or before it
 * follows: 1 and the walk is there, 0, or an error. */
static int skip_hole(struct wal_cursor *c, struct err_message *m)
{
	struct scan s = scan_here(c);
	struct frame_header h;
	uint64_t at, from = c->walk.at + 1;
	int err;

	while ((err = scan_search(&s, from, &at, &h)) > 0) {
		if (h.first_lsn >= c->walk.next_lsn &&
		    !(h.flags & FRAME_CONT_BEFORE))
			break;
		from = at + 1;
	}
	if (err < 0)
		return fail_io(c, c->identity.sequence, err, m);
	if (err == 0 || h.first_lsn > c->o.first_lsn)
		return 0;
	c->walk.at = at;
	c->walk.next_lsn = h.first_lsn;
	c->walk.open = false;
	c->in_parts = false;
	c->chain_known = false;
	origin_dictionary_lose(c->origins);
	return 1;
}

/* I3: whether a frame behind says that this place was durable. */
static int durable_behind(struct wal_cursor *c, struct err_message *m)
{
	struct scan s = scan_here(c);
	struct frame_header h;
	uint64_t at, from = c->walk.at + 1;
	int err;

	while ((err = scan_search(&s, from, &at, &h)) > 0) {
		if (h.durable_lsn >= c->walk.next_lsn)
			return 1;
		from = at + 1;
	}
	return err < 0 ? fail_io(c, c->identity.sequence, err, m) : 0;
}

/* Something proves that the frame at walk.at was complete. It may have become
 * so since it was read: OK to try again, else damage. */
static int judge_again(struct wal_cursor *c, struct err_message *m)
{
	struct frame_found f;
	int err = window_refresh(&c->window);

	if (err)
		return fail_io(c, c->identity.sequence, err, m);
	err = frame_judge(&c->window, &c->seed, &c->walk, &f);
	if (err < 0)
		return fail_io(c, c->identity.sequence, err, m);
	return err ? OK : fail_corrupt(c, f.what, m);
}

/* Whether a later segment is in use: 1, 0 or an error. The window stays on
 * this one. */
static int used_behind(struct wal_cursor *c, struct err_message *m)
{
	struct segment_identity identity;
	struct segment_use use;
	int later = find_next(c, &identity, &use, m);
	int err = later < 0 ? later : reopen(c, m);

	c->inside = err == OK;
	return err ? err : later;
}

/* The frame at walk.at is not valid. WAL_END, OK to try again, or an error. */
static int not_valid(struct wal_cursor *c, const struct frame_found *f,
		     struct err_message *m)
{
	bool bounded = c->o.last_lsn != UINT64_MAX;
	int err;

	err = check_identity(c, m);
	if (err)
		return err;
	if (c->walk.next_lsn < c->o.first_lsn) {
		err = skip_hole(c, m);
		if (err)
			return err < 0 ? err : OK;
	}
	if (f->header_valid || bounded) {
		err = durable_behind(c, m);
		if (err)
			return err < 0 ? err : judge_again(c, m);
	}
	/* A directory is dear to read for a cursor that follows closely. */
	if (!bounded && c->end_count++ % END_CHECK_EACH != 0)
		return WAL_END;
	err = used_behind(c, m);
	if (err)
		return err < 0 ? err : judge_again(c, m);
	return WAL_END;
}

/* --- frames --------------------------------------------------------------- */

/* Takes in a frame with records; OK also if the batch goes on behind it. */
static int take_frame(struct wal_cursor *c, const struct frame_found *f,
		      struct err_message *m)
{
	bool after = f->h.flags & FRAME_CONT_AFTER;

	if (!c->in_parts) {
		c->parts.size = 0;
		c->parts_lsn = f->h.first_lsn;
		c->place.offset = c->walk.at;
	}
	c->batch_lsn = c->parts_lsn;
	c->end_lsn = f->h.first_lsn + f->h.count;
	c->previous_ms = 0;
	if (after || c->in_parts)
		buf_put_slice(&c->parts, f->content);
	if (!after)
		c->in = reader_of(c->in_parts ? buf_slice(&c->parts)
					      : f->content);
	c->in_parts = after;
	if (!after && reader_left(&c->in) == 0 && c->batch_lsn != c->end_lsn)
		return fail_corrupt(c, "a frame without the records it counts",
				    m);
	return OK;
}

static int take_seal(struct wal_cursor *c, const struct frame_found *f,
		     struct err_message *m)
{
	struct segment_seal seal;

	if (!seal_decode(f->content, &seal) ||
	    seal.last_lsn != c->walk.next_lsn - 1 ||
	    (c->chain_known && seal.chain != c->walk.chain))
		return fail_corrupt(c, "the seal does not fit", m);
	c->sealed = true;
	return OK;
}

static int pass_frame(struct wal_cursor *c, const struct frame_found *f,
		      struct err_message *m)
{
	int err = OK;

	if (f->h.durable_lsn > c->place.durable_lsn)
		c->place.durable_lsn = f->h.durable_lsn;
	if (f->h.flags & FRAME_DICT_RESET)
		origin_dictionary_clear(c->origins);
	if (f->h.flags & FRAME_SEAL)
		err = take_seal(c, f, m);
	else if (!(f->h.flags & FRAME_MARK))
		err = take_frame(c, f, m);
	if (err)
		return err;
	frame_pass(&c->walk, &f->h);
	if (f->h.flags & FRAME_GROUP_END)
		c->walk.at = (c->walk.at + c->identity.align - 1) &
			     ~((uint64_t)c->identity.align - 1);
	return OK;
}

/* Reads one more frame. OK, WAL_END or an error. */
static int frame_next(struct wal_cursor *c, struct err_message *m)
{
	struct frame_found f;
	int try, got = 0, err;

	if (!c->inside) {
		err = open_at(c, m);
		if (err)
			return err;
	}
	if (c->sealed)
		return seal_pass(c, m);
	/* What was read may be older than what is there by now. */
	for (try = 0; try < 2 && got == 0; try++) {
		if (try == 1) {
			err = window_refresh(&c->window);
			if (err)
				return fail_io(c, c->identity.sequence, err, m);
		}
		got = frame_judge(&c->window, &c->seed, &c->walk, &f);
		if (got < 0)
			return fail_io(c, c->identity.sequence, got, m);
	}
	return got ? pass_frame(c, &f, m) : not_valid(c, &f, m);
}

/* --- the caller's side ---------------------------------------------------- */

int wal_cursor_open(struct wal_cursor **out, const struct cursor_options *o,
		    struct err_message *m)
{
	struct wal_cursor *c;
	int err;

	assert(o->io != NULL);
	assert(o->first_lsn > 0);
	c = mem_calloc(1, sizeof(*c));
	c->o = *o;
	c->dir = mem_strdup(o->dir);
	c->o.dir = c->dir;
	window_init(&c->window, o->io);
	c->origins = origin_dictionary_new();
	err = open_at(c, m);
	if (err < 0) {
		wal_cursor_close(c);
		return err;
	}
	*out = c;
	return OK;
}

void wal_cursor_close(struct wal_cursor *c)
{
	if (c == NULL)
		return;
	window_release(&c->window);
	origin_dictionary_free(c->origins);
	buf_release(&c->parts);
	mem_free(c->dir);
	mem_free(c);
}

/* The next batch of the frame. */
static int parse(struct wal_cursor *c, struct batch_view *out,
		 struct err_message *m)
{
	if (!batch_parse(&c->in, c->previous_ms, c->origins, out))
		return fail_corrupt(c, "a batch before it cannot be read", m);
	if (out->count > c->end_lsn - c->batch_lsn ||
	    (reader_left(&c->in) == 0 &&
	     c->batch_lsn + out->count != c->end_lsn))
		return fail_corrupt(c, "a frame before it counts other records",
				    m);
	out->first_lsn = c->batch_lsn;
	out->epoch = c->walk.epoch;
	c->batch_lsn += out->count;
	c->previous_ms = out->time_ms;
	return OK;
}

int wal_cursor_next(struct wal_cursor *c, struct batch_view *out,
		    struct err_message *m)
{
	int err;

	while (!c->done) {
		if (reader_left(&c->in) > 0) {
			err = parse(c, out, m);
			if (err)
				return err;
			if (c->batch_lsn <= c->o.first_lsn)
				continue;
			if (out->first_lsn > c->o.last_lsn)
				break;
			return OK;
		}
		if (c->inside && c->walk.next_lsn > c->o.last_lsn &&
		    !c->walk.open)
			break;
		err = frame_next(c, m);
		if (err)
			return err;
	}
	c->done = true;
	return WAL_END;
}

struct cursor_place wal_cursor_place(const struct wal_cursor *c)
{
	return c->place;
}
