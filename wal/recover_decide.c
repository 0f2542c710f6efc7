/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision table (FORMAT.md section 6).
 *
 * What a pure crash can leave follows from how the log is written:
 *
 *   W1. A file gets a segment's name when its identity, its size and its name
 *       are durable or become so before anything refers to it.
 *   W2. A seal is written when all before it is durable; it names the next
 *       file, which exists.  The use block of the next is written when the
 *       seal is durable, and groups when the use block is.
 *   W3. A durable mark is written when what it says is true.
 *
 * So a segment in use whose predecessor has no seal (T5), a group in a file
 * without a use block, or a bad group at or below a mark (T4) are damage, and
 * every other bad end is a crash (T2, T3).  The newest verified snapshot
 * excuses what it holds (T6); nothing excuses a file that is missing or not
 * ours (T7, T8), but for what the older of two snapshots made superfluous:
 * recycling may have been cut short.
 *
 * I1. Each refusal names file, offset and LSNs.
 * I2. Durable marks of all segments are gathered before the first decision.
 *     One that a segment in use follows knew nothing of that one's records.
 */
#include "wal/recover_internal.h"

#include <assert.h>
#include <inttypes.h>

#define NAME(f) ((f)->info.sequence)

static uint64_t live_lsn(const struct recovery_run *r)
{
	return r->known.snapshot_lsn;
}

static int refuse_damage(struct recovery_run *r, enum recovery_case c,
			 const struct found *f, uint64_t last_lsn)
{
	uint64_t first = f->info.last_lsn + 1;

	if (last_lsn < first)
		last_lsn = first;
	return recover_refuse(
		r, c, ERR_CORRUPT,
		"%016" PRIu64 ".seg, offset %" PRIu64 ": %s; LSN %" PRIu64
		" to %" PRIu64
		" cannot be read, but were durable up to %" PRIu64,
		NAME(f), f->stop.bad_offset,
		f->stop.what != NULL ? f->stop.what : "no seal", first,
		last_lsn, r->durable_lsn);
}

static int refuse_file(struct recovery_run *r, enum recovery_case c,
		       uint64_t sequence, const char *what)
{
	return recover_refuse(r, c, ERR_CORRUPT, "%016" PRIu64 ".seg: %s",
			      sequence, what);
}

static struct found *find_file(struct recovery_run *r, uint64_t sequence)
{
	size_t i;

	for (i = 0; i < r->file_count; i++)
		if (NAME(&r->files[i]) == sequence)
			return &r->files[i];
	return NULL;
}

/* --- heads ------------------------------------------------------------- */

static bool store_known(const struct store_id *s)
{
	static const struct store_id none;

	return memcmp(s, &none, sizeof(none)) != 0;
}

/* Whether a segment in use behind f begins where the snapshot covers all. */
static bool covered(const struct recovery_run *r, const struct found *f)
{
	size_t i;

	for (i = 0; i < r->used_count; i++) {
		const struct found *u = r->used[i];

		if (NAME(u) > NAME(f))
			return u->info.use.first_lsn - 1 <= live_lsn(r);
	}
	return false;
}

static int check_head(struct recovery_run *r, struct found *f)
{
	if (f->identity_err == ERR_VERSION)
		return recover_refuse(r, CASE_T8_FOREIGN, ERR_VERSION,
				      "%016" PRIu64 ".seg was written by a "
				      "newer version",
				      NAME(f));
	if (f->identity_err != OK) {
		if (covered(r, f)) {
			recover_count(r, CASE_T6_CORRUPT_COVERED);
			return OK;
		}
		return refuse_file(r, CASE_T8_FOREIGN, NAME(f),
				   "offset 0: the identity block cannot be "
				   "read");
	}
	if (!store_known(r->store))
		*r->store = f->info.identity.store;
	if (memcmp(r->store, &f->info.identity.store, sizeof(*r->store)) != 0)
		return refuse_file(r, CASE_T8_FOREIGN, NAME(f),
				   "belongs to another store");
	if (f->info.identity.sequence != NAME(f))
		return recover_refuse(r, CASE_T8_FOREIGN, ERR_CORRUPT,
				      "%016" PRIu64 ".seg is the renamed or "
				      "copied segment %016" PRIu64 ".seg",
				      NAME(f), f->info.identity.sequence);
	if (f->info.in_use && f->info.use.sequence != NAME(f))
		return refuse_file(r, CASE_T8_FOREIGN, NAME(f),
				   "the use block is of another segment");
	return OK;
}

