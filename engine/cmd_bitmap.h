/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the bitmap commands; engine/command_bitmap.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_BITMAP_H
#define REDOUBT_ENGINE_CMD_BITMAP_H

#include "engine/cmd.h"

/* A bit offset argument: a number, or, if width is not 0, "#n" for n * width.
 * False: the error has been replied. */
bool arg_bit_offset(struct cmd *c, unsigned index, unsigned width,
		    uint64_t *out);

/* Single bits, counting and searching (cmd_bitmap.c). */
void cmd_setbit(struct cmd *c);
void cmd_getbit(struct cmd *c);
void cmd_bitcount(struct cmd *c);
void cmd_bitpos(struct cmd *c);

/* Combining values (cmd_bitmap_op.c). */
void cmd_bitop(struct cmd *c);

/* Integers of any width (cmd_bitmap_field.c). */
void cmd_bitfield(struct cmd *c);
void cmd_bitfield_ro(struct cmd *c);

#endif
