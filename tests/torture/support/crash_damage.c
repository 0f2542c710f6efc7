/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Damage to a log at rest: recovery either refuses, or nothing that was
 * acknowledged is missing and every byte is as it was.
 *
 * The log ends with a mark or a seal that says what was durable, so that one
 * damage cannot take both a group and its only witness.  Damages that take
 * more than one place are made where a witness is left.
 */
#include "tests/torture/support/crash_log.h"

#include <stdio.h>
#include <string.h>

#define DAMAGES_EACH 300
#define FILES_MAX 64

/* The segments of a log at rest. */
struct rest {
	struct sim *disk;
	struct wal_recovery r;
	uint64_t last; /* sequence of the last in use */
};

static void path_of(char out[64], uint64_t sequence)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	snprintf(out, 64, CRASH_DIR "/log/%s", name);
}

static const struct segment_info *any(struct crash_run *run,
				      const struct rest *rest)
{
	return &rest->r.segments[crash_below(run, rest->r.segment_count)];
}

/* A place that a check may cover: blocks, groups, seal. */
static uint64_t place(struct crash_run *run, const struct segment_info *s)
{
	uint64_t align = s->identity.align;

	if (crash_below(run, 8) == 0)
		return crash_below(run, IDENTITY_SIZE);
	if (crash_below(run, 8) == 0)
		return align + crash_below(run, USE_SIZE);
	return 2 * align + crash_below(run, s->end_offset - 2 * align + 192);
}

static void flip_bit(struct crash_run *run, struct rest *rest)
{
	const struct segment_info *s = any(run, rest);
	uint64_t at = place(run, s);
	char path[64];
	uint8_t byte;

	path_of(path, s->sequence);
	sim_peek(rest->disk, path, at, &byte, 1);
	byte ^= (uint8_t)(1u << crash_below(run, 8));
	sim_poke(rest->disk, path, at, &byte, 1);
}

static void spoil_sector(struct crash_run *run, struct rest *rest)
{
	const struct segment_info *s = any(run, rest);
	uint64_t at = place(run, s) / SIM_SECTOR * SIM_SECTOR, i;
	uint8_t bytes[SIM_SECTOR] = { 0 };
	char path[64];

	path_of(path, s->sequence);
	switch (crash_below(run, 3)) {
	case 0:
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)test_random_next(&run->random);
		break;
	case 1: /* a sector of another place */
		sim_peek(rest->disk, path,
			 place(run, s) / SIM_SECTOR * SIM_SECTOR, bytes,
			 sizeof(bytes));
		break;
	default:
		break;
	}
	sim_poke(rest->disk, path, at, bytes, sizeof(bytes));
}

/* A block of align bytes lands at another multiple of align. */
static void misdirect(struct crash_run *run, struct rest *rest)
{
	const struct segment_info *from = any(run, rest);
	const struct segment_info *to = any(run, rest);
	uint64_t align = from->identity.align;
	uint8_t block[8192];
	char path[64];

	path_of(path, from->sequence);
	sim_peek(rest->disk, path, place(run, from) / align * align, block,
		 align);
	path_of(path, to->sequence);
	sim_poke(rest->disk, path, place(run, to) / align * align, block,
		 align);
}

static bool lonely(const struct crash_run *run, const struct rest *rest)
{
	const struct crash_log *l = run->store;

	return rest->r.segment_count < 2 && l->known.sequence == 0;
}

static void cut_file(struct crash_run *run, struct rest *rest)
{
	const struct segment_info *s = any(run, rest);
	char path[64];

	if (lonely(run, rest))
		return;
	path_of(path, s->sequence);
	sim_cut(rest->disk, path,
		crash_below(run, s->end_offset + s->identity.align));
}

static void remove_file(struct crash_run *run, struct rest *rest)
{
	char path[64];

	if (lonely(run, rest))
		return;
	path_of(path, any(run, rest)->sequence);
	sim_remove(rest->disk, path);
}

/* Copied, swapped, renamed. */
static void mix_files(struct crash_run *run, struct rest *rest)
{
	uint64_t a = any(run, rest)->sequence, b;
	char from[64], to[64];

	b = crash_below(run, 3) ? any(run, rest)->sequence
				: 1 + crash_below(run, rest->last + 4);
	path_of(from, a);
	path_of(to, b);
	if (a == b || !sim_exists(rest->disk, from))
		return;
	switch (crash_below(run, 3)) {
	case 0:
		sim_copy_file(rest->disk, from, to);
		break;
	case 1:
		sim_copy_file(rest->disk, from, to);
		sim_remove(rest->disk, from);
		break;
	default:
		if (!sim_exists(rest->disk, to))
			return;
		sim_copy_file(rest->disk, to, CRASH_DIR "/log/x");
		sim_copy_file(rest->disk, from, to);
		sim_copy_file(rest->disk, CRASH_DIR "/log/x", from);
		break;
	}
}

/* What a disk that lies about syncs loses: the end, with all its marks. A
 * snapshot, or a segment in use behind, is the witness. */
