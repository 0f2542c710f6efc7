/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DEBUG's views of the state, and samples of the protocol.
 *
 * I1. What shows state waits for that state to be safe: these commands name
 *     no keys to the dispatcher, so they raise their gate themselves.
 */
#include "engine/debug.h"

#include "engine/access.h"
#include "engine/value_ops.h"

/* Redis' digests have 40 digits; ours have 32 and zeros before them. */
static void reply_digest(struct cmd *c, struct hash128 h)
{
	reply_bulk_printf(c, "00000000%016llx%016llx",
			  (unsigned long long)h.high,
			  (unsigned long long)h.low);
}

static void gate_all(struct cmd *c)
{
	c->gate = c->engine->position->last_lsn; /* I1 */
}

void debug_digest(struct cmd *c)
{
	gate_all(c);
	reply_digest(c, digest_keyspace(c->ks));
}

void debug_digest_value(struct cmd *c)
{
	unsigned i;

	gate_all(c);
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++) {
		const struct entry *e = lookup_read(c, c->argv[i]);

		reply_digest(c, e ? value_ops(e)->digest(e) :
				    (struct hash128){ 0, 0 });
	}
}

static const struct entry *existing(struct cmd *c)
{
	const struct entry *e = lookup_write(c, c->argv[2]);

	if (!e)
		reply_error(c, "ERR no such key");
	return e;
}

void debug_object(struct cmd *c)
{
	const struct entry *e = existing(c);
	struct buf line = { 0 };

	if (!e)
		return;
	buf_printf(&line, "Value at:%p refcount:1 encoding:%s "
		   "serializedlength:%zu lru:%u lru_seconds_idle:%llu%c",
		   (const void *)e, value_ops(e)->encoding(e),
		   value_ops(e)->memory(e), entry_access(e),
		   (unsigned long long)access_idle_s(c->engine, e), 0);
	reply_simple(c, (const char *)line.data);
	buf_release(&line);
}

void debug_sdslen(struct cmd *c)
{
	const struct entry *e = existing(c);
	struct buf line = { 0 };
	uint64_t size;

	if (!e)
		return;
	if (entry_type(e) != VALUE_string) {
		reply_error(c, "ERR Not an sds encoded string.");
		return;
	}
	size = str_size(e);
	buf_printf(&line, "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, "
		   "val_sds_len:%llu, val_sds_avail:0, val_zmalloc: %zu%c",
		   entry_key(e).size, entry_size(e), (unsigned long long)size,
		   entry_memory(e), 0);
	reply_simple(c, (const char *)line.data);
	buf_release(&line);
}

void debug_htstats(struct cmd *c)
{
	struct buf out = { 0 };
	const struct db *db;
	int64_t index;

	if (!arg_i64(c, 2, &index))
		return;
	if (index < 0 || index >= c->ks->db_count) {
		reply_error(c, "ERR Out of range database");
		return;
	}
	db = &c->ks->dbs[index];
	buf_printf(&out, "[Dictionary HT]\nHash table 0 stats (main hash "
		   "table):\n table size: %zu\n number of elements: %zu\n"
		   " segments: %zu\n bytes: %zu\n",
		   db->keys.bucket_count * TABLE_BUCKET_SLOTS, db->keys.count,
		   db->keys.segment_count, table_memory(&db->keys));
	buf_printf(&out, "[Expires HT]\n number of elements: %zu\n items: "
		   "%zu\n bytes: %zu\n", db->deadline_count,
		   db->deadlines ? wheel_count(db->deadlines) : 0,
		   db->deadlines ? wheel_memory(db->deadlines) : 0);
	reply_verbatim(c, "txt", buf_slice(&out));
	buf_release(&out);
}

void debug_htstats_key(struct cmd *c)
{
	if (existing(c))
		reply_error(c, "ERR The value stored at the specified key is "
			       "not represented using an hash table");
}

void debug_structsize(struct cmd *c)
{
	reply_bulk_printf(c, "bits:%zu entry:%zu db:%zu session:%zu engine:%zu",
			  8 * sizeof(void *), sizeof(struct entry),
			  sizeof(struct db), sizeof(struct session),
			  sizeof(struct engine));
}

/* --- DEBUG PROTOCOL --------------------------------------------------------*/

static void show_array(struct cmd *c)
{
	int i;

	reply_array(c, 3);
	for (i = 0; i < 3; i++)
		reply_i64(c, i);
}

static void show_set(struct cmd *c)
{
	int i;

	reply_set(c, 3);
	for (i = 0; i < 3; i++)
		reply_i64(c, i);
}

static void show_map(struct cmd *c)
{
	int i;

	reply_map(c, 3);
	for (i = 0; i < 3; i++) {
		reply_i64(c, i);
		reply_bool(c, i == 1);
	}
}

/* An attribute stands before the reply it is about; RESP2 has none. */
static void show_attribute(struct cmd *c)
{
	if (c->session->protocol == 3) {
		reply_raw(c, SLICE_LITERAL("|1\r\n"));
		reply_bulk_str(c, "key-popularity");
		reply_array(c, 2);
		reply_bulk_str(c, "key:123");
		reply_i64(c, 90);
	}
	reply_bulk_str(c, "Some real reply following the attribute");
}

/* A push is no reply: one follows. */
static void show_push(struct cmd *c)
{
	if (c->session->protocol != 3) {
		reply_error(c, "ERR RESP2 is not supported by this command");
		return;
	}
	reply_raw(c, SLICE_LITERAL(">2\r\n"));
	reply_bulk_str(c, "server-cpu-usage");
	reply_i64(c, 42);
	reply_bulk_str(c, "Some real reply following the push reply");
}

static void show_big_number(struct cmd *c)
{
	static const char digits[] = "1234567999999999999999999999999999999";

	if (c->session->protocol != 3) {
		reply_bulk_str(c, digits);
		return;
	}
	reply_raw(c, SLICE_LITERAL("("));
	reply_raw(c, slice_str(digits));
	reply_raw(c, SLICE_LITERAL("\r\n"));
}

void debug_protocol(struct cmd *c)
{
	if (arg_is(c, 2, "string"))
		reply_bulk_str(c, "Hello World");
	else if (arg_is(c, 2, "integer"))
		reply_i64(c, 12345);
	else if (arg_is(c, 2, "double"))
		reply_double(c, 3.141);
	else if (arg_is(c, 2, "bignum"))
		show_big_number(c);
	else if (arg_is(c, 2, "null"))
		reply_null(c);
	else if (arg_is(c, 2, "array"))
		show_array(c);
	else if (arg_is(c, 2, "set"))
		show_set(c);
	else if (arg_is(c, 2, "map"))
		show_map(c);
	else if (arg_is(c, 2, "attrib"))
		show_attribute(c);
	else if (arg_is(c, 2, "push"))
		show_push(c);
	else if (arg_is(c, 2, "verbatim"))
		reply_verbatim(c, "txt",
			       SLICE_LITERAL("This is a verbatim\nstring"));
	else if (arg_is(c, 2, "true") || arg_is(c, 2, "false"))
		reply_bool(c, arg_is(c, 2, "true"));
	else
		reply_error(c, "ERR Wrong protocol type name. Please use one "
			       "of the following: string|integer|double|bignum"
			       "|null|array|set|map|attrib|push|verbatim|true|"
			       "false");
}
