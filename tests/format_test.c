/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worked example of FORMAT.md section 8: tests/golden/example.seg is what
 * is written today, and is still read.  GOLDEN=write writes it anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/logline.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/cursor.h"
#include "wal/wal.h"

#define GOLDEN "tests/golden/example.seg"
#define SEGMENT "store/log/0000000000000001.seg"
#define EXAMPLE_SIZE 24576
#define EXAMPLE_MS UINT64_C(1700000000000)

static struct io_ops fixed_ops;
static uint8_t fixed_next;

/* Bytes 01 02 03 … */
static void fixed_random(struct io *io, void *data, size_t size)
{
	uint8_t *p = data;

	(void)io;
	while (size-- > 0)
		*p++ = ++fixed_next;
}

static uint64_t fixed_wall_ms(struct io *io)
{
	(void)io;
	return EXAMPLE_MS;
}

static struct sim *example_disk(void)
{
	struct sim *sim = sim_new(1);

	log_open("", LOG_LEVEL_NOTHING);
	sim_poke(sim, "store", 0, NULL, 0);
	fixed_ops = *sim_io(sim)->ops;
	fixed_ops.random = fixed_random;
	fixed_ops.wall_ms = fixed_wall_ms;
	fixed_next = 0;
	sim_io(sim)->ops = &fixed_ops;
	return sim;
}

static void turn(struct sim *sim, struct wal *w, uint64_t us)
{
	struct wal_turn t = { .now_us = 0 };

	sim_advance_us(sim, us);
	t.now_us = sim_io(sim)->ops->mono_us(sim_io(sim));
	wal_turn(w, &t);
}

static void append_example(struct sim *sim, struct wal *w)
{
	struct origin alice = { SLICE_LITERAL("alice"),
				SLICE_LITERAL("127.0.0.1:50000"),
				SLICE_LITERAL("set") };
	struct record set = { .type = REC_str_set,
			      .cause = CAUSE_set,
			      .key = SLICE_LITERAL("greeting"),
			      .value = SLICE_LITERAL("hello") };
	struct record expire = { .type = REC_key_expire,
				 .cause = CAUSE_expire,
				 .key = SLICE_LITERAL("greeting"),
				 .deadline = EXAMPLE_MS + 60000 };
	struct record del = { .type = REC_key_del,
			      .cause = CAUSE_del,
			      .db = 1,
			      .key = SLICE_LITERAL("old") };
	struct record expired = { .type = REC_key_del,
				  .cause = CAUSE_expired,
				  .key = SLICE_LITERAL("greeting") };
	struct batch b;

	batch_init(&b);
	b.origin = &alice;
	b.time_ms = EXAMPLE_MS;
	batch_add(&b, &set);
	wal_append(w, &b);
	batch_reset(&b);
	b.origin = &alice;
	b.time_ms = EXAMPLE_MS + 5;
	batch_add(&b, &expire);
	batch_add(&b, &del);
	wal_append(w, &b);
	turn(sim, w, 1000);
	batch_reset(&b);
	b.time_ms = EXAMPLE_MS + 60001;
	batch_add(&b, &expired);
	wal_append(w, &b);
	turn(sim, w, 1000);
	turn(sim, w, 200000); /* idle: a mark */
	batch_release(&b);
}

/* Writes the example; returns its size. */
static size_t write_example(uint8_t *out, size_t size)
{
	struct sim *sim = example_disk();
	struct wal_options o = { .io = sim_io(sim),
				 .dir = "store",
				 .level = WAL_ALWAYS,
				 .segment_size = SEGMENT_SIZE_MIN };
	struct store_id store = { 0 };
	struct err_message m;
	struct wal *w;
	int64_t n;

	ck_assert_int_eq(wal_open(&w, &o, &store, NULL, &m), OK);
	ck_assert_int_eq(wal_begin(w, 0, &m), OK);
	/* No room for a spare: the seal names none. */
	sim_limit(sim, SEGMENT_SIZE_MIN);
	append_example(sim, w);
	ck_assert_int_eq(wal_close(w, &m), OK);
	n = sim_peek(sim, SEGMENT, 0, out, size);
	sim_free(sim);
	return (size_t)n;
}

static size_t read_golden(uint8_t *out, size_t size)
{
	FILE *file = fopen(GOLDEN, "r");
	size_t n;

	ck_assert_ptr_nonnull(file);
	n = fread(out, 1, size, file);
	fclose(file);
	return n;
}

