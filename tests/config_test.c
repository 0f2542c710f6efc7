/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/config.h"

#include "tests/support/suite.h"

#include "base/logline.h"
#include "base/mem.h"
#include "engine/config_table.h"
#include "engine/password.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config *config;
static struct buf warnings;
static struct err_message message;
static char folder[64];

static void setup(void)
{
	strcpy(folder, "/tmp/redoubt-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	config = config_new();
	message.text[0] = 0;
}

static void teardown(void)
{
	char command[128];

	config_free(config);
	buf_release(&warnings);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static int set(const char *line)
{
	return config_set_line(config, slice_str(line), &warnings, &message);
}

/* The value as CONFIG GET shows it; a static string. */
static const char *get(const char *name)
{
	static char text[2048];
	const struct directive *d = directive_find(slice_str(name));
	struct buf out = { 0 };

	ck_assert_msg(d != NULL, "no directive %s", name);
	directive_show(config, d, &out);
	ck_assert_uint_lt(out.size, sizeof(text));
	snprintf(text, sizeof(text), "%.*s", (int)out.size,
		 out.data ? (const char *)out.data : "");
	buf_release(&out);
	return text;
}

static const char *warned(void)
{
	buf_put_byte(&warnings, 0);
	warnings.size--;
	return (const char *)warnings.data;
}

static char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static const char *read_file(const char *name)
{
	static char text[16384];
	FILE *f = fopen(path_of(name), "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

static int load(int argc, ...)
{
	char *argv[16] = { (char *)"redoubt-server" };
	va_list ap;
	int i;

	va_start(ap, argc);
	for (i = 0; i < argc; i++)
		argv[i + 1] = va_arg(ap, char *);
	va_end(ap);
	return config_load(config, argc + 1, argv, &warnings, &message);
}

START_TEST(config__rows_are_in_order_and_unique)
{
	size_t i;

	setup();
	for (i = 0; i + 1 < directives_count(); i++)
		ck_assert_msg(strcmp(directives[i].name,
				     directives[i + 1].name) < 0,
			      "%s", directives[i + 1].name);
	for (i = 0; i < directives_count(); i++) {
		const struct directive *d = &directives[i];

		ck_assert_ptr_eq(directive_find(slice_str(d->name)), d);
		if (d->alias)
			ck_assert_ptr_eq(directive_find(slice_str(d->alias)),
					 d);
	}
	teardown();
}
END_TEST

START_TEST(config__every_value_reads_back_what_it_writes)
{
	size_t i;

	setup();
	for (i = 0; i < directives_count(); i++) {
		const struct directive *d = &directives[i];
		struct buf first = { 0 }, second = { 0 };

		directive_save(config, d, &first);
		ck_assert_msg(directive_set_text(config, d, buf_slice(&first),
						 &message) == OK,
			      "%s: %s", d->name, message.text);
		directive_save(config, d, &second);
		ck_assert_msg(slice_equal(buf_slice(&first),
					  buf_slice(&second)), "%s", d->name);
		buf_release(&first);
		buf_release(&second);
	}
	teardown();
}
END_TEST

START_TEST(config__without_configuration_nothing_is_lost)
{
	setup();
	ck_assert(config->appendonly);
	ck_assert_int_eq(config->appendfsync, 2);
	ck_assert_uint_eq(config->save_count, 0);
	ck_assert_str_eq(get("port"), "6379");
	ck_assert_str_eq(get("databases"), "16");
	ck_assert_uint_eq(config->output_normal.hard, UINT64_C(1) << 30);
	ck_assert_ptr_null(config->requirepass_hash);
	ck_assert_ptr_null(config->unixsocket);
	ck_assert_int_eq(config->dir[0], '/');
	teardown();
}
END_TEST

START_TEST(config__names_are_case_insensitive_and_have_aliases)
{
	setup();
	ck_assert_int_eq(set("MaxMemory 1gb"), OK);
	ck_assert_int_eq(config->maxmemory, 1 << 30);
	ck_assert_int_eq(set("slave-priority 7"), OK);
	ck_assert_str_eq(get("replica-priority"), "7");
	ck_assert_int_eq(set("hash-max-ziplist-entries 3"), OK);
	ck_assert_str_eq(get("hash-max-listpack-entries"), "3");
	teardown();
}
END_TEST

START_TEST(config__sizes_have_units)
{
	setup();
	ck_assert_int_eq(set("maxmemory 5k"), OK);
	ck_assert_str_eq(get("maxmemory"), "5000");
	ck_assert_int_eq(set("maxmemory 5kb"), OK);
	ck_assert_str_eq(get("maxmemory"), "5120");
	ck_assert_int_eq(set("stream-node-max-bytes 1kb"), OK);
	ck_assert_str_eq(get("stream-node-max-bytes"), "1024");
	ck_assert_int_eq(set("maxmemory-clients 5%"), OK);
	ck_assert_str_eq(get("maxmemory-clients"), "5%");
	ck_assert_int_eq(set("maxmemory x"), ERR_CONFIG);
	ck_assert_str_eq(get("maxmemory"), "5120");
	teardown();
}
END_TEST

START_TEST(config__quotes_and_escapes_are_undone)
{
	setup();
	ck_assert_int_eq(set("logfile \"a b\\x41\\n\""), OK);
	ck_assert_str_eq(config->logfile, "a bA\n");
	ck_assert_int_eq(set("logfile 'it\\'s \\n'"), OK);
	ck_assert_str_eq(config->logfile, "it's \\n");
	ck_assert_int_eq(set("logfile \"open"), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(message.text, "Unbalanced quotes"));
	ck_assert_int_eq(set("logfile \"a\"b"), ERR_CONFIG);
	ck_assert_int_eq(set("logfile \"\""), OK);
	ck_assert_str_eq(config->logfile, "");
	teardown();
}
END_TEST

START_TEST(config__words_are_quoted_so_that_they_read_back)
{
	struct buf line = { 0 }, bytes = { 0 };
	struct slice odd = slice_of("a \"\\\x01\xff'#", 8);
	struct slice *words;

	setup();
	config_put_word(&line, odd);
	buf_put_byte(&line, ' ');
	config_put_word(&line, slice_str(""));
	ck_assert_int_eq(config_split(buf_slice(&line), &bytes, &words), 2);
	ck_assert(slice_equal(words[0], odd));
	ck_assert_uint_eq(words[1].size, 0);
	mem_free(words);
	buf_release(&line);
	buf_release(&bytes);
	teardown();
}
END_TEST

START_TEST(config__empty_words_are_slices_too)
{
	struct buf bytes = { 0 };
	struct slice *words;

	ck_assert_int_eq(config_split(slice_str("\"\" ''"), &bytes, &words),
			 2);
	ck_assert_ptr_nonnull(words[0].data);
	ck_assert_uint_eq(words[0].size + words[1].size, 0);
	mem_free(words);
	buf_release(&bytes);
}
END_TEST

START_TEST(config__what_would_not_read_back_is_refused)
{
	setup();
	ck_assert_int_eq(set("dir \"/tmp/a\\x00b\""), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(message.text, "zero byte"));
	ck_assert_int_eq(set("bind 127.0.0.1 \"a  b\""), ERR_CONFIG);
	ck_assert_int_eq(set("bind 127.0.0.1 \"\""), ERR_CONFIG);
	ck_assert_int_eq(set("bind \"\""), OK);
	ck_assert_str_eq(get("bind"), "");
	teardown();
}
END_TEST

START_TEST(config__unknown_directives_are_named_not_fatal)
{
	setup();
	ck_assert_int_eq(set("no-such-thing 1 2"), OK);
	ck_assert_ptr_nonnull(strstr(warned(), "no-such-thing"));
	teardown();
}
END_TEST

START_TEST(config__wrong_values_are_fatal_and_explained)
{
	static const char *const bad[][2] = {
		{ "port abc", "argument couldn't be parsed into an integer" },
		{ "port 70000",
		  "argument must be between 0 and 65535 inclusive" },
		{ "appendonly maybe", "argument must be 'yes' or 'no'" },
		{ "appendfsync often", "one of the following: everysec, "
				       "always, no" },
		{ "port", "wrong number of arguments" },
		{ "port 1 2", "wrong number of arguments" },
		{ "save 1", "Invalid save parameters" },
		{ "save 0 1", "Invalid save parameters" },
		{ "notify-keyspace-events Q", "Invalid event class" },
		{ "unixsocketperm 9", "octal" },
		{ "client-output-buffer-limit foo 0 0 0",
		  "Invalid client class" },
		{ "client-output-buffer-limit normal 0 0",
		  "Wrong number of arguments in buffer limit" },
		{ "shutdown-on-sigint save nosave", "Invalid combination" },
		{ "oom-score-adj-values 3 2 1", "ascending" },
		{ "latency-tracking-info-percentiles 101", "should sit" },
		{ "user alice on >secret ~* +@all", "not supported" },
		{ "rename-command FLUSHALL \"\"", "not supported" },
		{ "aclfile /etc/redis/users.acl", "not supported" },
	};
	size_t i;

	setup();
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(set(bad[i][0]) == ERR_CONFIG, "%s", bad[i][0]);
		ck_assert_ptr_nonnull(strstr(message.text,
			"*** FATAL CONFIG FILE ERROR (Redoubt "));
		ck_assert_msg(strstr(message.text, bad[i][1]) != NULL,
			      "%s: %s", bad[i][0], message.text);
	}
	ck_assert_int_eq(set("user default on nopass sanitize-payload ~* &* "
			     "+@all"), OK);
	teardown();
}
END_TEST

START_TEST(config__save_collects_and_clears)
{
	setup();
	ck_assert_int_eq(set("save 900 1"), OK);
	ck_assert_int_eq(set("save 300 10 60 10000"), OK);
	ck_assert_str_eq(get("save"), "900 1 300 10 60 10000");
	ck_assert_int_eq(directive_set_text(config,
		directive_find(slice_str("save")), slice_str("5 6"),
		&message), OK);
	ck_assert_str_eq(get("save"), "5 6");
	ck_assert_int_eq(set("save \"\""), OK);
	ck_assert_str_eq(get("save"), "");
	teardown();
}
END_TEST

START_TEST(config__lists_have_their_own_forms)
{
	setup();
	ck_assert_int_eq(set("client-output-buffer-limit replica 1kb 2kb 3"),
			 OK);
	ck_assert_uint_eq(config->output_replica.hard, 1024);
	ck_assert_ptr_nonnull(strstr(get("client-output-buffer-limit"),
				     "slave 1024 2048 3"));
	ck_assert_int_eq(set("notify-keyspace-events KEA"), OK);
	ck_assert_str_eq(get("notify-keyspace-events"), "AKE");
	ck_assert_int_eq(set("notify-keyspace-events Exg"), OK);
	ck_assert_str_eq(get("notify-keyspace-events"), "gxE");
	ck_assert_int_eq(set("shutdown-on-sigterm nosave now"), OK);
	ck_assert_uint_eq(config->shutdown_on_sigterm, 2 | 4);
	ck_assert_int_eq(set("latency-tracking-info-percentiles 50 99.5"), OK);
	ck_assert_str_eq(get("latency-tracking-info-percentiles"), "50 99.5");
	ck_assert_int_eq(set("bind 127.0.0.1 -::1"), OK);
	ck_assert_str_eq(config->bind, "127.0.0.1 -::1");
	ck_assert_int_eq(set("unixsocketperm 770"), OK);
	ck_assert_int_eq(config->unixsocketperm, 0770);
	ck_assert_str_eq(get("unixsocketperm"), "770");
	teardown();
}
END_TEST

START_TEST(config__passwords_are_hashed_and_never_shown)
{
	struct buf saved = { 0 };

	setup();
	ck_assert_int_eq(set("requirepass foobared"), OK);
	ck_assert(password_matches(slice_str("foobared"),
				   config->requirepass_hash));
	ck_assert(!password_matches(slice_str("foobare"),
				    config->requirepass_hash));
	ck_assert(!password_matches(slice_str("foobared"), NULL));
	ck_assert_str_eq(get("requirepass"), "********");
	directive_save(config, directive_find(slice_str("requirepass")),
		       &saved);
	ck_assert_uint_eq(saved.size, 65);
	ck_assert_int_eq(set("requirepass \"\""), OK);
	ck_assert_str_eq(get("requirepass"), "");
	ck_assert_int_eq(directive_set_text(config,
		directive_find(slice_str("requirepass")), buf_slice(&saved),
		&message), OK);
	ck_assert(password_matches(slice_str("foobared"),
				   config->requirepass_hash));
	ck_assert_int_eq(set("masterauth canary"), OK);
	ck_assert_str_eq(get("masterauth"), "********");
	buf_release(&saved);
	teardown();
}
END_TEST

START_TEST(config__command_line_wins_over_the_file)
{
	setup();
	write_file("a.conf", "port 1000\nappendonly no\n# comment\n\n"
			     "  maxmemory 1mb\r\n");
	ck_assert_int_eq(load(7, path_of("a.conf"), "--port", "2000",
			      "--save", "900", "1", "--daemonize") != OK, 1);
	config_free(config);
	config = config_new();
	ck_assert_int_eq(load(6, path_of("a.conf"), "--port", "2000",
			      "--save", "900", "1"), OK);
	ck_assert_int_eq(config->port, 2000);
	ck_assert(!config->appendonly);
	ck_assert_int_eq(config->maxmemory, 1 << 20);
	ck_assert_str_eq(get("save"), "900 1");
	ck_assert_str_eq(config->file, path_of("a.conf"));
	teardown();
}
END_TEST

START_TEST(config__options_take_the_forms_of_redis_server)
{
	setup();
	ck_assert_int_eq(load(4, "--save", "900 1 300 10",
			      "--list-max-ziplist-size", "-2"), OK);
	ck_assert_str_eq(get("save"), "900 1 300 10");
	ck_assert_int_eq(load(2, "--save", ""), OK);
	ck_assert_str_eq(get("save"), "");
	ck_assert_int_eq(load(3, "--save", "--port", "7"), OK);
	ck_assert_int_eq(config->port, 7);
	ck_assert_int_eq(load(2, "--shutdown-on-sigint", "nosave force"), OK);
	ck_assert_uint_eq(config->shutdown_on_sigint, 2 | 8);
	ck_assert_int_eq(load(3, "--port", "8", "stray"), ERR_CONFIG);
	teardown();
}
END_TEST

START_TEST(config__includes_follow_patterns)
{
	char text[512];

	setup();
	write_file("b1.inc", "port 1\nmaxclients 77\n");
	write_file("b2.inc", "port 2\n");
	snprintf(text, sizeof(text), "port 9\ninclude %s/b*.inc\n", folder);
	write_file("b.conf", text);
	ck_assert_int_eq(load(1, path_of("b.conf")), OK);
	ck_assert_int_eq(config->port, 2);
	ck_assert_int_eq(config->maxclients, 77);

	snprintf(text, sizeof(text), "include %s/none*\n", folder);
	write_file("c.conf", text);
	ck_assert_int_eq(load(1, path_of("c.conf")), OK);
	snprintf(text, sizeof(text), "include %s/none.conf\n", folder);
	write_file("c.conf", text);
	ck_assert_int_eq(load(1, path_of("c.conf")), ERR_CONFIG);
	snprintf(text, sizeof(text), "include %s/c.conf\n", folder);
	write_file("c.conf", text);
	ck_assert_int_eq(load(1, path_of("c.conf")), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(message.text, "nested includes"));
	teardown();
}
END_TEST

START_TEST(config__messages_name_file_and_line)
{
	setup();
	write_file("d.conf", "port 1\n\nhz fast\n");
	ck_assert_int_eq(load(1, path_of("d.conf")), ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(message.text, "at line 3 of "));
	ck_assert_ptr_nonnull(strstr(message.text, ">>> 'hz fast'"));
	ck_assert_int_eq(load(1, path_of("missing.conf")), ERR_CONFIG);
	teardown();
}
END_TEST

START_TEST(config__rewrite_keeps_what_people_wrote)
{
	struct stat st;

	setup();
	write_file("e.conf", "# mine\nport   1000\n\nSAVE 60 1\nsave 70 2\n"
			     "mystery a b\nmaxmemory 1mb # not a comment\n");
	ck_assert_int_eq(load(1, path_of("e.conf")), ERR_CONFIG);
	config_free(config);
	config = config_new();
	write_file("e.conf", "# mine\nport   1000\n\nSAVE 60 1\nsave 70 2\n"
			     "mystery a b\nmaxmemory 1mb\n");
	ck_assert_int_eq(chmod(path_of("e.conf"), 0640), 0);
	ck_assert_int_eq(load(1, path_of("e.conf")), OK);
	ck_assert_int_eq(set("maxmemory 2mb"), OK);
	ck_assert_int_eq(set("requirepass secret"), OK);
	ck_assert_int_eq(set("slowlog-max-len 5"), OK);
	ck_assert_int_eq(config_rewrite(config, &message), OK);
	ck_assert_ptr_eq(strstr(read_file("e.conf"),
		"# mine\nport   1000\n\nsave 60 1 70 2\nmystery a b\n"
		"maxmemory 2097152\n# Generated by CONFIG REWRITE\n"),
		read_file("e.conf"));
	ck_assert_ptr_nonnull(strstr(read_file("e.conf"),
				     "slowlog-max-len 5\n"));
	ck_assert_ptr_null(strstr(read_file("e.conf"), "secret"));
	ck_assert_int_eq(stat(path_of("e.conf"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	teardown();
}
END_TEST

START_TEST(config__rewrite_reads_back_to_the_same_configuration)
{
	struct config *again = config_new();
	char *argv[] = { (char *)"x", NULL };
	static char before[16384];
	size_t i;

	setup();
	write_file("f.conf", "");
	ck_assert_int_eq(load(1, path_of("f.conf")), OK);
	ck_assert_int_eq(set("proc-title-template \"a \\\"b\\\" c\""), OK);
	ck_assert_int_eq(set("requirepass x"), OK);
	ck_assert_int_eq(set("save 1 2 3 4"), OK);
	ck_assert_int_eq(set("loglevel warning"), OK);
	ck_assert_int_eq(config_rewrite(config, &message), OK);
	strcpy(before, read_file("f.conf"));
	argv[1] = config->file;
	ck_assert_int_eq(config_load(again, 2, argv, &warnings, &message), OK);
	for (i = 0; i < directives_count(); i++) {
		struct buf a = { 0 }, b = { 0 };

		directive_save(config, &directives[i], &a);
		directive_save(again, &directives[i], &b);
		ck_assert_msg(slice_equal(buf_slice(&a), buf_slice(&b)), "%s",
			      directives[i].name);
		buf_release(&a);
		buf_release(&b);
	}
	ck_assert_int_eq(config_rewrite(again, &message), OK);
	ck_assert_str_eq(read_file("f.conf"), before);
	config_free(again);
	teardown();
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"config",
		config__rows_are_in_order_and_unique,
		config__every_value_reads_back_what_it_writes,
		config__without_configuration_nothing_is_lost,
		config__names_are_case_insensitive_and_have_aliases,
		config__sizes_have_units,
		config__quotes_and_escapes_are_undone,
		config__words_are_quoted_so_that_they_read_back,
		config__empty_words_are_slices_too,
		config__what_would_not_read_back_is_refused,
		config__unknown_directives_are_named_not_fatal,
		config__wrong_values_are_fatal_and_explained,
		config__save_collects_and_clears,
		config__lists_have_their_own_forms,
		config__passwords_are_hashed_and_never_shown,
		config__command_line_wins_over_the_file,
		config__options_take_the_forms_of_redis_server,
		config__includes_follow_patterns,
		config__messages_name_file_and_line,
		config__rewrite_keeps_what_people_wrote,
		config__rewrite_reads_back_to_the_same_configuration);
}
