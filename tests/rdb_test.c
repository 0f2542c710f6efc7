/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/rdb_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crc64.h"
#include "base/mem.h"
#include "engine/rdb.h"
#include "engine/rdb_packed.h"
#include "engine/rdb_write.h"
#include "tests/support/bare.h"
#include "tests/support/suite.h"

#define SIZE_MAX_TRIED 70000

static const uint64_t hash_key[2] = { 1, 2 };

/* --- CRC-64 and strings --------------------------------------------------- */

START_TEST(crc64__is_that_of_jones)
{
	uint8_t bytes[100];
	uint64_t crc = 0;
	size_t i;

	ck_assert(crc64(0, "123456789", 9) == UINT64_C(0xe9c6d914c4b8d9ca));
	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 37);
		crc = crc64(crc, &bytes[i], 1);
		ck_assert(crc == crc64(0, bytes, i + 1));
	}
}
END_TEST

/* Writes s as a string of a payload and reads it again; how many bytes it took.
 */
static size_t round_trip(struct slice s)
{
	struct rdb_string back = { 0 };
	struct buf out = { 0 };
	struct reader in;
	size_t size, cut;

	rdb_put_string(&out, s, true);
	size = out.size;
	in = reader_of(buf_slice(&out));
	ck_assert(rdb_read_string(&in, &back));
	ck_assert_uint_eq(reader_left(&in), 0);
	ck_assert(slice_equal(back.s, s));
	for (cut = 0; cut < size && cut < 50; cut++) {
		in = reader_of(slice_of(out.data, cut));
		ck_assert(!rdb_read_string(&in, &back));
	}
	rdb_string_release(&back);
	buf_release(&out);
	return size;
}

START_TEST(strings__compressed_or_not_come_back)
{
	static uint8_t data[SIZE_MAX_TRIED];
	struct test_random random = { test_seed() };
	int round;

	memset(data, 'x', sizeof(data));
	ck_assert_uint_lt(round_trip(slice_of(data, sizeof(data))), 1000);
	for (round = 0; round < 400; round++) {
		size_t size = 4 + test_random_below(&random,
						    round < 300 ? 600 : 69000);
		unsigned letters = 1 + test_random_below(&random, 256);
		size_t i, took;

		for (i = 0; i < size; i++)
			data[i] = (uint8_t)test_random_below(&random, letters);
		took = round_trip(slice_of(data, size));
		ck_assert_uint_le(took, size + 5);
		ck_assert(took < size || letters > 2 || size < 100);
	}
}
END_TEST

START_TEST(strings__that_are_hostile_stay_inside)
{
	struct test_random random = { test_seed() };
	struct rdb_string s = { 0 };
	int round;

	for (round = 0; round < 200000; round++) {
		size_t size = 3 + test_random_below(&random, 20), i;
		uint8_t *bytes = malloc(size); /* its end is the end */
		struct reader in = reader_of(slice_of(bytes, size));

		bytes[0] = RDB_ENCODED | RDB_LZF;
		bytes[1] = (uint8_t)(size - 3);
		bytes[2] = (uint8_t)test_random_below(&random, 64);
		for (i = 3; i < size; i++)
			bytes[i] = (uint8_t)test_random_next(&random);
		rdb_read_string(&in, &s);
		free(bytes);
	}
	rdb_string_release(&s);
}
END_TEST

/* --- packed forms --------------------------------------------------------- */

/* Elements joined by commas. */
static const char *joined(enum packed_form form, const void *data, size_t size)
{
	static char text[512];
	struct packed p;
	struct slice s;
	size_t at = 0;

	if (!packed_open(&p, form, slice_of(data, size)))
		return "not opened";
	while (packed_next(&p, &s)) {
		memcpy(text + at, s.data, s.size);
		at += s.size;
		text[at++] = ',';
	}
	text[at] = 0;
	return packed_whole(&p) ? text : "not whole";
}

#define JOINED(form, bytes) joined(form, bytes, sizeof(bytes) - 1)

