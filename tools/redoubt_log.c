/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-log: the command line.
 */
#include "tools/redoubt_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/glob.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/version.h"
#include "snapshot/snapshot.h"

static const char usage[] =
"usage: redoubt-log COMMAND [--dir DIR] [option ...]\n"
"\n"
"Looks at the log and the snapshots of a Redoubt store. Reads only; the\n"
"server may be running or not.\n"
"\n"
"  info     segments, snapshots, positions\n"
"  cat      records, one per line, oldest first (JSON lines)\n"
"  tail     the last records; with -f also those to come\n"
"  stat     counts and bytes by record type and by command\n"
"  verify   reads every byte and reports what is damaged (exit 65)\n"
"\n"
"  --dir DIR           the store's directory (default .)\n"
"  --from [EPOCH:]LSN  first record      --to LSN      last record\n"
"  --since TIME        batches from      --until TIME  batches before\n"
"                      (ms since 1970 or YYYY-MM-DD[THH:MM[:SS[.mmm]]], UTC)\n"
"  --key PATTERN       glob on the key; flushes and swaps are of every key\n"
"  --type NAME         of the record\n"
"  --user NAME         who did it        --command NAME  by what\n"
"  --value-max BYTES   show so much of a value (default 256)\n"
"  --file NAME         verify: this file only\n"
"  -n COUNT            tail: so many records (default 10)\n"
"  -f, --follow        tail: go on\n"
"  --human, --json     text for people, or JSON\n"
"\n"
"redoubt-log --version says which one this is.\n"
"Exit status: 0 good, 64 usage or no store, 65 damaged data, 74 read or write\n"
"error or records that have left the log, 78 written by a newer version.\n";

int log_fail(int err, const struct err_message *m)
{
	fprintf(stderr, "redoubt-log: %s\n",
		m->text[0] ? m->text : "unknown error");
	return err_exit_code(err);
}

int log_no_store(const struct log_options *o)
{
	fprintf(stderr, "redoubt-log: %s holds no store: no log/*.seg, no "
		"snap/*.snap. Next: redoubt-log info --dir DIR, with the "
		"server's dir\n", o->dir);
	return EXIT_USAGE;
}

bool log_has_snapshots(const struct log_options *o)
{
	struct snapshot_name *names = NULL;
	int n = snapshot_list(o->io, o->dir, &names, NULL);

	mem_free(names);
	return n != 0; /* not to be read: something is there */
}

/* "E:N" or "N" */
static bool parse_position(const char *s, uint32_t *epoch, uint64_t *lsn)
{
	const char *colon = strchr(s, ':');
	uint64_t e = 0;

	if (colon && (!num_parse_u64(slice_of(s, (size_t)(colon - s)), &e) ||
		      e > UINT32_MAX))
		return false;
	*epoch = (uint32_t)e;
	return num_parse_u64(slice_str(colon ? colon + 1 : s), lsn);
}

/* Milliseconds since 1970, or a date in UTC, as log_put_time writes it or with
 * less behind the day. */
static bool parse_time(const char *s, uint64_t *ms)
{
	struct tm t = { .tm_mday = 1 };
	uint64_t part = 0;
	int used = 0, n;

	if (num_parse_u64(slice_str(s), ms))
		return true;
	n = sscanf(s, "%4d-%2d-%2d%n%*1[T ]%2d:%2d%n:%2d%n", &t.tm_year,
		   &t.tm_mon, &t.tm_mday, &used, &t.tm_hour, &t.tm_min, &used,
		   &t.tm_sec, &used);
	if (n == 6 && s[used] == '.' &&
	    strspn(s + used + 1, "0123456789") == 3) {
		part = strtoul(s + used + 1, NULL, 10);
		used += 4;
	}
	if (n < 3 || (s[used] != 0 && strcmp(s + used, "Z") != 0))
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	*ms = (uint64_t)timegm(&t) * 1000 + part;
	return true;
}

static bool set_number(const char *value, uint64_t *out)
{
	return num_parse_u64(slice_str(value), out);
}

static bool is_record_type(const char *name)
{
	unsigned i;

	for (i = 0; i <= RECORD_TAG_MAX; i++) {
		const char *type = record_type_name(i);

		if (type && strcmp(type, name) == 0)
			return true;
	}
	return false;
}

