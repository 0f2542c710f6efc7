/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/zset.h"

#include <assert.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/slab.h"
#include "types/zset_big.h"
#include "types/zset_packed.h"

static size_t packed_count_max = 128;
static size_t packed_member_max = 64;

void zset_limits(size_t count_max, size_t member_size_max)
{
	packed_count_max = count_max < ZSET_PACKED_COUNT_MAX
				   ? count_max : ZSET_PACKED_COUNT_MAX;
	packed_member_max = member_size_max;
}

struct zset *zset_big(const struct entry *e)
{
	return entry_encoding(e) == ENC_POINTER ? entry_pointer(e) : NULL;
}

/* The tree of a big one, which is made now if it was put off. */
static struct zset_tree *tree_of(struct zset *z)
{
	zset_big_order(z);
	return &z->tree;
}

/* --- changes ------------------------------------------------------------- */

struct entry *zset_new(struct slice key, uint64_t deadline_ms)
{
	return zset_packed_new(key, deadline_ms);
}

struct entry *zset_new_for(struct slice key, const uint64_t *hash_key,
			   size_t count)
{
	if (count <= packed_count_max)
		return zset_new(key, 0);
	return entry_new_pointer(VALUE_zset, key, 0,
				 zset_big_new(hash_key, count));
}

/* Whether these can be packed, but for members that come twice. */
static bool all_fit_packed(const struct zset_item *items, size_t count)
{
	size_t i, size = ZSET_PACKED_HEAD;

	if (count > packed_count_max)
		return false;
	for (i = 0; i < count; i++) {
		if (items[i].member.size > packed_member_max)
			return false;
		size += items[i].member.size + ZSET_PACKED_MORE_MAX;
	}
	return size < ZSET_PACKED_SIZE_MAX;
}

#define DISTINCT_MAX 256 /* items that are looked at for doubles */

static bool are_distinct(const struct zset_item *items, size_t count,
			 uint64_t seed)
{
	uint16_t cells[4 * DISTINCT_MAX] = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		struct slice s = items[i].member;
		uint64_t at = content_hash(s.data, s.size, seed);

		for (; cells[at % ARRAY_LEN(cells)]; at++)
			if (slice_equal(s, items[cells[at % ARRAY_LEN(cells)] -
						 1].member))
				return false;
		cells[at % ARRAY_LEN(cells)] = (uint16_t)(i + 1);
	}
	return true;
}

static int compare_items(const void *a, const void *b)
{
	const struct zset_item *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return zset_compare_bytes(x->member, y->member);
}

struct entry *zset_of(struct slice key, const uint64_t *hash_key,
		      struct zset_item *items, size_t count)
{
	if (!all_fit_packed(items, count))
		return entry_new_pointer(VALUE_zset, key, 0,
					 zset_big_of(hash_key, items, count));
	if (count > DISTINCT_MAX || !are_distinct(items, count, hash_key[0]))
		return NULL;
	qsort(items, count, sizeof(*items), compare_items);
	return zset_packed_of(key, items, count);
}

static bool fits_packed(struct slice blob, const struct zset_item *item,
			const struct zset_spot *spot)
{
	if (item->member.size > packed_member_max && !spot->found)
		return false;
	return zset_packed_count(blob) + !spot->found <= packed_count_max &&
	       blob.size + item->member.size < ZSET_PACKED_SIZE_MAX;
}

static struct entry *make_big(struct entry *e, const uint64_t *hash_key)
{
	struct slice blob = entry_blob(e);
	const uint8_t *p = blob.data + ZSET_PACKED_HEAD;
	const uint8_t *end = blob.data + blob.size;
	struct zset *z = zset_big_new(hash_key, 0);

	while (p < end) {
		struct zset_item item;

		p = zset_packed_next(p, &item);
		zset_big_add(z, &item);
	}
	return entry_to_pointer(e, z);
}

struct entry *zset_add(struct entry *e, const uint64_t *hash_key,
		       const struct zset_item *item, bool *added)
{
	struct zset *z = zset_big(e);
	struct zset_spot spot;

	if (z) {
		*added = zset_big_add(z, item);
		return e;
	}
	spot = zset_packed_find(entry_blob(e), item->member);
	*added = !spot.found;
	if (fits_packed(entry_blob(e), item, &spot))
		return zset_packed_put(e, item, &spot);
	e = make_big(e, hash_key);
	zset_big_add(zset_big(e), item);
	return e;
}

struct entry *zset_remove(struct entry *e, struct slice member, bool *removed)
{
	struct zset *z = zset_big(e);
	struct zset_spot spot;

	if (z) {
		*removed = zset_big_remove(z, member);
		return e;
	}
	spot = zset_packed_find(entry_blob(e), member);
	*removed = spot.found;
	return spot.found ? zset_packed_take(e, &spot) : e;
}

/* --- questions ----------------------------------------------------------- */

size_t zset_count(const struct entry *e)
{
	struct zset *z = zset_big(e);

	return z ? z->members.count : zset_packed_count(entry_blob(e));
}

bool zset_score(const struct entry *e, struct slice member, double *score)
{
	struct zset *z = zset_big(e);
	struct zset_member *m;
	struct zset_spot spot;

	if (z) {
		m = zset_big_find(z, member);
		if (m)
			*score = m->score;
		return m != NULL;
	}
	spot = zset_packed_find(entry_blob(e), member);
	if (spot.found)
		*score = spot.score;
	return spot.found;
}

