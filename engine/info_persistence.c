/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INFO: memory, persistence, stats, commandstats, errorstats.
 *
 * Redis' rdb_ fields tell of snapshots, its aof_ fields of the log; fields of
 * our own follow them.
 */
#include "engine/info.h"

#include "base/grave.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/slab.h"
#include "engine/config_table.h"
#include "engine/snapshotter.h"

#define ULL(n) ((unsigned long long)(n))

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void put_usage(const struct engine *e, const struct info_process *p,
		      struct buf *out)
{
	size_t used = mem_used();
	size_t peak = used > e->stats.memory_peak ? used :
						    e->stats.memory_peak;
	size_t overhead = keyspace_overhead(&e->ks) + GATE_SLOTS * 8;
	size_t data = used > overhead ? used - overhead : 0;

	info_bytes(out, "used_memory", used);
	info_bytes(out, "used_memory_rss", p->resident_bytes);
	info_bytes(out, "used_memory_peak", peak);
	info_line(out, "used_memory_peak_perc:%.2f%%",
		  ratio((double)used, (double)peak) * 100);
	info_line(out, "used_memory_overhead:%zu", overhead);
	info_line(out, "used_memory_startup:%zu", e->startup_memory);
	info_line(out, "used_memory_dataset:%zu", data);
	info_line(out, "used_memory_dataset_perc:%.2f%%",
		  ratio((double)data, (double)used) * 100);
}

static void put_nothing(struct buf *out, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		info_line(out, "%s:0", names[i]);
}

/* Difference of two sizes, which may be below zero. */
static long long beyond(uint64_t a, uint64_t b)
{
	return (long long)a - (long long)b;
}

static void put_allocator(const struct info_process *p,
			  const struct mem_stats *m, struct buf *out)
{
	uint64_t used = mem_used();

	info_line(out, "allocator_frag_ratio:%.2f",
		  ratio((double)m->active, (double)m->allocated));
	info_line(out, "allocator_frag_bytes:%lld",
		  beyond(m->active, m->allocated));
	info_line(out, "allocator_rss_ratio:%.2f",
		  ratio((double)m->resident, (double)m->active));
	info_line(out, "allocator_rss_bytes:%lld",
		  beyond(m->resident, m->active));
	info_line(out, "rss_overhead_ratio:%.2f",
		  ratio((double)p->resident_bytes, (double)m->resident));
	info_line(out, "rss_overhead_bytes:%lld",
		  beyond(p->resident_bytes, m->resident));
	info_line(out, "mem_fragmentation_ratio:%.2f",
		  ratio((double)p->resident_bytes, (double)used));
	info_line(out, "mem_fragmentation_bytes:%lld",
		  beyond(p->resident_bytes, used));
}

static void put_slab(struct buf *out)
{
	struct slab_stats s;

	slab_stats(&s);
	info_line(out, "slab_pages:%zu", s.pages);
	info_line(out, "slab_pages_free:%zu", s.pages_free);
	info_line(out, "slab_objects:%zu", s.objects);
	info_line(out, "slab_bytes:%zu", s.bytes_used);
}

static uint64_t client_memory(const struct engine *e)
{
	const struct session *s;
	uint64_t sum = 0;

	for (s = e->sessions; s && e->host.figures; s = s->next) {
		struct session_figures f = { 0 };

		e->host.figures(e->host.ctx, (struct session *)s, &f);
		sum += f.memory;
	}
	return sum;
}

