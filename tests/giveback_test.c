/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A short disk: what is kept beyond the minimum goes before writes do.
 */
#include "engine/giveback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/snapshotter.h"
#include "tests/support/sim_io.h"
#include "tests/support/store.h"

#define MIB (UINT64_C(1) << 20)
#define VALUE_SIZE (80u << 10)

struct disk_store {
	struct store s;
	struct sim *sim;
	char value[VALUE_SIZE + 1];
	unsigned refused;
};

/* A store on a simulated disk, open. */
static void begin(struct disk_store *d, int64_t retain_on_full)
{
	struct store *s = &d->s;

	store_init(s, false);
	d->refused = 0;
	d->sim = sim_new(11);
	sim_poke(d->sim, s->dir, 0, NULL, 0);
	s->io = sim_io(d->sim);
	s->config->retain_on_full = retain_on_full;
	s->config->appendfsync = 2;
	s->config->segment_size = 2 * MIB;
	memset(d->value, 'v', VALUE_SIZE);
	d->value[VALUE_SIZE] = 0;
	ck_assert_msg(store_open(s) == OK, "%s", s->message.text);
}

/* Turns of about a second in all. */
static void wait_a_little(struct disk_store *d)
{
	unsigned i;

	for (i = 0; i < 12; i++) {
		sim_advance_us(d->sim, 100000);
		store_turn(&d->s, true);
	}
}

/* Writes so many values as a client would that waits when it is refused. */
static unsigned write_values(struct disk_store *d, unsigned count)
{
	struct engine *e = d->s.engine;
	unsigned i, tries, done = 0;
	char key[16];

	for (i = 0; i < count; i++) {
		for (tries = 0; tries < 10; tries++) {
			if (wal_room(e->wal, VALUE_SIZE + 100, false))
				break;
			d->refused++;
			wait_a_little(d);
		}
		if (tries == 10)
			break;
		snprintf(key, sizeof(key), "key:%u", i % 5);
		memcpy(d->value, key, strlen(key));
		store_set(&d->s, 0, key, d->value);
		store_turn(&d->s, false);
		ck_assert_int_eq(d->s.exit_code, 0);
		done++;
	}
	store_settle(&d->s);
	return done;
}

static void snapshot(struct disk_store *d)
{
	ck_assert_int_eq(snapshotter_run(d->s.engine, SNAPSHOT_BGSAVE,
					 &d->s.message), OK);
}

static int snapshots(struct disk_store *d)
{
	struct snapshot_name *names;
	int count = snapshot_list(d->s.io, d->s.dir, &names, NULL);

	ck_assert_int_ge(count, 0);
	mem_free(names);
	return count;
}

/* Flips a bit of a snapshot, 0 being the newest. */
static void damage(struct disk_store *d, int index)
{
	struct snapshot_name *names;
	char path[256];
	uint8_t byte;

	ck_assert_int_gt(snapshot_list(d->s.io, d->s.dir, &names, NULL), index);
	snprintf(path, sizeof(path), "%s/snap/%s", d->s.dir, names[index].name);
	mem_free(names);
	ck_assert_int_eq(sim_peek(d->sim, path, 4096 + 80, &byte, 1), 1);
	byte ^= 16;
	sim_poke(d->sim, path, 4096 + 80, &byte, 1);
}

static void check_restart(struct disk_store *d)
{
	struct hash128 before = digest_keyspace(&d->s.engine->ks);
	uint64_t lsn = d->s.engine->position->last_lsn;

	store_crash(&d->s);
	ck_assert_msg(store_open(&d->s) == OK, "%s", d->s.message.text);
	ck_assert_uint_eq(d->s.engine->position->last_lsn, lsn);
	store_assert_digest(digest_keyspace(&d->s.engine->ks), before);
}

/* A restart finds what is there; then all of it goes. */
static void finish(struct disk_store *d)
{
	check_restart(d);
	store_crash(&d->s);
	sim_free(d->sim);
	store_release(&d->s);
}

/* Values and a snapshot, so many times. */
static void write_snapshots(struct disk_store *d, int count)
{
	while (count-- > 0) {
		write_values(d, 60);
		snapshot(d);
	}
}

/* As begin; there are so many snapshots and a log before each. */
static void begin_with_snapshots(struct disk_store *d, int64_t retain_on_full,
				 int wanted, int count)
{
	begin(d, retain_on_full);
	d->s.config->retain_snapshots = wanted;
	write_snapshots(d, count);
	ck_assert_int_eq(snapshots(d), count);
}

/* A bit of log behind the last snapshot, and nothing more to be had: only what
 * is given back. */
static void fill_disk(struct disk_store *d)
{
	int before = snapshots(d);

	write_values(d, 10);
	ck_assert_int_eq(snapshots(d), before);
	sim_limit(d->sim, 1);
	wait_a_little(d);
}

START_TEST(giveback__older_snapshots_and_their_log_go_first)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_DROP, 2, 2);
	fill_disk(&d);
	ck_assert_uint_eq(write_values(&d, 40), 40);
	ck_assert_uint_eq(d.refused, 0);
	ck_assert_int_eq(snapshots(&d), 1);
	finish(&d);
}
END_TEST

