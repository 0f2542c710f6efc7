/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pending entries by age, in the tree of sorted sets: the score is the time,
 * which a double holds exactly, the member the ID, highest byte first.
 */
#include "types/stream_times.h"

#include "base/mem.h"
#include "types/zset_tree.h"

#include <assert.h>

#define ID_BYTES 16
#define MEMBER_SIZE (sizeof(struct zset_member) + 1 + ID_BYTES)

struct stream_times {
	struct zset_tree tree;
};

/* Writes the ID as a member has it. */
static void put_id(uint8_t *p, struct stream_id id)
{
	put_u64(p, __builtin_bswap64(id.ms));
	put_u64(p + 8, __builtin_bswap64(id.seq));
}

static struct stream_id id_of(const struct zset_member *m)
{
	struct reader in = reader_of(zset_member_bytes(m));
	struct stream_id id;

	id.ms = __builtin_bswap64(read_u64(&in));
	id.seq = __builtin_bswap64(read_u64(&in));
	return id;
}

static struct zset_member *member_new(const struct stream_pending *p)
{
	struct zset_member *m = mem_alloc(MEMBER_SIZE);

	m->score = (double)p->time_ms;
	m->rest[0] = ID_BYTES;
	put_id(m->rest + 1, p->id);
	return m;
}

struct stream_times *stream_times_new(const struct stream_group *g)
{
	size_t count = stream_pending_count(g), used = 0;
	struct stream_times *t = mem_calloc(1, sizeof(*t));
	struct zset_pair *pairs = mem_calloc(count + 1, sizeof(*pairs));
	struct zset_pair *spare = mem_calloc(count + 1, sizeof(*spare));
	struct stream_pending_cursor c;
	const struct stream_pending *p;

	stream_pending_seek(&c, g, NULL, (struct stream_id){ 0, 0 });
	while ((p = stream_pending_next(&c)) != NULL) {
		if (p->consumer == STREAM_NOBODY)
			continue;
		pairs[used].member = member_new(p);
		pairs[used].key = zset_key(pairs[used].member->score);
		used++;
	}
	if (used > 0)
		zset_tree_build(&t->tree, pairs, spare, used);
	mem_free(pairs);
	mem_free(spare);
	return t;
}

static const struct zset_leaf *first_leaf(const struct stream_times *t)
{
	unsigned index;

	return t->tree.count ? zset_tree_at(&t->tree, 0, &index) : NULL;
}

void stream_times_free(struct stream_times *t)
{
	const struct zset_leaf *leaf;
	unsigned i;

	for (leaf = first_leaf(t); leaf; leaf = leaf->next)
		for (i = 0; i < leaf->count; i++)
			mem_free(zset_leaf_member(leaf, i));
	zset_tree_free(&t->tree);
	mem_free(t);
}

void stream_times_add(struct stream_times *t, const struct stream_pending *p)
{
	zset_tree_insert(&t->tree, member_new(p));
}

void stream_times_remove(struct stream_times *t,
			 const struct stream_pending *p)
{
	const struct zset_leaf *leaf;
	struct zset_place place = {
		.key = zset_key((double)p->time_ms),
	};
	uint8_t bytes[ID_BYTES];
	struct zset_member *m;
	unsigned index;

	put_id(bytes, p->id);
	place.member = slice_of(bytes, sizeof(bytes));
	leaf = zset_tree_at(&t->tree, zset_tree_rank(&t->tree, &place),
			    &index);
	m = zset_leaf_member(leaf, index);
	assert(stream_id_equal(id_of(m), p->id));
	zset_tree_remove(&t->tree, m);
	mem_free(m);
}

void stream_times_until(const struct stream_times *t, uint64_t until_ms,
			uint64_t count, struct buf *ids)
{
	const struct zset_leaf *leaf;
	unsigned i;

	for (leaf = first_leaf(t); leaf; leaf = leaf->next) {
		for (i = 0; i < leaf->count; i++) {
			const struct zset_member *m = zset_leaf_member(leaf, i);
			struct stream_id id = id_of(m);

			if (count == 0 || m->score > (double)until_ms)
				return;
			buf_put(ids, &id, sizeof(id));
			count--;
		}
	}
}

size_t stream_times_count(const struct stream_times *t)
{
	return t->tree.count;
}

size_t stream_times_memory(const struct stream_times *t)
{
	return sizeof(*t) + zset_tree_memory(&t->tree) +
	       t->tree.count * MEMBER_SIZE;
}

void stream_times_check(const struct stream_times *t)
{
	zset_tree_check(&t->tree);
}
