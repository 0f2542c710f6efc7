/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/wal_fixture.h"

static struct err_message message;

static struct wal_cursor *open_between(struct fixture *f, uint64_t first,
				       uint64_t last)
{
	struct cursor_options o = { .io = f->options.io,
				    .dir = f->dir,
				    .first_lsn = first,
				    .last_lsn = last };
	struct wal_cursor *c = NULL;
	int err = wal_cursor_open(&c, &o, &message);

	ck_assert_msg(err == OK, "%d: %s", err, message.text);
	return c;
}

static struct wal_cursor *open_at(struct fixture *f, uint64_t first)
{
	return open_between(f, first, UINT64_MAX);
}

/* The next batch must be the one at this LSN. */
static struct batch_view next_is(struct wal_cursor *c, uint64_t lsn)
{
	struct batch_view v;
	int err = wal_cursor_next(c, &v, &message);

	ck_assert_msg(err == OK, "%d: %s", err, err < 0 ? message.text : "");
	ck_assert_uint_eq(v.first_lsn, lsn);
	return v;
}

static void next_fails(struct wal_cursor *c, int code)
{
	struct batch_view v;
	int err = wal_cursor_next(c, &v, &message);

	ck_assert_msg(err == code, "%d, not %d: %s", err, code,
		      err < 0 ? message.text : "");
}

static void append_n(struct fixture *f, int n, size_t size)
{
	while (n-- > 0) {
		append(f, size);
		turn(f);
	}
}

static struct fixture *store_of(int n, size_t size)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	append_n(f, n, size);
	return f;
}

static void spoil(struct fixture *f, uint64_t offset)
{
	const char *path = "store/log/0000000000000001.seg";
	uint8_t byte;

	sim_peek(f->sim, path, offset, &byte, 1);
	byte ^= 1;
	sim_poke(f->sim, path, offset, &byte, 1);
}

START_TEST(cursor__reads_every_batch_across_segments)
{
	struct fixture *f = store_of(60, 5000);
	struct wal_cursor *c = open_at(f, 1);
	uint64_t lsn;

	ck_assert_uint_gt(stats(f).segment_sequence, 4);
	for (lsn = 1; lsn <= 60; lsn++) {
		struct batch_view v = next_is(c, lsn);
		struct batch_reader r = batch_records(&v);
		struct record rec;

		ck_assert_uint_eq(v.count, 1);
		ck_assert_uint_eq(v.epoch, at(f)->epoch);
		ck_assert(batch_next(&r, &rec));
		ck_assert_uint_eq(rec.lsn, lsn);
		ck_assert_uint_eq(rec.value.size, 5000);
		ck_assert(!batch_next(&r, &rec));
		ck_assert(!r.in.bad);
	}
	next_fails(c, WAL_END);
	next_fails(c, WAL_END);
	ck_assert_uint_eq(wal_cursor_place(c).sequence,
			  stats(f).segment_sequence);
	ck_assert_uint_eq(wal_cursor_place(c).durable_lsn, 59);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__begins_anywhere_and_stops_where_told)
{
	struct fixture *f = store_of(40, 5000);
	uint64_t first, lsn;

	for (first = 1; first <= 40; first += 3) {
		struct wal_cursor *c = open_between(f, first, first + 5);

		for (lsn = first; lsn <= first + 5 && lsn <= 40; lsn++)
			next_is(c, lsn);
		next_fails(c, WAL_END);
		wal_cursor_close(c);
	}
	fixture_free(f);
}
END_TEST

