/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structure-aware damage: fuzz input as a list of edits to the files of a
 * simulated disk.  Half of what matters lies behind checksums and chains, so
 * edits know blocks and frames, and make their checks right again.
 */
#ifndef REDOUBT_TESTS_FUZZ_EDIT_H
#define REDOUBT_TESTS_FUZZ_EDIT_H

#include "base/coding.h"
#include "base/err.h"
#include "tests/support/sim_io.h"
#include "wal/segment.h"

enum place_kind { PLACE_IDENTITY, PLACE_USE, PLACE_FRAME, PLACE_SNAPSHOT };

/* Something that has a check of its own. */
struct edit_place {
	enum place_kind kind;
	unsigned path; /* index */
	uint64_t offset;
};

#define EDIT_PLACES_MAX 256

/* What may be edited; filled once, for a disk without damage. */
struct edit_target {
	const char *const *paths;
	unsigned path_count;
	struct store_id store;
	struct edit_place places[EDIT_PLACES_MAX];
	unsigned place_count;
};

/* Notes the blocks and frames of all files there are. */
void edit_find_places(struct edit_target *t, const struct sim *s);

/* Carries out on s what the input says; never fails, whatever it is. */
void edit_apply(const struct edit_target *t, struct sim *s, struct reader *in);

/* Puts bytes in place of a frame's content and makes its length and checks
 * right; raw_length 0: that of the bytes. */
void edit_put_content(const struct edit_target *t, struct sim *s,
		      const struct edit_place *at, struct slice content,
		      uint64_t raw_length);

/* Makes the check of an identity block right. */
void edit_fix_identity(struct sim *s, const char *path);

/* Makes the seal of a segment (and the use block behind it) or the footer of a
 * snapshot fit the frames. */
void edit_chain(const struct edit_target *t, struct sim *s, unsigned path);

#endif
