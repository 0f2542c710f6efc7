/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"

#include "tests/support/suite.h"

START_TEST(buf__an_empty_one_needs_no_memory)
{
	struct buf b;

	buf_init(&b);
	ck_assert_ptr_null(buf_reserve(&b, 0));
	ck_assert_uint_eq(b.capacity, 0);
	ck_assert_uint_eq(buf_slice(&b).size, 0);
	buf_put(&b, NULL, 0);
	ck_assert_ptr_null(b.data);
	buf_release(&b);
}
END_TEST

START_TEST(buf__keeps_what_was_put_while_it_grows)
{
	struct buf b = { 0 };
	size_t i;

	for (i = 0; i < 3000000; i++)
		buf_put_byte(&b, (uint8_t)(i * 7));
	ck_assert_uint_eq(b.size, 3000000);
	for (i = 0; i < b.size; i++)
		if (b.data[i] != (uint8_t)(i * 7))
			ck_abort_msg("byte %zu", i);
	ck_assert_uint_lt(b.capacity, 6000000);
	buf_release(&b);
	ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(buf__reserve_does_not_change_the_size)
{
	struct buf b = { 0 };

	buf_put_str(&b, "abc");
	memcpy(buf_reserve(&b, 1000), "def", 3);
	ck_assert_uint_eq(b.size, 3);
	ck_assert_uint_ge(b.capacity, 1003);
	buf_release(&b);
}
END_TEST

START_TEST(buf__try_reserve_refuses_what_no_machine_has)
{
	struct buf b = { 0 };

	buf_put_str(&b, "abc");
	ck_assert(!buf_try_reserve(&b, SIZE_MAX));
	ck_assert(!buf_try_reserve(&b, (size_t)1 << 60));
	ck_assert(slice_equal(buf_slice(&b), SLICE_LITERAL("abc")));
	ck_assert(buf_try_reserve(&b, 100000));
	ck_assert_uint_ge(b.capacity, 100003);
	ck_assert(slice_equal(buf_slice(&b), SLICE_LITERAL("abc")));
	buf_release(&b);
}
END_TEST

START_TEST(buf__printf_appends_text_of_any_length)
{
	struct buf b = { 0 };
	int width;

	for (width = 1; width < 300; width++) {
		buf_release(&b);
		buf_put_str(&b, "<");
		buf_printf(&b, "%*d", width, 7);
		buf_put_str(&b, ">");
		ck_assert_uint_eq(b.size, (size_t)width + 2);
		ck_assert_uint_eq(b.data[width], '7');
		ck_assert_uint_eq(b.data[width + 1], '>');
	}
	buf_release(&b);
}
END_TEST

START_TEST(buf__drop_front_moves_the_rest)
{
	struct buf b = { 0 };

	buf_put_str(&b, "abcdef");
	buf_drop_front(&b, 0);
	buf_drop_front(&b, 2);
	ck_assert(slice_equal(buf_slice(&b), SLICE_LITERAL("cdef")));
	buf_drop_front(&b, 4);
	ck_assert_uint_eq(b.size, 0);
	buf_release(&b);
}
END_TEST

/* Not inlined: the compiler warns of what it knows cannot happen. */
static __attribute__((noinline)) bool is(const char *text, const char *word)
{
	return slice_is(slice_str(text), word);
}

START_TEST(slice__is_ignores_ascii_case_only)
{
	ck_assert(is("KeepTTL", "keepttl"));
	ck_assert(!is("keepttl", "keepttlx"));
	ck_assert(!is("keepttlx", "keepttl"));
	ck_assert(!is("@", "`"));
	ck_assert(slice_equal(slice_of(NULL, 0), slice_of("", 0)));
}
END_TEST

int main(void)
{
	return RUN_TESTS("buf", buf__an_empty_one_needs_no_memory,
			 buf__keeps_what_was_put_while_it_grows,
			 buf__reserve_does_not_change_the_size,
			 buf__try_reserve_refuses_what_no_machine_has,
			 buf__printf_appends_text_of_any_length,
			 buf__drop_front_moves_the_rest,
			 slice__is_ignores_ascii_case_only);
}
