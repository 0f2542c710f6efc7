/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hll_registers.h"

#include <math.h>
#include <stdlib.h>

#include "tests/support/suite.h"
#include "types/hll.h"

#define PACKED_SIZE (HLL_REGISTERS * 6 / 8)

/* Registers as bytes and packed; nothing may be read or written behind. */
struct set {
	uint8_t bytes[HLL_REGISTERS];
	uint8_t *packed; /* a block of its own, so that sanitizers see */
};

static void set_pack(struct set *s)
{
	unsigned i;

	for (i = 0; i < HLL_REGISTERS; i += 8)
		registers_put_eight(s->packed + i / 8 * 6,
				    get_u64(s->bytes + i));
}

static void set_init(struct set *s, struct test_random *r, unsigned low,
		     unsigned span)
{
	unsigned i;

	s->packed = malloc(PACKED_SIZE);
	ck_assert_ptr_nonnull(s->packed);
	for (i = 0; i < HLL_REGISTERS; i++)
		s->bytes[i] = (uint8_t)(low + test_random_below(r, span));
	set_pack(s);
}

static void set_check(const struct set *s)
{
	unsigned i;

	for (i = 0; i < HLL_REGISTERS; i += 8)
		ck_assert_uint_eq(registers_get_eight(s->packed + i / 8 * 6),
				  get_u64(s->bytes + i));
}

typedef bool raise_fn(uint8_t *to, const uint8_t *from);

static void check_raise(struct test_random *r, raise_fn *raise)
{
	unsigned round, i;

	for (round = 0; round < 200; round++) {
		unsigned span = 1 + (unsigned)test_random_below(r, 32);
		bool raised = false;
		struct set a, b;

		set_init(&a, r, (unsigned)test_random_below(r, 32), span);
		set_init(&b, r, (unsigned)test_random_below(r, 32), span);
		for (i = 0; i < HLL_REGISTERS; i++) {
			raised |= b.bytes[i] > a.bytes[i];
			if (b.bytes[i] > a.bytes[i])
				a.bytes[i] = b.bytes[i];
		}
		ck_assert_int_eq(raise(a.packed, b.packed), raised);
		set_check(&a);
		ck_assert(!raise(a.packed, b.packed));
		set_check(&a);
		free(a.packed);
		free(b.packed);
	}
}

START_TEST(raise__gives_the_higher_of_each)
{
	struct test_random r = { test_seed() };

	check_raise(&r, registers_raise);
	check_raise(&r, registers_raise_plain);
}
END_TEST

START_TEST(raise__one_register_alone_is_seen)
{
	struct test_random r = { test_seed() };
	struct set a, b;
	unsigned i;

	set_init(&a, &r, 5, 3);
	set_init(&b, &r, 0, 3);
	for (i = 0; i < HLL_REGISTERS; i++) {
		uint8_t before = b.bytes[i];

		b.bytes[i] = (uint8_t)(a.bytes[i] + 1);
		set_pack(&b);
		ck_assert(registers_raise(a.packed, b.packed));
		a.bytes[i]++;
		b.bytes[i] = before;
	}
	set_check(&a);
	free(a.packed);
	free(b.packed);
}
END_TEST

START_TEST(max_into__gives_the_higher_of_each)
{
	struct test_random r = { test_seed() };
	uint8_t registers[HLL_REGISTERS];
	struct set a, b;
	unsigned i;

	set_init(&a, &r, 0, 64);
	set_init(&b, &r, 0, 64);
	memset(registers, 0, sizeof(registers));
	registers_max_into(registers, a.packed);
	ck_assert_mem_eq(registers, a.bytes, sizeof(registers));
	registers_max_into(registers, b.packed);
	for (i = 0; i < HLL_REGISTERS; i++)
		ck_assert_uint_eq(registers[i], a.bytes[i] > b.bytes[i] ?
							a.bytes[i] :
							b.bytes[i]);
	free(a.packed);
	free(b.packed);
}
END_TEST

