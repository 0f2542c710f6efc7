/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small commands of a connection.
 */
#include "engine/cmd_connection.h"

#include "base/mem.h"
#include "engine/slowlog_cmd.h"

void cmd_ping(struct cmd *c)
{
	if (c->argc > 2)
		reply_wrong_arity(c);
	else if (c->argc == 2)
		reply_bulk(c, c->argv[1]);
	else
		reply_simple(c, "PONG");
}

void cmd_echo(struct cmd *c)
{
	reply_bulk(c, c->argv[1]);
}

void cmd_select(struct cmd *c)
{
	int64_t db;

	if (!arg_i64_range(c, 1, INT32_MIN, INT32_MAX, &db))
		return;
	if (db < 0 || db >= c->ks->db_count) {
		reply_error(c, "ERR DB index is out of range");
		return;
	}
	c->session->db = (uint32_t)db;
	reply_ok(c);
}

void cmd_quit(struct cmd *c)
{
	reply_ok(c);
	c->session->flags |= SESSION_CLOSE_AFTER_REPLY;
}

void cmd_reset(struct cmd *c)
{
	struct session *s = c->session;

	monitor_stop(c->engine, s);
	s->flags &= ~(uint32_t)(SESSION_REPLY_OFF | SESSION_REPLY_SKIP |
				SESSION_REPLY_SKIP_NEXT | SESSION_NO_EVICT |
				SESSION_NO_TOUCH | SESSION_AUTHENTICATED);
	if (!c->engine->config->requirepass_hash)
		s->flags |= SESSION_AUTHENTICATED;
	s->db = 0;
	s->protocol = 2;
	mem_free(s->name);
	s->name = NULL;
	reply_simple(c, "RESET");
}
