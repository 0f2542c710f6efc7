/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot/: what is written is read back, and nothing else is.
 *
 * Files are real ones in a temporary directory; an io in front of io_posix
 * flips bits on reads, fails calls and makes random numbers repeatable.
 */
#include "snapshot/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "snapshot/layout.h"
#include "tests/support/suite.h"

#define GOLDEN "tests/golden/example.snap"
#define GOLDEN_ZSTD 10504

/* --- an io that meddles ------------------------------------------------- */

struct meddler {
	struct io io; /* first: the cast back */
	struct io_ops ops;
	uint64_t flip_offset; /* of a byte; UINT64_MAX: none */
	uint8_t flip_mask;
	int calls;      /* made so far of those that can fail */
	int fail_at;    /* call that fails; 0: none */
	int fail_with;  /* negative errno */
	bool refuse_direct;
	bool lie; /* writes are lost */
};

static struct meddler *meddler_of(struct io *io)
{
	return (struct meddler *)io;
}

static const struct io_ops *real_ops(void)
{
	return io_posix()->ops;
}

static bool fails(struct io *io)
{
	struct meddler *m = meddler_of(io);

	return ++m->calls == m->fail_at;
}

static int64_t meddle_pread(struct io *io, int file, void *data, size_t size,
			    uint64_t offset)
{
	struct meddler *m = meddler_of(io);
	int64_t got;

	if (fails(io))
		return m->fail_with;
	got = real_ops()->pread(io_posix(), file, data, size, offset);
	if (got > 0 && m->flip_offset >= offset &&
	    m->flip_offset < offset + (uint64_t)got)
		((uint8_t *)data)[m->flip_offset - offset] ^= m->flip_mask;
	return got;
}

static int64_t meddle_pwrite(struct io *io, int file, const void *data,
			     size_t size, uint64_t offset)
{
	if (fails(io))
		return meddler_of(io)->fail_with;
	if (meddler_of(io)->lie)
		return (int64_t)size;
	return real_ops()->pwrite(io_posix(), file, data, size, offset);
}

static int meddle_open(struct io *io, const char *path, unsigned flags)
{
	if (fails(io))
		return meddler_of(io)->fail_with;
	if ((flags & IO_DIRECT) && meddler_of(io)->refuse_direct)
		return -EINVAL;
	return real_ops()->open(io_posix(), path, flags);
}

static int meddle_sync(struct io *io, int file)
{
	return fails(io) ? meddler_of(io)->fail_with
			 : real_ops()->sync(io_posix(), file);
}

static int meddle_sync_dir(struct io *io, const char *path)
{
	return fails(io) ? meddler_of(io)->fail_with
			 : real_ops()->sync_dir(io_posix(), path);
}

static int meddle_rename(struct io *io, const char *from, const char *to)
{
	return fails(io) ? meddler_of(io)->fail_with
			 : real_ops()->rename(io_posix(), from, to);
}

static void meddle_random(struct io *io, void *data, size_t size)
{
	(void)io;
	memset(data, 0x5a, size);
}

static void meddler_init(struct meddler *m)
{
	*m = (struct meddler){ .ops = *real_ops(),
			       .flip_offset = UINT64_MAX };
	m->ops.pread = meddle_pread;
	m->ops.pwrite = meddle_pwrite;
	m->ops.open = meddle_open;
	m->ops.sync = meddle_sync;
	m->ops.sync_dir = meddle_sync_dir;
	m->ops.rename = meddle_rename;
	m->ops.random = meddle_random;
	m->io.ops = &m->ops;
}

/* --- a directory, a writer, a reader ------------------------------------ */

static char dir[64];
static struct meddler disk;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/redoubt-snapshot-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	meddler_init(&disk);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

struct counted {
	uint32_t db;
	uint64_t keys;
	uint64_t deadlines;
};

static struct snapshot_meta meta_at(uint64_t lsn)
{
	static struct counted dbs[2] = { { 0, 100, 7 }, { 3, 5, 0 } };
	struct snapshot_meta meta = {
		.store = { .hash_key = { 11, 22 } },
		.epoch = 2,
		.lsn = lsn,
		.created_ms = 1700000000000,
		.db_count = 2,
		.dbs = (void *)dbs,
	};

