/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MEMORY: what a key takes, what everything takes, and what looks wrong.
 */
#include "engine/cmd_server.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/slab.h"
#include "engine/info.h"
#include "engine/value_ops.h"

/* Of the table, per key: a slot of 8 bytes in buckets about 0.8 full, and its
 * share of an item in the deadline index. */
#define SLOT_BYTES 10
#define DEADLINE_BYTES 8

void cmd_memory_usage(struct cmd *c)
{
	const struct entry *e;
	int64_t samples;
	unsigned i;

	for (i = 3; i < c->argc; i += 2) {
		if (!arg_is(c, i, "samples") || i + 1 == c->argc) {
			reply_syntax_error(c);
			return;
		}
		if (!arg_i64(c, i + 1, &samples))
			return;
		if (samples < 0) {
			reply_syntax_error(c);
			return;
		}
	}
	e = lookup_read(c, c->argv[2]);
	if (!e) {
		reply_null(c);
		return;
	}
	reply_i64(c, (int64_t)(value_ops(e)->memory(e) + SLOT_BYTES +
			       (entry_deadline(e) ? DEADLINE_BYTES : 0)));
}

struct figures {
	size_t used, peak, startup, overhead, keys;
	uint64_t log_pending, clients;
	struct mem_stats allocator;
	struct info_process process;
};

static struct figures measure(const struct engine *e)
{
	struct figures f = { 0 };
	const struct session *s;
	struct wal_stats w;