/* Whether a segment with this sequence or a later one is in use: the one that
 * a snapshot names may have been recycled since, but then another follows. */
static bool used_from(const struct recovery_run *r, uint64_t sequence)
{
	return r->used_count > 0 &&
	       NAME(r->used[r->used_count - 1]) >= sequence;
}

static int check_heads(struct recovery_run *r)
{
	size_t i;
	int err;

	for (i = 0; i < r->file_count; i++) {
		err = check_head(r, &r->files[i]);
		if (err)
			return err;
	}
	if (r->known.sequence != 0 && !used_from(r, r->known.sequence))
		return refuse_file(r, CASE_T7_SHORT, r->known.sequence,
				   find_file(r, r->known.sequence)
				   ? "the use block cannot be read, and no "
				     "later segment is in use; a snapshot "
				     "names it"
				   : "is missing and so is every later one; a "
				     "snapshot names it");
	return OK;
}

/* --- links ------------------------------------------------------------- */

/* Whether b goes on exactly where a's seal ends. */
static bool linked(const struct found *a, const struct found *b)
{
	return a->end == END_SEAL &&
	       a->seal.last_lsn + 1 == b->info.use.first_lsn &&
	       a->chain_next == b->info.use.chain &&
	       (a->seal.next_sequence != NAME(b) ||
		a->seal.next_salt == b->info.identity.salt);
}

/* A file between two in use that is not in use: its use block is lost. */
static const struct found *lost_between(const struct recovery_run *r,
					const struct found *a,
					const struct found *b)
{
	size_t i;

	for (i = 0; i < r->file_count; i++)
		if (NAME(&r->files[i]) > NAME(a) &&
		    NAME(&r->files[i]) < NAME(b))
			return &r->files[i];
	return NULL;
}

static int broken_link(struct recovery_run *r, struct found *a, struct found *b)
{
	uint64_t next = a->seal.next_sequence;
	const struct found *lost = lost_between(r, a, b);

	if (lost != NULL && b->info.use.first_lsn - 1 <= live_lsn(r)) {
		recover_count(r, CASE_T6_CORRUPT_COVERED);
		return OK;
	}
	if (lost != NULL && a->end == END_SEAL)
		return recover_refuse(
			r, CASE_T5_CORRUPT_SEALED, ERR_CORRUPT,
			"%016" PRIu64 ".seg, offset %" PRIu32
			": the use block cannot be read; LSN %" PRIu64
			" to %" PRIu64,
			NAME(lost), lost->info.identity.align,
			a->seal.last_lsn + 1, b->info.use.first_lsn - 1);

	if (a->end == END_SEAL && next != 0 && next != NAME(b) &&
	    !find_file(r, next))
		return refuse_file(r, CASE_T8_FOREIGN, next,
				   "is missing, the segment before names it");
	if (a->end == END_SEAL && a->seal.last_lsn + 1 < b->info.use.first_lsn)
		return recover_refuse(
			r, CASE_T8_FOREIGN, ERR_CORRUPT,
			"%016" PRIu64 ".seg begins at LSN "
			"%" PRIu64 ", but the segment before "
			"ends at %" PRIu64 ": a segment is missing",
			NAME(b), b->info.use.first_lsn, a->seal.last_lsn);
	return refuse_file(r, CASE_T8_FOREIGN, NAME(b),
			   "does not continue the segment before it (wrong "
			   "chain)");
}

/* A bad place in a segment that has a successor. */
static int broken_segment(struct recovery_run *r, struct found *a,
			  struct found *b)
{
	if (b->info.use.first_lsn - 1 <= live_lsn(r)) {
		a->info.quarantined = true;
		recover_count(r, CASE_T6_CORRUPT_COVERED);
		return OK;
	}
	return refuse_damage(r, CASE_T5_CORRUPT_SEALED, a,
			     b->info.use.first_lsn - 1);
}

/* A segment that says nothing before it counts. */
static int check_base(struct recovery_run *r, struct found *f)
{
	if (!r->known_given || f->info.use.first_lsn == 1 ||
	    f->info.use.first_lsn - 1 <= live_lsn(r))
		return OK;
	return recover_refuse(r, CASE_T7_SHORT, ERR_CORRUPT,
			      "%016" PRIu64 ".seg begins behind a snapshot at "
			      "LSN %" PRIu64 ", which is missing or bad",
			      NAME(f), f->info.use.first_lsn - 1);
}