void info_memory(const struct engine *e, struct buf *out)
{
	static const char *const scripts[] = {
		"used_memory_lua", "used_memory_vm_eval",
		"used_memory_scripts_eval", "number_of_cached_scripts",
		"number_of_functions", "number_of_libraries",
		"used_memory_vm_functions", "used_memory_vm_total",
		"used_memory_functions", "used_memory_scripts",
	};
	static const char *const replication[] = {
		"mem_not_counted_for_evict", "mem_replication_backlog",
		"mem_total_replication_buffers", "mem_clients_slaves",
		"mem_cluster_links", "mem_overhead_db_hashtable_rehashing",
	};
	const struct directive *policy;
	struct wal_stats w = { 0 };
	struct info_process p;
	struct mem_stats m;
	struct buf word = { 0 };

	info_process(&p);
	put_usage(e, &p, out);
	mem_stats(&m);
	info_line(out, "allocator_allocated:%zu", m.allocated);
	info_line(out, "allocator_active:%zu", m.active);
	info_line(out, "allocator_resident:%zu", m.resident);
	info_line(out, "allocator_muzzy:0");
	info_bytes(out, "total_system_memory", p.memory_total);
	put_nothing(out, scripts, ARRAY_LEN(scripts));
	info_line(out, "used_memory_lua_human:0B");
	info_line(out, "used_memory_vm_total_human:0B");
	info_line(out, "used_memory_scripts_human:0B");
	info_bytes(out, "maxmemory", (uint64_t)e->config->maxmemory);
	policy = directive_find(SLICE_LITERAL("maxmemory-policy"));
	directive_show(e->config, policy, &word);
	info_line(out, "maxmemory_policy:%.*s", (int)word.size,
		  (const char *)word.data);
	buf_release(&word);
	put_allocator(&p, &m, out);
	put_nothing(out, replication, ARRAY_LEN(replication));
	info_line(out, "mem_clients_normal:%llu", ULL(client_memory(e)));
	if (e->wal)
		wal_stats(e->wal, &w);
	info_line(out, "mem_aof_buffer:%llu", ULL(w.pending_bytes));
	info_line(out, "mem_allocator:%s", mem_allocator_name());
	info_line(out, "active_defrag_running:0");
	info_line(out, "lazyfree_pending_objects:%zu",
		  reaper_pending() + grave_pending());
	info_line(out, "lazyfreed_objects:%zu",
		  reaper_freed() + grave_done() - e->stats.freed_before);
	put_slab(out);
}

/* --- persistence -----------------------------------------------------------*/

static long long seconds_or_none(uint64_t us)
{
	return us == UINT64_MAX ? -1 : (long long)(us / 1000000);
}

static void put_snapshots(const struct engine *e,
			  const struct snapshotter_status *st, struct buf *out)
{
	info_line(out, "rdb_changes_since_last_save:%llu", ULL(e->stats.dirty));
	info_line(out, "rdb_bgsave_in_progress:%d",
		  st->active && st->reason == SNAPSHOT_BGSAVE);
	info_line(out, "rdb_last_save_time:%llu", ULL(st->last_save_ms / 1000));
	info_line(out, "rdb_last_bgsave_status:%s", st->last_ok ? "ok" : "err");
	info_line(out, "rdb_last_bgsave_time_sec:%lld",
		  seconds_or_none(st->last_us));
	info_line(out, "rdb_current_bgsave_time_sec:%lld",
		  st->active && st->reason == SNAPSHOT_BGSAVE ?
		  seconds_or_none(st->elapsed_us) : -1LL);
	info_line(out, "rdb_saves:%llu", ULL(st->completed));
	info_line(out, "rdb_last_cow_size:0");
	info_line(out, "rdb_last_load_keys_expired:0");
	info_line(out, "rdb_last_load_keys_loaded:%llu",
		  ULL(e->loaded_keys));
}

static void put_log(const struct engine *e, const struct snapshotter_status *st,
		    struct buf *out)
{
	bool on = e->wal && wal_level(e->wal) != WAL_OFF;
	bool rewrite = st->active && st->reason == SNAPSHOT_REWRITE;

