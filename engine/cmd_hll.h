/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the HyperLogLog commands; engine/command_hll.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_HLL_H
#define REDOUBT_ENGINE_CMD_HLL_H

#include "engine/cmd.h"
#include "types/hll.h"

/* What everybody uses (cmd_hll.c). */
void cmd_pfadd(struct cmd *c);
void cmd_pfcount(struct cmd *c);
void cmd_pfmerge(struct cmd *c);

/* For people who look inside (cmd_hll_debug.c). */
void cmd_pfdebug(struct cmd *c);
void cmd_pfselftest(struct cmd *c);

/* The value of key, which holds a HyperLogLog or is absent (size 0); else the
 * error has been replied. Only the header is checked. Valid until the entry
 * changes. */
bool lookup_hll_header(struct cmd *c, struct slice key, struct slice *value);

/* As above, and all of it is checked. */
bool lookup_hll(struct cmd *c, struct slice key, struct slice *value);

/* Emits what makes key's value, `old` (size 0: absent), that of the edit: the
 * bytes that differ, or all. */
void emit_hll(struct cmd *c, struct slice key, struct slice old,
	      const struct hll_edit *edit);

#endif
