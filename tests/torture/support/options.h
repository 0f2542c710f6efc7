/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line that the drivers share.
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_OPTIONS_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct torture_options {
	const char *server; /* its path */
	const char *level;
	char dir[128];      /* exists; removed at a good end if ours */
	bool own_dir;
	uint64_t seed;
	double seconds;
	uint64_t count;     /* crashes; 0: as time allows */
	bool switch_level;
};

/* --server PATH --level L --dir D --seed N --seconds S --count N --switch.
 * name begins that of a temporary directory. Ends the process on rubbish. */
void torture_parse(struct torture_options *o, int argc, char **argv,
		   const char *name);

/* After a run: removes our directory, or says where it is. */
void torture_clean(const struct torture_options *o, bool good);

#endif
