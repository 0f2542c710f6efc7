/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets: members that come, go and are asked for.
 *
 * I1. Only what changes something is emitted: members that are there are not
 *     added, others not removed.  One that is named twice in a command stands
 *     twice in the record; apply counts it once.
 */
#include "engine/cmd_set.h"

#include "engine/items.h"
#include "engine/scan.h"
#include "types/set.h"

/* How much of items goes into one record: whole ones, ITEMS_SIZE_MAX or a
 * little more. */
static struct slice first_part(struct slice items)
{
	struct reader in = reader_of(items);

	while (reader_left(&in) && in.at < items.data + ITEMS_SIZE_MAX)
		read_string(&in);
	return slice_of(items.data, (size_t)(in.at - items.data));
}

size_t emit_set_items(struct cmd *c, struct record *r, struct slice items)
{
	size_t changed;

	if (items.size <= ITEMS_SIZE_MAX) {
		r->value = items;
		emit(c, r);
		return c->ks->result;
	}
	for (changed = 0; items.size > 0; changed += c->ks->result) {
		r->value = first_part(items);
		items = slice_of(items.data + r->value.size,
				 items.size - r->value.size);
		/* doubles are left over when the last member has gone */
		if (r->type == REC_set_del &&
		    !keyspace_find(c->ks, r->db, r->key))
			break;
		emit(c, r);
	}
	return changed;
}

void reply_items(struct cmd *c, struct slice items)
{
	struct reader in = reader_of(items);

	while (reader_left(&in))
		reply_bulk(c, read_string(&in));
}

/* Emits r for those arguments from argv[2] on of which being a member is
 * `present` (I1), and replies how many were changed. */
static void change_members(struct cmd *c, const struct entry *e,
			   struct record *r, bool present)
{
	struct buf *items = items_scratch(c);
	unsigned i, count = 0;

	r->db = c->db;
	r->key = c->argv[1];
	for (i = 2; i < c->argc; i++) {
		struct set_member m = { .bytes = c->argv[i] };

		if ((e && set_find(e, &m)) != present)
			continue;
		items_put(items, m.bytes);
		r->item_hash = m.hash;
		count++;
	}
	if (count != 1)
		r->item_hash = 0;
	reply_i64(c, count == 0 ? 0 :
				  (int64_t)emit_set_items(c, r,
							  buf_slice(items)));
}

/* SADD key member [member ...]. */
void cmd_sadd(struct cmd *c)
{
	struct record r = { .type = REC_set_add, .cause = CAUSE_sadd };
	const struct entry *e;

	if (lookup_typed_write(c, c->argv[1], VALUE_set, &e))
		change_members(c, e, &r, false);
}

/* SREM key member [member ...]. */
void cmd_srem(struct cmd *c)
{
	struct record r = { .type = REC_set_del, .cause = CAUSE_srem };
	const struct entry *e;

	if (lookup_typed_write(c, c->argv[1], VALUE_set, &e))
		change_members(c, e, &r, true);
}

/* SMOVE source destination member. */
void cmd_smove(struct cmd *c)
{
	struct record r = { .type = REC_set_del, .cause = CAUSE_srem,
			    .db = c->db, .key = c->argv[1] };
	struct set_member m = { .bytes = c->argv[3] };
	const struct entry *from, *to;
	struct buf *items;
	bool new;

	if (!lookup_typed_write(c, c->argv[1], VALUE_set, &from))
		return;
	if (!from) {
		reply_i64(c, 0);
		return;
	}
	if (!lookup_typed_write(c, c->argv[2], VALUE_set, &to))
		return;
	if (!set_find(from, &m) || from == to) {
		reply_i64(c, set_find(from, &m));
		return;
	}
	new = !to || !set_find(to, &m);
	items = items_scratch(c);
	items_put(items, m.bytes);
	emit_set_items(c, &r, buf_slice(items));
	if (new) {
		r.type = REC_set_add;
		r.cause = CAUSE_sadd;
		r.key = c->argv[2];
		emit_set_items(c, &r, buf_slice(items));
	}
	reply_i64(c, 1);
}

/* SISMEMBER key member. */
void cmd_sismember(struct cmd *c)
{
	const struct entry *e;

	if (lookup_typed(c, c->argv[1], VALUE_set, &e))
		reply_i64(c, e && set_has(e, c->argv[2]));
}

/* SMISMEMBER key member [member ...]. */
void cmd_smismember(struct cmd *c)
{
	const struct entry *e;
	unsigned i;

	if (!lookup_typed(c, c->argv[1], VALUE_set, &e))
		return;
	reply_array(c, c->argc - 2);
	for (i = 2; i < c->argc; i++)
		reply_i64(c, e && set_has(e, c->argv[i]));
}

/* SCARD key. */
void cmd_scard(struct cmd *c)
{
	const struct entry *e;

	if (lookup_typed(c, c->argv[1], VALUE_set, &e))
		reply_i64(c, e ? (int64_t)set_count(e) : 0);
}

/* SMEMBERS key. */
void cmd_smembers(struct cmd *c)
{
	struct set_iterator it;
	const struct entry *e;
	struct slice s;

	if (!lookup_typed(c, c->argv[1], VALUE_set, &e))
		return;
	reply_set(c, e ? set_count(e) : 0);
	if (!e)
		return;
	set_iterate(&it, e);
	while (set_next(&it, &s))
		reply_bulk(c, s);
}

/* What SSCAN has found. */
struct found {
	const struct scan_options *o;
	struct buf items;
	size_t count;
};

static void found_put(struct found *f, struct slice s)
{
	if (!scan_match(f->o, s))
		return;
	items_put(&f->items, s);
	f->count++;
}

static void found_visit(void *ctx, void *member)
{
	char scratch[NUM_I64_SIZE];

	found_put(ctx, set_member_bytes(member, scratch));
}

/* SSCAN key cursor [MATCH pattern] [COUNT count]. */
void cmd_sscan(struct cmd *c)
{
	struct scan_options o;
	struct found f = { .o = &o };
	struct set_iterator it;
	const struct entry *e;
	uint64_t cursor = 0;
	struct slice s;

	if (!scan_open(c, VALUE_set, 0, &o, &e))
		return;
	if (set_members(e)) {
		cursor = scan_walk(set_members(e), &o, found_visit, &f);
	} else if (!o.ended) {
		set_iterate(&it, e);
		while (set_next(&it, &s))
			found_put(&f, s);
	}
	reply_scan(c, cursor);
	reply_array(c, f.count);
	reply_items(c, buf_slice(&f.items));
	buf_release(&f.items);
}
