/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ACL, as far as there is one user: "default", with every right, whose
 * password is requirepass.
 *
 * I1. What would make rights finer is refused: nothing pretends to protect.
 */
#include "engine/cmd_server.h"

#include "engine/command_show.h"

const char *const category_names[CATEGORIES] = {
	"keyspace", "read", "write", "set", "sortedset", "list", "hash",
	"string", "bitmap", "hyperloglog", "geo", "stream", "pubsub", "admin",
	"fast", "slow", "blocking", "dangerous", "connection", "transaction",
	"scripting",
};

enum category {
	CAT_KEYSPACE, CAT_READ, CAT_WRITE, CAT_SET, CAT_SORTED_SET, CAT_LIST,
	CAT_HASH, CAT_STRING, CAT_BITMAP, CAT_HYPERLOGLOG, CAT_GEO,
	CAT_STREAM, CAT_PUBSUB, CAT_ADMIN, CAT_FAST, CAT_SLOW, CAT_BLOCKING,
	CAT_DANGEROUS, CAT_CONNECTION, CAT_TRANSACTION, CAT_SCRIPTING,
};

#define BIT(name) (1u << CAT_##name)

/* By group; of server commands the flags alone decide. */
static const uint32_t group_categories[] = {
	[GROUP_GENERIC] = BIT(KEYSPACE),
	[GROUP_STRING] = BIT(STRING),
	[GROUP_LIST] = BIT(LIST),
	[GROUP_SET] = BIT(SET),
	[GROUP_SORTED_SET] = BIT(SORTED_SET),
	[GROUP_HASH] = BIT(HASH),
	[GROUP_PUBSUB] = BIT(PUBSUB),
	[GROUP_TRANSACTIONS] = BIT(TRANSACTION),
	[GROUP_CONNECTION] = BIT(CONNECTION),
	[GROUP_SERVER] = 0,
	[GROUP_SCRIPTING] = BIT(SCRIPTING),
	[GROUP_HYPERLOGLOG] = BIT(HYPERLOGLOG),
	[GROUP_CLUSTER] = 0,
	[GROUP_GEO] = BIT(GEO),
	[GROUP_STREAM] = BIT(STREAM),
	[GROUP_BITMAP] = BIT(BITMAP),
};

#define SORTED (BIT(LIST) | BIT(SET) | BIT(SORTED_SET) | BIT(DANGEROUS))

/* Where group and flags do not tell: in these, too, and not in those. */
static const struct {
	const char *name; /* also of its sub-commands */
	uint32_t in;
	uint32_t not_in;
} exceptions[] = {
	{ "asking", BIT(CONNECTION), 0 },
	{ "command", BIT(CONNECTION), 0 },
	{ "dbsize", BIT(KEYSPACE), 0 },
	{ "flushall", BIT(KEYSPACE) | BIT(DANGEROUS), 0 },
	{ "flushdb", BIT(KEYSPACE) | BIT(DANGEROUS), 0 },
	{ "info", BIT(DANGEROUS), 0 },
	{ "keys", BIT(DANGEROUS), 0 },
	{ "lastsave", BIT(ADMIN) | BIT(DANGEROUS), 0 },
	{ "migrate", BIT(DANGEROUS), 0 },
	{ "readonly", BIT(CONNECTION), 0 },
	{ "readwrite", BIT(CONNECTION), 0 },
	{ "restore", BIT(DANGEROUS), 0 },
	{ "role", BIT(ADMIN) | BIT(DANGEROUS), 0 },
	{ "sort", SORTED, BIT(KEYSPACE) },
	{ "sort_ro", SORTED, BIT(KEYSPACE) },
	{ "swapdb", BIT(KEYSPACE) | BIT(DANGEROUS), 0 },
	{ "wait", BIT(CONNECTION), BIT(KEYSPACE) },
	{ "waitaof", BIT(CONNECTION), BIT(KEYSPACE) },
};

static const struct {
	uint32_t flag;
	uint32_t in;
} flag_categories[] = {
	{ CMD_WRITE, BIT(WRITE) },
	{ CMD_READONLY, BIT(READ) },
	{ CMD_ADMIN, BIT(ADMIN) | BIT(DANGEROUS) },
	{ CMD_PUBSUB, BIT(PUBSUB) },
	{ CMD_BLOCKING, BIT(BLOCKING) },
};

uint32_t command_categories(const struct command *row)
{
	uint32_t bits = row->flags & CMD_FAST ? BIT(FAST) : BIT(SLOW);
	size_t i;

	if (row->handler) /* a mere container is in none */
		bits |= group_categories[row->group];
	for (i = 0; i < ARRAY_LEN(flag_categories); i++)
		if (row->flags & flag_categories[i].flag)
			bits |= flag_categories[i].in;
	for (i = 0; i < ARRAY_LEN(exceptions); i++)
		if (!strcmp(row->name, exceptions[i].name) ||
		    command_is_sub_of(row, exceptions[i].name))
			bits = (bits | exceptions[i].in) &
			       ~exceptions[i].not_in;
	return bits;
}

void cmd_acl_whoami(struct cmd *c)
{
	reply_bulk_str(c, "default");
}

void cmd_acl_users(struct cmd *c)
{
	reply_array(c, 1);
	reply_bulk_str(c, "default");
}

