/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/entry.h"

#include "base/mem.h"
#include "base/slab.h"
#include "tests/support/suite.h"
#include "types/str.h"

#define DEADLINE_MS UINT64_C(1700000000123)

static void check_whole(const struct entry *e, struct slice key,
			struct slice value, uint64_t deadline_ms)
{
	char scratch[NUM_I64_SIZE];
	struct slice whole;

	ck_assert_int_eq(entry_type(e), VALUE_string);
	ck_assert(slice_equal(entry_key(e), key));
	ck_assert_uint_eq(entry_deadline(e), deadline_ms);
	ck_assert(str_whole(e, scratch, &whole));
	ck_assert(slice_equal(whole, value));
}

START_TEST(entry__sixteen_and_sixteen_bytes_take_forty)
{
	struct slice text = SLICE_LITERAL("0123456789abcdef");
	struct entry *e = str_new(text, text, 0);

	ck_assert_uint_eq(entry_size(e), 38);
	ck_assert_uint_eq(entry_memory(e), 40);
	e = entry_set_deadline(e, DEADLINE_MS);
	ck_assert_uint_eq(entry_size(e), 44);
	check_whole(e, text, text, DEADLINE_MS);
	entry_free(e);
}
END_TEST

START_TEST(entry__keys_of_any_size_read_back)
{
	static const size_t sizes[] = { 0,     1,     127,     128,
					16383, 16384, 2097151, 2097152 };
	uint8_t *bytes = mem_alloc(2097152);
	size_t i;

	for (i = 0; i < 2097152; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct slice key = slice_of(bytes, sizes[i]);
		struct slice value = SLICE_LITERAL("value");
		struct entry *e = str_new(key, value, 0);

		check_whole(e, key, value, 0);
		e = entry_set_deadline(e, DEADLINE_MAX_MS);
		check_whole(e, key, value, DEADLINE_MAX_MS);
		e = entry_set_deadline(e, 1);
		check_whole(e, key, value, 1);
		e = entry_set_deadline(e, 0);
		check_whole(e, key, value, 0);
		entry_free(e);
	}
	mem_free(bytes);
	slab_check();
}
END_TEST

START_TEST(entry__deadline_and_key_change_keep_the_rest)
{
	struct slice key = SLICE_LITERAL("k"), longer;
	struct slice value = SLICE_LITERAL("some value of a key");
	struct entry *e = str_new(key, value, 0);

	longer = SLICE_LITERAL("a key that is a good deal longer than before");
	entry_set_access(e, 0xbeef);
	e = entry_set_deadline(e, DEADLINE_MS);
	e->flags |= ENTRY_INDEXED;
	ck_assert_uint_eq(entry_access(e), 0xbeef);
	e = entry_set_deadline(e, DEADLINE_MS + 1);
	ck_assert(e->flags & ENTRY_INDEXED);
	e = entry_rekey(e, longer);
	check_whole(e, longer, value, DEADLINE_MS + 1);
	ck_assert_uint_eq(entry_access(e), 0xbeef);
	/* the index has no item for the new key */
	ck_assert(!(e->flags & ENTRY_INDEXED));
	e = entry_rekey(e, key);
	check_whole(e, key, value, DEADLINE_MS + 1);
	entry_free(e);
}
END_TEST

START_TEST(entry__pointers_are_kept_through_moves)
{
	struct slice key = SLICE_LITERAL("key");
	struct entry *e;
	int object;

	e = entry_new_pointer(VALUE_string, key, 0, &object);
	ck_assert_int_eq(entry_encoding(e), ENC_POINTER);
	ck_assert_ptr_eq(entry_pointer(e), &object);
	e = entry_set_deadline(e, DEADLINE_MS);
	ck_assert_ptr_eq(entry_pointer(e), &object);
	e = entry_rekey(e, SLICE_LITERAL("another key"));
	ck_assert_ptr_eq(entry_pointer(e), &object);
	ck_assert_uint_eq(entry_deadline(e), DEADLINE_MS);
	/* a string in its place: the object is the caller's business */
	e = str_set(e, SLICE_LITERAL("text"), 0);
	check_whole(e, SLICE_LITERAL("another key"), SLICE_LITERAL("text"), 0);
	entry_free(e);
}
END_TEST

