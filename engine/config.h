/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration: one table of directives (engine/config_table.c), in
 * redis.conf's form, on the command line, by CONFIG SET.
 *
 * A directive has a name, an optional older alias, a type, a default, whether
 * it can change at run time, and where its value lives in struct config.
 * Directives that mean nothing here are accepted, stored and given back
 * (docs/configuration.md lists them).  Unknown ones are named, not fatal.
 */
#ifndef REDOUBT_ENGINE_CONFIG_H
#define REDOUBT_ENGINE_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

enum memory_policy {
	POLICY_NOEVICTION, POLICY_ALLKEYS_LRU, POLICY_VOLATILE_LRU,
	POLICY_ALLKEYS_LFU, POLICY_VOLATILE_LFU, POLICY_ALLKEYS_RANDOM,
	POLICY_VOLATILE_RANDOM, POLICY_VOLATILE_TTL,
};

/* What stands beyond the minimum when the disk is short. */
enum retain_on_full { RETAIN_DROP, RETAIN_KEEP };

struct save_rule {
	uint64_t seconds;
	uint64_t changes;
};

struct output_limit {
	uint64_t hard; /* bytes; 0 = none */
	uint64_t soft;
	uint64_t soft_seconds;
};

#define CONFIG_PERCENTILES_MAX 16

/* Texts are never NULL ("" is none) but where said. */
struct config {
	char *file; /* absolute path, NULL: none */
	/* net */
	char *bind; /* addresses, blank-separated */
	int64_t port, tcp_backlog, timeout_s, tcp_keepalive_s, maxclients;
	char *unixsocket; /* NULL: none */
	int64_t unixsocketperm;
	bool protected_mode;
	char *requirepass_hash; /* hex SHA-256; NULL: none */
	int64_t auth_timeout_s;
	struct output_limit output_normal, output_replica, output_pubsub;
	int64_t query_buffer_limit, proto_max_bulk_len;
	int64_t io_threads;
	/* process */
	char *dir, *logfile, *pidfile, *syslog_ident, *proc_title_template;
	int64_t loglevel; /* enum log_level */
	int64_t syslog_facility; /* LOG_LOCAL0 … of syslog.h */
	bool daemonize, syslog_enabled, set_proc_title;
	int64_t supervised; /* 0 no, 1 auto, 2 systemd, 3 upstart */
	int64_t databases;
	int64_t stream_node_bytes, stream_node_entries;
	int64_t stream_idmp_duration_s, stream_idmp_maxsize;
	/* log and snapshots */
	bool appendonly;
	int64_t appendfsync; /* 0 no, 1 everysec, 2 always */
	int64_t create_store; /* 0 no, 1 yes */
	int64_t segment_size, wal_pending_max;
	int64_t recovery_mode; /* enum recovery_mode */
	int64_t recovery_target_s;
	int64_t rewrite_percentage, rewrite_min_size;
	struct save_rule save[16];
	uint32_t save_count;
	bool save_given; /* by a line or an argument */
	bool stop_writes_on_bgsave_error;
	int64_t retain_snapshots;
	int64_t retain_on_full; /* enum retain_on_full */
	int64_t snapshot_level; /* of zstd */
	/* memory */
	int64_t maxmemory, maxmemory_policy;
	/* small collections */
	int64_t set_intset_entries, set_listpack_entries, set_listpack_value;
	int64_t hash_packed_count_max, hash_packed_value_max;
	int64_t zset_packed_count_max, zset_packed_value_max;
	int64_t list_max_listpack_size; /* see list_limits_of */
	/* engine */
	int64_t key_load_delay_us;
	int64_t hz, slowlog_slower_us, slowlog_max_len, latency_threshold_ms;
	int64_t large_request_bytes, large_request_max_len; /* -1: no limit */
	int64_t large_reply_bytes, large_reply_max_len;
	bool latency_tracking;
	bool rdb_compression; /* of strings in DUMP payloads */
	int64_t enable_debug_command; /* 0 no, 1 yes, 2 local */
	int64_t shutdown_timeout_s;
	uint32_t shutdown_on_sigterm, shutdown_on_sigint; /* bits: 1 save,
						2 nosave, 4 now, 8 force */
	int64_t hll_sparse_max; /* bytes */
	double percentiles[CONFIG_PERCENTILES_MAX]; /* INFO latencystats */
	uint32_t percentile_count;
	/* Directives that mean nothing here: their texts, by row number. */
	char **inert;
};

/* All defaults. Never fails. */
struct config *config_new(void);
void config_free(struct config *c);

/*
 * redis-server's command line as main has it, argv[0] being the program:
 * [file | -] [--directive value …].  Warnings (unknown directives and what is
 * not supported) are appended to warnings, one a line.  OK, or ERR_CONFIG
 * with m: the text that redis-server would print to stderr.
 */
int config_load(struct config *c, int argc, char **argv, struct buf *warnings,
		struct err_message *m);

/* One directive, as a configuration line has it. */
int config_set_line(struct config *c, struct slice line, struct buf *warnings,
		    struct err_message *m);

#endif
