/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals: TERM and INT end the server in order, crashes leave a report.
 */
#ifndef REDOUBT_NET_SIGNALS_H
#define REDOUBT_NET_SIGNALS_H

#include "wal/wal.h"

struct net;

/* TERM and INT: net_stop; an INT after that ends the process at once.  HUP,
 * PIPE and XFSZ are ignored.  Without n (NULL) TERM and INT end the process. */
void signals_install(struct net *n);

/* The signal that asked for the end; 0: none. */
int signals_received(void);

/* The end was called off: the next signal asks again. */
void signals_forget(void);

/* SEGV, BUS, FPE, ILL, ABRT: a report of what is safe to say there (build,
 * address, last LSN, call addresses; no content of memory) to the log file
 * (copied; "" is standard output), then the signal's own end. */
void crash_handler_install(const char *logfile);

/* Whose positions the report shows; NULL: nobody's. */
void crash_handler_watch(const struct wal_position *position);

/* Identity of this build in hex, from its ELF note; "unknown". */
const char *build_id(void);

#endif
