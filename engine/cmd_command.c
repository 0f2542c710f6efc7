/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * COMMAND: the command table, shown to clients.
 * https://redis.io/docs/latest/commands/command/
 */
#include "engine/cmd_server.h"

#include "base/glob.h"
#include "base/mem.h"
#include "engine/command_show.h"

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ CMD_WRITE, "write" }, { CMD_READONLY, "readonly" },
	{ CMD_DENYOOM, "denyoom" }, { CMD_ADMIN, "admin" },
	{ CMD_PUBSUB, "pubsub" }, { CMD_NOSCRIPT, "noscript" },
	{ CMD_BLOCKING, "blocking" }, { CMD_LOADING, "loading" },
	{ CMD_STALE, "stale" }, { CMD_SKIP_MONITOR, "skip_monitor" },
	{ CMD_SKIP_SLOWLOG, "skip_slowlog" }, { CMD_FAST, "fast" },
	{ CMD_NO_AUTH, "no_auth" },
	{ CMD_NO_ASYNC_LOADING, "no_async_loading" },
	{ CMD_NO_MULTI, "no_multi" }, { CMD_MOVABLE_KEYS, "movablekeys" },
	{ CMD_ALLOW_BUSY, "allow_busy" },
};

static const struct {
	uint16_t flag;
	const char *name;
} key_flag_names[] = {
	{ KEY_RO, "RO" }, { KEY_RW, "RW" }, { KEY_OW, "OW" }, { KEY_RM, "RM" },
	{ KEY_ACCESS, "access" }, { KEY_UPDATE, "update" },
	{ KEY_INSERT, "insert" }, { KEY_DELETE, "delete" },
	{ KEY_VARIABLE, "variable_flags" },
};

bool command_is_sub(const struct command *row)
{
	return strchr(row->name, '|') != NULL;
}

bool command_is_sub_of(const struct command *row, const char *name)
{
	size_t size = strlen(name);

	return strncmp(row->name, name, size) == 0 && row->name[size] == '|';
}

size_t command_sub_count(const struct command *row)
{
	size_t i, count = 0;

	if (!(row->flags & CMD_CONTAINER))
		return 0;
	for (i = 0; i < commands_count(); i++)
		count += command_is_sub_of(command_at(i), row->name);
	return count;
}

static void reply_flags(struct cmd *c, uint32_t flags)
{
	size_t i, count = 0;

	for (i = 0; i < ARRAY_LEN(flag_names); i++)
		count += (flags & flag_names[i].flag) != 0;
	reply_set(c, count);
	for (i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flags & flag_names[i].flag)
			reply_simple(c, flag_names[i].name);
}

static void reply_key_flags(struct cmd *c, uint16_t flags)
{
	size_t i, count = 0;

	for (i = 0; i < ARRAY_LEN(key_flag_names); i++)
		count += (flags & key_flag_names[i].flag) != 0;
	reply_set(c, count);
	for (i = 0; i < ARRAY_LEN(key_flag_names); i++)
		if (flags & key_flag_names[i].flag)
			reply_simple(c, key_flag_names[i].name);
}

/* Keys that are used alike, from argument `first` on; last as in a row. */
static void reply_key_spec(struct cmd *c, const struct command *row, int first,
			   int last, uint16_t flags)
{
	bool known = !(row->flags & CMD_MOVABLE_KEYS);

	reply_map(c, 3);
	reply_bulk_str(c, "flags");
	reply_key_flags(c, flags);
	reply_bulk_str(c, "begin_search");
	reply_map(c, 2);
	reply_bulk_str(c, "type");
	reply_bulk_str(c, known ? "index" : "unknown");
	reply_bulk_str(c, "spec");
	reply_map(c, known);
	if (known) {
		reply_bulk_str(c, "index");
		reply_i64(c, first);
	}
	reply_bulk_str(c, "find_keys");
	reply_map(c, 2);
	reply_bulk_str(c, "type");
	reply_bulk_str(c, known ? "range" : "unknown");
	reply_bulk_str(c, "spec");
	reply_map(c, known ? 3 : 0);
	if (!known)
		return;
	reply_bulk_str(c, "lastkey");
	reply_i64(c, last < 0 ? last : last - first);
	reply_bulk_str(c, "keystep");
	reply_i64(c, row->key_step);
	reply_bulk_str(c, "limit");
	reply_i64(c, 0);
}

