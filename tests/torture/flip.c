/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bit flips: each bit of a sealed segment, of the segment in use and of a
 * snapshot is turned once, and recovery or the snapshot's check must say where
 * the damage is, or it is harmless: in padding, which nobody reads.
 *
 *   flip [--seed N] [--bits N] [--workers N]
 *
 * --bits: so many random bits of each file instead of all.  Further, header by
 * header: no flipped bit, other place or other salt makes a frame header that
 * validates; a snapshot of which the disk misplaces a write never gets its
 * name; and one that has it is there after a power cut.
 *
 * In the segment in use a group that nothing behind it proves durable looks
 * like a torn one: those bits are counted apart.
 */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/logline.h"
#include "base/mem.h"
#include "snapshot/snapshot.h"
#include "tests/support/sim_io.h"
#include "tests/support/suite.h"
#include "wal/wal.h"

#define SEGMENT_BYTES (64u << 10)
#define DIR "store"
#define WORKERS_MAX 16
#define HEADER_CHECKS 300
#define FAILURES_SHOWN 5

struct counts {
	uint64_t bits;
	uint64_t located;
	uint64_t harmless;
	uint64_t unproved; /* looks torn: nothing proves it durable */
	uint64_t failures;
};

/* What stands where in a file, a byte each. */
enum byte_kind { PADDING, BLOCK, FRAME };

struct target {
	const char *what;
	char name[SEGMENT_NAME_SIZE];
	char path[128];
	uint8_t *bytes;
	size_t size;
	uint8_t *kind;      /* per byte */
	uint64_t *place;    /* per byte: offset of its block or frame */
	uint64_t *frame_lsn; /* per byte: first LSN of its frame */
};

struct setting {
	uint64_t seed;
	uint64_t bits; /* 0: all */
	unsigned workers;
	struct sim *sim;
	struct store_id store;
	uint64_t last_lsn, durable_lsn;
	uint32_t align;
	char snapshot[128];
	struct counts *counts; /* shared between workers */
};

static void wrong(struct counts *c, const char *what, uint64_t bit,
		 const char *text)
{
	if (c->failures++ < FAILURES_SHOWN)
		fprintf(stderr, "FLIP: %s, byte %" PRIu64 " bit %" PRIu64
			": %s\n", what, bit / 8, bit % 8, text);
}

/* --- a store to damage --------------------------------------------------- */

static void on_fatal(void *ctx, int exit_code, const char *message)
{
	(void)ctx;
	fprintf(stderr, "the log failed, %d: %s\n", exit_code, message);
	exit(1);
}

static void add_record(struct batch *b, struct test_random *random)
{
	uint8_t value[3000];
	size_t size = 1 + test_random_below(random, sizeof(value));
	struct record r = { .type = REC_str_set,
			    .cause = CAUSE_set,
			    .key = SLICE_LITERAL("some key"),
			    .value = { value, size } };

	for (size_t i = 0; i < size; i++)
		value[i] = (uint8_t)test_random_next(random);
	batch_add(b, &r);
}

static void append_some(struct setting *s, struct wal *w,
			struct test_random *random, unsigned count)
{
	struct batch b;

	batch_init(&b);
	for (unsigned i = 0; i < count; i++) {
		struct wal_turn turn;

		batch_reset(&b);
		b.time_ms = 1700000000000 + i;
		add_record(&b, random);
		if (test_random_below(random, 3) == 0)
			add_record(&b, random);
		assert(wal_room(w, b.records.size, false));
		wal_append(w, &b);
		sim_advance_us(s->sim, 1 + test_random_below(random, 50000));
		turn.alone = true;
		turn.now_us = sim_io(s->sim)->ops->mono_us(sim_io(s->sim));
		if (test_random_below(random, 3) != 0)
			wal_turn(w, &turn);
	}
	batch_release(&b);
}