	memcpy(meta.store.id, "0123456789abcdef", 16);
	epoch_history_add(&meta.history, 1, 1);
	epoch_history_add(&meta.history, 2, 30);
	return meta;
}

static struct snapshot_options options(bool threads)
{
	return (struct snapshot_options){
		.io = &disk.io,
		.dir = dir,
		.level = 1,
		.queue_max = 1 << 20,
		.threads = threads,
	};
}

static void add_key(struct batch *b, unsigned number, struct slice value)
{
	char key[32];
	struct record r = {
		.type = REC_str_set,
		.cause = CAUSE_snapshot,
		.db = number % 7 == 0 ? 3 : 0,
		.value = value,
		.deadline = number % 5 ? 0 : 1700000000000 + number,
	};

	r.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "key:%u",
					       number));
	b->time_ms = 1700000000000;
	batch_add(b, &r);
}

/* Puts `count` keys in blocks of `block`; values are 20 bytes. */
static void put_keys(struct snapshot_writer *w, unsigned count,
		     unsigned block)
{
	struct batch b;
	char value[20];
	unsigned i;

	batch_init(&b);
	for (i = 0; i < count; i++) {
		memset(value, 'a' + (int)(i % 26), sizeof(value));
		add_key(&b, i, slice_of(value, sizeof(value)));
		if (b.count == block)
			snapshot_put(w, &b);
	}
	snapshot_put(w, &b);
	batch_release(&b);
}

static enum snapshot_state wait_end(struct snapshot_writer *w,
				    struct err_message *m)
{
	enum snapshot_state state;

	while ((state = snapshot_state(w, m)) == SNAPSHOT_RUNNING)
		usleep(500);
	return state;
}

/* Writes one; the state it ends in. */
static enum snapshot_state write_one(uint64_t lsn, unsigned count,
				     bool threads, struct err_message *m)
{
	struct snapshot_options o = options(threads);
	struct snapshot_meta meta = meta_at(lsn);
	struct snapshot_writer *w;
	enum snapshot_state state;

	ck_assert_int_eq(snapshot_begin(&w, &o, &meta, m), OK);
	put_keys(w, count, 50);
	snapshot_finish(w, lsn + 3, 9);
	state = wait_end(w, m);
	snapshot_close(w);
	return state;
}

static const char *path_of(uint64_t lsn)
{
	static char path[256];
	char name[SNAPSHOT_NAME_SIZE];

	snapshot_make_name(name, 2, lsn);
	snprintf(path, sizeof(path), "%s/snap/%s", dir, name);
	return path;
}

struct content {
	uint64_t records;
	uint64_t hash; /* of all records in order */
};

static uint64_t hash_bytes(uint64_t hash, struct slice s)
{
	return chain_hash(hash, content_hash(s.data, s.size, 1));
}

static bool add_view(struct content *c, const struct batch_view *v)
{
	struct batch_reader in = batch_records(v);
	struct record r;

	while (batch_next(&in, &r)) {
		c->records++;
		c->hash = hash_bytes(hash_bytes(c->hash, r.key), r.value);
		c->hash = chain_hash(c->hash, r.deadline);
		c->hash = chain_hash(c->hash, r.offset << 24 | r.db);
	}
	return !in.in.bad;
}

/* Reads a file through: OK and its content, or the error. */
static int read_all(const char *name, unsigned threads, struct content *c,
		    struct err_message *m)
{
	struct snapshot_reader_options o = {
		.io = &disk.io, .dir = dir, .name = name, .threads = threads,
	};
	struct snapshot_reader *r;
	struct batch_view v;
	int err;

	*c = (struct content){ 0 };
	err = snapshot_open(&r, &o, m);
	if (err)
		return err;
	while ((err = snapshot_next(r, &v, m)) == OK)
		if (!add_view(c, &v)) {
			err = ERR_CORRUPT;
			break;
		}
	snapshot_reader_close(r);
	return err == SNAPSHOT_END ? OK : err;
}

static int read_lsn(uint64_t lsn, unsigned threads, struct content *c)
{
	char name[SNAPSHOT_NAME_SIZE];

	snapshot_make_name(name, 2, lsn);
	return read_all(name, threads, c, NULL);
}

static struct content expected(unsigned count)
{
	struct content c = { 0 };
	struct batch b;
	char value[20];
	unsigned i;

