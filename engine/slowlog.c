/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slow log: the last slowlog-max-len commands that took longer than
 * slowlog-log-slower-than, newest first.
 *
 * I1. An entry is a copy: it holds nothing of the session or the keyspace.
 * I2. Arguments are cut (ARGS_MAX, ARG_SIZE_MAX), secrets never get in.
 */
#include "engine/slowlog.h"

#include "base/mem.h"
#include "engine/redact.h"
#include "engine/slowlog_cmd.h"

#define ARGS_MAX 32
#define ARG_SIZE_MAX 128

struct slow_entry {
	struct slow_entry *next;
	uint64_t id;
	uint64_t time_s;
	uint64_t usec;
	unsigned argc;
	struct slice args[ARGS_MAX]; /* into bytes */
	struct buf bytes;
	char *address;
	char *name;
};

struct slowlog {
	struct slow_entry *first;
	size_t count;
	uint64_t next_id;
};

struct slowlog *slowlog_new(void)
{
	return mem_calloc(1, sizeof(struct slowlog));
}

static void entry_destroy(struct slow_entry *e)
{
	buf_release(&e->bytes);
	mem_free(e->address);
	mem_free(e->name);
	mem_free(e);
}

void slowlog_trim(struct slowlog *l, size_t max)
{
	struct slow_entry **at = &l->first;
	size_t kept = 0;

	while (*at && kept < max) {
		at = &(*at)->next;
		kept++;
	}
	while (*at) {
		struct slow_entry *dead = *at;

		*at = dead->next;
		entry_destroy(dead);
	}
	l->count = kept;
}

void slowlog_free(struct slowlog *l)
{
	slowlog_trim(l, 0);
	mem_free(l);
}

/* The arguments, cut; then the slices, as bytes has stopped moving. */
static void copy_arguments(struct slow_entry *e, const struct cmd *c)
{
	size_t starts[ARGS_MAX + 1];
	unsigned i;

	e->argc = c->argc < ARGS_MAX ? c->argc : ARGS_MAX;
	for (i = 0; i < e->argc; i++) {
		struct slice a = redact_argument(c, i);

		starts[i] = e->bytes.size;
		if (i == ARGS_MAX - 1 && c->argc > ARGS_MAX) {
			buf_printf(&e->bytes, "... (%u more arguments)",
				   c->argc - ARGS_MAX + 1);
		} else if (a.size > ARG_SIZE_MAX) {
			buf_put(&e->bytes, a.data, ARG_SIZE_MAX);
			buf_printf(&e->bytes, "... (%zu more bytes)",
				   a.size - ARG_SIZE_MAX);
		} else {
			buf_put_slice(&e->bytes, a);
		}
	}
	starts[e->argc] = e->bytes.size;
	for (i = 0; i < e->argc; i++)
		e->args[i] = slice_of(e->bytes.data + starts[i],
				      starts[i + 1] - starts[i]);
}

void slowlog_note(struct engine *e, const struct cmd *c, uint64_t usec)
{
	struct slowlog *l = e->slowlog;
	struct slow_entry *entry;

	if (e->config->slowlog_slower_us < 0 ||
	    usec < (uint64_t)e->config->slowlog_slower_us ||
	    e->config->slowlog_max_len == 0)
		return;
	entry = mem_calloc(1, sizeof(*entry));
	entry->id = l->next_id++;
	entry->time_s = e->now_ms / 1000;
	entry->usec = usec;
	entry->address = mem_strdup(c->session->address);
	entry->name = mem_strdup(c->session->name ? c->session->name : "");
	copy_arguments(entry, c);
	entry->next = l->first;
	l->first = entry;
	l->count++;
	if (l->count > (size_t)e->config->slowlog_max_len)
		slowlog_trim(l, (size_t)e->config->slowlog_max_len);
}

static void reply_entry(struct cmd *c, const struct slow_entry *e)
{
	unsigned i;

	reply_array(c, 6);
	reply_i64(c, (int64_t)e->id);
	reply_i64(c, (int64_t)e->time_s);
	reply_i64(c, (int64_t)e->usec);
	reply_array(c, e->argc);
	for (i = 0; i < e->argc; i++)
		reply_bulk(c, e->args[i]);
	reply_bulk_str(c, e->address);
	reply_bulk_str(c, e->name);
}

void cmd_slowlog_get(struct cmd *c)
{
	const struct slowlog *l = c->engine->slowlog;
	const struct slow_entry *e = l->first;
	int64_t count = 10;
	size_t i, n;

	if (c->argc > 3) {
		reply_wrong_arity(c);
		return;
	}
	if (c->argc == 3) {
		if (!arg_i64(c, 2, &count))
			return;
		if (count < -1) {
			reply_error(c, "ERR count should be greater than or "
				       "equal to -1");
			return;
		}
	}
	n = count < 0 || (uint64_t)count > l->count ? l->count : (size_t)count;
	reply_array(c, n);
	for (i = 0; i < n; i++, e = e->next)
		reply_entry(c, e);
}

void cmd_slowlog_len(struct cmd *c)
{
	reply_i64(c, (int64_t)c->engine->slowlog->count);
}

void cmd_slowlog_reset(struct cmd *c)
{
	slowlog_trim(c->engine->slowlog, 0);
	reply_ok(c);
}
