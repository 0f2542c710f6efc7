/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DEBUG, under enable-debug-command.
 *
 * I1. Sub-commands that set switches of a representation we do not have say
 *     OK and do nothing: test suites set them before they test something else.
 */
#include "engine/cmd_server.h"

#include <assert.h>
#include <signal.h>
#include <time.h>

#include "base/glob.h"
#include "base/logline.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/debug.h"

static void debug_help(struct cmd *c);

static void debug_ok(struct cmd *c)
{
	reply_ok(c); /* I1 */
}

static void debug_sleep(struct cmd *c)
{
	double seconds;
	struct timespec t;

	if (!num_parse_double(c->argv[2], &seconds) || seconds < 0 ||
	    seconds > 3600)
		seconds = 0;
	t.tv_sec = (time_t)seconds;
	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
	reply_ok(c);
}

static void debug_active_expire(struct cmd *c)
{
	c->engine->active_expire = !arg_is(c, 2, "0");
	reply_ok(c);
}

static void debug_stringmatch(struct cmd *c)
{
	reply_i64(c, glob_match(c->argv[2], c->argv[3], false));
}

static void debug_error(struct cmd *c)
{
	struct slice text = c->argv[2];

	while (text.size && text.data[0] == '-') /* the reply has one */
		text = slice_of(text.data + 1, text.size - 1);
	reply_errorf(c, "%.*s", (int)(text.size < 900 ? text.size : 900),
		     (const char *)text.data);
}

static void debug_log(struct cmd *c)
{
	log_line(LOG_LEVEL_WARNING, "DEBUG LOG: %.*s",
		 (int)(c->argv[2].size < 1900 ? c->argv[2].size : 1900),
		 (const char *)c->argv[2].data);
	reply_ok(c);
}

static void debug_segfault(struct cmd *c)
{
	(void)c;
	raise(SIGSEGV);
}

static void debug_panic(struct cmd *c)
{
	(void)c;
	assert(!"DEBUG PANIC was asked for");
}

static void debug_oom(struct cmd *c)
{
	(void)c;
	mem_exhausted(SIZE_MAX / 2);
}

static void debug_restart(struct cmd *c)
{
	reply_error(c, "ERR restarting is the business of whoever started the "
		       "server: use SHUTDOWN");
}

/* One key of DEBUG POPULATE; an existing one stays. */
static void populate_one(struct cmd *c, struct slice prefix, int64_t i,
			 int64_t size)
{
	struct engine *e = c->engine;
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_debug,
		.db = c->db,
	};
	struct buf key = { 0 }, value = { 0 };

	buf_printf(&key, "%.*s:%lld", (int)prefix.size,
		   (const char *)prefix.data, (long long)i);
	buf_printf(&value, "value:%lld", (long long)i);
	if (size > 0) {
		size_t had = value.size;

		if ((size_t)size > had)
			memset(buf_reserve(&value, (size_t)size - had), 0,
			       (size_t)size - had);
		value.size = (size_t)size;
	}
	r.key = buf_slice(&key);
	r.value = buf_slice(&value);
	if (!keyspace_find(c->ks, c->db, r.key)) {
		engine_batch_begin(e, &e->origin);
		engine_emit(e, &r);
		engine_batch_end(e);
	}
	buf_release(&key);
	buf_release(&value);
}

#define POPULATE_SYNC_EVERY 10000

static void debug_populate(struct cmd *c)
{
	struct slice prefix = SLICE_LITERAL("key");
	int64_t count, size = 0, i;

	if (!arg_i64_range(c, 2, 0, INT32_MAX, &count))
		return;
	if (c->argc > 3)
		prefix = c->argv[3];
	if (c->argc > 4 && !arg_i64_range(c, 4, 0, 1 << 20, &size))
		return;
	c->engine->origin = (struct origin){
		.user = SLICE_LITERAL("default"),
		.address = slice_str(c->session->address),
		.command = SLICE_LITERAL("debug|populate"),
	};
	for (i = 0; i < count; i++) {
		if (!wal_room(c->engine->wal, prefix.size + (uint64_t)size +
			      4096, false))
			break;
		populate_one(c, prefix, i, size);
		if ((i + 1) % POPULATE_SYNC_EVERY == 0)
			wal_sync_now(c->engine->wal);
	}
	c->gate = c->engine->position->last_lsn;
	if (i < count)
		reply_error(c, "MISCONF Not enough disk space for the log");
	else
		reply_ok(c);
}

