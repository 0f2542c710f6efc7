/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INFO: server, clients, cpu, replication, modules, cluster, keyspace.
 *
 * Field names are those of Redis 7.2, because exporters and clients look for
 * them; what does not exist here is 0.
 */
#include "engine/info.h"

#include "base/num.h"
#include "base/version.h"
#include "engine/access.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ULL(n) ((unsigned long long)(n))

void info_bytes(struct buf *out, const char *name, uint64_t bytes)
{
	char human[32];

	num_format_human(human, sizeof(human), bytes);
	info_line(out, "%s:%llu", name, ULL(bytes));
	info_line(out, "%s_human:%s", name, human);
}

void info_process(struct info_process *out)
{
	uint64_t pages = 0, skip;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		unsigned long long total = 0, resident = 0;

		if (fscanf(f, "%llu %llu", &total, &resident) == 2)
			pages = resident;
		skip = total;
		(void)skip;
		fclose(f);
	}
	out->resident_bytes = pages * page;
	out->memory_total = (uint64_t)sysconf(_SC_PHYS_PAGES) * page;
}

static void put_executable(struct buf *out)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = 0;
	info_line(out, "executable:%s", path);
}

/* listener0:name=tcp,bind=127.0.0.1,bind=-::1,port=6379 */
static void put_listeners(const struct config *c, struct buf *out)
{
	struct buf line = { 0 };
	unsigned number = 0;
	const char *p;

	if (c->port) {
		buf_put_str(&line, "name=tcp,bind=");
		for (p = c->bind; *p; p++)
			if (*p == ' ')
				buf_put_str(&line, ",bind=");
			else
				buf_put_byte(&line, (uint8_t)*p);
		info_line(out, "listener%u:%.*s,port=%lld", number++,
			  (int)line.size, (const char *)line.data,
			  (long long)c->port);
		buf_release(&line);
	}
	if (c->unixsocket && *c->unixsocket)
		info_line(out, "listener%u:name=unix,bind=%s", number,
			  c->unixsocket);
}

void info_server(const struct engine *e, struct buf *out)
{
	static const char *const supervised[] = { "no", "auto", "systemd",
						  "upstart" };
	const struct config *c = e->config;
	uint64_t uptime = (e->now_ms - e->stats.start_ms) / 1000;
	struct utsname u;

	if (uname(&u))
		memset(&u, 0, sizeof(u));
	info_line(out, "redis_version:%s", REDIS_VERSION);
	info_line(out, "redis_git_sha1:00000000");
	info_line(out, "redis_git_dirty:0");
	info_line(out, "redis_build_id:0");
	info_line(out, "redis_mode:standalone");
	info_line(out, "server_name:%s", REDOUBT_NAME);
	info_line(out, "redoubt_version:%s", REDOUBT_VERSION);
	info_line(out, "os:%s %s %s", u.sysname, u.release, u.machine);
	info_line(out, "arch_bits:%zu", sizeof(void *) * 8);
	info_line(out, "monotonic_clock:POSIX clock_gettime");
	info_line(out, "multiplexing_api:epoll");
	info_line(out, "atomicvar_api:c11-builtin");
	info_line(out, "gcc_version:%d.%d.%d", __GNUC__, __GNUC_MINOR__,
		  __GNUC_PATCHLEVEL__);
	info_line(out, "process_id:%d", (int)getpid());
	info_line(out, "process_supervised:%s", supervised[c->supervised & 3]);
	info_line(out, "run_id:%s", e->run_id_hex);
	info_line(out, "tcp_port:%lld", (long long)c->port);
	info_line(out, "server_time_usec:%llu", ULL(e->now_ms * 1000));
	info_line(out, "uptime_in_seconds:%llu", ULL(uptime));
	info_line(out, "uptime_in_days:%llu", ULL(uptime / 86400));
	info_line(out, "hz:%lld", (long long)c->hz);
	info_line(out, "configured_hz:%lld", (long long)c->hz);
	info_line(out, "lru_clock:%llu", ULL(e->now_ms / 1000 & 0xffffff));
	put_executable(out);
	info_line(out, "config_file:%s", c->file ? c->file : "");
	info_line(out, "io_threads_active:0");
	put_listeners(c, out);
}

/* CLIENT PAUSE, in the words of Valkey. */
static void put_pause(const struct engine *e, struct buf *out)
{
	bool paused = e->pause_until_us > e->now_us;
	const char *what = e->pause_all ? "all" : "write";

	info_line(out, "paused_reason:%s", paused ? "client_pause" : "none");
	info_line(out, "paused_actions:%s", paused ? what : "none");
	info_line(out, "paused_timeout_milliseconds:%llu", paused ?
		  ULL((e->pause_until_us - e->now_us) / 1000) : 0);
}