	f.used = mem_used();
	f.peak = f.used > e->stats.memory_peak ? f.used :
						 e->stats.memory_peak;
	f.startup = e->startup_memory;
	f.overhead = keyspace_overhead(&e->ks) + f.startup;
	f.keys = keyspace_count(&e->ks);
	wal_stats(e->wal, &w);
	f.log_pending = w.pending_bytes;
	for (s = e->sessions; s && e->host.figures; s = s->next) {
		struct session_figures n = { 0 };

		e->host.figures(e->host.ctx, (struct session *)s, &n);
		f.clients += n.memory;
	}
	mem_stats(&f.allocator);
	info_process(&f.process);
	return f;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void pair_i64(struct cmd *c, const char *name, int64_t v)
{
	reply_bulk_str(c, name);
	reply_i64(c, v);
}

static void pair_double(struct cmd *c, const char *name, double v)
{
	reply_bulk_str(c, name);
	reply_double(c, v);
}

static void reply_dbs(struct cmd *c)
{
	uint32_t i;

	for (i = 0; i < c->ks->db_count; i++) {
		const struct db *db = &c->ks->dbs[i];

		if (db->keys.count == 0)
			continue;
		reply_bulk_printf(c, "db.%u", i);
		reply_map(c, 2);
		pair_i64(c, "overhead.hashtable.main",
			 (int64_t)table_memory(&db->keys));
		pair_i64(c, "overhead.hashtable.expires", db->deadlines ?
			 (int64_t)wheel_memory(db->deadlines) : 0);
	}
}

static void reply_allocator(struct cmd *c, const struct figures *f)
{
	const struct mem_stats *m = &f->allocator;
	size_t resident = (size_t)f->process.resident_bytes;

	pair_i64(c, "allocator.allocated", (int64_t)m->allocated);
	pair_i64(c, "allocator.active", (int64_t)m->active);
	pair_i64(c, "allocator.resident", (int64_t)m->resident);
	pair_double(c, "allocator-fragmentation.ratio",
		    ratio((double)m->active, (double)m->allocated));
	pair_i64(c, "allocator-fragmentation.bytes",
		 (int64_t)m->active - (int64_t)m->allocated);
	pair_double(c, "allocator-rss.ratio",
		    ratio((double)m->resident, (double)m->active));
	pair_i64(c, "allocator-rss.bytes",
		 (int64_t)m->resident - (int64_t)m->active);
	pair_double(c, "rss-overhead.ratio",
		    ratio((double)resident, (double)m->resident));
	pair_i64(c, "rss-overhead.bytes",
		 (int64_t)resident - (int64_t)m->resident);
	pair_double(c, "fragmentation",
		    ratio((double)resident, (double)f->used));
	pair_i64(c, "fragmentation.bytes",
		 (int64_t)resident - (int64_t)f->used);
}

void cmd_memory_stats(struct cmd *c)
{
	struct figures f = measure(c->engine);
	size_t data = f.used > f.overhead ? f.used - f.overhead : 0;
	size_t dbs = 0;
	uint32_t i;

	for (i = 0; i < c->ks->db_count; i++)
		dbs += c->ks->dbs[i].keys.count > 0;
	reply_map(c, 27 + dbs);
	pair_i64(c, "peak.allocated", (int64_t)f.peak);
	pair_i64(c, "total.allocated", (int64_t)f.used);
	pair_i64(c, "startup.allocated", (int64_t)f.startup);
	pair_i64(c, "replication.backlog", 0);
	pair_i64(c, "clients.slaves", 0);
	pair_i64(c, "clients.normal", (int64_t)f.clients);
	pair_i64(c, "cluster.links", 0);
	pair_i64(c, "aof.buffer", (int64_t)f.log_pending);
	pair_i64(c, "lua.caches", 0);
	pair_i64(c, "functions.caches", 0);
	reply_dbs(c);
	pair_i64(c, "overhead.total", (int64_t)f.overhead);
	pair_i64(c, "keys.count", (int64_t)f.keys);
	pair_i64(c, "keys.bytes-per-key",
		 f.keys ? (int64_t)(data / f.keys) : 0);
	pair_i64(c, "dataset.bytes", (int64_t)data);
	pair_double(c, "dataset.percentage", 100 * ratio((double)data,
		    (double)(f.used > f.startup ? f.used - f.startup : 0)));
	pair_double(c, "peak.percentage",
		    100 * ratio((double)f.used, (double)f.peak));
	reply_allocator(c, &f);
}

void cmd_memory_doctor(struct cmd *c)
{
	struct figures f = measure(c->engine);
	struct buf out = { 0 };

	if (f.used < (5u << 20)) {
		buf_put_str(&out, "There is too little in memory to say "
				  "anything useful.\n");
	} else {
		if (ratio((double)f.peak, (double)f.used) > 1.5)
			buf_put_str(&out, "* The peak was more than half "
				"above what is in use now; pages may stay "
				"with the process. MEMORY PURGE gives back "
				"what can be given.\n");
		if (ratio((double)f.process.resident_bytes,
			  (double)f.used) > 1.4)
			buf_put_str(&out, "* The process holds over 1.4 times "
				"what is in use: fragmentation, or memory "
				"freed a moment ago.\n");
		if (f.process.memory_total &&
		    f.used > f.process.memory_total / 10 * 8)
			buf_put_str(&out, "* More than 80 % of the machine's "
				"memory is in use; set maxmemory before the "
				"system ends the process.\n");
		if (out.size == 0)
			buf_put_str(&out, "Nothing looks wrong.\n");
	}
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

void cmd_memory_purge(struct cmd *c)
{
	slab_purge();
	mem_purge();
	reply_ok(c);
}

void cmd_memory_malloc_stats(struct cmd *c)
{
	struct buf out = { 0 };
	struct slab_stats s;
	struct mem_stats m;

	mem_stats(&m);
	slab_stats(&s);
	buf_printf(&out, "allocator: %s\nallocated: %zu\nactive: %zu\n"
		   "resident: %zu\n", mem_allocator_name(), m.allocated,
		   m.active, m.resident);
	buf_printf(&out, "slab: %zu pages, %zu of them empty, %zu objects, "
		   "%zu bytes\n", s.pages, s.pages_free, s.objects,
		   s.bytes_used);
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}