static void check_sum(const struct set *s)
{
	struct registers_sum plain = { 0 }, sum;
	unsigned i, highest = 0;

	for (i = 0; i < HLL_REGISTERS; i++) {
		unsigned rank = s->bytes[i];

		if (rank == 0)
			plain.zeros++;
		else if (rank <= REGISTERS_SUM_RANK_MAX)
			plain.sum += UINT64_C(1)
				     << (REGISTERS_SUM_RANK_MAX - rank);
		highest = rank > highest ? rank : highest;
	}
	if (!registers_sum_bytes(s->bytes, &sum)) {
#ifdef __x86_64__
		ck_assert(highest > REGISTERS_SUM_RANK_MAX ||
			  !__builtin_cpu_supports("avx2"));
#endif
		ck_assert(!registers_sum_packed(s->packed, &sum));
		return;
	}
	ck_assert_uint_le(highest, REGISTERS_SUM_RANK_MAX);
	ck_assert_uint_eq(sum.sum, plain.sum);
	ck_assert_uint_eq(sum.zeros, plain.zeros);
	ck_assert(registers_sum_packed(s->packed, &sum));
	ck_assert_uint_eq(sum.sum, plain.sum);
	ck_assert_uint_eq(sum.zeros, plain.zeros);
}

START_TEST(sum__agrees_with_one_by_one)
{
	struct test_random r = { test_seed() };
	unsigned round, i;

	for (round = 0; round < 1000; round++) {
		unsigned low = (unsigned)test_random_below(&r, 42);
		struct set s;

		set_init(&s, &r, low, 1 + round % 22);
		for (i = 0; i < round % 5; i++)
			s.bytes[test_random_below(&r, HLL_REGISTERS)] =
				(uint8_t)test_random_below(&r, 44);
		set_pack(&s);
		check_sum(&s);
		free(s.packed);
	}
}
END_TEST

/* The formula of the paper over a histogram, term by term. */
static uint64_t plain_estimate(const uint8_t *registers)
{
	const double m = HLL_REGISTERS;
	unsigned count[64] = { 0 }, rank, i;
	double z, sigma, x, y, before;

	for (i = 0; i < HLL_REGISTERS; i++)
		count[registers[i]]++;
	z = 0;
	for (rank = HLL_RANK_MAX - 1; rank >= 1; rank--)
		z = (z + count[rank]) * 0.5;
	x = count[0] / m;
	sigma = x;
	for (y = 1, before = -1; sigma != before; y += y) {
		x *= x;
		before = sigma;
		sigma += x * y;
	}
	return (uint64_t)llroundl(0.721347520444481703680 * m * m /
				  (z + m * sigma));
}

START_TEST(estimate__is_that_of_the_histogram_to_the_last_bit)
{
	struct test_random r = { test_seed() };
	unsigned round, i;

	for (round = 0; round < 300; round++) {
		struct hll_edit edit;
		struct set s;

		set_init(&s, &r, (unsigned)test_random_below(&r, 30),
			 1 + (unsigned)test_random_below(&r, 20));
		for (i = 0; i < HLL_REGISTERS; i++)
			while (s.bytes[i] < HLL_RANK_MAX - 1 &&
			       test_random_below(&r, 2))
				s.bytes[i]++;
		set_pack(&s);
		hll_edit_new(&edit, 0);
		hll_edit_to_dense(&edit);
		memcpy(edit.bytes + HLL_HEADER_SIZE, s.packed, PACKED_SIZE);
		ck_assert_uint_eq(hll_count(hll_edit_value(&edit)),
				  plain_estimate(s.bytes));
		ck_assert_uint_eq(hll_count_registers(s.bytes),
				  plain_estimate(s.bytes));
		free(s.packed);
	}
}
END_TEST

int main(void)
{
	return RUN_TESTS("hll_registers", raise__gives_the_higher_of_each,
			 raise__one_register_alone_is_seen,
			 max_into__gives_the_higher_of_each,
			 sum__agrees_with_one_by_one,
			 estimate__is_that_of_the_histogram_to_the_last_bit);
}