static const struct debug_command {
	const char *name;
	command_fn *run;
	unsigned min, max; /* argc */
	const char *arguments;
	const char *help;
} table[] = {
	{ "assert", debug_panic, 2, 2, "", "Fails an assertion." },
	{ "change-repl-id", debug_ok, 2, 2, "", "Does nothing." },
	{ "client-enforce-reply-list", debug_ok, 3, 3, "0|1",
	  "Does nothing." },
	{ "crash-and-recover", debug_panic, 2, 3, "[ms]",
	  "Ends the process the hard way." },
	{ "dict-resizing", debug_ok, 3, 3, "0|1", "Does nothing." },
	{ "digest", debug_digest, 2, 2, "",
	  "A hash of all keys, values and deadlines." },
	{ "digest-value", debug_digest_value, 2, UINT32_MAX, "key…",
	  "A hash of each key's value." },
	{ "drop-cluster-packet-filter", debug_ok, 3, 3, "type",
	  "Does nothing." },
	{ "error", debug_error, 3, 3, "text", "Replies an error." },
	{ "help", debug_help, 2, 2, "", "This text." },
	{ "htstats", debug_htstats, 3, 4, "db [full]",
	  "Figures of a database's table." },
	{ "htstats-key", debug_htstats_key, 3, 4, "key",
	  "Likewise of a key's value." },
	{ "leak", debug_ok, 3, 3, "text", "Does nothing." },
	{ "loadaof", debug_loadaof, 2, 2, "",
	  "Builds the state from disk, compares it, goes on with it." },
	{ "log", debug_log, 3, 3, "text", "Writes a line to the log." },
	{ "object", debug_object, 3, 4, "key", "How a value is held." },
	{ "oom", debug_oom, 2, 2, "", "Ends as if memory had run out." },
	{ "panic", debug_panic, 2, 2, "", "Fails an assertion." },
	{ "pause-cron", debug_ok, 3, 3, "0|1", "Does nothing." },
	{ "populate", debug_populate, 3, 5, "count [prefix] [size]",
	  "Makes many string keys." },
	{ "protocol", debug_protocol, 3, 3, "type",
	  "A reply of each type of the protocol." },
	{ "quicklist-packed-threshold", debug_ok, 3, 3, "size",
	  "Does nothing." },
	{ "reload", debug_reload, 2, UINT32_MAX, "[NOSAVE|NOFLUSH|MERGE]…",
	  "Takes a snapshot and loads it again." },
	{ "replicate", debug_ok, 3, UINT32_MAX, "text", "Does nothing." },
	{ "replybuffer", debug_ok, 4, 4, "what value", "Does nothing." },
	{ "restart", debug_restart, 2, 3, "", "Is refused." },
	{ "sdslen", debug_sdslen, 3, 3, "key", "Sizes of key and value." },
	{ "segfault", debug_segfault, 2, 2, "", "Ends by SIGSEGV." },
	{ "set-active-expire", debug_active_expire, 3, 3, "0|1",
	  "Whether keys expire that nobody looks at." },
	{ "set-disable-deny-scripts", debug_ok, 3, 3, "0|1",
	  "Does nothing." },
	{ "set-skip-checksum-validation", debug_ok, 3, 3, "0|1",
	  "Does nothing." },
	{ "sleep", debug_sleep, 3, 3, "seconds",
	  "Keeps the engine busy for so long." },
	{ "stringmatch-len", debug_stringmatch, 4, 4, "pattern text",
	  "Whether a pattern matches." },
	{ "structsize", debug_structsize, 2, 2, "", "Sizes of structures." },
};

static void debug_help(struct cmd *c)
{
	struct buf line = { 0 };
	size_t i;

	reply_array(c, 1 + 2 * ARRAY_LEN(table));
	reply_simple(c, "DEBUG <subcommand> [argument ...]. Subcommands are:");
	for (i = 0; i < ARRAY_LEN(table); i++) {
		const char *p;

		line.size = 0;
		for (p = table[i].name; *p; p++)
			buf_put_byte(&line, *p >= 'a' && *p <= 'z' ?
				     (uint8_t)(*p - 32) : (uint8_t)*p);
		buf_printf(&line, " %s%c", table[i].arguments, 0);
		reply_simple(c, (const char *)line.data);
		line.size = 0;
		buf_printf(&line, "    %s%c", table[i].help, 0);
		reply_simple(c, (const char *)line.data);
	}
	buf_release(&line);
}

void cmd_debug(struct cmd *c)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		if (!arg_is(c, 1, table[i].name) || c->argc < table[i].min ||
		    c->argc > table[i].max)
			continue;
		table[i].run(c);
		return;
	}
	reply_errorf(c, "ERR unknown subcommand or wrong number of arguments "
			"for '%.*s'. Try DEBUG HELP.",
		     (int)(c->argv[1].size < 128 ? c->argv[1].size : 128),
		     (const char *)c->argv[1].data);
}
