/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CONFIG GET, SET, REWRITE, RESETSTAT.
 *
 *   check all names ─► set all ─► apply what acts at once ─► OK
 *                         └──── any refusal: all old values back
 *
 * I1. CONFIG SET changes everything it names or nothing.
 * I2. What limits rights or names files cannot be changed at run time.
 * I3. From appendonly no to yes the log begins where a durable snapshot ends:
 *     engine/log_switch.c takes it, and replies.
 * I4. What acts on the log acts last: a log that is off needs a snapshot to
 *     come back, so nothing that may be refused comes behind it.
 */
#include "engine/cmd_server.h"

#include "base/glob.h"
#include "base/grave.h"
#include "base/logline.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "engine/config_table.h"
#include "engine/log_switch.h"
#include "engine/slowlog_cmd.h"

/* --- CONFIG GET ------------------------------------------------------------*/

/* *called: as the client writes it, if it says the whole name. */
static bool is_wanted(const struct cmd *c, const struct directive *d,
		      const char *name, struct slice *called)
{
	unsigned i;

	if (!name || d->flags & DIRECTIVE_NO_GET)
		return false;
	*called = slice_str(name);
	for (i = 2; i < c->argc; i++) {
		if (slice_is(c->argv[i], name)) {
			*called = c->argv[i];
			return true;
		}
		if (!(d->flags & DIRECTIVE_HIDDEN) &&
		    glob_match(c->argv[i], slice_str(name), true))
			return true;
	}
	return false;
}

static void reply_directive(struct cmd *c, const struct directive *d,
			    struct slice name)
{
	struct buf value = { 0 };

	directive_show(c->engine->config, d, &value);
	reply_bulk(c, name);
	reply_bulk(c, buf_slice(&value));
	buf_release(&value);
}

void cmd_config_get(struct cmd *c)
{
	const struct directive *d;
	struct slice called;
	size_t count = 0;

	for (d = directives; d->name; d++) {
		count += is_wanted(c, d, d->name, &called);
		count += is_wanted(c, d, d->alias, &called);
	}
	reply_map(c, count);
	for (d = directives; d->name; d++) {
		if (is_wanted(c, d, d->name, &called))
			reply_directive(c, d, called);
		if (is_wanted(c, d, d->alias, &called))
			reply_directive(c, d, called);
	}
}

/* --- what acts at once -----------------------------------------------------*/

static int apply_loglevel(struct engine *e, struct err_message *m)
{
	(void)m;
	log_set_level((enum log_level)e->config->loglevel);
	return OK;
}

static int apply_slowlog(struct engine *e, struct err_message *m)
{
	(void)m;
	slowlog_configure(e);
	return OK;
}

static int apply_tracking(struct engine *e, struct err_message *m)
{
	(void)m;
	if (!e->config->latency_tracking)
		latency_forget(e->latency);
	return OK;
}

/* Without a password everybody is the default user at once. */
static int apply_password(struct engine *e, struct err_message *m)
{
	struct session *s;

	(void)m;
	if (!e->config->requirepass_hash)
		for (s = e->sessions; s; s = s->next)
			s->flags |= SESSION_AUTHENTICATED;
	return OK;
}

static int apply_log(struct engine *e, struct err_message *m)
{
	return log_switch_now(e, m);
}

static const struct {
	const char *name;
	int (*apply)(struct engine *e, struct err_message *m);
} actions[] = {
	{ "loglevel", apply_loglevel },
	{ "slowlog-max-len", apply_slowlog },
	{ "commandlog-large-request-max-len", apply_slowlog },
	{ "commandlog-large-reply-max-len", apply_slowlog },
	{ "latency-tracking", apply_tracking },
	{ "requirepass", apply_password },
	{ "appendonly", apply_log },
	{ "appendfsync", apply_log },
};

/* What net/ refuses; the words for addresses are Redis'. */
static int refused_by_net(const struct directive *d, struct err_message *m)
{
	struct err_message why = *m;
	const char *before = "";

	if (!strcmp(d->name, "port"))
		before = "Unable to listen on this port: ";
	else if (!strcmp(d->name, "bind"))
		before = "Failed to bind to specified addresses: ";
	return err_set(m, ERR_CONFIG, "%s%.512s", before, why.text);
}

static int apply_one(struct engine *e, const struct directive *d,
		     struct err_message *m)
{
	size_t i;

	if (d->flags & DIRECTIVE_NET && e->host.reconfigure &&
	    !e->host.reconfigure(e->host.ctx, d->name, m))
		return refused_by_net(d, m);
	for (i = 0; i < ARRAY_LEN(actions); i++)
		if (!strcmp(actions[i].name, d->name))
			return actions[i].apply(e, m);
	return OK;
}

static bool acts_on_log(const struct directive *d)
{
	return !strcmp(d->name, "appendonly") ||
	       !strcmp(d->name, "appendfsync");
}

/* --- CONFIG SET ------------------------------------------------------------*/

struct change {
	const struct directive *directive;
	struct slice name; /* as the client wrote it */
	struct slice value;
	struct buf old;
};

/* The value it has already: setting it changes nothing. */
static bool is_unchanged(const struct config *c, const struct change *change)
{
	struct buf now = { 0 };
	bool same;

	directive_show(c, change->directive, &now);
	same = slice_equal(buf_slice(&now), change->value);
	buf_release(&now);
	return same;
}

