/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Migrations under way: what MIGRATE has sent and waits for.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_MIGRATIONS_H
#define REDOUBT_ENGINE_MIGRATIONS_H

#include "engine/cmd.h"
#include "engine/transfer.h"

struct migrating_key {
	struct slice key; /* in key_bytes */
	bool changed;     /* a record has named it since */
	bool arrived;     /* the target has it */
};

/* In order of hash, to find a record's key. */
struct migrating_hash {
	uint64_t hash;
	unsigned index; /* of the key */
};

struct migration {
	struct transfer transfer; /* first: its completion is the address */
	struct migration *next;
	struct engine *engine;
	struct session *session;  /* that waits; NULL: has gone */
	char address[64];
	uint32_t db;
	unsigned greetings;       /* replies before those of the keys */
	unsigned key_count, kept;
	bool copy;
	uint64_t gate; /* LSN: what is sent may leave when it is released */
	bool departed; /* the transfer has begun */
	bool posted;   /* and is over */
	bool no_room;             /* for the records of the removal */
	struct buf error;         /* the target's first; a C string or empty */
	struct buf key_bytes;
	struct migrating_hash *order;
	struct migrating_key *keys;
};

/* For some of these keys. */
struct migration *migration_new(struct cmd *c, const struct slice *keys,
				unsigned count);
/* One of them. */
void migration_add(struct migration *m, struct slice key);
void migration_free(struct migration *m);

/* From here on, until it is removed, m notices changes of its keys. */
void migrations_add(struct engine *e, struct migration *m);
void migrations_remove(struct engine *e, struct migration *m);

/* Gives m to the host, once, when what it sends is released; if that fails it
 * is over. */
void migration_depart(struct engine *e, struct migration *m);

/* Of one that is over: takes it off the list, reads the replies and, unless it
 * was to copy, removes the keys that have arrived. No command may run. */
void migration_arrive(struct engine *e, struct migration *m);

/* Ends those nobody waits for any more (engine_turn). */
void migrations_turn(struct engine *e);

/* Forgets all; none is being carried any more. */
void migrations_release(struct engine *e);

#endif
