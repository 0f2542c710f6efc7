/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WAIT and WAITAOF.
 *
 * There are no replicas, so WAIT for one lasts until its time is over; WAITAOF
 * waits for the sync of this server's own log.
 *
 * I1. number[0], number[1]: how many local syncs and replicas are asked for;
 *     number[2]: what CLIENT UNBLOCK has said (enum unblocked).
 * I2. The reply tells what is so, whoever ended the wait.
 */
#include "engine/cmd_wait.h"

#include "base/num.h"

enum unblocked { NOT_UNBLOCKED, UNBLOCKED_AS_TIMEOUT, UNBLOCKED_AS_ERROR };

static bool is_durable(const struct engine *e, uint64_t lsn)
{
	return wal_level(e->wal) != WAL_OFF &&
	       lsn <= e->position->durable_lsn;
}

/* Both texts of Redis; 0 is for ever. */
static bool arg_timeout_ms(struct cmd *c, unsigned index, int64_t *ms)
{
	if (!num_parse_i64(c->argv[index], ms) || *ms > INT64_MAX / 2000) {
		reply_error(c, "ERR timeout is not an integer or out of "
			       "range");
		return false;
	}
	if (*ms < 0) {
		reply_error(c, "ERR timeout is negative");
		return false;
	}
	return true;
}

static bool replied_unblocked(struct cmd *c, const struct session_wait *w)
{
	if (w->number[2] != UNBLOCKED_AS_ERROR)
		return false;
	reply_error(c, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
	return true;
}

static bool wait_ready(struct engine *e, struct session *s, bool timed_out)
{
	struct cmd c;

	if (!timed_out && s->wait.number[2] == NOT_UNBLOCKED)
		return false;
	c = cmd_for_reply(e, s);
	if (!replied_unblocked(&c, &s->wait))
		reply_i64(&c, 0);
	cmd_reply_end(&c);
	return true;
}

void cmd_wait(struct cmd *c)
{
	struct session_wait w = { .ready = wait_ready, .for_others = true };
	int64_t replicas, ms;

	if (!arg_i64(c, 1, &replicas) || !arg_timeout_ms(c, 2, &ms))
		return;
	if (replicas <= 0) {
		reply_i64(c, 0);
		return;
	}
	if (ms)
		w.deadline_us = c->engine->now_us + (uint64_t)ms * 1000;
	cmd_park(c, &w);
}

static void reply_synced(struct cmd *c, uint64_t lsn)
{
	reply_array(c, 2);
	reply_i64(c, is_durable(c->engine, lsn));
	reply_i64(c, 0);
}

static bool waitaof_ready(struct engine *e, struct session *s, bool timed_out)
{
	bool enough = s->wait.number[1] == 0 &&
		      (s->wait.number[0] == 0 || is_durable(e, s->wait.lsn));
	struct cmd c;

	if (!timed_out && !enough && s->wait.number[2] == NOT_UNBLOCKED)
		return false;
	c = cmd_for_reply(e, s);
	if (!replied_unblocked(&c, &s->wait))
		reply_synced(&c, s->wait.lsn);
	cmd_reply_end(&c);
	return true;
}

void cmd_waitaof(struct cmd *c)
{
	struct engine *e = c->engine;
	struct session_wait w = { .ready = waitaof_ready };
	int64_t ms;

	if (!arg_i64(c, 1, &w.number[0]))
		return;
	if (w.number[0] < 0 || w.number[0] > 1) {
		reply_error(c, "ERR value is out of range, value must between "
			       "0 and 1");
		return;
	}
	if (!arg_i64_range(c, 2, 0, INT32_MAX, &w.number[1]) ||
	    !arg_timeout_ms(c, 3, &ms))
		return;
	if (w.number[0] && wal_level(e->wal) == WAL_OFF) {
		reply_error(c, "ERR WAITAOF cannot be used when numlocal is "
			       "set but appendonly is disabled.");
		return;
	}
	w.lsn = c->session->write_lsn;
	w.for_others = w.number[1] > 0;
	if (w.number[1] == 0 && (w.number[0] == 0 || is_durable(e, w.lsn))) {
		reply_synced(c, w.lsn);
		return;
	}
	if (w.number[0])
		wal_sync_soon(e->wal);
	if (ms)
		w.deadline_us = e->now_us + (uint64_t)ms * 1000;
	cmd_park(c, &w);
}

bool wait_unblock(struct session *s, bool error)
{
	if (!(s->flags & SESSION_PARKED) ||
	    (s->wait.ready != wait_ready && s->wait.ready != waitaof_ready))
		return false;
	s->wait.number[2] = error ? UNBLOCKED_AS_ERROR : UNBLOCKED_AS_TIMEOUT;
	return true;
}
