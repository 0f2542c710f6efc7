/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a damaged snapshot.
 *
 * A small real one is damaged edit by edit, then, if the input wants, its
 * first frame gets the rest of the input as its content, with checks, chain
 * and footer made right.  Reader and verification must agree: what reads to
 * the end with whole records has no damage, and the other way round.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/logline.h"
#include "base/mem.h"
#include "snapshot/layout.h"
#include "snapshot/snapshot.h"
#include "tests/fuzz/edit.h"

#define NAME "0000000001-00000000000000000009.snap"
#define RAW_BLOCK_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = { "d/snap/" NAME };

static struct sim *pristine;
static struct edit_target target;

enum choice {
	CHOICE_THREADS = 0x5b, /* rare: it takes long */
	CHOICE_EDIT = 1,
	CHOICE_CONTENT = 2,  /* as it is */
	CHOICE_RAW = 4,      /* in a zstd frame */
	CHOICE_CHAIN = 8,
	CHOICE_NO_DIRECT = 16,
	CHOICE_FAULT = 32,
};

static void put_records(struct snapshot_writer *w, unsigned from, unsigned n)
{
	static const uint8_t value[300];
	char key[32];
	struct batch b;
	unsigned i;

	batch_init(&b);
	for (i = from; i < from + n; i++) {
		struct record r = { .type = REC_str_set,
				    .cause = CAUSE_snapshot,
				    .value = slice_of(value, i % 300) };

		snprintf(key, sizeof(key), "key:%u", i);
		r.key = slice_str(key);
		batch_add(&b, &r);
	}
	snapshot_put(w, &b);
	batch_release(&b);
}

static void fail(const struct err_message *m)
{
	fprintf(stderr, "%s\n", m->text);
	abort();
}

static void make_pristine(void)
{
	struct snapshot_options o = { .dir = "d", .level = 1,
				      .queue_max = 1u << 20 };
	struct snapshot_meta meta = { .epoch = 1, .lsn = 9, .db_count = 2 };
	struct err_message m = { { 0 } };
	struct snapshot_writer *w;
	struct sim *s = sim_new(1);
	unsigned i;

	target.paths = paths;
	target.path_count = 1;
	target.store = (struct store_id){ .id = { 9 }, .hash_key = { 1, 2 } };
	meta.store = target.store;
	meta.dbs = mem_calloc(2, sizeof(*meta.dbs));
	for (i = 0; i < 2; i++) {
		epoch_history_add(&meta.history, i, i + 1);
		meta.dbs[i].db = i;
		meta.dbs[i].keys = 40;
	}
	o.io = sim_io(s);
	o.io->ops->mkdir(o.io, "d");
	if (snapshot_begin(&w, &o, &meta, &m) != OK)
		fail(&m);
	for (i = 0; i < 3; i++)
		put_records(w, i * 30, 30);
	snapshot_finish(w, 9, 0);
	if (snapshot_state(w, &m) != SNAPSHOT_DONE)
		fail(&m);
	snapshot_close(w);
	mem_free(meta.dbs);
	pristine = s;
	edit_find_places(&target, s);
}

/* bytes as the only frame of zstd (RFC 8878), not compressed. */
static struct slice raw_frame(struct slice bytes)
{
	static uint8_t frame[RAW_BLOCK_MAX + 16];
	uint8_t *p = frame;

	if (bytes.size > RAW_BLOCK_MAX)
		bytes.size = RAW_BLOCK_MAX;
	p = put_u32(p, 0xfd2fb528);
	*p++ = 0xa0; /* one segment, its size in four bytes */
	p = put_u32(p, (uint32_t)bytes.size);
	put_u32(p, (uint32_t)bytes.size << 3 | 1); /* raw, the last block */
	p = put_bytes(p + 3, bytes.data, bytes.size);
	return slice_of(frame, (size_t)(p - frame));
}

