/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands that show what engine/slowlog.h has collected: SLOWLOG,
 * LATENCY, MONITOR.
 */
#ifndef REDOUBT_ENGINE_SLOWLOG_CMD_H
#define REDOUBT_ENGINE_SLOWLOG_CMD_H

#include "engine/cmd.h"
#include "engine/slowlog.h"

/* SLOWLOG GET [count], LEN, RESET: https://redis.io/commands/slowlog-get */
void cmd_slowlog_get(struct cmd *c);
void cmd_slowlog_len(struct cmd *c);
void cmd_slowlog_reset(struct cmd *c);

/* COMMANDLOG GET count type, LEN type, RESET type, as in Valkey; type slow is
 * the slow log: https://valkey.io/commands/commandlog-get/ */
void cmd_commandlog_get(struct cmd *c);
void cmd_commandlog_len(struct cmd *c);
void cmd_commandlog_reset(struct cmd *c);

/* LATENCY and its sub-commands: https://redis.io/commands/latency-latest */
void cmd_latency_latest(struct cmd *c);
void cmd_latency_history(struct cmd *c);
void cmd_latency_reset(struct cmd *c);
void cmd_latency_graph(struct cmd *c);
void cmd_latency_doctor(struct cmd *c);
void cmd_latency_histogram(struct cmd *c);

/* MONITOR: the session becomes a listener until RESET or its end. */
void cmd_monitor(struct cmd *c);

/* Ends MONITOR for this session, if it is one. */
void monitor_stop(struct engine *e, struct session *s);

/* Forgets all histograms (CONFIG RESETSTAT, latency-tracking no). */
void latency_forget(struct latency *l);

/* Appends INFO latencystats. */
void latency_info(const struct engine *e, struct buf *out);

#endif