/* Two sealed segments and one in use, left by a kill. */
static void make_log(struct setting *s)
{
	struct sim_crash how = { .kind = SIM_CRASH_PROCESS };
	struct test_random random = { s->seed };
	struct wal_options o = { .io = sim_io(s->sim), .dir = DIR,
				 .level = WAL_ALWAYS,
				 .segment_size = SEGMENT_BYTES,
				 .fatal = on_fatal };
	struct wal_known known = { 0 };
	struct err_message m;
	struct sim *after;
	struct wal *w;

	if (wal_open(&w, &o, &s->store, &known, &m) != OK ||
	    wal_begin(w, 0, &m) != OK)
		on_fatal(NULL, 0, m.text);
	while (wal_sequence(w) < 3)
		append_some(s, w, &random, 1);
	append_some(s, w, &random, 12);
	wal_sync_now(w);
	after = sim_crash(s->sim, &how);
	wal_abandon(w);
	sim_free(s->sim);
	s->sim = after;
}

static int put_snapshot(struct setting *s, struct io *io, char path[128])
{
	struct snapshot_options o = { .io = io, .dir = DIR, .level = 1,
				      .queue_max = 1 << 20 };
	struct test_random random = { s->seed + 1 };
	struct snapshot_meta meta = { .store = s->store, .epoch = 1,
				      .lsn = 50 };
	struct snapshot_writer *w;
	struct snapshot_name *names;
	enum snapshot_state state;
	struct batch b;
	int count;

	batch_init(&b);
	meta.history.count = 1;
	meta.history.at[0].epoch = meta.history.at[0].first_lsn = 1;
	if (snapshot_begin(&w, &o, &meta, NULL) != OK)
		return 0;
	for (unsigned i = 0; i < 40; i++) {
		add_record(&b, &random);
		if (i % 8 == 7)
			snapshot_put(w, &b);
	}
	snapshot_finish(w, 50, 1);
	state = snapshot_state(w, NULL);
	snapshot_close(w);
	batch_release(&b);
	count = snapshot_list(io, DIR, &names, NULL);
	if (count > 0)
		snprintf(path, 128, DIR "/snap/%s", names[0].name);
	if (count >= 0)
		mem_free(names);
	return state == SNAPSHOT_DONE && count == 1;
}

/* --- what stands where --------------------------------------------------- */

static void cover(struct target *t, uint64_t from, uint64_t size,
		  enum byte_kind kind)
{
	for (uint64_t i = from; i < from + size && i < t->size; i++) {
		t->kind[i] = kind;
		t->place[i] = from;
	}
}

static void load(struct setting *s, struct target *t)
{
	struct io *io = sim_io(s->sim);
	int file = io->ops->open(io, t->path, IO_READ);

	assert(file >= 0);
	t->size = (size_t)io->ops->size(io, file);
	io->ops->close(io, file);
	t->bytes = mem_alloc(t->size);
	t->kind = mem_calloc(t->size, 1);
	t->place = mem_calloc(t->size, sizeof(*t->place));
	t->frame_lsn = mem_calloc(t->size, sizeof(*t->frame_lsn));
	sim_peek(s->sim, t->path, 0, t->bytes, t->size);
}

static void unload(struct target *t)
{
	mem_free(t->bytes);
	mem_free(t->kind);
	mem_free(t->place);
	mem_free(t->frame_lsn);
}

/* Frames from `at` on; groups start on align (0: no groups). */
static uint64_t cover_frames(struct target *t, uint64_t at, uint64_t align,
			     const struct frame_seed *seed)
{
	struct frame_header h;

	while (at + FRAME_HEADER_SIZE <= t->size &&
	       frame_decode(t->bytes + at, seed, at, &h)) {
		uint64_t size = FRAME_HEADER_SIZE + h.length;

		cover(t, at, size, FRAME);
		for (uint64_t i = at; i < at + size; i++)
			t->frame_lsn[i] = h.first_lsn;
		at += size;
		if (align && (h.flags & FRAME_GROUP_END))
			at = (at + align - 1) / align * align;
		if (h.flags & FRAME_SEAL)
			break;
	}
	return at;
}

static void load_segment(struct setting *s, struct target *t,
			 uint64_t sequence)
{
	struct segment_identity identity;
	struct frame_seed seed;
	uint64_t end;

	segment_name(t->name, sequence);
	snprintf(t->path, sizeof(t->path), DIR "/log/%s", t->name);
	load(s, t);
	if (identity_decode(t->bytes, &identity) != OK)
		abort();
	s->align = identity.align;
	seed = (struct frame_seed){ store_content_seed(&s->store),
				    identity.salt };
	cover(t, 0, IDENTITY_SIZE, BLOCK);
	cover(t, identity.align, USE_SIZE, BLOCK);
	end = cover_frames(t, 2 * (uint64_t)identity.align, identity.align,
			   &seed);
	assert(end > 3 * (uint64_t)identity.align);
}

