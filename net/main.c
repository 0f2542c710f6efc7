/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redoubt-server: from the command line to the loop and back.
 *
 *   configuration ─► listeners ─► store (recovery) ─► loop ─► orderly end
 *        78              78         65 73 74 78               0 or 74
 *
 * Ports are taken before the store is touched, so that a second start by
 * mistake ends there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/logline.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/version.h"
#include "engine/snapshotter.h"
#include "net/net.h"
#include "net/notify.h"
#include "net/signals.h"

/* Of shutdown-on-sigterm and -sigint (engine/config.h). */
enum shutdown_bits { SHUTDOWN_SAVE = 1, SHUTDOWN_NOSAVE = 2,
		     SHUTDOWN_FORCE = 8 };

/* --- words on the command line -------------------------------------------- */

static void print_version(void)
{
	printf("Redoubt server v=%s redis=%s malloc=%s bits=%zu build=%s\n",
	       REDOUBT_VERSION, REDIS_VERSION, mem_allocator_name(),
	       sizeof(void *) * 8, build_id());
}

static void print_help(void)
{
	puts("Usage: redoubt-server [configuration file] [--directive value "
	     "...] [-]\n"
	     "       redoubt-server -           configuration from standard "
	     "input\n"
	     "       redoubt-server --check-config [as above]\n"
	     "       redoubt-server -v | --version | -h | --help\n"
	     "       redoubt-server --check-system\n"
	     "\n"
	     "Examples:\n"
	     "       redoubt-server /etc/redis/redis.conf\n"
	     "       redoubt-server --port 7000 --dir /var/lib/redoubt\n"
	     "       redoubt-server --appendfsync everysec "
	     "--maxmemory 1gb\n"
	     "\n"
	     "The store is in --dir (created if it is missing). Directives "
	     "are those of redis.conf.");
}

/* What of the system makes a server slow or unsafe. */
static int check_system(void)
{
	char text[128] = "";
	FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/"
			"current_clocksource", "r");
	bool good = true;

	if (f) {
		if (fgets(text, sizeof(text), f) &&
		    strncmp(text, "xen", 3) == 0) {
			printf("WARNING: clock source %s is slow; tsc is "
			       "better\n", text);
			good = false;
		}
		fclose(f);
	}
	if (good)
		puts("nothing to report");
	return good ? EXIT_OK : EXIT_CONFIG;
}

static bool is_option(const char *arg, const char *name, const char *letter)
{
	return strcmp(arg, name) == 0 || (letter && strcmp(arg, letter) == 0);
}

/* Options that are answered and then the process ends.  False: none. */
static bool answer_option(int argc, char **argv, int *exit_code)
{
	*exit_code = EXIT_OK;
	if (argc < 2)
		return false;
	if (is_option(argv[1], "--version", "-v")) {
		print_version();
	} else if (is_option(argv[1], "--help", "-h")) {
		print_help();
	} else if (is_option(argv[1], "--check-system", NULL)) {
		*exit_code = check_system();
	} else if (is_option(argv[1], "--test-memory", NULL)) {
		fputs("redoubt-server tests no memory; memtest86+ or "
		      "memtester do it well\n", stderr);
		*exit_code = EXIT_USAGE;
	} else if (is_option(argv[1], "--sentinel", NULL)) {
		fputs("redoubt-server is no sentinel; redis-sentinel is one\n",
		      stderr);
		*exit_code = EXIT_USAGE;
	} else {
		return false;
	}
	return true;
}

/* --- the process ---------------------------------------------------------- */

static void log_lines(const struct buf *text)
{
	const char *p = (const char *)text->data;
	const char *end = text->size ? p + text->size : p;

	while (p != end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		int size = (int)((newline ? newline : end) - p);

		if (size)
			log_line(LOG_LEVEL_WARNING, "%.*s", size, p);
		p = newline ? newline + 1 : end;
	}
}

/* Into the background: the terminal gets its prompt back. */
static void daemonize(void)
{
	pid_t child = fork();
	int file;

	if (child != 0)
		_exit(child < 0 ? EXIT_IO : EXIT_OK);
	setsid();
	file = open("/dev/null", O_RDWR);
	if (file < 0)
		return;
	dup2(file, STDIN_FILENO);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	if (file > STDERR_FILENO)
		close(file);
}

