/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/recover_fixture.h"

#include <stdio.h>
#include <string.h>

struct wal_recovery found;
struct err_message message;

int run_mode(struct fixture *f, enum recovery_mode mode,
	     const struct wal_known *known)
{
	struct recovery_options o = {
		.io = f->options.io, .dir = f->dir, .mode = mode, .known = known
	};
	struct store_id store = f->store;

	wal_recovery_release(&found);
	message.text[0] = 0;
	return wal_recover(&found, &o, &store, &message);
}

int run(struct fixture *f)
{
	return run_mode(f, RECOVERY_STRICT, &f->known);
}

void check(struct fixture *f, enum recovery_case row, int code)
{
	int err = run(f);

	ck_assert_msg(err == code, "%d, not %d: %s", err, code, message.text);
	ck_assert_msg(found.outcome == row, "%s, not %s: %s",
		      recovery_case_name(found.outcome),
		      recovery_case_name(row), message.text);
	ck_assert_uint_ge(found.cases[row], 1);
	if (code == OK)
		return;
	ck_assert_ptr_nonnull(strstr(message.text, ".seg"));
	ck_assert_ptr_nonnull(
		strstr(message.text, "redoubt-log verify --dir store"));
}

void done(struct fixture *f)
{
	wal_recovery_release(&found);
	fixture_free(f);
}

void path_of(char out[64], uint64_t sequence)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, sequence);
	snprintf(out, 64, "store/log/%s", name);
}

void spoil(struct fixture *f, uint64_t sequence, uint64_t offset)
{
	char path[64];
	uint8_t byte;

	path_of(path, sequence);
	ck_assert_int_eq(sim_peek(f->sim, path, offset, &byte, 1), 1);
	byte ^= 0x40;
	sim_poke(f->sim, path, offset, &byte, 1);
}

struct fixture *store_of(enum wal_level level, int n)
{
	struct fixture *f = fixture_new(level);

	reopen(f);
	while (n-- > 0) {
		append(f, 100);
		turn(f);
	}
	crash(f, SIM_CRASH_ALL);
	return f;
}

struct fixture *store_of_segments(void)
{
	struct fixture *f = fixture_new(WAL_ALWAYS);

	reopen(f);
	while (stats(f).segment_sequence < SEGMENTS) {
		append(f, 9000);
		turn(f);
	}
	append(f, 100);
	turn(f);
	turn_after(f, 200000);
	crash(f, SIM_CRASH_ALL);
	return f;
}
