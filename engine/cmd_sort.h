/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of SORT and SORT_RO; engine/command_sort.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_SORT_H
#define REDOUBT_ENGINE_CMD_SORT_H

#include "engine/cmd.h"

/* SORT: tells the elements in order, or stores them. */
void cmd_sort(struct cmd *c);

/* SORT_RO: as SORT, but never stores. */
void cmd_sort_ro(struct cmd *c);

/* Their key arguments, for COMMAND GETKEYS. */
int keys_sort(const struct slice *argv, unsigned argc, unsigned *out);
int keys_sort_ro(const struct slice *argv, unsigned argc, unsigned *out);

#endif
