/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The directives: one row each.
 *
 * Names, aliases and ranges are those of Redis 7.2; a row marked INERT means
 * nothing here and is kept as text, so that files and clients that set it go
 * on working (docs/configuration.md says which and why).  Initial values are
 * read by the same code as a line of a file.
 *
 * I1. Rows are in order of name, without doubles, aliases included.
 * I2. The member at AT() has the C type that the row's type says.
 */
#include "engine/config_table.h"

#include "base/logline.h"
#include "wal/record.h"
#include "wal/recover.h"

#include <syslog.h>

static const struct directive_word yes_no_words[] = {
	{ "no", 0 }, { "yes", 1 }, { NULL, 0 },
};

static const struct directive_word acl_pubsub_words[] = {
	{ "allchannels", 1 }, { "resetchannels", 0 }, { NULL, 0 },
};

static const struct directive_word appendfsync_words[] = {
	{ "everysec", 1 }, { "always", 2 }, { "no", 0 }, { NULL, 0 },
};

static const struct directive_word endpoint_words[] = {
	{ "ip", 0 }, { "hostname", 1 }, { "unknown-endpoint", 2 }, { NULL, 0 },
};

static const struct directive_word protected_words[] = {
	{ "no", 0 }, { "yes", 1 }, { "local", 2 }, { NULL, 0 },
};

static const struct directive_word loglevel_words[] = {
	{ "debug", LOG_LEVEL_DEBUG }, { "verbose", LOG_LEVEL_VERBOSE },
	{ "notice", LOG_LEVEL_NOTICE }, { "warning", LOG_LEVEL_WARNING },
	{ "nothing", LOG_LEVEL_NOTHING }, { NULL, 0 },
};

static const struct directive_word policy_words[] = {
	{ "volatile-lru", POLICY_VOLATILE_LRU },
	{ "volatile-lfu", POLICY_VOLATILE_LFU },
	{ "volatile-random", POLICY_VOLATILE_RANDOM },
	{ "volatile-ttl", POLICY_VOLATILE_TTL },
	{ "allkeys-lru", POLICY_ALLKEYS_LRU },
	{ "allkeys-lfu", POLICY_ALLKEYS_LFU },
	{ "allkeys-random", POLICY_ALLKEYS_RANDOM },
	{ "noeviction", POLICY_NOEVICTION },
	{ NULL, 0 },
};

static const struct directive_word oom_words[] = {
	{ "no", 0 }, { "yes", 1 }, { "relative", 1 }, { "absolute", 2 },
	{ NULL, 0 },
};

static const struct directive_word propagation_words[] = {
	{ "ignore", 0 }, { "panic", 1 }, { "panic-on-replicas", 2 },
	{ NULL, 0 },
};

static const struct directive_word retain_words[] = {
	{ "drop", RETAIN_DROP },
	{ "keep", RETAIN_KEEP },
	{ NULL, 0 },
};

static const struct directive_word recovery_words[] = {
	{ "strict", RECOVERY_STRICT },
	{ "tolerate-tail", RECOVERY_TOLERATE_TAIL },
	{ NULL, 0 },
};

static const struct directive_word diskless_words[] = {
	{ "disabled", 0 }, { "on-empty-db", 1 }, { "swapdb", 2 }, { NULL, 0 },
};

static const struct directive_word version_words[] = {
	{ "strict", 0 }, { "relaxed", 1 }, { NULL, 0 },
};

static const struct directive_word sanitize_words[] = {
	{ "no", 0 }, { "yes", 1 }, { "clients", 2 }, { NULL, 0 },
};

static const struct directive_word supervised_words[] = {
	{ "upstart", 3 }, { "systemd", 2 }, { "auto", 1 }, { "no", 0 },
	{ NULL, 0 },
};

static const struct directive_word facility_words[] = {
	{ "user", LOG_USER }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 }, { NULL, 0 },
};

static const struct directive_word tls_auth_words[] = {
	{ "no", 0 }, { "yes", 1 }, { "optional", 2 }, { NULL, 0 },
};

