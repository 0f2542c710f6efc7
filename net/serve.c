/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From bytes to executed commands.
 *
 *   conn_read ─► gather ─► batch (up to EXECUTE_AHEAD, of several
 *                  ▲          │    connections)
 *                  └──────────┴─► engine_prefetch, engine_execute
 *
 * B1. Arguments in the batch point into buffers of connections, so no buffer
 *     moves while its connection has commands there.
 * B2. Only commands that resp_parse_ahead takes stand behind others.  Anything
 *     else (inline, half, wrong, before authentication) is parsed when the
 *     batch is empty: then nothing has to be undone.
 * B3. When a command parks its connection, those behind it are forgotten and
 *     parsed again later; the parked one moves to conn->args.
 */
#include "base/logline.h"
#include "engine/snapshotter.h"
#include "net/net_state.h"

#include <assert.h>

#define SHARE (64 * 1024)       /* bytes per connection and turn … */
#define SHARE_BULK (1024 * 1024) /* … and of a big argument */
/* After the first batch or long command; looked at behind each. While a
 * snapshot makes writes dear the first is all. */
#define SHARE_US 150
#define SCRATCH_MAX 1024        /* arguments of room kept */

/* --- executing ------------------------------------------------------------ */

/* No command of c until the engine says so.  Commands of it in the batch
 * behind `index` are skipped (B3). */
static void hold(struct net *n, struct conn *c, unsigned index)
{
	unsigned i;

	c->state |= CONN_HELD;
	c->parser.start = c->parser.at = n->batch.ends[index];
	for (i = index + 1; i < n->batch.count; i++)
		if (n->batch.conns[i] == c)
			n->batch.conns[i] = NULL;
}

/* The command at index was not executed: it becomes conn->args. */
static void keep_command(struct net *n, struct conn *c, unsigned index)
{
	const struct parsed_command *p = &n->batch.commands[index];
	struct resp_args kept = { 0 };

	if (p->argv != c->args.list) {
		resp_args_copy(&kept, p->argv, p->argc);
		resp_args_release(&c->args);
		c->args = kept;
	}
	c->state |= CONN_HAS_COMMAND;
}

/* After a command: what its session has become. */
static void look_at_session(struct net *n, struct conn *c, unsigned index)
{
	if (c->session.flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_PARKED))
		hold(n, c, index);
	conn_end_waiting(n, c);
	if (c->session.flags & SESSION_AUTHENTICATED)
		net_known(n, c);
}

static void execute(struct net *n, struct conn *c, unsigned index)
{
	struct parsed_command *p = &n->batch.commands[index];
	size_t before = c->out.bytes.size, reply;

	if (before && net_output_limit(n, c)) {
		conn_close(n, c);
		return;
	}
	if (c->out.bytes.data == NULL)
		buf_pool_take(&n->outputs, &c->out.bytes);
	if (!engine_execute(n->engine, &c->session, p)) {
		keep_command(n, c, index);
		hold(n, c, index);
		return;
	}
	reply = c->out.bytes.size - before;
	if (reply > c->reply_max)
		c->reply_max = reply;
	if (c->session.flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_PARKED) ||
	    c->state & CONN_UNKNOWN)
		look_at_session(n, c, index);
}

void net_run_batch(struct net *n)
{
	struct net_batch *b = &n->batch;
	struct conn *c;
	unsigned i;

	if (b->count == 0)
		return;
	engine_prefetch(n->engine, b->commands, b->count);
	for (i = 0; i < b->count; i++) {
		c = b->conns[i];
		if (c == NULL || c->state & CONN_CLOSING)
			continue;
		execute(n, c, i);
		conn_dirty(n, c);
		if (b->ends[i] == c->in.size &&
		    !(c->state & CONN_HAS_COMMAND))
			conn_input_done(n, c);
	}
	n->executed = true;
	b->count = b->argv_used = 0;
}

/* --- gathering ------------------------------------------------------------ */

static void add(struct net *n, struct conn *c, const struct slice *argv,
		unsigned argc)
{
	struct net_batch *b = &n->batch;
	unsigned i = b->count++;

	assert(i < EXECUTE_AHEAD);
	b->commands[i] = (struct parsed_command){ .argv = argv, .argc = argc,
						  .db = c->session.db };
	b->conns[i] = c;
	b->ends[i] = c->parser.at;
}

/* Executes args, which are c's or the scratch, alone. */
static void run_single(struct net *n, struct conn *c, struct resp_args *args)
{
	assert(n->batch.count == 0);
	add(n, c, args->list, args->count);
	net_run_batch(n);
	if (args == &c->args && (c->state & CONN_HAS_COMMAND))
		return;
	if (args == &n->scratch && args->capacity <= SCRATCH_MAX)
		args->count = 0;
	else
		resp_args_release(args);
}