/* Whether the command looks at the option. */
static bool option_counts(const char *command, const char *name)
{
	static const struct {
		const char *option, *commands;
	} few[] = {
		{ "--from", "cat tail stat" }, { "--to", "cat tail stat" },
		{ "--since", "cat tail stat" }, { "--until", "cat tail stat" },
		{ "--key", "cat tail stat" }, { "--type", "cat tail stat" },
		{ "--user", "cat tail stat" }, { "--command", "cat tail stat" },
		{ "--value-max", "cat tail" }, { "--file", "verify" },
		{ "-n", "tail" }, { "-f", "tail" }, { "--follow", "tail" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(few); i++)
		if (strcmp(few[i].option, name) == 0)
			return strstr(few[i].commands, command) != NULL;
	return true;
}

/* One option with its value; false: it is wrong. */
static bool set_option(struct log_options *o, const char *name,
		       const char *value)
{
	uint64_t n;
	uint32_t unused;

	if (strcmp(name, "--dir") == 0)
		o->dir = value;
	else if (strcmp(name, "--from") == 0)
		return parse_position(value, &o->from_epoch, &o->from_lsn);
	else if (strcmp(name, "--to") == 0)
		return parse_position(value, &unused, &o->to_lsn);
	else if (strcmp(name, "--since") == 0)
		return parse_time(value, &o->since_ms);
	else if (strcmp(name, "--until") == 0)
		return parse_time(value, &o->until_ms);
	else if (strcmp(name, "--key") == 0)
		o->key = value;
	else if (strcmp(name, "--type") == 0 && is_record_type(value))
		o->type = value;
	else if (strcmp(name, "--user") == 0)
		o->user = value;
	else if (strcmp(name, "--command") == 0)
		o->command = value;
	else if (strcmp(name, "--file") == 0)
		o->file = value;
	else if (strcmp(name, "--value-max") == 0 && set_number(value, &n))
		o->value_max = (size_t)n;
	else if (strcmp(name, "-n") == 0)
		return set_number(value, &o->count);
	else
		return false;
	return true;
}

static bool set_flag(struct log_options *o, const char *name)
{
	if (strcmp(name, "--human") == 0)
		o->human = true;
	else if (strcmp(name, "--json") == 0)
		o->json = true;
	else if (strcmp(name, "-f") == 0 || strcmp(name, "--follow") == 0)
		o->follow = true;
	else
		return false;
	return true;
}

static bool parse_options(struct log_options *o, int argc, char **argv)
{
	int i;

	for (i = 2; i < argc; i++) {
		bool counts = option_counts(argv[1], argv[i]);

		if (counts && set_flag(o, argv[i]))
			continue;
		if (!counts || i + 1 >= argc ||
		    !set_option(o, argv[i], argv[i + 1])) {
			fprintf(stderr,
				"redoubt-log: %s cannot use '%s%s%s'\n"
				"Next: redoubt-log --help\n", argv[1],
				argv[i], i + 1 < argc ? " " : "",
				i + 1 < argc ? argv[i + 1] : "");
			return false;
		}
		i++;
	}
	return true;
}

bool log_batch_wanted(const struct log_options *o, const struct batch_view *v)
{
	if (v->time_ms < o->since_ms || v->time_ms >= o->until_ms)
		return false;
	if (o->from_epoch && v->epoch < o->from_epoch)
		return false;
	if (o->user &&
	    !glob_match(slice_str(o->user), v->origin.user, false))
		return false;
	return !o->command ||
	       glob_match(slice_str(o->command), v->origin.command, true);
}

/* Of all keys of a database, so of each that a pattern names. */
static bool of_every_key(const struct record *r)
{
	return r->type == REC_db_flush || r->type == REC_all_flush ||
	       r->type == REC_db_swap;
}

bool log_record_wanted(const struct log_options *o, const struct record *r)
{
	const char *type = record_type_name(r->type);

	if (r->lsn < o->from_lsn || r->lsn > o->to_lsn)
		return false;
	if (o->type && (!type || strcmp(type, o->type) != 0))
		return false;
	if (!o->key || of_every_key(r))
		return true;
	return glob_match(slice_str(o->key), r->key, false) ||
	       (r->other.size &&
		glob_match(slice_str(o->key), r->other, false));
}

void log_put_time(struct buf *out, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm t;
	char text[32];

	gmtime_r(&seconds, &t);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &t);
	buf_printf(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

/* What could not be written was not shown. */
static int finish(int code)
{
	bool failed = ferror(stdout);

	if (fflush(stdout) == 0 && !failed)
		return code;
	fprintf(stderr, "redoubt-log: cannot write all of the output: %s\n",
		strerror(errno));
	return code == EXIT_OK ? EXIT_IO : code;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct log_options *);
	} commands[] = {
		{ "info", log_info }, { "cat", log_cat },
		{ "tail", log_tail }, { "stat", log_stat },
		{ "verify", log_verify },
	};
	struct log_options o = {
		.io = io_posix(),
		.dir = ".",
		.to_lsn = UINT64_MAX,
		.until_ms = UINT64_MAX,
		.count = 10,
		.value_max = 256,
	};
	size_t i;

	if (argc < 2 || asks_for_help(argv[1]) ||
	    strcmp(argv[1], "help") == 0 ||
	    (argc > 2 && asks_for_help(argv[2]))) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0) {
		puts("redoubt-log " REDOUBT_VERSION);
		return EXIT_OK;
	}
	for (i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!parse_options(&o, argc, argv))
			return EXIT_USAGE;
		return finish(commands[i].run(&o));
	}
	fprintf(stderr, "redoubt-log: no command '%s'\n"
			"Next: redoubt-log --help\n", argv[1]);
	return EXIT_USAGE;
}