/* --- verdicts ------------------------------------------------------------ */

/* Whether the message names the file and the place of this byte. */
static bool names_place(const struct target *t, uint64_t byte,
			const char *text)
{
	const char *at = strstr(text, "offset ");
	uint64_t offset = at ? strtoull(at + 7, NULL, 10) : UINT64_MAX;

	return strstr(text, t->name) && offset == t->place[byte];
}

/* The use block of the first segment: what it held is missing. */
static bool names_gap(const struct target *t, uint64_t byte,
		      const char *text)
{
	return t->kind[byte] == BLOCK && strstr(text, "is missing: LSN");
}

static void judge_log(struct setting *s, struct target *t, uint64_t bit,
		      struct counts *c)
{
	struct wal_known known = { 0 };
	struct recovery_options o = { .io = sim_io(s->sim), .dir = DIR,
				      .known = &known };
	struct store_id store = s->store;
	struct wal_recovery r;
	struct err_message m = { "" };
	uint64_t byte = bit / 8;
	int err = wal_recover(&r, &o, &store, &m);
	bool same = err == OK && !r.cut && r.last_lsn == s->last_lsn;

	if (err == OK && t->kind[byte] == PADDING &&
	    r.last_lsn == s->last_lsn)
		c->harmless++; /* zeros expected behind the end: "torn" */
	else if (err == ERR_CORRUPT && t->kind[byte] != PADDING &&
		 (names_place(t, byte, m.text) || names_gap(t, byte, m.text)))
		c->located++;
	else if (err == ERR_VERSION && byte < IDENTITY_SIZE)
		c->located++;
	else if (err == OK && t->kind[byte] == FRAME &&
		 t->frame_lsn[byte] > s->durable_lsn &&
		 r.last_lsn >= s->durable_lsn)
		c->unproved++;
	else
		wrong(c, t->what, bit, err ? m.text : same ?
		     "not noticed" : "cut without a word");
	wal_recovery_release(&r);
}

struct place {
	uint64_t byte;
	bool found;
};

static void take_damage(void *ctx, const struct damage *d)
{
	struct place *p = ctx;

	p->found |= d->offset <= p->byte && d->first_lsn > 0 && d->file[0];
}

static void judge_snapshot(struct setting *s, struct target *t, uint64_t bit,
			   struct counts *c)
{
	struct place p = { .byte = bit / 8 };
	int n = snapshot_verify(sim_io(s->sim), t->path, take_damage, &p);

	if (n == 0 && t->kind[p.byte] == PADDING)
		c->harmless++;
	else if (n > 0 && (p.found || t->kind[p.byte] == BLOCK))
		c->located++;
	else if (n < 0 && t->kind[p.byte] == BLOCK)
		c->located++; /* refused as a whole, by its name */
	else
		wrong(c, t->what, bit, n == 0 ? "not noticed" :
					       "not located");
}

/* --- flipping ------------------------------------------------------------ */

typedef void judge_fn(struct setting *, struct target *, uint64_t bit,
		      struct counts *);

static void flip_one(struct setting *s, struct target *t, uint64_t bit,
		     judge_fn *judge, struct counts *c)
{
	uint8_t byte = t->bytes[bit / 8] ^ (uint8_t)(1u << bit % 8);

	c->bits++;
	sim_poke(s->sim, t->path, bit / 8, &byte, 1);
	judge(s, t, bit, c);
	sim_poke(s->sim, t->path, bit / 8, &t->bytes[bit / 8], 1);
}

static void flip_share(struct setting *s, struct target *t, judge_fn *judge,
		       unsigned worker)
{
	struct test_random random = { s->seed + 77 + worker };
	struct counts *c = &s->counts[worker];
	uint64_t all = (uint64_t)t->size * 8, n;

	*c = (struct counts){ 0 };
	if (s->bits == 0)
		for (n = worker; n < all; n += s->workers)
			flip_one(s, t, n, judge, c);
	for (n = worker; n < s->bits; n += s->workers)
		flip_one(s, t, test_random_below(&random, all), judge, c);
}