static void log_attack(struct net *n, struct conn *c)
{
	if (n->engine->now_ms - n->attack_logged_ms < 60000)
		return;
	n->attack_logged_ms = n->engine->now_ms;
	log_line(LOG_LEVEL_WARNING, "A client at %s sends HTTP, as a browser "
		 "does that was tricked into it: connection closed. This line "
		 "comes at most once a minute", c->session.address);
}

static void protocol_error(struct net *n, struct conn *c, const char *text)
{
	log_line(LOG_LEVEL_VERBOSE, "Protocol error from client %s: %s",
		 c->session.address, text);
	if (c->out.bytes.data == NULL)
		buf_pool_take(&n->outputs, &c->out.bytes);
	buf_printf(&c->out.bytes, "-%s\r\n", text);
	n->engine->stats.error_replies++;
	c->session.flags |= SESSION_CLOSE_AFTER_REPLY;
	c->state |= CONN_HELD;
	conn_dirty(n, c);
}

/* Parses what resp_parse_ahead did not take; the batch is empty (B2). True: a
 * command was executed, there may be more. */
static bool parse_any(struct net *n, struct conn *c)
{
	struct resp_limits limits = {
		.bulk_max = (size_t)n->config->proto_max_bulk_len,
		.authenticated = !(c->state & CONN_UNKNOWN),
	};
	struct resp_input in = { .data = c->in.data, .size = c->in.size,
				 .limits = &limits };
	struct resp_args *args = c->args.count ? &c->args : &n->scratch;

	assert(n->scratch.count == 0);
	switch (resp_parse(&c->parser, &in, args)) {
	case RESP_COMMAND:
		run_single(n, c, args);
		return true;
	case RESP_MORE:
		if (args == &n->scratch && args->count) {
			resp_args_release(&c->args);
			c->args = n->scratch;
			n->scratch = (struct resp_args){ 0 };
		}
		if (c->parser.start == c->in.size)
			conn_input_done(n, c);
		else
			conn_input_rest(n, c);
		return false;
	case RESP_ATTACK:
		log_attack(n, c);
		conn_close(n, c);
		break;
	case RESP_ERROR:
		protocol_error(n, c, in.error);
		break;
	}
	n->scratch.count = 0;
	return false;
}

static bool is_stopped(const struct conn *c)
{
	return c->state & (CONN_HELD | CONN_CLOSING);
}

/* Whether c, which has filled a batch or had a command executed that is too
 * long for one, is to wait for its next turn; *until is 0 the first time. */
static bool share_over(struct net *n, uint64_t *until)
{
	uint64_t now;

	if (snapshotter_walking(n->engine))
		return true;
	now = n->engine->io->ops->mono_us(n->engine->io);
	if (*until == 0)
		*until = now + SHARE_US;
	return now > *until;
}

/* Puts c's complete commands into the batch, running it when it is full. At
 * the end what is left in the buffer is half a command, or nothing; or its
 * time is over and it is among those that have more. */
static void gather(struct net *n, struct conn *c, uint64_t *until)
{
	struct net_batch *b = &n->batch;
	unsigned argc;

	while (!is_stopped(c) && c->parser.at < c->in.size) {
		if (b->count == EXECUTE_AHEAD) {
			net_run_batch(n);
			if (share_over(n, until) && !is_stopped(c)) {
				conn_more(n, c);
				return;
			}
			continue;
		}
		argc = 0;
		if (c->parser.left == 0 && !(c->state & CONN_UNKNOWN))
			argc = resp_parse_ahead(buf_slice(&c->in),
						&c->parser.at,
						b->argv + b->argv_used,
						BATCH_ARGS - b->argv_used);
		if (argc) {
			add(n, c, b->argv + b->argv_used, argc);
			b->argv_used += argc;
			c->parser.start = c->parser.at;
		} else if (b->count) {
			net_run_batch(n);
		} else if (!parse_any(n, c)) {
			return;
		} else if (share_over(n, until) && !is_stopped(c)) {
			conn_more(n, c);
			return;
		}
	}
}

void net_serve(struct net *n, struct conn *c)
{
	size_t done = 0, got;
	uint64_t until = 0;

	if (is_stopped(c))
		return;
	if (c->state & CONN_HAS_COMMAND) {
		net_run_batch(n);
		c->state &= ~(unsigned)CONN_HAS_COMMAND;
		run_single(n, c, &c->args);
	}
	for (;;) {
		gather(n, c, &until);
		if (is_stopped(c) || (c->state & CONN_MORE) ||
		    !(c->state & CONN_READABLE))
			return;
		if (done >= SHARE && (resp_wants(&c->parser, c->in.size) == 0 ||
				      done >= SHARE_BULK)) {
			conn_more(n, c);
			return;
		}
		if (c->in.data) /* B1 */
			net_run_batch(n);
		if (is_stopped(c))
			return;
		got = conn_read(n, c);
		if (got == 0)
			return;
		done += got;
	}
}
