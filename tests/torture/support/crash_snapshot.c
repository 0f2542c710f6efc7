/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Damage to the newest snapshot of a store at rest (row T9): with a log that
 * was never off, the older one and the log give the same state, and nothing
 * is refused; else what is missing is refused, never passed over.
 */
#include "tests/torture/support/crash_store.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define DAMAGES_EACH 200
#define PATH_SIZE 96

/* What lies there, undamaged. */
struct rest {
	struct sim *disk;
	char newest[PATH_SIZE];
	char older[PATH_SIZE]; /* empty: there is none */
	uint64_t size;         /* of the newest */
};

static uint64_t file_size(struct sim *disk, const char *path)
{
	struct io *io = sim_io(disk);
	int file = io->ops->open(io, path, IO_READ);
	int64_t size = file < 0 ? 0 : io->ops->size(io, file);

	if (file >= 0)
		io->ops->close(io, file);
	return (uint64_t)size;
}

static void flip_bit(struct crash_run *run, const struct rest *rest,
		     struct sim *disk)
{
	uint64_t at = crash_below(run, rest->size);
	uint8_t byte;

	if (crash_below(run, 4) == 0) /* the footer */
		at = rest->size - 1 - crash_below(run, 128);
	sim_peek(disk, rest->newest, at, &byte, 1);
	byte ^= (uint8_t)(1u << crash_below(run, 8));
	sim_poke(disk, rest->newest, at, &byte, 1);
}

static void cut(struct crash_run *run, const struct rest *rest,
		struct sim *disk)
{
	sim_cut(disk, rest->newest, crash_below(run, rest->size));
}

/* Zeros, rubbish, or a sector of another place or of the older one. */
static void spoil_sector(struct crash_run *run, const struct rest *rest,
			 struct sim *disk)
{
	uint64_t sectors = rest->size / SIM_SECTOR, i;
	uint64_t to = crash_below(run, sectors) * SIM_SECTOR;
	uint64_t from = crash_below(run, sectors) * SIM_SECTOR;
	uint8_t bytes[SIM_SECTOR] = { 0 };

	switch (crash_below(run, 4)) {
	case 0:
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)test_random_next(&run->random);
		break;
	case 1:
		sim_peek(disk, rest->newest, from, bytes, sizeof(bytes));
		break;
	case 2:
		sim_peek(disk, rest->older, to, bytes, sizeof(bytes));
		break;
	default:
		break;
	}
	sim_poke(disk, rest->newest, to, bytes, sizeof(bytes));
}

/* It lies under its temporary name, whole or not. */
static void lose_rename(struct crash_run *run, const struct rest *rest,
			struct sim *disk)
{
	char path[PATH_SIZE + 8];

	snprintf(path, sizeof(path), "%s.tmp", rest->newest);
	sim_copy_file(disk, rest->newest, path);
	sim_remove(disk, rest->newest);
	if (crash_below(run, 2))
		sim_cut(disk, path, crash_below(run, rest->size));
}

static void lose_file(struct crash_run *run, const struct rest *rest,
		      struct sim *disk)
{
	(void)run;
	sim_remove(disk, rest->newest);
}

/* The older one under the newest's name. */
static void wrong_content(struct crash_run *run, const struct rest *rest,
			  struct sim *disk)
{
	(void)run;
	if (rest->older[0] == 0)
		return;
	sim_remove(disk, rest->newest);
	sim_copy_file(disk, rest->older, rest->newest);
}

/* A later one that was not finished. */
static void torn_beside(struct crash_run *run, const struct rest *rest,
			struct sim *disk)
{
	static const char path[] = CRASH_STORE
		"/snap/0000000009-00000000000000009999.snap.tmp";

	sim_copy_file(disk, rest->newest, path);
	sim_cut(disk, path, crash_below(run, rest->size));
}

struct damage_kind {
	const char *name;
	void (*make)(struct crash_run *run, const struct rest *rest,
		     struct sim *disk);
	bool silent; /* nothing is left that tells of it */
};

