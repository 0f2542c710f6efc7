/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sub-commands of DEBUG, which are no rows of the command table: they are
 * for test suites and for those who know what they do.
 */
#ifndef REDOUBT_ENGINE_DEBUG_H
#define REDOUBT_ENGINE_DEBUG_H

#include "engine/cmd.h"

/* cmd_debug_show.c: what things look like from inside. */
void debug_digest(struct cmd *c);
void debug_digest_value(struct cmd *c);
void debug_object(struct cmd *c);
void debug_sdslen(struct cmd *c);
void debug_htstats(struct cmd *c);
void debug_htstats_key(struct cmd *c);
void debug_protocol(struct cmd *c);
void debug_structsize(struct cmd *c);

/* cmd_debug_load.c: the state from disk, compared with the one in memory. */
void debug_reload(struct cmd *c);
void debug_loadaof(struct cmd *c);

#endif
