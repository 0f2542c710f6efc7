/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the sorted set commands. Which arguments each takes and what it
 * replies: the rows in engine/command_zset.c.
 */
#ifndef REDOUBT_ENGINE_CMD_ZSET_H
#define REDOUBT_ENGINE_CMD_ZSET_H

#include "engine/command.h"

command_fn cmd_zadd, cmd_zincrby, cmd_zrem, cmd_zcard, cmd_zscore, cmd_zmscore,
	cmd_zrank, cmd_zrevrank, cmd_zcount, cmd_zlexcount, cmd_zrange,
	cmd_zrevrange, cmd_zrangebyscore, cmd_zrevrangebyscore,
	cmd_zrangebylex, cmd_zrevrangebylex, cmd_zremrangebyrank,
	cmd_zremrangebyscore, cmd_zremrangebylex, cmd_zpopmin, cmd_zpopmax,
	cmd_zmpop, cmd_zrandmember, cmd_zscan;

command_keys_fn keys_zmpop;

#endif
