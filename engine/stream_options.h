/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What XADD and XTRIM take besides fields, trimming as both do it
 * (cmd_stream_trim.c), and messages that are added once (cmd_stream_marks.c).
 */
#ifndef REDOUBT_ENGINE_STREAM_OPTIONS_H
#define REDOUBT_ENGINE_STREAM_OPTIONS_H

#include "engine/cmd_stream.h"
#include "types/stream_trim.h"

struct stream_options {
	bool no_make; /* NOMKSTREAM */
	bool trim;
	bool limit_given;
	enum stream_reference reference;
	struct stream_trim_wish wish;
	unsigned producer; /* index of its name; 0: the message has no mark */
	bool automatic;    /* IDMPAUTO; else the message's ID follows */
};

/* Parses options from *index on; of XADD up to the ID, where *index is then.
 * False: replied an error. */
bool stream_options_parse(struct cmd *c, bool add, unsigned *index,
			  struct stream_options *o);

/* Whether the log has room for trimming s (NULL: absent) as wished and `bytes`
 * besides; else it has replied. */
bool stream_trim_room(struct cmd *c, const struct stream *s,
		      const struct stream_options *o, uint64_t bytes);

/* Trims the stream at argument 1. Replies nothing; how many entries went. */
uint64_t stream_trim_wished(struct cmd *c, const struct stream *s,
			    const struct stream_options *o);

/* A message of a producer; slices point into arguments or room. */
struct stream_message {
	struct slice producer, id;
	uint8_t room[16];
};

/* The message that XADD's arguments are, of which items are the fields. */
void stream_message_of(const struct cmd *c, const struct stream_options *o,
		       struct slice items, struct stream_message *m);

/* Whether it was added to s (NULL: absent) not long ago; then that is counted
 * and the ID of its entry replied. */
bool stream_message_known(struct cmd *c, const struct stream *s,
			  const struct stream_message *m);

/* Notes that it has become the entry of this ID. */
void stream_message_added(struct cmd *c, const struct stream_message *m,
			  struct stream_id id);

#endif
