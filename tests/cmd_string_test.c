/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/cmd_string.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/bare.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"

#define TEXT_MAX 40

/* One record of this type, of this many bytes of value, and nothing else. */
static void check_record(const struct bare *b, unsigned type, size_t size)
{
	ck_assert_uint_eq(b->record_count, 1);
	ck_assert_uint_eq(b->records[0].type, type);
	ck_assert_uint_eq(b->records[0].value_size, size);
}

/* --- LCS ----------------------------------------------------------------- */

static size_t model_length(const char *a, const char *b)
{
	size_t table[TEXT_MAX + 1][TEXT_MAX + 1] = { { 0 } };
	size_t i, j, n = strlen(a), m = strlen(b);

	for (i = 1; i <= n; i++)
		for (j = 1; j <= m; j++)
			table[i][j] =
				a[i - 1] == b[j - 1] ?
					table[i - 1][j - 1] + 1 :
				table[i - 1][j] > table[i][j - 1] ?
					table[i - 1][j] : table[i][j - 1];
	return table[n][m];
}

static bool is_subsequence(const char *part, const char *whole)
{
	for (; *part && *whole; whole++)
		part += *part == *whole;
	return *part == 0;
}

static void random_text(struct test_random *r, char out[TEXT_MAX + 1])
{
	size_t size = test_random_below(r, TEXT_MAX), i;

	for (i = 0; i < size; i++)
		out[i] = (char)('a' + test_random_below(r, 3));
	out[size] = 0;
}

/* "[[a0 a1] [b0 b1] n] …" of the reply to IDX WITHMATCHLEN: each range must be
 * equal in both, and together they must be the subsequence. */
static void check_ranges(const char *reply, const char *a, const char *b,
			 size_t length)
{
	long v[5];
	size_t count, i, total = 0;
	int used;

	ck_assert(sscanf(reply, "*4\r\n$7\r\nmatches\r\n*%zu\r\n%n", &count,
			 &used) == 1);
	for (reply += used, i = 0; i < count; i++, reply += used) {
		ck_assert_int_eq(sscanf(reply, "*3\r\n*2\r\n:%ld\r\n:%ld\r\n"
					"*2\r\n:%ld\r\n:%ld\r\n:%ld\r\n%n",
					&v[0], &v[1], &v[2], &v[3], &v[4],
					&used), 5);
		ck_assert_int_eq(v[1] - v[0], v[3] - v[2]);
		ck_assert_int_eq(v[4], v[1] - v[0] + 1);
		ck_assert(strncmp(a + v[0], b + v[2], (size_t)v[4]) == 0);
		total += (size_t)v[4];
	}
	ck_assert_uint_eq(total, length);
}

START_TEST(lcs__finds_a_longest_common_subsequence)
{
	struct test_random r = { test_seed() };
	struct bare *b = bare_new();
	char x[TEXT_MAX + 1], y[TEXT_MAX + 1];
	int round;

	for (round = 0; round < 500; round++) {
		struct buf text = { 0 };
		size_t length;
		const char *reply;

		random_text(&r, x);
		random_text(&r, y);
		bare_set(b, "x", slice_str(x));
		bare_set(b, "y", slice_str(y));
		length = model_length(x, y);
		ck_assert_int_eq(bare_number(b, "LCS x y LEN"),
				 (int64_t)length);
		reply = strchr(bare_run(b, "LCS x y"), '\n') + 1;
		buf_put(&text, reply, length);
		buf_put_byte(&text, 0);
		ck_assert(is_subsequence((const char *)text.data, x));
		ck_assert(is_subsequence((const char *)text.data, y));
		check_ranges(bare_run(b, "LCS x y IDX WITHMATCHLEN"), x, y,
			     length);
		buf_release(&text);
	}
	bare_free(b);
}
END_TEST

START_TEST(lcs__refuses_what_would_need_too_much)
{
	struct bare *b = bare_new();
	struct buf big = { 0 };

	memset(buf_reserve(&big, 20000), 'x', 20000);
	big.size = 20000;
	bare_set(b, "x", buf_slice(&big));
	ck_assert(bare_run(b, "LCS x x LEN")[0] == '-');
	ck_assert_int_eq(bare_number(b, "LCS x none LEN"), 0);
	buf_release(&big);
	bare_free(b);
}
END_TEST

/* --- what is logged ------------------------------------------------------ */

START_TEST(append_setrange__log_the_bytes_they_write)
{
	struct bare *b = bare_new();
	struct buf big = { 0 };

	memset(buf_reserve(&big, 1000000), 'x', 1000000);
	big.size = 1000000;
	bare_set(b, "k", buf_slice(&big));
	ck_assert_int_eq(bare_number(b, "APPEND k tail"), 1000004);
	check_record(b, REC_str_write, 4);
	ck_assert_uint_eq(b->records[0].offset, 1000000);
	ck_assert_int_eq(bare_number(b, "SETRANGE k 5 abc"), 1000004);
	check_record(b, REC_str_write, 3);
	ck_assert_int_eq(bare_number(b, "APPEND new x"), 1);
	check_record(b, REC_str_set, 1);
	buf_release(&big);
	bare_free(b);
}
END_TEST

