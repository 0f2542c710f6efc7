/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bare engine: one session, the simulated disk, no threads, no sockets.
 * Commands go in as text, replies come out as the protocol has them, and the
 * records each command has emitted can be looked at.
 */
#ifndef REDOUBT_TESTS_SUPPORT_BARE_H
#define REDOUBT_TESTS_SUPPORT_BARE_H

#include "engine/engine.h"

#define BARE_RECORDS_MAX 64

struct sim;

/* What is kept of a record of the last command. */
struct bare_record {
	uint8_t type;
	uint8_t cause;
	size_t value_size;
	uint64_t offset;
	uint64_t deadline;
};

struct bare {
	struct sim *sim;
	struct config *config;
	struct engine *engine;
	struct session session;
	struct buf out;
	struct bare_record records[BARE_RECORDS_MAX];
	unsigned record_count; /* of the last command; may exceed the array */
};

/* A server on an empty store, without a log. Ends the test if it cannot. */
struct bare *bare_new(void);
void bare_free(struct bare *b);

/* Runs a command and ends the turn. The reply, with a 0 behind it; valid until
 * the next command. */
struct slice bare_call(struct bare *b, const struct slice *argv,
		       unsigned argc);

/* The same with the words of text; "" is no word. */
const char *bare_run(struct bare *b, const char *text);

/* SET key value, for values that are no text. */
void bare_set(struct bare *b, const char *key, struct slice value);

/* The value of a key, appended to out. */
void bare_get(struct bare *b, const char *key, struct buf *out);

/* Runs a command whose reply is an integer. */
int64_t bare_number(struct bare *b, const char *text);

#endif
