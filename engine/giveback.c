/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   log short ─► trim: what stays read again and good,
 *      ▲               older snapshots removed, durably
 *      │                   │
 *      │                   ▼
 *      └── still ◄─ the log before them: recycled or removed
 *             │
 *             └─► drop: a new one, the only one (engine/snapshot_policy.c)
 *
 * What stays is the newest two; with retain-on-full drop, the newest.
 *
 * I1. What recovery needs stays: snapshots just found good and the log behind
 *     the older, or with fewer snapshots the whole log.
 * I2. The log is told when the removal is durable: an older snapshot that came
 *     back by a power cut would want the log that it covers no longer.
 * I3. If what would stay is not good all is left as it is: recovery can do
 *     without a newest snapshot as long as it has older ones.
 * I4. Under keep the older of two snapshots and the log since it never go.
 */
#include "engine/giveback.h"

#include "base/logline.h"
#include "base/mem.h"
#include "engine/snapshotter.h"
#include "snapshot/trim.h"

#define RETRY_US UINT64_C(60000000) /* after a failure */
#define KEEP_LEAST 2 /* I4 */

struct giveback {
	struct snapshot_trim *trim; /* NULL: none runs */
	uint64_t not_before_us;
	uint64_t newest_lsn; /* when the directory was looked at last */
	uint64_t second_lsn; /* of the snapshot before it then; 0: none */
};

struct giveback *giveback_new(void)
{
	return mem_calloc(1, sizeof(struct giveback));
}

void giveback_free(struct giveback *g)
{
	snapshot_trim_free(g->trim);
	mem_free(g);
}

/* How many stay when the disk is short. */
static unsigned keep_when_short(const struct engine *e)
{
	int64_t keep = e->config->retain_snapshots;

	if (e->config->retain_on_full == RETAIN_DROP)
		return 1;
	return keep < KEEP_LEAST ? (unsigned)keep : KEEP_LEAST;
}

unsigned giveback_keep(const struct engine *e)
{
	return wal_short(e->wal) ? keep_when_short(e)
				 : (unsigned)e->config->retain_snapshots;
}

static void start(struct engine *e)
{
	struct snapshot_trim_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.keep = keep_when_short(e),
		.threads = e->threads,
		.completions = e->threads ? &e->completions : NULL,
	};

	log_line(LOG_LEVEL_NOTICE, "The disk is short: looking whether the "
		 "newest %s good, to do without older ones",
		 o.keep == 1 ? "snapshot is" : "two snapshots are");
	e->giveback->trim = snapshot_trim_start(&o);
}

static void finish(struct engine *e, enum snapshot_state state,
		   const struct err_message *m)
{
	struct giveback *g = e->giveback;
	struct snapshotter_status st;

	if (state == SNAPSHOT_DONE) {
		uint64_t lsn = snapshot_trim_lsn(g->trim);

		snapshotter_status(e, &st);
		/* One whose name could not be made durable counts as failed,
		 * but it may be the newest; by now it is. */
		if (st.last_lsn < lsn)
			st.last_lsn = lsn;
		wal_retain(e->wal, lsn, st.last_lsn); /* I2 */
		g->newest_lsn = 0; /* look again */
		log_line(LOG_LEVEL_NOTICE, "Given back: what is older than "
			 "the snapshot at LSN %llu", (unsigned long long)lsn);
	} else {
		g->not_before_us = e->now_us + RETRY_US;
		log_line(LOG_LEVEL_WARNING, "Older snapshots and their log "
			 "stay, although the disk is short: %s", m->text);
	}
	snapshot_trim_free(g->trim);
	g->trim = NULL;
}

/* The LSN of the snapshot before the newest; 0: there is none. */
static uint64_t second_lsn(const struct engine *e, uint64_t newest_lsn)
{
	struct giveback *g = e->giveback;
	struct snapshot_name *names;
	int count;

	if (g->newest_lsn == newest_lsn)
		return g->second_lsn;
	count = snapshot_list(e->io, e->config->dir, &names, NULL);
	g->newest_lsn = newest_lsn;
	g->second_lsn = count >= 2 ? names[1].lsn : 0;
	mem_free(names);
	return g->second_lsn;
}

/* Whether older snapshots keep something of the log. */
static bool would_gain(const struct engine *e)
{
	struct snapshotter_status st;
	struct wal_stats w;

	snapshotter_status(e, &st);
	if (st.active || st.last_lsn == 0)
		return false;
	wal_stats(e->wal, &w);
	if (w.retained_lsn >= st.last_lsn)
		return false;
	return keep_when_short(e) == 1 ||
	       w.retained_lsn < second_lsn(e, st.last_lsn);
}

uint64_t giveback_step(struct engine *e)
{
	struct giveback *g = e->giveback;
	enum snapshot_state state;

	if (g->trim) {
		struct err_message m = { .text = "" };

		state = snapshot_trim_state(g->trim, &m);
		if (state == SNAPSHOT_RUNNING)
			return UINT64_MAX;
		finish(e, state, &m);
	}
	if (e->phase != ENGINE_SERVING || !wal_short(e->wal))
		return UINT64_MAX;
	if (e->now_us < g->not_before_us)
		return g->not_before_us;
	if (!would_gain(e))
		return UINT64_MAX;
	start(e);
	return e->threads ? UINT64_MAX : 0;
}
