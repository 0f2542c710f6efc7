/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of the bitmap commands.
 */
#include "engine/command.h"

#include "engine/cmd_bitmap.h"

struct command commands_bitmap[] = {
	{ .name = "bitcount", .handler = cmd_bitcount, .arity = -2,
	  .flags = CMD_READONLY,
	  .group = GROUP_BITMAP,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.6.0", .complexity = "O(N) in the bytes looked at",
	  .summary = "Counts the bits that are set in a value or a part of "
		"it.",
	  .arguments = "key [(start=integer end=integer [BYTE|BIT])]" },
	{ .name = "bitfield", .handler = cmd_bitfield, .arity = -2,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_BITMAP,
	  .first_key = 1,
	  .key_flags = KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE,
	  .since = "3.2.0", .complexity = "O(1) for each operation",
	  .summary = "Reads, sets and adds to integers of any width inside "
		"a value.",
	  .arguments = "key [GET:(encoding offset)|([OVERFLOW:<WRAP|SAT|"
		"FAIL>] <SET:(encoding offset value=integer)|"
		"INCRBY:(encoding offset increment=integer)>)]..." },
	{ .name = "bitfield_ro", .handler = cmd_bitfield_ro, .arity = -2,
	  .flags = CMD_READONLY | CMD_FAST,
	  .group = GROUP_BITMAP,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "6.0.0", .complexity = "O(1) for each operation",
	  .summary = "Reads integers of any width inside a value.",
	  .arguments = "key [GET:(encoding offset)]..." },
	{ .name = "bitop", .handler = cmd_bitop, .arity = -4,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_BITMAP,
	  .first_key = 2, .last_key = -1, .key_flags = KEY_OW | KEY_UPDATE,
	  .rest_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.6.0",
	  .complexity = "O(N) in the size of the longest value",
	  .summary = "Combines values bit by bit and stores the result.",
	  .arguments = "<AND|OR|XOR|NOT|DIFF|DIFF1|ANDOR|ONE> destkey=key "
		"key..." },
	{ .name = "bitpos", .handler = cmd_bitpos, .arity = -3,
	  .flags = CMD_READONLY,
	  .group = GROUP_BITMAP,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.8.7", .complexity = "O(N) in the bytes looked at",
	  .summary = "Finds the first bit that is set, or clear, in a value.",
	  .arguments = "key bit=integer [(start=integer [(end=integer [BYTE|"
		"BIT])])]" },
	{ .name = "getbit", .handler = cmd_getbit, .arity = 3,
	  .flags = CMD_READONLY | CMD_FAST,
	  .group = GROUP_BITMAP,
	  .first_key = 1, .key_flags = KEY_RO | KEY_ACCESS,
	  .since = "2.2.0", .complexity = "O(1)",
	  .summary = "Tells one bit of a value.",
	  .arguments = "key offset" },
	{ .name = "setbit", .handler = cmd_setbit, .arity = 4,
	  .flags = CMD_WRITE | CMD_DENYOOM,
	  .group = GROUP_BITMAP,
	  .first_key = 1, .key_flags = KEY_RW | KEY_ACCESS | KEY_UPDATE,
	  .since = "2.2.0", .complexity = "O(1)",
	  .summary = "Sets or clears one bit of a value and tells what it "
		"was.",
	  .arguments = "key offset value=integer" },
	{ 0 },
};
