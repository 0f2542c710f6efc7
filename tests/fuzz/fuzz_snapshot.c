/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a damaged snapshot.
 *
 * Either the input's bytes, compressed or not, stand as the content of a frame
 * whose checks are right, or a real snapshot is damaged edit by edit.  The
 * reader must refuse or give records that read whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "snapshot/layout.h"
#include "snapshot/snapshot.h"
#include "tests/fuzz/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "0000000001-00000000000000000009.snap" };
static const char *const paths[] = {
	"d/snap/0000000001-00000000000000000009.snap",
};

static struct sim *pristine;
static struct store_id store;
static uint64_t salt;
static uint64_t first_frame;

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

static void read_salt(struct sim *s)
{
	static uint8_t block[64 << 10];
	struct snapshot_meta meta;
	uint32_t size;

	sim_peek(s, paths[0], 0, block, sizeof(block));
	if (snapshot_prefix_decode(block, &size) != OK ||
	    snapshot_header_decode(slice_of(block, size), &meta, &salt) != OK)
		abort();
	first_frame = size;
	mem_free(meta.dbs);
}

static void make_pristine(void)
{
	struct snapshot_options o = { .dir = "d", .level = 1,
				      .queue_max = 1u << 20 };
	struct snapshot_meta meta = { .epoch = 1, .lsn = 9 };
	struct err_message m = { { 0 } };
	struct snapshot_writer *w;
	struct sim *s = sim_new(1);

	store = (struct store_id){ .id = { 9 }, .hash_key = { 1, 2 } };
	meta.store = store;
	o.io = sim_io(s);
	o.io->ops->mkdir(o.io, "d");
	if (snapshot_begin(&w, &o, &meta, &m) != OK)
		fail(&m);
	put_records(w, 0, 40);
	put_records(w, 40, 40);
	snapshot_finish(w, 9, 0);
	if (snapshot_state(w, &m) != SNAPSHOT_DONE)
		fail(&m);
	snapshot_close(w);
	pristine = s;
	read_salt(s);
}

/* The input as the content of the first frame, plain or compressed. */
static void put_content(struct sim *s, struct reader *in, bool compress)
{
	struct frame_seed seed = { store_content_seed(&store), salt };
	static uint8_t frame[FRAME_HEADER_SIZE + (64 << 10)];
	uint8_t *content = frame + FRAME_HEADER_SIZE;
	struct frame_header h = {
		.flags = FRAME_SNAPSHOT,
		.first_lsn = 9,
		.count = read_byte(in),
		.epoch = 1,
	};
	struct slice raw = read_bytes(in, reader_left(in));
	size_t n = raw.size;

	h.raw_length = n;
	if (compress) {
		n = ZSTD_compress(content, sizeof(frame) - FRAME_HEADER_SIZE,
				  raw.data, raw.size, 1);
		h.flags |= FRAME_ZSTD;
	} else if (n <= sizeof(frame) - FRAME_HEADER_SIZE) {
		put_bytes(content, raw.data, n);
	}
	if (n > sizeof(frame) - FRAME_HEADER_SIZE)
		return;
	h.length = (uint32_t)n;
	h.content_check = frame_content_check(slice_of(content, n), &seed);
	frame_encode(frame, &h, &seed, first_frame);
	sim_poke(s, paths[0], first_frame, frame, FRAME_HEADER_SIZE + n);
}

static void read_all(struct sim *s)
{
	struct snapshot_reader_options o = { .io = sim_io(s), .dir = "d",
					     .name = names[0] };
	struct snapshot_reader *r;
	struct err_message m;
	struct batch_view v;
	struct record rec;

	if (snapshot_open(&r, &o, &m) != OK)
		return;
	while (snapshot_next(r, &v, &m) == OK) {
		struct batch_reader reader = batch_records(&v);

		while (batch_next(&reader, &rec))
			;
	}
	snapshot_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_crash how = { .kind = SIM_CRASH_ALL, .seed = 7 };
	struct reader in = reader_of(slice_of(data, size));
	struct edit_target target = { .paths = paths, .path_count = 1,
				      .store = &store };
	unsigned mode = read_byte(&in) % 3;

	if (!pristine)
		make_pristine();
	target.sim = sim_crash(pristine, &how);
	target.salt = salt;
	if (mode == 0)
		edit_apply(&target, &in);
	else
		put_content(target.sim, &in, mode == 1);
	read_all(target.sim);
	sim_free(target.sim);
	return 0;
}
