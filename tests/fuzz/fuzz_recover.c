/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: recovery of a damaged directory.
 *
 * One of four small logs on the simulated disk is damaged as the input says.
 * Recovery must refuse or give a log without a gap; it writes nothing; and
 * what it accepts takes new records and is accepted again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/logline.h"
#include "tests/fuzz/edit.h"
#include "wal/cursor.h"
#include "wal/wal.h"

#define SEGMENT (64u << 10)
#define DISKS 4
#define BLOCK SEGMENT_ALIGN_MIN
#define IDENTITY_SIZE_AT 56

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	"d/log/0000000000000001.seg", "d/log/0000000000000002.seg",
	"d/log/0000000000000003.seg", "d/log/0000000000000004.seg",
	"d/log/0000000000000005.seg", "d/log/0000000000000006.seg",
};

/* What is done behind recovery: one thing, for speed. */
enum deed { DEED_NONE, DEED_CURSOR, DEED_CURSOR_TOO, DEED_VERIFY, DEED_BEGIN };

/* What the first bytes of an input choose. */
struct choice {
	uint8_t disk;
	enum deed deed;
	uint8_t fault; /* reads until one fails; 0: none does */
	bool tolerate, verify_all, direct, known_given;
	struct wal_known known;
	uint8_t from, to; /* of the cursor */
};

static struct sim *pristine[DISKS];
static struct edit_target target[DISKS];

static void on_fatal(void *ctx, int code, const char *message)
{
	(void)ctx;
	(void)code;
	(void)message;
}

static struct wal_options options(struct sim *s, const struct choice *c)
{
	return (struct wal_options){
		.io = sim_io(s),
		.dir = "d",
		.level = WAL_ALWAYS,
		.mode = c->tolerate ? RECOVERY_TOLERATE_TAIL : RECOVERY_STRICT,
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

		b.origin = i % 5 ? &o : NULL;
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

/* --- the logs ---------------------------------------------------------- */

static struct wal *begin(struct sim *s, uint64_t snapshot_lsn)
{
	struct wal_known known = { .snapshot_lsn = snapshot_lsn,
				   .oldest_lsn = snapshot_lsn };
	struct store_id store = { .id = { 1, 2, 3 }, .hash_key = { 4, 5 } };
	struct err_message m = { { 0 } };
	struct choice none = { 0 };
	struct wal_options o = options(s, &none);
	uint64_t last;
	struct wal *w;

	if (wal_open(&w, &o, &store, &known, &m) == OK) {
		last = wal_recovery(w)->last_lsn;
		if (wal_begin(w, last > snapshot_lsn ? last : snapshot_lsn,
			      &m) == OK)
			return w;
	}
	fprintf(stderr, "%s\n", m.text);
	abort();
}

static struct sim *copy_of(const struct sim *s)
{
	struct sim_crash how = { .kind = SIM_CRASH_ALL, .seed = 7 };

	return sim_crash(s, &how);
}

/* Cuts what is free off the files, so that reading them takes less. */
static void shrink(struct sim *s, const struct edit_target *t)
{
	uint64_t size[ARRAY_LEN(paths)] = { 0 };
	uint8_t bytes[8];
	unsigned i;

	for (i = 0; i < t->place_count; i++)
		size[t->places[i].path] = t->places[i].offset + 2 * BLOCK;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		if (size[i] == 0 || size[i] > SEGMENT)
			continue;
		put_u64(bytes, size[i]);
		sim_cut(s, paths[i], size[i]);
		sim_poke(s, paths[i], IDENTITY_SIZE_AT, bytes, sizeof(bytes));
		edit_fix_identity(s, paths[i]);
	}
}

static void keep(unsigned disk, const struct sim *s)
{
	target[disk] = (struct edit_target){
		.paths = paths,
		.path_count = ARRAY_LEN(paths),
		.store = { .id = { 1, 2, 3 }, .hash_key = { 4, 5 } },
	};
	pristine[disk] = copy_of(s);
	edit_find_places(&target[disk], s);
	shrink(pristine[disk], &target[disk]);
}

static void make_pristine(void)
{
	const struct edit_place *last;
	struct sim *s = sim_new(1);
	struct err_message m;
	struct wal *w;

	log_open("", LOG_LEVEL_NOTHING);
	/* 0: stopped in order, started again; the process died. */
	sim_io(s)->ops->mkdir(sim_io(s), "d");
	w = begin(s, 0);
	append_some(w, 3);
	wal_close(w, &m);
	w = begin(s, 0);
	append_some(w, 3);
	wal_abandon(w);
	keep(0, s);
	/* 1: that, then started again, in a new epoch as something was cut,
	 * and stopped in order. */
	last = &target[0].places[target[0].place_count - 1];
	sim_poke(s, paths[last->path], last->offset + 80, "torn", 4);
	w = begin(s, 0);
	append_some(w, 2);
	wal_close(w, &m);
	keep(1, s);
	/* 2: behind a snapshot that is newer than the log. */
	w = begin(s, 200);
	append_some(w, 3);
	wal_abandon(w);
	keep(2, s);
	sim_free(s);
	/* 3: from one full segment to the next. */
	s = sim_new(2);
	sim_io(s)->ops->mkdir(sim_io(s), "d");
	w = begin(s, 0);
	append_some(w, 14);
	wal_abandon(w);
	keep(3, s);
	sim_free(s);
}

/* --- what is done with a damaged one ----------------------------------- */

static void read_all(struct sim *s, const struct choice *c)
{
	struct cursor_options o = {
		.io = sim_io(s),
		.dir = "d",
		.first_lsn = c->from ? c->from : 1,
		.last_lsn = c->to ? c->to : UINT64_MAX,
		.direct = c->direct,
	};
	uint64_t next = 0;
	struct err_message m;
	struct wal_cursor *cur;
	struct batch_view v;
	struct record r;

	if (wal_cursor_open(&cur, &o, &m) != OK)
		return;
	while (wal_cursor_next(cur, &v, &m) == OK) {
		struct batch_reader reader = batch_records(&v);

		if (next && v.first_lsn != next) {
			fprintf(stderr, "LSN %llu behind %llu\n",
				(unsigned long long)v.first_lsn,
				(unsigned long long)next - 1);
			abort();
		}
		next = v.first_lsn + v.count;
		while (batch_next(&reader, &r))
			;
	}
	wal_cursor_place(cur);
	wal_cursor_close(cur);
}

static void on_damage(void *ctx, const struct damage *d)
{
	unsigned *count = ctx;

	++*count;
	if (!memchr(d->file, 0, sizeof(d->file)) ||
	    !memchr(d->what, 0, sizeof(d->what)))
		abort();
}

static void verify_all(struct sim *s)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(paths); i++) {
		struct store_id store = { .id = { 0 } };
		unsigned count = 0;
		int found = segment_verify(sim_io(s), paths[i], &store,
					   on_damage, &count);

		if (found >= 0 && (unsigned)found != count)
			abort();
	}
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	if (done > total)
		abort();
}

