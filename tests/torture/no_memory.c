/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The i-th allocation fails: once, or all from then on, in the real server.
 *
 * It must end by itself with exit code 71 and say why; or answer -OOM to a
 * command whose sizes its client chose, with nothing changed; or not need what
 * it did not get.  After the next start everything acknowledged is there.
 *
 * One round: now and then a start whose i-th allocation fails, for one i after
 * the other; a start; compare the whole store; write, and the i-th allocation
 * from here on fails.  A server that goes on is killed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/support/fail_control.h"
#include "tests/torture/support/options.h"
#include "tests/torture/support/rig.h"

#define RUN_US_MAX 30000
#define POINT_BITS 13 /* while it serves: the first 8192 calls */
#define EXIT_MEMORY_CODE 71
#define MESSAGE "out of memory"
#define LOG_MAX (1u << 20)

struct memory {
	struct rig *rig;
	struct fail_control *control;
	char path[PATH_SIZE];
	char preload[PATH_SIZE];
	uint64_t start_calls; /* allocations of a start, about */
	uint64_t next_start;  /* which one fails in the next; 0: any */
	uint64_t starts, serving; /* points */
	uint64_t exits;       /* with the code and the message */
	uint64_t unnoticed;   /* it went on */
};

/* A part of the library is beside this program. */
static void preload_path(char to[PATH_SIZE], const char *program)
{
	const char *slash = strrchr(program, '/');
	char here[PATH_SIZE], *whole;

	snprintf(here, PATH_SIZE, "%.*s/fail_alloc.so",
		 slash ? (int)(slash - program) : 1, slash ? program : ".");
	whole = realpath(here, NULL);
	if (!whole || strlen(whole) >= PATH_SIZE) {
		perror(here);
		exit(64);
	}
	snprintf(to, PATH_SIZE, "%s", whole);
	free(whole);
}

static void memory_init(struct memory *m, struct rig *r,
			const struct torture_options *o, const char *program)
{
	int fd;

	*m = (struct memory){ .rig = r };
	preload_path(m->preload, program);
	snprintf(m->path, PATH_SIZE, "%s/control", o->dir);
	fd = open(m->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*m->control)) != 0) {
		perror(m->path);
		exit(74);
	}
	m->control = mmap(NULL, sizeof(*m->control), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);
	if (m->control == MAP_FAILED)
		exit(71);
	close(fd);
	r->server.preload = m->preload;
	r->server.control = m->path;
}

static void arm(struct memory *m, uint64_t at)
{
	atomic_store(&m->control->failed, 0);
	atomic_store(&m->control->forever,
		     random_below(&m->rig->random, 2) == 0);
	atomic_store(&m->control->fail_at, at);
}

static void disarm(struct memory *m)
{
	atomic_store(&m->control->calls, 0);
	atomic_store(&m->control->fail_at, 0);
}

static bool log_has_message(const struct process *p)
{
	char *text = calloc(1, LOG_MAX + 1);
	int fd = open(p->log, O_RDONLY | O_CLOEXEC);
	bool found = false;

	if (text && fd >= 0 && read(fd, text, LOG_MAX) > 0)
		found = strstr(text, MESSAGE) != NULL;
	if (fd >= 0)
		close(fd);
	free(text);
	return found;
}

/* Counts what became of the server, which is ended. */
static bool judge(struct memory *m, bool ended, uint64_t point)
{
	struct process *p = &m->rig->server;
	struct buf text = { 0 };

	if (!ended) {
		process_stop(p, SIGKILL, 0);
		m->unnoticed += atomic_load(&m->control->failed) > 0;
		return true;
	}
	if (WIFEXITED(p->status) &&
	    WEXITSTATUS(p->status) == EXIT_MEMORY_CODE && log_has_message(p)) {
		m->exits++;
		return true;
	}
	process_describe(&text, p);
	fprintf(stderr, "WRONG: allocation %" PRIu64 " failed (%" PRIu64
		" in all) and it ended with %.*s, not code 71 and \"%s\"\n",
		point, atomic_load(&m->control->failed), (int)text.size,
		(const char *)text.data, MESSAGE);
	process_show_log(p);
	buf_release(&text);
	m->rig->counts.wrong++;
	return false;
}

