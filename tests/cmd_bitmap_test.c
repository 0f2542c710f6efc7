/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/cmd_bitmap.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/bare.h"
#include "tests/support/suite.h"

#define SOURCES 4

static void fill(struct test_random *r, struct buf *b, size_t size)
{
	/* Runs of equal bytes, so that zeros and ones get long. */
	b->size = 0;
	while (b->size < size) {
		size_t run = 1 + test_random_below(r, 30);
		uint64_t kind = test_random_below(r, 4);
		uint8_t byte = kind == 0 ? 0 : kind == 1 ? 0xff :
			       (uint8_t)test_random_next(r);

		while (run-- && b->size < size)
			buf_put_byte(b, byte);
	}
}

static bool bit_of(const struct buf *b, int64_t index)
{
	return index < (int64_t)b->size * 8 &&
	       (b->data[index / 8] >> (7 - index % 8) & 1);
}

/* The inclusive range of bits that the arguments mean; false: none. */
static bool model_range(int64_t size, int64_t *start, int64_t *end, bool bits)
{
	int64_t units = bits ? size * 8 : size;

	if (*start < 0)
		*start += units;
	if (*end < 0)
		*end += units;
	*start = *start < 0 ? 0 : *start;
	*end = *end < 0 ? 0 : *end;
	*end = *end >= units ? units - 1 : *end;
	if (*start > *end)
		return false;
	if (!bits) {
		*start *= 8;
		*end = *end * 8 + 7;
	}
	return true;
}

static int64_t model_count(const struct buf *b, int64_t start, int64_t end,
			   bool bits)
{
	int64_t total = 0;

	if (start < 0 && end < 0 && start > end)
		return 0;
	if (!model_range((int64_t)b->size, &start, &end, bits))
		return 0;
	for (; start <= end; start++)
		total += bit_of(b, start);
	return total;
}

static int64_t model_position(const struct buf *b, int64_t start, int64_t end,
			      bool bits, bool bit)
{
	if (!model_range((int64_t)b->size, &start, &end, bits))
		return -1;
	for (; start <= end; start++)
		if (bit_of(b, start) == bit)
			return start;
	return -1;
}

START_TEST(bitcount_bitpos__agree_with_one_bit_at_a_time)
{
	struct test_random r = { test_seed() };
	struct bare *b = bare_new();
	struct buf value = { 0 };
	char text[100];
	int round;

	for (round = 0; round < 3000; round++) {
		bool bits = test_random_below(&r, 2);
		bool bit = test_random_below(&r, 2);
		int64_t span = bits ? 900 : 110;
		int64_t start = (int64_t)test_random_below(&r, (uint64_t)span) -
				span / 3;
		int64_t end = (int64_t)test_random_below(&r, (uint64_t)span) -
			      span / 3;
		const char *unit = bits ? "BIT" : "BYTE";

		if (round % 10 == 0) {
			fill(&r, &value, test_random_below(&r, 90));
			bare_set(b, "k", buf_slice(&value));
		}
		snprintf(text, sizeof(text), "BITCOUNT k %d %d %s", (int)start,
			 (int)end, unit);
		ck_assert_msg(bare_number(b, text) ==
				      model_count(&value, start, end, bits),
			      "%s", text);
		snprintf(text, sizeof(text), "BITPOS k %d %d %d %s", bit,
			 (int)start, (int)end, unit);
		ck_assert_msg(bare_number(b, text) ==
				      model_position(&value, start, end, bits,
						     bit),
			      "%s", text);
	}
	buf_release(&value);
	bare_free(b);
}
END_TEST

START_TEST(bitpos__without_an_end_finds_the_zeros_behind_the_value)
{
	struct bare *b = bare_new();

	bare_set(b, "k", slice_of("\xff\xff\xff", 3));
	ck_assert_int_eq(bare_number(b, "BITPOS k 0"), 24);
	ck_assert_int_eq(bare_number(b, "BITPOS k 0 1"), 24);
	ck_assert_int_eq(bare_number(b, "BITPOS k 0 0 -1"), -1);
	ck_assert_int_eq(bare_number(b, "BITPOS none 0"), 0);
	ck_assert_int_eq(bare_number(b, "BITPOS none 1"), -1);
	bare_set(b, "k", slice_of("\0\0\0", 3));
	ck_assert_int_eq(bare_number(b, "BITPOS k 1"), -1);
	bare_free(b);
}
END_TEST

