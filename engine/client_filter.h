/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which connections CLIENT LIST shows and CLIENT KILL ends: "ID 1 2 TYPE
 * normal NOT-NAME job …", the words of Redis 7.2 and Valkey 9.
 * https://valkey.io/commands/client-list/
 */
#ifndef REDOUBT_ENGINE_CLIENT_FILTER_H
#define REDOUBT_ENGINE_CLIENT_FILTER_H

#include "engine/cmd.h"

enum client_term {
	TERM_ID, TERM_TYPE, TERM_ADDR, TERM_LADDR, TERM_USER, TERM_NAME,
	TERM_FLAGS, TERM_LIB_NAME, TERM_LIB_VER, TERM_DB, TERM_CAPA, TERM_IP,
	TERMS,
};

/* What a connection must be, or must not be. */
struct client_terms {
	uint32_t given; /* bits, by enum client_term */
	int64_t *ids;   /* client_filter_release frees them */
	unsigned id_count;
	int64_t type, db;
	struct slice text[TERMS];
};

struct client_filter {
	struct client_terms wanted, unwanted;
	int64_t age_s, idle_s; /* at least so much; -1: any */
	bool skip_me;
	bool is_list; /* CLIENT LIST words an error in its own way */
};

/* Reads argv[first] and what follows into f, whose skip_me and is_list stand;
 * false: replied. Release f in either case. */
bool client_filter_parse(struct cmd *c, unsigned first,
			 struct client_filter *f);
void client_filter_release(struct client_filter *f);

/* Whether s passes, seen from the session `me`. */
bool client_filter_passes(const struct engine *e, const struct client_filter *f,
			  const struct session *s, const struct session *me);

#endif
