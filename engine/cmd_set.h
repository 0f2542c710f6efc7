/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the set commands; engine/command_set.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_SET_H
#define REDOUBT_ENGINE_CMD_SET_H

#include "engine/cmd.h"

/* Members one by one, and all of them (cmd_set.c). */
void cmd_sadd(struct cmd *c);
void cmd_srem(struct cmd *c);
void cmd_smove(struct cmd *c);
void cmd_sismember(struct cmd *c);
void cmd_smismember(struct cmd *c);
void cmd_scard(struct cmd *c);
void cmd_smembers(struct cmd *c);
void cmd_sscan(struct cmd *c);

/* Members by chance (cmd_set_random.c). */
void cmd_spop(struct cmd *c);
void cmd_srandmember(struct cmd *c);

/* Several sets (cmd_set_op.c). */
void cmd_sinter(struct cmd *c);
void cmd_sinterstore(struct cmd *c);
void cmd_sintercard(struct cmd *c);
void cmd_sunion(struct cmd *c);
void cmd_sunionstore(struct cmd *c);
void cmd_sunioncard(struct cmd *c);
void cmd_sdiff(struct cmd *c);
void cmd_sdiffstore(struct cmd *c);
void cmd_sdiffcard(struct cmd *c);
int keys_sintercard(const struct slice *argv, unsigned argc, unsigned *out);

/* For these files: emits r, a set_add or set_del, for a run of items, in as
 * many records as their size asks for. Returns how many members have come or
 * gone. */
size_t emit_set_items(struct cmd *c, struct record *r, struct slice items);

/* Replies the items of a run one by one, as bulk strings. */
void reply_items(struct cmd *c, struct slice items);

#endif
