/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A store at rest, damage to it, and what recovery says.  One thread; every
 * group of these stores takes one block of ALIGN bytes, but for big
 * ones.
 */
#ifndef REDOUBT_TESTS_SUPPORT_RECOVER_FIXTURE_H
#define REDOUBT_TESTS_SUPPORT_RECOVER_FIXTURE_H

#include "tests/support/wal_fixture.h"
#include "wal/recover.h"

#define SEGMENTS 6 /* of store_of_segments */
#define ALIGN 4096

/* What the last run of recovery said. */
extern struct wal_recovery found;
extern struct err_message message;

/* Recovery over f's disk; its code. */
int run_mode(struct fixture *f, enum recovery_mode mode,
	     const struct wal_known *known);
int run(struct fixture *f);

/* The decision must be this row and code; a refusal says what to do. */
void check(struct fixture *f, enum recovery_case row, int code);

/* Frees f and what was found. */
void done(struct fixture *f);

/* Path of a segment on the simulated disk. */
void path_of(char out[64], uint64_t sequence);

/* Flips a bit of a byte of a segment. */
void spoil(struct fixture *f, uint64_t sequence, uint64_t offset);

/* n batches, a group each; the process is gone then. */
struct fixture *store_of(enum wal_level level, int n);

/* Offset of group i (from 0) of a segment whose groups take a block each. */
static inline uint64_t group_at(int i)
{
	return (uint64_t)(2 + i) * ALIGN;
}

/* SEGMENTS in use, a mark at the end. */
struct fixture *store_of_segments(void);

#endif