/* Where the keys are; those that only get_keys finds are "unknown". */
static void reply_key_specs(struct cmd *c, const struct command *row)
{
	bool movable = row->flags & CMD_MOVABLE_KEYS;
	int first = row->first_key, last = row->last_key;

	if (first <= 0 && !movable) {
		reply_array(c, 0);
	} else if (row->rest_flags && !movable) {
		reply_array(c, 2);
		reply_key_spec(c, row, first, first, row->key_flags);
		reply_key_spec(c, row, first + 1, last, row->rest_flags);
	} else {
		reply_array(c, 1);
		reply_key_spec(c, row, first, last, row->key_flags);
	}
}

static void reply_info(struct cmd *c, const struct command *row)
{
	uint32_t categories = command_categories(row);
	size_t i, count = 0;

	reply_array(c, 10);
	reply_bulk_str(c, row->name);
	reply_i64(c, row->arity);
	reply_flags(c, row->flags);
	reply_i64(c, row->first_key);
	reply_i64(c, row->last_key);
	reply_i64(c, row->key_step);
	for (i = 0; i < CATEGORIES; i++)
		count += categories >> i & 1;
	reply_set(c, count);
	for (i = 0; i < CATEGORIES; i++) {
		char text[32] = "@";

		if (!(categories >> i & 1))
			continue;
		strncat(text, category_names[i], sizeof(text) - 2);
		reply_simple(c, text);
	}
	reply_array(c, 0); /* tips */
	reply_key_specs(c, row);
	reply_array(c, command_sub_count(row));
	if (row->flags & CMD_CONTAINER)
		for (i = 0; i < commands_count(); i++)
			if (command_is_sub_of(command_at(i), row->name))
				reply_info(c, command_at(i));
}

static size_t top_level_count(void)
{
	size_t i, count = 0;

	for (i = 0; i < commands_count(); i++)
		count += !command_is_sub(command_at(i));
	return count;
}

void cmd_command(struct cmd *c)
{
	size_t i;

	reply_array(c, top_level_count());
	for (i = 0; i < commands_count(); i++)
		if (!command_is_sub(command_at(i)))
			reply_info(c, command_at(i));
}

void cmd_command_count(struct cmd *c)
{
	reply_i64(c, (int64_t)top_level_count());
}

void cmd_command_info(struct cmd *c)
{
	unsigned i;

	if (c->argc == 2) {
		cmd_command(c);
		return;
	}
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++) {
		const struct command *row = command_by_name(c->argv[i]);

		if (row)
			reply_info(c, row);
		else
			reply_null_array(c);
	}
}

/* --- COMMAND LIST ----------------------------------------------------------*/

static bool passes(const struct cmd *c, const struct command *row)
{
	unsigned i;

	if (c->argc == 2)
		return true;
	if (arg_is(c, 3, "pattern"))
		return glob_match(c->argv[4], slice_str(row->name), true);
	if (arg_is(c, 3, "aclcat"))
		for (i = 0; i < CATEGORIES; i++)
			if (slice_is(c->argv[4], category_names[i]))
				return command_categories(row) >> i & 1;
	return false; /* there are no modules */
}