#define BOOL DIRECTIVE_BOOL
#define NUMBER DIRECTIVE_NUMBER
#define ENUM DIRECTIVE_ENUM
#define TEXT DIRECTIVE_TEXT
#define WORDS DIRECTIVE_WORDS
#define SAVE DIRECTIVE_SAVE
#define OUTPUT_LIMIT DIRECTIVE_OUTPUT_LIMIT
#define PASSWORD DIRECTIVE_PASSWORD
#define SIGNAL DIRECTIVE_SIGNAL
#define EVENTS DIRECTIVE_EVENTS
#define PERCENTILES DIRECTIVE_PERCENTILES
#define OOM_VALUES DIRECTIVE_OOM_VALUES
#define REPLICAOF DIRECTIVE_REPLICAOF
#define DIR DIRECTIVE_DIR
#define REFUSED DIRECTIVE_REFUSED

#define FIXED DIRECTIVE_FIXED
#define GUARDED DIRECTIVE_GUARDED
#define MEMORY DIRECTIVE_MEMORY
#define PERCENT DIRECTIVE_PERCENT
#define OCTAL DIRECTIVE_OCTAL
#define SECRET DIRECTIVE_SECRET
#define NET DIRECTIVE_NET
#define NO_GET DIRECTIVE_NO_GET
#define OURS DIRECTIVE_OURS
#define OPTIONAL DIRECTIVE_OPTIONAL
#define LIST DIRECTIVE_LIST
#define HIDDEN DIRECTIVE_HIDDEN

#define INERT DIRECTIVE_INERT
#define AT(member) offsetof(struct config, member)

