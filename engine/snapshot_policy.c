/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots by themselves.
 *
 * I1. The log is compacted when it has grown by as much as it would shrink:
 *     payload since the newest snapshot against that snapshot's size before
 *     compression.  Or when replaying it would take longer than the recovery
 *     target.  Both only above rewrite-min-size.  Or when padding has made
 *     its files many times as big as that: one client alone fills a block
 *     with each write.
 *     And when the disk runs short, while there is place for a snapshot.
 * I2. After a failure the next attempt waits, twice as long each time; who
 *     asks by a command does not wait.
 * I3. The worker pauses while commits take much longer than they do without
 *     it, and not at all while nobody commits.
 */
#include "engine/snapshot_policy.h"

#define LOOK_US 10000
#define ROOM_LOOK_US 500000
#define SHORT_SEGMENTS 4 /* of room: the log will have them soon */
#define RETRY_US UINT64_C(5000000)
#define RETRY_SHIFT_MAX 6
#define REPLAY_BYTES_PER_US 150.0 /* until measured */
#define MEASURED_BYTES_MIN (UINT64_C(32) << 20)
#define SLOWER_US 200 /* than twice the quiet sync: the disk is ours */
#define PAUSE_US_MAX 20000
#define FILES_SHARE 8   /* files this many times as big as they should be … */
#define PAYLOAD_SHARE 16 /* … with this part of rewrite-min-size in them */

void snapshot_policy_init(struct snapshot_policy *p)
{
	*p = (struct snapshot_policy){
		.replay_bytes_per_us = REPLAY_BYTES_PER_US,
		.room = UINT64_MAX,
	};
}

void snapshot_policy_measured(struct snapshot_policy *p, uint64_t bytes,
			      uint64_t us)
{
	if (bytes >= MEASURED_BYTES_MIN && us > 0)
		p->replay_bytes_per_us = (double)bytes / (double)us;
}

static void look_at_disk(struct snapshot_policy *p, const struct engine *e,
			 const struct wal_stats *st)
{
	int64_t room;

	if (e->now_us < p->next_room_us && st->segment_sequence == p->sequence)
		return;
	p->sequence = st->segment_sequence;
	p->next_room_us = e->now_us + ROOM_LOOK_US;
	room = e->io->ops->room(e->io, e->config->dir);
	p->room = room < 0 ? UINT64_MAX : (uint64_t)room;
}

void snapshot_policy_watch(struct snapshot_policy *p, const struct engine *e,
			   bool running)
{
	struct wal_stats st;
	uint32_t sync_us = 0, quiet;

	if (e->now_us < p->next_look_us)
		return;
	p->next_look_us = e->now_us + LOOK_US;
	if (wal_level(e->wal) == WAL_OFF)
		return;
	wal_stats(e->wal, &st);
	look_at_disk(p, e, &st);
	if (st.syncs != p->syncs)
		sync_us = st.sync_us_last < UINT32_MAX
				  ? (uint32_t)st.sync_us_last : UINT32_MAX;
	p->syncs = st.syncs;
	atomic_store(&p->sync_us, sync_us);
	quiet = atomic_load(&p->quiet_sync_us);
	if (sync_us != 0 && (!running || quiet == 0))
		atomic_store(&p->quiet_sync_us,
			     quiet ? quiet - quiet / 8 + sync_us / 8
				   : sync_us);
}

/* Whether the log's files are mostly padding, and too big. (I1) */
static bool files_have_grown(const struct config *c, const struct wal_stats *w,
			     uint64_t base)
{
	uint64_t min = (uint64_t)c->rewrite_min_size;
	uint64_t files = w->segments * (uint64_t)c->segment_size;

	return w->payload_since_retain > min / PAYLOAD_SHARE &&
	       files / FILES_SHARE > (base > min ? base : min);
}

/* A snapshot makes room for the log, but needs some first: it is taken while
 * there is, and given the rest up for when there is not. (I1) */
