/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SORT and SORT_RO.
 *
 *   parse ─► load the elements ─► weigh ─► sort ─► tell, or store
 *
 * I1. Elements and weights are copied before anything is emitted: the target
 *     may be the source.
 * I2. The order is total and depends on bytes alone, not on a locale: equal
 *     weights are ordered by the elements, then as they were.
 * I3. Keys named by patterns are looked up like any other: the reply waits for
 *     their last write, too.
 */
#include "engine/cmd_sort.h"

#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "engine/items.h"
#include "engine/list_emit.h"
#include "engine/string_value.h"
#include "types/hash.h"
#include "types/set.h"
#include "types/zset.h"

/* When no more than this part is wanted, the others are not sorted. */
#define SELECT_SHARE 8

struct sort_options {
	bool descending, alpha, store;
	bool by;        /* weights are found by by_pattern */
	bool unsorted;  /* as they come */
	int64_t offset; /* LIMIT */
	int64_t count;  /* -1: all */
	struct slice by_pattern, target;
	unsigned get_count; /* GET patterns: arguments, found again */
};

/* Bytes in the arena: their place moves while it grows. */
struct piece {
	size_t offset;
	size_t size;
};

struct element {
	struct piece bytes;
	struct piece weight; /* ALPHA with BY */
	bool weighed;        /* there was something to weigh by */
	double score;
	size_t index; /* as they came */
};

struct sorting {
	struct cmd *c;
	const struct sort_options *o;
	struct buf arena;
	struct buf elements; /* of struct element */
	struct buf key;      /* scratch: what a pattern names */
	size_t count;
};

/* --- options -------------------------------------------------------------- */

/* One option at index i: how many arguments it takes, 0 after an error. */
static unsigned parse_option(struct cmd *c, unsigned i, bool may_store,
			     struct sort_options *o)
{
	unsigned left = c->argc - i - 1;

	if (arg_is(c, i, "asc") || arg_is(c, i, "desc")) {
		o->descending = arg_is(c, i, "desc");
		return 1;
	}
	if (arg_is(c, i, "alpha")) {
		o->alpha = true;
		return 1;
	}
	if (arg_is(c, i, "limit") && left >= 2)
		return arg_i64(c, i + 1, &o->offset) &&
		       arg_i64(c, i + 2, &o->count) ? 3 : 0;
	if (arg_is(c, i, "store") && left >= 1 && may_store) {
		o->store = true;
		o->target = c->argv[i + 1];
		return 2;
	}
	if (arg_is(c, i, "by") && left >= 1) {
		o->by_pattern = c->argv[i + 1];
		o->unsorted = !memchr(o->by_pattern.data, '*',
				      o->by_pattern.size);
		o->by = !o->unsorted;
		return 2;
	}
	if (arg_is(c, i, "get") && left >= 1) {
		o->get_count++;
		return 2;
	}
	reply_syntax_error(c);
	return 0;
}

static bool parse_options(struct cmd *c, bool may_store,
			  struct sort_options *o)
{
	unsigned i, taken;

	*o = (struct sort_options){ .count = -1 };
	for (i = 2; i < c->argc; i += taken) {
		taken = parse_option(c, i, may_store, o);
		if (taken == 0)
			return false;
	}
	return true;
}

/* How many arguments an option takes: the options of a call that was found
 * good, or may be anything. */
static unsigned option_size(struct slice word)
{
	if (slice_is(word, "limit"))
		return 3;
	return slice_is(word, "store") || slice_is(word, "by") ||
	       slice_is(word, "get") ? 2 : 1;
}

int keys_sort(const struct slice *argv, unsigned argc, unsigned *out)
{
	unsigned i;
	int count = 1;

	out[0] = 1;
	for (i = 2; i < argc; i += option_size(argv[i])) {
		if (!slice_is(argv[i], "store") || i + 1 >= argc)
			continue;
		out[1] = i + 1; /* the last one counts */
		count = 2;
	}
	return count;
}

int keys_sort_ro(const struct slice *argv, unsigned argc, unsigned *out)
{
	(void)argv;
	(void)argc;
	out[0] = 1;
	return 1;
}

/* --- loading -------------------------------------------------------------- */

