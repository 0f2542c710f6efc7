/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/command.h"

#include "tests/support/suite.h"

static const struct command *find(const char *first, const char *second)
{
	struct slice argv[2] = { slice_str(first), slice_str(second) };
	struct command *container;

	return command_lookup(argv, *second ? 2 : 1, &container);
}

START_TEST(commands__every_row_is_found_by_its_name)
{
	size_t i;

	commands_init();
	for (i = 0; i < commands_count(); i++) {
		const struct command *row = command_at(i);

		ck_assert_ptr_eq(command_by_name(slice_str(row->name)), row);
	}
}
END_TEST

START_TEST(commands__names_have_no_case)
{
	commands_init();
	ck_assert_str_eq(find("Get", "")->name, "get");
	ck_assert_str_eq(find("SADD", "")->name, "sadd");
	ck_assert_str_eq(find("EXPIREAT", "")->name, "expireat");
	ck_assert_str_eq(find("PexpireTIME", "")->name, "pexpiretime");
	ck_assert_str_eq(find("zRemRangeByScore", "")->name,
			 "zremrangebyscore");
	ck_assert_str_eq(find("CLIENT", "No-Evict")->name, "client|no-evict");
}
END_TEST

START_TEST(commands__part_of_a_name_or_more_is_none)
{
	commands_init();
	ck_assert_ptr_null(find("", ""));
	ck_assert_ptr_null(find("g", ""));
	ck_assert_ptr_null(find("ge", ""));
	ck_assert_ptr_null(find("gett", ""));
	ck_assert_ptr_null(find("expirea", ""));
	ck_assert_ptr_null(find("expireatt", ""));
	ck_assert_ptr_null(find("client", "lis"));
	ck_assert_ptr_null(find("a-name-that-is-longer-than-any-command-has",
				""));
}
END_TEST

START_TEST(commands__one_word_never_names_a_sub_command)
{
	commands_init();
	ck_assert_ptr_null(find("client|list", ""));
	ck_assert_ptr_null(find("client\\list", ""));
	ck_assert_ptr_null(find("acl|list", "x"));
}
END_TEST

int main(void)
{
	return RUN_TESTS("commands", commands__every_row_is_found_by_its_name,
			 commands__names_have_no_case,
			 commands__part_of_a_name_or_more_is_none,
			 commands__one_word_never_names_a_sub_command);
}
