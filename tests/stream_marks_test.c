/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/stream_marks.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

#define MODEL_MAX 20000
#define TEXT_MAX 3000

/* A mark of the plain model: what it was made from. */
struct row {
	uint32_t producer, message;
	uint64_t id, time_ms;
};

/* A queue. */
struct model {
	struct row rows[MODEL_MAX];
	size_t count;
	uint64_t duration_ms, limit, added;
};

static struct slice producer_of(uint32_t i, char *out)
{
	return slice_of(out, (size_t)snprintf(out, 32, "producer %u", i));
}

/* Some messages have long IDs, one of those bigger than a node. */
static struct slice message_of(uint32_t i, char *out)
{
	size_t size = i % 50 == 0 ? TEXT_MAX : i % 7 == 0 ? 200 : 1;

	memset(out, 'a', size);
	return slice_of(out, size - 1 + (size_t)snprintf(out + size - 1, 16,
							 "%u", i));
}

static void drop(struct model *m, size_t at)
{
	m->count--;
	memmove(m->rows + at, m->rows + at + 1,
		(m->count - at) * sizeof(m->rows[0]));
}

/* As FORMAT.md says it. */
static void model_put(struct model *m, struct row row)
{
	size_t i, of = 0, oldest = 0;

	while (m->count > 0 &&
	       m->rows[0].time_ms + m->duration_ms <= row.time_ms)
		drop(m, 0);
	for (i = 0; i < m->count; i++)
		if (m->rows[i].producer == row.producer &&
		    m->rows[i].message == row.message) {
			drop(m, i);
			break;
		}
	for (i = m->count; i-- > 0;)
		if (m->rows[i].producer == row.producer) {
			oldest = i;
			of++;
		}
	if (of >= m->limit)
		drop(m, oldest);
	ck_assert_uint_lt(m->count, MODEL_MAX);
	m->rows[m->count++] = row;
	m->added++;
}

static void assert_mark(const struct stream_mark *mark, const struct row *row)
{
	char text[TEXT_MAX + 16];

	ck_assert(slice_equal(mark->producer,
			      producer_of(row->producer, text)));
	ck_assert(slice_equal(mark->message, message_of(row->message, text)));
	ck_assert_uint_eq(mark->id.ms, row->id);
	ck_assert_uint_eq(mark->time_ms, row->time_ms);
}

/* But for marks that are over. */
static void assert_same(const struct stream_marks *m, const struct model *model)
{
	struct stream_marks_cursor c;
	struct stream_mark mark;
	uint64_t over = stream_marks_seek(&c, m, stream_marks_last_ms(m));
	size_t i;

	ck_assert_uint_eq(stream_marks_count(m) - over, model->count);
	ck_assert_uint_eq(m->added, model->added);
	for (i = 0; i < model->count; i++) {
		ck_assert(stream_marks_next(&c, &mark));
		assert_mark(&mark, &model->rows[i]);
	}
	ck_assert(!stream_marks_next(&c, &mark));
}

static void assert_find(const struct stream_marks *m, const struct model *model,
			uint32_t producer, uint32_t message)
{
	char name[32], text[TEXT_MAX + 16];
	struct stream_mark mark;
	bool found = stream_marks_find(m, producer_of(producer, name),
				       message_of(message, text), &mark);
	size_t i;

	found = found && !stream_mark_over(m, mark.time_ms,
					   stream_marks_last_ms(m));

	for (i = 0; i < model->count; i++)
		if (model->rows[i].producer == producer &&
		    model->rows[i].message == message)
			break;
	ck_assert_int_eq(found, i < model->count);
	if (found)
		assert_mark(&mark, &model->rows[i]);
}

static void put(struct stream_marks *m, struct model *model, struct row row)
{
	char name[32], text[TEXT_MAX + 16];
	struct stream_mark mark = {
		.producer = producer_of(row.producer, name),
		.message = message_of(row.message, text),
		.id = { row.id, 1 },
		.time_ms = row.time_ms,
	};

	stream_marks_put(m, &mark);
	model_put(model, row);
}

static struct row some_row(struct test_random *r, uint64_t *now_ms, int step)
{
	if (test_random_below(r, 100) == 0)
		*now_ms += test_random_below(r, 3000);
	else
		*now_ms += test_random_below(r, 3);
	return (struct row){
		.producer = (uint32_t)test_random_below(r, 1 + step / 500),
		.message = (uint32_t)test_random_below(r, 200),
		.id = (uint64_t)step,
		.time_ms = *now_ms,
	};
}

static void assert_alive(const struct stream_marks *m,
			 const struct model *model, uint64_t now_ms)
{
	bool seen[256] = { false };
	uint64_t marks, producers, some = 0, of = 0;
	size_t i;

	for (i = 0; i < model->count; i++) {
		const struct row *row = &model->rows[i];

		if (row->time_ms + model->duration_ms <= now_ms)
			continue;
		some++;
		of += !seen[row->producer];
		seen[row->producer] = true;
	}
	stream_marks_alive(m, now_ms, &marks, &producers);
	ck_assert_uint_eq(marks, some);
	ck_assert_uint_eq(producers, of);
}

