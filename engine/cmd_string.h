/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the string commands; engine/command_string.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_STRING_H
#define REDOUBT_ENGINE_CMD_STRING_H

#include "engine/cmd.h"

/* Reading and replacing whole values (cmd_string.c). */
void cmd_get(struct cmd *c);
void cmd_set(struct cmd *c);
void cmd_setnx(struct cmd *c);
void cmd_setex(struct cmd *c);
void cmd_psetex(struct cmd *c);
void cmd_getset(struct cmd *c);
void cmd_getdel(struct cmd *c);
void cmd_getex(struct cmd *c);
void cmd_delifeq(struct cmd *c);
void cmd_delex(struct cmd *c);
void cmd_digest(struct cmd *c);
void cmd_strlen(struct cmd *c);

/* Several keys at once (cmd_string_multi.c). */
void cmd_mget(struct cmd *c);
void cmd_mset(struct cmd *c);
void cmd_msetnx(struct cmd *c);
void cmd_msetex(struct cmd *c);
int keys_msetex(const struct slice *argv, unsigned argc, unsigned *out);

/* Parts of a value (cmd_string_range.c). */
void cmd_append(struct cmd *c);
void cmd_setrange(struct cmd *c);
void cmd_getrange(struct cmd *c);

/* Numbers (cmd_string_incr.c). */
void cmd_incr(struct cmd *c);
void cmd_decr(struct cmd *c);
void cmd_incrby(struct cmd *c);
void cmd_decrby(struct cmd *c);
void cmd_incrbyfloat(struct cmd *c);
void cmd_increx(struct cmd *c);

/* Longest common subsequence (cmd_string_lcs.c). */
void cmd_lcs(struct cmd *c);

#endif
