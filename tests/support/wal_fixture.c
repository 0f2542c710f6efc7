/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/wal_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "base/mem.h"

static void on_fatal(void *ctx, int exit_code, const char *message)
{
	struct fixture *f = ctx;

	f->fatal_count++;
	f->exit_code = exit_code;
	snprintf(f->message, sizeof(f->message), "%s", message);
}

struct fixture *fixture_new(enum wal_level level)
{
	struct fixture *f = mem_calloc(1, sizeof(*f));

	log_open("", LOG_LEVEL_NOTHING);
	f->sim = sim_new(7);
	strcpy(f->dir, "store");
	sim_poke(f->sim, f->dir, 0, NULL, 0); /* a name that stays */
	f->options = (struct wal_options){ .io = sim_io(f->sim),
					   .dir = f->dir,
					   .level = level,
					   .segment_size = SMALL_SEGMENT,
					   .fatal = on_fatal,
					   .fatal_ctx = f };
	batch_init(&f->batch);
	return f;
}

void fixture_free(struct fixture *f)
{
	wal_abandon(f->w);
	batch_release(&f->batch);
	sim_free(f->sim);
	mem_free(f);
}

struct fixture *fixture_on_disk(enum wal_level level)
{
	struct fixture *f = fixture_new(level);

	sim_free(f->sim);
	f->sim = NULL;
	strcpy(f->dir, "/tmp/wal_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	ck_assert_int_eq(completion_open(&f->queue), 0);
	f->options.io = io_posix();
	f->options.threads = true;
	f->options.completions = &f->queue;
	return f;
}

void fixture_leave_disk(struct fixture *f)
{
	char command[128];

	wal_abandon(f->w);
	f->w = NULL;
	completion_drain(&f->queue);
	completion_close(&f->queue);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	ck_assert_int_eq(system(command), 0);
	fixture_free(f);
}

int try_reopen(struct fixture *f, struct err_message *m)
{
	const struct wal_recovery *r;
	uint64_t last;
	int err = wal_open(&f->w, &f->options, &f->store, &f->known, m);

	if (err)
		return err;
	r = wal_recovery(f->w);
	f->last_lsn = r->last_lsn;
	f->durable_lsn = r->durable_lsn;
	f->epoch = r->epoch;
	f->clean = r->clean;
	f->segment_count = r->segment_count;
	f->outcome = r->outcome;
	last = r->last_lsn;
	if (f->known.snapshot_lsn > last)
		last = f->known.snapshot_lsn;
	return wal_begin(f->w, last, m);
}

void reopen(struct fixture *f)
{
	struct err_message m = { "" };
	int err = try_reopen(f, &m);

	ck_assert_msg(err == OK, "%d: %s", err, m.text);
	wal_check(f->w);
}

void close_log(struct fixture *f)
{
	struct err_message m = { "" };

	ck_assert_msg(wal_close(f->w, &m) == OK, "%s", m.text);
	f->w = NULL;
}

void crash(struct fixture *f, enum sim_crash_kind kind)
{
	struct sim_crash how = { .kind = kind, .seed = 5 };
	struct sim *after = sim_crash(f->sim, &how);

	wal_abandon(f->w);
	f->w = NULL;
	sim_free(f->sim);
	f->sim = after;
	f->options.io = sim_io(after);
}

bool try_append(struct fixture *f, size_t size)
{
	uint8_t *value = mem_calloc(1, size + 1);
	struct record r = { .type = REC_str_set,
			    .cause = CAUSE_set,
			    .key = SLICE_LITERAL("key"),
			    .value = { value, size } };
	bool room = wal_room(f->w, size + 64, false);

	memset(value, 'x', size);
	if (room) {
		batch_reset(&f->batch);
		f->batch.time_ms = 1700000000000;
		batch_add(&f->batch, &r);
		wal_append(f->w, &f->batch);
		wal_check(f->w);
	}
	mem_free(value);
	return room;
}

void append(struct fixture *f, size_t size)
{
	ck_assert(try_append(f, size));
}

void turn_after(struct fixture *f, uint64_t us)
{
	struct wal_turn t = { .alone = f->alone };

	if (f->sim)
		sim_advance_us(f->sim, us);
	t.now_us = f->options.io->ops->mono_us(f->options.io);
	wal_turn(f->w, &t);
	if (!f->fatal_count)
		wal_check(f->w);
}

void turn(struct fixture *f)
{
	turn_after(f, 1000);
}

void wait_released(struct fixture *f)
{
	while (wal_release_lsn(f->w) < at(f)->last_lsn) {
		struct pollfd p = { f->queue.event_file, POLLIN, 0 };

		turn(f);
		if (wal_release_lsn(f->w) == at(f)->last_lsn)
			break;
		ck_assert_int_ge(poll(&p, 1, 5000), 1);
		completion_drain(&f->queue);
	}
}

void change_frame(struct fixture *f, uint64_t sequence, uint64_t offset,
		  change_fn *change)
{
	uint8_t raw[FRAME_HEADER_SIZE], head[IDENTITY_SIZE];
	char path[64], name[SEGMENT_NAME_SIZE];
	struct segment_identity identity;
	struct frame_seed seed;
	struct frame_header h;

	segment_name(name, sequence);
	snprintf(path, sizeof(path), "store/log/%s", name);
	sim_peek(f->sim, path, 0, head, sizeof(head));
	ck_assert_int_eq(identity_decode(head, &identity), OK);
	seed = (struct frame_seed){ store_content_seed(&identity.store),
				    identity.salt };
	sim_peek(f->sim, path, offset, raw, sizeof(raw));
	ck_assert(frame_decode(raw, &seed, offset, &h));
	change(&h, &seed);
	frame_encode(raw, &h, &seed, offset);
	sim_poke(f->sim, path, offset, raw, sizeof(raw));
}

struct wal_stats stats(const struct fixture *f)
{
	struct wal_stats s;

	wal_stats(f->w, &s);
	return s;
}

const struct wal_position *at(const struct fixture *f)
{
	return wal_position(f->w);
}
