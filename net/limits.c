/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits on connections: idle time, time to authenticate, unsent output, open
 * files.
 */
#include "base/logline.h"
#include "net/net_state.h"

#include <sys/resource.h>

#define CRON_US 100000
#define FILES_RESERVED 64 /* log, snapshots, listeners, spares */

void net_known(struct net *n, struct conn *c)
{
	if (!(c->state & CONN_UNKNOWN))
		return;
	c->state &= ~(unsigned)CONN_UNKNOWN;
	n->engine->stats.connections_unauthenticated--;
}

static bool too_much(struct net *n, struct conn *c, const char *limit)
{
	log_line(LOG_LEVEL_WARNING, "Closing client %s: %zu bytes of output "
		 "are not read, above the %s limit", c->session.address,
		 output_pending(&c->out), limit);
	n->engine->stats.output_limit_disconnections++;
	return true;
}

/* One reply may be as big as it is: what counts is what stands beyond it. */
bool net_output_limit(struct net *n, struct conn *c)
{
	const struct output_limit *l = &n->config->output_normal;
	size_t pending = output_pending(&c->out);

	if (pending <= OUTPUT_MAX_UNKNOWN)
		return false;
	if (c->state & CONN_UNKNOWN)
		return too_much(n, c, "pre-authentication");
	if (pending <= c->reply_max)
		return false;
	pending -= c->reply_max;
	return l->hard && pending > l->hard && too_much(n, c, "hard");
}

/* The soft limit sees only what the client could have read: what waits for
 * the disk is not its fault. */
static bool is_soft_limit_over(struct net *n, struct conn *c)
{
	const struct output_limit *l = &n->config->output_normal;
	uint64_t now = n->engine->now_ms;

	if (l->soft == 0 || output_sendable(&c->out) <= l->soft) {
		c->soft_since_ms = 0;
		return false;
	}
	if (c->soft_since_ms == 0 || now < c->soft_since_ms)
		c->soft_since_ms = now;
	return now - c->soft_since_ms > l->soft_seconds * 1000 &&
	       too_much(n, c, "soft");
}

static bool is_older(uint64_t now_ms, uint64_t since_ms, int64_t seconds)
{
	return seconds > 0 && now_ms > since_ms &&
	       now_ms - since_ms > (uint64_t)seconds * 1000;
}

static void check_times(struct net *n, struct conn *c)
{
	const struct config *config = n->config;
	const struct session *s = &c->session;
	uint64_t now = n->engine->now_ms;

	if (c->state & CONN_CLOSING)
		return;
	if (s->flags & SESSION_AUTHENTICATED) /* the password was removed */
		net_known(n, c);
	if (c->state & CONN_UNKNOWN) {
		if (is_older(now, s->created_ms, config->auth_timeout_s)) {
			log_line(LOG_LEVEL_VERBOSE, "Closing client %s: not "
				 "authenticated in time", s->address);
			conn_close(n, c);
		}
		return;
	}
	if (is_soft_limit_over(n, c)) {
		conn_close(n, c);
	} else if (!(s->flags & (SESSION_MONITOR | SESSION_PARKED)) &&
		   c->out.mark_count == 0 && /* that is the disk's fault */
		   is_older(now, s->active_ms > s->created_ms ? s->active_ms
							      : s->created_ms,
			    config->timeout_s)) {
		log_line(LOG_LEVEL_VERBOSE, "Closing idle client %s",
			 s->address);
		conn_close(n, c);
	}
}

/* Walks a tenth of the connections, so that each has its turn once a second
 * and no turn of the loop is long. */
static void check_some(struct net *n)
{
	size_t count = n->engine->stats.connections_now / 10 + 1;
	struct session *s = n->scan;

	while (count-- && (s || (s = n->engine->sessions))) {
		if (!(s->flags & SESSION_INTERNAL))
			check_times(n, conn_of(s));
		s = s->next;
	}
	n->scan = s;
}

void net_cron(struct net *n)
{
	uint64_t now = n->engine->now_us;

	if (n->accept_again_us && now >= n->accept_again_us) {
		n->accept_again_us = 0;
		net_watch_listeners(n);
	}
	if (now < n->next_cron_us)
		return;
	n->next_cron_us = now + CRON_US;
	check_some(n);
}

int net_adjust_file_limit(struct config *config, struct err_message *m)
{
	uint64_t wanted = (uint64_t)config->maxclients + FILES_RESERVED;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return OK;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted) {
		/* root may raise the hard limit too */
		rlim_t hard = limit.rlim_max;

		limit.rlim_max = wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return OK;
		limit.rlim_cur = limit.rlim_max = hard;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= wanted)
		return OK;
	if (limit.rlim_cur <= FILES_RESERVED)
		return err_set(m, ERR_CONFIG, "the limit on open files (ulimit "
			       "-n) is %llu: at least %d are needed",
			       (unsigned long long)limit.rlim_cur,
			       FILES_RESERVED + 1);
	log_line(LOG_LEVEL_WARNING, "maxclients is %lld, but the limit on open "
		 "files (ulimit -n) is %llu: maxclients becomes %llu",
		 (long long)config->maxclients,
		 (unsigned long long)limit.rlim_cur,
		 (unsigned long long)limit.rlim_cur - FILES_RESERVED);
	config->maxclients = (int64_t)(limit.rlim_cur - FILES_RESERVED);
	return OK;
}
