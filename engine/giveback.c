/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   log short ─► trim: newest snapshot read again and good,
 *      ▲               older ones removed, durably
 *      │                   │
 *      │                   ▼
 *      └── still ◄─ the log before it: recycled or removed
 *             │
 *             └─► a new snapshot, the only one (engine/snapshot_policy.c)
 *
 * I1. What recovery needs stays: a snapshot just found good and the log behind
 *     it, or without a snapshot the whole log.
 * I2. The log is told when the removal is durable: an older snapshot that came
 *     back by a power cut would want the log that it covers no longer.
 * I3. A newest snapshot that is not good is left as it is, with all that is
 *     older: recovery can do without it.
 */
#include "engine/giveback.h"

#include "base/logline.h"
#include "base/mem.h"
#include "engine/snapshotter.h"
#include "snapshot/trim.h"

#define RETRY_US UINT64_C(60000000) /* after a failure */

struct giveback {
	struct snapshot_trim *trim; /* NULL: none runs */
	uint64_t not_before_us;
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

bool giveback_wanted(const struct engine *e)
{
	return e->config->retain_on_full == RETAIN_DROP && wal_short(e->wal);
}

static void start(struct engine *e)
{
	struct snapshot_trim_options o = {
		.io = e->io,
		.dir = e->config->dir,
		.threads = e->threads,
		.completions = e->threads ? &e->completions : NULL,
	};

	log_line(LOG_LEVEL_NOTICE, "The disk is short: looking whether the "
		 "newest snapshot is good, to do without older ones");
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
		wal_retain(e->wal, lsn, st.last_lsn); /* I2 */
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

/* Whether older snapshots keep something of the log. */
static bool would_gain(const struct engine *e)
{
	struct snapshotter_status st;
	struct wal_stats w;

	snapshotter_status(e, &st);
	if (st.active || st.last_lsn == 0)
		return false;
	wal_stats(e->wal, &w);
	return w.retained_lsn < st.last_lsn;
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
	if (e->phase != ENGINE_SERVING || !giveback_wanted(e))
		return UINT64_MAX;
	if (e->now_us < g->not_before_us)
		return g->not_before_us;
	if (!would_gain(e))
		return UINT64_MAX;
	start(e);
	return e->threads ? UINT64_MAX : 0;
}