void cmd_command_list(struct cmd *c)
{
	size_t i, count = 0;

	if (c->argc != 2 &&
	    !(c->argc == 5 && arg_is(c, 2, "filterby") &&
	      (arg_is(c, 3, "module") || arg_is(c, 3, "aclcat") ||
	       arg_is(c, 3, "pattern")))) {
		reply_syntax_error(c);
		return;
	}
	for (i = 0; i < commands_count(); i++)
		count += passes(c, command_at(i));
	reply_array(c, count);
	for (i = 0; i < commands_count(); i++)
		if (passes(c, command_at(i)))
			reply_bulk_str(c, command_at(i)->name);
}

/* --- COMMAND GETKEYS -------------------------------------------------------*/

int command_find_keys(const struct command *row, const struct slice *argv,
		      unsigned argc, unsigned *out)
{
	unsigned i, last;
	int count = 0;

	if (row->flags & CMD_MOVABLE_KEYS)
		return row->get_keys(argv, argc, out);
	if (row->first_key <= 0)
		return 0;
	last = row->last_key >= 0 ? (unsigned)row->last_key :
				    argc + (unsigned)row->last_key;
	for (i = (unsigned)row->first_key; i <= last && i < argc;
	     i += (unsigned)row->key_step)
		out[count++] = i;
	return count;
}

/* The keys of the command in argv[2] on, in room for argc; -1: replied. */
static int wanted_keys(struct cmd *c, const struct command **row, unsigned *out)
{
	struct command *container;
	const struct slice *argv = c->argv + 2;
	unsigned argc = c->argc - 2;
	int count;

	*row = command_lookup(argv, argc, &container);
	if (!*row) {
		reply_error(c, "ERR Invalid command specified");
		return -1;
	}
	if ((*row)->first_key <= 0 && !((*row)->flags & CMD_MOVABLE_KEYS)) {
		reply_error(c, "ERR The command has no key arguments");
		return -1;
	}
	if ((*row)->arity >= 0 ? (int)argc != (*row)->arity :
				 (int)argc < -(*row)->arity) {
		reply_error(c, "ERR Invalid number of arguments specified for "
			       "command");
		return -1;
	}
	count = command_find_keys(*row, argv, argc, out);
	if (count < 0)
		reply_error(c, "ERR Invalid arguments specified for command");
	return count;
}

/* Whether one of the arguments behind the key is this word. */
static bool has_word(const struct slice *argv, unsigned argc, const char *word)
{
	unsigned i;

	for (i = 2; i < argc; i++)
		if (slice_is(argv[i], word))
			return true;
	return false;
}

/* What key argument `index` (of the keys) is used for. SET reads the old value
 * only with GET, BITFIELD may do nothing but read. */
static uint16_t key_flags_of(const struct command *row, int index,
			     const struct slice *argv, unsigned argc)
{
	uint16_t flags = row->key_flags & ~KEY_VARIABLE;

	if (index > 0 && row->rest_flags)
		return row->rest_flags;
	if (!(row->key_flags & KEY_VARIABLE))
		return flags;
	if (!strcmp(row->name, "bitfield"))
		return has_word(argv, argc, "set") ||
		       has_word(argv, argc, "incrby") ? flags :
		       KEY_RO | KEY_ACCESS;
	return has_word(argv + 1, argc - 1, "get") ? flags :
						     KEY_OW | KEY_UPDATE;
}

static void reply_keys(struct cmd *c, bool with_flags)
{
	unsigned *keys = mem_calloc(c->argc, sizeof(*keys));
	const struct command *row;
	int count = wanted_keys(c, &row, keys), i;

	if (count >= 0)
		reply_array(c, (size_t)count);
	for (i = 0; i < count; i++) {
		if (with_flags)
			reply_array(c, 2);
		reply_bulk(c, c->argv[2 + keys[i]]);
		if (with_flags)
			reply_key_flags(c, key_flags_of(row, i, c->argv + 2,
							c->argc - 2));
	}
	mem_free(keys);
}

void cmd_command_getkeys(struct cmd *c)
{
	reply_keys(c, false);
}

void cmd_command_getkeysandflags(struct cmd *c)
{
	reply_keys(c, true);
}
