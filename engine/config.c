/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration from files and the command line.
 *
 *   file ─► line ─► words ─► directive_set          (config_value.c)
 *   argv ───────────────┘
 *
 * Everything becomes words, and the same setter takes them, so a directive
 * means the same wherever it stands.  The command line comes last and wins.
 *
 * I1. A name that nobody knows is a warning; a value that is wrong ends the
 *     start, naming file, line and reason.
 * I2. Directives that collect (save) collect over all sources; an empty value
 *     clears what was collected.
 */
#include "engine/config.h"

#include "base/mem.h"
#include "base/version.h"
#include "engine/config_table.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#define INCLUDE_DEPTH_MAX 16
#define FILE_SIZE_MAX (16u << 20)

/* Where a line came from, for messages. */
struct source {
	struct config *config;
	struct buf *warnings;
	struct err_message *m;
	const char *file; /* NULL: command line */
	unsigned line;
	unsigned depth;
};

struct config *config_new(void)
{
	struct config *c = mem_calloc(1, sizeof(*c));
	struct err_message m;
	size_t i;

	c->inert = mem_calloc(directives_count(), sizeof(*c->inert));
	for (i = 0; i < directives_count(); i++) {
		int err = directive_set_text(c, &directives[i],
			slice_str(directives[i].initial), &m);

		assert(err == OK);
	}
	return c;
}

void config_free(struct config *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < directives_count(); i++) {
		const struct directive *d = &directives[i];

		mem_free(c->inert[i]);
		if (d->offset != DIRECTIVE_INERT &&
		    (d->type == DIRECTIVE_TEXT || d->type == DIRECTIVE_DIR ||
		     d->type == DIRECTIVE_WORDS ||
		     d->type == DIRECTIVE_PASSWORD))
			mem_free(*(char **)((char *)c + d->offset));
	}
	mem_free(c->inert);
	mem_free(c->file);
	mem_free(c);
}

const struct directive *directive_find(struct slice name)
{
	const struct directive *d;

	for (d = directives; d->name; d++)
		if (slice_is(name, d->name) ||
		    (d->alias && slice_is(name, d->alias)))
			return d;
	return NULL;
}

/* --- words -----------------------------------------------------------------*/

/* One escape behind a backslash; returns the bytes it took. */
static size_t unescape(const uint8_t *p, size_t left, struct buf *out)
{
	static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
	const char *at;

	if (left >= 3 && p[0] == 'x' && ascii_hex(p[1]) >= 0 &&
	    ascii_hex(p[2]) >= 0) {
		buf_put_byte(out, (uint8_t)(ascii_hex(p[1]) * 16 +
					    ascii_hex(p[2])));
		return 3;
	}
	at = p[0] ? strchr(from, p[0]) : NULL;
	buf_put_byte(out, at ? (uint8_t)to[at - from] : p[0]);
	return 1;
}

/* Reads the quoted part that begins at line[i]; returns the index behind the
 * closing quote, or 0 if there is none or no blank follows it. */
static size_t split_quoted(struct slice line, size_t i, struct buf *out)
{
	uint8_t quote = line.data[i++];

	while (i < line.size && line.data[i] != quote) {
		if (line.data[i] == '\\' && i + 1 < line.size &&
		    (quote == '"' || line.data[i + 1] == '\'')) {
			i++;
			if (quote == '"') {
				i += unescape(line.data + i, line.size - i,
					      out);
				continue;
			}
		}
		buf_put_byte(out, line.data[i++]);
	}
	if (i == line.size)
		return 0;
	i++;
	return i == line.size || ascii_blank(line.data[i]) ? i : 0;
}

int config_split(struct slice line, struct buf *bytes, struct slice **words)
{
	size_t ends[1024];
	size_t i = 0, start = 0;
	int count = 0, k;

	*words = NULL;
	buf_reserve(bytes, line.size + 1); /* there, if all words are empty */
	for (;;) {
		while (i < line.size && ascii_blank(line.data[i]))
			i++;
		if (i == line.size || count == (int)ARRAY_LEN(ends))
			break;
		while (i < line.size && !ascii_blank(line.data[i])) {
			if (line.data[i] == '"' || line.data[i] == '\'') {
				i = split_quoted(line, i, bytes);
				if (i == 0)
					return -1;
			} else {
				buf_put_byte(bytes, line.data[i++]);
			}
		}
		ends[count++] = bytes->size;
	}
	*words = mem_calloc((size_t)count + 1, sizeof(**words));
	for (k = 0; k < count; k++) {
		(*words)[k] = slice_of(bytes->data + start, ends[k] - start);
		start = ends[k];
	}
	return count;
}

static bool plain_word(struct slice s)
{
	size_t i;

	for (i = 0; i < s.size; i++)
		if (s.data[i] <= ' ' || s.data[i] >= 127 || s.data[i] == '"' ||
		    s.data[i] == '\'' || s.data[i] == '\\')
			return false;
	return s.size > 0 && s.data[0] != '#';
}

