/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connection commands: who the client is, what it speaks, how it is treated.
 * https://redis.io/docs/latest/commands/?group=connection
 */
#ifndef REDOUBT_ENGINE_CMD_CONNECTION_H
#define REDOUBT_ENGINE_CMD_CONNECTION_H

#include "engine/cmd.h"

/* cmd_connection.c, cmd_auth.c */
command_fn cmd_ping, cmd_echo, cmd_select, cmd_quit, cmd_reset, cmd_hello,
	cmd_auth;

/* cmd_client.c */
command_fn cmd_client_id, cmd_client_info, cmd_client_list, cmd_client_setname,
	cmd_client_getname, cmd_client_setinfo, cmd_client_no_evict,
	cmd_client_no_touch, cmd_client_reply, cmd_client_getredir,
	cmd_client_trackinginfo, cmd_client_tracking, cmd_client_caching,
	cmd_client_lsn, cmd_client_capa;

/* cmd_client_admin.c */
command_fn cmd_client_kill, cmd_client_pause, cmd_client_unpause,
	cmd_client_unblock;

/* cmd_help.c: for every row "container|help", from the rows beside it. */
command_fn cmd_help;

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

/* CLIENT KILL's and LIST's filters. */
struct client_filter {
	const int64_t *ids; /* CLIENT LIST ID …; NULL: none */
	unsigned id_count;
	int64_t id; /* 0: any */
	int64_t max_age_s; /* at least this old; -1: any */
	struct slice address, local_address, user; /* data NULL: any */
	int type; /* enum client_type, -1: any */
	bool skip_me;
};

enum client_type { CLIENT_NORMAL, CLIENT_PUBSUB, CLIENT_REPLICA,
		   CLIENT_PRIMARY };

/* Reads "ID 1 TYPE normal …" from argv[first] on; false: replied. */
bool client_filter_parse(struct cmd *c, unsigned first,
			 struct client_filter *f);

/* Whether s passes, seen from the session `me`. */
bool client_filter_passes(const struct engine *e, const struct client_filter *f,
			  const struct session *s, const struct session *me);

#endif