static bool disk_wants_it(const struct snapshot_policy *p,
			  const struct engine *e,
			  const struct snapshotter_status *st)
{
	uint64_t segment = (uint64_t)e->config->segment_size;
	uint64_t need = st->last_file_bytes + st->last_file_bytes / 4;
	struct wal_stats w;

	if (e->config->retain_on_full != RETAIN_DROP || p->room < need ||
	    p->room >= need + SHORT_SEGMENTS * segment ||
	    wal_level(e->wal) == WAL_OFF)
		return false;
	wal_stats(e->wal, &w);
	if (!w.is_short)
		return w.payload_since_retain >= segment &&
		       w.payload_since_retain >= st->last_raw_bytes / 2;
	/* engine/giveback.c has its turn first */
	return w.segments > 1 && w.retained_lsn >= st->last_lsn &&
	       st->last_lsn < e->position->last_lsn;
}

/* Compaction of the log. (I1) */
static bool log_has_grown(const struct snapshot_policy *p,
			  const struct engine *e,
			  const struct snapshotter_status *st)
{
	const struct config *c = e->config;
	struct wal_stats w;
	double payload, base = (double)st->last_raw_bytes;

	if (wal_level(e->wal) == WAL_OFF)
		return false;
	wal_stats(e->wal, &w);
	payload = (double)w.payload_since_retain;
	if (c->rewrite_percentage > 0 &&
	    files_have_grown(c, &w, st->last_raw_bytes))
		return true;
	if (payload == 0 || payload < (double)c->rewrite_min_size)
		return false;
	if (c->rewrite_percentage > 0 &&
	    payload >= base * (double)c->rewrite_percentage / 100)
		return true;
	return c->recovery_target_s > 0 &&
	       payload / p->replay_bytes_per_us >
		       (double)c->recovery_target_s * 1e6;
}

static bool save_rule_met(const struct engine *e,
			  const struct snapshotter_status *st)
{
	const struct config *c = e->config;
	uint64_t age_ms = e->now_ms > st->last_save_ms
				  ? e->now_ms - st->last_save_ms : 0;
	uint32_t i;

	for (i = 0; i < c->save_count; i++)
		if (e->stats.dirty >= c->save[i].changes &&
		    age_ms > c->save[i].seconds * 1000)
			return true;
	return false;
}

bool snapshot_policy_due(const struct snapshot_policy *p,
			 const struct engine *e,
			 const struct snapshotter_status *st,
			 enum snapshot_reason *reason)
{
	/* As often as the watch looks, and not while it has to wait. (I2) */
	if (p->next_look_us != e->now_us + LOOK_US ||
	    e->now_us < p->not_before_us)
		return false;
	if (disk_wants_it(p, e, st) || log_has_grown(p, e, st)) {
		*reason = SNAPSHOT_REWRITE;
		return true;
	}
	*reason = SNAPSHOT_BGSAVE;
	return save_rule_met(e, st);
}

void snapshot_policy_failed(struct snapshot_policy *p, uint64_t now_us)
{
	unsigned shift = p->failures < RETRY_SHIFT_MAX ? p->failures
						       : RETRY_SHIFT_MAX;

	p->failures++;
	p->not_before_us = now_us + (RETRY_US << shift);
}

void snapshot_policy_succeeded(struct snapshot_policy *p)
{
	p->failures = 0;
	p->not_before_us = 0;
}

unsigned snapshot_policy_pace(void *ctx, size_t bytes_written)
{
	struct snapshot_policy *p = ctx;
	uint32_t quiet = atomic_load(&p->quiet_sync_us);
	uint32_t sync_us = atomic_load(&p->sync_us);
	uint64_t pause;

	(void)bytes_written;
	if (sync_us < (uint64_t)quiet * 2 + SLOWER_US) /* I3 */
		return 0;
	pause = (uint64_t)sync_us * 4;
	return pause < PAUSE_US_MAX ? (unsigned)pause : PAUSE_US_MAX;
}
