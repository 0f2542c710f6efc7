/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error codes and exit codes, one meaning each.
 *
 * A user error is a reply, a world error is one of these values, an error of
 * ours is an assert (docs/ARCHITECTURE.md, "Errors").  Functions return OK, a
 * negative code, or a named positive end such as WAL_END.
 */
#ifndef REDOUBT_BASE_ERR_H
#define REDOUBT_BASE_ERR_H

enum err {
	OK = 0,
	ERR_IO = -1,      /* a system call failed; the message says which */
	ERR_CORRUPT = -2, /* bytes break a numbered rule of FORMAT.md */
	ERR_FULL = -3,    /* a limit would be exceeded; nothing changed */
	ERR_LOCKED = -4,  /* somebody else holds the directory */
	ERR_VERSION = -5, /* written by a version this one does not know */
	ERR_CONFIG = -6,  /* a directive or option is wrong */
	ERR_NOT_FOUND = -7,
	ERR_UNFIT = -8, /* a record does not fit the state it meets */
	ERR_MEMORY = -9, /* none left, or no thread to be had */
};

/* Exit codes of every binary (sysexits.h numbers where one fits). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_CORRUPT = 65,
	EXIT_MEMORY = 71,
	EXIT_LOCKED = 73,
	EXIT_IO = 74,
	EXIT_CONFIG = 78,
};

/* Long enough for a path, an LSN range and the command to run next. */
#define ERR_MESSAGE_SIZE 1024

/* A message that travels with a code: filled by whoever detects the error. */
struct err_message {
	char text[ERR_MESSAGE_SIZE];
};

/* Formats into m (may be NULL) and returns code, for `return err_set(…)`. */
int err_set(struct err_message *m, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The exit code that belongs to an error code. */
enum exit_code err_exit_code(int code);

#endif
