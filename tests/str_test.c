/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/str.h"

#include "base/mem.h"
#include "base/reaper.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>

#define KEY SLICE_LITERAL("key")

/* The model: plain bytes. */
struct model {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

static void model_init(struct model *m, size_t capacity)
{
	*m = (struct model){ mem_calloc(1, capacity), 0, capacity };
}

static void model_set(struct model *m, struct slice value)
{
	memset(m->bytes, 0, m->size);
	memcpy(m->bytes, value.data, value.size);
	m->size = value.size;
}

static void model_write(struct model *m, size_t offset, struct slice bytes)
{
	if (bytes.size == 0)
		return;
	ck_assert_uint_le(offset + bytes.size, m->capacity);
	memcpy(m->bytes + offset, bytes.data, bytes.size);
	if (offset + bytes.size > m->size)
		m->size = offset + bytes.size;
}

static void check_bytes(const struct entry *e, const uint8_t *bytes,
			size_t size)
{
	char scratch[NUM_I64_SIZE];
	size_t offset = 0;
	struct slice piece;

	str_check(e);
	ck_assert_uint_eq(str_size(e), size);
	while (offset < size) {
		piece = str_piece(e, offset, scratch);
		ck_assert_uint_gt(piece.size, 0);
		ck_assert_uint_le(piece.size, size - offset);
		ck_assert_mem_eq(piece.data, bytes + offset, piece.size);
		offset += piece.size;
	}
	piece = str_piece(e, size, scratch);
	ck_assert_uint_eq(piece.size, 0);
}

static void check_frozen(const struct str_frozen *f, const struct model *m)
{
	size_t offset = 0;

	ck_assert_uint_eq(str_frozen_size(f), m->size);
	while (offset < m->size) {
		bool hole;
		struct slice piece = str_frozen_piece(f, offset, &hole);
		size_t i;

		ck_assert_uint_gt(piece.size, 0);
		ck_assert_mem_eq(piece.data, m->bytes + offset, piece.size);
		for (i = 0; hole && i < piece.size; i++)
			ck_assert_uint_eq(piece.data[i], 0);
		offset += piece.size;
	}
}

START_TEST(str__integers_are_held_in_the_smallest_width)
{
	static const struct {
		const char *text;
		size_t width; /* 0: not an integer */
	} rows[] = {
		{ "0", 1 },
		{ "-1", 1 },
		{ "127", 1 },
		{ "-128", 1 },
		{ "128", 2 },
		{ "-32768", 2 },
		{ "32768", 4 },
		{ "2147483647", 4 },
		{ "-2147483649", 8 },
		{ "9223372036854775807", 8 },
		{ "-9223372036854775808", 8 },
		{ "9223372036854775808", 0 },
		{ "-0", 0 },
		{ "+1", 0 },
		{ "01", 0 },
		{ "1 ", 0 },
		{ "", 0 },
		{ "-", 0 },
		{ "1e3", 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice text = slice_str(rows[i].text);
		struct entry *e = str_new(KEY, text, 0);
		int64_t v;

		ck_assert(str_int(e, &v) == (rows[i].width != 0));
		if (rows[i].width != 0) {
			ck_assert_uint_eq(entry_value_size(e), rows[i].width);
			ck_assert_str_eq(str_encoding_name(e), "int");
		}
		check_bytes(e, text.data, text.size);
		/* the same over another value */
		e = str_set(e, SLICE_LITERAL("something else"), 77);
		e = str_set(e, text, 0);
		ck_assert(str_int(e, &v) == (rows[i].width != 0));
		check_bytes(e, text.data, text.size);
		entry_free(e);
	}
}
END_TEST

START_TEST(str__encoding_names_are_those_clients_expect)
{
	static const uint8_t bytes[100000] = "x";
	struct entry *e = str_new(KEY, slice_of(bytes, 44), 0);

	ck_assert_str_eq(str_encoding_name(e), "embstr");
	e = str_set(e, slice_of(bytes, 45), 0);
	ck_assert_str_eq(str_encoding_name(e), "raw");
	e = str_set(e, slice_of(bytes, 100000), 0);
	ck_assert_str_eq(str_encoding_name(e), "raw");
	e = str_set(e, SLICE_LITERAL("1"), 0);
	e = str_write(e, 1, SLICE_LITERAL("2"));
	ck_assert_str_eq(str_encoding_name(e), "raw");
	entry_free(e);
}
END_TEST

START_TEST(str__a_gap_reads_as_zeros)
{
	struct entry *e = str_new(KEY, SLICE_LITERAL("12"), 9);

	e = str_write(e, 5, SLICE_LITERAL("x"));
	check_bytes(e, (const uint8_t *)"12\0\0\0x", 6);
	e = str_write(e, 6, slice_of(NULL, 0));
	e = str_write(e, 1000, slice_of(NULL, 0));
	check_bytes(e, (const uint8_t *)"12\0\0\0x", 6);
	ck_assert_uint_eq(entry_deadline(e), 9);
	entry_free(e);
}
END_TEST

/* Sizes around what matters: inline, one chunk, several. */
static size_t some_size(struct test_random *r)
{
	static const size_t edges[] = { 0,     1,	21,	44,	127,
					128,   256,	16384,	65535,	65536,
					65537, 131072,	131073, 200000 };

	if (test_random_below(r, 3) == 0)
		return edges[test_random_below(r, ARRAY_LEN(edges))];
	return test_random_below(r, UINT64_C(2)
					    << test_random_below(r, 17));
}

#define FROZEN_MAX 4

struct held {
	struct str_frozen *frozen;
	struct model model;
};

/* Freezes into a place, or checks and releases what is there. */
static void toggle_frozen(struct held *h, const struct entry *e,
			  const struct model *m)
{
	if (h->frozen != NULL) {
		check_frozen(h->frozen, &h->model);
		str_frozen_release(h->frozen);
		mem_free(h->model.bytes);
		h->frozen = NULL;
	} else if (entry_encoding(e) == ENC_CHUNKS) {
		h->frozen = str_freeze(e);
		model_init(&h->model, m->size);
		model_write(&h->model, 0, slice_of(m->bytes, m->size));
	}
}

START_TEST(str__random_changes_agree_with_plain_bytes)
{
	struct test_random r = { test_seed() };
	struct held held[FROZEN_MAX] = { { 0 } };
	uint8_t *noise = mem_alloc(300000);
	struct entry *e = str_new(KEY, slice_of(NULL, 0), 0);
	struct model m;
	size_t i;
	int step;

	for (i = 0; i < 300000; i++)
		noise[i] = (uint8_t)test_random_next(&r);
	model_init(&m, 1 << 20);
	for (step = 0; step < 700; step++) {
		struct slice bytes = slice_of(noise + step, some_size(&r));
		size_t offset = test_random_below(&r, 4) ? m.size
							 : some_size(&r);
		unsigned kind = (unsigned)test_random_below(&r, 20);

		if (kind == 0 || offset + bytes.size > m.capacity) {
			e = str_set(e, bytes, 0);
			model_set(&m, bytes);
		} else if (kind < 5) {
			toggle_frozen(&held[kind % FROZEN_MAX], e, &m);
		} else if (kind == 5) {
			struct entry *copy = str_copy(e, KEY, 5);

			entry_free(e);
			e = copy;
			ck_assert_uint_eq(entry_deadline(e), 5);
		} else {
			if (kind < 12)
				bytes.size %= 40;
			e = str_write(e, offset, bytes);
			model_write(&m, offset, bytes);
		}
		if (m.size < STR_CHUNK_SIZE * 5 / 4 || step % 4 == 0)
			check_bytes(e, m.bytes, m.size);
	}
	for (i = 0; i < FROZEN_MAX; i++)
		if (held[i].frozen != NULL)
			toggle_frozen(&held[i], e, &m);
	entry_free(e);
	mem_free(m.bytes);
	mem_free(noise);
}
END_TEST

START_TEST(str__copies_do_not_see_each_others_writes)
{
	uint8_t *bytes = mem_calloc(1, 300000);
	struct entry *a = str_new(KEY, slice_of(bytes, 300000), 0);
	struct entry *b = str_copy(a, SLICE_LITERAL("other"), 0);
	uint8_t byte = 1;

	a = str_write(a, 70000, slice_of(&byte, 1));
	byte = 2;
	b = str_write(b, 299999, slice_of(&byte, 1));
	bytes[299999] = 2;
	check_bytes(b, bytes, 300000);
	bytes[299999] = 0;
	bytes[70000] = 1;
	check_bytes(a, bytes, 300000);
	entry_free(b);
	check_bytes(a, bytes, 300000);
	entry_free(a);
	mem_free(bytes);
}
END_TEST

START_TEST(str__copy_out_gives_any_range)
{
	struct test_random r = { test_seed() };
	uint8_t *bytes = mem_alloc(250000), *out = mem_alloc(250000);
	struct entry *e;
	size_t i;

	for (i = 0; i < 250000; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 255);
	e = str_new(KEY, slice_of(bytes, 250000), 0);
	for (i = 0; i < 200; i++) {
		size_t offset = test_random_below(&r, 250001);
		size_t size = test_random_below(&r, 250001 - offset);

		str_copy_out(e, offset, size, out);
		ck_assert_mem_eq(out, bytes + offset, size);
	}
	entry_free(e);
	mem_free(bytes);
	mem_free(out);
}
END_TEST

START_TEST(str__a_bit_at_the_far_end_costs_one_chunk)
{
	struct entry *e = str_new(KEY, slice_of(NULL, 0), 0);
	uint64_t far = (UINT64_C(1) << 32) / 8 - 1;
	uint8_t byte = 1;
	char scratch[NUM_I64_SIZE];

	e = str_write(e, far, slice_of(&byte, 1));
	ck_assert_uint_eq(str_size(e), far + 1);
	/* 8192 pointers with their spare room, and the chunk */
	ck_assert_uint_le(entry_memory(e), 8192 * 9 + 65536 + 1024);
	ck_assert_uint_eq(str_piece(e, far, scratch).data[0], 1);
	ck_assert_uint_eq(str_piece(e, 12345, scratch).data[0], 0);
	/* zeros into a hole cost nothing */
	byte = 0;
	e = str_write(e, 1 << 20, slice_of(&byte, 1));
	ck_assert_uint_le(entry_memory(e), 8192 * 9 + 65536 + 1024);
	entry_free(e);
}
END_TEST

START_TEST(str__one_byte_above_a_chunk_does_not_cost_two)
{
	uint8_t *bytes = mem_calloc(1, 65537);
	struct entry *e;

	bytes[65536] = 1;
	memset(bytes, 'a', 65536);
	e = str_new(KEY, slice_of(bytes, 65537), 0);
	ck_assert_uint_le(entry_memory(e), 65536 + 1024);
	check_bytes(e, bytes, 65537);
	entry_free(e);
	mem_free(bytes);
}
END_TEST

START_TEST(str__a_mebibyte_of_single_appends_is_quick)
{
	struct entry *e = str_new(KEY, SLICE_LITERAL("a"), 0), *moved;
	size_t i, moves = 0;

	for (i = 1; i < 1 << 20; i++) {
		moved = str_write(e, i, SLICE_LITERAL("b"));
		moves += moved != e;
		e = moved;
	}
	ck_assert_uint_eq(str_size(e), 1 << 20);
	ck_assert_uint_le(moves, 120);
	/* an eighth to spare, at most */
	ck_assert_uint_le(entry_memory(e), (1 << 20) + 65536);
	entry_free(e);
}
END_TEST

/* A thread that reads and releases a frozen string, as a snapshot does. */
static void *read_frozen(void *p)
{
	struct str_frozen *f = p;
	uint64_t offset = 0;
	size_t sum = 0;

	while (offset < str_frozen_size(f)) {
		bool hole;
		struct slice piece = str_frozen_piece(f, offset, &hole);
		size_t i;

		for (i = 0; i < piece.size; i++)
			sum += piece.data[i];
		offset += piece.size;
	}
	str_frozen_release(f);
	return (void *)(uintptr_t)sum;
}

START_TEST(str__another_thread_reads_what_was_frozen)
{
	uint8_t *bytes = mem_alloc(500000);
	struct entry *e;
	int round;

	memset(bytes, 1, 500000);
	ck_assert_int_eq(reaper_start(), 0);
	e = str_new(KEY, slice_of(bytes, 500000), 0);
	for (round = 0; round < 20; round++) {
		pthread_t thread;
		void *sum;
		size_t offset;

		ck_assert_int_eq(pthread_create(&thread, NULL, read_frozen,
						str_freeze(e)),
				 0);
		for (offset = 0; offset < 500000; offset += 30000)
			e = str_write(e, offset, SLICE_LITERAL("xyz"));
		if (round % 2 == 0)
			e = str_set(e, SLICE_LITERAL("short"), 0);
		pthread_join(thread, &sum);
		ck_assert_uint_eq((uintptr_t)sum, 500000);
		e = str_set(e, slice_of(bytes, 500000), 0);
	}
	entry_free(e);
	reaper_stop();
	ck_assert_uint_eq(reaper_pending(), 0);
	mem_free(bytes);
}
END_TEST

int main(void)
{
	return RUN_TESTS("str", str__integers_are_held_in_the_smallest_width,
			 str__encoding_names_are_those_clients_expect,
			 str__a_gap_reads_as_zeros,
			 str__random_changes_agree_with_plain_bytes,
			 str__copies_do_not_see_each_others_writes,
			 str__copy_out_gives_any_range,
			 str__a_bit_at_the_far_end_costs_one_chunk,
			 str__one_byte_above_a_chunk_does_not_cost_two,
			 str__a_mebibyte_of_single_appends_is_quick,
			 str__another_thread_reads_what_was_frozen);
}
