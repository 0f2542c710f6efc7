/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dispatch: from a parsed command to its handler.
 *
 * I1. Everything that can refuse a command as a whole is asked before the
 *     batch is opened: known, allowed, arity, memory, room in the log.
 * I2. A handler never sees an expired key: before a write handler runs, the
 *     declared keys whose deadline has passed are removed in the same batch.
 * I3. The session's gate only rises; a write waits for its own last LSN, a
 *     read for the writes it has seen, and a reply to a command that looks at
 *     the whole keyspace for everything applied.
 * I4. One command, one batch.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/tick.h"
#include "engine/cmd.h"
#include "engine/items.h"
#include "engine/parked.h"
#include "engine/slowlog.h"
#include "engine/snapshotter.h"

/* What a write may put into the log beyond its arguments, and one that frees:
 * handlers that need more ask with cmd_room. */
#define ROOM_MARGIN (128u << 10)
#define ROOM_MARGIN_FREES (2u << 10)
#define RECORDS_MORE 4 /* records beside the first */

/* Whether a key or a name is that of the command before, as when a client fills
 * a list; those that differ mostly do so at their ends. */
static inline bool is_again(struct slice s, struct slice last)
{
	return s.size == last.size && s.size > 0 &&
	       s.data[s.size - 1] == last.data[s.size - 1] &&
	       slice_equal(s, last);
}

/* Looks p's command up, which may be that of the one before it. */
static inline struct command *command_of(const struct parsed_command *p,
					 bool first)
{
	struct command *container;

	if (!first && p[-1].command &&
	    !(p[-1].command->is_part ||
	      p[-1].command->flags & CMD_CONTAINER) &&
	    is_again(p->argv[0], p[-1].argv[0]))
		return p[-1].command;
	return command_lookup(p->argv, p->argc, &container);
}

void engine_prefetch(struct engine *e, struct parsed_command *commands,
		     unsigned count)
{
	struct slice key, last = { 0 };
	uint64_t hash = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		struct parsed_command *p = &commands[i];

		p->first_key_hash = 0;
		p->command = command_of(p, i == 0);
		if (!p->command || p->command->first_key <= 0 ||
		    p->argc <= (unsigned)p->command->first_key)
			continue;
		key = p->argv[p->command->first_key];
		if (!is_again(key, last))
			hash = siphash13(key.data, key.size, e->ks.hash_key);
		last = key;
		p->first_key_hash = hash;
		if (p->db < e->ks.db_count)
			table_prefetch_bucket(&e->ks.dbs[p->db].keys, hash);
	}
	if (count < 2)
		return;
	hash = 0;
	for (i = 0; i < count; i++) {
		if (commands[i].first_key_hash == hash ||
		    commands[i].db >= e->ks.db_count)
			continue; /* none, or that of the one before */
		hash = commands[i].first_key_hash;
		if (hash)
			table_prefetch_entry(&e->ks.dbs[commands[i].db].keys,
					     hash);
	}
}

static void reply_unknown(struct cmd *c)
{
	struct buf text = { 0 };
	size_t end; /* no argument is shown beyond */
	unsigned i;

	buf_put_str(&text, "ERR unknown command '");
	buf_put(&text, c->argv[0].data,
		c->argv[0].size < 128 ? c->argv[0].size : 128);
	buf_put_str(&text, "', with args beginning with: ");
	end = text.size + 128;
	for (i = 1; i < c->argc && text.size < end; i++) {
		size_t room = end - text.size, size = c->argv[i].size;

		if (size > room)
			size = room;
		buf_put_byte(&text, '\'');
		buf_put(&text, c->argv[i].data,
			strnlen((const char *)c->argv[i].data, size));
		buf_put_str(&text, "' ");
	}
	buf_put_byte(&text, 0);
	reply_error(c, (const char *)text.data);
	buf_release(&text);
}

