/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session: what the engine knows of one client.  net/ embeds it in its
 * connection; tests make bare ones.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_SESSION_H
#define REDOUBT_ENGINE_SESSION_H

#include "base/buf.h"
#include "wal/batch.h"

struct cmd;
struct engine;
struct command;
struct session;

enum session_flags {
	SESSION_AUTHENTICATED = 1 << 0,
	SESSION_CLOSE_AFTER_REPLY = 1 << 1, /* QUIT, protocol error, KILL */
	SESSION_MONITOR = 1 << 2,
	SESSION_REPLY_OFF = 1 << 3,
	SESSION_REPLY_SKIP = 1 << 4,      /* this command's reply */
	SESSION_REPLY_SKIP_NEXT = 1 << 5, /* the one after CLIENT REPLY SKIP */
	SESSION_REPLY_MUTED = 7 << 3,     /* any of these three */
	SESSION_NO_EVICT = 1 << 6,
	SESSION_NO_TOUCH = 1 << 7,
	SESSION_UNIX = 1 << 8,   /* came by the Unix socket */
	SESSION_PARKED = 1 << 9, /* no further command until unparked */
	SESSION_CLOSING = 1 << 10,
	SESSION_INTERNAL = 1 << 11, /* not a client: tests, start-up */
	SESSION_CAN_REDIRECT = 1 << 12, /* CLIENT CAPA REDIRECT */
};

/* What a parked session waits for. */
struct session_wait {
	/* Asked after every turn; true: the wait is over and the reply has
	 * been written. timed_out says that deadline_us has passed, and then
	 * it must be true. */
	bool (*ready)(struct engine *, struct session *, bool timed_out);
	void (*cancel)(struct engine *, struct session *); /* may be NULL */
	uint64_t deadline_us; /* monotonic; 0 = none */
	uint64_t lsn;
	bool for_others; /* it is others who end it, perhaps never: who has
			    hung up waits no longer */
	int64_t number[3];
	void *data; /* its owner's */
};

struct session {
	uint64_t id;
	uint32_t db;
	uint32_t flags;
	uint8_t protocol; /* 2 or 3 */
	char *name;       /* CLIENT SETNAME; mem_strdup'd or NULL */
	char *lib_name;
	char *lib_version;
	char address[64]; /* peer, "127.0.0.1:50000" or "/path/sock:0" */
	size_t address_size; /* set by engine_add_session */
	char local_address[64];
	uint64_t created_ms;
	uint64_t active_ms; /* of the last bytes, either way */
	const struct command *last_command;
	uint64_t commands;
	uint64_t bytes_in, bytes_out; /* over the net */
	uint32_t auth_failures;

	struct buf *out; /* where replies go; net's output buffer */
	uint64_t gate;   /* running maximum: LSN that must be released before
			    the bytes now in out may leave */
	uint64_t write_lsn; /* of the last write, for CLIENT LSN; 0 = none */
	uint32_t write_epoch;

	struct origin_cache origins[4]; /* by command number */
	uint16_t origin_command[4];

	struct session_wait wait;
	struct session *next, *prev; /* the engine's list of all sessions */
	struct session *next_parked, *prev_parked;
};

/* Figures that only net/ knows, for CLIENT LIST. */
struct session_figures {
	int file;
	size_t query_size;      /* unparsed bytes */
	size_t query_free;
	size_t query_peak;
	size_t argv_bytes;
	size_t output_size;     /* bytes not yet sent */
	size_t output_entries;  /* gates waiting */
	size_t memory;          /* everything, bytes */
	bool readable, writable; /* registered for */
};

#endif
