/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appendonly and appendfsync at run time.  Engine thread.
 */
#ifndef REDOUBT_ENGINE_LOG_SWITCH_H
#define REDOUBT_ENGINE_LOG_SWITCH_H

#include "engine/cmd.h"

/* Gives the log the level the configuration names, but for the step from no
 * log to one, which log_switch_park takes. OK or a negative enum err. */
int log_switch_now(struct engine *e, struct err_message *m);

/* If the configuration wants a log and there is none: parks c until a
 * snapshot of the present state is durable and the log has begun behind it,
 * then replies. False: nothing to do. */
bool log_switch_park(struct cmd *c);

/* The level that appendonly and appendfsync stand for. */
enum wal_level log_switch_level(const struct config *c);

#endif
