/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine's life and its turn.
 *
 *   engine_clock ── commands … ── engine_turn:
 *     expiry ─ commit ─ what is released goes out ─
 *     parked sessions ─ background slices ─ when to come again
 *
 * I1. The engine never waits: a turn does bounded work.
 * I2. Nothing above release_lsn leaves: released_lsn is read from the log and
 *     never guessed.
 * I3. The wall clock is read once a turn.  A step of more than an hour against
 *     the monotonic clock is logged and believed only after CLOCK_HOLD_MS, so
 *     that a wrong clock does not expire a store.
 */
#include "engine/engine.h"

#include <assert.h>

#include "base/grave.h"
#include "base/logline.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/slab.h"
#include "base/tick.h"
#include "engine/access.h"
#include "engine/expire.h"
#include "engine/giveback.h"
#include "engine/migrations.h"
#include "engine/parked.h"
#include "engine/recover.h"
#include "engine/slowlog.h"
#include "engine/snapshotter.h"
#include "engine/value_ops.h"

#define CLOCK_STEP_MS (INT64_C(3600) * 1000)
#define CLOCK_HOLD_MS (UINT64_C(300) * 1000)
#define CRON_US 100000
#define BURY_BUCKETS 16
#define BURY_BUCKETS_IDLE 64
#define GRAVE_STEP 128 /* objects between looks at the clock */
#define GRAVE_US 100
#define GRAVE_IDLE_US 300
#define TRIM_PAGES 4
#define TRIM_PAGES_IDLE 16

static void make_run_id(struct engine *e)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	e->io->ops->random(e->io, e->run_id, sizeof(e->run_id));
	for (i = 0; i < sizeof(e->run_id); i++) {
		e->run_id_hex[2 * i] = digits[e->run_id[i] >> 4];
		e->run_id_hex[2 * i + 1] = digits[e->run_id[i] & 15];
	}
}

/* Where a log stands that is not yet there. */
static const struct wal_position nowhere;

struct engine *engine_new(struct config *config, struct io *io,
			  const struct engine_host *host)
{
	struct engine *e = mem_calloc(1, sizeof(*e));

	e->config = config;
	e->io = io;
	e->host = *host;
	e->gates = mem_calloc(GATE_SLOTS, sizeof(*e->gates));
	e->command_stats = mem_calloc(commands_count(),
				      sizeof(*e->command_stats));
	e->slowlog = slowlog_new();
	e->latency = latency_new();
	e->phase = ENGINE_LOADING;
	e->active_expire = true;
	e->next_session_id = 1;
	e->completions.event_file = -1;
	batch_init(&e->batch);
	io->ops->random(io, &e->access_random, sizeof(e->access_random));
	e->access_random |= 1;
	make_run_id(e);
	engine_configure(e);
	tick_calibrate();
	engine_clock(e);
	e->stats.start_ms = e->now_ms;
	e->position = &nowhere;
	e->snapshotter = snapshotter_new(e);
	e->giveback = giveback_new();
	e->startup_memory = mem_used();
	return e;
}

void engine_free(struct engine *e)
{
	assert(e->session_count == 0);
	snapshotter_free(e->snapshotter);
	giveback_free(e->giveback);
	if (e->wal)
		wal_abandon(e->wal);
	store_unlock(e->lock);
	if (e->ks.dbs)
		keyspace_release(&e->ks);
	slowlog_free(e->slowlog);
	latency_free(e->latency);
	buf_release(&e->items);
	batch_release(&e->batch);
	if (e->completions.event_file >= 0)
		completion_drain(&e->completions); /* what helpers left */
	migrations_release(e);
	completion_close(&e->completions);
	mem_free(e->command_stats);
	mem_free(e->gates);
	mem_free(e);
}

void engine_add_session(struct engine *e, struct session *s)
{
	assert(s->out != NULL);
	s->id = e->next_session_id++;
	s->created_ms = e->now_ms;
	s->active_ms = e->now_ms;
	s->address_size = strlen(s->address);
	if (s->protocol == 0)
		s->protocol = 2;
	if (!e->config->requirepass_hash)
		s->flags |= SESSION_AUTHENTICATED;
	s->prev = e->sessions_last;
	s->next = NULL;
	if (e->sessions_last)
		e->sessions_last->next = s;
	else
		e->sessions = s;
	e->sessions_last = s;
	e->session_count++;
}

void engine_remove_session(struct engine *e, struct session *s)
{
	parked_remove(e, s);
	if (s->flags & SESSION_MONITOR)
		e->monitor_count--;
	if (s->prev)
		s->prev->next = s->next;
	else
		e->sessions = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		e->sessions_last = s->prev;
	e->session_count--;
	mem_free(s->name);
	mem_free(s->lib_name);
	mem_free(s->lib_version);
	s->name = NULL;
	s->lib_name = NULL;
	s->lib_version = NULL;
}

/* Believes the wall clock unless it has stepped too far. (I3) */
static uint64_t believed_ms(struct engine *e, uint64_t wall, uint64_t mono_us)
{
	uint64_t expected = e->now_ms + (mono_us - e->now_us) / 1000;
	int64_t step = (int64_t)(wall - expected);

	if (e->now_ms == 0)
		return wall;
	if (step < CLOCK_STEP_MS && step > -CLOCK_STEP_MS) {
		e->clock_held_until_ms = 0;
		return wall;
	}
	if (e->clock_held_until_ms == 0) {
		log_line(LOG_LEVEL_WARNING,
			 "The system clock has stepped by %lld s; keys expire "
			 "by the old time for %llu more seconds, then the new "
			 "one is believed",
			 (long long)(step / 1000),
			 (unsigned long long)(CLOCK_HOLD_MS / 1000));
		e->clock_held_until_ms = expected + CLOCK_HOLD_MS;
	}
	if (expected < e->clock_held_until_ms)
		return expected;
	log_line(LOG_LEVEL_WARNING, "The stepped system clock is believed now");
	e->clock_held_until_ms = 0;
	return wall;
}

