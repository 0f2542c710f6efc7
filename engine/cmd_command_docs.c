/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * COMMAND DOCS: summaries and arguments, from which redis-cli makes its help
 * and its hints.
 */
#include "engine/cmd_server.h"

#include <assert.h>

#include "engine/command_args.h"
#include "engine/command_show.h"

static const char *const group_names[] = {
	[GROUP_GENERIC] = "generic",
	[GROUP_STRING] = "string",
	[GROUP_LIST] = "list",
	[GROUP_SET] = "set",
	[GROUP_SORTED_SET] = "sorted-set",
	[GROUP_HASH] = "hash",
	[GROUP_PUBSUB] = "pubsub",
	[GROUP_TRANSACTIONS] = "transactions",
	[GROUP_CONNECTION] = "connection",
	[GROUP_SERVER] = "server",
	[GROUP_SCRIPTING] = "scripting",
	[GROUP_HYPERLOGLOG] = "hyperloglog",
	[GROUP_CLUSTER] = "cluster",
	[GROUP_GEO] = "geo",
	[GROUP_STREAM] = "stream",
	[GROUP_BITMAP] = "bitmap",
};

static void reply_children(struct cmd *c, const struct command_args *a,
			   unsigned parent);

static struct slice name_of(const struct command_args *a, unsigned i)
{
	while (a->items[i].name.size == 0 && a->items[i].first)
		i = a->items[i].first;
	return a->items[i].name;
}

/* Words have their names in lower case. */
static void reply_name(struct cmd *c, struct slice name)
{
	char text[64];
	size_t i;

	for (i = 0; i < name.size && i < sizeof(text); i++)
		text[i] = (char)ascii_lower(name.data[i]);
	reply_bulk(c, slice_of(text, i));
}

static void reply_arg(struct cmd *c, const struct command_args *a, unsigned i)
{
	static const char *const kinds[] = { [ARG_WORD] = "pure-token",
					     [ARG_ONE_OF] = "oneof",
					     [ARG_BLOCK] = "block" };
	const struct command_arg *arg = &a->items[i];
	const char *type = arg->kind == ARG_VALUE ? arg->type :
						    kinds[arg->kind];
	bool is_key = !strcmp(type, "key");
	bool flags = arg->optional || arg->multiple;
	bool plain = arg->kind == ARG_VALUE;

	reply_map(c, 2 + plain + is_key + (arg->token.size > 0) + flags +
		     (arg->first > 0));
	reply_bulk_str(c, "name");
	reply_name(c, name_of(a, i));
	reply_bulk_str(c, "type");
	reply_bulk_str(c, type);
	if (plain) {
		reply_bulk_str(c, "display_text");
		reply_bulk(c, arg->name);
	}
	if (is_key) {
		reply_bulk_str(c, "key_spec_index");
		reply_i64(c, 0);
	}
	if (arg->token.size) {
		reply_bulk_str(c, "token");
		reply_bulk(c, arg->token);
	}
	if (flags) {
		reply_bulk_str(c, "flags");
		reply_set(c, (size_t)arg->optional + arg->multiple);
		if (arg->optional)
			reply_simple(c, "optional");
		if (arg->multiple)
			reply_simple(c, "multiple");
	}
	if (arg->first) {
		reply_bulk_str(c, "arguments");
		reply_children(c, a, i);
	}
}

static void reply_children(struct cmd *c, const struct command_args *a,
			   unsigned parent)
{
	unsigned i;

	reply_array(c, command_args_children(a, parent));
	for (i = a->items[parent].first; i; i = a->items[i].next)
		reply_arg(c, a, i);
}

static void reply_docs(struct cmd *c, const struct command *row)
{
	size_t subs = command_sub_count(row), i;
	struct command_args args;
	bool parsed = command_args_parse(&args, row->arguments);

	assert(parsed);
	reply_bulk_str(c, row->name);
	reply_map(c, 3u + (row->complexity != NULL) +
		     2 * (row->deprecated != NULL) + (args.count > 1) +
		     (subs > 0));
	reply_bulk_str(c, "summary");
	reply_bulk_str(c, row->summary);
	reply_bulk_str(c, "since");
	reply_bulk_str(c, row->since);
	reply_bulk_str(c, "group");
	reply_bulk_str(c, group_names[row->group]);
	if (row->complexity) {
		reply_bulk_str(c, "complexity");
		reply_bulk_str(c, row->complexity);
	}
	if (row->deprecated) {
		reply_bulk_str(c, "doc_flags");
		reply_set(c, 1);
		reply_simple(c, "deprecated");
		reply_bulk_str(c, "deprecated_since");
		reply_bulk_str(c, row->deprecated);
	}
	if (args.count > 1) {
		reply_bulk_str(c, "arguments");
		reply_children(c, &args, 0);
	}
	if (subs == 0)
		return;
	reply_bulk_str(c, "subcommands");
	reply_map(c, subs);
	for (i = 0; i < commands_count(); i++)
		if (command_is_sub_of(command_at(i), row->name))
			reply_docs(c, command_at(i));
}

void cmd_command_docs(struct cmd *c)
{
	size_t i, count = 0;

	if (c->argc == 2) {
		for (i = 0; i < commands_count(); i++)
			count += !command_is_sub(command_at(i));
		reply_map(c, count);
		for (i = 0; i < commands_count(); i++)
			if (!command_is_sub(command_at(i)))
				reply_docs(c, command_at(i));
		return;
	}
	for (i = 2; i < c->argc; i++)
		count += command_by_name(c->argv[i]) != NULL;
	reply_map(c, count);
	for (i = 2; i < c->argc; i++) {
		const struct command *row = command_by_name(c->argv[i]);

		if (row)
			reply_docs(c, row);
	}
}
