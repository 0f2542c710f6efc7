/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WAIT and WAITAOF: how far the connection's last write has got.
 * https://redis.io/docs/latest/commands/waitaof/
 */
#ifndef REDOUBT_ENGINE_CMD_WAIT_H
#define REDOUBT_ENGINE_CMD_WAIT_H

#include "engine/cmd.h"

/* WAIT numreplicas timeout; WAITAOF numlocal numreplicas timeout. */
void cmd_wait(struct cmd *c);
void cmd_waitaof(struct cmd *c);

/* CLIENT UNBLOCK: ends s's WAIT as if its time were over, or with an error.
 * False: s does not wait that way. */
bool wait_unblock(struct session *s, bool error);

#endif
