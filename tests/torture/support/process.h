/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server under test as a process: started on a directory, killed, waited
 * for.  Its output goes to a file that is shown when something goes wrong.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_PROCESS_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_PROCESS_H

#include <sys/types.h>

#include "base/buf.h"

#define PATH_SIZE 256

struct process {
	const char *binary;
	bool redis; /* redis-server: knows fewer options */
	char store[PATH_SIZE];
	char socket[PATH_SIZE];
	char log[PATH_SIZE];
	const char *preload; /* a library that is loaded first, or NULL */
	const char *control; /* FAIL_CONTROL for it */
	pid_t pid; /* 0: not running */
	int status; /* as waitpid gave it, of the last one */
};

/* The paths, in a directory that exists. */
void process_init(struct process *p, const char *binary, const char *dir);

struct process_options {
	const char *level;     /* appendfsync */
	unsigned segment_size; /* bytes; 0: as it is by default */
};

/* Starts it; does not wait. */
void process_start(struct process *p, const struct process_options *o);

/* Waits until it answers PING. False: it ended (see status) or is stuck. */
bool process_ready(struct process *p);

/* Whether it has ended by itself. */
bool process_ended(struct process *p);

/* Sends a signal (0: none) and waits for the end; SIGKILL after max_ms. True
 * if it ended by itself. */
bool process_stop(struct process *p, int signal, unsigned max_ms);

/* "exit code 65", "signal 9". */
void process_describe(struct buf *out, const struct process *p);

/* Shows the end of its output on stderr. */
void process_show_log(const struct process *p);

#endif
