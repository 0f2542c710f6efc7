/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/logline.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 2048
#define LINE_SIZE (TEXT_SIZE * 4 + 128) /* every byte may become \xHH */

/* Guards path and syslog's ident; the line itself is one write. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char path[PATH_MAX];
static char ident[64];
static bool to_syslog;

static atomic_int level_min = LOG_LEVEL_NOTICE;
static atomic_int role = 'C';

static int open_file(void)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

int log_open(const char *new_path, enum log_level level)
{
	int file = STDOUT_FILENO, err = 0;

	pthread_mutex_lock(&lock);
	snprintf(path, sizeof(path), "%s", new_path);
	if (path[0] != 0)
		file = open_file();
	if (file < 0)
		err = -errno;
	else if (path[0] != 0)
		close(file);
	pthread_mutex_unlock(&lock);
	log_set_level(level);
	return err;
}

void log_syslog(const char *new_ident, int facility)
{
	pthread_mutex_lock(&lock);
	if (to_syslog)
		closelog();
	to_syslog = new_ident != NULL;
	if (to_syslog) {
		snprintf(ident, sizeof(ident), "%s", new_ident);
		openlog(ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility);
	}
	pthread_mutex_unlock(&lock);
}

void log_set_level(enum log_level level)
{
	atomic_store(&level_min, level);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load(&level_min);
}

void log_set_role(char new_role)
{
	atomic_store(&role, new_role);
}

/* Copies text so that it stays one line and harmless on a terminal. */
static size_t escape(char *out, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	char *start = out;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f) {
			*out++ = (char)c;
			continue;
		}
		*out++ = '\\';
		if (c == '\n' || c == '\r' || c == '\t') {
			*out++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
			continue;
		}
		*out++ = 'x';
		*out++ = hex[c >> 4];
		*out++ = hex[c & 15];
	}
	return (size_t)(out - start);
}

static size_t prefix(char *out, size_t size, enum log_level level)
{
	static const char signs[] = ".-*#";
	struct timespec now;
	struct tm tm;
	char stamp[48];
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%d %b %Y %H:%M:%S", &tm);
	length = snprintf(out, size, "%d:%c %s.%03d %c ", (int)getpid(),
			  (char)atomic_load(&role), stamp,
			  (int)(now.tv_nsec / 1000000), signs[level]);
	return (size_t)length;
}

/* There is nobody to tell when a log line cannot be written. */
static void write_line(const char *line, size_t size)
{
	int file = STDOUT_FILENO;
	ssize_t written;

	if (path[0] != 0)
		file = open_file();
	if (file < 0)
		return;
	written = write(file, line, size);
	(void)written;
	if (path[0] != 0)
		close(file);
}

void log_line(enum log_level level, const char *format, ...)
{
	static const int priorities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE,
					  LOG_WARNING };
	char text[TEXT_SIZE], line[LINE_SIZE];
	size_t start, size;
	va_list args;

	if (level < log_get_level() || level >= LOG_LEVEL_NOTHING)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	start = prefix(line, sizeof(line), level);
	size = start + escape(line + start, text);
	line[size] = '\n';

	pthread_mutex_lock(&lock);
	write_line(line, size + 1);
	if (to_syslog)
		syslog(priorities[level], "%.*s", (int)(size - start),
		       line + start);
	pthread_mutex_unlock(&lock);
}