	batch_init(&b);
	for (i = 0; i < count; i++) {
		struct batch_view v = { 0 };

		memset(value, 'a' + (int)(i % 26), sizeof(value));
		add_key(&b, i, slice_of(value, sizeof(value)));
		v.count = 1;
		v.first_db = b.first_db;
		v.records = buf_slice(&b.records);
		ck_assert(add_view(&c, &v));
		batch_reset(&b);
	}
	batch_release(&b);
	return c;
}

static void assert_content(const struct content *got, unsigned count)
{
	struct content want = expected(count);

	ck_assert_uint_eq(got->records, want.records);
	ck_assert_uint_eq(got->hash, want.hash);
}

/* --- tests -------------------------------------------------------------- */

START_TEST(snapshot__what_was_put_is_read_back_in_order)
{
	unsigned threads, mode;

	setup();
	for (mode = 0; mode < 2; mode++) {
		ck_assert_int_eq(write_one(40 + mode, 3000, mode, NULL),
				 SNAPSHOT_DONE);
		for (threads = 0; threads < 4; threads++) {
			struct content c;

			ck_assert_int_eq(read_lsn(40 + mode, threads, &c), OK);
			assert_content(&c, 3000);
		}
	}
	teardown();
}
END_TEST

START_TEST(snapshot__header_and_footer_say_what_they_were_told)
{
	struct snapshot_reader_options o = {
		.io = &disk.io, .dir = dir,
		.name = "0000000002-00000000000000000077.snap",
	};
	struct snapshot_reader *r;
	const struct snapshot_meta *m;

	setup();
	ck_assert_int_eq(write_one(77, 10, true, NULL), SNAPSHOT_DONE);
	ck_assert_int_eq(snapshot_open(&r, &o, NULL), OK);
	m = snapshot_reader_meta(r);
	ck_assert_mem_eq(m->store.id, "0123456789abcdef", 16);
	ck_assert_uint_eq(m->store.hash_key[1], 22);
	ck_assert_uint_eq(m->epoch, 2);
	ck_assert_uint_eq(m->lsn, 77);
	ck_assert_uint_eq(m->created_ms, 1700000000000);
	ck_assert_uint_eq(m->history.count, 2);
	ck_assert_uint_eq(m->history.at[1].first_lsn, 30);
	ck_assert_uint_eq(m->db_count, 2);
	ck_assert_uint_eq(m->dbs[0].keys, 100);
	ck_assert_uint_eq(m->dbs[0].deadlines, 7);
	ck_assert_uint_eq(m->dbs[1].db, 3);
	ck_assert_uint_eq(snapshot_reader_footer(r)->record_count, 10);
	ck_assert_uint_eq(snapshot_reader_footer(r)->durable_lsn, 80);
	ck_assert_uint_eq(snapshot_reader_footer(r)->sequence, 9);
	snapshot_reader_close(r);
	teardown();
}
END_TEST

START_TEST(snapshot__an_empty_one_is_whole)
{
	struct content c;

	setup();
	ck_assert_int_eq(write_one(5, 0, true, NULL), SNAPSHOT_DONE);
	ck_assert_int_eq(read_lsn(5, 2, &c), OK);
	ck_assert_uint_eq(c.records, 0);
	ck_assert_int_eq(snapshot_verify(&disk.io, path_of(5), NULL, NULL), 0);
	teardown();
}
END_TEST

START_TEST(snapshot__a_batch_may_be_bigger_than_a_frame)
{
	struct snapshot_options o;
	struct snapshot_meta meta = meta_at(50);
	struct test_random random = { 7 };
	struct snapshot_writer *w;
	size_t size = (3 << 20) + 12345, i;
	uint8_t *value = malloc(size);
	struct content c, want = { 0 };
	struct batch b;

	setup();
	o = options(true);
	for (i = 0; i < size; i++)
		value[i] = (uint8_t)test_random_next(&random);
	batch_init(&b);
	ck_assert_int_eq(snapshot_begin(&w, &o, &meta, NULL), OK);
	put_keys(w, 100, 50);
	add_key(&b, 1, slice_of(value, size));
	add_view(&want, &(struct batch_view){
		.count = 1, .records = buf_slice(&b.records) });
	snapshot_put(w, &b);
	snapshot_finish(w, 50, 1);
	ck_assert_int_eq(wait_end(w, NULL), SNAPSHOT_DONE);
	snapshot_close(w);
	ck_assert_int_eq(read_lsn(50, 2, &c), OK);
	ck_assert_uint_eq(c.records, 101);
	ck_assert_int_eq(read_lsn(50, 0, &want), OK);
	ck_assert_uint_eq(c.hash, want.hash);
	ck_assert_int_eq(snapshot_verify(&disk.io, path_of(50), NULL, NULL),
			 0);
	batch_release(&b);
	free(value);
	teardown();
}
END_TEST

