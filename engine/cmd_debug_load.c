/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DEBUG RELOAD and LOADAOF: the state once more, from what is on disk.
 *
 *   RELOAD          a new snapshot is taken and loaded
 *   RELOAD NOSAVE   the newest snapshot, then the log behind it
 *   LOADAOF         likewise; everything appended is synced first
 *
 * I1. The state after it is the state before: two digests are compared, and
 *     on any difference the old view stays and the caller is told.
 * I2. The keyspace is built where it stands (tables point at its hash key);
 *     the old one waits beside it until the new one is proved.
 */
#include "engine/debug.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/apply_load.h"
#include "engine/snapshotter.h"
#include "wal/cursor.h"

static int load_snapshot(struct engine *e, const struct snapshot_name *name,
			 struct err_message *m)
{
	struct snapshot_reader_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.name = name->name,
	};
	struct loader_options load = { .ks = &e->ks, .threads = e->threads };
	int err = snapshot_open(&load.reader, &o, m);

	if (err)
		return err;
	err = loader_run(&load, NULL, m);
	snapshot_reader_close(load.reader);
	return err;
}

/* The newest snapshot, if there is one. */
static int load_newest(struct engine *e, struct err_message *m)
{
	struct snapshot_name *names = NULL;
	int count = snapshot_list(e->io, e->config->dir, &names, m);
	int err = count < 0 ? count : OK;

	if (count > 0)
		err = load_snapshot(e, &names[0], m);
	mem_free(names);
	return err;
}

static int replay(struct engine *e, struct err_message *m)
{
	struct cursor_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.first_lsn = e->ks.applied_lsn + 1,
		.last_lsn = e->position->last_lsn,
	};
	struct loader_options load = {
		.ks = &e->ks,
		.first_lsn = o.first_lsn,
		.threads = e->threads,
	};
	int err;

	if (o.first_lsn > o.last_lsn)
		return OK;
	err = wal_cursor_open(&load.cursor, &o, m);
	if (err)
		return err;
	err = loader_run(&load, NULL, m);
	wal_cursor_close(load.cursor);
	return err;
}

static bool same(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

/* I1, I2 */
static int rebuild(struct engine *e, struct err_message *m)
{
	struct keyspace old = e->ks;
	struct hash128 before = digest_keyspace(&e->ks);
	uint64_t want = e->ks.applied_lsn;
	int err;

	snapshotter_invalidate(e);
	keyspace_init(&e->ks, e->config, old.hash_key);
	e->ks.index_now_ms = old.index_now_ms;
	e->ks.new_access = old.new_access;
	err = load_newest(e, m);
	if (!err && wal_level(e->wal) != WAL_OFF)
		err = replay(e, m);
	if (!err && e->ks.applied_lsn != want)
		err = err_set(m, ERR_CORRUPT, "the state on disk ends at LSN "
			      "%llu, the one in memory at %llu",
			      (unsigned long long)e->ks.applied_lsn,
			      (unsigned long long)want);
	if (!err && !same(before, digest_keyspace(&e->ks)))
		err = err_set(m, ERR_CORRUPT, "the state on disk is not the "
			      "one in memory");
	if (err) {
		keyspace_release(&e->ks);
		e->ks = old;
		return err;
	}
	keyspace_release(&old);
	return OK;
}

static void reply_rebuilt(struct cmd *c)
{
	struct err_message m = { "" };

	assert(c->emitted == 0);
	if (rebuild(c->engine, &m) == OK)
		reply_ok(c);
	else
		reply_errorf(c, "ERR Error trying to load the data from disk: "
				"%s", m.text);
}

void debug_reload(struct cmd *c)
{
	struct err_message m = { "" };
	bool save = true;
	unsigned i;

	for (i = 2; i < c->argc; i++) {
		if (arg_is(c, i, "nosave")) {
			save = false;
		} else if (!arg_is(c, i, "noflush") &&
			   !arg_is(c, i, "merge")) {
			reply_error(c, "ERR DEBUG RELOAD only supports the "
				       "MERGE, NOFLUSH and NOSAVE options.");
			return;
		}
	}
	if (save && snapshotter_run(c->engine, SNAPSHOT_BGSAVE, &m) != OK) {
		reply_errorf(c, "ERR the snapshot cannot be written: %s",
			     m.text);
		return;
	}
	if (!save && wal_sync_now(c->engine->wal) != OK) {
		reply_error(c, "ERR the log cannot be synced");
		return;
	}
	reply_rebuilt(c);
}

void debug_loadaof(struct cmd *c)
{
	if (wal_level(c->engine->wal) == WAL_OFF) {
		reply_error(c, "ERR the append only file is not enabled");
		return;
	}
	if (wal_sync_now(c->engine->wal) != OK) {
		reply_error(c, "ERR the log cannot be synced");
		return;
	}
	reply_rebuilt(c);
}
