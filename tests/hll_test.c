/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "tests/support/suite.h"

/* A value and its registers, one a byte. */
struct pair {
	struct hll_edit edit;
	uint8_t registers[HLL_REGISTERS];
};

static void pair_check(const struct pair *p)
{
	struct slice value = hll_edit_value(&p->edit);
	uint8_t registers[HLL_REGISTERS] = { 0 };

	ck_assert_int_eq(hll_check(value), HLL_GOOD);
	hll_max_into(registers, value);
	ck_assert_mem_eq(registers, p->registers, sizeof(registers));
	ck_assert_uint_eq(hll_count(value), hll_count_registers(registers));
}

static void pair_raise(struct pair *p, struct hll_mark mark)
{
	uint8_t *at = &p->registers[mark.index];
	bool higher = mark.rank > *at;

	ck_assert_int_eq(hll_edit_raise(&p->edit, mark), higher);
	if (higher)
		*at = mark.rank;
}

static struct hll_mark random_mark(struct test_random *r, unsigned area)
{
	return (struct hll_mark){
		.index = (uint16_t)(test_random_below(r, 2) * 16000 +
				    test_random_below(r, area)) %
			 HLL_REGISTERS,
		.rank = (uint8_t)(1 + test_random_below(r, 4)),
	};
}

START_TEST(hash__is_that_of_the_public_layout)
{
	/* As redis-server 7.0 has them. */
	struct hll_mark a = hll_mark(slice_str("a"));
	struct hll_mark b = hll_mark(slice_str("b"));
	struct hll_mark c = hll_mark(slice_str("c"));

	ck_assert_uint_eq(a.index, 12711);
	ck_assert_uint_eq(a.rank, 2);
	ck_assert_uint_eq(b.index, 15780);
	ck_assert_uint_eq(b.rank, 1);
	ck_assert_uint_eq(c.index, 8436);
	ck_assert_uint_eq(c.rank, 1);
}
END_TEST

START_TEST(sparse__random_raises_agree_with_plain_registers)
{
	struct test_random r = { test_seed() };
	unsigned round;

	for (round = 0; round < 60; round++) {
		unsigned area = 1 + (unsigned)test_random_below(&r, 400);
		size_t max = test_random_below(&r, 2) ? 300 : HLL_SIZE_MAX;
		struct pair p = { 0 };
		unsigned i;

		hll_edit_new(&p.edit, max);
		for (i = 0; i < 600; i++) {
			pair_raise(&p, random_mark(&r, area));
			if (i % 8 == 0)
				pair_check(&p);
			if (test_random_below(&r, 300) == 0) {
				struct hll_edit copy = p.edit;

				hll_edit_open(&p.edit, hll_edit_value(&copy),
					      max, NULL);
			}
		}
		pair_check(&p);
		hll_edit_to_dense(&p.edit);
		pair_check(&p);
	}
}
END_TEST

START_TEST(sparse__every_register_in_turn_fills_the_longest_value)
{
	struct pair p = { 0 };
	unsigned i;

	hll_edit_new(&p.edit, HLL_SIZE_MAX);
	for (i = 0; i < HLL_REGISTERS; i += 2)
		pair_raise(&p, (struct hll_mark){ (uint16_t)i, 32 });
	for (i = 1; i < HLL_REGISTERS; i += 2)
		pair_raise(&p, (struct hll_mark){ (uint16_t)i,
						  (uint8_t)(1 + i % 7) });
	ck_assert_int_eq(hll_encoding(hll_edit_value(&p.edit)), HLL_SPARSE);
	pair_check(&p);
	pair_raise(&p, (struct hll_mark){ 7, 33 });
	ck_assert_int_eq(hll_encoding(hll_edit_value(&p.edit)), HLL_DENSE);
	pair_check(&p);
}
END_TEST

START_TEST(merge__is_the_same_as_raising_in_any_order)
{
	struct test_random r = { test_seed() };
	unsigned round;

	for (round = 0; round < 40; round++) {
		struct pair p = { 0 };
		uint8_t other[HLL_REGISTERS] = { 0 };
		unsigned i;

		hll_edit_new(&p.edit, round % 2 ? 3000 : 200);
		for (i = 0; i < 100; i++) {
			struct hll_mark mark = random_mark(&r, 700);

			pair_raise(&p, random_mark(&r, 700));
			other[mark.index] = mark.rank;
		}
		hll_edit_merge(&p.edit, other);
		p.edit.changed = SIZE_MAX;
		hll_edit_merge(&p.edit, other);
		ck_assert_uint_eq(p.edit.changed, SIZE_MAX);
		for (i = 0; i < HLL_REGISTERS; i++)
			if (other[i] > p.registers[i])
				p.registers[i] = other[i];
		pair_check(&p);
	}
}
END_TEST

