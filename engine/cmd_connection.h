/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connection commands: who the client is, what it speaks, how it is treated.
 * https://redis.io/docs/latest/commands/?group=connection
 */
#ifndef REDOUBT_ENGINE_CMD_CONNECTION_H
#define REDOUBT_ENGINE_CMD_CONNECTION_H

#include "engine/cmd.h"

/* cmd_connection.c, cmd_auth.c */
void cmd_ping(struct cmd *c);
void cmd_echo(struct cmd *c);
void cmd_select(struct cmd *c);
void cmd_quit(struct cmd *c);
void cmd_reset(struct cmd *c);
void cmd_hello(struct cmd *c);
void cmd_auth(struct cmd *c);

/* cmd_client.c */
void cmd_client_id(struct cmd *c);
void cmd_client_info(struct cmd *c);
void cmd_client_list(struct cmd *c);
void cmd_client_setname(struct cmd *c);
void cmd_client_getname(struct cmd *c);
void cmd_client_setinfo(struct cmd *c);
void cmd_client_no_evict(struct cmd *c);
void cmd_client_no_touch(struct cmd *c);
void cmd_client_reply(struct cmd *c);
void cmd_client_getredir(struct cmd *c);
void cmd_client_trackinginfo(struct cmd *c);
void cmd_client_tracking(struct cmd *c);
void cmd_client_caching(struct cmd *c);
void cmd_client_lsn(struct cmd *c);
void cmd_client_capa(struct cmd *c);

/* cmd_client_admin.c */
void cmd_client_kill(struct cmd *c);
void cmd_client_pause(struct cmd *c);
void cmd_client_unpause(struct cmd *c);
void cmd_client_unblock(struct cmd *c);

/* cmd_help.c: for every row "container|help", from the rows beside it. */
void cmd_help(struct cmd *c);

/* Checks a password for the user "default" and sets SESSION_AUTHENTICATED. On
 * failure it has replied, or parked the session to reply later (RELIABILITY
 * of guessing: after some failures each costs time), and returns false. */
bool auth_login(struct cmd *c, struct slice user, struct slice password);

/* Whether s can stand in CLIENT LIST's fields: no blanks, no control bytes. */
bool client_word_is_clean(struct slice s);

/* Sets the session's name ("": none); false: replied an error. */
bool client_set_name(struct cmd *c, struct slice name);

/* Appends one line of CLIENT LIST, without its end. */
void client_describe(const struct engine *e, const struct session *s,
		     struct buf *out);

/* Appends the letters of CLIENT LIST's field flags; N if there is none. */
void client_put_flags(const struct session *s, struct buf *out);

#endif