static uint8_t model_op(const char *name, const uint8_t bytes[SOURCES],
			unsigned count)
{
	uint8_t others = 0, once = 0, twice = 0, all = 0xff, any = 0, odd = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		others |= i ? bytes[i] : 0;
		twice |= once & bytes[i];
		once |= bytes[i];
		all &= bytes[i];
		any |= bytes[i];
		odd ^= bytes[i];
	}
	switch (name[0] == 'D' ? name[4] : name[1]) {
	case 'N':
		return name[0] == 'A' ? (name[3] == 'O' ? bytes[0] & others :
							  all) :
					once & (uint8_t)~twice;
	case 'R':
		return any;
	case 'O':
		return name[0] == 'X' ? odd : (uint8_t)~bytes[0];
	case '1':
		return others & (uint8_t)~bytes[0];
	default:
		return bytes[0] & (uint8_t)~others;
	}
}

static void check_op(struct bare *b, const char *name, struct buf *sources,
		     unsigned count)
{
	static const char *const keys = "s0 s1 s2 s3";
	struct buf got = { 0 };
	char text[100];
	size_t size = 0, i;
	unsigned s;

	for (s = 0; s < count; s++)
		size = sources[s].size > size ? sources[s].size : size;
	snprintf(text, sizeof(text), "BITOP %s d %.*s", name,
		 (int)(3 * count - 1), keys);
	ck_assert_int_eq(bare_number(b, text), (int64_t)size);
	if (size == 0)
		return;
	bare_get(b, "d", &got);
	ck_assert_uint_eq(got.size, size);
	for (i = 0; i < size; i++) {
		uint8_t bytes[SOURCES] = { 0 };

		for (s = 0; s < count; s++)
			bytes[s] = i < sources[s].size ? sources[s].data[i] :
							 0;
		/* An assertion per byte takes Check too long. */
		if (got.data[i] != model_op(name, bytes, count))
			ck_abort_msg("%s, byte %zu of %zu", text, i, size);
	}
	buf_release(&got);
}

START_TEST(bitop__agrees_with_one_byte_at_a_time_whatever_the_sizes)
{
	static const char *const names[] = { "AND", "OR", "XOR", "NOT", "DIFF",
					     "DIFF1", "ANDOR", "ONE" };
	struct test_random r = { test_seed() };
	struct buf sources[SOURCES] = { 0 };
	struct bare *b = bare_new();
	unsigned round, i, s;

	for (round = 0; round < 40; round++) {
		uint64_t limit = round % 4 ? 200 : 200000;

		for (s = 0; s < SOURCES; s++) {
			char key[3] = { 's', (char)('0' + s), 0 };

			fill(&r, &sources[s], test_random_below(&r, limit));
			bare_set(b, key, buf_slice(&sources[s]));
		}
		for (i = 0; i < ARRAY_LEN(names); i++)
			check_op(b, names[i], sources,
				 i == 3 ? 1 :
				 2 + (unsigned)test_random_below(&r, 3));
	}
	for (s = 0; s < SOURCES; s++)
		buf_release(&sources[s]);
	bare_free(b);
}
END_TEST

START_TEST(bitop__may_write_over_a_source)
{
	struct bare *b = bare_new();
	struct buf value = { 0 }, got = { 0 };
	struct test_random r = { test_seed() };
	size_t i;

	fill(&r, &value, 150000);
	bare_set(b, "a", buf_slice(&value));
	ck_assert_int_eq(bare_number(b, "BITOP NOT a a"), 150000);
	bare_get(b, "a", &got);
	for (i = 0; i < value.size; i++)
		if ((got.data[i] ^ value.data[i]) != 0xff)
			ck_abort_msg("byte %zu", i);
	ck_assert_int_eq(bare_number(b, "BITOP XOR a a a"), 150000);
	ck_assert_int_eq(bare_number(b, "BITCOUNT a"), 0);
	buf_release(&value);
	buf_release(&got);
	bare_free(b);
}
END_TEST

