/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AUTH and HELLO.
 *
 * There is one user, "default"; requirepass gives it a password.
 *
 * I1. A guess costs the same whether the user or the password is wrong.
 * I2. Beyond FREE_FAILURES a failure is answered AUTH_DELAY_US later; the
 *     session runs nothing meanwhile, the engine goes on.
 */
#include "engine/cmd_connection.h"

#include "base/num.h"
#include "base/version.h"
#include "engine/password.h"

#define FREE_FAILURES 5
#define AUTH_DELAY_US 100000

static const char wrong_password[] =
	"WRONGPASS invalid username-password pair or user is disabled.";

static bool refused_later(struct engine *e, struct session *s, bool timed_out)
{
	struct cmd c;

	if (!timed_out)
		return false;
	c = cmd_for_reply(e, s);
	reply_error(&c, wrong_password);
	cmd_reply_end(&c);
	return true;
}

/* I2 */
static void refuse(struct cmd *c)
{
	struct session_wait w = {
		.ready = refused_later,
		.deadline_us = c->engine->now_us + AUTH_DELAY_US,
	};

	c->engine->stats.auth_failures++;
	if (++c->session->auth_failures > FREE_FAILURES)
		cmd_park(c, &w);
	else
		reply_error(c, wrong_password);
}

bool auth_login(struct cmd *c, struct slice user, struct slice password)
{
	const char *hex = c->engine->config->requirepass_hash;
	bool right = password_matches(password, hex); /* I1 */

	if (!slice_equal(user, SLICE_LITERAL("default")) || (hex && !right)) {
		refuse(c);
		return false;
	}
	c->session->auth_failures = 0;
	c->session->flags |= SESSION_AUTHENTICATED;
	return true;
}

void cmd_auth(struct cmd *c)
{
	struct slice user = SLICE_LITERAL("default");

	if (c->argc > 3) {
		reply_syntax_error(c);
		return;
	}
	if (c->argc == 2 && !c->engine->config->requirepass_hash) {
		reply_error(c, "ERR AUTH <password> called without any "
			       "password configured for the default user. Are "
			       "you sure your configuration is correct?");
		return;
	}
	if (c->argc == 3)
		user = c->argv[1];
	if (auth_login(c, user, c->argv[c->argc - 1]))
		reply_ok(c);
}

struct hello {
	int64_t protocol; /* 0: as it is */
	struct slice user, password, name; /* data NULL: not given */
};

static bool hello_parse(struct cmd *c, struct hello *h)
{
	unsigned i;

	if (c->argc < 2)
		return true;
	if (!num_parse_i64(c->argv[1], &h->protocol)) {
		reply_error(c, "ERR Protocol version is not an integer or out "
			       "of range");
		return false;
	}
	if (h->protocol < 2 || h->protocol > 3) {
		reply_error(c, "NOPROTO unsupported protocol version");
		return false;
	}
	for (i = 2; i < c->argc;) {
		unsigned left = c->argc - i - 1;

		if (arg_is(c, i, "auth") && left >= 2) {
			h->user = c->argv[i + 1];
			h->password = c->argv[i + 2];
			i += 3;
		} else if (arg_is(c, i, "setname") && left >= 1) {
			h->name = c->argv[i + 1];
			i += 2;
		} else {
			reply_errorf(c, "ERR Syntax error in HELLO option "
					"'%.*s'",
				     (int)(c->argv[i].size < 128 ?
					   c->argv[i].size : 128),
				     (const char *)c->argv[i].data);
			return false;
		}
	}
	return true;
}

static void hello_reply(struct cmd *c)
{
	reply_map(c, 7);
	reply_bulk_str(c, "server");
	reply_bulk_str(c, "redis");
	reply_bulk_str(c, "version");
	reply_bulk_str(c, REDIS_VERSION);
	reply_bulk_str(c, "proto");
	reply_i64(c, c->session->protocol);
	reply_bulk_str(c, "id");
	reply_i64(c, (int64_t)c->session->id);
	reply_bulk_str(c, "mode");
	reply_bulk_str(c, "standalone");
	reply_bulk_str(c, "role");
	reply_bulk_str(c, "master");
	reply_bulk_str(c, "modules");
	reply_array(c, 0);
}

void cmd_hello(struct cmd *c)
{
	struct hello h = { 0 };

	if (!hello_parse(c, &h))
		return;
	if (h.user.data && !auth_login(c, h.user, h.password))
		return;
	if (!(c->session->flags & SESSION_AUTHENTICATED)) {
		reply_error(c, "NOAUTH HELLO must be called with the client "
			       "already authenticated, otherwise the HELLO "
			       "<proto> AUTH <user> <pass> option can be used "
			       "to authenticate the client and select the RESP "
			       "protocol version at the same time");
		return;
	}
	if (h.name.data && !client_set_name(c, h.name))
		return;
	if (h.protocol)
		c->session->protocol = (uint8_t)h.protocol;
	hello_reply(c);
}
