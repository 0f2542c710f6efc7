/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Big sorted sets.
 *
 * B1. Members are in the table; while `ordered`, the same ones are in the tree.
 *     Without order the set is in the line of `unordered`: while everything is
 *     loaded, or made at once and not yet asked for its order.
 * B2. A member keeps its place in memory for as long as it is in the set.
 * B3. Before a member is added, changed or removed, a walk of the table sees
 *     its bucket: table_walk_touch.
 */
#include "types/zset_big.h"

#include <assert.h>

#include "base/checksum.h"
#include "base/grave.h"
#include "base/mem.h"
#include "base/reaper.h"
#include "base/slab.h"
#include "types/table_inline.h"

#define FREE_AT_ONCE_LEAVES 16
#define PURGE_LEAVES 8192 /* 4 MB: not left to the allocator's patience */

static struct zset *unordered; /* B1 */
static bool loading;

static uint64_t hash_of_member(const void *ctx, const void *entry)
{
	struct slice s = zset_member_bytes(entry);

	return siphash13(s.data, s.size, ctx);
}

static bool member_is(const void *entry, const void *key)
{
	return slice_equal(zset_member_bytes(entry),
			   *(const struct slice *)key);
}

static size_t member_size(size_t bytes)
{
	return sizeof(struct zset_member) + varint_size(bytes) + bytes;
}

static struct zset_member *member_new(struct zset *z,
				      const struct zset_item *item)
{
	size_t size = member_size(item->member.size);
	struct zset_member *m = slab_alloc(size);

	m->score = item->score;
	put_bytes(put_varint(m->rest, item->member.size), item->member.data,
		  item->member.size);
	z->member_bytes += slab_usable(m, size);
	return m;
}

/* --- order --------------------------------------------------------------- */

static void line_join(struct zset *z)
{
	z->previous = NULL;
	z->next = unordered;
	if (unordered)
		unordered->previous = z;
	unordered = z;
}

static void line_leave(struct zset *z)
{
	if (z->previous)
		z->previous->next = z->next;
	else
		unordered = z->next;
	if (z->next)
		z->next->previous = z->previous;
	z->next = z->previous = NULL;
}

struct zset *zset_big_new(const uint64_t *hash_key, size_t count)
{
	struct zset *z = mem_calloc(1, sizeof(*z));

	z->hash_key = hash_key;
	table_init(&z->members, hash_of_member, hash_key);
	if (count)
		table_reserve(&z->members, count);
	z->ordered = !loading;
	if (!z->ordered)
		line_join(z);
	return z;
}

static void collect_pair(void *ctx, void *entry)
{
	struct zset_pair **next = ctx;
	struct zset_member *m = entry;

	*(*next)++ = (struct zset_pair){ zset_key(m->score), m };
}

void zset_big_order(struct zset *z)
{
	size_t count = z->members.count;
	struct zset_pair *pairs, *spare, *next;
	uint64_t position = 0;

	if (z->ordered)
		return;
	line_leave(z);
	z->ordered = true;
	pairs = mem_realloc_array(NULL, count + 1, sizeof(*pairs));
	spare = mem_realloc_array(NULL, count + 1, sizeof(*spare));
	next = pairs;
	do
		position = table_scan(&z->members, position, collect_pair,
				      &next);
	while (position);
	assert(next == pairs + count);
	zset_tree_build(&z->tree, pairs, spare, count);
	mem_free(spare);
	mem_free(pairs);
}

void zset_loading(bool on)
{
	loading = on;
	while (!on && unordered)
		zset_big_order(unordered);
}

/* --- members ------------------------------------------------------------- */

/* Looks member up, or remembers it. */
static struct table_ref find(struct zset *z, struct slice member,
			     uint64_t *hash)
{
	struct zset_memo *m = &z->memo;

	if (m->valid && m->size == member.size &&
	    memcmp(m->bytes, member.data, m->size) == 0) {
		*hash = m->hash;
		return m->ref;
	}
	m->hash = siphash13(member.data, member.size, z->hash_key);
	m->ref = table_find_inline(&z->members, m->hash, member_is, &member);
	m->valid = member.size <= ZSET_MEMO_MAX && member.size > 0;
	if (m->valid) {
		m->size = (uint8_t)member.size;
		memcpy(m->bytes, member.data, member.size);
	}
	*hash = m->hash;
	return m->ref;
}

struct zset_member *zset_big_find(struct zset *z, struct slice member)
{
	uint64_t hash;
	struct table_ref ref = find(z, member, &hash);

	return ref.slot ? table_ref_entry(ref) : NULL;
}

static void set_score(struct zset *z, struct zset_member *m, double score,
		      uint64_t hash)
{
	if (memcmp(&m->score, &score, sizeof(score)) == 0)
		return;
	table_walk_touch(&z->members, hash); /* B3 */
	if (!z->ordered) {
		m->score = score;
		return;
	}
	zset_tree_remove(&z->tree, m);
	m->score = score;
	zset_tree_insert(&z->tree, m);
}

