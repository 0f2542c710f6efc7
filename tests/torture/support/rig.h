/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rig: a server, writers that remember what they sent and what was
 * acknowledged, and the comparison after a crash.
 *
 *   rig_start ─► rig_verify ─► rig_run ─► (the crash) ─► rig_drain ─┐
 *       ▲                                                           │
 *       └───────────────────────────────────────────────────────────┘
 *
 * What each writer finds must be what it wrote up to some operation that is
 * not below the last one that must have survived (RELIABILITY C3, C4); what a
 * reader saw of others must be there as well (C2).
 */
#ifndef REDOUBT_TESTS_TORTURE_SUPPORT_RIG_H
#define REDOUBT_TESTS_TORTURE_SUPPORT_RIG_H

#include "tests/torture/support/model.h"
#include "tests/torture/support/process.h"
#include "tests/torture/support/wire.h"

struct writer {
	struct wire wire;
	struct model base; /* as of the last verification */
	struct model live; /* with what was acknowledged since */
	struct model read; /* as the store was found */
	struct op *ops;    /* since the last verification */
	size_t op_count, op_capacity;
	size_t acked;
	size_t synced;     /* as WAITAOF said */
	size_t sent_at_cut, acked_at_cut, synced_at_cut;
	unsigned replies;  /* of the operation at acked, so far */
	unsigned selected; /* database of the connection */
	unsigned depth;    /* operations on their way, at most */
};

struct rig_options {
	const char *binary;
	const char *dir;   /* exists */
	const char *level; /* appendfsync */
	bool power;        /* crashes are power cuts, not kills */
	bool may_end;      /* by itself, when it does not get memory */
	bool switch_level; /* CONFIG SET appendfsync among the operations */
	uint64_t seed;
};

struct rig_counts {
	uint64_t crashes;
	uint64_t interrupted;  /* crashes with unacknowledged operations */
	uint64_t acked;
	uint64_t survived;     /* unacknowledged, yet there afterwards */
	uint64_t lost_allowed; /* acknowledged, lost within the window */
	uint64_t lost;         /* acknowledged operations, must be 0 */
	uint64_t wrong;        /* verifications that failed otherwise */
	uint64_t false_alarms; /* starts refused */
	uint64_t refused;      /* writes answered with MISCONF */
	uint64_t starts;
	uint64_t start_us_sum;
	uint64_t start_us_max;
	uint64_t values;       /* keys compared */
	uint64_t seen;         /* replies to readers */
};

struct rig {
	struct rig_options options;
	struct process server;
	struct random random;
	struct writer writers[WRITERS_MAX];
	unsigned active; /* writers in this round: the first ones of order */
	unsigned order[WRITERS_MAX];
	struct wire reader; /* fd -1: none in this round */
	int64_t seen[WRITERS_MAX]; /* highest witness a reader saw */
	unsigned reader_next;      /* whose witness comes next */
	bool fresh; /* it has just seen what is not acknowledged yet */
	unsigned segment_size;
	uint64_t number; /* operations so far */
	int64_t crash_ms; /* 0: rig_drain sets it */
	bool may_flush_all;
	bool cut;    /* the disk is dead */
	bool ending; /* nothing more is sent */
	bool died;   /* it ended by itself, as it may */
	struct expect expect;
	struct rig_counts counts;
};

/* All keys absent; makes the store's directory. */
void rig_init(struct rig *r, const struct rig_options *o);
void rig_release(struct rig *r);

/* Starts the server and waits until it serves. False: it did not; reported
 * and counted. */
bool rig_start(struct rig *r);

/* Compares the whole store. False: reported and counted. */
bool rig_verify(struct rig *r);

/* Writers write for so long. False: a wrong reply or a death (but see may_end),
 * reported. */
bool rig_run(struct rig *r, uint64_t us);

/*
 * Just before the disk dies: what is acknowledged by now must survive.  What
 * is acknowledged later need not: a power cut stops the process as well, and
 * a sync that is under way while a file system is shut down may return 0.  But
 * no write that is sent later may be acknowledged.
 */
void rig_cut(struct rig *r);

/* Goes on for up to us with a dead disk, and with sending if so wanted. False:
 * a reply was wrong. */
bool rig_run_dying(struct rig *r, uint64_t us, bool sending);

/* After the crash: takes in what had been sent to us, closes. */
bool rig_drain(struct rig *r);

/* "SEED … kills …" as one line on stdout; true if nothing is wrong. */
bool rig_report(const struct rig *r, const char *what, double seconds);

#endif
