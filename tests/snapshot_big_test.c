/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots of elements that are bigger than any string.
 */
#include "snapshot/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "snapshot/layout.h"
#include "tests/support/suite.h"

static char dir[64];

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/redoubt-snapshot-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct snapshot_writer *begin(void)
{
	struct snapshot_options o = {
		.io = io_posix(), .dir = dir, .level = 1,
	};
	struct snapshot_meta meta = { .epoch = 1, .lsn = 42 };
	struct snapshot_writer *w;

	ck_assert_int_eq(snapshot_begin(&w, &o, &meta, NULL), OK);
	return w;
}

static void add(struct batch *b, size_t size)
{
	uint8_t *value = mem_calloc(1, size);
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_snapshot,
		.key = slice_str("key"),
		.value = { value, size },
	};

	batch_init(b);
	batch_add(b, &r);
	mem_free(value);
}

/* A field and a value of a hash, say, each of which a client may send. */
START_TEST(snapshot_big__an_element_may_be_bigger_than_a_string)
{
	struct snapshot_reader_options o = { .io = io_posix(), .dir = dir };
	struct snapshot_writer *w;
	struct snapshot_reader *r;
	struct snapshot_name *names;
	struct err_message m = { "" };
	struct batch_view v;
	struct batch b;

	setup();
	w = begin();
	add(&b, (size_t)560 << 20);
	snapshot_put(w, &b);
	batch_release(&b);
	snapshot_finish(w, 42, 9);
	ck_assert_int_eq(snapshot_state(w, NULL), SNAPSHOT_DONE);
	snapshot_close(w);
	ck_assert_int_eq(snapshot_list(o.io, dir, &names, NULL), 1);
	o.name = names[0].name;
	ck_assert_int_eq(snapshot_open(&r, &o, &m), OK);
	ck_assert_msg(snapshot_next(r, &v, &m) == OK, "%s", m.text);
	ck_assert_uint_gt(v.records.size, (size_t)560 << 20);
	ck_assert_int_eq(snapshot_next(r, &v, &m), SNAPSHOT_END);
	snapshot_reader_close(r);
	mem_free(names);
	teardown();
}
END_TEST

START_TEST(snapshot_big__what_a_reader_would_refuse_is_not_written)
{
	struct err_message m = { "" };
	struct snapshot_name *names;
	struct snapshot_writer *w;
	struct batch b;

	setup();
	w = begin();
	add(&b, 5);
	b.records.size = (size_t)SNAPSHOT_BATCH_MAX; /* nobody looks there */
	snapshot_put(w, &b);
	ck_assert_int_eq(snapshot_state(w, &m), SNAPSHOT_FAILED);
	ck_assert_msg(strstr(m.text, "too long") != NULL, "%s", m.text);
	snapshot_finish(w, 42, 9);
	snapshot_close(w);
	batch_release(&b);
	ck_assert_int_eq(snapshot_list(io_posix(), dir, &names, NULL), 0);
	mem_free(names);
	teardown();
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"snapshot_big",
		snapshot_big__an_element_may_be_bigger_than_a_string,
		snapshot_big__what_a_reader_would_refuse_is_not_written);
}