static void lose_end(struct crash_run *run, struct rest *rest)
{
	const struct crash_log *l = run->store;
	const struct segment_info *s = any(run, rest);
	uint64_t align = s->identity.align, end = s->end_offset + align;
	uint64_t from = 2 * align + crash_below(run, end - 2 * align);
	char path[64];

	if (s->sequence == rest->last &&
	    l->known.durable_lsn < l->bounds.durable_lsn)
		return;
	from = from / align * align;
	path_of(path, s->sequence);
	sim_poke(rest->disk, path, from, NULL, (size_t)(end - from));
}

static void fail_read(struct crash_run *run, struct rest *rest)
{
	struct sim_fault f = { .ops = crash_below(run, 4) ? SIM_READ : SIM_OPEN,
			       .call = 1 + crash_below(run, 12),
			       .error = 5 /* EIO */ };

	sim_set_fault(rest->disk, &f);
	run->faulty = true;
}

typedef void damage_made_fn(struct crash_run *run, struct rest *rest);

static damage_made_fn *const damages[] = {
	flip_bit, flip_bit,  flip_bit,  spoil_sector, spoil_sector, misdirect,
	cut_file, mix_files, mix_files, remove_file,  lose_end,     fail_read,
};

/* --- the check ------------------------------------------------------------ */

static void check_damaged(struct crash_run *run, struct sim *disk,
			  const struct crash_bounds *b)
{
	const struct crash_log *l = run->store;
	struct sim_fault none = { 0 };
	struct err_message m;
	uint64_t last;
	int err;

	err = crash_log_recover(run, l, disk, &last, &m);
	if (err == ERR_CORRUPT || (err == ERR_IO && run->faulty)) {
		run->stats->refused++;
		return;
	}
	if (err) {
		crash_fail(run, "damage: error %d %s", err, m.text);
		return;
	}
	sim_set_fault(disk, &none);
	if (last < b->durable_lsn) {
		crash_fail(run, "damage: LSN %llu reached, %llu was durable",
			   (unsigned long long)last,
			   (unsigned long long)b->durable_lsn);
		return;
	}
	crash_log_compare(run, l, disk, last);
}

static void damage_one(struct crash_run *run, const struct rest *rest)
{
	static const char *const names[] = {
		"flip", "flip", "flip", "sector", "sector", "misdirect",
		"cut",  "mix",  "mix",  "remove", "lose",   "read",
	};
	const struct crash_log *l = run->store;
	struct sim_crash quiet = { .kind = SIM_CRASH_ALL };
	struct rest copy = *rest;
	size_t kind = crash_below(run, ARRAY_LEN(damages));

	_Static_assert(ARRAY_LEN(names) == ARRAY_LEN(damages), "a name each");
	run->what = names[kind];
	run->faulty = false;
	copy.disk = sim_crash(rest->disk, &quiet);
	damages[kind](run, &copy);
	if (run->faulty || crash_distinct(run, copy.disk))
		check_damaged(run, copy.disk, &l->bounds);
	if (run->faulty)
		run->stats->faults++;
	sim_free(copy.disk);
}

/* A log of some segments, ending with a witness. */
static void build(struct crash_run *run, struct crash_log *l)
{
	unsigned steps = 4 + (unsigned)crash_below(run, 40), i;

	crash_log_open(run, l, run->sim);
	for (i = 0; i < steps; i++) {
		crash_log_append(run, l, 1 + (unsigned)crash_below(run, 3),
				 1 + crash_below(run, 6000));
		crash_log_turn(l);
		if (crash_below(run, 24) == 0)
			crash_log_snapshot(l, l->bounds.durable_lsn);
		if (crash_below(run, 16) == 0) {
			crash_log_close(l);
			crash_log_open(run, l, run->sim);
		}
	}
	sim_advance_us(run->sim, 200000);
	crash_log_turn(l);
	if (crash_below(run, 2) && l->known.snapshot_lsn != 0) {
		/* a later snapshot that failed left its footer's word */
		l->known.durable_lsn = l->bounds.durable_lsn;
	}
	if (crash_below(run, 2))
		crash_log_close(l);
	else
		crash_log_abandon(l);
}

static void damage_trace(struct crash_run *run)
{
	struct crash_log *l = crash_log_new(run);
	struct sim_crash quiet = { .kind = SIM_CRASH_ALL };
	struct recovery_options o = { .dir = CRASH_DIR, .known = &l->known };
	struct rest rest = { 0 };
	struct err_message m;
	int i;

	run->store = l;
	run->what = "build";
	crash_log_disk(run);
	build(run, l);
	rest.disk = sim_crash(run->sim, &quiet);
	o.io = sim_io(rest.disk);
	if (!run->failed && wal_recover(&rest.r, &o, &l->store, &m) != OK)
		crash_fail(run, "undamaged: %s", m.text);
	if (!run->failed && rest.r.segment_count > 0) {
		run->damaged = true;
		rest.last = rest.r.segments[rest.r.segment_count - 1].sequence;
		for (i = 0; i < DAMAGES_EACH && !run->failed; i++)
			damage_one(run, &rest);
	}
	wal_recovery_release(&rest.r);
	sim_free(rest.disk);
	crash_log_free(l);
	sim_free(run->sim);
}

static struct crash_bounds damage_bounds(const struct crash_run *run)
{
	const struct crash_log *l = run->store;

	return l->bounds;
}

const struct crash_ops crash_damage_ops = {
	.name = "damage",
	.trace = damage_trace,
	.bounds = damage_bounds,
	.check = check_damaged,
};