START_TEST(snapshot__without_direct_io_it_is_written_through_the_cache)
{
	struct content c;

	setup();
	disk.refuse_direct = true;
	ck_assert_int_eq(write_one(8, 500, true, NULL), SNAPSHOT_DONE);
	ck_assert_int_eq(read_lsn(8, 1, &c), OK);
	assert_content(&c, 500);
	teardown();
}
END_TEST

START_TEST(snapshot__room_ends_at_queue_max_and_comes_back)
{
	struct snapshot_options o;
	struct snapshot_meta meta = meta_at(50);
	struct snapshot_writer *w;
	unsigned puts = 0;

	setup();
	o = options(true);
	o.queue_max = 2 * SNAPSHOT_BLOCK_SIZE;
	ck_assert_int_eq(snapshot_begin(&w, &o, &meta, NULL), OK);
	while (puts < 3000) {
		if (!snapshot_room(w)) {
			usleep(200);
			continue;
		}
		put_keys(w, 1000, 1000);
		puts++;
		ck_assert_uint_le(snapshot_queued(w),
				  o.queue_max + SNAPSHOT_BLOCK_SIZE);
	}
	snapshot_finish(w, 50, 1);
	ck_assert_int_eq(wait_end(w, NULL), SNAPSHOT_DONE);
	snapshot_close(w);
	teardown();
}
END_TEST

static unsigned count_files(void)
{
	struct snapshot_name *names;
	char command[128];
	FILE *p;
	unsigned count = 0;

	ck_assert_int_ge(snapshot_list(&disk.io, dir, &names, NULL), 0);
	mem_free(names);
	snprintf(command, sizeof(command), "ls %s/snap 2>/dev/null | wc -l",
		 dir);
	p = popen(command, "r");
	ck_assert_int_eq(fscanf(p, "%u", &count), 1);
	pclose(p);
	return count;
}

START_TEST(snapshot__abort_leaves_no_file)
{
	struct snapshot_meta meta = meta_at(50);
	unsigned mode;

	setup();
	for (mode = 0; mode < 2; mode++) {
		struct snapshot_options o = options(mode);
		struct snapshot_writer *w;
		struct err_message m = { "" };

		ck_assert_int_eq(snapshot_begin(&w, &o, &meta, NULL), OK);
		put_keys(w, 20000, 5000);
		snapshot_abort(w);
		ck_assert_int_eq(wait_end(w, &m), SNAPSHOT_FAILED);
		ck_assert_ptr_nonnull(strstr(m.text, "aborted"));
		snapshot_close(w);
		ck_assert_uint_eq(count_files(), 0);
	}
	teardown();
}
END_TEST

START_TEST(snapshot__any_failed_call_loses_only_the_temporary_file)
{
	int at, calls;

	setup();
	ck_assert_int_eq(write_one(60, 300, false, NULL), SNAPSHOT_DONE);
	calls = disk.calls;
	ck_assert_int_gt(calls, 6);
	for (at = 1; at <= calls; at++) {
		struct err_message m = { "" };
		enum snapshot_state state;
		struct content c;

		meddler_init(&disk);
		disk.fail_at = at;
		disk.fail_with = at % 2 ? -EIO : -ENOSPC;
		state = write_one(61, 300, at % 3 == 0, &m);
		disk.fail_at = 0;
		if (state == SNAPSHOT_FAILED)
			ck_assert_uint_gt(strlen(m.text), 0);
		/* The one before is untouched, and this one is all or not. */
		ck_assert_int_eq(read_lsn(60, 0, &c), OK);
		assert_content(&c, 300);
		if (access(path_of(61), F_OK) == 0) {
			ck_assert_int_eq(read_lsn(61, 0, &c), OK);
			assert_content(&c, 300);
			unlink(path_of(61));
		} else {
			ck_assert_int_eq(state, SNAPSHOT_FAILED);
		}
		ck_assert_uint_eq(count_files(), 1);
	}
	teardown();
}
END_TEST

