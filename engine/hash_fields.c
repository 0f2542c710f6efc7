/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups of fields, and runs of them.
 *
 * I1. To every reader a field whose deadline has passed is absent; it stays
 *     until a record removes it: expire_fields, or a write that names it.
 * I2. A write handler never meets a due field among those that it names.
 */
#include "engine/hash_fields.h"

#include "base/checksum.h"

bool arg_fields(struct cmd *c, unsigned at, const char *count_error)
{
	int64_t count;

	if (!arg_is(c, at, "fields")) {
		reply_error(c, "ERR Mandatory argument FIELDS is missing or "
			       "not at the right position");
		return false;
	}
	if (at + 1 >= c->argc || !num_parse_i64(c->argv[at + 1], &count) ||
	    count < 1) {
		reply_error(c, count_error);
		return false;
	}
	if (count == (int64_t)c->argc - (int64_t)at - 2)
		return true;
	reply_error(c, "ERR The `numfields` parameter must match the number "
		       "of arguments");
	return false;
}

bool arg_field_time(struct cmd *c, unsigned index, int64_t unit_ms,
		    bool absolute, uint64_t *when_ms)
{
	int64_t base = absolute ? 0 : (int64_t)c->now_ms, t;

	if (!arg_i64(c, index, &t))
		return false;
	if (t < 0) {
		reply_error(c, "ERR invalid expire time, must be >= 0");
		return false;
	}
	if (t > FIELD_DEADLINE_MAX_MS / unit_ms ||
	    t * unit_ms > FIELD_DEADLINE_MAX_MS - base) {
		reply_errorf(c, "ERR invalid expire time in '%s' command",
			     c->command->name);
		return false;
	}
	*when_ms = (uint64_t)(t * unit_ms + base);
	return true;
}

bool hash_open(struct cmd *c, const struct entry **e)
{
	return lookup_typed(c, c->argv[1], VALUE_hash, e);
}

const struct entry *hash_again(const struct cmd *c)
{
	return keyspace_find(c->ks, c->db, c->argv[1]);
}

/* As emit, but the handler has not begun yet. */
static void emit_due(struct cmd *c, const struct buf *fields)
{
	struct record r = {
		.type = REC_hash_del,
		.cause = CAUSE_hexpired,
		.db = c->db,
		.key = c->argv[1],
		.value = buf_slice(fields),
	};

	engine_emit(c->engine, &r);
	c->engine->stats.expired_fields += c->ks->result;
}

/* Removes the named fields that are due. (I2) */
static void remove_due(struct cmd *c, const struct entry *e, unsigned first,
		       unsigned end, unsigned step)
{
	struct buf *due = items_scratch(c);
	unsigned i;

	for (i = first; i < end && e; i += step) {
		struct hash_item item;

		if (!hash_find(e, c->argv[i], &item) || item_live(c, &item))
			continue;
		items_put(due, c->argv[i]);
		if (due->size < ITEMS_SIZE_MAX)
			continue;
		emit_due(c, due);
		due->size = 0;
		e = hash_again(c);
	}
	if (due->size)
		emit_due(c, due);
}

bool hash_open_write(struct cmd *c, unsigned first, unsigned end,
		     unsigned step, const struct entry **e)
{
	if (!lookup_typed_write(c, c->argv[1], VALUE_hash, e))
		return false;
	if (!*e || !hash_has_due(c, *e))
		return true;
	remove_due(c, *e, first, end, step);
	*e = hash_again(c);
	return true;
}

bool hash_live(const struct cmd *c, const struct entry *e, struct slice field,
	       struct hash_item *out)
{
	return e && hash_find(e, field, out) && item_live(c, out); /* I1 */
}

bool hash_has_due(const struct cmd *c, const struct entry *e)
{
	return (e->flags & ENTRY_FIELDS) && hash_earliest(e) <= c->now_ms;
}

struct live_count {
	const struct cmd *c;
	size_t count;
};

static void count_live(void *ctx, const struct hash_item *item)
{
	struct live_count *live = ctx;

	live->count += item_live(live->c, item);
}

size_t hash_live_count(const struct cmd *c, const struct entry *e)
{
	struct live_count live = { c, 0 };

	if (!hash_has_due(c, e))
		return hash_count(e);
	hash_each(e, count_live, &live);
	return live.count;
}

struct field_run run_begin(struct cmd *c, enum record_type type,
			   uint64_t deadline_ms, enum record_cause cause)
{
	return (struct field_run){
		.c = c,
		.record = {
			.type = (uint8_t)type,
			.cause = (uint8_t)cause,
			.db = c->db,
			.key = c->argv[1],
			.deadline = deadline_ms,
		},
		.items = items_scratch(c),
	};
}

void run_emit(struct field_run *run)
{
	if (run->items->size == 0)
		return;
	run->record.value = buf_slice(run->items);
	emit(run->c, &run->record);
	run->result += run->c->ks->result;
	run->items->size = 0;
}

bool run_meet(struct field_run *run, struct slice field)
{
	uint64_t hash = content_hash(field.data, field.size, 0);
	uint64_t bit = UINT64_C(1) << (hash & 63);
	bool emitted = run_cut(run);

	if (!emitted && (run->pending & bit) && run->items->size) {
		run_emit(run);
		emitted = true;
	}
	if (emitted)
		run->pending = 0;
	run->pending |= bit;
	return emitted;
}