/* clang-format off */
const struct directive directives[] = {
	{ "acl-pubsub-default", NULL, ENUM, 0, INERT, "resetchannels", 0, 0,
	  acl_pubsub_words },
	{ "aclfile", NULL, REFUSED, FIXED, INERT, "", 0, 0, NULL },
	{ "acllog-max-len", NULL, NUMBER, 0, INERT, "128", 0, INT64_MAX, NULL },
	{ "active-defrag-cycle-max", NULL, NUMBER, 0, INERT, "25", 1,
	  99, NULL },
	{ "active-defrag-cycle-min", NULL, NUMBER, 0, INERT, "1", 1, 99, NULL },
	{ "active-defrag-cycle-us", NULL, NUMBER, 0, INERT, "500", 0,
	  100000, NULL },
	{ "active-defrag-ignore-bytes", NULL, NUMBER, MEMORY, INERT, "100mb", 1,
	  INT64_MAX, NULL },
	{ "active-defrag-max-scan-fields", NULL, NUMBER, 0, INERT, "1000", 1,
	  INT64_MAX, NULL },
	{ "active-defrag-threshold-lower", NULL, NUMBER, 0, INERT, "10", 0,
	  1000, NULL },
	{ "active-defrag-threshold-upper", NULL, NUMBER, 0, INERT, "100", 0,
	  1000, NULL },
	{ "active-expire-effort", NULL, NUMBER, 0, INERT, "1", 1, 10, NULL },
	{ "activedefrag", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "activerehashing", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "always-show-logo", NULL, BOOL, FIXED, INERT, "no", 0, 0, NULL },
	{ "aof-disable-auto-gc", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "aof-load-truncated", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "aof-rewrite-incremental-fsync", NULL, BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "aof-timestamp-enabled", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "aof-use-rdb-preamble", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "aof_rewrite_cpulist", "aof-rewrite-cpulist", TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "appenddirname", NULL, TEXT, FIXED, INERT, "appendonlydir",
	  0, 0, NULL },
	{ "appendfilename", NULL, TEXT, FIXED, INERT, "appendonly.aof",
	  0, 0, NULL },
	{ "appendfsync", NULL, ENUM, 0, AT(appendfsync), "always", 0, 0,
	  appendfsync_words },
	{ "appendonly", NULL, BOOL, 0, AT(appendonly), "yes", 0, 0, NULL },
	{ "auth-timeout", NULL, NUMBER, OURS, AT(auth_timeout_s), "10", 0,
	  86400, NULL },
	{ "auto-aof-rewrite-min-size", NULL, NUMBER, MEMORY,
	  AT(rewrite_min_size), "64mb", 0, INT64_MAX, NULL },
	{ "auto-aof-rewrite-percentage", NULL, NUMBER, 0,
	  AT(rewrite_percentage), "100", 0, INT32_MAX, NULL },
	{ "availability-zone", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "bgsave_cpulist", "bgsave-cpulist", TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "bind", NULL, WORDS, NET | LIST, AT(bind), "* -::*", 0, 0, NULL },
	{ "bind-source-addr", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "bio_cpulist", "bio-cpulist", TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "busy-reply-threshold", "lua-time-limit", NUMBER, 0, INERT, "5000", 0,
	  INT64_MAX, NULL },
	{ "client-output-buffer-limit", NULL, OUTPUT_LIMIT, LIST, INERT,
	  "normal 1gb 256mb 60 slave 256mb 64mb 60 pubsub 32mb 8mb 60",
	  0, 0, NULL },
	{ "client-query-buffer-limit", NULL, NUMBER, MEMORY,
	  AT(query_buffer_limit), "1gb", 1048576, INT64_MAX, NULL },
	{ "cluster-allow-pubsubshard-when-down", NULL, BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "cluster-allow-reads-when-down", NULL, BOOL, 0, INERT, "no",
	  0, 0, NULL },
	{ "cluster-allow-replica-migration", NULL, BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "cluster-announce-bus-port", NULL, NUMBER, 0, INERT, "0", 0,
	  65535, NULL },
	{ "cluster-announce-hostname", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "cluster-announce-human-nodename", NULL, TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "cluster-announce-ip", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "cluster-announce-port", NULL, NUMBER, 0, INERT, "0", 0,
	  65535, NULL },
	{ "cluster-announce-tls-port", NULL, NUMBER, 0, INERT, "0", 0,
	  65535, NULL },
	{ "cluster-compatibility-sample-ratio", NULL, NUMBER, 0, INERT, "0", 0,
	  100, NULL },
	{ "cluster-config-file", NULL, TEXT, FIXED, INERT, "nodes.conf",
	  0, 0, NULL },
	{ "cluster-enabled", NULL, BOOL, FIXED, INERT, "no", 0, 0, NULL },
	{ "cluster-link-sendbuf-limit", NULL, NUMBER, MEMORY, INERT, "0", 0,
	  INT64_MAX, NULL },
	{ "cluster-migration-barrier", NULL, NUMBER, 0, INERT, "1", 0,
	  INT32_MAX, NULL },
	{ "cluster-node-timeout", NULL, NUMBER, 0, INERT, "15000", 0,
	  INT64_MAX, NULL },
	{ "cluster-port", NULL, NUMBER, FIXED, INERT, "0", 0, 65535, NULL },
	{ "cluster-preferred-endpoint-type", NULL, ENUM, 0, INERT, "ip", 0, 0,
	  endpoint_words },
	{ "cluster-replica-no-failover", "cluster-slave-no-failover", BOOL, 0,
	  INERT, "no", 0, 0, NULL },
	{ "cluster-replica-validity-factor", "cluster-slave-validity-factor",
	  NUMBER, 0, INERT, "10", 0, INT32_MAX, NULL },
	{ "cluster-require-full-coverage", NULL, BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "cluster-slot-stats-enabled", NULL, BOOL, 0,
	  INERT, "no", 0, 0, NULL },
	{ "commandlog-large-reply-max-len", NULL, NUMBER, 0,
	  AT(large_reply_max_len), "128", 0, INT64_MAX, NULL },
	{ "commandlog-large-request-max-len", NULL, NUMBER, 0,
	  AT(large_request_max_len), "128", 0, INT64_MAX, NULL },
	{ "commandlog-reply-larger-than", NULL, NUMBER, 0,
	  AT(large_reply_bytes), "1048576", -1, INT64_MAX, NULL },
	{ "commandlog-request-larger-than", NULL, NUMBER, 0,
	  AT(large_request_bytes), "1048576", -1, INT64_MAX, NULL },
	{ "crash-log-enabled", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "crash-memcheck-enabled", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "create-store", NULL, ENUM, FIXED | OURS, AT(create_store), "yes",
	  0, 0, yes_no_words },
	{ "daemonize", NULL, BOOL, FIXED, AT(daemonize), "no", 0, 0, NULL },
	{ "databases", NULL, NUMBER, FIXED, AT(databases), "16", 1,
	  RECORD_DB_MAX, NULL },
	{ "dbfilename", NULL, TEXT, GUARDED, INERT, "dump.rdb", 0, 0, NULL },
	{ "dir", NULL, DIR, GUARDED, AT(dir), "./", 0, 0, NULL },
	{ "disable-thp", NULL, BOOL, FIXED, INERT, "yes", 0, 0, NULL },
	{ "dual-channel-replication-enabled", NULL, BOOL, 0, INERT, "no",
	  0, 0, NULL },
	{ "dynamic-hz", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "enable-debug-command", NULL, ENUM, FIXED, AT(enable_debug_command),
	  "no", 0, 0, protected_words },
	{ "enable-module-command", NULL, ENUM, FIXED, INERT, "no", 0, 0,
	  protected_words },
	{ "enable-protected-configs", NULL, ENUM, FIXED, INERT, "no", 0, 0,
	  protected_words },
	{ "extended-redis-compatibility", NULL, BOOL, 0,
	  INERT, "no", 0, 0, NULL },
	{ "hash-max-listpack-entries", "hash-max-ziplist-entries", NUMBER, 0,
	  AT(hash_packed_count_max), "512", 0, INT64_MAX, NULL },
	{ "hash-max-listpack-value", "hash-max-ziplist-value", NUMBER, MEMORY,
	  AT(hash_packed_value_max), "64", 0, INT64_MAX, NULL },
	{ "hide-user-data-from-log", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "hll-sparse-max-bytes", NULL, NUMBER, MEMORY, AT(hll_sparse_max),
	  "3000", 0, INT64_MAX, NULL },
	{ "hz", NULL, NUMBER, 0, AT(hz), "10", 0, INT32_MAX, NULL },
	{ "ignore-warnings", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "io-threads", NULL, NUMBER, FIXED, AT(io_threads), "1", 1,
	  128, NULL },
	{ "io-threads-do-reads", NULL, BOOL, FIXED, INERT, "no", 0, 0, NULL },
	{ "jemalloc-bg-thread", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "key-load-delay", NULL, NUMBER, HIDDEN, AT(key_load_delay_us), "0",
	  INT32_MIN, INT32_MAX, NULL },
	{ "latency-monitor-threshold", NULL, NUMBER, 0,
	  AT(latency_threshold_ms), "0", 0, INT64_MAX, NULL },
	{ "latency-tracking", NULL, BOOL, 0, AT(latency_tracking), "yes",
	  0, 0, NULL },
	{ "latency-tracking-info-percentiles", NULL, PERCENTILES, LIST, INERT,
	  "50 99 99.9", 0, 0, NULL },
	{ "lazyexpire-nested-arbitrary-keys", NULL, BOOL, HIDDEN, INERT, "yes",
	  0, 0, NULL },
	{ "lazyfree-lazy-eviction", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "lazyfree-lazy-expire", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "lazyfree-lazy-server-del", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "lazyfree-lazy-user-del", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "lazyfree-lazy-user-flush", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "lfu-decay-time", NULL, NUMBER, 0, INERT, "1", 0, INT32_MAX, NULL },
	{ "lfu-log-factor", NULL, NUMBER, 0, INERT, "10", 0, INT32_MAX, NULL },
	{ "list-compress-depth", NULL, NUMBER, 0, INERT, "0", 0,
	  INT32_MAX, NULL },
	{ "list-max-listpack-size", "list-max-ziplist-size", NUMBER, 0,
	  AT(list_max_listpack_size), "-2", INT32_MIN, INT32_MAX, NULL },
	{ "loading-process-events-interval-bytes", NULL, NUMBER, HIDDEN, INERT,
	  "2097152", 1024, INT32_MAX, NULL },
	{ "locale-collate", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "log-segment-size", NULL, NUMBER, MEMORY | FIXED | OURS,
	  AT(segment_size), "64mb", 65536, INT64_C(4) << 30, NULL },
	{ "logfile", NULL, TEXT, FIXED, AT(logfile), "", 0, 0, NULL },
	{ "loglevel", NULL, ENUM, 0, AT(loglevel), "notice", 0, 0,
	  loglevel_words },
	{ "masterauth", "primaryauth", TEXT, SECRET, INERT, "", 0, 0, NULL },
	{ "masteruser", "primaryuser", TEXT, 0, INERT, "", 0, 0, NULL },
	{ "max-new-connections-per-cycle", NULL, NUMBER, 0, INERT, "10", 1,
	  1000, NULL },
	{ "max-new-tls-connections-per-cycle", NULL, NUMBER, 0, INERT, "1", 1,
	  1000, NULL },
	{ "maxclients", NULL, NUMBER, NET, AT(maxclients), "10000", 1,
	  INT32_MAX, NULL },
	{ "maxmemory", NULL, NUMBER, MEMORY, AT(maxmemory), "0", 0,
	  INT64_MAX, NULL },
	{ "maxmemory-clients", NULL, NUMBER, MEMORY | PERCENT, INERT, "0", 0,
	  INT64_MAX, NULL },
	{ "maxmemory-eviction-tenacity", NULL, NUMBER, 0, INERT, "10", 0,
	  100, NULL },
	{ "maxmemory-policy", NULL, ENUM, 0, AT(maxmemory_policy), "noeviction",
	  0, 0, policy_words },
	{ "maxmemory-samples", NULL, NUMBER, 0, INERT, "5", 1,
	  INT32_MAX, NULL },
	{ "min-replicas-max-lag", "min-slaves-max-lag", NUMBER, 0, INERT, "10",
	  0, INT32_MAX, NULL },
	{ "min-replicas-to-write", "min-slaves-to-write", NUMBER, 0, INERT, "0",
	  0, INT32_MAX, NULL },
	{ "no-appendfsync-on-rewrite", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "notify-keyspace-events", NULL, EVENTS, 0, INERT, "", 0, 0, NULL },
	{ "oom-score-adj", NULL, ENUM, 0, INERT, "no", 0, 0, oom_words },
	{ "oom-score-adj-values", NULL, OOM_VALUES, LIST, INERT, "0 200 800",
	  0, 0, NULL },
	{ "pidfile", NULL, TEXT, FIXED, AT(pidfile), "", 0, 0, NULL },
	{ "port", NULL, NUMBER, NET, AT(port), "6379", 0, 65535, NULL },
	{ "prefetch-batch-max-size", NULL, NUMBER, 0,
	  INERT, "16", 0, 128, NULL },
	{ "proc-title-template", NULL, TEXT, 0, AT(proc_title_template),
	  "{title} {listen-addr} {server-mode}", 0, 0, NULL },
	{ "propagation-error-behavior", NULL, ENUM, 0, INERT, "ignore", 0, 0,
	  propagation_words },
	{ "protected-mode", NULL, BOOL, 0, AT(protected_mode), "yes",
	  0, 0, NULL },
	{ "proto-max-bulk-len", NULL, NUMBER, MEMORY, AT(proto_max_bulk_len),
	  "512mb", 1048576, INT64_MAX, NULL },
	{ "rdb-del-sync-files", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "rdb-key-save-delay", NULL, NUMBER, HIDDEN, INERT, "0", INT32_MIN,
	  INT32_MAX, NULL },
	{ "rdb-save-incremental-fsync", NULL, BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "rdb-version-check", NULL, ENUM, 0, INERT, "strict", 0, 0,
	  version_words },
	{ "rdbchecksum", NULL, BOOL, FIXED, INERT, "yes", 0, 0, NULL },
	{ "rdbcompression", NULL, BOOL, 0, AT(rdb_compression), "yes",
	  0, 0, NULL },
	{ "recovery-mode", NULL, ENUM, FIXED | OURS, AT(recovery_mode),
	  "strict", 0, 0, recovery_words },
	{ "recovery-target", NULL, NUMBER, OURS, AT(recovery_target_s), "5", 0,
	  86400, NULL },
	{ "rename-command", NULL, REFUSED, NO_GET, INERT, "", 0, 0, NULL },
	{ "repl-backlog-size", NULL, NUMBER, MEMORY, INERT, "1mb", 1,
	  INT64_MAX, NULL },
	{ "repl-backlog-ttl", NULL, NUMBER, 0, INERT, "3600", 0,
	  INT64_MAX, NULL },
	{ "repl-disable-tcp-nodelay", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "repl-diskless-load", NULL, ENUM, 0, INERT, "disabled", 0, 0,
	  diskless_words },
	{ "repl-diskless-sync", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "repl-diskless-sync-delay", NULL, NUMBER, 0, INERT, "5", 0,
	  INT32_MAX, NULL },
	{ "repl-diskless-sync-max-replicas", NULL, NUMBER, 0, INERT, "0", 0,
	  INT32_MAX, NULL },
	{ "repl-ping-replica-period", "repl-ping-slave-period", NUMBER, 0,
	  INERT, "10", 1, INT32_MAX, NULL },
	{ "repl-timeout", NULL, NUMBER, 0, INERT, "60", 1, INT32_MAX, NULL },
	{ "replica-announce-ip", "slave-announce-ip", TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "replica-announce-port", "slave-announce-port", NUMBER, 0, INERT, "0",
	  0, 65535, NULL },
	{ "replica-announced", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "replica-full-sync-buffer-limit", NULL, NUMBER, MEMORY, INERT, "0", 0,
	  INT64_MAX, NULL },
	{ "replica-ignore-disk-write-errors", NULL, BOOL, 0, INERT, "no",
	  0, 0, NULL },
	{ "replica-ignore-maxmemory", "slave-ignore-maxmemory", BOOL, 0, INERT,
	  "yes", 0, 0, NULL },
	{ "replica-lazy-flush", "slave-lazy-flush", BOOL, 0, INERT, "no",
	  0, 0, NULL },
	{ "replica-priority", "slave-priority", NUMBER, 0, INERT, "100", 0,
	  INT32_MAX, NULL },
	{ "replica-read-only", "slave-read-only", BOOL, 0, INERT, "yes",
	  0, 0, NULL },
	{ "replica-serve-stale-data", "slave-serve-stale-data", BOOL, 0, INERT,
	  "yes", 0, 0, NULL },
	{ "replicaof", "slaveof", REPLICAOF, FIXED | LIST, INERT, "",
	  0, 0, NULL },
	{ "requirepass", NULL, PASSWORD, SECRET | OPTIONAL,
	  AT(requirepass_hash), "", 0, 0, NULL },
	{ "retain-on-full", NULL, ENUM, OURS, AT(retain_on_full), "keep", 0, 0,
	  retain_words },
	{ "retain-snapshots", NULL, NUMBER, OURS, AT(retain_snapshots), "2", 1,
	  1000, NULL },
	{ "sanitize-dump-payload", NULL, ENUM, 0, INERT, "no", 0, 0,
	  sanitize_words },
	{ "save", NULL, SAVE, LIST, INERT, "", 0, 0, NULL },
	{ "server_cpulist", "server-cpulist", TEXT, 0, INERT, "",
	  0, 0, NULL },
	{ "set-max-intset-entries", NULL, NUMBER, 0,
	  AT(set_intset_entries), "512", 0, INT64_MAX, NULL },
	{ "set-max-listpack-entries", NULL, NUMBER, 0,
	  AT(set_listpack_entries), "128", 0, INT64_MAX, NULL },
	{ "set-max-listpack-value", NULL, NUMBER, 0,
	  AT(set_listpack_value), "64", 0, INT64_MAX, NULL },
	{ "set-proc-title", NULL, BOOL, FIXED, AT(set_proc_title), "yes",
	  0, 0, NULL },
	{ "shutdown-on-sigint", NULL, SIGNAL, LIST, AT(shutdown_on_sigint),
	  "default", 0, 0, NULL },
	{ "shutdown-on-sigterm", NULL, SIGNAL, LIST, AT(shutdown_on_sigterm),
	  "default", 0, 0, NULL },
	{ "shutdown-timeout", NULL, NUMBER, 0, AT(shutdown_timeout_s), "10", 0,
	  INT32_MAX, NULL },
	{ "slowlog-log-slower-than", "commandlog-execution-slower-than",
	  NUMBER, 0, AT(slowlog_slower_us), "10000", -1, INT64_MAX, NULL },
	{ "slowlog-max-len", "commandlog-slow-execution-max-len", NUMBER, 0,
	  AT(slowlog_max_len), "128", 0, INT64_MAX, NULL },
	{ "snapshot-zstd-level", NULL, NUMBER, OURS, AT(snapshot_level), "1", 1,
	  19, NULL },
	{ "socket-mark-id", NULL, NUMBER, FIXED, INERT, "0", 0,
	  UINT32_MAX, NULL },
	{ "stop-writes-on-bgsave-error", NULL, BOOL, 0,
	  AT(stop_writes_on_bgsave_error), "yes", 0, 0, NULL },
	{ "stream-idmp-duration", NULL, NUMBER, 0,
	  AT(stream_idmp_duration_s), "100", 1, 86400, NULL },
	{ "stream-idmp-maxsize", NULL, NUMBER, 0,
	  AT(stream_idmp_maxsize), "100", 1, 10000, NULL },
	{ "stream-node-max-bytes", NULL, NUMBER, MEMORY,
	  AT(stream_node_bytes), "4kb", 0, INT64_MAX, NULL },
	{ "stream-node-max-entries", NULL, NUMBER, 0,
	  AT(stream_node_entries), "100", 0, INT64_MAX, NULL },
	{ "supervised", NULL, ENUM, FIXED, AT(supervised), "no", 0, 0,
	  supervised_words },
	{ "syslog-enabled", NULL, BOOL, FIXED, AT(syslog_enabled), "no",
	  0, 0, NULL },
	{ "syslog-facility", NULL, ENUM, FIXED, AT(syslog_facility), "local0",
	  0, 0, facility_words },
	{ "syslog-ident", NULL, TEXT, FIXED, AT(syslog_ident), "redoubt",
	  0, 0, NULL },
	{ "tcp-backlog", NULL, NUMBER, FIXED, AT(tcp_backlog), "511", 0,
	  INT32_MAX, NULL },
	{ "tcp-keepalive", NULL, NUMBER, NET, AT(tcp_keepalive_s), "300", 0,
	  INT32_MAX, NULL },
	{ "timeout", NULL, NUMBER, 0, AT(timeout_s), "0", 0, INT32_MAX, NULL },
	{ "tls-auth-clients", NULL, ENUM, 0, INERT, "yes", 0, 0,
	  tls_auth_words },
	{ "tls-auto-reload-interval", NULL, NUMBER, 0, INERT, "0", 0,
	  INT32_MAX, NULL },
	{ "tls-ca-cert-dir", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-ca-cert-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-cert-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-ciphers", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-ciphersuites", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-client-cert-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-client-key-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-client-key-file-pass", NULL, TEXT, SECRET, INERT, "",
	  0, 0, NULL },
	{ "tls-cluster", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "tls-dh-params-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-key-file", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-key-file-pass", NULL, TEXT, SECRET, INERT, "", 0, 0, NULL },
	{ "tls-port", NULL, NUMBER, 0, INERT, "0", 0, 65535, NULL },
	{ "tls-prefer-server-ciphers", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "tls-protocols", NULL, TEXT, 0, INERT, "", 0, 0, NULL },
	{ "tls-replication", NULL, BOOL, 0, INERT, "no", 0, 0, NULL },
	{ "tls-session-cache-size", NULL, NUMBER, 0, INERT, "20480", 0,
	  INT32_MAX, NULL },
	{ "tls-session-cache-timeout", NULL, NUMBER, 0, INERT, "300", 0,
	  INT32_MAX, NULL },
	{ "tls-session-caching", NULL, BOOL, 0, INERT, "yes", 0, 0, NULL },
	{ "tracking-table-max-keys", NULL, NUMBER, 0, INERT, "1000000", 0,
	  INT64_MAX, NULL },
	{ "unixsocket", NULL, TEXT, FIXED | OPTIONAL, AT(unixsocket), "",
	  0, 0, NULL },
	{ "unixsocketperm", NULL, NUMBER, FIXED | OCTAL, AT(unixsocketperm),
	  "0", 0, 0777, NULL },
	{ "user", NULL, REFUSED, NO_GET, INERT, "", 0, 0, NULL },
	{ "wal-pending-max", NULL, NUMBER, MEMORY | FIXED | OURS,
	  AT(wal_pending_max), "64mb", 1048576, INT64_MAX, NULL },
	{ "zset-max-listpack-entries", "zset-max-ziplist-entries", NUMBER, 0,
	  AT(zset_packed_count_max), "128", 0, INT64_MAX, NULL },
	{ "zset-max-listpack-value", "zset-max-ziplist-value", NUMBER, MEMORY,
	  AT(zset_packed_value_max), "64", 0, INT64_MAX, NULL },
	{ NULL, NULL, 0, 0, 0, NULL, 0, 0, NULL },
};
/* clang-format on */

size_t directives_count(void)
{
	return ARRAY_LEN(directives) - 1;
}
