/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands out of the ordinary, newest first: those that took longer than
 * slowlog-log-slower-than, those whose request or reply was larger than
 * commandlog-request-larger-than or -reply-larger-than. Each kind has its own
 * list and its own length.
 *
 * I1. An entry is a copy: it holds nothing of the session or the keyspace.
 * I2. Arguments are cut (ARGS_MAX, ARG_SIZE_MAX), secrets never get in.
 */
#include "engine/slowlog.h"

#include "base/mem.h"
#include "base/num.h"
#include "engine/redact.h"
#include "engine/slowlog_cmd.h"

#define ARGS_MAX 32
#define ARG_SIZE_MAX 128

struct slow_entry {
	struct slow_entry *next;
	uint64_t id;
	uint64_t time_s;
	uint64_t amount; /* microseconds, or bytes */
	unsigned argc;
	struct slice args[ARGS_MAX]; /* into bytes */
	struct buf bytes;
	char *address;
	char *name;
};

struct slowlog {
	struct slow_list {
		struct slow_entry *first;
		size_t count;
		uint64_t next_id;
	} lists[SLOWLOG_KINDS];
};

static const char *const kind_names[SLOWLOG_KINDS] = {
	"slow", "large-request", "large-reply",
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

static int64_t length_max(const struct engine *e, enum slowlog_kind kind)
{
	const int64_t max[SLOWLOG_KINDS] = {
		e->config->slowlog_max_len,
		e->config->large_request_max_len,
		e->config->large_reply_max_len,
	};

	return max[kind];
}

static void list_trim(struct slow_list *l, size_t max)
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

void slowlog_configure(struct engine *e)
{
	unsigned kind;

	for (kind = 0; kind < SLOWLOG_KINDS; kind++)
		list_trim(&e->slowlog->lists[kind],
			  (size_t)length_max(e, kind));
}

void slowlog_free(struct slowlog *l)
{
	unsigned kind;

	for (kind = 0; kind < SLOWLOG_KINDS; kind++)
		list_trim(&l->lists[kind], 0);
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

static void note(struct engine *e, const struct cmd *c,
		 enum slowlog_kind kind, uint64_t amount)
{
	struct slow_list *l = &e->slowlog->lists[kind];
	size_t max = (size_t)length_max(e, kind);
	struct slow_entry *entry;

	if (max == 0)
		return;
	entry = mem_calloc(1, sizeof(*entry));
	entry->id = l->next_id++;
	entry->time_s = e->now_ms / 1000;
	entry->amount = amount;
	entry->address = mem_strdup(c->session->address);
	entry->name = mem_strdup(c->session->name ? c->session->name : "");
	copy_arguments(entry, c);
	entry->next = l->first;
	l->first = entry;
	l->count++;
	if (l->count > max)
		list_trim(l, max);
}

static size_t num_digits(uint64_t n)
{
	char text[24];

	return num_format_u64(text, n);
}

/* As on the wire: *2 $3 GET $1 k, each with its line ends. */
static uint64_t request_size(const struct cmd *c)
{
	uint64_t size = 3 + num_digits(c->argc);
	unsigned i;

	for (i = 0; i < c->argc; i++)
		size += 5 + num_digits(c->argv[i].size) + c->argv[i].size;
	return size;
}

/* From a limit of the configuration, where -1 says never. */
static bool is_beyond(uint64_t amount, int64_t limit)
{
	return limit >= 0 && amount >= (uint64_t)limit;
}

void slowlog_note(struct engine *e, const struct cmd *c, uint64_t usec,
		  uint64_t reply_size)
{
	const struct config *config = e->config;
	uint64_t size;

	if (is_beyond(usec, config->slowlog_slower_us))
		note(e, c, SLOWLOG_SLOW, usec);
	size = request_size(c);
	if (is_beyond(size, config->large_request_bytes))
		note(e, c, SLOWLOG_LARGE_REQUEST, size);
	if (is_beyond(reply_size, config->large_reply_bytes))
		note(e, c, SLOWLOG_LARGE_REPLY, reply_size);
}

static void reply_entry(struct cmd *c, const struct slow_entry *e)
{
	unsigned i;

	reply_array(c, 6);
	reply_i64(c, (int64_t)e->id);
	reply_i64(c, (int64_t)e->time_s);
	reply_i64(c, (int64_t)e->amount);
	reply_array(c, e->argc);
	for (i = 0; i < e->argc; i++)
		reply_bulk(c, e->args[i]);
	reply_bulk_str(c, e->address);
	reply_bulk_str(c, e->name);
}

static void reply_list(struct cmd *c, const struct slow_list *l, size_t max)
{
	const struct slow_entry *e = l->first;
	size_t i, n = l->count < max ? l->count : max;

	reply_array(c, n);
	for (i = 0; i < n; i++, e = e->next)
		reply_entry(c, e);
}

/* How many entries argv[2] asks for; false: replied. */
static bool parse_count(struct cmd *c, size_t *out)
{
	int64_t count;

	if (!num_parse_i64(c->argv[2], &count) || count < -1) {
		reply_error(c, "ERR count should be greater than or equal to "
			       "-1");
		return false;
	}
	*out = (size_t)count; /* -1: all */
	return true;
}

/* The list that argv[index] names; NULL: replied. */
static struct slow_list *parse_kind(struct cmd *c, unsigned index)
{
	unsigned kind;

	for (kind = 0; kind < SLOWLOG_KINDS; kind++)
		if (arg_is(c, index, kind_names[kind]))
			return &c->engine->slowlog->lists[kind];
	reply_error(c, "ERR type should be one of the following: slow, "
		       "large-request, large-reply");
	return NULL;
}

void cmd_slowlog_get(struct cmd *c)
{
	size_t max = 10;

	if (c->argc > 3)
		reply_error(c, "ERR unknown subcommand or wrong number of "
			       "arguments for 'GET'. Try SLOWLOG HELP.");
	else if (c->argc < 3 || parse_count(c, &max))
		reply_list(c, &c->engine->slowlog->lists[SLOWLOG_SLOW], max);
}

void cmd_slowlog_len(struct cmd *c)
{
	reply_i64(c, (int64_t)c->engine->slowlog->lists[SLOWLOG_SLOW].count);
}

void cmd_slowlog_reset(struct cmd *c)
{
	list_trim(&c->engine->slowlog->lists[SLOWLOG_SLOW], 0);
	reply_ok(c);
}

void cmd_commandlog_get(struct cmd *c)
{
	struct slow_list *l;
	size_t max;

	if (!parse_count(c, &max))
		return;
	l = parse_kind(c, 3);
	if (l)
		reply_list(c, l, max);
}

void cmd_commandlog_len(struct cmd *c)
{
	struct slow_list *l = parse_kind(c, 2);

	if (l)
		reply_i64(c, (int64_t)l->count);
}

void cmd_commandlog_reset(struct cmd *c)
{
	struct slow_list *l = parse_kind(c, 2);

	if (!l)
		return;
	list_trim(l, 0);
	reply_ok(c);
}