START_TEST(packed__forms_give_their_elements)
{
	ck_assert_str_eq(JOINED(PACKED_LISTPACK,
		"\x14\0\0\0\x04\0" "\x07\x01" "\x82hi\x03" "\xdf\xff\x02"
		"\xf1\x10\x27\x03" "\xff"), "7,hi,-1,10000,");
	ck_assert_str_eq(JOINED(PACKED_LISTPACK, "\x07\0\0\0\0\0\xff"), "");
	ck_assert_str_eq(JOINED(PACKED_ZIPLIST,
		"\x13\0\0\0\x10\0\0\0\x03\0" "\x00\x02hi" "\x04\xf1"
		"\x02\xfe" "\xff"), "not whole");
	ck_assert_str_eq(JOINED(PACKED_ZIPLIST,
		"\x14\0\0\0\x10\0\0\0\x03\0" "\x00\x02hi" "\x04\xf1"
		"\x02\xfe\xff" "\xff"), "hi,0,-1,");
	ck_assert_str_eq(JOINED(PACKED_ZIPMAP,
		"\x01\x01" "a" "\x02\x01" "bc?" "\xff"), "a,bc,");
	ck_assert_str_eq(JOINED(PACKED_INTSET,
		"\x02\0\0\0\x02\0\0\0\xff\xff\x05\x00"), "-1,5,");
}
END_TEST

START_TEST(packed__what_does_not_add_up_is_not_whole)
{
	ck_assert_str_eq(JOINED(PACKED_LISTPACK,
		"\x0a\0\0\0\x01\0" "\x07\x02" "\xff"), "not opened");
	ck_assert_str_eq(JOINED(PACKED_LISTPACK,
		"\x09\0\0\0\x01\0" "\x07\x02" "\xff"), "not whole");
	ck_assert_str_eq(JOINED(PACKED_LISTPACK,
		"\x09\0\0\0\x02\0" "\x07\x01" "\xff"), "not whole");
	ck_assert_str_eq(JOINED(PACKED_INTSET,
		"\x02\0\0\0\x02\0\0\0\x05\x00\x05\x00"), "not whole");
	ck_assert_str_eq(JOINED(PACKED_INTSET,
		"\x03\0\0\0\x02\0\0\0\x05\x00\x05\x00"), "not opened");
}
END_TEST

/* --- names ---------------------------------------------------------------- */

START_TEST(names__that_come_twice_are_found)
{
	struct rdb_names n = { .hash_key = hash_key };
	char text[16];
	int i;

	for (i = 0; i < 10000; i++) {
		int size = snprintf(text, sizeof(text), "%d", i);

		ck_assert(rdb_names_add(&n, slice_of(text, (size_t)size)));
	}
	ck_assert(rdb_names_add(&n, slice_of("", 0)));
	ck_assert(!rdb_names_add(&n, slice_of("", 0)));
	ck_assert(!rdb_names_add(&n, slice_str("77")));
	ck_assert_uint_eq(n.count, 10001);
	rdb_names_release(&n);
}
END_TEST

/* --- payloads ------------------------------------------------------------- */

START_TEST(payload__needs_its_checksum_and_a_version_we_know)
{
	uint8_t bytes[13] = { RDB_STRING, 1, 'v', RDB_VERSION, 0 };
	struct slice object, all = slice_of(bytes, sizeof(bytes));

	ck_assert(!rdb_payload_open(all, &object)); /* 0 is no exception */
	put_u64(bytes + 5, crc64(0, bytes, 5));
	ck_assert(rdb_payload_open(all, &object));
	ck_assert_uint_eq(object.size, 3);
	bytes[2] = 'w';
	ck_assert(!rdb_payload_open(all, &object));
	bytes[3] = RDB_VERSION_MAX + 1;
	put_u64(bytes + 5, crc64(0, bytes, 5));
	ck_assert(!rdb_payload_open(all, &object));
	ck_assert(!rdb_payload_open(slice_of(bytes, 9), &object));
}
END_TEST