void cmd_acl_list(struct cmd *c)
{
	const char *hex = c->engine->config->requirepass_hash;

	reply_array(c, 1);
	if (hex)
		reply_bulk_printf(c, "user default on sanitize-payload #%s ~* "
				     "&* +@all", hex);
	else
		reply_bulk_str(c, "user default on nopass sanitize-payload ~* "
				  "&* +@all");
}

void cmd_acl_getuser(struct cmd *c)
{
	const char *hex = c->engine->config->requirepass_hash;

	if (!slice_equal(c->argv[2], SLICE_LITERAL("default"))) {
		reply_null(c);
		return;
	}
	reply_map(c, 6);
	reply_bulk_str(c, "flags");
	reply_set(c, hex ? 2 : 3);
	reply_bulk_str(c, "on");
	if (!hex)
		reply_bulk_str(c, "nopass");
	reply_bulk_str(c, "sanitize-payload");
	reply_bulk_str(c, "passwords");
	reply_array(c, hex != NULL);
	if (hex)
		reply_bulk_str(c, hex);
	reply_bulk_str(c, "commands");
	reply_bulk_str(c, "+@all");
	reply_bulk_str(c, "keys");
	reply_bulk_str(c, "~*");
	reply_bulk_str(c, "channels");
	reply_bulk_str(c, "&*");
	reply_bulk_str(c, "selectors");
	reply_array(c, 0);
}

static void reply_category(struct cmd *c, unsigned category)
{
	size_t i, count = 0;

	for (i = 0; i < commands_count(); i++)
		count += command_categories(command_at(i)) >> category & 1;
	reply_array(c, count);
	for (i = 0; i < commands_count(); i++)
		if (command_categories(command_at(i)) >> category & 1)
			reply_bulk_str(c, command_at(i)->name);
}

void cmd_acl_cat(struct cmd *c)
{
	unsigned i;

	if (c->argc > 3) {
		reply_wrong_arity(c);
		return;
	}
	if (c->argc == 2) {
		reply_array(c, CATEGORIES);
		for (i = 0; i < CATEGORIES; i++)
			reply_bulk_str(c, category_names[i]);
		return;
	}
	for (i = 0; i < CATEGORIES; i++) {
		if (slice_is(c->argv[2], category_names[i])) {
			reply_category(c, i);
			return;
		}
	}
	reply_errorf(c, "ERR Unknown category '%.*s'",
		     (int)(c->argv[2].size < 64 ? c->argv[2].size : 64),
		     (const char *)c->argv[2].data);
}

/* I1 */
void cmd_acl_setuser(struct cmd *c)
{
	reply_error(c, "ERR there is one user, default; its password is set "
		       "with CONFIG SET requirepass");
}

void cmd_acl_deluser(struct cmd *c)
{
	unsigned i;

	for (i = 2; i < c->argc; i++) {
		if (slice_equal(c->argv[i], SLICE_LITERAL("default"))) {
			reply_error(c, "ERR The 'default' user cannot be "
				       "removed");
			return;
		}
	}
	reply_i64(c, 0);
}

void cmd_acl_dryrun(struct cmd *c)
{
	struct command *container;

	if (!slice_equal(c->argv[2], SLICE_LITERAL("default")))
		reply_errorf(c, "ERR User '%.*s' not found",
			     (int)(c->argv[2].size < 64 ? c->argv[2].size :
							  64),
			     (const char *)c->argv[2].data);
	else if (!command_lookup(c->argv + 3, c->argc - 3, &container))
		reply_errorf(c, "ERR Command '%.*s' not found",
			     (int)(c->argv[3].size < 64 ? c->argv[3].size :
							  64),
			     (const char *)c->argv[3].data);
	else
		reply_ok(c);
}

void cmd_acl_genpass(struct cmd *c)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[512];
	char text[1024];
	int64_t bits = 256, i, count;

	if (c->argc > 3) {
		reply_wrong_arity(c);
		return;
	}
	if (c->argc == 3 && !arg_i64(c, 2, &bits))
		return;
	if (bits < 1 || bits > 4096) {
		reply_error(c, "ERR ACL GENPASS argument must be the number "
			       "of bits for the output password, a positive "
			       "number up to 4096");
		return;
	}
	count = (bits + 3) / 4;
	c->engine->io->ops->random(c->engine->io, raw, sizeof(raw));
	for (i = 0; i < count; i++)
		text[i] = digits[raw[i / 2] >> (i % 2 * 4) & 15];
	reply_bulk(c, slice_of(text, (size_t)count));
}

static void no_file(struct cmd *c)
{
	reply_error(c, "ERR This Redis instance is not configured to use an "
		       "ACL file.");
}

void cmd_acl_load(struct cmd *c)
{
	no_file(c);
}

void cmd_acl_save(struct cmd *c)
{
	no_file(c);
}

/* Nothing is denied by rule, so there is nothing to list; failed passwords
 * are counted in INFO. */
void cmd_acl_log(struct cmd *c)
{
	int64_t count;

	if (c->argc > 3) {
		reply_wrong_arity(c);
	} else if (c->argc == 3 && arg_is(c, 2, "reset")) {
		reply_ok(c);
	} else if (c->argc == 2 || arg_i64(c, 2, &count)) {
		reply_array(c, 0);
	}
}
