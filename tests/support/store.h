/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A store in a temporary directory: an engine without sessions that is fed
 * records, for tests of recovery and snapshots.
 */
#ifndef REDOUBT_TESTS_SUPPORT_STORE_H
#define REDOUBT_TESTS_SUPPORT_STORE_H

#include "engine/engine.h"
#include "tests/support/suite.h"

struct store {
	char dir[64];
	struct config *config;
	struct engine *engine; /* NULL: closed */
	struct io *io;
	bool threads;
	int exit_code; /* of the log's failure; 0: none */
	struct err_message message;
};

/* A directory and a configuration; nothing is opened. */
void store_init(struct store *s, bool threads);

/* Closes it and removes the directory. */
void store_release(struct store *s);

/* Recovers: OK or what engine_recover says; s->message explains. */
int store_open(struct store *s);

/* Ends it in order; or as a crash of the process would. */
void store_close(struct store *s);
void store_crash(struct store *s);

/* One batch of one record. */
void store_emit(struct store *s, struct record *r);

/* "key" = value in a database, with a deadline or 0. */
void store_set(struct store *s, uint32_t db, const char *key,
	       const char *value);

/* A random change; `flushes` allows db_flush, all_flush and db_swap. */
void store_random(struct store *s, struct test_random *random, bool flushes);

/* A turn of the engine. */
void store_turn(struct store *s, bool idle);

/* Turns until everything appended is durable, or until no snapshot is wanted
 * or running. */
void store_settle(struct store *s);
void store_snapshot_end(struct store *s);

/* Digests are equal. */
void store_assert_digest(struct hash128 a, struct hash128 b);

/* The digest of what the newest snapshot holds; *lsn is its LSN. */
struct hash128 store_snapshot_digest(struct store *s, uint64_t *lsn);

#endif
