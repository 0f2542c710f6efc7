/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/crash_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"

static void note_fatal(void *ctx, int exit_code, const char *message)
{
	struct crash_log *l = ctx;

	assert(exit_code == EXIT_IO);
	l->fatal = true;
	snprintf(l->fatal_text, sizeof(l->fatal_text), "%s", message);
}

struct crash_log *crash_log_new(struct crash_run *run)
{
	struct crash_log *l = malloc(sizeof(*l));

	assert(l != NULL);
	memset(l, 0, offsetof(struct crash_log, notes));
	batch_init(&l->batch);
	l->options = (struct wal_options){
		.dir = CRASH_DIR,
		.level = WAL_ALWAYS,
		.segment_size = UINT64_C(65536) << crash_below(run, 2),
		.pending_max = 1 << 20,
		.reserve = 16384,
		.fatal = note_fatal,
		.fatal_ctx = l,
	};
	return l;
}

void crash_log_free(struct crash_log *l)
{
	crash_log_abandon(l);
	batch_release(&l->batch);
	free(l);
}

void crash_log_disk(struct crash_run *run)
{
	struct io *io;

	run->sim = sim_new(run->seed);
	io = sim_io(run->sim);
	io->ops->mkdir(io, CRASH_DIR);
	io->ops->sync_dir(io, "");
	sim_refuse(run->sim, crash_below(run, 4) == 0,
		   crash_below(run, 4) == 0);
}

bool crash_log_open(struct crash_run *run, struct crash_log *l,
		    struct sim *disk)
{
	struct err_message m;
	uint64_t last;
	int err;

	l->options.io = sim_io(disk);
	l->options.fatal_ctx = l;
	l->fatal = false;
	memset(l->cache, 0, sizeof(l->cache));
	err = wal_open(&l->wal, &l->options, &l->store, &l->known, &m);
	if (err) {
		l->wal = NULL;
		if (!run->faulty || err != ERR_IO)
			crash_fail(run, "wal_open: %d %s", err, m.text);
		return false;
	}
	last = wal_recovery(l->wal)->last_lsn;
	if (last < l->known.snapshot_lsn)
		last = l->known.snapshot_lsn;
	crash_log_forget(l, last);
	err = wal_begin(l->wal, last, &m);
	if (err) {
		crash_log_abandon(l);
		if (!run->faulty || err != ERR_IO)
			crash_fail(run, "wal_begin: %d %s", err, m.text);
		return false;
	}
	crash_log_note(l);
	return true;
}

void crash_log_abandon(struct crash_log *l)
{
	if (l->wal != NULL)
		wal_abandon(l->wal);
	l->wal = NULL;
}

void crash_log_close(struct crash_log *l)
{
	struct err_message m;

	if (l->wal == NULL)
		return;
	if (wal_close(l->wal, &m) == OK && l->options.level != WAL_OFF) {
		l->bounds.durable_lsn = l->bounds.appended_lsn;
		l->bounds.written_lsn = l->bounds.appended_lsn;
	}
	l->wal = NULL;
}

static uint64_t records_hash(struct slice records, uint32_t db)
{
	return content_hash(records.data, records.size, db);
}

void crash_log_append(struct crash_run *run, struct crash_log *l,
		      unsigned count, size_t size)
{
	static const struct origin origins[4] = {
		{ SLICE_LITERAL("default"), SLICE_LITERAL("127.0.0.1:1"),
		  SLICE_LITERAL("set") },
		{ SLICE_LITERAL("alice"), SLICE_LITERAL("127.0.0.1:2"),
		  SLICE_LITERAL("mset") },
		{ SLICE_LITERAL(""), SLICE_LITERAL("[::1]:3"),
		  SLICE_LITERAL("exec") },
		{ SLICE_LITERAL("x"), SLICE_LITERAL("y"), SLICE_LITERAL("z") },
	};
	struct crash_note *n = &l->notes[l->note_count++];
	struct batch *b = &l->batch;
	uint8_t *value = malloc(size + 1);
	unsigned who = (unsigned)crash_below(run, 5), i;

	assert(value != NULL);
	assert(l->note_count <= CRASH_NOTES_MAX);
	memset(value, 'a' + (int)crash_below(run, 26), size + 1);
	batch_reset(b);
	for (i = 0; i < count; i++) {
		struct record r = { .type = REC_str_set, .cause = CAUSE_set };
		uint64_t salt = test_random_next(&run->random);

		memcpy(value, &salt, size < 8 ? size : 8);
		r.db = (uint32_t)crash_below(run, 3);
		r.key = slice_of(&salt, 8);
		r.value = slice_of(value, size);
		batch_add(b, &r);
	}
	free(value);
	b->time_ms = l->options.io->ops->wall_ms(l->options.io);
	b->origin = who < 4 ? &origins[who] : NULL;
	b->origin_cache = who < 4 ? &l->cache[who] : NULL;
	*n = (struct crash_note){ l->bounds.appended_lsn + 1, count,
				  records_hash(buf_slice(&b->records),
					       b->first_db) };
	l->bounds.appended_lsn += count;
	wal_append(l->wal, b);
	crash_log_note(l);
}