	info_line(out, "aof_enabled:%d", on);
	info_line(out, "aof_rewrite_in_progress:%d", rewrite);
	info_line(out, "aof_rewrite_scheduled:0");
	info_line(out, "aof_last_rewrite_time_sec:%lld",
		  seconds_or_none(st->last_rewrite_us));
	info_line(out, "aof_current_rewrite_time_sec:%lld",
		  rewrite ? seconds_or_none(st->elapsed_us) : -1LL);
	info_line(out, "aof_last_bgrewrite_status:%s",
		  st->last_rewrite_ok ? "ok" : "err");
	info_line(out, "aof_rewrites:%llu", ULL(st->completed));
	info_line(out, "aof_rewrites_consecutive_failures:%d",
		  !st->last_rewrite_ok);
	/* a failed write of the log ends the process */
	info_line(out, "aof_last_write_status:ok");
	info_line(out, "aof_last_cow_size:0");
	info_line(out, "module_fork_in_progress:0");
	info_line(out, "module_fork_last_cow_size:0");
}

static void put_aof_sizes(const struct wal_stats *w,
			  const struct snapshotter_status *st, struct buf *out)
{
	info_line(out, "aof_current_size:%llu",
		  ULL(st->last_raw_bytes + w->payload_since_retain));
	info_line(out, "aof_base_size:%llu", ULL(st->last_raw_bytes));
	info_line(out, "aof_pending_rewrite:0");
	info_line(out, "aof_buffer_length:%llu", ULL(w->pending_bytes));
	info_line(out, "aof_pending_bio_fsync:0");
	info_line(out, "aof_delayed_fsync:0");
}

static void put_ours(const struct engine *e, const struct wal_stats *w,
		     const struct snapshotter_status *st, struct buf *out)
{
	static const char *const levels[] = { "off", "no", "everysec",
					      "always" };

	info_line(out, "log_level:%s", levels[wal_level(e->wal)]);
	info_line(out, "epoch:%u", e->position->epoch);
	info_line(out, "applied_lsn:%llu", ULL(e->ks.applied_lsn));
	info_line(out, "written_lsn:%llu", ULL(e->position->written_lsn));
	info_line(out, "durable_lsn:%llu", ULL(e->position->durable_lsn));
	info_line(out, "oldest_unsynced_ms:%llu", ULL(w->oldest_unsynced_ms));
	info_line(out, "log_payload_bytes:%llu", ULL(w->payload_bytes));
	info_line(out, "log_payload_since_snapshot:%llu",
		  ULL(w->payload_since_retain));
	info_line(out, "log_file_bytes:%llu", ULL(w->file_bytes));
	info_line(out, "log_segments:%u", w->segments);
	info_line(out, "log_spares:%u", w->spares);
	info_line(out, "log_sequence:%llu", ULL(w->segment_sequence));
	info_line(out, "log_room_bytes:%llu", ULL(w->room));
	info_line(out, "log_short:%d", w->is_short);
	info_line(out, "log_groups:%llu", ULL(w->groups));
	info_line(out, "log_inline_commits:%llu", ULL(w->inline_commits));
	info_line(out, "log_syncs:%llu", ULL(w->syncs));
	info_line(out, "log_sync_last_us:%llu", ULL(w->sync_us_last));
	info_line(out, "log_sync_max_us:%llu", ULL(w->sync_us_max));
	info_line(out, "snapshot_lsn:%llu", ULL(st->last_lsn));
	info_line(out, "snapshot_raw_bytes:%llu", ULL(st->last_raw_bytes));
	info_line(out, "snapshot_file_bytes:%llu", ULL(st->last_file_bytes));
	info_line(out, "snapshot_failed:%llu", ULL(st->failed));
	info_line(out, "snapshot_aborted:%llu", ULL(st->aborted));
	info_line(out, "snapshot_slice_max_us:%llu", ULL(st->max_slice_us));
}

