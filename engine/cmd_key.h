/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the commands on keys of any type; engine/command_key.c has their
 * rows.
 */
#ifndef REDOUBT_ENGINE_CMD_KEY_H
#define REDOUBT_ENGINE_CMD_KEY_H

#include "engine/cmd.h"

/* Removing, looking, emptying (cmd_key.c). */
void cmd_del(struct cmd *c);
void cmd_exists(struct cmd *c);
void cmd_touch(struct cmd *c);
void cmd_type(struct cmd *c);
void cmd_flushdb(struct cmd *c);
void cmd_flushall(struct cmd *c);

/* From key to key, from database to database (cmd_key_move.c). */
void cmd_rename(struct cmd *c);
void cmd_renamenx(struct cmd *c);
void cmd_copy(struct cmd *c);
void cmd_move(struct cmd *c);
void cmd_swapdb(struct cmd *c);

/* Walking the keyspace (cmd_scan.c). */
void cmd_keys(struct cmd *c);
void cmd_scan(struct cmd *c);
void cmd_randomkey(struct cmd *c);
void cmd_dbsize(struct cmd *c);

/* Deadlines (cmd_expire.c). */
void cmd_expire(struct cmd *c);
void cmd_pexpire(struct cmd *c);
void cmd_expireat(struct cmd *c);
void cmd_pexpireat(struct cmd *c);
void cmd_ttl(struct cmd *c);
void cmd_pttl(struct cmd *c);
void cmd_expiretime(struct cmd *c);
void cmd_pexpiretime(struct cmd *c);
void cmd_persist(struct cmd *c);

/* What a value is like inside (cmd_object.c). */
void cmd_object_encoding(struct cmd *c);
void cmd_object_freq(struct cmd *c);
void cmd_object_help(struct cmd *c);
void cmd_object_idletime(struct cmd *c);
void cmd_object_refcount(struct cmd *c);

#endif
