/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: recovery of a damaged directory.
 *
 * A small log of three segments on the simulated disk is damaged as the input
 * says; recovery must refuse or give batches that read whole, and a log that
 * it accepts must take new records.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/edit.h"
#include "wal/cursor.h"
#include "wal/wal.h"

#define SEGMENT (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	"d/log/0000000000000001.seg", "d/log/0000000000000002.seg",
	"d/log/0000000000000003.seg", "d/log/0000000000000004.seg",
};

static struct sim *pristine;
static struct store_id store;

static void on_fatal(void *ctx, int code, const char *message)
{
	(void)ctx;
	(void)code;
	(void)message;
}

static struct wal_options options(struct sim *s)
{
	return (struct wal_options){
		.io = sim_io(s),
		.dir = "d",
		.level = WAL_ALWAYS,
		.segment_size = SEGMENT,
		.pending_max = 16u << 20,
		.fatal = on_fatal,
	};
}

static void append_some(struct wal *w, unsigned rounds)
{
	static const uint8_t value[700];
	struct wal_turn turn = { .alone = true, .now_us = 1000 };
	struct origin o = { SLICE_LITERAL("default"), SLICE_LITERAL("a:1"),
			    SLICE_LITERAL("set") };
	struct batch b;
	unsigned i;

	batch_init(&b);
	for (i = 0; i < rounds; i++) {
		struct record r = { .type = REC_str_set,
				    .key = SLICE_LITERAL("key"),
				    .value = slice_of(value, i * 37 % 700) };

		b.origin = &o;
		b.time_ms = 1000 + i;
		batch_add(&b, &r);
		wal_append(w, &b);
		batch_reset(&b);
		turn.now_us += 1000;
		if (i % 3 == 0)
			wal_turn(w, &turn);
		wal_poll(w);
	}
	batch_release(&b);
}

static void make_pristine(void)
{
	struct wal_known known = { 0 };
	struct err_message m = { { 0 } };
	struct sim *s = sim_new(1);
	struct wal_options o = options(s);
	struct wal *w;

	store = (struct store_id){ .id = { 1, 2, 3 }, .hash_key = { 4, 5 } };
	sim_io(s)->ops->mkdir(sim_io(s), "d");
	if (wal_open(&w, &o, &store, &known, &m) != OK ||
	    wal_begin(w, 0, &m) != OK) {
		fprintf(stderr, "%s\n", m.text);
		abort();
	}
	append_some(w, 90);
	wal_abandon(w);
	pristine = s;
}

static void read_all(struct sim *s, uint64_t first_lsn)
{
	struct cursor_options o = { .io = sim_io(s), .dir = "d",
				    .first_lsn = first_lsn,
				    .last_lsn = UINT64_MAX };
	struct err_message m;
	struct wal_cursor *c;
	struct batch_view v;
	struct record r;

	if (wal_cursor_open(&c, &o, &m) != OK)
		return;
	while (wal_cursor_next(c, &v, &m) == OK) {
		struct batch_reader reader = batch_records(&v);

		while (batch_next(&reader, &r))
			;
	}
	wal_cursor_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_crash how = { .kind = SIM_CRASH_ALL, .seed = 7 };
	struct reader in = reader_of(slice_of(data, size));
	struct edit_target target = { .paths = paths, .path_count = 4,
				      .store = &store };
	struct wal_known known = { 0 };
	struct store_id found = { .id = { 0 } };
	struct err_message m = { { 0 } };
	struct wal_options o;
	struct wal *w;

	if (!pristine)
		make_pristine();
	target.sim = sim_crash(pristine, &how);
	edit_apply(&target, &in);
	o = options(target.sim);
	if (wal_open(&w, &o, &found, &known, &m) == OK) {
		const struct wal_recovery *r = wal_recovery(w);
		uint64_t last = r->last_lsn;

		if (r->first_lsn)
			read_all(target.sim, r->first_lsn);
		if (wal_begin(w, last, &m) == OK)
			append_some(w, 2);
		wal_abandon(w);
	}
	sim_free(target.sim);
	return 0;
}
