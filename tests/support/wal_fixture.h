/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log under test: on a simulated disk or in a directory, with what became of
 * it.  One thread, but for those of the log itself.
 */
#ifndef REDOUBT_TESTS_SUPPORT_WAL_FIXTURE_H
#define REDOUBT_TESTS_SUPPORT_WAL_FIXTURE_H

#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/frame.h"
#include "wal/wal.h"

#define SMALL_SEGMENT (64u << 10)

/* A log on a simulated disk (or in a directory), and what became of it. */
struct fixture {
	struct sim *sim; /* NULL: the real disk */
	char dir[64];
	struct wal_options options;
	struct completion_queue queue;
	struct wal_known known;
	struct store_id store;
	struct wal *w;
	struct batch batch;
	bool alone; /* turns say that one connection is */
	/* What the last open found. */
	uint64_t last_lsn;
	uint64_t durable_lsn;
	uint32_t epoch;
	bool clean;
	size_t segment_count;
	enum recovery_case outcome;
	/* What options.fatal heard. */
	int fatal_count;
	int exit_code;
	char message[ERR_MESSAGE_SIZE];
};

/* A log of this level, not yet open, on a new simulated disk. */
struct fixture *fixture_new(enum wal_level level);

/* Abandons the log and frees everything. */
void fixture_free(struct fixture *f);

/* Likewise in a new directory of the real disk, with threads. */
struct fixture *fixture_on_disk(enum wal_level level);

/* fixture_free of such a one, and of its directory. */
void fixture_leave_disk(struct fixture *f);

/* Recovers; begins behind what was found, or behind the snapshot. */
int try_reopen(struct fixture *f, struct err_message *m);

/* As try_reopen, must work. */
void reopen(struct fixture *f);

/* wal_close, must work. */
void close_log(struct fixture *f);

/* The machine loses power; how it left the disk. */
void crash(struct fixture *f, enum sim_crash_kind kind);

/* One batch with a value of this size. Room is asked for, as the engine
 * does. */
bool try_append(struct fixture *f, size_t size);

/* As try_append; there must be room. */
void append(struct fixture *f, size_t size);

/* A turn of the loop, so much later. */
void turn_after(struct fixture *f, uint64_t us);

/* A millisecond later. */
void turn(struct fixture *f);

/* Turns until everything is released, as the loop does it. Of a log with
 * threads. */
void wait_released(struct fixture *f);

/* What a test makes of a frame's header. */
typedef void change_fn(struct frame_header *h, const struct frame_seed *seed);

/* The frame that stands at offset of a segment on the simulated disk gets
 * another header, whose checks hold. */
void change_frame(struct fixture *f, uint64_t sequence, uint64_t offset,
		  change_fn *change);

/* wal_stats by value. */
struct wal_stats stats(const struct fixture *f);

/* wal_position. */
const struct wal_position *at(const struct fixture *f);

#endif
