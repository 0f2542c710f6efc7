/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The B+tree of sorted sets: searching and changing.
 *
 * T1. Codes in a leaf never fall: the code is a rising function of the score,
 *     cut off at both ends.  Members of equal codes are told apart by
 *     themselves.
 * T2. low[i] of an inner node is exactly the lowest member below child i: it
 *     must never be one that has been freed.
 * T3. Nodes of one parent are joined when both fit well into one; no node but
 *     an only root is empty.
 * T4. A leaf that grows at an end of the tree is left full when it splits, so
 *     that sets filled in order are dense.
 */
#include "types/zset_tree.h"

#include <assert.h>

#include "base/mem.h"
#include "types/zset_node.h"

#define LEAF_JOIN (LEAF_MAX * 3 / 4)
#define INNER_JOIN (INNER_MAX * 3 / 4)

/* A change on its way through the tree. */
struct change {
	struct zset_tree *tree;
	struct zset_member *member;
	struct zset_place place;
	bool lowest; /* what changed was the lowest of the node below */
};

/* --- leaves -------------------------------------------------------------- */

static struct zset_leaf *leaf_new(struct zset_tree *t)
{
	struct zset_leaf *leaf = mem_alloc(sizeof(*leaf));

	leaf->next = leaf->previous = NULL;
	leaf->base = 0;
	leaf->shift = 0;
	leaf->count = 0;
	t->leaf_count++;
	return leaf;
}

static void leaf_drop(struct zset_tree *t, struct zset_leaf *leaf)
{
	if (leaf->previous)
		leaf->previous->next = leaf->next;
	if (leaf->next)
		leaf->next->previous = leaf->previous;
	t->leaf_count--;
	mem_free(leaf);
}

/* Puts m at pos; codes of others change if its score is outside of what the
 * leaf's code covers. */
static void leaf_put(struct zset_leaf *leaf, unsigned pos,
		     struct zset_member *m, uint64_t key)
{
	if (key < leaf->base ||
	    (key - leaf->base) >> leaf->shift > ZSET_CODE_MAX)
		zset_leaf_stretch(leaf, key);
	memmove(leaf->refs + pos + 1, leaf->refs + pos,
		(leaf->count - pos) * sizeof(leaf->refs[0]));
	leaf->refs[pos] = zset_ref(leaf, m, key);
	leaf->count++;
}

/* Moves what is from `at` on to a new leaf behind this one. */
static struct zset_leaf *leaf_split(struct zset_tree *t, struct zset_leaf *leaf,
				    unsigned at)
{
	struct zset_leaf *right = leaf_new(t);

	right->count = (uint8_t)(leaf->count - at);
	memcpy(right->refs, leaf->refs + at,
	       right->count * sizeof(leaf->refs[0]));
	right->base = leaf->base;
	right->shift = leaf->shift;
	leaf->count = (uint8_t)at;
	right->next = leaf->next;
	right->previous = leaf;
	if (right->next)
		right->next->previous = right;
	leaf->next = right;
	zset_leaf_recode(leaf);
	zset_leaf_recode(right);
	return right;
}

/* Where a full leaf is cut for a member that goes to pos. (T4) */
static unsigned leaf_cut(const struct zset_leaf *leaf, unsigned pos)
{
	if (pos == LEAF_MAX && !leaf->next)
		return LEAF_MAX;
	if (pos == 0 && !leaf->previous)
		return 0;
	return LEAF_MAX / 2;
}

static struct zset_leaf *leaf_insert(struct change *c, struct zset_leaf *leaf)
{
	unsigned cut, pos = zset_leaf_find(leaf, &c->place);
	struct zset_leaf *right = NULL;

