/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of FUNCTION, as far as they are answered without any library.
 */
#include "engine/command.h"

#include "engine/cmd_connection.h"
#include "engine/cmd_server.h"

struct command commands_scripting[] = {
	{ .name = "function", .arity = -2,
	  .flags = CMD_CONTAINER | CMD_STATISTICS,
	  .group = GROUP_SCRIPTING,
	  .since = "7.0.0", .complexity = "Depends on the subcommand.",
	  .summary = "Libraries of functions." },
	{ .name = "function|flush", .handler = cmd_function_flush, .arity = -2,
	  .flags = CMD_NOSCRIPT | CMD_STATISTICS,
	  .group = GROUP_SCRIPTING,
	  .since = "7.0.0", .complexity = "O(1)",
	  .summary = "Removes all libraries (there are none).",
	  .arguments = "[ASYNC|SYNC]" },
	{ .name = "function|help", .handler = cmd_help, .arity = 2,
	  .flags = CMD_LOADING | CMD_STALE | CMD_STATISTICS,
	  .group = GROUP_SCRIPTING,
	  .since = "7.0.0", .complexity = "O(1)",
	  .summary = "This text." },
	{ .name = "function|list", .handler = cmd_function_list, .arity = -2,
	  .flags = CMD_NOSCRIPT | CMD_STATISTICS,
	  .group = GROUP_SCRIPTING,
	  .since = "7.0.0", .complexity = "O(1)",
	  .summary = "The libraries (there are none).",
	  .arguments = "[LIBRARYNAME:name] [WITHCODE]" },
	{ .name = NULL },
};