bool zset_big_add(struct zset *z, const struct zset_item *item)
{
	uint64_t hash;
	struct table_ref ref = find(z, item->member, &hash);
	struct zset_member *m;

	if (ref.slot) {
		set_score(z, table_ref_entry(ref), item->score, hash);
		return false;
	}
	table_walk_touch(&z->members, hash); /* B3 */
	z->memo.valid = false;
	m = member_new(z, item);
	table_insert(&z->members, hash, m);
	if (z->ordered)
		zset_tree_insert(&z->tree, m);
	return true;
}

static void member_free(void *ctx, void *entry)
{
	(void)ctx;
	slab_free(entry, member_size(zset_member_bytes(entry).size));
}

struct zset *zset_big_of(const uint64_t *hash_key,
			 const struct zset_item *items, size_t count)
{
	struct zset *z = zset_big_new(hash_key, count);
	size_t i;

	if (z->ordered) {
		z->ordered = false;
		line_join(z);
	}
	for (i = 0; i < count; i++)
		zset_big_add(z, &items[i]);
	return z;
}

bool zset_big_remove(struct zset *z, struct slice member)
{
	uint64_t hash;
	struct table_ref ref = find(z, member, &hash);
	struct zset_member *m;

	if (!ref.slot)
		return false;
	table_walk_touch(&z->members, hash); /* B3 */
	z->memo.valid = false;
	m = table_ref_entry(ref);
	if (z->ordered)
		zset_tree_remove(&z->tree, m);
	table_remove(&z->members, hash, ref);
	z->member_bytes -= slab_usable(m, member_size(member.size));
	member_free(NULL, m);
	return true;
}

/* --- the whole ----------------------------------------------------------- */

static void copy_member(void *ctx, void *entry)
{
	struct zset *to = ctx;
	struct zset_member *m = entry;
	struct zset_item item = { m->score, zset_member_bytes(m) };

	table_insert(&to->members, hash_of_member(to->hash_key, m),
		     member_new(to, &item));
}

struct zset *zset_big_copy(struct zset *z)
{
	struct zset *to = zset_big_new(z->hash_key, z->members.count);
	uint64_t position = 0;

	if (to->ordered) {
		to->ordered = false;
		line_join(to);
	}
	do
		position = table_scan(&z->members, position, copy_member, to);
	while (position);
	if (!loading)
		zset_big_order(to);
	return to;
}

size_t zset_big_memory(const struct zset *z)
{
	return sizeof(*z) + table_memory(&z->members) + z->member_bytes +
	       zset_tree_memory(&z->tree);
}

static void tree_destroy(void *p)
{
	struct zset_tree *t = p;
	bool purge = t->leaf_count >= PURGE_LEAVES;

	zset_tree_free(t);
	mem_free(t);
	if (purge)
		mem_purge();
}

/* The tree's nodes are few big blocks, which any thread may free. */
static void free_tree(struct zset *z)
{
	struct zset_tree *t;

	if (z->tree.leaf_count <= FREE_AT_ONCE_LEAVES) {
		zset_tree_free(&z->tree);
		return;
	}
	t = mem_alloc(sizeof(*t));
	*t = z->tree;
	z->tree = (struct zset_tree){ 0 };
	reaper_free(tree_destroy, t);
}

static bool take_apart(void *p, unsigned work)
{
	struct zset *z = p;
	size_t until = z->members.count > work ? z->members.count - work : 0;

	while (table_release_step(&z->members, &z->position, member_free,
				  NULL))
		if (z->members.count <= until)
			return true;
	mem_free(z);
	return false;
}

static void bury(struct zset *z)
{
	if (!z->ordered)
		line_leave(z);
	free_tree(z);
	grave_add(take_apart, z, z->members.count);
}

void zset_big_free(struct zset *z)
{
	assert(!z->abandoned);
	if (z->held)
		z->abandoned = true;
	else
		bury(z);
}

void zset_big_release(struct zset *z)
{
	assert(z->held);
	z->held = false;
	if (z->abandoned)
		bury(z);
}

/* --- checks -------------------------------------------------------------- */

static void check_member(void *ctx, void *entry)
{
	struct zset *z = ctx;
	struct zset_member *m = entry;
	struct slice member = zset_member_bytes(m);
	struct zset_place p = { .key = zset_key(m->score), .member = member };
	unsigned index;

	z->position += slab_usable(m, member_size(member.size));
	if (z->ordered) {
		size_t rank = zset_tree_rank(&z->tree, &p);
		const struct zset_leaf *leaf =
			zset_tree_at(&z->tree, rank, &index);

		assert(zset_leaf_member(leaf, index) == m);
	}
}

void zset_big_check(const struct zset *z)
{
	struct zset *sums = (struct zset *)z; /* position is free for it */
	uint64_t position = 0;

	table_check(&z->members);
	if (z->ordered) {
		zset_tree_check(&z->tree);
		assert(z->tree.count == z->members.count);
	}
	sums->position = 0;
	do
		position = table_scan(&z->members, position, check_member,
				      sums);
	while (position);
	assert(sums->position == z->member_bytes);
	sums->position = 0;
}
