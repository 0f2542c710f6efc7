/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries out exchanges with other servers (engine/transfer.h), each in a
 * thread of its own.
 */
#ifndef REDOUBT_NET_TRANSFER_H
#define REDOUBT_NET_TRANSFER_H

#include "engine/transfer.h"

/* Starts a thread for t; false: there is none to be had, nothing happens. */
bool transfer_start(struct transfer *t);

/* Ends those that run, as failed, and waits for them; none may begin any
 * more. */
void transfers_stop(void);

#endif