bool zset_rank(const struct entry *e, struct slice member, size_t *rank,
	       double *score)
{
	struct zset *z = zset_big(e);
	struct zset_place place = { .member = member };
	struct zset_spot spot;

	if (z) {
		if (!zset_score(e, member, score))
			return false;
		place.key = zset_key(*score);
		*rank = zset_tree_rank(tree_of(z), &place);
		return true;
	}
	spot = zset_packed_find(entry_blob(e), member);
	if (spot.found) {
		*rank = spot.rank;
		*score = spot.score;
	}
	return spot.found;
}

static size_t rank_of_place(const struct entry *e, const struct zset_place *p)
{
	struct zset *z = zset_big(e);

	return z ? zset_tree_rank(tree_of(z), p)
		 : zset_packed_rank(entry_blob(e), p);
}

size_t zset_rank_of_score(const struct entry *e, double score, bool equal)
{
	struct zset_place place = { .key = zset_key(score), .whole = true,
				    .behind = equal };

	return rank_of_place(e, &place);
}

size_t zset_rank_of_member(const struct entry *e, struct slice member,
			   bool equal)
{
	struct zset_place place = { .unkeyed = true, .member = member,
				    .behind = equal };

	return rank_of_place(e, &place);
}

const char *zset_encoding_name(const struct entry *e)
{
	return zset_big(e) ? "skiplist" : "listpack";
}

/* --- iteration ----------------------------------------------------------- */

static void seek_big(struct zset_iter *it, struct zset *z, size_t rank)
{
	const struct zset_tree *t = tree_of(z);

	it->leaf = NULL;
	it->index = 0;
	if (t->count == 0)
		return;
	if (rank < t->count) {
		it->leaf = zset_tree_at(t, rank, &it->index);
		return;
	}
	it->leaf = zset_tree_at(t, rank - 1, &it->index);
	it->index++;
}

void zset_seek(struct zset_iter *it, const struct entry *e, size_t rank)
{
	struct zset *z = zset_big(e);
	struct zset_item item;
	size_t i;

	assert(rank <= zset_count(e));
	it->e = e;
	it->rank = rank;
	it->window = SIZE_MAX;
	if (z) {
		it->at = NULL;
		seek_big(it, z, rank);
		return;
	}
	it->at = entry_blob(e).data + ZSET_PACKED_HEAD;
	for (i = 0; i < rank; i++)
		it->at = zset_packed_next(it->at, &item);
}

static void item_at(const struct zset_iter *it, struct zset_item *out)
{
	const struct zset_member *m = zset_leaf_member(it->leaf, it->index);

	out->score = m->score;
	out->member = zset_member_bytes(m);
}

bool zset_next(struct zset_iter *it, struct zset_item *out)
{
	struct slice blob;

	if (!it->at) {
		if (it->leaf && it->index == it->leaf->count) {
			if (!it->leaf->next)
				return false;
			it->leaf = it->leaf->next;
			it->index = 0;
		}
		if (!it->leaf)
			return false;
		item_at(it, out);
		it->index++;
		it->rank++;
		return true;
	}
	blob = entry_blob(it->e);
	if (it->at == blob.data + blob.size)
		return false;
	it->at = zset_packed_next(it->at, out);
	it->rank++;
	it->window = SIZE_MAX;
	return true;
}

/* Notes where the packed members before the place begin, as many as there is
 * room for. */
static void fill_window(struct zset_iter *it)
{
	const uint8_t *start = entry_blob(it->e).data;
	const uint8_t *p = start + ZSET_PACKED_HEAD;
	struct zset_item item;
	size_t i;

	it->window = it->rank > ZSET_WINDOW ? it->rank - ZSET_WINDOW : 0;
	for (i = 0; i < it->rank; i++) {
		if (i >= it->window)
			it->offsets[i - it->window] = (uint32_t)(p - start);
		p = zset_packed_next(p, &item);
	}
}

bool zset_previous(struct zset_iter *it, struct zset_item *out)
{
	if (it->rank == 0)
		return false;
	if (!it->at) {
		if (it->index == 0) {
			it->leaf = it->leaf->previous;
			it->index = it->leaf->count;
		}
		it->index--;
		it->rank--;
		item_at(it, out);
		return true;
	}
	if (it->window == SIZE_MAX || it->rank <= it->window ||
	    it->rank > it->window + ZSET_WINDOW)
		fill_window(it);
	it->rank--;
	it->at = entry_blob(it->e).data + it->offsets[it->rank - it->window];
	zset_packed_next(it->at, out);
	return true;
}

/* --- the whole ----------------------------------------------------------- */

size_t zset_memory(const struct entry *e)
{
	struct zset *z = zset_big(e);

	return slab_usable(e, entry_size(e)) + (z ? zset_big_memory(z) : 0);
}

struct entry *zset_copy(const struct entry *e, struct slice key,
			uint64_t deadline_ms)
{
	struct zset *z = zset_big(e);
	struct entry *copy;
	struct slice blob;
	uint8_t *bytes;

	if (z)
		return entry_new_pointer(VALUE_zset, key, deadline_ms,
					 zset_big_copy(z));
	blob = entry_blob(e);
	copy = entry_new_blob(VALUE_zset, key, deadline_ms, blob.size, &bytes);
	put_bytes(bytes, blob.data, blob.size);
	return copy;
}

void zset_free(struct entry *e)
{
	struct zset *z = zset_big(e);

	if (z)
		zset_big_free(z);
	entry_free(e);
}

void zset_check(const struct entry *e)
{
	struct zset *z = zset_big(e);

	if (z)
		zset_big_check(z);
	else
		zset_packed_check(entry_blob(e));
}
