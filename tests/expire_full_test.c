/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is due while the log is short: it leaves as far as there is room, the
 * rest later, and the log never fails for it.
 */
#include "engine/expire.h"

#include <stdio.h>
#include <string.h>

#include "engine/items.h"
#include "tests/support/sim_io.h"
#include "tests/support/store.h"

#define NAME_SIZE 8000
#define COUNT 500
#define FILLER_SIZE 100000
#define ASKED 140000 /* as a command does, at least */
#define LIFE_MS 60000

struct short_store {
	struct store s;
	struct sim *sim;
	uint64_t deadline_ms;
};

static void begin(struct short_store *t, int64_t segment_size)
{
	struct store *s = &t->s;

	store_init(s, false);
	t->sim = sim_new(7);
	sim_poke(t->sim, s->dir, 0, NULL, 0);
	s->io = sim_io(t->sim);
	s->config->appendfsync = 2;
	s->config->segment_size = segment_size;
	ck_assert_msg(store_open(s) == OK, "%s", s->message.text);
	store_turn(s, true);
	t->deadline_ms = s->engine->now_ms + LIFE_MS;
}

static void finish(struct short_store *t)
{
	store_crash(&t->s);
	sim_free(t->sim);
	store_release(&t->s);
}

static void turns(struct short_store *t, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		sim_advance_us(t->sim, 100000);
		store_turn(&t->s, true);
		ck_assert_int_eq(t->s.exit_code, 0);
	}
}

static struct slice name_of(unsigned i, char out[NAME_SIZE + 1])
{
	memset(out, 'n', NAME_SIZE);
	snprintf(out + NAME_SIZE - 10, 11, "%010u", i);
	return slice_of(out, NAME_SIZE);
}

static void put_key(struct short_store *t, struct slice key)
{
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_set,
		.key = key,
		.value = SLICE_LITERAL("v"),
		.deadline = t->deadline_ms,
	};

	store_emit(&t->s, &r);
}

/* The disk has not a byte more, and the log takes no writes. */
static void fill(struct short_store *t)
{
	struct wal *w = t->s.engine->wal;
	static char value[FILLER_SIZE + 1];
	unsigned i;

	store_settle(&t->s);
	sim_limit(t->sim, 1);
	memset(value, 'v', FILLER_SIZE);
	for (i = 0; i < 100000 && wal_room(w, ASKED, false); i++) {
		store_set(&t->s, 0, "filler", value);
		store_turn(&t->s, false);
	}
	ck_assert(!wal_room(w, ASKED, false));
	store_settle(&t->s);
	ck_assert_int_eq(t->s.exit_code, 0);
}

static void pass_deadline(struct short_store *t)
{
	sim_advance_us(t->sim, (LIFE_MS + 1000) * UINT64_C(1000));
	turns(t, 40);
}

static size_t keys(const struct short_store *t)
{
	return keyspace_count(&t->s.engine->ks);
}

/* Everything that is due goes when there is room, and it is gone for good. */
static void check_resumes(struct short_store *t)
{
	unsigned i;

	sim_limit(t->sim, 0);
	for (i = 0; i < COUNT && keys(t) > 1; i++)
		turns(t, 1);
	ck_assert_uint_eq(keys(t), 1);
	store_settle(&t->s);
	store_crash(&t->s);
	ck_assert_msg(store_open(&t->s) == OK, "%s", t->s.message.text);
	ck_assert_uint_eq(keys(t), 1);
}

static void check_long_keys(int64_t segment_size, unsigned count)
{
	static char name[NAME_SIZE + 1];
	struct short_store t;
	unsigned i;

	begin(&t, segment_size);
	for (i = 0; i < count; i++) {
		ck_assert(wal_room(t.s.engine->wal, ASKED, false));
		put_key(&t, name_of(i, name));
		store_turn(&t.s, false);
	}
	fill(&t);
	pass_deadline(&t);
	ck_assert_uint_lt(keys(&t), count + 1);
	check_resumes(&t);
	finish(&t);
}

START_TEST(expire__long_keys_do_not_take_more_than_the_log_has)
{
	check_long_keys(64 << 20, COUNT);
}
END_TEST

START_TEST(expire__goes_on_with_small_segments)
{
	check_long_keys(65536, COUNT / 10);
	check_long_keys(1 << 20, COUNT);
}
END_TEST

START_TEST(expire__long_fields_do_not_take_more_than_the_log_has)
{
	static char name[NAME_SIZE + 1];
	struct short_store t;
	struct buf items = { 0 };
	struct record r = {
		.type = REC_hash_set,
		.cause = CAUSE_hset,
	};
	unsigned i;

	begin(&t, 4 << 20);
	r.deadline = t.deadline_ms;
	for (i = 0; i < COUNT; i++) {
		struct slice field = name_of(i, name);

		items.size = 0;
		items_put(&items, field);
		items_put(&items, SLICE_LITERAL("v"));
		r.key = i % 2 ? SLICE_LITERAL("hash") : SLICE_LITERAL("other");
		r.value = buf_slice(&items);
		ck_assert(wal_room(t.s.engine->wal, ASKED, false));
		store_emit(&t.s, &r);
		store_turn(&t.s, false);
	}
	buf_release(&items);
	fill(&t);
	ck_assert_uint_eq(keys(&t), 3);
	pass_deadline(&t);
	ck_assert_uint_gt(t.s.engine->stats.expired_fields, 0);
	check_resumes(&t);
	finish(&t);
}
END_TEST

/* Bigger than a turn may take: it goes alone, if there is room. */
START_TEST(expire__a_key_of_a_mebibyte_goes_alone)
{
	static char name[(1 << 20) + 1];
	struct short_store t;

	begin(&t, 64 << 20);
	memset(name, 'n', 1 << 20);
	put_key(&t, slice_of(name, 1 << 20));
	name[0] = 'm';
	put_key(&t, slice_of(name, 1 << 20));
	put_key(&t, SLICE_LITERAL("small"));
	store_set(&t.s, 0, "stays", "v");
	store_settle(&t.s);
	pass_deadline(&t);
	ck_assert_uint_eq(keys(&t), 1);
	finish(&t);
}
END_TEST

int main(void)
{
	return RUN_TESTS("expire_full",
			 expire__long_keys_do_not_take_more_than_the_log_has,
			 expire__goes_on_with_small_segments,
			 expire__long_fields_do_not_take_more_than_the_log_has,
			 expire__a_key_of_a_mebibyte_goes_alone);
}