/* Once the store is locked: the file of a server that has it stays. False:
 * there is none. */
static bool write_pidfile(const char *path)
{
	int file;

	if (*path == 0)
		return false;
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0) {
		log_line(LOG_LEVEL_WARNING, "The pid file %s cannot be "
			 "written: %s", path, strerror(errno));
		return false;
	}
	dprintf(file, "%d\n", (int)getpid());
	close(file);
	return true;
}

/* False: said why not. */
static bool open_log(const struct config *config)
{
	int err = log_open(config->logfile, (enum log_level)config->loglevel);

	if (err) {
		fprintf(stderr, "redoubt-server: Can't open the log file %s: "
			"%s\n", config->logfile, strerror(-err));
		return false;
	}
	if (config->syslog_enabled)
		log_syslog(config->syslog_ident, (int)config->syslog_facility);
	return true;
}

static void log_banner(const struct config *config, const struct buf *warnings)
{
	log_line(LOG_LEVEL_NOTICE, "Redoubt %s starts, speaking the protocol "
		 "of Redis %s, pid %d, build %s", REDOUBT_VERSION,
		 REDIS_VERSION, (int)getpid(), build_id());
	log_line(LOG_LEVEL_NOTICE, "Configuration: %s, store in %s",
		 config->file ? config->file : "command line and defaults",
		 config->dir);
	log_lines(warnings);
	if (geteuid() == 0)
		log_line(LOG_LEVEL_WARNING, "Running as root: a user of its "
			 "own would limit what an intruder gets");
}

static void log_level_in_force(const struct engine *e)
{
	switch (wal_level(e->wal)) {
	case WAL_ALWAYS:
		log_line(LOG_LEVEL_NOTICE, "appendfsync always: a reply leaves "
			 "when its write would survive a power cut");
		return;
	case WAL_EVERYSEC:
		log_line(LOG_LEVEL_WARNING, "appendfsync everysec: a power cut "
			 "can take up to about a second of acknowledged "
			 "writes; a crash of the process takes none");
		return;
	case WAL_NO:
		log_line(LOG_LEVEL_WARNING, "appendfsync no: a power cut can "
			 "take what the system has not written yet; a crash of "
			 "the process takes nothing");
		return;
	case WAL_OFF:
		log_line(LOG_LEVEL_WARNING, "appendonly no: no log is kept; "
			 "the end of the process takes what no snapshot "
			 "holds");
		return;
	}
}

static void log_ready(const struct config *config)
{
	if (config->port)
		log_line(LOG_LEVEL_NOTICE, "Ready to accept connections tcp");
	if (config->unixsocket)
		log_line(LOG_LEVEL_NOTICE, "Ready to accept connections unix");
	notify("READY=1\nSTATUS=Ready to accept connections\n");
}

/* --- start and end -------------------------------------------------------- */

/* What the directive of the signal that came says, as bits. */
static uint32_t shutdown_how(const struct config *config)
{
	switch (signals_received()) {
	case SIGTERM: return config->shutdown_on_sigterm;
	case SIGINT: return config->shutdown_on_sigint;
	default: return SHUTDOWN_NOSAVE; /* SHUTDOWN has done what it should */
	}
}

/* The snapshot of the end, if save rules or the directive want one.  False:
 * it failed, and nothing else would keep the data. */
static bool save_at_end(struct engine *e, const struct config *config)
{
	struct err_message m = { .text = "" };
	uint32_t how = shutdown_how(config);

	if (how & SHUTDOWN_NOSAVE ||
	    (config->save_count == 0 && !(how & SHUTDOWN_SAVE)))
		return true;
	notify("STATUS=Saving the final snapshot\n");
	if (snapshotter_run(e, SNAPSHOT_SHUTDOWN, &m) == OK)
		return true;
	log_line(LOG_LEVEL_WARNING, "The snapshot of the end cannot be "
		 "written: %s", m.text);
	return wal_level(e->wal) != WAL_OFF || (how & SHUTDOWN_FORCE);
}

