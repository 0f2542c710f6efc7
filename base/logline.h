/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's log lines: "PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL text".
 *
 * Process-wide, any thread.  Levels and their signs are those of Redis'
 * loglevel directive.  The file is opened for each line, so that it can be
 * rotated under us; "" is standard output.  Control bytes are escaped.
 */
#ifndef REDOUBT_BASE_LOGLINE_H
#define REDOUBT_BASE_LOGLINE_H

enum log_level {
	LOG_LEVEL_DEBUG,   /* . */
	LOG_LEVEL_VERBOSE, /* - */
	LOG_LEVEL_NOTICE,  /* * */
	LOG_LEVEL_WARNING, /* # */
	LOG_LEVEL_NOTHING,
};

/* path is copied; "" means standard output. 0, or -errno: the file cannot be
 * written, and nor can lines. */
int log_open(const char *path, enum log_level level);

/* Also sends every line to syslog; ident NULL switches it off. */
void log_syslog(const char *ident, int facility);

/* Lines below the level are dropped. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* M primary, S replica, C before the start, X sentinel. */
void log_set_role(char role);

/* Writes one line, at most 2047 bytes of text; failure to write is silent. */
void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