	c->lowest = pos == 0;
	if (leaf->count < LEAF_MAX) {
		leaf_put(leaf, pos, c->member, c->place.key);
		return NULL;
	}
	cut = leaf_cut(leaf, pos);
	right = leaf_split(c->tree, leaf, cut);
	if (pos > cut || cut == LEAF_MAX)
		leaf_put(right, pos - cut, c->member, c->place.key);
	else
		leaf_put(leaf, pos, c->member, c->place.key);
	return right;
}

static void leaf_remove(struct change *c, struct zset_leaf *leaf)
{
	unsigned pos = zset_leaf_find(leaf, &c->place);

	assert(pos < leaf->count);
	assert(zset_leaf_member(leaf, pos) == c->member);
	c->lowest = pos == 0;
	leaf->count--;
	memmove(leaf->refs + pos, leaf->refs + pos + 1,
		(leaf->count - pos) * sizeof(leaf->refs[0]));
}

static void leaf_join(struct zset_tree *t, struct zset_leaf *left,
		      struct zset_leaf *right)
{
	memcpy(left->refs + left->count, right->refs,
	       right->count * sizeof(left->refs[0]));
	left->count = (uint8_t)(left->count + right->count);
	leaf_drop(t, right);
	zset_leaf_recode(left);
}

/* --- inner nodes --------------------------------------------------------- */

static struct zset_inner *inner_new(struct zset_tree *t)
{
	struct zset_inner *node = mem_alloc(sizeof(*node));

	node->count = 0;
	t->inner_count++;
	return node;
}

static void inner_copy(struct zset_inner *to, unsigned at,
		       const struct zset_inner *from, unsigned first,
		       unsigned count)
{
	memmove(to->keys + at, from->keys + first, count * sizeof(to->keys[0]));
	memmove(to->low + at, from->low + first, count * sizeof(to->low[0]));
	memmove(to->children + at, from->children + first,
		count * sizeof(to->children[0]));
	memmove(to->counts + at, from->counts + first,
		count * sizeof(to->counts[0]));
}

/* Writes down child i, whatever it is now. */
static void inner_set(struct zset_inner *node, unsigned i, void *child,
		      unsigned depth)
{
	node->children[i] = child;
	node->counts[i] = zset_node_size(child, depth);
	node->low[i] = zset_node_low(child, depth);
	node->keys[i] = zset_key(node->low[i]->score);
}

static void inner_add(struct zset_inner *node, unsigned i, void *child,
		      unsigned depth)
{
	assert(node->count < INNER_MAX);
	inner_copy(node, i + 1, node, i, node->count - i);
	node->count++;
	inner_set(node, i, child, depth);
}

static void inner_take(struct zset_inner *node, unsigned i)
{
	node->count--;
	inner_copy(node, i, node, i + 1, node->count - i);
}

/* Adds a child to a full node: returns the new node to the right. */
static struct zset_inner *inner_split(struct zset_tree *t,
				      struct zset_inner *node, unsigned i,
				      void *child, unsigned depth)
{
	struct zset_inner *right = inner_new(t);
	unsigned cut = i == INNER_MAX ? INNER_MAX - 1 : INNER_MAX / 2;

	right->count = node->count - cut;
	inner_copy(right, 0, node, cut, right->count);
	node->count = cut;
	if (i > cut)
		inner_add(right, i - cut, child, depth);
	else
		inner_add(node, i, child, depth);
	return right;
}

/* Makes one of two nodes of this depth: the left one. */
static void node_join(struct zset_tree *t, void *left, void *right,
		      unsigned depth)
{
	struct zset_inner *a = left, *b = right;

	if (depth == 0) {
		leaf_join(t, left, right);
		return;
	}
	inner_copy(a, a->count, b, 0, b->count);
	a->count += b->count;
	t->inner_count--;
	mem_free(b);
}

static void node_drop(struct zset_tree *t, void *node, unsigned depth)
{
	if (depth == 0) {
		leaf_drop(t, node);
		return;
	}
	t->inner_count--;
	mem_free(node);
}

/* --- inserting ----------------------------------------------------------- */

