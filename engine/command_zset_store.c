/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the commands that combine sorted sets.
 */
#include "engine/command.h"

#include "engine/cmd_zset_store.h"

#define AGGREGATE_OPTIONS " [WEIGHTS:weight=integer...] " \
	"[AGGREGATE:<SUM|MIN|MAX>]"

struct command commands_zset_store[] = {
	{ .name = "zdiff", .handler = cmd_zdiff, .arity = -3,
	  .flags = CMD_READONLY | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .key_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunion,
	  .since = "6.2.0",
	  .complexity = "O(L + (N-K)log(N)) in all members and in those of "
		"the result",
	  .summary = "Gives the members of a sorted set that no other has.",
	  .arguments = "numkeys=integer key... [WITHSCORES]" },
	{ .name = "zdiffstore", .handler = cmd_zdiffstore, .arity = -4,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .first_key = 1, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunionstore,
	  .since = "6.2.0",
	  .complexity = "O(L + (N-K)log(N)) in all members and in those of "
		"the result",
	  .summary = "Stores the members of a sorted set that no other has.",
	  .arguments = "destination numkeys=integer key..." },
	{ .name = "zinter", .handler = cmd_zinter, .arity = -3,
	  .flags = CMD_READONLY | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .key_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunion,
	  .since = "6.2.0",
	  .complexity = "O(N*K)+O(M*log(M)) in the smallest input, the "
		"inputs and the result",
	  .summary = "Gives the members that all of several sorted sets have.",
	  .arguments = "numkeys=integer key..." AGGREGATE_OPTIONS
		" [WITHSCORES]" },
	{ .name = "zintercard", .handler = cmd_zintercard, .arity = -3,
	  .flags = CMD_READONLY | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .key_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunion,
	  .since = "7.0.0",
	  .complexity = "O(N*K) in the smallest input and the inputs",
	  .summary = "Counts the members that all of several sorted sets "
		"have.",
	  .arguments = "numkeys=integer key... [LIMIT:limit]" },
	{ .name = "zinterstore", .handler = cmd_zinterstore, .arity = -4,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .first_key = 1, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunionstore,
	  .since = "2.0.0",
	  .complexity = "O(N*K)+O(M*log(M)) in the smallest input, the "
		"inputs and the result",
	  .summary = "Stores the members that all of several sorted sets "
		"have.",
	  .arguments = "destination numkeys=integer key..."
		AGGREGATE_OPTIONS },
	{ .name = "zrangestore", .handler = cmd_zrangestore, .arity = -5,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_SORTED_SET,
	  .first_key = 1, .last_key = 2, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .since = "6.2.0",
	  .complexity = "O(log(N)+M) in the members and in those stored",
	  .summary = "Stores a range of a sorted set.",
	  .arguments = "dst=key src=key min max [BYSCORE|BYLEX] [REV] "
		"[LIMIT:(offset count)]" },
	{ .name = "zunion", .handler = cmd_zunion, .arity = -3,
	  .flags = CMD_READONLY | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .key_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunion,
	  .since = "6.2.0",
	  .complexity = "O(N)+O(M*log(M)) in the inputs and the result",
	  .summary = "Gives the members that any of several sorted sets has.",
	  .arguments = "numkeys=integer key..." AGGREGATE_OPTIONS
		" [WITHSCORES]" },
	{ .name = "zunionstore", .handler = cmd_zunionstore, .arity = -4,
	  .flags = CMD_WRITE | CMD_DENYOOM | CMD_MOVABLE_KEYS,
	  .group = GROUP_SORTED_SET,
	  .first_key = 1, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .get_keys = keys_zunionstore,
	  .since = "2.0.0",
	  .complexity = "O(N)+O(M*log(M)) in the inputs and the result",
	  .summary = "Stores the members that any of several sorted sets "
		"has.",
	  .arguments = "destination numkeys=integer key..."
		AGGREGATE_OPTIONS },
	{ 0 },
};
