/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading a snapshot: room is made for what it announces, as far as that is
 * credible.
 */
#include "engine/apply_load.h"

#include <stdio.h>

#include "base/mem.h"
#include "engine/items.h"
#include "engine/snapshotter.h"
#include "tests/support/store.h"
#include "types/hash.h"
#include "types/set.h"
#include "types/zset_big.h"

#define MEMBERS 30000
#define LSN 42

enum { SET, ZSET, HASH, KINDS };

static const char *const names[KINDS] = { "a-set", "a-zset", "a-hash" };
static const uint8_t types[KINDS] = { REC_set_add, REC_zset_add, REC_hash_set };

/* --- values -------------------------------------------------------------- */

static void put_member(struct buf *items, unsigned kind, unsigned number)
{
	char text[32];
	struct slice s = slice_of(text, (size_t)snprintf(text, sizeof(text),
							 "member:%u", number));

	if (kind == ZSET)
		items_put_scored(items, number, s);
	else
		items_put(items, s);
	if (kind == HASH)
		items_put(items, s);
}

static struct record elements_of(struct buf *items, unsigned kind,
				 const char *key, unsigned first,
				 unsigned count)
{
	struct record r = { .type = types[kind], .cause = CAUSE_snapshot,
			    .key = slice_str(key) };

	items->size = 0;
	while (count-- > 0)
		put_member(items, kind, first++);
	r.value = buf_slice(items);
	return r;
}

static struct record reserve_of(const char *key, uint64_t count)
{
	return (struct record){ .type = REC_key_reserve,
				.cause = CAUSE_snapshot,
				.key = slice_str(key),
				.count = count };
}

static const struct table *table_at(const struct keyspace *ks, unsigned kind,
				    const char *key)
{
	const struct entry *e = keyspace_find(ks, 0, slice_str(key));

	ck_assert_ptr_nonnull(e);
	if (kind == SET)
		return set_members(e);
	if (kind == HASH)
		return hash_fields(e);
	return zset_big(e) ? &zset_big(e)->members : NULL;
}

/* --- announcing ---------------------------------------------------------- */

static void fill(struct store *s, const char *key, unsigned kind,
		 unsigned count)
{
	struct buf items = { 0 };
	unsigned i;

	for (i = 0; i < count; i += 100) {
		struct record r = elements_of(&items, kind, key, i, 100);

		store_emit(s, &r);
	}
	buf_release(&items);
}

/* What the newest snapshot says of a key: elements announced by its first
 * record; 0: it begins with something else. */
static uint64_t announced(struct store *s, const char *key)
{
	struct snapshot_reader_options o = { .io = s->io, .dir = s->dir };
	struct snapshot_reader *reader;
	struct snapshot_name *files;
	struct batch_view v;
	uint64_t count = 0;
	bool found = false;

	ck_assert_int_gt(snapshot_list(s->io, s->dir, &files, NULL), 0);
	o.name = files[0].name;
	ck_assert_int_eq(snapshot_open(&reader, &o, NULL), OK);
	while (snapshot_next(reader, &v, NULL) == OK) {
		struct batch_reader in = batch_records(&v);
		struct record r;

		while (batch_next(&in, &r)) {
			if (found || !slice_is(r.key, key))
				continue;
			found = true;
			if (r.type == REC_key_reserve)
				count = r.count;
		}
	}
	ck_assert(found);
	snapshot_reader_close(reader);
	mem_free(files);
	return count;
}

START_TEST(load__big_values_are_announced_and_come_back)
{
	struct hash128 before;
	struct store s;
	unsigned kind;

	store_init(&s, true);
	ck_assert_int_eq(store_open(&s), OK);
	for (kind = 0; kind < KINDS; kind++)
		fill(&s, names[kind], kind, MEMBERS);
	fill(&s, "few", ZSET, 100);
	before = digest_keyspace(&s.engine->ks);
	ck_assert(snapshotter_start(s.engine, SNAPSHOT_BGSAVE));
	store_snapshot_end(&s);
	for (kind = 0; kind < KINDS; kind++)
		ck_assert_uint_eq(announced(&s, names[kind]), MEMBERS);
	ck_assert_uint_eq(announced(&s, "few"), 0);
	store_settle(&s);
	store_crash(&s);
	ck_assert_int_eq(store_open(&s), OK);
	store_assert_digest(digest_keyspace(&s.engine->ks), before);
	keyspace_check(&s.engine->ks);
	store_release(&s);
}
END_TEST

/* --- making room --------------------------------------------------------- */

static struct config *config;
static struct keyspace ks;
static struct buf scratch;

static void setup(void)
{
	static const uint64_t hash_key[2] = { 3, 4 };

	config = config_new();
	keyspace_init(&ks, config, hash_key);
}

static void teardown(void)
{
	keyspace_check(&ks);
	keyspace_release(&ks);
	config_free(config);
	buf_release(&scratch);
}

static void take(struct record r)
{
	r.key_hash = keyspace_hash(&ks, r.key);
	ck_assert_int_eq(apply_foreign(&ks, &r, NULL), OK);
}

static void take_elements(unsigned kind, const char *key, unsigned first,
			  unsigned count)
{
	take(elements_of(&scratch, kind, key, first, count));
}