/* Elements read, or -1. */
static int64_t count_of(const void *data, size_t size)
{
	struct rdb_value v;
	int64_t count = -1;

	rdb_value_init(&v, hash_key, 1000);
	if (rdb_read(slice_of(data, size), &v))
		count = (int64_t)v.count;
	rdb_value_release(&v);
	return count;
}

#define COUNT_OF(bytes) count_of(bytes, sizeof(bytes) - 1)

START_TEST(object__is_read_to_its_last_byte)
{
	ck_assert_int_eq(COUNT_OF("\x00\x01v"), 1);
	ck_assert_int_eq(COUNT_OF("\x00\x01v?"), -1);
	ck_assert_int_eq(COUNT_OF("\x01\x02\x01" "a\xc0\x05"), 2);
	ck_assert_int_eq(COUNT_OF("\x02\x02\x01" "a\x01" "b"), 2);
	ck_assert_int_eq(COUNT_OF("\x02\x02\x01" "a\x01" "a"), -1);
	ck_assert_int_eq(COUNT_OF("\x02\x00"), -1);
	ck_assert_int_eq(COUNT_OF("\x03\x01\x01" "m\x03" "1.5"), 1);
	ck_assert_int_eq(COUNT_OF("\x03\x01\x01" "m\xfd"), -1);
	ck_assert_int_eq(COUNT_OF("\x04\x01\x01" "f\x01" "v"), 1);
	ck_assert_int_eq(COUNT_OF("\x06\x00"), -1);
	ck_assert_int_eq(COUNT_OF("\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff"
				  "\x01" "a"), -1);
}
END_TEST

START_TEST(object__long_runs_become_several_records)
{
	struct buf b = { 0 };
	struct rdb_value v;
	int i;

	buf_put(&b, "\x01\x80\0\0\x27\x10", 6); /* a list of 10,000 */
	for (i = 0; i < 10000; i++)
		buf_put(&b, "\x14twenty bytes of text", 21);
	rdb_value_init(&v, hash_key, 1000);
	v.deadline = 77777;
	ck_assert(rdb_read(buf_slice(&b), &v));
	ck_assert_uint_eq(v.count, 10000);
	/* 210,000 bytes, and the key's deadline */
	ck_assert_uint_eq(v.copy.records.size / sizeof(struct record), 5);
	rdb_value_release(&v);
	buf_release(&b);
}
END_TEST

/* --- RESTORE -------------------------------------------------------------- */

START_TEST(restore__emits_nothing_for_a_payload_that_ends_badly)
{
	uint8_t bad[16] = { RDB_LIST, 2, 1, 'a', 9, 'b', RDB_VERSION, 0 };
	struct bare *b = bare_new();
	struct slice argv[] = { SLICE_LITERAL("restore"), SLICE_LITERAL("k"),
				SLICE_LITERAL("0"),
				slice_of(bad, sizeof(bad)),
				SLICE_LITERAL("replace") };
	struct slice reply;

	put_u64(bad + 8, crc64(0, bad, 8));
	bare_run(b, "set k v");
	reply = bare_call(b, argv, ARRAY_LEN(argv));
	ck_assert_str_eq((const char *)reply.data,
			 "-ERR Bad data format\r\n");
	ck_assert_uint_eq(b->record_count, 0);
	ck_assert_str_eq(bare_run(b, "get k"), "$1\r\nv\r\n");
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS("rdb", crc64__is_that_of_jones,
			 strings__compressed_or_not_come_back,
			 strings__that_are_hostile_stay_inside,
			 packed__forms_give_their_elements,
			 packed__what_does_not_add_up_is_not_whole,
			 names__that_come_twice_are_found,
			 payload__needs_its_checksum_and_a_version_we_know,
			 object__is_read_to_its_last_byte,
			 object__long_runs_become_several_records,
			 restore__emits_nothing_for_a_payload_that_ends_badly);
}