static int check_link(struct recovery_run *r, size_t i)
{
	struct found *a = r->used[i - 1], *b = r->used[i];
	uint64_t before = b->info.use.first_lsn - 1;
	int err = OK;

	if (b->info.use.base) {
		err = check_base(r, b);
		r->start = i;
	} else if (a->end != END_SEAL) {
		err = broken_segment(r, a, b);
		r->start = i;
	} else if (!linked(a, b)) {
		/* what the older snapshot holds may be half recycled */
		if (before > r->known.oldest_lsn)
			err = broken_link(r, a, b);
		r->start = i;
	}
	if (err == OK && a->end == END_SEAL && a->holes > 0)
		recover_count(r, CASE_T6_CORRUPT_COVERED);
	return err;
}

static int check_links(struct recovery_run *r)
{
	struct found *first = r->used[0];
	size_t i;
	int err;

	r->start = 0;
	if (first->info.use.base) {
		err = check_base(r, first);
		if (err)
			return err;
	}
	for (i = 1; i < r->used_count; i++) {
		err = check_link(r, i);
		if (err)
			return err;
	}
	first = r->used[r->start];
	if (r->known_given && !first->info.use.base &&
	    first->info.use.first_lsn - 1 > live_lsn(r))
		return recover_refuse(r, CASE_T8_FOREIGN, ERR_CORRUPT,
				      "the segment before %016" PRIu64
				      ".seg is missing: LSN %" PRIu64
				      " to %" PRIu64 " are in no file",
				      NAME(first), live_lsn(r) + 1,
				      first->info.use.first_lsn - 1);
	return OK;
}

/* --- the end ----------------------------------------------------------- */

/* Files behind the last segment in use: spares, or a use block that is lost.
 * W2: groups in a file prove that its use block was durable. */
static int check_spares(struct recovery_run *r, uint64_t last_sequence)
{
	size_t i;
	int err;

	for (i = 0; i < r->file_count; i++) {
		struct found *f = &r->files[i];

		if (f->info.in_use || f->identity_err != OK ||
		    NAME(f) < last_sequence)
			continue;
		err = recover_probe(r, f);
		if (err < 0)
			return recover_read_error(r, NAME(f), err);
		if (err > 0)
			return recover_refuse(
				r, CASE_T4_CORRUPT_LIVE, ERR_CORRUPT,
				"%016" PRIu64 ".seg, offset %" PRIu32
				": the use block cannot be read, but groups "
				"stand behind it; LSN %" PRIu64 " and on",
				NAME(f), f->info.identity.align,
				r->out->last_lsn + 1);
		if (f->short_file) /* W1; only a sealed one is shortened */
			return refuse_file(r, CASE_T7_SHORT, NAME(f),
					   "is shorter than it was made");
		recover_count(r, CASE_T10_SPARE);
	}
	return OK;
}

/* W2: the file that a seal names was durable before the seal. */
static int check_next(struct recovery_run *r, const struct found *last)
{
	uint64_t next = last->seal.next_sequence;
	const struct found *f;

	if (last->end != END_SEAL || next == 0)
		return OK;
	f = find_file(r, next);
	if (f == NULL)
		return refuse_file(r, CASE_T7_SHORT, next,
				   "is missing, the last seal names it");
	if (f->info.identity.salt != last->seal.next_salt)
		return refuse_file(r, CASE_T8_FOREIGN, next,
				   "is not the file that the last seal names "
				   "(stale salt)");
	if (f->short_file)
		return refuse_file(r, CASE_T7_SHORT, next,
				   "is shorter than it was made");
	return OK;
}

static void cut_at(struct recovery_run *r, const struct found *last,
		   enum recovery_case c)
{
	struct wal_recovery *out = r->out;

	out->cut = true;
	out->cut_sequence = NAME(last);
	out->cut_offset = last->stop.offset;
	out->cut_end = last->cut_end;
	out->outcome = c;
	recover_count(r, c);
}

static uint64_t damage_end(const struct recovery_run *r,
			   const struct found *last)
{
	uint64_t lsn = last->behind_last_lsn;

	return lsn > r->durable_lsn ? lsn : r->durable_lsn;
}