START_TEST(format__the_example_segment_is_what_is_written)
{
	static uint8_t got[SEGMENT_SIZE_MIN], want[SEGMENT_SIZE_MIN];
	size_t size = write_example(got, sizeof(got));

	if (getenv("GOLDEN")) {
		FILE *file = fopen(GOLDEN, "w");

		ck_assert_ptr_nonnull(file);
		ck_assert_uint_eq(fwrite(got, 1, size, file), size);
		fclose(file);
	}
	ck_assert_uint_eq(size, EXAMPLE_SIZE);
	ck_assert_uint_eq(read_golden(want, sizeof(want)), size);
	ck_assert_mem_eq(got, want, size);
}
END_TEST

/* The next batch of the cursor, and its only or first record. */
static void next_batch(struct wal_cursor *c, struct batch_view *v,
		       struct record *r)
{
	struct err_message m;
	struct batch_reader br;

	ck_assert_int_eq(wal_cursor_next(c, v, &m), OK);
	br = batch_records(v);
	ck_assert(batch_next(&br, r));
}

START_TEST(format__the_example_segment_is_read)
{
	static uint8_t golden[SEGMENT_SIZE_MIN];
	struct sim *sim = example_disk();
	struct cursor_options o = { .io = sim_io(sim),
				    .dir = "store",
				    .first_lsn = 1,
				    .last_lsn = UINT64_MAX };
	struct err_message m;
	struct wal_cursor *c;
	struct batch_view v;
	struct record r;

	sim_poke(sim, "store/log", 0, NULL, 0);
	sim_poke(sim, SEGMENT, 0, golden, read_golden(golden, sizeof(golden)));
	ck_assert_int_eq(wal_cursor_open(&c, &o, &m), OK);
	next_batch(c, &v, &r);
	ck_assert(v.first_lsn == 1 && v.count == 1);
	ck_assert_uint_eq(v.time_ms, EXAMPLE_MS);
	ck_assert(slice_is(v.origin.user, "alice"));
	ck_assert(slice_is(r.key, "greeting") && slice_is(r.value, "hello"));
	next_batch(c, &v, &r);
	ck_assert(v.first_lsn == 2 && v.count == 2);
	ck_assert_uint_eq(v.time_ms, EXAMPLE_MS + 5);
	ck_assert(slice_is(v.origin.command, "set"));
	ck_assert_uint_eq(r.deadline, EXAMPLE_MS + 60000);
	next_batch(c, &v, &r);
	ck_assert(v.first_lsn == 4 && v.count == 1);
	ck_assert_uint_eq(v.origin.user.size, 0);
	ck_assert(r.type == REC_key_del && r.cause == CAUSE_expired);
	ck_assert_int_eq(wal_cursor_next(c, &v, &m), WAL_END);
	ck_assert_uint_eq(wal_cursor_place(c).durable_lsn, 4);
	wal_cursor_close(c);
	sim_free(sim);
}
END_TEST

/* The bytes of one line of the example, "    00002000  52446631 …   text", at
 * their place of the file. */
static void check_line(const char *line, const uint8_t *golden)
{
	char *at;
	size_t offset = strtoul(line, &at, 16);

	ck_assert(at == line + 8 && at[0] == ' ' && at[1] == ' ');
	for (at += 2; strncmp(at, "  ", 2) != 0; at += 2) {
		unsigned byte;

		if (*at == '\n' || *at == 0)
			break;
		if (*at == ' ')
			at++;
		ck_assert_int_eq(sscanf(at, "%2x", &byte), 1);
		ck_assert_uint_lt(offset, EXAMPLE_SIZE);
		ck_assert_msg(golden[offset] == byte, "FORMAT.md at %zx: %s",
			      offset, line);
		offset++;
	}
}

START_TEST(format__the_page_shows_the_example_segment)
{
	static uint8_t golden[SEGMENT_SIZE_MIN];
	FILE *page = fopen("FORMAT.md", "r");
	bool in_example = false; /* the page shows a snapshot's bytes too */
	char line[256];
	int lines = 0;

	read_golden(golden, sizeof(golden));
	ck_assert_ptr_nonnull(page);
	while (fgets(line, sizeof(line), page)) {
		if (strncmp(line, "`tests/golden/", 14) == 0)
			in_example = strstr(line, "example.seg") != NULL;
		if (!in_example || strncmp(line, "    0000", 8) != 0)
			continue;
		check_line(line + 4, golden);
		lines++;
	}
	fclose(page);
	ck_assert_int_gt(lines, 40);
}
END_TEST

int main(void)
{
	return RUN_TESTS("format",
			 format__the_example_segment_is_what_is_written,
			 format__the_example_segment_is_read,
			 format__the_page_shows_the_example_segment);
}