static const struct damage_kind kinds[] = {
	{ "snapshot-flip", flip_bit, false },
	{ "snapshot-flip", flip_bit, false },
	{ "snapshot-flip", flip_bit, false },
	{ "snapshot-cut", cut, false },
	{ "snapshot-sector", spoil_sector, false },
	{ "snapshot-sector", spoil_sector, false },
	{ "snapshot-rename", lose_rename, true },
	{ "snapshot-lost", lose_file, true },
	{ "snapshot-wrong", wrong_content, false },
	{ "snapshot-beside", torn_beside, false },
};

static struct crash_bounds snapshot_bounds(const struct crash_run *run)
{
	return crash_store_bounds(run->store);
}

static void snapshot_check(struct crash_run *run, struct sim *disk,
			   const struct crash_bounds *b)
{
	struct crash_store *s = run->store;
	struct engine *e = NULL;

	run->damaged = s->switched; /* else nothing is to be refused */
	crash_store_check(run, s, disk, b, &e);
	run->damaged = true;
	if (e == NULL)
		return;
	engine_free(e);
	if (crash_store_has(disk, ".bad"))
		run->stats->cases[CASE_T9_SNAPSHOT_BAD]++;
	if (!run->failed && crash_store_has(disk, ".tmp"))
		crash_fail(run, "an unfinished snapshot is still there");
}

static void damage_one(struct crash_run *run, const struct rest *rest)
{
	const struct damage_kind *k = &kinds[crash_below(run,
							 ARRAY_LEN(kinds))];
	struct sim_crash quiet = { .kind = SIM_CRASH_ALL,
				   .seed = test_random_next(&run->random) };
	struct crash_store *s = run->store;
	struct sim *disk;

	if (k->silent && s->switched)
		return;
	run->what = k->name;
	run->how = quiet;
	disk = sim_crash(rest->disk, &quiet);
	k->make(run, rest, disk);
	if (crash_distinct(run, disk))
		snapshot_check(run, disk, &s->bounds);
	sim_free(disk);
}

/* Snapshots, writes between and behind them; everything synced. */
static void build(struct crash_run *run, struct crash_store *s)
{
	unsigned steps = 10 + (unsigned)crash_below(run, 30);
	bool off = crash_below(run, 6) == 0;

	while (steps-- > 0) {
		crash_store_random(run, s, 1 + crash_below(run, 2000));
		crash_store_turn(s, run->sim, 2000, true);
		if (steps == 0 || crash_below(run, 6) == 0)
			snapshotter_run(s->engine, SNAPSHOT_BGSAVE, NULL);
		if (off && steps == 5)
			crash_store_run(s, "config set appendonly no");
	}
	for (steps = (unsigned)crash_below(run, 4); steps > 0; steps--)
		crash_store_random(run, s, 300);
	if (s->config->appendonly)
		wal_sync_now(s->engine->wal);
	crash_store_note(s);
}

/* False: there is no snapshot. */
static bool look(struct rest *rest)
{
	struct snapshot_name *names;
	int count = snapshot_list(sim_io(rest->disk), CRASH_STORE, &names,
				  NULL);

	if (count > 0) {
		snprintf(rest->newest, PATH_SIZE, CRASH_STORE "/snap/%s",
			 names[0].name);
		rest->size = file_size(rest->disk, rest->newest);
	}
	if (count > 1)
		snprintf(rest->older, PATH_SIZE, CRASH_STORE "/snap/%s",
			 names[1].name);
	mem_free(names);
	return count > 0;
}

static void snapshot_trace(struct crash_run *run)
{
	struct crash_store *s = crash_store_new(run);
	struct sim_crash quiet = { .kind = SIM_CRASH_ALL };
	struct rest rest = { 0 };
	unsigned i;

	run->store = s;
	run->what = "snapshot-build";
	crash_store_disk(run);
	if (crash_store_open(run, s, run->sim)) {
		build(run, s);
		rest.disk = sim_crash(run->sim, &quiet);
		run->damaged = true;
		for (i = 0; look(&rest) && i < DAMAGES_EACH && !run->failed;
		     i++)
			damage_one(run, &rest);
		sim_free(rest.disk);
	}
	crash_store_free(s);
	sim_free(run->sim);
	run->sim = NULL;
}

const struct crash_ops crash_snapshot_ops = {
	.name = "snapshot",
	.trace = snapshot_trace,
	.bounds = snapshot_bounds,
	.check = snapshot_check,
};