START_TEST(snapshot__a_disk_that_loses_writes_is_found_out)
{
	struct err_message m = { "" };

	setup();
	disk.lie = true;
	ck_assert_int_eq(write_one(62, 90000, true, &m), SNAPSHOT_FAILED);
	ck_assert_uint_eq(count_files(), 0);
	teardown();
}
END_TEST

static void count_damage(void *ctx, const struct damage *d)
{
	uint64_t *flipped = ctx;

	/* The place that is named holds the byte. */
	if (d->offset <= *flipped && *flipped < d->offset + d->size)
		*flipped = UINT64_MAX;
	ck_assert_uint_gt(strlen(d->file), 0);
}

START_TEST(snapshot__every_flipped_bit_is_located_or_is_padding)
{
	uint64_t size, at, padding = 0, pad_from, pad_to;
	struct content c;
	FILE *file;
	uint8_t footer[SNAPSHOT_FOOTER_SIZE];

	setup();
	ck_assert_int_eq(write_one(63, 60, false, NULL), SNAPSHOT_DONE);
	file = fopen(path_of(63), "r");
	ck_assert_int_eq(fseek(file, -SNAPSHOT_FOOTER_SIZE, SEEK_END), 0);
	pad_to = (uint64_t)ftell(file);
	size = pad_to + SNAPSHOT_FOOTER_SIZE;
	ck_assert_uint_eq(fread(footer, 1, sizeof(footer), file),
			  sizeof(footer));
	fclose(file);
	pad_from = get_u64(footer + FRAME_HEADER_SIZE + 40);
	for (at = 0; at < size * 8; at++) {
		uint64_t place = at / 8;
		int err, damaged;

		/* Of the padding a sample will do. */
		if (place >= pad_from && place < pad_to && at % 97)
			continue;
		disk.flip_offset = place;
		disk.flip_mask = (uint8_t)(1 << at % 8);
		err = read_lsn(63, 0, &c);
		damaged = snapshot_verify(&disk.io, path_of(63), count_damage,
					  &place);
		if (err == OK) {
			ck_assert_uint_ge(at / 8, pad_from);
			ck_assert_uint_lt(at / 8, pad_to);
			assert_content(&c, 60);
			ck_assert_int_eq(damaged, 0);
			padding++;
		} else {
			ck_assert_int_eq(err, ERR_CORRUPT);
			ck_assert_int_eq(damaged, 1);
			ck_assert_uint_eq(place, UINT64_MAX);
		}
	}
	ck_assert_uint_gt(padding, 0);
	teardown();
}
END_TEST

START_TEST(snapshot__a_file_cut_anywhere_is_refused)
{
	struct content c;
	long size;

	setup();
	ck_assert_int_eq(write_one(64, 60, false, NULL), SNAPSHOT_DONE);
	size = 8192;
	for (size -= 1; size >= 0; size -= size > 300 ? 61 : 1) {
		ck_assert_int_eq(truncate(path_of(64), size), 0);
		ck_assert_int_eq(read_lsn(64, 0, &c), ERR_CORRUPT);
		ck_assert_int_gt(snapshot_verify(&disk.io, path_of(64), NULL,
						 NULL), 0);
	}
	teardown();
}
END_TEST

START_TEST(snapshot__a_newer_version_is_told_from_damage)
{
	uint8_t prefix[16];
	uint8_t check[4];
	struct content c;
	FILE *file;

	setup();
	ck_assert_int_eq(write_one(65, 60, false, NULL), SNAPSHOT_DONE);
	file = fopen(path_of(65), "r+");
	ck_assert_uint_eq(fread(prefix, 1, 16, file), 16);
	put_u32(prefix + 8, SNAPSHOT_VERSION + 1);
	put_u32(check, crc32c(0, prefix, 16));
	rewind(file);
	ck_assert_uint_eq(fwrite(prefix, 1, 16, file), 16);
	ck_assert_uint_eq(fwrite(check, 1, 4, file), 4);
	fclose(file);
	ck_assert_int_eq(read_lsn(65, 0, &c), ERR_VERSION);
	teardown();
}
END_TEST