static int recover(struct sim *s, const struct choice *c, uint64_t *last_lsn)
{
	struct recovery_options o = {
		.io = sim_io(s),
		.dir = "d",
		.mode = c->tolerate ? RECOVERY_TOLERATE_TAIL : RECOVERY_STRICT,
		.known = c->known_given ? &c->known : NULL,
		.verify_all = c->verify_all,
		.progress = c->verify_all ? on_progress : NULL,
	};
	uint64_t trace = sim_trace_hash(s);
	struct store_id store = { .id = { 0 } };
	struct err_message m = { { 0 } };
	struct wal_recovery r;
	int err = wal_recover(&r, &o, &store, &m);

	if (sim_trace_hash(s) != trace || (err && !m.text[0]) ||
	    (!err && !recovery_case_name(r.outcome)))
		abort();
	*last_lsn = r.last_lsn;
	wal_recovery_release(&r);
	return err;
}

/* Goes on with the log; afterwards recovery has nothing against it. */
static void begin_again(struct sim *s, const struct choice *c)
{
	struct wal_options o = options(s, c);
	struct store_id store = { .id = { 0 } };
	struct err_message m = { { 0 } };
	bool begun = false;
	uint64_t last = 0;
	struct wal *w;

	if (wal_open(&w, &o, &store, &c->known, &m) != OK)
		return;
	last = wal_recovery(w)->last_lsn;
	if (last < c->known.snapshot_lsn)
		last = c->known.snapshot_lsn;
	/* As the engine: a snapshot's mark is not tolerated away. */
	if (last >= c->known.durable_lsn && last < UINT64_MAX / 2 &&
	    wal_begin(w, last, &m) == OK) {
		append_some(w, 2);
		begun = wal_position(w)->durable_lsn > last;
	}
	wal_abandon(w);
	if (!begun)
		return;
	if (wal_open(&w, &o, &store, &c->known, &m) != OK) {
		fprintf(stderr, "%s\n", m.text);
		abort();
	}
	if (wal_recovery(w)->last_lsn <= last)
		abort();
	wal_abandon(w);
}

static struct choice choose(struct reader *in)
{
	uint8_t bits = read_byte(in);
	struct choice c = {
		.disk = bits % DISKS,
		.tolerate = bits & 0x10,
		.verify_all = bits & 0x20,
		.direct = bits & 0x40,
		.known_given = bits & 0x80,
		.deed = read_byte(in) % (DEED_BEGIN + 1),
		.fault = read_byte(in),
	};

	if (c.deed == DEED_CURSOR) {
		c.from = read_byte(in);
		c.to = read_byte(in);
	}
	if (c.known_given) {
		c.known.snapshot_lsn = read_byte(in);
		c.known.oldest_lsn = c.known.snapshot_lsn / (1 + (bits & 1));
		c.known.snapshot_epoch = read_byte(in) & 3;
		c.known.durable_lsn = read_byte(in);
		c.known.sequence = read_byte(in) & 7;
	}
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(slice_of(data, size));
	struct sim_fault fault = { .ops = SIM_READ | SIM_OPEN | SIM_LIST |
					  SIM_OTHER, .error = EIO };
	uint64_t last_lsn;
	struct choice c;
	struct sim *s;
	int err;

	if (!pristine[0])
		make_pristine();
	c = choose(&in);
	s = copy_of(pristine[c.disk]);
	sim_refuse(s, c.direct, false);
	edit_apply(&target[c.disk], s, &in);
	fault.call = c.fault;
	sim_set_fault(s, &fault);
	err = recover(s, &c, &last_lsn);
	if (c.deed == DEED_CURSOR || c.deed == DEED_CURSOR_TOO)
		read_all(s, &c);
	if (c.deed == DEED_VERIFY)
		verify_all(s);
	if (err == OK && c.deed == DEED_BEGIN && !c.fault)
		begin_again(s, &c);
	sim_free(s);
	return 0;
}
