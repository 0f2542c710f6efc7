/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the commands that carry values in and out.
 */
#include "engine/command.h"

#include "engine/cmd_dump.h"

struct command commands_dump[] = {
	{ .name = "dump", .handler = cmd_dump, .arity = 2,
	  .flags = CMD_READONLY,
	  .group = GROUP_GENERIC,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.6.0", .complexity = "O(N) in the elements of the value",
	  .summary = "Gives a value as bytes that RESTORE takes.",
	  .arguments = "key" },
	{ .name = "migrate", .handler = cmd_migrate, .arity = -6,
	  .flags = CMD_WRITE | CMD_MOVABLE_KEYS,
	  .group = GROUP_GENERIC,
	  .first_key = 3, .key_flags = KEY_RW | KEY_ACCESS | KEY_DELETE,
	  .get_keys = migrate_keys,
	  .since = "2.6.0", .complexity = "O(N) in the elements of the values",
	  .summary = "Moves keys to another server.",
	  .arguments = "host port=integer key=string "
		"destination-db=integer timeout=integer [COPY] [REPLACE] "
		"[AUTH:password|AUTH2:(username password)] [KEYS:key...]" },
	{ .name = "restore", .handler = cmd_restore, .arity = -4,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_GENERIC,
	  .first_key = 1, .key_flags = KEY_OW | KEY_UPDATE,
	  .since = "2.6.0", .complexity = "O(N) in the elements of the value",
	  .summary = "Makes a key of what DUMP has given.",
	  .arguments = "key ttl=integer serialized-value=string [REPLACE] "
		"[ABSTTL] [IDLETIME:seconds] [FREQ:frequency=integer]" },
	{ 0 },
};