START_TEST(giveback__keep_refuses_writes_instead)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_KEEP, 2, 2);
	fill_disk(&d);
	ck_assert_uint_lt(write_values(&d, 80), 80);
	ck_assert_int_eq(snapshots(&d), 2);
	d.s.config->retain_on_full = RETAIN_DROP; /* CONFIG SET */
	ck_assert_uint_eq(write_values(&d, 20), 20);
	finish(&d);
}
END_TEST

/* A log that only repeats itself needs no more disk than a little. */
START_TEST(giveback__snapshots_make_room_again_and_again)
{
	struct disk_store d;

	begin(&d, RETAIN_DROP);
	sim_limit(d.sim, 12 * MIB);
	ck_assert_uint_eq(write_values(&d, 1000), 1000);
	ck_assert_int_eq(snapshots(&d), 1);
	check_restart(&d);
	sim_limit(d.sim, 0);
	wait_a_little(&d);
	ck_assert_uint_eq(giveback_keep(d.s.engine), 2);
	snapshot(&d);
	write_values(&d, 10);
	snapshot(&d);
	ck_assert_int_eq(snapshots(&d), 2);
	finish(&d);
}
END_TEST

START_TEST(giveback__a_damaged_newest_snapshot_keeps_the_older)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_DROP, 2, 2);
	damage(&d, 0);
	fill_disk(&d);
	ck_assert_uint_lt(write_values(&d, 80), 80);
	ck_assert_int_eq(snapshots(&d), 2);
	finish(&d); /* from the older one */
}
END_TEST

/* Its name is there, but nobody could say that it is durable. */
START_TEST(giveback__a_snapshot_that_counts_as_failed_may_stay)
{
	struct sim_fault fault = { .ops = SIM_SYNC_DIR, .call = 2,
				   .error = EIO };
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_DROP, 3, 2);
	write_values(&d, 10);
	sim_set_fault(d.sim, &fault); /* behind the rename */
	ck_assert_int_eq(snapshotter_run(d.s.engine, SNAPSHOT_BGSAVE,
					 &d.s.message), ERR_IO);
	ck_assert_int_eq(snapshots(&d), 3);
	fill_disk(&d);
	ck_assert_uint_eq(write_values(&d, 10), 10);
	ck_assert_int_eq(snapshots(&d), 1);
	finish(&d);
}
END_TEST

START_TEST(giveback__a_start_on_a_full_disk_gives_back_too)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_DROP, 2, 2);
	sim_limit(d.sim, 1);
	store_crash(&d.s);
	ck_assert_msg(store_open(&d.s) == OK, "%s", d.s.message.text);
	ck_assert_uint_eq(write_values(&d, 10), 10);
	finish(&d);
}
END_TEST

START_TEST(giveback__keep_gives_back_what_is_beyond_two_snapshots)
{
	struct disk_store d;
	unsigned done;

	begin_with_snapshots(&d, RETAIN_KEEP, 4, 4);
	fill_disk(&d);
	done = write_values(&d, 50); /* in what two snapshots' log gave back */
	ck_assert_uint_eq(done, 50);
	ck_assert_uint_eq(d.refused, 0);
	ck_assert_int_eq(snapshots(&d), 2);
	ck_assert_uint_lt(write_values(&d, 400), 400);
	ck_assert_int_eq(snapshots(&d), 2);
	finish(&d);
}
END_TEST

/* Its log goes back to the beginning: so many snapshots were wanted. */
START_TEST(giveback__keep_gives_back_the_log_before_two_snapshots)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_KEEP, 8, 2);
	fill_disk(&d);
	ck_assert_uint_eq(write_values(&d, 20), 20);
	ck_assert_uint_eq(d.refused, 0);
	ck_assert_int_eq(snapshots(&d), 2);
	finish(&d);
}
END_TEST

START_TEST(giveback__keep_stays_as_it_is_if_the_older_is_damaged)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_KEEP, 3, 3);
	damage(&d, 1);
	fill_disk(&d);
	ck_assert_uint_lt(write_values(&d, 80), 80);
	ck_assert_int_eq(snapshots(&d), 3);
	finish(&d);
}
END_TEST

/* Room comes back: as many as are wanted stand again. */
START_TEST(giveback__keep_goes_back_to_what_is_wanted)
{
	struct disk_store d;

	begin_with_snapshots(&d, RETAIN_KEEP, 3, 3);
	fill_disk(&d);
	write_values(&d, 400);
	ck_assert_int_eq(snapshots(&d), 2);
	ck_assert_uint_eq(giveback_keep(d.s.engine), 2);
	sim_limit(d.sim, 0);
	wait_a_little(&d);
	ck_assert_uint_eq(giveback_keep(d.s.engine), 3);
	write_snapshots(&d, 2);
	write_values(&d, 10);
	ck_assert_int_eq(snapshots(&d), 3);
	finish(&d);
}
END_TEST

int main(void)
{
	return RUN_TESTS("giveback",
			 giveback__older_snapshots_and_their_log_go_first,
			 giveback__keep_refuses_writes_instead,
			 giveback__snapshots_make_room_again_and_again,
			 giveback__a_damaged_newest_snapshot_keeps_the_older,
		giveback__a_snapshot_that_counts_as_failed_may_stay,
			 giveback__a_start_on_a_full_disk_gives_back_too,
			 giveback__keep_gives_back_what_is_beyond_two_snapshots,
			 giveback__keep_gives_back_the_log_before_two_snapshots,
			 giveback__keep_stays_as_it_is_if_the_older_is_damaged,
			 giveback__keep_goes_back_to_what_is_wanted);
}