void crash_log_turn(struct crash_log *l)
{
	struct io *io = l->options.io;
	struct wal_turn turn = { .alone = true,
				 .now_us = io->ops->mono_us(io) };

	wal_turn(l->wal, &turn);
	crash_log_note(l);
}

void crash_log_note(struct crash_log *l)
{
	const struct wal_position *at = wal_position(l->wal);

	wal_check(l->wal);
	if (l->options.level == WAL_OFF) {
		l->bounds.durable_lsn = l->known.snapshot_lsn;
		l->bounds.written_lsn = l->known.snapshot_lsn;
		return;
	}
	l->bounds.durable_lsn = at->durable_lsn;
	l->bounds.written_lsn = at->written_lsn;
}

void crash_log_forget(struct crash_log *l, uint64_t lsn)
{
	while (l->note_count > 0 && l->notes[l->note_count - 1].first_lsn > lsn)
		l->note_count--;
	l->bounds.appended_lsn = lsn;
}

void crash_log_snapshot(struct crash_log *l, uint64_t lsn)
{
	const struct wal_position *at = wal_position(l->wal);
	struct wal_known *k = &l->known;

	if (lsn <= k->snapshot_lsn)
		return;
	k->oldest_lsn = k->snapshot_lsn != 0 ? k->snapshot_lsn : lsn;
	k->snapshot_lsn = lsn;
	k->snapshot_epoch = at->epoch;
	k->durable_lsn = at->durable_lsn;
	k->sequence = l->options.level == WAL_OFF ? 0 : wal_sequence(l->wal);
	wal_retain(l->wal, k->oldest_lsn, lsn);
}

/* The batch that begins at lsn. */
static const struct crash_note *note_at(const struct crash_log *l, uint64_t lsn)
{
	size_t low = 0, high = l->note_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (l->notes[middle].first_lsn < lsn)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < l->note_count && l->notes[low].first_lsn == lsn)
		return &l->notes[low];
	return NULL;
}

static bool note_fits(const struct crash_log *l, const struct batch_view *v)
{
	const struct crash_note *n = note_at(l, v->first_lsn);

	return n != NULL && n->count == v->count &&
	       n->hash == records_hash(v->records, v->first_db);
}

bool crash_log_compare(struct crash_run *run, const struct crash_log *l,
		       struct sim *disk, uint64_t lsn)
{
	struct cursor_options o = { .io = sim_io(disk),
				    .dir = CRASH_DIR,
				    .first_lsn = l->known.snapshot_lsn + 1,
				    .last_lsn = lsn,
				    .direct = true };
	uint64_t due = o.first_lsn;
	struct wal_cursor *c;
	struct batch_view v;
	struct err_message m;
	int err;

	if (lsn < o.first_lsn)
		return true;
	err = wal_cursor_open(&c, &o, &m);
	if (err) {
		crash_fail(run, "cursor: %d %s", err, m.text);
		return false;
	}
	while ((err = wal_cursor_next(c, &v, &m)) == OK) {
		if ((v.first_lsn != due && due != o.first_lsn) ||
		    v.first_lsn > due || !note_fits(l, &v)) {
			crash_fail(run,
				   "batch at LSN %llu is not what was "
				   "appended",
				   (unsigned long long)v.first_lsn);
			break;
		}
		due = v.first_lsn + v.count;
	}
	wal_cursor_close(c);
	if (err == WAL_END && due != lsn + 1)
		crash_fail(run, "cursor ends before LSN %llu, not behind %llu",
			   (unsigned long long)due, (unsigned long long)lsn);
	if (err < 0)
		crash_fail(run, "cursor: %d %s", err, m.text);
	return !run->failed;
}

int crash_log_recover(struct crash_run *run, const struct crash_log *l,
		      struct sim *disk, uint64_t *last, struct err_message *m)
{
	struct recovery_options o = { .io = sim_io(disk),
				      .dir = CRASH_DIR,
				      .known = &l->known };
	struct store_id store = l->store;
	struct wal_recovery r;
	int err, i;

	err = wal_recover(&r, &o, &store, m);
	for (i = 0; i < RECOVERY_CASES; i++)
		run->stats->cases[i] += r.cases[i];
	*last = r.last_lsn;
	if (*last < l->known.snapshot_lsn)
		*last = l->known.snapshot_lsn;
	wal_recovery_release(&r);
	return err;
}

bool crash_log_check(struct crash_run *run, const struct crash_log *l,
		     struct sim *disk, const struct crash_bounds *b,
		     uint64_t *reached)
{
	uint64_t least = run->process ? b->written_lsn : b->durable_lsn;
	struct err_message m;
	uint64_t last;
	int err;

	err = crash_log_recover(run, l, disk, &last, &m);
	if (err) {
		crash_fail(run, "recovery: %d %s", err, m.text);
		return false;
	}
	if (last < least || last > b->appended_lsn) {
		crash_fail(run,
			   "recovered to LSN %llu, not within %llu and %llu",
			   (unsigned long long)last, (unsigned long long)least,
			   (unsigned long long)b->appended_lsn);
		return false;
	}
	*reached = last;
	return crash_log_compare(run, l, disk, last);
}