void info_clients(const struct engine *e, struct buf *out)
{
	const struct engine_stats *st = &e->stats;
	uint64_t biggest_in = 0, biggest_out = 0;
	const struct session *s;

	for (s = e->sessions; s && e->host.figures; s = s->next) {
		struct session_figures f = { 0 };

		e->host.figures(e->host.ctx, (struct session *)s, &f);
		if (f.query_size > biggest_in)
			biggest_in = f.query_size;
		if (f.output_size > biggest_out)
			biggest_out = f.output_size;
	}
	info_line(out, "connected_clients:%llu", ULL(st->connections_now));
	info_line(out, "cluster_connections:0");
	info_line(out, "maxclients:%lld", (long long)e->config->maxclients);
	info_line(out, "client_recent_max_input_buffer:%llu", ULL(biggest_in));
	info_line(out, "client_recent_max_output_buffer:%llu",
		  ULL(biggest_out));
	info_line(out, "blocked_clients:%zu", e->parked_count);
	info_line(out, "tracking_clients:0");
	info_line(out, "clients_in_timeout_table:%zu", e->parked_count);
	info_line(out, "total_blocking_keys:0");
	info_line(out, "total_blocking_keys_on_nokey:0");
	info_line(out, "unauthenticated_clients:%llu",
		  ULL(st->connections_unauthenticated));
	info_line(out, "pubsub_clients:0");
	info_line(out, "watching_clients:0");
	info_line(out, "total_watched_keys:0");
	put_pause(e, out);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void info_cpu(const struct engine *e, struct buf *out)
{
	struct rusage self, children, thread;

	(void)e;
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	getrusage(RUSAGE_THREAD, &thread);
	info_line(out, "used_cpu_sys:%.6f", seconds(self.ru_stime));
	info_line(out, "used_cpu_user:%.6f", seconds(self.ru_utime));
	info_line(out, "used_cpu_sys_children:%.6f",
		  seconds(children.ru_stime));
	info_line(out, "used_cpu_user_children:%.6f",
		  seconds(children.ru_utime));
	info_line(out, "used_cpu_sys_main_thread:%.6f",
		  seconds(thread.ru_stime));
	info_line(out, "used_cpu_user_main_thread:%.6f",
		  seconds(thread.ru_utime));
}

void info_replication(const struct engine *e, struct buf *out)
{
	info_line(out, "role:master");
	info_line(out, "connected_slaves:0");
	info_line(out, "master_failover_state:no-failover");
	info_line(out, "master_replid:%s", e->run_id_hex);
	info_line(out, "master_replid2:%040d", 0);
	info_line(out, "master_repl_offset:%llu",
		  e->position ? ULL(e->position->last_lsn) : 0);
	info_line(out, "second_repl_offset:-1");
	info_line(out, "repl_backlog_active:0");
	info_line(out, "repl_backlog_size:0");
	info_line(out, "repl_backlog_first_byte_offset:0");
	info_line(out, "repl_backlog_histlen:0");
}

void info_modules(const struct engine *e, struct buf *out)
{
	(void)e;
	(void)out;
}

void info_cluster(const struct engine *e, struct buf *out)
{
	(void)e;
	info_line(out, "cluster_enabled:0");
}

/* The mean time to live of a sample of keys, ms. */
static uint64_t mean_ttl(const struct engine *e, const struct db *db)
{
	uint64_t sum = 0, random = e->now_us | 1;
	unsigned tries, found = 0;

	for (tries = 0; tries < 64 && found < 16; tries++) {
		const struct entry *entry;

		random = random * UINT64_C(6364136223846793005) + 1;
		entry = table_random(&db->keys, random ^ random >> 29);
		if (!entry || entry_deadline(entry) <= e->now_ms)
			continue;
		sum += entry_deadline(entry) - e->now_ms;
		found++;
	}
	return found ? sum / found : 0;
}

void info_keyspace(const struct engine *e, struct buf *out)
{
	uint32_t i;

	for (i = 0; i < e->ks.db_count; i++) {
		const struct db *db = &e->ks.dbs[i];

		if (db->keys.count == 0)
			continue;
		info_line(out, "db%u:keys=%zu,expires=%zu,avg_ttl=%llu", i,
			  db->keys.count, db->deadline_count,
			  db->deadline_count ? ULL(mean_ttl(e, db)) : 0);
	}
}