/* A start whose i-th allocation fails. */
static bool fail_start(struct memory *m)
{
	struct rig *r = m->rig;
	uint64_t point = m->next_start++;

	disarm(m);
	arm(m, point);
	process_start(&r->server, &(struct process_options){
		.level = r->options.level,
		.segment_size = r->segment_size });
	m->starts++;
	if (process_ready(&r->server))
		return judge(m, false, point);
	/* One that neither ends nor answers is killed, and judged so. */
	process_stop(&r->server, 0, 0);
	return judge(m, true, point);
}

static bool start_points(struct memory *m)
{
	unsigned count = (unsigned)random_below(&m->rig->random, 12);

	while (m->start_calls > 0 && count-- > 0) {
		if (m->next_start == 0)
			m->next_start = 1 + random_below(&m->rig->random,
							 m->start_calls);
		if (m->next_start > m->start_calls)
			m->next_start = 1;
		if (!fail_start(m))
			return false;
	}
	return true;
}

static uint64_t choose_point(struct random *r)
{
	return 1 + random_below(r, UINT64_C(1) << random_below(r, POINT_BITS));
}

static bool run_round(struct memory *m)
{
	struct rig *r = m->rig;
	uint64_t point = choose_point(&r->random);
	bool good;

	if (!start_points(m))
		return false;
	disarm(m);
	if (!rig_start(r))
		return false;
	m->start_calls = atomic_load(&m->control->calls);
	if (!rig_verify(r))
		return false;
	point += atomic_load(&m->control->calls);
	arm(m, point);
	good = rig_run(r, 1000 + random_below(&r->random, RUN_US_MAX));
	m->serving += atomic_load(&m->control->failed) > 0;
	/* A connection has ended: the server is about to, unless there was no
	 * memory for the input of that one alone. */
	if (r->died && !process_ready(&r->server))
		process_stop(&r->server, 0, WIRE_TIMEOUT_MS);
	good &= judge(m, process_ended(&r->server), point);
	return rig_drain(r) && good;
}

static bool report(const struct memory *m, double seconds)
{
	const struct rig *r = m->rig;

	printf("no_memory %s seed %" PRIu64 ": %" PRIu64 " allocations failed "
	       "(%" PRIu64 " in a start, one after the other of about %" PRIu64
	       ", %" PRIu64 " while it served), %" PRIu64 " exits 71, %" PRIu64
	       " went on, %" PRIu64 " commands refused\n", r->options.level,
	       r->options.seed, m->starts + m->serving, m->starts,
	       m->start_calls, m->serving, m->exits, m->unnoticed,
	       r->counts.refused);
	return rig_report(r, "no_memory", seconds);
}

int main(int argc, char **argv)
{
	struct torture_options o;
	struct rig *r = &(struct rig){ 0 };
	struct memory m;
	uint64_t begin_us = clock_us();
	bool good = true;

#ifdef REDOUBT_NO_JEMALLOC
	printf("no_memory: skipped: the sanitizers bring their own malloc\n");
	return 0;
#endif
	torture_parse(&o, argc, argv, "torture-memory");
	rig_init(r, &(struct rig_options){
		.binary = o.server, .dir = o.dir, .level = o.level,
		.may_end = true, .seed = o.seed });
	memory_init(&m, r, &o, argv[0]);
	while (good && (double)(clock_us() - begin_us) / 1e6 < o.seconds &&
	       (o.count == 0 || r->counts.crashes < o.count))
		good = run_round(&m);
	disarm(&m);
	if (good)
		good = rig_start(r) && rig_verify(r);
	process_stop(&r->server, SIGKILL, 0);
	good &= report(&m, (double)(clock_us() - begin_us) / 1e6);
	torture_clean(&o, good);
	rig_release(r);
	return !good;
}
