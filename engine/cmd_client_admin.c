/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT KILL, PAUSE, UNPAUSE, UNBLOCK: what one connection may do to others.
 *
 * I1. A session is ended by host.close, which takes it off the engine's list;
 *     loops know the next one before they end this one.
 */
#include "engine/cmd_connection.h"

#include "base/num.h"
#include "engine/client_filter.h"
#include "engine/cmd_wait.h"

static unsigned kill_all(struct cmd *c, const struct client_filter *f)
{
	struct engine *e = c->engine;
	struct session *s, *next;
	unsigned count = 0;

	for (s = e->sessions; s; s = next) {
		next = s->next; /* I1 */
		if (!client_filter_passes(e, f, s, c->session))
			continue;
		count++;
		if (s == c->session)
			s->flags |= SESSION_CLOSE_AFTER_REPLY;
		else if (e->host.close)
			e->host.close(e->host.ctx, s, false);
	}
	return count;
}

void cmd_client_kill(struct cmd *c)
{
	struct client_filter f = { .skip_me = true };

	if (c->argc == 3) { /* the old form: an address */
		f = (struct client_filter){
			.wanted.given = 1u << TERM_ADDR,
			.wanted.text[TERM_ADDR] = c->argv[2],
			.age_s = -1,
			.idle_s = -1,
		};
		if (kill_all(c, &f))
			reply_ok(c);
		else
			reply_error(c, "ERR No such client");
		return;
	}
	if (client_filter_parse(c, 2, &f))
		reply_i64(c, kill_all(c, &f));
	client_filter_release(&f);
}

void cmd_client_pause(struct cmd *c)
{
	struct engine *e = c->engine;
	bool all = true;
	uint64_t until;
	int64_t ms;

	if (c->argc > 4) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 4 && arg_is(c, 3, "write")) {
		all = false;
	} else if (c->argc == 4 && !arg_is(c, 3, "all")) {
		reply_error(c, "ERR CLIENT PAUSE mode must be WRITE or ALL");
		return;
	}
	if (!num_parse_i64(c->argv[2], &ms) || ms > INT64_MAX / 2000) {
		reply_error(c, "ERR timeout is not an integer or out of "
			       "range");
		return;
	}
	if (ms < 0) {
		reply_error(c, "ERR timeout is negative");
		return;
	}
	/* of two pauses the longer end and the wider scope count */
	until = e->now_us + (uint64_t)ms * 1000;
	if (e->pause_until_us > e->now_us) {
		all = all || e->pause_all;
		if (until < e->pause_until_us)
			until = e->pause_until_us;
	}
	e->pause_until_us = until;
	e->pause_all = all;
	reply_ok(c);
}

void cmd_client_unpause(struct cmd *c)
{
	c->engine->pause_until_us = 0;
	reply_ok(c);
}

void cmd_client_unblock(struct cmd *c)
{
	struct session *s;
	bool error = false;
	int64_t id;

	if (c->argc > 4) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 4 && arg_is(c, 3, "error")) {
		error = true;
	} else if (c->argc == 4 && !arg_is(c, 3, "timeout")) {
		reply_error(c, "ERR CLIENT UNBLOCK reason should be TIMEOUT or "
			       "ERROR");
		return;
	}
	if (!arg_i64(c, 2, &id))
		return;
	for (s = c->engine->sessions; s; s = s->next)
		if (s->id == (uint64_t)id)
			break;
	reply_i64(c, s && wait_unblock(s, error));
}
