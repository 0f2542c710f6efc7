/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/output.h"

#include "base/mem.h"
#include "net/gates.h"
#include "tests/support/suite.h"

START_TEST(output__nothing_leaves_before_its_gate)
{
	struct output o = { 0 };

	buf_put_str(&o.bytes, "12345");
	output_mark(&o, 10, 9);
	ck_assert_uint_eq(output_sendable(&o), 0);
	buf_put_str(&o.bytes, "678");
	output_mark(&o, 12, 9);
	output_release(&o, 11);
	ck_assert_uint_eq(output_sendable(&o), 5);
	output_sent(&o, 5);
	ck_assert_uint_eq(output_sendable(&o), 0);
	output_release(&o, 12);
	ck_assert_uint_eq(output_sendable(&o), 3);
	output_sent(&o, 3);
	ck_assert_uint_eq(o.bytes.size, 0);
	output_free(&o);
}
END_TEST

START_TEST(output__what_is_released_already_goes_at_once)
{
	struct output o = { 0 };

	buf_put_str(&o.bytes, "12345");
	output_mark(&o, 10, 10);
	ck_assert_uint_eq(output_sendable(&o), 5);
	ck_assert_uint_eq(o.mark_count, 0);
	output_free(&o);
}
END_TEST

START_TEST(output__bytes_without_a_mark_stay)
{
	struct output o = { 0 };

	buf_put_str(&o.bytes, "12345");
	ck_assert_uint_eq(output_sendable(&o), 0);
	output_release(&o, UINT64_MAX);
	ck_assert_uint_eq(output_sendable(&o), 0);
	output_free(&o);
}
END_TEST

/* A model: each byte remembers its gate. */
START_TEST(output__no_byte_passes_one_before_it)
{
	struct test_random random = { test_seed() };
	struct output o = { 0 };
	struct buf gates = { 0 }; /* of every byte ever appended */
	uint32_t released = 0, gate = 0;
	size_t sent = 0, appended = 0, n, i;
	unsigned round;

	for (round = 0; round < 3000; round++) {
		n = test_random_below(&random, 4) * test_random_below(
			&random, 3000);
		buf_reserve(&o.bytes, n);
		o.bytes.size += n;
		gate += (uint32_t)test_random_below(&random, 3);
		for (i = 0; i < n; i++, appended++)
			buf_put(&gates, &gate, sizeof(gate));
		output_release(&o, released);
		output_mark(&o, gate, released);
		released += (uint32_t)test_random_below(&random, 4);
		if (released > gate)
			released = gate;
		output_release(&o, released);
		n = output_sendable(&o);
		if (n && test_random_below(&random, 2))
			n = test_random_below(&random, n + 1);
		for (i = 0; i < n; i++)
			if (((uint32_t *)gates.data)[sent + i] > released)
				ck_abort_msg("a byte left too early");
		output_sent(&o, n);
		sent += n;
		ck_assert_uint_eq(output_pending(&o), appended - sent);
	}
	output_release(&o, gate);
	ck_assert_uint_eq(output_sendable(&o), appended - sent);
	buf_release(&gates);
	output_free(&o);
}
END_TEST

START_TEST(pool__gives_back_what_it_got_but_nothing_big)
{
	struct buf_pool pool;
	struct buf a = { 0 }, b = { 0 };
	uint8_t *first;

	buf_pool_init(&pool, 4, 1024, 4096);
	buf_pool_take(&pool, &a);
	ck_assert_uint_ge(a.capacity, 1024);
	first = a.data;
	buf_put_str(&a, "x");
	buf_pool_give(&pool, &a);
	ck_assert_ptr_null(a.data);
	buf_pool_take(&pool, &b);
	ck_assert_ptr_eq(b.data, first);
	ck_assert_uint_eq(b.size, 0);
	buf_reserve(&b, 10000);
	buf_pool_give(&pool, &b);
	ck_assert_uint_eq(pool.count, 0);
	buf_pool_release(&pool);
}
END_TEST

START_TEST(gates__come_out_in_order_and_only_when_released)
{
	struct test_random random = { test_seed() };
	struct gate_wait waits[512] = { 0 };
	struct gates g = { 0 };
	struct gate_wait *w;
	uint64_t released = 0, last;
	unsigned round, i, waiting, below;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 512; i++) {
			if (waits[i].place == 0 &&
			    test_random_below(&random, 4) == 0)
				gates_add(&g, &waits[i],
					  released + 1 + test_random_below(
							 &random, 50));
			else if (test_random_below(&random, 50) == 0)
				gates_remove(&g, &waits[i]);
		}
		gates_check(&g);
		released += 10;
		last = 0;
		while ((w = gates_next(&g, released))) {
			ck_assert_uint_le(w->lsn, released);
			ck_assert_uint_ge(w->lsn, last);
			ck_assert_uint_eq(w->place, 0);
			last = w->lsn;
		}
		for (i = waiting = below = 0; i < 512; i++) {
			waiting += waits[i].place != 0;
			below += waits[i].place && waits[i].lsn <= released;
		}
		ck_assert_uint_eq(waiting, g.count);
		ck_assert_uint_eq(below, 0);
	}
	gates_release(&g);
}
END_TEST

int main(void)
{
	return RUN_TESTS("output", output__nothing_leaves_before_its_gate,
			 output__what_is_released_already_goes_at_once,
			 output__bytes_without_a_mark_stay,
			 output__no_byte_passes_one_before_it,
			 pool__gives_back_what_it_got_but_nothing_big,
			 gates__come_out_in_order_and_only_when_released);
}