/* Replaces the content of the first frame. */
static void put_content(struct sim *s, struct reader *in, unsigned choice)
{
	const struct edit_place *first = &target.places[1];
	uint8_t count[4];
	uint64_t raw_length;
	struct slice bytes;

	put_u32(count, read_byte(in));
	sim_poke(s, paths[0], first->offset + 24, count, 4);
	raw_length = read_byte(in) * 16u;
	bytes = read_bytes(in, reader_left(in));
	if (choice & CHOICE_RAW) {
		raw_length = bytes.size;
		bytes = raw_frame(bytes);
	}
	edit_put_content(&target, s, first, bytes, raw_length);
}

/* Everything was read, and records were whole. */
static bool read_all(struct sim *s, unsigned threads)
{
	struct snapshot_reader_options o = { .io = sim_io(s), .dir = "d",
					     .name = NAME,
					     .threads = threads };
	struct err_message m = { { 0 } };
	uint64_t done, total = 0;
	struct snapshot_reader *r;
	struct batch_view v;
	struct record rec;
	bool whole = true;
	int err;

	if (snapshot_open(&r, &o, &m) != OK)
		return false;
	while ((err = snapshot_next(r, &v, &m)) == OK) {
		struct batch_reader reader = batch_records(&v);

		while (batch_next(&reader, &rec))
			;
		whole = whole && !reader.in.bad;
		snapshot_progress(r, &done, &total);
		if (done > total)
			abort();
	}
	if (err < 0 && !m.text[0])
		abort();
	if (err == SNAPSHOT_END &&
	    (snapshot_next(r, &v, &m) != SNAPSHOT_END ||
	     snapshot_reader_meta(r)->history.count > EPOCH_HISTORY_MAX ||
	     snapshot_reader_footer(r)->record_count > total))
		abort();
	snapshot_reader_close(r);
	return whole && err == SNAPSHOT_END;
}

static void on_damage(void *ctx, const struct damage *d)
{
	unsigned *count = ctx;

	++*count;
	if (!d->what[0] || strcmp(d->file, NAME) != 0)
		abort();
}

static void check(struct sim *s, unsigned choice)
{
	unsigned places = 0;
	bool whole = read_all(s, choice == CHOICE_THREADS ? 2 : 0);
	int found = snapshot_verify(sim_io(s), paths[0], on_damage, &places);

	if (choice & CHOICE_FAULT)
		return;
	if (found >= 0 && (unsigned)found != places)
		abort();
	if (whole && found != 0)
		abort();
}

/* The input is a name, and one of these is not. */
static void check_name(struct slice name)
{
	char text[64], again[SNAPSHOT_NAME_SIZE];
	uint32_t epoch;
	uint64_t lsn;

	if (name.size >= sizeof(text))
		return;
	put_bytes((uint8_t *)text, name.data, name.size);
	text[name.size] = 0;
	if (!snapshot_parse_name(text, &epoch, &lsn))
		return;
	snapshot_make_name(again, epoch, lsn);
	if (strcmp(text, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_crash how = { .kind = SIM_CRASH_ALL, .seed = 7 };
	struct sim_fault fault = { .ops = SIM_READ | SIM_OPEN | SIM_OTHER,
				   .error = 5 };
	struct reader in = reader_of(slice_of(data, size));
	unsigned choice = read_byte(&in);
	struct sim *s;

	if (!pristine) {
		log_open("", LOG_LEVEL_NOTHING);
		make_pristine();
	}
	check_name(slice_of(in.at, reader_left(&in)));
	s = sim_crash(pristine, &how);
	if (choice & CHOICE_FAULT)
		fault.call = read_byte(&in);
	if (choice & CHOICE_EDIT) {
		struct slice edits = read_string(&in);
		struct reader some = reader_of(edits);

		edit_apply(&target, s, &some);
	}
	if ((choice & (CHOICE_CONTENT | CHOICE_RAW)) &&
	    sim_exists(s, paths[0]))
		put_content(s, &in, choice);
	if (choice & CHOICE_CHAIN)
		edit_chain(&target, s, 0);
	sim_refuse(s, choice & CHOICE_NO_DIRECT, false);
	sim_set_fault(s, &fault);
	check(s, choice);
	sim_free(s);
	return 0;
}
