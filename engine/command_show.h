/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What several commands show of the command table.
 */
#ifndef REDOUBT_ENGINE_COMMAND_SHOW_H
#define REDOUBT_ENGINE_COMMAND_SHOW_H

#include "engine/command.h"

/* ACL's categories, by bit. */
#define CATEGORIES 21
extern const char *const category_names[CATEGORIES];

/* The categories a command belongs to, as bits. */
uint32_t command_categories(const struct command *row);

/* Whether the row is a sub-command, and whether of `name`. */
bool command_is_sub(const struct command *row);
bool command_is_sub_of(const struct command *row, const char *name);

/* Rows below a container. */
size_t command_sub_count(const struct command *row);

/* Indexes of key arguments, into room for argc; -1 if they make no sense. */
int command_find_keys(const struct command *row, const struct slice *argv,
		      unsigned argc, unsigned *out);

#endif