static void reply_unknown_subcommand(struct cmd *c,
				     const struct command *container)
{
	char upper[64] = { 0 };
	size_t i;

	for (i = 0; container->name[i] && i < sizeof(upper) - 1; i++) {
		char b = container->name[i];

		upper[i] = b >= 'a' && b <= 'z' ? (char)(b - 32) : b;
	}
	reply_errorf(c, "ERR unknown subcommand '%.*s'. Try %s HELP.",
		     c->argv[1].size < 128 ? (int)c->argv[1].size : 128,
		     (const char *)c->argv[1].data, upper);
}

static bool arity_fits(const struct command *command, unsigned argc)
{
	return command->arity >= 0 ? (int)argc == command->arity :
				     (int)argc >= -command->arity;
}

/* What the arguments make of records. Some commands have several of them, and
 * long runs are cut, each with the key. */
static uint64_t argument_bytes(const struct cmd *c)
{
	uint64_t size = 0, key_size = c->argc > 1 ? c->argv[1].size : 0;
	unsigned i;

	for (i = 2; i < c->argc; i++)
		size += c->argv[i].size + 16;
	return size + 16 +
	       (1 + RECORDS_MORE + size / ITEMS_SIZE_MAX) * key_size;
}

bool cmd_room(struct cmd *c, uint64_t bytes)
{
	bool frees = c->command->flags & CMD_FREES;

	bytes += argument_bytes(c) + (frees ? ROOM_MARGIN_FREES : ROOM_MARGIN);
	if (wal_room(c->engine->wal, bytes, frees))
		return true;
	reply_error(c, "MISCONF Not enough disk space for the log: writes are "
		       "refused until there is; commands that free memory go "
		       "on. See INFO persistence and the server's log.");
	return false;
}

/* enable-debug-command: no, yes, or from this machine only. */
static bool protected_allowed(const struct cmd *c)
{
	const struct session *s = c->session;

	switch (c->engine->config->enable_debug_command) {
	case 1:
		return true;
	case 2:
		return s->flags & SESSION_UNIX ||
		       !strncmp(s->address, "127.", 4) ||
		       !strncmp(s->address, "[::1]:", 6) ||
		       !strncmp(s->address, "::1:", 4);
	default:
		return false;
	}
}

/* The rarely taken checks; false: replied. (I1) */
static bool admit_slow(struct cmd *c)
{
	const struct engine *e = c->engine;
	uint32_t flags = c->command->flags;

	if (!(c->session->flags & SESSION_AUTHENTICATED) &&
	    !(flags & CMD_NO_AUTH)) {
		reply_error(c, "NOAUTH Authentication required.");
		return false;
	}
	if ((flags & CMD_PROTECTED) && !protected_allowed(c)) {
		reply_error(c, "ERR DEBUG command not allowed. If the "
			       "enable-debug-command option is set to "
			       "\"local\", you can run it from a local "
			       "connection, otherwise you need to set this "
			       "option in the configuration file, and then "
			       "restart the server.");
		return false;
	}
	/* What administrators change needs a log that is there. */
	if (e->phase == ENGINE_LOADING &&
	    (!(flags & CMD_LOADING) || (flags & CMD_ADMIN && !e->wal))) {
		reply_error(c, "LOADING Redis is loading the dataset in "
			       "memory");
		return false;
	}
	return true;
}

static bool memory_admits(struct cmd *c)
{
	const struct engine *e = c->engine;

	if (e->config->maxmemory == 0 || !(c->command->flags & CMD_DENYOOM) ||
	    mem_used() <= (size_t)e->config->maxmemory)
		return true;
	reply_error(c, "OOM command not allowed when used memory > "
		       "'maxmemory'.");
	return false;
}

