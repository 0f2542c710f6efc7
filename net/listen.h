/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listening sockets: TCP on the addresses of `bind`, and a Unix socket.
 */
#ifndef REDOUBT_NET_LISTEN_H
#define REDOUBT_NET_LISTEN_H

#include "base/err.h"
#include "engine/config.h"

#define LISTENERS_MAX 17 /* 16 addresses and the Unix socket */

/* What the poller hands back: which kind of thing an event is for. */
enum source_kind { SOURCE_CONN, SOURCE_LISTENER, SOURCE_COMPLETION,
		   SOURCE_WAKE };

struct source {
	enum source_kind kind;
	int file;
};

struct listener {
	struct source source;
	bool is_unix;
};

struct listeners {
	struct listener list[LISTENERS_MAX];
	unsigned count;
};

/* Opens all that config asks for: OK, or ERR_CONFIG and everything closed
 * again; m and the log explain. */
int listeners_open(struct listeners *l, const struct config *config,
		   struct err_message *m);

/* Exchanges the TCP ones for those that config asks for now.  ERR_CONFIG: that
 * failed, those from before are back (if they could be had again). */
int listeners_reopen_tcp(struct listeners *l, const struct config *config,
			 struct err_message *m);

/* Closes all. */
void listeners_close(struct listeners *l);

#endif
