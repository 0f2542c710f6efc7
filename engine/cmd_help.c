/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "<container> HELP", made from the command table: what a sub-command takes
 * and does stands in its row and nowhere else.
 */
#include "engine/cmd_connection.h"

static bool is_beside(const char *name, const char *container, size_t size)
{
	return strncmp(name, container, size + 1) == 0;
}

static void put_upper(struct buf *out, const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		buf_put_byte(out, text[i] >= 'a' && text[i] <= 'z' ?
			     (uint8_t)(text[i] - 32) : (uint8_t)text[i]);
}

static void put_line(struct cmd *c, struct buf *line)
{
	buf_put_byte(line, 0);
	reply_simple(c, (const char *)line->data);
	line->size = 0;
}

void cmd_help(struct cmd *c)
{
	const char *own = c->command->name;
	size_t size = (size_t)(strchr(own, '|') - own);
	struct buf line = { 0 };
	size_t i, count = 0;

	for (i = 0; i < commands_count(); i++)
		count += is_beside(command_at(i)->name, own, size);
	reply_array(c, 1 + 2 * count);
	put_upper(&line, own, size);
	buf_put_str(&line, " <subcommand> [argument ...]. Subcommands are:");
	put_line(c, &line);
	for (i = 0; i < commands_count(); i++) {
		const struct command *row = command_at(i);

		if (!is_beside(row->name, own, size))
			continue;
		put_upper(&line, row->name + size + 1,
			  strlen(row->name + size + 1));
		if (row->arguments)
			buf_printf(&line, " %s", row->arguments);
		put_line(c, &line);
		buf_printf(&line, "    %s", row->summary);
		put_line(c, &line);
	}
	buf_release(&line);
}