/* True if every bit was as it must be. */
static bool flip_all(struct setting *s, struct target *t, judge_fn *judge)
{
	struct counts sum = { 0 };
	pid_t children[WORKERS_MAX];
	int status, died = 0;

	for (unsigned i = 0; i < s->workers; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			flip_share(s, t, judge, i);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < s->workers; i++) {
		waitpid(children[i], &status, 0);
		died += status != 0;
		sum.bits += s->counts[i].bits;
		sum.located += s->counts[i].located;
		sum.harmless += s->counts[i].harmless;
		sum.unproved += s->counts[i].unproved;
		sum.failures += s->counts[i].failures;
	}
	printf("flip %s: %" PRIu64 " bits of %zu bytes: %" PRIu64
	       " located, %" PRIu64 " in padding, %" PRIu64
	       " in the last group, unproved; %" PRIu64 " wrong%s\n", t->what,
	       sum.bits, t->size, sum.located, sum.harmless, sum.unproved,
	       sum.failures, died ? ", a worker died" : "");
	return sum.failures == 0 && !died;
}

static bool flip_log(struct setting *s)
{
	struct target sealed = { .what = "sealed segment" };
	struct target live = { .what = "segment in use" };
	struct wal_known known = { 0 };
	struct recovery_options o = { .io = sim_io(s->sim), .dir = DIR,
				      .known = &known };
	struct wal_recovery r;
	struct err_message m;
	bool good;

	if (wal_recover(&r, &o, &s->store, &m) != OK)
		on_fatal(NULL, 0, m.text);
	s->last_lsn = r.last_lsn;
	s->durable_lsn = r.durable_lsn;
	wal_recovery_release(&r);
	load_segment(s, &sealed, 2);
	load_segment(s, &live, 3);
	good = flip_all(s, &sealed, judge_log);
	good &= flip_all(s, &live, judge_log);
	unload(&sealed);
	unload(&live);
	return good;
}

static bool flip_snapshot(struct setting *s)
{
	struct target t = { .what = "snapshot" };
	bool good;

	snprintf(t.path, sizeof(t.path), "%s", s->snapshot);
	load(s, &t);
	/* Header block, then frames up to the zeros before the footer: what
	 * is not zero is covered; zeros are decided by who reads them. */
	cover(&t, 0, 4096, BLOCK);
	cover(&t, 4096, t.size - 4096, FRAME);
	for (size_t end = t.size - 128; t.bytes[end - 1] == 0; end--)
		t.kind[end - 1] = PADDING;
	good = flip_all(s, &t, judge_snapshot);
	unload(&t);
	return good;
}

/* --- headers ------------------------------------------------------------- */

