/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structure-aware damage: fuzz input as a list of edits to the files of a
 * simulated disk.  Half of what matters lies behind checksums, so one edit
 * makes the checks of a frame right again.
 */
#ifndef REDOUBT_TESTS_FUZZ_EDIT_H
#define REDOUBT_TESTS_FUZZ_EDIT_H

#include "base/coding.h"
#include "base/err.h"
#include "tests/support/sim_io.h"
#include "wal/segment.h"

struct edit_target {
	struct sim *sim;
	const char *const *paths; /* files that may be edited */
	unsigned path_count;
	const struct store_id *store;
	uint64_t salt; /* 0: the one in the segment's identity */
};

/* Carries out what the input says; never fails, whatever it is. */
void edit_apply(const struct edit_target *t, struct reader *in);

/* Makes length, content and frame check of the frame at offset right for the
 * bytes that stand there, as far as it lies inside the file. */
void edit_fix_frame(const struct edit_target *t, const char *path,
		    uint64_t offset);

#endif