/* Returns the node that has split off to the right, or NULL. */
static void *node_insert(struct change *c, void *node, unsigned depth)
{
	struct zset_inner *inner = node;
	unsigned i;
	void *right;

	if (depth == 0)
		return leaf_insert(c, node);
	i = zset_inner_find(inner, &c->place);
	right = node_insert(c, inner->children[i], depth - 1);
	if (__builtin_expect(!right, 1)) {
		inner->counts[i]++;
		if (!c->lowest)
			return NULL;
		inner->low[i] = c->member; /* T2 */
		inner->keys[i] = c->place.key;
		c->lowest = i == 0;
		return NULL;
	}
	inner_set(inner, i, inner->children[i], depth - 1);
	c->lowest = c->lowest && i == 0;
	if (inner->count < INNER_MAX) {
		inner_add(inner, i + 1, right, depth - 1);
		return NULL;
	}
	return inner_split(c->tree, inner, i + 1, right, depth - 1);
}

static struct zset_place place_of(const struct zset_member *m)
{
	return (struct zset_place){
		.key = zset_key(m->score),
		.member = zset_member_bytes(m),
	};
}

void zset_tree_insert(struct zset_tree *t, struct zset_member *m)
{
	struct change c = { t, m, place_of(m), false };
	struct zset_inner *root;
	void *right;

	if (!t->root)
		t->root = leaf_new(t);
	right = node_insert(&c, t->root, t->depth);
	t->count++;
	if (__builtin_expect(!right, 1))
		return;
	root = inner_new(t);
	inner_add(root, 0, t->root, t->depth);
	inner_add(root, 1, right, t->depth);
	t->root = root;
	t->depth++;
}

/* --- removing ------------------------------------------------------------ */

/* Joins child i with a neighbour if both fit well into one. (T3) */
static void inner_tidy(struct zset_tree *t, struct zset_inner *inner,
		       unsigned i, unsigned depth)
{
	unsigned most = depth ? INNER_JOIN : LEAF_JOIN;
	unsigned size = zset_node_width(inner->children[i], depth);

	if (size > most / 2)
		return;
	if (size == 0) {
		node_drop(t, inner->children[i], depth);
		inner_take(inner, i);
		return;
	}
	if (i > 0 && size + zset_node_width(inner->children[i - 1], depth) <=
			     most)
		i--;
	else if (i + 1 >= inner->count ||
		 size + zset_node_width(inner->children[i + 1], depth) > most)
		return;
	node_join(t, inner->children[i], inner->children[i + 1], depth);
	inner_take(inner, i + 1);
	inner_set(inner, i, inner->children[i], depth);
}

static void node_remove(struct change *c, void *node, unsigned depth)
{
	struct zset_inner *inner = node;
	unsigned i;
	void *child;

	if (depth == 0) {
		leaf_remove(c, node);
		return;
	}
	i = zset_inner_find(inner, &c->place);
	child = inner->children[i];
	node_remove(c, child, depth - 1);
	inner->counts[i]--;
	if (c->lowest && inner->counts[i] > 0) { /* T2 */
		inner->low[i] = zset_node_low(child, depth - 1);
		inner->keys[i] = zset_key(inner->low[i]->score);
	}
	c->lowest = c->lowest && i == 0;
	inner_tidy(c->tree, inner, i, depth - 1);
}

void zset_tree_remove(struct zset_tree *t, struct zset_member *m)
{
	struct change c = { t, m, place_of(m), false };

	node_remove(&c, t->root, t->depth);
	t->count--;
	while (t->depth > 0 && ((struct zset_inner *)t->root)->count == 1) {
		struct zset_inner *root = t->root;

		t->root = root->children[0];
		t->depth--;
		t->inner_count--;
		mem_free(root);
	}
	if (t->count > 0)
		return;
	assert(t->depth == 0);
	leaf_drop(t, t->root);
	t->root = NULL;
}