START_TEST(snapshot__a_read_error_is_not_damage)
{
	struct content c;

	setup();
	ck_assert_int_eq(write_one(66, 60, false, NULL), SNAPSHOT_DONE);
	disk.calls = 0;
	disk.fail_at = 2;
	disk.fail_with = -EIO;
	ck_assert_int_eq(read_lsn(66, 0, &c), ERR_IO);
	teardown();
}
END_TEST

START_TEST(snapshot__prune_keeps_the_newest_and_removes_temporaries)
{
	struct snapshot_name *names;
	char path[300];
	uint64_t lsn;

	setup();
	for (lsn = 10; lsn < 15; lsn++)
		ck_assert_int_eq(write_one(lsn, 1, false, NULL),
				 SNAPSHOT_DONE);
	snprintf(path, sizeof(path), "%s.tmp", path_of(99));
	fclose(fopen(path, "w"));
	snprintf(path, sizeof(path), "%s/snap/notes.tmp", dir);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(snapshot_prune(&disk.io, dir, 2, NULL), OK);
	ck_assert_int_eq(snapshot_list(&disk.io, dir, &names, NULL), 2);
	ck_assert_uint_eq(names[0].lsn, 14);
	ck_assert_uint_eq(names[1].lsn, 13);
	mem_free(names);
	ck_assert_uint_eq(count_files(), 3);
	teardown();
}
END_TEST

START_TEST(snapshot__a_missing_directory_is_an_empty_list)
{
	struct snapshot_name *names;

	setup();
	ck_assert_int_eq(snapshot_list(&disk.io, dir, &names, NULL), 0);
	mem_free(names);
	teardown();
}
END_TEST

/* Writes the example of FORMAT.md; with GOLDEN=write the committed file. */
START_TEST(snapshot__golden_file_is_what_is_written_and_read)
{
	uint8_t want[16384], got[16384];
	size_t want_size, got_size;
	struct content c;
	char command[300];
	FILE *file;

	setup();
	ck_assert_int_eq(write_one(42, 12, false, NULL), SNAPSHOT_DONE);
	if (getenv("GOLDEN")) {
		snprintf(command, sizeof(command), "cp %s " GOLDEN,
			 path_of(42));
		ck_assert_int_eq(system(command), 0);
	}
	file = fopen(GOLDEN, "r");
	ck_assert_ptr_nonnull(file);
	want_size = fread(want, 1, sizeof(want), file);
	fclose(file);
	file = fopen(path_of(42), "r");
	got_size = fread(got, 1, sizeof(got), file);
	fclose(file);
	ck_assert_uint_eq(got_size, want_size);
	/* Another zstd may pack otherwise, and is read all the same. */
	if (ZSTD_versionNumber() == GOLDEN_ZSTD)
		ck_assert_mem_eq(got, want, want_size);
	else
		ck_assert_mem_eq(got, want, SNAPSHOT_ALIGN_MIN);
	snprintf(command, sizeof(command), "cp " GOLDEN " %s", path_of(42));
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(read_lsn(42, 0, &c), OK);
	assert_content(&c, 12);
	teardown();
}
END_TEST

int main(void)
{
	return RUN_TESTS(
		"snapshot", snapshot__what_was_put_is_read_back_in_order,
		snapshot__header_and_footer_say_what_they_were_told,
		snapshot__an_empty_one_is_whole,
		snapshot__a_batch_may_be_bigger_than_a_frame,
		snapshot__without_direct_io_it_is_written_through_the_cache,
		snapshot__room_ends_at_queue_max_and_comes_back,
		snapshot__abort_leaves_no_file,
		snapshot__any_failed_call_loses_only_the_temporary_file,
		snapshot__a_disk_that_loses_writes_is_found_out,
		snapshot__every_flipped_bit_is_located_or_is_padding,
		snapshot__a_file_cut_anywhere_is_refused,
		snapshot__a_newer_version_is_told_from_damage,
		snapshot__a_read_error_is_not_damage,
		snapshot__prune_keeps_the_newest_and_removes_temporaries,
		snapshot__a_missing_directory_is_an_empty_list,
		snapshot__golden_file_is_what_is_written_and_read);
}
