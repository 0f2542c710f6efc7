/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/command_args.h"

#include "tests/support/suite.h"

#include "engine/command.h"

static struct command_args args;

static const struct command_arg *child(unsigned parent, unsigned n)
{
	unsigned i = args.items[parent].first;

	while (n-- && i)
		i = args.items[i].next;
	ck_assert_uint_ne(i, 0);
	return &args.items[i];
}

static unsigned number(const struct command_arg *a)
{
	return (unsigned)(a - args.items);
}

START_TEST(command_args__names_have_types)
{
	ck_assert(command_args_parse(&args,
				     "key count weight=double numkeys value"));
	ck_assert_uint_eq(command_args_children(&args, 0), 5);
	ck_assert_str_eq(child(0, 0)->type, "key");
	ck_assert_str_eq(child(0, 1)->type, "integer");
	ck_assert_str_eq(child(0, 2)->type, "double");
	ck_assert_str_eq(child(0, 3)->type, "integer");
	ck_assert_str_eq(child(0, 4)->type, "string");
	ck_assert(slice_is(child(0, 2)->name, "weight"));
}
END_TEST

START_TEST(command_args__brackets_make_choices_and_blocks)
{
	const struct command_arg *choice;

	ck_assert(command_args_parse(&args,
		"key [NX|XX] [EX:seconds|KEEPTTL] <A|b c> (k v)..."));
	ck_assert_uint_eq(command_args_children(&args, 0), 5);
	choice = child(0, 1);
	ck_assert_int_eq(choice->kind, ARG_ONE_OF);
	ck_assert(choice->optional);
	ck_assert_uint_eq(command_args_children(&args, number(choice)), 2);
	choice = child(0, 2);
	ck_assert(slice_is(child(number(choice), 0)->token, "EX"));
	ck_assert_int_eq(child(number(choice), 0)->kind, ARG_VALUE);
	ck_assert_int_eq(child(number(choice), 1)->kind, ARG_WORD);
	choice = child(0, 3);
	ck_assert(!choice->optional);
	ck_assert_int_eq(child(number(choice), 1)->kind, ARG_BLOCK);
	ck_assert_int_eq(child(0, 4)->kind, ARG_BLOCK);
	ck_assert(child(0, 4)->multiple);
}
END_TEST

START_TEST(command_args__one_alternative_is_no_choice)
{
	ck_assert(command_args_parse(&args, "[LIMIT:(offset count)] [x...]"));
	ck_assert_int_eq(child(0, 0)->kind, ARG_BLOCK);
	ck_assert(child(0, 0)->optional);
	ck_assert(slice_is(child(0, 0)->token, "LIMIT"));
	ck_assert_int_eq(child(0, 1)->kind, ARG_VALUE);
	ck_assert(child(0, 1)->optional);
	ck_assert(child(0, 1)->multiple);
}
END_TEST

START_TEST(command_args__nothing_is_fine_and_rubbish_is_refused)
{
	static const char *const bad[] = {
		" ", "a  b", "[a", "a]", "<a|>", "()", "a=", "a=colour",
		"[a|b", "A:", "a b ", "(a b",
	};
	char deep[400];
	size_t i;

	ck_assert(command_args_parse(&args, NULL));
	ck_assert(command_args_parse(&args, ""));
	ck_assert_uint_eq(args.count, 1);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!command_args_parse(&args, bad[i]), "%s", bad[i]);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	ck_assert(!command_args_parse(&args, deep));
}
END_TEST

START_TEST(command_args__every_row_parses)
{
	size_t i;

	commands_init();
	for (i = 0; i < commands_count(); i++) {
		const struct command *row = command_at(i);

		ck_assert_msg(command_args_parse(&args, row->arguments), "%s",
			      row->name);
		ck_assert_ptr_nonnull(row->summary);
		ck_assert_ptr_nonnull(row->since);
	}
}
END_TEST

START_TEST(command_args__signs_are_words)
{
	const struct command_arg *choice;

	ck_assert(command_args_parse(&args, "key [=|~] threshold <*|id>"));
	ck_assert_uint_eq(command_args_children(&args, 0), 4);
	choice = child(0, 1);
	ck_assert_int_eq(choice->kind, ARG_ONE_OF);
	ck_assert_int_eq(child(number(choice), 1)->kind, ARG_WORD);
	ck_assert(slice_is(child(number(choice), 1)->token, "~"));
}
END_TEST

int main(void)
{
	return RUN_TESTS("command_args",
			 command_args__names_have_types,
			 command_args__brackets_make_choices_and_blocks,
			 command_args__one_alternative_is_no_choice,
			 command_args__nothing_is_fine_and_rubbish_is_refused,
			 command_args__signs_are_words,
			 command_args__every_row_parses);
}
