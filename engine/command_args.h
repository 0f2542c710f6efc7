/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree behind a row's `arguments` (grammar: engine/command.h).
 */
#ifndef REDOUBT_ENGINE_COMMAND_ARGS_H
#define REDOUBT_ENGINE_COMMAND_ARGS_H

#include "base/slice.h"

#define COMMAND_ARGS_MAX 160

enum command_arg_kind { ARG_VALUE, ARG_WORD, ARG_ONE_OF, ARG_BLOCK };

struct command_arg {
	enum command_arg_kind kind;
	struct slice name;  /* empty: that of the first child */
	struct slice token; /* the word it stands behind, or is; empty: none */
	const char *type;   /* of a value, as COMMAND DOCS names it */
	bool optional;
	bool multiple;
	uint8_t first; /* child, 0: none */
	uint8_t next;  /* sibling, 0: none */
};

struct command_args {
	struct command_arg items[COMMAND_ARGS_MAX]; /* [0] is the root block */
	unsigned count;
};

/* Parses text; false if it does not follow the grammar or is too long. */
bool command_args_parse(struct command_args *out, const char *text);

/* Children of item i. */
unsigned command_args_children(const struct command_args *a, unsigned i);

#endif
