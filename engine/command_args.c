/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser of `arguments`: recursive descent, one function per rule.
 *
 *   items  := item (' ' item)*
 *   item   := thing '...'?
 *   thing  := '[' either ']' | '<' either '>' | '(' items ')' | word | name
 *   either := items ('|' items)*
 *   word   := UPPER (':' item)?
 *   name   := lower ('=' type)?
 *
 * I1. Items are made in order; a child's number is above its parent's, so 0
 *     can mean "none".
 */
#include "engine/command_args.h"

#include <assert.h>

struct parser {
	struct command_args *out;
	const char *at;
	bool bad;
};

static unsigned parse_items(struct parser *p, unsigned parent);
static unsigned parse_item(struct parser *p);

static unsigned node(struct parser *p, enum command_arg_kind kind)
{
	unsigned i = p->out->count;

	if (i == COMMAND_ARGS_MAX) {
		p->bad = true;
		return 1;
	}
	p->out->items[i] = (struct command_arg){ .kind = kind };
	p->out->count++;
	return i;
}

static struct command_arg *arg(struct parser *p, unsigned i)
{
	return &p->out->items[i];
}

static bool take(struct parser *p, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(p->at, text, size))
		return false;
	p->at += size;
	return true;
}

/* Type names end with the list; a name that ends with one of these words, or
 * with it and digits, is of that type. */
static const char *type_of(struct slice name)
{
	static const struct {
		const char *word, *type;
	} known[] = {
		{ "key", "key" }, { "destination", "key" },
		{ "source", "key" }, { "pattern", "pattern" },
		{ "count", "integer" }, { "seconds", "integer" },
		{ "milliseconds", "integer" }, { "offset", "integer" },
		{ "cursor", "integer" }, { "timeout", "integer" },
		{ "index", "integer" }, { "db", "integer" },
		{ "numkeys", "integer" }, { "len", "integer" },
		{ "start", "integer" }, { "end", "integer" },
	};
	size_t i;

	while (name.size && name.data[name.size - 1] >= '0' &&
	       name.data[name.size - 1] <= '9')
		name.size--;
	for (i = 0; i < ARRAY_LEN(known); i++) {
		size_t size = strlen(known[i].word);

		if (name.size >= size &&
		    memcmp(name.data + name.size - size, known[i].word,
			   size) == 0)
			return known[i].type;
	}
	return "string";
}

static const char *type_named(struct slice name)
{
	static const char *const types[] = { "string", "integer", "double",
					     "key", "pattern" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (slice_is(name, types[i]))
			return types[i];
	return slice_is(name, "unix") ? "unix-time" : NULL;
}

static struct slice take_until(struct parser *p, const char *stops)
{
	const char *start = p->at;

	while (*p->at && !strchr(stops, *p->at) && strncmp(p->at, "...", 3))
		p->at++;
	if (p->at == start)
		p->bad = true;
	return slice_of(start, (size_t)(p->at - start));
}

/* Signs are called what they mean. */
static struct slice name_of_word(struct slice word)
{
	switch (word.data[0]) {
	case '=': return SLICE_LITERAL("equal");
	case '~': return SLICE_LITERAL("approximately");
	case '*': return SLICE_LITERAL("auto-id");
	case '$': return SLICE_LITERAL("new-id");
	default: return word;
	}
}

static unsigned parse_word(struct parser *p)
{
	struct slice word = take_until(p, " |]>):");
	unsigned i;

	if (take(p, ":")) {
		i = parse_item(p);
		arg(p, i)->token = word;
		return i;
	}
	i = node(p, ARG_WORD);
	arg(p, i)->name = name_of_word(word);
	arg(p, i)->token = word;
	return i;
}

static unsigned parse_name(struct parser *p)
{
	unsigned i = node(p, ARG_VALUE);
	struct slice name = take_until(p, " |]>)=");

	arg(p, i)->name = name;
	arg(p, i)->type = type_of(name);
	if (take(p, "=")) {
		arg(p, i)->type = type_named(take_until(p, " |]>)"));
		if (!arg(p, i)->type)
			p->bad = true;
	}
	return i;
}

/* Alternatives up to `end`; one alone is not a choice. */
static unsigned parse_either(struct parser *p, const char *end)
{
	unsigned choice = node(p, ARG_ONE_OF), last = 0, alternatives = 0;

	do {
		unsigned block = node(p, ARG_BLOCK);
		unsigned i = parse_items(p, block) == 1 ?
			arg(p, block)->first : block;

		if (p->bad)
			return choice;
		if (last)
			arg(p, last)->next = (uint8_t)i;
		else
			arg(p, choice)->first = (uint8_t)i;
		last = i;
		alternatives++;
	} while (take(p, "|"));
	if (!take(p, end))
		p->bad = true;
	return alternatives == 1 ? last : choice;
}

static unsigned parse_item(struct parser *p)
{
	unsigned i;

	if (p->bad)
		return 1;
	if (take(p, "[")) {
		i = parse_either(p, "]");
		arg(p, i)->optional = true;
	} else if (take(p, "<")) {
		i = parse_either(p, ">");
	} else if (take(p, "(")) {
		i = node(p, ARG_BLOCK);
		parse_items(p, i);
		if (!take(p, ")"))
			p->bad = true;
	} else if ((*p->at >= 'A' && *p->at <= 'Z') ||
		   (*p->at && strchr("=~*$", *p->at))) {
		i = parse_word(p);
	} else {
		i = parse_name(p);
	}
	if (take(p, "..."))
		arg(p, i)->multiple = true;
	return i;
}

/* Items become children of parent; returns how many. */
static unsigned parse_items(struct parser *p, unsigned parent)
{
	unsigned last = 0, count = 0;

	do {
		unsigned i = parse_item(p);

		if (p->bad)
			return count;
		if (last)
			arg(p, last)->next = (uint8_t)i;
		else
			arg(p, parent)->first = (uint8_t)i;
		last = i;
		count++;
	} while (take(p, " "));
	return count;
}

bool command_args_parse(struct command_args *out, const char *text)
{
	struct parser p = { .out = out, .at = text };

	out->count = 0;
	node(&p, ARG_BLOCK);
	if (!text || !*text)
		return true;
	parse_items(&p, 0);
	return !p.bad && *p.at == 0;
}

unsigned command_args_children(const struct command_args *a, unsigned i)
{
	unsigned count = 0;

	for (i = a->items[i].first; i; i = a->items[i].next)
		count++;
	return count;
}
