/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the commands that combine sorted sets. Which arguments each takes
 * and what it replies: the rows in engine/command_zset_store.c.
 */
#ifndef REDOUBT_ENGINE_CMD_ZSET_STORE_H
#define REDOUBT_ENGINE_CMD_ZSET_STORE_H

#include "engine/command.h"

command_fn cmd_zunion, cmd_zinter, cmd_zdiff, cmd_zunionstore, cmd_zinterstore,
	cmd_zdiffstore, cmd_zintercard, cmd_zrangestore;

/* "numkeys key …" at argument 1, or behind a destination. */
command_keys_fn keys_zunion, keys_zunionstore;

#endif
