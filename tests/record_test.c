/* SPDX-License-Identifier: BSD-3-Clause */
#include "wal/record.h"

#include <stdlib.h>

#include "tests/support/suite.h"

static const unsigned types[] = {
#define X(name, tag, text) tag,
	RECORD_TYPES(X)
#undef X
};

static struct slice some_bytes(struct test_random *r, uint8_t *room)
{
	size_t size = test_random_below(r, 300), i;

	for (i = 0; i < size; i++)
		room[i] = (uint8_t)test_random_next(r);
	return slice_of(room, size);
}

static uint64_t some_number(struct test_random *r)
{
	return test_random_next(r) >> test_random_below(r, 64);
}

/* A record with something in every field. */
static struct record some_record(struct test_random *r, uint8_t room[3][300])
{
	return (struct record){
		.type = (uint8_t)types[test_random_below(r, ARRAY_LEN(types))],
		.cause = (uint8_t)test_random_below(r, CAUSE_import + 1),
		.db = (uint32_t)test_random_below(r, 3) *
		      (uint32_t)test_random_below(r, RECORD_DB_MAX / 2),
		.key = some_bytes(r, room[0]),
		.value = some_bytes(r, room[1]),
		.other = some_bytes(r, room[2]),
		.deadline = some_number(r),
		.offset = some_number(r),
		.other_db = test_random_below(r, RECORD_DB_MAX + 1),
		.at = some_number(r),
		.count = some_number(r),
		.group = some_bytes(r, room[1]),
		.consumer = some_bytes(r, room[2]),
		.ms = some_number(r),
		.seq = some_number(r),
		.other_ms = some_number(r),
		.other_seq = some_number(r),
		.seen_ms = some_number(r),
		.active_ms = some_number(r),
		.read = (int64_t)some_number(r),
	};
}

#define SAME_bytes(member) ck_assert(slice_equal(a->member, b->member));
#define SAME_number(member) ck_assert_uint_eq(a->member, b->member);
#define SAME_signed(member) ck_assert_int_eq(a->member, b->member);
#define SAME_real(member) ck_assert(a->member == b->member);
#define SAME_items(member) SAME_bytes(member)
#define SAME_scored(member) SAME_bytes(member)
#define SAME_ids(member) SAME_bytes(member)
#define SAME(kind, member) SAME_##kind(member)

/* In what the record's type carries. */
static void assert_same(const struct record *a, const struct record *b)
{
	ck_assert_uint_eq(a->type, b->type);
	ck_assert_uint_eq(a->cause, b->cause);
	ck_assert_uint_eq(a->db, b->db);
	switch (a->type) {
#define X(name, tag, text) \
	case tag:          \
		REC_FIELDS_##name(SAME) break;
		RECORD_TYPES(X)
#undef X
	}
}

START_TEST(record__what_is_encoded_is_decoded)
{
	struct test_random random = { test_seed() };
	uint8_t room[3][300];
	struct buf out = { 0 };
	int i;

	for (i = 0; i < 20000; i++) {
		struct record r = some_record(&random, room), back;
		uint32_t previous = i % 2 ? r.db : (uint32_t)i;
		struct reader in;

		out.size = 0;
		record_encode(&out, &r, previous);
		ck_assert_uint_le(out.size, RECORD_OVERHEAD_MAX + r.key.size +
						    r.value.size +
						    r.other.size +
						    r.group.size +
						    r.consumer.size);
		in = reader_of(buf_slice(&out));
		ck_assert(record_decode(&in, &back, previous));
		ck_assert_uint_eq(reader_left(&in), 0);
		assert_same(&r, &back);
	}
	buf_release(&out);
}
END_TEST

START_TEST(record__every_type_has_a_name_and_every_tag_fits)
{
	unsigned i, named = 0;

	for (i = 0; i < 256; i++)
		named += record_type_name(i) != NULL;
	ck_assert_uint_eq(named, ARRAY_LEN(types));
	ck_assert_str_eq(record_type_name(REC_str_set), "str_set");
	ck_assert_str_eq(record_cause_name(CAUSE_expired), "expired");
	ck_assert_ptr_null(record_type_name(0));
	ck_assert_ptr_null(record_cause_name(255));
	ck_assert(record_is_barrier(REC_db_swap));
	ck_assert(!record_is_barrier(REC_str_set));
}
END_TEST

START_TEST(record__cut_short_anywhere_is_refused)
{
	struct test_random random = { test_seed() };
	uint8_t room[3][300];
	struct buf out = { 0 };
	size_t size;
	int i;

	for (i = 0; i < 200; i++) {
		struct record r = some_record(&random, room), back;

		out.size = 0;
		record_encode(&out, &r, 0);
		for (size = 0; size < out.size; size++) {
			/* of its own, so that a sanitizer sees the end */
			uint8_t *copy = malloc(size ? size : 1);
			struct reader in = { copy, copy + size, false };

			memcpy(copy, out.data, size);
			ck_assert(!record_decode(&in, &back, 0));
			ck_assert(in.bad);
			free(copy);
		}
	}
	buf_release(&out);
}
END_TEST

