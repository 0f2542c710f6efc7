/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S1. Handlers call only what signal-safety(7) allows; the report is made of
 *     write(2) and arithmetic.  (backtrace was called once before, so that it
 *     has loaded what it needs.)
 */
#include "net/signals.h"

#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "net/net.h"

#define FRAMES_MAX 48

static struct net *volatile server;
static volatile sig_atomic_t received;
static const struct wal_position *volatile watched;
static char report_path[PATH_MAX];
static char build[64] = "unknown";
static char crash_stack[64 * 1024]; /* the usual one may be what is full */

/* --- the orderly end ------------------------------------------------------ */

static void on_stop(int number)
{
	/* Before the server serves there is nothing to end in order: what
	 * recovery does may be cut off anywhere. */
	if (server == NULL)
		_exit(0);
	if (received && number == SIGINT)
		_exit(1);
	if (received)
		return;
	received = number;
	net_stop(server);
}

int signals_received(void)
{
	return received;
}

void signals_forget(void)
{
	received = 0;
}

void signals_install(struct net *n)
{
	struct sigaction action = { .sa_handler = on_stop };

	server = n;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* --- crashes -------------------------------------------------------------- */

static void put(int file, const char *text)
{
	ssize_t written = write(file, text, strlen(text));

	(void)written;
}

static void put_number(int file, uint64_t value, unsigned base)
{
	char text[24], *p = text + sizeof(text) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put(file, p);
}

static const char *signal_name(int number)
{
	switch (number) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGFPE: return "SIGFPE";
	case SIGILL: return "SIGILL";
	case SIGABRT: return "SIGABRT";
	default: return "signal";
	}
}

static void put_positions(int file)
{
	const struct wal_position *p = watched;

	if (p == NULL)
		return;
	put(file, "\nepoch ");
	put_number(file, p->epoch, 10);
	put(file, " last LSN ");
	put_number(file, p->last_lsn, 10);
	put(file, " written ");
	put_number(file, p->written_lsn, 10);
	put(file, " durable ");
	put_number(file, p->durable_lsn, 10);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	void *frames[FRAMES_MAX];
	int file = STDOUT_FILENO, count;

	(void)context;
	if (report_path[0])
		file = open(report_path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (file < 0)
		file = STDERR_FILENO;
	put(file, "\n=== REDOUBT BUG REPORT START ===\n" REDOUBT_VERSION
		  " build ");
	put(file, build);
	put(file, "\ncrashed by ");
	put(file, signal_name(number));
	put(file, " at address 0x");
	put_number(file, (uint64_t)(uintptr_t)info->si_addr, 16);
	put_positions(file);
	put(file, "\ncalls (addr2line -e redoubt-server with these):\n");
	count = backtrace(frames, FRAMES_MAX);
	backtrace_symbols_fd(frames, count, file);
	put(file, "=== REDOUBT BUG REPORT END ===\n"
		  "Acknowledged writes are in the log: a restart recovers "
		  "them.\n");
	/* SA_RESETHAND: now it does what it would have done without us. */
	raise(number);
}

static int find_build_id(struct dl_phdr_info *info, size_t size, void *ctx)
{
	unsigned i, j;

	(void)size;
	(void)ctx;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		const char *p = (const char *)(info->dlpi_addr + h->p_vaddr);
		const char *end = p + h->p_memsz;

		while (h->p_type == PT_NOTE &&
		       p + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)p;
			const unsigned char *id;

			p += sizeof(*note) + ((note->n_namesz + 3) & ~3u);
			id = (const unsigned char *)p;
			p += (note->n_descsz + 3) & ~3u;
			if (note->n_type != NT_GNU_BUILD_ID || p > end)
				continue;
			for (j = 0; j < note->n_descsz && j < 20; j++)
				snprintf(build + 2 * j, 3, "%02x", id[j]);
			return 1;
		}
	}
	return 1; /* the first object is the program: look no further */
}

const char *build_id(void)
{
	if (strcmp(build, "unknown") == 0)
		dl_iterate_phdr(find_build_id, NULL);
	return build;
}

void crash_handler_install(const char *logfile)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				       SIGABRT };
	struct sigaction action = { .sa_sigaction = on_crash,
				    .sa_flags = SA_SIGINFO | SA_RESETHAND |
						SA_NODEFER | SA_ONSTACK };
	stack_t stack = { .ss_sp = crash_stack,
			  .ss_size = sizeof(crash_stack) };
	void *frame;
	size_t i;

	snprintf(report_path, sizeof(report_path), "%s", logfile);
	build_id();
	backtrace(&frame, 1);
	sigaltstack(&stack, NULL);
	for (i = 0; i < ARRAY_LEN(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

void crash_handler_watch(const struct wal_position *position)
{
	watched = position;
}
