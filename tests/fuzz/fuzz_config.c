/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: configuration as a file, standard input, command line and
 * CONFIG SET have it.
 *
 * Files of this machine are not the parser's business: every name and every
 * pattern is the input itself (open and glob are wrapped by the linker).
 * A value that was taken must be written to text that reads back to the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/config_table.h"

#define WORDS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_open(const char *path, int flags, ...);
int __wrap_glob(const char *pattern, int flags,
		int (*error)(const char *path, int number), glob_t *out);
int __real_glob(const char *pattern, int flags,
		int (*error)(const char *path, int number), glob_t *out);

static int input_file = -1;
static unsigned opened;

/* The input as a file; a few times, as it may include itself in each line. */
int __wrap_open(const char *path, int flags, ...)
{
	(void)flags;
	if (opened++ >= 4 || strchr(path, '!')) {
		errno = ENOENT;
		return -1;
	}
	lseek(input_file, 0, SEEK_SET);
	return dup(input_file);
}

/* One name, whatever the pattern. */
int __wrap_glob(const char *pattern, int flags,
		int (*error)(const char *path, int number), glob_t *out)
{
	(void)pattern;
	return __real_glob("/", flags, error, out);
}

static void set_input(struct slice text)
{
	if (input_file < 0) {
		input_file = memfd_create("input", MFD_CLOEXEC);
		if (input_file < 0 || dup2(input_file, STDIN_FILENO) < 0)
			abort();
	}
	opened = 0;
	if (ftruncate(input_file, 0) != 0 ||
	    pwrite(input_file, text.data, text.size, 0) !=
		    (ssize_t)text.size)
		abort();
	lseek(input_file, 0, SEEK_SET);
}

/* --- ways out ---------------------------------------------------------- */

static void check_value(struct config *c, const struct directive *d)
{
	struct buf first = { 0 }, second = { 0 };
	struct err_message m = { { 0 } };

	buf_reserve(&first, 1);
	directive_save(c, d, &first);
	if (directive_set_text(c, d, buf_slice(&first), &m) != OK) {
		fprintf(stderr, "%s '%.*s': %s\n", d->name, (int)first.size,
			first.data, m.text);
		abort();
	}
	directive_save(c, d, &second);
	if (!slice_equal(buf_slice(&first), buf_slice(&second))) {
		fprintf(stderr, "%s '%.*s' reads back as '%.*s'\n", d->name,
			(int)first.size, first.data, (int)second.size,
			second.data);
		abort();
	}
	directive_show(c, d, &second);
	buf_release(&first);
	buf_release(&second);
}

static void check_values(struct config *c)
{
	size_t i;

	for (i = 0; i < directives_count(); i++)
		check_value(c, &directives[i]);
}

/* --- ways in ----------------------------------------------------------- */

static int load(struct config *c, char **argv, int argc, struct buf *warnings)
{
	struct err_message m = { { 0 } };
	int err = config_load(c, argc, argv, warnings, &m);

	if (err && !m.text[0])
		abort();
	return err;
}

/* Words are separated by 0. */
static int load_words(struct config *c, struct slice words,
		      struct buf *warnings)
{
	char *argv[WORDS_MAX + 1] = { (char *)"redoubt-server" };
	char *text = mem_alloc(words.size + 1);
	size_t at = 0;
	int argc = 1, err;

	memcpy(text, words.data, words.size);
	text[words.size] = 0;
	while (at < words.size && argc < WORDS_MAX) {
		argv[argc++] = text + at;
		at += strlen(text + at) + 1;
	}
	err = load(c, argv, argc, warnings);
	mem_free(text);
	return err;
}

/* One directive by its number, the rest is its value. The configuration stays,
 * as making one takes most of the time. */
static void set_one(struct slice text)
{
	static struct config *c;
	const struct directive *d;
	struct err_message m = { { 0 } };

	if (!c)
		c = config_new();
	d = &directives[text.data[0] % directives_count()];
	if (directive_set_text(c, d, slice_of(text.data + 1, text.size - 1),
			       &m) == OK)
		check_value(c, d);
	if (directive_set_text(c, d, slice_str(d->initial), &m) != OK)
		abort();
}

/* A word put into a line is the same word when the line is split. */
static void check_word(struct slice word)
{
	struct buf line = { 0 }, bytes = { 0 };
	struct slice *words;

	config_put_word(&line, word);
	if (config_split(buf_slice(&line), &bytes, &words) != 1 ||
	    !slice_equal(words[0], word))
		abort();
	mem_free(words);
	buf_release(&bytes);
	buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *file[] = { (char *)"server", (char *)"file" };
	struct buf warnings = { 0 };
	struct err_message m = { { 0 } };
	struct slice text;
	struct config *c;
	int err;

	if (size < 2)
		return 0;
	text = slice_of(data + 1, size - 1);
	if ((data[0] & 3) == 2) {
		set_one(text);
		return 0;
	}
	set_input(text);
	c = config_new();
	switch (data[0] & 3) {
	case 0:
		err = load(c, file, 2, &warnings);
		break;
	case 1:
		err = load_words(c, text, &warnings);
		break;
	default:
		err = config_set_line(c, text, data[0] & 4 ? &warnings : NULL,
				      &m);
		check_word(text);
	}
	if (err == OK && (data[0] & 8)) /* it takes long */
		check_values(c);
	buf_release(&warnings);
	config_free(c);
	return 0;
}
