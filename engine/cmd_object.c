/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OBJECT: what a value is like inside.  Looking changes no access history.
 */
#include "engine/cmd_key.h"

#include "engine/access.h"
#include "engine/value_ops.h"

/* NULL: null has been replied. */
static const struct entry *find(struct cmd *c)
{
	const struct entry *e = lookup_peek(c, c->argv[2]);

	if (!e)
		reply_null(c);
	return e;
}

/* OBJECT ENCODING key. */
void cmd_object_encoding(struct cmd *c)
{
	const struct entry *e = find(c);

	if (e)
		reply_bulk_str(c, value_ops(e)->encoding(e));
}

/* OBJECT FREQ key. */
void cmd_object_freq(struct cmd *c)
{
	const struct entry *e = find(c);

	if (e && access_is_lfu(c->engine))
		reply_i64(c, access_frequency(c->engine, e));
	else if (e)
		reply_error(c, "ERR An LFU maxmemory policy is not selected, "
			       "access frequency not tracked. Please note that "
			       "when switching between policies at runtime LRU "
			       "and LFU data will take some time to adjust.");
}

/* OBJECT IDLETIME key. */
void cmd_object_idletime(struct cmd *c)
{
	const struct entry *e = find(c);

	if (e && !access_is_lfu(c->engine))
		reply_i64(c, (int64_t)access_idle_s(c->engine, e));
	else if (e)
		reply_error(c, "ERR An LFU maxmemory policy is selected, idle "
			       "time not tracked. Please note that when "
			       "switching between policies at runtime LRU and "
			       "LFU data will take some time to adjust.");
}

/* OBJECT REFCOUNT key: values are never shared. */
void cmd_object_refcount(struct cmd *c)
{
	if (find(c))
		reply_i64(c, 1);
}

/* OBJECT HELP. */
void cmd_object_help(struct cmd *c)
{
	static const char *const lines[] = {
		"OBJECT <subcommand> [<arg> [value] [opt] ...]. "
		"Subcommands are:",
		"ENCODING <key>",
		"    The representation of the key's value in memory.",
		"FREQ <key>",
		"    How often the key is used, on a logarithmic scale.",
		"IDLETIME <key>",
		"    Seconds since the key was last used.",
		"REFCOUNT <key>",
		"    References to the key's value.",
		"HELP",
		"    This help.",
	};
	size_t i;

	reply_array(c, ARRAY_LEN(lines));
	for (i = 0; i < ARRAY_LEN(lines); i++)
		reply_simple(c, lines[i]);
}