START_TEST(stream_marks__random_operations_agree_with_a_plain_model)
{
	static struct model model, frozen_model;
	struct test_random r = { test_seed() };
	struct stream_marks *m = stream_marks_set(NULL, 2000, 30), *copy;
	uint64_t now_ms = 1000;
	int i;

	model = (struct model){ .duration_ms = 2000, .limit = 30 };
	for (i = 0; i < 12000; i++) {
		put(m, &model, some_row(&r, &now_ms, i));
		assert_find(m, &model, (uint32_t)test_random_below(&r, 20),
			    (uint32_t)test_random_below(&r, 200));
		if (i % 400)
			continue;
		copy = stream_marks_copy(m, i % 800 == 0);
		frozen_model = model;
		put(m, &model, some_row(&r, &now_ms, i));
		assert_same(copy, &frozen_model);
		if (i % 800) {
			put(copy, &frozen_model, some_row(&r, &now_ms, i));
			stream_marks_check(copy);
			assert_same(copy, &frozen_model);
		}
		stream_marks_free(copy);
		stream_marks_check(m);
		assert_same(m, &model);
		assert_alive(m, &model, now_ms + test_random_below(&r, 2500));
	}
	stream_marks_free(m);
}
END_TEST

START_TEST(stream_marks__other_settings_forget_all_but_the_counters)
{
	static struct model model;
	struct stream_marks *m = stream_marks_set(NULL, 5000, 3), *same;
	struct row row = { .producer = 1, .time_ms = 7 };

	model = (struct model){ .duration_ms = 5000, .limit = 3 };
	for (row.message = 0; row.message < 9; row.message++)
		put(m, &model, row);
	ck_assert_uint_eq(stream_marks_count(m), 3);
	m->duplicates = 4;
	same = stream_marks_set(m, 5000, 3);
	ck_assert_ptr_eq(same, m);
	ck_assert_uint_eq(stream_marks_count(m), 3);
	m = stream_marks_set(m, 5000, 4);
	ck_assert_uint_eq(stream_marks_count(m), 0);
	ck_assert_uint_eq(m->producer_count, 0);
	ck_assert_uint_eq(m->added, 9);
	ck_assert_uint_eq(m->duplicates, 4);
	ck_assert_uint_eq(stream_marks_last_ms(m), 0);
	stream_marks_free(m);
}
END_TEST

START_TEST(stream_marks__a_producer_goes_with_its_last_mark)
{
	static struct model model;
	struct stream_marks *m = stream_marks_set(NULL, 100, 10);
	struct row row = { .producer = 1, .message = 1, .time_ms = 1 };

	model = (struct model){ .duration_ms = 100, .limit = 10 };
	put(m, &model, row);
	row.producer = 2;
	row.time_ms = 100;
	put(m, &model, row);
	ck_assert_uint_eq(m->producer_count, 2);
	row.time_ms = 101;
	row.message = 2;
	put(m, &model, row);
	ck_assert_uint_eq(m->producer_count, 1);
	stream_marks_check(m);
	stream_marks_free(m);
}
END_TEST

/* As many as make several chunks, each in a millisecond of its own. */
START_TEST(stream_marks__seek_goes_past_those_that_are_over)
{
	struct stream_marks *m = stream_marks_set(NULL, 100000, 10000);
	struct stream_mark mark = { .producer = slice_of("", 1) };
	struct stream_marks_cursor c;
	uint64_t step, ms, count = 40000;
	char text[16];

	for (ms = 1; ms <= count; ms++) {
		mark.producer.data = (const uint8_t *)"abcde" + ms % 5;
		mark.message = slice_of(text, (size_t)snprintf(
			text, sizeof(text), "%d", (int)ms));
		mark.time_ms = ms;
		stream_marks_put(m, &mark);
	}
	ck_assert_uint_eq(stream_marks_count(m), count);
	for (ms = 100000, step = 1; ms < 100000 + count; ms += step++) {
		ck_assert_uint_eq(stream_marks_seek(&c, m, ms), ms - 100000);
		ck_assert(stream_marks_next(&c, &mark));
		ck_assert_uint_eq(mark.time_ms, ms - 100000 + 1);
	}
	ck_assert_uint_eq(stream_marks_seek(&c, m, 100000 + count), count);
	ck_assert(!stream_marks_next(&c, &mark));
	stream_marks_free(m);
}
END_TEST

int main(void)
{
	return RUN_TESTS("stream_marks",
		stream_marks__seek_goes_past_those_that_are_over,
		stream_marks__random_operations_agree_with_a_plain_model,
		stream_marks__other_settings_forget_all_but_the_counters,
		stream_marks__a_producer_goes_with_its_last_mark);
}