/* Where only snapshots keep what is written, writes end when those fail. */
static bool snapshots_admit(struct cmd *c)
{
	const struct engine *e = c->engine;

	if (e->config->save_count == 0 ||
	    !e->config->stop_writes_on_bgsave_error ||
	    wal_level(e->wal) != WAL_OFF || !snapshotter_has_failed(e))
		return true;
	reply_error(c, "MISCONF The last snapshot failed and there is no log "
		       "(appendonly no): writes are refused until one "
		       "succeeds, or stop-writes-on-bgsave-error is no. See "
		       "the server's log.");
	return false;
}

/* False: an error has been replied. (I1) */
static bool admit(struct cmd *c)
{
	const struct command *command = c->command;

	if (__builtin_expect(!arity_fits(command, c->argc), 0)) {
		reply_wrong_arity(c);
		return false;
	}
	if (!(c->session->flags & SESSION_AUTHENTICATED) ||
	    (command->flags & CMD_PROTECTED) ||
	    c->engine->phase != ENGINE_SERVING)
		if (!admit_slow(c))
			return false;
	if (!(command->flags & CMD_WRITE))
		return true;
	return memory_admits(c) && snapshots_admit(c) && cmd_room(c, 0);
}

/* Removes a declared key whose deadline has passed. (I2) */
static void expire_key(struct cmd *c, struct slice key)
{
	const struct entry *e = keyspace_find(c->ks, c->db, key);
	struct record r = {
		.type = REC_key_del,
		.cause = CAUSE_expired,
		.db = c->db,
		.key = key,
	};

	if (!e || entry_deadline(e) == 0 || entry_deadline(e) > c->now_ms)
		return;
	engine_emit(c->engine, &r);
	c->engine->stats.expired_keys++;
}

static void expire_declared(struct cmd *c)
{
	const struct command *command = c->command;
	unsigned i, last;

	if (command->flags & CMD_MOVABLE_KEYS) {
		unsigned *keys = mem_calloc(c->argc, sizeof(*keys));
		int count = command->get_keys(c->argv, c->argc, keys);

		for (i = 0; (int)i < count; i++)
			expire_key(c, c->argv[keys[i]]);
		mem_free(keys);
		return;
	}
	if (command->first_key <= 0)
		return;
	last = command->last_key >= 0 ? (unsigned)command->last_key :
					c->argc + (unsigned)command->last_key;
	for (i = (unsigned)command->first_key; i <= last && i < c->argc;
	     i += (unsigned)command->key_step)
		expire_key(c, c->argv[i]);
}

/* Who does this, for the batch's header. */
static void batch_begin_for(struct cmd *c)
{
	struct session *s = c->session;
	uint16_t number = (uint16_t)(c->command->number + 1);
	unsigned slot = number % ARRAY_LEN(s->origins);

	if (s->origin_command[slot] != number) {
		s->origin_command[slot] = number;
		s->origins[slot] = (struct origin_cache){ 0 };
	}
	c->engine->origin = (struct origin){
		.user = SLICE_LITERAL("default"),
		.address = slice_of(s->address, s->address_size),
		.command = slice_of(c->command->name, c->command->name_size),
	};
	engine_batch_begin(c->engine, &c->engine->origin);
	c->engine->batch.origin_cache = &s->origins[slot];
}

static void run_write(struct cmd *c)
{
	struct engine *e = c->engine;

	batch_begin_for(c);
	if (e->ks.dbs[c->db].deadline_count)
		expire_declared(c);
	c->command->handler(c);
	if (e->batch.count) {
		engine_batch_end(e);
		if (e->position->last_lsn > c->gate)
			c->gate = e->position->last_lsn;
		if (c->emitted) {
			c->session->write_lsn = e->position->last_lsn;
			c->session->write_epoch = e->position->epoch;
		}
	}
}

/* Commands that look at the keyspace without naming keys. (I3) */
static bool sees_everything(const struct command *command)
{
	return (command->flags & CMD_TOUCHES_ARBITRARY_KEYS) ||
	       ((command->flags & CMD_READONLY) && command->first_key == 0 &&
		!(command->flags & (CMD_STATISTICS | CMD_MOVABLE_KEYS)));
}