static struct piece keep(struct sorting *s, struct slice bytes)
{
	struct piece p = { s->arena.size, bytes.size };

	buf_put_slice(&s->arena, bytes);
	return p;
}

static struct slice bytes_of(const struct sorting *s, struct piece p)
{
	if (p.size == 0) /* perhaps there is no arena */
		return slice_of("", 0);
	return slice_of(s->arena.data + p.offset, p.size);
}

static struct element *element_at(const struct sorting *s, size_t index)
{
	return (struct element *)s->elements.data + index;
}

static void add(struct sorting *s, struct slice bytes)
{
	struct element e = { .bytes = keep(s, bytes), .index = s->count++ };

	buf_put(&s->elements, &e, sizeof(e));
}

static uint64_t size_of(const struct entry *e)
{
	if (entry_type(e) == VALUE_list)
		return list_count(e);
	return entry_type(e) == VALUE_set ? set_count(e) : zset_count(e);
}

/* LIMIT as a range of `count` elements: from *begin to before *end. */
static void limits(const struct sort_options *o, uint64_t count,
		   uint64_t *begin, uint64_t *end)
{
	*begin = o->offset < 0 ? 0 : (uint64_t)o->offset;
	if (*begin > count)
		*begin = count;
	*end = count;
	if (o->count >= 0 && (uint64_t)o->count < count - *begin)
		*end = *begin + (uint64_t)o->count;
}

static void load_list(struct sorting *s, const struct entry *e, uint64_t begin,
		      uint64_t end)
{
	struct list_cursor cursor;
	struct slice bytes;

	list_seek(&cursor, e, begin);
	for (; begin < end && list_next(&cursor, &bytes); begin++)
		add(s, bytes);
}

static void load_set(struct sorting *s, const struct entry *e, uint64_t begin,
		     uint64_t end)
{
	struct set_iterator it;
	struct slice bytes;
	uint64_t i;

	set_iterate(&it, e);
	for (i = 0; i < end && set_next(&it, &bytes); i++)
		if (i >= begin)
			add(s, bytes);
}

static void load_zset(struct sorting *s, const struct entry *e, uint64_t begin,
		      uint64_t end)
{
	bool back = s->o->descending;
	struct zset_iter it;
	struct zset_item item;

	zset_seek(&it, e, back ? zset_count(e) - begin : begin);
	for (; begin < end; begin++) {
		if (back)
			zset_previous(&it, &item);
		else
			zset_next(&it, &item);
		add(s, item.member);
	}
}

/* Loads all elements; as they come: those within the limits. */
static void load(struct sorting *s, const struct entry *e)
{
	uint64_t begin = 0, end = size_of(e);
	size_t size;

	if (s->o->unsorted)
		limits(s->o, end, &begin, &end);
	if (size_mul(end - begin, sizeof(struct element), &size))
		buf_reserve(&s->elements, size);
	if (entry_type(e) == VALUE_list)
		load_list(s, e, begin, end);
	else if (entry_type(e) == VALUE_set)
		load_set(s, e, begin, end);
	else
		load_zset(s, e, begin, end);
}

/* --- patterns ------------------------------------------------------------- */

/* Where "->field" begins in what is behind the star; the end if there is none
 * (no field, or an empty one). */
static size_t field_begin(struct slice behind)
{
	size_t i;

	for (i = 0; i + 2 < behind.size; i++)
		if (behind.data[i] == '-' && behind.data[i + 1] == '>')
			return i;
	return behind.size;
}

static bool read_field(struct cmd *c, const struct entry *e,
		       struct slice field, struct buf *out)
{
	struct hash_item item;

	if (entry_type(e) != VALUE_hash || !hash_find(e, field, &item))
		return false;
	if (item.deadline_ms && item.deadline_ms <= c->now_ms)
		return false;
	buf_put_slice(out, item.value);
	return true;
}

static bool read_string_value(const struct entry *e, struct buf *out)
{
	size_t size = (size_t)str_size(e);

	str_copy_out(e, 0, size, buf_reserve(out, size));
	out->size += size;
	return true;
}

/* Appends to out what the pattern names for an element: the element itself, a
 * string, or a field of a hash. False: nothing is there. (I3) */
