/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the commands that carry values in and out as payloads;
 * engine/command_dump.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_DUMP_H
#define REDOUBT_ENGINE_CMD_DUMP_H

#include "engine/cmd.h"

/* One payload (cmd_dump.c). */
void cmd_dump(struct cmd *c);
void cmd_restore(struct cmd *c);

/* Keys to another server (cmd_migrate.c). */
void cmd_migrate(struct cmd *c);

/* The key arguments of MIGRATE. */
int migrate_keys(const struct slice *argv, unsigned argc, unsigned *out);

#endif