static void put_loading(const struct engine *e, struct buf *out)
{
	uint64_t total = e->loading_total, done = e->loading_done;
	uint64_t spent = (e->now_ms - e->loading_start_ms) / 1000;
	uint64_t eta = done ? spent * (total > done ? total - done : 0) / done
			    : 1;

	info_line(out, "loading_start_time:%llu",
		  ULL(e->loading_start_ms / 1000));
	info_line(out, "loading_total_bytes:%llu", ULL(total));
	info_line(out, "loading_rdb_used_mem:%zu", mem_used());
	info_line(out, "loading_loaded_bytes:%llu", ULL(done));
	info_line(out, "loading_loaded_perc:%.2f",
		  ratio((double)done, (double)total) * 100);
	info_line(out, "loading_eta_seconds:%llu", ULL(eta));
}

void info_persistence(const struct engine *e, struct buf *out)
{
	bool loading = e->phase == ENGINE_LOADING;
	struct snapshotter_status st = { .last_ok = true,
					 .last_rewrite_ok = true,
					 .last_us = UINT64_MAX,
					 .last_rewrite_us = UINT64_MAX };
	struct wal_stats w = { 0 };

	if (e->snapshotter)
		snapshotter_status(e, &st);
	if (e->wal)
		wal_stats(e->wal, &w);
	info_line(out, "loading:%d", loading);
	info_line(out, "async_loading:0");
	info_line(out, "current_cow_peak:0");
	info_line(out, "current_cow_size:0");
	info_line(out, "current_cow_size_age:0");
	info_line(out, "current_fork_perc:%.2f",
		  ratio((double)st.keys_done, (double)st.keys_total) * 100);
	info_line(out, "current_save_keys_processed:%llu", ULL(st.keys_done));
	info_line(out, "current_save_keys_total:%llu", ULL(st.keys_total));
	put_snapshots(e, &st, out);
	put_log(e, &st, out);
	if (e->wal && wal_level(e->wal) != WAL_OFF)
		put_aof_sizes(&w, &st, out);
	if (loading)
		put_loading(e, out);
	if (e->wal && e->position)
		put_ours(e, &w, &st, out);
}

/* --- stats -----------------------------------------------------------------*/

static void put_traffic(const struct engine_stats *st, struct buf *out)
{
	info_line(out, "total_connections_received:%llu",
		  ULL(st->connections_received));
	info_line(out, "total_commands_processed:%llu",
		  ULL(st->commands_processed));
	info_line(out, "instantaneous_ops_per_sec:%.0f", st->ops_per_sec);
	info_line(out, "total_net_input_bytes:%llu", ULL(st->net_input_bytes));
	info_line(out, "total_net_output_bytes:%llu",
		  ULL(st->net_output_bytes));
	info_line(out, "total_net_repl_input_bytes:0");
	info_line(out, "total_net_repl_output_bytes:0");
	info_line(out, "instantaneous_input_kbps:%.2f", st->input_kbps);
	info_line(out, "instantaneous_output_kbps:%.2f", st->output_kbps);
	info_line(out, "instantaneous_input_repl_kbps:0.00");
	info_line(out, "instantaneous_output_repl_kbps:0.00");
	info_line(out, "rejected_connections:%llu",
		  ULL(st->connections_rejected));
}

static void put_loop(const struct engine *e, struct buf *out)
{
	const struct engine_stats *st = &e->stats;
	uint64_t nsec = 0;
	size_t i;

	for (i = 0; i < commands_count(); i++)
		nsec += e->command_stats[i].nsec;
	info_line(out, "eventloop_cycles:%llu", ULL(st->loop_turns));
	info_line(out, "eventloop_duration_sum:%llu", ULL(st->loop_us));
	info_line(out, "eventloop_duration_cmd_sum:%llu", ULL(nsec / 1000));
	info_line(out, "instantaneous_eventloop_cycles_per_sec:%.0f",
		  st->turns_per_sec);
	info_line(out, "instantaneous_eventloop_duration_usec:%.0f",
		  ratio(st->turn_us_per_sec, st->turns_per_sec));
}