void config_put_word(struct buf *out, struct slice s)
{
	size_t i;

	if (plain_word(s)) {
		buf_put_slice(out, s);
		return;
	}
	buf_put_byte(out, '"');
	for (i = 0; i < s.size; i++) {
		uint8_t c = s.data[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c >= 127)
			buf_printf(out, "\\x%02x", c);
		else
			buf_put_byte(out, c);
	}
	buf_put_byte(out, '"');
}

/* --- lines -----------------------------------------------------------------*/

static int load_file(struct source *from, const char *path);

/* The fatal form that redis-server prints, with the line as it stands. */
static int fatal(struct source *from, struct slice line, const char *reason)
{
	char where[4200] = "";
	char text[ERR_MESSAGE_SIZE];

	if (from->file)
		snprintf(where, sizeof(where), "Reading the configuration "
			 "file, at line %u of %.512s\n", from->line,
			 from->file);
	else
		snprintf(where, sizeof(where), "Reading the command line\n");
	snprintf(text, sizeof(text), "%.256s", reason);
	return err_set(from->m, ERR_CONFIG,
		       "\n*** FATAL CONFIG FILE ERROR (Redoubt %s) ***\n"
		       "%.600s>>> '%.*s'\n%s", REDOUBT_VERSION, where,
		       (int)(line.size > 200 ? 200 : line.size), line.data,
		       text);
}

static void warn(struct source *from, struct slice name, const char *text)
{
	if (!from->warnings)
		return;
	buf_printf(from->warnings, "%s '%.*s'", text,
		   (int)(name.size > 200 ? 200 : name.size), name.data);
	if (from->file)
		buf_printf(from->warnings, " at line %u of %s", from->line,
			   from->file);
	buf_put_byte(from->warnings, '\n');
}

/* What we take but cannot do: the user should know. */
static void warn_unsupported(struct source *from, const struct directive *d,
			     const struct directive_words *words)
{
	static const char *const missed[] = {
		"replicaof", "tls-port", "cluster-enabled",
		"min-replicas-to-write", "maxmemory-clients",
		"notify-keyspace-events",
	};
	struct slice first = words->items[0];
	size_t i;

	if (first.size == 0 || slice_is(first, "no") || slice_is(first, "0"))
		return;
	for (i = 0; i < ARRAY_LEN(missed); i++)
		if (!strcmp(d->name, missed[i]))
			break;
	if (i < ARRAY_LEN(missed))
		warn(from, slice_str(d->name), "not supported, ignored:");
}

static int include(struct source *from, struct slice line, struct slice pattern)
{
	char *path = mem_alloc(pattern.size + 1);
	glob_t found = { 0 };
	int err = OK, status;
	size_t i;

	memcpy(path, pattern.data, pattern.size);
	path[pattern.size] = 0;
	if (from->depth >= INCLUDE_DEPTH_MAX) {
		err = fatal(from, line, "too many nested includes");
		goto done;
	}
	/* a pattern may match nothing, a name must be there */
	if (!strpbrk(path, "*?[")) {
		err = load_file(from, path);
		goto done;
	}
	status = glob(path, 0, NULL, &found);
	if (status == GLOB_NOSPACE)
		mem_exhausted(sizeof(found));
	if (status == 0)
		for (i = 0; i < found.gl_pathc && err == OK; i++)
			err = load_file(from, found.gl_pathv[i]);
	globfree(&found);
done:
	mem_free(path);
	return err;
}

/* A directive's name and its values. */
static int apply_words(struct source *from, struct slice line,
		       const struct slice *items, unsigned count)
{
	struct directive_words words = { items + 1, count - 1, true };
	const struct directive *d = directive_find(items[0]);
	struct err_message reason;
	int err;

	if (slice_is(items[0], "include")) {
		if (count != 2)
			return fatal(from, line, "wrong number of arguments");
		return include(from, line, items[1]);
	}
	if (!d) {
		warn(from, items[0], "unknown directive");
		return OK;
	}
	from->config->save_given |= d->type == DIRECTIVE_SAVE;
	/* --save "900 1 300 10" is one word on a command line */
	if (words.count == 1 && d->flags & DIRECTIVE_LIST &&
	    memchr(items[1].data, ' ', items[1].size)) {
		struct buf bytes = { 0 };
		struct slice *parts;
		int n = config_split(items[1], &bytes, &parts);

		words.items = parts;
		words.count = n < 0 ? 0 : (unsigned)n;
		err = directive_set(from->config, d, &words, &reason);
		mem_free(parts);
		buf_release(&bytes);
	} else {
		err = directive_set(from->config, d, &words, &reason);
	}
	if (err)
		return fatal(from, line, reason.text);
	warn_unsupported(from, d, &(struct directive_words){ items + 1,
							      count - 1,
							      false });
	return OK;
}

static int apply_line(struct source *from, struct slice line)
{
	struct buf bytes = { 0 };
	struct slice *items = NULL;
	int count, err;

	while (line.size && ascii_blank(line.data[0]))
		line = slice_of(line.data + 1, line.size - 1);
	while (line.size && ascii_blank(line.data[line.size - 1]))
		line.size--;
	if (line.size == 0 || line.data[0] == '#')
		return OK;
	count = config_split(line, &bytes, &items);
	if (count < 0)
		err = fatal(from, line, "Unbalanced quotes in configuration "
					"line");
	else
		err = count == 0 ? OK : apply_words(from, line, items,
						    (unsigned)count);
	mem_free(items);
	buf_release(&bytes);
	return err;
}