static const char *refusal(const struct config *c, const struct change *changes,
			   unsigned i)
{
	const struct directive *d = changes[i].directive;
	unsigned k;

	if (d->flags & DIRECTIVE_GUARDED)
		return "can't set protected config";
	/* ours: tools that write back what they read meet no error */
	if (d->flags & DIRECTIVE_FIXED &&
	    !(d->flags & DIRECTIVE_OURS && is_unchanged(c, &changes[i])))
		return "can't set immutable config";
	for (k = 0; k < i; k++)
		if (changes[k].directive == d)
			return "duplicate parameter";
	return NULL;
}

static void reply_failed(struct cmd *c, const struct change *change,
			 const char *why)
{
	reply_errorf(c, "ERR CONFIG SET failed (possibly related to argument "
			"'%.*s') - %s", (int)change->name.size,
		     (const char *)change->name.data, why);
}

/* False: replied. */
static bool check_names(struct cmd *c, struct change *changes, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		struct change *change = &changes[i];
		const char *why;

		change->name = c->argv[2 + 2 * i];
		change->value = c->argv[3 + 2 * i];
		change->directive = directive_find(change->name);
		if (!change->directive ||
		    change->directive->flags & DIRECTIVE_NO_GET) {
			struct slice s = change->name;

			reply_errorf(c, "ERR Unknown option or number of "
					"arguments for CONFIG SET - '%.*s'",
				     (int)(s.size < 128 ? s.size : 128),
				     (const char *)s.data);
			return false;
		}
		why = refusal(c->engine->config, changes, i);
		if (why) {
			reply_failed(c, change, why);
			return false;
		}
	}
	return true;
}

/* I1 */
static void take_back(struct engine *e, struct change *changes, unsigned set,
		      unsigned applied)
{
	struct err_message m;
	unsigned i;

	for (i = 0; i < set; i++)
		directive_set_text(e->config, changes[i].directive,
				   buf_slice(&changes[i].old), &m);
	engine_configure(e);
	for (i = 0; i < applied; i++)
		if (apply_one(e, changes[i].directive, &m) != OK)
			log_line(LOG_LEVEL_WARNING, "CONFIG SET: the old "
				 "value of %s does not act again: %s",
				 changes[i].directive->name, m.text);
}

/* I4 */
static void log_last(struct change *changes, unsigned count)
{
	unsigned i, at = 0;

	for (i = 0; i < count; i++) {
		struct change change = changes[at];

		if (!acts_on_log(change.directive)) {
			at++;
			continue;
		}
		memmove(changes + at, changes + at + 1,
			(count - at - 1) * sizeof(*changes));
		changes[count - 1] = change;
	}
}

static bool set_all(struct cmd *c, struct change *changes, unsigned count)
{
	struct engine *e = c->engine;
	struct err_message m = { "" };
	unsigned i, k;

	for (i = 0; i < count; i++) {
		struct change *change = &changes[i];

		directive_save(e->config, change->directive, &change->old);
		if (directive_set_text(e->config, change->directive,
				       change->value, &m) != OK) {
			take_back(e, changes, i, 0);
			reply_failed(c, change, m.text);
			return false;
		}
	}
	engine_configure(e);
	log_last(changes, count);
	for (k = 0; k < count; k++) {
		if (apply_one(e, changes[k].directive, &m) == OK)
			continue;
		take_back(e, changes, count, k);
		reply_failed(c, &changes[k], m.text);
		return false;
	}
	return true;
}

void cmd_config_set(struct cmd *c)
{
	unsigned count = (c->argc - 2) / 2, i;
	struct change *changes;

	if (c->argc % 2) {
		reply_syntax_error(c);
		return;
	}
	changes = mem_calloc(count, sizeof(*changes));
	if (check_names(c, changes, count) && set_all(c, changes, count) &&
	    !log_switch_park(c)) /* I3 */
		reply_ok(c);
	for (i = 0; i < count; i++)
		buf_release(&changes[i].old);
	mem_free(changes);
}

/* --- the rest --------------------------------------------------------------*/

void cmd_config_rewrite(struct cmd *c)
{
	struct err_message m;

	if (!c->engine->config->file) {
		reply_error(c, "ERR The server is running without a config "
			       "file");
		return;
	}
	if (config_rewrite(c->engine->config, &m) != OK) {
		log_line(LOG_LEVEL_WARNING, "CONFIG REWRITE failed: %s",
			 m.text);
		reply_errorf(c, "ERR Rewriting config file: %s", m.text);
		return;
	}
	log_line(LOG_LEVEL_NOTICE, "CONFIG REWRITE executed with success.");
	reply_ok(c);
}

void cmd_config_resetstat(struct cmd *c)
{
	struct engine *e = c->engine;
	struct engine_stats *st = &e->stats, old = *st;

	*st = (struct engine_stats){
		.start_ms = old.start_ms,
		.connections_now = old.connections_now,
		.connections_unauthenticated = old.connections_unauthenticated,
		.dirty = old.dirty,
		.memory_peak = mem_used(),
		.freed_before = reaper_freed() + grave_done(),
	};
	memset(&e->rate_base, 0, sizeof(e->rate_base));
	memset(e->errors, 0, sizeof(e->errors));
	memset(e->command_stats, 0,
	       commands_count() * sizeof(*e->command_stats));
	latency_forget(e->latency);
	reply_ok(c);
}