START_TEST(unite__is_the_same_as_raising_each_register)
{
	struct test_random r = { test_seed() };
	unsigned round, i;

	for (round = 0; round < 60; round++) {
		struct pair p = { 0 }, other = { 0 };

		hll_edit_new(&p.edit, 3000);
		hll_edit_new(&other.edit, HLL_SIZE_MAX);
		for (i = 0; i < 300; i++) {
			pair_raise(&p, random_mark(&r, 700));
			pair_raise(&other, random_mark(&r, 700));
		}
		if (round % 2)
			hll_edit_to_dense(&other.edit);
		hll_edit_to_dense(&p.edit);
		p.edit.changed = SIZE_MAX;
		hll_edit_unite(&p.edit, hll_edit_value(&other.edit));
		ck_assert_uint_ne(p.edit.changed, SIZE_MAX);
		p.edit.changed = SIZE_MAX;
		hll_edit_unite(&p.edit, hll_edit_value(&other.edit));
		ck_assert_uint_eq(p.edit.changed, SIZE_MAX);
		for (i = 0; i < HLL_REGISTERS; i++)
			if (other.registers[i] > p.registers[i])
				p.registers[i] = other.registers[i];
		pair_check(&p);
	}
}
END_TEST

START_TEST(dense__a_patch_is_what_raising_changes)
{
	struct test_random r = { test_seed() };
	struct hll_edit edit, copy;
	struct hll_hint hint;
	uint8_t rank;
	unsigned i;

	hll_edit_new(&edit, 0);
	hll_edit_to_dense(&edit);
	edit.bytes[15] = 0x80;
	for (i = 0; i < 50000; i++) {
		struct hll_mark mark = {
			(uint16_t)test_random_below(&r, HLL_REGISTERS),
			(uint8_t)(1 + test_random_below(&r, HLL_RANK_MAX)),
		};
		struct hll_patch patch =
			hll_dense_patch(hll_edit_value(&edit), mark);

		ck_assert(hll_get(hll_edit_value(&edit), mark.index, &rank,
				  &hint));
		if (rank >= mark.rank)
			continue;
		memcpy(copy.bytes, edit.bytes, edit.size);
		memcpy(copy.bytes + patch.offset, patch.bytes, patch.size);
		hll_edit_raise(&edit, mark);
		ck_assert_mem_eq(copy.bytes, edit.bytes, edit.size);
	}
}
END_TEST

START_TEST(estimate__the_standard_error_is_081_percent)
{
	struct test_random r = { test_seed() };
	static const unsigned sizes[] = { 100, 1000, 10000, 50000, 200000 };
	unsigned i, round;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		double squares = 0;

		for (round = 0; round < 40; round++) {
			struct hll_edit edit;
			unsigned n;
			double error;

			hll_edit_new(&edit, 3000);
			for (n = 0; n < sizes[i]; n++) {
				uint64_t element = test_random_next(&r);

				hll_edit_raise(&edit, hll_mark(slice_of(
					&element, sizeof(element))));
			}
			error = (double)hll_count(hll_edit_value(&edit)) /
				sizes[i] - 1;
			squares += error * error;
		}
		/* Of 40 samples: a deviation of 0.81 % looks like 1.15 % once
		 * in ten thousand times. */
		ck_assert_msg(sqrt(squares / 40) < 0.0118, "%u: %f", sizes[i],
			      sqrt(squares / 40));
	}
}
END_TEST

START_TEST(check__random_bytes_are_refused_or_can_be_used)
{
	struct test_random r = { test_seed() };
	unsigned round, good = 0, damaged = 0, damaged_before = 0;

	for (round = 0; round < 20000; round++) {
		struct hll_edit edit, copy;
		bool sound;
		unsigned i;

		hll_edit_new(&edit, 3000);
		for (i = 0; i < 30; i++)
			hll_edit_raise(&edit, random_mark(&r, 300));
		for (i = 0; i < 3; i++)
			edit.bytes[test_random_below(&r, edit.size)] =
				(uint8_t)test_random_next(&r);
		if (test_random_below(&r, 3) == 0)
			edit.size -= test_random_below(&r, 3);
		if (hll_check_header(hll_edit_value(&edit)) != HLL_GOOD)
			continue;
		hll_edit_open(&copy, hll_edit_value(&edit), 3000, NULL);
		edit = copy; /* which has no hint */
		sound = hll_check(hll_edit_value(&edit)) == HLL_GOOD;
		for (i = 0; i < 30; i++)
			damaged += hll_edit_raise(&edit,
						  random_mark(&r, 300)) ==
				   HLL_DAMAGED;
		ck_assert(!sound || damaged == damaged_before);
		damaged_before = damaged;
		if (!sound)
			continue;
		good++;
		hll_edit_to_dense(&edit);
		hll_count(hll_edit_value(&edit));
	}
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_gt(damaged, 0);
}
END_TEST