/* The first elements of a key: they stay packed. */
static void take_packed(unsigned kind, const char *key, unsigned count)
{
	take_elements(kind, key, 0, count);
	ck_assert_ptr_null(table_at(&ks, kind, key));
}

START_TEST(load__room_for_what_is_announced_is_made_at_once)
{
	unsigned kind;

	setup();
	ks.reserve.left = KINDS * MEMBERS;
	for (kind = 0; kind < KINDS; kind++) {
		const struct table *t;
		size_t buckets;

		take(reserve_of(names[kind], MEMBERS));
		take_elements(kind, names[kind], 0, 1);
		t = table_at(&ks, kind, names[kind]);
		ck_assert_ptr_nonnull(t);
		buckets = t->bucket_count;
		ck_assert_uint_ge(buckets * TABLE_BUCKET_SLOTS, MEMBERS);
		take_elements(kind, names[kind], 1, MEMBERS - 1);
		/* a segment may have more than its share */
		ck_assert_uint_le(t->bucket_count, buckets + buckets / 20);
	}
	ck_assert_uint_eq(ks.reserve.left, 0);
	teardown();
}
END_TEST

START_TEST(load__an_announcement_is_for_its_key_alone)
{
	unsigned kind;

	setup();
	ks.reserve.left = MEMBERS;
	take(reserve_of("other", MEMBERS));
	for (kind = 0; kind < KINDS; kind++)
		take_packed(kind, names[kind], 10);
	take_elements(SET, "other", 0, 10);
	ck_assert_ptr_nonnull(table_at(&ks, SET, "other"));
	take_packed(SET, "another", 10);
	teardown();
}
END_TEST

START_TEST(load__what_stays_small_is_small_whatever_is_announced)
{
	unsigned kind;

	setup();
	ks.reserve.left = SIZE_MAX;
	for (kind = 0; kind < KINDS; kind++) {
		take(reserve_of(names[kind], 100));
		take_packed(kind, names[kind], 100);
	}
	teardown();
}
END_TEST

START_TEST(load__a_log_announces_nothing)
{
	setup();
	take(reserve_of("key", MEMBERS));
	take_packed(SET, "key", 10);
	take(reserve_of("key", MEMBERS)); /* of what is there already, too */
	teardown();
}
END_TEST

/* --- forged announcements ------------------------------------------------ */

/* A snapshot of `keys` sets of one member, each with this announcement. */
static void forge(struct store *s, unsigned keys, uint64_t count)
{
	struct snapshot_meta meta = { .store = s->engine->store, .epoch = 9,
				      .lsn = LSN };
	struct snapshot_options o = { .io = s->io, .dir = s->dir, .level = 1 };
	struct buf items = { 0 };
	struct snapshot_writer *w;
	struct batch b;
	char key[32];
	unsigned i;

	epoch_history_add(&meta.history, 9, 1);
	ck_assert_int_eq(snapshot_begin(&w, &o, &meta, NULL), OK);
	batch_init(&b);
	for (i = 0; i < keys; i++) {
		struct record r;

		snprintf(key, sizeof(key), "key:%u", i);
		r = reserve_of(key, count);
		batch_add(&b, &r);
		r = elements_of(&items, SET, key, i, 1);
		batch_add(&b, &r);
	}
	snapshot_put(w, &b);
	snapshot_finish(w, 0, 0);
	ck_assert_int_eq(snapshot_state(w, NULL), SNAPSHOT_DONE);
	snapshot_close(w);
	batch_release(&b);
	buf_release(&items);
}

static void load_forged(unsigned keys, uint64_t count)
{
	size_t before, most;
	struct hash128 d;
	struct store s;
	uint64_t lsn;

	store_init(&s, false);
	ck_assert_int_eq(store_open(&s), OK);
	forge(&s, keys, 0);
	before = mem_used();
	d = store_snapshot_digest(&s, &lsn);
	ck_assert_uint_eq(lsn, LSN);
	forge(&s, keys, count);
	store_assert_digest(store_snapshot_digest(&s, &lsn), d);
	store_close(&s);
	ck_assert_int_eq(store_open(&s), OK);
	most = mem_used();
	ck_assert_uint_eq(keyspace_count(&s.engine->ks), keys);
	/* A file of some 10 KiB: tables for as many elements, if any. */
	ck_assert_uint_lt(most, before + (4u << 20));
	keyspace_check(&s.engine->ks);
	store_release(&s);
}

START_TEST(load__a_forged_announcement_takes_no_more_than_the_file)
{
	load_forged(1, UINT64_C(1) << 62);
	load_forged(1, UINT64_MAX);
}
END_TEST

START_TEST(load__many_forged_announcements_together_take_no_more)
{
	load_forged(1000, UINT64_C(1) << 40);
	load_forged(1000, 5000);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"load", load__big_values_are_announced_and_come_back,
		load__room_for_what_is_announced_is_made_at_once,
		load__an_announcement_is_for_its_key_alone,
		load__what_stays_small_is_small_whatever_is_announced,
		load__a_log_announces_nothing,
		load__a_forged_announcement_takes_no_more_than_the_file,
		load__many_forged_announcements_together_take_no_more);
}
