/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers of the stream commands, and what they share; engine/
 * command_stream.c has their rows.
 */
#ifndef REDOUBT_ENGINE_CMD_STREAM_H
#define REDOUBT_ENGINE_CMD_STREAM_H

#include "engine/cmd.h"
#include "types/stream_group.h"

/* Entries (cmd_stream.c). */
void cmd_xadd(struct cmd *c);
void cmd_xdel(struct cmd *c);
void cmd_xlen(struct cmd *c);
void cmd_xsetid(struct cmd *c);
void cmd_xtrim(struct cmd *c); /* cmd_stream_trim.c */

/* Messages that are added once (cmd_stream_marks.c). */
void cmd_xcfgset(struct cmd *c);

/* Both entries and what is pending (cmd_stream_delete.c). */
void cmd_xackdel(struct cmd *c);
void cmd_xdelex(struct cmd *c);

/* Reading (cmd_stream_read.c, cmd_stream_readgroup.c). */
void cmd_xrange(struct cmd *c);
void cmd_xrevrange(struct cmd *c);
void cmd_xread(struct cmd *c);
void cmd_xreadgroup(struct cmd *c);
int keys_xread(const struct slice *argv, unsigned argc, unsigned *out);

/* Groups (cmd_stream_group.c). */
void cmd_xgroup_create(struct cmd *c);
void cmd_xgroup_createconsumer(struct cmd *c);
void cmd_xgroup_delconsumer(struct cmd *c);
void cmd_xgroup_destroy(struct cmd *c);
void cmd_xgroup_setid(struct cmd *c);

/* What is pending (cmd_stream_pending.c, cmd_stream_claim.c). */
void cmd_xack(struct cmd *c);
void cmd_xpending(struct cmd *c);
void cmd_xclaim(struct cmd *c);
void cmd_xautoclaim(struct cmd *c);
void cmd_xnack(struct cmd *c); /* cmd_stream_nack.c */

/* XINFO (cmd_stream_info.c). */
void cmd_xinfo_consumers(struct cmd *c);
void cmd_xinfo_groups(struct cmd *c);
void cmd_xinfo_stream(struct cmd *c);

/*
 * Shared (stream_args.c).
 */

/* What becomes of what is pending when its entry goes: it stays, it goes too,
 * or entries that a group has still to do with stay themselves. */
enum stream_reference {
	STREAM_REFERENCE_UNSAID, /* as the next one */
	STREAM_KEEP_REFERENCES,
	STREAM_DELETE_REFERENCES,
	STREAM_ONLY_ACKNOWLEDGED,
};

/* Takes KEEPREF, DELREF or ACKED at this index if none was said before. */
bool stream_reference_arg(const struct cmd *c, unsigned index,
			  enum stream_reference *reference);

/* The stream at key; NULL: absent. False: replied WRONGTYPE. */
bool stream_lookup(struct cmd *c, struct slice key, const struct stream **s);
bool stream_lookup_write(struct cmd *c, struct slice key,
			 const struct stream **s);

/* The stream at a key that has just been found, after an emit. */
const struct stream *stream_again(struct cmd *c, struct slice key);

/* "ms-seq" or "ms" (then with `seq`). False leaves *id alone. */
bool stream_id_parse(struct slice text, uint64_t seq, struct stream_id *id);

/* The same of an argument, with the usual error replied. */
bool stream_id_arg(struct cmd *c, unsigned index, uint64_t seq,
		   struct stream_id *id);

/* Where a range begins; "(" leaves the ID itself out. */
bool stream_start_arg(struct cmd *c, unsigned index, struct stream_id *from);

/* The ends of a range, "-", "+", "(" included; replies errors. */
bool stream_range_args(struct cmd *c, unsigned start, unsigned end,
		       struct stream_id *from, struct stream_id *to);

/* Arguments index… to the end, all IDs; replies the error. */
bool stream_ids_args(struct cmd *c, unsigned index);

/* The group at argv[key], argv[group]; replies NOGROUP if it is not there. */
const struct stream_group *stream_group_arg(struct cmd *c, unsigned key,
					    unsigned group);

/* Replies an ID as a bulk string. */
void stream_reply_id(struct cmd *c, struct stream_id id);

/* Replies an entry: its ID and an array of fields and values; or the latter
 * alone. */
void stream_reply_entry(struct cmd *c, struct stream_entry e);
void stream_reply_fields(struct cmd *c, struct stream_entry e);

/* Moves the reply's last bytes, from `head` on, in front of those from `start`
 * on: the header of an array, or an ID, that was not known before. */
void stream_reply_front(struct cmd *c, size_t start, size_t head);

/* Makes what was replied from `start` on the elements of an array. */
void stream_reply_count(struct cmd *c, size_t start, size_t count);

/* A record of this type about c's key. */
struct record stream_record(const struct cmd *c, enum record_type type,
			    enum record_cause cause, struct slice key);

/* Makes sure that a group has the consumer, and notes that it was seen. */
void stream_consumer_touch(struct cmd *c, struct slice key, struct slice group,
			   struct slice consumer);

#endif
