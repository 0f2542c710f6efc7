/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the list commands; engine/command_list.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_LIST_H
#define REDOUBT_ENGINE_CMD_LIST_H

#include "engine/cmd.h"
#include "types/list.h"

/* The ends (cmd_list.c). */
void cmd_lpush(struct cmd *c);
void cmd_rpush(struct cmd *c);
void cmd_lpushx(struct cmd *c);
void cmd_rpushx(struct cmd *c);
void cmd_lpop(struct cmd *c);
void cmd_rpop(struct cmd *c);

/* Reading (cmd_list_read.c). */
void cmd_llen(struct cmd *c);
void cmd_lindex(struct cmd *c);
void cmd_lrange(struct cmd *c);
void cmd_lpos(struct cmd *c);

/* The middle (cmd_list_edit.c). */
void cmd_lset(struct cmd *c);
void cmd_linsert(struct cmd *c);
void cmd_lrem(struct cmd *c);
void cmd_ltrim(struct cmd *c);

/* Between lists (cmd_list_move.c). */
void cmd_lmove(struct cmd *c);
void cmd_lmovem(struct cmd *c);
void cmd_rpoplpush(struct cmd *c);
void cmd_lmpop(struct cmd *c);
int keys_lmpop(const struct slice *argv, unsigned argc, unsigned *out);

/* What they share. */

/* "LEFT" or "RIGHT"; else it has replied a syntax error. */
bool arg_list_end(struct cmd *c, unsigned index, enum list_end *out);

/* An index that may count from the end (-1: the last element) as one from 0;
 * before the first: negative. */
static inline int64_t list_index(int64_t index, uint64_t count)
{
	return index < 0 ? index + (int64_t)count : index;
}

/* Makes what clients say of a range of e (NULL: no elements) a range of indexes
 * that there are; *start > *stop: of none. Returns how many elements e has. */
static inline int64_t list_range(const struct entry *e, int64_t *start,
				 int64_t *stop)
{
	int64_t count = e ? (int64_t)list_count(e) : 0;

	*start = list_index(*start, (uint64_t)count);
	*stop = list_index(*stop, (uint64_t)count);
	if (*start < 0)
		*start = 0;
	if (*stop >= count)
		*stop = count - 1;
	return count;
}

/* Whether arguments from `first` on are short enough to be elements; else an
 * error has been replied. */
bool args_are_elements(struct cmd *c, unsigned first);

/* Replies the first `count` elements counted from an end, as an array. */
void reply_elements(struct cmd *c, const struct entry *e, enum list_end from,
		    uint64_t count);

#endif