START_TEST(entry__overwriting_within_a_class_allocates_nothing)
{
	struct slice key = SLICE_LITERAL("0123456789abcdef");
	static const uint8_t bytes[1000];
	struct slab_stats before, after;
	struct entry *e, *moved;
	size_t size;

	for (size = 30; size < 1000; size += 7) {
		struct slice value = slice_of(bytes, size);
		size_t used;

		e = str_new(key, value, 0);
		used = mem_used();
		slab_stats(&before);
		moved = str_set(e, value, 0);
		ck_assert_ptr_eq(moved, e);
		moved = entry_set_deadline(e, 0);
		ck_assert_ptr_eq(moved, e);
		slab_stats(&after);
		ck_assert_uint_eq(after.objects, before.objects);
		ck_assert_uint_eq(mem_used(), used);
		entry_free(e);
	}
}
END_TEST

START_TEST(entry__memory_is_given_back)
{
	struct slab_stats before, after;
	struct test_random r = { test_seed() };
	uint8_t *bytes = mem_calloc(1, 300000);
	size_t used;
	int i;

	/* what the slab itself needs is there from now on */
	entry_free(str_new(SLICE_LITERAL("key"), SLICE_LITERAL("value"), 0));
	used = mem_used();
	slab_stats(&before);
	for (i = 0; i < 3000; i++) {
		struct slice key = slice_of(bytes, test_random_below(&r, 300));
		struct slice value = slice_of(
			bytes, test_random_below(&r, UINT64_C(1) << (i % 18)));
		struct entry *e = str_new(key, value, i % 2 ? i : 0);

		if (i % 3 == 0)
			e = entry_set_deadline(e, (uint64_t)i);
		if (i % 5 == 0)
			e = str_write(e, (uint64_t)i * 10, value);
		if (i % 7 == 0)
			e = entry_rekey(e, value.size < 500 ? value : key);
		e = str_set(e, key, 0);
		if (i % 11 == 0)
			e = str_set(e, value, 5);
		entry_free(e);
	}
	slab_stats(&after);
	ck_assert_uint_eq(after.objects, before.objects);
	ck_assert_uint_eq(mem_used(), used);
	slab_check();
	mem_free(bytes);
}
END_TEST

START_TEST(entry__a_blob_takes_splices_anywhere)
{
	static uint8_t model[70000];
	struct test_random r = { test_seed() };
	size_t size = 3;
	uint8_t *bytes;
	struct entry *e = entry_new_blob(VALUE_string, SLICE_LITERAL("key"),
					 1234, size, &bytes);
	int i;

	memcpy(bytes, "abc", 3);
	memcpy(model, "abc", 3);
	for (i = 0; i < 20000; i++) {
		size_t at = test_random_below(&r, size + 1);
		size_t old = test_random_below(&r, size - at + 1);
		size_t fresh = test_random_below(
			&r, test_random_below(&r, 50) ? 40 : 9000);

		if (test_random_below(&r, 3) && old > 40)
			old = 40;
		if (size - old + fresh > sizeof(model))
			continue;
		e = entry_blob_splice(e, at, old, fresh, &bytes);
		memset(bytes, i, fresh);
		memmove(model + at + fresh, model + at + old, size - at - old);
		memset(model + at, i, fresh);
		size = size - old + fresh;
		ck_assert(slice_equal(entry_blob(e), slice_of(model, size)));
		ck_assert_uint_eq(entry_deadline(e), 1234);
		ck_assert(slice_equal(entry_key(e), SLICE_LITERAL("key")));
	}
	e = entry_to_pointer(e, model);
	ck_assert_ptr_eq(entry_pointer(e), model);
	ck_assert_uint_eq(entry_deadline(e), 1234);
	entry_free(e);
}
END_TEST

int main(void)
{
	return RUN_TESTS("entry", entry__sixteen_and_sixteen_bytes_take_forty,
			 entry__keys_of_any_size_read_back,
			 entry__deadline_and_key_change_keep_the_rest,
			 entry__pointers_are_kept_through_moves,
			 entry__overwriting_within_a_class_allocates_nothing,
			 entry__memory_is_given_back,
			 entry__a_blob_takes_splices_anywhere);
}
