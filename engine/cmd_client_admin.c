/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CLIENT KILL, PAUSE, UNPAUSE, UNBLOCK: what one connection may do to others.
 *
 * I1. A session is ended by host.close, which takes it off the engine's list;
 *     loops know the next one before they end this one.
 */
#include "engine/cmd_connection.h"

#include "base/num.h"
#include "engine/cmd_wait.h"

static int parse_type(struct slice s)
{
	if (slice_is(s, "normal"))
		return CLIENT_NORMAL;
	if (slice_is(s, "pubsub"))
		return CLIENT_PUBSUB;
	if (slice_is(s, "replica") || slice_is(s, "slave"))
		return CLIENT_REPLICA;
	if (slice_is(s, "master") || slice_is(s, "primary"))
		return CLIENT_PRIMARY;
	return -1;
}

static bool quoted_error(struct cmd *c, const char *before, struct slice s)
{
	reply_errorf(c, "ERR %s '%.*s'", before,
		     (int)(s.size < 128 ? s.size : 128),
		     (const char *)s.data);
	return false;
}

/* One "NAME value"; false: replied. */
static bool parse_one(struct cmd *c, unsigned i, struct client_filter *f)
{
	struct slice value = c->argv[i + 1];

	if (arg_is(c, i, "id")) {
		if (!num_parse_i64(value, &f->id) || f->id < 1) {
			reply_error(c, "ERR client-id should be greater than "
				       "0");
			return false;
		}
	} else if (arg_is(c, i, "type")) {
		f->type = parse_type(value);
		if (f->type < 0)
			return quoted_error(c, "Unknown client type", value);
	} else if (arg_is(c, i, "addr")) {
		f->address = value;
	} else if (arg_is(c, i, "laddr")) {
		f->local_address = value;
	} else if (arg_is(c, i, "user")) {
		if (!slice_equal(value, SLICE_LITERAL("default")))
			return quoted_error(c, "No such user", value);
		f->user = value;
	} else if (arg_is(c, i, "maxage")) {
		if (!num_parse_i64(value, &f->max_age_s) ||
		    f->max_age_s < 1) {
			reply_error(c, "ERR maxage is not an integer or out "
				       "of range");
			return false;
		}
	} else if (arg_is(c, i, "skipme") && slice_is(value, "yes")) {
		f->skip_me = true;
	} else if (arg_is(c, i, "skipme") && slice_is(value, "no")) {
		f->skip_me = false;
	} else {
		reply_syntax_error(c);
		return false;
	}
	return true;
}

bool client_filter_parse(struct cmd *c, unsigned first,
			 struct client_filter *f)
{
	unsigned i;

	for (i = first; i < c->argc; i += 2) {
		if (i + 1 == c->argc) {
			reply_syntax_error(c);
			return false;
		}
		if (!parse_one(c, i, f))
			return false;
	}
	return true;
}

static bool is_listed(const struct client_filter *f, uint64_t id)
{
	unsigned i;

	for (i = 0; i < f->id_count; i++)
		if ((uint64_t)f->ids[i] == id)
			return true;
	return f->ids == NULL;
}

bool client_filter_passes(const struct engine *e, const struct client_filter *f,
			  const struct session *s, const struct session *me)
{
	if (s->flags & SESSION_INTERNAL)
		return false;
	if (!is_listed(f, s->id) || (f->id && (uint64_t)f->id != s->id))
		return false;
	if (f->skip_me && s == me)
		return false;
	if (f->address.data &&
	    !slice_equal(f->address, slice_str(s->address)))
		return false;
	if (f->local_address.data &&
	    !slice_equal(f->local_address, slice_str(s->local_address)))
		return false;
	if (f->user.data && !(s->flags & SESSION_AUTHENTICATED))
		return false;
	if (f->max_age_s >= 0 &&
	    (e->now_ms - s->created_ms) / 1000 < (uint64_t)f->max_age_s)
		return false;
	return f->type < 0 || f->type == CLIENT_NORMAL;
}

static unsigned kill_all(struct cmd *c, const struct client_filter *f)
{
	struct engine *e = c->engine;
	struct session *s, *next;
	unsigned count = 0;

	for (s = e->sessions; s; s = next) {
		next = s->next; /* I1 */
		if (!client_filter_passes(e, f, s, c->session))
			continue;
		count++;
		if (s == c->session)
			s->flags |= SESSION_CLOSE_AFTER_REPLY;
		else if (e->host.close)
			e->host.close(e->host.ctx, s, false);
	}
	return count;
}

void cmd_client_kill(struct cmd *c)
{
	struct client_filter f = { .max_age_s = -1, .type = -1 };

	if (c->argc == 3) { /* the old form: an address */
		f.address = c->argv[2];
		if (kill_all(c, &f))
			reply_ok(c);
		else
			reply_error(c, "ERR No such client");
		return;
	}
	f.skip_me = true;
	if (!client_filter_parse(c, 2, &f))
		return;
	reply_i64(c, kill_all(c, &f));
}

void cmd_client_pause(struct cmd *c)
{
	struct engine *e = c->engine;
	bool all = true;
	uint64_t until;
	int64_t ms;

	if (c->argc > 4) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 4 && arg_is(c, 3, "write")) {
		all = false;
	} else if (c->argc == 4 && !arg_is(c, 3, "all")) {
		reply_error(c, "ERR CLIENT PAUSE mode must be WRITE or ALL");
		return;
	}
	if (!num_parse_i64(c->argv[2], &ms) || ms > INT64_MAX / 2000) {
		reply_error(c, "ERR timeout is not an integer or out of "
			       "range");
		return;
	}
	if (ms < 0) {
		reply_error(c, "ERR timeout is negative");
		return;
	}
	/* of two pauses the longer end and the wider scope count */
	until = e->now_us + (uint64_t)ms * 1000;
	if (e->pause_until_us > e->now_us) {
		all = all || e->pause_all;
		if (until < e->pause_until_us)
			until = e->pause_until_us;
	}
	e->pause_until_us = until;
	e->pause_all = all;
	reply_ok(c);
}

void cmd_client_unpause(struct cmd *c)
{
	c->engine->pause_until_us = 0;
	reply_ok(c);
}

void cmd_client_unblock(struct cmd *c)
{
	struct session *s;
	bool error = false;
	int64_t id;

	if (c->argc > 4) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 4 && arg_is(c, 3, "error")) {
		error = true;
	} else if (c->argc == 4 && !arg_is(c, 3, "timeout")) {
		reply_error(c, "ERR CLIENT UNBLOCK reason should be TIMEOUT or "
			       "ERROR");
		return;
	}
	if (!arg_i64(c, 2, &id))
		return;
	for (s = c->engine->sessions; s; s = s->next)
		if (s->id == (uint64_t)id)
			break;
	reply_i64(c, s && wait_unblock(s, error));
}
