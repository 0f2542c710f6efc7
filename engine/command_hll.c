/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the HyperLogLog commands.
 */
#include "engine/command.h"

#include "engine/cmd_hll.h"

struct command commands_hll[] = {
	{ .name = "pfadd", .handler = cmd_pfadd, .arity = -2,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
	  .group = GROUP_HYPERLOGLOG,
	  .first_key = 1, .key_flags = KEY_RW | KEY_INSERT,
	  .since = "2.8.9", .complexity = "O(1) for each element",
	  .summary = "Adds elements to a HyperLogLog, which is made if there "
		"is none.",
	  .arguments = "key [element...]" },
	{ .name = "pfcount", .handler = cmd_pfcount, .arity = -2,
	  .flags = CMD_READONLY,
	  .group = GROUP_HYPERLOGLOG,
	  .first_key = 1, .last_key = -1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.8.9", .complexity = "O(N) in the number of keys",
	  .summary = "Estimates how many different elements HyperLogLogs "
		"have had, all together.",
	  .arguments = "key..." },
	{ .name = "pfdebug", .handler = cmd_pfdebug, .arity = 3,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_ADMIN,
	  .group = GROUP_HYPERLOGLOG,
	  .first_key = 2, .key_flags = KEY_RW | KEY_ACCESS,
	  .since = "2.8.9", .complexity = "O(1)",
	  .summary = "Shows a HyperLogLog's registers, runs or encoding, or "
		"makes it dense.",
	  .arguments = "subcommand key" },
	{ .name = "pfmerge", .handler = cmd_pfmerge, .arity = -2,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_HYPERLOGLOG,
	  .first_key = 1, .last_key = -1,
	  .key_flags = KEY_RW | KEY_ACCESS | KEY_INSERT,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.8.9", .complexity = "O(N) in the number of keys",
	  .summary = "Makes a HyperLogLog the union of itself and others.",
	  .arguments = "destkey=key [sourcekey=key...]" },
	{ .name = "pfselftest", .handler = cmd_pfselftest, .arity = 1,
	  .flags = CMD_ADMIN,
	  .group = GROUP_HYPERLOGLOG,
	  .since = "2.8.9", .complexity = "O(1)",
	  .summary = "Tests the HyperLogLog code in itself.",
	  .arguments = NULL },
	{ 0 },
};