START_TEST(bitop__of_a_sparse_value_logs_what_is_not_zero)
{
	struct bare *b = bare_new();
	size_t bytes = 0;
	unsigned i;

	bare_run(b, "SETBIT a 800000000 1");
	bare_run(b, "SETBIT a 8000000 1");
	ck_assert_int_eq(bare_number(b, "BITOP OR d a none"), 100000001);
	for (i = 0; i < b->record_count && i < BARE_RECORDS_MAX; i++)
		bytes += b->records[i].value_size;
	ck_assert_uint_le(b->record_count, 3);
	ck_assert_uint_le(bytes, 3 * 65536);
	ck_assert_int_eq(bare_number(b, "BITCOUNT d"), 2);
	ck_assert_int_eq(bare_number(b, "BITOP XOR d d a"), 100000001);
	ck_assert_int_eq(bare_number(b, "BITCOUNT d"), 0);
	ck_assert_int_eq(bare_number(b, "STRLEN d"), 100000001);
	bare_free(b);
}
END_TEST

/* One operation on a field that holds `before`. */
struct field_case {
	const char *type;
	int64_t before;
	const char *overflow;
	const char *operation; /* "INCRBY" or "SET" */
	int64_t operand;
	const char *reply;
	int64_t after;
};

static const struct field_case field_cases[] = {
	{ "i8", 127, "WRAP", "INCRBY", 1, "*1\r\n:-128\r\n", -128 },
	{ "i8", 127, "SAT", "INCRBY", 1, "*1\r\n:127\r\n", 127 },
	{ "i8", 127, "FAIL", "INCRBY", 1, "*1\r\n$-1\r\n", 127 },
	{ "i8", -128, "WRAP", "INCRBY", -1, "*1\r\n:127\r\n", 127 },
	{ "i8", -128, "SAT", "INCRBY", -200, "*1\r\n:-128\r\n", -128 },
	{ "i8", -128, "FAIL", "INCRBY", -1, "*1\r\n$-1\r\n", -128 },
	{ "i8", 100, "WRAP", "INCRBY", 257, "*1\r\n:101\r\n", 101 },
	{ "u8", 255, "WRAP", "INCRBY", 1, "*1\r\n:0\r\n", 0 },
	{ "u8", 255, "SAT", "INCRBY", 1, "*1\r\n:255\r\n", 255 },
	{ "u8", 255, "FAIL", "INCRBY", 1, "*1\r\n$-1\r\n", 255 },
	{ "u8", 0, "WRAP", "INCRBY", -1, "*1\r\n:255\r\n", 255 },
	{ "u8", 0, "SAT", "INCRBY", -1, "*1\r\n:0\r\n", 0 },
	{ "u8", 7, "WRAP", "SET", 257, "*1\r\n:7\r\n", 1 },
	{ "u8", 7, "SAT", "SET", 257, "*1\r\n:7\r\n", 255 },
	{ "u8", 7, "FAIL", "SET", 257, "*1\r\n$-1\r\n", 7 },
	{ "u8", 7, "SAT", "SET", -1, "*1\r\n:7\r\n", 255 },
	{ "i5", 3, "SAT", "SET", -100, "*1\r\n:3\r\n", -16 },
	{ "i1", 0, "WRAP", "INCRBY", 1, "*1\r\n:-1\r\n", -1 },
	{ "u1", 1, "SAT", "INCRBY", 5, "*1\r\n:1\r\n", 1 },
	{ "i64", INT64_MAX, "WRAP", "INCRBY", 1,
	  "*1\r\n:-9223372036854775808\r\n", INT64_MIN },
	{ "i64", INT64_MAX, "SAT", "INCRBY", INT64_MAX,
	  "*1\r\n:9223372036854775807\r\n", INT64_MAX },
	{ "i64", INT64_MIN, "SAT", "INCRBY", INT64_MIN,
	  "*1\r\n:-9223372036854775808\r\n", INT64_MIN },
	{ "i64", INT64_MIN, "FAIL", "INCRBY", -1, "*1\r\n$-1\r\n",
	  INT64_MIN },
	{ "u63", INT64_MAX, "WRAP", "INCRBY", 1, "*1\r\n:0\r\n", 0 },
	{ "u63", INT64_MAX, "SAT", "INCRBY", INT64_MAX,
	  "*1\r\n:9223372036854775807\r\n", INT64_MAX },
	{ "u63", 0, "SAT", "INCRBY", INT64_MIN, "*1\r\n:0\r\n", 0 },
};

