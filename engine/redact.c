/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is shown of a command.
 *
 * I1. Arguments of a command with CMD_REDACT, and values of directives that
 *     hold secrets, are shown nowhere.
 */
#include "engine/redact.h"

#include "engine/config_table.h"

/* The value in CONFIG SET name value [name value …] is a secret. */
static bool is_secret_value(const struct cmd *c, unsigned index)
{
	const struct directive *d;

	if (index < 3 || index % 2 == 0 ||
	    strcmp(c->command->name, "config|set"))
		return false;
	d = directive_find(c->argv[index - 1]);
	return d && (d->flags & DIRECTIVE_SECRET ||
		     !strcmp(d->name, "masteruser"));
}

/* Words of a command that are followed by secrets. */
struct secret_word {
	const char *command;
	const char *word;
	unsigned first; /* argument that it may be */
	unsigned count; /* secrets behind it */
};

static const struct secret_word secret_words[] = {
	{ "hello", "auth", 1, 2 },
	{ "migrate", "auth", 6, 1 },
	{ "migrate", "auth2", 6, 2 },
};

static bool is_password(const struct cmd *c, unsigned index)
{
	unsigned i, at;

	for (i = 0; i < ARRAY_LEN(secret_words); i++) {
		const struct secret_word *w = &secret_words[i];

		if (strcmp(c->command->name, w->command))
			continue;
		at = index > w->count ? index - w->count : 0;
		for (at = at < w->first ? w->first : at; at < index; at++)
			if (arg_is(c, at, w->word))
				return true;
	}
	return false;
}

struct slice redact_argument(const struct cmd *c, unsigned index)
{
	unsigned words = strchr(c->command->name, '|') ? 2 : 1;

	if ((c->command->flags & CMD_REDACT && index >= words) ||
	    is_secret_value(c, index) || is_password(c, index))
		return SLICE_LITERAL(REDACTED);
	return c->argv[index];
}

void redact_put_quoted(struct buf *out, struct slice s)
{
	static const char plain[] = "\n\r\t\a\b", letters[] = "nrtab";
	size_t i;

	buf_put_byte(out, '"');
	for (i = 0; i < s.size; i++) {
		uint8_t b = s.data[i];
		const char *at = b ? strchr(plain, b) : NULL;

		if (at)
			buf_printf(out, "\\%c", letters[at - plain]);
		else if (b == '"' || b == '\\')
			buf_printf(out, "\\%c", b);
		else if (b < ' ' || b >= 127)
			buf_printf(out, "\\x%02x", b);
		else
			buf_put_byte(out, b);
	}
	buf_put_byte(out, '"');
}
