/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE and SHUTDOWN.
 *
 * A save and a rewrite are the same thing here: a snapshot.  SAVE is a BGSAVE
 * whose caller waits; other clients go on meanwhile.
 *
 * I1. SHUTDOWN stops the loop only when what it was told to save is saved, or
 *     with FORCE.
 */
#include "engine/cmd_server.h"

#include "base/logline.h"
#include "engine/snapshotter.h"

static bool saved(struct engine *e, struct session *s, bool timed_out)
{
	struct snapshotter_status st;
	struct cmd c;

	(void)timed_out;
	snapshotter_status(e, &st);
	if (st.active)
		return false;
	c = cmd_for_reply(e, s);
	if (st.last_ok)
		reply_ok(&c);
	else
		reply_error(&c, "ERR the snapshot could not be written; the "
				"server's log says why");
	cmd_reply_end(&c);
	return true;
}

void cmd_save(struct cmd *c)
{
	struct session_wait w = { .ready = saved };

	if (!snapshotter_start(c->engine, SNAPSHOT_BGSAVE))
		reply_error(c, "ERR Background save already in progress");
	else
		cmd_park(c, &w);
}

void cmd_bgsave(struct cmd *c)
{
	bool schedule = c->argc == 2 && arg_is(c, 1, "schedule");

	if (c->argc > 2 || (c->argc == 2 && !schedule))
		reply_syntax_error(c);
	else if (snapshotter_start(c->engine, SNAPSHOT_BGSAVE))
		reply_simple(c, "Background saving started");
	else if (schedule)
		reply_simple(c, "Background saving scheduled");
	else
		reply_error(c, "ERR Background save already in progress");
}

void cmd_bgrewriteaof(struct cmd *c)
{
	struct snapshotter_status st;

	snapshotter_status(c->engine, &st);
	if (snapshotter_start(c->engine, SNAPSHOT_REWRITE))
		reply_simple(c, "Background append only file rewriting "
				"started");
	else if (st.reason == SNAPSHOT_REWRITE)
		reply_error(c, "ERR Background append only file rewriting "
			       "already in progress");
	else
		reply_simple(c, "Background append only file rewriting "
				"scheduled");
}

void cmd_lastsave(struct cmd *c)
{
	struct snapshotter_status st;

	snapshotter_status(c->engine, &st);
	reply_i64(c, (int64_t)(st.last_save_ms / 1000));
}

struct shutdown_options {
	bool save, nosave, now, force, abort;
};

static bool parse_shutdown(struct cmd *c, struct shutdown_options *o)
{
	unsigned i;

	for (i = 1; i < c->argc; i++) {
		if (arg_is(c, i, "save"))
			o->save = true;
		else if (arg_is(c, i, "nosave"))
			o->nosave = true;
		else if (arg_is(c, i, "now"))
			o->now = true;
		else if (arg_is(c, i, "force"))
			o->force = true;
		else if (arg_is(c, i, "abort"))
			o->abort = true;
		else
			return false;
	}
	return !(o->save && o->nosave) &&
	       !(o->abort && (o->save || o->nosave || o->now || o->force));
}

void cmd_shutdown(struct cmd *c)
{
	struct engine *e = c->engine;
	struct shutdown_options o = { 0 };
	struct err_message m;

	if (!parse_shutdown(c, &o)) {
		reply_syntax_error(c);
		return;
	}
	if (o.abort) {
		reply_error(c, "ERR No shutdown in progress.");
		return;
	}
	log_line(LOG_LEVEL_NOTICE, "User requested shutdown...");
	if (e->phase == ENGINE_SERVING && !o.nosave &&
	    (o.save || e->config->save_count) &&
	    snapshotter_run(e, SNAPSHOT_SHUTDOWN, &m) != OK) {
		log_line(LOG_LEVEL_WARNING, "The snapshot of the end cannot be "
			 "written: %s", m.text);
		if (!o.force) { /* I1 */
			reply_error(c, "ERR Errors trying to SHUTDOWN. Check "
				       "logs.");
			return;
		}
	}
	c->session->flags |= SESSION_CLOSE_AFTER_REPLY;
	if (e->host.stop)
		e->host.stop(e->host.ctx);
}