void engine_clock(struct engine *e)
{
	uint64_t mono_us = e->io->ops->mono_us(e->io);
	uint64_t wall_ms = e->io->ops->wall_ms(e->io);

	e->now_ms = believed_ms(e, wall_ms, mono_us);
	e->now_us = mono_us;
	e->lru_clock = (uint16_t)(e->now_ms / 1000);
	e->ks.new_access = access_of_new(e);
	e->ks.index_now_ms = e->now_ms;
}

uint64_t engine_chance(struct engine *e)
{
	if (e->chance_count == 0) {
		e->io->ops->random(e->io, e->chances, sizeof(e->chances));
		e->chance_count = ENGINE_CHANCES;
	}
	return e->chances[--e->chance_count];
}

/* Smooths the rates of INFO over about a second and a half. */
static void update_rates(struct engine *e, double seconds)
{
	struct engine_stats *st = &e->stats;
	struct rate_base *base = &e->rate_base;
	double keep = 0.85;

	if (seconds <= 0)
		return;
#define RATE(field, now, last, unit)                                      \
	(st->field = st->field * keep +                                   \
		     (1 - keep) * (double)((now) - (last)) / seconds / (unit))
	RATE(ops_per_sec, st->commands_processed, base->commands, 1);
	RATE(input_kbps, st->net_input_bytes, base->input, 1024);
	RATE(output_kbps, st->net_output_bytes, base->output, 1024);
	RATE(turns_per_sec, st->loop_turns, base->turns, 1);
	RATE(turn_us_per_sec, st->loop_us, base->turn_us, 1);
#undef RATE
	base->commands = st->commands_processed;
	base->input = st->net_input_bytes;
	base->output = st->net_output_bytes;
	base->turns = st->loop_turns;
	base->turn_us = st->loop_us;
}

void engine_configure(struct engine *e)
{
	int64_t slow = e->config->slowlog_slower_us;
	int64_t latency = e->config->latency_threshold_ms;

	e->slow_nsec = slow < 0 ? UINT64_MAX : (uint64_t)slow * 1000;
	if (latency > 0 && (uint64_t)latency * 1000000 < e->slow_nsec)
		e->slow_nsec = (uint64_t)latency * 1000000;
	e->large_request = (uint64_t)e->config->large_request_bytes;
	e->large_reply = (uint64_t)e->config->large_reply_bytes;
	values_configure(&e->ks, e->config);
}

/* What is due ten times a second. */
static void cron(struct engine *e)
{
	size_t used = mem_used();

	if (e->now_us < e->cron_us)
		return;
	update_rates(e, (double)(e->now_us - e->cron_us + CRON_US) / 1e6);
	tick_calibrate();
	if (used > e->stats.memory_peak)
		e->stats.memory_peak = used;
	e->cron_us = e->now_us + CRON_US;
}

/* Tells observers and net when more may leave. (I2) */
static void release(struct engine *e)
{
	uint64_t lsn = wal_release_lsn(e->wal);
	unsigned i;

	if (lsn == e->released_lsn)
		return;
	e->released_lsn = lsn;
	for (i = 0; i < e->observers.send_count; i++)
		e->observers.send[i]->send(e, lsn);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the next key is due, on the monotonic clock. */
static uint64_t expire_deadline_us(const struct engine *e)
{
	uint64_t next = expire_next_ms(e);

	if (next == UINT64_MAX)
		return next;
	if (next <= e->now_ms)
		return e->now_us + 1000;
	return e->now_us + (next - e->now_ms) * 1000;
}

/* Some of what deleted values left behind. True: there is more. */
static bool bury(struct engine *e, bool idle)
{
	uint64_t until;
	bool more = slab_trim(idle ? TRIM_PAGES_IDLE : TRIM_PAGES);

	if (!grave_pending())
		return more;
	until = e->io->ops->mono_us(e->io) + (idle ? GRAVE_IDLE_US : GRAVE_US);
	while (grave_turn(GRAVE_STEP))
		if (e->io->ops->mono_us(e->io) >= until)
			return true;
	return more;
}

uint64_t engine_turn(struct engine *e, bool idle, bool alone)
{
	struct wal_turn turn = { .alone = alone, .now_us = e->now_us };
	uint64_t next;
	bool more;

	assert(e->batch.count == 0);
	more = expire_turn(e);
	wal_turn(e->wal, &turn);
	release(e);
	if (e->migrations)
		migrations_turn(e);
	if (e->parked)
		parked_turn(e);
	cron(e);
	slab_collect();
	if (e->ks.dead)
		more |= keyspace_bury(&e->ks, idle ? BURY_BUCKETS_IDLE :
						     BURY_BUCKETS);
	more |= bury(e, idle);
	next = earlier(snapshotter_step(e, idle), giveback_step(e));
	if (more)
		return 0;
	next = earlier(next, wal_deadline_us(e->wal));
	next = earlier(next, e->cron_us);
	next = earlier(next, expire_deadline_us(e));
	if (e->parked)
		next = earlier(next, parked_deadline_us(e));
	return next;
}

int engine_stop(struct engine *e, bool save, struct err_message *m)
{
	int err = OK, closed;

	assert(e->batch.count == 0);
	e->phase = ENGINE_STOPPING;
	if (save)
		err = snapshotter_run(e, SNAPSHOT_SHUTDOWN, m);
	if (err)
		return err;
	closed = wal_close(e->wal, m);
	e->wal = NULL;
	return closed;
}