static bool find_by(struct sorting *s, struct slice pattern,
		    struct piece element, struct buf *out)
{
	const uint8_t *star = memchr(pattern.data, '*', pattern.size);
	struct slice bytes = bytes_of(s, element), behind;
	const struct entry *e;
	size_t field;

	if (slice_is(pattern, "#")) {
		buf_put_slice(out, bytes);
		return true;
	}
	if (!star)
		return false;
	behind = slice_of(star + 1,
			  pattern.size - (size_t)(star + 1 - pattern.data));
	field = field_begin(behind);
	s->key.size = 0;
	buf_put(&s->key, pattern.data, (size_t)(star - pattern.data));
	buf_put_slice(&s->key, bytes);
	buf_put(&s->key, behind.data, field);
	e = lookup_read(s->c, buf_slice(&s->key));
	if (!e)
		return false;
	if (field < behind.size)
		return read_field(s->c, e,
				  slice_of(behind.data + field + 2,
					   behind.size - field - 2), out);
	return entry_type(e) == VALUE_string && read_string_value(e, out);
}

/* --- sorting -------------------------------------------------------------- */

/* The number that an element is compared by: blanks may stand before it, and
 * nothing at all is 0. One too near to 0 for all its digits is none. */
static bool score_of(struct slice text, double *score)
{
	*score = 0;
	if (text.size == 0)
		return true;
	while (text.size && ascii_blank(text.data[0]))
		text = slice_of(text.data + 1, text.size - 1);
	return num_parse_double(text, score) && !isnan(*score) &&
	       fpclassify(*score) != FP_SUBNORMAL;
}

/* Finds what each element is compared by; false: one is no number. */
static bool weigh(struct sorting *s)
{
	struct buf value = { 0 };
	bool good = true;
	size_t i;

	for (i = 0; i < s->count && good; i++) {
		struct element *e = element_at(s, i);

		value.size = 0;
		e->weighed = !s->o->by || find_by(s, s->o->by_pattern,
						  e->bytes, &value);
		if (!e->weighed)
			continue;
		if (s->o->alpha && s->o->by)
			e->weight = keep(s, buf_slice(&value));
		else if (!s->o->alpha)
			good = score_of(s->o->by ? buf_slice(&value)
						 : bytes_of(s, e->bytes),
					&e->score);
	}
	buf_release(&value);
	if (!good)
		reply_error(s->c, "ERR One or more scores can't be converted "
				  "into double");
	return good;
}

static int compare_bytes(struct slice a, struct slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size ? memcmp(a.data, b.data, size) : 0;

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

static int compare_weights(const struct sorting *s, const struct element *a,
			   const struct element *b)
{
	if (!s->o->alpha)
		return (a->score > b->score) - (a->score < b->score);
	if (!s->o->by)
		return 0; /* the elements decide */
	if (!a->weighed || !b->weighed)
		return a->weighed - b->weighed;
	return compare_bytes(bytes_of(s, a->weight), bytes_of(s, b->weight));
}

static int compare(const void *left, const void *right, void *ctx)
{
	const struct element *a = left, *b = right;
	const struct sorting *s = ctx;
	int order = compare_weights(s, a, b);

	if (order == 0) /* I2 */
		order = compare_bytes(bytes_of(s, a->bytes),
				      bytes_of(s, b->bytes));
	if (order != 0)
		return s->o->descending ? -order : order;
	return (a->index > b->index) - (a->index < b->index);
}

static void swap(struct element *a, struct element *b)
{
	struct element was = *a;

	*a = *b;
	*b = was;
}

/* Elements 0 to count - 1 are a heap, the last in order on top, but for the one
 * at `at`, which may have to go down. */
static void sift_down(struct sorting *s, size_t at, size_t count)
{
	struct element *e = element_at(s, 0);

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < count &&
		    compare(e + child, e + child + 1, s) < 0)
			child++;
		if (child >= count || compare(e + at, e + child, s) >= 0)
			return;
		swap(e + at, e + child);
		at = child;
	}
}

/* Brings the first `wanted` of the order to the front: a heap keeps the best
 * that have been seen. */
