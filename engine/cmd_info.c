/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * INFO: which sections, in which order.
 */
#include "engine/cmd_server.h"

#include "base/mem.h"
#include "engine/info.h"
#include "engine/slowlog_cmd.h"

#include <stdarg.h>
#include <stdio.h>

static const struct section {
	const char *name;
	const char *title;
	info_fn *put;
	bool by_default;
} sections[] = {
	{ "server", "Server", info_server, true },
	{ "clients", "Clients", info_clients, true },
	{ "memory", "Memory", info_memory, true },
	{ "persistence", "Persistence", info_persistence, true },
	{ "stats", "Stats", info_stats, true },
	{ "replication", "Replication", info_replication, true },
	{ "cpu", "CPU", info_cpu, true },
	{ "modules", "Modules", info_modules, true },
	{ "commandstats", "Commandstats", info_commandstats, false },
	{ "errorstats", "Errorstats", info_errorstats, true },
	{ "latencystats", "Latencystats", latency_info, false },
	{ "cluster", "Cluster", info_cluster, true },
	{ "keyspace", "Keyspace", info_keyspace, true },
};

void info_line(struct buf *out, const char *format, ...)
{
	char text[4300];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (size > (int)sizeof(text) - 1)
		size = (int)sizeof(text) - 1;
	buf_put(out, text, (size_t)size);
	buf_put(out, "\r\n", 2);
}

static bool is_wanted(const struct cmd *c, const struct section *s)
{
	unsigned i;

	if (c->argc == 1)
		return s->by_default;
	for (i = 1; i < c->argc; i++) {
		if (arg_is(c, i, s->name))
			return true;
		if (arg_is(c, i, "default") && s->by_default)
			return true;
		if (arg_is(c, i, "everything") || arg_is(c, i, "all"))
			return true;
	}
	return false;
}

void cmd_info(struct cmd *c)
{
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(sections); i++) {
		if (!is_wanted(c, &sections[i]))
			continue;
		if (out.size)
			buf_put_str(&out, "\r\n");
		buf_printf(&out, "# %s\r\n", sections[i].title);
		sections[i].put(c->engine, &out);
	}
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}
