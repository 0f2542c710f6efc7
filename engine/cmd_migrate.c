/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MIGRATE: values go to another server and, when it has them, go from here.
 *
 *   cmd_migrate ── payloads ─► released ─► transfer (a thread of the host's)
 *        │ parked                               │
 *        ◄──────────────── arrived ◄────────────┘
 *   keys go by records (migrations.c), then the reply
 *
 * I1. What cannot be written as a payload, or is longer than a server takes,
 *     fails the whole command before anything is sent.
 * I2. A migration that has begun outlives its session: what the target has is
 *     removed here whether somebody still waits for the reply or not.
 */
#include "engine/cmd_dump.h"

#include "engine/migrations.h"
#include "engine/rdb_write.h"
#include "engine/value_ops.h"

#define TIMEOUT_MS 1000 /* if the command says 0 or less */

struct options {
	bool copy, replace;
	unsigned user, password; /* arguments; 0: none */
	unsigned first_key, key_count;
};

static bool keys_begin(struct cmd *c, unsigned i, struct options *o)
{
	if (c->argv[3].size) {
		reply_error(c, "ERR When using MIGRATE KEYS option, the key "
			       "argument must be set to the empty string");
		return false;
	}
	o->first_key = i + 1;
	o->key_count = c->argc - i - 1;
	return true;
}

/* False: replied. */
static bool read_options(struct cmd *c, struct options *o)
{
	unsigned i;

	*o = (struct options){ .first_key = 3, .key_count = 1 };
	for (i = 6; i < c->argc; i++) {
		if (arg_is(c, i, "copy")) {
			o->copy = true;
		} else if (arg_is(c, i, "replace")) {
			o->replace = true;
		} else if (arg_is(c, i, "auth") && i + 1 < c->argc) {
			o->password = ++i;
		} else if (arg_is(c, i, "auth2") && i + 2 < c->argc) {
			o->user = ++i;
			o->password = ++i;
		} else if (arg_is(c, i, "keys")) {
			return keys_begin(c, i, o);
		} else {
			reply_syntax_error(c);
			return false;
		}
	}
	return true;
}

/* --- the requests --------------------------------------------------------- */

static void put_count(struct buf *out, char type, uint64_t n)
{
	buf_printf(out, "%c%llu\r\n", type, (unsigned long long)n);
}

static void put_word(struct buf *out, struct slice s)
{
	put_count(out, '$', s.size);
	buf_put_slice(out, s);
	buf_put_str(out, "\r\n");
}

static void put_number(struct buf *out, uint64_t n)
{
	char text[NUM_I64_SIZE];

	put_word(out, slice_of(text, num_format_u64(text, n)));
}

/* AUTH and SELECT; how many replies they get. */
static unsigned put_greeting(struct cmd *c, const struct options *o,
			     struct buf *out, int64_t db)
{
	unsigned count = 1;

	if (o->password) {
		put_count(out, '*', o->user ? 3 : 2);
		put_word(out, slice_str("AUTH"));
		if (o->user)
			put_word(out, c->argv[o->user]);
		put_word(out, c->argv[o->password]);
		count++;
	}
	put_count(out, '*', 2);
	put_word(out, slice_str("SELECT"));
	put_number(out, (uint64_t)db);
	return count;
}

/* The payload of e's value. False: replied. (I1) */
static bool write_payload(struct cmd *c, struct buf *payload,
			  const struct entry *e)
{
	const struct config *config = c->engine->config;

	if (!rdb_write(payload, e, config->rdb_compression)) {
		reply_errorf(c, "ERR a value of type %s has no payload, so it "
			     "cannot be migrated", value_ops(e)->type_name);
		return false;
	}
	if (payload->size > (uint64_t)config->proto_max_bulk_len) {
		reply_errorf(c, "ERR a payload of %zu bytes cannot be "
			     "migrated: it is longer than proto-max-bulk-len",
			     payload->size);
		return false;
	}
	return true;
}

/* False: replied. */
static bool put_restore(struct cmd *c, struct buf *out, const struct entry *e,
			bool replace)
{
	uint64_t deadline = entry_deadline(e);
	struct buf payload = { 0 };

	if (!write_payload(c, &payload, e)) {
		buf_release(&payload);
		return false;
	}
	put_count(out, '*', replace ? 5 : 4);
	put_word(out, slice_str("RESTORE"));
	put_word(out, entry_key(e));
	put_number(out, deadline ? deadline - c->now_ms : 0);
	put_word(out, buf_slice(&payload));
	if (replace)
		put_word(out, slice_str("REPLACE"));
	buf_release(&payload);
	return true;
}

/* --- the reply ------------------------------------------------------------ */

static void reply_failure(struct cmd *c, const struct migration *m)
{
	if (m->transfer.end == TRANSFER_NOT_CONNECTED)
		reply_error(c, "IOERR error or timeout connecting to the "
			       "client");
	else
		reply_errorf(c, "IOERR error or timeout %s to target instance",
			     m->transfer.end == TRANSFER_NOT_READ ? "reading" :
								    "writing");
}

static void reply_outcome(struct cmd *c, const struct migration *m)
{
	if (m->error.size)
		reply_errorf(c, "ERR Target instance replied with error: %s",
			     (const char *)m->error.data);
	else if (m->transfer.end != TRANSFER_DONE)
		reply_failure(c, m);
	else if (m->no_room)
		reply_error(c, "MISCONF The target has the keys, but there is "
			       "not enough disk space for the log to remove "
			       "them here");
	else if (m->kept)
		reply_errorf(c, "ERR The target has the keys, but %u of them "
			     "changed here meanwhile and stay", m->kept);
	else
		reply_ok(c);
}

static bool migrate_ready(struct engine *e, struct session *s, bool timed_out)
{
	struct migration *m = s->wait.data;
	struct cmd c;

	(void)timed_out;
	migration_depart(e, m);
	if (!m->posted)
		return false;
	migration_arrive(e, m);
	c = cmd_for_reply(e, s);
	reply_outcome(&c, m);
	if (!m->copy) {
		c.gate = e->position->last_lsn;
		s->write_lsn = c.gate;
		s->write_epoch = e->position->epoch;
	}
	cmd_reply_end(&c);
	migration_free(m);
	return true;
}

static void migrate_cancel(struct engine *e, struct session *s)
{
	struct migration *m = s->wait.data;

	m->session = NULL; /* I2 */
	if (m->departed)
		return;
	migrations_remove(e, m);
	migration_free(m);
}

/* --- the command ---------------------------------------------------------- */

/* Puts the keys that exist into m, which is new. False: replied. */
static bool collect(struct cmd *c, const struct options *o, int64_t db,
		    struct migration *m)
{
	unsigned i;

	m->copy = o->copy;
	m->greetings = put_greeting(c, o, &m->transfer.request, db);
	for (i = 0; i < o->key_count; i++) {
		struct slice key = c->argv[o->first_key + i];
		const struct entry *e = lookup_read(c, key);

		if (!e)
			continue;
		migration_add(m, key);
		if (!put_restore(c, &m->transfer.request, e, o->replace))
			return false;
	}
	m->transfer.reply_count = m->greetings + m->key_count;
	if (m->key_count == 0)
		reply_simple(c, "NOKEY");
	return m->key_count > 0;
}

static bool put_address(const struct cmd *c, struct transfer *t,
			int64_t timeout_ms)
{
	struct slice host = c->argv[1], port = c->argv[2];

	if (host.size >= sizeof(t->host) || port.size >= sizeof(t->port))
		return false;
	memcpy(t->host, host.data, host.size);
	memcpy(t->port, port.data, port.size);
	t->timeout_ms = (uint64_t)(timeout_ms > 0 ? timeout_ms : TIMEOUT_MS);
	return true;
}

/* MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password]
 * [AUTH2 user password] [KEYS key…]. */
void cmd_migrate(struct cmd *c)
{
	struct session_wait w = { .ready = migrate_ready,
				  .cancel = migrate_cancel };
	struct options o;
	struct migration *m;
	int64_t timeout_ms, db;

	if (!read_options(c, &o))
		return;
	if (!arg_i64(c, 5, &timeout_ms) || !arg_i64(c, 4, &db))
		return;
	m = migration_new(c, c->argv + o.first_key, o.key_count);
	if (!collect(c, &o, db, m)) {
		migration_free(m);
		return;
	}
	if (!put_address(c, &m->transfer, timeout_ms)) {
		m->transfer.end = TRANSFER_NOT_CONNECTED;
		reply_failure(c, m);
		migration_free(m);
		return;
	}
	m->gate = c->gate;
	migrations_add(c->engine, m);
	migration_depart(c->engine, m);
	w.data = m;
	cmd_park(c, &w);
}

int migrate_keys(const struct slice *argv, unsigned argc, unsigned *out)
{
	unsigned i, count = 0;

	if (argc < 6)
		return -1;
	for (i = 6; i < argc; i++) {
		if (slice_is(argv[i], "auth"))
			i++;
		else if (slice_is(argv[i], "auth2"))
			i += 2;
		else if (slice_is(argv[i], "keys"))
			break;
	}
	if (i < argc) {
		if (argv[3].size > 0)
			return -1;
		while (++i < argc)
			out[count++] = i;
		return (int)count;
	}
	out[0] = 3;
	return 1;
}