START_TEST(record__hostile_bytes_are_read_within_their_bounds)
{
	struct test_random random = { test_seed() };
	struct record r;
	int i;

	for (i = 0; i < 200000; i++) {
		size_t size = test_random_below(&random, 40), j;
		uint8_t *bytes = malloc(size ? size : 1);
		struct reader in = { bytes, bytes + size, false };

		for (j = 0; j < size; j++)
			bytes[j] = (uint8_t)test_random_next(&random);
		if (size)
			bytes[0] &= 0x8f; /* often a tag that exists */
		if (record_decode(&in, &r, 7)) {
			struct buf out = { 0 };

			/* one value, one encoding */
			record_encode(&out, &r, 7);
			ck_assert_uint_eq(out.size, (size_t)(in.at - bytes));
			ck_assert_mem_eq(out.data, bytes, out.size);
			buf_release(&out);
		}
		free(bytes);
	}
}
END_TEST

static bool decodes(const uint8_t *bytes, size_t size)
{
	struct reader in = { bytes, bytes + size, false };
	struct record r;

	return record_decode(&in, &r, 1);
}

START_TEST(record__what_no_encoder_writes_is_refused)
{
	static const uint8_t good[] = { REC_key_del, CAUSE_del, 1, 'a' };
	static const uint8_t tag_0[] = { 0, 0, 1, 'a' };
	static const uint8_t tag_127[] = { 127, 0, 1, 'a' };
	static const uint8_t cause[] = { REC_key_del, 250, 1, 'a' };
	static const uint8_t same_db[] = { REC_key_del | 0x80, 1, 2, 1, 'a' };
	static const uint8_t long_db[] = {
		REC_key_del | 0x80, 0x82, 0, 2, 1, 'a'
	};
	static const uint8_t big_db[] = {
		REC_key_del | 0x80, 0xff, 0xff, 0xff, 0x7f, 2, 1, 'a'
	};
	static const uint8_t huge_key[] = { REC_key_del, 2,    0xff, 0xff, 0xff,
					    0xff,        0xff, 0xff, 0xff, 0xff,
					    0xff,        1,    'a' };

	ck_assert(decodes(good, sizeof(good)));
	ck_assert(!decodes(tag_0, sizeof(tag_0)));
	ck_assert(!decodes(tag_127, sizeof(tag_127)));
	ck_assert(!decodes(cause, sizeof(cause)));
	ck_assert(!decodes(same_db, sizeof(same_db)));
	ck_assert(!decodes(long_db, sizeof(long_db)));
	ck_assert(!decodes(big_db, sizeof(big_db)));
	ck_assert(!decodes(huge_key, sizeof(huge_key)));
}
END_TEST

static void assert_text(const struct buf *out, const char *text)
{
	ck_assert_uint_eq(out->size, strlen(text));
	ck_assert_mem_eq(out->data, text, out->size);
}

START_TEST(record__is_described_as_json_members)
{
	struct record r = { .type = REC_str_set,
			    .cause = CAUSE_set,
			    .db = 2,
			    .key = SLICE_LITERAL("a\"b"),
			    .value = SLICE_LITERAL("0123456789"),
			    .deadline = 99 };
	struct buf out = { 0 };

	record_describe(&out, &r, 4);
	assert_text(&out, "\"type\":\"str_set\",\"db\":2,\"cause\":\"set\","
			  "\"key\":\"a\\\"b\",\"deadline\":99,"
			  "\"value\":\"0123\",\"value_size\":10");
	buf_release(&out);
}
END_TEST

START_TEST(record__text_is_valid_utf8_whatever_the_bytes)
{
	struct buf out = { 0 };

	json_put_string(&out, SLICE_LITERAL("\x01\n\\\x7f\xff\xc3\xa4"), 99);
	assert_text(&out, "\"\\u0001\\u000a\\\\\\u007f\\u00ff\xc3\xa4\"");
	out.size = 0;
	/* cut inside a character, overlong, surrogate, above U+10FFFF */
	json_put_string(&out, SLICE_LITERAL("x\xc3\xa4"), 2);
	json_put_string(&out, SLICE_LITERAL("\xc0\x80\xed\xa0\x80"), 99);
	json_put_string(&out, SLICE_LITERAL("\xf4\x90\x80\x80"), 99);
	assert_text(&out, "\"x\\u00c3\""
			  "\"\\u00c0\\u0080\\u00ed\\u00a0\\u0080\""
			  "\"\\u00f4\\u0090\\u0080\\u0080\"");
	buf_release(&out);
}
END_TEST

int main(void)
{
	return RUN_TESTS("record", record__what_is_encoded_is_decoded,
			 record__every_type_has_a_name_and_every_tag_fits,
			 record__cut_short_anywhere_is_refused,
			 record__hostile_bytes_are_read_within_their_bounds,
			 record__what_no_encoder_writes_is_refused,
			 record__is_described_as_json_members,
			 record__text_is_valid_utf8_whatever_the_bytes);
}