/* Turns until an end that may be.  */
static void run_until_end(struct net *n, struct engine *e,
			  const struct config *config)
{
	for (;;) {
		net_run(n);
		if (signals_received())
			log_line(LOG_LEVEL_NOTICE, "User requested "
				 "shutdown... (signal %d)",
				 signals_received());
		if (save_at_end(e, config))
			return;
		log_line(LOG_LEVEL_WARNING, "The server goes on: without a "
			 "log and a snapshot all data would be lost. SHUTDOWN "
			 "NOSAVE ends it");
		signals_forget();
	}
}

static int end(struct net *n, struct engine *e, const struct config *config)
{
	struct err_message m = { .text = "" };
	int err;

	notify("STOPPING=1\nSTATUS=Writing the last of the log\n");
	crash_handler_watch(NULL);
	err = engine_stop(e, false, &m);
	if (err)
		log_line(LOG_LEVEL_WARNING, "The end is not in order: %s",
			 m.text);
	else
		net_finish(n);
	if (*config->pidfile)
		unlink(config->pidfile);
	if (err)
		_exit(err_exit_code(err));
	engine_free(e);
	reaper_stop();
	log_line(LOG_LEVEL_NOTICE, "Redoubt is now ready to exit, bye bye...");
	return EXIT_OK;
}

static int fail(const char *what, const struct err_message *m, int code)
{
	log_line(LOG_LEVEL_WARNING, "%s%s", what, m->text);
	fprintf(stderr, "redoubt-server: %s%s\n", what, m->text);
	return code;
}

static int serve(struct net *n, struct config *config)
{
	struct engine_host host = net_host(n);
	struct err_message m = { .text = "" };
	bool pidfile = false;
	struct engine *e;
	int err;

	notify("STATUS=Loading the store\n");
	if (reaper_start() != 0)
		log_line(LOG_LEVEL_WARNING, "No freeing thread: big values "
			 "are freed where they are deleted");
	e = engine_new(config, io_posix(), &host);
	e->threads = true;
	err = net_start(n, e, &m);
	if (err == OK)
		err = engine_lock(e, &m);
	if (err == OK)
		pidfile = write_pidfile(config->pidfile);
	if (err == OK)
		err = engine_recover(e, &m);
	if (err) {
		if (pidfile)
			unlink(config->pidfile);
		net_finish(n);
		engine_free(e);
		return fail("", &m, err_exit_code(err));
	}
	crash_handler_watch(e->position);
	signals_install(n);
	log_set_role('M');
	log_level_in_force(e);
	log_ready(config);
	run_until_end(n, e, config);
	return end(n, e, config);
}

static int run(struct config *config, const struct buf *warnings)
{
	struct err_message m = { .text = "" };
	struct net *n = NULL;
	int err, code;

	if (!open_log(config))
		return EXIT_CONFIG;
	if (config->daemonize)
		daemonize();
	crash_handler_install(config->logfile);
	signals_install(NULL);
	log_banner(config, warnings);
	err = net_new(&n, config, &m);
	if (err)
		return fail("", &m, err_exit_code(err));
	log_line(LOG_LEVEL_NOTICE, "Server initialized");
	code = serve(n, config);
	net_free(n);
	return code;
}

/* --check-config, wherever it stands, is taken out: behind a file it must not
 * start a server. */
static bool take_check_config(int *argc, char **argv)
{
	int i, kept = 0;

	for (i = 0; i < *argc; i++)
		if (i == 0 || strcmp(argv[i], "--check-config") != 0)
			argv[kept++] = argv[i];
	if (kept == *argc)
		return false;
	argv[kept] = NULL;
	*argc = kept;
	return true;
}

int main(int argc, char **argv)
{
	struct err_message m = { .text = "" };
	struct buf warnings = { 0 };
	struct config *config;
	bool only_check;
	int code;

	if (answer_option(argc, argv, &code))
		return code;
	only_check = take_check_config(&argc, argv);
	commands_init();
	config = config_new();
	if (config_load(config, argc, argv, &warnings, &m) != OK) {
		fprintf(stderr, "%s\n", m.text);
		code = EXIT_CONFIG;
	} else if (only_check) {
		fprintf(stderr, "%.*s", (int)warnings.size,
			warnings.size ? (const char *)warnings.data : "");
		puts("configuration ok");
		code = EXIT_OK;
	} else {
		code = run(config, &warnings);
	}
	buf_release(&warnings);
	config_free(config);
	return code;
}
