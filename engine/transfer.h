/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An exchange with another server: requests go out, as many replies of one
 * line each come back.  The engine fills it and gives it to its host
 * (engine_host.transfer), which carries it out in a thread of its own and posts
 * the completion; then it is the engine's again.
 */
#ifndef REDOUBT_ENGINE_TRANSFER_H
#define REDOUBT_ENGINE_TRANSFER_H

#include "base/buf.h"
#include "base/completion.h"

enum transfer_end {
	TRANSFER_DONE,
	TRANSFER_NOT_CONNECTED,
	TRANSFER_NOT_WRITTEN,
	TRANSFER_NOT_READ,
};

struct transfer {
	struct completion completion;
	struct completion_queue *queue; /* where it is posted */
	char host[256];
	char port[8];
	uint64_t timeout_ms; /* without any progress */
	struct buf request;
	unsigned reply_count; /* wanted */

	enum transfer_end end;
	struct buf replies; /* lines as they came, with their CRLF */
	unsigned replies_got;

	void *carrier; /* the host's */
	void (*release)(struct transfer *); /* the host's part; NULL: none */
};

#endif
