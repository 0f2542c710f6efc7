/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of SORT and SORT_RO.
 */
#include "engine/command.h"

#include "engine/cmd_sort.h"

struct command commands_sort[] = {
	{ .name = "sort", .handler = cmd_sort, .arity = -2,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_GENERIC,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .rest_flags = KEY_OW | KEY_UPDATE,
	  .get_keys = keys_sort,
	  .since = "1.0.0",
	  .complexity = "O(N+M*log(N)) in the elements and those told",
	  .summary = "Sorts the elements of a list, a set or a sorted set, and "
		"tells or stores them, or values they name.",
	  .arguments = "key [BY:by-pattern=pattern] [LIMIT:(offset count)] "
		"[GET:get-pattern=pattern]... [ASC|DESC] [ALPHA] "
		"[STORE:destination]" },
	{ .name = "sort_ro", .handler = cmd_sort_ro, .arity = -2,
	  .flags = CMD_READONLY | CMD_MOVABLE_KEYS,
	  .group = GROUP_GENERIC,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_sort_ro,
	  .since = "7.0.0",
	  .complexity = "O(N+M*log(N)) in the elements and those told",
	  .summary = "Sorts the elements of a list, a set or a sorted set, and "
		"tells them, or values they name.",
	  .arguments = "key [BY:by-pattern=pattern] [LIMIT:(offset count)] "
		"[GET:get-pattern=pattern]... [ASC|DESC] [ALPHA]" },
	{ 0 },
};
