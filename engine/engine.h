/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: one thread, step-driven.  Owns the keyspace, the open batch, the
 * sessions' list, the snapshot in progress; holds the log.  Sockets are net's.
 *
 *   engine_new ─► engine_recover ─► engine_execute …
 *   engine_turn … ─► engine_stop
 *
 * One turn of the loop: engine_execute for what clients sent, then engine_turn
 * (expiry, snapshot slices, parked sessions, commit).  Everything the engine
 * does is a function of what it is called with and of its io.
 */
#ifndef REDOUBT_ENGINE_ENGINE_H
#define REDOUBT_ENGINE_ENGINE_H

#include "base/completion.h"
#include "engine/command.h"
#include "engine/config.h"
#include "engine/keyspace.h"
#include "engine/observe.h"
#include "engine/session.h"
#include "snapshot/snapshot.h"
#include "wal/wal.h"

#define GATE_SLOTS (1u << 20)
#define ENGINE_CHANCES 32
#define EXECUTE_AHEAD 16 /* commands parsed and prefetched together */

struct transfer; /* engine/transfer.h */

/* What the engine asks of whoever owns the sessions. */
struct engine_host {
	/* Bytes were appended to s->out outside of engine_execute. */
	void (*output_ready)(void *ctx, struct session *s);
	/* Ends the connection; after_reply: what is in out goes first. */
	void (*close)(void *ctx, struct session *s, bool after_reply);
	/* s may go on with its next command. */
	void (*unparked)(void *ctx, struct session *s);
	void (*figures)(void *ctx, struct session *s,
			struct session_figures *out);
	/* CONFIG SET changed a directive that net must act on: its name.
	 * False and a reason refuse the change. */
	bool (*reconfigure)(void *ctx, const char *directive,
			    struct err_message *m);
	/* The log cannot be written any more: ends the process at once with
	 * exit_code. Any thread. NULL: the message is logged, then _exit. */
	void (*fatal)(void *ctx, int exit_code, const char *message);
	/* Called now and then while loading, between records: answers those
	 * who ask. May be NULL. */
	void (*loading)(void *ctx);
	/* Ends the process when the loop gets there. */
	void (*stop)(void *ctx);
	/* Carries out an exchange with another server. False: cannot begin.
	 * NULL: there is no network. */
	bool (*transfer)(void *ctx, struct transfer *t);
	void *ctx;
};

/* Counters; net adds its own. Reset by CONFIG RESETSTAT where Redis does. */
struct engine_stats {
	uint64_t start_ms;
	uint64_t connections_received;
	uint64_t connections_rejected;
	uint64_t connections_now;
	uint64_t connections_unauthenticated;
	uint64_t commands_processed;
	uint64_t net_input_bytes;
	uint64_t net_output_bytes;
	uint64_t keyspace_hits;
	uint64_t keyspace_misses;
	uint64_t expired_keys;
	uint64_t expired_fields;
	uint64_t evicted_keys;
	uint64_t error_replies;
	uint64_t dirty;            /* records since the last snapshot */
	uint64_t auth_failures;
	uint64_t output_limit_disconnections;
	uint64_t query_limit_disconnections;
	uint64_t loop_turns, loop_us; /* without the waits between */
	uint64_t loop_turn_max_cpu_us;
	uint64_t read_events;
	uint64_t write_events;
	double ops_per_sec;        /* smoothed, by the cron */
	double input_kbps, output_kbps;
	double turns_per_sec, turn_us_per_sec;
	size_t memory_peak;
	size_t freed_before; /* big values, before CONFIG RESETSTAT */
	uint64_t total_blocked;
};

struct error_count {
	char code[24]; /* "ERR", "WRONGTYPE" … */
	uint64_t count;
};
#define ERROR_COUNTS_MAX 64

struct slowlog;      /* engine/slowlog.h */
struct latency;      /* engine/latency.h */
struct giveback;     /* engine/giveback.h */
struct migration;    /* engine/migrations.h */
struct snapshotter;  /* engine/snapshotter.h */
struct store_lock;   /* engine/recover.h */

enum engine_phase {
	ENGINE_LOADING,  /* recovery runs */
	ENGINE_SERVING,
	ENGINE_STOPPING,
};

struct engine {
	struct keyspace ks;
	struct wal *wal;
	const struct wal_position *position; /* of wal */
	struct config *config;
	struct io *io;
	struct engine_host host;
	struct observers observers;
	struct engine_stats stats;
	struct command_stats *command_stats; /* by command number */
	struct error_count errors[ERROR_COUNTS_MAX];
	struct slowlog *slowlog;
	struct latency *latency;
	struct snapshotter *snapshotter; /* NULL before engine_recover */
	struct giveback *giveback;
	struct store_lock *lock;         /* NULL before engine_lock */
	struct completion_queue completions;
	struct store_id store;
	enum engine_phase phase;
	bool threads; /* false: no helper threads, for step-driven tests */

