/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a handler sees: one call of one command.
 *
 * A handler reads the keyspace through lookup_*, decides, replies errors
 * before the first emit, emits records, replies.  emit_* applies before it
 * returns: every entry pointer is dead afterwards; look up again.
 */
#ifndef REDOUBT_ENGINE_CMD_H
#define REDOUBT_ENGINE_CMD_H

#include "engine/command.h"
#include "engine/engine.h"
#include "engine/keyspace.h"
#include "engine/reply.h"
#include "engine/session.h"
#include "types/str.h"

struct cmd {
	struct engine *engine;
	struct session *session;
	const struct command *command;
	const struct slice *argv; /* argv[0] is the name */
	unsigned argc;
	uint32_t db;       /* selected */
	uint64_t now_ms;   /* wall clock of this command: the only time */
	const struct keyspace *ks;
	struct buf *out;   /* = session->out */
	uint64_t gate;     /* highest LSN this reply depends on */
	unsigned emitted;  /* records, without the dispatcher's own */
	size_t reply_start; /* of a parked session's reply, in out */
	bool failed;       /* an error was replied */
	bool parked;       /* no reply yet: cmd_park */
};

/* The entry of key in c->db, NULL if absent or expired. Raises the gate,
 * counts hit or miss, touches the access history. */
const struct entry *lookup_read(struct cmd *c, struct slice key);

/* As lookup_read, but leaves the access history alone: TTL, EXISTS, TYPE. */
const struct entry *lookup_peek(struct cmd *c, struct slice key);

/* As above for a key that is about to be written: no hit, no miss. */
const struct entry *lookup_write(struct cmd *c, struct slice key);

/* As lookup_write in another database. */
const struct entry *lookup_in(struct cmd *c, uint32_t db, struct slice key);

/* As lookup_read, but a key of another type replies WRONGTYPE and returns
 * false. *e NULL: absent. */
bool lookup_typed(struct cmd *c, struct slice key, enum value_type type,
		  const struct entry **e);
bool lookup_typed_write(struct cmd *c, struct slice key, enum value_type type,
			const struct entry **e);

static inline bool lookup_string(struct cmd *c, struct slice key,
				 const struct entry **e)
{
	return lookup_typed(c, key, VALUE_string, e);
}

static inline bool lookup_string_write(struct cmd *c, struct slice key,
				       const struct entry **e)
{
	return lookup_typed_write(c, key, VALUE_string, e);
}

/* Arguments: on failure they have replied the usual error and return false. */
bool arg_i64(struct cmd *c, unsigned index, int64_t *out);
bool arg_i64_range(struct cmd *c, unsigned index, int64_t min, int64_t max,
		   int64_t *out);
bool arg_double(struct cmd *c, unsigned index, double *out);
static inline bool arg_is(const struct cmd *c, unsigned index, const char *word)
{
	return slice_is(c->argv[index], word);
}

/*
 * Emits: encode into the open batch, apply, tell the observers.  The record's
 * db is c->db unless said.
 */
void emit_str_set(struct cmd *c, struct slice key, struct slice value,
		  uint64_t deadline, enum record_cause cause);
void emit_str_set_i64(struct cmd *c, struct slice key, int64_t value,
		      uint64_t deadline, enum record_cause cause);
void emit_str_write(struct cmd *c, struct slice key, uint64_t offset,
		    struct slice bytes, enum record_cause cause);
void emit_key_del(struct cmd *c, struct slice key, enum record_cause cause);
void emit_key_expire(struct cmd *c, struct slice key, uint64_t deadline,
		     enum record_cause cause);
/* Any record; r->lsn and r->key_hash are filled. */
void emit(struct cmd *c, struct record *r);

/* Whether `bytes` more than the arguments' size and 128 KiB (of a command that
 * frees: 2 KiB) can go to the log for sure; else it has replied MISCONF.  The
 * dispatcher has asked with 0; handlers whose records may be bigger ask, before
 * the first emit. */
bool cmd_room(struct cmd *c, uint64_t bytes);

/* Parks the session: the handler returns without a reply, and w->ready writes
 * it later. */
void cmd_park(struct cmd *c, const struct session_wait *w);

/* A cmd for replying to a session outside of a handler (w->ready). Finish with
 * cmd_reply_end. */
struct cmd cmd_for_reply(struct engine *e, struct session *s);
void cmd_reply_end(struct cmd *c);

#endif