/* No other bit, place, salt or store makes this header valid. */
static bool header_holds(struct test_random *random, struct counts *c)
{
	struct frame_seed seed = { test_random_next(random),
				   test_random_next(random) };
	struct frame_header h = {
		.length = (uint32_t)test_random_below(random, 1 << 20),
		.flags = FRAME_GROUP_END,
		.first_lsn = test_random_next(random) >> 20,
		.count = 1 + (uint32_t)test_random_below(random, 99),
		.epoch = 1, .content_check = test_random_next(random),
	}, out;
	uint64_t place = test_random_below(random, 1 << 20) * 4096;
	struct frame_seed other = seed;
	uint8_t bytes[FRAME_HEADER_SIZE];
	uint64_t failures = c->failures;

	h.raw_length = h.length;
	frame_encode(bytes, &h, &seed, place);
	for (unsigned bit = 0; bit < 8 * FRAME_HEADER_SIZE; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (frame_decode(bytes, &seed, place, &out))
			wrong(c, "frame header", bit, "not noticed");
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	other.salt ^= 1;
	if (frame_decode(bytes, &other, place, &out))
		wrong(c, "frame header", 0, "valid under another salt");
	if (frame_decode(bytes, &seed, place + 4096, &out))
		wrong(c, "frame header", 0, "valid at another place");
	c->bits += 8 * FRAME_HEADER_SIZE + 2;
	return c->failures == failures;
}

static bool check_headers(struct setting *s)
{
	struct test_random random = { s->seed + 5 };
	struct counts c = { 0 };
	bool good = true;

	for (unsigned i = 0; i < HEADER_CHECKS; i++)
		good &= header_holds(&random, &c);
	printf("flip frame headers: %" PRIu64 " changed bits, places and "
	       "salts; %" PRIu64 " wrong\n", c.bits, c.failures);
	return good;
}

/* --- a disk that misplaces ------------------------------------------------ */

/* The n-th write of a snapshot lands 4096 bytes off its place: it must fail,
 * or be whole all the same. False: no such write. */
static bool misplace(struct setting *s, uint64_t n, struct counts *c)
{
	struct sim *sim = sim_new(s->seed);
	struct sim_fault fault = { .ops = SIM_WRITE, .call = n,
				   .misdirect = 4096 };
	char path[128] = "";
	bool done;

	sim_poke(sim, DIR, 0, NULL, 0);
	sim_set_fault(sim, &fault);
	done = put_snapshot(s, sim_io(sim), path);
	c->bits++;
	if (done && snapshot_verify(sim_io(sim), path, NULL, NULL) != 0)
		wrong(c, "misplaced write", n, "the snapshot got its name");
	done = sim_calls(sim) < n;
	sim_free(sim);
	return !done;
}

static bool check_misplaced(struct setting *s)
{
	struct counts c = { 0 };

	for (uint64_t n = 1; misplace(s, n, &c); n++)
		;
	printf("flip misplaced writes of a snapshot: %" PRIu64 "; %" PRIu64
	       " wrong\n", c.bits, c.failures);
	return c.failures == 0;
}

/* --- a snapshot and a power cut ------------------------------------------- */

/* A snapshot that is said to be done is there after a power cut, whole,
 * whatever else of what was pending landed. */
static bool check_durable(struct setting *s)
{
	struct counts c = { 0 };

	for (unsigned n = 0; n < SIM_CRASH_KINDS * 4; n++) {
		struct sim_crash how = { .kind = n % SIM_CRASH_KINDS,
					 .choice = n / SIM_CRASH_KINDS,
					 .seed = s->seed + n };
		struct sim *sim = sim_new(s->seed), *after;
		char path[128] = "";

		sim_poke(sim, DIR, 0, NULL, 0);
		if (!put_snapshot(s, sim_io(sim), path))
			wrong(&c, "snapshot", n, "it could not be made");
		after = sim_crash(sim, &how);
		if (snapshot_verify(sim_io(after), path, NULL, NULL) != 0)
			wrong(&c, "snapshot", n, "not there after a crash");
		c.bits++;
		sim_free(after);
		sim_free(sim);
	}
	printf("flip power cuts behind a snapshot: %" PRIu64 "; %" PRIu64
	       " wrong\n", c.bits, c.failures);
	return c.failures == 0;
}

/* --- all of it ------------------------------------------------------------ */

static void parse(struct setting *s, int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "bits", required_argument, NULL, 'b' },
		{ "workers", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	s->seed = (uint64_t)time(NULL);
	s->workers = 2;
	while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (letter == 's')
			s->seed = n;
		else if (letter == 'b')
			s->bits = n;
		else if (letter == 'w' && n > 0 && n <= WORKERS_MAX)
			s->workers = (unsigned)n;
		else
			exit(64);
	}
}

int main(int argc, char **argv)
{
	struct setting s = { 0 };
	bool good;

	parse(&s, argc, argv);
	printf("flip: seed %" PRIu64 "\n", s.seed);
	fflush(stdout);
	log_open("", LOG_LEVEL_NOTHING);
	s.counts = mmap(NULL, sizeof(*s.counts) * WORKERS_MAX,
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	assert(s.counts != MAP_FAILED);
	s.sim = sim_new(s.seed);
	sim_poke(s.sim, DIR, 0, NULL, 0);
	make_log(&s);
	good = check_headers(&s);
	good &= check_misplaced(&s);
	good &= check_durable(&s);
	good &= flip_log(&s);
	if (!put_snapshot(&s, sim_io(s.sim), s.snapshot)) {
		fprintf(stderr, "no snapshot could be made\n");
		return 1;
	}
	good &= flip_snapshot(&s);
	sim_free(s.sim);
	return !good;
}