START_TEST(cursor__knows_origins_that_were_defined_before_its_start)
{
	struct origin o = { SLICE_LITERAL("alice"), SLICE_LITERAL("::1:9"),
			    SLICE_LITERAL("set") };
	struct fixture *f = store_of(1, 10);
	struct record r = { .type = REC_key_del, .key = SLICE_LITERAL("k") };
	struct origin_cache cache = { 0 };
	struct wal_cursor *c;
	struct batch_view v;
	int i;

	for (i = 0; i < 5; i++) {
		batch_reset(&f->batch);
		f->batch.origin = &o;
		f->batch.origin_cache = &cache;
		f->batch.time_ms = 1000 + (uint64_t)i;
		batch_add(&f->batch, &r);
		batch_add(&f->batch, &r);
		wal_append(f->w, &f->batch);
		turn(f);
	}
	c = open_at(f, 8);
	v = next_is(c, 8);
	ck_assert(slice_is(v.origin.user, "alice"));
	ck_assert(slice_is(v.origin.command, "set"));
	ck_assert_uint_eq(v.time_ms, 1003);
	wal_cursor_close(c);
	c = open_at(f, 9); /* the second record of a batch */
	v = next_is(c, 8);
	ck_assert_uint_eq(v.count, 2);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_batch_over_frames_comes_in_one_piece)
{
	struct fixture *f = store_of(1, 10);
	struct wal_cursor *c;
	struct batch_view v;
	struct batch_reader r;
	struct record rec;
	size_t i;

	append_n(f, 1, 3500000);
	append_n(f, 1, 10);
	c = open_at(f, 1);
	next_is(c, 1);
	v = next_is(c, 2);
	r = batch_records(&v);
	ck_assert(batch_next(&r, &rec));
	ck_assert_uint_eq(rec.value.size, 3500000);
	for (i = 0; i < rec.value.size; i += 999)
		ck_assert_int_eq(rec.value.data[i], 'x');
	next_is(c, 3);
	next_fails(c, WAL_END);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__follows_a_log_that_grows_and_rolls)
{
	struct fixture *f = store_of(1, 10);
	struct wal_cursor *c = open_at(f, 1);
	uint64_t lsn = 1;

	next_is(c, lsn++);
	next_fails(c, WAL_END);
	while (stats(f).segment_sequence < 5) {
		append_n(f, 1, 7000);
		next_is(c, lsn++);
		next_fails(c, WAL_END);
		if (lsn % 5 == 0)
			turn_after(f, 200000); /* a mark */
	}
	close_log(f);
	next_fails(c, WAL_END);
	reopen(f);
	next_fails(c, WAL_END);
	append_n(f, 1, 10);
	next_is(c, lsn);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__waits_for_a_log_that_is_not_there_yet)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct wal_cursor *c = open_at(f, 1);

	next_fails(c, WAL_END);
	reopen(f);
	next_fails(c, WAL_END);
	append_n(f, 1, 10);
	next_is(c, 1);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_torn_end_is_not_yet)
{
	struct fixture *f = store_of(3, 100);
	struct wal_cursor *c;
	int i;

	spoil(f, 4 * 4096 + 100); /* the third group */
	c = open_at(f, 1);
	next_is(c, 1);
	next_is(c, 2);
	for (i = 0; i < 200; i++)
		next_fails(c, WAL_END);
	spoil(f, 4 * 4096 + 100); /* and then it is there */
	next_is(c, 3);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__damage_before_the_end_is_an_error_that_names_it)
{
	struct fixture *f = store_of(5, 100);
	struct wal_cursor *c;

	spoil(f, 3 * 4096 + 100);
	c = open_at(f, 1);
	next_is(c, 1);
	next_fails(c, ERR_CORRUPT);
	ck_assert_ptr_nonnull(
		strstr(message.text, "0000000000000001.seg, offset 12288"));
	ck_assert_ptr_nonnull(strstr(message.text, "LSN 2"));
	wal_cursor_close(c);
	spoil(f, 3 * 4096 + 100);
	sim_poke(f->sim, "store/log/0000000000000001.seg", 3 * 4096, NULL,
		 4096);
	c = open_between(f, 1, 5);
	next_is(c, 1);
	next_fails(c, ERR_CORRUPT);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

/* It counts records and holds none. */
static void make_empty(struct frame_header *h, const struct frame_seed *seed)
{
	h->length = 0;
	h->raw_length = 0;
	h->content_check = frame_content_check(slice_of("", 0), seed);
}

START_TEST(cursor__a_frame_without_the_records_it_counts_is_an_error)
{
	struct fixture *f = store_of(3, 100);
	struct wal_cursor *c;

	change_frame(f, 1, 2 * 4096, make_empty);
	c = open_at(f, 1);
	next_fails(c, ERR_CORRUPT);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_segment_without_its_seal_is_an_error)
{
	struct fixture *f = store_of(20, 5000);
	struct wal_cursor *c;
	struct batch_view v;
	uint64_t last = 0;
	int err;

	/* all that stands behind the third group of the first segment */
	sim_poke(f->sim, "store/log/0000000000000001.seg", 8 * 4096, NULL,
		 8 * 4096);
	c = open_at(f, 1);
	while ((err = wal_cursor_next(c, &v, &message)) == OK)
		last = v.first_lsn;
	ck_assert_int_eq(err, ERR_CORRUPT);
	ck_assert_uint_eq(last, 3);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__damage_before_its_start_costs_nothing)
{
	struct origin o[2] = {
		{ SLICE_LITERAL("alice"), SLICE_LITERAL("a"),
		  SLICE_LITERAL("set") },
		{ SLICE_LITERAL("bob"), SLICE_LITERAL("b"),
		  SLICE_LITERAL("del") },
	};
	static const char who[] = "abbab";
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct record r = { .type = REC_key_del, .key = SLICE_LITERAL("k") };
	struct wal_cursor *c;
	struct batch_view v;
	int i;

	reopen(f);
	for (i = 0; i < 5; i++) {
		batch_reset(&f->batch);
		f->batch.origin = &o[who[i] - 'a'];
		batch_add(&f->batch, &r);
		wal_append(f->w, &f->batch);
		turn(f);
	}
	spoil(f, 3 * 4096 + 70); /* LSN 2, where bob is defined */
	c = open_at(f, 3);
	v = next_is(c, 3);
	ck_assert_uint_eq(v.origin.user.size, 0); /* nobody knows */
	v = next_is(c, 4);
	ck_assert(slice_is(v.origin.user, "alice"));
	next_is(c, 5);
	next_fails(c, WAL_END);
	wal_cursor_close(c);
	c = open_at(f, 2);
	next_fails(c, ERR_CORRUPT);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_position_before_the_log_is_not_found)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);
	struct cursor_options o = { .dir = f->dir,
				    .first_lsn = 10,
				    .last_lsn = UINT64_MAX };
	struct wal_cursor *c;

	f->known.snapshot_lsn = 10;
	f->known.oldest_lsn = 10;
	reopen(f);
	append_n(f, 2, 10);
	o.io = f->options.io;
	ck_assert_int_eq(wal_cursor_open(&c, &o, &message), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(message.text, "begins at LSN 11"));
	c = open_at(f, 11);
	next_is(c, 11);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_segment_recycled_under_it_has_left_the_log)
{
	struct fixture *f = store_of(6, 5000);
	struct wal_cursor *c = open_at(f, 1);
	struct batch_view v;
	int err;

	next_is(c, 1);
	while (stats(f).segment_sequence < 5)
		append_n(f, 1, 5000);
	wal_retain(f->w, at(f)->durable_lsn, at(f)->durable_lsn);
	append_n(f, 60, 5000);
	while ((err = wal_cursor_next(c, &v, &message)) == OK)
		;
	ck_assert_int_eq(err, ERR_NOT_FOUND);
	wal_cursor_close(c);
	fixture_free(f);
}
END_TEST

