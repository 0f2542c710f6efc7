/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/support/fail_control.h"
#include "tests/torture/support/wire.h"

#define ARGUMENTS_MAX 40
#define LOG_SHOWN 6000 /* bytes */

static void set_path(char to[PATH_SIZE], const char *dir, const char *name)
{
	int size = snprintf(to, PATH_SIZE, "%s/%s", dir, name);

	if (size < 0 || size >= PATH_SIZE) {
		fprintf(stderr, "path too long: %s/%s\n", dir, name);
		exit(2);
	}
}

void process_init(struct process *p, const char *binary, const char *dir)
{
	const char *base = strrchr(binary, '/');

	*p = (struct process){ .binary = binary };
	p->redis = strcmp(base ? base + 1 : binary, "redoubt-server") != 0;
	set_path(p->store, dir, "data");
	set_path(p->socket, dir, "socket");
	set_path(p->log, dir, "log");
	mkdir(p->store, 0700);
}

/* In the child. */
static void run(const struct process *p, const struct process_options *o)
{
	const char *argv[ARGUMENTS_MAX] = {
		p->binary, "--port", "0", "--unixsocket", p->socket, "--dir",
		p->store, "--appendonly", "yes", "--appendfsync", o->level,
		"--save", "", "--loglevel", "notice",
	};
	unsigned argc = 15;
	char segment[16];
	int log = open(p->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (!p->redis) {
		argv[argc++] = "--auto-aof-rewrite-min-size";
		argv[argc++] = "256kb";
		argv[argc++] = "--stream-idmp-duration";
		argv[argc++] = "86400";
		if (o->segment_size > 0) {
			snprintf(segment, sizeof(segment), "%u",
				 o->segment_size);
			argv[argc++] = "--log-segment-size";
			argv[argc++] = segment;
		}
	}
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (p->preload) {
		setenv(FAIL_CONTROL, p->control, 1);
		setenv("LD_PRELOAD", p->preload, 1);
	}
	execv(p->binary, (char **)argv);
	perror(p->binary);
	_exit(126);
}

void process_start(struct process *p, const struct process_options *o)
{
	unlink(p->socket);
	if (truncate(p->log, 0) != 0 && errno != ENOENT)
		perror(p->log);
	p->pid = fork();
	if (p->pid < 0) {
		perror("fork");
		exit(2);
	}
	if (p->pid == 0)
		run(p, o);
}

bool process_ended(struct process *p)
{
	if (p->pid != 0 && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->pid = 0;
	return p->pid == 0;
}

bool process_ready(struct process *p)
{
	uint64_t end_us = clock_us() + WIRE_TIMEOUT_MS * UINT64_C(1000);
	struct wire w = { .fd = -1 };
	bool ready = false;

	while (!ready && !process_ended(p) && clock_us() < end_us) {
		struct reply r;

		if (!wire_open(&w, p->socket)) {
			usleep(300);
			continue;
		}
		wire_put(&w, "PING");
		ready = wire_wait(&w, &r) && r.type == '+';
		wire_close(&w);
	}
	wire_release(&w);
	return ready;
}

bool process_stop(struct process *p, int signal, unsigned max_ms)
{
	uint64_t end_us = clock_us() + max_ms * UINT64_C(1000);

	if (process_ended(p))
		return true;
	if (signal != 0)
		kill(p->pid, signal);
	if (signal != SIGKILL) {
		while (!process_ended(p) && clock_us() < end_us)
			usleep(500);
		if (p->pid == 0)
			return true;
		kill(p->pid, SIGKILL);
	}
	waitpid(p->pid, &p->status, 0);
	p->pid = 0;
	return false;
}

void process_describe(struct buf *out, const struct process *p)
{
	if (p->pid != 0)
		buf_put_str(out, "running, but no answer");
	else if (WIFEXITED(p->status))
		buf_printf(out, "exit code %d", WEXITSTATUS(p->status));
	else
		buf_printf(out, "signal %d", WTERMSIG(p->status));
}

void process_show_log(const struct process *p)
{
	char text[LOG_SHOWN];
	int fd = open(p->log, O_RDONLY);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = end > LOG_SHOWN ? end - LOG_SHOWN : 0;
	ssize_t size = fd < 0 ? 0 : pread(fd, text, LOG_SHOWN, from);

	if (size > 0)
		fprintf(stderr, "--- %s\n%.*s---\n", p->log, (int)size, text);
	if (fd >= 0)
		close(fd);
}