	struct buf items;        /* engine/items.h: items_scratch */
	struct batch batch;      /* the open one; empty between commands */
	struct origin origin;    /* of the open batch */
	uint64_t *gates;         /* GATE_SLOTS LSNs by key hash */
	uint64_t released_lsn;   /* as of the last look at the log */
	uint64_t barrier_lsn;    /* of the last record that changed more than
				    one key: every reader depends on it */
	uint64_t slow_nsec;      /* a command this slow is worth a look: the
				    lower of slowlog and latency thresholds */
	uint64_t large_request, large_reply; /* likewise, in bytes */
	uint16_t lru_clock;      /* seconds, for access histories */
	uint32_t access_random;
	uint64_t chances[ENGINE_CHANCES]; /* random numbers */
	unsigned chance_count;            /* of them that are left */
	uint64_t cron_us;        /* when cron is due again */
	struct rate_base {
		uint64_t commands, input, output, turns, turn_us;
	} rate_base;             /* what the rates in stats started from */
	uint64_t now_ms;         /* wall clock, cached per turn */
	uint64_t now_us;         /* monotonic, cached per turn */
	uint64_t clock_held_until_ms; /* a step above 1 h: expiry waits */

	struct session *sessions; /* all, in order of id */
	struct session *sessions_last;
	size_t session_count;
	struct session *parked;
	size_t parked_count;
	struct migration *migrations; /* under way */
	size_t monitor_count;
	uint64_t next_session_id;
	uint64_t pause_until_us;  /* CLIENT PAUSE */
	bool pause_all;           /* else only writes */
	bool log_switching;       /* engine/log_switch.c holds writes */
	bool active_expire;       /* DEBUG SET-ACTIVE-EXPIRE */
	bool memory_short;        /* above maxmemory: DENYOOM is refused */
	uint8_t run_id[20];
	char run_id_hex[41];
	size_t startup_memory;   /* bytes in use before the first key */
	uint64_t loaded_keys;    /* by the last recovery */
	uint64_t loading_total, loading_done; /* bytes, for INFO */
	uint64_t loading_start_ms;
};

/* config and io outlive the engine. commands_init has run. */
struct engine *engine_new(struct config *config, struct io *io,
			  const struct engine_host *host);
void engine_free(struct engine *e);

/* Makes config->dir if it is not there, and locks it: from then on it is this
 * process' own. OK also if it is already; ERR_LOCKED: another one's. */
int engine_lock(struct engine *e, struct err_message *m);

/*
 * Locks, opens or creates the store in config->dir, rebuilds the view: newest
 * good snapshot, then the log.  OK, or a negative enum err whose exit code is
 * err_exit_code(); m is for the user.  Writes nothing before it has decided.
 */
int engine_recover(struct engine *e, struct err_message *m);

/* Adds a session (fields zeroed but out, address, flags) and gives it an id. */
void engine_add_session(struct engine *e, struct session *s);
/* Takes it out again: cancels its wait, forgets it everywhere. */
void engine_remove_session(struct engine *e, struct session *s);

/* A command parsed ahead. argv's bytes live until it has been executed. */
struct parsed_command {
	const struct slice *argv;
	unsigned argc;
	uint32_t db;             /* selected when parsed: a hint */
	struct command *command; /* set by engine_prefetch */
	uint64_t first_key_hash; /* likewise */
};

/* Looks up commands, hashes first keys, starts loading buckets and entries. */
void engine_prefetch(struct engine *e, struct parsed_command *commands,
		     unsigned count);

/* Executes one command: the reply is appended to s->out, s->gate is raised.
 * False: not executed, the session (or its writes) is parked; call again with
 * the same command after host.unparked. */
bool engine_execute(struct engine *e, struct session *s,
		    const struct parsed_command *p);

/* End of a turn: observers' sends, parked sessions, expiry, snapshot slices,
 * commit. idle: nothing was executed, background work may take longer. alone:
 * see wal.h. Returns when it wants to be called again at the latest, us on the
 * monotonic clock (0: at once). */
uint64_t engine_turn(struct engine *e, bool idle, bool alone);

/* Reads the clocks; at the start of each turn. */
void engine_clock(struct engine *e);

/* A random number of the system's, of which some are fetched at once. */
uint64_t engine_chance(struct engine *e);

/* Orderly end: snapshot if wanted, sync, seal. OK or negative enum err. */
int engine_stop(struct engine *e, bool save, struct err_message *m);

/* Takes over what the configuration says of slow commands and of how values
 * are held: after every change of it. */
void engine_configure(struct engine *e);

/* LSN up to which output may leave. */
static inline uint64_t engine_release_lsn(const struct engine *e)
{
	return wal_release_lsn(e->wal);
}

/* The batch of commands run outside of a session (expiry, eviction). */
void engine_batch_begin(struct engine *e, const struct origin *o);
void engine_emit(struct engine *e, struct record *r);
void engine_batch_end(struct engine *e);

#endif
