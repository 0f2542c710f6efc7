/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/torture/support/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A socket's path is short. */
#define SOCKET_DIR_MAX 60

static const struct option long_options[] = {
	{ "server", required_argument, NULL, 's' },
	{ "level", required_argument, NULL, 'l' },
	{ "dir", required_argument, NULL, 'd' },
	{ "seed", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 't' },
	{ "count", required_argument, NULL, 'n' },
	{ "switch", no_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static void take_option(struct torture_options *o, int letter, char *program)
{
	switch (letter) {
	case 's': o->server = optarg; break;
	case 'l': o->level = optarg; break;
	case 'd': snprintf(o->dir, sizeof(o->dir), "%s", optarg); break;
	case 'r': o->seed = strtoull(optarg, NULL, 10); break;
	case 't': o->seconds = strtod(optarg, NULL); break;
	case 'n': o->count = strtoull(optarg, NULL, 10); break;
	case 'w': o->switch_level = true; break;
	default:
		fprintf(stderr, "usage: %s [--server PATH] [--level always|"
			"everysec|no] [--dir D] [--seed N] [--seconds S] "
			"[--count N] [--switch]\n", program);
		exit(64);
	}
}

void torture_parse(struct torture_options *o, int argc, char **argv,
		   const char *name)
{
	const char *tmp = getenv("TMPDIR");
	int letter;

	*o = (struct torture_options){ .server = "build/redoubt-server",
				       .level = "always", .seconds = 10 };
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(o, letter, argv[0]);
	while (o->seed == 0)
		if (getrandom(&o->seed, 4, 0) != 4)
			exit(71);
	/* Not resolved: redis-server is a link that goes by its name. */
	if (access(o->server, X_OK) != 0) {
		fprintf(stderr, "%s: no server: %s\n", argv[0],
			strerror(errno));
		exit(64);
	}
	if (o->dir[0]) {
		mkdir(o->dir, 0700);
		return;
	}
	o->own_dir = true;
	snprintf(o->dir, sizeof(o->dir), "%s/%s-XXXXXX",
		 tmp && strlen(tmp) < SOCKET_DIR_MAX ? tmp : "/tmp", name);
	if (!mkdtemp(o->dir)) {
		perror(o->dir);
		exit(74);
	}
}

void torture_clean(const struct torture_options *o, bool good)
{
	pid_t child;

	if (!good) {
		fprintf(stderr, "the store is kept: %s\n", o->dir);
		return;
	}
	if (!o->own_dir)
		return;
	child = fork();
	if (child == 0) {
		execlp("rm", "rm", "-rf", o->dir, (char *)NULL);
		_exit(126);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}