/* The last segment in use has no seal: T1 to T4, T6 or T7. */
static int open_end(struct recovery_run *r, struct found *last)
{
	bool bad = last->end == END_BAD || last->behind_count > 0;
	uint64_t due = last->info.last_lsn + 1;
	bool missing = r->durable_lsn >= due;

	if (last->short_file) /* W1; it is shortened behind a seal only */
		return refuse_file(r, CASE_T7_SHORT, NAME(last),
				   "is shorter than it was made, and has no "
				   "seal");
	if (missing && r->durable_lsn <= live_lsn(r)) {
		cut_at(r, last, CASE_T6_CORRUPT_COVERED);
		last->info.quarantined = true;
		return OK;
	}
	if (missing && bad &&
	    (r->o->mode != RECOVERY_TOLERATE_TAIL || last->behind_records > 0))
		return refuse_damage(r, CASE_T4_CORRUPT_LIVE, last,
				     damage_end(r, last));
	if (missing && !bad)
		return recover_refuse(r, CASE_T7_SHORT, ERR_CORRUPT,
				      "%016" PRIu64 ".seg, offset %" PRIu64
				      ": the log ends at LSN %" PRIu64
				      ", but %" PRIu64 " was durable",
				      NAME(last), last->stop.offset, due - 1,
				      r->durable_lsn);
	if (!bad) {
		r->out->outcome = CASE_T1_END;
		recover_count(r, CASE_T1_END);
		return OK;
	}
	cut_at(r, last,
	       last->behind_count > 0 ? CASE_T3_REORDERED : CASE_T2_TORN);
	return OK;
}

static int sealed_end(struct recovery_run *r, struct found *last)
{
	uint64_t end = last->seal.last_lsn;

	r->out->clean = last->seal.reason == SEAL_SHUTDOWN;
	if (last->seal.reason == SEAL_CUT) {
		/* a start died between its seal and its segment: what it cut
		 * is cut */
		r->out->cut = true;
		r->out->cut_sequence = NAME(last);
		r->out->cut_offset = last->info.end_offset;
		r->out->cut_end = last->info.end_offset;
	}
	if (r->durable_lsn > end && r->durable_lsn > live_lsn(r))
		return recover_refuse(r, CASE_T7_SHORT, ERR_CORRUPT,
				      "%016" PRIu64 ".seg ends the log at LSN "
				      "%" PRIu64 ", but %" PRIu64
				      " was durable",
				      NAME(last), end, r->durable_lsn);
	r->out->outcome = CASE_T1_END;
	recover_count(r, CASE_T1_END);
	return check_next(r, last);
}

static int no_log(struct recovery_run *r)
{
	r->out->last_lsn = live_lsn(r);
	if (r->durable_lsn > live_lsn(r))
		return recover_refuse(r, CASE_T7_SHORT, ERR_CORRUPT,
				      "no segment is in use, but LSN %" PRIu64
				      " to %" PRIu64 " were durable",
				      live_lsn(r) + 1, r->durable_lsn);
	r->out->outcome = CASE_T1_END;
	recover_count(r, CASE_T1_END);
	return check_spares(r, 0);
}

/* I2. */
static int gather(struct recovery_run *r)
{
	size_t i;

	r->durable_lsn = r->known.durable_lsn;
	for (i = 0; i < r->used_count; i++) {
		const struct found *f = r->used[i];
		uint64_t due = UINT64_MAX; /* behind its records */

		if (f->error)
			return recover_read_error(r, NAME(f), f->error);
		if (i + 1 < r->used_count)
			due = r->used[i + 1]->info.use.first_lsn;
		if (f->durable_lsn < due && f->durable_lsn > r->durable_lsn)
			r->durable_lsn = f->durable_lsn;
	}
	r->out->durable_lsn = r->durable_lsn;
	return OK;
}

int recover_decide(struct recovery_run *r)
{
	struct found *last;
	int err = check_heads(r);

	if (err == OK)
		err = gather(r);
	if (err)
		return err;
	if (r->used_count == 0)
		return no_log(r);
	err = check_links(r);
	if (err)
		return err;
	last = r->used[r->used_count - 1];
	assert(last->info.in_use);
	r->out->last_lsn = last->info.last_lsn;
	if (last->holes > 0)
		recover_count(r, CASE_T6_CORRUPT_COVERED);
	err = last->end == END_SEAL ? sealed_end(r, last) : open_end(r, last);
	if (err)
		return err;
	return check_spares(r, NAME(last));
}