START_TEST(incr__logs_the_result_and_keeps_the_deadline)
{
	struct bare *b = bare_new();

	bare_run(b, "SET n 41 EX 100");
	ck_assert_int_eq(bare_number(b, "INCR n"), 42);
	check_record(b, REC_str_set, 2);
	ck_assert_uint_eq(b->records[0].deadline, DEADLINE_KEEP);
	ck_assert_uint_eq(b->records[0].cause, CAUSE_incrby);
	ck_assert_int_eq(bare_number(b, "TTL n"), 100);
	ck_assert_str_eq(bare_run(b, "INCRBYFLOAT n 0.5"), "$4\r\n42.5\r\n");
	check_record(b, REC_str_set, 4);
	ck_assert_int_eq(bare_number(b, "TTL n"), 100);
	bare_free(b);
}
END_TEST

START_TEST(set__with_a_deadline_is_one_record)
{
	struct bare *b = bare_new();

	ck_assert_str_eq(bare_run(b, "SET k v EX 10 GET"), "$-1\r\n");
	check_record(b, REC_str_set, 1);
	ck_assert_uint_eq(b->records[0].deadline,
			  b->engine->now_ms + 10000);
	ck_assert_str_eq(bare_run(b, "SET k w KEEPTTL"), "+OK\r\n");
	ck_assert_uint_eq(b->records[0].deadline, DEADLINE_KEEP);
	bare_free(b);
}
END_TEST

START_TEST(commands_that_change_nothing_log_nothing)
{
	static const char *const commands[] = {
		"SET k v NX", "SET none v XX", "SET k v IFEQ other", "GET k",
		"SETNX k w", "MSETNX k 1 l 2", "GETEX k", "GETEX k PERSIST",
		"GETDEL none", "APPEND k ", "SETRANGE none 5 ", "DELIFEQ k x",
		"DELEX k IFNE v", "INCREX n UBOUND 0", "MSETEX 1 k v NX",
		"PERSIST k", "EXPIRE none 5", "EXPIRE k 5 XX", "RENAME k k",
		"RENAMENX k k", "COPY k l", "MOVE none 1", "DEL none",
		"SWAPDB 1 1", "INCR k", "BITOP AND none n1 n2", "LCS k l",
	};
	struct bare *b = bare_new();
	size_t i;

	bare_run(b, "MSET k v l w");
	for (i = 0; i < ARRAY_LEN(commands); i++) {
		bare_run(b, commands[i]);
		ck_assert_msg(b->record_count == 0, "%s", commands[i]);
	}
	bare_free(b);
}
END_TEST

START_TEST(an_expired_key_is_removed_in_the_batch_of_the_write)
{
	struct bare *b = bare_new();

	b->engine->active_expire = false;
	bare_run(b, "SET n 5 PX 10");
	sim_advance_us(b->sim, 20000);
	ck_assert_int_eq(bare_number(b, "EXISTS n"), 0);
	ck_assert_uint_eq(b->record_count, 0);
	ck_assert_int_eq(bare_number(b, "INCR n"), 1);
	ck_assert_uint_eq(b->record_count, 2);
	ck_assert_uint_eq(b->records[0].type, REC_key_del);
	ck_assert_uint_eq(b->records[0].cause, CAUSE_expired);
	ck_assert_int_eq(bare_number(b, "TTL n"), -1);
	bare_free(b);
}
END_TEST

START_TEST(a_small_value_moves_as_records_and_a_big_one_by_a_barrier)
{
	struct bare *b = bare_new();
	struct buf big = { 0 };

	bare_run(b, "SET a small EX 100");
	bare_run(b, "RENAME a b");
	ck_assert_uint_eq(b->record_count, 2);
	ck_assert_uint_eq(b->records[0].type, REC_key_del);
	ck_assert_uint_eq(b->records[0].cause, CAUSE_rename_from);
	ck_assert_uint_eq(b->records[1].type, REC_str_set);
	ck_assert_uint_eq(b->records[1].cause, CAUSE_rename_to);
	ck_assert_int_eq(bare_number(b, "TTL b"), 100);
	memset(buf_reserve(&big, 100000), 'x', 100000);
	big.size = 100000;
	bare_set(b, "a", buf_slice(&big));
	bare_run(b, "RENAME a b");
	check_record(b, REC_key_move, 0);
	ck_assert_int_eq(bare_number(b, "TTL b"), -1);
	ck_assert_int_eq(bare_number(b, "COPY b c DB 1"), 1);
	check_record(b, REC_key_copy, 0);
	ck_assert_int_eq(bare_number(b, "STRLEN b"), 100000);
	buf_release(&big);
	bare_free(b);
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"cmd_string", lcs__finds_a_longest_common_subsequence,
		lcs__refuses_what_would_need_too_much,
		append_setrange__log_the_bytes_they_write,
		incr__logs_the_result_and_keeps_the_deadline,
		set__with_a_deadline_is_one_record,
		commands_that_change_nothing_log_nothing,
		an_expired_key_is_removed_in_the_batch_of_the_write,
		a_small_value_moves_as_records_and_a_big_one_by_a_barrier);
}