static void check_field(struct bare *b, const struct field_case *f, int offset)
{
	char text[200], wanted[64];

	bare_run(b, "DEL k");
	snprintf(text, sizeof(text), "BITFIELD k SET %s %d %lld", f->type,
		 offset, (long long)f->before);
	bare_run(b, text);
	snprintf(text, sizeof(text), "BITFIELD k OVERFLOW %s %s %s %d %lld",
		 f->overflow, f->operation, f->type, offset,
		 (long long)f->operand);
	ck_assert_str_eq(bare_run(b, text), f->reply);
	snprintf(text, sizeof(text), "BITFIELD_RO k GET %s %d", f->type,
		 offset);
	snprintf(wanted, sizeof(wanted), "*1\r\n:%lld\r\n",
		 (long long)f->after);
	ck_assert_str_eq(bare_run(b, text), wanted);
}

START_TEST(bitfield__wraps_saturates_and_fails_at_the_edges_of_each_type)
{
	struct bare *b = bare_new();
	size_t i;
	int offset;

	for (i = 0; i < ARRAY_LEN(field_cases); i++)
		for (offset = 0; offset < 10; offset += 3)
			check_field(b, &field_cases[i], offset);
	bare_free(b);
}
END_TEST

START_TEST(bitfield__each_operation_sees_those_before_it)
{
	struct bare *b = bare_new();

	ck_assert_str_eq(bare_run(b, "BITFIELD k SET u8 #0 1 INCRBY u8 #0 2 "
				     "GET u8 #0 SET u8 #1 9 GET u16 0"),
			 "*5\r\n:0\r\n:3\r\n:3\r\n:0\r\n:777\r\n");
	bare_free(b);
}
END_TEST

START_TEST(setbit__logs_one_byte_and_only_if_it_changes)
{
	struct bare *b = bare_new();

	ck_assert_int_eq(bare_number(b, "SETBIT k 100000 1"), 0);
	ck_assert_uint_eq(b->record_count, 1);
	ck_assert_uint_eq(b->records[0].type, REC_str_write);
	ck_assert_uint_eq(b->records[0].value_size, 1);
	ck_assert_uint_eq(b->records[0].offset, 12500);
	ck_assert_int_eq(bare_number(b, "SETBIT k 100000 1"), 1);
	ck_assert_uint_eq(b->record_count, 0);
	ck_assert_int_eq(bare_number(b, "SETBIT k 99999 0"), 0);
	ck_assert_uint_eq(b->record_count, 0);
	ck_assert_int_eq(bare_number(b, "SETBIT k 200000 0"), 0);
	ck_assert_uint_eq(b->record_count, 1);
	ck_assert_int_eq(bare_number(b, "STRLEN k"), 25001);
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"cmd_bitmap", bitcount_bitpos__agree_with_one_bit_at_a_time,
		bitpos__without_an_end_finds_the_zeros_behind_the_value,
		bitop__agrees_with_one_byte_at_a_time_whatever_the_sizes,
		bitop__may_write_over_a_source,
		bitop__of_a_sparse_value_logs_what_is_not_zero,
		bitfield__wraps_saturates_and_fails_at_the_edges_of_each_type,
		bitfield__each_operation_sees_those_before_it,
		setbit__logs_one_byte_and_only_if_it_changes);
}