static int apply_text(struct source *from, struct slice text)
{
	size_t at = 0;
	int err = OK;

	while (at < text.size && err == OK) {
		const uint8_t *end = memchr(text.data + at, '\n',
					    text.size - at);
		size_t size = end ? (size_t)(end - text.data) - at
				  : text.size - at;

		from->line++;
		err = apply_line(from, slice_of(text.data + at, size));
		at += size + 1;
	}
	return err;
}

static int read_whole(int file, struct buf *out)
{
	ssize_t n;

	do {
		n = read(file, buf_reserve(out, 65536), 65536);
		if (n > 0)
			out->size += (size_t)n;
	} while ((n > 0 && out->size <= FILE_SIZE_MAX) ||
		 (n < 0 && errno == EINTR));
	if (n < 0)
		return -errno;
	return out->size > FILE_SIZE_MAX ? -EFBIG : 0;
}

static int load_file(struct source *from, const char *path)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct source inner = *from;
	struct buf text = { 0 };
	int file = standard_input ? STDIN_FILENO
				  : open(path, O_RDONLY | O_CLOEXEC);
	int err;

	inner.file = standard_input ? "standard input" : path;
	inner.line = 0;
	inner.depth = from->depth + 1;
	err = file < 0 ? -errno : read_whole(file, &text);
	if (err)
		err = err_set(from->m, ERR_CONFIG, "Fatal error, can't open "
			      "config file '%.512s': %s", path,
			      strerror(-err));
	else
		err = apply_text(&inner, buf_slice(&text));
	if (file >= 0 && !standard_input)
		close(file);
	buf_release(&text);
	return err;
}

/* --- the command line ------------------------------------------------------*/

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-' && arg[2] != 0;
}

/* One --name and the values up to the next; returns how many of argv it took,
 * or a negative enum err. */
static int apply_option(struct source *from, int argc, char **argv)
{
	struct slice items[64] = { slice_str(argv[0] + 2) };
	struct buf line = { 0 };
	unsigned count = 1, i;
	int taken = 1, err;

	while (taken < argc && !is_option(argv[taken]) &&
	       !(taken == argc - 1 && strcmp(argv[taken], "-") == 0) &&
	       count < ARRAY_LEN(items))
		items[count++] = slice_str(argv[taken++]);
	if (count == 1 && slice_is(items[0], "save"))
		items[count++] = slice_str(""); /* --save alone clears */
	for (i = 0; i < count; i++) {
		if (i)
			buf_put_byte(&line, ' ');
		config_put_word(&line, items[i]);
	}
	err = apply_words(from, buf_slice(&line), items, count);
	buf_release(&line);
	return err ? err : taken;
}

/* The file's name is kept absolute: CONFIG REWRITE needs it later. */
static int set_file(struct config *c, const char *path, struct err_message *m)
{
	struct buf whole = { 0 };
	char here[4096];

	if (path[0] != '/') {
		if (!getcwd(here, sizeof(here)))
			return err_set(m, ERR_CONFIG, "the current directory "
				       "has no name");
		buf_printf(&whole, "%s/", here);
	}
	buf_put(&whole, path, strlen(path) + 1);
	mem_free(c->file);
	c->file = mem_strdup((const char *)whole.data);
	buf_release(&whole);
	return OK;
}

/* Who has neither log nor rules for snapshots gets those of Redis, which a
 * redis.conf counts upon. */
static int set_save_rules(struct source *from)
{
	struct config *c = from->config;

	if (c->appendonly || c->save_given)
		return OK;
	return config_set_line(c, SLICE_LITERAL(SAVE_RULES), from->warnings,
			       from->m);
}

int config_load(struct config *c, int argc, char **argv, struct buf *warnings,
		struct err_message *m)
{
	struct source from = { .config = c, .warnings = warnings, .m = m };
	int i = 1, err;

	if (i < argc && !is_option(argv[i]) && strcmp(argv[i], "-")) {
		err = set_file(c, argv[i], m);
		if (err == OK)
			err = load_file(&from, c->file);
		if (err)
			return err;
		i++;
	}
	while (i < argc) {
		if (strcmp(argv[i], "-") == 0) {
			err = load_file(&from, "-");
			if (err)
				return err;
			i++;
			continue;
		}
		if (!is_option(argv[i]))
			return fatal(&from, slice_str(argv[i]),
				     "Bad directive or wrong number of "
				     "arguments");
		err = apply_option(&from, argc - i, argv + i);
		if (err < 0)
			return err;
		i += err;
	}
	return set_save_rules(&from);
}

int config_set_line(struct config *c, struct slice line, struct buf *warnings,
		    struct err_message *m)
{
	struct source from = { .config = c, .warnings = warnings, .m = m };

	return apply_line(&from, line);
}
