/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kill loop: a real server is killed at a random moment, again and again
 * on the same directory, and must have everything that was acknowledged.
 *
 * One round: start (now and then killed while it starts), compare the whole
 * store, write for 1 to 40 ms with one to seven connections, SIGKILL (now and
 * then SIGTERM).  Whatever the level: kill -9 loses nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/torture/support/options.h"
#include "tests/torture/support/rig.h"

#define RUN_US_MAX 40000
#define START_US_MAX 15000
#define STOP_MS_MAX 30000

static void kill_while_starting(struct rig *r)
{
	process_start(&r->server, &(struct process_options){
		.level = r->options.level,
		.segment_size = r->segment_size });
	usleep((useconds_t)random_below(&r->random, START_US_MAX));
	process_stop(&r->server, SIGKILL, 0);
}

static bool end_server(struct rig *r)
{
	bool clean = random_below(&r->random, 40) == 0;

	if (!clean) {
		process_stop(&r->server, SIGKILL, 0);
		return rig_drain(r);
	}
	/* What is on its way may or may not be done. */
	process_stop(&r->server, SIGTERM, STOP_MS_MAX);
	if (!rig_drain(r))
		return false;
	if (WIFEXITED(r->server.status) && WEXITSTATUS(r->server.status) == 0)
		return true;
	fprintf(stderr, "WRONG: SIGTERM did not end it well\n");
	process_show_log(&r->server);
	r->counts.wrong++;
	return false;
}

static bool run_round(struct rig *r)
{
	if (random_below(&r->random, 8) == 0)
		kill_while_starting(r);
	return rig_start(r) && rig_verify(r) &&
	       rig_run(r, 1000 + random_below(&r->random, RUN_US_MAX)) &&
	       end_server(r);
}

int main(int argc, char **argv)
{
	struct torture_options o;
	struct rig *r = &(struct rig){ 0 };
	uint64_t begin_us = clock_us();
	bool good = true;

	torture_parse(&o, argc, argv, "torture-kill");
	rig_init(r, &(struct rig_options){
		.binary = o.server, .dir = o.dir, .level = o.level,
		.switch_level = o.switch_level, .seed = o.seed });
	while (good && (double)(clock_us() - begin_us) / 1e6 < o.seconds &&
	       (o.count == 0 || r->counts.crashes < o.count))
		good = run_round(r);
	if (good)
		good = rig_start(r) && rig_verify(r);
	process_stop(&r->server, SIGKILL, 0);
	good &= rig_report(r, "kill_loop",
			   (double)(clock_us() - begin_us) / 1e6);
	torture_clean(&o, good);
	rig_release(r);
	return !good;
}
