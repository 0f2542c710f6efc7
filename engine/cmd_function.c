/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FUNCTION, as far as no library can be loaded: there is nothing to list and
 * nothing is left after a flush.  Clients and test suites that clean up before
 * they begin can go on.
 *
 * I1. What would need a library (LOAD, RESTORE, FCALL) is not in the table.
 */
#include "engine/cmd_server.h"

/* FUNCTION FLUSH [ASYNC|SYNC]. */
void cmd_function_flush(struct cmd *c)
{
	if (c->argc > 3 || (c->argc == 3 && !arg_is(c, 2, "async") &&
			    !arg_is(c, 2, "sync"))) {
		reply_error(c, "ERR FUNCTION FLUSH takes SYNC or ASYNC");
		return;
	}
	reply_ok(c);
}

/* FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]. */
void cmd_function_list(struct cmd *c)
{
	unsigned i;

	for (i = 2; i < c->argc; i++) {
		if (arg_is(c, i, "withcode"))
			continue;
		if (arg_is(c, i, "libraryname") && i + 1 < c->argc) {
			i++;
			continue;
		}
		reply_syntax_error(c);
		return;
	}
	reply_array(c, 0);
}
