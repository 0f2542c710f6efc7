/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

static void add_del(struct batch *b, uint32_t db, const char *key)
{
	struct record r = { .type = REC_key_del,
			    .cause = CAUSE_del,
			    .db = db,
			    .key = slice_str(key) };

	batch_add(b, &r);
}

/* The batch as it stands in a frame. */
static void put_batch(struct buf *out, const struct batch *b,
		      const struct batch_header *h)
{
	uint8_t *p = buf_reserve(out, BATCH_HEADER_MAX);

	out->size += (size_t)(batch_put_header(p, b, h) - p);
	buf_put_slice(out, buf_slice(&b->records));
}

START_TEST(batch__reads_back_with_lsns_and_databases)
{
	struct origin_dictionary *d = origin_dictionary_new();
	struct batch b;
	struct buf out = { 0 };
	struct batch_view v;
	struct batch_reader br;
	struct record r;
	struct reader in;

	batch_init(&b);
	b.time_ms = 1000;
	add_del(&b, 3, "a");
	add_del(&b, 3, "b");
	add_del(&b, 0, "c");
	put_batch(&out, &b, &(struct batch_header){ .previous_ms = 1005 });

	in = reader_of(buf_slice(&out));
	ck_assert(batch_parse(&in, 1005, d, &v));
	ck_assert_uint_eq(reader_left(&in), 0);
	ck_assert_uint_eq(v.count, 3);
	ck_assert_uint_eq(v.time_ms, 1000);
	ck_assert_uint_eq(v.origin.user.size, 0);
	v.first_lsn = 10;
	br = batch_records(&v);
	ck_assert(batch_next(&br, &r));
	ck_assert(r.lsn == 10 && r.db == 3);
	ck_assert(batch_next(&br, &r));
	ck_assert(r.lsn == 11 && r.db == 3);
	ck_assert(batch_next(&br, &r));
	ck_assert(r.lsn == 12 && r.db == 0 && slice_is(r.key, "c"));
	ck_assert(!batch_next(&br, &r));
	ck_assert(!br.in.bad);
	batch_release(&b);
	buf_release(&out);
	origin_dictionary_free(d);
}
END_TEST

START_TEST(batch__origin_is_defined_once_and_then_a_number)
{
	struct origin_dictionary *writer = origin_dictionary_new();
	struct origin_dictionary *reader = origin_dictionary_new();
	struct origin o = { SLICE_LITERAL("alice"), SLICE_LITERAL("::1:5"),
			    SLICE_LITERAL("del") };
	struct batch_header h = { .origin = 1, .define = &o };
	struct buf out = { 0 };
	struct batch_view v;
	struct reader in;
	struct batch b;
	size_t first;

	ck_assert_uint_eq(origin_dictionary_find(writer, &o), 0);
	ck_assert_uint_eq(origin_dictionary_add(writer, &o), 1);
	ck_assert_uint_eq(origin_dictionary_find(writer, &o), 1);
	batch_init(&b);
	add_del(&b, 0, "a");
	put_batch(&out, &b, &h);
	first = out.size;
	h.define = NULL;
	put_batch(&out, &b, &h);
	ck_assert_uint_eq(out.size - first, first - 6 - 6 - 4);

	in = reader_of(buf_slice(&out));
	ck_assert(batch_parse(&in, 0, reader, &v));
	ck_assert(slice_is(v.origin.user, "alice"));
	ck_assert(batch_parse(&in, 0, reader, &v));
	ck_assert(slice_is(v.origin.address, "::1:5"));
	ck_assert(slice_is(v.origin.command, "del"));
	ck_assert_uint_eq(origin_dictionary_count(reader), 1);
	batch_release(&b);
	buf_release(&out);
	origin_dictionary_free(writer);
	origin_dictionary_free(reader);
}
END_TEST

START_TEST(batch__many_origins_are_found_again)
{
	struct origin_dictionary *d = origin_dictionary_new();
	char user[32];
	uint32_t i;

	for (i = 1; i <= ORIGIN_COUNT_MAX; i++) {
		struct origin o = { .user = { (uint8_t *)user, 0 } };

		o.user.size = (size_t)sprintf(user, "user-%u", i);
		ck_assert_uint_eq(origin_dictionary_find(d, &o), 0);
		ck_assert_uint_eq(origin_dictionary_add(d, &o), i);
		ck_assert_uint_eq(origin_dictionary_find(d, &o), i);
	}
	origin_dictionary_clear(d);
	ck_assert_uint_eq(origin_dictionary_count(d), 0);
	ck_assert_uint_eq(origin_dictionary_find(d, &(struct origin){ 0 }), 0);
	origin_dictionary_free(d);
}
END_TEST

