/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sub-commands of DEBUG, which are no rows of the command table: they are
 * for test suites and for those who know what they do.
 */
#ifndef REDOUBT_ENGINE_DEBUG_H
#define REDOUBT_ENGINE_DEBUG_H

#include "engine/cmd.h"

/* cmd_debug_show.c: what things look like from inside. */
command_fn debug_digest, debug_digest_value, debug_object, debug_sdslen,
	debug_htstats, debug_htstats_key, debug_protocol, debug_structsize;

/* cmd_debug_load.c: the state from disk, compared with the one in memory. */
command_fn debug_reload, debug_loadaof;

#endif
