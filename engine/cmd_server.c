/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a server says of itself in a line or two, and what it does not do:
 * replication and cluster commands answer as Redis does without them.
 */
#include "engine/cmd_server.h"

#include "base/num.h"
#include "base/version.h"

void cmd_time(struct cmd *c)
{
	uint64_t ms = c->engine->io->ops->wall_ms(c->engine->io);
	uint64_t us = c->engine->io->ops->mono_us(c->engine->io) % 1000;

	reply_array(c, 2);
	reply_bulk_i64(c, (int64_t)(ms / 1000));
	reply_bulk_i64(c, (int64_t)(ms % 1000 * 1000 + us));
}

/* A hedge of random height, as wide as asked for. */
void cmd_lolwut(struct cmd *c)
{
	static const char *const leaves[] = { " ", ".", ":", "%", "#" };
	struct buf out = { 0 };
	int64_t columns = 66, rows = 8, row, column;
	unsigned i = 1;
	uint64_t seed;

	if (c->argc > 2 && arg_is(c, 1, "version"))
		i = 3;
	if (c->argc > i && !arg_i64(c, i, &columns))
		return;
	if (c->argc > i + 1 && !arg_i64(c, i + 1, &rows))
		return;
	columns = columns < 1 ? 1 : columns > 160 ? 160 : columns;
	rows = rows < 1 ? 1 : rows > 40 ? 40 : rows;
	c->engine->io->ops->random(c->engine->io, &seed, sizeof(seed));
	for (row = 0; row < rows; row++) {
		for (column = 0; column < columns; column++) {
			uint64_t dice;

			seed = seed * UINT64_C(6364136223846793005) + 1;
			dice = (seed >> 33) % 5 * (uint64_t)(row + 1);
			buf_put_str(&out, leaves[dice / (uint64_t)rows % 5]);
		}
		buf_put_byte(&out, '\n');
	}
	buf_put_str(&out, "\nRedis ver. " REDIS_VERSION ", spoken by Redoubt "
			  REDOUBT_VERSION "\n");
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

void cmd_role(struct cmd *c)
{
	reply_array(c, 3);
	reply_bulk_str(c, "master");
	reply_i64(c, (int64_t)c->engine->position->last_lsn);
	reply_array(c, 0);
}

void cmd_replicaof(struct cmd *c)
{
	int64_t port;

	if (arg_is(c, 1, "no") && arg_is(c, 2, "one")) {
		reply_ok(c); /* it is a primary already */
		return;
	}
	if (!num_parse_i64(c->argv[2], &port) || port < 0 || port > 65535) {
		reply_error(c, "ERR Invalid master port");
		return;
	}
	reply_error(c, "ERR replication is not supported by this version");
}

void cmd_failover(struct cmd *c)
{
	if (c->argc == 2 && arg_is(c, 1, "abort"))
		reply_error(c, "ERR No failover in progress.");
	else
		reply_error(c, "ERR FAILOVER requires connected replicas.");
}

void cmd_cluster(struct cmd *c)
{
	reply_error(c, "ERR This instance has cluster support disabled");
}

void cmd_asking(struct cmd *c)
{
	cmd_cluster(c);
}

void cmd_readonly(struct cmd *c)
{
	cmd_cluster(c);
}

void cmd_module_list(struct cmd *c)
{
	reply_array(c, 0);
}
