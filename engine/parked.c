/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parked sessions.
 *
 * I1. A session is on the list exactly while it has SESSION_PARKED.
 * I2. ready() is asked once a turn; when it says true it has replied, and the
 *     session goes on with its next command.
 */
#include "engine/parked.h"

#include <assert.h>

#include "engine/cmd.h"

static void park(struct engine *e, struct session *s)
{
	assert(!(s->flags & SESSION_PARKED));
	s->flags |= SESSION_PARKED;
	s->prev_parked = NULL;
	s->next_parked = e->parked;
	if (e->parked)
		e->parked->prev_parked = s;
	e->parked = s;
	e->parked_count++;
	e->stats.total_blocked++;
}

static void unpark(struct engine *e, struct session *s)
{
	assert(s->flags & SESSION_PARKED);
	s->flags &= ~(uint32_t)SESSION_PARKED;
	if (s->prev_parked)
		s->prev_parked->next_parked = s->next_parked;
	else
		e->parked = s->next_parked;
	if (s->next_parked)
		s->next_parked->prev_parked = s->prev_parked;
	s->next_parked = NULL;
	s->prev_parked = NULL;
	e->parked_count--;
}

void cmd_park(struct cmd *c, const struct session_wait *w)
{
	assert(w->ready != NULL);
	c->parked = true;
	c->session->wait = *w;
	park(c->engine, c->session);
}

static bool free_again(struct engine *e, struct session *s, bool timed_out)
{
	(void)s;
	(void)timed_out;
	return e->pause_until_us <= e->now_us && !wal_congested(e->wal);
}

void park_until_free(struct engine *e, struct session *s)
{
	s->wait = (struct session_wait){ .ready = free_again };
	park(e, s);
}

void parked_turn(struct engine *e)
{
	struct session *s, *next;

	for (s = e->parked; s; s = next) {
		bool timed_out = s->wait.deadline_us &&
				 s->wait.deadline_us <= e->now_us;

		next = s->next_parked;
		if (!s->wait.ready(e, s, timed_out)) {
			assert(!timed_out);
			continue;
		}
		unpark(e, s);
		if (e->host.unparked)
			e->host.unparked(e->host.ctx, s);
	}
}

uint64_t parked_deadline_us(const struct engine *e)
{
	uint64_t first = UINT64_MAX;
	const struct session *s;

	for (s = e->parked; s; s = s->next_parked) {
		uint64_t at = s->wait.deadline_us;

		if (s->wait.ready == free_again)
			at = e->pause_until_us;
		if (at && at < first)
			first = at;
	}
	return first;
}

void parked_remove(struct engine *e, struct session *s)
{
	if (!(s->flags & SESSION_PARKED))
		return;
	if (s->wait.cancel)
		s->wait.cancel(e, s);
	unpark(e, s);
}

struct cmd cmd_for_reply(struct engine *e, struct session *s)
{
	return (struct cmd){
		.engine = e,
		.session = s,
		.command = s->last_command,
		.db = s->db,
		.now_ms = e->now_ms,
		.ks = &e->ks,
		.out = s->out,
		.reply_start = s->out->size,
	};
}

void cmd_reply_end(struct cmd *c)
{
	struct session *s = c->session;

	if (s->flags & SESSION_REPLY_MUTED)
		reply_suppress(s, c->reply_start);
	if (c->gate > s->gate)
		s->gate = c->gate;
	if (c->engine->host.output_ready)
		c->engine->host.output_ready(c->engine->host.ctx, s);
}
