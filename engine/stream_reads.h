/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What XREAD and XREADGROUP share: their arguments and the form of the reply.
 */
#ifndef REDOUBT_ENGINE_STREAM_READS_H
#define REDOUBT_ENGINE_STREAM_READS_H

#include "engine/cmd_stream.h"

struct stream_read {
	bool for_group;
	bool block, noack;
	int64_t claim_ms; /* idle at least; -1: nothing is claimed */
	int64_t count;    /* entries of each stream at most */
	unsigned group;   /* index of the group's name; its consumer follows */
	unsigned keys;    /* index of the first key */
	unsigned streams; /* keys; as many IDs follow */
};

/* Parses all but the IDs; replies errors. */
bool stream_read_parse(struct cmd *c, bool for_group, struct stream_read *r);

/* The reply when no stream has anything. */
void stream_read_waits(struct cmd *c, const struct stream_read *r);

/* Begins the reply of some streams, and of one of them. */
void stream_read_head(struct cmd *c, size_t streams);
void stream_read_key(struct cmd *c, struct slice key);

#endif