START_TEST(cursor__a_read_error_is_told)
{
	struct fixture *f = store_of(40, 5000);
	struct sim_fault fault = { .ops = SIM_READ, .error = EIO };
	struct wal_cursor *c;
	struct batch_view v;
	int err, failed = 0;

	for (fault.call = 4; fault.call < 12; fault.call++) {
		sim_set_fault(f->sim, &(struct sim_fault){ 0 });
		c = open_between(f, 1, 40);
		sim_set_fault(f->sim, &fault);
		while ((err = wal_cursor_next(c, &v, &message)) == OK)
			;
		failed += err == ERR_IO;
		wal_cursor_close(c);
	}
	ck_assert_int_ge(failed, 4);
	sim_set_fault(f->sim, &(struct sim_fault){ 0 });
	fixture_free(f);
}
END_TEST

/* Whatever single bit is wrong: an error, an early end, or the same batches. */
START_TEST(cursor__no_flipped_bit_changes_a_batch)
{
	struct fixture *f = store_of(4, 300);
	struct test_random random = { test_seed() };
	int i;

	for (i = 0; i < 3000; i++) {
		uint64_t at = test_random_below(&random, 6 * 4096);
		struct cursor_options o = { .io = f->options.io,
					    .dir = f->dir,
					    .first_lsn = 1,
					    .last_lsn = UINT64_MAX };
		struct wal_cursor *c;
		struct batch_view v;
		uint64_t lsn = 1;

		spoil(f, at);
		if (wal_cursor_open(&c, &o, &message) == OK) {
			while (wal_cursor_next(c, &v, &message) == OK) {
				ck_assert_uint_eq(v.first_lsn, lsn++);
				ck_assert_uint_gt(v.records.size, 300);
			}
			wal_cursor_close(c);
		}
		spoil(f, at);
	}
	fixture_free(f);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"cursor", cursor__reads_every_batch_across_segments,
		cursor__begins_anywhere_and_stops_where_told,
		cursor__knows_origins_that_were_defined_before_its_start,
		cursor__a_batch_over_frames_comes_in_one_piece,
		cursor__follows_a_log_that_grows_and_rolls,
		cursor__waits_for_a_log_that_is_not_there_yet,
		cursor__a_torn_end_is_not_yet,
		cursor__damage_before_the_end_is_an_error_that_names_it,
		cursor__a_frame_without_the_records_it_counts_is_an_error,
		cursor__a_segment_without_its_seal_is_an_error,
		cursor__damage_before_its_start_costs_nothing,
		cursor__a_position_before_the_log_is_not_found,
		cursor__a_segment_recycled_under_it_has_left_the_log,
		cursor__a_read_error_is_told,
		cursor__no_flipped_bit_changes_a_batch);
}
