/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command table: one row per command, sub-commands are rows of their own
 * (name "client|list").  Rows live in engine/command_*.c next to nothing else;
 * commands.c joins them.  Everything COMMAND, COMMAND DOCS, ACL categories and
 * the dispatcher know is in the row.
 */
#ifndef REDOUBT_ENGINE_COMMAND_H
#define REDOUBT_ENGINE_COMMAND_H

#include "base/slice.h"

struct cmd;

enum command_flags {
	CMD_WRITE = 1 << 0,
	CMD_READONLY = 1 << 1,
	CMD_DENYOOM = 1 << 2, /* refused when maxmemory is reached */
	CMD_ADMIN = 1 << 3,
	CMD_FAST = 1 << 4,
	CMD_NOSCRIPT = 1 << 5,
	CMD_LOADING = 1 << 6, /* allowed while loading */
	CMD_STALE = 1 << 7,
	CMD_NO_AUTH = 1 << 8, /* allowed before authentication */
	CMD_SKIP_MONITOR = 1 << 9,
	CMD_SKIP_SLOWLOG = 1 << 10,
	CMD_BLOCKING = 1 << 11,
	CMD_PUBSUB = 1 << 12,
	CMD_NO_MULTI = 1 << 13,
	CMD_PROTECTED = 1 << 14, /* enable-debug-command and its kind */
	CMD_FREES = 1 << 15, /* goes on while the disk is short of room */
	CMD_MOVABLE_KEYS = 1 << 16, /* get_keys finds them */
	CMD_ALLOW_BUSY = 1 << 17,
	CMD_TOUCHES_ARBITRARY_KEYS = 1 << 18,
	CMD_NO_ASYNC_LOADING = 1 << 19,
	CMD_SENTINEL = 1 << 20,
	CMD_STATISTICS = 1 << 22, /* not gated: shows no state */
	CMD_CONTAINER = 1 << 23,  /* has sub-commands */
	CMD_REDACT = 1 << 24,     /* arguments never shown (AUTH, HELLO) */
};

enum command_group {
	GROUP_GENERIC, GROUP_STRING, GROUP_LIST, GROUP_SET, GROUP_SORTED_SET,
	GROUP_HASH, GROUP_PUBSUB, GROUP_TRANSACTIONS, GROUP_CONNECTION,
	GROUP_SERVER, GROUP_SCRIPTING, GROUP_HYPERLOGLOG, GROUP_CLUSTER,
	GROUP_GEO, GROUP_STREAM, GROUP_BITMAP,
};

/* What a key argument is used for, for COMMAND GETKEYSANDFLAGS. */
enum key_flags {
	KEY_RO = 1, KEY_RW = 2, KEY_OW = 4, KEY_RM = 8, KEY_ACCESS = 16,
	KEY_UPDATE = 32, KEY_INSERT = 64, KEY_DELETE = 128,
	KEY_VARIABLE = 256, /* the arguments decide: key_flags_of */
};

typedef void command_fn(struct cmd *c);

/* For CMD_MOVABLE_KEYS: writes the indexes of key arguments to out (room for
 * argc) and returns how many, or -1 if the arguments make no sense. */
typedef int command_keys_fn(const struct slice *argv, unsigned argc,
			    unsigned *out);

/*
 * The grammar of `arguments`, from which COMMAND DOCS and redis-cli's hints
 * come.  Items are separated by one blank:
 *
 *   name          a value; its type follows from the name: key, newkey,
 *                 destination, source (and numbered: key1) are keys; pattern
 *                 is a pattern; count, seconds, offset … are integers;
 *                 anything else is a string
 *   name=type     with its type: string, integer, double, key, pattern, unix
 *                 (a time)
 *   WORD          a word to be written as it is; so are = ~ * and $
 *   WORD:item     a value (or "(a b)") behind that word
 *   [a|b]         at most one of these; [a b] one block
 *   <a|b>         exactly one of these
 *   (a b)         a block: these, in this order
 *   item...       once or more, also behind ], > and )
 *
 *   "key value [NX|XX] [GET] [EX:seconds|PX:milliseconds|KEEPTTL]"
 *   "(key value)..."   "[MATCH:pattern] [COUNT:count]"
 *   "[LIMIT:(offset count)]"
 */
struct command {
	const char *name;   /* lower case; sub-command "client|list" */
	command_fn *handler; /* NULL for a pure container */
	int arity;          /* as Redis counts: negative = at least */
	uint32_t flags;
	uint8_t group;
	/* Arguments that are keys; first_key 0: none. In a row last_key and
	 * key_step may be left out: the first alone, and one after the other.
	 * last_key -1: the last argument. */
	int8_t first_key, last_key, key_step;
	uint16_t key_flags;
	uint16_t rest_flags; /* of keys behind the first; 0: the same */
	command_keys_fn *get_keys;
	const char *since;
	const char *deprecated; /* since when others should be used; or NULL */
	const char *complexity;
	const char *summary;
	const char *arguments; /* see the grammar above; NULL: none */
	/* Filled by commands_init: */
	uint16_t number; /* index in the joined table */
	uint16_t name_size;
	bool is_part; /* a sub-command: "client|list" */
};

/* Counters per command, by number; INFO commandstats. */
struct command_stats {
	uint64_t calls;
	uint64_t nsec; /* INFO shows microseconds */
	uint64_t rejected;
	uint64_t failed;
};

/* Joins the tables; once, at start. */
void commands_init(void);
size_t commands_count(void); /* rows, sub-commands included */
struct command *command_at(size_t number);

/* The row for argv[0] (and argv[1] of a container); NULL if unknown.
 * *container gets the container's row when argv[1] is what is unknown. */
struct command *command_lookup(const struct slice *argv, unsigned argc,
			       struct command **container);
struct command *command_by_name(struct slice full_name);

/* The tables that commands.c joins, one per command_<name>.c; each ends with a
 * row without a name. */
#define COMMAND_TABLES(X) \
	X(string) \
	X(bitmap) \
	X(key) \
	X(connection) \
	X(server) \
	X(scripting) \
	X(hll) \
	X(set) \
	X(zset) \
	X(geo) \
	X(hash) \
	X(stream) \
	X(dump) \
	X(zset_store) \
	X(list) \
	X(sort)

#define X(name) extern struct command commands_##name[];
COMMAND_TABLES(X)
#undef X

#endif