/* Bytes from the first argument to the last, which lie in one buffer if they
 * came from a client; where they do not, any number, to be looked at. */
static inline uint64_t request_span(const struct cmd *c)
{
	struct slice last = c->argv[c->argc - 1];

	return (uint64_t)((uintptr_t)last.data + last.size -
			  (uintptr_t)c->argv[0].data);
}

static void run(struct cmd *c)
{
	struct engine *e = c->engine;
	uint64_t start = tick_now(), nsec;
	size_t reply_start = c->out->size;
	struct command_stats *stats = &e->command_stats[c->command->number];

	if (c->command->flags & CMD_WRITE)
		run_write(c);
	else
		c->command->handler(c);
	if (sees_everything(c->command) && c->gate < e->position->last_lsn)
		c->gate = e->position->last_lsn;

	nsec = tick_ns(tick_now() - start);
	stats->calls++;
	stats->nsec += nsec;
	stats->failed += c->failed;
	e->stats.commands_processed++;
	if (e->config->latency_tracking)
		latency_track(e, c->command, nsec);
	if (__builtin_expect((nsec >= e->slow_nsec) |
			     (request_span(c) >= e->large_request) |
			     (c->out->size - reply_start >= e->large_reply),
			     0)) {
		if (!(c->command->flags & CMD_SKIP_SLOWLOG))
			slowlog_note(e, c, nsec / 1000,
				     c->out->size - reply_start);
		latency_note(e, c->command->flags & CMD_FAST ?
			     "fast-command" : "command", nsec / 1000000);
	}
}

/* CLIENT PAUSE and a full log buffer make commands wait, not fail. */
static bool must_wait(const struct cmd *c)
{
	const struct engine *e = c->engine;
	bool write = c->command && (c->command->flags & CMD_WRITE);

	if (write && e->wal && wal_congested(e->wal))
		return true;
	return e->pause_until_us > e->now_us && (write || e->pause_all) &&
	       !(c->session->flags & SESSION_INTERNAL);
}

/* Looks the command up if prefetch has not; replies if it is unknown. */
static bool find_command(struct cmd *c, const struct parsed_command *p)
{
	struct command *container = NULL;

	c->command = p->command;
	if (!c->command)
		c->command = command_lookup(p->argv, p->argc, &container);
	if (c->command && (c->command->handler || c->argc < 2))
		return true;
	if (!(c->session->flags & SESSION_AUTHENTICATED))
		reply_error(c, "NOAUTH Authentication required.");
	else if (container)
		reply_unknown_subcommand(c, container);
	else
		reply_unknown(c);
	return false;
}

bool engine_execute(struct engine *e, struct session *s,
		    const struct parsed_command *p)
{
	struct cmd c = {
		.engine = e,
		.session = s,
		.argv = p->argv,
		.argc = p->argc,
		.db = s->db,
		.now_ms = e->now_ms,
		.ks = &e->ks,
		.out = s->out,
	};
	size_t start = s->out->size;

	assert(p->argc > 0);
	assert(!(s->flags & SESSION_PARKED));

	if (!find_command(&c, p))
		goto done;
	if (__builtin_expect(must_wait(&c), 0)) {
		park_until_free(e, s);
		return false;
	}
	if (p->first_key_hash)
		keyspace_remember(&e->ks, p->argv[c.command->first_key],
				  p->first_key_hash);
	if (!admit(&c)) {
		e->command_stats[c.command->number].rejected++;
		goto done;
	}
	s->last_command = c.command;
	s->active_ms = e->now_ms;
	s->commands++;
	run(&c);
	if (e->monitor_count && !(c.command->flags & CMD_SKIP_MONITOR))
		monitor_feed(e, &c);
done:
	if (s->flags & SESSION_REPLY_MUTED && !c.parked)
		reply_suppress(s, start);
	if (c.gate > s->gate)
		s->gate = c.gate;
	return true;
}