START_TEST(batch__long_origin_strings_are_cut)
{
	struct origin_dictionary *d = origin_dictionary_new();
	struct origin_dictionary *reader = origin_dictionary_new();
	static uint8_t longer[1000];
	struct origin o = { .command = { longer, sizeof(longer) } };
	struct batch_header h = { .origin = 1, .define = &o };
	struct buf out = { 0 };
	struct batch_view v;
	struct reader in;
	struct batch b;

	origin_dictionary_add(d, &o);
	ck_assert_uint_eq(origin_dictionary_find(d, &o), 1);
	o.command.size = ORIGIN_STRING_MAX;
	ck_assert_uint_eq(origin_dictionary_find(d, &o), 1);
	o.command.size = sizeof(longer);
	batch_init(&b);
	add_del(&b, 0, "a");
	put_batch(&out, &b, &h);
	in = reader_of(buf_slice(&out));
	ck_assert(batch_parse(&in, 0, reader, &v));
	ck_assert_uint_eq(v.origin.command.size, ORIGIN_STRING_MAX);
	batch_release(&b);
	buf_release(&out);
	origin_dictionary_free(d);
	origin_dictionary_free(reader);
}
END_TEST

static bool parses(const uint8_t *bytes, size_t size)
{
	struct origin_dictionary *d = origin_dictionary_new();
	struct reader in = { bytes, bytes + size, false };
	struct batch_view v;
	bool ok = batch_parse(&in, 0, d, &v);

	origin_dictionary_free(d);
	return ok;
}

START_TEST(batch__headers_that_lie_are_refused)
{
	/* size time origin db count, then key_del "a" */
	static const uint8_t good[] = { 8, 0, 0, 0, 1, 2, 2, 1, 'a' };
	static const uint8_t size[] = { 9, 0, 0, 0, 1, 2, 2, 1, 'a' };
	static const uint8_t origin[] = { 8, 0, 2, 0, 1, 2, 2, 1, 'a' };
	static const uint8_t none[] = { 8, 0, 0, 0, 0, 2, 2, 1, 'a' };
	static const uint8_t many[] = { 8, 0, 0, 0, 5, 2, 2, 1, 'a' };

	ck_assert(parses(good, sizeof(good)));
	ck_assert(!parses(size, sizeof(size)));
	ck_assert(!parses(origin, sizeof(origin)));
	ck_assert(!parses(none, sizeof(none)));
	ck_assert(!parses(many, sizeof(many)));
	ck_assert(!parses(good, 0));
}
END_TEST

START_TEST(batch__bytes_behind_the_last_record_are_found)
{
	static const uint8_t records[] = { 2, 2, 1, 'a', 2 };
	struct batch_view v = { .count = 1, .records = { records, 5 } };
	struct batch_reader br = batch_records(&v);
	struct record r;

	ck_assert(batch_next(&br, &r));
	ck_assert(!batch_next(&br, &r));
	ck_assert(br.in.bad);
}
END_TEST

START_TEST(batch__hostile_bytes_are_read_within_their_bounds)
{
	struct test_random random = { test_seed() };
	struct origin_dictionary *d = origin_dictionary_new();
	int i;

	for (i = 0; i < 200000; i++) {
		size_t size = test_random_below(&random, 60), j;
		uint8_t *bytes = malloc(size ? size : 1);
		struct reader in = { bytes, bytes + size, false };
		struct batch_view v;

		for (j = 0; j < size; j++)
			bytes[j] = (uint8_t)(test_random_next(&random) >>
					     test_random_below(&random, 8));
		if (size > 4) {
			bytes[0] = (uint8_t)(size - 1);
			bytes[2] &= 3;
		}
		if (batch_parse(&in, 0, d, &v)) {
			struct batch_reader br = batch_records(&v);
			struct record r;

			while (batch_next(&br, &r))
				ck_assert_uint_le(r.key.size, size);
		}
		if (origin_dictionary_count(d) > 1000)
			origin_dictionary_clear(d);
		free(bytes);
	}
	origin_dictionary_free(d);
}
END_TEST

int main(void)
{
	return RUN_TESTS("batch", batch__reads_back_with_lsns_and_databases,
			 batch__origin_is_defined_once_and_then_a_number,
			 batch__many_origins_are_found_again,
			 batch__long_origin_strings_are_cut,
			 batch__headers_that_lie_are_refused,
			 batch__bytes_behind_the_last_record_are_found,
			 batch__hostile_bytes_are_read_within_their_bounds);
}
