/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the hash commands; engine/command_hash.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_HASH_H
#define REDOUBT_ENGINE_CMD_HASH_H

#include "engine/cmd.h"

/* Single fields (cmd_hash.c). */
void cmd_hset(struct cmd *c);
void cmd_hmset(struct cmd *c);
void cmd_hsetnx(struct cmd *c);
void cmd_hget(struct cmd *c);
void cmd_hmget(struct cmd *c);
void cmd_hlen(struct cmd *c);
void cmd_hstrlen(struct cmd *c);
void cmd_hexists(struct cmd *c);
void cmd_hdel(struct cmd *c);
void cmd_hincrby(struct cmd *c);
void cmd_hincrbyfloat(struct cmd *c);

/* Many fields (cmd_hash_walk.c). */
void cmd_hgetall(struct cmd *c);
void cmd_hkeys(struct cmd *c);
void cmd_hvals(struct cmd *c);
void cmd_hrandfield(struct cmd *c);
void cmd_hscan(struct cmd *c);

/* Deadlines of fields (cmd_hash_expire.c). */
void cmd_hexpire(struct cmd *c);
void cmd_hpexpire(struct cmd *c);
void cmd_hexpireat(struct cmd *c);
void cmd_hpexpireat(struct cmd *c);
void cmd_httl(struct cmd *c);
void cmd_hpttl(struct cmd *c);
void cmd_hexpiretime(struct cmd *c);
void cmd_hpexpiretime(struct cmd *c);
void cmd_hpersist(struct cmd *c);

/* Values with deadlines (cmd_hash_ex.c). */
void cmd_hgetdel(struct cmd *c);
void cmd_hgetex(struct cmd *c);
void cmd_hsetex(struct cmd *c);

#endif
