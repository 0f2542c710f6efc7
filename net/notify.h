/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the service manager is told: datagrams to $NOTIFY_SOCKET.
 * https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
#ifndef REDOUBT_NET_NOTIFY_H
#define REDOUBT_NET_NOTIFY_H

/* Sends state ("READY=1\nSTATUS=…"); nothing without a manager that asks. */
void notify(const char *state);

#endif