void info_stats(const struct engine *e, struct buf *out)
{
	static const char *const before[] = {
		"sync_full", "sync_partial_ok", "sync_partial_err",
	};
	static const char *const after[] = {
		"pubsub_channels", "pubsub_patterns", "pubsubshard_channels",
		"latest_fork_usec", "total_forks", "migrate_cached_sockets",
		"slave_expires_tracked_keys", "active_defrag_hits",
		"active_defrag_misses", "active_defrag_key_hits",
		"active_defrag_key_misses", "total_active_defrag_time",
		"current_active_defrag_time", "tracking_total_keys",
		"tracking_total_items", "tracking_total_prefixes",
		"unexpected_error_replies",
	};
	const struct engine_stats *st = &e->stats;

	put_traffic(st, out);
	put_nothing(out, before, ARRAY_LEN(before));
	info_line(out, "expired_keys:%llu", ULL(st->expired_keys));
	info_line(out, "expired_subkeys:%llu", ULL(st->expired_fields));
	info_line(out, "expired_fields:%llu", ULL(st->expired_fields));
	info_line(out, "expired_stale_perc:0.00");
	info_line(out, "expired_time_cap_reached_count:0");
	info_line(out, "expire_cycle_cpu_milliseconds:0");
	info_line(out, "evicted_keys:%llu", ULL(st->evicted_keys));
	info_line(out, "evicted_clients:0");
	info_line(out, "evicted_scripts:0");
	info_line(out, "total_eviction_exceeded_time:0");
	info_line(out, "current_eviction_exceeded_time:0");
	info_line(out, "keyspace_hits:%llu", ULL(st->keyspace_hits));
	info_line(out, "keyspace_misses:%llu", ULL(st->keyspace_misses));
	put_nothing(out, after, ARRAY_LEN(after));
	info_line(out, "total_error_replies:%llu", ULL(st->error_replies));
	info_line(out, "dump_payload_sanitizations:0");
	info_line(out, "total_reads_processed:%llu", ULL(st->read_events));
	info_line(out, "total_writes_processed:%llu", ULL(st->write_events));
	info_line(out, "io_threaded_reads_processed:0");
	info_line(out, "io_threaded_writes_processed:0");
	info_line(out, "reply_buffer_shrinks:0");
	info_line(out, "reply_buffer_expands:0");
	put_loop(e, out);
	info_line(out, "acl_access_denied_auth:%llu", ULL(st->auth_failures));
	info_line(out, "acl_access_denied_cmd:0");
	info_line(out, "acl_access_denied_key:0");
	info_line(out, "acl_access_denied_channel:0");
	info_line(out, "acl_access_denied_db:0");
	info_line(out, "client_output_buffer_limit_disconnections:%llu",
		  ULL(st->output_limit_disconnections));
	info_line(out, "client_query_buffer_limit_disconnections:%llu",
		  ULL(st->query_limit_disconnections));
	info_line(out, "total_blocked:%llu", ULL(st->total_blocked));
	info_line(out, "loop_turn_max_cpu_us:%llu",
		  ULL(st->loop_turn_max_cpu_us));
}

void info_commandstats(const struct engine *e, struct buf *out)
{
	size_t i;

	for (i = 0; i < commands_count(); i++) {
		const struct command_stats *s = &e->command_stats[i];
		double usec = (double)s->nsec / 1000;

		if (s->calls == 0 && s->rejected == 0)
			continue;
		info_line(out, "cmdstat_%s:calls=%llu,usec=%llu,"
			  "usec_per_call=%.2f,rejected_calls=%llu,"
			  "failed_calls=%llu", command_at(i)->name,
			  ULL(s->calls), ULL(s->nsec / 1000),
			  ratio(usec, (double)s->calls), ULL(s->rejected),
			  ULL(s->failed));
	}
}

void info_errorstats(const struct engine *e, struct buf *out)
{
	size_t i;

	for (i = 0; i < ERROR_COUNTS_MAX && e->errors[i].count; i++)
		info_line(out, "errorstat_%s:count=%llu", e->errors[i].code,
			  ULL(e->errors[i].count));
}
