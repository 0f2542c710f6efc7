/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Switching the log on behind a snapshot.
 *
 *   CONFIG SET appendonly yes ─► hold writes ─► snapshot ─► same LSN? ─► log on
 *                                    ▲                        │ no
 *                                    └────────────────────────┘
 *
 * I1. The log begins at the LSN of a durable snapshot: nothing may be written
 *     in between.  So writes wait (as under CLIENT PAUSE WRITE) and keys do
 *     not expire meanwhile; that it worked is checked, not assumed.
 * I2. Whoever ends the wait gives back what was held; a client that leaves
 *     takes its wish with it, and appendonly is "no" again.
 */
#include "engine/log_switch.h"

#include "base/logline.h"
#include "engine/snapshotter.h"

#define ATTEMPTS_MAX 5

/* session_wait.number */
enum { STARTED, ATTEMPTS, HELD };

/* HELD, bits: what to give back. */
enum { HELD_EXPIRE = 1, HELD_PAUSE_ALL = 2 };

enum wal_level log_switch_level(const struct config *c)
{
	static const enum wal_level levels[] = { WAL_NO, WAL_EVERYSEC,
						 WAL_ALWAYS };

	return c->appendonly ? levels[c->appendfsync] : WAL_OFF;
}

int log_switch_now(struct engine *e, struct err_message *m)
{
	enum wal_level wanted = log_switch_level(e->config);
	enum wal_level level = wal_level(e->wal);

	if (wanted == level || level == WAL_OFF)
		return OK;
	return wal_set_level(e->wal, wanted, m);
}

/* I1; wait.lsn keeps the end of a CLIENT PAUSE that was in force. */
static void hold(struct engine *e, struct session_wait *w)
{
	w->number[HELD] = (e->active_expire ? HELD_EXPIRE : 0) |
			  (e->pause_all ? HELD_PAUSE_ALL : 0);
	w->lsn = e->pause_until_us;
	if (e->pause_until_us <= e->now_us)
		e->pause_all = false;
	e->pause_until_us = UINT64_MAX;
	e->active_expire = false;
	e->log_switching = true;
}

static void give_back(struct engine *e, const struct session_wait *w)
{
	e->active_expire = w->number[HELD] & HELD_EXPIRE;
	e->pause_all = w->number[HELD] & HELD_PAUSE_ALL;
	e->pause_until_us = w->lsn;
	e->log_switching = false;
}

/* I2 */
static void cancel(struct engine *e, struct session *s)
{
	give_back(e, &s->wait);
	e->config->appendonly = false;
}

static void finish(struct engine *e, struct session *s, const char *error)
{
	struct cmd c = cmd_for_reply(e, s);
	struct err_message m;

	give_back(e, &s->wait);
	if (!error && log_switch_level(e->config) != WAL_OFF &&
	    wal_set_level(e->wal, log_switch_level(e->config), &m) != OK)
		error = m.text;
	if (error) {
		e->config->appendonly = false;
		log_line(LOG_LEVEL_WARNING, "The log is not switched on: %s",
			 error);
		reply_errorf(&c, "ERR CONFIG SET failed (possibly related to "
				 "argument 'appendonly') - %s", error);
	} else {
		reply_ok(&c);
	}
	cmd_reply_end(&c);
}

static bool ready(struct engine *e, struct session *s, bool timed_out)
{
	struct snapshotter_status st;
	int64_t *number = s->wait.number;

	(void)timed_out;
	snapshotter_status(e, &st);
	if (st.active)
		return false;
	if (!number[STARTED]) { /* one that ran before us says nothing */
		number[STARTED] = snapshotter_start(e, SNAPSHOT_REWRITE);
		return false;
	}
	if (!st.last_ok) {
		finish(e, s, "the snapshot that must come first failed; the "
			     "server's log says why");
		return true;
	}
	if (st.last_lsn == e->position->last_lsn) { /* I1 */
		finish(e, s, NULL);
		return true;
	}
	if (++number[ATTEMPTS] == ATTEMPTS_MAX) {
		finish(e, s, "writes went on during the snapshot that must "
			     "come first");
		return true;
	}
	number[STARTED] = false;
	return false;
}

bool log_switch_park(struct cmd *c)
{
	struct engine *e = c->engine;
	struct session_wait w = { .ready = ready, .cancel = cancel };

	if (log_switch_level(e->config) == WAL_OFF ||
	    wal_level(e->wal) != WAL_OFF)
		return false;
	if (e->log_switching) { /* CLIENT UNPAUSE may have let writes go */
		reply_error(c, "ERR the log is being switched on already");
		return true;
	}
	hold(e, &w);
	cmd_park(c, &w);
	return true;
}
