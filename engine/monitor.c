/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MONITOR: every command, when it has been executed, to whoever listens.
 *
 * I1. e->monitor_count is the number of sessions with SESSION_MONITOR.
 * I2. Secrets are not shown (engine/redact.h).
 * I3. A line waits for the disk as the command's reply does.
 */
#include "engine/slowlog_cmd.h"

#include "engine/redact.h"

void cmd_monitor(struct cmd *c)
{
	if (!(c->session->flags & SESSION_MONITOR)) {
		c->session->flags |= SESSION_MONITOR;
		c->engine->monitor_count++;
	}
	reply_ok(c);
}

void monitor_stop(struct engine *e, struct session *s)
{
	if (s->flags & SESSION_MONITOR)
		e->monitor_count--;
	s->flags &= ~(uint32_t)SESSION_MONITOR;
}

void monitor_feed(struct engine *e, const struct cmd *c)
{
	struct buf line = { 0 };
	uint64_t us = e->now_ms * 1000 + e->now_us % 1000;
	struct session *s;
	unsigned i;

	/* an administrator's commands are not for everybody's eyes */
	if (c->command->flags & CMD_ADMIN)
		return;
	buf_printf(&line, "+%llu.%06u [%u %s%s]",
		   (unsigned long long)(us / 1000000), (unsigned)(us % 1000000),
		   c->session->db,
		   c->session->flags & SESSION_UNIX ? "unix:" : "",
		   c->session->address);
	for (i = 0; i < c->argc; i++) {
		buf_put_byte(&line, ' ');
		redact_put_quoted(&line, redact_argument(c, i));
	}
	buf_put(&line, "\r\n", 2);
	for (s = e->sessions; s; s = s->next) {
		if (!(s->flags & SESSION_MONITOR))
			continue;
		buf_put_slice(s->out, buf_slice(&line));
		if (s->gate < c->gate) /* I3 */
			s->gate = c->gate;
		if (s != c->session && e->host.output_ready)
			e->host.output_ready(e->host.ctx, s);
	}
	buf_release(&line);
}
