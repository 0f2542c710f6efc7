/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: the operations that write entries, and marks of messages.
 */
#include "tests/torture/support/op_streams.h"

#include <inttypes.h>

#define STREAM_KEEPS 500 /* operations back that XTRIM leaves */
#define MESSAGES 150     /* more than a producer has marks */
#define AUTOMATIC MESSAGES /* messages of IDMPAUTO are other ones */

/* --- IDs ------------------------------------------------------------------ */

int64_t op_id(const struct op *op, bool old)
{
	uint64_t n = op->number;

	if (old)
		n = n > STREAM_KEEPS ? n - STREAM_KEEPS : 1;
	return (int64_t)(n << ID_SEQ_BITS | 1);
}

void op_put_id(struct buf *out, int64_t id)
{
	buf_printf(out, "%" PRId64 "-%" PRId64, ID_BASE + (id >> ID_SEQ_BITS),
		   id & ((1 << ID_SEQ_BITS) - 1));
}

static void expect_id(struct expect *e, int64_t id)
{
	if (!e)
		return;
	e->type = EXPECT_BULK;
	e->bulk.size = 0;
	op_put_id(&e->bulk, id);
}

static size_t id_place(const struct entry *e, int64_t id)
{
	size_t low = 0, high = id_count(e);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (id_at(e, middle) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool has_id(const struct entry *e, int64_t id)
{
	size_t i = id_place(e, id);

	return i < id_count(e) && id_at(e, i) == id;
}

/* --- trimming ------------------------------------------------------------- */

enum reference { KEEPREF, DELREF, ACKED };

/* What stays: entries from an ID on, or so many of them. */
struct wish {
	int64_t least;
	size_t length;
	enum reference reference;
};

static bool wish_holds(const struct wish *w, size_t length, int64_t first)
{
	return w->least ? first >= w->least : length <= w->length;
}

/* How many go if they go from the first on. */
static size_t plan(const struct entry *e, const struct wish *w)
{
	size_t n = 0, count = id_count(e);

	while (n < count && !wish_holds(w, count - n, id_at(e, n)))
		n++;
	return n;
}

static bool any_group(const struct entry *e)
{
	bool any = false;

	for (unsigned g = 0; g < STREAM_GROUPS; g++)
		any |= groups_of(e)->groups[g].there;
	return any;
}

/* Whether a group has still to do with an entry. */
static bool referenced(const struct entry *e, int64_t id)
{
	for (unsigned g = 0; g < STREAM_GROUPS; g++)
		if (groups_of(e)->groups[g].there &&
		    (groups_of(e)->groups[g].last < id ||
		     pending_find(e, g, id)))
			return true;
	return false;
}

/* The last ID of the group that is farthest behind; the first that some group
 * has to do with, whether or not the entry is there. */
static int64_t farthest(const struct entry *e, int64_t *first)
{
	int64_t last = INT64_MAX;

	for (unsigned g = 0; g < STREAM_GROUPS; g++)
		if (groups_of(e)->groups[g].there &&
		    groups_of(e)->groups[g].last < last)
			last = groups_of(e)->groups[g].last;
	*first = last == INT64_MAX ? last : last + 1;
	for (size_t i = 0; i < pending_count(&e->side); i++)
		if (pending_of(e)[i].id < *first)
			*first = pending_of(e)[i].id;
	return last;
}

/* Takes entry number i out, not from the front. */
static void delete_at(struct entry *e, size_t i)
{
	int64_t id = id_at(e, i);

	memmove(e->value.data + 8 * i, e->value.data + 8 * (i + 1),
		e->value.size - 8 * (i + 1));
	e->value.size -= 8;
	if (id > groups_of(e)->deleted)
		groups_of(e)->deleted = id;
}

/* Entries between which others stay go one by one. */
static size_t trim_acked(struct entry *to, const struct wish *w, size_t n)
{
	int64_t first, last = farthest(to, &first);
	size_t i = 0, gone = 0;

	if (n == 0 || id_at(to, n - 1) < first) {
		buf_drop_front(&to->value, 8 * n);
		return n;
	}
	while (i < id_count(to)) {
		int64_t id = id_at(to, i);

		if (id > last || wish_holds(w, id_count(to), id))
			break;
		if (referenced(to, id)) {
			i++;
			continue;
		}
		delete_at(to, i);
		gone++;
	}
	return gone;
}

/* How many went. */
static size_t trim(struct entry *to, const struct wish *w)
{
	size_t i, n = plan(to, w);
	const struct pending *p;

	if (w->reference == ACKED && any_group(to))
		return trim_acked(to, w, n);
	for (i = 0; i < n && w->reference == DELREF; i++)
		for (unsigned g = 0; g < STREAM_GROUPS; g++) {
			p = pending_find(to, g, id_at(to, i));
			if (p)
				pending_remove(to, p);
		}
	buf_drop_front(&to->value, 8 * n);
	return n;
}

static void xtrim(struct model *m, const struct op *op, struct expect *e,
		  struct wish w)
{
	struct entry *to = entry_opened(m, op, op->key);

	if (!w.length)
		w.least = op_id(op, true);
	expect_integer(e, (int64_t)trim(to, &w));
}

static void exec_xtrim(struct model *m, const struct op *op, struct expect *e)
{
	xtrim(m, op, e, (struct wish){ .reference = KEEPREF });
}

static void exec_xtrim_delref(struct model *m, const struct op *op,
			      struct expect *e)
{
	xtrim(m, op, e, (struct wish){ .reference = DELREF });
}

static void exec_xtrim_acked(struct model *m, const struct op *op,
			     struct expect *e)
{
	xtrim(m, op, e, (struct wish){ .reference = ACKED });
}

static void exec_xtrim_length(struct model *m, const struct op *op,
			      struct expect *e)
{
	xtrim(m, op, e, (struct wish){ .length = 30 });
}

static void exec_xtrim_length_acked(struct model *m, const struct op *op,
				    struct expect *e)
{
	xtrim(m, op, e, (struct wish){ .length = 30, .reference = ACKED });
}

static void exec_xdel(struct model *m, const struct op *op, struct expect *e)
{
	struct entry *to = entry_of(m, op, op->key);
	const int64_t ids[2] = { op->amount, op->amount2 };
	int64_t gone = 0;

	for (unsigned i = 0; i < 2 && to->present; i++)
		if (has_id(to, ids[i])) {
			delete_at(to, id_place(to, ids[i]));
			gone++;
		}
	expect_integer(e, gone);
}

/* --- adding --------------------------------------------------------------- */

static struct entry *add(struct model *m, const struct op *op,
			 struct expect *e, int64_t id)
{
	struct entry *to = entry_opened(m, op, op->key);

	to->present = true;
	buf_put(&to->value, &id, 8);
	groups_of(to)->last = id;
	groups_of(to)->added++;
	expect_id(e, id);
	return to;
}

static void exec_xadd(struct model *m, const struct op *op, struct expect *e)
{
	add(m, op, e, op_id(op, false));
}

static void exec_xadd_acked(struct model *m, const struct op *op,
			    struct expect *e)
{
	struct entry *to = add(m, op, e, op_id(op, false));

	trim(to, &(struct wish){ .length = 40, .reference = ACKED });
}

static void exec_xadd_delref(struct model *m, const struct op *op,
			     struct expect *e)
{
	struct entry *to = add(m, op, e, op_id(op, false));

	trim(to, &(struct wish){ .length = 60, .reference = DELREF });
}

/* --- marks ---------------------------------------------------------------- */

unsigned op_producer(const struct op *op)
{
	return op->number / 16 % 3;
}

unsigned op_message(const struct op *op)
{
	return op->size % MESSAGES;
}

static size_t mark_count(const struct entry *e)
{
	return e->marks.size / sizeof(struct mark);
}

static struct mark *marks_of(const struct entry *e)
{
	return (struct mark *)(void *)e->marks.data;
}

/* What the store shows of them. */
static void count_marks(struct entry *e)
{
	struct marks *m = &groups_of(e)->marks;
	unsigned seen = 0;

	for (size_t i = 0; i < mark_count(e); i++)
		seen |= 1u << marks_of(e)[i].producer;
	m->producers = __builtin_popcount(seen);
	m->tracked = (int64_t)mark_count(e);
}

/* Room for one more of the producer: its oldest go. */
static void drop_oldest(struct entry *e, unsigned producer, int64_t keep)
{
	int64_t of = 0;

	for (size_t i = mark_count(e); i-- > 0;) {
		size_t behind = (i + 1) * sizeof(struct mark);

		if (marks_of(e)[i].producer != producer || ++of <= keep)
			continue;
		memmove(&marks_of(e)[i], e->marks.data + behind,
			e->marks.size - behind);
		e->marks.size -= sizeof(struct mark);
	}
}

static void put_mark(struct entry *e, const struct mark *mark)
{
	struct marks *m = &groups_of(e)->marks;

	if (m->duration == 0)
		*m = (struct marks){ .duration = MARKS_DURATION,
				     .limit = MARKS_LIMIT };
	drop_oldest(e, mark->producer, m->limit - 1);
	buf_put(&e->marks, mark, sizeof(*mark));
	m->added++;
	count_marks(e);
}

/* A message: the entry that it became, or becomes now. */
static struct entry *once(struct model *m, const struct op *op,
			  struct expect *e, unsigned message)
{
	struct entry *to = entry_of(m, op, op->key);
	struct mark mark = { .producer = op_producer(op), .message = message };

	assert(stream_settled(to));
	for (size_t i = 0; i < mark_count(to); i++) {
		const struct mark *old = &marks_of(to)[i];

		if (old->producer != mark.producer || old->message != message)
			continue;
		groups_of(to)->marks.duplicates++;
		expect_id(e, old->id);
		return NULL;
	}
	mark.id = groups_of(to)->last + 1;
	add(m, op, e, mark.id);
	put_mark(to, &mark);
	return to;
}

static void exec_once(struct model *m, const struct op *op, struct expect *e)
{
	once(m, op, e, op_message(op));
}

static void exec_once_auto(struct model *m, const struct op *op,
			   struct expect *e)
{
	once(m, op, e, AUTOMATIC + op_message(op));
}

static void exec_once_trim(struct model *m, const struct op *op,
			   struct expect *e)
{
	struct entry *to = once(m, op, e, op_message(op));

	if (to)
		trim(to, &(struct wish){ .length = 50 });
}

/* 0: as it is. Other numbers than before: all marks go. */
static void xcfgset(struct model *m, const struct op *op, struct expect *e,
		    int64_t duration, int64_t limit)
{
	struct entry *to = entry_of(m, op, op->key);
	struct marks old, *now;

	expect_type(e, to->present ? EXPECT_OK : EXPECT_ERROR);
	if (!to->present)
		return;
	now = &groups_of(to)->marks;
	if (now->duration == 0)
		*now = (struct marks){ .duration = MARKS_DURATION,
				       .limit = MARKS_LIMIT };
	old = *now;
	now->duration = duration ? duration : old.duration;
	now->limit = limit ? limit : old.limit;
	if (now->duration != old.duration || now->limit != old.limit)
		to->marks.size = 0;
	count_marks(to);
}

static void exec_xcfgset(struct model *m, const struct op *op, struct expect *e)
{
	xcfgset(m, op, e, 0, run_member(op, 0) + 1);
}

static void exec_xcfgset_short(struct model *m, const struct op *op,
			       struct expect *e)
{
	xcfgset(m, op, e, 40000, 0);
}

static void exec_xcfgset_long(struct model *m, const struct op *op,
			      struct expect *e)
{
	xcfgset(m, op, e, 60000, run_member(op, 0) + 1);
}

/* --- the table ------------------------------------------------------------ */

const struct op_row stream_write_rows[] = {
	{ "XADD $k $N field $n", 90, STREAMS, 0, IF_SHORT, exec_xadd },
	{ "XADD $k MAXLEN 40 ACKED $N field $n", 8, STREAMS, 0, NOT_REDIS,
	  exec_xadd_acked },
	{ "XADD $k DELREF MAXLEN 60 $N field $n", 6, STREAMS, 0, NOT_REDIS,
	  exec_xadd_delref },
	{ "XADD $k NOMKSTREAM IDMP $p $u * field $n", 50, STREAMS, 0,
	  IF_SETTLED, exec_once },
	{ "XADD $k IDMPAUTO $p * field $u", 15, STREAMS, 0, IF_SETTLED,
	  exec_once_auto },
	{ "XADD $k KEEPREF MAXLEN 50 IDMP $p $u * field $n", 10, STREAMS, 0,
	  IF_SETTLED, exec_once_trim },
	{ "XTRIM $k MINID $J", 7, STREAMS, 0, 0, exec_xtrim },
	{ "XTRIM $k MINID $J DELREF", 3, STREAMS, 0, NOT_REDIS,
	  exec_xtrim_delref },
	{ "XTRIM $k MINID $J ACKED", 4, STREAMS, 0, NOT_REDIS,
	  exec_xtrim_acked },
	{ "XTRIM $k MAXLEN 30 ACKED", 4, STREAMS, 0, NOT_REDIS,
	  exec_xtrim_length_acked },
	{ "XTRIM $k KEEPREF MAXLEN 30", 2, STREAMS, 0, NOT_REDIS,
	  exec_xtrim_length },
	{ "XDEL $k $A $B", 5, STREAMS, SOME_IDS, 0, exec_xdel },
	{ "XCFGSET $k IDMP-MAXSIZE $i", 2, STREAMS, 0, NOT_REDIS,
	  exec_xcfgset },
	{ "XCFGSET $k IDMP-DURATION 40000", 1, STREAMS, 0, NOT_REDIS,
	  exec_xcfgset_short },
	{ "XCFGSET $k IDMP-DURATION 60000 IDMP-MAXSIZE $i", 1, STREAMS, 0,
	  NOT_REDIS, exec_xcfgset_long },
};
const unsigned stream_write_row_count = ARRAY_LEN(stream_write_rows);
