/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the dispatcher tells after each command: the slow log, the latency
 * monitor and histograms, MONITOR.  Statistics, not state.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_SLOWLOG_H
#define REDOUBT_ENGINE_SLOWLOG_H

#include "engine/cmd.h"

/* An empty log; the caller frees it. */
struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *l);

enum slowlog_kind {
	SLOWLOG_SLOW, SLOWLOG_LARGE_REQUEST, SLOWLOG_LARGE_REPLY,
	SLOWLOG_KINDS,
};

/* Remembers c if it took long enough (slowlog-log-slower-than), or if its
 * request or reply was large enough (commandlog-…-larger-than). */
void slowlog_note(struct engine *e, const struct cmd *c, uint64_t usec,
		  uint64_t reply_size);

/* Forgets what is beyond the configured lengths. */
void slowlog_configure(struct engine *e);

/* An empty monitor; the caller frees it. */
struct latency *latency_new(void);
void latency_free(struct latency *l);

/* An event of the latency monitor ("command", "fast-command", "snapshot" …)
 * that took ms; kept if latency-monitor-threshold says so. */
void latency_note(struct engine *e, const char *event, uint64_t ms);

/* A sample for the command's histogram (latency-tracking). */
void latency_track(struct engine *e, const struct command *command,
		   uint64_t nsec);

/* Shows the command to every MONITOR session; after it was executed, so that
 * one's own reply comes first. */
void monitor_feed(struct engine *e, const struct cmd *c);

#endif