static void select_first(struct sorting *s, size_t wanted)
{
	struct element *e = element_at(s, 0);
	size_t i;

	if (wanted == 0)
		return;
	for (i = wanted / 2; i-- > 0;)
		sift_down(s, i, wanted);
	for (i = wanted; i < s->count; i++) {
		if (compare(e + i, e, s) >= 0)
			continue;
		swap(e, e + i);
		sift_down(s, 0, wanted);
	}
}

/* Puts in order what LIMIT lets through. */
static void put_in_order(struct sorting *s)
{
	uint64_t begin, end;

	limits(s->o, s->count, &begin, &end);
	if (end < s->count / SELECT_SHARE)
		select_first(s, end);
	else
		end = s->count;
	if (end > 1)
		qsort_r(s->elements.data, end, sizeof(struct element), compare,
			s);
}

/* --- results -------------------------------------------------------------- */

/* Tells one result: of the element itself, or of a GET pattern. */
static void give(struct sorting *s, struct buf *items, bool there,
		 struct slice value)
{
	if (s->o->store)
		items_put(items, there ? value : slice_of("", 0));
	else if (there)
		reply_bulk(s->c, value);
	else
		reply_null(s->c);
}

/* Tells what the GET patterns name for an element. */
static void give_patterns(struct sorting *s, struct buf *items,
			  const struct element *e)
{
	struct cmd *c = s->c;
	struct buf value = { 0 };
	unsigned i;

	for (i = 2; i < c->argc; i += option_size(c->argv[i])) {
		bool there;

		if (!arg_is(c, i, "get"))
			continue;
		value.size = 0;
		there = find_by(s, c->argv[i + 1], e->bytes, &value);
		give(s, items, there, buf_slice(&value));
	}
	buf_release(&value);
}

/* Puts the results where they were to be stored. (I1) */
static void store(struct sorting *s, const struct buf *items, uint64_t count)
{
	struct cmd *c = s->c;
	struct slice key = s->o->target;
	bool exists = lookup_write(c, key) != NULL;

	if (!cmd_room(c, items_room(key.size, 2, items->size)))
		return;
	if (exists)
		emit_key_del(c, key, count ? CAUSE_sortstore : CAUSE_del);
	emit_list_push(c, key, LIST_RIGHT, buf_slice(items), CAUSE_sortstore);
	reply_i64(c, (int64_t)count);
}

static void give_all(struct sorting *s)
{
	uint64_t begin = 0, end = s->count, count;
	struct buf items = { 0 };

	if (!s->o->unsorted)
		limits(s->o, s->count, &begin, &end);
	count = (end - begin) * (s->o->get_count ? s->o->get_count : 1);
	if (!s->o->store)
		reply_array(s->c, count);
	for (; begin < end; begin++) {
		const struct element *e = element_at(s, begin);

		if (s->o->get_count)
			give_patterns(s, &items, e);
		else
			give(s, &items, true, bytes_of(s, e->bytes));
	}
	if (s->o->store)
		store(s, &items, count);
	buf_release(&items);
}

/* Sorts the elements of e; NULL: there are none. */
static void run(struct cmd *c, const struct entry *e, struct sort_options *o)
{
	struct sorting s = { .c = c, .o = o };

	/* what comes in no order of its own is stored in a certain one */
	if (o->unsorted && o->store && e && entry_type(e) == VALUE_set) {
		o->unsorted = false;
		o->alpha = true;
		o->by = false;
	}
	if (e)
		load(&s, e);
	if (o->unsorted || weigh(&s)) {
		if (!o->unsorted)
			put_in_order(&s);
		give_all(&s);
	}
	buf_release(&s.arena);
	buf_release(&s.elements);
	buf_release(&s.key);
}

static void sort(struct cmd *c, bool may_store)
{
	struct sort_options o;
	const struct entry *e;

	if (!parse_options(c, may_store, &o))
		return;
	e = lookup_read(c, c->argv[1]);
	if (e && entry_type(e) != VALUE_list && entry_type(e) != VALUE_set &&
	    entry_type(e) != VALUE_zset) {
		reply_wrong_type(c);
		return;
	}
	run(c, e, &o);
}

/* SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC]
 * [ALPHA] [STORE destination]. */
void cmd_sort(struct cmd *c)
{
	sort(c, true);
}

/* SORT_RO: as SORT, without STORE. */
void cmd_sort_ro(struct cmd *c)
{
	sort(c, false);
}