/* A pair with every kind of run. */
static void pair_random(struct pair *p, struct test_random *r)
{
	unsigned i, count = (unsigned)test_random_below(r, 3000);

	*p = (struct pair){ 0 };
	hll_edit_new(&p->edit, HLL_SIZE_MAX);
	for (i = 0; i < count; i++)
		pair_raise(p, random_mark(r, 1 + count * 4));
}

START_TEST(get__reads_every_register_of_both_encodings)
{
	struct test_random r = { test_seed() };
	struct hll_hint hint;
	struct pair p;
	uint8_t rank;
	unsigned round, i;

	for (round = 0; round < 20; round++) {
		pair_random(&p, &r);
		if (round % 4 == 0)
			hll_edit_to_dense(&p.edit);
		for (i = round; i < HLL_REGISTERS; i += 20) {
			ck_assert(hll_get(hll_edit_value(&p.edit), i, &rank,
					  &hint));
			ck_assert_uint_eq(rank, p.registers[i]);
		}
	}
}
END_TEST

START_TEST(damage__is_told_by_whom_it_concerns)
{
	struct test_random r = { test_seed() };
	struct hll_mark high = { 0, HLL_RANK_MAX };
	struct hll_hint hint;
	struct pair p;
	uint8_t rank;
	unsigned round, i;

	for (round = 0; round < 10; round++) {
		unsigned readable = 0;
		size_t size;

		pair_random(&p, &r);
		size = HLL_HEADER_SIZE +
		       test_random_below(&r, p.edit.size - HLL_HEADER_SIZE);
		p.edit.size = size;
		p.edit.changed = SIZE_MAX;
		for (i = 0; i < HLL_REGISTERS; i++) {
			if (!hll_get(hll_edit_value(&p.edit), i, &rank, &hint))
				break;
			readable++;
			ck_assert_uint_eq(rank, p.registers[i]);
		}
		ck_assert_uint_lt(readable, HLL_REGISTERS);
		for (; i < HLL_REGISTERS; i += 100)
			ck_assert(!hll_get(hll_edit_value(&p.edit), i, &rank,
					   &hint));
		ck_assert_int_eq(hll_check(hll_edit_value(&p.edit)),
				 HLL_CORRUPT);
		/* What has to read all of it, and what does not. */
		ck_assert_int_eq(hll_edit_raise(&p.edit, high), HLL_DAMAGED);
		high.index = (uint16_t)readable;
		ck_assert_int_eq(hll_edit_raise(&p.edit, high), HLL_DAMAGED);
		high.rank = 1;
		ck_assert_int_eq(hll_edit_raise(&p.edit, high), HLL_DAMAGED);
		ck_assert_uint_eq(p.edit.size, size);
		ck_assert_uint_eq(p.edit.changed, SIZE_MAX);
		high = (struct hll_mark){ 0, HLL_RANK_MAX };
	}
}
END_TEST

START_TEST(edit__knows_from_where_on_it_changed)
{
	struct test_random r = { test_seed() };
	struct hll_edit edit, before;
	unsigned round, i;

	hll_edit_new(&before, 400);
	for (round = 0; round < 3000; round++) {
		size_t same = 0;

		hll_edit_open(&edit, hll_edit_value(&before), 400, NULL);
		for (i = 0; i < 3; i++)
			hll_edit_raise(&edit, random_mark(&r, 900));
		while (same < before.size && same < edit.size &&
		       edit.bytes[same] == before.bytes[same])
			same++;
		if (same < before.size)
			ck_assert_uint_le(edit.changed, same);
		else
			ck_assert_uint_eq(edit.changed, SIZE_MAX);
		before = edit;
	}
	ck_assert_int_eq(hll_encoding(hll_edit_value(&edit)), HLL_DENSE);
}
END_TEST

START_TEST(check__what_is_too_short_is_none)
{
	struct hll_edit edit;
	size_t size;

	hll_edit_new(&edit, 3000);
	for (size = 0; size < HLL_HEADER_SIZE; size++)
		ck_assert_int_eq(hll_check(slice_of(edit.bytes, size)),
				 HLL_OTHER);
	for (; size < edit.size; size++)
		ck_assert_int_eq(hll_check(slice_of(edit.bytes, size)),
				 HLL_CORRUPT);
	ck_assert_int_eq(hll_check(hll_edit_value(&edit)), HLL_GOOD);
}
END_TEST

int main(void)
{
	return RUN_TESTS("hll",
		hash__is_that_of_the_public_layout,
		sparse__random_raises_agree_with_plain_registers,
		sparse__every_register_in_turn_fills_the_longest_value,
		merge__is_the_same_as_raising_in_any_order,
		unite__is_the_same_as_raising_each_register,
		dense__a_patch_is_what_raising_changes,
		estimate__the_standard_error_is_081_percent,
		check__random_bytes_are_refused_or_can_be_used,
		get__reads_every_register_of_both_encodings,
		damage__is_told_by_whom_it_concerns,
		edit__knows_from_where_on_it_changed,
		check__what_is_too_short_is_none);
}
