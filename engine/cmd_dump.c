/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DUMP and RESTORE.
 *
 * I1. RESTORE emits nothing before the payload has been read to its end; what
 *     it emits are the records of the elements, never the payload.
 * I2. A value that would be dead on arrival is not created; what it was to
 *     replace goes.
 */
#include "engine/cmd_dump.h"

#include "engine/access.h"
#include "engine/rdb_read.h"
#include "engine/rdb_write.h"

/* DUMP key. */
void cmd_dump(struct cmd *c)
{
	const struct entry *e = lookup_read(c, c->argv[1]);
	struct buf payload = { 0 };

	if (!e) {
		reply_null(c);
		return;
	}
	if (rdb_write(&payload, e, c->engine->config->rdb_compression))
		reply_bulk(c, buf_slice(&payload));
	else
		reply_error(c, "ERR there is no payload of this type");
	buf_release(&payload);
}

struct restore {
	bool replace, absolute;
	int64_t idle_s;    /* -1: not given */
	int64_t frequency; /* likewise */
	uint64_t deadline;
};

/* IDLETIME or FREQ; false: replied, or not one of them. */
static bool access_option(struct cmd *c, unsigned i, struct restore *r)
{
	if (arg_is(c, i, "idletime") && r->frequency < 0) {
		if (!arg_i64(c, i + 1, &r->idle_s))
			return false;
		if (r->idle_s >= 0)
			return true;
		reply_error(c, "ERR Invalid IDLETIME value, must be >= 0");
		return false;
	}
	if (arg_is(c, i, "freq") && r->idle_s < 0) {
		if (!arg_i64(c, i + 1, &r->frequency))
			return false;
		if (r->frequency >= 0 && r->frequency <= 255)
			return true;
		reply_error(c, "ERR Invalid FREQ value, must be >= 0 and "
			       "<= 255");
		return false;
	}
	reply_syntax_error(c);
	return false;
}

static bool restore_options(struct cmd *c, struct restore *r)
{
	unsigned i;

	*r = (struct restore){ .idle_s = -1, .frequency = -1 };
	for (i = 4; i < c->argc; i++) {
		if (arg_is(c, i, "replace")) {
			r->replace = true;
		} else if (arg_is(c, i, "absttl")) {
			r->absolute = true;
		} else if (i + 1 == c->argc) {
			reply_syntax_error(c);
			return false;
		} else if (!access_option(c, i++, r)) {
			return false;
		}
	}
	return true;
}

/* The time to live, in argv[2]. */
static bool restore_deadline(struct cmd *c, struct restore *r)
{
	int64_t ttl;

	if (!arg_i64(c, 2, &ttl))
		return false;
	if (ttl < 0) {
		reply_error(c, "ERR Invalid TTL value, must be >= 0");
		return false;
	}
	if (ttl == 0)
		return true;
	r->deadline = (uint64_t)ttl + (r->absolute ? 0 : c->now_ms);
	if (r->deadline > DEADLINE_MAX_MS)
		r->deadline = DEADLINE_MAX_MS;
	if (r->deadline <= DEADLINE_KEEP)
		r->deadline = DEADLINE_KEEP + 1;
	return true;
}

/* Reads the payload in argv[3]; false: replied. */
static bool read_payload(struct cmd *c, struct rdb_value *v)
{
	struct slice object;

	if (!rdb_payload_open(c->argv[3], &object)) {
		reply_error(c, "ERR DUMP payload version or checksum are "
			       "wrong");
		return false;
	}
	if (!rdb_read(object, v)) {
		reply_error(c, "ERR Bad data format");
		return false;
	}
	return cmd_room(c, rdb_value_room(v, c->argv[1]));
}

static void set_access(struct cmd *c, const struct restore *r)
{
	const struct entry *e = keyspace_find(c->ks, c->db, c->argv[1]);

	if (r->idle_s >= 0)
		access_set_idle(c->engine, e, (uint64_t)r->idle_s);
	if (r->frequency >= 0)
		access_set_frequency(c->engine, e, (uint8_t)r->frequency);
}

static void emit_value(struct cmd *c, const struct rdb_value *v,
		       const struct restore *r)
{
	struct value_target to = { c->db, c->argv[1], CAUSE_restore };

	if (!rdb_value_exists(v) ||
	    (r->deadline && r->deadline <= c->now_ms)) { /* I2 */
		if (lookup_write(c, c->argv[1]))
			emit_key_del(c, c->argv[1], CAUSE_del);
		return;
	}
	rdb_value_emit(c, v, &to);
	set_access(c, r);
}

/* RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME s] [FREQ n]. */
void cmd_restore(struct cmd *c)
{
	struct restore r;
	struct rdb_value v;

	if (!restore_options(c, &r))
		return;
	if (lookup_write(c, c->argv[1]) && !r.replace) {
		reply_error(c, "BUSYKEY Target key name already exists.");
		return;
	}
	if (!restore_deadline(c, &r))
		return;
	rdb_value_init(&v, c->ks->hash_key, c->now_ms);
	v.deadline = r.deadline;
	if (read_payload(c, &v)) { /* I1 */
		emit_value(c, &v, &r);
		reply_ok(c);
	}
	rdb_value_release(&v);
}
